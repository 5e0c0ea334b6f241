#include "fake-dns.h"
#include "fake-mx.h"
#include "hp-smtp-transport.h"

#include <sys/eventfd.h>

static const FakeRecord zone[] = {
    { "example.org", 6, 0, "ns" },
    { "one.example.org", 1, 0, "127.0.0.1" },
    { "two.example.org", 15, 10, "mx1.example.org" },
    { "two.example.org", 15, 20, "mx2.example.org" },
    { "mx1.example.org", 1, 0, "127.0.0.1" },
    { "mx2.example.org", 1, 0, "127.0.0.2" },
    { "both.example.org", 15, 10, "mx2.example.org" },
    { "both.example.org", 15, 20, "six.example.org" },
    { "six.example.org", 28, 0, "::1" },
    { "null.example.org", 15, 0, "" },
    { NULL, 0, 0, NULL },
};

static const char *const nobody[] = { NULL };

/* A queue of messages, and what was heard about them. */
typedef struct {
    HpCarry carry; /* first: the transport knows only this */
    FakeDns *dns;
    HpResolver *resolver;
    HpTlsTrust *trust;
    HpTlsIdentity *identity;
    HpSmtpTransport *transport;
    HpLinkState line;
    HpCarryMessage *messages[4];
    guint n_messages;
    guint taken;
    guint settled;
    guint dots;
    gboolean call_off;
    gboolean unreadable;
    GString *content; /* of every message */
    GString *story;
    GString *evidence;
} Fixture;

static HpCarryMessage *
on_next(HpCarry *carry)
{
    Fixture *f = (Fixture *)carry;

    return f->taken < f->n_messages ? f->messages[f->taken++] : NULL;
}

static gboolean
on_dot(HpCarry *carry)
{
    Fixture *f = (Fixture *)carry;

    f->dots++;
    return !f->call_off;
}

static void
on_tell(HpCarry *carry, const HpEvent *event)
{
    static const char *const kinds[] = { "looked up", "connected", "secured", "said",
                                         "failed" };
    Fixture *f = (Fixture *)carry;

    g_string_append_printf(f->story, "%s %s: %s\n", kinds[event->kind],
                           event->host != NULL ? event->host : "-", event->text);
}

static void
on_settle(HpCarry *carry, HpCarryMessage *message)
{
    Fixture *f = (Fixture *)carry;

    g_assert_true(f->messages[f->settled] == message);
    f->settled++;
}

static gssize
on_read(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    Fixture *f = content;
    gsize left = offset < f->content->len ? f->content->len - offset : 0;
    gsize n = MIN(left, size);

    if (f->unreadable && offset > 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "could not read");
        return -1;
    }
    memcpy(buffer, f->content->str + offset, n);
    return (gssize)n;
}

static void
on_note(HpLinkEvidence evidence, const char *destination, gpointer data)
{
    static const char *const names[] = { "greeting", "foreign", "fail",
                                         "dns",      "no-dns",  "lie" };
    Fixture *f = data;

    g_string_append_printf(f->evidence, "%s %s;", names[evidence], destination);
}

static HpLinkState
on_line(gpointer data)
{
    return ((Fixture *)data)->line;
}

static void
free_recipient(gpointer item)
{
    HpCarryRecipient *recipient = item;

    hp_reply_clear(&recipient->reply);
    g_free(recipient->address);
    g_free(recipient->orcpt);
    g_free(recipient);
}

static HpCarryRecipient *
add_recipient(HpCarryMessage *message, const char *address)
{
    HpCarryRecipient *recipient = g_new0(HpCarryRecipient, 1);

    recipient->address = g_strdup(address);
    g_ptr_array_add(message->recipients, recipient);
    return recipient;
}

static HpCarryMessage *
add_message(Fixture *f, const char *recipient)
{
    HpCarryMessage *message = g_new0(HpCarryMessage, 1);

    message->id = g_strdup("7Q2KXM");
    message->sender = g_strdup("anna@example.net");
    message->recipients = g_ptr_array_new_with_free_func(free_recipient);
    message->content = f;
    message->read = on_read;
    message->size = f->content->len;
    if (recipient != NULL)
        add_recipient(message, recipient);
    f->messages[f->n_messages++] = message;
    return message;
}

