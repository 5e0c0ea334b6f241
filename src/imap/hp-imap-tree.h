/* hp-imap-tree: what LIST and LSUB choose from: mailboxes, subscribed names without one,
 * and the levels above both.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-store-mailboxes.h"

typedef struct {
    char *name;                    /* (owned) */
    const HpStoreMailbox *mailbox; /* (unowned) (nullable): %NULL: there is none */
    gboolean subscribed;
    gboolean has_children; /* mailboxes below it */
} HpImapNode;

typedef struct {
    GPtrArray *nodes;     /* (owned): HpImapNode, by name, INBOX first */
    GPtrArray *mailboxes; /* (owned): HpStoreMailbox, as hp_store_list() has them */
    GHashTable *by_name;  /* (owned): char (unowned) to HpImapNode (unowned) */
} HpImapTree;

/* @error: #HP_STORE_ERROR */
HpImapTree *hp_imap_tree_new(HpStore *store, GError **error);
void hp_imap_tree_free(HpImapTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpImapTree, hp_imap_tree_free)

/* (transfer none) (nullable) */
const HpImapNode *hp_imap_tree_find(const HpImapTree *self, const char *name);

/* Names of the nodes above those that pass @test: (transfer full): set of char (unowned).
 */
typedef gboolean (*HpImapNodeTest)(const HpImapNode *node, gconstpointer data);
GHashTable *hp_imap_tree_above(const HpImapTree *self, HpImapNodeTest test,
                               gconstpointer data);

/* What LIST says of it: "\HasChildren \Sent". @absent: what it says if there is no such
 * mailbox; @subscribed: the subscription is told, too. */
void hp_imap_node_attributes(const HpImapNode *self, const char *absent,
                             gboolean subscribed, GString *out);
