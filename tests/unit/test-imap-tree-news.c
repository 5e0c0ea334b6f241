#include "imap-fixture.h"

#include "hp-imap-tree-news.h"

typedef struct {
    ImapFixture imap;
    HpImapTree *before; /* (owned) */
    HpImapTree *after;  /* (owned) (nullable) */
} Fixture;

static void
look(Fixture *f)
{
    g_clear_pointer(&f->before, hp_imap_tree_free);
    f->before = hp_imap_tree_new(f->imap.options.store, NULL);
    g_assert_nonnull(f->before);
}

static void
create(Fixture *f, const char *name)
{
    gint64 id;

    g_assert_true(hp_store_create(f->imap.options.store, name, NULL, &id, NULL));
}

static void
set_up(Fixture *f, gconstpointer data)
{
    imap_set_up(&f->imap);
    create(f, "a/b/c");
    create(f, "d");
    look(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_clear_pointer(&f->before, hp_imap_tree_free);
    g_clear_pointer(&f->after, hp_imap_tree_free);
    imap_tear_down(&f->imap);
}

/* What has happened since the last look, as one text; and looks again. */
static void
assert_news(Fixture *f, const char *expected)
{
    static const char *const kinds[] = { "renamed", "created", "deleted", "subscription",
                                         "messages" };
    g_autoptr(GString) said = g_string_new(NULL);
    g_autoptr(GArray) news = NULL;

    g_clear_pointer(&f->after, hp_imap_tree_free);
    f->after = hp_imap_tree_new(f->imap.options.store, NULL);
    news = hp_imap_tree_compare(f->before, f->after);
    for (guint i = 0; i < news->len; i++) {
        const HpTreeNews *one = &g_array_index(news, HpTreeNews, i);

        g_string_append_printf(said, "%s%s %s", i > 0 ? ", " : "", kinds[one->kind],
                               one->name);
        if (one->kind == HP_TREE_RENAMED)
            g_string_append_printf(said, " was %s", one->before->name);
    }
    g_assert_cmpstr(said->str, ==, expected);
    look(f);
}

static void
nothing_is_no_news(Fixture *f, gconstpointer data)
{
    assert_news(f, "");
}

static void
finds_what_was_created(Fixture *f, gconstpointer data)
{
    create(f, "e/f");
    assert_news(f, "created e, created e/f");
}

static void
finds_what_was_deleted(Fixture *f, gconstpointer data)
{
    g_assert_true(hp_store_delete(f->imap.options.store, "a/b", NULL));
    assert_news(f, "deleted a/b");
    g_assert_true(hp_store_delete(f->imap.options.store, "d", NULL));
    create(f, "d");
    assert_news(f, "created d, messages d"); /* another UIDVALIDITY */
}

static void
finds_what_was_renamed(Fixture *f, gconstpointer data)
{
    g_assert_true(hp_store_rename(f->imap.options.store, "a", "x", NULL));
    assert_news(f, "renamed x was a"); /* and not what went along */
    g_assert_true(hp_store_rename(f->imap.options.store, "x/b", "x/y", NULL));
    assert_news(f, "renamed x/y was x/b");
    g_assert_true(hp_store_rename(f->imap.options.store, "x/y/c", "x/y/z", NULL));
    g_assert_true(hp_store_rename(f->imap.options.store, "x", "a", NULL));
    assert_news(f, "renamed a was x, renamed a/y/z was x/y/c");
}

static void
finds_subscriptions(Fixture *f, gconstpointer data)
{
    HpStore *store = f->imap.options.store;

    g_assert_true(hp_store_set_subscribed(store, "d", TRUE, NULL));
    assert_news(f, "subscription d");
    g_assert_true(hp_store_set_subscribed(store, "d", FALSE, NULL));
    g_assert_true(hp_store_set_subscribed(store, "nowhere/at all", TRUE, NULL));
    assert_news(f, "subscription d, subscription nowhere/at all");
    g_assert_true(hp_store_set_subscribed(store, "nowhere/at all", FALSE, NULL));
    assert_news(f, "subscription nowhere/at all");
}

static void
finds_messages(Fixture *f, gconstpointer data)
{
    static const guint32 first[] = { 1 };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };
    HpStore *store = f->imap.options.store;

    imap_fill(&f->imap);
    assert_news(f, "messages INBOX");
    g_assert_true(hp_store_change_flags(store, HP_STORE_INBOX, first, 1, &change, NULL));
    assert_news(f, "messages INBOX");
    g_assert_true(hp_store_expunge(store, HP_STORE_INBOX, first, 1, NULL));
    assert_news(f, "messages INBOX");
    g_assert_true(hp_store_rename(store, "INBOX", "old", NULL));
    assert_news(f, "created old, messages INBOX, messages old");
}

static void
add(const char *path, void (*run)(Fixture *f, gconstpointer data))
{
    g_test_add(path, Fixture, NULL, set_up, run, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/imap-tree-news/nothing-is-no-news", nothing_is_no_news);
    add("/imap-tree-news/finds-what-was-created", finds_what_was_created);
    add("/imap-tree-news/finds-what-was-deleted", finds_what_was_deleted);
    add("/imap-tree-news/finds-what-was-renamed", finds_what_was_renamed);
    add("/imap-tree-news/finds-subscriptions", finds_subscriptions);
    add("/imap-tree-news/finds-messages", finds_messages);
    return g_test_run();
}
