#include "hp-log.h"
#include "hp-queue-private.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>

#define CARRY_MAX       200 /* messages over one connection while others wait */
#define RETRY_COMMIT_MS 2000
#define AGAIN_USEC      (30 * G_TIME_SPAN_SECOND) /* after the database failed us */
#define SENDING         (1u << HP_JOB_SENDING)

static HpDelivery *
self_of(HpCarry *carry)
{
    return carry->owner;
}

/* Wall time of the next look at the destination where this one came to nothing. */
static gint64
again_usec(const HpDelivery *self)
{
    return hp_clock_now_usec(self->queue->clock, HP_CLOCK_WALL) + AGAIN_USEC;
}

/* Claiming */

typedef struct {
    const char *destination; /* (unowned) */
    HpJobNow now;
    gboolean hurry;
    HpQueueItem *item; /* (owned) (nullable): out */
    gint64 next_due;   /* out */
} Claim;

static gboolean
claim_in_work(HpDbConn *conn, Claim *claim, GError **error)
{
    g_clear_pointer(&claim->item, hp_queue_item_free);
    if (claim->hurry &&
        !hp_rows_hurry(conn, claim->destination, claim->now.wall_usec, error))
        return FALSE;
    if (!hp_rows_claim(conn, claim->destination, &claim->now, &claim->item, error))
        return FALSE;
    return hp_rows_next_due(conn, claim->destination, &claim->next_due, error);
}

static gboolean
claim_work(HpDbConn *conn, gpointer data, GError **error)
{
    return claim_in_work(conn, data, error);
}

/* May another message be claimed? Takes the destination's hurry along. */
static gboolean
begin_claim(HpDelivery *self, Claim *claim, guint *ret_notes)
{
    HpQueue *queue = self->queue;

    claim->destination = self->carry.destination;
    claim->now = hp_queue_now(queue);
    HP_LOCKED(&queue->lock);
    if (hp_dispatcher_is_stopped(queue, self))
        return FALSE;
    if (self->carried >= CARRY_MAX && hp_due_heap_size(queue->heap) > 0)
        return FALSE;
    claim->hurry = self->destination->hurry;
    self->destination->hurry = FALSE;
    *ret_notes = self->destination->notes;
    return TRUE;
}

static void
end_claim(HpDelivery *self, Claim *claim, guint notes)
{
    HpQueue *queue = self->queue;

    self->ahead = g_steal_pointer(&claim->item);
    self->informed = TRUE;
    {
        HP_LOCKED(&queue->lock);
        self->ahead_row = self->ahead != NULL ? self->ahead->row : 0;
        self->ahead_attempt = self->ahead != NULL ? self->ahead->attempt : 0;
        self->ahead_withdrawn = FALSE;
    }
    hp_dispatcher_learn_due(queue, self, claim->next_due, notes);
}

static void
fail_claim(HpDelivery *self, Claim *claim, guint notes)
{
    g_clear_pointer(&claim->item, hp_queue_item_free);
    {
        HP_LOCKED(&self->queue->lock);
        self->destination->hurry = self->destination->hurry || claim->hurry;
    }
    self->informed = TRUE;
    hp_dispatcher_learn_due(self->queue, self, again_usec(self), notes);
}

static void
claim_first(HpDelivery *self)
{
    g_autoptr(GError) error = NULL;
    Claim claim = { 0 };
    guint notes;

    if (!begin_claim(self, &claim, &notes))
        return;
    if (hp_db_write(self->queue->db, claim_work, &claim, &error)) {
        end_claim(self, &claim, notes);
        return;
    }
    hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not record an attempt: %s",
           error->message);
    fail_claim(self, &claim, notes);
}

/* Settling */

typedef struct {
    HpQueue *queue;    /* (unowned) */
    HpQueueItem *item; /* (unowned) */
    gint64 now_usec;
    const char *destination; /* (unowned) */
    HpRouteMemory learned;   /* to be added to what is known */
    HpReports *reports;      /* (unowned) */
    Claim *claim;            /* (unowned) (nullable): the next one, with it */
} Settle;

