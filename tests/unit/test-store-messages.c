#include "store-fixture.h"

#include <string.h>

#define INBOX HP_STORE_INBOX

static GArray *
vanished_since(StoreFixture *f, guint64 modseq)
{
    g_autoptr(GError) error = NULL;
    GArray *uids = hp_store_vanished(f->store, INBOX, modseq, &error);

    g_assert_no_error(error);
    return uids;
}

static void
check_counts(StoreFixture *f, gint64 mailbox)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT (messages, unseen, deleted, octets) = (SELECT count(*),"
        " total((flags & 1) = 0), total((flags & 8) <> 0), total(size) FROM entry"
        " WHERE mailbox = %" G_GINT64_FORMAT
        ") FROM mailbox WHERE id = %" G_GINT64_FORMAT,
        mailbox, mailbox);

    g_assert_cmpint(store_ask(f, sql), ==, 1);
}

static void
appends_with_all_that_is_said(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpContentDraft) draft = hp_store_draft(f->store);
    g_auto(GStrv) words = g_strsplit("b A b", " ", -1);
    HpStoreAppend append = { .draft = draft,
                             .flags = HP_STORE_DRAFT,
                             .keywords = words,
                             .is_dated = TRUE,
                             .internal_usec = 0,
                             .zone = -90 };
    g_autoptr(GArray) uids = NULL;
    g_autoptr(HpView) view = NULL;
    HpStoreDetails details;
    HpViewEntry entry;

    hp_content_draft_append(draft, hp_slice_of("x"), NULL);
    hp_content_draft_finish(draft, NULL);
    g_assert_true(hp_store_append(f->store, INBOX, &append, 1, &uids, NULL));
    store_fixture_stop(f);
    store_fixture_start(f);
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_true(hp_view_get(view, 1, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_DRAFT);
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "A b");
    g_assert_cmpint(entry.internal_usec, ==, 0);
    g_assert_cmpint(entry.zone, ==, -90);
    g_assert_true(hp_store_details(f->store, INBOX, 1, &details, NULL));
    g_assert_cmpint(details.saved_usec, ==, START_USEC);
    g_assert_cmpint(details.email, ==, entry.content);
    g_assert_cmpint(details.thread, ==, entry.content);
}

static void
appends_all_or_none(StoreFixture *f, gconstpointer unused)
{
    HpStoreAppend appends[2] = { 0 };
    g_autoptr(GArray) uids = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 2; i++) {
        appends[i].draft = hp_store_draft(f->store);
        hp_content_draft_append(appends[i].draft, hp_slice_of(i == 0 ? "a" : "b"), NULL);
        hp_content_draft_finish(appends[i].draft, NULL);
    }
    g_assert_false(hp_store_append(f->store, 99, appends, 2, &uids, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 0);
    g_assert_true(hp_store_append(f->store, INBOX, appends, 2, &uids, NULL));
    g_assert_cmpuint(uids->len, ==, 2);
    g_assert_cmpuint(g_array_index(uids, guint32, 1), ==, 2);
    check_counts(f, INBOX);
    for (guint i = 0; i < 2; i++)
        hp_content_draft_free(appends[i].draft);
}

static void
stores_the_same_bytes_once(StoreFixture *f, gconstpointer unused)
{
    gint64 sent = store_mailbox_id(f, "Sent");
    g_autofree char *large = g_strnfill(200000, 'x');
    HpStoreDetails one, two;

    store_append(f, INBOX, "same", 0, NULL);
    store_append(f, INBOX, "same", 0, NULL); /* twice in one mailbox */
    store_append(f, sent, "same", 0, NULL);
    store_append(f, sent, "other", 0, NULL);
    store_append(f, sent, large, 0, NULL);
    store_append(f, sent, large, 0, NULL);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 3);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry"), ==, 6);
    g_assert_true(hp_store_details(f->store, INBOX, 1, &one, NULL));
    g_assert_true(hp_store_details(f->store, sent, 1, &two, NULL));
    g_assert_cmpint(one.email, ==, two.email);
    g_assert_cmpint(one.thread, ==, two.thread);
    /* It stays as long as one is left. */
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1, 2 }, 2, NULL));
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 3);
    g_assert_true(hp_store_delete(f->store, "Sent", NULL));
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 0);
}

