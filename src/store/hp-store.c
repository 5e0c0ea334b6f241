#include "hp-store.h"

#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-private.h"

#include <unistd.h>

G_DEFINE_QUARK(hp_store_error, hp_store_error)

gboolean
hp_store_fail(GError **error, GError *cause, const char *what)
{
    HpStoreError code = HP_STORE_ERROR_FAILED;

    if (cause->domain == HP_STORE_ERROR) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (g_error_matches(cause, HP_DB_ERROR, HP_DB_ERROR_DAMAGED) ||
        g_error_matches(cause, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY) ||
        g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        code = HP_STORE_ERROR_DAMAGED;
    else if (g_error_matches(cause, HP_DB_ERROR, HP_DB_ERROR_FULL) ||
             g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
        code = HP_STORE_ERROR_FULL;
    g_set_error(error, HP_STORE_ERROR, code, "%s: %s", what, cause->message);
    g_error_free(cause);
    return FALSE;
}

static gboolean
make_special(HpDbConn *conn, const char *use, gint64 now_usec, GError **error)
{
    const char *name = use + 1;
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM mailbox WHERE name = ?1", "s", name);
    gboolean there = hp_db_step(stmt, NULL); /* of a database that was repaired */

    hp_db_reset(stmt);
    if (there)
        return TRUE;
    return hp_store_insert_mailbox(conn, name, use, now_usec, error) &&
           hp_db_run(conn, error, "INSERT OR IGNORE INTO subscription (name) VALUES (?1)",
                     "s", name);
}

/* INBOX first: it has a number that is known. */
static gboolean
make_mailboxes(HpDbConn *conn, gpointer data, GError **error)
{
    static const char *const uses[] = { HP_STORE_SPECIAL_USES };
    const HpStore *self = data;
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);

    if (!hp_store_insert_mailbox(conn, "INBOX", NULL, now, error) ||
        !hp_db_run(conn, error, "UPDATE mailbox SET id = ?1 WHERE name = 'INBOX'", "i",
                   (gint64)HP_STORE_INBOX) ||
        !hp_db_run(conn, error,
                   "INSERT OR IGNORE INTO subscription (name) VALUES ('INBOX')", ""))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(uses); i++)
        if (!make_special(conn, uses[i], now, error))
            return FALSE;
    return TRUE;
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
can_step(HpDbStmt *stmt, GError **error)
{
    g_autoptr(GError) failure = NULL;

    hp_db_step(stmt, &failure);
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Can messages be found from at least one end? */
static gboolean
need_entries(HpStore *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;

    return can_step(hp_db_query(
                        conn, "SELECT uid FROM entry ORDER BY mailbox, uid LIMIT 1", ""),
                    NULL) ||
           can_step(hp_db_query(conn,
                                "SELECT uid FROM entry ORDER BY mailbox DESC, uid DESC"
                                " LIMIT 1",
                                ""),
                    &failure) ||
           hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

static gboolean
need_inbox(HpStore *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean has = FALSE;

    if (!has_inbox(self, &has, error) || !need_entries(self, error))
        return FALSE;
    return has || hp_db_write(self->db, make_mailboxes, self, &failure) ||
           hp_store_fail(error, g_steal_pointer(&failure), "could not make INBOX");
}

static gboolean
open_parts(HpStore *self, const char *data_path, int data_fd, GError **error)
{
    g_autofree char *path = g_build_filename(data_path, "mail.db", NULL);
    HpDbSpec spec = { path, HP_STORE_APPLICATION_ID, hp_store_migrations, "mail-writer" };
    hp_autofd messages_fd = hp_fs_open_private_subdir(data_fd, "messages", error);

    if (messages_fd < 0 || !hp_store_finish_rebuild(data_fd, error))
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
    self->data_path = g_strdup(data_path);
    hp_lock_init(&self->lock);
    self->keywords = hp_keywords_new();
    self->views = hp_views_new();
    self->annotated = hp_annotation_log_new();
    self->watchers = g_ptr_array_new();
    hp_cond_init(&self->told);
    hp_cond_init(&self->maildrop_left);
    if (open_parts(self, data_path, data_fd, error) && need_inbox(self, error))
        return self;
    hp_store_close(self);
    return NULL;
}

void
hp_store_close(HpStore *self)
{
    hp_views_free(self->views);
    hp_annotation_log_free(self->annotated);
    if (self->contents != NULL)
        hp_contents_close(self->contents);
    if (self->db != NULL)
        hp_db_close(self->db);
    g_ptr_array_unref(self->watchers);
    hp_keywords_free(self->keywords);
    hp_cond_clear(&self->maildrop_left);
    hp_cond_clear(&self->told);
    hp_lock_clear(&self->lock);
    g_free(self->data_path);
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

/* A content whose entries are all expunged may be there for a while. */
HpContent *
hp_store_open_content(HpStore *self, const HpStoreEntry *entry, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpContent *content;

    if (!is_content_used(self, entry->content)) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    "message %u has been deleted", entry->uid);
        return NULL;
    }
    content = hp_content_open(self->contents, entry->content, &failure);
    if (content != NULL)
        return content;
    /* The entry is there and its content is not: no such id means damage too. */
    if (g_error_matches(failure, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND))
        failure->code = HP_DB_ERROR_DAMAGED;
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return NULL;
}

GBytes *
hp_store_load_content(HpStore *self, gint64 content, GError **error)
{
    g_autoptr(HpContent) opened = hp_content_open(self->contents, content, error);

    return opened != NULL
               ? hp_content_load(opened, (size_t)hp_content_size(opened), error)
               : NULL;
}

gboolean
hp_store_lock_maildrop(HpStore *self, gint64 patience_usec)
{
    HP_LOCKED(&self->lock);
    gint64 deadline = g_get_monotonic_time() + patience_usec;

    while (self->maildrop_taken &&
           hp_cond_wait_until(&self->maildrop_left, &self->lock, deadline))
        ;
    if (self->maildrop_taken)
        return FALSE;
    self->maildrop_taken = TRUE;
    return TRUE;
}

void
hp_store_unlock_maildrop(HpStore *self)
{
    HP_LOCKED(&self->lock);

    g_assert(self->maildrop_taken);
    self->maildrop_taken = FALSE;
    hp_cond_signal(&self->maildrop_left);
}
