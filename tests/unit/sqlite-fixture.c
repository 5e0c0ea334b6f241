#include "sqlite-fixture.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

const char *const second_schema[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);",
    "ALTER TABLE thing ADD COLUMN bytes BLOB;", NULL
};

HpDb *
open_with(Fixture *f, const char *const *migrations, GError **error)
{
    HpDbSpec spec = { f->path, APPLICATION, migrations, "test-writer" };

    return hp_db_open(&spec, error);
}

void
reopen(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->db, hp_db_close);
    f->db = open_with(f, second_schema, &error);
    g_assert_no_error(error);
}

void
set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("hp-sqlite-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "test.db", NULL);
    reopen(f);
}

void
tear_down(Fixture *f, gconstpointer unused)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    const char *name;

    g_clear_pointer(&f->db, hp_db_close);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);

        g_unlink(path);
    }
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

/* Works of the tests. */
gboolean
add_named(HpDbConn *conn, gpointer name, GError **error)
{
    return hp_db_run(conn, error, "INSERT INTO thing (name) VALUES (?1)", "s", name);
}

gboolean
add_large(HpDbConn *conn, gpointer name, GError **error)
{
    g_autofree char *bytes = g_malloc0(100000);

    return hp_db_run(conn, error, "INSERT INTO thing (name, bytes) VALUES (?1, ?2)", "sb",
                     name, (HpSlice){ bytes, 100000 });
}

gboolean
remove_all(HpDbConn *conn, gpointer unused, GError **error)
{
    return hp_db_run(conn, error, "DELETE FROM thing", "");
}

gboolean
write_named(HpDb *db, HpDbWork work, const char *name, GError **error)
{
    g_autofree char *copy = g_strdup(name);

    return hp_db_write(db, work, copy, error);
}

gint64
ask(HpDb *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpDbConn) conn = hp_db_lease(db);
    HpDbStmt *stmt = hp_db_query(conn, sql, "");

    g_assert_true(hp_db_step(stmt, &error));
    g_assert_no_error(error);
    return hp_db_int(stmt, 0);
}

gint64
count_things(HpDb *db)
{
    return ask(db, "SELECT count(*) FROM thing");
}

/* Asks the writer's own connection. */
typedef struct {
    const char *sql;
    gint64 number;
} Question;

static gboolean
answer_question(HpDbConn *conn, gpointer data, GError **error)
{
    Question *question = data;
    HpDbStmt *stmt = hp_db_query(conn, question->sql, "");

    if (!hp_db_step(stmt, error))
        return FALSE;
    question->number = hp_db_int(stmt, 0);
    return TRUE;
}

gint64
ask_writer(HpDb *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    Question question = { sql, -1 };

    hp_db_write(db, answer_question, &question, &error);
    g_assert_no_error(error);
    return question.number;
}

void
fill(HpDb *db)
{
    for (guint i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        g_assert_true(hp_db_write(db, add_large, name, NULL));
    }
}
