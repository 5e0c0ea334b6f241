/* What is done about contents when nobody waits: erasing, moving out of the database. */
#include "hp-content-private.h"
#include "hp-fs.h"
#include "hp-log.h"
#include "hp-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <sys/stat.h>
#include <unistd.h>

/* Erasing and moving out do not overlap: the erase list also holds the names that a move
 * has taken but not yet committed. */
static void
begin(HpContents *self)
{
    HP_LOCKED(&self->lock);

    while (self->busy)
        hp_cond_wait_until(&self->free, &self->lock, -1);
    self->busy = TRUE;
}

static void
end(HpContents *self)
{
    HP_LOCKED(&self->lock);

    self->busy = FALSE;
    hp_cond_signal(&self->free);
}

/* Syncs each folder that holds one of @files, once. */
static gboolean
sync_folders(HpContents *self, const GPtrArray *files, GError **error)
{
    g_autoptr(GHashTable) done = g_hash_table_new(g_int_hash, g_int_equal);
    g_autofree int *keys = g_new(int, files->len + 1);

    for (guint i = 0; i < files->len; i++) {
        const char *file = files->pdata[i];

        keys[i] = file[0] << 8 | file[1];
        if (g_hash_table_add(done, &keys[i]) &&
            !hp_content_sync_folder(self, file, error))
            return FALSE;
    }
    return TRUE;
}

/* What cannot be found out counts as owned. */
static gboolean
is_owned(HpDbConn *conn, const char *sql, const char *file)
{
    HpDbStmt *stmt = hp_db_query(conn, sql, "s", file);
    g_autoptr(GError) failure = NULL;
    gboolean owned = hp_db_step(stmt, &failure);

    hp_db_reset(stmt);
    return owned || failure != NULL;
}

static GPtrArray *
load_erase_list(HpContents *self, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn, "SELECT file FROM erase LIMIT 256", "");

    while (hp_db_step(stmt, &failure))
        if (!hp_db_is_null(stmt, 0))
            g_ptr_array_add(files, hp_db_dup_text(stmt, 0));
    if (failure == NULL)
        return g_steal_pointer(&files);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* With a damaged index the same names would come again and again. */
static gboolean
clear_erase_list(HpDbConn *conn, gpointer data, GError **error)
{
    const GPtrArray *files = data;
    gint64 cleared = 0;

    for (guint i = 0; i < files->len; i++) {
        if (!hp_db_run(conn, error, "DELETE FROM erase WHERE file = ?1", "s",
                       (const char *)files->pdata[i]))
            return FALSE;
        cleared += hp_db_changes(conn);
    }
    if (cleared > 0)
        return TRUE;
    g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED, "the erase list is damaged");
    return FALSE;
}

/* A name that is not one of ours (a damaged row) is only struck off. */
static gboolean
unlink_files(HpContents *self, GPtrArray *files, GError **error)
{
    g_autoptr(GPtrArray) touched = g_ptr_array_new();

    for (guint i = 0; i < files->len; i++) {
        const char *file = files->pdata[i];

        if (!hp_content_is_file_name(file))
            continue;
        if (unlinkat(self->dir_fd, file, 0) == 0)
            g_ptr_array_add(touched, files->pdata[i]);
        else if (errno != ENOENT)
            return hp_fs_fail(error, N_("remove"), file);
    }
    return sync_folders(self, touched, error);
}

static gboolean
erase_all(HpContents *self, GError **error)
{
    for (;;) {
        g_autoptr(GPtrArray) files = load_erase_list(self, error);

        if (files == NULL)
            return FALSE;
        if (files->len == 0)
            return TRUE;
        if (!unlink_files(self, files, error) ||
            !hp_db_write(self->db, clear_erase_list, files, error))
            return FALSE;
    }
}

gboolean
hp_contents_erase(HpContents *self, GError **error)
{
    gboolean ok;

    begin(self);
    ok = erase_all(self, error);
    end(self);
    return ok;
}

/* A content on its way out of the database. */
typedef struct {
    gint64 id;
    char *file;       /* (owned) */
    gboolean written; /* all its bytes are in the file */
} Moving;

typedef struct {
    GArray *batch; /* (owned): Moving */
    guint moved;
} Move;

static void
clear_moving(gpointer moving)
{
    g_free(((Moving *)moving)->file);
}

