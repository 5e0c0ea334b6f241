#include "hp-store.h"

#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-private.h"

#include <unistd.h>

#define APPLICATION_ID 0x48506d6c /* "HPml" */

G_DEFINE_QUARK(hp_store_error, hp_store_error)

gboolean
hp_store_fail(GError **error, GError *cause, const char *what)
{
    gboolean lost = g_error_matches(cause, HP_DB_ERROR, HP_DB_ERROR_DAMAGED) ||
                    g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT);

    if (cause->domain == HP_STORE_ERROR) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    g_set_error(error, HP_STORE_ERROR,
                lost ? HP_STORE_ERROR_DAMAGED : HP_STORE_ERROR_FAILED, "%s: %s", what,
                cause->message);
    g_error_free(cause);
    return FALSE;
}

/* UIDVALIDITY from the clock is larger than that of any INBOX before it (RFC 3501
 * §2.3.1.1); 0 is not allowed. */
static gboolean
make_inbox(HpDbConn *conn, gpointer data, GError **error)
{
    const HpStore *self = data;
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) / G_USEC_PER_SEC;

    return hp_db_run(
        conn, error,
        "INSERT INTO mailbox (id, name, uidvalidity) VALUES (?1, 'INBOX', ?2)", "ii",
        (gint64)HP_STORE_INBOX, CLAMP(now, 1, (gint64)G_MAXUINT32));
}

static gboolean
has_inbox(HpStore *self, gboolean *ret_has, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn, "SELECT 1 FROM mailbox WHERE id = ?1", "i",
                                 (gint64)HP_STORE_INBOX);
    gboolean has = hp_db_step(stmt, &failure);

    if (failure != NULL)
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    *ret_has = has;
    return TRUE;
}

static gboolean
need_inbox(HpStore *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean has = FALSE;

    if (!has_inbox(self, &has, error))
        return FALSE;
    return has || hp_db_write(self->db, make_inbox, self, &failure) ||
           hp_store_fail(error, g_steal_pointer(&failure), "could not make INBOX");
}

static gboolean
open_parts(HpStore *self, const char *data_path, int data_fd, GError **error)
{
    g_autofree char *path = g_build_filename(data_path, "mail.db", NULL);
    HpDbSpec spec = { path, APPLICATION_ID, hp_store_migrations, "mail-writer" };
    hp_autofd messages_fd = hp_fs_open_private_subdir(data_fd, "messages", error);

    if (messages_fd < 0)
        return FALSE;
    self->db = hp_db_open(&spec, error);
    if (self->db == NULL)
        return FALSE;
    self->contents = hp_contents_open(self->db, messages_fd, error);
    return self->contents != NULL;
}

HpStore *
hp_store_open(const char *data_path, int data_fd, const HpClock *clock, GError **error)
{
    HpStore *self = g_new0(HpStore, 1);

    self->clock = clock;
    hp_lock_init(&self->lock);
    hp_cond_init(&self->told);
    if (open_parts(self, data_path, data_fd, error) && need_inbox(self, error))
        return self;
    hp_store_close(self);
    return NULL;
}

void
hp_store_close(HpStore *self)
{
    if (self->contents != NULL)
        hp_contents_close(self->contents);
    if (self->db != NULL)
        hp_db_close(self->db);
    hp_cond_clear(&self->told);
    hp_lock_clear(&self->lock);
    g_free(self);
}

gboolean
hp_store_is_writable(HpStore *self)
{
    return hp_db_is_writable(self->db);
}

void
hp_store_set_changed(HpStore *self, HpStoreChanged changed, gpointer data)
{
    HP_LOCKED(&self->lock);

    self->changed = changed;
    self->changed_data = data;
    while (self->telling > 0)
        hp_cond_wait_until(&self->told, &self->lock, -1);
}

static void
tell_changed(HpStore *self)
{
    HpStoreChanged changed;
    gpointer data;

    {
        HP_LOCKED(&self->lock);
        changed = self->changed;
        data = self->changed_data;
        self->telling += changed != NULL;
    }
    if (changed == NULL)
        return;
    changed(data);
    HP_LOCKED(&self->lock);
    if (--self->telling == 0)
        hp_cond_broadcast(&self->told);
}