static HpTlsIdentity *
make_identity(void)
{
    g_autofree char *path = g_dir_make_tmp("mx-XXXXXX", NULL);
    g_autofree char *certificate = g_build_filename(path, "certificate.pem", NULL);
    g_autofree char *key = g_build_filename(path, "key.pem", NULL);
    hp_autofd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    HpTlsIdentity *identity = hp_tls_identity_ensure(fd, &error);

    g_assert_no_error(error);
    g_unlink(certificate);
    g_unlink(key);
    g_rmdir(path);
    return identity;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autofree char *server = NULL;

    (void)data;
    f->dns = fake_dns_new(zone, "example.org");
    server = fake_dns_server(f->dns);
    f->resolver = hp_resolver_new(server, NULL);
    f->trust = hp_tls_trust_new(NULL, NULL);
    f->identity = make_identity();
    f->content = g_string_new("Subject: hello\r\n\r\n.dot\r\nlast\r\n");
    f->story = g_string_new(NULL);
    f->evidence = g_string_new(NULL);
    f->carry.abort_fd = -1;
    f->carry.next = on_next;
    f->carry.dot_begins = on_dot;
    f->carry.tell = on_tell;
    f->carry.settle = on_settle;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    for (guint i = 0; i < f->n_messages; i++) {
        g_ptr_array_unref(f->messages[i]->recipients);
        g_free(f->messages[i]->id);
        g_free(f->messages[i]->sender);
        g_free(f->messages[i]->envid);
        g_free(f->messages[i]);
    }
    hp_resolver_free(f->resolver);
    fake_dns_free(f->dns);
    hp_tls_trust_free(f->trust);
    hp_tls_identity_free(f->identity);
    g_string_free(f->content, TRUE);
    g_string_free(f->story, TRUE);
    g_string_free(f->evidence, TRUE);
}

static void
carry_to(Fixture *f, const char *destination, guint16 port)
{
    static const HpSmtpTimeouts timeouts = { 2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC };
    HpSmtpTransportOptions options = { .resolver = f->resolver,
                                       .trust = f->trust,
                                       .hostname = "laptop.example.net",
                                       .port = port,
                                       .allow_private = TRUE,
                                       .own_addresses = nobody,
                                       .seed = 1,
                                       .timeouts = &timeouts,
                                       .note = on_note,
                                       .note_data = f,
                                       .link_state = on_line,
                                       .link_data = f };
    g_autoptr(HpSmtpTransport) transport = hp_smtp_transport_new(&options);
    HpTransport table = hp_smtp_transport_table(transport);

    f->carry.destination = destination;
    table.carry(table.self, &f->carry);
}

/* "outcome code enhanced" of one recipient. */
static void
expect(const HpCarryMessage *message, guint i, const char *want)
{
    static const char *const outcomes[] = { "untried",  "delivered", "refused",
                                            "deferred", "network",   "uncertain" };
    const HpCarryRecipient *r = g_ptr_array_index(message->recipients, i);
    g_autofree char *got = g_strdup_printf("%s %u %s", outcomes[r->outcome],
                                           r->reply.code, r->reply.enhanced);

    g_assert_cmpstr(got, ==, want);
}

#define HELLO                                                                            \
    "S: 220 mx.example.org ESMTP", "C: EHLO laptop.example.net",                         \
        "S: 250-mx.example.org", "S: 250-SIZE 1000000", "S: 250-8BITMIME"
#define GROUP(rcpt)                                                                      \
    "C: MAIL FROM:<anna@example.net> SIZE=*", "C: RCPT TO:<" rcpt ">", "C: DATA"

static void
carries_all_over_one_connection(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          GROUP("bob@one.example.org"),
                                          "S: 250 2.1.0 ok",
                                          "S: 250 2.1.5 ok",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 2.0.0 queued as 1",
                                          GROUP("carol@one.example.org"),
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 queued as 2",
                                          "C: QUIT",
                                          "EOF",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "bob@one.example.org");
    add_message(f, "carol@one.example.org");
    carry_to(f, "one.example.org", mx->port);
    g_assert_cmpuint(f->settled, ==, 2);
    g_assert_cmpuint(f->dots, ==, 2);
    expect(f->messages[0], 0, "delivered 250 2.0.0");
    expect(f->messages[1], 0, "delivered 250 ");
    g_assert_true(
        ((HpCarryRecipient *)f->messages[0]->recipients->pdata[0])->relayed_without_dsn);
    g_assert_cmpstr(f->story->str, ==,
                    "looked up -: one.example.org\n"
                    "connected one.example.org: 127.0.0.1\n"
                    "said one.example.org: 250 2.0.0 queued as 1\n"
                    "said one.example.org: 250 queued as 2\n");
    g_assert_cmpstr(f->evidence->str, ==,
                    "dns one.example.org;greeting one.example.org [127.0.0.1];");
    g_assert_cmpuint(mx->connections, ==, 1);
    fake_mx_wait(mx);
    {
        g_autofree char *twice = g_strconcat(f->content->str, f->content->str, NULL);

        g_assert_cmpstr(mx->content->str, ==, twice);
    }
    fake_mx_free(mx);
}

