#include "hp-store-private.h"

#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-schema.h"

#define MESSAGES_FOLDER "messages"
#define COPY_BYTES      ((size_t)16 * 1024)
#define ORIGIN_KEEP_SEC ((gint64)90 * 24 * 3600) /* a hand-over is long over by then */

G_DEFINE_QUARK(hp_store_error, hp_store_error)

HpStore *
hp_store_open(const char *data_path, int data_fd, const HpClock *clock, GError **error)
{
    g_autofree char *path = g_build_filename(data_path, "mail.db", NULL);
    const HpDbSpec spec = { .path = path,
                            .application_id = HP_STORE_APPLICATION_ID,
                            .migrations = hp_store_migrations,
                            .thread_name = "mail-writer" };
    hp_autofd messages = hp_fs_open_private_subdir(data_fd, MESSAGES_FOLDER, error);
    g_autoptr(HpDb) db = messages >= 0 ? hp_db_open(&spec, error) : NULL;
    HpContents *contents = db != NULL ? hp_contents_open(db, messages, error) : NULL;
    HpStore *self;

    if (contents == NULL)
        return NULL;
    self = g_new0(HpStore, 1);
    self->db = g_steal_pointer(&db);
    self->contents = contents;
    self->clock = clock;
    hp_lock_init(&self->lock);
    return self;
}

void
hp_store_close(HpStore *self)
{
    hp_contents_close(self->contents);
    hp_db_close(self->db);
    hp_lock_clear(&self->lock);
    g_free(self);
}

gboolean
hp_store_is_writable(HpStore *self)
{
    return hp_db_is_writable(self->db);
}

/* ---- delivering ------------------------------------------------------------------- */

typedef struct {
    HpContentDraft *draft; /* (unowned) */
    const char *origin;    /* (unowned) */
    gint64 now_usec;
    gboolean known; /* out: it was delivered before */
} Delivery;

static gboolean
is_known_origin(HpDbConn *conn, const char *origin, gboolean *ret_known, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM seen_origin WHERE origin = ?1", "s", origin);

    *ret_known = hp_db_step(stmt, &failure);
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "UPDATE mailbox SET highestmodseq = highestmodseq + 1"
                                 " WHERE id = ?1 RETURNING highestmodseq",
                                 "i", mailbox);
    g_autoptr(GError) failure = NULL;

    if (!hp_db_step(stmt, &failure)) {
        if (failure == NULL)
            g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                        "there is no mailbox %" G_GINT64_FORMAT, mailbox);
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_modseq = hp_db_int(stmt, 0);
    hp_db_reset(stmt);
    return TRUE;
}

static gboolean
insert_entry(HpDbConn *conn, const Delivery *d, gint64 content, GError **error)
{
    gint64 modseq;

    return hp_store_next_modseq(conn, HP_STORE_INBOX, &modseq, error) &&
           hp_db_run(conn, error,
                     "INSERT INTO entry (mailbox, uid, content, size, modseq,"
                     " internal_date, save_date, origin)"
                     " SELECT id, uidnext, ?2, ?3, ?4, ?5, ?5, ?6 FROM mailbox"
                     " WHERE id = ?1",
                     "iiiiis", (gint64)HP_STORE_INBOX, content,
                     (gint64)hp_content_draft_size(d->draft), modseq, d->now_usec,
                     d->origin) &&
           hp_db_run(conn, error,
                     "UPDATE mailbox SET uidnext = uidnext + 1 WHERE id = ?1", "i",
                     (gint64)HP_STORE_INBOX);
}

static gboolean
deliver_work(HpDbConn *conn, gpointer data, GError **error)
{
    Delivery *d = data;
    gint64 content;

    if (!is_known_origin(conn, d->origin, &d->known, error))
        return FALSE;
    if (d->known)
        return TRUE;
    return hp_content_insert(conn, d->draft, &content, error) &&
           insert_entry(conn, d, content, error) &&
           hp_db_run(conn, error,
                     "INSERT INTO seen_origin (origin, time) VALUES (?1, ?2)", "si",
                     d->origin, d->now_usec);
}

/* Everything that @read gives, into @draft. */
static gboolean
copy_content(HpContentDraft *draft, gpointer content, HpCarryRead read, GError **error)
{
    g_autofree char *buffer = g_malloc(COPY_BYTES);
    guint64 offset = 0;

    for (;;) {
        gssize n = read(content, offset, buffer, COPY_BYTES, error);

        if (n < 0)
            return FALSE;
        if (n == 0)
            return hp_content_draft_finish(draft, error);
        if (!hp_content_draft_append(draft, (HpSlice){ buffer, (size_t)n }, error))
            return FALSE;
        offset += (guint64)n;
    }
}

static gboolean
deliver(gpointer store, const char *origin, guint64 size, gpointer content,
        HpCarryRead read, GError **error)
{
    HpStore *self = store;
    g_autoptr(HpContentDraft) draft = hp_content_draft_new(self->contents);
    Delivery d = { .draft = draft,
                   .origin = origin,
                   .now_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) };

    if (!copy_content(draft, content, read, error))
        return FALSE;
    if (hp_content_draft_size(draft) != size) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_FAILED,
                    "%s came with another size than announced", origin);
        return FALSE;
    }
    if (!hp_db_write(self->db, deliver_work, &d, error))
        return FALSE;
    if (!d.known)
        hp_content_draft_committed(draft);
    return TRUE;
}

HpInbox
hp_store_inbox(HpStore *self)
{
    return (HpInbox){ self, deliver };
}

/* ---- reading ---------------------------------------------------------------------- */

