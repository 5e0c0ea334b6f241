/* Which conversation a message id belongs to (RFC 8474 §5.2) is forgotten when the last
 * message of the conversation is gone. */
#include "hp-log.h"
#include "hp-store-private.h"

#define BATCH 1000 /* rows of one transaction */

/* Some of the rows that nobody needs, as long as no mail has come since they were found:
 * it might belong to one of those conversations. */
typedef struct {
    const GArray *hashes; /* (unowned): gint64 */
    guint from;
    gint64 arrived;    /* count_arrived() when they were found */
    gboolean is_stale; /* out: mail has come */
} Pruning;

/* A number that grows with each content: only a new one can join a conversation by its
 * ids. */
static gboolean
count_arrived(HpDbConn *conn, gint64 *ret_arrived, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT seq FROM sqlite_sequence WHERE name = 'content'", "");
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure))
        *ret_arrived = hp_db_int(stmt, 0);
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* One walk over both tables: 100,000 messages take some 100 ms of a reader, and no lock
 * of the writer. */
static gboolean
find_unneeded(HpStore *self, GArray *hashes, gint64 *ret_arrived, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt;

    if (!hp_db_begin_snapshot(conn, error) || !count_arrived(conn, ret_arrived, error))
        return FALSE;
    stmt = hp_db_query(conn,
                       "SELECT hash FROM message_id"
                       " WHERE thread NOT IN (SELECT thread FROM entry)",
                       "");
    while (hp_db_step(stmt, &failure)) {
        gint64 hash = hp_db_int(stmt, 0);

        g_array_append_val(hashes, hash);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
prune(HpDbConn *conn, gpointer data, GError **error)
{
    Pruning *self = data;
    gint64 arrived = 0;

    if (!count_arrived(conn, &arrived, error))
        return FALSE;
    self->is_stale = arrived != self->arrived;
    for (guint i = self->from;
         !self->is_stale && i < self->hashes->len && i < self->from + BATCH; i++)
        if (!hp_db_run(conn, error, "DELETE FROM message_id WHERE hash = ?1", "i",
                       g_array_index(self->hashes, gint64, i)))
            return FALSE;
    return TRUE;
}

void
hp_store_prune_threads(HpStore *self)
{
    g_autoptr(GArray) hashes = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GError) error = NULL;
    Pruning work = { .hashes = hashes };
    gboolean done = find_unneeded(self, hashes, &work.arrived, &error);

    for (; done && !work.is_stale && work.from < hashes->len; work.from += BATCH)
        done = hp_db_write(self->db, prune, &work, &error);
    if (!done)
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "conversations that are gone are still remembered: %s", error->message);
}
