#include "deliver-fixture.h"
#include "hp-smtp-send.h"

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
    g_assert_nonnull(strstr(f->story->str, " about a@x.org: 550 5.1.1 no\n"));
    g_assert_nonnull(strstr(f->story->str, ": 250 ok\n"));
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

/* The client asked for SMTPUTF8, but nothing needs it: a domain goes in A-labels. */
static void
what_is_asked_for_in_vain_goes_without(Fixture *f, gconstpointer data)
{
    static const char *const script[] = {
        HELLO,
        "S: 250 DSN",
        "C: MAIL FROM:<anna@example.net> SIZE=30 BODY=8BITMIME",
        "S: 250 ok",
        "C: RCPT TO:<eva@xn--bcher-kva.org>",
        "S: 250 ok",
        "C: DATA",
        "S: 354 go",
        "DATA",
        "S: 250 ok",
        "C: QUIT",
        NULL
    };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "eva@b\303\274cher.org");

    (void)data;
    g_string_assign(f->content, "Subject: hello\r\n\r\nb\303\274cher\r\n");
    m->eight_bit = TRUE;
    m->smtputf8 = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "delivered 250 ");
    fake_mx_free(mx);
}

/* RFC 6531 §3.4: it SHOULD NOT be said then, to a server that has it either. */
static void
ascii_goes_without_smtputf8(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 SMTPUTF8",
                                          "C: MAIL FROM:<anna@example.net> SIZE=30",
                                          "S: 250 ok",
                                          "C: RCPT TO:<a@x.org>",
                                          "S: 250 ok",
                                          "C: DATA",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "a@x.org");

    (void)data;
    m->smtputf8 = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "delivered 250 ");
    fake_mx_free(mx);
}

/* Who has an ASCII address gets the mail, beside one who cannot. */
static void
one_foreign_address_spoils_no_other(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO,
                                          "S: 250 DSN",
                                          "C: MAIL FROM:<anna@example.net> SIZE=30",
                                          "S: 250 ok",
                                          "C: RCPT TO:<a@x.org>",
                                          "S: 250 ok",
                                          "C: DATA",
                                          "S: 354 go",
                                          "DATA",
                                          "S: 250 ok",
                                          "C: QUIT",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "j\303\266rg@x.org");

    (void)data;
    add_recipient(m, "a@x.org");
    m->smtputf8 = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "refused 554 5.6.7");
    expect(m, 1, "delivered 250 ");
    fake_mx_free(mx);
}

static void
a_wide_header_is_refused_where_smtputf8_lacks(Fixture *f, gconstpointer data)
{
    static const char *const script[] = { HELLO, "S: 250 DSN", "C: QUIT", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpCarryMessage *m = add_message(f, "a@x.org");

    (void)data;
    g_string_assign(f->content, "Subject: b\303\274cher\r\n\r\nhello\r\n");
    m->eight_bit = TRUE;
    m->smtputf8 = TRUE;
    carry_to(f, "[127.0.0.1]", mx->port);
    expect(m, 0, "refused 554 5.6.7");
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

#define ADD(path, test)                                                                  \
    g_test_add("/smtp-send/" path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* That the disk fails is logged as a warning, and is no fault of the test. */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    ADD("each-recipient-has-its-own-answer", each_recipient_has_its_own_answer);
    ADD("the-rest-goes-in-another-transaction", the_rest_goes_in_another_transaction);
    ADD("a-refused-envelope-leaves-the-connection-usable",
        a_refused_envelope_leaves_the_connection_usable);
    ADD("the-reason-survives-a-dropped-connection",
        the_reason_survives_a_dropped_connection);
    ADD("a-lost-reply-to-the-dot-is-uncertain", a_lost_reply_to_the_dot_is_uncertain);
    ADD("a-connection-lost-before-the-dot-is-deferred",
        a_connection_lost_before_the_dot_is_deferred);
    ADD("a-message-called-off-gets-no-dot", a_message_called_off_gets_no_dot);
    ADD("a-disk-that-fails-ends-without-a-dot", a_disk_that_fails_ends_without_a_dot);
    ADD("what-the-server-lacks-is-refused-here", what_the_server_lacks_is_refused_here);
    ADD("smtputf8-and-8bitmime-are-said", smtputf8_and_8bitmime_are_said);
    ADD("what-is-asked-for-in-vain-goes-without", what_is_asked_for_in_vain_goes_without);
    ADD("ascii-goes-without-smtputf8", ascii_goes_without_smtputf8);
    ADD("one-foreign-address-spoils-no-other", one_foreign_address_spoils_no_other);
    ADD("a-wide-header-is-refused-where-smtputf8-lacks",
        a_wide_header_is_refused_where_smtputf8_lacks);
    ADD("silence-ends-at-the-deadline", silence_ends_at_the_deadline);
    return g_test_run();
}
