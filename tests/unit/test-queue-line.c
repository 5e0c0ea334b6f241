/* The line, the clocks, and crashes. */
#include "queue-fixture.h"

#include <string.h>
#include <unistd.h>

#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
#define ANNA   "anna@example.org"

static guint
count(GVariant *list)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(list);

    return (guint)g_variant_n_children(held);
}

/* Messages that the views show. */
static guint
open_messages(Fixture *f, const char *key, const char *value)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    if (key != NULL)
        g_variant_builder_add(&b, "{sv}", key, g_variant_new_string(value));
    return count(hp_queue_list(f->queue, g_variant_builder_end(&b), NULL));
}

/* Nothing comes although there is time for it: give it a chance, then look. */
static void
assert_still_carried(guint n)
{
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_carried(), ==, n);
}

static void
test_offline_costs_nothing(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    for (int i = 0; i < 72; i++)
        fixture_pass(f, HOUR);
    assert_still_carried(0);
    fixture_wait_state(f, id, 0, "offline");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
    g_assert_cmpuint(open_messages(f, "state", "offline"), ==, 1);
    g_assert_cmpuint(open_messages(f, "state", "waiting"), ==, 0);
    hp_queue_set_link(f->queue, HP_LINK_OK, TRUE);
    fixture_wait_state(f, id, 0, "delivered");
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
}

static void
test_line_back_is_due(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    while (fixture_attempts(f, id, 0) == 0)
        g_usleep(1000);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE); /* no news */
    assert_still_carried(1);
    hp_queue_set_link(f->queue, HP_LINK_OK, TRUE);
    fixture_wait_carried(2);
}

/* Three messages have failed for the @n-th time, and all is quiet again. */
static void
wait_for_attempts(Fixture *f, char *const ids[3], guint n)
{
    for (guint i = 0; i < 3; i++)
        while (fixture_attempts(f, ids[i], 0) < n)
            g_usleep(1000);
    assert_still_carried(3 * n);
}

/* Destinations have their turns one after the other; the clock stands still, so nobody's
 * comes but the first one's. What a person asks for is at once. */
static void
test_line_back_is_spread(Fixture *f, gconstpointer data)
{
    g_autofree char *one = fixture_submit(f, ANNA, "later@one.example", 0);
    g_autofree char *two = fixture_submit(f, ANNA, "later@two.example", 0);
    g_autofree char *three = fixture_submit(f, ANNA, "later@three.example", 0);
    char *const ids[3] = { one, two, three };
    g_autoptr(GError) error = NULL;
    guint n;

    wait_for_attempts(f, ids, 1);
    hp_queue_set_link(f->queue, HP_LINK_OK, TRUE);
    fixture_wait_carried(4);
    assert_still_carried(4);
    fixture_pass(f, G_TIME_SPAN_SECOND);
    wait_for_attempts(f, ids, 2);
    g_assert_true(hp_queue_retry_all(f->queue, NULL, &n, &error));
    wait_for_attempts(f, ids, 3);
    g_assert_true(hp_queue_pause(f->queue, G_MAXINT64, &error));
    g_assert_true(hp_queue_pause(f->queue, 0, &error));
    wait_for_attempts(f, ids, 4);
    g_assert_no_error(error);
}

/* What is at its dot is the probe; the others wait for how it ends. */
static void
test_one_probe_first(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 4; i++)
        g_free(fixture_submit(f, ANNA, "wait@example.net", 0));
    fixture_wait_for_dot();
    assert_still_carried(1);
    g_assert_true(fixture_let_dot_begin());
    fixture_let_dot_end();
    fixture_wait_carried(4);
}

static void
test_twenty_at_a_time(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 24; i++) {
        g_autofree char *address = g_strdup_printf("wait@host%u.example", i);

        g_free(fixture_submit(f, ANNA, address, 0));
    }
    fixture_wait_carried(20);
    assert_still_carried(20);
    g_assert_true(fixture_let_dot_begin());
    fixture_let_dot_end();
    fixture_wait_carried(24);
}

static void
test_network_counts_no_attempt(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "line@example.net", 0);

    fixture_wait_carried(1);
    fixture_wait_state(f, id, 0, "waiting");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
}

