/* Drafts, and their rows. */
#include "hp-content.h"

#include "hp-content-private.h"
#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <gnutls/crypto.h>
#include <unistd.h>

#define DIGEST_BYTES 32                 /* SHA-256 */
#define ROOM_STEP    ((guint64)1 << 20) /* octets between two looks at the free space */

struct _HpContentDraft {
    HpContents *contents;  /* (unowned) */
    GByteArray *bytes;     /* (owned): as long as it is small */
    gnutls_hash_hd_t hash; /* (owned) (nullable): until it is finished */
    char *file;            /* (owned) (nullable): final name of a large one */
    int fd;                /* of a large one, or -1 */
    guint64 size;          /* octets */
    guint64 room_up_to;    /* octets for which there was room */
    gboolean in_place;     /* the file has its final name */
    gboolean finished;
    gboolean inserted;
    gboolean committed;
    unsigned char digest[DIGEST_BYTES];
};

HpContentDraft *
hp_content_draft_new(HpContents *contents)
{
    HpContentDraft *self = g_new0(HpContentDraft, 1);
    int status = gnutls_hash_init(&self->hash, GNUTLS_DIG_SHA256);

    g_assert(status == 0);
    self->contents = contents;
    self->bytes = g_byte_array_new();
    self->fd = -1;
    return self;
}

static void
remove_file(HpContentDraft *self)
{
    if (self->in_place)
        unlinkat(self->contents->dir_fd, self->file, 0);
    else
        unlinkat(self->contents->tmp_fd, hp_content_base_name(self->file), 0);
}

void
hp_content_draft_free(HpContentDraft *self)
{
    /* A refused insert leaves the database writable; a COMMIT of unknown outcome never
     * does, and then the row may be there. */
    gboolean may_be_owned =
        self->committed || (self->inserted && !hp_db_is_writable(self->contents->db));

    if (self->file != NULL && !may_be_owned)
        remove_file(self);
    if (self->fd >= 0)
        close(self->fd);
    if (self->hash != NULL)
        gnutls_hash_deinit(self->hash, NULL);
    g_byte_array_unref(self->bytes);
    g_free(self->file);
    g_free(self);
}

static gboolean
check_room(HpContentDraft *self, guint64 octets, GError **error)
{
    if (self->size + octets <= self->room_up_to)
        return TRUE;
    if (!hp_contents_has_room(self->contents, octets + ROOM_STEP)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
                    "the disk is full (16 MiB are kept free so that deleting works)");
        return FALSE;
    }
    self->room_up_to = self->size + octets + ROOM_STEP;
    return TRUE;
}

static gboolean
begin_file(HpContentDraft *self, GError **error)
{
    HpSlice bytes = { (const char *)self->bytes->data, self->bytes->len };
    g_autofree char *file = hp_content_new_file_name();

    self->fd = hp_content_create_tmp(self->contents, file, error);
    if (self->fd < 0)
        return FALSE;
    self->file = g_steal_pointer(&file);
    if (!hp_fs_write_all(self->fd, bytes))
        return hp_fs_fail(error, N_("write"), self->file);
    g_byte_array_unref(self->bytes);
    self->bytes = g_byte_array_new();
    return TRUE;
}

gboolean
hp_content_draft_append(HpContentDraft *self, HpSlice bytes, GError **error)
{
    g_assert(!self->finished);
    if (bytes.len == 0)
        return TRUE;
    if (!check_room(self, bytes.len, error))
        return FALSE;
    if (self->fd < 0 && self->size + bytes.len > HP_CONTENT_INLINE_MAX &&
        !begin_file(self, error))
        return FALSE;
    if (self->fd < 0)
        g_byte_array_append(self->bytes, (const guint8 *)bytes.data, (guint)bytes.len);
    else if (!hp_fs_write_all(self->fd, bytes))
        return hp_fs_fail(error, N_("write"), self->file);
    gnutls_hash(self->hash, bytes.data, bytes.len);
    self->size += bytes.len;
    return TRUE;
}

gboolean
hp_content_draft_finish(HpContentDraft *self, GError **error)
{
    g_assert(!self->finished);
    gnutls_hash_deinit(self->hash, self->digest);
    self->hash = NULL;
    if (self->fd >= 0) {
        if (fsync(self->fd) != 0)
            return hp_fs_fail(error, N_("sync"), self->file);
        if (!hp_content_move_in(self->contents, self->file, error))
            return FALSE;
        self->in_place = TRUE;
        if (!hp_content_sync_folder(self->contents, self->file, error))
            return FALSE;
        close(self->fd);
        self->fd = -1;
    }
    self->finished = TRUE;
    return TRUE;
}

