/* Looking for what is lost, and taking up what nobody owns. */
#include "hp-content-private.h"

#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <unistd.h>

#define DIGEST_BYTES 32 /* SHA-256 */
#define PIECE_BYTES  ((size_t)64 * 1024)

static gboolean
digest_content(HpContent *content, unsigned char *ret_digest, GError **error)
{
    g_autofree char *piece = g_malloc(PIECE_BYTES);
    gnutls_hash_hd_t hash = NULL;
    guint64 at = 0;
    gssize n = 0;
    int status = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);

    g_assert(status == 0);
    while (at < hp_content_size(content) &&
           (n = hp_content_read(content, at, piece, PIECE_BYTES, error)) > 0) {
        gnutls_hash(hash, piece, (size_t)n);
        at += (guint64)n;
    }
    gnutls_hash_deinit(hash, ret_digest);
    return n >= 0;
}

static gboolean
has_digest(HpContents *self, gint64 id, const unsigned char *digest, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT sha256 FROM content WHERE id = ?1", "i", id);
    HpSlice kept;

    if (!hp_db_step(stmt, &failure)) {
        if (failure == NULL)
            return TRUE; /* gone meanwhile */
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    kept = hp_db_blob(stmt, 0);
    if (kept.len == DIGEST_BYTES && memcmp(kept.data, digest, DIGEST_BYTES) == 0)
        return TRUE;
    g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED,
                _("message content %lld has been changed"), (long long)id);
    return FALSE;
}

gboolean
hp_contents_check(HpContents *self, gint64 id, gboolean full, GError **error)
{
    g_autoptr(HpContent) content = hp_content_open(self, id, error);
    unsigned char digest[DIGEST_BYTES];

    if (content == NULL)
        return FALSE;
    if (!full)
        return TRUE;
    return digest_content(content, digest, error) && has_digest(self, id, digest, error);
}

void
hp_content_orphan_free(HpContentOrphan *self)
{
    g_free(self->file);
    g_free(self);
}

static void
free_orphan(gpointer orphan)
{
    hp_content_orphan_free(orphan);
}

/* (nullable): %NULL if it cannot be read. */
static HpContentOrphan *
measure(HpContents *self, const char *file)
{
    g_autofree char *piece = g_malloc(PIECE_BYTES);
    hp_autofd fd =
        openat(self->dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    gnutls_hash_hd_t hash = NULL;
    HpContentOrphan *orphan;
    ssize_t n = -1;

    if (fd < 0 || gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) != 0)
        return NULL;
    orphan = g_new0(HpContentOrphan, 1);
    orphan->file = g_strdup(file);
    while ((n = read(fd, piece, PIECE_BYTES)) > 0) {
        gnutls_hash(hash, piece, (size_t)n);
        orphan->size += (guint64)n;
    }
    gnutls_hash_deinit(hash, orphan->digest);
    if (n == 0)
        return orphan;
    hp_content_orphan_free(orphan);
    return NULL;
}

GPtrArray *
hp_contents_list_orphans(HpContents *self, GError **error)
{
    g_autoptr(GPtrArray) files = hp_content_find_old_orphans(self, error);
    g_autoptr(GPtrArray) orphans = g_ptr_array_new_with_free_func(free_orphan);

    if (files == NULL)
        return NULL;
    for (guint i = 0; i < files->len; i++) {
        HpContentOrphan *orphan = measure(self, files->pdata[i]);

        if (orphan != NULL)
            g_ptr_array_add(orphans, orphan);
    }
    return g_steal_pointer(&orphans);
}

gboolean
hp_content_adopt(HpDbConn *conn, const HpContentOrphan *orphan, gint64 *ret_id,
                 GError **error)
{
    HpSlice digest = { (const char *)orphan->digest, DIGEST_BYTES };

    if (!hp_db_run(conn, error, "DELETE FROM erase WHERE file = ?1", "s", orphan->file) ||
        !hp_db_run(
            conn, error,
            "INSERT INTO content (sha256, size, refs, file) VALUES (?1, ?2, 1, ?3)",
            "bis", digest, (gint64)orphan->size, orphan->file))
        return FALSE;
    *ret_id = hp_db_last_id(conn);
    return TRUE;
}
