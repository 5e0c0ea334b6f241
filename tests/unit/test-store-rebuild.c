#include "hp-store-check.h"

#include "store-fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define INBOX HP_STORE_INBOX

/* The power fails after so many names have been given; -1: never. */
static int renames_left = -1; /* nocheck: rename() has no argument for it */

/* In place of the C library's. NOLINTBEGIN(bugprone-easily-swappable-parameters) */
int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renames_left == 0)
        _exit(1);
    renames_left -= renames_left > 0;
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int
rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
/* NOLINTEND(bugprone-easily-swappable-parameters) */

/* Cuts the database at half its length. */
static void
damage(StoreFixture *f)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    struct stat info;

    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(truncate(path, info.st_size / 2 / 4096 * 4096), ==, 0);
}

static void
rebuild(StoreFixture *f, HpStoreReport *report)
{
    HpStorePlace place = { f->dir, f->dir_fd, &f->clock };
    g_autoptr(GError) error = NULL;

    hp_store_rebuild(&place, report, &error);
    g_assert_no_error(error);
    store_fixture_start(f);
    g_assert_true(hp_store_is_writable(f->store));
}

static void
makes_a_damaged_database_anew(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    g_autoptr(HpStoreMailbox) before = hp_store_find(f->store, "INBOX", NULL);
    g_autoptr(HpStoreMailbox) after = NULL;
    g_autoptr(HpView) view = NULL;
    g_autoptr(GDir) dir = NULL;
    gboolean kept = FALSE;
    const char *name;

    store_fill(f, INBOX, 3000);
    store_append(f, store_mailbox_id(f, "Sent"), "sent", HP_STORE_SEEN, "word");
    while (hp_store_upkeep(f->store)) /* with it a snapshot */
        continue;
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 17 }, 1, NULL));
    store_append(f, INBOX, "after the snapshot", 0, NULL);
    store_fixture_stop(f);
    damage(f);
    rebuild(f, &report);
    after = hp_store_find(f->store, "INBOX", NULL);
    g_assert_cmpuint(after->uidvalidity, ==, before->uidvalidity);
    g_assert_cmpuint(after->uidnext, >, 3002);
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_cmpuint(hp_view_seq(view, 1), ==, 1);
    g_assert_cmpuint(hp_view_seq(view, 3000), !=, 0);
    g_assert_cmpuint(store_append(f, INBOX, "new", 0, NULL), >, 3002);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry WHERE keywords = 'word'"),
                    ==, 1);
    dir = g_dir_open(f->dir, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL)
        kept |= g_str_has_prefix(name, "mail.db.damaged-");
    g_assert_true(kept); /* nothing is deleted */
}

/* Half of the messages is in the half that is left, whatever the snapshot. */
static void
reads_what_is_left_without_a_snapshot(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    g_autoptr(HpStoreMailbox) inbox = NULL;

    for (guint i = 0; i < 40; i++) {
        g_autofree char *text = g_strnfill(20000 + i, 'x');

        store_append(f, INBOX, text, 0, NULL);
    }
    store_fixture_stop(f);
    damage(f);
    rebuild(f, &report);
    inbox = hp_store_find(f->store, "INBOX", NULL);
    g_assert_cmpuint(inbox->messages, >=, 20);
}

static void
falls_back_to_the_snapshot(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    g_autoptr(HpView) view = NULL;

    store_fill(f, INBOX, 10);
    hp_store_upkeep(f->store);
    store_fixture_stop(f);
    g_assert_true(g_file_set_contents(path, "not a database", -1, NULL));
    rebuild(f, &report);
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_cmpuint(hp_view_len(view), ==, 10);
}

static void
write_file(const char *path, const char *bytes, gsize len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint(write(fd, bytes, len), ==, (gssize)len);
    close(fd);
}

/* Makes the first page of table @name unreadable. */
static void
damage_table(StoreFixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    g_autofree char *sql =
        g_strdup_printf("SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
    gint64 page = store_ask(f, sql);
    char bytes[4096];
    int fd = open(path, O_WRONLY);

    memset(bytes, 0xa5, sizeof bytes);
    g_assert_cmpint(pwrite(fd, bytes, sizeof bytes, (page - 1) * 4096), ==, 4096);
    close(fd);
}

/* Starts to make mail.db anew, and dies before name number @renames is given. %TRUE if it
 * came to its end before that. */
static gboolean
rebuild_until(StoreFixture *f, int renames)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        HpStorePlace place = { f->dir, f->dir_fd, &f->clock };
        g_auto(HpStoreReport) report = { 0 };

        renames_left = renames;
        _exit(hp_store_rebuild(&place, &report, NULL) ? 0 : 2);
    }
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

