#include "summary-fixture.h"

/* ---- envelope --------------------------------------------------------------------- */

static void
writes_the_envelope(void)
{
    /* RFC 3501 §7.4.2 and §8 */
    static const char message[] =
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        "From: Terry Gray <gray@cac.washington.edu>\r\n"
        "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
        "To: imap@cac.washington.edu\r\n"
        "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n";
    g_autofree char *got = envelope_of(message, FALSE);

    g_assert_cmpstr(got, ==,
                    "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
                    "\"IMAP4rev1 WG mtg summary and minutes\" "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((NIL NIL \"imap\" \"cac.washington.edu\")) "
                    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
                    "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
                    "\"<B27397-0100000@cac.washington.edu>\")");
}

static void
tells_absent_from_empty(void)
{
    g_autofree char *absent = envelope_of("X: y\r\n\r\n", FALSE);
    g_autofree char *empty =
        envelope_of("Date:\r\nSubject: \r\nFrom:\r\nTo: \r\nSender: \r\nReply-To:\r\n"
                    "In-Reply-To:\r\nMessage-ID: \r\n\r\n",
                    FALSE);

    g_assert_cmpstr(absent, ==, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    g_assert_cmpstr(empty, ==, "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")");
}

/* One To field and what becomes of it. */
static const struct {
    const char *name;
    const char *to;
    const char *want;
    const char *want_utf8; /* NULL: the same */
} to_rows[] = {
    { "bare", "joe@example.org", "(NIL NIL \"joe\" \"example.org\")", NULL },
    { "comment-as-name", "joe@example.org (Joe Q.)",
      "(\"Joe Q.\" NIL \"joe\" \"example.org\")", NULL },
    { "quoted-name", "\"Joe \\\"the\\\" Smith\" <joe@example.org>",
      "(\"Joe \\\"the\\\" Smith\" NIL \"joe\" \"example.org\")", NULL },
    { "quoted-local", "\"joe b\"@example.org, <\"a@b\"@c.example>",
      "(NIL NIL \"joe b\" \"example.org\")(NIL NIL \"a@b\" \"c.example\")", NULL },
    { "group", "A Group: Ed Jones <joe@where.test>, john@one.test;, x@y.test",
      "(NIL NIL \"A Group\" NIL)(\"Ed Jones\" NIL \"joe\" \"where.test\")"
      "(NIL NIL \"john\" \"one.test\")(NIL NIL NIL NIL)(NIL NIL \"x\" \"y.test\")",
      NULL },
    { "empty-group", "Undisclosed recipients:;",
      "(NIL NIL \"Undisclosed recipients\" NIL)(NIL NIL NIL NIL)", NULL },
    { "open-group", "A: b@c.test",
      "(NIL NIL \"A\" NIL)(NIL NIL \"b\" \"c.test\")(NIL NIL NIL NIL)", NULL },
    { "folded", "Joe\r\n Smith\r\n\t<joe@example.org>",
      "(\"Joe Smith\" NIL \"joe\" \"example.org\")", NULL },
    { "obsolete-spaces", "joe @ example.org, <mary . x @ example . net>",
      "(NIL NIL \"joe\" \"example.org\")(NIL NIL \"mary.x\" \"example.net\")", NULL },
    { "empty-members", ",, joe@example.org,,", "(NIL NIL \"joe\" \"example.org\")",
      NULL },
    { "literal-domain", "<joe@[192.0.2.1]>", "(NIL NIL \"joe\" \"[192.0.2.1]\")", NULL },
    { "encoded-word", "=?utf-8?q?J=C3=B6?= <j@example.org>",
      "(\"=?utf-8?q?J=C3=B6?=\" NIL \"j\" \"example.org\")", NULL },
    { "null-path", "Mailer <>", "(\"Mailer\" NIL \"\" \"\")", NULL },
    /* RFC 7103 */
    { "7103-7.1.1-route", "<@example.net:fran@example.com>",
      "(NIL \"@example.net\" \"fran\" \"example.com\")", NULL },
    { "7103-7.1.2-many-brackets", "<<<user2@example.org>>>",
      "(NIL NIL \"user2\" \"example.org\")", NULL },
    { "7103-7.1.3-no-close", "<another@example.net",
      "(NIL NIL \"another\" \"example.net\")", NULL },
    { "7103-7.1.3-no-open", "second@example.org>", "(NIL NIL \"second\" \"example.org\")",
      NULL },
    { "7103-7.1.4-open-comment", "(Testing <fran@example.com>",
      "(\"Testing\" NIL \"fran\" \"example.com\")", NULL },
    { "7103-7.1.4-stray-parenthesis", "Testing) <sam@example.com>",
      "(\"Testing)\" NIL \"sam\" \"example.com\")", NULL },
    { "7103-7.1.5-comma", "<third@example.net, fourth@example.net>",
      "(NIL NIL \"third\" \"example.net\")(NIL NIL \"fourth\" \"example.net\")", NULL },
    { "7103-7.1.6-open-quote", "\"Joe <joe@example.com>",
      "(\"Joe\" NIL \"joe\" \"example.com\")", NULL },
    { "7103-7.1.7-local-part", "Joe", "(NIL NIL \"Joe\" \"\")", NULL },
    { "7103-7.1.7-name", "Joe Smith", "(\"Joe Smith\" NIL \"\" \"\")", NULL },
    { "7103-7.1.7-name-and-address", "Joe Smith joe@example.org",
      "(\"Joe Smith\" NIL \"joe\" \"example.org\")", NULL },
    { "7103-7.7-raw-latin-1", "J\xF6 <j@example.org>",
      "(\"=?UTF-8?Q?J=C3=B6?=\" NIL \"j\" \"example.org\")",
      "(\"J\xC3\xB6\" NIL \"j\" \"example.org\")" },
    { "6532-name", "J\xC3\xB6 <j@example.org>",
      "(\"=?UTF-8?Q?J=C3=B6?=\" NIL \"j\" \"example.org\")",
      "(\"J\xC3\xB6\" NIL \"j\" \"example.org\")" },
    { "6532-domain",
      "j@b\xC3\xBC"
      "cher.example",
      "(NIL NIL \"j\" \"xn--bcher-kva.example\")",
      "(NIL NIL \"j\" \"b\xC3\xBC"
      "cher.example\")" },
    { "6857-local-part", "Jo <j\xC3\xB6@example.org>",
      "(NIL NIL \"Jo Internationalized Address =?UTF-8?Q?j=C3=B6=40example=2Eorg?= "
      "Removed\" NIL)(NIL NIL NIL NIL)",
      "(\"Jo\" NIL \"j\xC3\xB6\" \"example.org\")" },
};

static void
reads_addresses(gconstpointer data)
{
    guint row = GPOINTER_TO_UINT(data);

    for (guint utf8 = 0; utf8 < 2; utf8++) {
        g_autofree char *message = g_strconcat("To: ", to_rows[row].to, "\r\n\r\n", NULL);
        g_autofree char *got = envelope_of(message, utf8 == 1);
        const char *inside = utf8 == 1 && to_rows[row].want_utf8 != NULL
                                 ? to_rows[row].want_utf8
                                 : to_rows[row].want;
        g_autofree char *want =
            g_strconcat("(NIL NIL NIL NIL NIL (", inside, ") NIL NIL NIL NIL)", NULL);

        g_assert_cmpstr(got, ==, want);
    }
}

static void
writes_text_that_is_not_ascii(void)
{
    g_autofree char *ascii = envelope_of("Subject: Gr\xC3\xBC\xC3\x9F"
                                         "e\r\n\r\n",
                                         FALSE);
    g_autofree char *utf8 = envelope_of("Subject: Gr\xC3\xBC\xC3\x9F"
                                        "e\r\n\r\n",
                                        TRUE);
    g_autofree char *odd = envelope_of(
        "Subject: a\"b\\c\td\x01\x7F\r e\r\nMessage-ID: <\xFF@x>\r\n\r\n", FALSE);

    g_assert_nonnull(strstr(ascii, "\"=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\""));
    g_assert_nonnull(strstr(utf8, "\"Gr\xC3\xBC\xC3\x9F"
                                  "e\""));
    g_assert_nonnull(strstr(odd, "\"a\\\"b\\\\c\td    e\""));
    g_assert_nonnull(strstr(odd, "\"<???@x>\""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/summary/writes-the-envelope", writes_the_envelope);
    g_test_add_func("/summary/tells-absent-from-empty", tells_absent_from_empty);
    for (guint i = 0; i < G_N_ELEMENTS(to_rows); i++) {
        g_autofree char *path = g_strconcat("/summary/address/", to_rows[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), reads_addresses);
    }
    g_test_add_func("/summary/writes-text-that-is-not-ascii",
                    writes_text_that_is_not_ascii);
    return g_test_run();
}
