#include "summary-fixture.h"

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

/* Mail as it comes from programs that know better: what is in it is found all the same.
 */
#define PLAIN(n, lines)                                                                  \
    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" " #n " " #lines ")"

static const struct {
    const char *name;
    const char *message;
    const char *want_body;
    const char *want_preview;
} mail_rows[] = {
    { "no-closing-boundary",
      MIXED "--b\r\n\r\nfirst\r\n--b\r\nContent-Type: a/b\r\n\r\nlast\r\n",
      "(" PLAIN(5, 0) "(\"a\" \"b\" NIL NIL NIL \"7BIT\" 6) \"mixed\")", "first" },
    { "boundary-that-begins-like-another",
      "Content-Type: multipart/mixed; boundary=--x\r\n\r\n----x\r\nContent-Type: "
      "multipart/alternative; "
      "boundary=--x1\r\n\r\n----x1\r\n\r\nin\r\n----x1--\r\n----x\r\n"
      "\r\nout\r\n----x--\r\n",
      "((" PLAIN(2, 0) " \"alternative\")" PLAIN(3, 0) " \"mixed\")", "in" },
    { "inner-not-closed",
      MIXED
      "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nin\r\n"
      "--b\r\n\r\nout\r\n--b--\r\n",
      "((" PLAIN(2, 0) " \"alternative\")" PLAIN(3, 0) " \"mixed\")", "in" },
    { "boundary-with-trailing-space", MIXED "--b \t\r\n\r\nhi\r\n--b-- \r\n",
      "(" PLAIN(2, 0) " \"mixed\")", "hi" },
    { "boundary-unquoted-with-odd-signs",
      "Content-Type: multipart/mixed; "
      "boundary=a=_(b):c?\r\n\r\n--a=_(b):c?\r\n\r\nhi\r\n",
      "(" PLAIN(4, 1) " \"mixed\")", "hi" },
    { "part-without-empty-line",
      MIXED "--b\r\nContent-Type: a/b\r\n--b\r\n\r\nhi\r\n--b--",
      "((\"a\" \"b\" NIL NIL NIL \"7BIT\" 0)" PLAIN(2, 0) " \"mixed\")", "hi" },
    { "lf-alone", "Content-Type: multipart/mixed;\n boundary=b\n\n--b\n\nhi\n--b--\n",
      "(" PLAIN(2, 0) " \"mixed\")", "hi" },
    { "type-without-subtype", "Content-Type: text\r\n\r\nhi", PLAIN(2, 0), "hi" },
    { "type-is-nonsense", "Content-Type: ;;;\r\n\r\nhi", PLAIN(2, 0), "hi" },
    { "type-with-comments",
      "Content-Type: (a) text (b) / (c) plain (d) ; (e) charset (f) = (g) utf-8 "
      "(h)\r\n\r\nhi",
      "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 2 0)", "hi" },
    { "two-types", "Content-Type: text/html\r\nContent-Type: a/b\r\n\r\n<b>hi</b>",
      "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 9 0)", "hi" },
    { "charset-open-quote", "Content-Type: text/plain; charset=\"utf-8\r\n\r\n\xC3\xA4",
      "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 2 0)", "\xC3\xA4" },
    { "charset-single-quotes",
      "Content-Type: text/plain; charset='iso-8859-1'\r\n\r\n\xE4",
      "(\"text\" \"plain\" (\"charset\" \"'iso-8859-1'\") NIL NIL \"7BIT\" 1 0)",
      "\xC3\xA4" },
    { "encoding-with-comment-and-semicolon",
      "Content-Transfer-Encoding: base64; x (y)\r\n\r\naGk=",
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"BASE64\" 4 0)", "hi" },
    { "encoding-unknown", "Content-Transfer-Encoding: utf-8\r\n\r\nhi",
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"utf-8\" 2 0)", "hi" },
    { "disposition-without-quotes",
      "Content-Type: a/b\r\nContent-Disposition: attachment; filename=My "
      "file.pdf\r\n\r\n",
      "(\"a\" \"b\" NIL NIL NIL \"7BIT\" 0)", "" },
    { "bounce",
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
      "--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; x.test\r\n\r\nAction: failed\r\n\r\n--b\r\n"
      "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n\r\n--b--\r\n",
      "(" PLAIN(5,
                0) "(\"message\" \"delivery-status\" NIL NIL NIL \"7BIT\" 46)(\"text\" "
                   "\"rfc822-headers\" NIL NIL NIL \"7BIT\" 12 1) \"report\")",
      "Sorry" },
    { "forward-without-own-text",
      MIXED
      "--b\r\n\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n"
      "forwarded\r\n--b--\r\n",
      "(" PLAIN(
          0, 0) "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 24 (NIL \"in\" NIL NIL NIL "
                "NIL NIL NIL NIL NIL) " PLAIN(9, 0) " 2) \"mixed\")",
      "forwarded" },
};

