/* hp-dirs: where this user's settings, mail, queue, cache and sockets are.
 *
 * Threads: immutable after hp_dirs_new().
 */
#pragma once

#include <glib.h>

typedef struct {
    char *config;  /* (owned): $XDG_CONFIG_HOME/hauspost, holds hauspost.conf */
    char *data;    /* (owned): $XDG_DATA_HOME/hauspost, holds mail.db and messages/ */
    char *state;   /* (owned): $XDG_STATE_HOME/hauspost, holds queue.db, spool/, keys */
    char *cache;   /* (owned): $XDG_CACHE_HOME/hauspost, may be deleted at any time */
    char *runtime; /* (owned): $XDG_RUNTIME_DIR/hauspost, or run/ in @state */
} HpDirs;

/* The folders of this environment (XDG Base Directory 0.8); relative values count as
 * unset. Nothing is created. */
HpDirs *hp_dirs_new(void);
void hp_dirs_free(HpDirs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDirs, hp_dirs_free)

/* For a client: the folder in which the running daemon has its sockets, as recorded by
 * hp_dirs_record_runtime(), else self->runtime. */
char *hp_dirs_find_runtime(const HpDirs *self);

/* For the daemon: writes into the state folder which runtime folder is in use. */
gboolean hp_dirs_record_runtime(const HpDirs *self, int state_fd, GError **error);
