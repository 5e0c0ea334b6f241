/* Opening: whose database it is, its modes, its schema. */
#include "hp-sqlite-private.h"

#include "hp-fs.h"
#include "hp-log.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Readers keep 512 KiB of pages each, the writer 1 MiB; what does not fit is spilled to
 * the WAL. Temporary structures stay in memory: nothing of the mail goes to /tmp. */
static const char reader_modes[] = "PRAGMA query_only=ON;"
                                   "PRAGMA cache_size=-512;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cell_size_check=ON;";

/* The WAL keeps up to 16 MiB of room while there is work (overwriting is cheaper to make
 * durable than growing); tidying truncates it. foreign_keys follows after migrations. */
static const char writer_modes[] = "PRAGMA synchronous=FULL;"
                                   "PRAGMA secure_delete=FAST;"
                                   "PRAGMA journal_size_limit=16777216;"
                                   "PRAGMA wal_autocheckpoint=0;"
                                   "PRAGMA cache_size=-1024;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA foreign_keys=OFF;";

/* A truncated file is only read with writable_schema on; query_only makes it harmless. */
static const char salvage_modes[] = "PRAGMA writable_schema=ON;";

void
hp_db_prepare_process(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

gboolean
hp_db_conn_open(HpDbConn *conn, GError **error)
{
    HpDb *db = conn->db;
    int code = sqlite3_open_v2(
        db->path, &conn->handle,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (code != SQLITE_OK)
        return hp_db_conn_fail(conn, code, error);
    sqlite3_busy_timeout(conn->handle, HP_DB_BUSY_MS);
    /* The file may have been given to us: nothing in its schema may run functions with
     * side effects, no SQL may write to its innards, and there are no triggers and views
     * of ours. */
    sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DEFENSIVE, db->salvage ? 0 : 1, NULL);
    if (db->salvage && !hp_db_conn_exec(conn, salvage_modes, error))
        return FALSE;
    return conn->writer || hp_db_conn_exec(conn, reader_modes, error);
}

/* The number that @sql gives. */
static gboolean
ask(HpDbConn *conn, const char *sql, gint64 *ret_number, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn, sql, "");

    if (hp_db_step(stmt, &failure)) {
        *ret_number = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_DB_ERROR, HP_DB_ERROR_DAMAGED, "%s: no answer to %s",
                    conn->db->name, sql);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Whose database is it, and of which age? Changes nothing. */
static gboolean
identify(HpDbConn *conn, gboolean *ret_new, gint64 *ret_version, GError **error)
{
    gint64 application, version, objects;

    if (!ask(conn, "PRAGMA application_id", &application, error) ||
        !ask(conn, "PRAGMA user_version", &version, error) ||
        !ask(conn, "SELECT count(*) FROM sqlite_schema", &objects, error))
        return FALSE;
    *ret_new = application == 0 && version == 0 && objects == 0;
    if (!*ret_new && (guint32)application != conn->db->application_id) {
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED,
                    _("%s belongs to another program (application id %08x)"),
                    conn->db->path, (guint32)application);
        return FALSE;
    }
    if (version < 0 || version > conn->db->n_migrations) {
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_NEWER,
                    _("%s was made by a newer version of Hauspost (schema %lld, this one "
                      "knows up to %u)"),
                    conn->db->path, (long long)version, conn->db->n_migrations);
        return FALSE;
    }
    *ret_version = version;
    return TRUE;
}

gboolean
hp_db_can_salvage(HpDbConn *conn)
{
    gboolean is_new;
    gint64 version;

    return identify(conn, &is_new, &version, NULL) && !is_new &&
           version == conn->db->n_migrations;
}

static gboolean
copy_into(HpDbConn *conn, sqlite3 *target, GError **error)
{
    sqlite3_backup *backup = sqlite3_backup_init(target, "main", conn->handle, "main");
    int code;

    if (backup == NULL)
        return hp_db_conn_fail(conn, sqlite3_errcode(target), error);
    sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
    return code == SQLITE_OK || hp_db_conn_fail(conn, code, error);
}

gboolean
hp_db_sync_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    hp_autofd fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return hp_fs_fail(error, N_("sync folder"), folder);
    return TRUE;
}

/* Makes sure that @path is a plain file with mode 0600: SQLite would follow the umask,
 * and its -wal and -shm follow this file. */
gboolean
hp_db_make_private(const char *path, int flags, GError **error)
{
    hp_autofd fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0)
        return hp_fs_fail(error, N_("open"), path);
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED, _("%s is not a plain file"),
                    path);
        return FALSE;
    }
    if ((info.st_mode & 07777) != 0600 && fchmod(fd, 0600) != 0)
        return hp_fs_fail(error, N_("protect"), path);
    return TRUE;
}

/* A whole and durable copy under the name PATH.vN. An older one of that name comes from a
 * migration that did not succeed, and is replaced. */