/* Expunged, not yet erased, and here again. */
static void
keeps_what_came_back(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autoptr(HpContent) content = NULL;

    store_append(f, INBOX, "same", 0, NULL);
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1 }, 1, NULL));
    store_append(f, INBOX, "same", 0, NULL);
    hp_store_upkeep(f->store);
    snapshot = hp_store_snapshot(f->store, INBOX, NULL);
    content = hp_store_open_content(
        f->store, &g_array_index(snapshot->entries, HpStoreEntry, 0), NULL);
    g_assert_nonnull(content);
}

static void
changes_flags_and_keywords(StoreFixture *f, gconstpointer unused)
{
    const guint32 uids[] = { 1, 2, 3, 9 };
    const char *words[] = { "two", "new", NULL };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_FLAGGED | 1 << 14,
                                 .keywords = (GStrv)(void *)words,
                                 .unchanged_since = G_MAXUINT64 };
    g_autoptr(HpView) view = NULL;
    HpViewEntry entry;

    store_append(f, INBOX, "1", 0, NULL);
    store_append(f, INBOX, "2", HP_STORE_SEEN, "one two");
    store_append(f, INBOX, "3", HP_STORE_FLAGGED, "NEW two");
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 4, &change, NULL));
    g_assert_true(hp_view_get(view, 1, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_FLAGGED); /* no unknown bits */
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "NEW two");
    g_assert_cmpuint(entry.modseq, ==, change.ret_modseq);
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "NEW one two");
    g_assert_true(hp_view_get(view, 3, &entry)); /* had all of it */
    g_assert_cmpuint(entry.modseq, <, change.ret_modseq);

    change.mode = HP_FLAGS_REMOVE;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 2, &change, NULL));
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_SEEN);
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "one");

    change.mode = HP_FLAGS_REPLACE;
    change.flags = HP_STORE_DELETED;
    change.keywords = NULL;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 3, &change, NULL));
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_DELETED);
    g_assert_cmpuint(entry.keywords, ==, 0);
    check_counts(f, INBOX);

    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 3, &change, NULL));
    g_assert_cmpuint(change.ret_modseq, ==, 0); /* nothing was changed */
    g_clear_pointer(&view, hp_view_close);
    store_fixture_stop(f);
    store_fixture_start(f);
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_DELETED);
}

static void
spares_what_has_changed_since(StoreFixture *f, gconstpointer unused)
{
    const guint32 uids[] = { 1, 2 };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };
    guint64 known;

    store_fill(f, INBOX, 2);
    known = (guint64)store_ask(f, "SELECT highestmodseq FROM mailbox WHERE id = 1");
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 1, &change, NULL));
    change.flags = HP_STORE_FLAGGED;
    change.unchanged_since = known;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 2, &change, NULL));
    g_assert_nonnull(change.ret_modified);
    g_assert_cmpuint(change.ret_modified->len, ==, 1);
    g_assert_cmpuint(g_array_index(change.ret_modified, guint32, 0), ==, 1);
    g_assert_cmpint(store_ask(f, "SELECT flags FROM entry WHERE uid = 1"), ==, 1);
    g_assert_cmpint(store_ask(f, "SELECT flags FROM entry WHERE uid = 2"), ==, 4);
    g_array_unref(change.ret_modified);
}

