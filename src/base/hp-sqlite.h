/* hp-sqlite: one SQLite database with a writer thread that groups commits, a pool of
 * readers, and migrations.
 *
 * The rules are those of docs/architecture.md: WAL, synchronous=FULL, bound parameters
 * only; everything that waits when the writer wakes goes into one transaction (at most 64
 * requests), each request in its own SAVEPOINT, and is answered after the one COMMIT.
 *
 * Threads: HpDb any; an HpDbConn belongs to the thread that has it leased, or to the
 * writer inside an HpDbWork.
 */
#pragma once

#include "hp-slice.h"

#include <gio/gio.h>

#define HP_DB_ERROR (hp_db_error_quark())
GQuark hp_db_error_quark(void);

/**
 * HpDbError:
 * @HP_DB_ERROR_FAILED: refused, nothing was changed
 * @HP_DB_ERROR_FULL: refused, the disk is full; deleting still works
 * @HP_DB_ERROR_CONSTRAINT: refused by UNIQUE or another constraint
 * @HP_DB_ERROR_UNKNOWN: the COMMIT failed: what was asked may or may not be there; the
 *    database takes no more writes until it is opened anew
 * @HP_DB_ERROR_READ_ONLY: the database takes no writes (damaged, or after an I/O error)
 * @HP_DB_ERROR_NEWER: a newer program made this database
 * @HP_DB_ERROR_DAMAGED: what was asked for cannot be read any more
 * @HP_DB_ERROR_NOT_FOUND: it was looked for, and is not there; never a failure of SQLite
 */
typedef enum {
    HP_DB_ERROR_FAILED,
    HP_DB_ERROR_FULL,
    HP_DB_ERROR_CONSTRAINT,
    HP_DB_ERROR_UNKNOWN,
    HP_DB_ERROR_READ_ONLY,
    HP_DB_ERROR_NEWER,
    HP_DB_ERROR_DAMAGED,
    HP_DB_ERROR_NOT_FOUND,
} HpDbError;

typedef struct _HpDb HpDb;
typedef struct _HpDbConn HpDbConn;
typedef struct _HpDbStmt HpDbStmt;

/* What a database must look like. */
typedef struct {
    const char *path;       /* (unowned): absolute; the folder is private already */
    guint32 application_id; /* PRAGMA application_id; another one is refused */
    const char *const *migrations; /* (unowned): static, %NULL-terminated; script i leads
                                      from PRAGMA user_version i to i + 1 */
    const char *thread_name;       /* (unowned): name of the writer thread */
} HpDbSpec;

/**
 * hp_db_prepare_process:
 *
 * Makes SQLite frugal: no pages in advance for each connection, and no counting of
 * memory, whose lock every allocation of every thread would take. Call it before the
 * first database is opened and before other threads run; later it changes nothing.
 */
void hp_db_prepare_process(void);

/**
 * hp_db_open:
 * @spec: read only during the call
 * @error: #HP_DB_ERROR, or #G_FILE_ERROR
 *
 * Opens or makes the database (0600), brings its schema up to date (a copy, PATH.vN with
 * the old version N, is made before the first migration of existing data) and starts the
 * writer. Another program's database and a newer schema are refused untouched. A damaged
 * database opens for reading if anything of it can be read; hp_db_is_writable() tells.
 *
 * Returns: (transfer full) (nullable): the database
 */
HpDb *hp_db_open(const HpDbSpec *spec, GError **error);

/* Finishes what waits, truncates the WAL, closes. No other thread may use it any more. */
void hp_db_close(HpDb *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDb, hp_db_close)

/**
 * HpDbWork:
 * @conn: the writer's connection, inside a transaction and a savepoint of its own
 * @error: set on failure; the savepoint is then rolled back
 *
 * Runs on the writer thread and must only read and write the database: no locks, no
 * network, no waiting. It may run and still not be committed, so effects outside the
 * database belong after hp_db_write() has returned %TRUE.
 */
typedef gboolean (*HpDbWork)(HpDbConn *conn, gpointer data, GError **error);

/**
 * hp_db_write:
 * @work: what to do
 * @data: (nullable): passed to it
 * @error: #HP_DB_ERROR, or what @work gave
 *
 * Has @work run by the writer and waits until it is committed and durable. Blocks for
 * about one fsync, shared with all others who wait. Not to be called from an HpDbWork or
 * from the main thread's event handlers.
 *
 * Returns: %TRUE if it is on disk
 */
gboolean hp_db_write(HpDb *self, HpDbWork work, gpointer data, GError **error);

/**
 * hp_db_write_big:
 *
 * hp_db_write() for a @work that changes more than about 1,000 rows or 4 MiB: it gets a
 * transaction of its own, so that nobody else waits for it to be prepared.
 */
gboolean hp_db_write_big(HpDb *self, HpDbWork work, gpointer data, GError **error);

/* Runs on the writer thread after the COMMIT and before the write returns, in the order
 * of the commits; not if the write was refused. It must not block nor use the database.
 */
typedef void (*HpDbCommitted)(gpointer data);