static void
each_recipient_has_its_own_answer(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          "C: MAIL *",
                                          "C: RCPT TO:<a@x.org>",
                                          "C: RCPT TO:<b@x.org>",
                                          "C: RCPT TO:<c@x.org>",
                                          "C: DATA",
                                          "S: 250 ok",
                                          "S: 550 5.1.1 no such user",
                                          "S: 250 ok",
                                          "S: 450 4.2.1 later",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 2.0.0 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "a@x.org");

    (void)data;
    add_recipient(m, "b@x.org");
    add_recipient(m, "c@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "refused 550 5.1.1");
    expect(m, 1, "delivered 250 2.0.0");
    expect(m, 2, "deferred 450 4.2.1");
    fake_mx_free(mx);
}

static void
the_rest_goes_in_another_transaction(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          "C: MAIL *",
                                          "C: RCPT TO:<a@x.org>",
                                          "C: RCPT TO:<b@x.org>",
                                          "C: DATA",
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 452 4.5.3 too many",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: MAIL *",
                                          "C: RCPT TO:<b@x.org>",
                                          "C: DATA",
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "a@x.org");

    (void)data;
    add_recipient(m, "b@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "delivered 250 ");
    expect(m, 1, "delivered 250 ");
    fake_mx_free(mx);
}

static void
a_refused_envelope_leaves_the_connection_usable(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,       "S: 250 PIPELINING", GROUP("a@x.org"),
        "S: 250 ok", "S: 550 5.1.1 no",   "S: 503 no",
        "C: RSET",   "S: 250 ok",         GROUP("b@x.org"),
        "S: 250 ok", "S: 250 ok",         "S: 354 go",
        "DATA",      "S: 250 ok",         "C: QUIT",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    add_message(f, "b@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "refused 550 5.1.1");
    expect(f->messages[1], 0, "delivered 250 ");
    fake_mx_free(mx);
}

static void
the_reason_survives_a_dropped_connection(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO, "S: 250 PIPELINING", GROUP("a@x.org"), "S: 550 5.7.1 go away", "CLOSE",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "refused 550 5.7.1");
    fake_mx_free(mx);
}

static void
the_next_server_is_tried(Fixture *f, gconstpointer data)
{
    static const char *const first[] = { "S: 421 4.3.2 not now", "CLOSE", NULL };
    static const char *const second[] = {
        HELLO,       "S: 250 PIPELINING", GROUP("a@two.example.org"),
        "S: 250 ok", "S: 250 ok",         "S: 354 go",
        "DATA",      "S: 250 ok",         "C: QUIT",
        NULL
    };
    FakeMx *mx1 = fake_mx_new(first, NULL, "127.0.0.1", 0);
    FakeMx *mx2 = fake_mx_new(second, NULL, "127.0.0.2", mx1->port);

    (void)data;
    add_message(f, "a@two.example.org");
    carry_to(f, "two.example.org", mx1->port);
    expect(f->messages[0], 0, "delivered 250 ");
    g_assert_nonnull(strstr(f->story->str, "said mx1.example.org: 421 4.3.2 not now"));
    g_assert_nonnull(strstr(f->story->str, "connected mx2.example.org: 127.0.0.2"));
    fake_mx_free(mx1);
    fake_mx_free(mx2);
}

static void
a_server_that_closes_is_asked_again(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,       "S: 250 PIPELINING", GROUP("a@x.org"),
        "S: 250 ok", "S: 250 ok",         "S: 354 go",
        "DATA",      "S: 250 ok",         "NEW",
        HELLO,       "S: 250 PIPELINING", GROUP("b@x.org"),
        "S: 250 ok", "S: 250 ok",         "S: 354 go",
        "DATA",      "S: 250 ok",         "C: QUIT",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    add_message(f, "b@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "delivered 250 ");
    expect(f->messages[1], 0, "delivered 250 ");
    fake_mx_free(mx);
}

static void
a_lost_reply_to_the_dot_is_uncertain(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,       "S: 250 PIPELINING", GROUP("a@x.org"), "S: 250 ok",
        "S: 250 ok", "S: 354 go",         "DATA",           "CLOSE",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "uncertain 451 4.4.2");
    fake_mx_free(mx);
}

