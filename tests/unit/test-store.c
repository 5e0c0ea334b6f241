#include "hp-store-messages.h"

#include "hp-fs.h"
#include "hp-thread.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_USEC   ((gint64)24 * 3600 * G_USEC_PER_SEC)
#define START_USEC ((gint64)1700000000 * G_USEC_PER_SEC)

typedef struct {
    char *dir; /* (owned) */
    int dir_fd;
    HpStore *store; /* (owned) (nullable) */
    gint64 now_usec;
    HpClock clock;
    gint changes; /* atomic */
} Fixture;

static gint64
tell_time(gpointer now, HpClockKind kind)
{
    return *(gint64 *)now;
}

static void
note_change(gpointer data)
{
    g_atomic_int_inc(&((Fixture *)data)->changes);
}

static void
start(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    f->store = hp_store_open(f->dir, f->dir_fd, &f->clock, &error);
    g_assert_no_error(error);
    hp_store_set_changed(f->store, note_change, f);
}

static void
stop(Fixture *f)
{
    hp_store_close(f->store);
    f->store = NULL;
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("hp-store-XXXXXX", NULL);
    f->dir_fd = hp_fs_open_private_dir(f->dir, NULL);
    f->now_usec = START_USEC;
    f->clock = (HpClock){ tell_time, &f->now_usec };
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
    if (f->store != NULL)
        stop(f);
    close(f->dir_fd);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(f->dir);
}

/* A message of the queue. */
static gssize
read_bytes(gpointer bytes, guint64 offset, char *buffer, size_t size, GError **error)
{
    HpSlice all = hp_slice_of_bytes(bytes);
    size_t n = MIN(MIN(size, 7000), all.len - (size_t)offset);

    if (n > 0)
        memcpy(buffer, all.data + offset, n);
    return (gssize)n;
}

static GBytes *
message(size_t len)
{
    char *bytes = g_malloc(len + 1);

    for (size_t i = 0; i < len; i++) /* every byte value, bare CR, LF and NUL too */
        bytes[i] = (char)(i * 7 + i / 256);
    return g_bytes_new_take(bytes, len);
}

static gboolean
hand_over(Fixture *f, const char *origin, size_t len, GError **error)
{
    g_autoptr(GBytes) bytes = message(len);
    HpInbox inbox = hp_store_inbox(f->store);

    return inbox.deliver(inbox.self, origin, len, bytes, read_bytes, error);
}

static void
deliver(Fixture *f, const char *origin, size_t len)
{
    g_autoptr(GError) error = NULL;

    hand_over(f, origin, len, &error);
    g_assert_no_error(error);
}

static HpStoreSnapshot *
look(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    HpStoreSnapshot *snapshot = hp_store_snapshot(f->store, HP_STORE_INBOX, &error);

    g_assert_no_error(error);
    return snapshot;
}

static HpStoreEntry
entry_at(const HpStoreSnapshot *snapshot, guint i)
{
    g_assert_cmpuint(i, <, snapshot->entries->len);
    return g_array_index(snapshot->entries, HpStoreEntry, i);
}

static void
check_bytes(Fixture *f, HpStoreEntry entry, size_t len)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpContent) content = hp_store_open_content(f->store, &entry, &error);
    g_autoptr(GBytes) wanted = message(len);
    g_autoptr(GBytes) found = NULL;

    g_assert_no_error(error);
    found = hp_content_load(content, len + 1, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(wanted, found));
}

static guint
count_files(Fixture *f)
{
    guint n = 0;

    for (guint i = 0; i < 256; i++) {
        g_autofree char *folder = g_strdup_printf("%s/messages/%02x", f->dir, i);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

        while (dir != NULL && g_dir_read_name(dir) != NULL)
            n++;
    }
    return n;
}

static void
begins_with_an_empty_inbox(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = look(f);
    g_autoptr(GPtrArray) list = hp_store_list(f->store, NULL);
    const HpStoreMailbox *inbox;

    g_assert_cmpuint(snapshot->uidvalidity, ==, START_USEC / G_USEC_PER_SEC);
    g_assert_cmpuint(snapshot->entries->len, ==, 0);
    g_assert_cmpuint(list->len, ==, 6);
    inbox = list->pdata[0];
    g_assert_cmpint(inbox->id, ==, HP_STORE_INBOX);
    g_assert_cmpstr(inbox->name, ==, "INBOX");
    g_assert_cmpuint(inbox->messages, ==, 0);
    g_assert_cmpint(inbox->oldest_usec, ==, 0);
}

