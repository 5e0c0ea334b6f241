/* hp-fs: files and folders that survive a crash and that nobody else can touch.
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

#include <sys/types.h>

/* Closes on leaving the scope; GLib 2.74 has no g_autofd. */
void hp_close_fd(int *fd);
#define hp_autofd __attribute__((cleanup(hp_close_fd))) int

/* Sets a #G_FILE_ERROR "could not VERB NAME: reason" from errno; always %FALSE. An
 * exceeded quota or limit on file sizes is G_FILE_ERROR_NOSPC, too. @verb: as N_() gives
 * it. */
gboolean hp_fs_fail(GError **error, const char *verb, const char *name);

/**
 * hp_fs_open_private_dir:
 * @path: absolute path
 * @error: #G_FILE_ERROR; the message says what is wrong with the folder
 *
 * Opens a folder that only its owner can reach, and makes it and its parents if they are
 * missing (0700 whatever the umask; fsynced). A symlink, a folder of somebody else or one
 * that others may write to is refused.
 *
 * Returns: a descriptor to be closed by the caller, or -1
 */
int hp_fs_open_private_dir(const char *path, GError **error);

/* The same for @name (no slash) inside the open folder @dir_fd. */
int hp_fs_open_private_subdir(int dir_fd, const char *name, GError **error);

/**
 * hp_fs_lock_dir:
 * @dir_fd: folder; the lock lasts until it and its duplicates are closed
 * @error: #G_FILE_ERROR_AGAIN if another process holds it
 *
 * Takes the exclusive lock (flock) that makes the holder the only one who works there.
 */
gboolean hp_fs_lock_dir(int dir_fd, GError **error);

/* Bytes that an ordinary user may still write there; -1 and errno if unknown. */
gint64 hp_fs_free_bytes(int dir_fd);

/* Writes everything; %FALSE with errno set if that was not possible. */
gboolean hp_fs_write_all(int fd, HpSlice bytes);

/**
 * hp_fs_replace_at:
 * @dir_fd: directory that holds the file
 * @name: file name inside it, without a slash
 * @contents: what the file will hold, mode 0600
 * @error: #G_FILE_ERROR
 *
 * Replaces a file so that after a crash either the old or the new contents are there,
 * whole. When this returns %TRUE the new contents are on disk.
 */
gboolean hp_fs_replace_at(int dir_fd, const char *name, HpSlice contents, GError **error);

/**
 * hp_fs_read_at:
 * @max_bytes: a larger file is an error
 * @error: #G_FILE_ERROR; %G_FILE_ERROR_NOENT if there is none
 *
 * Returns: (transfer full) (nullable): the contents of the regular file @name in @dir_fd
 */
GBytes *hp_fs_read_at(int dir_fd, const char *name, size_t max_bytes, GError **error);
