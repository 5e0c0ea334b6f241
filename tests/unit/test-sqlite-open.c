/* Opening, migrating, copying and checking a database, and what damage does. */
#include "sqlite-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const first_schema[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);", NULL
};
static const char *const broken_schema[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);",
    "ALTER TABLE thing ADD COLUMN bytes BLOB; INSERT INTO nothing VALUES (1);", NULL
};

static void
copies_itself_before_a_migration(Fixture *f, gconstpointer unused)
{
    g_autofree char *copy = g_strconcat(f->path, ".v1", NULL);
    g_autoptr(GError) error = NULL;
    struct stat info;

    g_clear_pointer(&f->db, hp_db_close);
    g_unlink(f->path);
    f->db = open_with(f, first_schema, &error);
    g_assert_no_error(error);
    g_assert_true(write_named(f->db, add_named, "old", NULL));
    g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
    reopen(f);
    g_assert_cmpint(ask_writer(f->db, "PRAGMA user_version"), ==, 2);
    g_assert_true(write_named(f->db, add_large, "new", NULL));
    g_clear_pointer(&f->db, hp_db_close);

    g_assert_cmpint(stat(copy, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 07777, ==, 0600);
    g_assert_cmpint(rename(copy, f->path), ==, 0);
    f->db = open_with(f, first_schema, &error);
    g_assert_no_error(error);
    g_assert_cmpint(count_things(f->db), ==, 1);
}

static void
leaves_all_as_it_was_when_a_migration_fails(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->db, hp_db_close);
    g_unlink(f->path);
    f->db = open_with(f, first_schema, NULL);
    g_assert_true(write_named(f->db, add_named, "old", NULL));
    g_clear_pointer(&f->db, hp_db_close);
    g_assert_null(open_with(f, broken_schema, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED);
    f->db = open_with(f, first_schema, NULL);
    g_assert_cmpint(ask_writer(f->db, "PRAGMA user_version"), ==, 1);
    g_assert_cmpint(count_things(f->db), ==, 1);
}

static void
refuses_a_newer_schema(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->db, hp_db_close);
    g_assert_null(open_with(f, first_schema, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_NEWER);
}

static void
refuses_another_programs_database(Fixture *f, gconstpointer unused)
{
    HpDbSpec spec = { f->path, APPLICATION + 1, second_schema, "test-writer" };
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->db, hp_db_close);
    g_assert_null(hp_db_open(&spec, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED);
    reopen(f);
    g_assert_cmpint(ask_writer(f->db, "PRAGMA application_id"), ==, APPLICATION);
}

static void
refuses_what_is_no_database(Fixture *f, gconstpointer unused)
{
    g_autofree char *noise = g_strnfill(8192, 'x');
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->db, hp_db_close);
    g_assert_true(g_file_set_contents(f->path, noise, 8192, NULL));
    g_assert_null(open_with(f, second_schema, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED);
    g_clear_error(&error);

    g_unlink(f->path);
    g_assert_cmpint(symlink("/dev/null", f->path), ==, 0);
    g_assert_null(open_with(f, second_schema, &error));
    g_assert_nonnull(error);
}

static void
reads_what_is_left_of_a_damaged_one(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    fill(f->db);
    g_clear_pointer(&f->db, hp_db_close);
    g_assert_cmpint(truncate(f->path, 1000000 / 4096 * 4096), ==, 0);
    f->db = open_with(f, second_schema, &error);
    g_assert_no_error(error);
    g_assert_false(hp_db_is_writable(f->db));
    g_assert_cmpint(ask(f->db, "SELECT length(bytes) FROM thing WHERE id = 1"), ==,
                    100000);
    g_assert_false(hp_db_write(f->db, remove_all, NULL, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY);
}

static void
writes_no_more_once_damage_is_found(Fixture *f, gconstpointer unused)
{
    static const char zeros[4096] = "";
    g_autoptr(HpDbConn) conn = NULL;
    g_autoptr(GError) error = NULL;
    HpDbStmt *stmt;
    FILE *file;

    fill(f->db);
    g_clear_pointer(&f->db, hp_db_close);
    file = g_fopen(f->path, "r+");
    for (guint page = 3; page < 400; page++) {
        fseek(file, (long)page * 4096, SEEK_SET);
        fwrite(zeros, sizeof zeros, 1, file);
    }
    fclose(file);
    reopen(f);
    g_assert_true(hp_db_is_writable(f->db));
    conn = hp_db_lease(f->db);
    stmt = hp_db_query(conn, "SELECT sum(length(bytes)) + count(name) FROM thing", "");
    g_assert_false(hp_db_step(stmt, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED);
    g_assert_false(hp_db_is_writable(f->db));
}

static void
fails_the_first_step_on_a_damaged_schema(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    sqlite3 *raw;

    g_clear_pointer(&f->db, hp_db_close);
    sqlite3_open(f->path, &raw);
    sqlite3_exec(raw, "DROP TABLE thing", NULL, NULL, NULL);
    sqlite3_close(raw);
    reopen(f);
    g_assert_false(write_named(f->db, add_named, "a", &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED);
}

/* Things in a copy of the database. */
static gint64
count_in_copy(Fixture *f, const char *const *spare)
{
    g_autofree char *path = g_strconcat(f->path, ".copy", NULL);
    HpDbCopy copy = { .path = path, .spare = spare };
    HpDbSpec spec = { path, APPLICATION, second_schema, "test-writer" };
    g_autoptr(GError) error = NULL;
    g_autoptr(HpDb) other = NULL;
    struct stat info;

    hp_db_copy(f->db, &copy, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 07777, ==, 0600);
    other = hp_db_open(&spec, &error);
    g_assert_no_error(error);
    return count_things(other);
}

static void
copies_all_but_the_spared_tables(Fixture *f, gconstpointer unused)
{
    static const char *const spare[] = { "thing", NULL };
    char name[] = "a";

    g_assert_true(hp_db_write(f->db, add_named, name, NULL));
    g_assert_cmpint(count_in_copy(f, NULL), ==, 1);
    g_assert_cmpint(count_in_copy(f, spare), ==, 0); /* replaces the older one */
}

static void
finds_nothing_in_a_whole_database(Fixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) quick = hp_db_check(f->db, FALSE, NULL);
    g_autoptr(GPtrArray) full = hp_db_check(f->db, TRUE, NULL);

    g_assert_cmpuint(quick->len + full->len, ==, 0);
}

#define CASE(path, name)                                                                 \
    g_test_add("/sqlite-open/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are what damage is reported by. */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("copies-itself-before-a-migration", copies_itself_before_a_migration);
    CASE("leaves-all-as-it-was-when-a-migration-fails",
         leaves_all_as_it_was_when_a_migration_fails);
    CASE("refuses-a-newer-schema", refuses_a_newer_schema);
    CASE("refuses-another-programs-database", refuses_another_programs_database);
    CASE("refuses-what-is-no-database", refuses_what_is_no_database);
    CASE("reads-what-is-left-of-a-damaged-one", reads_what_is_left_of_a_damaged_one);
    CASE("writes-no-more-once-damage-is-found", writes_no_more_once_damage_is_found);
    CASE("fails-the-first-step-on-a-damaged-schema",
         fails_the_first_step_on_a_damaged_schema);
    CASE("copies-all-but-the-spared-tables", copies_all_but_the_spared_tables);
    CASE("finds-nothing-in-a-whole-database", finds_nothing_in_a_whole_database);
    return g_test_run();
}
