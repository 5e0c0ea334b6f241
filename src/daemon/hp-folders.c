#include "hp-folders.h"

#include "hp-fs.h"

static int
open_locked(const char *path, GError **error)
{
    hp_autofd fd = hp_fs_open_private_dir(path, error);

    if (fd < 0)
        return -1;
    if (!hp_fs_lock_dir(fd, error)) {
        g_prefix_error(error, "%s: ", path);
        return -1;
    }
    return g_steal_fd(&fd);
}

gboolean
hp_folders_open(const HpDirs *dirs, HpFolders *ret_folders, GError **error)
{
    hp_autofd data = open_locked(dirs->data, error);
    hp_autofd state = data >= 0 ? open_locked(dirs->state, error) : -1;
    hp_autofd runtime = state >= 0 ? hp_fs_open_private_dir(dirs->runtime, error) : -1;

    if (runtime < 0 || !hp_dirs_record_runtime(dirs, state, error))
        return FALSE;
    *ret_folders =
        (HpFolders){ g_steal_fd(&data), g_steal_fd(&state), g_steal_fd(&runtime) };
    return TRUE;
}

void
hp_folders_close(HpFolders *self)
{
    hp_close_fd(&self->data);
    hp_close_fd(&self->state);
    hp_close_fd(&self->runtime);
    *self = HP_FOLDERS_INIT;
}
