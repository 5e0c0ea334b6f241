/* hp-imap-thread-forest: trees of parents and children that change while they are asked
 * which root a node is under, each change and question in O(log n) amortised (link-cut
 * trees). Message references come from outside: walking up for each of them would be
 * quadratic.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct _HpForest HpForest;

HpForest *hp_forest_new(void);
void hp_forest_free(HpForest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpForest, hp_forest_free)

/* A new tree of one node; they are numbered from 1. */
guint32 hp_forest_add(HpForest *self);
guint32 hp_forest_len(const HpForest *self);

/* 0 if it is a root. */
guint32 hp_forest_parent(const HpForest *self, guint32 node);

/* Makes @parent, unless it is @child or below it, the parent of the root @child.
 *
 * Returns: %FALSE if that would be a loop; nothing is changed then */
gboolean hp_forest_link(HpForest *self, guint32 parent, guint32 child);

/* Makes @node a root, with all that is below it. */
void hp_forest_cut(HpForest *self, guint32 node);

/* Steps that were done since the beginning: what tests hold against a bound. */
guint64 hp_forest_steps(const HpForest *self);
