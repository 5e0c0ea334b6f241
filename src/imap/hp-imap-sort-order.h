/* hp-imap-sort-order: the order in which SORT answers (RFC 5256, RFC 5957), without a
 * mailbox: criteria, keys of messages, and a sort that keeps the order of the mailbox
 * where all keys are equal.
 *
 * Threads: one owner.
 */
#pragma once

#include "hp-imap-args.h"
#include "hp-summary.h"

/* Octets of a text that are compared: more than a line of a header may have. So a mailbox
 * full of long headers cannot fill the memory. */
#define HP_SORT_MAX_TEXT 1000

typedef enum {
    HP_SORT_ARRIVAL,
    HP_SORT_DATE,
    HP_SORT_SIZE,
    HP_SORT_CC,
    HP_SORT_DISPLAY_FROM,
    HP_SORT_DISPLAY_TO,
    HP_SORT_FROM,
    HP_SORT_SUBJECT,
    HP_SORT_TO,
    HP_SORT_N_KEYS,
} HpSortKey;

typedef struct {
    HpSortKey keys[HP_SORT_N_KEYS];
    gboolean reverse[HP_SORT_N_KEYS];
    guint n;
} HpSortCriteria;

/* sort-criteria; a key that comes again is left out, because it cannot decide anything.
 */
gboolean hp_sort_take_criteria(HpImapArgs *args, HpSortCriteria *ret_criteria);

/* %FALSE if the entry is enough. */
gboolean hp_sort_needs_summary(const HpSortCriteria *criteria);

typedef struct _HpSorter HpSorter;

/* @criteria: (unowned): outlives it */
HpSorter *hp_sorter_new(const HpSortCriteria *criteria);
void hp_sorter_free(HpSorter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSorter, hp_sorter_free)

/* What is known of a message, by its keys; only those that are criteria are looked at. */
typedef struct {
    gint64 numbers[HP_SORT_CC];        /* of ARRIVAL, DATE, SIZE */
    const char *texts[HP_SORT_N_KEYS]; /* (unowned) (nullable): of all others */
} HpSortFacts;

/* Those of a summary; DATE is ARRIVAL if it has no date that can be read (§2.2). */
void hp_sort_facts(HpSortFacts *facts, const HpSummary *summary);

/* In the order of the mailbox. */
void hp_sorter_add(HpSorter *self, guint32 seq, const HpSortFacts *facts);

/* (transfer full) (element-type guint32): what was added, sorted. Ends it. */
GArray *hp_sorter_finish(HpSorter *self);
