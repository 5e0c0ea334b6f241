#include "hp-thread.h"
#include "store-fixture.h"

#define INBOX HP_STORE_INBOX

static HpView *
open_view(StoreFixture *f, HpWaker *waker)
{
    g_autoptr(GError) error = NULL;
    HpView *view = hp_view_open(f->store, INBOX, waker, &error);

    g_assert_no_error(error);
    return view;
}

static void
check_sync(HpView *view, gboolean may_expunge, const char *wanted)
{
    g_autofree char *news = store_sync(view, may_expunge);

    g_assert_cmpstr(news, ==, wanted);
}

static void
flag(StoreFixture *f, guint32 uid, HpFlagsMode mode, guint32 flags, const char *keywords)
{
    g_auto(GStrv) words = g_strsplit(keywords, " ", -1);
    HpStoreFlagChange change = {
        .mode = mode, .flags = flags, .keywords = words, .unchanged_since = G_MAXUINT64
    };
    g_autoptr(GError) error = NULL;

    hp_store_change_flags(f->store, INBOX, &uid, 1, &change, &error);
    g_assert_no_error(error);
}

static void
expunge(StoreFixture *f, guint32 uid)
{
    g_assert_true(hp_store_expunge(f->store, INBOX, &uid, 1, NULL));
}

static void
shows_what_is_there(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;
    HpViewEntry entry;

    store_fill(f, INBOX, 3);
    expunge(f, 2);
    store_append(f, INBOX, "four", HP_STORE_SEEN, "$Label1 Zed");
    view = open_view(f, NULL);
    g_assert_cmpuint(hp_view_len(view), ==, 3);
    g_assert_cmpuint(hp_view_uid(view, 2), ==, 3);
    g_assert_cmpuint(hp_view_seq(view, 4), ==, 3);
    g_assert_cmpuint(hp_view_seq(view, 2), ==, 0);
    g_assert_cmpuint(hp_view_seq_from(view, 2), ==, 2);
    g_assert_cmpuint(hp_view_seq_from(view, 5), ==, 4);
    g_assert_cmpuint(hp_view_uidnext(view), ==, 5);
    g_assert_true(hp_view_get(view, 3, &entry));
    g_assert_cmpuint(entry.uid, ==, 4);
    g_assert_cmpuint(entry.size, ==, 4);
    g_assert_cmpuint(entry.flags, ==, HP_STORE_SEEN);
    g_assert_cmpint(entry.internal_usec, ==, START_USEC);
    g_assert_cmpstr(hp_view_keywords(view, entry.keywords), ==, "$Label1 Zed");
    g_assert_cmpstr(hp_view_keywords(view, 0), ==, "");
    g_assert_cmpuint(entry.modseq, ==, hp_view_highestmodseq(view));
}

static HpViewEntry
select_first(StoreFixture *f, gint64 mailbox)
{
    g_autoptr(HpView) view = hp_view_open(f->store, mailbox, NULL, NULL);
    HpViewEntry entry = { 0 };

    g_assert_nonnull(view);
    g_assert_true(hp_view_get(view, 1, &entry));
    return entry;
}

/* Who goes from mailbox to mailbox and back finds each as it was left, and what changed
 * meanwhile. That nothing is read again shows by a change behind the store's back. */
static void
stays_for_the_next_selection(StoreFixture *f, gconstpointer unused)
{
    gint64 mailboxes[3] = { INBOX };

    g_assert_true(hp_store_create(f->store, "one", NULL, &mailboxes[1], NULL));
    g_assert_true(hp_store_create(f->store, "two", NULL, &mailboxes[2], NULL));
    for (guint i = 0; i < G_N_ELEMENTS(mailboxes); i++) {
        store_fill(f, mailboxes[i], 2);
        select_first(f, mailboxes[i]);
    }
    store_ask(f, "UPDATE entry SET flags = 32 RETURNING 1");
    expunge(f, 1);
    for (guint round = 0; round < 2; round++)
        for (guint i = 0; i < G_N_ELEMENTS(mailboxes); i++) {
            HpViewEntry entry = select_first(f, mailboxes[i]);

            g_assert_cmpuint(entry.uid, ==, mailboxes[i] == INBOX ? 2 : 1);
            g_assert_cmpuint(entry.flags, ==, 0);
        }
}