static void
a_connection_lost_before_the_dot_is_deferred(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO, "S: 250 PIPELINING", GROUP("a@x.org"), "S: 250 ok", "S: 250 ok", "CLOSE",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 451 4.4.2");
    g_assert_cmpuint(f->dots, ==, 0);
    fake_mx_free(mx);
}

static void
a_message_called_off_gets_no_dot(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          GROUP("a@x.org"),
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 354 go",
                                          "C: Subject: hello",
                                          "C: ",
                                          "C: ..dot",
                                          "C: last",
                                          "EOF",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    f->call_off = TRUE;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "untried 0 ");
    g_assert_cmpuint(f->settled, ==, 1);
    fake_mx_free(mx);
}

static void
a_disk_that_fails_ends_without_a_dot(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          GROUP("a@x.org"),
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 354 go",
                                          "C: *",
                                          "C: ",
                                          "C: ..dot",
                                          "C: last",
                                          "EOF",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    f->unreadable = TRUE;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 451 4.3.0");
    g_assert_cmpuint(f->dots, ==, 0);
    fake_mx_free(mx);
}

static void
a_closed_road_bounces_nothing(Fixture *f, gconstpointer data)
{
    static const char *const greeting[] = { "S: 554 5.7.1 no dial-up here", "C: QUIT",
                                            NULL };
    static const char *const hello[] = { "S: 220 mx", "C: EHLO *",       "S: 550 no",
                                         "C: HELO *", "S: 550 5.7.1 no", "C: QUIT",
                                         NULL };
    FakeMx *mx = fake_mx_new(greeting, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "network 554 5.7.1");
    fake_mx_free(mx);
    mx = fake_mx_new(hello, NULL, "127.0.0.1", 0);
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[1], 0, "network 550 5.7.1");
    fake_mx_free(mx);
}

static void
what_is_no_mail_server_is_evidence(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { "S: HTTP/1.1 400 Bad Request", "EOF", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 451 4.5.0");
    g_assert_cmpstr(f->evidence->str, ==, "foreign 127.0.0.1 [127.0.0.1];");
    fake_mx_free(mx);
}

static void
nobody_there_is_the_destinations_fault_or_the_lines(Fixture *f, gconstpointer data)
{
    FakeMx *mx = fake_mx_new(nobody, NULL, "127.0.0.1", 0);
    guint16 port = mx->port;

    (void)data;
    fake_mx_free(mx);
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", port);
    expect(f->messages[0], 0, "deferred 451 4.4.1");
    g_assert_cmpstr(f->evidence->str, ==, "fail 127.0.0.1 [127.0.0.1];");
    f->line = HP_LINK_NO_25;
    add_message(f, "b@x.org");
    carry_to(f, "[127.0.0.1]", port);
    expect(f->messages[1], 0, "network 451 4.4.1");
}

static void
no_server_at_all_settles_all(Fixture *f, gconstpointer data)
{
    (void)data;
    add_message(f, "a@null.example.org");
    add_message(f, "b@null.example.org");
    carry_to(f, "null.example.org", 25);
    g_assert_cmpuint(f->settled, ==, 2);
    expect(f->messages[0], 0, "refused 556 5.1.10");
    expect(f->messages[1], 0, "refused 556 5.1.10");
}

static void
uses_tls_where_it_is_offered(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,
        "S: 250 STARTTLS",
        "C: STARTTLS",
        "S: 220 go",
        "TLS",
        "C: EHLO laptop.example.net",
        "S: 250-mx",
        "S: 250 DSN",
        "C: MAIL FROM:<anna@example.net> RET=HDRS ENVID=a+2Bb",
        "S: 250 ok",
        "C: RCPT TO:<a@x.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bc@x.org",
        "S: 250 ok",
        "C: DATA",
        "S: 354 go",
        "DATA",
        "S: 250 ok",
        "C: QUIT",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, f->identity, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, NULL);
    HpCarryRecipient *r = add_recipient(m, "a@x.org");

    (void)data;
    m->ret = HP_RET_HDRS;
    m->envid = g_strdup("a+b");
    r->notify = HP_NOTIFY_SUCCESS | HP_NOTIFY_DELAY;
    r->orcpt = g_strdup("rfc822;a+c@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "delivered 250 ");
    g_assert_false(r->relayed_without_dsn);
    g_assert_true(f->carry.memory.seen_tls);
    g_assert_false(f->carry.memory.seen_trusted);
    g_assert_nonnull(strstr(f->story->str, "secured 127.0.0.1: TLS1."));
    fake_mx_free(mx);
}

static void
never_weaker_than_before(Fixture *f, gconstpointer data)
{
    static const char *const plain[] = { HELLO, "S: 250 PIPELINING", "C: QUIT", NULL };
    static const char *const untrusted[] = {
        HELLO,       "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "TLS",
        "C: EHLO *", "S: 250 mx",       "C: QUIT",     NULL
    };
    FakeMx *mx = fake_mx_new(plain, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "a@x.org");

    (void)data;
    m->may_go_plain = TRUE;
    f->carry.memory.seen_tls = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "deferred 451 4.7.5");
    fake_mx_free(mx);
    mx = fake_mx_new(untrusted, f->identity, "127.0.0.1", 0);
    m = add_message(f, "a@x.org");
    f->carry.memory.seen_trusted = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "deferred 451 4.7.5");
    fake_mx_free(mx);
}