gboolean
hp_store_write(HpStore *self, HpDbWork work, gpointer data, guint rows, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean ok = rows >= HP_STORE_BIG_ROWS
                      ? hp_db_write_big(self->db, work, data, &failure)
                      : hp_db_write(self->db, work, data, &failure);

    if (!ok)
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    tell_changed(self);
    return TRUE;
}

gboolean
hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "UPDATE mailbox SET highestmodseq = highestmodseq + 1 WHERE id = ?1"
                    " RETURNING highestmodseq",
                    "i", mailbox);
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        *ret_modseq = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "there is no such mailbox");
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

void
hp_store_snapshot_free(HpStoreSnapshot *self)
{
    g_array_unref(self->entries);
    g_free(self);
}

static gboolean
read_uidvalidity(HpDbConn *conn, gint64 mailbox, HpStoreSnapshot *snapshot,
                 GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT uidvalidity FROM mailbox WHERE id = ?1", "i", mailbox);
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        snapshot->uidvalidity = (guint32)hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure != NULL)
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                "there is no such mailbox");
    return FALSE;
}

static gboolean
read_entries(HpDbConn *conn, gint64 mailbox, HpStoreSnapshot *snapshot, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT uid, content, size, flags, collected_usec FROM entry WHERE mailbox = ?1"
        " ORDER BY uid",
        "i", mailbox);
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        HpStoreEntry entry = { .uid = (guint32)hp_db_int(stmt, 0),
                               .content = hp_db_int(stmt, 1),
                               .size = (guint64)hp_db_int(stmt, 2),
                               .flags = (guint32)hp_db_int(stmt, 3),
                               .collected_usec = hp_db_int(stmt, 4) };

        snapshot->octets += entry.size;
        g_array_append_val(snapshot->entries, entry);
    }
    return failure == NULL || hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

/* One lease for all of it, longer than a batch: the moment must be one, and even 100,000
 * rows take some 20 ms. */
HpStoreSnapshot *
hp_store_snapshot(HpStore *self, gint64 mailbox, GError **error)
{
    g_autoptr(HpStoreSnapshot) snapshot = g_new0(HpStoreSnapshot, 1);
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;

    snapshot->entries = g_array_new(FALSE, FALSE, sizeof(HpStoreEntry));
    if (!hp_db_begin_snapshot(conn, &failure)) {
        hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
        return NULL;
    }
    if (!read_uidvalidity(conn, mailbox, snapshot, error) ||
        !read_entries(conn, mailbox, snapshot, error))
        return NULL;
    return g_steal_pointer(&snapshot);
}

/* Contents of entries are deleted with the last entry that uses them. */
static gboolean
is_content_used(HpStore *self, gint64 content)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM entry WHERE content = ?1 LIMIT 1", "i", content);

    return hp_db_step(stmt, &failure) || failure != NULL;
}

HpContent *
hp_store_open_content(HpStore *self, const HpStoreEntry *entry, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpContent *content = hp_content_open(self->contents, entry->content, &failure);

    if (content != NULL)
        return content;
    if (!is_content_used(self, entry->content)) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "message %u has been deleted", entry->uid);
        return NULL;
    }
    /* The entry is there and its content is not: no such id means damage too. */
    if (g_error_matches(failure, HP_DB_ERROR, HP_DB_ERROR_FAILED))
        failure->code = HP_DB_ERROR_DAMAGED;
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
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
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_mailbox);
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT m.id, m.name, count(e.uid), ifnull(sum((e.flags & ?1) = 0), 0),"
        " ifnull(sum(e.size), 0), ifnull(min(e.saved_usec), 0)"
        " FROM mailbox m LEFT JOIN entry e ON e.mailbox = m.id"
        " GROUP BY m.id ORDER BY m.id",
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
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return NULL;
}

gboolean
hp_store_lock_maildrop(HpStore *self)
{
    HP_LOCKED(&self->lock);
    gboolean was_taken = self->maildrop_taken;

    self->maildrop_taken = TRUE;
    return !was_taken;
}

void
hp_store_unlock_maildrop(HpStore *self)
{
    HP_LOCKED(&self->lock);

    g_assert(self->maildrop_taken);
    self->maildrop_taken = FALSE;
}