static void
tells_growth_and_changes(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;

    store_fill(f, INBOX, 2);
    view = open_view(f, NULL);
    g_assert_false(hp_view_has_news(view, TRUE));
    flag(f, 1, HP_FLAGS_ADD, HP_STORE_SEEN, "");
    flag(f, 1, HP_FLAGS_ADD, HP_STORE_SEEN, ""); /* changes nothing */
    store_append(f, INBOX, "three", 0, NULL);
    g_assert_cmpuint(hp_view_len(view), ==, 2); /* not before it was told */
    g_assert_true(hp_view_has_news(view, FALSE));
    check_sync(view, FALSE, "G3 C1:1");
    g_assert_cmpuint(hp_view_len(view), ==, 3);
    check_sync(view, TRUE, "");
    g_assert_cmpuint(hp_view_highestmodseq(view), ==,
                     store_ask(f, "SELECT highestmodseq FROM mailbox WHERE id = 1"));
}

static void
holds_expunges_back(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;
    guint64 before;
    HpViewEntry entry;

    store_fill(f, INBOX, 4);
    view = open_view(f, NULL);
    before = hp_view_highestmodseq(view);
    expunge(f, 2);
    expunge(f, 3);
    g_assert_false(hp_view_has_news(view, FALSE));
    g_assert_true(hp_view_has_news(view, TRUE));
    flag(f, 4, HP_FLAGS_ADD, HP_STORE_FLAGGED, "");
    store_append(f, INBOX, "five", 0, NULL);
    check_sync(view, FALSE, "G5 C4:4");
    g_assert_cmpuint(hp_view_len(view), ==, 5);
    g_assert_false(hp_view_get(view, 2, &entry));
    g_assert_true(hp_view_get(view, 4, &entry));
    g_assert_cmpuint(entry.uid, ==, 4);
    /* A client that knew a higher one would never hear of the expunge. */
    g_assert_cmpuint(hp_view_highestmodseq(view), ==, before);
    g_assert_cmpuint(hp_view_changes_modseq(view), ==,
                     store_ask(f, "SELECT highestmodseq FROM mailbox WHERE id = 1"));
    check_sync(view, TRUE, "E2:2 E2:3");
    g_assert_cmpuint(hp_view_seq(view, 5), ==, 3);
    g_assert_cmpuint(hp_view_highestmodseq(view), >, before + 3);
}

static void
tells_nothing_of_what_came_and_went(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = open_view(f, NULL);

    store_append(f, INBOX, "one", 0, NULL);
    flag(f, 1, HP_FLAGS_ADD, HP_STORE_SEEN, "");
    expunge(f, 1);
    check_sync(view, TRUE, "");
    store_append(f, INBOX, "two", 0, NULL);
    check_sync(view, TRUE, "G1");
    g_assert_cmpuint(hp_view_uid(view, 1), ==, 2);
}

/* More than the log of changes holds. */
static void
catches_up_from_far_behind(StoreFixture *f, gconstpointer unused)
{
    g_autofree guint32 *uids = g_new(guint32, 3000);
    g_autoptr(HpView) view = NULL;
    g_autoptr(GArray) news = NULL;
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_DELETED,
                                 .unchanged_since = G_MAXUINT64 };

    store_fill(f, INBOX, 3000);
    view = open_view(f, NULL);
    for (guint i = 0; i < 3000; i++)
        uids[i] = i + 1;
    g_assert_true(hp_store_change_flags(f->store, INBOX, uids, 3000, &change, NULL));
    g_assert_true(hp_store_expunge(f->store, INBOX, uids + 1000, 1500, NULL));
    g_assert_true(hp_view_has_news(view, FALSE));
    news = hp_view_sync(view, TRUE);
    g_assert_cmpuint(news->len, ==, 1500 + 1500);
    for (guint i = 0; i < 1500; i++)
        g_assert_cmpuint(g_array_index(news, HpViewNews, i).seq, ==, 1001);
    g_assert_cmpuint(g_array_index(news, HpViewNews, 1499).uid, ==, 2500);
    g_assert_cmpuint(g_array_index(news, HpViewNews, 2999).uid, ==, 3000);
    g_assert_cmpuint(g_array_index(news, HpViewNews, 2999).seq, ==, 1500);
    g_assert_cmpuint(g_array_index(news, HpViewNews, 2999).modseq, ==, change.ret_modseq);
    check_sync(view, TRUE, "");
}

