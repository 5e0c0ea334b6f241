#include "hp-queue-schema.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder; /* (owned) */
    char *path;   /* (owned) */
    HpDb *db;     /* (owned) */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("hp-queue-schema-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "queue.db", NULL);
    f->db = hp_db_open(
        &(HpDbSpec){ f->path, HP_QUEUE_APPLICATION_ID, hp_queue_migrations, "test-db" },
        &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *lock = g_strconcat(f->path, "-lock", NULL);

    hp_db_close(f->db);
    g_unlink(f->path);
    g_unlink(lock);
    g_rmdir(f->folder);
    g_free(f->path);
    g_free(f->folder);
}

static void
test_meta(Fixture *f, gconstpointer data)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpDbStmt *stmt = hp_db_query(conn, "SELECT uid, paused_until FROM meta", "");

    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_cmpuint(strlen(hp_db_text(stmt, 0)), ==, 16);
    g_assert_cmpint(hp_db_int(stmt, 1), ==, 0);
    g_assert_false(hp_db_step(stmt, NULL));
}

/* With 100,000 finished or waiting recipients a scan would be felt in every commit. */
static void
test_due_by_index(Fixture *f, gconstpointer data)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpDbStmt *stmt = hp_db_query(conn,
                                 "EXPLAIN QUERY PLAN SELECT message FROM recipient"
                                 " WHERE destination = 'a' AND due <= 5"
                                 " ORDER BY due LIMIT 1",
                                 "");

    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_nonnull(strstr(hp_db_text(stmt, 3), "INDEX recipient_due"));
    g_assert_false(hp_db_step(stmt, NULL)); /* nothing is sorted */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/queue-schema/one-row-in-meta", Fixture, NULL, set_up, test_meta,
               tear_down);
    g_test_add("/queue-schema/what-is-due-is-found-by-index", Fixture, NULL, set_up,
               test_due_by_index, tear_down);
    return g_test_run();
}