/* Whoever changes without being told may have to be told even so. */
static void
tells_what_the_caller_does_not_know(StoreFixture *f, gconstpointer unused)
{
    const guint32 uids[] = { 1, 2, 3 };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };
    guint64 known;

    store_fill(f, INBOX, 3);
    known = (guint64)store_ask(f, "SELECT highestmodseq FROM mailbox WHERE id = 1");
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 2, &change, NULL));
    g_assert_null(change.ret_untold); /* nobody asked */
    change.told_modseq = known;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids + 2, 1, &change, NULL));
    g_assert_null(change.ret_untold);
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 3, &change, NULL));
    g_assert_null(change.ret_untold); /* nothing is changed */
    change.flags = HP_STORE_FLAGGED;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 2, &change, NULL));
    g_assert_cmpuint(change.ret_untold->len, ==, 2);
    g_assert_cmpuint(g_array_index(change.ret_untold, guint32, 1), ==, 2);
    g_array_unref(change.ret_untold);
}

static void
copies_without_touching_bytes(StoreFixture *f, gconstpointer unused)
{
    const guint32 uids[] = { 1, 3, 4 };
    gint64 sent = store_mailbox_id(f, "Sent");
    g_autoptr(GArray) copied = NULL;
    g_autoptr(HpView) view = hp_view_open(f->store, sent, NULL, NULL);
    g_autofree char *news = NULL;
    HpStoreDetails one, two;
    HpViewEntry entry;

    store_append(f, INBOX, "1", HP_STORE_SEEN, "word");
    store_append(f, INBOX, "2", 0, NULL);
    store_append(f, INBOX, "3", 0, "other");
    store_append(f, sent, "4", 0, NULL);
    f->now_usec += G_USEC_PER_SEC;
    g_assert_true(hp_store_copy(f->store, INBOX, uids, 3, sent, FALSE, &copied, NULL));
    g_assert_cmpuint(copied->len, ==, 2); /* there is no 4 */
    g_assert_cmpuint(g_array_index(copied, HpStoreCopied, 1).from, ==, 3);
    g_assert_cmpuint(g_array_index(copied, HpStoreCopied, 1).to, ==, 3);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 4);
    check_counts(f, INBOX);
    check_counts(f, sent);
    news = store_sync(view, TRUE);
    g_assert_cmpstr(news, ==, "G3");
    g_assert_true(hp_view_get(view, 2, &entry));
    g_assert_cmpuint(entry.flags, ==, HP_STORE_SEEN);
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "word");
    g_assert_cmpint(entry.internal_usec, ==, START_USEC);
    g_assert_true(hp_store_details(f->store, INBOX, 1, &one, NULL));
    g_assert_true(hp_store_details(f->store, sent, 2, &two, NULL));
    g_assert_cmpint(one.email, ==, two.email);
    g_assert_cmpint(two.saved_usec, ==, START_USEC + G_USEC_PER_SEC);
    g_assert_cmpint(
        store_ask(f, "SELECT count(*) FROM entry e WHERE uid = 3 AND keywords = 'other'"),
        ==, 2);
}

static void
moves_in_one_step(StoreFixture *f, gconstpointer unused)
{
    const guint32 uids[] = { 2 };
    gint64 sent = store_mailbox_id(f, "Sent");
    g_autoptr(GArray) moved = NULL;
    g_autoptr(GArray) again = NULL;
    g_autoptr(GArray) gone = NULL;
    g_autoptr(HpView) view = NULL;
    g_autofree char *news = NULL;
    g_autofree char *more = NULL;

    store_fill(f, INBOX, 3);
    view = hp_view_open(f->store, INBOX, NULL, NULL);
    g_assert_true(hp_store_copy(f->store, INBOX, uids, 1, sent, TRUE, &moved, NULL));
    g_assert_cmpuint(moved->len, ==, 1);
    news = store_sync(view, TRUE);
    g_assert_cmpstr(news, ==, "E2:2");
    check_counts(f, INBOX);
    check_counts(f, sent);
    gone = vanished_since(f, 0);
    g_assert_cmpuint(gone->len, ==, 1);
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 3);
    /* Into itself: it gets a new uid. */
    g_assert_true(
        hp_store_copy(f->store, INBOX, (guint32[]){ 3 }, 1, INBOX, TRUE, &again, NULL));
    more = store_sync(view, TRUE);
    g_assert_cmpstr(more, ==, "E2:3 G2");
    g_assert_cmpuint(hp_view_uid(view, 2), ==, 4);
    check_counts(f, INBOX);
}

