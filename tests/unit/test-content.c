#include "hp-content.h"

#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const schema[] = { HP_CONTENT_SCHEMA, NULL };

typedef struct {
    char *dir; /* (owned) */
    int dir_fd;
    HpDb *db;             /* (owned) */
    HpContents *contents; /* (owned) */
} Fixture;

static void
start(Fixture *f)
{
    g_autofree char *path = g_build_filename(f->dir, "test.db", NULL);
    HpDbSpec spec = { path, 0x48507463, schema, "test-writer" };
    g_autoptr(GError) error = NULL;

    f->db = hp_db_open(&spec, &error);
    g_assert_no_error(error);
    f->contents = hp_contents_open(f->db, f->dir_fd, &error);
    g_assert_no_error(error);
}

static void
stop(Fixture *f)
{
    hp_contents_close(f->contents);
    hp_db_close(f->db);
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    g_autofree char *messages = NULL;

    f->dir = g_dir_make_tmp("hp-content-XXXXXX", NULL);
    messages = g_build_filename(f->dir, "messages", NULL);
    f->dir_fd = hp_fs_open_private_dir(messages, NULL);
    start(f);
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    stop(f);
    close(f->dir_fd);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->dir);
}

/* Files below 00/ to ff/. */
static guint
count_files(Fixture *f)
{
    guint n = 0;

    for (guint i = 0; i < 256; i++) {
        g_autofree char *folder = g_strdup_printf("%s/messages/%02x", f->dir, i);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

        g_assert_nonnull(dir);
        while (g_dir_read_name(dir) != NULL)
            n++;
    }
    return n;
}

static guint
count_tmp(Fixture *f)
{
    g_autofree char *folder = g_build_filename(f->dir, "messages", "tmp", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

/* Bytes in which every offset differs from its neighbours. */
static GBytes *
pattern(size_t len)
{
    char *bytes = g_malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return g_bytes_new_take(bytes, len);
}

typedef struct {
    HpContentDraft *draft;
    gint64 id;
    gboolean refuse;
} Insert;

static gboolean
insert(HpDbConn *conn, gpointer data, GError **error)
{
    Insert *request = data;

    if (!hp_content_insert(conn, request->draft, &request->id, error))
        return FALSE;
    if (request->refuse)
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED, "no");
    return !request->refuse;
}

static HpContentDraft *
draft_of(Fixture *f, GBytes *bytes)
{
    HpSlice rest = hp_slice_of_bytes(bytes);
    HpContentDraft *draft = hp_content_draft_new(f->contents);
    g_autoptr(GError) error = NULL;

    while (rest.len > 0) { /* in the pieces in which a network gives it */
        HpSlice piece = { rest.data, MIN(rest.len, 5000) };

        g_assert_true(hp_content_draft_append(draft, piece, &error));
        rest.data += piece.len;
        rest.len -= piece.len;
    }
    g_assert_true(hp_content_draft_finish(draft, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(hp_content_draft_size(draft), ==, g_bytes_get_size(bytes));
    return draft;
}

static gint64
store(Fixture *f, size_t len)
{
    g_autoptr(GBytes) bytes = pattern(len);
    g_autoptr(HpContentDraft) draft = draft_of(f, bytes);
    Insert request = { draft, 0, FALSE };
    g_autoptr(GError) error = NULL;

    hp_db_write(f->db, insert, &request, &error);
    g_assert_no_error(error);
    hp_content_draft_committed(draft);
    return request.id;
}

static void
check(Fixture *f, gint64 id, size_t len)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) wanted = pattern(len);
    g_autoptr(HpContent) content = hp_content_open(f->contents, id, &error);
    g_autoptr(GBytes) found = NULL;
    char last;

    g_assert_no_error(error);
    g_assert_cmpuint(hp_content_size(content), ==, len);
    found = hp_content_load(content, len + 10, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(wanted, found));
    if (len > 0) {
        g_assert_cmpint(hp_content_read(content, len - 1, &last, 1, NULL), ==, 1);
        g_assert_cmpint(last, ==,
                        ((const char *)g_bytes_get_data(wanted, NULL))[len - 1]);
    }
    g_assert_cmpint(hp_content_read(content, len, &last, 1, NULL), ==, 0);
    g_assert_cmpint(hp_content_read(content, G_MAXUINT64, &last, 1, NULL), ==, 0);
}

static gboolean
ref(HpDbConn *conn, gpointer id, GError **error)
{
    return hp_content_ref(conn, *(gint64 *)id, error);
}

static gboolean
unref(HpDbConn *conn, gpointer id, GError **error)
{
    return hp_content_unref(conn, *(gint64 *)id, error);
}

static void
keeps_small_ones_in_the_database(Fixture *f, gconstpointer unused)
{
    gint64 empty = store(f, 0), small = store(f, 4096),
           edge = store(f, HP_CONTENT_INLINE_MAX);

    check(f, empty, 0);
    check(f, small, 4096);
    check(f, edge, HP_CONTENT_INLINE_MAX);
    g_assert_cmpuint(count_files(f), ==, 0);
    g_assert_cmpuint(hp_contents_staged_octets(f->contents), ==,
                     4096 + HP_CONTENT_INLINE_MAX);
}

static void
keeps_large_ones_in_files(Fixture *f, gconstpointer unused)
{
    gint64 large = store(f, HP_CONTENT_INLINE_MAX + 1), larger = store(f, 3000000);

    check(f, large, HP_CONTENT_INLINE_MAX + 1);
    check(f, larger, 3000000);
    g_assert_cmpuint(count_files(f), ==, 2);
    g_assert_cmpuint(count_tmp(f), ==, 0);
    stop(f);
    start(f);
    check(f, larger, 3000000);
}

static void
knows_the_digest_of_the_bytes(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < 2; i++) {
        size_t len = i == 0 ? 4096 : 200000;
        g_autoptr(GBytes) bytes = pattern(len);
        gint64 id = store(f, len);
        g_autoptr(HpDbConn) conn = hp_db_lease(f->db);
        HpDbStmt *stmt = hp_db_query(
            conn, "SELECT lower(hex(sha256)) FROM content WHERE id = ?1", "i", id);
        g_autofree char *wanted = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);

        g_assert_true(hp_db_step(stmt, NULL));
        g_assert_cmpstr(hp_db_text(stmt, 0), ==, wanted);
    }
}