/* What is known now and was not before. */
static HpRouteMemory
learned_since(const HpRouteMemory *before, const HpRouteMemory *now)
{
    return (HpRouteMemory){ .seen_tls = now->seen_tls && !before->seen_tls,
                            .seen_trusted = now->seen_trusted && !before->seen_trusted,
                            .refused_ipv4 = now->refused_ipv4 && !before->refused_ipv4,
                            .refused_ipv6 = now->refused_ipv6 && !before->refused_ipv6 };
}

static gboolean
is_anything(const HpRouteMemory *learned)
{
    return learned->seen_tls || learned->seen_trusted || learned->refused_ipv4 ||
           learned->refused_ipv6;
}

/* Written while the line is bad, but judged before that was known: the dispatcher has
 * taken such attempts back already, so this one is taken back here. */
static gboolean
absolve_if_late(HpDbConn *conn, HpQueue *queue, GError **error)
{
    HpJobNow now;

    if (hp_queue_is_line_good(queue))
        return TRUE;
    now = hp_queue_now(queue);
    return hp_rows_absolve(conn, &now, error);
}

static gboolean
settle_work(HpDbConn *conn, gpointer data, GError **error)
{
    Settle *settle = data;

    if (!hp_rows_save(conn, settle->item, SENDING, settle->now_usec, error))
        return FALSE;
    /* Nothing changed: the user took it back meanwhile, so there is nothing to report. */
    if (settle->item->changed > 0 &&
        !hp_reports_insert(conn, settle->item->row, settle->reports, error))
        return FALSE;
    if (is_anything(&settle->learned) &&
        !hp_rows_save_memory(conn, settle->destination, &settle->learned,
                             settle->now_usec, error))
        return FALSE;
    if (!absolve_if_late(conn, settle->queue, error))
        return FALSE;
    return settle->claim == NULL || claim_in_work(conn, settle->claim, error);
}

/* Reports first, then everything in one commit. */
static gboolean
try_commit(HpDelivery *self, Settle *settle, const HpJobTell *tells, GError **error)
{
    return hp_reports_write(self->queue, settle->item, tells, settle->reports, error) &&
           hp_db_write(self->queue->db, settle_work, settle, error);
}

/* A result must not be lost: while the disk may recover (it is full), wait. */
static gboolean
commit_result(HpDelivery *self, Settle *settle, const HpJobTell *tells)
{
    for (;;) {
        g_autoptr(GError) error = NULL;

        if (try_commit(self, settle, tells, &error))
            return TRUE;
        hp_log("queue", settle->item->carry.id, G_LOG_LEVEL_CRITICAL,
               "could not record a result: %s", error->message);
        if (!hp_db_is_writable(self->queue->db) ||
            hp_waker_wait(NULL, self->carry.abort_fd, POLLIN, RETRY_COMMIT_MS) !=
                HP_WAIT_TIMEOUT)
            return FALSE;
    }
}

/* No mail server has said anything. */
static gboolean
is_unreached(const HpReply *reply)
{
    return reply->stage <= HP_STAGE_CONNECT ||
           (reply->stage == HP_STAGE_GREETING && reply->host == NULL);
}

/* Somebody answered, but no mail server that wants us: it greeted with 5xx, or what it
 * said was not SMTP. */
static gboolean
is_road_closed(const HpReply *reply)
{
    if (reply->host != NULL)
        return reply->code >= 500;
    return reply->stage == HP_STAGE_GREETING && g_str_equal(reply->enhanced, "4.5.0");
}

static HpJobEvent
event_of(const HpCarryRecipient *recipient, gboolean line_is_good)
{
    const HpReply *reply = &recipient->reply;

    switch (recipient->outcome) {
    case HP_OUTCOME_DELIVERED:
        return HP_JOB_DELIVER;
    case HP_OUTCOME_REFUSED:
        return HP_JOB_REFUSE;
    case HP_OUTCOME_DEFERRED:
        if (!is_unreached(reply))
            return HP_JOB_DEFER;
        return line_is_good ? HP_JOB_UNREACHED : HP_JOB_NETWORK_FAIL;
    case HP_OUTCOME_NETWORK:
        return line_is_good && is_road_closed(reply) ? HP_JOB_ROAD_CLOSE
                                                     : HP_JOB_NETWORK_FAIL;
    case HP_OUTCOME_UNCERTAIN:
        return HP_JOB_LOSE_REPLY;
    case HP_OUTCOME_UNTRIED:
        break;
    }
    return HP_JOB_UNTRY;
}

