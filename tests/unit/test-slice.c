#include "hp-slice.h"

static gboolean
is_digit(unsigned char b)
{
    return g_ascii_isdigit(b);
}

static void
consumes_what_it_names_or_nothing(void)
{
    HpCursor c = hp_cursor_over(HP_SLICE_LITERAL("mail FROM:12x"));

    g_assert_false(hp_cursor_skip_word(&c, "MAILS"));
    g_assert_true(hp_cursor_skip_word(&c, "MAIL "));
    g_assert_false(hp_cursor_skip(&c, 'f'));
    g_assert_true(hp_cursor_skip_word(&c, "from:"));
    g_assert_cmpuint(hp_cursor_take(&c, is_digit).len, ==, 2);
    g_assert_cmpuint(hp_cursor_take(&c, is_digit).len, ==, 0);
    g_assert_cmpint(hp_cursor_peek(&c), ==, 'x');
    g_assert_true(hp_slice_equal(hp_cursor_take_until(&c, ' '), HP_SLICE_LITERAL("x")));
    g_assert_true(hp_cursor_at_end(&c));
    g_assert_cmpint(hp_cursor_peek(&c), ==, -1);
}

static void
case_is_ignored_of_ascii_letters_alone(void)
{
    g_assert_true(hp_slice_equal_nocase(HP_SLICE_LITERAL("Message-ID"), "message-id"));
    g_assert_true(hp_slice_equal_nocase(HP_SLICE_LITERAL("az"), "AZ"));
    g_assert_false(hp_slice_equal_nocase(HP_SLICE_LITERAL("@["), "`{"));
    g_assert_false(hp_slice_equal_nocase(HP_SLICE_LITERAL("\xc4"), "\xe4"));
    g_assert_false(hp_slice_equal_nocase(HP_SLICE_LITERAL("To"), "T"));
    g_assert_false(hp_slice_equal_nocase(HP_SLICE_LITERAL("T"), "To"));
    g_assert_false(hp_slice_equal_nocase(HP_SLICE_LITERAL("To\0"), "To"));
    g_assert_true(hp_slice_equal_nocase((HpSlice){ NULL, 0 }, ""));
    g_assert_false(hp_slice_equal_nocase((HpSlice){ NULL, 0 }, "To"));
}

static void
an_empty_slice_may_be_null(void)
{
    HpCursor c = hp_cursor_over((HpSlice){ NULL, 0 });
    g_autofree char *copy = hp_slice_dup((HpSlice){ NULL, 0 });

    g_assert_cmpint(hp_cursor_peek(&c), ==, -1);
    g_assert_false(hp_cursor_skip(&c, 'a'));
    g_assert_cmpuint(hp_cursor_take_until(&c, 'a').len, ==, 0);
    g_assert_cmpuint(hp_cursor_rest(&c).len, ==, 0);
    g_assert_cmpstr(copy, ==, "");
}

static void
numbers_stop_at_their_limit(void)
{
    static const struct {
        const char *text;
        guint64 max;
        gint64 want; /* -1: refused */
    } rows[] = {
        { "0", 10, 0 },
        { "007", 10, 7 },
        { "10", 10, 10 },
        { "11", 10, -1 },
        { "", 10, -1 },
        { "x", 10, -1 },
        { "-1", 10, -1 },
        { "18446744073709551616", G_MAXUINT64, -1 },
        { "000000000000000000001", 10, -1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpCursor c = hp_cursor_over(hp_slice_of(rows[i].text));
        const char *before = c.at;
        guint64 n = 99;

        if (rows[i].want < 0) {
            g_assert_false(hp_cursor_take_number(&c, rows[i].max, &n));
            g_assert_true(c.at == before);
            g_assert_cmpuint(n, ==, 99);
        } else {
            g_assert_true(hp_cursor_take_number(&c, rows[i].max, &n));
            g_assert_cmpuint(n, ==, (guint64)rows[i].want);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slice/consumes-what-it-names-or-nothing",
                    consumes_what_it_names_or_nothing);
    g_test_add_func("/slice/case-is-ignored-of-ascii-letters-alone",
                    case_is_ignored_of_ascii_letters_alone);
    g_test_add_func("/slice/an-empty-slice-may-be-null", an_empty_slice_may_be_null);
    g_test_add_func("/slice/numbers-stop-at-their-limit", numbers_stop_at_their_limit);
    return g_test_run();
}
