/* Tests of hp-imap-thread-lists: one case for each sentence of its header. */
#include "hp-imap-thread-lists.h"

static GArray *
new_lists(guint n)
{
    GArray *lists = hp_thread_lists_new();

    g_array_set_size(lists, n + 1);
    for (guint32 i = 1; i <= n; i++)
        hp_thread_node(lists, i)->number = i;
    return lists;
}

static void
assert_written(GArray *lists, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_thread_write(lists, out);
    g_assert_cmpstr(out->str, ==, expected);
}

/* RFC 5256 §4: "* THREAD (2)(3 6 (4 23)(44 7 96))" */
static void
test_writes_the_example_of_the_rfc(void)
{
    g_autoptr(GArray) lists = new_lists(96);

    hp_thread_append(lists, 0, 2);
    hp_thread_append(lists, 0, 3);
    hp_thread_append(lists, 3, 6);
    hp_thread_append(lists, 6, 4);
    hp_thread_append(lists, 6, 44);
    hp_thread_append(lists, 4, 23);
    hp_thread_append(lists, 44, 7);
    hp_thread_append(lists, 7, 96);
    assert_written(lists, "(2)(3 6 (4 23)(44 7 96))");
}

/* RFC 5256 §4: "* THREAD ((3)(5))" */
static void
test_dummy_has_no_number(void)
{
    g_autoptr(GArray) lists = new_lists(5);

    hp_thread_node(lists, 1)->number = 0;
    hp_thread_append(lists, 0, 1);
    hp_thread_append(lists, 1, 3);
    hp_thread_append(lists, 1, 5);
    assert_written(lists, "((3)(5))");
}

static void
test_moves_children_in_order(void)
{
    g_autoptr(GArray) lists = new_lists(6);

    hp_thread_append(lists, 1, 2);
    hp_thread_append(lists, 3, 4);
    hp_thread_append(lists, 3, 5);
    g_assert_false(hp_thread_has_many(lists, 1));
    hp_thread_move_children(lists, 1, 3);
    hp_thread_move_children(lists, 1, 6); /* that has none */
    g_assert_true(hp_thread_has_many(lists, 1));
    hp_thread_append(lists, 0, 1);
    hp_thread_append(lists, 0, 3);
    assert_written(lists, "(1 (2)(4)(5))(3)");
    hp_thread_clear(lists);
    assert_written(lists, "");
}

/* As deep as it likes: nothing recurses. */
static void
test_writes_deep_threads(void)
{
    g_autoptr(GArray) lists = new_lists(300000);
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint32 i = 1; i < 300000; i += 3) {
        hp_thread_append(lists, i == 1 ? 0 : i - 1, i);
        hp_thread_append(lists, i, i + 1);
        hp_thread_append(lists, i, i + 2);
    }
    hp_thread_write(lists, out);
    g_assert_true(g_str_has_prefix(out->str, "(1 (2)(3"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-thread-lists/writes-the-example-of-the-rfc",
                    test_writes_the_example_of_the_rfc);
    g_test_add_func("/imap-thread-lists/dummy-has-no-number", test_dummy_has_no_number);
    g_test_add_func("/imap-thread-lists/moves-children-in-order",
                    test_moves_children_in_order);
    g_test_add_func("/imap-thread-lists/writes-deep-threads", test_writes_deep_threads);
    return g_test_run();
}
