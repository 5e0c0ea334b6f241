#include "../imap-grammar.h"
#include "hp-summary.h"

#include <string.h>

static HpSummary *
summarize(const char *message)
{
    g_autofree char *exact = g_memdup2(message, strlen(message));

    return hp_summary_new((HpSlice){ exact, strlen(message) });
}

static char *
envelope_of(const char *message, gboolean utf8)
{
    g_autoptr(HpSummary) summary = summarize(message);
    g_autoptr(GString) out = g_string_new(NULL);

    hp_summary_append_envelope(summary, utf8, out);
    g_assert_true(imap_is_envelope(hp_slice_of_string(out), utf8));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static char *
structure_of(const char *message, gboolean extended, gboolean utf8)
{
    g_autoptr(HpSummary) summary = summarize(message);
    g_autoptr(GString) out = g_string_new(NULL);

    hp_summary_append_structure(summary, extended, utf8, out);
    g_test_message("%s", out->str);
    g_assert_true(imap_is_structure(hp_slice_of_string(out), extended, utf8));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

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

/* ---- structure -------------------------------------------------------------------- */

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"

static void
writes_the_structure(void)
{
    static const struct {
        const char *message;
        const char *body;
        const char *extended;
    } rows[] = {
        { "Subject: x\r\n\r\none\r\ntwo\r\n",
          "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 10 2)",
          "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 10 2 NIL NIL "
          "NIL "
          "NIL)" },
        { "Content-Type: TEXT/Html; charset=\"UTF-8\"; x=y\r\n"
          "Content-ID: <a@b>\r\nContent-Description: A\r\n text\r\n"
          "Content-Transfer-Encoding: Quoted-Printable\r\nContent-MD5: Q2hlY2s=\r\n"
          "Content-Disposition: inline; filename=\"a b.html\"\r\n"
          "Content-Language: de, en-GB\r\nContent-Location: http://x.test/\r\n\r\n<p>",
          "(\"TEXT\" \"Html\" (\"charset\" \"UTF-8\" \"x\" \"y\") \"<a@b>\" \"A text\" "
          "\"QUOTED-PRINTABLE\" 3 0)",
          "(\"TEXT\" \"Html\" (\"charset\" \"UTF-8\" \"x\" \"y\") \"<a@b>\" \"A text\" "
          "\"QUOTED-PRINTABLE\" 3 0 \"Q2hlY2s=\" (\"inline\" (\"filename\" \"a "
          "b.html\")) "
          "(\"de\" \"en-GB\") \"http://x.test/\")" },
        { MIXED
          "--b\r\n\r\nhi\r\n--b\r\nContent-Type: image/png\r\n"
          "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n"
          "QQ==\r\n--b--\r\n",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 2 0)"
          "(\"image\" \"png\" NIL NIL NIL \"BASE64\" 4) \"mixed\")",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 2 0 NIL NIL "
          "NIL "
          "NIL)(\"image\" \"png\" NIL NIL NIL \"BASE64\" 4 NIL (\"attachment\" NIL) NIL "
          "NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)" },
        { MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n"
                "x\r\n--b--\r\n",
          "((\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 16 (NIL \"in\" NIL NIL NIL NIL "
          "NIL "
          "NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" "
          "1 0) "
          "2) \"mixed\")",
          NULL },
        { MIXED "no parts\r\n",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 0 0) "
          "\"mixed\")",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 0 0 NIL NIL "
          "NIL "
          "NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)" },
        { "Content-Type: multipart/mixed\r\n\r\nhi\r\n",
          "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 4 1)", NULL },
        { "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
          "(\"application\" \"octet-stream\" NIL NIL NIL \"BASE64\" 4)", NULL },
        { "Content-Type: a/b\r\nContent-Transfer-Encoding: x-uuencode (c)\r\n\r\n",
          "(\"a\" \"b\" NIL NIL NIL \"x-uuencode\" 0)", NULL },
        /* A multipart that says it were encoded, and one that is. */
        { "Content-Type: multipart/x; boundary=b\r\nContent-Transfer-Encoding: "
          "quoted-printable\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\nhi\r\n--b--",
          "((\"a\" \"b\" NIL NIL NIL \"7BIT\" 2) \"x\")", NULL },
        { "Content-Type: multipart/x; boundary=b\r\nContent-Transfer-Encoding: "
          "base64\r\n\r\nQQ==",
          "(\"application\" \"octet-stream\" NIL NIL NIL \"BASE64\" 4)", NULL },
        { "Content-Type: a/b\r\nContent-Transfer-Encoding: 8-bit\r\n\r\n",
          "(\"a\" \"b\" NIL NIL NIL \"8BIT\" 0)", NULL },
        { "Content-Type: message/global\r\n\r\nSubject: in\r\n\r\nx",
          "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 16 (NIL \"in\" NIL NIL NIL NIL "
          "NIL "
          "NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" "
          "1 0) "
          "2)",
          NULL },
        { "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in\r\n"
          "\r\nx\r\n--b--",
          "((\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 16 (NIL \"in\" NIL NIL NIL NIL "
          "NIL "
          "NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" "
          "1 0) "
          "2) \"digest\")",
          NULL },
        { "", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 0 0)",
          NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *body = structure_of(rows[i].message, FALSE, FALSE);
        g_autofree char *extended = structure_of(rows[i].message, TRUE, FALSE);

        g_assert_cmpstr(body, ==, rows[i].body);
        if (rows[i].extended != NULL)
            g_assert_cmpstr(extended, ==, rows[i].extended);
    }
}

