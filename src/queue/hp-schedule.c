#include "hp-schedule.h"

#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY

#define LONGEST_GAP    (4 * HOUR)
#define UNCERTAIN_GAP  (30 * MINUTE) /* may have arrived: not re-sent before */
#define PLAIN_AGE      (5 * MINUTE)  /* Postfix' minimal_backoff_time */
#define ENOUGH_ONLINE  DAY
#define ENOUGH_TRIES   5
#define ENOUGH_DAYS    2
#define JITTER_PERCENT 10

/* The steps leave room for the jitter of those before them: 0.9 times the sum of the gaps
 * lies above, 1.1 times below the next limit. */
static const struct {
    gint64 younger_than;
    gint64 gap;
} steps[] = {
    { 4 * MINUTE, 5 * MINUTE },    { 12 * MINUTE, 10 * MINUTE },
    { 28 * MINUTE, 20 * MINUTE },  { 60 * MINUTE, 40 * MINUTE },
    { 110 * MINUTE, 60 * MINUTE }, { 210 * MINUTE, 2 * HOUR },
    { 360 * MINUTE, 3 * HOUR },    { G_MAXINT64, LONGEST_GAP },
};

gint64
hp_job_gap_usec(gint64 online_usec, guint32 random)
{
    guint i = 0;
    gint64 tenth;

    while (online_usec >= steps[i].younger_than && i + 1 < G_N_ELEMENTS(steps))
        i++;
    tenth = steps[i].gap * JITTER_PERCENT / 100;
    return steps[i].gap - tenth + (gint64)(random % 2001) * (2 * tenth / 2000);
}

gint64
hp_job_online_age_usec(const HpJob *job, const HpJobNow *now)
{
    return MAX(now->online_usec - job->online_at_usec, 0);
}

/* A clock that was ahead when the message came must not keep it for ever: what it has
 * certainly waited online is a lower bound. */
static gint64
wall_age_usec(const HpJob *job, const HpJobNow *now)
{
    return MAX(now->wall_usec - job->submitted_usec, hp_job_online_age_usec(job, now));
}

gboolean
hp_job_may_go_plain(const HpJob *job, const HpJobNow *now)
{
    return wall_age_usec(job, now) >= PLAIN_AGE;
}

static gboolean
is_too_old(const HpJob *job, const HpJobNow *now)
{
    gint64 limit = now->give_up_sec * G_USEC_PER_SEC;

    /* Someone who gives up after an hour does not wait for a day online. */
    return wall_age_usec(job, now) >= limit &&
           hp_job_online_age_usec(job, now) >= MIN(ENOUGH_ONLINE, limit);
}

static gboolean
is_hopeless(const HpJob *job, const HpJobNow *now)
{
    guint enough_days =
        now->give_up_sec * G_USEC_PER_SEC >= ENOUGH_DAYS * DAY ? ENOUGH_DAYS : 1;

    return is_too_old(job, now) && job->attempts >= ENOUGH_TRIES &&
           job->days >= enough_days;
}

static void
count_attempt(HpJob *job, const HpJobNow *now)
{
    gint64 day = now->wall_usec / DAY;

    job->attempts++;
    job->doubt_usec = 0;
    if (job->days == 0 || day != job->last_day)
        job->days++;
    job->last_day = day;
}

static void
count_in_doubt(HpJob *job, const HpJobNow *now)
{
    gint64 before = job->last_day;

    count_attempt(job, now);
    job->doubt_usec = now->wall_usec;
    job->doubt_day = before;
}

static gboolean
is_in_doubt(const HpJob *job, const HpJobNow *now)
{
    return job->doubt_usec != 0 &&
           ABS(now->wall_usec - job->doubt_usec) <= HP_JOB_DOUBT_USEC;
}

static void
absolve(HpJob *job)
{
    job->attempts--;
    if (job->attempts == 0)
        job->days = 0;
    else if (job->last_day != job->doubt_day)
        job->days--;
    job->last_day = job->doubt_day;
    job->doubt_usec = 0;
}

static void
finish(HpJob *job, HpJobState state)
{
    job->state = state;
    job->due_usec = G_MAXINT64;
}

