#include "hp-log.h"
#include "hp-queue-private.h"

#define HISTORY_USEC (90 * G_TIME_SPAN_DAY)
#define PRUNE_BATCH  200
#define KEEP_STAGED  200 /* most mail is delivered before it ever needs a file */

typedef struct {
    gint64 before_usec;
    guint n; /* out */
} Prune;

static gboolean
prune_one(HpDbConn *conn, gint64 row, GError **error)
{
    return hp_db_run(
               conn, error,
               "INSERT OR IGNORE INTO retired SELECT name FROM message WHERE id = ?1",
               "i", row) &&
           hp_db_run(conn, error, "DELETE FROM event WHERE message = ?1", "i", row) &&
           hp_db_run(conn, error, "DELETE FROM attempt WHERE message = ?1", "i", row) &&
           hp_db_run(conn, error, "DELETE FROM recipient WHERE message = ?1", "i", row) &&
           hp_db_run(conn, error, "DELETE FROM message WHERE id = ?1", "i", row);
}

static gboolean
prune_work(HpDbConn *conn, gpointer data, GError **error)
{
    Prune *prune = data;
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT id FROM message WHERE finished < ?1"
                                 " AND NOT EXISTS (SELECT 1 FROM handover h"
                                 "  WHERE h.message = message.id) LIMIT ?2",
                                 "ii", prune->before_usec, (gint64)PRUNE_BATCH);

    while (hp_db_step(stmt, &failure)) {
        gint64 row = hp_db_int(stmt, 0);

        g_array_append_val(rows, row);
    }
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    for (guint i = 0; i < rows->len; i++)
        if (!prune_one(conn, g_array_index(rows, gint64, i), error))
            return FALSE;
    prune->n = rows->len;
    return TRUE;
}

static void
prune_history(HpQueue *self)
{
    Prune prune = { hp_clock_now_usec(self->clock, HP_CLOCK_WALL) - HISTORY_USEC, 0 };
    g_autoptr(GError) error = NULL;

    do {
        if (!hp_db_write(self->db, prune_work, &prune, &error)) {
            hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not prune the history: %s",
                   error->message);
            return;
        }
    } while (prune.n == PRUNE_BATCH);
}

/* A step; %TRUE if there may be more. */
static gboolean
unstage(HpQueue *self)
{
    g_autoptr(GError) error = NULL;
    guint moved = 0;

    if (!hp_contents_unstage(self->contents, KEEP_STAGED, &moved, &error))
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING,
               "could not move messages into files: %s", error->message);
    return moved == HP_CONTENT_UNSTAGE_MAX;
}

gboolean
hp_queue_upkeep(HpQueue *self)
{
    g_autoptr(GError) error = NULL;

    if (!hp_db_is_writable(self->db))
        return FALSE;
    prune_history(self);
    if (unstage(self))
        return TRUE;
    if (!hp_contents_erase(self->contents, &error))
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not remove old files: %s",
               error->message);
    return hp_db_tidy(self->db);
}
