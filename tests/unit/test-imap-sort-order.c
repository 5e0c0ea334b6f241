/* Tests of hp-imap-sort-order: one case for each sentence of its header. */
#include "hp-imap-sort-order.h"

#include <string.h>

static gboolean
take(const char *text, HpSortCriteria *ret_criteria)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    gboolean taken = hp_sort_take_criteria(&args, ret_criteria);

    g_assert_cmpint(taken, ==, args.wanted == NULL);
    return taken && hp_imap_peek(&args) < 0;
}

static HpSummary *
summary_of(const char *header)
{
    return hp_summary_new(hp_slice_of(header));
}

/* Adds messages 1 to n by their headers. Arrival and size fall. */
static void
assert_sorted(const char *criteria_text, const char *const *headers, guint n,
              const char *expected)
{
    HpSortCriteria criteria;
    g_autoptr(HpSorter) sorter = NULL;
    g_autoptr(GArray) sorted = NULL;
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_true(take(criteria_text, &criteria));
    sorter = hp_sorter_new(&criteria);
    for (guint i = 0; i < n; i++) {
        g_autoptr(HpSummary) summary = summary_of(headers[i]);
        HpSortFacts facts = {
            .numbers = { [HP_SORT_ARRIVAL] = 1000 - i, [HP_SORT_SIZE] = 500 - i }
        };

        hp_sort_facts(&facts, summary);
        hp_sorter_add(sorter, i + 1, &facts);
    }
    sorted = hp_sorter_finish(sorter);
    for (guint i = 0; i < sorted->len; i++)
        g_string_append_printf(out, i > 0 ? " %u" : "%u",
                               g_array_index(sorted, guint32, i));
    g_assert_cmpstr(out->str, ==, expected);
}

static void
test_reads_criteria(void)
{
    HpSortCriteria criteria;

    g_assert_true(take("(SUBJECT REVERSE DATE)", &criteria));
    g_assert_cmpuint(criteria.n, ==, 2);
    g_assert_cmpint(criteria.keys[0], ==, HP_SORT_SUBJECT);
    g_assert_false(criteria.reverse[0]);
    g_assert_cmpint(criteria.keys[1], ==, HP_SORT_DATE);
    g_assert_true(criteria.reverse[1]);
    g_assert_true(
        take("(arrival cc date DisplayFrom DISPLAYTO FROM SIZE SUBJECT TO)", &criteria));
    g_assert_cmpuint(criteria.n, ==, HP_SORT_N_KEYS);
}

static void
test_refuses_what_is_no_criterion(void)
{
    static const char *const bad[] = { "",          "()",
                                       "SUBJECT",   "(SUBJECT",
                                       "(REVERSE)", "(REVERSE x)",
                                       "( DATE)",   "(DATE )",
                                       "(FROMX)",   "(REVERSE REVERSE DATE)" };
    HpSortCriteria criteria;

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(take(bad[i], &criteria));
}

static void
test_key_that_comes_again_is_left_out(void)
{
    g_autoptr(GString) many = g_string_new("(DATE");
    HpSortCriteria criteria;

    for (guint i = 0; i < 1000; i++)
        g_string_append(many, " REVERSE DATE SIZE");
    g_string_append_c(many, ')');
    g_assert_true(take(many->str, &criteria));
    g_assert_cmpuint(criteria.n, ==, 2);
    g_assert_false(criteria.reverse[0]);
}

static void
test_knows_when_the_entry_is_enough(void)
{
    HpSortCriteria criteria;

    g_assert_true(take("(SIZE ARRIVAL)", &criteria));
    g_assert_false(hp_sort_needs_summary(&criteria));
    g_assert_true(take("(SIZE DATE)", &criteria));
    g_assert_true(hp_sort_needs_summary(&criteria));
    g_assert_true(take("(DISPLAYTO)", &criteria));
    g_assert_true(hp_sort_needs_summary(&criteria));
}