static void
reads_mail_of_the_world(gconstpointer data)
{
    guint row = GPOINTER_TO_UINT(data);
    g_autofree char *body = structure_of(mail_rows[row].message, FALSE, FALSE);
    g_autofree char *extended = structure_of(mail_rows[row].message, TRUE, TRUE);
    g_autoptr(HpSummary) summary = summarize(mail_rows[row].message);

    g_assert_cmpstr(body, ==, mail_rows[row].want_body);
    g_assert_cmpstr(hp_summary_preview(summary), ==, mail_rows[row].want_preview);
    g_assert_cmpuint(strlen(extended), >, strlen(body));
}

/* Subjects and names as they really come. */
static void
reads_subjects_of_the_world(void)
{
    static const struct {
        const char *raw;
        const char *want;
    } rows[] = {
        { "=?UTF-8?B?R3LDvMOfZQ==?=", "Gr\xC3\xBC\xC3\x9F"
                                      "e" },
        { "=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "Gr\xC3\xBC\xC3\x9F"
                                                      "e" },
        { "=?utf-8?Q?Gr=C3=BC=C3=9Fe aus Bonn?=", "Gr\xC3\xBC\xC3\x9F"
                                                  "e aus Bonn" },
        { "=?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?Q?=E2=82=AC?=", "Gr\xC3\xBC\xC3\x9F"
                                                              "e\xE2\x82\xAC" },
        { "a=?utf-8?q?=C3=A4?=b", "a\xC3\xA4"
                                  "b" },
        { "=?gb2312?B?xOO6ww==?=", "\xE4\xBD\xA0\xE5\xA5\xBD" },
        { "=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "\xE3\x81\x93\xE3\x82\x93" },
        { "=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=",
          "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82" },
        { "=?utf-8*de?q?=C3=A4?=", "\xC3\xA4" },
        { "=?utf-8?x?abc?=", "=?utf-8?x?abc?=" },
        { "=?utf-8?q?open", "=?utf-8?q?open" },
        { "=?none?q?=C3=A4?=", "\xC3\xA4" },
        { "\xC3\xA4 =?utf-8?q?=C3=B6?=", "\xC3\xA4 \xC3\xB6" },
        { "\xC4\xE3\xBA\xC3", "\xC3\x84\xC3\xA3\xC2\xBA\xC3\x83" }, /* raw GBK: a guess */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message =
            g_strconcat("Subject: ", rows[i].raw, "\r\n\r\n", NULL);
        g_autofree char *ascii = envelope_of(message, FALSE);
        g_autofree char *utf8 = envelope_of(message, TRUE);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("%s %s", ascii, utf8);
        g_assert_cmpstr(hp_summary_base_subject(summary), ==, rows[i].want);
    }
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

static void
finds_a_field_behind_a_flood(void)
{
    g_autoptr(GString) message =
        repeat("", "To: a@b.test\r\n", 5000, "Subject: x\r\n\r\n");
    g_autofree char *got = envelope_of(message->str, FALSE);

    g_assert_true(g_str_has_prefix(got, "(NIL \"x\" NIL NIL NIL ((NIL NIL \"a\""));
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/summary/7103-7.5.1-repeated-fields",
                    reads_repeated_address_fields_as_one);
    g_test_add_func("/summary/7103-7.2-7.3-7.4-odd-lines",
                    reads_a_header_with_other_lines_in_it);
    g_test_add_func("/summary/7103-8.1-no-mime-version", reads_mime_without_its_version);
    g_test_add_func("/summary/7103-7.6-raw-iso-2022-jp", reads_raw_iso_2022_jp);
    for (guint i = 0; i < G_N_ELEMENTS(mail_rows); i++) {
        g_autofree char *path = g_strconcat("/summary/mail/", mail_rows[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), reads_mail_of_the_world);
    }
    g_test_add_func("/summary/mail/subjects", reads_subjects_of_the_world);
    g_test_add_func("/summary/survives-hostile-mail", survives_hostile_mail);
    g_test_add_func("/summary/finds-a-field-behind-a-flood",
                    finds_a_field_behind_a_flood);
    g_test_add_func("/summary/survives-many-big-headers", survives_many_big_headers);
    return g_test_run();
}