static void
loads_no_more_than_was_asked_for(Fixture *f, gconstpointer unused)
{
    gint64 id = store(f, 5000);
    g_autoptr(HpContent) content = hp_content_open(f->contents, id, NULL);
    g_autoptr(GBytes) head = hp_content_load(content, 100, NULL);

    g_assert_cmpuint(g_bytes_get_size(head), ==, 100);
}

static void
removes_the_file_of_a_draft_that_was_not_inserted(Fixture *f, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = pattern(300000);
    HpContentDraft *draft = draft_of(f, bytes);
    Insert request = { draft, 0, TRUE };

    g_assert_cmpuint(count_files(f), ==, 1);
    g_assert_false(hp_db_write(f->db, insert, &request, NULL));
    hp_content_draft_free(draft);
    g_assert_cmpuint(count_files(f), ==, 0);

    draft = hp_content_draft_new(f->contents);
    g_assert_true(hp_content_draft_append(draft, hp_slice_of_bytes(bytes), NULL));
    g_assert_cmpuint(count_tmp(f), ==, 1);
    hp_content_draft_free(draft);
    g_assert_cmpuint(count_tmp(f), ==, 0);
}

static void
goes_with_its_last_reference(Fixture *f, gconstpointer unused)
{
    gint64 small = store(f, 100), large = store(f, 200000);
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_db_write(f->db, ref, &large, NULL));
    g_assert_true(hp_db_write(f->db, unref, &large, NULL));
    g_assert_true(hp_contents_erase(f->contents, NULL));
    check(f, large, 200000);
    g_assert_true(hp_db_write(f->db, unref, &large, NULL));
    g_assert_true(hp_db_write(f->db, unref, &small, NULL));
    g_assert_cmpuint(count_files(f), ==, 1); /* unlinked after the commit, not in it */
    g_assert_true(hp_contents_erase(f->contents, NULL));
    g_assert_cmpuint(count_files(f), ==, 0);
    g_assert_null(hp_content_open(f->contents, large, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(hp_content_open(f->contents, small, &error));
    g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_NOT_FOUND);
    g_assert_false(hp_db_write(f->db, unref, &small, NULL));
    g_assert_false(hp_db_write(f->db, ref, &small, NULL));
}

