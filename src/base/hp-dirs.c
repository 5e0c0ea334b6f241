#include "hp-dirs.h"

#include "hp-fs.h"

#include <fcntl.h>

#define RUNTIME_RECORD "runtime-folder" /* in the state folder */
#define LONGEST_PATH   4096             /* bytes; PATH_MAX */

static char *
folder(const char *variable, const char *fallback)
{
    const char *set = g_getenv(variable);

    if (set != NULL && g_path_is_absolute(set))
        return g_build_filename(set, "hauspost", NULL);
    return fallback != NULL
               ? g_build_filename(g_get_home_dir(), fallback, "hauspost", NULL)
               : NULL;
}

HpDirs *
hp_dirs_new(void)
{
    HpDirs *self = g_new0(HpDirs, 1);

    self->config = folder("XDG_CONFIG_HOME", ".config");
    self->data = folder("XDG_DATA_HOME", ".local/share");
    self->state = folder("XDG_STATE_HOME", ".local/state");
    self->cache = folder("XDG_CACHE_HOME", ".cache");
    self->runtime = folder("XDG_RUNTIME_DIR", NULL);
    if (self->runtime == NULL)
        self->runtime = g_build_filename(self->state, "run", NULL);
    return self;
}

void
hp_dirs_free(HpDirs *self)
{
    g_free(self->config);
    g_free(self->data);
    g_free(self->state);
    g_free(self->cache);
    g_free(self->runtime);
    g_free(self);
}

char *
hp_dirs_find_runtime(const HpDirs *self)
{
    hp_autofd state_fd = open(self->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GBytes) record =
        state_fd >= 0 ? hp_fs_read_at(state_fd, RUNTIME_RECORD, LONGEST_PATH, NULL)
                      : NULL;
    g_autofree char *path =
        record != NULL ? hp_slice_dup(hp_slice_trim(hp_slice_of_bytes(record))) : NULL;

    if (path != NULL && g_path_is_absolute(path))
        return g_steal_pointer(&path);
    return g_strdup(self->runtime);
}

gboolean
hp_dirs_record_runtime(const HpDirs *self, int state_fd, GError **error)
{
    return hp_fs_replace_at(state_fd, RUNTIME_RECORD, hp_slice_of(self->runtime), error);
}