static void
has_a_uidvalidity_without_a_clock(Fixture *f, gconstpointer unused)
{
    g_autofree char *dir = g_build_filename(f->dir, "other", NULL);
    hp_autofd fd = hp_fs_open_private_dir(dir, NULL);
    g_autoptr(HpStore) store = NULL;
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    f->now_usec = 0;
    store = hp_store_open(dir, fd, &f->clock, NULL);
    snapshot = hp_store_snapshot(store, HP_STORE_INBOX, NULL);
    g_assert_cmpuint(snapshot->uidvalidity, ==, 1);
}

static void
keeps_its_uidvalidity(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    f->now_usec += DAY_USEC;
    stop(f);
    start(f);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->uidvalidity, ==, START_USEC / G_USEC_PER_SEC);
}

static void
stores_what_is_delivered_byte_for_byte(Fixture *f, gconstpointer unused)
{
    static const size_t sizes[] = {
        0, 1, 4096, HP_CONTENT_INLINE_MAX, HP_CONTENT_INLINE_MAX + 1, 1000000
    };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    guint64 octets = 0;

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *origin = g_strdup_printf("ABC%u", i);

        deliver(f, origin, sizes[i]);
        octets += sizes[i];
    }
    stop(f);
    start(f);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, G_N_ELEMENTS(sizes));
    g_assert_cmpuint(snapshot->octets, ==, octets);
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        HpStoreEntry entry = entry_at(snapshot, i);

        g_assert_cmpuint(entry.uid, ==, i + 1);
        g_assert_cmpuint(entry.size, ==, sizes[i]);
        g_assert_cmpuint(entry.flags, ==, 0);
        check_bytes(f, entry, sizes[i]);
    }
    g_assert_cmpuint(count_files(f), ==, 2);
    g_assert_cmpint(g_atomic_int_get(&f->changes), ==, G_N_ELEMENTS(sizes));
}

static void
takes_the_same_hand_over_once(Fixture *f, gconstpointer unused)
{
    static const guint32 first[] = { 1 };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    deliver(f, "ABC123", 200000);
    deliver(f, "ABC123", 200000);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 1);
    g_assert_cmpuint(count_files(f), ==, 1);

    /* Also when the user has deleted it meanwhile. */
    g_assert_true(hp_store_expunge(f->store, HP_STORE_INBOX, first, 1, NULL));
    stop(f);
    start(f);
    deliver(f, "ABC123", 200000);
    g_clear_pointer(&snapshot, hp_store_snapshot_free);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 0);
}

static void
refuses_a_hand_over_that_is_too_short(Fixture *f, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = message(100);
    HpInbox inbox = hp_store_inbox(f->store);
    g_autoptr(GError) error = NULL;
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    g_assert_false(inbox.deliver(inbox.self, "ABC", 101, bytes, read_bytes, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_FAILED);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 0);
    g_assert_true(inbox.deliver(inbox.self, "ABC", 100, bytes, read_bytes, NULL));
}

static void
never_uses_a_uid_twice(Fixture *f, gconstpointer unused)
{
    static const guint32 both[] = { 2, 1, 77 };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autoptr(GError) error = NULL;

    deliver(f, "A", 10);
    deliver(f, "B", 10);
    g_assert_true(hp_store_expunge(f->store, HP_STORE_INBOX, both, 3, &error));
    g_assert_no_error(error);
    stop(f);
    start(f);
    deliver(f, "C", 10);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 1);
    g_assert_cmpuint(entry_at(snapshot, 0).uid, ==, 3);
}