static void
init_move(Move *move)
{
    move->batch = g_array_new(FALSE, FALSE, sizeof(Moving));
    g_array_set_clear_func(move->batch, clear_moving);
}

static void
clear_move(Move *move)
{
    g_array_unref(move->batch);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Move, clear_move)

static gboolean
choose(HpContents *self, guint keep, Move *move, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT id FROM content WHERE file IS NULL AND id <="
        " (SELECT id FROM content WHERE file IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?1)"
        " ORDER BY id LIMIT ?2",
        "ii", (gint64)keep, (gint64)HP_CONTENT_UNSTAGE_MAX);

    while (hp_db_step(stmt, &failure)) {
        Moving one = { hp_db_int(stmt, 0), hp_content_new_file_name(), FALSE };

        g_array_append_val(move->batch, one);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static Moving *
get(const Move *move, guint i)
{
    return &g_array_index(move->batch, Moving, i);
}

/* Before any file has its name: should we crash, the erase list finds it again. */
static gboolean
announce(HpDbConn *conn, gpointer data, GError **error)
{
    const Move *move = data;

    for (guint i = 0; i < move->batch->len; i++)
        if (!hp_db_run(conn, error, "INSERT INTO erase (file) VALUES (?1)", "s",
                       (const char *)get(move, i)->file))
            return FALSE;
    return TRUE;
}

static gboolean
write_tmp(HpContents *self, const char *file, GBytes *bytes, GError **error)
{
    hp_autofd fd = hp_content_create_tmp(self, file, error);

    if (fd < 0)
        return FALSE;
    return hp_fs_write_all(fd, hp_slice_of_bytes(bytes)) ||
           hp_fs_fail(error, N_("write"), file);
}

/* One that was deleted meanwhile is left out. */
static gboolean
copy_one_out(HpContents *self, Moving *one, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(HpContent) content = hp_content_open(self, one->id, &failure);
    g_autoptr(GBytes) bytes = NULL;

    if (g_error_matches(failure, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND))
        return TRUE;
    if (content != NULL)
        bytes = hp_content_load(content, HP_CONTENT_INLINE_MAX, &failure);
    if (bytes == NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    one->written = write_tmp(self, one->file, bytes, error);
    return one->written;
}

static gboolean
copy_out(HpContents *self, const Move *move, GError **error)
{
    for (guint i = 0; i < move->batch->len; i++)
        if (!copy_one_out(self, get(move, i), error))
            return FALSE;
    return syncfs(self->dir_fd) == 0 || hp_fs_fail(error, N_("sync"), "messages");
}

static gboolean
put_in_place(HpContents *self, const Move *move, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();

    for (guint i = 0; i < move->batch->len; i++) {
        Moving *one = get(move, i);

        if (one->written && !hp_content_move_in(self, one->file, error))
            return FALSE;
        if (one->written)
            g_ptr_array_add(files, one->file);
    }
    return sync_folders(self, files, error);
}

static gboolean
finish_one(HpDbConn *conn, Move *move, const Moving *one, GError **error)
{
    if (!hp_db_run(conn, error,
                   "UPDATE content SET file = ?2, bytes = NULL"
                   " WHERE id = ?1 AND file IS NULL",
                   "is", one->id, (const char *)one->file))
        return FALSE;
    if (hp_db_changes(conn) == 0)
        return TRUE; /* gone meanwhile: the file stays on the erase list */
    move->moved++;
    return hp_db_run(conn, error, "DELETE FROM erase WHERE file = ?1", "s",
                     (const char *)one->file);
}

static gboolean
finish_move(HpDbConn *conn, gpointer data, GError **error)
{
    Move *move = data;

    move->moved = 0;
    for (guint i = 0; i < move->batch->len; i++)
        if (get(move, i)->written && !finish_one(conn, move, get(move, i), error))
            return FALSE;
    return TRUE;
}

/* What a move that failed has written; later files of other batches are not touched. */
static void
drop_tmp(HpContents *self, const Move *move)
{
    for (guint i = 0; i < move->batch->len; i++)
        unlinkat(self->tmp_fd, hp_content_base_name(get(move, i)->file), 0);
}

static gboolean
move_batch(HpContents *self, guint keep, guint *ret_moved, GError **error)
{
    g_auto(Move) move = { 0 };

    init_move(&move);
    if (!choose(self, keep, &move, error))
        return FALSE;
    if (move.batch->len > 0 &&
        (!hp_db_write(self->db, announce, &move, error) ||
         !copy_out(self, &move, error) || !put_in_place(self, &move, error) ||
         !hp_db_write_big(self->db, finish_move, &move, error))) {
        drop_tmp(self, &move);
        return FALSE;
    }
    *ret_moved = move.moved;
    return TRUE;
}

gboolean
hp_contents_unstage(HpContents *self, guint keep, guint *ret_moved, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean ok;

    begin(self);
    ok = move_batch(self, keep, ret_moved, &failure);
    /* What a failed move has announced. After a COMMIT of unknown outcome the database
     * refuses, and the files stay. */
    if (!ok && hp_db_is_writable(self->db))
        erase_all(self, NULL);
    end(self);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&failure));
    return ok;
}

