/* hp-queue-private: what the modules of the queue share.
 *
 * Lock order: there is one lock. It guards the fields below its line and is never held
 * across the database, the transport, a callback or a wait.
 *
 * Threads: as each function says; the fields above the lock are immutable after opening.
 */
#pragma once

#include "hp-due-heap.h"
#include "hp-lock.h"
#include "hp-phases.h"
#include "hp-queue-rows.h"
#include "hp-queue.h"
#include "hp-thread.h"
#include "hp-waker.h"

#define HP_QUEUE_WORKING                                                                 \
    ((1u << HP_JOB_WAITING) | (1u << HP_JOB_SENDING) | (1u << HP_JOB_PACED) |            \
     (1u << HP_JOB_HELD) | (1u << HP_JOB_UNCERTAIN))

typedef struct _HpHandover HpHandover;

/* A domain that mail waits for, or that is being delivered to. */
typedef struct {
    HpDueEntry entry; /* first; in the heap while a delivery may be started */
    char *name;       /* (owned) */
    gint64 due_usec;  /* when its first recipient is due; G_MAXINT64: none */
    guint running;    /* deliveries */
    guint asking;     /* of them: not known yet whether they find mail */
    gboolean proven;  /* something got through since the line came up */
    gboolean hurry;   /* all that waits is due with the next claim */
    guint notes;      /* counts hp_dispatcher_note_due(), for whoever read before */
    guint failed;     /* number of its last failure to be reached; 0: none */
} HpDestination;

/* One call of the transport. */
typedef struct {
    HpCarry carry;              /* carry.owner leads back here */
    HpQueue *queue;             /* (unowned) */
    HpDestination *destination; /* (unowned): stays while this runs */
    HpThread *thread;           /* (owned) (nullable): joined by the dispatcher */
    guint slot;                 /* in the map of phases */
    gboolean probe;             /* one message, although the line is not ok */
    gboolean burned;            /* a result could not be recorded: the slot stays used */
    gboolean informed;          /* when its destination is due next is known */
    guint carried;              /* messages */
    HpQueueItem *item;          /* (owned) (nullable): with the transport now */
    HpQueueItem *ahead;         /* (owned) (nullable): claimed already, comes next */
    HpContent *content;         /* (owned) (nullable): of @item */
    HpRouteMemory known;        /* as saved */
    /* guarded by the queue's lock: */
    gint64 item_row;
    gint64 item_attempt;
    gint64 ahead_row;
    gint64 ahead_attempt;
    gboolean ahead_withdrawn;
    gboolean done; /* may be joined */
} HpDelivery;

struct _HpQueue {
    const HpClock *clock; /* (unowned) */
    HpInbox inbox;
    HpTransport transport;
    const HpExplain *explain; /* (unowned) (nullable) */
    HpDb *db;                 /* (owned) */
    HpContents *contents;     /* (owned) */
    HpPhases *phases;         /* (owned) */
    HpWaker *bell;            /* (owned): wakes the dispatcher */
    HpWaker *abort;           /* (owned): rung once, at the end */
    int timer_fd;             /* wall-clock timer; -1: none to be had */
    HpHandover *handover;     /* (owned) */
    HpThread *dispatcher;     /* (owned) (nullable) */
    char *uid;                /* (owned): names this queue in hand-overs */

    HpLock lock;
    /* guarded by lock: */
    GRand *rand;              /* (owned) */
    char *bounce_from_domain; /* (owned) */
    char *user_address;       /* (owned) */
    char *user_name;          /* (owned) */
    char *language;           /* (owned) */
    guint concurrency;
    guint per_destination;
    gint64 give_up_sec;
    gint64 delay_notice_sec;
    gint64 grace_sec;
    GHashTable *destinations; /* (owned): name → HpDestination (owned) */
    guint notes;              /* counts all that was noted of them, or hurried */
    HpDueHeap *heap;          /* (owned) */
    GPtrArray *deliveries;    /* (owned): HpDelivery (owned by the dispatcher) */
    gboolean slots[HP_PHASES_SLOTS];
    HpLinkState link;
    gint64 link_since_usec; /* monotonic */
    gboolean absolving;    /* it has become bad: attempts in doubt are to be taken back */
    guint probes;          /* since then */
    guint early_probes;    /* since the last of them */
    guint failures;        /* counts destinations that could not be reached */
    guint failures_before; /* of them: before we came to this network */
    gboolean probe_asked;  /* the user wants to see whether it works again */
    gboolean line_told;    /* the owner knows that the line is bad */
    gboolean line_noted;   /* meta knows since when port 25 is closed */
    gint64 line_counts_usec;     /* monotonic: it was noted up to here; -1: not yet */
    gint64 paused_until_usec;    /* wall; 0: not paused */
    gint64 online_usec;          /* until online_since */
    gint64 online_since_usec;    /* monotonic; -1: the queue cannot try now */
    gint64 wall_minus_boot_usec; /* by which due times are right */
    gboolean reload;             /* what is due where must be read anew */
    gint64 again_usec; /* monotonic: what the dispatcher does by itself has failed and
                          waits until then; 0: nothing has */
    gboolean closing;
    HpQueueChanged changed; /* (nullable) */
    gpointer changed_data;  /* (unowned) */
    guint announcing;       /* calls of it that are under way */
    HpCond announced;       /* the last of them has ended */
};

/* hp-queue.c */

