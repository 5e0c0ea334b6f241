/* hp-store-view-private: the entries of a selected mailbox in memory, one copy for
 * all sessions that have it selected, and which of them have changed lately.
 *
 * Threads: any; the fields of an HpShared are guarded by its lock.
 */
#pragma once

#include "hp-store-private.h"

typedef struct {
    gint64 mailbox;
    guint users; /* guarded by the lock of HpViews */
    HpLock lock;
    HpCond loaded;
    gboolean is_loaded;
    gboolean is_broken; /* could not be read */
    gboolean is_ended;  /* the mailbox is gone */
    guint32 uidvalidity;
    guint32 uidnext;
    guint64 highestmodseq; /* grows with each publication */
    GArray *entries;       /* (owned): HpViewEntry by uid */
    GPtrArray *waiting;    /* (owned): HpNews (owned), came before it was loaded */
    GPtrArray *wakers;     /* (owned): HpWaker (unowned), one of each view that has one */
    GArray *log;           /* (owned): guint32, uids changed or gone, oldest first */
    guint64 log_start;     /* how many were before the first in the log */
} HpShared;

/* (transfer full): loaded; to be given back. */
HpShared *hp_shared_take(HpStore *store, gint64 mailbox, GError **error);
void hp_shared_give_back(HpViews *views, HpShared *self);

/* With the lock held: index of the first entry whose uid is at least @uid. @hint: where
 * it may be. */
guint hp_shared_find(const HpShared *self, guint32 uid, guint hint);
/* With the lock held: %NULL if it is not there. */
HpViewEntry *hp_shared_get(const HpShared *self, guint32 uid, guint hint);
