/* A new mail.db out of a damaged one. */
#include "hp-fs.h"
#include "hp-log.h"
#include "hp-store-check.h"
#include "hp-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

/* Numbers may have been given since the snapshot that are lost now; a gap this wide keeps
 * any of them from being given to another message. */
#define GAP ((gint64)1 << 20)

#define REPAIRED "mail.db.repaired"

static const char *const no_tables[] = { "summary", NULL };

/* Those that came out of the snapshot may have been expunged since; and clients must ask
 * for the flags of all again (RFC 7162 §3.1.1). */
static gboolean
mend(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_db_run(conn, error,
                     "DELETE FROM entry WHERE EXISTS (SELECT 1 FROM expunged x"
                     " WHERE x.mailbox = entry.mailbox AND x.uid = entry.uid)",
                     "") &&
           hp_db_run(conn, error,
                     "UPDATE mailbox SET highestmodseq = highestmodseq + ?1,"
                     " vanished_from = highestmodseq + ?1,"
                     " uidnext = min(uidnext + ?1, 4294967295)",
                     "i", GAP) &&
           hp_db_run(conn, error,
                     "UPDATE entry SET modseq = (SELECT m.highestmodseq FROM mailbox m"
                     " WHERE m.id = entry.mailbox)",
                     "") &&
           hp_db_run(conn, error, "UPDATE sqlite_sequence SET seq = seq + ?1", "i",
                     GAP) &&
           hp_db_run(conn, error,
                     "INSERT OR IGNORE INTO store"
                     " SELECT 1, ifnull(max(uidvalidity), 1) FROM mailbox",
                     "") &&
           hp_db_run(conn, error,
                     "UPDATE store SET last_uidvalidity = last_uidvalidity + ?1", "i",
                     GAP);
}

/* Copies what can be read of @path, filled up from @older, to REPAIRED. @ret_lost: how
 * many tables were not whole. */
static gboolean
salvage(const HpStorePlace *place, const char *path, const char *older, guint64 *ret_lost,
        GError **error)
{
    g_autofree char *repaired = g_build_filename(place->data_path, REPAIRED, NULL);
    HpDbSpec spec = { path, HP_STORE_APPLICATION_ID, hp_store_migrations, "mail-repair" };
    HpDbCopy copy = {
        .path = repaired, .spare = no_tables, .salvage = TRUE, .older = older
    };
    HpDb *db = hp_db_open(&spec, error);
    gboolean ok;

    if (db == NULL)
        return FALSE;
    ok = hp_db_copy(db, &copy, error);
    hp_db_close(db);
    *ret_lost = copy.ret_lost;
    return ok;
}

/* Sets the damaged files aside, and puts the new one in their place. */
static gboolean
swap(const HpStorePlace *place, GError **error)
{
    static const char *const parts[] = { "", "-wal", "-shm" };
    g_autofree char *time =
        hp_clock_format_rfc3339(hp_clock_now_usec(place->clock, HP_CLOCK_WALL));

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *from = g_strconcat("mail.db", parts[i], NULL);
        g_autofree char *to = g_strconcat("mail.db.damaged-", time, parts[i], NULL);

        if (renameat(place->data_fd, from, place->data_fd, to) != 0 && errno != ENOENT)
            return hp_fs_fail(error, N_("rename to"), to);
    }
    if (renameat(place->data_fd, REPAIRED, place->data_fd, "mail.db") != 0)
        return hp_fs_fail(error, N_("rename to"), "mail.db");
    return fsync(place->data_fd) == 0 || hp_fs_fail(error, N_("sync"), place->data_path);
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
    guint64 lost = 0;

    if (salvage(place, path, older, &lost, &failure) ||
        (older != NULL && salvage(place, older, NULL, &lost, error)))
        return swap(place, error);
    if (older == NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_rebuild(const HpStorePlace *place, HpStoreReport *report, GError **error)
{
    gboolean whole = is_whole(place);
    g_autoptr(HpStore) store = NULL;
    g_autoptr(GError) failure = NULL;

    if (!whole && !make_new(place, error))
        return FALSE;
    store = hp_store_open(place->data_path, place->data_fd, place->clock, error);
    if (store == NULL)
        return FALSE;
    if (!whole && !hp_db_write_big(store->db, mend, NULL, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return hp_store_repair(store, report, error);
}
