#include "daemon-fixture.h"

#define DAY_SEC ((gint64)86400)

static void
set_retention(Fixture *f, gint64 pop3_sec)
{
    hp_upkeep_set_retention(f->parts.upkeep, &(HpStoreRetention){ .pop3_sec = pop3_sec });
}

/* A message in INBOX that POP3 has collected now. */
static guint32
collect_one(Fixture *f)
{
    guint32 uid = fixture_deliver(f);

    g_assert_true(hp_store_mark_collected(f->parts.store, HP_STORE_INBOX, &uid, 1, NULL));
    return uid;
}

static gboolean
has_uid(Fixture *f, guint32 uid)
{
    g_autoptr(HpStoreSnapshot) snapshot =
        hp_store_snapshot(f->parts.store, HP_STORE_INBOX, NULL);

    for (guint i = 0; i < snapshot->entries->len; i++)
        if (g_array_index(snapshot->entries, HpStoreEntry, i).uid == uid)
            return TRUE;
    return FALSE;
}

typedef struct {
    Fixture *f;
    guint n;
} Length;

static gboolean
inbox_has(gpointer data)
{
    const Length *want = data;

    return fixture_inbox_len(want->f) == want->n;
}

static void
wait_inbox(Fixture *f, guint n)
{
    Length want = { f, n };

    fixture_wait(inbox_has, &want);
}

/* One message into the history: finished now. */
static void
finish_one(Fixture *f)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    guint n = 0;

    g_assert_true(hp_queue_cancel(f->parts.queue, id, &n, NULL));
    g_assert_cmpuint(n, ==, 1);
}

static guint
history_len(Fixture *f)
{
    g_autoptr(GVariant) all = hp_queue_history(f->parts.queue, NULL, NULL);

    g_variant_ref_sink(all);
    return (guint)g_variant_n_children(all);
}

static gboolean
history_is_empty(gpointer fixture)
{
    return history_len(fixture) == 0;
}

/* Time that has passed is noticed by itself only where tests may move the clock; this is
 * the call that makes the thread look. */
static void
look_again(Fixture *f, gint64 retention_sec)
{
    set_retention(f, retention_sec);
}

static void
removes_what_is_due_and_not_before(Fixture *f, gconstpointer data)
{
    guint32 older = collect_one(f), uid;

    fixture_pass(G_USEC_PER_SEC);
    uid = collect_one(f);
    fixture_deliver(f); /* never collected: stays */
    fixture_pass(30 * DAY_SEC * G_USEC_PER_SEC - G_USEC_PER_SEC);
    look_again(f, 30 * DAY_SEC);
    wait_inbox(f, 2);
    g_assert_false(has_uid(f, older));
    g_assert_true(has_uid(f, uid)); /* the round that took the older one left it */

    fixture_pass(G_USEC_PER_SEC);
    look_again(f, 30 * DAY_SEC);
    wait_inbox(f, 1);
    g_assert_false(has_uid(f, uid));
}

static void
takes_another_retention_at_once(Fixture *f, gconstpointer data)
{
    collect_one(f);
    fixture_pass(2 * DAY_SEC * G_USEC_PER_SEC);
    set_retention(f, 3 * DAY_SEC);
    set_retention(f, DAY_SEC);
    wait_inbox(f, 0);
}

static void
keeps_for_ever_without_a_retention(Fixture *f, gconstpointer data)
{
    collect_one(f);
    finish_one(f);
    fixture_pass(5000 * DAY_SEC * G_USEC_PER_SEC);
    look_again(f, 0);
    fixture_wait(history_is_empty, f); /* it has looked */
    g_clear_pointer(&f->parts.upkeep, hp_upkeep_free);
    g_assert_cmpuint(fixture_inbox_len(f), ==, 1);
}

/* Names of hand-overs that are older than 90 days are forgotten. */
static gboolean
old_is_taken_again(gpointer fixture)
{
    fixture_deliver_as(fixture, "OLD");
    return fixture_inbox_len(fixture) == 2;
}

static void
looks_after_the_databases_after_the_start(Fixture *f, gconstpointer data)
{
    finish_one(f);
    fixture_deliver_as(f, "OLD");
    fixture_deliver_as(f, "OLD");
    g_assert_cmpuint(fixture_inbox_len(f), ==, 1);
    fixture_pass(91 * DAY_SEC * G_USEC_PER_SEC);
    look_again(f, 0);
    fixture_wait(history_is_empty, f);
    fixture_wait(old_is_taken_again, f);
}

static void
looks_again_half_a_minute_after_a_change(Fixture *f, gconstpointer data)
{
    finish_one(f);
    fixture_pass(91 * DAY_SEC * G_USEC_PER_SEC);
    look_again(f, 0);
    fixture_wait(history_is_empty, f); /* the one after the start */

    finish_one(f);
    collect_one(f);
    fixture_pass(91 * DAY_SEC * G_USEC_PER_SEC);
    hp_upkeep_poke(f->parts.upkeep);
    fixture_pass(29 * G_USEC_PER_SEC);
    hp_upkeep_poke(f->parts.upkeep); /* puts nothing off */
    look_again(f, DAY_SEC);
    wait_inbox(f, 0); /* it has looked */
    g_assert_cmpuint(history_len(f), ==, 1);

    fixture_pass(G_USEC_PER_SEC);
    look_again(f, 0);
    fixture_wait(history_is_empty, f);
}

#ifdef HP_TEST_CLOCK
static void
wakes_by_itself(Fixture *f, gconstpointer data)
{
    set_retention(f, 30 * DAY_SEC);
    collect_one(f);
    finish_one(f);
    fixture_pass(31 * DAY_SEC * G_USEC_PER_SEC); /* the round after the start */
    wait_inbox(f, 0);

    collect_one(f);
    hp_upkeep_poke(f->parts.upkeep);
    fixture_pass(60 * DAY_SEC * G_USEC_PER_SEC);
    fixture_wait(history_is_empty, f);
    wait_inbox(f, 0);
}
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, run)                                                                  \
    g_test_add("/upkeep/" name, Fixture, NULL, fixture_set_up, run, fixture_tear_down)
    CASE("removes-what-is-due-and-not-before", removes_what_is_due_and_not_before);
    CASE("takes-another-retention-at-once", takes_another_retention_at_once);
    CASE("keeps-for-ever-without-a-retention", keeps_for_ever_without_a_retention);
    CASE("looks-after-the-databases-after-the-start",
         looks_after_the_databases_after_the_start);
    CASE("looks-again-half-a-minute-after-a-change",
         looks_again_half_a_minute_after_a_change);
#ifdef HP_TEST_CLOCK
    CASE("wakes-by-itself", wakes_by_itself);
#endif
    return g_test_run();
}