static void
stays_readable_while_it_is_open(Fixture *f, gconstpointer unused)
{
    gint64 id = store(f, 200000);
    g_autoptr(HpContent) content = hp_content_open(f->contents, id, NULL);
    g_autoptr(GBytes) wanted = pattern(200000);
    g_autoptr(GBytes) found = NULL;

    g_assert_true(hp_db_write(f->db, unref, &id, NULL));
    g_assert_true(hp_contents_erase(f->contents, NULL));
    found = hp_content_load(content, 200000, NULL);
    g_assert_true(g_bytes_equal(wanted, found));
}

static void
moves_older_ones_out_of_the_database(Fixture *f, gconstpointer unused)
{
    gint64 ids[10];
    guint moved = 0;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        ids[i] = store(f, 1000 + i);
    g_assert_true(hp_contents_unstage(f->contents, 4, &moved, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(moved, ==, 6);
    g_assert_cmpuint(count_files(f), ==, 6);
    g_assert_cmpuint(hp_contents_staged_octets(f->contents), ==,
                     1006 + 1007 + 1008 + 1009);
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        check(f, ids[i], 1000 + i);
    g_assert_true(hp_contents_unstage(f->contents, 4, &moved, NULL));
    g_assert_cmpuint(moved, ==, 0);
    /* Nothing of them is on the erase list any more. */
    stop(f);
    start(f);
    g_assert_cmpuint(count_files(f), ==, 6);
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        check(f, ids[i], 1000 + i);
}

/* SQLite's pread(), of this thread: the one after so many more fails. */
static GPrivate reads_until_failure;

static ssize_t
read_or_fail(int fd, void *buffer, size_t size, off_t offset)
{
    guint left = GPOINTER_TO_UINT(g_private_get(&reads_until_failure));

    g_private_set(&reads_until_failure, GUINT_TO_POINTER(left > 0 ? left - 1 : 0));
    if (left != 1)
        return pread(fd, buffer, size, offset);
    errno = ENOMEM;
    return -1;
}

static void
use_for_reading(sqlite3_syscall_ptr call)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    vfs->xSetSystemCall(vfs, "pread", call);
    vfs->xSetSystemCall(vfs, "pread64", call);
}

/* Whatever read fails on the way: what did not get into its file stays where it is. */
static void
moves_nothing_that_it_cannot_read(Fixture *f, gconstpointer unused)
{
    guint failures = 0;

    use_for_reading((sqlite3_syscall_ptr)read_or_fail);
    for (guint n = 1; n < 40; n++) {
        gint64 ids[3];
        guint moved;

        for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
            ids[i] = store(f, 60000);
        stop(f);
        start(f); /* with an empty page cache */
        g_private_set(&reads_until_failure, GUINT_TO_POINTER(n));
        failures += !hp_contents_unstage(f->contents, 0, &moved, NULL);
        g_private_set(&reads_until_failure, NULL);
        for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
            check(f, ids[i], 60000);
    }
    g_assert_cmpuint(failures, >, 0);
    use_for_reading(NULL);
}

static gboolean
announce_one(HpDbConn *conn, gpointer file, GError **error)
{
    return hp_db_run(conn, error, "INSERT INTO erase (file) VALUES (?1)", "s", file);
}

static void
leave(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, "messages", name, NULL);

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void
clears_away_what_a_crash_has_left(Fixture *f, gconstpointer unused)
{
    char announced[] = "ab/abababababababababababababababab";
    char foreign[] = "../../../etc/passwd";
    gint64 kept = store(f, 200000);

    leave(f, "tmp/half-written");
    leave(f, announced); /* a move that never came to its second commit */
    g_assert_true(hp_db_write(f->db, announce_one, announced, NULL));
    g_assert_true(hp_db_write(f->db, announce_one, foreign, NULL));
    g_assert_cmpuint(count_files(f), ==, 2);
    stop(f);
    start(f);
    g_assert_cmpuint(count_tmp(f), ==, 0);
    g_assert_cmpuint(count_files(f), ==, 1);
    check(f, kept, 200000);
}

static void
reports_orphans_and_deletes_none(Fixture *f, gconstpointer unused)
{
    guint orphans = 99;

    store(f, 200000);
    leave(f, "cd/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    g_assert_true(hp_contents_count_orphans(f->contents, &orphans, NULL));
    g_assert_cmpuint(orphans, ==, 0); /* younger than the opening: perhaps being stored */
    do { /* file times are whole ticks of the kernel's clock */
        g_usleep(100000);
        stop(f);
        start(f);
        g_assert_true(hp_contents_count_orphans(f->contents, &orphans, NULL));
    } while (orphans == 0);
    g_assert_cmpuint(orphans, ==, 1);
    g_assert_cmpuint(count_files(f), ==, 2);
}

static void
removes_orphans_if_asked_and_no_others(Fixture *f, gconstpointer unused)
{
    gint64 kept = store(f, 200000);

    leave(f, "cd/cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd");
    leave(f, "cd/not a name of ours");
    stop(f);
    start(f);
    g_assert_cmpuint(count_files(f), ==, 3); /* opening alone removes none */
    g_assert_true(hp_contents_remove_orphans(f->contents, NULL));
    g_assert_cmpuint(count_files(f), ==, 2);
    check(f, kept, 200000);
}

static gboolean
spoil(HpDbConn *conn, gpointer id, GError **error)
{
    return hp_db_run(conn, error, "UPDATE content SET size = size + 1 WHERE id = ?1", "i",
                     *(gint64 *)id);
}

static gboolean
point_elsewhere(HpDbConn *conn, gpointer id, GError **error)
{
    return hp_db_run(conn, error, "UPDATE content SET file = '../../x' WHERE id = ?1",
                     "i", *(gint64 *)id);
}

static void
says_when_it_is_damaged(Fixture *f, gconstpointer unused)
{
    gint64 ids[] = { store(f, 100), store(f, 200000), store(f, 200000) };
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_db_write(f->db, spoil, &ids[0], NULL));
    g_assert_true(hp_db_write(f->db, spoil, &ids[1], NULL));
    g_assert_true(hp_db_write(f->db, point_elsewhere, &ids[2], NULL));
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_assert_null(hp_content_open(f->contents, ids[i], &error));
        g_assert_error(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED);
        g_clear_error(&error);
    }
}

