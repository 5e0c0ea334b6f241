/* Tests of hp-casemap: one case for each sentence of its header. */
#include "hp-casemap.h"

#include <string.h>

static void
assert_key(const char *utf8, const char *expected)
{
    g_autofree char *key = hp_casemap_key(utf8);

    g_assert_cmpstr(key, ==, expected);
}

static void
test_prepares_as_rfc_5051_says(void)
{
    assert_key("Straw, 27 hats_and `{z}~", "STRAW, 27 HATS_AND `{Z}~");
    assert_key("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    assert_key(NULL, "");
    /* §2: U+01C4 is titlecased to U+01C5, that is D and U+017E, that is z and U+030C. */
    assert_key("\xC7\x84", "Dz\xCC\x8C");
    assert_key("gr\xC3\xB6\xC3\x9F"
               "e",
               "GRO\xCC\x88\xC3\x9F"
               "E");
    assert_key("\xE2\x85\xB3", "IV"); /* U+2173, small roman four */
    assert_key("\xE2\x93\x90", "A");  /* U+24D0, circled small a */
    assert_key("\xEF\xBC\xA1", "A");  /* U+FF21, fullwidth A */
    assert_key("\xEF\xAC\x81", "fi"); /* U+FB01 has no titlecase: by the letter */
}

static void
test_composed_and_decomposed_are_equal(void)
{
    g_autofree char *composed = hp_casemap_key("M\xC3\xBCller");
    g_autofree char *decomposed = hp_casemap_key("mU\xCC\x88LLER");

    g_assert_cmpstr(composed, ==, decomposed);
}

static void
test_longest_decomposition_fits(void)
{
    g_autofree char *key = hp_casemap_key("\xEF\xB7\xBA"); /* U+FDFA */

    g_assert_cmpint(g_utf8_strlen(key, -1), ==, 18);
}

static void
test_invalid_bytes_stay(void)
{
    static const char bytes[] = { 'a', '\xFF', '\xC3', 'b', '\xE2', '\x82' };
    g_autoptr(GString) out = g_string_new(NULL);

    hp_casemap_append(out, (HpSlice){ bytes, sizeof bytes });
    g_assert_cmpmem(out->str, (int)out->len,
                    "A\xFF\xC3"
                    "B\xE2\x82",
                    6);
}

/* Against the slow way, for each length and place within the words of eight. */
static void
test_ascii_is_the_same_fast_and_slow(void)
{
    for (guint length = 0; length < 40; length++) {
        g_autofree char *text = g_malloc(length + 1);
        g_autofree char *slow = g_malloc(length + 1);

        for (guint i = 0; i < length; i++) {
            text[i] = (char)g_random_int_range(1, 0x80);
            slow[i] = g_ascii_toupper(text[i]);
        }
        text[length] = slow[length] = '\0';
        assert_key(text, slow);
    }
}

static void
test_finds_inside_words(void)
{
    g_autofree char *needle = hp_casemap_key("ERBIR");
    g_autofree char *umlaut = hp_casemap_key("\xC3\x96\xC3\x9F");

    g_assert_true(hp_casemap_contains(hp_slice_of("Thunderbird"), hp_slice_of(needle)));
    g_assert_true(hp_casemap_contains(hp_slice_of("die Gr\xC3\xB6\xC3\x9F"
                                                  "e"),
                                      hp_slice_of(umlaut)));
    g_assert_false(hp_casemap_contains(hp_slice_of("erbi"), hp_slice_of(needle)));
    g_assert_true(hp_casemap_contains(hp_slice_of(""), hp_slice_of("")));
}

static gboolean
feed_in_pieces(const char *text, const char *needle, guint size)
{
    g_autoptr(HpCasemapFinder) finder = hp_casemap_finder_new(hp_slice_of(needle));
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at += size)
        if (hp_casemap_finder_feed(finder, (HpSlice){ text + at, MIN(size, len - at) }))
            return TRUE;
    return FALSE;
}

static void
test_finds_across_pieces(void)
{
    static const char *const needles[] = {
        "A", "AB", "ABA", "ABAC", "BACABAD", "CC", "ABACABADABACABA"
    };
    static const char text[] = "ABACABADABACABA";

    for (guint n = 0; n < G_N_ELEMENTS(needles); n++)
        for (guint size = 1; size <= sizeof text; size++)
            g_assert_cmpint(feed_in_pieces(text, needles[n], size), ==,
                            strstr(text, needles[n]) != NULL);
}

static void
test_restart_forgets(void)
{
    g_autoptr(HpCasemapFinder) finder = hp_casemap_finder_new(HP_SLICE_LITERAL("AB"));

    g_assert_false(hp_casemap_finder_feed(finder, HP_SLICE_LITERAL("A")));
    hp_casemap_finder_restart(finder);
    g_assert_false(hp_casemap_finder_feed(finder, HP_SLICE_LITERAL("B")));
    g_assert_true(hp_casemap_finder_feed(finder, HP_SLICE_LITERAL("AB")));
}

static void
test_empty_needle_is_everywhere(void)
{
    g_autoptr(HpCasemapFinder) finder = hp_casemap_finder_new(HP_SLICE_LITERAL(""));

    g_assert_true(hp_casemap_finder_feed(finder, HP_SLICE_LITERAL("")));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/casemap/prepares-as-rfc-5051-says", test_prepares_as_rfc_5051_says);
    g_test_add_func("/casemap/composed-and-decomposed-are-equal",
                    test_composed_and_decomposed_are_equal);
    g_test_add_func("/casemap/longest-decomposition-fits",
                    test_longest_decomposition_fits);
    g_test_add_func("/casemap/invalid-bytes-stay", test_invalid_bytes_stay);
    g_test_add_func("/casemap/ascii-is-the-same-fast-and-slow",
                    test_ascii_is_the_same_fast_and_slow);
    g_test_add_func("/casemap/finds-inside-words", test_finds_inside_words);
    g_test_add_func("/casemap/finds-across-pieces", test_finds_across_pieces);
    g_test_add_func("/casemap/restart-forgets", test_restart_forgets);
    g_test_add_func("/casemap/empty-needle-is-everywhere",
                    test_empty_needle_is_everywhere);
    return g_test_run();
}