/* It did not work this time: wait, say that it takes long, or give up. */
static HpJobTell
postpone(HpJob *job, const HpJobNow *now, gboolean hopeless)
{
    gint64 notice = now->delay_notice_sec * G_USEC_PER_SEC;

    if (hopeless) {
        finish(job, HP_JOB_EXPIRED);
        return HP_JOB_TELL_FAILURE;
    }
    job->state = HP_JOB_WAITING;
    job->due_usec =
        now->wall_usec + hp_job_gap_usec(hp_job_online_age_usec(job, now), now->random);
    if (notice == 0 || job->delay_told || hp_job_online_age_usec(job, now) < notice)
        return HP_JOB_TELL_NOBODY;
    job->delay_told = TRUE;
    return HP_JOB_TELL_DELAY;
}

static HpJobTell
lose_reply(HpJob *job, const HpJobNow *now)
{
    HpJobTell tell;

    count_attempt(job, now);
    tell = postpone(job, now, is_hopeless(job, now));
    if (job->state == HP_JOB_EXPIRED)
        return tell;
    job->state = HP_JOB_UNCERTAIN;
    job->due_usec = MAX(job->due_usec, now->wall_usec + UNCERTAIN_GAP);
    return tell;
}

/* What an attempt led to. */
static HpJobTell
end_attempt(HpJob *job, HpJobEvent event, const HpJobNow *now)
{
    switch (event) {
    case HP_JOB_DELIVER:
        count_attempt(job, now);
        finish(job, HP_JOB_DELIVERED);
        return HP_JOB_TELL_SUCCESS;
    case HP_JOB_REFUSE:
        count_attempt(job, now);
        finish(job, HP_JOB_REFUSED);
        return HP_JOB_TELL_FAILURE;
    case HP_JOB_DEFER:
        count_attempt(job, now);
        return postpone(job, now, is_hopeless(job, now));
    case HP_JOB_UNREACHED:
        count_in_doubt(job, now);
        return postpone(job, now, is_hopeless(job, now));
    case HP_JOB_ROAD_CLOSE:
        /* The server wants no mail from here at all. It is not the message's fault, but
         * somebody must be told in the end. */
        return postpone(job, now, is_too_old(job, now));
    case HP_JOB_NETWORK_FAIL:
        return postpone(job, now, FALSE);
    case HP_JOB_LOSE_REPLY:
        return lose_reply(job, now);
    case HP_JOB_UNTRY:
    case HP_JOB_CLAIM:
    case HP_JOB_HOLD:
    case HP_JOB_RELEASE:
    case HP_JOB_RETRY:
    case HP_JOB_CANCEL:
    case HP_JOB_RETURN:
    case HP_JOB_ABSOLVE:
        break;
    }
    job->state = HP_JOB_WAITING;
    job->due_usec = now->wall_usec;
    return HP_JOB_TELL_NOBODY;
}

static HpJobTell
obey(HpJob *job, HpJobEvent event, const HpJobNow *now)
{
    switch (event) {
    case HP_JOB_CLAIM:
        finish(job, HP_JOB_SENDING);
        break;
    case HP_JOB_HOLD:
        job->state = HP_JOB_HELD;
        job->due_usec = now->until_usec != 0 ? now->until_usec : G_MAXINT64;
        break;
    case HP_JOB_CANCEL:
        finish(job, HP_JOB_CANCELLED);
        break;
    case HP_JOB_RETURN:
        finish(job, HP_JOB_EXPIRED);
        return HP_JOB_TELL_FAILURE;
    case HP_JOB_ABSOLVE:
        absolve(job);
        break;
    case HP_JOB_DELIVER:
    case HP_JOB_REFUSE:
    case HP_JOB_DEFER:
    case HP_JOB_UNREACHED:
    case HP_JOB_NETWORK_FAIL:
    case HP_JOB_ROAD_CLOSE:
    case HP_JOB_LOSE_REPLY:
    case HP_JOB_UNTRY:
    case HP_JOB_RELEASE:
    case HP_JOB_RETRY:
        return end_attempt(job, event, now);
    }
    return HP_JOB_TELL_NOBODY;
}

