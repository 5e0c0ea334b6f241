#include "hp-imap-tree-news.h"

#include <string.h>

typedef struct {
    const HpImapTree *before; /* (unowned) */
    const HpImapTree *after;  /* (unowned) */
    GHashTable *ids_before;   /* (owned): gint64 to HpStoreMailbox, both (unowned) */
    GHashTable *ids_after;    /* (owned): likewise */
    GArray *news;             /* (unowned) */
} Comparison;

static GHashTable *
by_id(const HpImapTree *tree)
{
    GHashTable *ids = g_hash_table_new(g_int64_hash, g_int64_equal);

    for (guint i = 0; i < tree->mailboxes->len; i++) {
        HpStoreMailbox *mailbox = g_ptr_array_index(tree->mailboxes, i);

        g_hash_table_insert(ids, &mailbox->id, mailbox);
    }
    return ids;
}

static const HpStoreMailbox *
mailbox_named(const HpImapTree *tree, const char *name)
{
    const HpImapNode *node = hp_imap_tree_find(tree, name);

    return node != NULL ? node->mailbox : NULL;
}

static void
add(Comparison *self, HpTreeNews news)
{
    g_array_append_val(self->news, news);
}

/* Cuts the last level off both, if it is the same and not the only one. */
static gboolean
cut_same_level(char *one, char *other)
{
    char *end = strrchr(one, '/');
    char *other_end = strrchr(other, '/');

    if (end == NULL || other_end == NULL || strcmp(end, other_end) != 0)
        return FALSE;
    *end = '\0';
    *other_end = '\0';
    return TRUE;
}

/* A mailbox above it was renamed, and took it along: RFC 5465 §5.4 says nothing of it. */
static gboolean
went_along(const Comparison *self, const HpStoreMailbox *before,
           const HpStoreMailbox *after)
{
    g_autofree char *old_name = g_strdup(before->name);
    g_autofree char *new_name = g_strdup(after->name);

    while (cut_same_level(old_name, new_name)) {
        const HpStoreMailbox *above = mailbox_named(self->before, old_name);
        const HpStoreMailbox *now =
            above != NULL ? g_hash_table_lookup(self->ids_after, &above->id) : NULL;

        if (now != NULL && strcmp(now->name, new_name) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
compare_names(Comparison *self, HpTreeNewsKind kind)
{
    for (guint i = 0; i < self->after->mailboxes->len; i++) {
        const HpStoreMailbox *after = g_ptr_array_index(self->after->mailboxes, i);
        const HpStoreMailbox *before = g_hash_table_lookup(self->ids_before, &after->id);
        HpTreeNews news = { kind, after->name, before, after };

        if (kind == HP_TREE_CREATED
                ? before == NULL
                : before != NULL && strcmp(before->name, after->name) != 0 &&
                      !went_along(self, before, after))
            add(self, news);
    }
}

static void
find_deleted(Comparison *self)
{
    for (guint i = 0; i < self->before->mailboxes->len; i++) {
        const HpStoreMailbox *before = g_ptr_array_index(self->before->mailboxes, i);
        HpTreeNews news = { HP_TREE_DELETED, before->name, before, NULL };

        if (!g_hash_table_contains(self->ids_after, &before->id) &&
            mailbox_named(self->after, before->name) == NULL)
            add(self, news);
    }
}

/* Those of @tree that are subscribed there and not in @other. */
static void
compare_subscriptions(Comparison *self, const HpImapTree *tree, const HpImapTree *other)
{
    for (guint i = 0; i < tree->nodes->len; i++) {
        const HpImapNode *node = g_ptr_array_index(tree->nodes, i);
        const HpImapNode *same = hp_imap_tree_find(other, node->name);
        HpTreeNews news = { .kind = HP_TREE_SUBSCRIPTION, .name = node->name };

        if (node->subscribed && (same == NULL || !same->subscribed))
            add(self, news);
    }
}

static gboolean
differs(const HpStoreMailbox *before, const HpStoreMailbox *after)
{
    if (before == NULL)
        return after->uidnext > 1;
    return before->uidvalidity != after->uidvalidity ||
           before->uidnext != after->uidnext || before->messages != after->messages ||
           before->highestmodseq != after->highestmodseq;
}

static void
compare_messages(Comparison *self)
{
    for (guint i = 0; i < self->after->mailboxes->len; i++) {
        const HpStoreMailbox *after = g_ptr_array_index(self->after->mailboxes, i);
        const HpStoreMailbox *before = g_hash_table_lookup(self->ids_before, &after->id);
        HpTreeNews news = { HP_TREE_MESSAGES, after->name, before, after };

        if (before == NULL)
            news.before = mailbox_named(self->before, after->name);
        if (differs(news.before, after))
            add(self, news);
    }
}

GArray *
hp_imap_tree_compare(const HpImapTree *before, const HpImapTree *after)
{
    g_autoptr(GHashTable) ids_before = by_id(before);
    g_autoptr(GHashTable) ids_after = by_id(after);
    Comparison self = { before, after, ids_before, ids_after,
                        g_array_new(FALSE, FALSE, sizeof(HpTreeNews)) };

    compare_names(&self, HP_TREE_RENAMED);
    compare_names(&self, HP_TREE_CREATED);
    find_deleted(&self);
    compare_subscriptions(&self, before, after);
    compare_subscriptions(&self, after, before);
    compare_messages(&self);
    return self.news;
}
