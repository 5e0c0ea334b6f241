#include "store-fixture.h"

#include "hp-thread.h"

#include <string.h>

static char *
list_names(StoreFixture *f)
{
    g_autoptr(GPtrArray) list = hp_store_list(f->store, NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               ((HpStoreMailbox *)list->pdata[i])->name);
    return g_string_free(text, FALSE);
}

static void
check_names(StoreFixture *f, const char *wanted)
{
    g_autofree char *names = list_names(f);

    g_assert_cmpstr(names, ==, wanted);
}

static void
check_normal(const char *name, const char *wanted)
{
    g_autofree char *normal = hp_store_normal_name(name);

    g_assert_cmpstr(normal, ==, wanted);
}

static void
knows_what_can_be_a_name(void)
{
    g_autofree char *long_name = g_strnfill(HP_STORE_MAX_NAME + 1, 'a');
    g_autofree char *deep = g_strnfill((gsize)2 * HP_STORE_MAX_LEVELS + 1, 'a');

    for (guint i = 1; deep[i] != '\0'; i += 2)
        deep[i] = '/';
    check_normal("inBox", "INBOX");
    check_normal("inbox/a", "INBOX/a");
    check_normal("inboxes", "inboxes");
    check_normal("a/b/", "a/b");
    check_normal("u\xcc\x88", "\xc3\xbc"); /* u and a combining diaeresis */
    check_normal("", NULL);
    check_normal("/", NULL);
    check_normal("/a", NULL);
    check_normal("a//b", NULL);
    check_normal("../a", NULL);
    check_normal("a/./b", NULL);
    check_normal("~", NULL);
    check_normal("..a/~b", "..a/~b");
    check_normal("a\nb", NULL);
    check_normal("a\xe2\x80\xa8z", NULL); /* a line separator */
    check_normal("\xff", NULL);
    check_normal(long_name, NULL);
    check_normal(deep, NULL);
}

static void
begins_with_those_everybody_has(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) sent = hp_store_find(f->store, "Sent", NULL);
    g_auto(GStrv) subscriptions = hp_store_subscriptions(f->store, NULL);

    check_names(f, "INBOX Archive Drafts Junk Sent Trash");
    g_assert_cmpstr(sent->special_use, ==, "\\Sent");
    g_assert_true(sent->subscribed);
    g_assert_cmpuint(sent->uidnext, ==, 1);
    g_assert_cmpuint(g_strv_length(subscriptions), ==, 6);
    /* What was deleted does not come back. */
    g_assert_true(hp_store_delete(f->store, "Junk", NULL));
    store_fixture_stop(f);
    store_fixture_start(f);
    check_names(f, "INBOX Archive Drafts Sent Trash");
}

static void
makes_missing_levels(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->store, "Work/2026/May/", NULL, &id, NULL));
    g_assert_cmpint(id, ==, store_mailbox_id(f, "Work/2026/May"));
    check_names(f, "INBOX Archive Drafts Junk Sent Trash Work Work/2026 Work/2026/May");
    g_assert_false(hp_store_create(f->store, "Work/2026", NULL, &id, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_false(hp_store_create(f->store, "a//b", NULL, &id, &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED);
}

static void
gives_a_special_use_to_one(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) old = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->store, "Gesendet", "\\Sent", &id, NULL));
    mailbox = hp_store_find(f->store, "Gesendet", NULL);
    g_assert_cmpstr(mailbox->special_use, ==, "\\Sent");
    old = hp_store_find(f->store, "Sent", NULL);
    g_assert_null(old->special_use);
}

static void
never_gives_a_uidvalidity_twice(StoreFixture *f, gconstpointer unused)
{
    guint32 last = 0;

    for (guint i = 0; i < 5; i++) {
        g_autoptr(HpStoreMailbox) mailbox = NULL;
        gint64 id;

        if (i == 3)
            f->now_usec = 0; /* whatever the clock says */
        g_assert_true(hp_store_create(f->store, "a", NULL, &id, NULL));
        mailbox = hp_store_find(f->store, "a", NULL);
        g_assert_cmpuint(mailbox->uidvalidity, >, last);
        last = mailbox->uidvalidity;
        g_assert_true(hp_store_delete(f->store, "a", NULL));
    }
}

