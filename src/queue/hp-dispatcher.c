#include "hp-log.h"
#include "hp-queue-private.h"

#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SPREAD_USEC      (30 * G_TIME_SPAN_SECOND) /* the longest spread */
#define SPREAD_STEP_USEC (G_TIME_SPAN_SECOND / 4)
#define JUMP_USEC        (2 * G_TIME_SPAN_SECOND) /* less is the clock being disciplined */
#define FARTHEST_USEC    (5 * G_TIME_SPAN_HOUR)   /* more than the longest gap */
#define FAR_SEC          (10LL * 365 * 24 * 3600)
/* After no thread was to be had. */
#define REFUSED_USEC     (5 * G_TIME_SPAN_SECOND)
#define AGAIN_USEC       (30 * G_TIME_SPAN_SECOND) /* after something but a delivery failed */

/* Destinations; with the lock held */

static void
free_destination(gpointer data)
{
    HpDestination *destination = data;

    g_free(destination->name);
    g_free(destination);
}

GHashTable *
hp_dispatcher_new_destinations(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_destination);
}

static HpDestination *
find_destination(HpQueue *self, const char *name)
{
    HpDestination *destination = g_hash_table_lookup(self->destinations, name);

    if (destination != NULL)
        return destination;
    destination = g_new0(HpDestination, 1);
    destination->entry.place = HP_DUE_NOT_IN;
    destination->name = g_strdup(name);
    destination->due_usec = G_MAXINT64;
    g_hash_table_insert(self->destinations, destination->name, destination);
    return destination;
}

static void
place(HpQueue *self, HpDestination *destination)
{
    guint limit = destination->proven ? self->per_destination : 1;

    if (destination->due_usec == G_MAXINT64 || destination->asking > 0 ||
        destination->running >= limit)
        hp_due_heap_remove(self->heap, &destination->entry);
    else
        hp_due_heap_set(self->heap, &destination->entry, destination->due_usec);
    if (destination->due_usec == G_MAXINT64 && destination->running == 0)
        g_hash_table_remove(self->destinations, destination->name);
}

void
hp_dispatcher_note_due(HpQueue *self, const char *name, gint64 due_usec)
{
    {
        HP_LOCKED(&self->lock);
        HpDestination *destination = find_destination(self, name);

        destination->notes++;
        self->notes++;
        destination->due_usec = MIN(destination->due_usec, due_usec);
        place(self, destination);
    }
    hp_waker_ring(self->bell);
}

static void
hurry_all(HpQueue *self, gboolean spread)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    gint64 step = SPREAD_USEC / MAX(1, g_hash_table_size(self->destinations));
    gint64 wait = 0;
    GHashTableIter iter;
    gpointer value;

    self->notes++;
    g_hash_table_iter_init(&iter, self->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        HpDestination *destination = value;

        if (destination->due_usec == G_MAXINT64)
            continue;
        destination->hurry = TRUE;
        destination->notes++;
        destination->due_usec = now + wait;
        if (spread) {
            destination->proven = FALSE;
            wait += MIN(step, SPREAD_STEP_USEC);
        }
        place(self, destination);
    }
}

void
hp_dispatcher_hurry(HpQueue *self, const char *name, gboolean spread)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);

    {
        HP_LOCKED(&self->lock);
        if (name == NULL) {
            hurry_all(self, spread);
        } else {
            HpDestination *destination = find_destination(self, name);

            destination->hurry = TRUE;
            destination->notes++;
            self->notes++;
            destination->due_usec = MIN(destination->due_usec, now);
            place(self, destination);
        }
    }
    hp_waker_ring(self->bell);
}

/* Online time; with the lock held */

gint64
hp_dispatcher_online_usec(HpQueue *self)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);

    if (self->online_since_usec < 0)
        return self->online_usec;
    return self->online_usec + MAX(now - self->online_since_usec, 0);
}

void
hp_dispatcher_count_online(HpQueue *self)
{
    gboolean counts = self->link == HP_LINK_OK && self->paused_until_usec == 0;

    self->online_usec = hp_dispatcher_online_usec(self);
    self->online_since_usec =
        counts ? hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC) : -1;
}

/* What deliveries tell */

gboolean
hp_dispatcher_is_stopped(HpQueue *self, const HpDelivery *delivery)
{
    if (self->closing || self->paused_until_usec != 0)
        return TRUE;
    if (self->link == HP_LINK_OK)
        return FALSE;
    return !delivery->probe || delivery->carried > 0;
}