static void
reads_parameters(void)
{
    static const struct {
        const char *params;
        const char *ascii;
        const char *utf8;
    } rows[] = {
        { "", "NIL", "NIL" },
        { "; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
          "(\"title*\" \"utf-8''This%20is%20%2A%2A%2Afun%2A%2A%2A\")",
          "(\"title*\" \"This is ***fun***\")" },
        { "; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub\"",
          "(\"URL\" \"ftp://cs.utk.edu/pub\")", "(\"URL\" \"ftp://cs.utk.edu/pub\")" },
        { "; title*1*=%2A%2A%2Afun%2A%2A%2A%20; "
          "title*0*=us-ascii'en'This%20is%20even%20more%20"
          "; title*2=\"isn't it!\"; x=y",
          "(\"title*\" "
          "\"utf-8''This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20"
          "it%21\" \"x\" \"y\")",
          "(\"title*\" \"This is even more ***fun*** isn't it!\" \"x\" \"y\")" },
        { "; filename*=iso-8859-1''%E4.txt", "(\"filename*\" \"utf-8''%C3%A4.txt\")",
          "(\"filename*\" \"\xC3\xA4.txt\")" },
        { "; name=\"\xE4.txt\"", "(\"name*\" \"utf-8''%C3%A4.txt\")",
          "(\"name*\" \"\xC3\xA4.txt\")" },
        { "; name=\"=?utf-8?q?=C3=A4?=\"", "(\"name\" \"=?utf-8?q?=C3=A4?=\")",
          "(\"name\" \"=?utf-8?q?=C3=A4?=\")" },
        { "; a*0=x; a*2=z; b=c", "(\"a\" \"x\" \"b\" \"c\")",
          "(\"a\" \"x\" \"b\" \"c\")" },
        { "; junk; a=b; =c; d (x) = (y) e", "(\"a\" \"b\" \"d\" \"e\")",
          "(\"a\" \"b\" \"d\" \"e\")" },
        { "; name=Rechnung M\xE4rz 2026.pdf; x=y z",
          "(\"name*\" \"utf-8''Rechnung%20M%C3%A4rz%202026.pdf\" \"x\" \"y\")",
          "(\"name*\" \"Rechnung M\xC3\xA4rz 2026.pdf\" \"x\" \"y\")" },
        { "; a**=b; c*x=d; e*1=f", "(\"a**\" \"b\" \"c*x\" \"d\" \"e\" \"\")",
          "(\"a**\" \"b\" \"c*x\" \"d\" \"e\" \"\")" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message =
            g_strconcat("Content-Type: a/b", rows[i].params, "\r\n\r\n", NULL);
        g_autofree char *ascii = structure_of(message, FALSE, FALSE);
        g_autofree char *utf8 = structure_of(message, FALSE, TRUE);
        g_autofree char *want =
            g_strconcat("(\"a\" \"b\" ", rows[i].ascii, " NIL NIL \"7BIT\" 0)", NULL);
        g_autofree char *want_utf8 =
            g_strconcat("(\"a\" \"b\" ", rows[i].utf8, " NIL NIL \"7BIT\" 0)", NULL);

        g_assert_cmpstr(ascii, ==, want);
        g_assert_cmpstr(utf8, ==, want_utf8);
    }
}

/* ---- parts ------------------------------------------------------------------------ */

/* The tree of RFC 3501 §6.4.5. */
static const char tree[] =
    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    "--a\r\nContent-Type: text/plain\r\n\r\n[1]\r\n"
    "--a\r\nContent-Type: application/octet-stream\r\n\r\n[2]\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\n[3.1]\r\n--b\r\nContent-Type: a/b\r\n\r\n[3.2]\r\n--b--\r\n"
    "--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: image/gif\r\n\r\n[4.1]\r\n"
    "--c\r\nContent-Type: message/rfc822\r\n\r\n"
    "Content-Type: multipart/mixed; boundary=d\r\n\r\n"
    "--d\r\n\r\n[4.2.1]\r\n"
    "--d\r\nContent-Type: multipart/alternative; boundary=e\r\n\r\n"
    "--e\r\n\r\n[4.2.2.1]\r\n--e\r\nContent-Type: text/richtext\r\n\r\n[4.2.2.2]\r\n"
    "--e--\r\n--d--\r\n--c--\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: five\r\n\r\n[5.1]\r\n--a--\r\n";

static void
finds_the_parts(void)
{
    static const struct {
        guint path[5];
        guint depth;
        const char *want; /* NULL: there is none */
    } rows[] = {
        { { 1 }, 1, "[1]" },
        { { 2 }, 1, "[2]" },
        { { 3, 1 }, 2, "[3.1]" },
        { { 3, 2 }, 2, "[3.2]" },
        { { 4, 1 }, 2, "[4.1]" },
        { { 4, 2, 1 }, 3, "[4.2.1]" },
        { { 4, 2, 2, 1 }, 4, "[4.2.2.1]" },
        { { 4, 2, 2, 2 }, 4, "[4.2.2.2]" },
        { { 5, 1 }, 2, "[5.1]" },
        { { 6 }, 1, NULL },
        { { 0 }, 1, NULL },
        { { 1, 1 }, 2, NULL },
        { { 5, 2 }, 2, NULL },
        { { 5, 1, 1 }, 3, NULL },
        { { 3, 3 }, 2, NULL },
        { { G_MAXUINT }, 1, NULL },
        { { 1 }, 0, NULL },
    };
    g_autoptr(HpSummary) summary = summarize(tree);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpSummaryPart part;
        gboolean found =
            hp_summary_find_part(summary, rows[i].path, rows[i].depth, &part);

        g_test_message("row %zu", i);
        g_assert_cmpint(found, ==, rows[i].want != NULL);
        if (!found)
            continue;
        g_assert_cmpmem(tree + part.body_start, (int)(part.body_end - part.body_start),
                        rows[i].want, (int)strlen(rows[i].want));
        g_assert_false(part.is_message);
    }
}

