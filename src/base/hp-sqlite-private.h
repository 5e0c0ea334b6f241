/* hp-sqlite-private: what the files of hp-sqlite know of each other and nobody else does.
 *
 * Threads: as hp-sqlite.
 */
#pragma once

#include "hp-lock.h"
#include "hp-sqlite.h"
#include "hp-thread.h"

#include <sqlite3.h>

#define HP_DB_BUSY_MS 5000 /* only we are at work; this is for WAL recovery */

typedef struct _HpDbRequest HpDbRequest;

/* What waits for the writer thread. */
struct _HpDbRequest {
    HpDbRequest *next;       /* (unowned) (nullable) */
    HpDbWork work;           /* %NULL: tidy */
    HpDbCommitted committed; /* (nullable) */
    gpointer data;           /* (unowned) (nullable) */
    gboolean alone;          /* in a transaction of its own */
    gboolean ok;             /* set by the writer before done */
    gboolean more;           /* the same, of tidying: there is more to do */
    GError *error;           /* (owned) (nullable): set by the writer before done */
    HpLock lock;
    HpCond answered;
    gboolean done; /* guarded by the request's lock */
};

struct _HpDbConn {
    HpDb *db;               /* (unowned) */
    sqlite3 *handle;        /* (owned) (nullable): missing if it could not be opened */
    GError *failure;        /* (owned) (nullable): then why */
    GHashTable *statements; /* (owned): HpDbStmt by its literal */
    gboolean writer;
    gboolean in_snapshot;
    gboolean group_failed; /* writer: an error after which the transaction is lost */
    size_t bound_bytes;    /* text and blobs bound since it was last set to 0 */
    int wal_pages;         /* writer: frames in the WAL after the last commit */
};

struct _HpDb {
    char *path;                    /* (owned) */
    char *name;                    /* (owned): its last part, for messages */
    const char *const *migrations; /* (unowned) */
    guint n_migrations;
    guint32 application_id;
    gboolean salvage; /* damaged when it was opened: only reads, as far as they go */

    HpLock lock;
    HpCond work_came;   /* a request or the end, for the writer */
    HpCond reader_came; /* a reader was given back */
    HpDbRequest *first; /* (unowned) (nullable): guarded by lock; on its caller's stack */
    HpDbRequest *last;  /* (unowned) (nullable): guarded by lock */
    gboolean writable;  /* guarded by lock */
    gboolean closing;   /* guarded by lock */
    HpDbStats stats;    /* guarded by lock */
    GPtrArray *idle; /* (owned): HpDbConn, guarded by lock; the last used is the last */
    guint n_readers; /* guarded by lock: idle and lent */

    HpDbConn *conn;       /* (owned) (nullable): the writer's */
    HpThread *thread;     /* (owned) (nullable) */
    pthread_t thread_id;  /* of the writer, guarded by lock */
    int checkpoint_pages; /* writer: WAL length at which to checkpoint next */
    gboolean untidy;      /* writer: committed since the last tidying */
};

/* hp-sqlite-conn.c */

/* A connection without handle: hp_db_conn_open() or hp_db_conn_new_failed() fill it. */
HpDbConn *hp_db_conn_new(HpDb *db, gboolean writer);
void hp_db_conn_free(HpDbConn *conn);

/* Sets @error from @code and the connection's message; notes damage. Always %FALSE. */
gboolean hp_db_conn_fail(HpDbConn *conn, int code, GError **error);

/* Runs SQL of ours that gives no rows that matter, from a literal without parameters. */
gboolean hp_db_conn_exec(HpDbConn *conn, const char *sql, GError **error);

/* Ends all statements that still have rows to give, and forgets what was bound. */
void hp_db_conn_reset(HpDbConn *conn);

/* hp-sqlite-open.c */

/* Opens @conn's handle and sets what every connection needs. */
gboolean hp_db_conn_open(HpDbConn *conn, GError **error);

/* Makes the writer's connection ready: identity, modes, schema. */
gboolean hp_db_prepare_writer(HpDbConn *conn, GError **error);

/* Makes sure that @path is a plain file with mode 0600, with these flags for open(). */
gboolean hp_db_make_private(const char *path, int flags, GError **error);

/* Makes the names in the folder of @path durable. */
gboolean hp_db_sync_folder(const char *path, GError **error);

/* %TRUE if what is left of a damaged database is ours and of this version. */
gboolean hp_db_can_salvage(HpDbConn *conn);

/* %TRUE if the schema is not the one that the migrations make. */
gboolean hp_db_has_foreign_schema(HpDbConn *conn);

/* hp-sqlite-writer.c */

/* The writer thread's main function; @db is the HpDb. */
void hp_db_writer_main(gpointer db);

/* hp-sqlite.c */

/* No more writes from now on; says why in the log, once. Any thread. */
void hp_db_stop_writes(HpDb *self, const char *why);

/* Takes an idle reader out of the pool, for hp_db_conn_free(); %NULL if there is none. */
HpDbConn *hp_db_take_idle(HpDb *self);
