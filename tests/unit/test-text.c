#include "hp-text.h"

static void
assert_printable(HpSlice bytes, size_t max, const char *wanted)
{
    g_autofree char *text = hp_text_printable(bytes, max);

    g_assert_cmpstr(text, ==, wanted);
}

static void
makes_any_bytes_printable(void)
{
    assert_printable(HP_SLICE_LITERAL("plain"), 10, "plain");
    assert_printable((HpSlice){ NULL, 0 }, 10, "");
    assert_printable(HP_SLICE_LITERAL("a\xff\xfe"
                                      "b"),
                     10,
                     "a\xef\xbf\xbd\xef\xbf\xbd"
                     "b");
    assert_printable(HP_SLICE_LITERAL("a\0b"), 10,
                     "a\xef\xbf\xbd"
                     "b");
    assert_printable(HP_SLICE_LITERAL("a\r\n\t \x1b[31mb"), 20, "a [31mb");
    assert_printable(HP_SLICE_LITERAL("evil\u202egpj.exe"), 20, "evil gpj.exe");
    assert_printable(HP_SLICE_LITERAL("a\u2066b\u200fc\u2028d"), 20, "a b c d");
}

static void
cuts_with_an_ellipsis(void)
{
    assert_printable(HP_SLICE_LITERAL("grüße"), 5, "grüße");
    assert_printable(HP_SLICE_LITERAL("grüße"), 4, "grüß…");
    assert_printable(HP_SLICE_LITERAL("grüße"), 1, "g…");
    assert_printable(HP_SLICE_LITERAL("grüße"), 0, "…");
}

static void
writes_replies_in_ascii(void)
{
    g_autofree char *german = hp_text_to_ascii("Übergröße „ja“ – 5 → 6…");
    g_autofree char *other = hp_text_to_ascii("é Ž 漢 \xff");

    g_assert_cmpstr(german, ==, "Uebergroesse \"ja\" - 5 -> 6...");
    g_assert_cmpstr(other, ==, "e Z ? ?");
    g_assert_true(hp_text_is_ascii(hp_slice_of(german)));
    g_assert_false(hp_text_is_ascii(HP_SLICE_LITERAL("é")));
}

static void
writes_hexadecimal(void)
{
    g_autofree char *hex = hp_text_hex("\x00\x1f\xff", 3);

    g_assert_cmpstr(hex, ==, "001fff");
}

static void
reads_hexadecimal(void)
{
    HpSlice text = HP_SLICE_LITERAL("=fF0g");

    g_assert_cmpint(hp_text_unhex(text, 1), ==, 0xff);
    g_assert_cmpint(hp_text_unhex(text, 2), ==, 0xf0);
    g_assert_cmpint(hp_text_unhex(text, 0), ==, -1);
    g_assert_cmpint(hp_text_unhex(text, 3), ==, -1);
    g_assert_cmpint(hp_text_unhex(text, 4), ==, -1); /* one alone */
    g_assert_cmpint(hp_text_unhex(text, G_MAXSIZE), ==, -1);
}

static void
assert_duration(const char *text, gint64 wanted)
{
    gint64 sec = -1;

    g_assert_cmpint(hp_text_parse_duration(hp_slice_of(text), &sec), ==, wanted >= 0);
    g_assert_cmpint(sec, ==, wanted); /* and untouched on failure */
}

static void
reads_durations(void)
{
    assert_duration("30s", 30);
    assert_duration("5m", 300);
    assert_duration(" 4h ", 14400);
    assert_duration("30d", 30 * 86400);
    assert_duration("0", 0);
    assert_duration("36600d", (gint64)36600 * 86400);
    assert_duration("36601d", -1);
    assert_duration("30", -1);
    assert_duration("", -1);
    assert_duration("d", -1);
    assert_duration("-1d", -1);
    assert_duration("1d2", -1);
    assert_duration("99999999999999999999d", -1);
}

static void
assert_size(HpSlice text, gint64 wanted)
{
    gint64 bytes = -1;

    g_assert_cmpint(hp_text_parse_size(text, &bytes), ==, wanted >= 0);
    g_assert_cmpint(bytes, ==, wanted);
}

static void
reads_sizes(void)
{
    assert_size(HP_SLICE_LITERAL("17"), 17);
    assert_size(HP_SLICE_LITERAL("17B"), 17);
    assert_size(HP_SLICE_LITERAL("500K"), 512000);
    assert_size(HP_SLICE_LITERAL("50M"), 52428800);
    assert_size(HP_SLICE_LITERAL("2G"), G_GINT64_CONSTANT(2147483648));
    assert_size(HP_SLICE_LITERAL("9000000G"), -1);
    assert_size(HP_SLICE_LITERAL("5X"), -1);
    assert_size(HP_SLICE_LITERAL("5MM"), -1);
    assert_size(HP_SLICE_LITERAL("5\0"), -1);
    assert_size(HP_SLICE_LITERAL("5\xff"), -1);
}

static void
measures_how_far_words_are_apart(void)
{
    g_autofree char *endless = g_strnfill(1000, 'a');

    g_assert_cmpuint(hp_text_distance("queue", "queue"), ==, 0);
    g_assert_cmpuint(hp_text_distance("queue", "QUEUE"), ==, 0);
    g_assert_cmpuint(hp_text_distance("queu", "queue"), ==, 1);
    g_assert_cmpuint(hp_text_distance("kitten", "sitting"), ==, 3);
    g_assert_cmpuint(hp_text_distance("", "abc"), ==, 3);
    g_assert_cmpuint(hp_text_distance(endless, ""), ==, 64);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/makes-any-bytes-printable", makes_any_bytes_printable);
    g_test_add_func("/text/cuts-with-an-ellipsis", cuts_with_an_ellipsis);
    g_test_add_func("/text/writes-replies-in-ascii", writes_replies_in_ascii);
    g_test_add_func("/text/writes-hexadecimal", writes_hexadecimal);
    g_test_add_func("/text/reads-hexadecimal", reads_hexadecimal);
    g_test_add_func("/text/reads-durations", reads_durations);
    g_test_add_func("/text/reads-sizes", reads_sizes);
    g_test_add_func("/text/measures-how-far-words-are-apart",
                    measures_how_far_words_are_apart);
    return g_test_run();
}
