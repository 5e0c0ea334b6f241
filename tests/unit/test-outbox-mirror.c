#include "hp-outbox-mirror.h"

#include "daemon-fixture.h"
#include "hp-header.h"
#include "hp-store-messages.h"
#include "no-readers.h"

#include <string.h>

typedef struct {
    Fixture *f;
    HpOutboxMirror *mirror; /* (owned) */
    guint want;
    guint32 other_than;
} Case;

static HpView *
open_view(Case *c)
{
    g_autoptr(GError) error = NULL;
    HpView *view = hp_view_open(c->f->parts.store,
                                hp_outbox_mirror_table(c->mirror).mailbox, NULL, &error);

    g_assert_no_error(error);
    return view;
}

/* As many entries as wanted, and the last one is not that uid. */
static gboolean
is_as_wanted(gpointer data)
{
    Case *c = data;
    g_autoptr(HpView) view = open_view(c);
    guint32 n = hp_view_len(view);

    return n == c->want && (n == 0 || hp_view_uid(view, n) != c->other_than);
}

static guint32
wait_for_entries(Case *c, guint n, guint32 other_than)
{
    g_autoptr(HpView) view = NULL;

    c->want = n;
    c->other_than = other_than;
    fixture_wait(is_as_wanted, c);
    view = open_view(c);
    return n > 0 ? hp_view_uid(view, n) : 0;
}

static char *
field(Case *c, const char *name)
{
    g_autoptr(HpView) view = open_view(c);
    g_autoptr(GBytes) header = NULL;
    HpHeaderField found;
    HpViewEntry entry;
    gsize len;
    const char *bytes;

    g_assert_true(hp_view_get(view, hp_view_len(view), &entry));
    header = hp_store_header(c->f->parts.store, entry.content, NULL);
    bytes = g_bytes_get_data(header, &len);
    g_assert_true(hp_header_find((HpSlice){ bytes, len }, name, &found));
    return hp_header_text(found.body, 500);
}

static char *
keywords(Case *c)
{
    g_autoptr(HpView) view = open_view(c);
    HpViewEntry entry;

    g_assert_true(hp_view_get(view, hp_view_len(view), &entry));
    return g_strdup(hp_view_keywords(view, entry.keywords));
}

static void
submit(Fixture *f, const char *address)
{
    g_autofree char *id = fixture_submit(f, address);

    g_assert_nonnull(id);
}

static Case
start(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    Case c = { .f = f };

    c.mirror = hp_outbox_mirror_new(f->parts.queue, f->parts.store, &error);
    g_assert_no_error(error);
    return c;
}

static Case
start_with_one(Fixture *f)
{
    submit(f, "bob@far.example");
    return start(f);
}

static void
shows_the_queue_with_states_and_story(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    Case c = start(f);
    g_autofree char *shown_id = NULL;
    g_autofree char *subject = NULL;
    g_autofree char *recipient = NULL;
    g_autofree char *words = NULL;

    wait_for_entries(&c, 1, 0);
    shown_id = field(&c, "X-Hauspost-Id");
    subject = field(&c, "Subject");
    recipient = field(&c, "X-Hauspost-Recipient");
    words = keywords(&c);
    g_assert_cmpstr(shown_id, ==, id);
    g_assert_cmpstr(subject, ==, "test");
    g_assert_true(g_str_has_prefix(recipient, "bob@far.example; "));
    g_assert_true(g_str_has_prefix(words, "$"));
    hp_outbox_mirror_free(c.mirror);
}

static void
gives_a_new_uid_to_a_new_state(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    Case c = start(f);
    guint32 uid = wait_for_entries(&c, 1, 0);
    g_autofree char *words = NULL;
    guint n;

    g_assert_true(hp_queue_hold(f->parts.queue, id, G_MAXINT64, &n, NULL));
    hp_outbox_mirror_poke(c.mirror);
    g_assert_cmpuint(wait_for_entries(&c, 1, uid), >, uid);
    words = keywords(&c);
    g_assert_cmpstr(words, ==, "$held");
    hp_outbox_mirror_free(c.mirror);
}

