#include "hp-id.h"

#include <string.h>

static void
has_a_letter_among_its_first_four(void)
{
    for (guint i = 0; i < 20000; i++) {
        g_autofree char *id = hp_id_new();
        gboolean letter = FALSE;

        g_assert_cmpuint(strlen(id), ==, HP_ID_LEN);
        g_assert_true(hp_id_is_prefix(hp_slice_of(id)));
        for (guint j = 0; j < 4; j++)
            letter = letter || g_ascii_isalpha(id[j]);
        g_assert_true(letter);
    }
}

static void
understands_confusable_letters(void)
{
    g_autofree char *id = hp_id_normalise(hp_slice_of("7qIlo"));

    g_assert_cmpstr(id, ==, "7Q110");
    g_assert_true(hp_id_is_prefix(hp_slice_of("7qIlo")));
    g_assert_false(hp_id_is_prefix(hp_slice_of("")));
    g_assert_false(hp_id_is_prefix(hp_slice_of("7Q2KXMA")));
    g_assert_false(hp_id_is_prefix(hp_slice_of("7U")));
    g_assert_false(hp_id_is_prefix((HpSlice){ "7\0Q", 3 }));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/id/has-a-letter-among-its-first-four",
                    has_a_letter_among_its_first_four);
    g_test_add_func("/id/understands-confusable-letters", understands_confusable_letters);
    return g_test_run();
}
