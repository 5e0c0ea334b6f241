#include "hp-imap-tree.h"

#include <string.h>

static void
node_free(gpointer node)
{
    HpImapNode *self = node;

    g_free(self->name);
    g_free(self);
}

static HpImapNode *
node_of(HpImapTree *self, const char *name)
{
    HpImapNode *node = g_hash_table_lookup(self->by_name, name);

    if (node != NULL)
        return node;
    node = g_new0(HpImapNode, 1);
    node->name = g_strdup(name);
    g_ptr_array_add(self->nodes, node);
    g_hash_table_insert(self->by_name, node->name, node);
    return node;
}

/* The level above @name, for all levels: cuts it shorter; %NULL behind the last. */
static const char *
cut_level(char *name)
{
    char *slash = strrchr(name, '/');

    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return name;
}

static void
add_mailbox(HpImapTree *self, const HpStoreMailbox *mailbox)
{
    g_autofree char *name = g_strdup(mailbox->name);

    node_of(self, name)->mailbox = mailbox;
    while (cut_level(name) != NULL)
        node_of(self, name)->has_children = TRUE;
}

static void
add_subscription(HpImapTree *self, const char *subscribed)
{
    g_autofree char *name = g_strdup(subscribed);

    node_of(self, name)->subscribed = TRUE;
    while (cut_level(name) != NULL)
        node_of(self, name);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const HpImapNode *first = *(HpImapNode *const *)a;
    const HpImapNode *second = *(HpImapNode *const *)b;
    gboolean is_inbox = strcmp(first->name, "INBOX") == 0;

    if (is_inbox != (strcmp(second->name, "INBOX") == 0))
        return is_inbox ? -1 : 1;
    return strcmp(first->name, second->name);
}

HpImapTree *
hp_imap_tree_new(HpStore *store, GError **error)
{
    g_autoptr(GPtrArray) mailboxes = hp_store_list(store, error);
    g_auto(GStrv) subscriptions =
        mailboxes != NULL ? hp_store_subscriptions(store, error) : NULL;
    HpImapTree *self;

    if (mailboxes == NULL || subscriptions == NULL)
        return NULL;
    self = g_new0(HpImapTree, 1);
    self->nodes = g_ptr_array_new_with_free_func(node_free);
    self->mailboxes = g_steal_pointer(&mailboxes);
    self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < self->mailboxes->len; i++)
        add_mailbox(self, g_ptr_array_index(self->mailboxes, i));
    for (char **name = subscriptions; *name != NULL; name++)
        add_subscription(self, *name);
    g_ptr_array_sort(self->nodes, compare);
    return self;
}

void
hp_imap_tree_free(HpImapTree *self)
{
    g_hash_table_unref(self->by_name);
    g_ptr_array_unref(self->nodes);
    g_ptr_array_unref(self->mailboxes);
    g_free(self);
}

const HpImapNode *
hp_imap_tree_find(const HpImapTree *self, const char *name)
{
    return g_hash_table_lookup(self->by_name, name);
}

static void
add_levels(const HpImapTree *self, const char *below, GHashTable *levels)
{
    g_autofree char *name = g_strdup(below);

    while (cut_level(name) != NULL)
        g_hash_table_add(levels, hp_imap_tree_find(self, name)->name);
}

GHashTable *
hp_imap_tree_above(const HpImapTree *self, HpImapNodeTest test, gconstpointer data)
{
    GHashTable *levels = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->nodes->len; i++) {
        const HpImapNode *node = g_ptr_array_index(self->nodes, i);

        if (test(node, data))
            add_levels(self, node->name, levels);
    }
    return levels;
}

void
hp_imap_node_attributes(const HpImapNode *self, const char *absent, gboolean subscribed,
                        GString *out)
{
    if (self->mailbox == NULL)
        g_string_append_printf(out, "%s ", absent);
    g_string_append(out, self->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (self->subscribed && subscribed)
        g_string_append(out, " \\Subscribed");
    if (self->mailbox != NULL && self->mailbox->special_use != NULL)
        g_string_append_printf(out, " %s", self->mailbox->special_use);
}