static void
copies_many_at_once(StoreFixture *f, gconstpointer unused)
{
    g_autofree guint32 *uids = g_new(guint32, 2000);
    gint64 sent = store_mailbox_id(f, "Sent");
    g_autoptr(GArray) copied = NULL;

    store_fill(f, INBOX, 4000);
    for (guint i = 0; i < 2000; i++)
        uids[i] = i < 1000 ? i + 1 : 2 * i; /* a run, then every other one */
    g_assert_true(hp_store_copy(f->store, INBOX, uids, 2000, sent, TRUE, &copied, NULL));
    g_assert_cmpuint(copied->len, ==, 2000);
    for (guint i = 0; i < 2000; i++) {
        g_assert_cmpuint(g_array_index(copied, HpStoreCopied, i).from, ==, uids[i]);
        g_assert_cmpuint(g_array_index(copied, HpStoreCopied, i).to, ==, i + 1);
    }
    check_counts(f, INBOX);
    check_counts(f, sent);
    g_assert_cmpint(store_ask(f, "SELECT count(DISTINCT content) FROM entry"), ==, 4000);
}

static void
names_what_vanished(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GArray) all = NULL;
    g_autoptr(GArray) later = NULL;
    guint64 between;

    store_fill(f, INBOX, 5);
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 4 }, 1, NULL));
    between = (guint64)store_ask(f, "SELECT highestmodseq FROM mailbox WHERE id = 1");
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1, 2 }, 2, NULL));
    all = vanished_since(f, 0);
    g_assert_cmpuint(all->len, ==, 3);
    g_assert_cmpuint(g_array_index(all, guint32, 0), ==, 1);
    g_assert_cmpuint(g_array_index(all, guint32, 2), ==, 4);
    later = vanished_since(f, between);
    g_assert_cmpuint(later->len, ==, 2);
}

static void
tells_more_where_the_log_was_cut(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GArray) all = NULL;
    g_autoptr(GArray) later = NULL;
    gint64 modseq;

    store_fill(f, INBOX, 2);
    g_assert_true(hp_store_expunge(f->store, INBOX, (guint32[]){ 1 }, 1, NULL));
    store_fixture_stop(f);
    store_ask(f, "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n"
                 " WHERE value < 110000) INSERT INTO expunged"
                 " SELECT 1, 100 + value, 100000 + value FROM n RETURNING 1");
    store_ask(f, "UPDATE mailbox SET highestmodseq = 200000, uidnext = 300000"
                 " WHERE id = 1 RETURNING 1");
    store_fixture_start(f);
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM expunged"), ==, 50000);
    modseq = store_ask(f, "SELECT vanished_from FROM mailbox WHERE id = 1");
    later = vanished_since(f, (guint64)modseq);
    g_assert_cmpuint(later->len, ==, 50000);
    all = vanished_since(f, 5);
    g_assert_cmpuint(all->len, ==, 299999 - 1); /* all but uid 2 */
    g_assert_cmpuint(g_array_index(all, guint32, 0), ==, 1);
    g_assert_cmpuint(g_array_index(all, guint32, 1), ==, 3);
}

static gint64
thread_of(StoreFixture *f, guint32 uid)
{
    HpStoreDetails details;

    g_assert_true(hp_store_details(f->store, INBOX, uid, &details, NULL));
    return details.thread;
}

