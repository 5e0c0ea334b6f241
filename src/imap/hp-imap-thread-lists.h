/* hp-imap-thread-lists: for each node of a tree the list of its children, joined and
 * written in constant time a node.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

/* A node is in at most one list. Node 0 is the root, that is no message. */
typedef struct {
    guint32 first;
    guint32 last;
    guint32 next;   /* in the list that it is in itself */
    guint32 number; /* what is written; 0: nothing, a dummy */
} HpThreadNode;

/* GArray of HpThreadNode: (transfer full); [0] is there. */
GArray *hp_thread_lists_new(void);

/* (transfer none): until the array grows. */
HpThreadNode *hp_thread_node(GArray *lists, guint32 node);

/* Puts @node, which is in no list, at the end of @parent's children. */
void hp_thread_append(GArray *lists, guint32 parent, guint32 node);

/* Puts all children of @node at the end of @parent's. */
void hp_thread_move_children(GArray *lists, guint32 parent, guint32 node);

gboolean hp_thread_has_many(GArray *lists, guint32 node); /* children */

/* Forgets who is whose child. */
void hp_thread_clear(GArray *lists);

/* Appends the lists below the root (RFC 5256 §5): *thread-list. */
void hp_thread_write(GArray *lists, GString *out);
