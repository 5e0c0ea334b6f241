/* The writer thread: one transaction for all that wait. */
#include "hp-sqlite-private.h"

#include "hp-log.h"

#define GROUP_REQUESTS    64                        /* most requests in one transaction */
#define GROUP_ROWS        1000                      /* ends a group early */
#define GROUP_BYTES       ((size_t)4 * 1024 * 1024) /* the same */
#define CHECKPOINT_PAGES  1024                      /* 4 MiB of WAL */
#define TIDY_AFTER_USEC   ((gint64)10 * G_USEC_PER_SEC)     /* of rest */
#define TIDY_STEP         "PRAGMA incremental_vacuum(1024)" /* pages at once */
#define TRUNCATE_WAIT_MS  50                                /* for readers */
#define SAVEPOINT_BEGIN   "SAVEPOINT request"
#define SAVEPOINT_KEEP    "RELEASE request"
#define SAVEPOINT_DISCARD "ROLLBACK TO request"

typedef enum {
    TAKEN_GROUP,
    TAKEN_NOTHING, /* it has been quiet for long enough to tidy */
    TAKEN_END,
} Taken;

/* Called with the lock held. */
static HpDbRequest *
pop(HpDb *self)
{
    HpDbRequest *request = self->first;

    self->first = request->next;
    if (self->first == NULL)
        self->last = NULL;
    self->stats.waiting--;
    request->next = NULL;
    return request;
}

/* Waits for requests and takes all there are, oldest first: up to GROUP_REQUESTS, or one
 * that wants to be alone. No artificial delay: while one group is being made durable, the
 * next one gathers by itself. */
static Taken
take_group(HpDb *self, GPtrArray *group)
{
    gint64 tidy_at = self->untidy ? g_get_monotonic_time() + TIDY_AFTER_USEC : -1;
    HP_LOCKED(&self->lock);

    while (self->first == NULL && !self->closing)
        if (!hp_cond_wait_until(&self->work_came, &self->lock, tidy_at))
            return TAKEN_NOTHING;
    if (self->first == NULL)
        return TAKEN_END;
    do {
        g_ptr_array_add(group, pop(self));
    } while (self->first != NULL && group->len < GROUP_REQUESTS && !self->first->alone &&
             !((HpDbRequest *)group->pdata[0])->alone);
    return TAKEN_GROUP;
}

static void
answer(HpDbRequest *request)
{
    HP_LOCKED(&request->lock);

    request->done = TRUE;
    hp_cond_signal(&request->answered);
}

static void
refuse(HpDbRequest *request, const GError *error)
{
    request->ok = FALSE;
    if (request->error == NULL)
        request->error = g_error_copy(error);
}

static gboolean
is_in_transaction(HpDbConn *conn)
{
    return sqlite3_get_autocommit(conn->handle) == 0;
}

/* Ends the savepoint of a request, with or without what it did. */
static gboolean
end_savepoint(HpDbConn *conn, gboolean keep, GError **error)
{
    return (keep || hp_db_run(conn, error, SAVEPOINT_DISCARD, "")) &&
           hp_db_run(conn, error, SAVEPOINT_KEEP, "");
}

/* Runs one request in its own savepoint; what it did is gone if it failed. A request that
 * is alone needs none, as its transaction is rolled back then; and every statement with a
 * foreign key would walk through the savepoint's journal, which took 92 s instead of 1 s
 * for deleting 100,000 messages. */
static void
run_request(HpDbConn *conn, HpDbRequest *request)
{
    GError *error = NULL;
    gboolean ok = (request->alone || hp_db_run(conn, &error, SAVEPOINT_BEGIN, "")) &&
                  request->work(conn, request->data, &error);

    hp_db_conn_reset(conn);
    if (!is_in_transaction(conn))
        conn->group_failed = TRUE;
    if (!request->alone && !conn->group_failed)
        ok = end_savepoint(conn, ok, error == NULL ? &error : NULL) && ok;
    request->ok = ok && !conn->group_failed;
    if (!request->ok && error == NULL)
        g_set_error(&error, HP_DB_ERROR, HP_DB_ERROR_FAILED,
                    "%s: the change was given up", conn->db->name);
    request->error = error;
}

static void
roll_back(HpDbConn *conn)
{
    if (is_in_transaction(conn))
        hp_db_run(conn, NULL, "ROLLBACK", "");
    conn->group_failed = FALSE;
}

