/* hp-queue-rows: what the queue reads from and writes into queue.db.
 *
 * Threads: as HpDbConn. Pure database work, to be called inside an HpDbWork or on a
 * leased connection (the functions that only read say so).
 */
#pragma once

#include "hp-content.h"
#include "hp-envelope.h"
#include "hp-schedule.h"
#include "hp-transport.h"

#define HP_ROWS_TRANSACTION_MAX 100 /* recipients at once; RFC 5321 §4.5.3.1.8 */

/* One line of a story, on its way into the database. */
typedef struct {
    gint64 at_usec;
    const char *kind; /* (unowned): a literal */
    int stage;        /* HpStage, -1: none */
    char *host;       /* (owned) (nullable) */
    char *recipient;  /* (owned) (nullable) */
    char *text;       /* (owned) (nullable) */
} HpRowsEvent;

/* The kind of the line that says when a recipient was done, "text": with which state.
 * There is one only for those who were done before the last one of their message. */
#define HP_ROWS_SETTLED "settled"

/* SQL: when recipient r of message m was done, wall µs. What is older than these lines
 * has the time of the end, or of its last attempt. */
#define HP_ROWS_SETTLED_AT                                                               \
    "coalesce((SELECT max(e.at) FROM event e WHERE e.message = r.message"                \
    "  AND e.kind = '" HP_ROWS_SETTLED "' AND e.recipient = r.address), m.finished,"     \
    " (SELECT a.started FROM attempt a WHERE a.id = r.attempt), m.submitted)"

void hp_rows_event_clear(gpointer event); /* a GDestroyNotify for arrays */

/* A message with those of its recipients that are worked on. */
typedef struct {
    HpCarryMessage carry; /* first, so that the transport's pointer leads back here */
    gint64 row;
    gint64 content; /* content id; 0: gone */
    gint64 attempt; /* of the claim; 0: none */
    gint64 submitted_usec;
    gint64 online_at_usec;
    char *client;       /* (owned) */
    char *subject;      /* (owned) (nullable) */
    char *message_id;   /* (owned) (nullable) */
    const char *reason; /* (unowned) (nullable): a HP_EXPLAIN_… row, if it is known */
    GArray *jobs;       /* (owned): HpJob, one for each of carry.recipients */
    GArray *events;     /* (owned): HpRowsEvent, to be written with the results */
    guint changed;      /* set by hp_rows_save() */
} HpQueueItem;

void hp_queue_item_free(HpQueueItem *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpQueueItem, hp_queue_item_free)

/* Adds a line to the item's story; at most 64 are kept for one attempt. */
void hp_queue_item_tell(HpQueueItem *self, const HpRowsEvent *event);

/* The destination of a qualified address: its domain as it is compared, lower case; NULL
 * for none. */
char *hp_rows_destination(const char *address);

/* What hp_rows_insert() puts in. */
typedef struct {
    const char *name;           /* (unowned): the id */
    const HpEnvelope *envelope; /* (unowned) */
    gint64 content;
    guint64 size;
    gint64 now_usec;
    gint64 due_usec;
    gint64 online_usec;
} HpRowsNew;

/* A new message with its recipients, and one hand-over for the local ones. CONSTRAINT if
 * the name is taken. */
gboolean hp_rows_insert(HpDbConn *conn, const HpRowsNew *message, GError **error);

/* What is asked for with one number in one row: @none if there is no such row. A failure
 * to read is not that: then it is %FALSE, and @ret_number as it was. */
gboolean hp_rows_take_number(HpDbStmt *stmt, gint64 none, gint64 *ret_number,
                             GError **error);

/* Is a name taken, by a message or by one that was pruned? Reads only. */
gboolean hp_rows_is_taken(HpDbConn *conn, const char *name, gboolean *ret_taken,
                          GError **error);

/* The message that is due first at @destination, 0 if none; reads only. */
gboolean hp_rows_first_due(HpDbConn *conn, const char *destination, gint64 now_usec,
                           gint64 *ret_row, GError **error);

/* When the next one is due there, G_MAXINT64 if none; reads only. */
gboolean hp_rows_next_due(HpDbConn *conn, const char *destination, gint64 *ret_due_usec,
                          GError **error);