static void
tells_of_messages_in_messages(void)
{
    g_autoptr(HpSummary) summary = summarize(tree);
    HpSummaryPart part;
    const guint path[] = { 3 };

    g_assert_true(hp_summary_find_part(summary, path, 1, &part));
    g_assert_true(part.is_message);
    g_assert_cmpuint(part.inner_start, ==, part.body_start);
    g_assert_true(g_str_has_prefix(tree + part.mime_start, "Content-Type: message"));
    g_assert_true(g_str_has_prefix(tree + part.inner_start, "Subject: three"));
    g_assert_true(g_str_has_prefix(tree + part.inner_text_start, "--b"));
}

static void
finds_the_text_of_a_plain_message(void)
{
    static const char message[] = "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\n";
    g_autoptr(HpSummary) summary = summarize(message);
    HpSummaryPart part;
    const guint path[] = { 1, 1 };

    g_assert_cmpuint(hp_summary_header_len(summary), ==, strlen(message) - 6);
    g_assert_true(hp_summary_find_part(summary, path, 1, &part));
    g_assert_cmpuint(part.mime_start, ==, 0);
    g_assert_cmpuint(part.body_start, ==, strlen(message) - 6);
    g_assert_cmpuint(part.body_end, ==, strlen(message));
    g_assert_cmpuint(part.encoding, ==, 4 /* HP_MIME_BASE64 */);
    g_assert_false(hp_summary_find_part(summary, path, 2, &part));
}

/* A message that is one as a whole. */
static void
enters_a_message_at_the_root(void)
{
    static const char message[] =
        "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody";
    g_autoptr(HpSummary) summary = summarize(message);
    HpSummaryPart part;
    const guint path[] = { 1, 1, 1 };

    g_assert_true(hp_summary_find_part(summary, path, 1, &part));
    g_assert_true(part.is_message);
    g_assert_cmpuint(part.inner_start, ==, 32);
    g_assert_true(hp_summary_find_part(summary, path, 2, &part));
    g_assert_false(part.is_message);
    g_assert_cmpuint(part.mime_start, ==, 32);
    g_assert_cmpmem(message + part.body_start, 4, "body", 4);
    g_assert_false(hp_summary_find_part(summary, path, 3, &part));
}

/* The structure shows one, so there is one. */
static void
finds_an_empty_part_in_an_empty_multipart(void)
{
    g_autoptr(HpSummary) summary = summarize(MIXED "no parts");
    HpSummaryPart part;
    const guint path[] = { 1, 1 };

    g_assert_true(hp_summary_find_part(summary, path, 1, &part));
    g_assert_cmpuint(part.body_end, ==, part.mime_start);
    g_assert_false(hp_summary_find_part(summary, path, 2, &part));
    g_assert_false(hp_summary_find_part(summary, &(guint){ 2 }, 1, &part));
}

static void
lists_all_parts(void)
{
    static const char message[] = MIXED
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\none\r\n"
        "--b\r\nContent-Type: image/png\r\n\r\nno\r\n"
        "--b\r\nContent-Type: text/html; charset=\"iso-8859-1\"\r\n\r\ntwo\r\n--b--\r\n";
    g_autoptr(HpSummary) summary = summarize(message);
    HpSummaryPart part;
    const char *charset;

    g_assert_true(hp_summary_nth_part(summary, 0, &part, &charset));
    g_assert_null(charset);
    g_assert_cmpuint(part.mime_start, ==, 0);
    g_assert_true(hp_summary_nth_part(summary, 1, &part, &charset));
    g_assert_cmpstr(charset, ==, "utf-8");
    g_assert_cmpmem(message + part.body_start, 3, "one", 3);
    g_assert_true(hp_summary_nth_part(summary, 2, &part, &charset));
    g_assert_null(charset);
    g_assert_true(hp_summary_nth_part(summary, 3, &part, &charset));
    g_assert_cmpstr(charset, ==, "iso-8859-1");
    g_assert_cmpmem(message + part.body_start, 3, "two", 3);
    g_assert_false(hp_summary_nth_part(summary, 4, &part, &charset));
}

