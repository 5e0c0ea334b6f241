/* hp-store-private: what the files of the store share.
 *
 * Threads: as hp-store.
 */
#pragma once

#include "hp-lock.h"
#include "hp-store.h"

struct _HpStore {
    HpDb *db;             /* (owned) */
    HpContents *contents; /* (owned) */
    const HpClock *clock; /* (unowned) */
    HpLock lock;
    gboolean maildrop_taken; /* guarded by lock */
};

/* Inside an HpDbWork: removes one entry, remembers its uid as expunged under @modseq, and
 * lets go of its content. An unknown uid is no error. */
gboolean hp_store_remove_entry(HpDbConn *conn, gint64 mailbox, guint32 uid, gint64 modseq,
                               GError **error);

/* Inside an HpDbWork: the next modseq of a mailbox, already stored. */
gboolean hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq,
                              GError **error);
