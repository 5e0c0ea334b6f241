/* Copies of a database, and looking for damage. */
#include "hp-fs.h"
#include "hp-sqlite-private.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_FINDINGS 100
#define PROGRESS_OPS 10000 /* of SQLite's machine between two looks at what cancels */

/* A copy in the making. What is whole is attached to it as "source"; what is damaged
 * cannot be attached, and is read through a connection of its own. */
typedef struct {
    HpDb *db;             /* (unowned) */
    HpDbConn *conn;       /* (owned) (nullable): leased, to read what is damaged */
    sqlite3 *handle;      /* (owned) (nullable) */
    const HpDbCopy *copy; /* (unowned) */
} Copying;

static void
clear_copying(Copying *self)
{
    sqlite3_close(self->handle);
    g_clear_pointer(&self->conn, hp_db_return);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Copying, clear_copying)

static gboolean
fail(Copying *self, GError **error)
{
    int code = sqlite3_errcode(self->handle) & 0xff;

    g_set_error(error, HP_DB_ERROR,
                code == SQLITE_FULL                               ? HP_DB_ERROR_FULL
                : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? HP_DB_ERROR_DAMAGED
                                                                  : HP_DB_ERROR_FAILED,
                _("%s cannot be copied: %s"), self->db->name,
                sqlite3_errmsg(self->handle));
    return FALSE;
}

