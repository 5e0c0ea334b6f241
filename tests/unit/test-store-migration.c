#include "hp-store-private.h"
#include "store-fixture.h"

#include <glib/gstdio.h>

#define APPLICATION_ID 0x48506d6c /* "HPml" */

/* What version 1 wrote: three messages of four, the second collected and seen. */
static gboolean
fill_version_1(HpDbConn *conn, gpointer data, GError **error)
{
    static const char *const statements[] = {
        "INSERT INTO mailbox (id, name, uidvalidity, uidnext, highestmodseq)"
        " VALUES (1, 'INBOX', 1699999999, 5, 9)",
        "INSERT INTO content (sha256, size, refs, bytes) VALUES"
        " (zeroblob(32), 3, 1, x'612062'), (zeroblob(32), 4, 1, x'61206262'),"
        " (zeroblob(32), 5, 1, x'6120626262')",
        "INSERT INTO entry (mailbox, uid, content, size, flags, modseq, collected_usec,"
        " internal_usec, saved_usec, email, thread) VALUES"
        " (1, 1, 1, 3, 0, 2, 0, 5000, 5000, 1, 1),"
        " (1, 2, 2, 4, 9, 9, 7000, 6000, 6000, 2, 2),"
        " (1, 4, 3, 5, 0, 5, 0, 8000, 8000, 3, 3)",
        "INSERT INTO expunged (mailbox, modseq, uid) VALUES (1, 8, 3)",
        "INSERT INTO arrival (origin, arrived_usec) VALUES ('old', 5000)",
    };

    return hp_db_run(conn, error, statements[0], "") &&
           hp_db_run(conn, error, statements[1], "") &&
           hp_db_run(conn, error, statements[2], "") &&
           hp_db_run(conn, error, statements[3], "") &&
           hp_db_run(conn, error, statements[4], "");
}

static void
begin_with_version_1(StoreFixture *f, gconstpointer unused)
{
    const char *const migrations[] = { hp_store_migrations[0], NULL };
    static const char *const names[] = { "mail.db", "mail.db-wal", "mail.db-shm" };
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    HpDb *db;

    store_fixture_set_up(f, NULL);
    store_fixture_stop(f);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *old = g_build_filename(f->dir, names[i], NULL);

        g_remove(old);
    }
    path = g_build_filename(f->dir, "mail.db", NULL);
    db = hp_db_open(&(HpDbSpec){ path, APPLICATION_ID, migrations, "old" }, &error);
    g_assert_no_error(error);
    hp_db_write(db, fill_version_1, NULL, &error);
    g_assert_no_error(error);
    hp_db_close(db);
    store_fixture_start(f);
}

static void
keeps_what_clients_rely_on(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot =
        hp_store_snapshot(f->store, HP_STORE_INBOX, NULL);
    g_autoptr(HpStoreMailbox) inbox = hp_store_find(f->store, "INBOX", NULL);
    g_autoptr(HpView) view = hp_view_open(f->store, HP_STORE_INBOX, NULL, NULL);
    HpViewEntry entry;

    g_assert_true(hp_store_is_writable(f->store));
    g_assert_cmpuint(snapshot->uidvalidity, ==, 1699999999);
    g_assert_cmpuint(snapshot->entries->len, ==, 3);
    g_assert_cmpint(g_array_index(snapshot->entries, HpStoreEntry, 1).collected_usec, ==,
                    7000);
    g_assert_cmpuint(inbox->uidnext, ==, 5);
    g_assert_cmpuint(inbox->highestmodseq, ==, 9);
    g_assert_cmpuint(hp_view_len(view), ==, 3);
    g_assert_cmpuint(hp_view_uid(view, 3), ==, 4);
    g_assert_cmpuint(hp_view_uidvalidity(view), ==, 1699999999);
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpuint(entry.modseq, ==, 9);
    g_assert_cmpuint(entry.flags, ==, HP_STORE_SEEN | HP_STORE_DELETED);
    g_assert_cmpint(entry.internal_usec, ==, 6000);
}

static void
keeps_the_expunge_log(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GArray) vanished = hp_store_vanished(f->store, HP_STORE_INBOX, 7, NULL);
    g_autoptr(GArray) later = hp_store_vanished(f->store, HP_STORE_INBOX, 8, NULL);

    g_assert_cmpuint(vanished->len, ==, 1);
    g_assert_cmpuint(g_array_index(vanished, guint32, 0), ==, 3);
    g_assert_cmpuint(later->len, ==, 0);
}

static void
counts_what_was_there(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) inbox = hp_store_find(f->store, "INBOX", NULL);

    g_assert_cmpuint(inbox->messages, ==, 3);
    g_assert_cmpuint(inbox->unseen, ==, 2);
    g_assert_cmpuint(inbox->deleted, ==, 1);
    g_assert_cmpuint(inbox->octets, ==, 12);
    g_assert_cmpint(inbox->oldest_usec, ==, 5000);
    g_assert_true(inbox->subscribed);
}

static void
adds_the_usual_mailboxes(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) trash = hp_store_find(f->store, "Trash", NULL);
    g_autoptr(HpStoreMailbox) made = NULL;
    gint64 id;

    g_assert_nonnull(trash);
    g_assert_cmpstr(trash->special_use, ==, "\\Trash");
    g_assert_true(trash->subscribed);
    g_assert_cmpuint(trash->uidvalidity, >, 1699999999);
    f->now_usec = 0;
    g_assert_true(hp_store_create(f->store, "new", NULL, &id, NULL));
    made = hp_store_find(f->store, "new", NULL);
    g_assert_cmpuint(made->uidvalidity, >, trash->uidvalidity + 1); /* Junk, Archive */
}

static void
computes_summaries_when_they_are_asked_for(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GBytes) header = NULL;

    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM summary"), ==, 0);
    header = hp_store_header(f->store, 1, NULL);
    g_assert_nonnull(header);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM summary"), ==, 1);
}

static void
keeps_a_copy_of_the_old_one(StoreFixture *f, gconstpointer unused)
{
    g_autofree char *copy = g_build_filename(f->dir, "mail.db.v1", NULL);

    g_assert_true(g_file_test(copy, G_FILE_TEST_IS_REGULAR));
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-migration/" path, StoreFixture, NULL, begin_with_version_1, name, \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("keeps-what-clients-rely-on", keeps_what_clients_rely_on);
    CASE("keeps-the-expunge-log", keeps_the_expunge_log);
    CASE("counts-what-was-there", counts_what_was_there);
    CASE("adds-the-usual-mailboxes", adds_the_usual_mailboxes);
    CASE("computes-summaries-when-they-are-asked-for",
         computes_summaries_when_they_are_asked_for);
    CASE("keeps-a-copy-of-the-old-one", keeps_a_copy_of_the_old_one);
    return g_test_run();
}