/**
 * hp_rows_claim:
 * @now: for the states
 * @ret_item: (out) (transfer full): %NULL if nothing is due
 *
 * Records the attempt of the message that is due first at @destination with all its due
 * recipients there.
 */
gboolean hp_rows_claim(HpDbConn *conn, const char *destination, const HpJobNow *now,
                       HpQueueItem **ret_item, GError **error);

/* Recipients in the world, or those whose mail goes into the user's own INBOX. */
typedef enum {
    HP_ROWS_REMOTE,
    HP_ROWS_LOCAL,
} HpRowsSide;

/* The message with its recipients on one side in one of the @states (bits); %NULL without
 * an error if there is none such. Reads only. */
HpQueueItem *hp_rows_load(HpDbConn *conn, gint64 row, HpRowsSide side, guint states,
                          GError **error);

/**
 * hp_rows_save:
 * @item: its recipients' jobs, outcomes and replies, and events
 * @from_states: bits; a recipient that is in another state by now is left alone
 * @now_usec: wall
 *
 * Writes the results of an attempt or a change, and when recipients were done. A message
 * whose last recipient has finished gives up its content. item->changed is the number of
 * recipients that were not left alone.
 */
gboolean hp_rows_save(HpDbConn *conn, HpQueueItem *item, guint from_states,
                      gint64 now_usec, GError **error);

/* Everything that waits for @destination becomes due now. */
gboolean hp_rows_hurry(HpDbConn *conn, const char *destination, gint64 now_usec,
                       GError **error);

typedef struct {
    gint64 due_usec;
    gint64 id;
} HpRowsPlace;

/* A failure that is shared: */
typedef struct {
    const char *destination; /* (unowned): what could not be reached */
    HpJobEvent event;        /* of a server that was not reached, or of its road */
    const HpReply *reply;    /* (unowned): what happened, with another message */
    HpJobNow now;
    HpRowsPlace place; /* where to go on; zeroes at first */
} HpRowsShare;

/**
 * hp_rows_share_failure:
 * @share: its place moves on; it stays at the end
 *
 * What else is due at the destination shares the failure, except for recipients whose
 * turn it would be to be reported on: those get an attempt of their own. At most 256
 * recipients; call again until the place stays the same.
 */
gboolean hp_rows_share_failure(HpDbConn *conn, HpRowsShare *share, GError **error);

/* The line is bad: attempts that ended in doubt just now count no more, for anybody. */
gboolean hp_rows_absolve(HpDbConn *conn, const HpJobNow *now, GError **error);

typedef enum {
    HP_ROWS_TO_LOCAL = 0, /* the message itself, to the recipients at home */
    HP_ROWS_REPORT = 1,
} HpRowsHandoverKind;

typedef struct {
    HpRowsHandoverKind kind;
    gint64 message;     /* row; 0: about none */
    gint64 content;     /* its reference is taken over */
    const char *prefix; /* (unowned): header lines that go before the content, or "" */
} HpRowsHandover;

/* Something for INBOX. */
gboolean hp_rows_add_handover(HpDbConn *conn, const HpRowsHandover *handover,
                              GError **error);

/* What is remembered of a destination. Reads only. Without it no mail may go there: it
 * would forget that the server always had TLS. */
gboolean hp_rows_load_memory(HpDbConn *conn, const char *destination, gint64 now_usec,
                             HpRouteMemory *ret_memory, GError **error);

/* Adds @news, what a delivery has learned by itself. Others may have learned something
 * else meanwhile, and nothing is unlearned; a refused family gets another try after a
 * week. */
gboolean hp_rows_save_memory(HpDbConn *conn, const char *destination,
                             const HpRouteMemory *news, gint64 now_usec, GError **error);

/* Keeps the queue's online time, which never goes back. */
gboolean hp_rows_save_online(HpDbConn *conn, gint64 online_usec, GError **error);

/* Adds a line to a story at once. */
gboolean hp_rows_add_event(HpDbConn *conn, gint64 message, const HpRowsEvent *event,
                           GError **error);
