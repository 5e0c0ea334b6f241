/* Expunging, and what is known of the expunged. */
#include "hp-store-private.h"

#define MAX_MISSING         (1 << 24) /* uids; only a damaged database names more */
#define MAX_DROPPED_AT_ONCE 64 /* contents, so that nobody waits long for the writer */

static gboolean
remove_run(HpDbConn *conn, const HpStoreRemoval *removal, const HpStoreUids *range,
           gint64 modseq, GError **error)
{
    gint64 mailbox = removal->mailbox;
    gint64 from = range->uids[0], to = from + range->n - 1;

    return hp_db_run(conn, error,
                     "INSERT INTO expunged (mailbox, modseq, uid)"
                     " SELECT ?1, ?4, uid FROM entry"
                     " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                     "iiii", mailbox, from, to, modseq) &&
           (removal->keep_contents ||
            hp_db_run(conn, error,
                      "INSERT OR IGNORE INTO dropped (content) SELECT content FROM entry"
                      " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                      "iii", mailbox, from, to)) &&
           hp_db_run(conn, error,
                     "DELETE FROM entry WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                     "iii", mailbox, from, to);
}

gboolean
hp_store_remove_entries(HpDbConn *conn, HpStoreTask *task, const HpStoreRemoval *removal,
                        GError **error)
{
    const GArray *entries = removal->entries;
    HpCounts counts = { 0 };
    gint64 modseq;
    HpNews *news;
    guint n;

    if (entries->len == 0)
        return TRUE;
    if (!hp_store_next_modseq(conn, removal->mailbox, &modseq, error))
        return FALSE;
    news = hp_store_task_add(task, HP_NEWS_GONE, removal->mailbox, (guint64)modseq);
    g_array_append_vals(news->entries, entries->data, entries->len);
    for (guint i = 0; i < entries->len; i += n) {
        const HpViewEntry *first = &g_array_index(entries, HpViewEntry, i);

        n = hp_store_run(entries, i, NULL);
        for (guint j = 0; j < n; j++)
            hp_counts_add(&counts, -1, first[j].flags, first[j].size);
        if (!remove_run(conn, removal, &(HpStoreUids){ &first->uid, n }, modseq, error))
            return FALSE;
    }
    return hp_store_count(conn, removal->mailbox, &counts, error);
}

typedef struct {
    HpStoreTask task;
    gint64 mailbox;
    HpStoreUids uids;
    GArray *entries; /* (owned): HpViewEntry: those that are there */
} Expunge;

static void
collect(const HpViewEntry *entry, const char *text, gint64 collected_usec, gpointer data)
{
    g_array_append_val(((Expunge *)data)->entries, *entry);
}

static gboolean
expunge(HpDbConn *conn, gpointer data, GError **error)
{
    Expunge *self = data;
    HpStoreRemoval removal = { self->mailbox, self->entries, FALSE };

    return hp_store_need_mailbox(conn, self->mailbox, error) &&
           hp_store_walk(conn, self->mailbox, self->uids,
                         &(HpStoreWalker){ collect, self }, error) &&
           hp_store_remove_entries(conn, &self->task, &removal, error);
}

/* COMMIT (rows gone, contents on the list of dropped ones); the caller answers; upkeep
 * erases. A crash anywhere in between is taken up by the next upkeep. */
gboolean
hp_store_remove(HpStore *self, gint64 mailbox, HpStoreUids uids, guint *ret_removed,
                GError **error)
{
    g_auto(HpStoreTask) task = hp_store_task(self);
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(HpViewEntry));
    Expunge work = { task, mailbox, uids, entries };

    if (!hp_store_write(&work.task, expunge, uids.n, error))
        return FALSE;
    *ret_removed = entries->len;
    return TRUE;
}

gboolean
hp_store_expunge(HpStore *self, gint64 mailbox, const guint32 *uids, guint n_uids,
                 GError **error)
{
    guint removed;

    return n_uids == 0 ||
           hp_store_remove(self, mailbox, (HpStoreUids){ uids, n_uids }, &removed, error);
}

/* Erases contents that no entry has any more. */
static gboolean
drop_one(HpDbConn *conn, gint64 content, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM entry WHERE content = ?1 LIMIT 1", "i", content);
    g_autoptr(GError) failure = NULL;
    gboolean used = hp_db_step(stmt, &failure);

    hp_db_reset(stmt);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return (used || (hp_db_run(conn, error, "DELETE FROM summary WHERE content = ?1", "i",
                               content) &&
                     hp_content_drop(conn, content, error))) &&
           hp_db_run(conn, error, "DELETE FROM dropped WHERE content = ?1", "i", content);
}

static gboolean
drop_some(HpDbConn *conn, gpointer data, GError **error)
{
    const GArray *contents = data;

    for (guint i = 0; i < contents->len; i++)
        if (!drop_one(conn, g_array_index(contents, gint64, i), error))
            return FALSE;
    return TRUE;
}

static gboolean
choose_dropped(HpStore *self, GArray *contents, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn, "SELECT content FROM dropped LIMIT ?1", "i",
                                 (gint64)MAX_DROPPED_AT_ONCE);

    while (hp_db_step(stmt, &failure)) {
        gint64 content = hp_db_int(stmt, 0);

        g_array_append_val(contents, content);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_drop_contents(HpStore *self, GError **error)
{
    for (;;) {
        g_autoptr(GArray) contents = g_array_new(FALSE, FALSE, sizeof(gint64));

        if (!choose_dropped(self, contents, error))
            return FALSE;
        if (contents->len == 0)
            return TRUE;
        if (!hp_db_write(self->db, drop_some, contents, error))
            return FALSE;
    }
}

static void
read_vanished(HpDbConn *conn, gint64 mailbox, guint64 modseq, GArray *uids,
              GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "SELECT uid FROM expunged WHERE mailbox = ?1 AND modseq > ?2"
                    " ORDER BY uid",
                    "ii", mailbox, (gint64)MIN(modseq, (guint64)G_MAXINT64));

    while (hp_db_step(stmt, error)) {
        guint32 uid = (guint32)hp_db_int(stmt, 0);

        g_array_append_val(uids, uid);
    }
}

/* All uids below uidnext that are not there (RFC 7162 §3.2.7: more than needed is allowed
 * where the log does not reach back). */
static void
read_missing(HpDbConn *conn, gint64 mailbox, gint64 uidnext, GArray *uids, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT uid FROM entry WHERE mailbox = ?1 ORDER BY uid", "i", mailbox);
    gint64 next = 1;

    while (next < uidnext && uids->len < MAX_MISSING) {
        gint64 there = hp_db_step(stmt, error) ? hp_db_int(stmt, 0) : uidnext;

        for (; next < there && uids->len < MAX_MISSING; next++) {
            guint32 uid = (guint32)next;

            g_array_append_val(uids, uid);
        }
        next = there + 1;
    }
}

GArray *
hp_store_vanished(HpStore *self, gint64 mailbox, guint64 modseq, GError **error)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    gint64 known_from = 0, uidnext = 1;
    HpDbStmt *stmt;

    hp_db_begin_snapshot(conn, NULL);
    stmt = hp_db_query(conn, "SELECT vanished_from, uidnext FROM mailbox WHERE id = ?1",
                       "i", mailbox);
    if (hp_db_step(stmt, &failure)) {
        known_from = hp_db_int(stmt, 0);
        uidnext = hp_db_int(stmt, 1);
    }
    if (failure == NULL && modseq >= (guint64)known_from)
        read_vanished(conn, mailbox, modseq, uids, &failure);
    else if (failure == NULL)
        read_missing(conn, mailbox, uidnext, uids, &failure);
    if (failure == NULL)
        return g_steal_pointer(&uids);
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return NULL;
}

gboolean
hp_store_details(HpStore *self, gint64 mailbox, guint32 uid, HpStoreDetails *ret_details,
                 GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT saved_usec, email, thread FROM entry WHERE mailbox = ?1 AND uid = ?2",
        "ii", mailbox, (gint64)uid);

    if (hp_db_step(stmt, &failure)) {
        *ret_details = (HpStoreDetails){ hp_db_int(stmt, 0), hp_db_int(stmt, 1),
                                         hp_db_int(stmt, 2) };
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "message %u has been deleted", uid);
    return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

/* Forgets the oldest of what vanished from a mailbox where that is very much; a client
 * that asks so far back is told of all uids that are not there. */
static gboolean
prune_log(HpDbConn *conn, gpointer data, GError **error)
{
    gint64 mailbox = *(const gint64 *)data;

    return hp_db_run(conn, error,
                     "UPDATE mailbox SET vanished_from = max(vanished_from, ifnull("
                     "(SELECT modseq FROM expunged WHERE mailbox = ?1"
                     " ORDER BY modseq DESC LIMIT 1 OFFSET ?2), 0)) WHERE id = ?1",
                     "ii", mailbox, (gint64)HP_STORE_KEPT_VANISHED) &&
           hp_db_run(conn, error,
                     "DELETE FROM expunged WHERE mailbox = ?1 AND modseq <="
                     " (SELECT vanished_from FROM mailbox WHERE id = ?1)",
                     "i", mailbox);
}

void
hp_store_prune_vanished(HpStore *self)
{
    g_autoptr(GArray) mailboxes = g_array_new(FALSE, FALSE, sizeof(gint64));

    {
        g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
        HpDbStmt *stmt = hp_db_query(conn,
                                     "SELECT mailbox FROM expunged GROUP BY mailbox"
                                     " HAVING count(*) > ?1",
                                     "i", (gint64)HP_STORE_KEPT_VANISHED * 2);

        while (hp_db_step(stmt, NULL)) {
            gint64 mailbox = hp_db_int(stmt, 0);

            g_array_append_val(mailboxes, mailbox);
        }
    }
    for (guint i = 0; i < mailboxes->len; i++)
        hp_db_write_big(self->db, prune_log, &g_array_index(mailboxes, gint64, i), NULL);
}
