#include "hp-store-check.h"

#include "store-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_USEC ((gint64)24 * 3600 * G_USEC_PER_SEC)
#define INBOX    HP_STORE_INBOX

static char *
large_text(char of)
{
    char *text = g_strnfill(200000, of);

    memcpy(text, "Subject: l\r\n\r\n", 14);
    return text;
}

static void
append_large(StoreFixture *f, char of)
{
    g_autofree char *text = large_text(of);

    store_append(f, INBOX, text, 0, NULL);
}

/* The path of the only file in messages/. */
static char *
find_file(StoreFixture *f)
{
    for (guint i = 0; i < 256; i++) {
        g_autofree char *folder = g_strdup_printf("%s/messages/%02x", f->dir, i);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        const char *name = dir != NULL ? g_dir_read_name(dir) : NULL;

        if (name != NULL)
            return g_build_filename(folder, name, NULL);
    }
    g_assert_not_reached();
}

static guint64
count_problems(StoreFixture *f, gboolean full, const char *named)
{
    g_auto(HpStoreReport) report = { .full = full };
    gboolean found = named == NULL;

    hp_store_check(f->store, &report);
    for (guint i = 0; i < report.ret_texts->len; i++)
        found |= named != NULL && strstr(report.ret_texts->pdata[i], named) != NULL;
    g_assert_true(found);
    return report.ret_problems;
}

static void
finds_nothing_where_all_is_well(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { .full = TRUE };

    store_fill(f, INBOX, 300);
    append_large(f, 'x');
    hp_store_check(f->store, &report);
    g_assert_cmpuint(report.ret_problems, ==, 0);
    g_assert_cmpuint(report.ret_messages, ==, 301);
}

/* What was not looked at is no finding. */
static void
ends_when_it_is_cancelled(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_auto(HpStoreReport) report = { .full = TRUE, .cancel = cancel };

    store_fill(f, INBOX, 300);
    g_cancellable_cancel(cancel);
    hp_store_check(f->store, &report);
    g_assert_cmpuint(report.ret_problems, ==, 0);
    g_assert_cmpuint(report.ret_messages, ==, 0);
}

static void
names_what_is_lost(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *file = NULL;

    store_append(f, INBOX, "small", 0, NULL);
    append_large(f, 'x');
    file = find_file(f);
    g_remove(file);
    g_assert_cmpuint(count_problems(f, FALSE, "INBOX, message 2"), ==, 1);
}

static void
finds_changed_bytes_when_it_reads_all(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *file = NULL;
    int fd;

    append_large(f, 'x');
    file = find_file(f);
    fd = open(file, O_WRONLY);
    g_assert_cmpint(pwrite(fd, "y", 1, 100000), ==, 1);
    close(fd);
    g_assert_cmpuint(count_problems(f, FALSE, NULL), ==, 0);
    g_assert_cmpuint(count_problems(f, TRUE, "INBOX, message 1"), ==, 1);
}

static void
repairs_counts(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };

    store_fill(f, INBOX, 3);
    store_fixture_stop(f);
    store_ask(f, "UPDATE mailbox SET unseen = 7, uidnext = 2 WHERE id = 1 RETURNING 1");
    store_fixture_start(f);
    g_assert_cmpuint(count_problems(f, FALSE, "INBOX"), ==, 1);
    g_assert_true(hp_store_repair(f->store, &report, NULL));
    g_assert_cmpuint(report.ret_problems, ==, 0);
    g_assert_cmpint(store_ask(f, "SELECT unseen FROM mailbox WHERE id = 1"), ==, 3);
    g_assert_cmpint(store_ask(f, "SELECT uidnext FROM mailbox WHERE id = 1"), ==, 4);
}

static void
recovers_what_no_mailbox_names(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    g_autoptr(HpStoreMailbox) recovered = NULL;
    g_autofree char *file = NULL;
    struct timespec past[2] = { { 1, 0 }, { 1, 0 } };

    store_append(f, INBOX, "small", 0, NULL);
    append_large(f, 'x');
    file = find_file(f);
    store_fixture_stop(f);
    g_usleep(1100000); /* a file of an earlier second */
    utimensat(AT_FDCWD, file, past, 0);
    store_ask(f, "DELETE FROM entry RETURNING 1");
    store_ask(f, "DELETE FROM content WHERE file IS NOT NULL RETURNING 1");
    g_usleep(1100000);
    store_fixture_start(f);
    g_assert_cmpuint(count_problems(f, FALSE, "belongs to no message"), >=, 1);
    g_assert_true(hp_store_repair(f->store, &report, NULL));
    g_assert_cmpuint(report.ret_recovered, ==, 2);
    g_assert_cmpuint(report.ret_problems, ==, 0);
    recovered = hp_store_find(f->store, HP_STORE_RECOVERED, NULL);
    g_assert_cmpuint(recovered->messages, ==, 2);
    g_assert_true(recovered->subscribed);
    g_assert_true(hp_store_repair(f->store, &report, NULL));
    g_assert_cmpuint(store_ask(f, "SELECT count(*) FROM entry"), ==, 2); /* once */
}

