/* A new mail.db out of a damaged one. */
#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-check.h"
#include "hp-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers may have been given since the snapshot that are lost now; a gap this wide keeps
 * any of them from being given to another message. */
#define GAP "1048576" /* 2^20 */

/* Whole and mended; while it has this name it is to become mail.db. */
#define REBUILT "mail.db.rebuilt"

static const char *const no_tables[] = { "summary", NULL };

/* Contents that came out of the snapshot, of messages that have been expunged since, or
 * with their mailbox. They are collected first: the snapshot may be damaged too. */
static const char compare[] =
    "CREATE TEMP TABLE expunged_since AS SELECT content FROM older.entry"
    " WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM main.expunged)"
    " OR mailbox NOT IN (SELECT id FROM main.mailbox);"
    "INSERT OR IGNORE INTO main.dropped SELECT content FROM expunged_since"
    " WHERE content NOT IN (SELECT content FROM main.entry);";

/* Entries that came out of the snapshot may have been expunged since; and clients must
 * ask for the flags of all again (RFC 7162 §3.1.1). */
static const char mend[] =
    "INSERT OR IGNORE INTO dropped SELECT content FROM entry"
    " WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM expunged);"
    "DELETE FROM entry WHERE (mailbox, uid) IN (SELECT mailbox, uid FROM expunged);"
    /* Should nobody come to hp_store_repair(). */
    HP_STORE_FIX_COUNTS ";" HP_STORE_FIX_UIDNEXT ";"
    "UPDATE mailbox SET highestmodseq = highestmodseq + " GAP ","
    " vanished_from = highestmodseq + " GAP ","
    " uidnext = min(uidnext + " GAP ", 4294967295);"
    "UPDATE entry SET modseq ="
    " (SELECT m.highestmodseq FROM mailbox m WHERE m.id = entry.mailbox);"
    "UPDATE sqlite_sequence SET seq = seq + " GAP ";"
    "INSERT OR IGNORE INTO store SELECT 1, ifnull(max(uidvalidity), 1) FROM mailbox;"
    "UPDATE store SET last_uidvalidity = last_uidvalidity + " GAP ";";

/* Makes REBUILT of what can be read of @path, filled up from @older. */
static gboolean
salvage(const HpStorePlace *place, const char *path, const char *older, GError **error)
{
    g_autofree char *rebuilt = g_build_filename(place->data_path, REBUILT, NULL);
    HpDbSpec spec = { path, HP_STORE_APPLICATION_ID, hp_store_migrations, "mail-repair" };
    HpDbCopy copy = { .path = rebuilt,
                      .spare = no_tables,
                      .salvage = TRUE,
                      .older = older,
                      .compare = compare,
                      .mend = mend };
    HpDb *db = hp_db_open(&spec, error);
    gboolean ok;

    if (db == NULL)
        return FALSE;
    ok = hp_db_copy(db, &copy, error);
    hp_db_close(db);
    return ok;
}

/* Sets the damaged files aside, under names by which they belong together even if that
 * is done in two goes: they tell when the new one was made. */
static gboolean
set_aside(int data_fd, const struct stat *rebuilt, GError **error)
{
    static const char *const parts[] = { "", "-wal", "-shm" };
    g_autofree char *time =
        hp_clock_format_rfc3339((gint64)rebuilt->st_mtim.tv_sec * G_USEC_PER_SEC);

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *from = g_strconcat("mail.db", parts[i], NULL);
        g_autofree char *to = g_strconcat("mail.db.damaged-", time, parts[i], NULL);

        if (renameat(data_fd, from, data_fd, to) != 0 && errno != ENOENT)
            return hp_fs_fail(error, N_("rename to"), to);
    }
    /* The new one must never meet the log of the old one. */
    return fsync(data_fd) == 0 || hp_fs_fail(error, N_("sync"), "mail.db");
}

gboolean
hp_store_finish_rebuild(int data_fd, GError **error)
{
    struct stat info;

    if (fstatat(data_fd, REBUILT, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || hp_fs_fail(error, N_("look at"), REBUILT);
    if (!set_aside(data_fd, &info, error))
        return FALSE;
    if (renameat(data_fd, REBUILT, data_fd, "mail.db") != 0)
        return hp_fs_fail(error, N_("rename to"), "mail.db");
    return fsync(data_fd) == 0 || hp_fs_fail(error, N_("sync"), "mail.db");
}

static gboolean
is_whole(const HpStorePlace *place)
{
    g_autofree char *path = g_build_filename(place->data_path, "mail.db", NULL);
    HpDbSpec spec = { path, HP_STORE_APPLICATION_ID, hp_store_migrations, "mail-check" };
    HpDb *db = hp_db_open(&spec, NULL);
    gboolean whole = FALSE;

    if (db == NULL)
        return FALSE;
    if (hp_db_is_writable(db)) {
        g_autoptr(GPtrArray) findings = hp_db_check(db, TRUE, NULL);

        whole = findings->len == 0;
    }
    hp_db_close(db);
    return whole;
}

/* From the damaged one, or, if nothing of that can be read, from the snapshot alone. */
static gboolean
make_new(const HpStorePlace *place, GError **error)
{
    g_autofree char *path = g_build_filename(place->data_path, "mail.db", NULL);
    g_autofree char *older = hp_store_last_snapshot(place->data_path);
    g_autoptr(GError) failure = NULL;

    if (salvage(place, path, older, &failure) ||
        (older != NULL && salvage(place, older, NULL, error)))
        return hp_store_finish_rebuild(place->data_fd, error);
    if (older == NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_rebuild(const HpStorePlace *place, HpStoreReport *report, GError **error)
{
    g_autoptr(HpStore) store = NULL;

    if (!hp_store_finish_rebuild(place->data_fd, error) ||
        (!is_whole(place) && !make_new(place, error)))
        return FALSE;
    store = hp_store_open(place->data_path, place->data_fd, place->clock, error);
    return store != NULL && hp_store_repair(store, report, error);
}