static void
keeps_a_reserve_free(Fixture *f, gconstpointer unused)
{
    gint64 room = hp_fs_free_bytes(f->dir_fd);

    g_assert_true(hp_contents_has_room(f->contents, 1));
    g_assert_false(hp_contents_has_room(f->contents, (guint64)room * 2));
    g_assert_false(hp_contents_has_room(f->contents, G_MAXUINT64));
}

#define CASE(path, name)                                                                 \
    g_test_add("/content/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("keeps-small-ones-in-the-database", keeps_small_ones_in_the_database);
    CASE("keeps-large-ones-in-files", keeps_large_ones_in_files);
    CASE("knows-the-digest-of-the-bytes", knows_the_digest_of_the_bytes);
    CASE("loads-no-more-than-was-asked-for", loads_no_more_than_was_asked_for);
    CASE("removes-the-file-of-a-draft-that-was-not-inserted",
         removes_the_file_of_a_draft_that_was_not_inserted);
    CASE("goes-with-its-last-reference", goes_with_its_last_reference);
    CASE("stays-readable-while-it-is-open", stays_readable_while_it_is_open);
    CASE("moves-older-ones-out-of-the-database", moves_older_ones_out_of_the_database);
    CASE("moves-nothing-that-it-cannot-read", moves_nothing_that_it_cannot_read);
    CASE("clears-away-what-a-crash-has-left", clears_away_what_a_crash_has_left);
    CASE("reports-orphans-and-deletes-none", reports_orphans_and_deletes_none);
    CASE("removes-orphans-if-asked-and-no-others",
         removes_orphans_if_asked_and_no_others);
    CASE("says-when-it-is-damaged", says_when_it_is_damaged);
    CASE("keeps-a-reserve-free", keeps_a_reserve_free);
    return g_test_run();
}
