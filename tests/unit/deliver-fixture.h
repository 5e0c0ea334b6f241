/* deliver-fixture: messages for a transport, and what is heard of them, for tests.
 *
 * Threads: the test's.
 */
#pragma once

#include "fake-dns.h"
#include "fake-mx.h"
#include "hp-smtp-transport.h"

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
    HpCarryMessage *messages[12];
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

static inline HpCarryMessage *
on_next(HpCarry *carry)
{
    Fixture *f = (Fixture *)carry;

    return f->taken < f->n_messages ? f->messages[f->taken++] : NULL;
}

static inline gboolean
on_dot(HpCarry *carry)
{
    Fixture *f = (Fixture *)carry;

    f->dots++;
    return !f->call_off;
}

static inline void
on_tell(HpCarry *carry, const HpEvent *event)
{
    static const char *const kinds[] = { "looked up", "connected", "secured", "said",
                                         "failed" };
    Fixture *f = (Fixture *)carry;

    g_string_append_printf(f->story, "%s %s%s%s: %s\n", kinds[event->kind],
                           event->host != NULL ? event->host : "-",
                           event->recipient != NULL ? " about " : "",
                           event->recipient != NULL ? event->recipient : "", event->text);
}

static inline void
on_settle(HpCarry *carry, HpCarryMessage *message)
{
    Fixture *f = (Fixture *)carry;

    g_assert_true(f->messages[f->settled] == message);
    f->settled++;
}

static inline gssize
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

static inline void
on_note(HpLinkEvidence evidence, const char *destination, gpointer data)
{
    static const char *const names[] = { "greeting", "foreign", "fail",  "dns",
                                         "no-dns",   "lie",     "portal" };
    Fixture *f = data;

    g_string_append_printf(f->evidence, "%s %s;", names[evidence], destination);
}

static inline HpLinkState
on_line(gpointer data)
{
    return ((Fixture *)data)->line;
}

static inline void
free_recipient(gpointer item)
{
    HpCarryRecipient *recipient = item;

    hp_reply_clear(&recipient->reply);
    g_free(recipient->address);
    g_free(recipient->orcpt);
    g_free(recipient);
}

static inline HpCarryRecipient *
add_recipient(HpCarryMessage *message, const char *address)
{
    HpCarryRecipient *recipient = g_new0(HpCarryRecipient, 1);

    recipient->address = g_strdup(address);
    g_ptr_array_add(message->recipients, recipient);
    return recipient;
}

static inline HpCarryMessage *
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

static inline HpTlsIdentity *
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

static inline void
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

static inline void
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
    hp_tls_trust_unref(f->trust);
    hp_tls_identity_free(f->identity);
    g_string_free(f->content, TRUE);
    g_string_free(f->story, TRUE);
    g_string_free(f->evidence, TRUE);
}

static inline HpSmtpTransport *
make_transport(Fixture *f, guint16 port, HpSmtpTransportOptions *ret_options)
{
    static const HpSmtpTimeouts timeouts = { 2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC };

    *ret_options = (HpSmtpTransportOptions){ .resolver = f->resolver,
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
    return hp_smtp_transport_new(ret_options);
}

static inline void
carry_by(Fixture *f, HpSmtpTransport *transport, const char *destination)
{
    HpTransport table = hp_smtp_transport_table(transport);

    f->carry.destination = destination;
    table.carry(table.self, &f->carry);
}

static inline void
carry_to(Fixture *f, const char *destination, guint16 port)
{
    HpSmtpTransportOptions options;
    g_autoptr(HpSmtpTransport) transport = make_transport(f, port, &options);

    carry_by(f, transport, destination);
}

/* "outcome code enhanced" of one recipient. */
static inline void
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
