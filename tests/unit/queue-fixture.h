/* queue-fixture: a queue with a transport, an inbox and clocks that obey the test.
 *
 * Threads: one test at a time; the fakes lock themselves.
 */
#pragma once

#include "hp-queue.h"

/* What the fake transport does with a recipient is the local part of its address:
 *   ok        delivered                  no       refused, 550 5.1.1
 *   later     deferred, 451 4.7.1        lost     uncertain
 *   down      the server is unreachable  line     the line is
 *   closed    554 as a greeting          wait     asks for the dot when the test says so
 *   gap       delivered, and the next    quiet    waits as "wait" does, and then is
 *             is asked for then                   unreachable
 *   die       the process ends before the dot, "dot": after it
 * The first recipient decides for the ones that are about the whole message. */
typedef struct {
    char *folder; /* (owned) */
    int folder_fd;
    HpQueue *queue; /* (owned) (nullable) */
} Fixture;

/* Opens and starts a queue in a new folder; its clocks stand still. */
void fixture_set_up(Fixture *self, gconstpointer data);
void fixture_tear_down(Fixture *self, gconstpointer data);

/* Closes the queue and opens it again. */
void fixture_close(Fixture *self);
void fixture_open(Fixture *self);
void fixture_start(Fixture *self);

/* Lets time pass: all clocks, and then the queue looks again. */
void fixture_pass(Fixture *self, gint64 usec);
/* Sets the wall clock alone; unseen, the queue finds out when something else wakes it. */
void fixture_set_clock(Fixture *self, gint64 delta_usec);
void fixture_set_clock_unseen(gint64 delta_usec);

/* Submits "Subject: test" to the addresses (comma-separated; "me" is local). Returns the
 * id. */
char *fixture_submit(Fixture *self, const char *sender, const char *addresses,
                     guint notify);
/* The same text so many times, one behind the other. */
char *fixture_submit_large(Fixture *self, const char *sender, const char *addresses,
                           guint notify, guint times);

/* Waits until the message's recipient number @i has the state. */
void fixture_wait_state(Fixture *self, const char *id, guint i, const char *state);

/* A value of a recipient as text; (transfer full). */
char *fixture_field(Fixture *self, const char *id, guint i, const char *key);
guint fixture_attempts(Fixture *self, const char *id, guint i);
/* Waits until its first recipient has had so many. */
void fixture_wait_attempts(Fixture *self, const char *id, guint n);

/* What came out: transactions and inbox messages so far. Waiting fails the test after
 * 20 s. */
guint fixture_carried(void);
guint fixture_inbox_len(void);
void fixture_wait_carried(guint n);
void fixture_wait_inbox(guint n);
/* Recipients of transaction @i, joined by ","; text of inbox message @i. (full) */
char *fixture_transaction(guint i);
char *fixture_inbox_text(guint i);
void fixture_refuse_inbox(gboolean refuse);
/* From the next delivery into the inbox on, once it is done, the queue cannot read. */
void fixture_break_reads_in_inbox(Fixture *self);
/* The queue cannot read its database; it still writes. */
void fixture_break_reads(Fixture *self);
void fixture_mend_reads(void);
/* No row of @table may become one with @condition, until it is mended. (Triggers are
 * switched off in our databases.) @sql: FIXTURE_BROKEN */
#define FIXTURE_BROKEN(table, condition)                                                 \
    "CREATE INDEX broken ON " table " (abs(CASE WHEN " condition                         \
    " THEN -9223372036854775808 ELSE 0 END))"
void fixture_break_writes(Fixture *self, const char *sql);
void fixture_mend_writes(Fixture *self);
/* The process ends in the middle of the next delivery into the inbox. */
void fixture_die_in_inbox(void);

/* Lets "wait" go on to its dot; the answer of dot_begins(). */
void fixture_wait_for_dot(void);
gboolean fixture_let_dot_begin(void);
void fixture_let_dot_end(void);
/* Lets "gap" and "quiet" go on; fixture_wait_for_dot() waits until they wait. */
void fixture_let_go_on(void);

/* Runs @work in a child process, which must end with @status. */
void fixture_in_child(Fixture *self, void (*work)(Fixture *self), int status);
