/* Tests of hp-imap-thread-forest: one case for each sentence of its header. */
#include "hp-imap-thread-forest.h"

#define NODES 200
#define TURNS 20000

/* The slow way: walking up. */
static gboolean
is_below(HpForest *forest, guint32 node, guint32 above)
{
    while (node != 0 && node != above)
        node = hp_forest_parent(forest, node);
    return node == above;
}

static HpForest *
new_forest(guint n)
{
    HpForest *forest = hp_forest_new();

    for (guint i = 1; i <= n; i++)
        g_assert_cmpuint(hp_forest_add(forest), ==, i);
    g_assert_cmpuint(hp_forest_len(forest), ==, n);
    return forest;
}

static void
test_links_and_cuts(void)
{
    g_autoptr(HpForest) forest = new_forest(3);

    g_assert_true(hp_forest_link(forest, 1, 2));
    g_assert_true(hp_forest_link(forest, 2, 3));
    g_assert_cmpuint(hp_forest_parent(forest, 3), ==, 2);
    hp_forest_cut(forest, 2);
    g_assert_cmpuint(hp_forest_parent(forest, 2), ==, 0);
    g_assert_cmpuint(hp_forest_parent(forest, 3), ==, 2);
    hp_forest_cut(forest, 1); /* a root stays one */
    g_assert_true(hp_forest_link(forest, 3, 1));
}

static void
test_refuses_loops(void)
{
    g_autoptr(HpForest) forest = new_forest(3);

    g_assert_false(hp_forest_link(forest, 1, 1));
    g_assert_true(hp_forest_link(forest, 1, 2));
    g_assert_true(hp_forest_link(forest, 2, 3));
    g_assert_false(hp_forest_link(forest, 3, 1));
    g_assert_cmpuint(hp_forest_parent(forest, 1), ==, 0);
}

static void
test_agrees_with_walking_up(void)
{
    g_autoptr(HpForest) forest = new_forest(NODES);

    for (guint i = 0; i < TURNS; i++) {
        guint32 parent = (guint32)g_test_rand_int_range(1, NODES + 1);
        guint32 child = (guint32)g_test_rand_int_range(1, NODES + 1);
        gboolean loop;

        hp_forest_cut(forest, child);
        loop = is_below(forest, parent, child);
        g_assert_cmpint(hp_forest_link(forest, parent, child), ==, !loop);
        g_assert_cmpuint(hp_forest_parent(forest, child), ==, loop ? 0 : parent);
    }
}

/* A chain that is asked from its far end each time: n*n steps for who walks up. */
static guint64
steps_of_chain(guint n)
{
    g_autoptr(HpForest) forest = new_forest(n);

    for (guint32 i = n; i > 1; i--)
        g_assert_true(hp_forest_link(forest, i - 1, i));
    for (guint i = 0; i < n; i++)
        g_assert_false(hp_forest_link(forest, n - i % 7, 1));
    return hp_forest_steps(forest);
}

static void
test_steps_do_not_grow_with_depth(void)
{
    guint64 small = steps_of_chain(10000), large = steps_of_chain(100000);

    g_assert_cmpuint(large, <, 15 * small);
    g_assert_cmpuint(large, <, (guint64)100000 * 60);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-thread-forest/links-and-cuts", test_links_and_cuts);
    g_test_add_func("/imap-thread-forest/refuses-loops", test_refuses_loops);
    g_test_add_func("/imap-thread-forest/agrees-with-walking-up",
                    test_agrees_with_walking_up);
    g_test_add_func("/imap-thread-forest/steps-do-not-grow-with-depth",
                    test_steps_do_not_grow_with_depth);
    return g_test_run();
}
