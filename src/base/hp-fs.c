#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void
hp_close_fd(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    errno = saved;
}

/* A quota or a limit on file sizes is a full disk by another name. */
static GFileError
code_of(int number)
{
    if (number == EDQUOT || number == EFBIG)
        return G_FILE_ERROR_NOSPC;
    return g_file_error_from_errno(number);
}

gboolean
hp_fs_fail(GError **error, const char *verb, const char *name)
{
    int saved = errno;

    g_set_error(error, G_FILE_ERROR, (int)code_of(saved), _("could not %s %s: %s"),
                _(verb), name, g_strerror(saved));
    return FALSE;
}

static int
refuse(GError **error, const char *name, const char *why)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PERM, "%s %s", name, why);
    return -1;
}

static int
steal(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

/* @created: a new folder is ours, but the umask or a default ACL may have changed it. */
static int
open_checked(int parent_fd, const char *name, gboolean created, GError **error)
{
    hp_autofd fd =
        openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;

    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return refuse(error, name, _("is a symbolic link or not a folder"));
    if (fd < 0 || fstat(fd, &info) != 0) {
        hp_fs_fail(error, N_("open folder"), name);
        return -1;
    }
    if (info.st_uid != geteuid())
        return refuse(error, name, _("belongs to another user"));
    if (!created && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refuse(error, name, _("can be written to by others"));
    if ((info.st_mode & 07777) != 0700 && fchmod(fd, 0700) != 0) {
        hp_fs_fail(error, N_("protect folder"), name);
        return -1;
    }
    return steal(&fd);
}

int
hp_fs_open_private_subdir(int dir_fd, const char *name, GError **error)
{
    gboolean created = mkdirat(dir_fd, name, 0700) == 0;

    if (!created && errno != EEXIST) {
        hp_fs_fail(error, N_("make folder"), name);
        return -1;
    }
    if (created && fsync(dir_fd) != 0) {
        hp_fs_fail(error, N_("sync the folder of"), name);
        return -1;
    }
    return open_checked(dir_fd, name, created, error);
}

int
hp_fs_open_private_dir(const char *path, GError **error)
{
    /* Without a trailing slash, which would make the folder its own parent. */
    g_autofree char *plain = g_canonicalize_filename(path, "/");
    g_autofree char *parent = g_path_get_dirname(plain);
    g_autofree char *name = g_path_get_basename(plain);
    hp_autofd parent_fd = -1;
    int fd;

    /* The parents (~/.local/state) are the user's own affair: made, but not judged. */
    if (g_mkdir_with_parents(parent, 0700) != 0) {
        hp_fs_fail(error, N_("make folder"), parent);
        return -1;
    }
    parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent_fd < 0) {
        hp_fs_fail(error, N_("open folder"), parent);
        return -1;
    }
    fd = hp_fs_open_private_subdir(parent_fd, name, error);
    if (fd < 0)
        g_prefix_error(error, "%s: ", path);
    return fd;
}

gboolean
hp_fs_lock_dir(int dir_fd, GError **error)
{
    if (flock(dir_fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno == EWOULDBLOCK) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN,
                    _("another hauspostd is already at work in this folder"));
        return FALSE;
    }
    return hp_fs_fail(error, N_("lock"), _("the folder"));
}

gint64
hp_fs_free_bytes(int dir_fd)
{
    struct statvfs fs;

    if (fstatvfs(dir_fd, &fs) != 0)
        return -1;
    return (gint64)MIN((guint64)fs.f_bavail * fs.f_frsize, (guint64)G_MAXINT64);
}

gboolean
hp_fs_write_all(int fd, HpSlice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return TRUE;
}

gboolean
hp_fs_replace_at(int dir_fd, const char *name, HpSlice contents, GError **error)
{
    g_autofree char *tmp = g_strconcat(".", name, ".new", NULL);
    hp_autofd fd = -1;

    unlinkat(dir_fd, tmp, 0); /* what a crash may have left */
    fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return hp_fs_fail(error, N_("create"), tmp);
    if (fchmod(fd, 0600) != 0 || !hp_fs_write_all(fd, contents) || fsync(fd) != 0) {
        hp_fs_fail(error, N_("write"), tmp);
        unlinkat(dir_fd, tmp, 0);
        return FALSE;
    }
    if (renameat(dir_fd, tmp, dir_fd, name) != 0) {
        hp_fs_fail(error, N_("rename to"), name);
        unlinkat(dir_fd, tmp, 0);
        return FALSE;
    }

    /* The new name is only safe once the directory itself is on disk. */
    if (fsync(dir_fd) != 0)
        return hp_fs_fail(error, N_("sync the folder of"), name);
    return TRUE;
}

static gboolean
read_all(int fd, char *buffer, size_t size, size_t *ret_len)
{
    size_t have = 0;

    while (have < size) {
        ssize_t n = read(fd, buffer + have, size - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    *ret_len = have;
    return TRUE;
}

GBytes *
hp_fs_read_at(int dir_fd, const char *name, size_t max_bytes, GError **error)
{
    hp_autofd fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    g_autofree char *buffer = NULL;
    struct stat info;
    size_t len;

    if (fd < 0 || fstat(fd, &info) != 0) {
        hp_fs_fail(error, N_("open"), name);
        return NULL;
    }
    if (!S_ISREG(info.st_mode) || (guint64)info.st_size > max_bytes) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s is not a file of at most %zu bytes", name, max_bytes);
        return NULL;
    }
    buffer = g_malloc((size_t)info.st_size + 1);
    if (!read_all(fd, buffer, (size_t)info.st_size, &len)) {
        hp_fs_fail(error, N_("read"), name);
        return NULL;
    }
    buffer[len] = '\0';
    return g_bytes_new_take(g_steal_pointer(&buffer), len);
}