/* The world now, for the schedule. Any thread. */
HpJobNow hp_queue_now(HpQueue *self);
/* Is the line believed to be all right? Any thread. */
gboolean hp_queue_is_line_good(HpQueue *self);
/* Tells the listener; @id and @state are copied by it. Any thread, no lock held. */
void hp_queue_announce(HpQueue *self, const char *id, const char *state);
/* Messages are whole once announced: every recipient of @item. */
void hp_queue_announce_item(HpQueue *self, const HpQueueItem *item);

/* hp-dispatcher.c */

/* An empty table of HpDestination. */
GHashTable *hp_dispatcher_new_destinations(void);
/* Reads from the database what is due where. */
gboolean hp_dispatcher_load(HpQueue *self, GError **error);
void hp_dispatcher_run(gpointer queue);
/* Forgets what is due where and has it read anew. On the dispatcher's thread. */
void hp_dispatcher_reload(HpQueue *self);
/* What the dispatcher does by itself has failed: it waits for half a minute. On its
 * thread. */
void hp_dispatcher_back_off(HpQueue *self);
/* Something for @destination is due at @due_usec. Any thread. */
void hp_dispatcher_note_due(HpQueue *self, const char *destination, gint64 due_usec);
/* What waits for one destination (%NULL: for all) is due now, or with @spread within 30
 * s.
 */
void hp_dispatcher_hurry(HpQueue *self, const char *destination, gboolean spread);
/* Must a delivery end after its message? Called with the lock held. */
gboolean hp_dispatcher_is_stopped(HpQueue *self, const HpDelivery *delivery);
/* A delivery has learned when its destination's next recipient is due; @notes is what
 * destination->notes was before it looked. */
void hp_dispatcher_learn_due(HpQueue *self, HpDelivery *delivery, gint64 due_usec,
                             guint notes);
/* Something came through: more deliveries at once are all right. */
void hp_dispatcher_prove(HpQueue *self, HpDelivery *delivery);
/* The delivery's thread is about to return. */
void hp_dispatcher_end_delivery(HpQueue *self, HpDelivery *delivery);
/* Online time so far; called with the lock held. */
gint64 hp_dispatcher_online_usec(HpQueue *self);
/* Starts or stops the count of online time; called with the lock held. */
void hp_dispatcher_count_online(HpQueue *self);

/* hp-probe.c: nobody but us asks whether a bad line works again, so while mail waits one
 * message now and then is tried. Offline is different: the kernel tells when that ends.
 */

/* One message is tried now although the line is bad: the user asks for it. Any thread. */
void hp_probe_ask(HpQueue *self);
/* The destination could not be reached. Any thread. */
void hp_probe_note_failure(HpQueue *self, HpDelivery *delivery);
/* How many with mail could not be since we came to this network. With the lock held. */
guint hp_probe_count_failed(HpQueue *self);
/* Monotonic time of the next probe by the clock; G_MAXINT64: none. With the lock held. */
gint64 hp_probe_next_usec(HpQueue *self);
/* Wall time of one that need not wait for it; G_MAXINT64: none. With the lock held. */
gint64 hp_probe_early_usec(HpQueue *self);
/* Where a probe is to be started now, counted as started; or NULL. With the lock held. */
HpDestination *hp_probe_choose(HpQueue *self);

/* hp-delivery.c */

void hp_delivery_run(gpointer delivery);

/* hp-queue-intake.c */

HpIntake hp_queue_make_intake(HpQueue *self);

/* hp-handover.c */

HpHandover *hp_handover_new(HpQueue *queue);
/* Starts its thread: what was left from the last run goes first. */
gboolean hp_handover_start(HpHandover *self, GError **error);
void hp_handover_stop(HpHandover *self);
void hp_handover_free(HpHandover *self);
/* There is something in the table. Any thread. */
void hp_handover_wake(HpHandover *self);

/* hp-report.c */

/* Reports that go with a change of @item, one for each kind of news. */
typedef struct {
    GPtrArray *drafts; /* (owned): HpContentDraft, finished */
} HpReports;

void hp_reports_clear(HpReports *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpReports, hp_reports_clear)
/* Writes what @tells (HpJobTell, one for each recipient) asks for and NOTIFY allows. When
 * it fails, the change must wait: a refusal without its report would be a lost message.
 * Blocks on the disk. */
gboolean hp_reports_write(HpQueue *queue, const HpQueueItem *item, const HpJobTell *tells,
                          HpReports *ret_reports, GError **error);
/* Inside an HpDbWork. */
gboolean hp_reports_insert(HpDbConn *conn, gint64 message, HpReports *reports,
                           GError **error);
/* After the commit. */
void hp_reports_committed(HpQueue *queue, HpReports *reports);

/* Adds explanation, side and advice to a dictionary: of the HP_EXPLAIN_… row @reason, or
 * if that is %NULL of @reply. */
void hp_queue_put_explanation(GVariantBuilder *builder, HpQueue *queue,
                              const char *reason, const HpReply *reply);

/* hp-queue-change.c */

/* The row of the message that @id begins; 0 with an error. Reads only. */
gint64 hp_queue_find(HpDbConn *conn, const char *id, GError **error);

/* hp-line-notice.c */

/* Looks whether the owner must be told about a bad line, or mail returned because of it.
 * On the dispatcher's thread. */
void hp_line_notice_check(HpQueue *self);
/* Monotonic time of the next look; G_MAXINT64: none. Called with the lock held. */
gint64 hp_line_notice_next_usec(HpQueue *self);