static void
is_right_for_each_session(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) one = NULL;
    g_autoptr(HpView) two = NULL;

    store_fill(f, INBOX, 3);
    one = open_view(f, NULL);
    expunge(f, 1);
    two = open_view(f, NULL);
    expunge(f, 2);
    g_assert_cmpuint(hp_view_len(two), ==, 2);
    check_sync(two, TRUE, "E1:2");
    check_sync(one, TRUE, "E1:1 E1:2");
}

static void
holds_growth(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;
    guint64 modseq;

    store_append(f, INBOX, "one", 0, NULL);
    view = open_view(f, NULL);
    modseq = hp_view_highestmodseq(view);
    hp_view_hold_growth(view, TRUE);
    store_append(f, INBOX, "two", 0, NULL);
    g_assert_false(hp_view_has_news(view, TRUE));
    check_sync(view, TRUE, "");
    g_assert_cmpuint(hp_view_len(view), ==, 1);
    g_assert_cmpuint(hp_view_uidnext(view), ==, 2);
    g_assert_cmpuint(hp_view_highestmodseq(view), ==, modseq);
    expunge(f, 1);
    check_sync(view, TRUE, "E1:1");
    g_assert_cmpuint(hp_view_highestmodseq(view), ==, modseq);
    hp_view_hold_growth(view, FALSE);
    g_assert_true(hp_view_has_news(view, FALSE));
    check_sync(view, FALSE, "G1");
    g_assert_cmpuint(hp_view_highestmodseq(view), >, modseq);
}

static gboolean
has_rung(HpWaker *waker)
{
    return hp_waker_wait(waker, -1, 0, 0) == HP_WAIT_RUNG;
}

static void
rings_before_the_change_returns(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpWaker) mine = hp_waker_new(NULL);
    g_autoptr(HpWaker) all = hp_waker_new(NULL);
    g_autoptr(HpView) view = open_view(f, mine);

    g_assert_cmpint(hp_view_mailbox(view), ==, INBOX);
    hp_store_watch(f->store, all);
    g_assert_false(has_rung(mine));
    store_append(f, INBOX, "one", 0, NULL);
    g_assert_true(has_rung(mine));
    g_assert_true(has_rung(all));
    store_append(f, store_mailbox_id(f, "Sent"), "two", 0, NULL);
    g_assert_false(has_rung(mine)); /* not this mailbox */
    g_assert_true(has_rung(all));
    expunge(f, 1);
    g_assert_true(has_rung(mine));
    g_assert_true(has_rung(all));
    hp_store_unwatch(f->store, all);
    store_append(f, INBOX, "three", 0, NULL);
    g_assert_false(has_rung(all));
}