static void
expunges_rows_first_and_files_later(Fixture *f, gconstpointer unused)
{
    static const guint32 first[] = { 1 };
    g_autoptr(HpStoreSnapshot) before = NULL;
    g_autoptr(HpStoreSnapshot) after = NULL;
    HpStoreEntry gone;
    g_autoptr(GError) error = NULL;

    deliver(f, "A", 200000);
    deliver(f, "B", 300000);
    before = look(f);
    gone = entry_at(before, 0);
    g_assert_true(hp_store_expunge(f->store, HP_STORE_INBOX, first, 1, NULL));
    g_assert_cmpuint(count_files(f), ==, 2);
    hp_store_upkeep(f->store);
    g_assert_null(hp_store_open_content(f->store, &gone, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
    g_assert_cmpuint(count_files(f), ==, 1);
    after = look(f);
    g_assert_cmpuint(after->entries->len, ==, 1);
    check_bytes(f, entry_at(after, 0), 300000);
}

static gint64
ask(Fixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    gint64 number;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(stmt), ==, SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

static void
remembers_what_was_expunged(Fixture *f, gconstpointer unused)
{
    static const guint32 both[] = { 1, 2 };

    deliver(f, "A", 10);
    deliver(f, "B", 11);
    deliver(f, "C", 12);
    g_assert_true(hp_store_expunge(f->store, HP_STORE_INBOX, both, 2, NULL));
    g_assert_cmpint(ask(f, "SELECT count(*) FROM expunged WHERE mailbox = 1"
                           " AND modseq > (SELECT max(modseq) FROM entry)"),
                    ==, 2);
    g_assert_cmpint(ask(f, "SELECT highestmodseq = (SELECT max(modseq) FROM expunged)"
                           " FROM mailbox WHERE id = 1"),
                    ==, 1);
    hp_store_upkeep(f->store);
    g_assert_cmpint(ask(f, "SELECT count(*) FROM content"), ==, 1);
    g_assert_cmpint(ask(f, "SELECT count(*) FROM summary"), ==, 1);
    g_assert_cmpint(ask(f, "SELECT count(*) FROM dropped"), ==, 0);
}

static void
says_when_there_is_no_such_mailbox(Fixture *f, gconstpointer unused)
{
    static const guint32 first[] = { 1 };
    g_autoptr(GError) error = NULL;

    g_assert_null(hp_store_snapshot(f->store, 99, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(hp_store_expunge(f->store, 99, first, 1, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
}

static void
remembers_the_first_collection(Fixture *f, gconstpointer unused)
{
    static const guint32 uids[] = { 1, 2 };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    deliver(f, "A", 10);
    deliver(f, "B", 10);
    deliver(f, "C", 10);
    f->now_usec += DAY_USEC;
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 1, NULL));
    f->now_usec += DAY_USEC;
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 2, NULL));
    snapshot = look(f);
    g_assert_cmpint(entry_at(snapshot, 0).collected_usec, ==, START_USEC + DAY_USEC);
    g_assert_cmpint(entry_at(snapshot, 1).collected_usec, ==, START_USEC + 2 * DAY_USEC);
    g_assert_cmpint(entry_at(snapshot, 2).collected_usec, ==, 0);
    g_assert_cmpuint(entry_at(snapshot, 0).flags, ==, HP_STORE_SEEN);
    g_assert_cmpuint(entry_at(snapshot, 2).flags, ==, 0);
}

static void
removes_collected_mail_when_it_is_due(Fixture *f, gconstpointer unused)
{
    static const guint32 uids[] = { 1, 2 };
    HpStoreCleanup cleanup = { .retention.pop3_sec = 30 * 24 * 3600 };
    const HpStoreRetention none = { 0 };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    deliver(f, "A", 100);
    deliver(f, "B", 200);
    deliver(f, "C", 300);
    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &cleanup.retention), ==,
                    G_MAXINT64);
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 2, NULL));
    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &cleanup.retention), ==,
                    START_USEC + 30 * DAY_USEC);
    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &none), ==, G_MAXINT64);

    f->now_usec = START_USEC + 30 * DAY_USEC - 1;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 0); /* not before */

    f->now_usec = START_USEC + 30 * DAY_USEC;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, TRUE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 2);
    g_assert_cmpuint(cleanup.ret_octets, ==, 300);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 3); /* only counted */

    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 2);
    g_clear_pointer(&snapshot, hp_store_snapshot_free);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 1);
    g_assert_cmpuint(entry_at(snapshot, 0).uid, ==, 3); /* never collected */
}

static guint32
append_to(Fixture *f, gint64 mailbox, const char *text)
{
    g_autoptr(HpContentDraft) draft = hp_store_draft(f->store);
    HpStoreAppend append = { .draft = draft };
    g_autoptr(GArray) uids = NULL;

    hp_content_draft_append(draft, hp_slice_of(text), NULL);
    hp_content_draft_finish(draft, NULL);
    g_assert_true(hp_store_append(f->store, mailbox, &append, 1, &uids, NULL));
    return g_array_index(uids, guint32, 0);
}