/* What failed before the line was known to be bad, failed because of it. */
static void
test_bad_line_takes_attempts_back(Fixture *f, gconstpointer data)
{
    g_autofree char *early = fixture_submit(f, ANNA, "down@example.org", 0);
    g_autofree char *down = NULL;
    g_autofree char *later = NULL;

    fixture_wait_attempts(f, early, 1);
    fixture_pass(f, 2 * MINUTE); /* alone at its time: it counts */
    down = fixture_submit(f, ANNA, "down@example.net", 0);
    later = fixture_submit(f, ANNA, "later@example.com", 0);
    fixture_wait_attempts(f, down, 1);
    fixture_wait_attempts(f, later, 1);
    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    fixture_wait_attempts(f, down, 0);
    g_assert_cmpuint(fixture_attempts(f, later, 0), ==, 1);
    g_assert_cmpuint(fixture_attempts(f, early, 0), ==, 1);
    fixture_wait_state(f, down, 0, "offline");
}

/* The same for a failure that was under way when the line was found out. */
static void
test_late_failure_is_the_lines(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    id = fixture_submit(f, ANNA, "down@example.net", 0);
    fixture_pass(f, MINUTE); /* the first probe */
    fixture_wait_carried(1);
    fixture_wait_state(f, id, 0, "offline");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
}

static void
test_clock_set(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    while (fixture_attempts(f, id, 0) < 1)
        g_usleep(1000);
    fixture_set_clock(f, 365 * DAY);
    assert_still_carried(1);
    fixture_set_clock(f, -730 * DAY);
    assert_still_carried(1);
    fixture_pass(f, 6 * MINUTE);
    fixture_wait_carried(2);
    fixture_wait_state(f, id, 0, "waiting");
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
}

/* A message comes between the setting of the clock and the queue's noticing it. */
static void
test_clock_set_under_a_message(Fixture *f, gconstpointer data)
{
    static const gint64 jumps[] = { HOUR, 365 * DAY, -730 * DAY, -MINUTE };
    g_autofree char *old = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    while (fixture_attempts(f, old, 0) < 1)
        g_usleep(1000);
    for (guint i = 0; i < G_N_ELEMENTS(jumps); i++) {
        g_autofree char *id = NULL;

        fixture_set_clock_unseen(jumps[i]);
        id = fixture_submit(f, ANNA, "ok@example.com", 0);
        fixture_wait_state(f, id, 0, "delivered");
    }
    assert_still_carried(1 + G_N_ELEMENTS(jumps));
    fixture_pass(f, 6 * MINUTE);
    fixture_wait_carried(2 + G_N_ELEMENTS(jumps));
}

static void
test_clock_lost_over_restart(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    while (fixture_attempts(f, id, 0) < 1)
        g_usleep(1000);
    fixture_close(f);
    fixture_open(f);
    fixture_set_clock(f, -365 * DAY);
    fixture_close(f);
    fixture_open(f);
    fixture_start(f);
    fixture_wait_carried(2); /* "in a year" would be never */
}

static void
test_unreachable_is_shared(Fixture *f, gconstpointer data)
{
    HpQueueOptions options = { .bounce_from_domain = "host.example",
                               .user_address = ANNA,
                               .user_name = "Anna",
                               .concurrency = 20,
                               .per_destination = 1, /* no second one beside it */
                               .give_up_sec = 5 * 24 * 3600 };
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    hp_queue_configure(f->queue, &options);
    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    first = fixture_submit(f, ANNA, "down1@example.net", 0);
    second = fixture_submit(f, ANNA, "down2@example.net", 0);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    fixture_wait_carried(1);
    while (fixture_attempts(f, first, 0) + fixture_attempts(f, second, 0) < 2)
        g_usleep(1000);
    assert_still_carried(1);
}

static void
test_closed_road_bounces_nothing(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "closed@example.net", 0);

    fixture_wait_carried(1);
    fixture_wait_state(f, id, 0, "waiting");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
}

static void
submit_lines(Fixture *f, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *to = g_strdup_printf("line@d%u.example", i);

        g_free(fixture_submit(f, ANNA, to, 0));
    }
}

static void
test_probes(Fixture *f, gconstpointer data)
{
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    one = fixture_submit(f, ANNA, "line1@example.net", 0);
    two = fixture_submit(f, ANNA, "line2@example.com", 0);
    fixture_wait_carried(2); /* each once, as nobody had failed there */
    assert_still_carried(2);
    fixture_pass(f, MINUTE);
    fixture_wait_carried(3);
    assert_still_carried(3);
    fixture_pass(f, 4 * MINUTE);
    fixture_wait_carried(4);
    assert_still_carried(4);
    fixture_wait_state(f, one, 0, "offline");
    g_assert_cmpuint(fixture_attempts(f, one, 0), ==, 0);
}

/* Dead servers that look like a closed port 25 keep no mail waiting. */
static void
test_dead_servers_hold_up_nobody(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    submit_lines(f, 2);
    fixture_wait_carried(2);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    fixture_wait_state(f, id, 0, "delivered");
}

/* Many servers that do not answer are a closed port 25 rather than dead; but who has not
 * been tried comes before those who have. */