#define BROKEN_TLS                                                                       \
    HELLO, "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "S: no TLS at all", "EOF"

static void
plain_text_after_a_failed_handshake_only_when_it_may(Fixture *f, gconstpointer data)
{
    static const char *const stops[] = { BROKEN_TLS, NULL };
    static const char *const goes_on[] = { BROKEN_TLS,        "NEW",       HELLO,
                                           "S: 250 STARTTLS", "C: MAIL *", "S: 250 ok",
                                           "C: RCPT *",       "S: 250 ok", "C: DATA",
                                           "S: 354 go",       "DATA",      "S: 250 ok",
                                           "C: QUIT",         NULL };
    FakeMx *mx = fake_mx_new(stops, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 454 4.7.5");
    fake_mx_free(mx);
    mx = fake_mx_new(goes_on, NULL, "127.0.0.1", 0);
    add_message(f, "b@x.org")->may_go_plain = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[1], 0, "delivered 250 ");
    fake_mx_free(mx);
    /* Not where TLS was seen before. */
    mx = fake_mx_new(stops, NULL, "127.0.0.1", 0);
    f->carry.memory.seen_tls = TRUE;
    add_message(f, "c@x.org")->may_go_plain = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[2], 0, "deferred 454 4.7.5");
    fake_mx_free(mx);
}

static void
injected_plain_text_ends_the_connection(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,         "S: 250 STARTTLS",
        "C: STARTTLS", "S< 220 go\r\n250-fake\r\n250 DSN\r\n",
        "EOF",         NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 454 4.7.5");
    fake_mx_free(mx);
}

static void
what_the_server_lacks_is_refused_here(Fixture *f, gconstpointer data)
{
    static const char *const no_utf8[] = { HELLO, "S: 250 PIPELINING", "C: QUIT", NULL };
    static const char *const too_small[] = { "S: 220 mx",      "C: EHLO *", "S: 250-mx",
                                             "S: 250 SIZE 10", "C: QUIT",   NULL };
    FakeMx *mx = fake_mx_new(no_utf8, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "b\303\266b@x.org");

    (void)data;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "refused 554 5.6.7");
    fake_mx_free(mx);
    mx = fake_mx_new(too_small, NULL, "127.0.0.1", 0);
    m = add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "refused 554 5.3.4");
    fake_mx_free(mx);
}

static void
smtputf8_and_8bitmime_are_said(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,
        "S: 250 SMTPUTF8",
        "C: MAIL FROM:<anna@example.net> SIZE=30 BODY=8BITMIME SMTPUTF8",
        "S: 250 ok",
        "C: RCPT TO:<b\303\266b@xn--bcher-kva.org>",
        "S: 250 ok",
        "C: DATA",
        "S: 354 go",
        "DATA",
        "S: 250 ok",
        "C: QUIT",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "b\303\266b@b\303\274cher.org");

    (void)data;
    m->eight_bit = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "delivered 250 ");
    fake_mx_free(mx);
}

static void
silence_ends_at_the_deadline(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,       "S: 250 PIPELINING", GROUP("a@x.org"), "S: 250 ok",
        "S: 250 ok", "S: 354 go",         "DATA",           "EOF",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "uncertain 451 4.4.2");
    fake_mx_free(mx);
}