static void
does_not_bring_back_what_was_deleted(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };

    append_large(f, 'x');
    store_append(f, INBOX, "small", 0, NULL);
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1, 2 }, 2, NULL));
    g_assert_true(hp_store_repair(f->store, &report, NULL));
    g_assert_cmpuint(report.ret_recovered, ==, 0);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry"), ==, 0);
}

static guint
count_snapshots(StoreFixture *f)
{
    g_autofree char *folder = g_build_filename(f->dir, "snapshots", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (dir != NULL && g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void
keeps_a_snapshot_of_each_of_seven_days(StoreFixture *f, gconstpointer unused)
{
    store_fill(f, INBOX, 3);
    hp_store_upkeep(f->store);
    g_assert_cmpuint(count_snapshots(f), ==, 1);
    hp_store_upkeep(f->store);
    g_assert_cmpuint(count_snapshots(f), ==, 1);
    for (guint i = 0; i < 10; i++) {
        f->now_usec += DAY_USEC;
        hp_store_upkeep(f->store);
    }
    g_assert_cmpuint(count_snapshots(f), ==, 7);
}

/* Whoever does it looks between the steps whether the program is to end. */
static void
does_a_long_upkeep_in_steps(StoreFixture *f, gconstpointer unused)
{
    static const char moved[] = "SELECT count(*) FROM content WHERE file IS NOT NULL";

    store_fill(f, INBOX, 1024 + 256 + 5);
    g_assert_true(hp_store_upkeep(f->store));
    g_assert_cmpint(store_ask(f, moved), ==, 256);
    while (hp_store_upkeep(f->store))
        continue;
    g_assert_cmpint(store_ask(f, moved), ==, 256 + 5);
}

typedef struct {
    gsize page;
    char *name; /* (owned) */
} Root;

static void
clear_root(gpointer root)
{
    g_free(((Root *)root)->name);
}

/* The first page of each table and index. */
static GArray *
list_roots(const char *path)
{
    GArray *roots = g_array_new(FALSE, FALSE, sizeof(Root));
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    g_array_set_clear_func(roots, clear_root);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT rootpage, name FROM sqlite_schema WHERE rootpage > 0",
                       -1, &stmt, NULL);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        Root root = { (gsize)sqlite3_column_int64(stmt, 0),
                      g_strdup((const char *)sqlite3_column_text(stmt, 1)) };

        g_array_append_val(roots, root);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return roots;
}

static void
read_all(StoreFixture *f, const char *damaged)
{
    g_autoptr(GPtrArray) mailboxes = hp_store_list(f->store, NULL);
    g_autoptr(HpView) view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_auto(GStrv) subscriptions = hp_store_subscriptions(f->store, NULL);
    g_autoptr(HpStoreMailbox) sent = hp_store_find(f->store, "Sent", NULL);

    g_test_message("%s", damaged);
    g_assert_nonnull(mailboxes);
    g_assert_cmpuint(mailboxes->len, ==, 6);
    g_assert_nonnull(view);
    g_assert_cmpuint(hp_view_len(view), ==, 10);
    g_assert_cmpuint(g_strv_length(subscriptions), ==, 6);
    g_assert_nonnull(sent);
    g_assert_cmpint(sent->id, >, INBOX);
}

/* Without these two nothing is known of any message. */
static void
opens_for_reading_whatever_else_is_damaged(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    g_autofree char *whole = NULL;
    g_autoptr(GArray) roots = NULL;
    gsize len = 0;

    store_fill(f, INBOX, 10);
    store_fixture_stop(f);
    roots = list_roots(path);
    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    g_assert_cmpuint(roots->len, >, 10);
    for (guint i = 0; i < roots->len; i++) {
        const Root *root = &g_array_index(roots, Root, i);
        g_autofree char *bytes = g_memdup2(whole, len);

        if (g_str_equal(root->name, "entry") || g_str_equal(root->name, "mailbox"))
            continue;
        memset(bytes + (root->page - 1) * 4096, 0xa5, 4096);
        g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
        store_fixture_start(f);
        read_all(f, root->name);
        store_fixture_stop(f);
    }
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-check/" path, StoreFixture, NULL, store_fixture_set_up, name,     \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("finds-nothing-where-all-is-well", finds_nothing_where_all_is_well);
    CASE("ends-when-it-is-cancelled", ends_when_it_is_cancelled);
    CASE("names-what-is-lost", names_what_is_lost);
    CASE("finds-changed-bytes-when-it-reads-all", finds_changed_bytes_when_it_reads_all);
    CASE("repairs-counts", repairs_counts);
    CASE("recovers-what-no-mailbox-names", recovers_what_no_mailbox_names);
    CASE("does-not-bring-back-what-was-deleted", does_not_bring_back_what_was_deleted);
    CASE("keeps-a-snapshot-of-each-of-seven-days",
         keeps_a_snapshot_of_each_of_seven_days);
    CASE("does-a-long-upkeep-in-steps", does_a_long_upkeep_in_steps);
    CASE("opens-for-reading-whatever-else-is-damaged",
         opens_for_reading_whatever_else_is_damaged);
    return g_test_run();
}
