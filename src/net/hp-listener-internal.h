/* hp-listener-internal: what the listener, its doors and its connections share.
 *
 * Threads: see hp-listener; what the lock guards is said at each field.
 */
#pragma once

#include "hp-listener.h"

#include "hp-id.h"
#include "hp-lock.h"
#include "hp-thread.h"
#include "hp-waker.h"

/* One listening socket. */
typedef struct {
    int fd;             /* (owned) */
    HpService service;  /* its name is owned by service_name */
    char *service_name; /* (owned) */
    char *path;         /* (owned) (nullable): of a Unix socket, removed at the end */
    guint16 port;       /* 0 for a Unix socket */
} HpDoor;

struct _HpListener {
    GPtrArray *doors; /* (owned): HpDoor; fixed once started */
    GArray *adopted;  /* (owned): int, inherited sockets that no door has yet */
    GArray *uids;     /* (owned): guint; callers besides ourselves */
    HpWaker *waker;   /* (owned): a connection ended, or we stop */
    HpThread *thread; /* (owned) (nullable): the one that accepts */
    GHashTable
        *shunned; /* (owned): uid (gint64) -> time of the last log line; its thread's */
    gint64 full_logged_usec; /* the last line about descriptors; its thread's */

    HpLock lock; /* guards all below, and credential and program of each connection */
    HpCond ended;
    GPtrArray *open; /* (owned): HpConnection (unowned), oldest first; may be aborted */
    GPtrArray *finished; /* (owned): HpConnection (owned), to be joined */
    guint running;       /* threads that have not come to their end */
    guint authenticated;
    gboolean stopping;
};

struct _HpConnection {
    HpListener *listener;     /* (unowned) (nullable): %NULL for one that stands alone */
    const HpService *service; /* (unowned) */
    HpChannel *channel;       /* (owned) (nullable): its thread frees it at the end */
    HpPeer peer;
    char id[HP_ID_LEN + 1];
    HpThread *thread; /* (owned) (nullable) */
    char *credential; /* (owned) (nullable) */
    char *program;    /* (owned) (nullable): what the client says it is */
    gboolean evicted; /* was told to go, to make room */
};

/* The accepting thread. @listener: #HpListener */
void hp_listener_run(gpointer listener);

/* Joins the threads that have come to their end. */
void hp_listener_reap(HpListener *self);