static void
stop_asking(HpDelivery *delivery)
{
    HpDestination *destination = delivery->destination;

    if (delivery->carried == 0 && destination->asking > 0)
        destination->asking--;
}

void
hp_dispatcher_learn_due(HpQueue *self, HpDelivery *delivery, gint64 due_usec, guint notes)
{
    HpDestination *destination = delivery->destination;

    {
        HP_LOCKED(&self->lock);
        stop_asking(delivery);
        destination->due_usec =
            destination->notes == notes ? due_usec : MIN(destination->due_usec, due_usec);
        place(self, destination);
    }
    hp_waker_ring(self->bell);
}

void
hp_dispatcher_prove(HpQueue *self, HpDelivery *delivery)
{
    gboolean news;

    {
        HP_LOCKED(&self->lock);
        news = !delivery->destination->proven;
        delivery->destination->proven = TRUE;
        delivery->destination->failed = 0;
        if (news)
            place(self, delivery->destination);
    }
    if (news)
        hp_waker_ring(self->bell);
}

void
hp_dispatcher_end_delivery(HpQueue *self, HpDelivery *delivery)
{
    {
        HP_LOCKED(&self->lock);
        stop_asking(delivery);
        delivery->destination->running--;
        self->slots[delivery->slot] = delivery->burned;
        delivery->done = TRUE;
        place(self, delivery->destination);
        delivery->destination = NULL;
    }
    hp_waker_ring(self->bell);
}

/* Starting deliveries */

static int
free_slot(HpQueue *self)
{
    for (guint i = 0; i < HP_PHASES_SLOTS; i++)
        if (!self->slots[i])
            return (int)i;
    return -1;
}

static HpDelivery *
add_delivery(HpQueue *self, HpDestination *destination, gboolean probe)
{
    HpDelivery *delivery = g_new0(HpDelivery, 1);

    delivery->queue = self;
    delivery->destination = destination;
    delivery->probe = probe;
    delivery->slot = (guint)free_slot(self);
    self->slots[delivery->slot] = TRUE;
    destination->running++;
    destination->asking++;
    place(self, destination);
    g_ptr_array_add(self->deliveries, delivery);
    return delivery;
}

static gboolean
may_start(HpQueue *self)
{
    return !self->closing && self->paused_until_usec == 0 &&
           self->deliveries->len < self->concurrency && free_slot(self) >= 0;
}

static HpDestination *
choose_due(HpQueue *self)
{
    HpDestination *first = (HpDestination *)hp_due_heap_first(self->heap);

    if (first == NULL || first->due_usec > hp_clock_now_usec(self->clock, HP_CLOCK_WALL))
        return NULL;
    return first;
}

/* The next delivery to be started, or NULL; with the lock held. */
static HpDelivery *
take_due(HpQueue *self)
{
    gboolean probe = self->link != HP_LINK_OK;
    HpDestination *chosen;

    if (!may_start(self))
        return NULL;
    chosen = probe ? hp_probe_choose(self) : choose_due(self);
    return chosen == NULL ? NULL : add_delivery(self, chosen, probe);
}

static void
start_delivery(HpQueue *self, HpDelivery *delivery)
{
    g_autoptr(GError) error = NULL;
    gint64 later = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) + REFUSED_USEC;
    HpThread *thread = hp_thread_start("delivery", hp_delivery_run, delivery, &error);
    guint notes;

    if (thread != NULL) {
        HP_LOCKED(&self->lock);
        delivery->thread = thread;
        return;
    }
    hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "%s", error->message);
    {
        HP_LOCKED(&self->lock);
        notes = delivery->destination->notes;
    }
    hp_dispatcher_learn_due(self, delivery, later, notes);
    hp_dispatcher_end_delivery(self, delivery);
}

static void
start_due(HpQueue *self)
{
    HpDelivery *delivery;

    if (!hp_db_is_writable(self->db))
        return; /* what cannot be recorded must not be tried */
    do {
        {
            HP_LOCKED(&self->lock);
            delivery = take_due(self);
        }
        if (delivery != NULL)
            start_delivery(self, delivery);
    } while (delivery != NULL);
}

/* One delivery that has ended, taken off the list; or any, to wait for the end. */
static HpDelivery *
take_ended(HpQueue *self, gboolean any)
{
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->deliveries->len; i++) {
        HpDelivery *delivery = self->deliveries->pdata[i];

        if (any || delivery->done)
            return g_ptr_array_steal_index_fast(self->deliveries, i);
    }
    return NULL;
}

static void
join_ended(HpQueue *self, gboolean all)
{
    HpDelivery *delivery;

    while ((delivery = take_ended(self, all)) != NULL) {
        if (delivery->thread != NULL)
            hp_thread_join(delivery->thread);
        g_free(delivery);
    }
}

