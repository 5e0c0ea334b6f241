/* Tests of hp-imap-thread-names: one case for each sentence of its header. */
#include "hp-imap-thread-names.h"

static void
test_same_text_same_number(void)
{
    g_autoptr(HpNames) names = hp_names_new();

    g_assert_cmpuint(hp_names_add(names, HP_SLICE_LITERAL("a@b")), ==, 0);
    g_assert_cmpuint(hp_names_add(names, HP_SLICE_LITERAL("A@b")), ==, 1);
    g_assert_cmpuint(hp_names_add(names, HP_SLICE_LITERAL("")), ==, 2);
    g_assert_cmpuint(hp_names_add(names, HP_SLICE_LITERAL("a@b")), ==, 0);
    g_assert_cmpuint(hp_names_add(names, HP_SLICE_LITERAL("")), ==, 2);
    g_assert_cmpuint(hp_names_len(names), ==, 3);
    g_assert_cmpuint(hp_names_octets(names), ==, 6);
}

static void
test_many_keep_their_numbers(void)
{
    g_autoptr(HpNames) names = hp_names_new();

    for (guint turn = 0; turn < 2; turn++) {
        for (guint i = 0; i < 50000; i++) {
            char text[16];

            g_snprintf(text, sizeof text, "%u", i);
            g_assert_cmpuint(hp_names_add(names, hp_slice_of(text)), ==, i);
        }
    }
    g_assert_cmpuint(hp_names_steps(names), <, 50000 * 2 * 8);
}

/* The example of the authors: key 00 to 0f, text 00 to 0e. */
static void
test_is_siphash(void)
{
    char bytes[15];

    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    g_assert_cmphex(hp_names_hash(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL,
                                  (HpSlice){ bytes, sizeof bytes }),
                    ==, 0xa129ca6149be45e5ULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-thread-names/same-text-same-number",
                    test_same_text_same_number);
    g_test_add_func("/imap-thread-names/many-keep-their-numbers",
                    test_many_keep_their_numbers);
    g_test_add_func("/imap-thread-names/is-siphash", test_is_siphash);
    return g_test_run();
}
