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
    g_assert_true(find(tree, "x").child_subscribed);
    g_assert_false(find(tree, "x").has_children);
    g_assert_true(find(tree, "Sent").subscribed);
}

static void
knows_special_uses_below(ImapFixture *f, gconstpointer data)
{
    g_autoptr(HpImapTree) tree = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->options.store, "post/out", "\\Sent", &id, NULL));
    tree = load(f);
    g_assert_true(find(tree, "post").child_special);
    g_assert_false(find(tree, "post/out").child_special);
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
    g_test_add("/imap-tree/knows-special-uses-below", ImapFixture, NULL, set_up,
               knows_special_uses_below, tear_down);
    return g_test_run();
}