#define BIT(event) (1u << (event))
#define OUTCOMES                                                                         \
    (BIT(HP_JOB_DELIVER) | BIT(HP_JOB_REFUSE) | BIT(HP_JOB_DEFER) |                      \
     BIT(HP_JOB_NETWORK_FAIL) | BIT(HP_JOB_ROAD_CLOSE) | BIT(HP_JOB_LOSE_REPLY) |        \
     BIT(HP_JOB_UNTRY) | BIT(HP_JOB_UNREACHED))

/* An uncertain one may not be hurried: the peer may still be about to answer. It may be
 * cancelled, which says "treat it as sent". */
static const guint possible[HP_JOB_N_STATES] = {
    [HP_JOB_WAITING] = BIT(HP_JOB_CLAIM) | BIT(HP_JOB_HOLD) | BIT(HP_JOB_RETRY) |
                       BIT(HP_JOB_CANCEL) | BIT(HP_JOB_RETURN) | BIT(HP_JOB_DELIVER) |
                       BIT(HP_JOB_ABSOLVE),
    [HP_JOB_PACED] =
        BIT(HP_JOB_CLAIM) | BIT(HP_JOB_HOLD) | BIT(HP_JOB_CANCEL) | BIT(HP_JOB_RETURN),
    [HP_JOB_SENDING] = OUTCOMES | BIT(HP_JOB_HOLD) | BIT(HP_JOB_CANCEL),
    [HP_JOB_HELD] =
        BIT(HP_JOB_RELEASE) | BIT(HP_JOB_HOLD) | BIT(HP_JOB_CANCEL) | BIT(HP_JOB_ABSOLVE),
    [HP_JOB_UNCERTAIN] =
        BIT(HP_JOB_CLAIM) | BIT(HP_JOB_HOLD) | BIT(HP_JOB_CANCEL) | BIT(HP_JOB_RETURN),
};

gboolean
hp_job_next(HpJob *job, HpJobEvent event, const HpJobNow *now, HpJobTell *ret_tell)
{
    HpJobTell tell;

    if ((possible[job->state] & BIT(event)) == 0 ||
        (event == HP_JOB_ABSOLVE && !is_in_doubt(job, now)))
        return FALSE;
    tell = obey(job, event, now);
    if (ret_tell != NULL)
        *ret_tell = tell;
    return TRUE;
}

gint64
hp_job_clamp_due_usec(const HpJob *job, gint64 wall_usec)
{
    gint64 longest = LONGEST_GAP * (100 + JITTER_PERCENT) / 100;

    if (job->due_usec == G_MAXINT64 || job->state == HP_JOB_HELD)
        return job->due_usec;
    if (job->due_usec - wall_usec <= longest)
        return job->due_usec;
    return job->state == HP_JOB_UNCERTAIN ? wall_usec + UNCERTAIN_GAP : wall_usec;
}

gboolean
hp_job_is_finished(HpJobState state)
{
    return state >= HP_JOB_DELIVERED;
}

static const char *const names[HP_JOB_N_STATES] = {
    [HP_JOB_WAITING] = "waiting",     [HP_JOB_SENDING] = "sending",
    [HP_JOB_PACED] = "paced",         [HP_JOB_HELD] = "held",
    [HP_JOB_UNCERTAIN] = "uncertain", [HP_JOB_DELIVERED] = "delivered",
    [HP_JOB_REFUSED] = "refused",     [HP_JOB_EXPIRED] = "expired",
    [HP_JOB_CANCELLED] = "cancelled",
};

const char *
hp_job_state_name(HpJobState state)
{
    return names[state];
}

HpJobState
hp_job_state_of_number(gint64 number)
{
    return number >= 0 && number < HP_JOB_N_STATES ? (HpJobState)number : HP_JOB_HELD;
}

int
hp_job_state_of_name(const char *name)
{
    for (int i = 0; i < HP_JOB_N_STATES; i++)
        if (g_str_equal(names[i], name))
            return i;
    return -1;
}
