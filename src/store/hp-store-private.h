/* hp-store-private: what the files of hp-store share.
 *
 * Threads: as hp-store.
 */
#pragma once

#include "hp-lock.h"
#include "hp-store.h"

#define HP_STORE_BIG_ROWS 256 /* entries changed at once from which a write is big */

typedef struct {
    const guint32 *uids; /* (unowned) */
    guint n;
} HpStoreUids;

struct _HpStore {
    HpDb *db;             /* (owned) */
    HpContents *contents; /* (owned) */
    const HpClock *clock; /* (unowned) */
    HpLock lock;
    gboolean maildrop_taken;  /* guarded by lock */
    gboolean orphans_counted; /* guarded by lock */
    HpStoreChanged changed;   /* (nullable): guarded by lock */
    gpointer changed_data;    /* (unowned) (nullable): guarded by lock */
    guint telling;            /* calls of it that are under way; guarded by lock */
    HpCond told;              /* the last of them has ended */
};

/* PRAGMA user_version i to i + 1 is script i. */
extern const char *const hp_store_migrations[];

/* Turns what hp-sqlite or hp-content said into a #HP_STORE_ERROR; always %FALSE. @cause
 * is consumed. */
gboolean hp_store_fail(GError **error, GError *cause, const char *what);

/* hp_db_write() or, for @rows of them, hp_db_write_big(); then tells who wants to know.
 */
gboolean hp_store_write(HpStore *self, HpDbWork work, gpointer data, guint rows,
                        GError **error);

/* hp_store_expunge(), and how many of them were there. */
gboolean hp_store_remove(HpStore *self, gint64 mailbox, HpStoreUids uids,
                         guint *ret_removed, GError **error);

/* Inside an HpDbWork: a new modification sequence for @mailbox (RFC 7162 §3.1). */
gboolean hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq,
                              GError **error);
