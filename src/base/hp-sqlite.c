#include "hp-sqlite.h"

#include "hp-log.h"
#include "hp-sqlite-private.h"

#define READERS_MAX 4

G_DEFINE_QUARK(hp_db_error, hp_db_error)

static HpDb *
new_db(const HpDbSpec *spec)
{
    HpDb *self = g_new0(HpDb, 1);

    self->path = g_strdup(spec->path);
    self->name = g_path_get_basename(spec->path);
    self->migrations = spec->migrations;
    while (spec->migrations[self->n_migrations] != NULL)
        self->n_migrations++;
    self->application_id = spec->application_id;
    self->writable = TRUE;
    self->idle = g_ptr_array_new();
    hp_lock_init(&self->lock);
    hp_cond_init(&self->work_came);
    hp_cond_init(&self->reader_came);
    return self;
}

static void
free_db(HpDb *self)
{
    g_assert(self->n_readers == self->idle->len); /* all have been given back */
    for (guint i = 0; i < self->idle->len; i++)
        hp_db_conn_free(self->idle->pdata[i]);
    g_ptr_array_free(self->idle, TRUE);
    if (self->conn != NULL) {
        /* After an I/O error the WAL is evidence; closing must not touch it. */
        if (!self->writable && self->conn->handle != NULL)
            sqlite3_db_config(self->conn->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                              NULL);
        hp_db_conn_free(self->conn);
    }
    hp_cond_clear(&self->reader_came);
    hp_cond_clear(&self->work_came);
    hp_lock_clear(&self->lock);
    g_free(self->name);
    g_free(self->path);
    g_free(self);
}

/* Of a damaged database whatever is left can be read, if it is ours. */
static gboolean
salvage(HpDb *self)
{
    g_autoptr(HpDbConn) conn = NULL;

    self->salvage = TRUE;
    conn = hp_db_lease(self);
    return hp_db_can_salvage(conn);
}

