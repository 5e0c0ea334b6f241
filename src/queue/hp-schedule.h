/* hp-schedule: when a recipient's turn comes, when to give up, whom to tell: the life of
 * one recipient of one message as a pure function.
 *
 * Two clocks count: wall time, and online time (in which the queue could have tried). A
 * night without a line uses nothing up, and a clock that jumps neither expires mail nor
 * keeps it for ever: giving up needs both.
 *
 * Threads: any; pure functions on values.
 */
#pragma once

#include <glib.h>

/* Numbers in the database: append only. "offline" is not one of them: it is how a waiting
 * recipient is shown while there is no line. */
typedef enum {
    HP_JOB_WAITING = 0,
    HP_JOB_SENDING = 1,
    HP_JOB_PACED = 2,
    HP_JOB_HELD = 3,
    HP_JOB_UNCERTAIN = 4,
    HP_JOB_DELIVERED = 5,
    HP_JOB_REFUSED = 6,
    HP_JOB_EXPIRED = 7,
    HP_JOB_CANCELLED = 8,
} HpJobState;
#define HP_JOB_N_STATES 9

/**
 * HpJobEvent:
 * @HP_JOB_CLAIM: an attempt begins
 * @HP_JOB_DELIVER: 2xx after the final dot, or handed over to INBOX
 * @HP_JOB_REFUSE: refused for good
 * @HP_JOB_DEFER: not now; a real attempt
 * @HP_JOB_NETWORK_FAIL: the line's fault; not an attempt
 * @HP_JOB_ROAD_CLOSE: the server greeted with 5xx; not an attempt and never a refusal
 * @HP_JOB_LOSE_REPLY: the final dot was begun and no reply came
 * @HP_JOB_UNTRY: claimed, but nothing was tried; due again at once
 * @HP_JOB_HOLD: the user keeps it back
 * @HP_JOB_RELEASE: the user, or the time it was held until, lets it go
 * @HP_JOB_RETRY: due now, please
 * @HP_JOB_CANCEL: the user gives it up
 * @HP_JOB_RETURN: no line to mail servers for too long: back to the sender
 * @HP_JOB_UNREACHED: as DEFER, but no mail server was reached: it counts, in doubt
 * @HP_JOB_ABSOLVE: the line turned out to be bad: an attempt in doubt that ended within
 *    the last minute and a half was the line's fault and counts no more
 */
typedef enum {
    HP_JOB_CLAIM,
    HP_JOB_DELIVER,
    HP_JOB_REFUSE,
    HP_JOB_DEFER,
    HP_JOB_NETWORK_FAIL,
    HP_JOB_ROAD_CLOSE,
    HP_JOB_LOSE_REPLY,
    HP_JOB_UNTRY,
    HP_JOB_HOLD,
    HP_JOB_RELEASE,
    HP_JOB_RETRY,
    HP_JOB_CANCEL,
    HP_JOB_RETURN,
    HP_JOB_UNREACHED,
    HP_JOB_ABSOLVE,
} HpJobEvent;
#define HP_JOB_N_EVENTS 15

/* Who must be told because of an event, if the recipient's NOTIFY wants it. */
typedef enum {
    HP_JOB_TELL_NOBODY,
    HP_JOB_TELL_SUCCESS,
    HP_JOB_TELL_FAILURE,
    HP_JOB_TELL_DELAY,
} HpJobTell;

typedef struct {
    HpJobState state;
    gint64 due_usec;       /* wall; G_MAXINT64: by itself never */
    gint64 submitted_usec; /* wall */
    gint64 online_at_usec; /* the queue's online time when it was submitted */
    guint attempts;        /* real ones */
    guint days;            /* different UTC days with a real attempt */
    gint64 last_day;       /* the latest of them, days since 1970 */
    gboolean delay_told;   /* a delay notice was written */
    gint64 doubt_usec;     /* wall: end of the latest attempt, if it is in doubt; or 0 */
    gint64 doubt_day;      /* what last_day was before it */
} HpJob;

/* How long an attempt stays in doubt: two failures within a minute mean a bad line, and
 * the first of them has to be written down as well. */
#define HP_JOB_DOUBT_USEC (90 * G_TIME_SPAN_SECOND)

/* The world at the time of an event. */
typedef struct {
    gint64 wall_usec;
    gint64 online_usec; /* the queue's online time, in all */
    gint64 give_up_sec;
    gint64 delay_notice_sec; /* 0: never */
    gint64 until_usec;       /* HOLD: wall, 0 is until released */
    guint32 random;          /* any number; it decides the jitter */
} HpJobNow;

/**
 * hp_job_next:
 * @job: changed by the event
 * @ret_tell: (out) (nullable): whom to tell
 *
 * Returns: %FALSE if @event is not possible in its state; then @job is as it was
 */
gboolean hp_job_next(HpJob *job, HpJobEvent event, const HpJobNow *now,
                     HpJobTell *ret_tell);

/**
 * hp_job_gap_usec:
 *
 * Time between two attempts of a message that could have been tried for @online_usec:
 * 5, 10, 20, 40 and 60 minutes, 2 and 3 hours, then 4 hours; ±10 % decided by @random.
 */
gint64 hp_job_gap_usec(gint64 online_usec, guint32 random);

/* Online time that @job has spent waiting; never negative. */
gint64 hp_job_online_age_usec(const HpJob *job, const HpJobNow *now);

/* Has it waited long enough (5 min) that a failed handshake may be followed by plain
 * text? */
gboolean hp_job_may_go_plain(const HpJob *job, const HpJobNow *now);

/* A due time that an unset or reset clock cannot keep away: at most one longest gap from
 * now (an uncertain one: 30 minutes). For use when the past of the clock is not known. */
gint64 hp_job_clamp_due_usec(const HpJob *job, gint64 wall_usec);

/* %TRUE for delivered, refused, expired and cancelled. */
gboolean hp_job_is_finished(HpJobState state);

/* "waiting", "sending" ...: the names in JSON; offline ones are named by the caller. */
const char *hp_job_state_name(HpJobState state);

/* A state as the database has it; one that is none (the file is damaged) is held: it
 * waits for the user, and is not sent. */
HpJobState hp_job_state_of_number(gint64 number);

/* Reverse of hp_job_state_name(); -1 if it is none. */
int hp_job_state_of_name(const char *name);
