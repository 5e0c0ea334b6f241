#include "deliver-fixture.h"

#include <sys/eventfd.h>

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

/* The dot of the first message: the settings are read again meanwhile. */
typedef struct {
    HpSmtpTransport *transport;
    HpSmtpTransportOptions options;
} Reload;
static Reload reload_at_dot;

static gboolean
configure_at_dot(HpCarry *carry)
{
    hp_smtp_transport_configure(reload_at_dot.transport, &reload_at_dot.options);
    return on_dot(carry);
}

static void
other_options_are_for_the_next_carry(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 PIPELINING",
                                          GROUP("a@x.org"),
                                          "S: 250 ok",
                                          "S: 250 ok",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          "NEW",
                                          "S: 220 mx.example.org ESMTP",
                                          "C: EHLO kiste.example.net",
                                          "S: 250 mx.example.org",
                                          "C: MAIL FROM:<anna@example.net>",
                                          "S: 250 ok",
                                          "C: RCPT TO:<b@x.org>",
                                          "S: 250 ok",
                                          "C: DATA",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpSmtpTransport *transport = make_transport(f, mx->port, &reload_at_dot.options);

    (void)data;
    reload_at_dot.transport = transport;
    reload_at_dot.options.hostname = "kiste.example.net";
    f->carry.dot_begins = configure_at_dot;
    add_message(f, "a@x.org");
    carry_by(f, transport, "[127.0.0.1]");
    expect(f->messages[0], 0, "delivered 250 ");
    f->carry.dot_begins = on_dot;
    add_message(f, "b@x.org");
    carry_by(f, transport, "[127.0.0.1]");
    expect(f->messages[1], 0, "delivered 250 ");
    hp_smtp_transport_free(transport);
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
    expect(f->messages[0], 0, "network 451 4.5.0");
    g_assert_cmpstr(f->evidence->str, ==, "foreign 127.0.0.1 [127.0.0.1];");
    fake_mx_free(mx);
    /* A network that has names of its own invention elsewhere is not to blame. */
    mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    g_string_truncate(f->evidence, 0);
    g_atomic_int_set(&f->dns->liar, 1);
    add_message(f, "b@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    g_assert_cmpstr(f->evidence->str, ==, "foreign 127.0.0.1 [127.0.0.1];");
    fake_mx_free(mx);
    /* But one that sends everybody here is a portal. */
    mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    g_string_truncate(f->evidence, 0);
    g_atomic_int_set(&f->dns->liar, 2);
    add_message(f, "c@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[2], 0, "network 451 4.5.0");
    g_assert_cmpstr(f->evidence->str, ==, "portal 127.0.0.1 [127.0.0.1];");
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

/* A switched-off server behind a router that works, a family that this line does not
 * have, an answer that proves nothing: with no attempt counted such mail would wait for
 * ever. */
static void
no_way_on_a_good_line_is_an_attempt(Fixture *f, gconstpointer data)
{
    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[255.255.255.255]", 25);
    expect(f->messages[0], 0, "deferred 451 4.4.1");
    add_message(f, "a@nosoa.example.org");
    carry_to(f, "nosoa.example.org", 25);
    expect(f->messages[1], 0, "deferred 451 4.4.3");
    f->line = HP_LINK_NO_25;
    add_message(f, "b@x.org");
    carry_to(f, "[255.255.255.255]", 25);
    expect(f->messages[2], 0, "network 451 4.4.1");
    add_message(f, "b@nosoa.example.org");
    carry_to(f, "nosoa.example.org", 25);
    expect(f->messages[3], 0, "network 451 4.4.3");
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
a_flood_has_an_end(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_strnfill(3000, 'x');
    g_autofree char *step = g_strdup_printf("S: 220 %s", line);
    const char *script[] = { step, "EOF", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);

    (void)data;
    add_message(f, "a@x.org");
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(f->messages[0], 0, "network 451 4.5.0");
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

/* Words in an address or in the name of a host say nothing of ours. */
static void
a_quoted_address_is_no_reason(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *reply;
        gboolean about_us;
    } rows[] = {
        { "S: 550 5.1.1 <p.traylor-ptraylor@both.example.org>: User unknown", FALSE },
        { "S: 550 5.1.1 ptr@both.example.org: no such user", FALSE },
        { "S: 550 5.2.1 mailbox ptr is closed", FALSE },
        { "S: 550 <ptr@both.example.org> rejected", FALSE },
        { "S: 550 mx.ipv6.example.org does not like you, scripture", FALSE },
        { "S: 550 5.7.25 come back with a name", TRUE },
        { "S: 550 5.7.1 does not meet IPv6 sending guidelines regarding PTR records",
          TRUE },
        { "S: 550 cannot find your reverse hostname, [192.0.2.1]", TRUE },
        { "S: 550 5.7.1 bad reverse-DNS.", TRUE },
        { "S: 550 5.7.1 rDNS/PTR: missing", TRUE },
    };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const script[] = {
            HELLO,       "S: 250 PIPELINING", GROUP("a@both.example.org"),
            "S: 250 ok", rows[i].reply,       "S: 503 no",
            "C: RSET",   "S: 250 ok",         "C: QUIT",
            NULL
        };
        FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.2", 0);

        g_test_message("%s", rows[i].reply);
        memset(&f->carry.memory, 0, sizeof f->carry.memory);
        add_message(f, "a@both.example.org");
        carry_to(f, "both.example.org", mx->port);
        g_assert_cmpint(f->carry.memory.refused_ipv4, ==, rows[i].about_us);
        fake_mx_free(mx);
    }
}

#define ADD(path, test)                                                                  \
    g_test_add("/smtp-transport/" path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("carries-all-over-one-connection", carries_all_over_one_connection);
    ADD("other-options-are-for-the-next-carry", other_options_are_for_the_next_carry);
    ADD("the-next-server-is-tried", the_next_server_is_tried);
    ADD("a-server-that-closes-is-asked-again", a_server_that_closes_is_asked_again);
    ADD("a-closed-road-bounces-nothing", a_closed_road_bounces_nothing);
    ADD("no-way-on-a-good-line-is-an-attempt", no_way_on_a_good_line_is_an_attempt);
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
    ADD("a-flood-has-an-end", a_flood_has_an_end);
    ADD("an-abort-leaves-it-untried", an_abort_leaves_it_untried);
    ADD("a-refused-family-is-remembered", a_refused_family_is_remembered);
    ADD("a-quoted-address-is-no-reason", a_quoted_address_is_no_reason);
    return g_test_run();
}