static void
empties_trash_and_junk_when_due(Fixture *f, gconstpointer unused)
{
    HpStoreCleanup cleanup = { .retention = { .trash_sec = 30 * 24 * 3600,
                                              .junk_sec = 10 * 24 * 3600 } };
    g_autoptr(HpStoreMailbox) trash = hp_store_find(f->store, "Trash", NULL);
    g_autoptr(HpStoreMailbox) junk = hp_store_find(f->store, "Junk", NULL);
    g_autoptr(HpStoreMailbox) later = NULL;
    g_autoptr(GArray) moved = NULL;
    guint32 uid;

    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &cleanup.retention), ==,
                    G_MAXINT64);
    uid = append_to(f, HP_STORE_INBOX, "old");
    f->now_usec += 100 * DAY_USEC; /* the time in Trash counts, not its age */
    g_assert_true(
        hp_store_copy(f->store, HP_STORE_INBOX, &uid, 1, trash->id, TRUE, &moved, NULL));
    append_to(f, junk->id, "junk");
    g_assert_cmpint(hp_store_next_cleanup_usec(f->store, &cleanup.retention), ==,
                    f->now_usec + 10 * DAY_USEC);
    f->now_usec += 29 * DAY_USEC;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 1);
    f->now_usec += DAY_USEC;
    append_to(f, trash->id, "new");
    g_assert_true(hp_store_cleanup(f->store, &cleanup, TRUE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 1);
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    later = hp_store_find(f->store, "Trash", NULL);
    g_assert_cmpuint(later->messages, ==, 1);
}

/* In the database, its log, and all files. */
static gboolean
is_found(const char *path, const char *text)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autofree char *bytes = NULL;
    const char *name;
    gsize len;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (is_found(below, text))
            return TRUE;
    }
    return dir == NULL && g_file_get_contents(path, &bytes, &len, NULL) &&
           memmem(bytes, len, text, strlen(text)) != NULL;
}

static void
leaves_no_trace_of_deleted_mail(Fixture *f, gconstpointer unused)
{
    static const char secret[] = "Subject: unforgettable\r\n\r\nunmistakable\r\n";
    g_autoptr(GString) large = g_string_new(secret);
    guint32 uids[3];

    for (guint i = 0; i < 50; i++) {
        g_autofree char *text = g_strdup_printf("Subject: %u\r\n\r\nother\r\n", i);

        append_to(f, HP_STORE_INBOX, text);
    }
    while (large->len < 200000)
        g_string_append(large, "unmistakable\r\n");
    uids[0] = append_to(f, HP_STORE_INBOX, secret);
    uids[1] = append_to(f, HP_STORE_INBOX, large->str);
    g_string_truncate(large, 50000);
    uids[2] = append_to(f, HP_STORE_INBOX, large->str);
    g_assert_true(is_found(f->dir, "unmistakable"));
    g_assert_true(is_found(f->dir, "unforgettable"));
    g_assert_true(hp_store_expunge(f->store, HP_STORE_INBOX, uids, 3, NULL));
    hp_store_upkeep(f->store);
    g_assert_false(is_found(f->dir, "unmistakable"));
    g_assert_false(is_found(f->dir, "unforgettable"));
}

static void
removes_nothing_without_a_retention(Fixture *f, gconstpointer unused)
{
    static const guint32 uids[] = { 1 };
    HpStoreCleanup cleanup = { .retention.pop3_sec = 0 };
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    deliver(f, "A", 100);
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 1, NULL));
    f->now_usec += 10000 * DAY_USEC;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 1);
}

static void
does_not_believe_a_clock_that_stood_still(Fixture *f, gconstpointer unused)
{
    static const guint32 uids[] = { 1 };
    HpStoreCleanup cleanup = { .retention.pop3_sec = 24 * 3600 };

    deliver(f, "A", 100);
    f->now_usec = 0; /* an empty battery: collected in 1970 */
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 1, NULL));
    f->now_usec = START_USEC + DAY_USEC / 2;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    g_assert_cmpuint(cleanup.ret_messages, ==, 0);
}

