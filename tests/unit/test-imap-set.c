#include "hp-imap-set.h"

#include <string.h>

static gboolean
parse(const char *text, HpImapSet *set)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));

    return hp_imap_take_set(&args, set) && hp_imap_take_end(&args);
}

static char *
show(const GArray *ranges)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < ranges->len; i++) {
        const HpImapRange *range = &g_array_index(ranges, HpImapRange, i);

        g_string_append_printf(out, "%s%u-%u", i > 0 ? " " : "", range->from, range->to);
    }
    return g_string_free(out, FALSE);
}

static void
assert_sorted(const char *text, guint32 star, const char *expected)
{
    g_auto(HpImapSet) set = { 0 };
    g_autoptr(GArray) sorted = NULL;
    g_autofree char *shown = NULL;

    g_assert_true(parse(text, &set));
    sorted = hp_imap_set_sort(&set, star);
    shown = show(sorted);
    g_assert_cmpstr(shown, ==, expected);
}

static void
test_sorts(void)
{
    assert_sorted("5", 10, "5-5");
    assert_sorted("7,1:3", 10, "1-3 7-7");
    assert_sorted("3:1,2:5,6", 10, "1-6");
    assert_sorted("1:10,2:3", 10, "1-10");
    assert_sorted("4294967295,1:4294967295", 10, "1-4294967295");
    assert_sorted("4294967294:4294967295,4294967295:4294967290", 10,
                  "4294967290-4294967295");
}

static void
test_star(void)
{
    assert_sorted("*", 10, "10-10");
    assert_sorted("8:*", 10, "8-10");
    assert_sorted("12:*", 10, "10-12"); /* RFC 9051 §9: holds the last one always */
    assert_sorted("*:3", 10, "3-10");
    assert_sorted("*", 0, "");
    assert_sorted("*:*", 0, "");
    assert_sorted("3:*", 0, "3-3");
}

static void
test_refuses(void)
{
    static const char *const bad[] = { "",           "0",     "1:",  ":1",   "1,",
                                       ",1",         "1:2:3", "0:*", "1,,2", "-1",
                                       "4294967296", "1:$",   "$,1" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(HpImapSet) set = { 0 };

        g_assert_false(parse(bad[i], &set));
    }
}

static void
test_saved(void)
{
    g_auto(HpImapSet) set = { 0 };

    g_assert_true(parse("$", &set));
    g_assert_true(set.saved);
    g_assert_false(hp_imap_set_has_star(&set));
    g_assert_true(parse("1:*", &set));
    g_assert_false(set.saved);
    g_assert_true(hp_imap_set_has_star(&set));
}

static void
test_finds_and_counts(void)
{
    g_auto(HpImapSet) set = { 0 };
    g_autoptr(GArray) sorted = NULL;

    g_assert_true(parse("2:4,8,4294967295", &set));
    sorted = hp_imap_set_sort(&set, 1);
    g_assert_cmpuint(hp_imap_ranges_count(sorted), ==, 5);
    g_assert_false(hp_imap_ranges_have(sorted, 1));
    g_assert_true(hp_imap_ranges_have(sorted, 2));
    g_assert_true(hp_imap_ranges_have(sorted, 4));
    g_assert_false(hp_imap_ranges_have(sorted, 5));
    g_assert_true(hp_imap_ranges_have(sorted, 8));
    g_assert_true(hp_imap_ranges_have(sorted, G_MAXUINT32));
}

static void
test_writes_what_it_reads(void)
{
    static const guint32 numbers[] = { 1, 2, 3, 7, 9, 10, 4294967295 };
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(HpImapSet) set = { 0 };
    g_autoptr(GArray) sorted = NULL;

    hp_imap_out_set(out, numbers, G_N_ELEMENTS(numbers));
    g_assert_cmpstr(out->str, ==, "1:3,7,9:10,4294967295");
    g_assert_true(parse(out->str, &set));
    sorted = hp_imap_set_sort(&set, 0);
    g_assert_cmpuint(hp_imap_ranges_count(sorted), ==, G_N_ELEMENTS(numbers));
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_assert_true(hp_imap_ranges_have(sorted, numbers[i]));
}

static void
test_grows_at_its_end(void)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HpImapRange));

    hp_imap_ranges_add(ranges, 2, 1);
    g_assert_cmpuint(ranges->len, ==, 0);
    hp_imap_ranges_add(ranges, 2, 4);
    hp_imap_ranges_add(ranges, 5, 5);
    hp_imap_ranges_add(ranges, 7, 9);
    g_assert_cmpuint(ranges->len, ==, 2);
    g_assert_cmpuint(hp_imap_ranges_count(ranges), ==, 7);
    g_assert_false(hp_imap_ranges_have(ranges, 6));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-set/sorts-and-merges", test_sorts);
    g_test_add_func("/imap-set/star-is-the-last", test_star);
    g_test_add_func("/imap-set/refuses-what-is-none", test_refuses);
    g_test_add_func("/imap-set/dollar-is-what-was-saved", test_saved);
    g_test_add_func("/imap-set/finds-and-counts", test_finds_and_counts);
    g_test_add_func("/imap-set/grows-at-its-end", test_grows_at_its_end);
    g_test_add_func("/imap-set/writes-what-it-reads", test_writes_what_it_reads);
    return g_test_run();
}
