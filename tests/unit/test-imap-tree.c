#include "imap-fixture.h"

#include "hp-imap-tree.h"

static HpImapNode
find(const HpImapTree *tree, const char *name)
{
    for (guint i = 0; i < tree->nodes->len; i++) {
        const HpImapNode *node = g_ptr_array_index(tree->nodes, i);

        if (strcmp(node->name, name) == 0)
            return *node;
    }
    g_assert_not_reached();
}

static HpImapTree *
load(ImapFixture *f)
{
    g_autoptr(GError) error = NULL;
    HpImapTree *tree = hp_imap_tree_new(f->options.store, &error);

    g_assert_no_error(error);
    return tree;
}

static void
set_up(ImapFixture *f, gconstpointer data)
{
    imap_set_up(f);
}

static void
tear_down(ImapFixture *f, gconstpointer data)
{
    imap_tear_down(f);
}

static void
has_inbox_first(ImapFixture *f, gconstpointer data)
{
    g_autoptr(HpImapTree) tree = load(f);
    const HpImapNode *first = g_ptr_array_index(tree->nodes, 0);

    g_assert_cmpstr(first->name, ==, "INBOX");
    g_assert_nonnull(first->mailbox);
    g_assert_false(first->has_children);
    for (guint i = 2; i < tree->nodes->len; i++)
        g_assert_cmpstr(((HpImapNode *)g_ptr_array_index(tree->nodes, i - 1))->name, <,
                        ((HpImapNode *)g_ptr_array_index(tree->nodes, i))->name);
}

static void
knows_levels_without_a_mailbox(ImapFixture *f, gconstpointer data)
{
    g_autoptr(HpImapTree) tree = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->options.store, "a/b/c", NULL, &id, NULL));
    g_assert_true(hp_store_delete(f->options.store, "a/b", NULL));
    tree = load(f);
    g_assert_null(find(tree, "a/b").mailbox);
    g_assert_true(find(tree, "a/b").has_children);
    g_assert_true(find(tree, "a").has_children);
    g_assert_nonnull(find(tree, "a/b/c").mailbox);
    g_assert_false(find(tree, "a/b/c").has_children);
}

static void
knows_what_is_subscribed(ImapFixture *f, gconstpointer data)
{
    g_autoptr(HpImapTree) tree = NULL;

    g_assert_true(hp_store_set_subscribed(f->options.store, "x/y", TRUE, NULL));
    tree = load(f);
    g_assert_true(find(tree, "x/y").subscribed);
    g_assert_null(find(tree, "x/y").mailbox);
    g_assert_false(find(tree, "x").subscribed);
    g_assert_false(find(tree, "x").has_children);
    g_assert_true(find(tree, "Sent").subscribed);
}

static gboolean
is_named(const HpImapNode *node, gconstpointer name)
{
    return g_str_equal(node->name, name);
}

static void
finds_levels_above(ImapFixture *f, gconstpointer data)
{
    g_autoptr(HpImapTree) tree = NULL;
    g_autoptr(GHashTable) levels = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->options.store, "a/b/c", NULL, &id, NULL));
    g_assert_true(hp_store_set_subscribed(f->options.store, "x/y", TRUE, NULL));
    tree = load(f);
    levels = hp_imap_tree_above(tree, is_named, "a/b/c");
    g_assert_cmpuint(g_hash_table_size(levels), ==, 2);
    g_assert_true(g_hash_table_contains(levels, "a"));
    g_assert_true(g_hash_table_contains(levels, "a/b"));
    g_hash_table_unref(levels);
    levels = hp_imap_tree_above(tree, is_named, "x/y");
    g_assert_cmpuint(g_hash_table_size(levels), ==, 1);
    g_assert_true(g_hash_table_contains(levels, "x"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/imap-tree/has-inbox-first", ImapFixture, NULL, set_up, has_inbox_first,
               tear_down);
    g_test_add("/imap-tree/knows-levels-without-a-mailbox", ImapFixture, NULL, set_up,
               knows_levels_without_a_mailbox, tear_down);
    g_test_add("/imap-tree/knows-what-is-subscribed", ImapFixture, NULL, set_up,
               knows_what_is_subscribed, tear_down);
    g_test_add("/imap-tree/finds-levels-above", ImapFixture, NULL, set_up,
               finds_levels_above, tear_down);
    return g_test_run();
}