/* The messages in INBOX; the numbers of those to come are at least @number. */
static void
check_inbox(StoreFixture *f, guint messages, guint64 number)
{
    g_autoptr(HpStoreMailbox) inbox = hp_store_find(f->store, "INBOX", NULL);

    g_assert_nonnull(inbox);
    g_assert_cmpuint(inbox->messages, ==, messages);
    g_assert_cmpuint(inbox->uidnext, >=, number);
    g_assert_cmpuint(inbox->highestmodseq, >=, number);
}

static void
goes_on_where_the_power_failed(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    g_autofree char *damaged = NULL;
    gboolean done = FALSE;
    gsize len = 0;

    store_fill(f, INBOX, 10);
    hp_store_upkeep(f->store);
    store_fixture_stop(f);
    damage_table(f, "content");
    g_assert_true(g_file_get_contents(path, &damaged, &len, NULL));
    for (int renames = 0; !done; renames++) {
        g_auto(HpStoreReport) report = { 0 };

        /* Not g_file_set_contents(): it renames. */
        write_file(path, damaged, len);
        done = rebuild_until(f, renames);
        g_test_message("%d names given", renames);
        store_fixture_start(f);
        check_inbox(f, 10, 2);
        store_fixture_stop(f);
        rebuild(f, &report);
        check_inbox(f, 10, 1 << 20);
        store_fixture_stop(f);
    }
}

/* The bytes of messages expunged since the snapshot come out of it, and must go again. */
static void
does_not_take_what_was_deleted_from_the_snapshot(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    gint64 sent = store_mailbox_id(f, "Sent");
    g_autoptr(GArray) moved = NULL;

    store_fill(f, INBOX, 10);
    store_append(f, store_mailbox_id(f, "Junk"), "in a mailbox that goes", 0, NULL);
    hp_store_upkeep(f->store);
    g_assert_true(
        hp_store_copy(f->store, INBOX, (guint32[]){ 4 }, 1, sent, TRUE, &moved, NULL));
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1, 2, 3 }, 3, NULL));
    g_assert_true(hp_store_delete(f->store, "Junk", NULL));
    hp_store_upkeep(f->store);
    store_fixture_stop(f);
    damage_table(f, "content");
    rebuild(f, &report);
    g_assert_cmpuint(report.ret_recovered, ==, 0);
    g_assert_cmpuint(report.ret_problems, ==, 0);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 7);
}

/* Entries come back with it as well, and go by the log of what was expunged. */
static void
knows_what_was_deleted_when_entries_are_lost(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };

    store_fill(f, INBOX, 10);
    hp_store_upkeep(f->store);
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1, 2, 3 }, 3, NULL));
    hp_store_upkeep(f->store);
    store_fixture_stop(f);
    damage_table(f, "content");
    damage_table(f, "entry");
    rebuild(f, &report);
    g_assert_cmpuint(report.ret_recovered, ==, 0);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry"), ==, 7);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 7);
}

/* An id of a content is the EMAILID of a message (RFC 8474 §5.1: never another's). */
static void
never_gives_an_id_again(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    gint64 box;

    store_fill(f, INBOX, 10);
    g_assert_true(hp_store_expunge(
        f->store, INBOX, (guint32[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 10, NULL));
    hp_store_upkeep(f->store);
    for (guint i = 0; i < 2; i++) {
        store_fixture_stop(f);
        damage_table(f, "summary");
        rebuild(f, &report);
    }
    store_append(f, INBOX, "new", 0, NULL);
    g_assert_cmpint(store_ask(f, "SELECT max(content) FROM entry"), >, 2 << 20);
    g_assert_true(hp_store_create(f->store, "box", NULL, &box, NULL));
    g_assert_cmpint(box, >, 2 << 20);
}

static void
leaves_a_whole_database_alone(StoreFixture *f, gconstpointer unused)
{
    g_auto(HpStoreReport) report = { 0 };
    g_autoptr(HpStoreMailbox) after = NULL;

    store_fill(f, INBOX, 10);
    store_fixture_stop(f);
    rebuild(f, &report);
    after = hp_store_find(f->store, "INBOX", NULL);
    g_assert_cmpuint(after->uidnext, ==, 11);
    g_assert_cmpuint(report.ret_problems, ==, 0);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-rebuild/" path, StoreFixture, NULL, store_fixture_set_up, name,   \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("makes-a-damaged-database-anew", makes_a_damaged_database_anew);
    CASE("reads-what-is-left-without-a-snapshot", reads_what_is_left_without_a_snapshot);
    CASE("falls-back-to-the-snapshot", falls_back_to_the_snapshot);
    CASE("leaves-a-whole-database-alone", leaves_a_whole_database_alone);
    CASE("goes-on-where-the-power-failed", goes_on_where_the_power_failed);
    CASE("does-not-take-what-was-deleted-from-the-snapshot",
         does_not_take_what_was_deleted_from_the_snapshot);
    CASE("knows-what-was-deleted-when-entries-are-lost",
         knows_what_was_deleted_when_entries_are_lost);
    CASE("never-gives-an-id-again", never_gives_an_id_again);
    return g_test_run();
}
