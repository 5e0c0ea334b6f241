/* Changing entries: collected marks, expunging, retention. */
#include "hp-store-private.h"

#include "hp-log.h"

/* Rows in one transaction: other writers wait no longer than for that many. */
#define CHUNK_UIDS 1000

typedef struct {
    gint64 mailbox;
    const guint32 *uids; /* (unowned) */
    guint n_uids;
    gint64 now_usec;
} Uids;

/* Has @work done for at most CHUNK_UIDS uids at a time. */
static gboolean
in_chunks(HpStore *self, HpDbWork work, Uids all, GError **error)
{
    for (guint done = 0; done < all.n_uids; done += CHUNK_UIDS) {
        Uids chunk = all;

        chunk.uids = all.uids + done;
        chunk.n_uids = MIN(CHUNK_UIDS, all.n_uids - done);
        if (!hp_db_write(self->db, work, &chunk, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
mark_collected_work(HpDbConn *conn, gpointer data, GError **error)
{
    const Uids *u = data;
    gint64 modseq;

    if (!hp_store_next_modseq(conn, u->mailbox, &modseq, error))
        return FALSE;
    for (guint i = 0; i < u->n_uids; i++)
        if (!hp_db_run(conn, error,
                       "UPDATE entry SET modseq = ?3, flags = flags | ?4,"
                       " collected = CASE collected WHEN 0 THEN ?5 ELSE collected END"
                       " WHERE mailbox = ?1 AND uid = ?2"
                       " AND (collected = 0 OR flags & ?4 = 0)",
                       "iiiii", u->mailbox, (gint64)u->uids[i], modseq,
                       (gint64)HP_STORE_SEEN, u->now_usec))
            return FALSE;
    return TRUE;
}

gboolean
hp_store_mark_collected(HpStore *self, gint64 mailbox, const guint32 *uids, guint n_uids,
                        GError **error)
{
    return in_chunks(
        self, mark_collected_work,
        (Uids){ mailbox, uids, n_uids, hp_clock_now_usec(self->clock, HP_CLOCK_WALL) },
        error);
}

gboolean
hp_store_remove_entry(HpDbConn *conn, gint64 mailbox, guint32 uid, gint64 modseq,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "DELETE FROM entry WHERE mailbox = ?1 AND uid = ?2"
                                 " RETURNING content",
                                 "ii", mailbox, (gint64)uid);
    gint64 content;

    if (!hp_db_step(stmt, &failure)) {
        hp_db_reset(stmt);
        if (failure == NULL)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    content = hp_db_int(stmt, 0);
    hp_db_reset(stmt);
    return hp_db_run(conn, error,
                     "INSERT INTO expunged (mailbox, uid, modseq) VALUES (?1, ?2, ?3)",
                     "iii", mailbox, (gint64)uid, modseq) &&
           hp_content_unref(conn, content, error);
}

static gboolean
expunge_work(HpDbConn *conn, gpointer data, GError **error)
{
    const Uids *u = data;
    gint64 modseq;

    if (!hp_store_next_modseq(conn, u->mailbox, &modseq, error))
        return FALSE;
    for (guint i = 0; i < u->n_uids; i++)
        if (!hp_store_remove_entry(conn, u->mailbox, u->uids[i], modseq, error))
            return FALSE;
    return TRUE;
}

/* The rows are gone for good; files that nobody needs any more follow, and if that fails
 * the erase list remembers them. */
static void
erase_files(HpStore *self)
{
    g_autoptr(GError) error = NULL;

    if (!hp_contents_erase(self->contents, &error))
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "files of deleted messages stay for now: %s", error->message);
}

gboolean
hp_store_expunge(HpStore *self, gint64 mailbox, const guint32 *uids, guint n_uids,
                 GError **error)
{
    /* One transaction for all: a client that was told OK finds all of them gone, one that
     * was told of a failure finds all of them there. */
    Uids all = { mailbox, uids, n_uids, 0 };

    if (n_uids == 0)
        return TRUE;
    if (!hp_db_write(self->db, expunge_work, &all, error))
        return FALSE;
    erase_files(self);
    return TRUE;
}

/* ---- retention -------------------------------------------------------------------- */

/* What POP3 collected before that moment, oldest first. */
static gboolean
find_overdue(HpStore *self, gint64 before_usec, GArray *uids, guint64 *ret_octets,
             GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT uid, size FROM entry"
                                 " WHERE collected > 0 AND collected <= ?1"
                                 " AND mailbox = ?2",
                                 "ii", before_usec, (gint64)HP_STORE_INBOX);

    while (hp_db_step(stmt, &failure)) {
        guint32 uid = (guint32)hp_db_int(stmt, 0);

        g_array_append_val(uids, uid);
        *ret_octets += (guint64)hp_db_int(stmt, 1);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_cleanup(HpStore *self, HpStoreCleanup *cleanup, gboolean dry_run, GError **error)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    gint64 before = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) -
                    cleanup->pop3_retention_sec * G_USEC_PER_SEC;
    guint64 octets = 0;

    cleanup->ret_messages = cleanup->ret_octets = 0;
    if (cleanup->pop3_retention_sec <= 0)
        return TRUE;
    if (!find_overdue(self, before, uids, &octets, error))
        return FALSE;
    if (!dry_run && uids->len > 0) {
        if (!in_chunks(self, expunge_work,
                       (Uids){ HP_STORE_INBOX, (const guint32 *)(gpointer)uids->data,
                               uids->len, 0 },
                       error))
            return FALSE;
        erase_files(self);
    }
    cleanup->ret_messages = uids->len;
    cleanup->ret_octets = octets;
    return TRUE;
}

gint64
hp_store_next_cleanup_usec(HpStore *self, gint64 pop3_retention_sec)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT min(collected) FROM entry WHERE collected > 0", "");
    gint64 next = G_MAXINT64;

    if (pop3_retention_sec > 0 && hp_db_step(stmt, NULL) && !hp_db_is_null(stmt, 0))
        next = hp_db_int(stmt, 0) + pop3_retention_sec * G_USEC_PER_SEC;
    hp_db_reset(stmt);
    return next;
}
