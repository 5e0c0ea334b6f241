/* hp-content: the immutable bytes of messages: in their owner's database while small and
 * young, in a file later. Both store and queue use it, each on its own database.
 *
 * A draft is filled on the thread that receives it; inserting it is part of the owner's
 * transaction, so that one fsync makes message and index durable. Up to 128 KiB are kept
 * in memory and inserted as a blob; more is streamed to a file, which is fsynced and
 * renamed (and its folder fsynced) before the transaction.
 *
 * Threads: HpContents any; a draft and an HpContent have one owner.
 */
#pragma once

#include "hp-slice.h"
#include "hp-sqlite.h"

#define HP_CONTENT_INLINE_MAX                                                            \
    ((size_t)128 * 1024) /* octets kept in the database at first */
/* Kept free, so that deleting works. */
#define HP_CONTENT_DISK_RESERVE ((guint64)16 * 1024 * 1024)

/* SQL that makes the tables `content` (id, sha256, size, refs, bytes, file) and `erase`
 * (file); the owner's first migration includes it by string concatenation. */
#define HP_CONTENT_SCHEMA                                                                \
    "CREATE TABLE content ("                                                             \
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"                                             \
    " sha256 BLOB NOT NULL,"                                                             \
    " size INTEGER NOT NULL,"                                                            \
    " refs INTEGER NOT NULL,"                                                            \
    " bytes BLOB,"                                                                       \
    " file TEXT);"                                                                       \
    "CREATE INDEX content_staged ON content (id, size) WHERE file IS NULL;"              \
    "CREATE INDEX content_file ON content (file) WHERE file IS NOT NULL;"                \
    "CREATE TABLE erase (file TEXT PRIMARY KEY);"

/* For hp_content_find_same(). Eight bytes tell contents apart well enough to find them.
 */
#define HP_CONTENT_DIGEST_INDEX                                                          \
    "CREATE INDEX content_digest ON content (substr(sha256, 1, 8));"

typedef struct _HpContents HpContents;
typedef struct _HpContentDraft HpContentDraft;
typedef struct _HpContent HpContent;

/**
 * hp_contents_open:
 * @db: (unowned): outlives it
 * @dir_fd: private folder for the files; duplicated. Folders tmp/ and 00/ … ff/ are made
 *    in it
 *
 * Empties tmp/ and replays the erase list: what a crash has left.
 */
HpContents *hp_contents_open(HpDb *db, int dir_fd, GError **error);
void hp_contents_close(HpContents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpContents, hp_contents_close)

/* %TRUE if @octets more leave the reserve untouched. */
gboolean hp_contents_has_room(HpContents *self, guint64 octets);

HpContentDraft *hp_content_draft_new(HpContents *contents);

/* Removes its file unless it was committed, or may have been: after a failed COMMIT
 * (%HP_DB_ERROR_UNKNOWN) the row may be there, and must find its file. */
void hp_content_draft_free(HpContentDraft *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpContentDraft, hp_content_draft_free)

/* Adds bytes. @error: #G_FILE_ERROR; NOSPC when the disk is full or only the reserve is
 * left. */
gboolean hp_content_draft_append(HpContentDraft *self, HpSlice bytes, GError **error);

/* No more bytes: computes the digest; a large one is made durable under its final name.
 */
gboolean hp_content_draft_finish(HpContentDraft *self, GError **error);

guint64 hp_content_draft_size(const HpContentDraft *self);

/* All bytes of the finished draft: (transfer full). */
GBytes *hp_content_draft_load(HpContentDraft *self, GError **error);

/* Inside an HpDbWork: inserts the finished draft with one reference. */
gboolean hp_content_insert(HpDbConn *conn, HpContentDraft *draft, gint64 *ret_id,
                           GError **error);

/* A content with the same bytes (by its SHA-256), the newest if there are several; 0 if
 * none. The owner's schema has an index for it: HP_CONTENT_DIGEST_INDEX. */
gboolean hp_content_find_same(HpDbConn *conn, const HpContentDraft *draft, gint64 *ret_id,
                              GError **error);

/* After the commit: the draft's file belongs to the database now. */
void hp_content_draft_committed(HpContentDraft *self);

/* Inside an HpDbWork: one reference more, or one less; at 0 the row goes and its file is
 * put on the erase list. @error: %HP_DB_ERROR_FAILED if there is no such id. */
gboolean hp_content_ref(HpDbConn *conn, gint64 id, GError **error);
gboolean hp_content_unref(HpDbConn *conn, gint64 id, GError **error);

/* Inside an HpDbWork: for an owner that knows by itself what is used. The row goes
 * whatever its references are, and its file is put on the erase list. */
gboolean hp_content_drop(HpDbConn *conn, gint64 id, GError **error);

/* Opens a content for reading; holds no database read afterwards. @error: #HP_DB_ERROR
 * (DAMAGED if what is found is not what was stored, FAILED if there is no such id), or
 * #G_FILE_ERROR if its file is missing. */
HpContent *hp_content_open(HpContents *contents, gint64 id, GError **error);
/* One that is nowhere stored. */
HpContent *hp_content_of(GBytes *bytes);
void hp_content_close(HpContent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpContent, hp_content_close)
guint64 hp_content_size(const HpContent *self);

/* Copies up to @size bytes from @offset; returns how many, 0 at the end, -1 on error. Its
 * shape is that of HpCarryRead. */
gssize hp_content_read(gpointer content, guint64 offset, char *buffer, size_t size,
                       GError **error);

/* The whole of it, at most @max_bytes (the rest is cut). */
GBytes *hp_content_load(HpContent *self, size_t max_bytes, GError **error);

/* Upkeep: removes the files on the erase list. Blocks; any thread. */
gboolean hp_contents_erase(HpContents *self, GError **error);

#define HP_CONTENT_UNSTAGE_MAX 256 /* contents that one step moves */

/* Upkeep: moves up to %HP_CONTENT_UNSTAGE_MAX staged contents that are older than the
 * newest @keep ones into files (write, one syncfs, renames, fsync of the folders, one
 * COMMIT). */
gboolean hp_contents_unstage(HpContents *self, guint keep, guint *ret_moved,
                             GError **error);

/* Upkeep: counts the files that no content owns (a crash between making a large file and
 * the COMMIT leaves one) and that are older than this opening. Reports them in the log
 * and deletes nothing. */
gboolean hp_contents_count_orphans(HpContents *self, guint *ret_orphans, GError **error);

/* The same, but removes them, whatever their age: for an owner whose database is never
 * put back from an older copy. Only between hp_contents_open() and the first draft, when
 * no file can be waiting for its COMMIT; not if the database is not writable. */
gboolean hp_contents_remove_orphans(HpContents *self, GError **error);

/* Octets that are still in the database. */
guint64 hp_contents_staged_octets(HpContents *self);

/* Are the bytes of a content there, and as long as they should be? @full: do they have
 * their digest? @error: why not; names the file. */
gboolean hp_contents_check(HpContents *self, gint64 id, gboolean full, GError **error);

/* A file that no content owns (hp_contents_count_orphans()). */
typedef struct {
    char *file; /* (owned) */
    guint64 size;
    unsigned char digest[32];
} HpContentOrphan;
void hp_content_orphan_free(HpContentOrphan *self);

/* (transfer full) (element-type HpContentOrphan): those that can be read. */
GPtrArray *hp_contents_list_orphans(HpContents *self, GError **error);

/* Inside an HpDbWork: makes a content of it, unless somebody did. */
gboolean hp_content_adopt(HpDbConn *conn, const HpContentOrphan *orphan, gint64 *ret_id,
                          GError **error);
