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
    char *arrived;     /* (owned): list_arrived() when they were found */
    gboolean is_stale; /* out: mail has come */
} Pruning;

/* Another text whenever an entry has come since: which uid is next in each mailbox.
 * (transfer full) (nullable) */
static char *
list_arrived(HpDbConn *conn, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT ifnull(group_concat(id || ':' || uidnext), '') FROM mailbox", "");
    char *arrived = hp_db_step(stmt, error) ? hp_db_dup_text(stmt, 0) : NULL;

    hp_db_reset(stmt);
    return arrived;
}

/* One walk over both tables: 100,000 messages take some 100 ms of a reader, and no lock
 * of the writer. */
static gboolean
find_unneeded(HpStore *self, GArray *hashes, char **ret_arrived, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt;

    if (!hp_db_begin_snapshot(conn, error))
        return FALSE;
    *ret_arrived = list_arrived(conn, error);
    if (*ret_arrived == NULL)
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
    g_autofree char *arrived = list_arrived(conn, error);

    if (arrived == NULL)
        return FALSE;
    self->is_stale = !g_str_equal(arrived, self->arrived);
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
    g_free(work.arrived);
}