guint64
hp_contents_staged_octets(HpContents *self)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT total(size) FROM content WHERE file IS NULL", "");

    return hp_db_step(stmt, NULL) ? (guint64)hp_db_int(stmt, 0) : 0;
}

static gboolean
is_old(HpContents *self, const char *file)
{
    struct stat info;

    return fstatat(self->dir_fd, file, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           info.st_ctim.tv_sec < self->opened_sec;
}

/* Appends the names of files that no row names. One lease a folder: with 100,000 files
 * that is about 400 of them. */
static gboolean
find_in_folder(HpContents *self, const char *folder, GPtrArray *orphans, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", self->dir_fd, folder);
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    g_autoptr(HpDbConn) conn = NULL;
    const char *name;

    if (dir == NULL)
        return FALSE;
    conn = hp_db_lease(self->db);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_strconcat(folder, "/", name, NULL);

        if (!is_owned(conn, "SELECT 1 FROM content WHERE file = ?1 LIMIT 1", file))
            g_ptr_array_add(orphans, g_steal_pointer(&file));
    }
    return TRUE;
}

static GPtrArray *
find_orphans(HpContents *self, GError **error)
{
    g_autoptr(GPtrArray) orphans = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < 256; i++) {
        unsigned char byte = (unsigned char)i;
        g_autofree char *folder = hp_text_hex(&byte, 1);

        if (!find_in_folder(self, folder, orphans, error))
            return NULL;
    }
    return g_steal_pointer(&orphans);
}

GPtrArray *
hp_content_find_old_orphans(HpContents *self, GError **error)
{
    GPtrArray *orphans = find_orphans(self, error);

    for (guint i = orphans != NULL ? orphans->len : 0; i-- > 0;)
        if (!is_old(self, orphans->pdata[i]) ||
            !hp_content_is_file_name(orphans->pdata[i]))
            g_ptr_array_remove_index_fast(orphans, i);
    return orphans;
}

gboolean
hp_contents_count_orphans(HpContents *self, guint *ret_orphans, GError **error)
{
    g_autoptr(GPtrArray) orphans = find_orphans(self, error);
    guint count = 0;

    if (orphans == NULL)
        return FALSE;
    for (guint i = 0; i < orphans->len; i++)
        count += is_old(self, orphans->pdata[i]);
    if (count > 0)
        hp_log("content", NULL, G_LOG_LEVEL_WARNING,
               "%u files belong to no message; they are left alone", count);
    *ret_orphans = count;
    return TRUE;
}

/* A damaged index is no reason to delete: the table itself must not name them either. */
static void
keep_owned(HpContents *self, GPtrArray *orphans)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

    for (guint i = orphans->len; i-- > 0;)
        if (is_owned(conn, "SELECT 1 FROM content NOT INDEXED WHERE file = ?1 LIMIT 1",
                     orphans->pdata[i]))
            g_ptr_array_remove_index_fast(orphans, i);
}

gboolean
hp_contents_remove_orphans(HpContents *self, GError **error)
{
    g_autoptr(GPtrArray) orphans = find_orphans(self, error);

    if (orphans == NULL)
        return FALSE;
    if (orphans->len == 0)
        return TRUE;
    keep_owned(self, orphans);
    if (!unlink_files(self, orphans, error))
        return FALSE;
    hp_log("content", NULL, G_LOG_LEVEL_MESSAGE,
           "removed %u files of messages that were never acknowledged", orphans->len);
    return TRUE;
}