/* Clocks */

void
hp_dispatcher_reload(HpQueue *self)
{
    HP_LOCKED(&self->lock);
    g_autoptr(GList) all = g_hash_table_get_values(self->destinations);

    self->reload = TRUE;
    for (GList *l = all; l != NULL; l = l->next) {
        HpDestination *destination = l->data;

        destination->notes++;
        destination->due_usec = G_MAXINT64;
        place(self, destination);
    }
}

/* @notes: how many there were before the database was read. Who notes something meanwhile
 * may know more than it; a delivery that comes too early finds out. */
static void
load_row(HpQueue *self, HpDbStmt *stmt, guint notes)
{
    HP_LOCKED(&self->lock);
    HpDestination *destination = find_destination(self, hp_db_text(stmt, 0));
    gint64 due = hp_db_int(stmt, 1);

    destination->notes++;
    destination->due_usec = self->notes == notes ? due : MIN(due, destination->due_usec);
    place(self, destination);
}

static guint
notes_so_far(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return self->notes;
}

gboolean
hp_dispatcher_load(HpQueue *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    guint notes = notes_so_far(self);
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT destination, min(due) FROM recipient"
                                 " WHERE due IS NOT NULL AND destination IS NOT NULL"
                                 " GROUP BY destination",
                                 "");

    while (hp_db_step(stmt, &failure))
        load_row(self, stmt, notes);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
must_reload(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return self->reload;
}

void
hp_dispatcher_back_off(HpQueue *self)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
    HP_LOCKED(&self->lock);

    self->again_usec = now + AGAIN_USEC;
}

static void
fail(HpQueue *self, const char *what, const GError *error)
{
    hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "%s: %s", what, error->message);
    hp_dispatcher_back_off(self);
}

typedef struct {
    gint64 delta_usec;
    gint64 old_now_usec; /* what the clock would say now if it had not been set */
} ClockSet;

/* What was written by the new clock before this was noticed must not move: a message that
 * by the old clock would come from the future, or be due later than any gap. Who is held
 * until a time of the user's keeps that time. */
static gboolean
shift_due(HpDbConn *conn, gpointer data, GError **error)
{
    const ClockSet *set = data;

    return hp_db_run(conn, error,
                     "UPDATE recipient SET due = due + ?1 WHERE due <= ?2"
                     " AND state IN (0, 2, 4) AND (SELECT submitted FROM message m"
                     " WHERE m.id = recipient.message) <= ?3",
                     "iii", set->delta_usec, set->old_now_usec + FARTHEST_USEC,
                     set->old_now_usec);
}

/* The wall clock was set: waiting times are what they were, so their ends move along. */
static void
look_at_clock(HpQueue *self)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    gint64 offset = now - hp_clock_now_usec(self->clock, HP_CLOCK_BOOT);
    g_autoptr(GError) error = NULL;
    ClockSet set;
    gint64 delta;

    {
        HP_LOCKED(&self->lock);
        delta = offset - self->wall_minus_boot_usec;
    }
    if (ABS(delta) <= JUMP_USEC)
        return;
    set = (ClockSet){ delta, now - delta };
    if (!hp_db_write_big(self->db, shift_due, &set, &error)) {
        fail(self, "could not move due times", error);
        return;
    }
    hp_log("queue", NULL, G_LOG_LEVEL_MESSAGE,
           "the clock was set by %" G_GINT64_FORMAT " s, due times move along",
           delta / G_USEC_PER_SEC);
    HP_LOCKED(&self->lock);
    self->wall_minus_boot_usec = offset;
    self->reload = TRUE;
}

static gboolean
absolve_work(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_rows_absolve(conn, data, error);
}

static gboolean
takes_attempts_back(HpQueue *self)
{
    HP_LOCKED(&self->lock);
    gboolean absolving = self->absolving;

    self->absolving = FALSE;
    return absolving;
}

/* The failures by which a bad line was found out were its own fault. */
static void
look_at_line(HpQueue *self)
{
    g_autoptr(GError) error = NULL;
    HpJobNow now;

    if (!takes_attempts_back(self))
        return;
    now = hp_queue_now(self);
    if (hp_db_write_big(self->db, absolve_work, &now, &error))
        return;
    fail(self, "could not take back what the line did", error);
    HP_LOCKED(&self->lock);
    self->absolving = TRUE;
}

