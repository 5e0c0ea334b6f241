/* Connections and their statements. */
#include "hp-sqlite-private.h"

#include <errno.h>
#include <string.h>

struct _HpDbStmt {
    const char *sql;      /* (unowned): the literal; its address is the key */
    HpDbConn *conn;       /* (unowned) */
    sqlite3_stmt *handle; /* (owned) (nullable): missing if it could not be prepared */
    GError *failure;      /* (owned) (nullable): then why */
    gboolean finished;    /* gave its last row, or failed */
};

static void
free_statement(gpointer data)
{
    HpDbStmt *stmt = data;

    sqlite3_finalize(stmt->handle);
    g_clear_error(&stmt->failure);
    g_free(stmt);
}

/* By the address of the literal, not by what it says. */
static guint
hash_literal(gconstpointer key)
{
    return g_direct_hash(*(const char *const *)key);
}

static gboolean
is_same_literal(gconstpointer a, gconstpointer b)
{
    return *(const char *const *)a == *(const char *const *)b;
}

HpDbConn *
hp_db_conn_new(HpDb *db, gboolean writer)
{
    HpDbConn *conn = g_new0(HpDbConn, 1);

    conn->db = db;
    conn->writer = writer;
    conn->statements =
        g_hash_table_new_full(hash_literal, is_same_literal, NULL, free_statement);
    return conn;
}

void
hp_db_conn_free(HpDbConn *conn)
{
    g_hash_table_destroy(conn->statements);
    sqlite3_close(conn->handle);
    g_clear_error(&conn->failure);
    g_free(conn);
}

/* Why the last write to the database's file or to its WAL failed. */
static int
errno_of(HpDbConn *conn, int which_file)
{
    sqlite3_file *file = NULL;
    int number = 0;

    sqlite3_file_control(conn->handle, "main", which_file, &file);
    if (file != NULL && file->pMethods != NULL)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

static gboolean
is_no_room(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

/* A quota or a limit on file sizes is a full disk by another name (SQLite itself only
 * takes ENOSPC for one). */
static gboolean
is_out_of_space(HpDbConn *conn, int code)
{
    return (code & 0xff) == SQLITE_FULL ||
           (code == SQLITE_IOERR_WRITE &&
            (is_no_room(errno_of(conn, SQLITE_FCNTL_JOURNAL_POINTER)) ||
             is_no_room(errno_of(conn, SQLITE_FCNTL_FILE_POINTER))));
}

static HpDbError
error_code_of(HpDbConn *conn, int code)
{
    if (is_out_of_space(conn, code))
        return HP_DB_ERROR_FULL;
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return HP_DB_ERROR_CONSTRAINT;
    case SQLITE_READONLY:
        return HP_DB_ERROR_READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return HP_DB_ERROR_DAMAGED;
    default:
        return HP_DB_ERROR_FAILED;
    }
}

/* After these SQLite may have rolled the whole transaction back by itself
 * (sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction"). */
static gboolean
loses_transaction(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return TRUE;
    default:
        return FALSE;
    }
}

gboolean
hp_db_conn_fail(HpDbConn *conn, int code, GError **error)
{
    HpDbError known = error_code_of(conn, code);

    g_set_error(error, HP_DB_ERROR, known, "%s: %s", conn->db->name,
                conn->handle != NULL ? sqlite3_errmsg(conn->handle)
                                     : sqlite3_errstr(code));
    if (conn->writer && loses_transaction(code))
        conn->group_failed = TRUE;
    if (known == HP_DB_ERROR_DAMAGED)
        hp_db_stop_writes(conn->db, "it is damaged");
    else if (conn->writer && known != HP_DB_ERROR_FULL && (code & 0xff) == SQLITE_IOERR &&
             code != SQLITE_IOERR_NOMEM)
        hp_db_stop_writes(conn->db, "the disk reports an error");
    return FALSE;
}

