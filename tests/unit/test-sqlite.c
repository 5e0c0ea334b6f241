#include "sqlite-fixture.h"

#include "hp-lock.h"
#include "hp-thread.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEADLINE_USEC (60 * G_USEC_PER_SEC)

/* SQLite's calls come here, because a program's own symbols go before a library's. */
static gint syncs_fail; /* nocheck: the fault that a test injects */

int fdatasync(int fd);

int
fdatasync(int fd)
{
    if (g_atomic_int_get(&syncs_fail)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static gboolean
add_then_fail(HpDbConn *conn, gpointer name, GError **error)
{
    if (!add_named(conn, name, error))
        return FALSE;
    g_set_error(error, G_IO_ERROR, 7, "changed my mind");
    return FALSE;
}

static guint64
count_commits(HpDb *db)
{
    HpDbStats stats;

    hp_db_get_stats(db, &stats);
    return stats.commits;
}

static void
is_private_whatever_the_umask(Fixture *f, gconstpointer unused)
{
    mode_t before = umask(0);
    struct stat info;

    g_clear_pointer(&f->db, hp_db_close);
    g_unlink(f->path);
    reopen(f);
    umask(before);
    g_assert_true(write_named(f->db, add_named, "a", NULL));
    for (guint i = 0; i < 3; i++) {
        const char *const suffixes[] = { "", "-wal", "-shm" };
        g_autofree char *path = g_strconcat(f->path, suffixes[i], NULL);

        g_assert_cmpint(stat(path, &info), ==, 0);
        g_assert_cmpuint(info.st_mode & 07777, ==, 0600);
    }
}

static void
has_the_modes_that_keep_mail(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *sql;
        gint64 number;
    } wanted[] = {
        { "PRAGMA synchronous", 2 },   { "PRAGMA application_id", APPLICATION },
        { "PRAGMA user_version", 2 },  { "PRAGMA auto_vacuum", 2 },
        { "PRAGMA secure_delete", 2 }, { "PRAGMA foreign_keys", 1 },
        { "PRAGMA mmap_size", 0 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpint(ask_writer(f->db, wanted[i].sql), ==, wanted[i].number);
    g_assert_cmpint(ask(f->db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
                    ==, 1);
}

static void
binds_and_gives_back_every_type(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    HpSlice bytes = { "a\0b", 3 }, empty = { "", 0 }, none = { NULL, 0 };
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8", "issbbbdn", G_MININT64,
                    "grüße", NULL, bytes, empty, none, 0.5);
    g_autofree char *text = NULL;

    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_cmpint(hp_db_int(stmt, 0), ==, G_MININT64);
    text = hp_db_dup_text(stmt, 1);
    g_assert_cmpstr(text, ==, "grüße");
    g_assert_null(hp_db_text(stmt, 2));
    g_assert_true(hp_slice_equal(hp_db_blob(stmt, 3), bytes));
    g_assert_false(hp_db_is_null(stmt, 4));
    g_assert_cmpuint(hp_db_blob(stmt, 4).len, ==, 0);
    g_assert_true(hp_db_is_null(stmt, 5));
    g_assert_cmpfloat(hp_db_double(stmt, 6), ==, 0.5);
    g_assert_true(hp_db_is_null(stmt, 7));
    g_assert_false(hp_db_step(stmt, NULL));
    g_assert_false(hp_db_step(stmt, NULL)); /* and stays at the end */
}

static void
keeps_what_was_written(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(write_named(f->db, add_named, "a", &error));
    g_assert_no_error(error);
    reopen(f);
    g_assert_cmpint(count_things(f->db), ==, 1);
}

static void
says_which_constraint_refused(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(write_named(f->db, add_named, "a", NULL));
    g_assert_false(write_named(f->db, add_named, "a", &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_CONSTRAINT);
    g_assert_true(hp_db_is_writable(f->db));
}

/* Several threads that write at once: the first request holds the writer until all the
 * others wait. */
typedef struct {
    HpDb *db;
    HpDbWork work;
    char name[16];
    gboolean big;
    gboolean ok;
    GError *error;
    HpThread *thread;
} Client;

static void
run_client(gpointer data)
{
    Client *client = data;

    client->ok =
        client->big
            ? hp_db_write_big(client->db, client->work, client->name, &client->error)
            : hp_db_write(client->db, client->work, client->name, &client->error);
}

typedef struct {
    HpDb *db;
    guint others;
    gint is_shut; /* atomic */
} Gate;

static void
wait_until_waiting(HpDb *db, guint n)
{
    gint64 deadline = g_get_monotonic_time() + DEADLINE_USEC;
    HpDbStats stats;

    do {
        hp_db_get_stats(db, &stats);
        g_usleep(200);
    } while (stats.waiting < n && g_get_monotonic_time() < deadline);
    g_assert_cmpuint(stats.waiting, ==, n);
}

static gboolean
hold_until_all_wait(HpDbConn *conn, gpointer data, GError **error)
{
    Gate *gate = data;

    g_atomic_int_set(&gate->is_shut, 1);
    wait_until_waiting(gate->db, gate->others);
    return TRUE;
}

static void
run_gate(gpointer data)
{
    Gate *gate = data;

    g_assert_true(hp_db_write_big(gate->db, hold_until_all_wait, gate, NULL));
}

/* In the order of @clients, when @ordered. */
static void
run_together(HpDb *db, Client *clients, guint n, gboolean ordered)
{
    Gate gate = { db, n, 0 };
    HpThread *holder = hp_thread_start("holder", run_gate, &gate, NULL);

    while (!g_atomic_int_get(&gate.is_shut))
        g_usleep(200);
    for (guint i = 0; i < n; i++) {
        clients[i].db = db;
        clients[i].thread = hp_thread_start("client", run_client, &clients[i], NULL);
        if (ordered && i + 1 < n)
            wait_until_waiting(db, i + 1);
    }
    for (guint i = 0; i < n; i++)
        hp_thread_join(clients[i].thread);
    hp_thread_join(holder);
}

static void
commits_all_that_wait_at_once(Fixture *f, gconstpointer unused)
{
    Client clients[100] = { 0 };
    guint64 before = count_commits(f->db);

    for (guint i = 0; i < G_N_ELEMENTS(clients); i++) {
        clients[i].work = add_named;
        g_snprintf(clients[i].name, sizeof clients[i].name, "%u", i);
    }
    run_together(f->db, clients, G_N_ELEMENTS(clients), FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(clients); i++)
        g_assert_true(clients[i].ok);
    g_assert_cmpint(count_things(f->db), ==, G_N_ELEMENTS(clients));
    /* The gate, 64, and the 36 that are left. */
    g_assert_cmpuint(count_commits(f->db) - before, ==, 3);
}

static void
fails_one_request_alone(Fixture *f, gconstpointer unused)
{
    Client clients[] = { { .work = add_named, .name = "a" },
                         { .work = add_then_fail, .name = "b" },
                         { .work = add_named, .name = "a" },
                         { .work = add_named, .name = "c" } };
    guint64 before = count_commits(f->db);

    run_together(f->db, clients, G_N_ELEMENTS(clients), TRUE);
    g_assert_true(clients[0].ok);
    g_assert_error(clients[1].error, G_IO_ERROR, 7);
    g_assert_error(clients[2].error, HP_DB_ERROR, HP_DB_ERROR_CONSTRAINT);
    g_assert_true(clients[3].ok);
    g_assert_cmpuint(count_commits(f->db) - before, ==, 2);
    g_assert_cmpint(count_things(f->db), ==, 2);
    g_assert_cmpint(ask(f->db, "SELECT count(*) FROM thing WHERE name = 'b'"), ==, 0);
    g_clear_error(&clients[1].error);
    g_clear_error(&clients[2].error);
}

static void
gives_a_big_request_its_own_transaction(Fixture *f, gconstpointer unused)
{
    Client clients[] = { { .work = add_named, .name = "a" },
                         { .work = add_named, .name = "b", .big = TRUE },
                         { .work = add_named, .name = "c" },
                         { .work = add_named, .name = "d" } };
    guint64 before = count_commits(f->db);

    run_together(f->db, clients, G_N_ELEMENTS(clients), TRUE);
    g_assert_cmpuint(count_commits(f->db) - before, ==, 4);
    g_assert_cmpint(count_things(f->db), ==, 4);
}

static void
takes_back_a_big_request_that_fails(Fixture *f, gconstpointer unused)
{
    char name[] = "a";
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_db_write_big(f->db, add_then_fail, name, &error));
    g_assert_error(error, G_IO_ERROR, 7);
    g_assert_cmpint(count_things(f->db), ==, 0);
    g_assert_true(hp_db_write_big(f->db, add_named, name, NULL));
    g_assert_cmpint(count_things(f->db), ==, 1);
}

/* What is heard of commits. */
typedef struct {
    char name[8];
    HpDbWork work;
    GString *heard; /* (unowned) */
} Telling;

static gboolean
tell_work(HpDbConn *conn, gpointer data, GError **error)
{
    Telling *telling = data;

    return telling->work(conn, telling->name, error);
}

static void
hear(gpointer data)
{
    Telling *telling = data;

    g_string_append(telling->heard, telling->name);
}

static void
tells_of_each_commit_before_it_returns(Fixture *f, gconstpointer unused)
{
    g_autoptr(GString) heard = g_string_new(NULL);
    Telling tellings[] = { { "a", add_named, heard },
                           { "b", add_then_fail, heard },
                           { "c", add_named, heard } };

    for (guint i = 0; i < G_N_ELEMENTS(tellings); i++) {
        HpDbChange change = { tell_work, hear, &tellings[i], i == 2 };

        g_assert_cmpint(hp_db_write_change(f->db, &change, NULL), ==, i != 1);
    }
    g_assert_cmpstr(heard->str, ==, "ac"); /* nothing of what was refused */
}

static void
ends_a_group_that_grows_large(Fixture *f, gconstpointer unused)
{
    Client clients[60] = { 0 };
    guint64 before = count_commits(f->db);

    for (guint i = 0; i < G_N_ELEMENTS(clients); i++) {
        clients[i].work = add_large;
        g_snprintf(clients[i].name, sizeof clients[i].name, "%u", i);
    }
    run_together(f->db, clients, G_N_ELEMENTS(clients), FALSE);
    g_assert_cmpint(count_things(f->db), ==, G_N_ELEMENTS(clients));
    g_assert_cmpuint(count_commits(f->db) - before, ==, 3); /* gate, 4 MiB, the rest */
}

static void
refuses_the_group_when_the_disk_is_full(Fixture *f, gconstpointer unused)
{
    Client clients[] = { { .work = add_named, .name = "a" },
                         { .work = add_large, .name = "b" },
                         { .work = add_named, .name = "c" } };
    g_autoptr(GError) error = NULL;

    g_assert_true(write_named(f->db, add_named, "x", NULL));
    ask_writer(f->db, "PRAGMA max_page_count = 1");
    run_together(f->db, clients, G_N_ELEMENTS(clients), TRUE);
    for (guint i = 0; i < 2; i++)
        g_assert_error(clients[i].error, HP_DB_ERROR, HP_DB_ERROR_FULL);
    g_assert_true(clients[2].ok); /* asked in a transaction of its own afterwards */
    g_assert_cmpint(count_things(f->db), ==, 2);
    g_assert_true(hp_db_is_writable(f->db));
    g_assert_true(hp_db_write(f->db, remove_all, NULL, &error)); /* deleting works */
    g_assert_no_error(error);
    ask_writer(f->db, "PRAGMA max_page_count = 1000000");
    g_assert_true(write_named(f->db, add_large, "b", NULL));
    for (guint i = 0; i < 2; i++)
        g_clear_error(&clients[i].error);
}

static void
takes_a_file_size_limit_for_a_full_disk(Fixture *f, gconstpointer unused)
{
    struct rlimit before, small;
    g_autoptr(GError) error = NULL;
    gboolean ok;

    g_assert_true(write_named(f->db, add_named, "x", NULL));
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 50000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    ok = write_named(f->db, add_large, "b", &error);
    setrlimit(RLIMIT_FSIZE, &before);
    g_assert_false(ok);
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_FULL);
    g_assert_true(hp_db_is_writable(f->db));
    g_assert_true(write_named(f->db, add_large, "b", NULL));
    reopen(f);
    g_assert_cmpint(count_things(f->db), ==, 2);
    g_assert_cmpint(ask(f->db, "SELECT integrity_check = 'ok'"
                               " FROM pragma_integrity_check"),
                    ==, 1);
}

static void
knows_nothing_after_a_failed_commit(Fixture *f, gconstpointer unused)
{
    Client clients[] = { { .work = add_named, .name = "a" },
                         { .work = add_named, .name = "b" } };
    g_autoptr(GError) error = NULL;

    g_assert_true(write_named(f->db, add_named, "x", NULL));
    g_atomic_int_set(&syncs_fail, 1);
    run_together(f->db, clients, G_N_ELEMENTS(clients), TRUE);
    g_atomic_int_set(&syncs_fail, 0);
    for (guint i = 0; i < 2; i++) {
        g_assert_error(clients[i].error, HP_DB_ERROR, HP_DB_ERROR_UNKNOWN);
        g_clear_error(&clients[i].error);
    }
    g_assert_false(hp_db_is_writable(f->db));
    g_assert_false(write_named(f->db, add_named, "c", &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY);
    g_assert_cmpint(ask(f->db, "SELECT count(*) FROM thing WHERE name = 'x'"), ==, 1);
    reopen(f);
    g_assert_true(hp_db_is_writable(f->db));
    g_assert_true(write_named(f->db, add_named, "c", NULL));
}

/* An fsync is not tried again, nor is one that only empties the WAL. */
static void
takes_no_writes_after_a_failed_tidying(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(write_named(f->db, add_named, "x", NULL));
    g_atomic_int_set(&syncs_fail, 1);
    g_assert_false(hp_db_tidy(f->db));
    g_atomic_int_set(&syncs_fail, 0);
    g_assert_false(hp_db_is_writable(f->db));
    g_assert_false(write_named(f->db, add_named, "c", &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY);
    reopen(f);
    g_assert_cmpint(ask(f->db, "SELECT count(*) FROM thing WHERE name = 'x'"), ==, 1);
}

static void
sees_one_state_in_a_snapshot(Fixture *f, gconstpointer unused)
{
    HpDbConn *conn = hp_db_lease(f->db);
    static const char sql[] = "SELECT count(*) FROM thing";
    HpDbStmt *stmt;

    g_assert_true(hp_db_begin_snapshot(conn, NULL));
    stmt = hp_db_query(conn, sql, "");
    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_cmpint(hp_db_int(stmt, 0), ==, 0);
    g_assert_true(write_named(f->db, add_named, "a", NULL));
    stmt = hp_db_query(conn, sql, "");
    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_cmpint(hp_db_int(stmt, 0), ==, 0);
    hp_db_return(conn);
    conn = hp_db_lease(f->db);
    stmt = hp_db_query(conn, sql, "");
    g_assert_true(hp_db_step(stmt, NULL));
    g_assert_cmpint(hp_db_int(stmt, 0), ==, 1);
    hp_db_return(conn);
}

static void
cannot_write_through_a_reader(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_db_run(conn, &error, "DELETE FROM thing", ""));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_READ_ONLY);
    g_assert_true(hp_db_is_writable(f->db));
}

static void
lease_and_return(gpointer db)
{
    for (guint i = 0; i < 200; i++) {
        g_autoptr(HpDbConn) conn = hp_db_lease(db);
        HpDbStmt *stmt = hp_db_query(conn, "SELECT count(*) FROM thing", "");

        g_assert_true(hp_db_step(stmt, NULL));
    }
}

static void
lends_four_readers_to_any_number(Fixture *f, gconstpointer unused)
{
    HpThread *threads[8];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = hp_thread_start("reader", lease_and_return, f->db, NULL);
    for (guint i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);

        g_assert_true(hp_db_write(f->db, add_named, name, NULL));
    }
    while (hp_db_tidy(f->db))
        continue;
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        hp_thread_join(threads[i]);
    g_assert_cmpint(count_things(f->db), ==, 50);
}

static void
leaves_nothing_behind_when_tidied(Fixture *f, gconstpointer unused)
{
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    struct stat info;

    fill(f->db);
    g_assert_true(hp_db_write(f->db, remove_all, NULL, NULL));
    g_assert_cmpint(ask(f->db, "PRAGMA freelist_count"), >, 0);
    while (hp_db_tidy(f->db))
        continue;
    g_assert_cmpint(ask(f->db, "PRAGMA freelist_count"), ==, 0);
    g_assert_cmpint(stat(wal, &info), ==, 0);
    g_assert_cmpint(info.st_size, ==, 0);
    g_assert_cmpint(stat(f->path, &info), ==, 0);
    g_assert_cmpint(info.st_size, <, 100000);
}

static void
keeps_the_wal_short_under_load(Fixture *f, gconstpointer unused)
{
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    struct stat info;

    for (guint i = 0; i < 15; i++) {
        fill(f->db);
        g_assert_true(hp_db_write(f->db, remove_all, NULL, NULL));
    }
    g_assert_cmpint(stat(wal, &info), ==, 0);
    g_assert_cmpint(info.st_size, <, 17 * 1024 * 1024);
}

#define CASE(path, name)                                                                 \
    g_test_add("/sqlite/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are what damage is reported by. */
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("is-private-whatever-the-umask", is_private_whatever_the_umask);
    CASE("has-the-modes-that-keep-mail", has_the_modes_that_keep_mail);
    CASE("binds-and-gives-back-every-type", binds_and_gives_back_every_type);
    CASE("keeps-what-was-written", keeps_what_was_written);
    CASE("says-which-constraint-refused", says_which_constraint_refused);
    CASE("commits-all-that-wait-at-once", commits_all_that_wait_at_once);
    CASE("fails-one-request-alone", fails_one_request_alone);
    CASE("gives-a-big-request-its-own-transaction",
         gives_a_big_request_its_own_transaction);
    CASE("takes-back-a-big-request-that-fails", takes_back_a_big_request_that_fails);
    CASE("ends-a-group-that-grows-large", ends_a_group_that_grows_large);
    CASE("refuses-the-group-when-the-disk-is-full",
         refuses_the_group_when_the_disk_is_full);
    CASE("takes-a-file-size-limit-for-a-full-disk",
         takes_a_file_size_limit_for_a_full_disk);
    CASE("knows-nothing-after-a-failed-commit", knows_nothing_after_a_failed_commit);
    CASE("takes-no-writes-after-a-failed-tidying",
         takes_no_writes_after_a_failed_tidying);
    CASE("sees-one-state-in-a-snapshot", sees_one_state_in_a_snapshot);
    CASE("tells-of-each-commit-before-it-returns",
         tells_of_each_commit_before_it_returns);
    CASE("cannot-write-through-a-reader", cannot_write_through_a_reader);
    CASE("lends-four-readers-to-any-number", lends_four_readers_to_any_number);
    CASE("leaves-nothing-behind-when-tidied", leaves_nothing_behind_when_tidied);
    CASE("keeps-the-wal-short-under-load", keeps_the_wal_short_under_load);
    return g_test_run();
}