static void
keeps_conversations_together(StoreFixture *f, gconstpointer unused)
{
    gint64 first;

    store_append(f, INBOX, "Message-ID: <a@x>\r\n\r\n1", 0, NULL);
    store_append(f, INBOX, "Message-ID: <b@x>\r\n\r\n2", 0, NULL);
    store_append(f, INBOX, "Message-ID: <c@x>\r\nReferences: <a@x> <n@x>\r\n\r\n3", 0,
                 NULL);
    store_append(f, INBOX, "Message-ID: <d@x>\r\nIn-Reply-To: <c@x>\r\n\r\n4", 0, NULL);
    /* <n@x> comes after its answer. */
    store_append(f, INBOX, "Message-ID: <n@x>\r\nReferences: <a@x>\r\n\r\n5", 0, NULL);
    store_append(f, INBOX, "no id\r\n\r\n6", 0, NULL);
    first = thread_of(f, 1);
    g_assert_cmpint(thread_of(f, 2), !=, first);
    g_assert_cmpint(thread_of(f, 3), ==, first);
    g_assert_cmpint(thread_of(f, 4), ==, first);
    g_assert_cmpint(thread_of(f, 5), ==, first);
    g_assert_cmpint(thread_of(f, 6), !=, first);
}

/* RFC 8474 §5.2: its thread never changes; nor does that of the same bytes. */
static void
finds_the_thread_of_bytes_that_come_again(StoreFixture *f, gconstpointer unused)
{
    static const char reply[] = "Message-ID: <b@x>\r\nReferences: <a@x>\r\n\r\n2";
    guint32 uid;

    store_append(f, INBOX, "Message-ID: <a@x>\r\n\r\n1", 0, NULL);
    uid = store_append(f, INBOX, reply, 0, NULL);
    g_assert_true(hp_store_expunge(f->store, INBOX, &uid, 1, NULL));
    uid = store_append(f, INBOX, reply, 0, NULL);
    g_assert_cmpint(thread_of(f, uid), ==, thread_of(f, 1));
}

typedef struct {
    guint n;
    size_t octets;
    guint last; /* 0: all */
} Seen;

static gboolean
see(guint index, const HpSummary *summary, HpSlice header, gpointer data)
{
    Seen *seen = data;

    g_assert_cmpuint(index, ==, seen->n);
    g_assert_null(summary);
    seen->n++;
    seen->octets += header.len;
    return seen->n != seen->last;
}

#define REPLY "Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\n"
#define OTHER "Message-ID: <3@x>\r\n\r\n"

/* Once a day, with the snapshot. */
static void
forgets_conversations_that_are_gone(StoreFixture *f, gconstpointer unused)
{
    guint32 reply = store_append(f, INBOX, REPLY, 0, NULL);

    store_append(f, INBOX, OTHER, 0, NULL);
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM message_id"), ==, 3);
    g_assert_true(hp_store_expunge(f->store, INBOX, &reply, 1, NULL));
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM message_id"), ==, 3);
    f->now_usec += (gint64)25 * 3600 * G_USEC_PER_SEC;
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM message_id"), ==, 1);
}

static void
knows_headers_without_the_bytes(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autofree gint64 *contents = g_new(gint64, 600);
    HpStoreSummaries wanted = { contents, 600, TRUE, see, NULL };
    Seen seen = { 0, 0, 0 };

    store_fill(f, INBOX, 600);
    snapshot = hp_store_snapshot(f->store, INBOX, NULL);
    for (guint i = 0; i < 600; i++)
        contents[i] = g_array_index(snapshot->entries, HpStoreEntry, i).content;
    wanted.data = &seen;
    g_assert_cmpuint(hp_store_each_summary(f->store, &wanted), ==, 600);
    g_assert_cmpuint(seen.n, ==, 600);
    g_assert_cmpuint(seen.octets, ==, 10 * 14 + 90 * 15 + 500 * 16);
    /* It ends when it is told to. */
    seen = (Seen){ 0, 0, 301 };
    g_assert_cmpuint(hp_store_each_summary(f->store, &wanted), ==, 301);
    g_assert_cmpuint(seen.n, ==, 301);
    /* One that is missing is computed, and kept. */
    store_fixture_stop(f);
    store_fixture_start(f);
    store_ask(f, "DELETE FROM summary WHERE content % 100 = 7 RETURNING 1");
    store_ask(f, "UPDATE summary SET version = 0 WHERE content % 100 = 8 RETURNING 1");
    seen = (Seen){ 0, 0, 0 };
    g_assert_cmpuint(hp_store_each_summary(f->store, &wanted), ==, 600);
    g_assert_cmpuint(seen.octets, ==, 10 * 14 + 90 * 15 + 500 * 16);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM summary WHERE version > 0"), ==,
                    600);
}

