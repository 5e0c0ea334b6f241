/* hp-imap-tree-news: what has happened to mailboxes between two looks at them.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-tree.h"

/* In the order in which they are to be told. */
typedef enum {
    HP_TREE_RENAMED,      /* @before, @after; not what went along with a level above */
    HP_TREE_CREATED,      /* @after */
    HP_TREE_DELETED,      /* @before; no other mailbox has the name now */
    HP_TREE_SUBSCRIPTION, /* @name was subscribed, or is no longer */
    /* @after has other messages, flags or another UIDVALIDITY than @before: the same
     * mailbox before, or the one that had its name; (nullable): it is new, and not empty.
     */
    HP_TREE_MESSAGES,
} HpTreeNewsKind;

typedef struct {
    HpTreeNewsKind kind;
    const char *name;             /* (unowned): as it is now, or was */
    const HpStoreMailbox *before; /* (unowned) (nullable): of the tree before */
    const HpStoreMailbox *after;  /* (unowned) (nullable): of the tree after */
} HpTreeNews;

/* (transfer full) (element-type HpTreeNews): valid as long as both trees. */
GArray *hp_imap_tree_compare(const HpImapTree *before, const HpImapTree *after);