guint64
hp_content_draft_size(const HpContentDraft *self)
{
    return self->size;
}

static GBytes *
load_file(HpContentDraft *self, GError **error)
{
    hp_autofd fd = openat(self->contents->dir_fd, self->file,
                          O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    g_autofree char *buffer = g_malloc(self->size + 1);
    size_t have = 0;

    while (fd >= 0 && have < self->size) {
        ssize_t n = pread(fd, buffer + have, self->size - have, (off_t)have);

        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        have += (size_t)MAX(n, 0);
    }
    if (have == self->size)
        return g_bytes_new_take(g_steal_pointer(&buffer), have);
    hp_fs_fail(error, "read", self->file);
    return NULL;
}

GBytes *
hp_content_draft_load(HpContentDraft *self, GError **error)
{
    g_assert(self->finished);
    if (self->file != NULL)
        return load_file(self, error);
    return g_bytes_new(self->bytes->data, self->bytes->len);
}

gboolean
hp_content_find_same(HpDbConn *conn, const HpContentDraft *draft, gint64 *ret_id,
                     GError **error)
{
    HpSlice digest = { (const char *)draft->digest, DIGEST_BYTES };
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt;

    g_assert(draft->finished);
    stmt = hp_db_query(conn,
                       "SELECT id FROM content WHERE substr(sha256, 1, 8) = ?1"
                       " AND sha256 = ?2 AND size = ?3 ORDER BY id DESC LIMIT 1",
                       "bbi", (HpSlice){ digest.data, 8 }, digest, (gint64)draft->size);
    *ret_id = hp_db_step(stmt, &failure) ? hp_db_int(stmt, 0) : 0;
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_content_insert(HpDbConn *conn, HpContentDraft *draft, gint64 *ret_id, GError **error)
{
    HpSlice digest = { (const char *)draft->digest, DIGEST_BYTES };
    HpSlice bytes = { NULL, 0 };

    g_assert(draft->finished);
    if (draft->file == NULL) /* an empty message is not NULL */
        bytes = draft->size > 0
                    ? (HpSlice){ (const char *)draft->bytes->data, draft->bytes->len }
                    : (HpSlice){ "", 0 };
    draft->inserted = TRUE;
    if (!hp_db_run(conn, error,
                   "INSERT INTO content (sha256, size, refs, bytes, file)"
                   " VALUES (?1, ?2, 1, ?3, ?4)",
                   "bibs", digest, (gint64)draft->size, bytes, draft->file))
        return FALSE;
    *ret_id = hp_db_last_id(conn);
    return TRUE;
}

void
hp_content_draft_committed(HpContentDraft *self)
{
    self->committed = TRUE;
}

static gboolean
fail_unless_changed(HpDbConn *conn, gint64 id, GError **error)
{
    if (hp_db_changes(conn) == 1)
        return TRUE;
    g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND,
                "there is no message content %" G_GINT64_FORMAT, id);
    return FALSE;
}

gboolean
hp_content_ref(HpDbConn *conn, gint64 id, GError **error)
{
    return hp_db_run(conn, error, "UPDATE content SET refs = refs + 1 WHERE id = ?1", "i",
                     id) &&
           fail_unless_changed(conn, id, error);
}

gboolean
hp_content_unref(HpDbConn *conn, gint64 id, GError **error)
{
    return hp_db_run(conn, error, "UPDATE content SET refs = refs - 1 WHERE id = ?1", "i",
                     id) &&
           fail_unless_changed(conn, id, error) &&
           hp_db_run(conn, error,
                     "INSERT OR IGNORE INTO erase (file) SELECT file FROM content"
                     " WHERE id = ?1 AND refs <= 0 AND file IS NOT NULL",
                     "i", id) &&
           hp_db_run(conn, error, "DELETE FROM content WHERE id = ?1 AND refs <= 0", "i",
                     id);
}

gboolean
hp_content_drop(HpDbConn *conn, gint64 id, GError **error)
{
    return hp_db_run(conn, error,
                     "INSERT OR IGNORE INTO erase (file) SELECT file FROM content"
                     " WHERE id = ?1 AND file IS NOT NULL",
                     "i", id) &&
           hp_db_run(conn, error, "DELETE FROM content WHERE id = ?1", "i", id);
}
