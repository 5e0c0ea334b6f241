/* What happens when nobody asks: retention, moving contents out, tidying. */
#include "hp-log.h"
#include "hp-store-private.h"

#define KEEP_STAGED       1024 /* newest contents that stay in the database */
#define ARRIVAL_KEPT_USEC ((gint64)90 * 24 * 3600 * G_USEC_PER_SEC)

/* Entries that are due, up to 1,000: what goes into one transaction. */
static gboolean
find_due(HpStore *self, gint64 until_usec, GArray *uids, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "SELECT uid FROM entry WHERE mailbox = ?1 AND collected_usec > 0"
                    " AND collected_usec <= ?2 ORDER BY collected_usec LIMIT 1000",
                    "ii", (gint64)HP_STORE_INBOX, until_usec);

    while (hp_db_step(stmt, &failure)) {
        guint32 uid = (guint32)hp_db_int(stmt, 0);

        g_array_append_val(uids, uid);
    }
    return failure == NULL || hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

static gboolean
count_due(HpStore *self, gint64 until_usec, HpStoreCleanup *cleanup, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "SELECT count(*), ifnull(sum(size), 0) FROM entry WHERE mailbox = ?1"
                    " AND collected_usec > 0 AND collected_usec <= ?2",
                    "ii", (gint64)HP_STORE_INBOX, until_usec);

    if (!hp_db_step(stmt, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    cleanup->ret_messages = (guint64)hp_db_int(stmt, 0);
    cleanup->ret_octets = (guint64)hp_db_int(stmt, 1);
    return TRUE;
}

/* Of what was deleted. What cannot be removed now stays on the erase list. */
static void
erase_files(HpStore *self)
{
    g_autoptr(GError) error = NULL;

    if (!hp_store_drop_contents(self, &error) ||
        !hp_contents_erase(self->contents, &error))
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "the files of deleted messages stay for now: %s", error->message);
}

static gboolean
remove_due(HpStore *self, gint64 until_usec, GError **error)
{
    for (;;) {
        g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
        HpStoreUids due = { NULL, 0 };
        guint removed;

        if (!find_due(self, until_usec, uids, error))
            return FALSE;
        if (uids->len == 0)
            return TRUE;
        due = (HpStoreUids){ (const guint32 *)(void *)uids->data, uids->len };
        if (!hp_store_remove(self, HP_STORE_INBOX, due, &removed, error))
            return FALSE;
        if (removed == 0) { /* an index names what is not there */
            g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED,
                        "mail.db is damaged");
            return FALSE;
        }
    }
}

gboolean
hp_store_cleanup(HpStore *self, HpStoreCleanup *cleanup, gboolean dry_run, GError **error)
{
    gint64 until = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) -
                   cleanup->pop3_retention_sec * G_USEC_PER_SEC;

    cleanup->ret_messages = 0;
    cleanup->ret_octets = 0;
    if (cleanup->pop3_retention_sec <= 0)
        return TRUE;
    if (!count_due(self, until, cleanup, error))
        return FALSE;
    if (dry_run || cleanup->ret_messages == 0)
        return TRUE;
    if (!remove_due(self, until, error))
        return FALSE;
    erase_files(self);
    return TRUE;
}

gint64
hp_store_next_cleanup_usec(HpStore *self, gint64 pop3_retention_sec)
{
    g_autoptr(HpDbConn) conn = NULL;
    HpDbStmt *stmt;

    if (pop3_retention_sec <= 0)
        return G_MAXINT64;
    conn = hp_db_lease(self->db);
    stmt = hp_db_query(conn,
                       "SELECT collected_usec FROM entry WHERE collected_usec > 0"
                       " AND mailbox = ?1 ORDER BY collected_usec LIMIT 1",
                       "i", (gint64)HP_STORE_INBOX);
    if (!hp_db_step(stmt, NULL))
        return G_MAXINT64;
    return hp_db_int(stmt, 0) + pop3_retention_sec * G_USEC_PER_SEC;
}

static gboolean
forget_arrivals(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_db_run(conn, error, "DELETE FROM arrival WHERE arrived_usec < ?1", "i",
                     *(const gint64 *)data);
}

/* Hand-overs are finished within seconds; only the names of old ones go. */
static void
prune_arrivals(HpStore *self)
{
    gint64 before = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) - ARRIVAL_KEPT_USEC;
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT 1 FROM arrival WHERE arrived_usec < ?1 LIMIT 1", "i", before);

    if (hp_db_step(stmt, NULL))
        hp_db_write(self->db, forget_arrivals, &before, NULL);
}

static void
unstage(HpStore *self)
{
    g_autoptr(GError) error = NULL;
    guint moved;

    do {
        moved = 0;
    } while (hp_contents_unstage(self->contents, KEEP_STAGED, &moved, &error) &&
             moved > 0);
    if (error != NULL)
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "could not move messages out of the database: %s", error->message);
}

static gboolean
take_orphan_count(HpStore *self)
{
    HP_LOCKED(&self->lock);
    gboolean first = !self->orphans_counted;

    self->orphans_counted = TRUE;
    return first;
}

void
hp_store_upkeep(HpStore *self)
{
    guint orphans;

    if (!hp_db_is_writable(self->db))
        return;
    hp_views_rest(self->views);
    erase_files(self);
    unstage(self);
    prune_arrivals(self);
    if (take_orphan_count(self))
        hp_contents_count_orphans(self->contents, &orphans, NULL);
    hp_db_tidy(self->db);
}
