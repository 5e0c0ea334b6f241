#include "hp-schedule.h"

#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
#define START  (1000 * DAY)

static const HpJobNow world = { .wall_usec = START + MINUTE,
                                .online_usec = MINUTE,
                                .give_up_sec = 5 * 24 * 3600,
                                .delay_notice_sec = 4 * 3600,
                                .random = 1000 };

static HpJob
job_in(HpJobState state)
{
    return (HpJob){ .state = state,
                    .due_usec = START,
                    .submitted_usec = START,
                    .attempts = 1,
                    .doubt_usec = START };
}

/* The whole table: one row a state, one letter an event in the order of HpJobEvent: the
 * first letter of the new state, "-" where the event is not possible. */
static const char *const table[HP_JOB_N_STATES] = {
    [HP_JOB_WAITING] = "sd------h-wcx-w",   [HP_JOB_SENDING] = "-drwwwuwh--c-w-",
    [HP_JOB_PACED] = "s-------h--cx--",     [HP_JOB_HELD] = "--------hw-c--h",
    [HP_JOB_UNCERTAIN] = "s-------h--cx--", [HP_JOB_DELIVERED] = "---------------",
    [HP_JOB_REFUSED] = "---------------",   [HP_JOB_EXPIRED] = "---------------",
    [HP_JOB_CANCELLED] = "---------------",
};

static const char letters[] = "wsphudrxc";

static void
test_table(void)
{
    for (int state = 0; state < HP_JOB_N_STATES; state++) {
        for (int event = 0; event < HP_JOB_N_EVENTS; event++) {
            const char *row = table[state];
            HpJob job = job_in((HpJobState)state);
            gboolean possible = hp_job_next(&job, (HpJobEvent)event, &world, NULL);

            g_test_message("%s, event %d", hp_job_state_name((HpJobState)state), event);
            g_assert_cmpint(possible, ==, row[event] != '-');
            if (possible)
                g_assert_cmpint(letters[job.state], ==, row[event]);
            else
                g_assert_cmpint(job.state, ==, state);
        }
    }
}

static void
test_gaps(void)
{
    static const struct {
        gint64 age;
        gint64 gap;
    } rows[] = {
        { 0, 5 * MINUTE },
        { 5 * MINUTE, 10 * MINUTE },
        { 15 * MINUTE, 20 * MINUTE },
        { 35 * MINUTE, 40 * MINUTE },
        { 75 * MINUTE, HOUR },
        { 135 * MINUTE, 2 * HOUR },
        { 255 * MINUTE, 3 * HOUR },
        { 435 * MINUTE, 4 * HOUR },
        { 100 * DAY, 4 * HOUR },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(hp_job_gap_usec(rows[i].age, 1000), ==, rows[i].gap);
        g_assert_cmpint(hp_job_gap_usec(rows[i].age, 0), ==, rows[i].gap * 9 / 10);
        g_assert_cmpint(hp_job_gap_usec(rows[i].age, 2000), ==, rows[i].gap * 11 / 10);
    }
}

/* With the shortest and with the longest gaps the steps come in the same order. */
static void
test_steps_with_any_jitter(void)
{
    static const gint64 gaps[] = { 5, 10, 20, 40, 60, 120, 180, 240, 240 };

    for (guint32 random = 0; random <= 2000; random += 100) {
        gint64 age = 0;

        for (guint i = 0; i < G_N_ELEMENTS(gaps); i++) {
            gint64 gap = hp_job_gap_usec(age, random);

            g_assert_cmpint(gap, >=, gaps[i] * MINUTE * 9 / 10);
            g_assert_cmpint(gap, <=, gaps[i] * MINUTE * 11 / 10);
            age += gap;
        }
    }
}

/* A job that was tried so often and long that only @now decides. */
static HpJob
old_job(void)
{
    HpJob job = job_in(HP_JOB_SENDING);

    job.attempts = 4; /* the event adds the fifth */
    job.days = 2;
    job.last_day = START / DAY + 5;
    return job;
}

