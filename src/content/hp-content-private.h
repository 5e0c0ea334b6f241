/* hp-content-private: what the files of hp-content share.
 *
 * Threads: as hp-content.
 */
#pragma once

#include "hp-content.h"
#include "hp-lock.h"

struct _HpContents {
    HpDb *db; /* (unowned) */
    int dir_fd;
    int tmp_fd;
    gint64 opened_sec; /* wall time by the file system's clock */
    HpLock lock;
    HpCond free;   /* upkeep has ended */
    gboolean busy; /* guarded by lock: one upkeep at a time */
};

/* A new name: "3f/3f2a…", 32 digits after the folder. */
char *hp_content_new_file_name(void);

/* %TRUE if @file has that form, so that a damaged row leads nowhere else. */
gboolean hp_content_is_file_name(const char *file);

/* The part after the folder; in tmp/ a file has this name. */
const char *hp_content_base_name(const char *file);

/* Creates a file (0600) in tmp/; returns a descriptor or -1. */
int hp_content_create_tmp(HpContents *self, const char *file, GError **error);

/* Moves it from tmp/ to its folder, which is not yet synced. */
gboolean hp_content_move_in(HpContents *self, const char *file, GError **error);

/* Makes the names in the folder of @file durable. */
gboolean hp_content_sync_folder(HpContents *self, const char *file, GError **error);

/* Names of files that no row names and that are older than this opening. */
GPtrArray *hp_content_find_old_orphans(HpContents *self, GError **error);
