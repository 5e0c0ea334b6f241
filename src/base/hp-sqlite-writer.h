/* hp-sqlite-writer: the requests that wait for a database's writer thread.
 *
 * Threads: the writer, and those that wait for it.
 */
#pragma once

#include "hp-sqlite-private.h"

struct _HpDbRequest {
    HpDbRequest *next; /* (unowned) (nullable) */
    HpDbWork work;     /* %NULL: tidy */
    gpointer data;     /* (unowned) (nullable) */
    gboolean alone;    /* in a transaction of its own */
    gboolean ok;       /* set by the writer before done */
    GError *error;     /* (owned) (nullable): set by the writer before done */
    HpLock lock;
    HpCond answered;
    gboolean done; /* guarded by the request's lock */
};