/* ---- sort keys -------------------------------------------------------------------- */

static void
finds_the_base_subject(void)
{
    static const struct {
        const char *subject;
        const char *want;
        gboolean reply;
    } rows[] = {
        { "Hello", "Hello", FALSE },
        { "", "", FALSE },
        { "   a \t  b  ", "a b", FALSE },
        { "a\r\n b\r\n\tc", "a b c", FALSE },
        /* (2) subj-trailer */
        { "Hello (fwd)", "Hello", TRUE },
        { "Hello (FWD) (fwd)  ", "Hello", TRUE },
        { "(fwd)", "", TRUE },
        { "Hello(fwd)", "Hello", TRUE },
        { "Hello (fwd) x", "Hello (fwd) x", FALSE },
        /* (3) subj-leader */
        { "Re: Hello", "Hello", TRUE },
        { "RE: Re : fw: FWD: Hello", "Hello", TRUE },
        { "Re[2]: Hello", "Hello", TRUE },
        { "Re [2] : Hello", "Hello", TRUE },
        { "Re: [2]: Hello", ": Hello", TRUE },
        { "[list] Re: Hello", "Hello", TRUE },
        { "[list] [x] Re: [y] Fwd: Hello", "Hello", TRUE },
        { "Ref: Hello", "Ref: Hello", FALSE },
        { "Re Hello", "Re Hello", FALSE },
        { "Fwdx: Hello", "Fwdx: Hello", FALSE },
        { "AW: Hello", "AW: Hello", FALSE }, /* RFC 5256 §7 */
        { "Re:", "", TRUE },
        /* (4) subj-blob */
        { "[list] Hello", "Hello", FALSE },
        { "[a][b] [c] Hello", "Hello", FALSE },
        { "[list]", "[list]", FALSE },
        { "[a] [b]", "[b]", FALSE },
        { "Re: [list]", "[list]", TRUE },
        { "[a[b]] Hello", "[a[b]] Hello", FALSE },
        { "[open Hello", "[open Hello", FALSE },
        { "Hello [x]", "Hello [x]", FALSE },
        /* (6) subj-fwd */
        { "[Fwd: Hello]", "Hello", TRUE },
        { "[fwd: Re: [list] Hello (fwd)]", "Hello", TRUE },
        { "[Fwd: [Fwd: Hello]]", "Hello", TRUE },
        { "Re: [Fwd: Re: Hello]", "Hello", TRUE },
        { "[Fwd: Hello", "[Fwd: Hello", FALSE },
        { "[Fwd: ]", "", TRUE },
        /* (1) encoded words */
        { "=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=",
          "Gr\xC3\xBC\xC3\x9F"
          "e",
          TRUE },
        { "Re: =?iso-8859-1?q?=E4?= =?iso-8859-1?q?=F6?=", "\xC3\xA4\xC3\xB6", TRUE },
        { "Re: \xE4", "\xC3\xA4", TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message =
            g_strconcat("Subject: ", rows[i].subject, "\r\n\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("%s", rows[i].subject);
        g_assert_cmpstr(hp_summary_base_subject(summary), ==, rows[i].want);
        g_assert_cmpint(hp_summary_is_reply(summary), ==, rows[i].reply);
    }
}

static void
finds_addresses_to_sort_by(void)
{
    static const struct {
        const char *from;
        const char *mailbox;
        const char *display;
    } rows[] = {
        { "Anna <a@x.test>, Bob <b@x.test>", "a", "Anna" },
        { "a@x.test", "a", "a@x.test" },
        { "\"\" <a@x.test>", "a", "a@x.test" },
        { "=?utf-8?q?=C3=84nne?= <a@x.test>", "a", "\xC3\x84nne" },
        { "=?utf-8?q?"
          "?= <a@x.test>",
          "a", "a@x.test" },
        { "Team: b@x.test;", "Team", "Team" },
        { "Joe", "Joe", "Joe" },
        { "", "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat("From: ", rows[i].from,
                                               "\r\nTo: to@x.test\r\n"
                                               "Cc: C <cc@x.test>\r\n\r\n",
                                               NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("%s", rows[i].from);
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_FROM), ==,
                        rows[i].mailbox);
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_FROM), ==,
                        rows[i].display);
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_TO), ==, "to");
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_TO), ==, "to@x.test");
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_CC), ==, "cc");
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_CC), ==, "C");
    }
}

