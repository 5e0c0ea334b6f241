/* The database fails for a while: nothing is forgotten because of it. */
#include "queue-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND G_TIME_SPAN_SECOND
#define MINUTE G_TIME_SPAN_MINUTE
#define DAY    G_TIME_SPAN_DAY
#define ANNA   "anna@example.org"

#define BEGINNING "1728000000000000" /* the fixture's clock at first: 20,000 days */

/* Files cannot be read from here on; 0: they can. */
static gint bad_sector_offset;

/* In place of libc's, for this program. */
ssize_t
pread(int fd, void *buffer, size_t size, off_t offset)
{
    gint bad = g_atomic_int_get(&bad_sector_offset);

    if (bad == 0 || offset < bad)
        return syscall(SYS_pread64, fd, buffer, size, offset);
    errno = EIO;
    return -1;
}

/* The fault has had its time to be met, and nothing was carried meanwhile. */
static void
assert_still_carried(guint n)
{
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_carried(), ==, n);
}

/* Time passes in steps of @usec until so many were carried: on a busy machine the fault
 * may be met, and the next look put off, after the first step. */
static void
pass_until_carried(Fixture *f, gint64 usec, guint n)
{
    for (guint i = 0; i < 100 && fixture_carried() < n; i++) {
        fixture_pass(f, usec);
        g_usleep(50 * 1000);
    }
    fixture_wait_carried(n);
}

/* When it is due next cannot be read after an attempt. */
static void
test_destination_is_not_forgotten(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "quiet@example.net", 0);

    fixture_wait_for_dot();
    fixture_break_reads(f);
    fixture_let_go_on();
    assert_still_carried(1);
    fixture_mend_reads();
    fixture_wait_state(f, id, 0, "waiting");
    pass_until_carried(f, 6 * MINUTE, 2);
}

/* "Never seen TLS" would be taken for what is remembered. */
static void
test_nothing_goes_without_memory(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    fixture_break_reads(f);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    assert_still_carried(0);
    fixture_mend_reads();
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 0);
    pass_until_carried(f, 31 * SECOND, 1);
    fixture_wait_state(f, id, 0, "delivered");
}

/* It is in INBOX, and who it was for cannot be read. */
static void
test_local_recipients_are_not_forgotten(Fixture *f, gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    fixture_break_reads_in_inbox(f);
    first = fixture_submit(f, ANNA, "me@localhost", 0);
    fixture_wait_inbox(1);
    assert_still_carried(0);
    fixture_mend_reads();
    second = fixture_submit(f, ANNA, "me@localhost", 0);
    fixture_wait_state(f, second, 0, "delivered");
    fixture_wait_state(f, first, 0, "delivered");
    g_assert_cmpuint(fixture_inbox_len(), ==, 2); /* not once more */
}

/* The second message was claimed with the result of the first when the user calls it off,
 * which the database does not take. */
static void
test_what_cannot_be_cancelled_goes_out(Fixture *f, gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    guint n;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    first = fixture_submit(f, ANNA, "gap@example.net", 0);
    second = fixture_submit(f, ANNA, "ok@example.net", 0);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    fixture_wait_for_dot();
    fixture_wait_state(f, second, 0, "sending");
    fixture_break_writes(f, FIXTURE_BROKEN("recipient", "state = 8"));
    g_assert_false(hp_queue_cancel(f->queue, second, &n, NULL));
    fixture_let_go_on();
    fixture_wait_state(f, second, 0, "delivered");
    fixture_wait_carried(2);
}

static void
test_what_is_cancelled_ahead_stays(Fixture *f, gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    guint n;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    first = fixture_submit(f, ANNA, "gap@example.net", 0);
    second = fixture_submit(f, ANNA, "ok@example.net", 0);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    fixture_wait_for_dot();
    g_assert_true(hp_queue_cancel(f->queue, second, &n, NULL));
    fixture_let_go_on();
    assert_still_carried(1);
    fixture_wait_state(f, second, 0, "cancelled");
}

static void
test_notice_comes_later(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    hp_queue_set_link(f->queue, HP_LINK_CAPTIVE, FALSE);
    id = fixture_submit(f, ANNA, "line@example.net", 0);
    fixture_break_writes(f, FIXTURE_BROKEN("handover", "kind = 1"));
    fixture_pass(f, 16 * MINUTE);
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
    fixture_mend_writes(f);
    fixture_pass(f, MINUTE);
    fixture_wait_inbox(1);
    fixture_pass(f, MINUTE);
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_inbox_len(), ==, 1);
}

static void
test_due_times_move_later(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_attempts(f, id, 1);
    fixture_break_writes(f, FIXTURE_BROKEN("recipient", "due < " BEGINNING));
    fixture_set_clock(f, -DAY);
    assert_still_carried(1);
    fixture_mend_writes(f);
    fixture_pass(f, 6 * MINUTE);
    fixture_wait_carried(2);
}

static void
test_attempts_are_taken_back_later(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "down@example.net", 0);

    fixture_wait_attempts(f, id, 1);
    fixture_break_writes(f, FIXTURE_BROKEN("recipient", "attempts = 0"));
    hp_queue_set_link(f->queue, HP_LINK_NO_25, FALSE);
    assert_still_carried(1);
    fixture_mend_writes(f);
    fixture_pass(f, 31 * SECOND);
    fixture_wait_attempts(f, id, 0);
}

#define CASE(name, test)                                                                 \
    g_test_add("/queue-faults/" name, Fixture, NULL, fixture_set_up, test,               \
               fixture_tear_down)

/* The end of the refused message cannot be read: its sender is told all the same. */
static void
test_a_report_needs_no_whole_original(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    g_autofree char *text = NULL;

    g_atomic_int_set(&bad_sector_offset, 350000);
    id = fixture_submit_large(f, ANNA, "no@example.net", 0, 20000);
    fixture_wait_state(f, id, 0, "refused");
    fixture_wait_inbox(1);
    g_atomic_int_set(&bad_sector_offset, 0);
    text = fixture_inbox_text(0);
    g_assert_nonnull(strstr(text, "no@example.net"));
    g_assert_nonnull(strstr(text, "text/rfc822-headers"));
    g_assert_null(strstr(text, "Hello."));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* all cases provoke warnings */
    CASE("a-destination-is-not-forgotten", test_destination_is_not_forgotten);
    CASE("nothing-goes-without-what-is-remembered", test_nothing_goes_without_memory);
    CASE("local-recipients-are-not-forgotten", test_local_recipients_are_not_forgotten);
    CASE("what-cannot-be-cancelled-goes-out", test_what_cannot_be_cancelled_goes_out);
    CASE("what-is-cancelled-ahead-stays", test_what_is_cancelled_ahead_stays);
    CASE("a-notice-comes-later", test_notice_comes_later);
    CASE("due-times-move-later", test_due_times_move_later);
    CASE("a-report-needs-no-whole-original", test_a_report_needs_no_whole_original);
    CASE("attempts-are-taken-back-later", test_attempts_are_taken_back_later);
    return g_test_run();
}