static void
counts_what_a_mailbox_holds(Fixture *f, gconstpointer unused)
{
    static const guint32 uids[] = { 1 };
    g_autoptr(GPtrArray) list = NULL;
    const HpStoreMailbox *inbox;

    deliver(f, "A", 100);
    f->now_usec += DAY_USEC;
    deliver(f, "B", 200);
    g_assert_true(hp_store_mark_collected(f->store, HP_STORE_INBOX, uids, 1, NULL));
    list = hp_store_list(f->store, NULL);
    inbox = list->pdata[0];
    g_assert_cmpuint(inbox->messages, ==, 2);
    g_assert_cmpuint(inbox->unseen, ==, 1);
    g_assert_cmpuint(inbox->octets, ==, 300);
    g_assert_cmpint(inbox->oldest_usec, ==, START_USEC);
}

static void
moves_old_mail_into_files(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = NULL;

    for (guint i = 0; i < 1030; i++) {
        g_autofree char *origin = g_strdup_printf("%u", i);

        deliver(f, origin, 50 + i);
    }
    hp_store_upkeep(f->store);
    g_assert_cmpuint(count_files(f), ==, 6);
    snapshot = look(f);
    for (guint i = 0; i < 1030; i += 5)
        check_bytes(f, entry_at(snapshot, i), 50 + i);
}

static void
says_when_a_message_file_is_missing(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autofree char *pattern = g_build_filename(f->dir, "messages", NULL);
    g_autoptr(GError) error = NULL;
    HpStoreEntry entry;

    deliver(f, "A", 200000);
    for (guint i = 0; i < 256; i++) {
        g_autofree char *folder = g_strdup_printf("%s/%02x", pattern, i);

        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    snapshot = look(f);
    entry = entry_at(snapshot, 0);
    g_assert_null(hp_store_open_content(f->store, &entry, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED);
}

static void
shows_a_placeholder_for_a_lost_message(Fixture *f, gconstpointer unused)
{
    g_autoptr(GString) large = g_string_new("Received: x\r\nSubject: Invoice\r\n 17\r\n"
                                            "From: a@example.org\r\n\r\n");
    g_autofree char *messages = g_build_filename(f->dir, "messages", NULL);
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autoptr(HpSummary) summary = NULL;
    g_autoptr(HpContent) content = NULL;
    g_autoptr(GBytes) bytes = NULL;
    HpStoreEntry entry;

    while (large->len < 200000)
        g_string_append(large, "text\r\n");
    append_to(f, HP_STORE_INBOX, large->str);
    snapshot = look(f);
    entry = entry_at(snapshot, 0);
    content = hp_store_open_shown(f->store, &entry, &summary, NULL);
    g_assert_cmpuint(hp_content_size(content), ==, large->len);
    g_assert_null(summary);
    g_clear_pointer(&content, hp_content_close);
    for (guint i = 0; i < 256; i++) {
        g_autofree char *folder = g_strdup_printf("%s/%02x", messages, i);

        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    content = hp_store_open_shown(f->store, &entry, &summary, NULL);
    g_assert_nonnull(content);
    g_assert_nonnull(summary);
    bytes = hp_content_load(content, 10000, NULL);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(bytes, NULL),
                                  (gssize)g_bytes_get_size(bytes), "cannot be shown"));
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(bytes, NULL),
                                  (gssize)g_bytes_get_size(bytes),
                                  "Subject: Invoice\r\n 17\r\nFrom: a@example.org\r\n"));
    g_clear_pointer(&snapshot, hp_store_snapshot_free);
    snapshot = look(f);
    g_assert_cmpuint(snapshot->entries->len, ==, 1); /* nothing is deleted */
}

