/* What changes a mailbox: arrivals, flags, expunging. */
#include "hp-log.h"
#include "hp-store-private.h"

#define COPY_BYTES ((size_t)64 * 1024)
#define LAST_UID   4294967295 /* RFC 3501 §9, nz-number */

/* A message on its way in. */
typedef struct {
    HpStore *store;        /* (unowned) */
    const char *origin;    /* (unowned) */
    HpContentDraft *draft; /* (unowned) */
    gboolean known;        /* out: it had arrived before */
} Arrival;

static gboolean
take_uid(HpDbConn *conn, gint64 mailbox, gint64 *ret_uid, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "UPDATE mailbox SET uidnext = uidnext + 1 WHERE id = ?1 AND uidnext <= ?2"
        " RETURNING uidnext - 1",
        "ii", mailbox, (gint64)LAST_UID);
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        *ret_uid = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_FAILED,
                    "there is no such mailbox, or it has no more message numbers");
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
insert_arrival(HpDbConn *conn, gpointer data, GError **error)
{
    Arrival *arrival = data;
    gint64 now = hp_clock_now_usec(arrival->store->clock, HP_CLOCK_WALL);
    gint64 mailbox = HP_STORE_INBOX, content, uid, modseq;

    if (!hp_db_run(conn, error,
                   "INSERT OR IGNORE INTO arrival (origin, arrived_usec) VALUES (?1, ?2)",
                   "si", arrival->origin, now))
        return FALSE;
    arrival->known = hp_db_changes(conn) == 0;
    if (arrival->known)
        return TRUE;
    return hp_content_insert(conn, arrival->draft, &content, error) &&
           take_uid(conn, mailbox, &uid, error) &&
           hp_store_next_modseq(conn, mailbox, &modseq, error) &&
           hp_db_run(conn, error,
                     "INSERT INTO entry (mailbox, uid, content, size, modseq,"
                     " internal_usec, saved_usec, email, thread)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?3, ?3)",
                     "iiiiii", mailbox, uid, content,
                     (gint64)hp_content_draft_size(arrival->draft), modseq, now);
}

static gboolean
fill_draft(HpContentDraft *draft, guint64 size, gpointer content, HpCarryRead read,
           GError **error)
{
    g_autofree char *buffer = g_malloc(COPY_BYTES);
    guint64 offset = 0;

    while (offset < size) {
        gssize n = read(content, offset, buffer,
                        (size_t)MIN(size - offset, (guint64)COPY_BYTES), error);

        if (n < 0)
            return FALSE;
        if (n == 0) {
            g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_FAILED,
                        "the message handed over is shorter than it said");
            return FALSE;
        }
        if (!hp_content_draft_append(draft, (HpSlice){ buffer, (size_t)n }, error))
            return FALSE;
        offset += (guint64)n;
    }
    return hp_content_draft_finish(draft, error);
}

/* Looked up before its bytes are copied; the insert decides. */
static gboolean
has_arrived(HpStore *self, const char *origin)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM arrival WHERE origin = ?1", "s", origin);

    return hp_db_step(stmt, NULL);
}