typedef struct {
    HpDbWork work;
    HpDbCommitted committed; /* (nullable) */
    gpointer data;           /* (nullable): passed to both */
    gboolean big;            /* as hp_db_write_big() */
} HpDbChange;

/* hp_db_write() for what others must hear of in the order in which it happened. */
gboolean hp_db_write_change(HpDb *self, const HpDbChange *change, GError **error);

typedef struct {
    const char *path;         /* (unowned): of the copy, durable when it is there */
    const char *const *spare; /* (unowned): tables that stay empty, %NULL-terminated */
    gboolean
        salvage; /* a table that cannot be read to its end is copied as far as it goes */
    const char
        *older; /* (unowned) (nullable): path of a copy that fills such a table up */
    /* SQL of ours that puts a salvaged copy right before it is there. In @compare the
     * older one, if there is one, is "older"; what fails of it is left out. */
    const char *compare; /* (unowned) (nullable) */
    const char *mend;    /* (unowned) (nullable) */
} HpDbCopy;

/* A copy of all that is in the database at this moment, without its free pages. Blocks;
 * any thread but an HpDbWork; writes go on meanwhile. An older copy of that name is
 * replaced when the new one is whole. @error: #HP_DB_ERROR or #G_FILE_ERROR */
gboolean hp_db_copy(HpDb *self, const HpDbCopy *copy, GError **error);

/* What `PRAGMA quick_check` says, or integrity_check if @full: (transfer full)
 * (element-type utf8): empty if all is well, at most 100 lines. @cancel: (nullable): ends
 * it early, with what was found until then. */
GPtrArray *hp_db_check(HpDb *self, gboolean full, GCancellable *cancel);

/* %FALSE once the database takes no more writes; status shows it as read_only. */
gboolean hp_db_is_writable(HpDb *self);

/* A step of giving free pages back to the file system (4 MiB); the last one also empties
 * the WAL and lets go of cached memory, so that nothing of deleted mail stays behind.
 * %TRUE if there is more to do. The writer does it by itself once, 10 s after the last
 * commit. Any thread but an HpDbWork; blocks. */
gboolean hp_db_tidy(HpDb *self);

typedef struct {
    guint64 commits;  /* transactions committed since it was opened */
    guint64 requests; /* requests that were committed in them */
    guint waiting;    /* requests that wait for the writer now */
} HpDbStats;

/* For metrics and tests. */
void hp_db_get_stats(HpDb *self, HpDbStats *ret_stats);

/**
 * hp_db_lease:
 *
 * Lends one of the reading connections (waits while all 4 are out). Hold it for one
 * batch only (at most 256 rows or 256 KiB), never across a socket, a lock or a wait: an
 * open read pins the WAL. Each statement reads its own snapshot unless between
 * hp_db_begin_snapshot() and the return.
 *
 * Returns: (transfer full): to be given back with hp_db_return()
 */
HpDbConn *hp_db_lease(HpDb *self);

/* Gives it back; statements are reset, a snapshot ends. */
void hp_db_return(HpDbConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDbConn, hp_db_return)

/* Lets all statements of this lease see the same state. */
gboolean hp_db_begin_snapshot(HpDbConn *conn, GError **error);

/**
 * hp_db_query:
 * @sql: one statement, a literal string (it is the key under which the prepared
 *    statement is kept), with ?1, ?2 ... for the parameters
 * @types: one letter for each parameter: i gint64, s const char * (UTF-8, %NULL is
 *    NULL), b HpSlice by value (blob; data %NULL is NULL), d double, n nothing: NULL
 *    (takes no argument)
 *
 * Binds the parameters (copied) and gets ready to step. A statement that cannot be
 * prepared is a fault of ours and ends the program, except for a damaged database: then
 * the first step fails.
 *
 * Returns: (transfer none): good until the same @sql is queried again or the end of the
 *    lease or work
 */
HpDbStmt *hp_db_query(HpDbConn *conn, const char *sql, const char *types, ...);

/* Next row? %FALSE at the end (then @error is unset) and on failure (then it is set). */
gboolean hp_db_step(HpDbStmt *stmt, GError **error);

/* Columns of the current row, from 0. Text and blobs live until the next step. */
gint64 hp_db_int(HpDbStmt *stmt, int column);
double hp_db_double(HpDbStmt *stmt, int column);
gboolean hp_db_is_null(HpDbStmt *stmt, int column);
const char *hp_db_text(HpDbStmt *stmt, int column); /* (nullable) */
char *hp_db_dup_text(HpDbStmt *stmt, int column);   /* (transfer full) (nullable) */
HpSlice hp_db_blob(HpDbStmt *stmt, int column);

/* Ends the statement early, so that its read ends too. */
void hp_db_reset(HpDbStmt *stmt);

/* hp_db_query() and step to the end: for statements that change something. */
gboolean hp_db_run(HpDbConn *conn, GError **error, const char *sql, const char *types,
                   ...);

/* Row id of the last INSERT, and number of rows changed by the last statement. */
gint64 hp_db_last_id(HpDbConn *conn);
gint64 hp_db_changes(HpDbConn *conn);