static gboolean
run(Copying *self, const char *sql, GError **error)
{
    return sqlite3_exec(self->handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
           fail(self, error);
}

static gboolean
attach(Copying *self, const char *sql, const char *path, GError **error)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(self->handle, sql, -1, &stmt, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    return code == SQLITE_DONE || fail(self, error);
}

/* The same schema, and empty. */
static gboolean
prepare(Copying *self, const char *path, GError **error)
{
    g_autofree char *stamp =
        g_strdup_printf("PRAGMA application_id=%d;"
                        "PRAGMA user_version=%u;",
                        (gint32)self->db->application_id, self->db->n_migrations);

    if (sqlite3_open_v2(path, &self->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        !run(self,
             "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=OFF;"
             "PRAGMA synchronous=OFF; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;"
             "PRAGMA foreign_keys=OFF;",
             error))
        return FALSE;
    sqlite3_busy_timeout(self->handle, HP_DB_BUSY_MS);
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    for (guint i = 0; i < self->db->n_migrations; i++)
        if (!run(self, self->db->migrations[i], error))
            return FALSE;
    return run(self, stamp, error) &&
           (self->copy->salvage ||
            attach(self, "ATTACH ?1 AS source", self->db->path, error)) &&
           (self->copy->older == NULL ||
            attach(self, "ATTACH ?1 AS older", self->copy->older, error));
}

/* The names of all tables of the new schema; one of them counts the ids given. */
static GPtrArray *
list_tables(Copying *self)
{
    GPtrArray *tables = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *stmt = NULL;

    sqlite3_prepare_v2(self->handle,
                       "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
                       " ORDER BY name = 'sqlite_sequence', name",
                       -1, &stmt, NULL);
    while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
        g_ptr_array_add(tables, g_strdup((const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_finalize(stmt);
    return tables;
}

/* By the names of the columns: an older copy may lack those that came since. */
static void
write_insert(GString *insert, const char *table, sqlite3_stmt *from, int columns)
{
    g_string_append_printf(insert, "INSERT OR IGNORE INTO main.\"%s\" (", table);
    for (int i = 0; i < columns; i++)
        g_string_append_printf(insert, "%s\"%s\"", i > 0 ? ", " : "",
                               sqlite3_column_name(from, i));
    g_string_append(insert, ") VALUES (");
    for (int i = 1; i <= columns; i++)
        g_string_append_printf(insert, "%s?%d", i > 1 ? ", " : "", i);
    g_string_append(insert, ")");
}

/* Row by row, so that those before the damage are there. A row that is there already, or
 * breaks a rule, is left out. %FALSE if not all could be read. */
static gboolean
copy_rows(Copying *self, sqlite3 *source, const char *table, const char *from_sql)
{
    g_autofree char *sql = g_strdup_printf(from_sql, table);
    g_autoptr(GString) insert = g_string_new(NULL);
    sqlite3_stmt *from = NULL, *to = NULL;
    int code = sqlite3_prepare_v2(source, sql, -1, &from, NULL);
    int columns = code == SQLITE_OK ? sqlite3_column_count(from) : 0;

    write_insert(insert, table, from, columns);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(self->handle, insert->str, -1, &to, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(from)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        sqlite3_step(to);
        sqlite3_reset(to);
        code = SQLITE_OK;
    }
    sqlite3_finalize(from);
    sqlite3_finalize(to);
    return code == SQLITE_DONE;
}

/* The counters of ids follow the rows that come, but those that are gone had ids too. */
static void
salvage_counters(Copying *self)
{
    copy_rows(self, self->conn->handle, "sqlite_sequence", "SELECT * FROM \"%s\"");
    if (self->copy->older != NULL)
        copy_rows(self, self->handle, "sqlite_sequence", "SELECT * FROM older.\"%s\"");
    run(self,
        "UPDATE main.sqlite_sequence SET seq = (SELECT max(seq)"
        " FROM main.sqlite_sequence s WHERE s.name = main.sqlite_sequence.name);"
        "DELETE FROM main.sqlite_sequence WHERE rowid NOT IN"
        " (SELECT min(rowid) FROM main.sqlite_sequence GROUP BY name)",
        NULL);
}

/* Behind the damage there may be more, if one goes backwards; and the rest in an older
 * copy. */
static void
salvage_table(Copying *self, const char *table)
{
    g_autofree char *empty = g_strdup_printf("DELETE FROM main.\"%s\"", table);
    sqlite3 *source = self->conn->handle;

    run(self, empty, NULL);
    if (copy_rows(self, source, table, "SELECT * FROM \"%s\""))
        return;
    copy_rows(self, source, table, "SELECT * FROM \"%s\" ORDER BY 1 DESC, 2 DESC");
    if (self->copy->older != NULL)
        copy_rows(self, self->handle, table, "SELECT * FROM older.\"%s\"");
}

static gboolean
copy_table(Copying *self, const char *table, GError **error)
{
    g_autofree char *sql = g_strdup_printf("DELETE FROM main.\"%s\";"
                                           "INSERT INTO main.\"%s\""
                                           " SELECT * FROM source.\"%s\"",
                                           table, table, table);

    if (!self->copy->salvage)
        return run(self, sql, error);
    if (g_str_equal(table, "sqlite_sequence"))
        salvage_counters(self);
    else
        salvage_table(self, table);
    return TRUE;
}

/* What fails in comparing was the older copy's fault; it has changed nothing yet. */
static gboolean
mend(Copying *self, GError **error)
{
    const HpDbCopy *copy = self->copy;

    if (copy->compare != NULL && copy->older != NULL)
        run(self, copy->compare, NULL);
    return copy->mend == NULL || run(self, copy->mend, error);
}

static gboolean
copy_tables(Copying *self, GError **error)
{
    g_autoptr(GPtrArray) tables = list_tables(self);

    /* One read transaction: one moment. */
    if (!run(self, "BEGIN", error))
        return FALSE;
    for (guint i = 0; i < tables->len; i++)
        if ((self->copy->spare == NULL ||
             !g_strv_contains(self->copy->spare, tables->pdata[i])) &&
            !copy_table(self, tables->pdata[i], error))
            return FALSE;
    return mend(self, error) && run(self, "COMMIT", error);
}

static gboolean
make_durable(const char *tmp, const char *path, GError **error)
{
    hp_autofd fd = open(tmp, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return hp_fs_fail(error, N_("sync"), tmp);
    if (rename(tmp, path) != 0)
        return hp_fs_fail(error, N_("rename to"), path);
    return hp_db_sync_folder(path, error);
}

static gboolean
fill(HpDb *db, const HpDbCopy *copy, const char *tmp, GError **error)
{
    g_auto(Copying) self = { .db = db, .copy = copy };

    if (copy->salvage) {
        self.conn = hp_db_lease(db);
        if (self.conn->handle == NULL) {
            g_propagate_error(error, g_error_copy(self.conn->failure));
            return FALSE;
        }
    }
    return prepare(&self, tmp, error) && copy_tables(&self, error);
}

gboolean
hp_db_copy(HpDb *self, const HpDbCopy *copy, GError **error)
{
    g_autofree char *tmp = g_strconcat(copy->path, ".new", NULL);

    unlink(tmp);
    if (!hp_db_make_private(tmp, O_EXCL, error))
        return FALSE;
    if (fill(self, copy, tmp, error) && make_durable(tmp, copy->path, error))
        return TRUE;
    unlink(tmp);
    return FALSE;
}

static int
is_cancelled(void *cancel)
{
    return g_cancellable_is_cancelled(cancel);
}

/* %NULL takes the watch away. */
static void
watch(HpDbConn *conn, GCancellable *cancel)
{
    if (conn->handle != NULL)
        sqlite3_progress_handler(conn->handle, PROGRESS_OPS,
                                 cancel != NULL ? is_cancelled : NULL, cancel);
}

GPtrArray *
hp_db_check(HpDb *self, gboolean full, GCancellable *cancel)
{
    GPtrArray *findings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(HpDbConn) conn = hp_db_lease(self);
    g_autoptr(GError) error = NULL;
    HpDbStmt *stmt = full ? hp_db_query(conn, "PRAGMA integrity_check(100)", "")
                          : hp_db_query(conn, "PRAGMA quick_check(100)", "");

    watch(conn, cancel);
    while (hp_db_step(stmt, &error) && findings->len < MAX_FINDINGS) {
        const char *text = hp_db_text(stmt, 0);

        if (g_strcmp0(text, "ok") != 0)
            g_ptr_array_add(findings, g_strdup(text != NULL ? text : "?"));
    }
    watch(conn, NULL);
    if (error != NULL && !g_cancellable_is_cancelled(cancel))
        g_ptr_array_add(findings, g_strdup(error->message));
    return findings;
}