/* The first error in the group: why all of it is refused. */
static GError *
reason_of(HpDb *self, HpDbRequest *const *group, guint n)
{
    for (guint i = 0; i < n; i++)
        if (group[i]->error != NULL && group[i]->error->domain == HP_DB_ERROR)
            return g_error_copy(group[i]->error);
    return g_error_new(HP_DB_ERROR, HP_DB_ERROR_FAILED, "%s: the transaction was lost",
                       self->name);
}

/* SQLITE_FULL from COMMIT means that a write to the WAL failed, so that the commit record
 * is not whole and no recovery will ever find it: that is a refusal, and deleting must go
 * on. So is a deferred constraint. After any other error (a failed fsync above all)
 * nobody knows what is on disk. */
static void
fail_commit(HpDb *self, GError *error)
{
    self->conn->group_failed = TRUE;
    if (error->code == HP_DB_ERROR_FULL || error->code == HP_DB_ERROR_CONSTRAINT)
        return;
    error->code = HP_DB_ERROR_UNKNOWN;
    hp_db_stop_writes(self, "a commit failed");
}

static void
count_commit(HpDb *self, guint requests)
{
    HP_LOCKED(&self->lock);

    self->stats.commits++;
    self->stats.requests += requests;
}

/* Ends the transaction; sets the answers, but gives none. */
static void
end_group(HpDb *self, HpDbRequest *const *group, guint n)
{
    HpDbConn *conn = self->conn;
    g_autoptr(GError) error = NULL;
    guint good = 0;

    for (guint i = 0; i < n; i++)
        good += group[i]->ok;
    if (conn->group_failed)
        error = reason_of(self, group, n);
    else if (good > 0 && !hp_db_run(conn, &error, "COMMIT", ""))
        fail_commit(self, error);
    if (error == NULL && good > 0) {
        count_commit(self, good);
        self->untidy = TRUE;
        return;
    }
    roll_back(conn);
    for (guint i = 0; error != NULL && i < n; i++)
        refuse(group[i], error);
}

/* Runs requests in one transaction until it is large enough. Returns how many. */
static guint
run_transaction(HpDb *self, HpDbRequest *const *group, guint n)
{
    HpDbConn *conn = self->conn;
    sqlite3_int64 rows = sqlite3_total_changes64(conn->handle);
    g_autoptr(GError) error = NULL;
    guint done = 0;

    conn->group_failed = FALSE;
    conn->bound_bytes = 0;
    if (!hp_db_is_writable(self))
        g_set_error(&error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY,
                    "%s takes no more changes", self->name);
    if (error != NULL || !hp_db_run(conn, &error, "BEGIN IMMEDIATE", "")) {
        for (guint i = 0; i < n; i++)
            refuse(group[i], error);
        return n;
    }
    while (done < n && !conn->group_failed && conn->bound_bytes < GROUP_BYTES &&
           sqlite3_total_changes64(conn->handle) - rows < GROUP_ROWS)
        run_request(conn, group[done++]);
    end_group(self, group, done);
    return done;
}

/* After an error of the disk nothing more is written: what SQLite would try again is an
 * fsync that has failed. */
static void
fail_checkpoint(HpDb *self, int code)
{
    g_autoptr(GError) error = NULL;

    hp_db_conn_fail(self->conn, code, &error);
    hp_log("sqlite", NULL, G_LOG_LEVEL_WARNING, "checkpoint: %s", error->message);
}

/* Moves the WAL into the database, without waiting for readers. Where one of them still
 * needs the old pages the WAL grows on; then the next try comes after as much again, not
 * with every commit. */