void
hp_store_snapshot_free(HpStoreSnapshot *self)
{
    g_array_unref(self->entries);
    g_free(self);
}

static gboolean
read_uidvalidity(HpDbConn *conn, gint64 mailbox, guint32 *ret_uidvalidity, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT uidvalidity FROM mailbox WHERE id = ?1", "i", mailbox);
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        *ret_uidvalidity = (guint32)hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "there is no mailbox %" G_GINT64_FORMAT, mailbox);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Straight from the index entry_view; nothing else of the database is touched. */
static gboolean
read_entries(HpDbConn *conn, gint64 mailbox, HpStoreSnapshot *snapshot, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT uid, size, content, flags, collected"
                                 " FROM entry INDEXED BY entry_view"
                                 " WHERE mailbox = ?1 ORDER BY uid",
                                 "i", mailbox);
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        HpStoreEntry entry = {
            .uid = (guint32)hp_db_int(stmt, 0),
            .size = (guint64)hp_db_int(stmt, 1),
            .content = hp_db_int(stmt, 2),
            .flags = (guint32)hp_db_int(stmt, 3),
            .collected_usec = hp_db_int(stmt, 4),
        };

        g_array_append_val(snapshot->entries, entry);
        snapshot->octets += entry.size;
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

HpStoreSnapshot *
hp_store_snapshot(HpStore *self, gint64 mailbox, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(HpStoreSnapshot) snapshot = g_new0(HpStoreSnapshot, 1);

    snapshot->entries = g_array_new(FALSE, FALSE, sizeof(HpStoreEntry));
    if (!hp_db_begin_snapshot(conn, error) ||
        !read_uidvalidity(conn, mailbox, &snapshot->uidvalidity, error) ||
        !read_entries(conn, mailbox, snapshot, error))
        return NULL;
    return g_steal_pointer(&snapshot);
}

/* Is the content still there at all? Told apart only when opening it failed. */
static gboolean
is_expunged(HpStore *self, gint64 content)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM content WHERE id = ?1", "i", content);
    gboolean there = hp_db_step(stmt, &failure);

    hp_db_reset(stmt);
    return !there && failure == NULL;
}

HpContent *
hp_store_open_content(HpStore *self, const HpStoreEntry *entry, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpContent *content = hp_content_open(self->contents, entry->content, &failure);

    if (content != NULL)
        return content;
    if (is_expunged(self, entry->content))
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "message %u was deleted meanwhile", entry->uid);
    else
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED,
                    "the contents of message %u are damaged: %s", entry->uid,
                    failure->message);
    return NULL;
}

void
hp_store_mailbox_free(HpStoreMailbox *self)
{
    g_free(self->name);
    g_free(self);
}

static void
free_mailbox(gpointer mailbox)
{
    hp_store_mailbox_free(mailbox);
}

GPtrArray *
hp_store_list(HpStore *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_mailbox);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "SELECT m.id, m.name, count(e.id),"
                    " count(e.id) - coalesce(sum(e.flags & ?1), 0),"
                    " coalesce(sum(e.size), 0), coalesce(min(e.internal_date), 0)"
                    " FROM mailbox m LEFT JOIN entry e ON e.mailbox = m.id"
                    " GROUP BY m.id ORDER BY m.name = 'INBOX' DESC, m.name",
                    "i", (gint64)HP_STORE_SEEN);

    while (hp_db_step(stmt, &failure)) {
        HpStoreMailbox *mailbox = g_new0(HpStoreMailbox, 1);

        mailbox->id = hp_db_int(stmt, 0);
        mailbox->name = hp_db_dup_text(stmt, 1);
        mailbox->messages = (guint64)hp_db_int(stmt, 2);
        mailbox->unseen = (guint64)hp_db_int(stmt, 3);
        mailbox->octets = (guint64)hp_db_int(stmt, 4);
        mailbox->oldest_usec = hp_db_int(stmt, 5);
        g_ptr_array_add(list, mailbox);
    }
    if (failure == NULL)
        return g_steal_pointer(&list);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* ---- upkeep ----------------------------------------------------------------------- */

static gboolean
forget_origins(HpDbConn *conn, gpointer data, GError **error)
{
    const gint64 *before_usec = data;

    return hp_db_run(conn, error, "DELETE FROM seen_origin WHERE time < ?1", "i",
                     *before_usec);
}

void
hp_store_upkeep(HpStore *self)
{
    gint64 before =
        hp_clock_now_usec(self->clock, HP_CLOCK_WALL) - ORIGIN_KEEP_SEC * G_USEC_PER_SEC;
    g_autoptr(GError) error = NULL;
    guint moved = 1;

    while (moved > 0 && error == NULL)
        if (!hp_contents_unstage(self->contents, 0, &moved, &error))
            break;
    if (error == NULL && hp_contents_erase(self->contents, &error))
        hp_db_write(self->db, forget_origins, &before, &error);
    if (error != NULL)
        hp_log("store", NULL, G_LOG_LEVEL_WARNING, "upkeep has to wait: %s",
               error->message);
    hp_db_tidy(self->db);
}

/* ---- the maildrop's lock ---------------------------------------------------------- */

gboolean
hp_store_lock_maildrop(HpStore *self)
{
    HP_LOCKED(&self->lock);
    gboolean free_before = !self->maildrop_taken;

    self->maildrop_taken = TRUE;
    return free_before;
}

void
hp_store_unlock_maildrop(HpStore *self)
{
    HP_LOCKED(&self->lock);

    self->maildrop_taken = FALSE;
}