static void
keeps_the_uids_over_a_restart(Fixture *f, gconstpointer data)
{
    Case c = start_with_one(f);
    guint32 uid = wait_for_entries(&c, 1, 0);

    hp_outbox_mirror_free(c.mirror);
    submit(f, "eve@far.example");
    c = start(f);
    g_assert_cmpuint(wait_for_entries(&c, 2, uid), ==, uid + 1);
    hp_outbox_mirror_free(c.mirror);
}

static void
takes_away_what_the_queue_has_no_more(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    Case c = start(f);
    guint n;

    wait_for_entries(&c, 1, 0);
    g_assert_true(hp_queue_cancel(f->parts.queue, id, &n, NULL));
    hp_outbox_mirror_poke(c.mirror);
    wait_for_entries(&c, 0, 0);
    hp_outbox_mirror_free(c.mirror);
}

static void
cancels_by_uid_and_skips_others(Fixture *f, gconstpointer data)
{
    Case c = start_with_one(f);
    guint32 uids[] = { wait_for_entries(&c, 1, 0), 4000 };
    HpOutbox table = hp_outbox_mirror_table(c.mirror);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) list = NULL;

    g_assert_true(table.cancel(table.self, uids, G_N_ELEMENTS(uids), &error));
    g_assert_no_error(error);
    list = g_variant_ref_sink(hp_queue_list(f->parts.queue, NULL, NULL));
    g_assert_cmpuint(g_variant_n_children(list), ==, 0);
    g_assert_true(table.cancel(table.self, uids, 1, &error)); /* it has gone already */
    hp_outbox_mirror_free(c.mirror);
}

static gboolean
refuse_changes(HpDbConn *conn, gpointer unused, GError **error)
{
    return hp_db_run(conn, error,
                     "CREATE TEMP TRIGGER refusal BEFORE UPDATE ON main.recipient BEGIN"
                     " SELECT raise(ABORT, 'broken'); END",
                     "");
}

/* The queue can neither change the message nor say what became of it. */
static void
cancels_nothing_that_it_cannot_read(Fixture *f, gconstpointer data)
{
    Case c = start_with_one(f);
    HpOutbox table = hp_outbox_mirror_table(c.mirror);
    HpDb *db = hp_queue_db(f->parts.queue);
    guint32 uid = wait_for_entries(&c, 1, 0);
    struct rlimit before;
    gboolean ok;

    g_assert_true(hp_db_write(db, refuse_changes, NULL, NULL));
    before = no_readers_begin(db);
    ok = table.cancel(table.self, &uid, 1, NULL);
    no_readers_end(&before);
    g_assert_false(ok);
    hp_outbox_mirror_free(c.mirror);
}

/* Another session may not have heard yet that the picture is another. */
static void
does_nothing_by_the_uid_of_an_old_picture(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    Case c = start(f);
    HpOutbox table = hp_outbox_mirror_table(c.mirror);
    guint32 old = wait_for_entries(&c, 1, 0), uid;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) list = NULL;
    guint n;

    g_assert_true(hp_queue_hold(f->parts.queue, id, G_MAXINT64, &n, NULL));
    hp_outbox_mirror_poke(c.mirror);
    uid = wait_for_entries(&c, 1, old);
    g_assert_false(table.cancel(table.self, &old, 1, &error));
    g_assert_nonnull(error);
    list = g_variant_ref_sink(hp_queue_list(f->parts.queue, NULL, NULL));
    g_assert_cmpuint(g_variant_n_children(list), ==, 1);
    g_assert_true(table.cancel(table.self, &uid, 1, NULL));
    g_assert_true(table.cancel(table.self, &old, 1, NULL)); /* nothing is left to do */
    hp_outbox_mirror_poke(c.mirror);
    wait_for_entries(&c, 0, 0);
    g_assert_true(table.cancel(table.self, &old, 1, NULL));
    hp_outbox_mirror_free(c.mirror);
}

