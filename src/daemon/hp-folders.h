/* hp-folders: opens and locks the folders that the daemon works in.
 *
 * Threads: main.
 */
#pragma once

#include "hp-dirs.h"

typedef struct {
    int data;    /* mail.db, messages/ */
    int state;   /* queue.db, spool/, certificate and key */
    int runtime; /* sockets, the map of phases */
} HpFolders;

#define HP_FOLDERS_INIT ((HpFolders){ -1, -1, -1 })

/**
 * hp_folders_open:
 * @ret_folders: (out): descriptors; end with hp_folders_close()
 * @error: #G_FILE_ERROR: a folder is a symlink, foreign or writable by others, or another
 *    hauspostd is at work there
 *
 * Makes what is missing, takes the locks on the data and the state folder, and records
 * where the sockets are.
 */
gboolean hp_folders_open(const HpDirs *dirs, HpFolders *ret_folders, GError **error);
void hp_folders_close(HpFolders *self);