static void
checkpoint(HpDb *self)
{
    int in_wal = 0;
    int code = sqlite3_wal_checkpoint_v2(self->conn->handle, NULL,
                                         SQLITE_CHECKPOINT_PASSIVE, &in_wal, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        fail_checkpoint(self, code);
    self->checkpoint_pages = MAX(in_wal, self->conn->wal_pages) + CHECKPOINT_PAGES;
}

static gboolean
is_waited_for(HpDb *self)
{
    HP_LOCKED(&self->lock);

    return self->first != NULL || self->closing;
}

static gint64
count_free_pages(HpDbConn *conn)
{
    HpDbStmt *stmt = hp_db_query(conn, "PRAGMA freelist_count", "");
    gint64 pages = hp_db_step(stmt, NULL) ? hp_db_int(stmt, 0) : 0;

    hp_db_reset(stmt);
    return pages;
}

/* %TRUE if there are more; not without progress, because a damaged list of free pages may
 * never get shorter. */
static gboolean
give_pages_back(HpDb *self)
{
    gint64 before = count_free_pages(self->conn);
    gint64 pages = before;

    if (before > 0 && hp_db_run(self->conn, NULL, TIDY_STEP, ""))
        pages = count_free_pages(self->conn);
    return pages > 0 && pages < before;
}

static void
release_memory(HpDb *self)
{
    HpDbConn *reader;

    while ((reader = hp_db_take_idle(self)) != NULL)
        hp_db_conn_free(reader);
    sqlite3_db_release_memory(self->conn->handle);
}

/* Readers hold their connections for a batch only, so a short wait is enough. %FALSE if
 * one of them was in the way for longer; after an error it is tried with the next commit.
 */
static gboolean
truncate_wal(HpDb *self)
{
    int code;

    sqlite3_busy_timeout(self->conn->handle, TRUNCATE_WAIT_MS);
    code = sqlite3_wal_checkpoint_v2(self->conn->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                     NULL, NULL);
    sqlite3_busy_timeout(self->conn->handle, HP_DB_BUSY_MS);
    if (code == SQLITE_OK) {
        self->conn->wal_pages = 0;
        self->checkpoint_pages = CHECKPOINT_PAGES;
    } else if (code != SQLITE_BUSY) {
        fail_checkpoint(self, code);
    }
    return code != SQLITE_BUSY;
}

/* In steps, so that whoever comes meanwhile waits for one of them at most. %TRUE if there
 * are more. */
static gboolean
tidy_step(HpDb *self)
{
    self->untidy = FALSE;
    if (!hp_db_is_writable(self))
        return FALSE;
    if (give_pages_back(self)) {
        self->untidy = TRUE;
        return TRUE;
    }
    self->untidy = !truncate_wal(self);
    if (!self->untidy)
        release_memory(self);
    return FALSE;
}

/* Gives way to requests that come meanwhile. */
static void
tidy(HpDb *self)
{
    while (!is_waited_for(self) && tidy_step(self))
        continue;
}

static void
serve(HpDb *self, GPtrArray *group)
{
    HpDbRequest **requests = (HpDbRequest **)group->pdata;
    guint done = 0;

    while (done < group->len) {
        guint n = 1;

        if (requests[done]->work == NULL) {
            requests[done]->more = tidy_step(self);
            requests[done]->ok = TRUE;
        } else {
            n = run_transaction(self, requests + done, group->len - done);
        }
        for (guint i = done; i < done + n; i++) {
            if (requests[i]->ok && requests[i]->committed != NULL)
                requests[i]->committed(requests[i]->data);
            answer(requests[i]);
        }
        done += n;
    }
    /* After the answers: nobody waits for a checkpoint that has not asked since. */
    if (self->conn->wal_pages >= self->checkpoint_pages && hp_db_is_writable(self))
        checkpoint(self);
}

static int
note_wal_pages(void *data, sqlite3 *handle, const char *database, int pages)
{
    HpDbConn *conn = data;

    if (pages < conn->wal_pages) /* it has begun anew */
        conn->db->checkpoint_pages = CHECKPOINT_PAGES;
    conn->wal_pages = pages;
    return SQLITE_OK;
}

static void
remember_thread(HpDb *self)
{
    HP_LOCKED(&self->lock);

    self->thread_id = pthread_self();
}

void
hp_db_writer_main(gpointer db)
{
    HpDb *self = db;
    g_autoptr(GPtrArray) group = g_ptr_array_sized_new(GROUP_REQUESTS);
    Taken taken;

    remember_thread(self);
    self->checkpoint_pages = CHECKPOINT_PAGES;
    sqlite3_wal_hook(self->conn->handle, note_wal_pages, self->conn);
    while ((taken = take_group(self, group)) != TAKEN_END) {
        if (taken == TAKEN_NOTHING)
            tidy(self);
        else
            serve(self, group);
        g_ptr_array_set_size(group, 0);
    }
}