/* Elements of HpJobTell, one for each recipient. */
static GArray *
judge(HpDelivery *self, HpQueueItem *item)
{
    GArray *tells = g_array_sized_new(FALSE, TRUE, sizeof(HpJobTell), item->jobs->len);
    gboolean good = hp_queue_is_line_good(self->queue);

    g_array_set_size(tells, item->jobs->len);
    for (guint i = 0; i < item->jobs->len; i++) {
        HpJobNow now = hp_queue_now(self->queue);

        hp_job_next(&g_array_index(item->jobs, HpJob, i),
                    event_of(item->carry.recipients->pdata[i], good), &now,
                    &g_array_index(tells, HpJobTell, i));
    }
    return tells;
}

static void
save_results(HpDelivery *self, HpQueueItem *item, gboolean go_on)
{
    g_autoptr(GArray) tells = judge(self, item);
    g_auto(HpReports) reports = { NULL };
    Claim claim = { 0 };
    guint notes = 0;
    gboolean claims = go_on && begin_claim(self, &claim, &notes);
    Settle settle = { .queue = self->queue,
                      .item = item,
                      .now_usec = hp_clock_now_usec(self->queue->clock, HP_CLOCK_WALL),
                      .destination = self->carry.destination,
                      .learned = learned_since(&self->known, &self->carry.memory),
                      .reports = &reports,
                      .claim = claims ? &claim : NULL };

    if (!commit_result(self, &settle, &g_array_index(tells, HpJobTell, 0))) {
        /* The slot keeps saying how far it came, for the next start. */
        self->burned = TRUE;
        if (claims)
            fail_claim(self, &claim, notes);
        return;
    }
    self->known = self->carry.memory;
    if (claims)
        end_claim(self, &claim, notes);
    if (item->changed == 0)
        return;
    hp_reports_committed(self->queue, &reports);
    hp_queue_announce_item(self->queue, item);
}

/* Sharing a failure with the others that wait for the same server */

typedef struct {
    HpQueue *queue; /* (unowned) */
    HpRowsShare rows;
} Share;

/* After a rollback it is given again as it was. */
static gboolean
share_work(HpDbConn *conn, gpointer data, GError **error)
{
    Share *share = data;
    HpRowsPlace before = share->rows.place;

    if (hp_rows_share_failure(conn, &share->rows, error) &&
        absolve_if_late(conn, share->queue, error))
        return TRUE;
    share->rows.place = before;
    return FALSE;
}

/* The server could not be reached, so nobody's mail for it can go now. */
static gboolean
is_about_destination(const HpCarryRecipient *recipient)
{
    return recipient->reply.stage <= HP_STAGE_STARTTLS &&
           (recipient->outcome == HP_OUTCOME_DEFERRED ||
            recipient->outcome == HP_OUTCOME_NETWORK);
}

static void
share_failure(HpDelivery *self, const HpCarryRecipient *recipient)
{
    HpQueue *queue = self->queue;
    Share share = { queue,
                    { self->carry.destination,
                      event_of(recipient, hp_queue_is_line_good(queue)),
                      &recipient->reply,
                      hp_queue_now(queue),
                      { 0, 0 } } };
    g_autoptr(GError) error = NULL;
    HpRowsPlace before;

    do {
        before = share.rows.place;
        share.rows.now.random = hp_queue_now(queue).random;
        if (!hp_db_write(queue->db, share_work, &share, &error)) {
            hp_log("queue", NULL, G_LOG_LEVEL_WARNING,
                   "could not put off mail for one server: %s", error->message);
            return;
        }
    } while (before.due_usec != share.rows.place.due_usec ||
             before.id != share.rows.place.id);
}

/* What is due next at the destination, read anew. */
static void
read_due(HpDelivery *self)
{
    HpQueue *queue = self->queue;
    g_autoptr(GError) error = NULL;
    gint64 due;
    guint notes;

    {
        HP_LOCKED(&queue->lock);
        if (self->destination->hurry)
            return;
        notes = self->destination->notes;
    }
    {
        g_autoptr(HpDbConn) conn = hp_db_lease(queue->db);

        if (!hp_rows_next_due(conn, self->carry.destination, &due, &error))
            due = again_usec(self);
    }
    if (error != NULL)
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not read what is due next: %s",
               error->message);
    self->informed = TRUE;
    hp_dispatcher_learn_due(queue, self, due, notes);
}