static HpJobState
state_after(HpJob job, HpJobEvent event, gint64 wall_age, gint64 online_age)
{
    HpJobNow now = world;
    HpJobTell tell = HP_JOB_TELL_NOBODY;

    now.wall_usec = START + wall_age;
    now.online_usec = online_age;
    g_assert_true(hp_job_next(&job, event, &now, &tell));
    if (job.state == HP_JOB_EXPIRED)
        g_assert_cmpint(tell, ==, HP_JOB_TELL_FAILURE);
    return job.state;
}

static void
test_gives_up(void)
{
    HpJob young = old_job();
    HpJob one_day = old_job();

    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, 5 * DAY, DAY), ==,
                    HP_JOB_EXPIRED);
    g_assert_cmpint(state_after(old_job(), HP_JOB_LOSE_REPLY, 5 * DAY, DAY), ==,
                    HP_JOB_EXPIRED);
    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, 5 * DAY - 1, DAY), ==,
                    HP_JOB_WAITING);
    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, 5 * DAY, DAY - 1), ==,
                    HP_JOB_WAITING);
    young.attempts = 3;
    g_assert_cmpint(state_after(young, HP_JOB_DEFER, 5 * DAY, DAY), ==, HP_JOB_WAITING);
    one_day.days = 1;
    g_assert_cmpint(state_after(one_day, HP_JOB_DEFER, 5 * DAY, DAY), ==, HP_JOB_WAITING);
}

static void
test_network_never_expires(void)
{
    g_assert_cmpint(state_after(old_job(), HP_JOB_NETWORK_FAIL, 900 * DAY, 900 * DAY), ==,
                    HP_JOB_WAITING);
    g_assert_cmpint(state_after(old_job(), HP_JOB_UNTRY, 900 * DAY, 900 * DAY), ==,
                    HP_JOB_WAITING);
}

static void
test_closed_road_ends(void)
{
    HpJob job = job_in(HP_JOB_SENDING);

    g_assert_cmpint(state_after(job, HP_JOB_ROAD_CLOSE, 4 * DAY, 4 * DAY), ==,
                    HP_JOB_WAITING);
    g_assert_cmpint(state_after(job, HP_JOB_ROAD_CLOSE, 6 * DAY, 2 * DAY), ==,
                    HP_JOB_EXPIRED);
}

static void
test_clock_jumps(void)
{
    /* Ahead by a year: online time says no. Back by a year: online time says yes. */
    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, 365 * DAY, HOUR), ==,
                    HP_JOB_WAITING);
    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, -365 * DAY, DAY), ==,
                    HP_JOB_WAITING);
    g_assert_cmpint(state_after(old_job(), HP_JOB_DEFER, -365 * DAY, 6 * DAY), ==,
                    HP_JOB_EXPIRED);
}

static void
test_counts_attempts_and_days(void)
{
    HpJob job = { .state = HP_JOB_SENDING, .submitted_usec = START };
    HpJobNow now = world;

    hp_job_next(&job, HP_JOB_DEFER, &now, NULL);
    g_assert_cmpuint(job.attempts, ==, 1);
    g_assert_cmpuint(job.days, ==, 1);
    job.state = HP_JOB_SENDING;
    hp_job_next(&job, HP_JOB_NETWORK_FAIL, &now, NULL);
    g_assert_cmpuint(job.attempts, ==, 1);
    job.state = HP_JOB_SENDING;
    now.wall_usec += DAY;
    hp_job_next(&job, HP_JOB_DEFER, &now, NULL);
    g_assert_cmpuint(job.attempts, ==, 2);
    g_assert_cmpuint(job.days, ==, 2);
}

/* One attempt at a time of the day, which the line may be absolved of later. */
static void
attempt_at(HpJob *job, HpJobEvent event, gint64 wall_usec)
{
    HpJobNow now = world;

    now.wall_usec = wall_usec;
    job->state = HP_JOB_SENDING;
    g_assert_true(hp_job_next(job, event, &now, NULL));
}

