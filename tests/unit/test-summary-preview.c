#include "summary-fixture.h"

/* ---- preview ---------------------------------------------------------------------- */

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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(preview_rows); i++) {
        g_autofree char *path =
            g_strconcat("/summary/preview/", preview_rows[i].name, NULL);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), previews);
    }
    g_test_add_func("/summary/preview/7103-7.6-nul", previews_nul_as_nothing);
    g_test_add_func("/summary/preview/long", cuts_the_preview);
    return g_test_run();
}