/* The story */

static const char *const event_kinds[] = {
    [HP_EVENT_LOOKED_UP] = "looked_up", [HP_EVENT_CONNECTED] = "connected",
    [HP_EVENT_SECURED] = "secured",     [HP_EVENT_SAID] = "said",
    [HP_EVENT_FAILED] = "failed",
};

static void
tell(HpCarry *carry, const HpEvent *event)
{
    HpDelivery *self = self_of(carry);
    HpRowsEvent line = { 0 };

    if (self->item == NULL)
        return;
    line.at_usec = hp_clock_now_usec(self->queue->clock, HP_CLOCK_WALL);
    line.kind = event_kinds[event->kind];
    line.stage = (int)event->stage;
    line.host = g_strdup(event->host);
    line.recipient = g_strdup(event->recipient);
    line.text = g_strdup(event->text);
    hp_queue_item_tell(self->item, &line);
    hp_rows_event_clear(&line);
}

/* The calls of the transport */

static void
leave_item(HpDelivery *self)
{
    {
        HP_LOCKED(&self->queue->lock);
        self->item_row = 0;
        self->item_attempt = 0;
    }
    if (!self->burned)
        hp_phases_begin(self->queue->phases, self->slot, 0);
    g_clear_pointer(&self->content, hp_content_close);
    g_clear_pointer(&self->item, hp_queue_item_free);
}

static void
finish_item(HpDelivery *self, gboolean go_on)
{
    const HpCarryRecipient *first = self->item->carry.recipients->pdata[0];
    gboolean unreachable = is_about_destination(first);

    self->carried++;
    if (unreachable)
        hp_probe_note_failure(self->queue, self);
    save_results(self, self->item, go_on && !unreachable);
    if (unreachable && !self->burned) {
        share_failure(self, first);
        read_due(self);
    } else if (first->outcome != HP_OUTCOME_UNTRIED) {
        hp_dispatcher_prove(self->queue, self);
    }
    leave_item(self);
}

static void
settle(HpCarry *carry, HpCarryMessage *message)
{
    HpDelivery *self = self_of(carry);

    g_assert(self->item != NULL && message == &self->item->carry);
    finish_item(self, TRUE);
}

/* What was claimed and not carried is due again. Where the user's change of it has taken
 * effect this changes nothing; where that failed it may not stay "sending" for ever. */
static void
release_ahead(HpDelivery *self)
{
    if (self->ahead == NULL)
        return;
    {
        HP_LOCKED(&self->queue->lock);
        self->ahead_row = 0;
        self->ahead_attempt = 0;
    }
    self->item = g_steal_pointer(&self->ahead);
    save_results(self, self->item, FALSE);
    leave_item(self);
    if (!self->burned)
        read_due(self);
}

/* What was claimed ahead becomes the current one. FALSE if there is none, if it was
 * called off, or if it must stay where it is. */
static gboolean
take_ahead(HpDelivery *self)
{
    HpQueue *queue = self->queue;
    HP_LOCKED(&queue->lock);

    if (self->ahead == NULL || self->ahead_withdrawn ||
        hp_dispatcher_is_stopped(queue, self))
        return FALSE;
    self->item_row = self->ahead_row;
    self->item_attempt = self->ahead_attempt;
    self->ahead_row = 0;
    self->ahead_attempt = 0;
    hp_phases_begin(queue->phases, self->slot, self->item_attempt);
    self->item = g_steal_pointer(&self->ahead);
    return TRUE;
}

/* As take_ahead(), with another one claimed in the place of each that was called off. */
static gboolean
take_next(HpDelivery *self)
{
    while (!take_ahead(self)) {
        gboolean withdrawn;

        {
            HP_LOCKED(&self->queue->lock);
            withdrawn = self->ahead != NULL && self->ahead_withdrawn;
        }
        if (!withdrawn)
            return FALSE;
        release_ahead(self);
        if (self->burned)
            return FALSE;
        claim_first(self);
    }
    return TRUE;
}

