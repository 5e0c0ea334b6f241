/* hp-due-heap: destinations in the order in which they are due.
 *
 * A binary heap of entries that know their place, so that one can be moved or taken out
 * in O(log n) among 100,000.
 *
 * Threads: one owner (the queue holds its lock).
 */
#pragma once

#include <glib.h>

#define HP_DUE_NOT_IN G_MAXUINT

/* To be embedded as the first member. */
typedef struct {
    gint64 due_usec;
    guint place; /* HP_DUE_NOT_IN while it is in no heap */
} HpDueEntry;

typedef struct _HpDueHeap HpDueHeap;

HpDueHeap *hp_due_heap_new(void);
void hp_due_heap_free(HpDueHeap *self); /* the entries stay their owner's */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDueHeap, hp_due_heap_free)

/* Puts @entry in, or moves it, to be due at @due_usec. */
void hp_due_heap_set(HpDueHeap *self, HpDueEntry *entry, gint64 due_usec);

/* Takes it out, if it is in. */
void hp_due_heap_remove(HpDueHeap *self, HpDueEntry *entry);

/* The one that is due first, left in; %NULL if there is none. */
HpDueEntry *hp_due_heap_first(const HpDueHeap *self);

guint hp_due_heap_size(const HpDueHeap *self);
