/* hp-store-check: is all mail there, and what can be put right. Nothing is ever deleted.
 *
 * Threads: any; each call takes its time.
 */
#pragma once

#include "hp-store.h"

#define HP_STORE_MAX_PROBLEMS 100 /* that are named; all are counted */

/* The mailbox into which repair puts messages that belong to none. */
#define HP_STORE_RECOVERED "Recovered"

typedef struct {
    gboolean full;         /* read every byte */
    GCancellable *cancel;  /* (unowned) (nullable): ends it with what is known by then */
    guint64 ret_messages;  /* out: that were looked at */
    guint64 ret_problems;  /* out */
    guint64 ret_recovered; /* out, of a repair: messages put into %HP_STORE_RECOVERED */
    GPtrArray *ret_texts;  /* (out) (owned) (element-type utf8): sentences for a person */
} HpStoreReport;
void hp_store_report_clear(HpStoreReport *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpStoreReport, hp_store_report_clear)

/* Looks at the database, at each content, at the counts, and for files that belong to no
 * message. Changes nothing. */
void hp_store_check(HpStore *self, HpStoreReport *report);

/* Puts the counts right, and messages that no mailbox names and files that no message
 * names into %HP_STORE_RECOVERED. @error: mail.db is damaged: then
 * hp_store_rebuild() must be called before the store is opened. */
gboolean hp_store_repair(HpStore *self, HpStoreReport *report, GError **error);

/* With no store open on this folder: if mail.db is damaged a new one is made of what can
 * be read of it and of the last snapshot; the damaged one is kept under another name.
 * UIDs and UIDVALIDITY stay; then hp_store_repair(). @data_path, @data_fd, @clock: as
 * hp_store_open(). */
typedef struct {
    const char *data_path; /* (unowned) */
    int data_fd;
    const HpClock *clock; /* (unowned) */
} HpStorePlace;
gboolean hp_store_rebuild(const HpStorePlace *place, HpStoreReport *report,
                          GError **error);