static void
a_flood_has_an_end(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_strnfill(3000, 'x');
    g_autofree char *step = g_strdup_printf("S: 220 %s", line);
    const char *script[] = { step, "EOF", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "deferred 451 4.5.0");
    fake_mx_free(mx);
}

static void
an_abort_leaves_it_untried(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO, "S: 250 PIPELINING", GROUP("a@x.org"),
                                          "EOF", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    hp_autofd bell = eventfd(1, EFD_CLOEXEC);

    (void)data;
    add_message(f, "a@x.org");
    f->carry.abort_fd = bell;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "untried 0 ");
    g_assert_cmpuint(f->settled, ==, 1);
    fake_mx_wait(mx);
    g_assert_cmpuint(mx->connections, ==, 0);
    g_clear_pointer(&mx->problem, g_free);
    fake_mx_free(mx);
}

static void
a_refused_family_is_remembered(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          GROUP("a@both.example.org"),
                                          "S: 250 ok",
                                          "S: 550 5.7.25 no PTR record",
                                          "S: 503 no",
                                          "C: RSET",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.2", 0);

    (void)data;
    add_message(f, "a@both.example.org");
    carry_to(f, "both.example.org", mx->port);
    expect(f->messages[0], 0, "deferred 550 5.7.25");
    g_assert_true(f->carry.memory.refused_ipv4);
    g_assert_false(f->carry.memory.refused_ipv6);
    fake_mx_free(mx);
    /* When the other family was refused as well, it is a refusal. */
    f->carry.memory.refused_ipv6 = TRUE;
    mx = fake_mx_new(script, NULL, "127.0.0.2", 0);
    add_message(f, "a@both.example.org");
    carry_to(f, "both.example.org", mx->port);
    expect(f->messages[1], 0, "refused 550 5.7.25");
    fake_mx_free(mx);
}

#define ADD(path, test)                                                                  \
    g_test_add("/smtp-transport/" path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* That the disk fails is logged as a warning, and is no fault of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    ADD("carries-all-over-one-connection", carries_all_over_one_connection);
    ADD("each-recipient-has-its-own-answer", each_recipient_has_its_own_answer);
    ADD("the-rest-goes-in-another-transaction", the_rest_goes_in_another_transaction);
    ADD("a-refused-envelope-leaves-the-connection-usable",
        a_refused_envelope_leaves_the_connection_usable);
    ADD("the-reason-survives-a-dropped-connection",
        the_reason_survives_a_dropped_connection);
    ADD("the-next-server-is-tried", the_next_server_is_tried);
    ADD("a-server-that-closes-is-asked-again", a_server_that_closes_is_asked_again);
    ADD("a-lost-reply-to-the-dot-is-uncertain", a_lost_reply_to_the_dot_is_uncertain);
    ADD("a-connection-lost-before-the-dot-is-deferred",
        a_connection_lost_before_the_dot_is_deferred);
    ADD("a-message-called-off-gets-no-dot", a_message_called_off_gets_no_dot);
    ADD("a-disk-that-fails-ends-without-a-dot", a_disk_that_fails_ends_without_a_dot);
    ADD("a-closed-road-bounces-nothing", a_closed_road_bounces_nothing);
    ADD("what-is-no-mail-server-is-evidence", what_is_no_mail_server_is_evidence);
    ADD("nobody-there-is-the-destinations-fault-or-the-lines",
        nobody_there_is_the_destinations_fault_or_the_lines);
    ADD("no-server-at-all-settles-all", no_server_at_all_settles_all);
    ADD("uses-tls-where-it-is-offered", uses_tls_where_it_is_offered);
    ADD("never-weaker-than-before", never_weaker_than_before);
    ADD("plain-text-after-a-failed-handshake-only-when-it-may",
        plain_text_after_a_failed_handshake_only_when_it_may);
    ADD("injected-plain-text-ends-the-connection",
        injected_plain_text_ends_the_connection);
    ADD("what-the-server-lacks-is-refused-here", what_the_server_lacks_is_refused_here);
    ADD("smtputf8-and-8bitmime-are-said", smtputf8_and_8bitmime_are_said);
    ADD("silence-ends-at-the-deadline", silence_ends_at_the_deadline);
    ADD("a-flood-has-an-end", a_flood_has_an_end);
    ADD("an-abort-leaves-it-untried", an_abort_leaves_it_untried);
    ADD("a-refused-family-is-remembered", a_refused_family_is_remembered);
    return g_test_run();
}
