#include "hp-charset.h"

#include "hp-text.h"

static void
decodes_words(void)
{
    static const struct {
        const char *value;
        const char *want;
    } rows[] = {
        { "plain", "plain" },
        { "", "" },
        /* RFC 2047 §8 */
        { "(=?ISO-8859-1?Q?a?=)", "(a)" },
        { "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
        { "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
        { "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)" },
        { "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
        { "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
        { "=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik F\xC3\xA4ltstr\xC3\xB6m" },
        { "=?iso-8859-1*de?q?=FC?=", "\xC3\xBC" },
        { "=?UTF-8?B?w7w=?=", "\xC3\xBC" },
        /* one character in two words */
        { "=?UTF-8?Q?=C3?= =?UTF-8?Q?=BC?=", "\xC3\xBC" },
        { "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xE6\x97\xA5\xE6\x9C\xAC" },
        { "a=?UTF-8?Q?b?=c", "abc" },
        { "=?UTF-8?Q?a b?=", "a b" },
        { "=?UTF-8?X?a?=", "=?UTF-8?X?a?=" },
        { "=?UTF-8?Q?a", "=?UTF-8?Q?a" },
        { "=?", "=?" },
        { "=?nobody-knows-it?Q?=C3=BC?=", "\xC3\xBC" },
        { "=?../../etc/passwd?Q?=C3=BC?=", "\xC3\xBC" },
        { "raw \xC3\xBC", "raw \xC3\xBC" },
        { "raw \xFC", "raw \xC3\xBC" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = hp_charset_decode_words(hp_slice_of(rows[i].value));

        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

static void
converts_what_it_can(void)
{
    static const struct {
        const char *bytes;
        const char *charset;
        const char *want;
    } rows[] = {
        { "\xE4", "iso-8859-1", "\xC3\xA4" },
        { "\x80", "ISO-8859-1", "\xE2\x82\xAC" },
        { "\xE4", "utf-8", "\xC3\xA4" },
        { "\xC3\xA4", "unknown-8bit", "\xC3\xA4" },
        { "\xA4", "iso-8859-15", "\xE2\x82\xAC" },
        { "a\x81"
          "b",
          "windows-1252",
          "a\xEF\xBF\xBD"
          "b" },
        { "+AOQ-", "utf-7", "\xC3\xA4" },
        { "", "utf-16", "" },
        { "\xE4", "", "\xC3\xA4" },
        { "\xE4", "UTF-8//IGNORE", "\xC3\xA4" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got =
            hp_charset_to_utf8(hp_slice_of(rows[i].bytes), hp_slice_of(rows[i].charset));

        g_test_message("%s", rows[i].charset);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

static void
nul_does_not_end_the_text(void)
{
    g_autofree char *got =
        hp_charset_to_utf8((HpSlice){ "a\0b", 3 }, HP_SLICE_LITERAL("utf-8"));

    g_assert_cmpstr(got, ==,
                    "a\xEF\xBF\xBD"
                    "b");
}

static void
encodes_and_decodes_back(void)
{
    static const char *const rows[] = {
        "Invoice November",
        "Nicht zugestellt: \xE2\x80\x9ERechnung f\xC3\xBCr den November\xE2\x80\x9C an "
        "j\xC3\xB6rg@b\xC3\xBC"
        "cher.example, mit einem ziemlich langen Betreff",
        "a =?utf-8?q?b?= c",
        "\xF0\x9F\x93\xA7\xF0\x9F\x93\xA7\xF0\x9F\x93\xA7\xF0\x9F\x93\xA7\xF0\x9F\x93"
        "\xA7",
        "a long line of plain words that has to be folded because it does not fit into "
        "seventy-six characters at all",
        "",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *encoded = hp_charset_encode_words(rows[i], 9);
        g_auto(GStrv) lines = g_strsplit(encoded, "\r\n", -1);
        g_autoptr(GString) unfolded = g_string_new(NULL);
        g_autofree char *back = NULL;

        g_assert_true(hp_text_is_ascii(hp_slice_of(encoded)));
        for (guint n = 0; lines[n] != NULL; n++) {
            g_assert_cmpuint(strlen(lines[n]) + (n == 0 ? 9 : 0), <=, 76);
            g_assert_true(n == 0 || lines[n][0] == ' ');
            g_string_append(unfolded, lines[n]);
        }
        back = hp_charset_decode_words(hp_slice_of_string(unfolded));
        g_assert_cmpstr(back, ==, rows[i]);
    }
}

static void
encoding_lets_nothing_through(void)
{
    g_autofree char *got = hp_charset_encode_words("a\r\nBcc: x\x01y", 0);

    g_assert_cmpstr(got, ==, "a  Bcc: x y");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/charset/decodes-words", decodes_words);
    g_test_add_func("/charset/converts-what-it-can", converts_what_it_can);
    g_test_add_func("/charset/nul-does-not-end-the-text", nul_does_not_end_the_text);
    g_test_add_func("/charset/encodes-and-decodes-back", encodes_and_decodes_back);
    g_test_add_func("/charset/encoding-lets-nothing-through",
                    encoding_lets_nothing_through);
    return g_test_run();
}