gboolean
hp_db_conn_exec(HpDbConn *conn, const char *sql, GError **error)
{
    int code = sqlite3_exec(conn->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || hp_db_conn_fail(conn, code, error);
}

void
hp_db_conn_reset(HpDbConn *conn)
{
    GHashTableIter iter;
    gpointer stmt;

    g_hash_table_iter_init(&iter, conn->statements);
    while (g_hash_table_iter_next(&iter, NULL, &stmt))
        hp_db_reset(stmt);
}

static void
prepare(HpDbStmt *stmt, const char *sql)
{
    HpDbConn *conn = stmt->conn;
    int code;

    g_clear_error(&stmt->failure);
    if (conn->handle == NULL) {
        stmt->failure = g_error_copy(conn->failure);
        return;
    }
    code = sqlite3_prepare_v3(conn->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                              &stmt->handle, NULL);
    if (code == SQLITE_OK)
        return;
    hp_db_conn_fail(conn, code, &stmt->failure);
    if ((code & 0xff) != SQLITE_ERROR)
        return;
    /* No such table or column: either the statement is wrong, or the schema is. */
    if (!hp_db_has_foreign_schema(conn))
        g_error("%s: %s", sql, stmt->failure->message);
    hp_db_stop_writes(conn->db, "its schema is damaged");
    stmt->failure->code = HP_DB_ERROR_DAMAGED;
}

static HpDbStmt *
look_up(HpDbConn *conn, const char *sql)
{
    HpDbStmt *stmt = g_hash_table_lookup(conn->statements, &sql);

    if (stmt == NULL) {
        stmt = g_new0(HpDbStmt, 1);
        stmt->conn = conn;
        stmt->sql = sql;
        g_hash_table_insert(conn->statements, &stmt->sql, stmt);
    }
    if (stmt->handle == NULL)
        prepare(stmt, sql);
    else
        sqlite3_reset(stmt->handle);
    stmt->finished = FALSE;
    return stmt;
}

/* @keep: SQLITE_TRANSIENT copies, SQLITE_STATIC trusts the caller. */
static int
bind_text(HpDbStmt *stmt, int i, const char *text, sqlite3_destructor_type keep)
{
    size_t len = text != NULL ? strlen(text) : 0;

    stmt->conn->bound_bytes += len;
    return sqlite3_bind_text64(stmt->handle, i, text, len, keep, SQLITE_UTF8);
}

static int
bind_blob(HpDbStmt *stmt, int i, HpSlice bytes, sqlite3_destructor_type keep)
{
    stmt->conn->bound_bytes += bytes.len;
    return sqlite3_bind_blob64(stmt->handle, i, bytes.data, bytes.len, keep);
}

static int
bind_one(HpDbStmt *stmt, int i, char type, va_list *args, sqlite3_destructor_type keep)
{
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(stmt->handle, i, va_arg(*args, gint64));
    case 's':
        return bind_text(stmt, i, va_arg(*args, const char *), keep);
    case 'b':
        return bind_blob(stmt, i, va_arg(*args, HpSlice), keep);
    case 'd':
        return sqlite3_bind_double(stmt->handle, i, va_arg(*args, double));
    case 'n':
        return sqlite3_bind_null(stmt->handle, i);
    default:
        return SQLITE_MISUSE;
    }
}

static void
bind(HpDbStmt *stmt, const char *types, va_list *args, sqlite3_destructor_type keep)
{
    int n = sqlite3_bind_parameter_count(stmt->handle);
    int code = SQLITE_OK;

    g_assert(n == (int)strlen(types));
    for (int i = 1; i <= n; i++)
        code |= bind_one(stmt, i, types[i - 1], args, keep);
    /* Only a fault of the caller or the lack of memory is left. */
    g_assert(code == SQLITE_OK);
}

HpDbStmt *
hp_db_query(HpDbConn *conn, const char *sql, const char *types, ...)
{
    HpDbStmt *stmt = look_up(conn, sql);
    va_list args;

    if (stmt->handle == NULL)
        return stmt;
    va_start(args, types);
    bind(stmt, types, &args, SQLITE_TRANSIENT);
    va_end(args);
    return stmt;
}

gboolean
hp_db_step(HpDbStmt *stmt, GError **error)
{
    int code;

    if (stmt->finished)
        return FALSE;
    if (stmt->handle == NULL) {
        stmt->finished = TRUE;
        g_propagate_error(error, g_error_copy(stmt->failure));
        return FALSE;
    }
    code = sqlite3_step(stmt->handle);
    if (code == SQLITE_ROW)
        return TRUE;
    stmt->finished = TRUE;
    if (code != SQLITE_DONE)
        hp_db_conn_fail(stmt->conn, code, error);
    sqlite3_reset(stmt->handle);
    return FALSE;
}

gint64
hp_db_int(HpDbStmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->handle, column);
}

double
hp_db_double(HpDbStmt *stmt, int column)
{
    return sqlite3_column_double(stmt->handle, column);
}

gboolean
hp_db_is_null(HpDbStmt *stmt, int column)
{
    return sqlite3_column_type(stmt->handle, column) == SQLITE_NULL;
}

const char *
hp_db_text(HpDbStmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt->handle, column);
}

char *
hp_db_dup_text(HpDbStmt *stmt, int column)
{
    return g_strdup(hp_db_text(stmt, column));
}

HpSlice
hp_db_blob(HpDbStmt *stmt, int column)
{
    const char *data = sqlite3_column_blob(stmt->handle, column);

    return (HpSlice){ data, (size_t)sqlite3_column_bytes(stmt->handle, column) };
}

void
hp_db_reset(HpDbStmt *stmt)
{
    if (stmt->handle != NULL) {
        sqlite3_reset(stmt->handle);
        sqlite3_clear_bindings(stmt->handle);
    }
    stmt->finished = TRUE;
}

gboolean
hp_db_run(HpDbConn *conn, GError **error, const char *sql, const char *types, ...)
{
    HpDbStmt *stmt = look_up(conn, sql);
    g_autoptr(GError) failure = NULL;

    if (stmt->handle != NULL) {
        va_list args;

        /* Not copied: the arguments outlive this call, and the statement does not. */
        va_start(args, types);
        bind(stmt, types, &args, SQLITE_STATIC);
        va_end(args);
    }
    while (hp_db_step(stmt, &failure)) {
    }
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gint64
hp_db_last_id(HpDbConn *conn)
{
    return conn->handle != NULL ? sqlite3_last_insert_rowid(conn->handle) : 0;
}

gint64
hp_db_changes(HpDbConn *conn)
{
    return conn->handle != NULL ? sqlite3_changes64(conn->handle) : 0;
}