static void
finds_the_sent_date(void)
{
    static const struct {
        const char *date;
        gint64 sec;
        gint64 day;
    } rows[] = {
        { "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
        { "Thu, 1 Jan 1970 00:30:00 +0100", -1800, 0 },
        { "Wed, 31 Dec 1969 23:30:00 -0100", 1800, -1 },
        { "Wed, 31 Dec 1969 00:00:00 +0000", -86400, -1 },
        { "24 Nov 2026 23:59 EST", 1795582740, 20781 },
    };
    g_autoptr(HpSummary) none = summarize("Date: yesterday\r\n\r\n");
    gint64 sec, day;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat("Date: ", rows[i].date, "\r\n\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_assert_true(hp_summary_sent(summary, &sec, &day));
        g_assert_cmpint(sec, ==, rows[i].sec);
        g_assert_cmpint(day, ==, rows[i].day);
    }
    g_assert_false(hp_summary_sent(none, &sec, &day));
}

static void
finds_references(void)
{
    static const struct {
        const char *fields;
        const char *id;
        const char *references;
    } rows[] = {
        { "", "", "" },
        { "Message-ID: <a@b>\r\n", "a@b", "" },
        { "Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\r\n",
          "01KF8JCEOCBS0045PS@xxx.yyy.com", "" },
        { "Message-ID: a@b\r\n", "", "" },
        { "Message-ID: <>\r\n", "", "" },
        { "Message-ID: junk <x> <a@b>\r\n", "a@b", "" },
        { "References: <a@b> <c@d>\r\n\t<e@f>\r\nIn-Reply-To: <g@h>\r\n", "",
          "a@b\nc@d\ne@f" },
        { "References: <a@b><c@d>, junk\r\n", "", "a@b\nc@d" },
        { "In-Reply-To: Your message of today <g@h> <i@j>\r\n", "", "g@h" },
        { "References: none\r\nIn-Reply-To: <g@h>\r\n", "", "g@h" },
        { "References: <a@\r\n b>\r\n", "", "a@b" },
        { "References: <a@b\r\n", "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat(rows[i].fields, "\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("row %zu", i);
        g_assert_cmpstr(hp_summary_message_id(summary), ==, rows[i].id);
        g_assert_cmpstr(hp_summary_references(summary), ==, rows[i].references);
    }
}

static void
keeps_the_first_and_the_last_references(void)
{
    g_autoptr(GString) message = g_string_new("References:");
    g_autoptr(HpSummary) summary = NULL;
    g_auto(GStrv) ids = NULL;

    for (guint i = 0; i < 500; i++)
        g_string_append_printf(message, " <%u@x>", i);
    g_string_append(message, "\r\n\r\n");
    summary = summarize(message->str);
    ids = g_strsplit(hp_summary_references(summary), "\n", -1);
    g_assert_cmpuint(g_strv_length(ids), ==, 100);
    g_assert_cmpstr(ids[0], ==, "0@x");
    g_assert_cmpstr(ids[1], ==, "401@x");
    g_assert_cmpstr(ids[99], ==, "499@x");
}

/* ---- preview ---------------------------------------------------------------------- */

#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"
#define TEXT "Content-Type: text/plain; charset="

static const struct {
    const char *name;
    const char *message;
    const char *want;
} preview_rows[] = {
    { "plain", "\r\nHello\r\n\r\n  world \t!\r\n", "Hello world !" },
    { "empty", "\r\n", "" },
    { "html",
      HTML "<html><head><title>no</title><style>p { x: y }</style></head><body>"
           "<!-- no --><p>One<b>T</b>wo</p><br>three &amp; f&uuml;r &#8364;&#x41; "
           "&bogus; a<b 1 < 2</body>",
      "OneTwo three & f\xC3\xBCr \xE2\x82\xAC"
      "A &bogus; a" },
    { "html-attributes",
      HTML "<p title=\"a > b\" x='>'>Text<script>if (a < b) {}</script>!", "Text !" },
    { "html-invisible",
      HTML "<div>Sale&zwnj;&nbsp;&zwnj;&nbsp;\xE2\x80\x8B\xCD\x8F now</div>",
      "Sale now" },
    { "html-unclosed", HTML "<p>a</p><style>no", "a" },
    { "quotation-and-signature",
      "\r\nI agree.\r\n\r\nOn Monday Anna wrote:\r\n> Shall we?\r\n-- \r\nBob\r\n",
      "I agree." },
    { "only-quotation", "\r\n> Shall we?\r\n", "> Shall we?" },
    { "alternative",
      "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n"
      "--b\r\n" HTML "<p>rich</p>\r\n--b--",
      "rich" },
    { "attachment-is-no-text",
      MIXED "--b\r\nContent-Disposition: attachment; filename=a.txt\r\n"
            "\r\nno\r\n--b\r\n\r\nyes\r\n--b--",
      "yes" },
    { "image", "Content-Type: image/png\r\n\r\nabc", "" },
    { "encrypted", "\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n", "" },
    { "base64", TEXT "utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==",
      "Gr\xC3\xBC\xC3\x9F"
      "e" },
    { "quoted-printable",
      TEXT
      "iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=\r\n=DFe",
      "Gr\xC3\xBC\xC3\x9F"
      "e" },
    /* Character sets; RFC 7103 §7.6 where they are missing or wrong. */
    { "koi8-r", TEXT "koi8-r\r\n\r\n\xF0\xD2\xC9\xD7\xC5\xD4",
      "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82" },
    { "windows-1251", TEXT "windows-1251\r\n\r\n\xCF\xF0\xE8\xE2\xE5\xF2",
      "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82" },
    { "iso-8859-15", TEXT "iso-8859-15\r\n\r\n\xA4 5", "\xE2\x82\xAC 5" },
    { "latin-1-that-is-windows", TEXT "iso-8859-1\r\n\r\n\x93hi\x94",
      "\xE2\x80\x9Chi\xE2\x80\x9D" },
    { "iso-8859-2", TEXT "iso-8859-2\r\n\r\nZa\xBF\xF3\xB3\xE6",
      "Za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87" },
    { "iso-2022-jp", TEXT "iso-2022-jp\r\n\r\n\033$B$3$s\033(B",
      "\xE3\x81\x93\xE3\x82\x93" },
    { "shift-jis", TEXT "shift_jis\r\n\r\n\x82\xB1\x82\xF1", "\xE3\x81\x93\xE3\x82\x93" },
    { "euc-jp", TEXT "euc-jp\r\n\r\n\xA4\xB3\xA4\xF3", "\xE3\x81\x93\xE3\x82\x93" },
    { "gb2312", TEXT "gb2312\r\n\r\n\xC4\xE3\xBA\xC3", "\xE4\xBD\xA0\xE5\xA5\xBD" },
    { "gbk-called-gb2312", TEXT "gb2312\r\n\r\n\xE9\x46", "\xE9\x95\x95" },
    { "big5", TEXT "big5\r\n\r\n\xA7\x41\xA6\x6E", "\xE4\xBD\xA0\xE5\xA5\xBD" },
    { "euc-kr", TEXT "euc-kr\r\n\r\n\xC7\xD1", "\xED\x95\x9C" },
    { "utf-16",
      TEXT "utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\naABpAA==", "hi" },
    { "utf-7", TEXT "utf-7\r\n\r\n+AOQ-", "\xC3\xA4" },
    { "iso-8859-8-i", TEXT "iso-8859-8\r\n\r\n\xF9", "\xD7\xA9" },
    { "7103-7.6-us-ascii-that-is-utf-8", TEXT "us-ascii\r\n\r\n\xC3\xA4", "\xC3\xA4" },
    { "7103-7.6-no-charset-utf-8", "\r\n\xC3\xA4", "\xC3\xA4" },
    { "7103-7.6-no-charset-latin-1", "\r\n\xE4", "\xC3\xA4" },
    { "7103-7.6-utf-8-that-is-latin-1", TEXT "utf-8\r\n\r\n\xE4", "\xC3\xA4" },
    { "7103-7.6-unknown-charset", TEXT "x-unknown\r\n\r\n\xC3\xA4", "\xC3\xA4" },
    { "7103-7.6-nonsense-charset", TEXT "\"../..//IGNORE\"\r\n\r\n\xE4", "\xC3\xA4" },
    { "7103-8.2-base64-with-junk",
      TEXT "utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3L*D\r\nvM-Of\r\nZQ==\r\n",
      "Gr\xC3\xBC\xC3\x9F"
      "e" },
};

static void
previews(gconstpointer data)
{
    guint row = GPOINTER_TO_UINT(data);
    g_autoptr(HpSummary) summary = summarize(preview_rows[row].message);

    g_assert_cmpstr(hp_summary_preview(summary), ==, preview_rows[row].want);
}

static void
previews_nul_as_nothing(void)
{
    static const char message[] = "\r\na\0b\0\0\r\n";
    g_autoptr(HpSummary) summary =
        hp_summary_new((HpSlice){ message, sizeof message - 1 });

    g_assert_cmpstr(hp_summary_preview(summary), ==, "ab");
}

static void
cuts_the_preview(void)
{
    g_autoptr(GString) message = g_string_new(TEXT "utf-8\r\n\r\n");
    g_autoptr(HpSummary) summary = NULL;

    for (guint i = 0; i < 100000; i++)
        g_string_append(message, "\xC3\xA4");
    summary = summarize(message->str);
    g_assert_cmpint(g_utf8_strlen(hp_summary_preview(summary), -1), ==,
                    HP_SUMMARY_MAX_PREVIEW);
}

/* ---- what real mail does wrong ---------------------------------------------------- */

static void
reads_repeated_address_fields_as_one(void)
{
    /* RFC 7103 §7.5.1 */
    g_autofree char *got = envelope_of("From: a@x.test\r\nFrom: b@x.test\r\n"
                                       "Subject: 1\r\nSubject: 2\r\n\r\n",
                                       FALSE);

    g_assert_cmpstr(
        got, ==,
        "(NIL \"1\" ((NIL NIL \"a\" \"x.test\")(NIL NIL \"b\" \"x.test\")) "
        "((NIL NIL \"a\" \"x.test\")(NIL NIL \"b\" \"x.test\")) "
        "((NIL NIL \"a\" \"x.test\")(NIL NIL \"b\" \"x.test\")) NIL NIL NIL NIL "
        "NIL)");
}

static void
reads_a_header_with_other_lines_in_it(void)
{
    /* RFC 7103 §7.2 (a line that is no field), §7.3 (a line of white space), §7.4 (white
     * space before the colon); mbox's "From " line; LF alone. */
    static const char *const messages[] = {
        "junk line\r\nSubject: a b\r\n\r\nx",
        "Subject: a\r\n \r\n b\r\n\r\nx",
        "Subject : a b\r\n\r\nx",
        "From joe Mon Jan\r\nSubject: a b\r\n\r\nx",
        "Subject: a b\n\nx",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autofree char *got = envelope_of(messages[i], FALSE);
        g_autoptr(HpSummary) summary = summarize(messages[i]);

        g_test_message("row %zu", i);
        g_assert_true(g_str_has_prefix(got, "(NIL \"a"));
        g_assert_nonnull(strstr(got, "b\" NIL"));
        g_assert_cmpuint(hp_summary_header_len(summary), ==, strlen(messages[i]) - 1);
    }
}

static void
reads_mime_without_its_version(void)
{
    /* RFC 7103 §8.1 */
    g_autofree char *got = structure_of(
        "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n", FALSE,
        FALSE);

    g_assert_cmpstr(got, ==, "(\"image\" \"png\" NIL NIL NIL \"BASE64\" 0)");
}

static void
reads_raw_iso_2022_jp(void)
{
    /* RFC 7103 §7.6: escapes tell the character set. */
    g_autofree char *utf8 = envelope_of("Subject: \033$B$3$s\033(B\r\n\r\n", TRUE);
    g_autofree char *ascii = envelope_of("Subject: \033$B$3$s\033(B\r\n\r\n", FALSE);

    g_assert_nonnull(strstr(utf8, "\"\xE3\x81\x93\xE3\x82\x93\""));
    g_assert_nonnull(strstr(ascii, "\"=?UTF-8?Q?=E3=81=93=E3=82=93?=\""));
}

/* ---- what hostile mail does ------------------------------------------------------- */

/* All that is said of @message can be read, and is not endless. */
static void
check_hostile(const GString *message)
{
    g_autoptr(HpSummary) summary = hp_summary_new(hp_slice_of_string(message));
    g_autoptr(GBytes) packed = hp_summary_pack(summary);

    for (guint utf8 = 0; utf8 < 2; utf8++) {
        g_autoptr(GString) out = g_string_new(NULL);

        hp_summary_append_envelope(summary, utf8 == 1, out);
        g_assert_true(imap_is_envelope(hp_slice_of_string(out), utf8 == 1));
        g_string_truncate(out, 0);
        hp_summary_append_structure(summary, TRUE, utf8 == 1, out);
        g_assert_true(imap_is_structure(hp_slice_of_string(out), TRUE, utf8 == 1));
    }
    g_assert_cmpuint(g_bytes_get_size(packed), <, 4 * 1024 * 1024);
}

static GString *
repeat(const char *head, const char *piece, guint n, const char *tail)
{
    GString *out = g_string_new(head);

    for (guint i = 0; i < n; i++)
        g_string_append(out, piece);
    return g_string_append(out, tail);
}

/* security.md C17, and what the reader of addresses could be slow in. */
static void
survives_hostile_mail(void)
{
    static const struct {
        const char *head;
        const char *piece;
        guint n;
        const char *tail;
    } rows[] = {
        { MIXED, "--b\r\n\r\n", 300000, "" },
        { MIXED, "--b\r\nContent-Type: message/rfc822\r\n\r\n", 300000, "" },
        { "", "Content-Type: message/rfc822\r\n\r\n", 20000, "" },
        { "", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 20000, "" },
        { "To: ", "a:;", 40000, "\r\n\r\n" },
        { "To: ", "a:", 100000, "\r\n\r\n" },
        { "To: ", "a@b.test, ", 300000, "\r\n\r\n" },
        { "To: ", "\xC3\xA4@b.test, ", 300000, "\r\n\r\n" },
        { "To: ", "(", 1000000, "\r\n\r\n" },
        { "To: ", "\"\\", 1000000, "\r\n\r\n" },
        { "To: ", "<", 1000000, "\r\n\r\n" },
        { "To: ", "(()<\"", 1000000, "\r\n\r\n" },
        { "To: (comment ending in \\", "", 0, "" },
        { "X: ", "x", 20000000, "\r\n\r\n" },
        { "", "X: y\r\n", 500000, "\r\n" },
        { "", "To: a@b.test\r\n", 500000, "\r\n" },
        { "Content-Type: a/b", "; x*=utf-8''%41", 100000, "\r\n\r\n" },
        { "Content-Type: a/b", "; x*7*=%41", 100000, "\r\n\r\n" },
        { "Content-Type: a/b; x*0*=utf-8''", "%C3%A4", 100000, "\r\n\r\n" },
        { "Subject: ", "=?x-none?q?=E4?= ", 5000, "\r\n\r\n" },
        { "Subject: ", "=?x-a?q?=E4?= =?x-b?q?=E4?= ", 5000, "\r\n\r\n" },
        { "From: ", "=?x-a?q?=E4?= =?x-b?q?=E4?= ", 5000, "\xE4 <a@b.test>\r\n\r\n" },
        { "Subject: ", "[a] ", 100000, "\r\n\r\n" },
        { "Subject: ", "\xE4", 100000, "\r\n\r\n" },
        { "References: ", "<a@b>", 300000, "\r\n\r\n" },
        { "References: ", "<", 300000, "\r\n\r\n" },
        { HTML, "<a \"", 100000, "" },
        { HTML, "<style></", 100000, "" },
        { HTML, "<!--", 100000, "" },
        { HTML, "&#", 100000, "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) message =
            repeat(rows[i].head, rows[i].piece, rows[i].n, rows[i].tail);
        gint64 start = g_get_monotonic_time();

        check_hostile(message);
        g_test_message("row %zu: %" G_GINT64_FORMAT " ms", i,
                       (g_get_monotonic_time() - start) / 1000);
    }
}

/* Parts that have each as much header as is looked at. */
static void
survives_many_big_headers(void)
{
    g_autoptr(GString) part =
        g_string_new("--b\r\nContent-Type: message/rfc822\r\n\r\nTo: ");
    g_autoptr(GString) message = NULL;

    for (guint i = 0; i < 5000; i++)
        g_string_append(part, "\xC3\xA4@b.test, ");
    g_string_append(part, "\r\n\r\n");
    message = repeat(MIXED, part->str, 400, "");
    check_hostile(message);
}

/* ---- kept ------------------------------------------------------------------------- */

static void
says_the_same_when_it_was_kept(void)
{
    g_autoptr(HpSummary) summary = summarize(tree);
    g_autoptr(GBytes) packed = hp_summary_pack(summary);
    g_autoptr(HpSummary) kept = hp_summary_unpack(hp_slice_of_bytes(packed));
    g_autoptr(GBytes) again = NULL;

    g_assert_nonnull(kept);
    again = hp_summary_pack(kept);
    g_assert_true(g_bytes_equal(packed, again));
}

static void
refuses_what_is_damaged(void)
{
    g_autoptr(HpSummary) summary = summarize(tree);
    g_autoptr(GBytes) packed = hp_summary_pack(summary);
    HpSlice whole = hp_slice_of_bytes(packed);

    g_assert_null(hp_summary_unpack((HpSlice){ NULL, 0 }));
    for (size_t len = 0; len < whole.len; len++) {
        g_autofree char *cut = g_memdup2(whole.data, len);

        g_assert_null(hp_summary_unpack((HpSlice){ cut, len }));
    }
    for (size_t i = 0; i < whole.len; i++) {
        g_autofree char *bent = g_memdup2(whole.data, whole.len);

        bent[i] = (char)(bent[i] ^ 0x10);
        g_assert_null(hp_summary_unpack((HpSlice){ bent, whole.len }));
    }
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
    g_test_add_func("/summary/writes-the-structure", writes_the_structure);
    g_test_add_func("/summary/reads-parameters", reads_parameters);
    g_test_add_func("/summary/finds-the-parts", finds_the_parts);
    g_test_add_func("/summary/tells-of-messages-in-messages",
                    tells_of_messages_in_messages);
    g_test_add_func("/summary/finds-the-text-of-a-plain-message",
                    finds_the_text_of_a_plain_message);
    g_test_add_func("/summary/enters-a-message-at-the-root",
                    enters_a_message_at_the_root);
    g_test_add_func("/summary/finds-an-empty-part-in-an-empty-multipart",
                    finds_an_empty_part_in_an_empty_multipart);
    g_test_add_func("/summary/lists-all-parts", lists_all_parts);
    g_test_add_func("/summary/finds-the-base-subject", finds_the_base_subject);
    g_test_add_func("/summary/finds-addresses-to-sort-by", finds_addresses_to_sort_by);
    g_test_add_func("/summary/finds-the-sent-date", finds_the_sent_date);
    g_test_add_func("/summary/finds-references", finds_references);
    g_test_add_func("/summary/keeps-the-first-and-the-last-references",
                    keeps_the_first_and_the_last_references);
    for (guint i = 0; i < G_N_ELEMENTS(preview_rows); i++) {
        g_autofree char *path =
            g_strconcat("/summary/preview/", preview_rows[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), previews);
    }
    g_test_add_func("/summary/preview/7103-7.6-nul", previews_nul_as_nothing);
    g_test_add_func("/summary/preview/long", cuts_the_preview);
    g_test_add_func("/summary/7103-7.5.1-repeated-fields",
                    reads_repeated_address_fields_as_one);
    g_test_add_func("/summary/7103-7.2-7.3-7.4-odd-lines",
                    reads_a_header_with_other_lines_in_it);
    g_test_add_func("/summary/7103-8.1-no-mime-version", reads_mime_without_its_version);
    g_test_add_func("/summary/7103-7.6-raw-iso-2022-jp", reads_raw_iso_2022_jp);
    g_test_add_func("/summary/survives-hostile-mail", survives_hostile_mail);
    g_test_add_func("/summary/survives-many-big-headers", survives_many_big_headers);
    g_test_add_func("/summary/says-the-same-when-it-was-kept",
                    says_the_same_when_it_was_kept);
    g_test_add_func("/summary/refuses-what-is-damaged", refuses_what_is_damaged);
    return g_test_run();
}