static void
ends_with_its_mailbox(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    g_autoptr(HpView) view = NULL;
    g_autoptr(GError) error = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->store, "a", NULL, &id, NULL));
    view = hp_view_open(f->store, id, waker, NULL);
    g_assert_false(hp_view_ended(view));
    g_assert_true(hp_store_delete(f->store, "a", NULL));
    g_assert_true(hp_view_ended(view));
    g_assert_true(has_rung(waker));
    g_assert_null(hp_view_open(f->store, id, NULL, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
}

static void
lists_keywords_in_use(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;
    g_auto(GStrv) none = NULL;
    g_auto(GStrv) words = NULL;
    g_autofree char *text = NULL;

    view = open_view(f, NULL);
    none = hp_view_all_keywords(view);
    g_assert_null(none[0]);
    store_append(f, INBOX, "one", 0, "beta $Label1");
    store_append(f, INBOX, "two", 0, "Alpha BETA"); /* as it was spelled first */
    words = hp_view_all_keywords(view);
    text = g_strjoinv(" ", words);
    g_assert_cmpstr(text, ==, "$Label1 Alpha beta");
}

static void
is_told_of_pop3_and_hand_overs(StoreFixture *f, gconstpointer unused)
{
    static const guint32 first[] = { 1 };
    HpStoreCleanup cleanup = { .retention.pop3_sec = 60 };
    g_autoptr(HpView) view = NULL;

    store_fill(f, INBOX, 2);
    view = open_view(f, NULL);
    g_assert_true(hp_store_mark_collected(f->store, INBOX, first, 1, NULL));
    check_sync(view, TRUE, "C1:1");
    f->now_usec += 61 * G_USEC_PER_SEC;
    g_assert_true(hp_store_cleanup(f->store, &cleanup, FALSE, NULL));
    check_sync(view, TRUE, "E1:1");
}

static void
is_small(StoreFixture *f, gconstpointer unused)
{
    g_assert_cmpuint(sizeof(HpViewEntry) + sizeof(guint32), <=, 48);
}

typedef struct {
    StoreFixture *f;
    gint stop; /* atomic */
} Busy;

static void
change_things(gpointer data)
{
    StoreFixture *f = ((Busy *)data)->f;

    for (guint i = 0; i < 60; i++) {
        guint32 uid = store_append(f, INBOX, "x", 0, i % 3 == 0 ? "a b" : NULL);

        flag(f, uid, HP_FLAGS_ADD, HP_STORE_SEEN, "c");
        if (i % 2 == 0)
            expunge(f, uid);
    }
}

/* A session that follows: each number it is told is right at that moment. */
static void
follow(gpointer data)
{
    Busy *busy = data;
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);

    while (g_atomic_int_get(&busy->stop) == 0) {
        g_autoptr(HpView) view = open_view(busy->f, waker);

        for (guint round = 0; round < 20; round++) {
            guint64 before = hp_view_highestmodseq(view);
            guint32 len = hp_view_len(view);
            g_autoptr(GArray) news = hp_view_sync(view, round % 3 != 0);

            for (guint i = 0; i < news->len; i++) {
                const HpViewNews *one = &g_array_index(news, HpViewNews, i);

                if (one->kind == HP_VIEW_GROWN) {
                    g_assert_cmpuint(one->seq, >, len);
                    len = one->seq;
                } else {
                    g_assert_cmpuint(one->seq, <=, len);
                    len -= one->kind == HP_VIEW_EXPUNGED;
                }
            }
            g_assert_cmpuint(hp_view_len(view), ==, len);
            g_assert_cmpuint(hp_view_highestmodseq(view), >=, before);
            hp_waker_wait(waker, -1, 0, 1);
        }
    }
}

static void
is_followed_by_threads(StoreFixture *f, gconstpointer unused)
{
    Busy busy = { f, 0 };
    HpThread *writers[3];
    HpThread *readers[2];
    g_autoptr(HpView) view = open_view(f, NULL);
    HpViewEntry entry;

    for (guint i = 0; i < 2; i++)
        readers[i] = hp_thread_start("reader", follow, &busy, NULL);
    for (guint i = 0; i < 3; i++)
        writers[i] = hp_thread_start("writer", change_things, &busy, NULL);
    for (guint i = 0; i < 3; i++)
        hp_thread_join(writers[i]);
    g_atomic_int_set(&busy.stop, 1);
    for (guint i = 0; i < 2; i++)
        hp_thread_join(readers[i]);
    g_array_unref(hp_view_sync(view, TRUE));
    g_assert_cmpuint(hp_view_len(view), ==, 90);
    for (guint seq = 1; seq <= 90; seq++) {
        g_assert_true(hp_view_get(view, seq, &entry));
        g_assert_cmpuint(entry.flags, ==, HP_STORE_SEEN);
    }
    g_assert_cmpint(store_ask(f, "SELECT messages FROM mailbox WHERE id = 1"), ==, 90);
    g_assert_cmpint(store_ask(f, "SELECT unseen FROM mailbox WHERE id = 1"), ==, 0);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-view/" path, StoreFixture, NULL, store_fixture_set_up, name,      \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    CASE("shows-what-is-there", shows_what_is_there);
    CASE("stays-for-the-next-selection", stays_for_the_next_selection);
    CASE("tells-growth-and-changes", tells_growth_and_changes);
    CASE("holds-expunges-back", holds_expunges_back);
    CASE("tells-nothing-of-what-came-and-went", tells_nothing_of_what_came_and_went);
    CASE("catches-up-from-far-behind", catches_up_from_far_behind);
    CASE("is-right-for-each-session", is_right_for_each_session);
    CASE("holds-growth", holds_growth);
    CASE("rings-before-the-change-returns", rings_before_the_change_returns);
    CASE("ends-with-its-mailbox", ends_with_its_mailbox);
    CASE("lists-keywords-in-use", lists_keywords_in_use);
    CASE("is-told-of-pop3-and-hand-overs", is_told_of_pop3_and_hand_overs);
    CASE("is-small", is_small);
    CASE("is-followed-by-threads", is_followed_by_threads);
    return g_test_run();
}