static void
renames_with_all_below(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) before = NULL;
    g_autoptr(HpStoreMailbox) after = NULL;
    g_autoptr(GError) error = NULL;
    gint64 id;

    g_assert_true(hp_store_create(f->store, "a/b/c", NULL, &id, NULL));
    g_assert_true(hp_store_create(f->store, "ab", NULL, &id, NULL));
    store_append(f, store_mailbox_id(f, "a/b/c"), "one", 0, NULL);
    before = hp_store_find(f->store, "a/b/c", NULL);
    g_assert_true(hp_store_rename(f->store, "a", "x/y", NULL));
    check_names(f, "INBOX Archive Drafts Junk Sent Trash ab x x/y x/y/b x/y/b/c");
    after = hp_store_find(f->store, "x/y/b/c", NULL);
    g_assert_cmpint(after->id, ==, before->id);
    g_assert_cmpuint(after->uidvalidity, ==, before->uidvalidity);
    g_assert_cmpuint(after->messages, ==, 1);

    g_assert_false(hp_store_rename(f->store, "x", "x/z", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED);
    g_clear_error(&error);
    g_assert_false(hp_store_rename(f->store, "x", "ab", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_false(hp_store_rename(f->store, "a", "b", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(hp_store_create(f->store, "p/q", NULL, &id, NULL));
    g_assert_true(hp_store_create(f->store, "r/q", NULL, &id, NULL));
    g_assert_true(hp_store_delete(f->store, "r", NULL));
    g_assert_false(hp_store_rename(f->store, "p", "r", &error)); /* r/q is there */
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_EXISTS);
    g_assert_cmpint(store_mailbox_id(f, "p"), >, 0);
}

static void
leaves_an_empty_inbox_when_it_is_renamed(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = NULL;
    g_autoptr(HpStoreMailbox) inbox = NULL;
    g_autoptr(HpStoreMailbox) old = NULL;
    g_autofree char *news = NULL;

    store_append(f, HP_STORE_INBOX, "one", HP_STORE_SEEN, "word");
    store_append(f, HP_STORE_INBOX, "two", 0, NULL);
    view = hp_view_open(f->store, HP_STORE_INBOX, NULL, NULL);
    g_assert_true(hp_store_rename(f->store, "INBOX", "old", NULL));
    inbox = hp_store_find(f->store, "inbox", NULL);
    old = hp_store_find(f->store, "old", NULL);
    g_assert_cmpint(inbox->id, ==, HP_STORE_INBOX);
    g_assert_cmpuint(inbox->messages, ==, 0);
    g_assert_cmpuint(inbox->uidnext, ==, 3);
    g_assert_cmpuint(old->messages, ==, 2);
    g_assert_cmpuint(old->unseen, ==, 1);
    news = store_sync(view, TRUE);
    g_assert_cmpstr(news, ==, "E1:1 E1:2");
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 2);
}

static void
deletes_with_its_mail(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gint64 id, below;

    g_assert_true(hp_store_create(f->store, "a/b", NULL, &below, NULL));
    id = store_mailbox_id(f, "a");
    store_append(f, id, "one", 0, NULL);
    store_append(f, below, "two", 0, NULL);
    g_assert_true(hp_store_delete(f->store, "a", NULL));
    check_names(f, "INBOX Archive Drafts Junk Sent Trash a/b");
    hp_store_upkeep(f->store);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM content"), ==, 1);
    g_assert_cmpint(store_ask(f, "SELECT count(*) FROM expunged"), ==, 0);
    g_assert_false(hp_store_delete(f->store, "INBOX", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED);
    g_clear_error(&error);
    g_assert_false(hp_store_delete(f->store, "a", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND);
}

static void
subscribes_to_names(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) sent = NULL;
    g_auto(GStrv) names = NULL;
    g_autofree char *text = NULL;

    g_assert_true(hp_store_set_subscribed(f->store, "not/there", TRUE, NULL));
    g_assert_true(hp_store_set_subscribed(f->store, "Sent", FALSE, NULL));
    g_assert_true(hp_store_set_subscribed(f->store, "Sent", FALSE, NULL));
    g_assert_true(hp_store_delete(f->store, "Trash", NULL));
    sent = hp_store_find(f->store, "Sent", NULL);
    g_assert_false(sent->subscribed);
    names = hp_store_subscriptions(f->store, NULL);
    text = g_strjoinv(" ", names);
    g_assert_cmpstr(text, ==, "Archive Drafts INBOX Junk Trash not/there");
}

static void
lends_the_maildrop_to_one(StoreFixture *f, gconstpointer unused)
{
    g_assert_true(hp_store_lock_maildrop(f->store, 0));
    g_assert_false(hp_store_lock_maildrop(f->store, 1000));
    hp_store_unlock_maildrop(f->store);
    g_assert_true(hp_store_lock_maildrop(f->store, 0));
    hp_store_unlock_maildrop(f->store);
}

static void
leave_maildrop(gpointer store)
{
    g_usleep(1000);
    hp_store_unlock_maildrop(store);
}

static void
waits_for_a_maildrop_that_is_left(StoreFixture *f, gconstpointer unused)
{
    HpThread *thread;

    g_assert_true(hp_store_lock_maildrop(f->store, 0));
    thread = hp_thread_start("leave", leave_maildrop, f->store, NULL);
    g_assert_true(hp_store_lock_maildrop(f->store, 60 * G_USEC_PER_SEC));
    hp_store_unlock_maildrop(f->store);
    hp_thread_join(thread);
}

#define CASE(path, name)                                                                 \
    g_test_add("/store-mailboxes/" path, StoreFixture, NULL, store_fixture_set_up, name, \
               store_fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    g_test_add_func("/store-mailboxes/knows-what-can-be-a-name",
                    knows_what_can_be_a_name);
    CASE("begins-with-those-everybody-has", begins_with_those_everybody_has);
    CASE("makes-missing-levels", makes_missing_levels);
    CASE("gives-a-special-use-to-one", gives_a_special_use_to_one);
    CASE("never-gives-a-uidvalidity-twice", never_gives_a_uidvalidity_twice);
    CASE("renames-with-all-below", renames_with_all_below);
    CASE("leaves-an-empty-inbox-when-it-is-renamed",
         leaves_an_empty_inbox_when_it_is_renamed);
    CASE("deletes-with-its-mail", deletes_with_its_mail);
    CASE("subscribes-to-names", subscribes_to_names);
    CASE("lends-the-maildrop-to-one", lends_the_maildrop_to_one);
    CASE("waits-for-a-maildrop-that-is-left", waits_for_a_maildrop_that_is_left);
    return g_test_run();
}