static gboolean
start(HpDb *self, const HpDbSpec *spec, GError **error)
{
    g_autoptr(GError) failure = NULL;

    self->conn = hp_db_conn_new(self, TRUE);
    if (hp_db_prepare_writer(self->conn, &failure)) {
        self->thread = hp_thread_start(spec->thread_name, hp_db_writer_main, self, error);
        return self->thread != NULL;
    }
    hp_db_conn_free(self->conn);
    self->conn = NULL;
    if (g_error_matches(failure, HP_DB_ERROR, HP_DB_ERROR_DAMAGED) && salvage(self)) {
        hp_db_stop_writes(self, failure->message);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

HpDb *
hp_db_open(const HpDbSpec *spec, GError **error)
{
    HpDb *self = new_db(spec);

    if (start(self, spec, error))
        return self;
    free_db(self);
    return NULL;
}

static void
tell_to_end(HpDb *self)
{
    HP_LOCKED(&self->lock);

    self->closing = TRUE;
    hp_cond_signal(&self->work_came);
}

void
hp_db_close(HpDb *self)
{
    tell_to_end(self);
    if (self->thread != NULL)
        hp_thread_join(self->thread);
    free_db(self);
}

/* %TRUE if it was this call that stopped them. */
static gboolean
clear_writable(HpDb *self)
{
    HP_LOCKED(&self->lock);
    gboolean was = self->writable;

    self->writable = FALSE;
    return was;
}

void
hp_db_stop_writes(HpDb *self, const char *why)
{
    if (clear_writable(self))
        hp_log("sqlite", NULL, G_LOG_LEVEL_WARNING, "%s takes no more changes: %s",
               self->name, why);
}

gboolean
hp_db_is_writable(HpDb *self)
{
    HP_LOCKED(&self->lock);

    return self->writable;
}

void
hp_db_get_stats(HpDb *self, HpDbStats *ret_stats)
{
    HP_LOCKED(&self->lock);

    *ret_stats = self->stats;
}

static gboolean
enqueue(HpDb *self, HpDbRequest *request)
{
    HP_LOCKED(&self->lock);

    if (!self->writable)
        return FALSE;
    g_assert(!self->closing);
    /* From an HpDbWork it would wait for itself. */
    g_assert(!pthread_equal(self->thread_id, pthread_self()));
    if (self->last != NULL)
        self->last->next = request;
    else
        self->first = request;
    self->last = request;
    self->stats.waiting++;
    hp_cond_signal(&self->work_came);
    return TRUE;
}

static void
wait_for_answer(HpDbRequest *request)
{
    HP_LOCKED(&request->lock);

    while (!request->done)
        hp_cond_wait_until(&request->answered, &request->lock, -1);
}

static gboolean
submit(HpDb *self, HpDbRequest *request, GError **error)
{
    hp_lock_init(&request->lock);
    hp_cond_init(&request->answered);
    if (enqueue(self, request))
        wait_for_answer(request);
    else
        g_set_error(&request->error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY,
                    "%s takes no more changes", self->name);
    hp_cond_clear(&request->answered);
    hp_lock_clear(&request->lock);
    if (request->error != NULL)
        g_propagate_error(error, request->error);
    return request->ok;
}

gboolean
hp_db_write(HpDb *self, HpDbWork work, gpointer data, GError **error)
{
    HpDbRequest request = { .work = work, .data = data };

    return submit(self, &request, error);
}

gboolean
hp_db_write_big(HpDb *self, HpDbWork work, gpointer data, GError **error)
{
    HpDbRequest request = { .work = work, .data = data, .alone = TRUE };

    return submit(self, &request, error);
}

gboolean
hp_db_write_change(HpDb *self, const HpDbChange *change, GError **error)
{
    HpDbRequest request = { .work = change->work,
                            .committed = change->committed,
                            .data = change->data,
                            .alone = change->big };

    return submit(self, &request, error);
}

gboolean
hp_db_tidy(HpDb *self)
{
    HpDbRequest request = { .alone = TRUE };

    submit(self, &request, NULL);
    return request.more;
}

/* An idle reader, or %NULL and the right to open one more. */
static HpDbConn *
wait_for_reader(HpDb *self)
{
    HP_LOCKED(&self->lock);

    while (self->idle->len == 0 && self->n_readers == READERS_MAX)
        hp_cond_wait_until(&self->reader_came, &self->lock, -1);
    if (self->idle->len > 0)
        return g_ptr_array_steal_index_fast(self->idle, self->idle->len - 1);
    self->n_readers++;
    return NULL;
}

HpDbConn *
hp_db_lease(HpDb *self)
{
    HpDbConn *conn = wait_for_reader(self);

    if (conn != NULL)
        return conn;
    conn = hp_db_conn_new(self, FALSE);
    if (!hp_db_conn_open(conn, &conn->failure)) {
        sqlite3_close(conn->handle);
        conn->handle = NULL; /* every query will say why */
    }
    return conn;
}

HpDbConn *
hp_db_take_idle(HpDb *self)
{
    HP_LOCKED(&self->lock);

    if (self->idle->len == 0)
        return NULL;
    self->n_readers--;
    return g_ptr_array_steal_index_fast(self->idle, self->idle->len - 1);
}

/* One that could not be opened is not kept: the next lease tries again. */
static void
take_back(HpDb *self, HpDbConn *conn)
{
    HP_LOCKED(&self->lock);

    if (conn->failure == NULL)
        g_ptr_array_add(self->idle, conn);
    else
        self->n_readers--;
    hp_cond_signal(&self->reader_came);
}

void
hp_db_return(HpDbConn *conn)
{
    gboolean failed = conn->failure != NULL;

    g_assert(!conn->writer);
    hp_db_conn_reset(conn);
    if (conn->in_snapshot)
        hp_db_run(conn, NULL, "ROLLBACK", "");
    conn->in_snapshot = FALSE;
    take_back(conn->db, conn);
    if (failed)
        hp_db_conn_free(conn);
}

gboolean
hp_db_begin_snapshot(HpDbConn *conn, GError **error)
{
    g_assert(!conn->in_snapshot);
    if (!hp_db_run(conn, error, "BEGIN", ""))
        return FALSE;
    conn->in_snapshot = TRUE;
    return TRUE;
}