static const char *const mails[] = {
    "Subject: Re: b\r\nFrom: Zoe <anna@x>\r\nTo: c@x\r\nCc: z@x\r\n"
    "Date: Mon, 2 Jan 2023 10:00:00 +0000\r\n\r\n",
    "Subject: A\r\nFrom: bert@x\r\nDate: Mon, 2 Jan 2023 10:30:00 +0100\r\n\r\n",
    "Subject: [x] fwd: B (fwd)\r\nFrom: \"Adam\" <carl@x>\r\nTo: Yves <a@x>\r\n"
    "Date: Sun, 1 Jan 2023 10:00:00 +0000\r\n\r\n",
    "From: =?utf-8?q?=C3=84gidius?= <dora@x>\r\nTo: b@x\r\n\r\n",
};

static void
test_sorts_by_each_key(void)
{
    assert_sorted("(ARRIVAL)", mails, 4, "4 3 2 1");
    assert_sorted("(SIZE)", mails, 4, "4 3 2 1");
    assert_sorted("(SUBJECT)", mails, 4, "4 2 1 3");
    assert_sorted("(FROM)", mails, 4, "1 2 3 4");
    assert_sorted("(TO)", mails, 4, "2 3 4 1");
    assert_sorted("(CC)", mails, 4, "2 3 4 1");
    /* 10:30 +0100 is before 10:00 +0000; without a date it is the arrival, 1970 */
    assert_sorted("(DATE)", mails, 4, "4 3 2 1");
    assert_sorted("(DISPLAYFROM)", mails, 4, "3 4 2 1");
    assert_sorted("(DISPLAYTO)", mails, 4, "2 4 1 3");
}

/* RFC 5256: REVERSE "only reverses a single criterion" */
static void
test_reverse_keeps_the_order_of_equals(void)
{
    assert_sorted("(REVERSE SUBJECT)", mails, 4, "1 3 2 4");
    assert_sorted("(SUBJECT REVERSE DATE)", mails, 4, "4 2 1 3");
    assert_sorted("(SUBJECT DATE)", mails, 4, "4 2 3 1");
}

static void
test_texts_are_cut(void)
{
    g_autofree char *text = g_strnfill(2000, 'x');
    HpSortCriteria criteria;
    HpSortFacts facts = { .texts = { [HP_SORT_SUBJECT] = text } };
    g_autoptr(HpSorter) sorter = NULL;
    g_autoptr(GArray) sorted = NULL;

    g_assert_true(take("(SUBJECT)", &criteria));
    sorter = hp_sorter_new(&criteria);
    hp_sorter_add(sorter, 1, &facts);
    text[1999] = 'a'; /* would come first */
    hp_sorter_add(sorter, 2, &facts);
    facts.texts[HP_SORT_SUBJECT] = NULL;
    hp_sorter_add(sorter, 3, &facts);
    sorted = hp_sorter_finish(sorter);
    g_assert_cmpuint(g_array_index(sorted, guint32, 0), ==, 3);
    g_assert_cmpuint(g_array_index(sorted, guint32, 1), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-sort-order/reads-criteria", test_reads_criteria);
    g_test_add_func("/imap-sort-order/refuses-what-is-no-criterion",
                    test_refuses_what_is_no_criterion);
    g_test_add_func("/imap-sort-order/key-that-comes-again-is-left-out",
                    test_key_that_comes_again_is_left_out);
    g_test_add_func("/imap-sort-order/knows-when-the-entry-is-enough",
                    test_knows_when_the_entry_is_enough);
    g_test_add_func("/imap-sort-order/sorts-by-each-key", test_sorts_by_each_key);
    g_test_add_func("/imap-sort-order/reverse-keeps-the-order-of-equals",
                    test_reverse_keeps_the_order_of_equals);
    g_test_add_func("/imap-sort-order/texts-are-cut", test_texts_are_cut);
    return g_test_run();
}