static void
look_at_pause(HpQueue *self)
{
    gint64 until = hp_queue_paused_until(self);
    g_autoptr(GError) error = NULL;

    if (until != 0 && until <= hp_clock_now_usec(self->clock, HP_CLOCK_WALL) &&
        !hp_queue_pause(self, 0, &error))
        fail(self, "could not resume", error);
}

/* After everything that changes what is due: what the dispatcher believes must be what
 * the database says, however often that cannot be read. */
static void
look_at_due(HpQueue *self)
{
    g_autoptr(GError) error = NULL;

    if (!must_reload(self))
        return;
    if (!hp_dispatcher_load(self, &error)) {
        fail(self, "could not read what is due", error);
        return;
    }
    HP_LOCKED(&self->lock);
    self->reload = FALSE;
}

/* %FALSE if nothing can be recorded, or could not be a moment ago. */
static gboolean
may_look(HpQueue *self)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);

    if (!hp_db_is_writable(self->db))
        return FALSE;
    HP_LOCKED(&self->lock);
    if (self->again_usec > now)
        return FALSE;
    self->again_usec = 0;
    return TRUE;
}

static void
look_around(HpQueue *self)
{
    look_at_clock(self);
    look_at_pause(self);
    look_at_line(self);
    hp_line_notice_check(self);
    look_at_due(self);
}

/* Sleeping */

static gint64
next_wall_usec(HpQueue *self)
{
    HpDueEntry *first = hp_due_heap_first(self->heap);

    if (!hp_db_is_writable(self->db))
        return G_MAXINT64;
    if (self->paused_until_usec != 0)
        return self->again_usec != 0 ? G_MAXINT64 : self->paused_until_usec;
    if (first == NULL || self->deliveries->len >= self->concurrency)
        return G_MAXINT64;
    return self->link == HP_LINK_OK ? first->due_usec : hp_probe_early_usec(self);
}

static gint64
next_monotonic_usec(HpQueue *self)
{
    gint64 probe = hp_probe_next_usec(self);

    if (!hp_db_is_writable(self->db))
        return G_MAXINT64;
    /* A probe that cannot be started now is started when something has ended. */
    if (self->paused_until_usec != 0 || hp_due_heap_size(self->heap) == 0 ||
        self->deliveries->len >= self->concurrency)
        probe = G_MAXINT64;
    return MIN(probe,
               self->again_usec != 0 ? self->again_usec : hp_line_notice_next_usec(self));
}

/* A timer on the wall clock fires in time after a suspend, and, with CANCEL_ON_SET, also
 * when somebody sets the clock. */
static void
arm_timer(HpQueue *self, gint64 sleep_usec)
{
    struct itimerspec spec = { 0 };
    struct timespec now;
    gint64 at;

    clock_gettime(CLOCK_REALTIME, &now);
    at = (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
    at += sleep_usec < 0 ? FAR_SEC * G_USEC_PER_SEC
                         : MIN(sleep_usec, FAR_SEC * G_USEC_PER_SEC);
    spec.it_value.tv_sec = at / G_USEC_PER_SEC;
    spec.it_value.tv_nsec = at % G_USEC_PER_SEC * 1000;
    if (timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                        &spec, NULL) != 0)
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not set the timer: %s",
               g_strerror(errno));
}

static int
to_ms(gint64 sleep_usec)
{
    return sleep_usec < 0 ? -1 : (int)MIN((sleep_usec + 999) / 1000, G_MAXINT);
}

static void
sleep_until_due(HpQueue *self)
{
    gint64 wall;
    gint64 monotonic;
    guint64 expirations;

    {
        HP_LOCKED(&self->lock);
        if (self->closing)
            return;
        wall = next_wall_usec(self);
        monotonic = next_monotonic_usec(self);
    }
    arm_timer(self, hp_clock_sleep_usec(self->clock, HP_CLOCK_WALL, wall));
    monotonic = hp_clock_sleep_usec(self->clock, HP_CLOCK_MONOTONIC, monotonic);
    if (hp_waker_wait(self->bell, self->timer_fd, POLLIN, to_ms(monotonic)) ==
            HP_WAIT_READY &&
        read(self->timer_fd, &expirations, sizeof expirations) < 0 &&
        errno != ECANCELED && errno != EAGAIN)
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not read the timer: %s",
               g_strerror(errno));
}

static gboolean
is_closing(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return self->closing;
}

void
hp_dispatcher_run(gpointer queue)
{
    HpQueue *self = queue;

    while (!is_closing(self)) {
        join_ended(self, FALSE);
        if (may_look(self))
            look_around(self);
        start_due(self);
        sleep_until_due(self);
    }
    join_ended(self, TRUE);
}