static gboolean
absolve_at(HpJob *job, gint64 wall_usec)
{
    HpJobNow now = world;

    now.wall_usec = wall_usec;
    return hp_job_next(job, HP_JOB_ABSOLVE, &now, NULL);
}

static void
test_absolves(void)
{
    HpJob job = { .submitted_usec = START };
    HpJob before;

    /* The first attempt of all. */
    attempt_at(&job, HP_JOB_UNREACHED, START);
    g_assert_cmpuint(job.attempts, ==, 1);
    g_assert_true(absolve_at(&job, START + MINUTE));
    g_assert_cmpint(job.state, ==, HP_JOB_WAITING);
    g_assert_cmpuint(job.attempts, ==, 0);
    g_assert_cmpuint(job.days, ==, 0);
    /* Only once. */
    g_assert_false(absolve_at(&job, START + MINUTE));
    /* One on the same day, and one on the next: as if it had not been. */
    for (guint days = 0; days < 2; days++) {
        job = (HpJob){ .submitted_usec = START };
        attempt_at(&job, HP_JOB_DEFER, START);
        before = job;
        attempt_at(&job, HP_JOB_UNREACHED, START + HOUR + days * DAY);
        g_assert_cmpuint(job.days, ==, 1 + days);
        g_assert_true(absolve_at(&job, START + HOUR + days * DAY));
        g_assert_cmpuint(job.attempts, ==, before.attempts);
        g_assert_cmpuint(job.days, ==, before.days);
        g_assert_cmpint(job.last_day, ==, before.last_day);
    }
}

static void
test_absolves_of_nothing_else(void)
{
    HpJob job = { .submitted_usec = START };

    /* A server was reached; or that is long ago, or was by another clock. */
    attempt_at(&job, HP_JOB_UNREACHED, START);
    attempt_at(&job, HP_JOB_DEFER, START + MINUTE);
    g_assert_false(absolve_at(&job, START + MINUTE));
    attempt_at(&job, HP_JOB_UNREACHED, START + HOUR);
    g_assert_false(absolve_at(&job, START + HOUR + HP_JOB_DOUBT_USEC + 1));
    g_assert_false(absolve_at(&job, START));
    g_assert_cmpuint(job.attempts, ==, 3);
    /* Whose time was up has been told so. */
    g_assert_true(absolve_at(&job, START + HOUR + HP_JOB_DOUBT_USEC));
    job.state = HP_JOB_EXPIRED;
    job.doubt_usec = START;
    g_assert_false(absolve_at(&job, START));
}

static void
test_tells_of_delay_once(void)
{
    HpJob job = job_in(HP_JOB_SENDING);
    HpJobNow now = world;
    HpJobTell tell;

    now.online_usec = 4 * HOUR - 1;
    hp_job_next(&job, HP_JOB_DEFER, &now, &tell);
    g_assert_cmpint(tell, ==, HP_JOB_TELL_NOBODY);
    job.state = HP_JOB_SENDING;
    now.online_usec = 4 * HOUR;
    hp_job_next(&job, HP_JOB_DEFER, &now, &tell);
    g_assert_cmpint(tell, ==, HP_JOB_TELL_DELAY);
    job.state = HP_JOB_SENDING;
    hp_job_next(&job, HP_JOB_DEFER, &now, &tell);
    g_assert_cmpint(tell, ==, HP_JOB_TELL_NOBODY);
    job = job_in(HP_JOB_SENDING);
    now.delay_notice_sec = 0;
    hp_job_next(&job, HP_JOB_DEFER, &now, &tell);
    g_assert_cmpint(tell, ==, HP_JOB_TELL_NOBODY);
}

static void
test_uncertain_waits(void)
{
    HpJob job = job_in(HP_JOB_SENDING);

    hp_job_next(&job, HP_JOB_LOSE_REPLY, &world, NULL);
    g_assert_cmpint(job.state, ==, HP_JOB_UNCERTAIN);
    g_assert_cmpint(job.due_usec, >=, world.wall_usec + 30 * MINUTE);
    g_assert_false(hp_job_next(&job, HP_JOB_RETRY, &world, NULL));
}

