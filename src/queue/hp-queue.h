/* hp-queue: outgoing messages: kept safe, carried out when due, returned when not.
 *
 * Threads: any, unless said otherwise. The queue owns its dispatcher, delivery and
 * hand-over threads.
 */
#pragma once

#include "hp-clock.h"
#include "hp-content.h"
#include "hp-explain.h"
#include "hp-inbox.h"
#include "hp-intake.h"
#include "hp-link-state.h"
#include "hp-transport.h"

#define HP_QUEUE_ERROR (hp_queue_error_quark())
GQuark hp_queue_error_quark(void);
typedef enum {
    HP_QUEUE_ERROR_NOT_FOUND, /* no such message, or the prefix fits several */
    HP_QUEUE_ERROR_STATE,     /* not possible in the state it is in */
    HP_QUEUE_ERROR_HELD,      /* not possible before it is released */
    HP_QUEUE_ERROR_FAILED,
} HpQueueError;

typedef struct {
    const char *state_path;   /* (unowned): for queue.db */
    int state_fd;             /* spool/ is made in it */
    const char *runtime_path; /* (unowned): for the map of phases that survives kill -9 */
    const HpClock *clock;     /* (unowned) */
    HpInbox inbox;
    HpTransport transport;
    const HpExplain *explain; /* (unowned) (nullable): the catalogue of explanations */
    const char *bounce_from_domain; /* (unowned): host name in bounces and Message-IDs */
    const char *user_address;       /* (unowned): To: of bounces */
    const char *user_name;          /* (unowned) */
    const char *language;           /* (unowned) (nullable): "de"; %NULL: the locale's */
    guint concurrency;
    guint per_destination;
    gint64 give_up_sec;
    gint64 delay_notice_sec;
    gint64 grace_sec;
    guint32 seed; /* for jitter and shuffling; 0 takes a random one */
} HpQueueOptions;

typedef struct _HpQueue HpQueue;

/* Opens queue.db and recovers: unfinished attempts become uncertain or due, hand-overs
 * are replayed. Nothing is sent before hp_queue_start(). */
HpQueue *hp_queue_open(const HpQueueOptions *options, GError **error);
gboolean hp_queue_start(HpQueue *self, GError **error);
/* Ends within 10 s: deliveries in flight may finish their dot, others stop. */
void hp_queue_close(HpQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpQueue, hp_queue_close)

/* queue.db, for hp-passwords. */
HpDb *hp_queue_db(HpQueue *self);
gboolean hp_queue_is_writable(HpQueue *self);

HpIntake hp_queue_intake(HpQueue *self);

/* New settings that may change while it runs; the language stays that of the opening. */
void hp_queue_configure(HpQueue *self, const HpQueueOptions *options);

/* Facts from outside. @moved: another network, or resumed from suspend: due at once. */
void hp_queue_set_link(HpQueue *self, HpLinkState state, gboolean moved);

/* A clock was set or the machine slept: looks again at what is due. The dispatcher
 * notices by itself when the system's clock is set; hand-moved clocks need this. */
void hp_queue_look_again(HpQueue *self);

/* Paused: nothing goes out until @until_wall_usec (G_MAXINT64: until resumed); survives a
 * restart. 0 resumes: everything is due at once, without spread. */
gboolean hp_queue_pause(HpQueue *self, gint64 until_wall_usec, GError **error);
gint64 hp_queue_paused_until(HpQueue *self); /* 0 if not paused */

/* What changed, for D-Bus; called on a thread of the queue, or that of hp_queue_pause();
 * must not block. @id: (nullable): none if the whole queue is "paused" or "running" now.
 * Setting another one waits for calls that are under way: then the former @data is used
 * no more.
 */
typedef void (*HpQueueChanged)(const char *id, const char *state, gpointer data);
void hp_queue_set_changed(HpQueue *self, HpQueueChanged changed, gpointer data);

/* Views: dictionaries with the names of the JSON interface (docs of org.hauspost
 * .Hauspost1): floating references. Ids may be unique prefixes. */
GVariant *hp_queue_list(HpQueue *self, GVariant *filter, GError **error);    /* aa{sv} */
GVariant *hp_queue_show(HpQueue *self, const char *id, GError **error);      /* a{sv} */
GVariant *hp_queue_summary(HpQueue *self, GError **error);                   /* a{sv} */
GVariant *hp_queue_history(HpQueue *self, GVariant *filter, GError **error); /* aa{sv} */
GVariant *hp_queue_stats(HpQueue *self, gint64 since_wall_usec, GError **error);
/* The bytes of a message that is still there. */
GBytes *hp_queue_export(HpQueue *self, const char *id, GError **error);

/* The whole id of the message that @id begins; (transfer full), %NULL with NOT_FOUND. */
char *hp_queue_resolve(HpQueue *self, const char *id, GError **error);

/* Changes; return the number of recipients concerned. */
gboolean hp_queue_retry(HpQueue *self, const char *id, guint *ret_n, GError **error);
gboolean hp_queue_retry_all(HpQueue *self, const char *domain, guint *ret_n,
                            GError **error);
gboolean hp_queue_hold(HpQueue *self, const char *id, gint64 until_wall_usec,
                       guint *ret_n, GError **error);
gboolean hp_queue_release(HpQueue *self, const char *id, guint *ret_n, GError **error);
gboolean hp_queue_cancel(HpQueue *self, const char *id, guint *ret_n, GError **error);

/* A step of unstaging, pruning history older than 90 days, tidying; %TRUE if there is
 * more to do, which the next call does. Blocks. */
gboolean hp_queue_upkeep(HpQueue *self);