static gboolean
open_content(HpDelivery *self)
{
    g_autoptr(GError) error = NULL;

    self->content = hp_content_open(self->queue->contents, self->item->content, &error);
    if (self->content == NULL) {
        hp_log("queue", self->item->carry.id, G_LOG_LEVEL_CRITICAL,
               "could not read the message: %s", error->message);
        return FALSE;
    }
    self->item->carry.content = self->content;
    self->item->carry.read = hp_content_read;
    return TRUE;
}

/* The bytes cannot be read: the message stays, to be looked at later. */
static void
put_off_unreadable(HpDelivery *self)
{
    for (guint i = 0; i < self->item->jobs->len; i++) {
        HpCarryRecipient *recipient = self->item->carry.recipients->pdata[i];

        hp_reply_clear(&recipient->reply);
        recipient->outcome = HP_OUTCOME_DEFERRED;
        recipient->reply.stage = HP_STAGE_LOCAL;
        recipient->reply.code = 451;
        g_strlcpy(recipient->reply.enhanced, "4.3.0", sizeof recipient->reply.enhanced);
        recipient->reply.text = g_strdup(_("this computer could not read the message"));
    }
    finish_item(self, TRUE);
}

/* The transport left it without a result: its fault, unless everything ends. Not at once
 * again, so that a fault makes no storm. */
static void
settle_for_transport(HpDelivery *self, gboolean go_on)
{
    gboolean closing;

    {
        HP_LOCKED(&self->queue->lock);
        closing = self->queue->closing;
    }
    for (guint i = 0; i < self->item->jobs->len && !closing; i++) {
        HpCarryRecipient *recipient = self->item->carry.recipients->pdata[i];

        recipient->outcome = HP_OUTCOME_NETWORK;
    }
    finish_item(self, go_on);
}

static HpCarryMessage *
next(HpCarry *carry)
{
    HpDelivery *self = self_of(carry);

    if (self->item != NULL)
        settle_for_transport(self, TRUE);
    if (self->burned)
        return NULL;
    if (self->ahead == NULL && self->carried == 0)
        claim_first(self);
    while (take_next(self)) {
        if (open_content(self)) {
            hp_queue_announce(self->queue, self->item->carry.id, "sending");
            return &self->item->carry;
        }
        put_off_unreadable(self);
    }
    return NULL;
}

static gboolean
dot_begins(HpCarry *carry)
{
    HpDelivery *self = self_of(carry);

    return hp_phases_begin_dot(self->queue->phases, self->slot);
}

/* The thread */

static gboolean
load_memory(HpDelivery *self)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->queue->db);
    g_autoptr(GError) error = NULL;

    if (!hp_rows_load_memory(conn, self->carry.destination,
                             hp_clock_now_usec(self->queue->clock, HP_CLOCK_WALL),
                             &self->known, &error)) {
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING,
               "could not read what is known of a destination: %s", error->message);
        return FALSE;
    }
    self->carry.memory = self->known;
    return TRUE;
}

/* No message was asked for: see that it is not started again at once. */
static void
put_off(HpDelivery *self)
{
    guint notes;

    {
        HP_LOCKED(&self->queue->lock);
        if (hp_dispatcher_is_stopped(self->queue, self))
            return;
        notes = self->destination->notes;
    }
    hp_dispatcher_learn_due(self->queue, self, again_usec(self), notes);
}

void
hp_delivery_run(gpointer delivery)
{
    HpDelivery *self = delivery;
    HpQueue *queue = self->queue;
    g_autofree char *destination = g_strdup(self->destination->name);

    self->carry = (HpCarry){ .destination = destination,
                             .abort_fd = hp_waker_fd(queue->abort),
                             .owner = self,
                             .next = next,
                             .dot_begins = dot_begins,
                             .tell = tell,
                             .settle = settle };
    if (load_memory(self))
        queue->transport.carry(queue->transport.self, &self->carry);
    if (self->item != NULL)
        settle_for_transport(self, FALSE);
    release_ahead(self);
    if (!self->informed)
        put_off(self);
    hp_dispatcher_end_delivery(queue, self);
}