static void
test_hold(void)
{
    HpJob job = job_in(HP_JOB_WAITING);
    HpJobNow now = world;

    hp_job_next(&job, HP_JOB_HOLD, &now, NULL);
    g_assert_cmpint(job.due_usec, ==, G_MAXINT64);
    now.until_usec = START + DAY;
    hp_job_next(&job, HP_JOB_HOLD, &now, NULL);
    g_assert_cmpint(job.due_usec, ==, START + DAY);
    hp_job_next(&job, HP_JOB_RELEASE, &now, NULL);
    g_assert_cmpint(job.due_usec, ==, now.wall_usec);
}

static void
test_plain(void)
{
    HpJob job = job_in(HP_JOB_SENDING);
    HpJobNow now = world;

    now.wall_usec = START + 5 * MINUTE - 1;
    g_assert_false(hp_job_may_go_plain(&job, &now));
    now.wall_usec++;
    g_assert_true(hp_job_may_go_plain(&job, &now));
}

static void
test_clamp(void)
{
    HpJob job = job_in(HP_JOB_WAITING);

    job.due_usec = START + 4 * HOUR;
    g_assert_cmpint(hp_job_clamp_due_usec(&job, START), ==, START + 4 * HOUR);
    job.due_usec = START + 5 * HOUR;
    g_assert_cmpint(hp_job_clamp_due_usec(&job, START), ==, START);
    job.state = HP_JOB_UNCERTAIN;
    g_assert_cmpint(hp_job_clamp_due_usec(&job, START), ==, START + 30 * MINUTE);
    job.state = HP_JOB_HELD;
    g_assert_cmpint(hp_job_clamp_due_usec(&job, START), ==, START + 5 * HOUR);
}

static void
test_names(void)
{
    for (int i = 0; i < HP_JOB_N_STATES; i++)
        g_assert_cmpint(hp_job_state_of_name(hp_job_state_name((HpJobState)i)), ==, i);
    g_assert_cmpint(hp_job_state_of_name("offline"), ==, -1);
    g_assert_cmpint(hp_job_state_of_number(HP_JOB_CANCELLED), ==, HP_JOB_CANCELLED);
    g_assert_cmpint(hp_job_state_of_number(HP_JOB_N_STATES), ==, HP_JOB_HELD);
    g_assert_cmpint(hp_job_state_of_number(G_MININT64), ==, HP_JOB_HELD);
    g_assert_true(hp_job_is_finished(HP_JOB_CANCELLED));
    g_assert_false(hp_job_is_finished(HP_JOB_UNCERTAIN));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schedule/every-state-and-event", test_table);
    g_test_add_func("/schedule/gaps-grow-with-online-age", test_gaps);
    g_test_add_func("/schedule/steps-survive-any-jitter", test_steps_with_any_jitter);
    g_test_add_func("/schedule/gives-up-only-when-all-agrees", test_gives_up);
    g_test_add_func("/schedule/the-network-expires-nothing", test_network_never_expires);
    g_test_add_func("/schedule/a-closed-road-ends-some-day", test_closed_road_ends);
    g_test_add_func("/schedule/clock-jumps-neither-expire-nor-block", test_clock_jumps);
    g_test_add_func("/schedule/counts-attempts-and-days", test_counts_attempts_and_days);
    g_test_add_func("/schedule/a-bad-line-takes-the-blame", test_absolves);
    g_test_add_func("/schedule/a-bad-line-takes-no-other-blame",
                    test_absolves_of_nothing_else);
    g_test_add_func("/schedule/tells-of-a-delay-once", test_tells_of_delay_once);
    g_test_add_func("/schedule/an-uncertain-one-waits-half-an-hour",
                    test_uncertain_waits);
    g_test_add_func("/schedule/holds-for-ever-or-until", test_hold);
    g_test_add_func("/schedule/plain-text-only-after-five-minutes", test_plain);
    g_test_add_func("/schedule/clamps-what-a-clock-put-far-away", test_clamp);
    g_test_add_func("/schedule/names-go-both-ways", test_names);
    return g_test_run();
}