static gboolean
replace(StoreFixture *f, const HpStoreReplacing *what, const char *text, guint32 *ret_uid,
        GError **error)
{
    HpStoreAppend append = { .flags = HP_STORE_DRAFT };
    gboolean done;

    append.draft = hp_store_draft(f->store);
    hp_content_draft_append(append.draft, hp_slice_of(text), NULL);
    hp_content_draft_finish(append.draft, NULL);
    done = hp_store_replace(f->store, what, &append, ret_uid, error);
    hp_content_draft_free(append.draft);
    return done;
}

static void
replaces_in_one_step(StoreFixture *f, gconstpointer unused)
{
    HpStoreReplacing what = { INBOX, 1, INBOX };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) gone = NULL;
    guint32 uid = 0;

    g_assert_false(replace(f, &what, "a", &uid, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry"), ==, 0);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 0);

    what.uid = store_append(f, INBOX, "a", 0, NULL);
    g_assert_true(replace(f, &what, "b", &uid, NULL));
    g_assert_cmpuint(uid, >, what.uid);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM entry"), ==, 1);
    g_assert_cmpint(store_ask(f, "SELECT max(uid) FROM entry"), ==, uid);
    gone = hp_store_vanished(f->store, INBOX, 0, NULL);
    g_assert_cmpuint(gone->len, ==, 1);
    check_counts(f, INBOX);
}

static void
keeps_the_bytes_that_replace_themselves(StoreFixture *f, gconstpointer unused)
{
    HpStoreReplacing what = { INBOX, 0, INBOX };
    guint32 uid = 0;

    what.uid = store_append(f, INBOX, "a", 0, NULL);
    g_assert_true(replace(f, &what, "a", &uid, NULL));
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 1);
    check_counts(f, INBOX);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-messages/" path, StoreFixture, NULL, store_fixture_set_up, name,  \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("appends-with-all-that-is-said", appends_with_all_that_is_said);
    CASE("appends-all-or-none", appends_all_or_none);
    CASE("stores-the-same-bytes-once", stores_the_same_bytes_once);
    CASE("keeps-what-came-back", keeps_what_came_back);
    CASE("changes-flags-and-keywords", changes_flags_and_keywords);
    CASE("spares-what-has-changed-since", spares_what_has_changed_since);
    CASE("tells-what-the-caller-does-not-know", tells_what_the_caller_does_not_know);
    CASE("copies-without-touching-bytes", copies_without_touching_bytes);
    CASE("moves-in-one-step", moves_in_one_step);
    CASE("copies-many-at-once", copies_many_at_once);
    CASE("replaces-in-one-step", replaces_in_one_step);
    CASE("keeps-the-bytes-that-replace-themselves",
         keeps_the_bytes_that_replace_themselves);
    CASE("names-what-vanished", names_what_vanished);
    CASE("tells-more-where-the-log-was-cut", tells_more_where_the_log_was_cut);
    CASE("keeps-conversations-together", keeps_conversations_together);
    CASE("finds-the-thread-of-bytes-that-come-again",
         finds_the_thread_of_bytes_that_come_again);
    CASE("forgets-conversations-that-are-gone", forgets_conversations_that_are_gone);
    CASE("knows-headers-without-the-bytes", knows_headers_without_the_bytes);
    return g_test_run();
}
