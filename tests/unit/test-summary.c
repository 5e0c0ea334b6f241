#include "hp-summary-private.h"
#include "summary-fixture.h"

#include <string.h>

/* ---- structure -------------------------------------------------------------------- */

/* @extended is NULL where the extension data are nothing new. */
static const struct {
    const char *message;
    const char *body;
    const char *extended;
} structures[] = {
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
    { MIXED "--b\r\n\r\nhi\r\n--b\r\nContent-Type: image/png\r\n"
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
    { "", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 0 0)", NULL },
};

static void
writes_the_structure(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(structures); i++) {
        g_autofree char *body = structure_of(structures[i].message, FALSE, FALSE);
        g_autofree char *extended = structure_of(structures[i].message, TRUE, FALSE);

        g_assert_cmpstr(body, ==, structures[i].body);
        if (structures[i].extended != NULL)
            g_assert_cmpstr(extended, ==, structures[i].extended);
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

/* The grammar that the tests go by can say no. */
static void
tells_good_from_bad(void)
{
    static const char *const envelopes[] = {
        "(NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL  NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL NIL () NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL NIL ((NIL NIL \"a\" NIL)) NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL NIL ((NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL NIL ((NIL NIL NIL \"x\")) NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL \"\xC3\xA4\" NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL \"a\rb\" NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL \"a\\b\" NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL {3}\r\nab NIL NIL NIL NIL NIL NIL NIL NIL)",
        "(NIL \"a\"b\" NIL NIL NIL NIL NIL NIL NIL NIL)",
    };
    static const char *const bodies[] = {
        "(\"a\" \"b\" NIL NIL NIL \"7BIT\")",
        "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 1)",
        "(\"a\" \"b\" NIL NIL NIL \"7BIT\" 1 2)",
        "(\"a\" \"b\" (\"x\") NIL NIL \"7BIT\" 1)",
        "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 1)",
        "(\"multipart\" \"x\" NIL NIL NIL \"7BIT\" 1)",
        "( \"mixed\")",
        "((\"a\" \"b\" NIL NIL NIL \"7BIT\" 1))",
    };

    g_assert_true(imap_is_envelope(
        hp_slice_of("(NIL {2}\r\nab NIL NIL NIL NIL NIL NIL NIL NIL)"), FALSE));
    for (size_t i = 0; i < G_N_ELEMENTS(envelopes); i++)
        g_assert_false(imap_is_envelope(hp_slice_of(envelopes[i]), FALSE));
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        g_assert_false(imap_is_structure(hp_slice_of(bodies[i]), FALSE, FALSE));
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

/* Its check sum is right, its text is not: whoever can write the database must not reach
 * code that trusts its strings. */
static void
refuses_texts_that_are_none(void)
{
    static const char subject[] = "A subject of some length that is all ASCII";
    g_autoptr(HpSummary) summary =
        summarize("Subject: A subject of some length that is all "
                  "ASCII\r\n\r\nx");
    g_autoptr(GBytes) packed = hp_summary_pack(summary);
    HpSlice whole = hp_slice_of_bytes(packed);
    g_autoptr(GString) kept = g_string_new_len(whole.data, (gssize)whole.len);
    char *at = memmem(kept->str, kept->len, subject, strlen(subject));

    g_assert_nonnull(at);
    for (size_t i = 0; i < strlen(subject); i++) {
        static const char wrong[] = { '\0', '\x80', '\xFF' };

        for (guint j = 0; j < G_N_ELEMENTS(wrong); j++) {
            at[i] = wrong[j];
            hp_summary_seal(kept);
            g_assert_null(hp_summary_unpack(hp_slice_of_string(kept)));
        }
        at[i] = subject[i];
    }
    hp_summary_seal(kept);
    hp_summary_free(summary);
    summary = hp_summary_unpack(hp_slice_of_string(kept));
    g_assert_nonnull(summary);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/summary/writes-the-structure", writes_the_structure);
    g_test_add_func("/summary/reads-parameters", reads_parameters);
    g_test_add_func("/summary/tells-good-from-bad", tells_good_from_bad);
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
    g_test_add_func("/summary/says-the-same-when-it-was-kept",
                    says_the_same_when_it_was_kept);
    g_test_add_func("/summary/refuses-what-is-damaged", refuses_what_is_damaged);
    g_test_add_func("/summary/refuses-texts-that-are-none", refuses_texts_that_are_none);
    return g_test_run();
}