static void
tries_again_and_takes_the_keyword_away(Fixture *f, gconstpointer data)
{
    Case c = start_with_one(f);
    guint32 uid = wait_for_entries(&c, 1, 0);
    HpOutbox table = hp_outbox_mirror_table(c.mirror);
    g_auto(GStrv) retry = g_strsplit(HP_OUTBOX_RETRY, " ", -1);
    HpStoreFlagChange flag = { .mode = HP_FLAGS_ADD,
                               .keywords = retry,
                               .unchanged_since = G_MAXUINT64 };
    g_autofree char *words = NULL;

    g_assert_true(
        hp_store_change_flags(f->parts.store, table.mailbox, &uid, 1, &flag, NULL));
    g_assert_true(table.retry(table.self, &uid, 1, NULL));
    words = keywords(&c);
    g_assert_null(strstr(words, HP_OUTBOX_RETRY));
    hp_outbox_mirror_free(c.mirror);
}

static void
is_subscribed_to(Fixture *f, gconstpointer data)
{
    Case c = start(f);
    g_auto(GStrv) names = hp_store_subscriptions(f->parts.store, NULL);

    g_assert_true(g_strv_contains((const char *const *)names, "Outbox"));
    hp_outbox_mirror_free(c.mirror);
}

static void
has_a_mailbox_that_is_neither_renamed_nor_deleted(Fixture *f, gconstpointer data)
{
    Case c = start(f);
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_store_delete(f->parts.store, "Outbox", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED);
    g_clear_error(&error);
    g_assert_false(hp_store_rename(f->parts.store, "Outbox", "Mine", &error));
    g_assert_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED);
    hp_outbox_mirror_free(c.mirror);
}

static void
removes_what_is_not_its_own(Fixture *f, gconstpointer data)
{
    Case c = start(f);
    HpOutbox table = hp_outbox_mirror_table(c.mirror);
    g_autoptr(HpContentDraft) draft = hp_store_draft(f->parts.store);
    HpStoreAppend append = { .draft = draft };
    g_autoptr(GArray) uids = NULL;

    g_assert_true(
        hp_content_draft_append(draft, HP_SLICE_LITERAL("Subject: x\r\n\r\n"), NULL));
    g_assert_true(hp_content_draft_finish(draft, NULL));
    g_assert_true(
        hp_store_append(f->parts.store, table.mailbox, &append, 1, &uids, NULL));
    hp_outbox_mirror_free(c.mirror);
    c = start(f);
    wait_for_entries(&c, 0, 0);
    hp_outbox_mirror_free(c.mirror);
}

#define CASE(name, function)                                                             \
    g_test_add("/outbox-mirror/" name, Fixture, NULL, fixture_set_up, function,          \
               fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("shows-the-queue-with-states-and-story", shows_the_queue_with_states_and_story);
    CASE("gives-a-new-uid-to-a-new-state", gives_a_new_uid_to_a_new_state);
    CASE("keeps-the-uids-over-a-restart", keeps_the_uids_over_a_restart);
    CASE("takes-away-what-the-queue-has-no-more", takes_away_what_the_queue_has_no_more);
    CASE("cancels-by-uid-and-skips-others", cancels_by_uid_and_skips_others);
    CASE("cancels-nothing-that-it-cannot-read", cancels_nothing_that_it_cannot_read);
    CASE("does-nothing-by-the-uid-of-an-old-picture",
         does_nothing_by_the_uid_of_an_old_picture);
    CASE("tries-again-and-takes-the-keyword-away",
         tries_again_and_takes_the_keyword_away);
    CASE("is-subscribed-to", is_subscribed_to);
    CASE("has-a-mailbox-that-is-neither-renamed-nor-deleted",
         has_a_mailbox_that_is_neither_renamed_nor_deleted);
    CASE("removes-what-is-not-its-own", removes_what_is_not_its_own);
    return g_test_run();
}
