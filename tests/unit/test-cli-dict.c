#include "hp-cli-dict.h"

static void
reads_any_integer(void)
{
    g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_new_parsed(
        "{'y': <byte 7>, 'u': <uint32 7>, 'i': <-7>, 't': <uint64 7>, 'x': <int64 -7>, "
        "'n': <int16 -7>, 'q': <uint16 7>, 's': <'7'>}"));

    g_assert_cmpint(hp_dict_number(dict, "y", 0), ==, 7);
    g_assert_cmpint(hp_dict_number(dict, "u", 0), ==, 7);
    g_assert_cmpint(hp_dict_number(dict, "i", 0), ==, -7);
    g_assert_cmpint(hp_dict_number(dict, "t", 0), ==, 7);
    g_assert_cmpint(hp_dict_number(dict, "x", 0), ==, -7);
    g_assert_cmpint(hp_dict_number(dict, "n", 0), ==, -7);
    g_assert_cmpint(hp_dict_number(dict, "q", 0), ==, 7);
    g_assert_cmpint(hp_dict_number(dict, "s", 3), ==, 3);
    g_assert_cmpint(hp_dict_number(dict, "none", 3), ==, 3);
}

static void
takes_another_type_as_missing(void)
{
    g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_new_parsed(
        "{'n': <7>, 's': <'text'>, 'b': <true>, 'd': <{'a': <1>}>, 'l': <[{'a': <1>}]>, "
        "'w': <['x', 'y']>}"));
    g_autoptr(GVariant) inner = hp_dict_dict(dict, "d");
    g_autoptr(GVariant) list = hp_dict_list(dict, "l");
    g_autoptr(GVariant) none = hp_dict_list(dict, "s");
    g_autofree char *words = hp_dict_words(dict, "w");
    g_autofree char *no_words = hp_dict_words(dict, "n");

    g_assert_cmpstr(hp_dict_text(dict, "s"), ==, "text");
    g_assert_null(hp_dict_text(dict, "n"));
    g_assert_true(hp_dict_yes(dict, "b"));
    g_assert_false(hp_dict_yes(dict, "n"));
    g_assert_cmpuint(g_variant_n_children(inner), ==, 1);
    g_assert_cmpuint(g_variant_n_children(list), ==, 1);
    g_assert_cmpuint(g_variant_n_children(none), ==, 0);
    g_assert_cmpstr(words, ==, "x, y");
    g_assert_cmpstr(no_words, ==, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-dict/reads-any-integer", reads_any_integer);
    g_test_add_func("/cli-dict/takes-another-type-as-missing",
                    takes_another_type_as_missing);
    return g_test_run();
}