static gboolean
back_up(HpDbConn *conn, gint64 version, GError **error)
{
    g_autofree char *final =
        g_strdup_printf("%s.v%" G_GINT64_FORMAT, conn->db->path, version);
    g_autofree char *tmp = g_strconcat(final, ".new", NULL);
    sqlite3 *target = NULL;
    gboolean copied;
    int code;

    unlink(tmp);
    if (!hp_db_make_private(tmp, O_EXCL, error))
        return FALSE;
    code =
        sqlite3_open_v2(tmp, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    copied = code == SQLITE_OK ? copy_into(conn, target, error)
                               : hp_db_conn_fail(conn, code, error);
    sqlite3_close(target);
    if (copied && rename(tmp, final) != 0)
        copied = hp_fs_fail(error, N_("rename to"), final);
    if (!copied) {
        unlink(tmp);
        return FALSE;
    }
    hp_log("sqlite", NULL, G_LOG_LEVEL_MESSAGE,
           "kept a copy of %s as %s before the upgrade", conn->db->name, final);
    return hp_db_sync_folder(final, error);
}

static gboolean
run_migration(HpDbConn *conn, const char *script, gint64 to, GError **error)
{
    g_autofree char *stamp =
        g_strdup_printf("PRAGMA application_id=%d; PRAGMA user_version=%" G_GINT64_FORMAT,
                        (gint32)conn->db->application_id, to);

    if (hp_db_conn_exec(conn, "BEGIN IMMEDIATE", error) &&
        hp_db_conn_exec(conn, script, error) && hp_db_conn_exec(conn, stamp, error) &&
        hp_db_conn_exec(conn, "COMMIT", error))
        return TRUE;
    if (sqlite3_get_autocommit(conn->handle) == 0)
        sqlite3_exec(conn->handle, "ROLLBACK", NULL, NULL, NULL);
    g_prefix_error(error, "upgrade to schema %" G_GINT64_FORMAT ": ", to);
    return FALSE;
}

static gboolean
migrate(HpDbConn *conn, gint64 version, GError **error)
{
    const char *const *scripts = conn->db->migrations;

    if (version > 0 && version < conn->db->n_migrations && !back_up(conn, version, error))
        return FALSE;
    for (; version < conn->db->n_migrations; version++)
        if (!run_migration(conn, scripts[version], version + 1, error))
            return FALSE;
    return TRUE;
}

static gboolean
turn_wal_on(HpDbConn *conn, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn, "PRAGMA journal_mode=WAL", "");
    gboolean on =
        hp_db_step(stmt, &failure) && g_strcmp0(hp_db_text(stmt, 0), "wal") == 0;

    hp_db_reset(stmt);
    if (!on && failure == NULL)
        g_set_error(&failure, HP_DB_ERROR, HP_DB_ERROR_FAILED,
                    _("%s: write-ahead logging does not work in this folder"),
                    conn->db->path);
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return on;
}

gboolean
hp_db_prepare_writer(HpDbConn *conn, GError **error)
{
    gboolean is_new;
    gint64 version;

    if (!hp_db_make_private(conn->db->path, 0, error) || !hp_db_conn_open(conn, error) ||
        !identify(conn, &is_new, &version, error))
        return FALSE;
    if (is_new && (!hp_db_sync_folder(conn->db->path, error) ||
                   !hp_db_conn_exec(conn, "PRAGMA auto_vacuum=INCREMENTAL", error)))
        return FALSE;
    return turn_wal_on(conn, error) && hp_db_conn_exec(conn, writer_modes, error) &&
           migrate(conn, version, error) &&
           hp_db_conn_exec(conn, "PRAGMA foreign_keys=ON", error);
}

/* All that the schema says, as one text. */
static char *
describe(sqlite3 *handle)
{
    GString *text = g_string_new(NULL);
    sqlite3_stmt *stmt = NULL;

    sqlite3_prepare_v2(handle,
                       "SELECT type || ' ' || name || ' ' || tbl_name || ' ' ||"
                       " ifnull(sql, '') FROM sqlite_schema ORDER BY 1",
                       -1, &stmt, NULL);
    while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(stmt, 0);

        g_string_append_printf(text, "%s\n", line != NULL ? line : "");
    }
    sqlite3_finalize(stmt);
    return g_string_free(text, FALSE);
}

gboolean
hp_db_has_foreign_schema(HpDbConn *conn)
{
    g_autofree char *found = describe(conn->handle);
    g_autofree char *wanted = NULL;
    sqlite3 *model = NULL;

    if (sqlite3_open(":memory:", &model) == SQLITE_OK)
        for (guint i = 0; i < conn->db->n_migrations; i++)
            sqlite3_exec(model, conn->db->migrations[i], NULL, NULL, NULL);
    wanted = describe(model);
    sqlite3_close(model);
    return g_strcmp0(found, wanted) != 0;
}