static void
test_few_probes_come_early(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    submit_lines(f, 5);
    fixture_wait_carried(5);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    assert_still_carried(5);
    fixture_pass(f, MINUTE);
    fixture_wait_state(f, id, 0, "delivered");
    assert_still_carried(6);
}

/* A message that can still be taken back is no probe. */
static void
test_early_probe_is_due(Fixture *f, gconstpointer data)
{
    HpQueueOptions options = { .bounce_from_domain = "host.example",
                               .user_address = ANNA,
                               .user_name = "Anna",
                               .concurrency = 20,
                               .per_destination = 2,
                               .give_up_sec = 5 * 24 * 3600,
                               .grace_sec = 30 };
    g_autofree char *id = NULL;

    hp_queue_configure(f->queue, &options);
    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    assert_still_carried(0);
    fixture_pass(f, MINUTE / 2);
    fixture_wait_state(f, id, 0, "delivered");
}

static void
test_probes_when_asked(Fixture *f, gconstpointer data)
{
    g_autofree char *one = NULL;
    g_autofree char *two = NULL;
    g_autoptr(GError) error = NULL;
    guint n;

    hp_queue_set_link(f->queue, HP_LINK_CAPTIVE, FALSE);
    one = fixture_submit(f, ANNA, "line1@example.net", 0);
    two = fixture_submit(f, ANNA, "line2@example.com", 0);
    assert_still_carried(0);
    /* Whoever has just logged in to the network need not wait. */
    g_assert_true(hp_queue_retry(f->queue, one, &n, &error));
    fixture_wait_carried(1);
    fixture_wait_state(f, one, 0, "offline");
    assert_still_carried(1);
    g_assert_true(hp_queue_retry_all(f->queue, NULL, &n, &error));
    g_assert_cmpuint(n, ==, 2);
    fixture_wait_carried(2);
    assert_still_carried(2);
    /* Without a route there is nobody to be asked. */
    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    g_assert_true(hp_queue_retry_all(f->queue, NULL, &n, &error));
    assert_still_carried(2);
}

static void
test_tells_of_bad_line(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    submit_lines(f, 3);
    fixture_wait_carried(3);
    fixture_pass(f, 14 * MINUTE);
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
    fixture_pass(f, MINUTE);
    fixture_wait_inbox(1);
    text = fixture_inbox_text(0);
    g_assert_nonnull(strstr(text, "To: <anna@example.org>\r\n"));
    g_assert_nonnull(strstr(text, "port 25"));
    fixture_pass(f, 15 * MINUTE);
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_inbox_len(), ==, 1); /* once */
}

/* Two servers may be dead: nothing is said of the network until it is time to say that
 * mail waits. */
static void
test_tells_later_of_a_guess(Fixture *f, gconstpointer data)
{
    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    submit_lines(f, 2);
    fixture_wait_carried(2);
    fixture_pass(f, 3 * HOUR);
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
    fixture_pass(f, HOUR);
    fixture_wait_inbox(1);
}

static void
test_returns_after_five_days(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    g_autofree char *text = NULL;

    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    id = fixture_submit(f, ANNA, "line@example.net", 0);
    for (int hour = 0; hour < 5 * 24 - 1; hour++) {
        fixture_pass(f, HOUR);
        g_usleep(2000);
    }
    g_usleep(50 * 1000);
    fixture_wait_state(f, id, 0, "offline");
    /* On a busy machine the queue sees the first of these hours pass late. */
    for (int hour = 0; hour < 5 * 24; hour++) {
        g_autofree char *state = fixture_field(f, id, 0, "state");

        if (g_str_equal(state, "expired"))
            break;
        fixture_pass(f, HOUR);
        g_usleep(20 * 1000);
    }
    fixture_wait_state(f, id, 0, "expired");
    fixture_wait_inbox(2); /* the notice, then the message */
    text = fixture_inbox_text(1);
    g_assert_nonnull(strstr(text, "Hello."));
    g_assert_nonnull(strstr(text, "for 5 days this network"));
}

/* Somebody who gives up earlier is not told of five days. */
static void
test_says_when_it_returns(Fixture *f, gconstpointer data)
{
    HpQueueOptions options = { .bounce_from_domain = "host.example",
                               .user_address = ANNA,
                               .user_name = "Anna",
                               .concurrency = 20,
                               .per_destination = 4,
                               .give_up_sec = 36 * 3600 };
    g_autofree char *text = NULL;

    hp_queue_configure(f->queue, &options);
    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    g_free(fixture_submit(f, ANNA, "line@example.net", 0));
    fixture_pass(f, 16 * MINUTE);
    fixture_wait_inbox(1);
    text = fixture_inbox_text(0);
    g_assert_nonnull(strstr(text, "after 2 days."));
}