/* NOLINTBEGIN(readability-function-size): the shape is HpInbox's */
static gboolean
deliver(gpointer store, const char *origin, guint64 size, gpointer content,
        HpCarryRead read, GError **error)
{
    HpStore *self = store;
    g_autoptr(HpContentDraft) draft = NULL;
    g_autoptr(GError) failure = NULL;
    Arrival arrival = { self, origin, NULL, FALSE };

    if (has_arrived(self, origin))
        return TRUE;
    draft = hp_content_draft_new(self->contents);
    if (!fill_draft(draft, size, content, read, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "INBOX");
    arrival.draft = draft;
    if (!hp_store_write(self, insert_arrival, &arrival, 1, error))
        return FALSE;
    if (!arrival.known)
        hp_content_draft_committed(draft);
    return TRUE;
}
/* NOLINTEND(readability-function-size) */

HpInbox
hp_store_inbox(HpStore *self)
{
    return (HpInbox){ self, deliver };
}

/* A set of uids of one mailbox. */
typedef struct {
    gint64 mailbox;
    const guint32 *uids; /* (unowned) */
    guint n_uids;
    gint64 now_usec;
    guint removed; /* out */
} Selection;

/* First time counts. A clock that stood wrong must not let mail fall due at once, so the
 * time is at least that of the arrival. */
static gboolean
mark_collected(HpDbConn *conn, gpointer data, GError **error)
{
    const Selection *selection = data;
    gint64 modseq;

    if (!hp_store_next_modseq(conn, selection->mailbox, &modseq, error))
        return FALSE;
    for (guint i = 0; i < selection->n_uids; i++)
        if (!hp_db_run(
                conn, error,
                "UPDATE entry SET flags = flags | ?4, modseq = ?5, collected_usec ="
                " iif(collected_usec > 0, collected_usec, max(?3, saved_usec, 1))"
                " WHERE mailbox = ?1 AND uid = ?2"
                " AND (collected_usec = 0 OR (flags & ?4) = 0)",
                "iiiii", selection->mailbox, (gint64)selection->uids[i],
                selection->now_usec, (gint64)HP_STORE_SEEN, modseq))
            return FALSE;
    return TRUE;
}

gboolean
hp_store_mark_collected(HpStore *self, gint64 mailbox, const guint32 *uids, guint n_uids,
                        GError **error)
{
    Selection selection = { mailbox, uids, n_uids,
                            hp_clock_now_usec(self->clock, HP_CLOCK_WALL), 0 };

    return n_uids == 0 || hp_store_write(self, mark_collected, &selection, n_uids, error);
}

/* 0 if there is none. */
static gboolean
find_content(HpDbConn *conn, gint64 mailbox, gint64 uid, gint64 *ret_content,
             GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT content FROM entry WHERE mailbox = ?1 AND uid = ?2",
                    "ii", mailbox, uid);
    g_autoptr(GError) failure = NULL;

    *ret_content = hp_db_step(stmt, &failure) ? hp_db_int(stmt, 0) : 0;
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
expunge_one(HpDbConn *conn, Selection *selection, gint64 uid, gint64 modseq,
            GError **error)
{
    gint64 mailbox = selection->mailbox, content;

    if (!find_content(conn, mailbox, uid, &content, error))
        return FALSE;
    if (content == 0)
        return TRUE;
    selection->removed++;
    return hp_db_run(conn, error, "DELETE FROM entry WHERE mailbox = ?1 AND uid = ?2",
                     "ii", mailbox, uid) &&
           hp_db_run(conn, error,
                     "INSERT INTO expunged (mailbox, modseq, uid) VALUES (?1, ?2, ?3)",
                     "iii", mailbox, modseq, uid) &&
           hp_content_unref(conn, content, error);
}

static gboolean
expunge(HpDbConn *conn, gpointer data, GError **error)
{
    Selection *selection = data;
    gint64 modseq;

    if (!hp_store_next_modseq(conn, selection->mailbox, &modseq, error))
        return FALSE;
    for (guint i = 0; i < selection->n_uids; i++)
        if (!expunge_one(conn, selection, selection->uids[i], modseq, error))
            return FALSE;
    return TRUE;
}

/* COMMIT (rows gone, names on the erase list); the caller answers; upkeep unlinks. A
 * crash anywhere in between is taken up by hp_contents_open(). */
gboolean
hp_store_remove(HpStore *self, gint64 mailbox, HpStoreUids uids, guint *ret_removed,
                GError **error)
{
    Selection selection = { mailbox, uids.uids, uids.n, 0, 0 };

    if (!hp_store_write(self, expunge, &selection, uids.n, error))
        return FALSE;
    *ret_removed = selection.removed;
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
