/* The folder of contents: names, temporary files, opening and reading. */
#include "hp-content-private.h"

#include "hp-fs.h"
#include "hp-log.h"
#include "hp-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 16 /* random; never the same twice */
#define NAME_LEN   (3 + 2 * NAME_BYTES)

char *
hp_content_new_file_name(void)
{
    unsigned char bytes[NAME_BYTES];
    g_autofree char *hex = NULL;
    ssize_t n = getrandom(bytes, sizeof bytes, 0);

    /* Up to 256 bytes never come short once the pool is there (getrandom(2)). */
    g_assert(n == sizeof bytes);
    hex = hp_text_hex(bytes, sizeof bytes);
    return g_strdup_printf("%.2s/%s", hex, hex);
}

gboolean
hp_content_is_file_name(const char *file)
{
    if (strlen(file) != NAME_LEN || file[2] != '/' || strncmp(file, file + 3, 2) != 0)
        return FALSE;
    for (const char *p = file; *p != '\0'; p++)
        if (p != file + 2 && (!g_ascii_isxdigit(*p) || g_ascii_isupper(*p)))
            return FALSE;
    return TRUE;
}

const char *
hp_content_base_name(const char *file)
{
    return file + 3;
}

int
hp_content_create_tmp(HpContents *self, const char *file, GError **error)
{
    int fd = openat(self->tmp_fd, hp_content_base_name(file),
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        hp_fs_fail(error, N_("create"), file);
    return fd;
}

gboolean
hp_content_move_in(HpContents *self, const char *file, GError **error)
{
    if (renameat2(self->tmp_fd, hp_content_base_name(file), self->dir_fd, file,
                  RENAME_NOREPLACE) == 0)
        return TRUE;
    /* Some file systems do not know the flag; the names are random anyway. */
    if (errno == EINVAL &&
        renameat(self->tmp_fd, hp_content_base_name(file), self->dir_fd, file) == 0)
        return TRUE;
    return hp_fs_fail(error, N_("rename to"), file);
}

gboolean
hp_content_sync_folder(HpContents *self, const char *file, GError **error)
{
    char folder[3] = { file[0], file[1], '\0' };
    hp_autofd fd =
        openat(self->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return hp_fs_fail(error, N_("sync folder"), folder);
    return TRUE;
}

/* The folders 00 to ff; one sync makes all new names durable. */
static gboolean
make_folders(HpContents *self, GError **error)
{
    gboolean made = FALSE;

    for (guint i = 0; i < 256; i++) {
        unsigned char byte = (unsigned char)i;
        g_autofree char *name = hp_text_hex(&byte, 1);

        if (mkdirat(self->dir_fd, name, 0700) == 0)
            made = TRUE;
        else if (errno != EEXIST)
            return hp_fs_fail(error, N_("make folder"), name);
    }
    if (made && fsync(self->dir_fd) != 0)
        return hp_fs_fail(error, N_("sync"), "the folder of messages");
    return TRUE;
}

/* Nothing in tmp/ was ever acknowledged. */
static gboolean
empty_tmp(HpContents *self, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", self->tmp_fd);
    g_autoptr(GDir) dir = g_dir_open(path, 0, error);
    const char *name;

    if (dir == NULL)
        return FALSE;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (unlinkat(self->tmp_fd, name, 0) != 0 && errno != ENOENT)
            return hp_fs_fail(error, N_("remove"), name);
    return TRUE;
}

static gboolean
note_time(HpContents *self, GError **error)
{
    struct stat info;

    /* Just changed, or as good as: the clock that the files' times come from. */
    if (futimens(self->tmp_fd, NULL) != 0 || fstat(self->tmp_fd, &info) != 0)
        return hp_fs_fail(error, N_("look at"), "the folder of messages");
    self->opened_sec = info.st_mtim.tv_sec;
    return TRUE;
}

HpContents *
hp_contents_open(HpDb *db, int dir_fd, GError **error)
{
    g_autoptr(HpContents) self = g_new0(HpContents, 1);
    g_autoptr(GError) failure = NULL;

    self->db = db;
    hp_lock_init(&self->lock);
    hp_cond_init(&self->free);
    self->tmp_fd = -1;
    self->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    if (self->dir_fd < 0) {
        hp_fs_fail(error, N_("open"), "the folder of messages");
        return NULL;
    }
    self->tmp_fd = hp_fs_open_private_subdir(self->dir_fd, "tmp", error);
    if (self->tmp_fd < 0 || !make_folders(self, error) || !empty_tmp(self, error) ||
        !note_time(self, error))
        return NULL;
    /* On a full disk that can wait, opening cannot. */
    if (hp_db_is_writable(db) && !hp_contents_erase(self, &failure))
        hp_log("content", NULL, G_LOG_LEVEL_WARNING,
               "deleted messages' files are still there: %s", failure->message);
    return g_steal_pointer(&self);
}

void
hp_contents_close(HpContents *self)
{
    if (self->tmp_fd >= 0)
        close(self->tmp_fd);
    if (self->dir_fd >= 0)
        close(self->dir_fd);
    hp_cond_clear(&self->free);
    hp_lock_clear(&self->lock);
    g_free(self);
}

gboolean
hp_contents_has_room(HpContents *self, guint64 octets)
{
    gint64 room = hp_fs_free_bytes(self->dir_fd);

    return room < 0 || ((guint64)room >= HP_CONTENT_DISK_RESERVE &&
                        (guint64)room - HP_CONTENT_DISK_RESERVE >= octets);
}

struct _HpContent {
    guint64 size;
    GBytes *bytes; /* (owned) (nullable): a small one */
    int fd;        /* a large one, or -1 */
};

static gboolean
damaged(GError **error, gint64 id)
{
    g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED,
                "message content %" G_GINT64_FORMAT " is not what was stored", id);
    return FALSE;
}

/* @ret_file: (nullable): where it is, if not in @self->bytes */
static gboolean
look_up(HpContents *contents, gint64 id, HpContent *self, char **ret_file, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(contents->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT size, bytes, file FROM content WHERE id = ?1", "i", id);
    g_autoptr(GError) failure = NULL;
    HpSlice bytes;

    if (!hp_db_step(stmt, &failure)) {
        if (failure == NULL)
            g_set_error(&failure, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND,
                        "there is no message content %" G_GINT64_FORMAT, id);
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    self->size = (guint64)hp_db_int(stmt, 0);
    if (!hp_db_is_null(stmt, 2)) {
        *ret_file = hp_db_dup_text(stmt, 2);
        return hp_content_is_file_name(*ret_file) || damaged(error, id);
    }
    bytes = hp_db_blob(stmt, 1);
    if (bytes.len != self->size || hp_db_is_null(stmt, 1))
        return damaged(error, id);
    self->bytes = g_bytes_new(bytes.data, bytes.len);
    return TRUE;
}

HpContent *
hp_content_open(HpContents *contents, gint64 id, GError **error)
{
    g_autoptr(HpContent) self = g_new0(HpContent, 1);
    g_autofree char *file = NULL;
    struct stat info;

    self->fd = -1;
    if (!look_up(contents, id, self, &file, error))
        return NULL;
    if (file == NULL)
        return g_steal_pointer(&self);
    self->fd =
        openat(contents->dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (self->fd < 0 || fstat(self->fd, &info) != 0) {
        hp_fs_fail(error, N_("open"), file);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || (guint64)info.st_size != self->size) {
        damaged(error, id);
        return NULL;
    }
    return g_steal_pointer(&self);
}

HpContent *
hp_content_of(GBytes *bytes)
{
    HpContent *self = g_new0(HpContent, 1);

    self->fd = -1;
    self->bytes = g_bytes_ref(bytes);
    self->size = g_bytes_get_size(bytes);
    return self;
}

void
hp_content_close(HpContent *self)
{
    if (self->fd >= 0)
        close(self->fd);
    if (self->bytes != NULL)
        g_bytes_unref(self->bytes);
    g_free(self);
}

guint64
hp_content_size(const HpContent *self)
{
    return self->size;
}

gssize
hp_content_read(gpointer content, guint64 offset, char *buffer, size_t size,
                GError **error)
{
    HpContent *self = content;
    size_t n = (size_t)MIN(size, self->size - MIN(offset, self->size));
    ssize_t got;

    if (n == 0)
        return 0;
    if (self->bytes != NULL) {
        HpSlice bytes = hp_slice_of_bytes(self->bytes);

        memcpy(buffer, bytes.data + offset, n);
        return (gssize)n;
    }
    do {
        got = pread(self->fd, buffer, n, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        hp_fs_fail(error, N_("read"), _("a message's file"));
    else if (got == 0) { /* it was that long when it was opened */
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED,
                    "a message's file became shorter");
        return -1;
    }
    return got;
}

GBytes *
hp_content_load(HpContent *self, size_t max_bytes, GError **error)
{
    size_t wanted = (size_t)MIN(self->size, (guint64)max_bytes);
    g_autofree char *buffer = g_malloc(wanted + 1);
    size_t have = 0;

    while (have < wanted) {
        gssize n = hp_content_read(self, have, buffer + have, wanted - have, error);

        if (n < 0)
            return NULL;
        have += (size_t)n;
    }
    return g_bytes_new_take(g_steal_pointer(&buffer), wanted);
}