static const char *crash_id; /* nocheck: handed from the test to its child */

static void
submit_and_crash(Fixture *f)
{
    g_free(fixture_submit(f, ANNA, crash_id, 0));
    g_usleep(20 * G_USEC_PER_SEC);
}

static char *
only_message(Fixture *f)
{
    g_autoptr(GVariant) list = g_variant_ref_sink(hp_queue_list(f->queue, NULL, NULL));
    g_autoptr(GVariant) first = NULL;
    char *id = NULL;

    g_assert_cmpuint(g_variant_n_children(list), ==, 1);
    first = g_variant_get_child_value(list, 0);
    g_assert_true(g_variant_lookup(first, "id", "s", &id));
    return id;
}

static void
test_crash_before_dot(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    crash_id = "die@example.net";
    fixture_in_child(f, submit_and_crash, 7);
    fixture_open(f);
    id = only_message(f);
    fixture_wait_state(f, id, 0, "waiting");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
}

static void
test_crash_after_dot(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    crash_id = "dot@example.net";
    fixture_in_child(f, submit_and_crash, 8);
    fixture_open(f);
    id = only_message(f);
    fixture_wait_state(f, id, 0, "uncertain");
}

static void
test_crash_without_map(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    g_autofree char *map = g_build_filename(f->folder, "phases", NULL);

    crash_id = "die@example.net";
    fixture_in_child(f, submit_and_crash, 7);
    g_assert_cmpint(unlink(map), ==, 0);
    fixture_open(f);
    id = only_message(f);
    fixture_wait_state(f, id, 0, "uncertain");
}

static void
crash_in_inbox(Fixture *f)
{
    g_autofree char *id = NULL;

    fixture_die_in_inbox();
    id = fixture_submit(f, ANNA, "me@localhost", 0);
    g_usleep(20 * G_USEC_PER_SEC);
}

static void
test_crash_in_handover(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    fixture_in_child(f, crash_in_inbox, 9);
    fixture_open(f);
    id = only_message(f);
    fixture_wait_state(f, id, 0, "waiting");
    fixture_start(f);
    fixture_wait_inbox(1);
    fixture_wait_state(f, id, 0, "delivered");
}

#define CASE(name, test)                                                                 \
    g_test_add("/queue-line/" name, Fixture, NULL, fixture_set_up, test,                 \
               fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* some cases provoke warnings */
    CASE("offline-days-cost-nothing", test_offline_costs_nothing);
    CASE("the-line-back-makes-due", test_line_back_is_due);
    CASE("the-line-back-is-spread-and-a-person-is-not", test_line_back_is_spread);
    CASE("one-probe-for-a-destination-first", test_one_probe_first);
    CASE("twenty-at-a-time", test_twenty_at_a_time);
    CASE("the-networks-fault-is-no-attempt", test_network_counts_no_attempt);
    CASE("a-bad-line-takes-attempts-back", test_bad_line_takes_attempts_back);
    CASE("a-failure-over-a-bad-line-is-the-lines", test_late_failure_is_the_lines);
    CASE("a-set-clock-changes-no-waiting-time", test_clock_set);
    CASE("a-message-is-at-home-in-the-clock-it-came-by", test_clock_set_under_a_message);
    CASE("a-clock-gone-back-over-a-restart-blocks-nothing", test_clock_lost_over_restart);
    CASE("an-unreachable-server-is-tried-once-for-all", test_unreachable_is_shared);
    CASE("a-closed-road-bounces-nothing", test_closed_road_bounces_nothing);
    CASE("probes-a-bad-line", test_probes);
    CASE("dead-servers-hold-up-nobody", test_dead_servers_hold_up_nobody);
    CASE("few-probes-come-early", test_few_probes_come_early);
    CASE("an-early-probe-is-due", test_early_probe_is_due);
    CASE("probes-a-bad-line-when-asked-to", test_probes_when_asked);
    CASE("tells-of-a-bad-line-once", test_tells_of_bad_line);
    CASE("tells-later-of-a-guess", test_tells_later_of_a_guess);
    CASE("returns-mail-after-five-days-without-port-25", test_returns_after_five_days);
    CASE("says-when-it-returns", test_says_when_it_returns);
    CASE("crash-before-the-dot-is-due-again", test_crash_before_dot);
    CASE("crash-after-the-dot-is-uncertain", test_crash_after_dot);
    CASE("crash-without-its-map-is-uncertain", test_crash_without_map);
    CASE("crash-in-a-hand-over-is-replayed", test_crash_in_handover);
    return g_test_run();
}