static void
reads_on_from_a_damaged_database(Fixture *f, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(f->dir, "mail.db", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    struct stat info;

    for (guint i = 0; i < 20; i++) {
        g_autofree char *origin = g_strdup_printf("%u", i);

        deliver(f, origin, 100000 + i);
    }
    stop(f);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(truncate(path, info.st_size / 2 / 4096 * 4096), ==, 0);
    start(f);
    g_assert_false(hp_store_is_writable(f->store));
    snapshot = look(f);
    check_bytes(f, entry_at(snapshot, 0), 100000);
    g_assert_false(hand_over(f, "new", 10, &error));
    g_assert_nonnull(error);
    hp_store_upkeep(f->store);
}

typedef struct {
    Fixture *f;
    guint number;
} Bringer;

static void
bring(gpointer data)
{
    const Bringer *bringer = data;

    for (guint i = 0; i < 25; i++) {
        g_autofree char *origin = g_strdup_printf("%u-%u", bringer->number, i);

        deliver(bringer->f, origin, i % 5 == 0 ? 150000 : 500);
    }
}

static void
serves_several_threads(Fixture *f, gconstpointer unused)
{
    Bringer bringers[4];
    HpThread *threads[4];
    g_autoptr(HpStoreSnapshot) last = NULL;

    for (guint i = 0; i < 4; i++) {
        bringers[i] = (Bringer){ f, i };
        threads[i] = hp_thread_start("bringer", bring, &bringers[i], NULL);
    }
    for (guint i = 0; i < 20; i++) {
        g_autoptr(HpStoreSnapshot) snapshot = look(f);

        for (guint j = 0; j < snapshot->entries->len; j++)
            g_assert_cmpuint(entry_at(snapshot, j).uid, ==, j + 1);
        if (i % 5 == 0)
            hp_store_upkeep(f->store);
    }
    for (guint i = 0; i < 4; i++)
        hp_thread_join(threads[i]);
    last = look(f);
    g_assert_cmpuint(last->entries->len, ==, 100);
}

/* The one who is told, and takes his time. */
typedef struct {
    Fixture *fixture; /* (unowned) */
    gint entered;     /* atomic */
    gint left;        /* atomic */
} Listener;

static void
listen_slowly(gpointer data)
{
    Listener *listener = data;

    g_atomic_int_set(&listener->entered, TRUE);
    g_usleep(100 * 1000);
    g_atomic_int_set(&listener->left, TRUE);
}

static void
bring_one(gpointer listener)
{
    deliver(((Listener *)listener)->fixture, "slow:1", 10);
}

/* Whoever is told no more may be freed. */
static void
tells_nobody_afterwards(Fixture *f, gconstpointer unused)
{
    Listener listener = { f, FALSE, FALSE };
    HpThread *thread;

    hp_store_set_changed(f->store, listen_slowly, &listener);
    thread = hp_thread_start("bringer", bring_one, &listener, NULL);
    while (!g_atomic_int_get(&listener.entered))
        g_usleep(1000);
    hp_store_set_changed(f->store, NULL, NULL);
    g_assert_true(g_atomic_int_get(&listener.left));
    hp_thread_join(thread);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("begins-with-an-empty-inbox", begins_with_an_empty_inbox);
    CASE("has-a-uidvalidity-without-a-clock", has_a_uidvalidity_without_a_clock);
    CASE("keeps-its-uidvalidity", keeps_its_uidvalidity);
    CASE("stores-what-is-delivered-byte-for-byte",
         stores_what_is_delivered_byte_for_byte);
    CASE("takes-the-same-hand-over-once", takes_the_same_hand_over_once);
    CASE("refuses-a-hand-over-that-is-too-short", refuses_a_hand_over_that_is_too_short);
    CASE("never-uses-a-uid-twice", never_uses_a_uid_twice);
    CASE("expunges-rows-first-and-files-later", expunges_rows_first_and_files_later);
    CASE("remembers-what-was-expunged", remembers_what_was_expunged);
    CASE("says-when-there-is-no-such-mailbox", says_when_there_is_no_such_mailbox);
    CASE("remembers-the-first-collection", remembers_the_first_collection);
    CASE("removes-collected-mail-when-it-is-due", removes_collected_mail_when_it_is_due);
    CASE("empties-trash-and-junk-when-due", empties_trash_and_junk_when_due);
    CASE("leaves-no-trace-of-deleted-mail", leaves_no_trace_of_deleted_mail);
    CASE("removes-nothing-without-a-retention", removes_nothing_without_a_retention);
    CASE("does-not-believe-a-clock-that-stood-still",
         does_not_believe_a_clock_that_stood_still);
    CASE("counts-what-a-mailbox-holds", counts_what_a_mailbox_holds);
    CASE("moves-old-mail-into-files", moves_old_mail_into_files);
    CASE("says-when-a-message-file-is-missing", says_when_a_message_file_is_missing);
    CASE("shows-a-placeholder-for-a-lost-message",
         shows_a_placeholder_for_a_lost_message);
    CASE("reads-on-from-a-damaged-database", reads_on_from_a_damaged_database);
    CASE("serves-several-threads", serves_several_threads);
    CASE("tells-nobody-afterwards", tells_nobody_afterwards);
    return g_test_run();
}
