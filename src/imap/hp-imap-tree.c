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

typedef void (*Mark)(HpImapNode *above);

static void
mark_children(HpImapNode *above)
{
    above->has_children = TRUE;
}

static void
mark_subscribed(HpImapNode *above)
{
    above->child_subscribed = TRUE;
}

static void
mark_special(HpImapNode *above)
{
    above->child_special = TRUE;
}

static void
mark_above(HpImapTree *self, const char *name, Mark mark)
{
    g_autofree char *above = g_strdup(name);
    char *slash;

    while ((slash = strrchr(above, '/')) != NULL) {
        *slash = '\0';
        mark(node_of(self, above));
    }
}

static void
add_mailbox(HpImapTree *self, const HpStoreMailbox *mailbox)
{
    node_of(self, mailbox->name)->mailbox = mailbox;
    mark_above(self, mailbox->name, mark_children);
    if (mailbox->special_use != NULL)
        mark_above(self, mailbox->name, mark_special);
}

static void
add_subscription(HpImapTree *self, const char *name)
{
    node_of(self, name)->subscribed = TRUE;
    mark_above(self, name, mark_subscribed);
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
