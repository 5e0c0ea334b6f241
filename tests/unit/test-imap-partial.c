#include "hp-imap-partial.h"

static gboolean
parse(const char *text, HpImapPartial *partial)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));

    return hp_imap_take_partial_range(&args, partial) && hp_imap_take_end(&args);
}

static void
test_reads_and_writes(void)
{
    const char *const good[] = { "1:500", "500:1", "-1:-100", "-4294967295:-1", "7:7" };
    const char *const bad[] = { "",      "1",   "0:1", "1:0", "-1:5",         "1:-5",
                                "-0:-1", "*:1", "1:*", "1,2", "1:4294967296", "--1:-2" };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        HpImapPartial partial = { 0 };
        g_autoptr(GString) out = g_string_new(NULL);

        g_assert_true(parse(good[i], &partial));
        g_assert_true(partial.given);
        hp_imap_out_partial(out, &partial);
        g_assert_cmpstr(out->str, ==, good[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        HpImapPartial partial = { 0 };

        g_assert_false(parse(bad[i], &partial));
    }
}

static void
assert_page(const char *text, guint64 n, guint64 first, guint64 behind)
{
    HpImapPartial partial;
    HpImapPage page;

    g_assert_true(parse(text, &partial));
    page = hp_imap_partial_page(&partial, n);
    g_assert_cmpuint(page.first, ==, first);
    g_assert_cmpuint(page.behind, ==, behind);
}

static void
test_counts_from_both_ends(void)
{
    assert_page("1:500", 1000, 0, 500);
    assert_page("500:1", 1000, 0, 500);
    assert_page("501:1000", 600, 500, 600);
    assert_page("-1:-100", 1000, 900, 1000);
    assert_page("-100:-1", 1000, 900, 1000);
    assert_page("-3:-5", 4, 0, 2);
    assert_page("-1:-4294967295", 4, 0, 4);
}

static void
test_nothing_is_on_a_page_beyond(void)
{
    assert_page("24000:24500", 23764, 0, 0);
    assert_page("-5:-9", 4, 0, 0);
    assert_page("1:1", 0, 0, 0);
}

static void
assert_ranges(const char *text, const char *expected)
{
    static const HpImapRange all[] = { { 2, 4 }, { 10, 10 }, { 20, 22 } };
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HpImapRange));
    g_autoptr(GArray) some = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapPartial partial;

    g_array_append_vals(ranges, all, G_N_ELEMENTS(all));
    g_assert_true(parse(text, &partial));
    some = hp_imap_partial_of_ranges(&partial, ranges);
    for (guint i = 0; i < some->len; i++)
        g_string_append_printf(out, "%u-%u ", g_array_index(some, HpImapRange, i).from,
                               g_array_index(some, HpImapRange, i).to);
    g_assert_cmpstr(out->str, ==, expected);
}

static void
test_cuts_ranges(void)
{
    assert_ranges("1:7", "2-4 10-10 20-22 ");
    assert_ranges("1:1", "2-2 ");
    assert_ranges("2:3", "3-4 ");
    assert_ranges("4:4", "10-10 ");
    assert_ranges("3:5", "4-4 10-10 20-20 ");
    assert_ranges("-1:-2", "21-22 ");
    assert_ranges("-3:-4", "10-10 20-20 ");
    assert_ranges("8:9", "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-partial/reads-and-writes", test_reads_and_writes);
    g_test_add_func("/imap-partial/counts-from-both-ends", test_counts_from_both_ends);
    g_test_add_func("/imap-partial/nothing-is-on-a-page-beyond",
                    test_nothing_is_on_a_page_beyond);
    g_test_add_func("/imap-partial/cuts-ranges", test_cuts_ranges);
    return g_test_run();
}
