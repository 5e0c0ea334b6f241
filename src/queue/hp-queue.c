#include "hp-queue.h"

#include "hp-fs.h"
#include "hp-log.h"
#include "hp-queue-private.h"
#include "hp-queue-schema.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

G_DEFINE_QUARK(hp - queue - error - quark, hp_queue_error)

/* What other modules ask */

HpJobNow
hp_queue_now(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return (HpJobNow){ .wall_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL),
                       .online_usec = hp_dispatcher_online_usec(self),
                       .give_up_sec = self->give_up_sec,
                       .delay_notice_sec = self->delay_notice_sec,
                       .random = g_rand_int(self->rand) };
}

gboolean
hp_queue_is_line_good(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return self->link == HP_LINK_OK;
}

void
hp_queue_announce(HpQueue *self, const char *id, const char *state)
{
    HpQueueChanged changed;
    gpointer data;

    {
        HP_LOCKED(&self->lock);
        changed = self->changed;
        data = self->changed_data;
        self->announcing += changed != NULL;
    }
    if (changed == NULL)
        return;
    changed(id, state, data);
    HP_LOCKED(&self->lock);
    if (--self->announcing == 0)
        hp_cond_broadcast(&self->announced);
}

void
hp_queue_announce_item(HpQueue *self, const HpQueueItem *item)
{
    guint told = 0;

    for (guint i = 0; i < item->jobs->len; i++) {
        HpJobState state = g_array_index(item->jobs, HpJob, i).state;

        if ((told & (1u << state)) == 0)
            hp_queue_announce(self, item->carry.id, hp_job_state_name(state));
        told |= 1u << state;
    }
}

void
hp_queue_set_changed(HpQueue *self, HpQueueChanged changed, gpointer data)
{
    HP_LOCKED(&self->lock);

    self->changed = changed;
    self->changed_data = data;
    while (self->announcing > 0)
        hp_cond_wait_until(&self->announced, &self->lock, -1);
}

HpDb *
hp_queue_db(HpQueue *self)
{
    return self->db;
}

gboolean
hp_queue_is_writable(HpQueue *self)
{
    return hp_db_is_writable(self->db);
}

HpIntake
hp_queue_intake(HpQueue *self)
{
    return hp_queue_make_intake(self);
}

/* Settings, line and pause */

void
hp_queue_configure(HpQueue *self, const HpQueueOptions *options)
{
    const char *language = options->language != NULL && options->language[0] != '\0'
                               ? options->language
                               : g_get_language_names()[0];

    {
        HP_LOCKED(&self->lock);
        g_free(self->bounce_from_domain);
        g_free(self->user_address);
        g_free(self->user_name);
        self->bounce_from_domain = g_strdup(options->bounce_from_domain);
        self->user_address = g_strdup(options->user_address);
        self->user_name = g_strdup(options->user_name);
        /* gettext's language does not change either: a report speaks one of them. */
        if (self->language == NULL)
            self->language = g_strdup(language);
        self->concurrency = CLAMP(options->concurrency, 1, HP_PHASES_SLOTS);
        self->per_destination = MAX(options->per_destination, 1);
        self->give_up_sec = options->give_up_sec;
        self->delay_notice_sec = options->delay_notice_sec;
        self->grace_sec = options->grace_sec;
    }
    hp_waker_ring(self->bell);
}

void
hp_queue_look_again(HpQueue *self)
{
    hp_waker_ring(self->bell);
}

void
hp_queue_set_link(HpQueue *self, HpLinkState state, gboolean moved)
{
    gboolean ready;

    {
        HP_LOCKED(&self->lock);
        gboolean changed = state != self->link;

        ready = state == HP_LINK_OK && (changed || moved);
        self->link = state;
        self->absolving = self->absolving || (changed && state != HP_LINK_OK);
        hp_dispatcher_count_online(self);
        if (changed || moved) {
            self->link_since_usec = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
            self->probes = 0;
            self->early_probes = 0;
            self->probe_asked = FALSE;
            self->line_counts_usec = -1;
        }
        if (moved)
            self->failures_before = self->failures;
    }
    if (ready)
        hp_dispatcher_hurry(self, NULL, TRUE);
    else
        hp_waker_ring(self->bell);
}

static gboolean
pause_work(HpDbConn *conn, gpointer data, GError **error)
{
    const gint64 *until = data;

    return hp_db_run(conn, error, "UPDATE meta SET paused_until = ?1", "i", *until);
}

gboolean
hp_queue_pause(HpQueue *self, gint64 until_wall_usec, GError **error)
{
    gboolean resumed;

    if (!hp_db_write(self->db, pause_work, &until_wall_usec, error))
        return FALSE;
    {
        HP_LOCKED(&self->lock);
        resumed = until_wall_usec == 0 && self->paused_until_usec != 0;
        self->paused_until_usec = until_wall_usec;
        hp_dispatcher_count_online(self);
    }
    if (resumed)
        hp_dispatcher_hurry(self, NULL, FALSE);
    else
        hp_waker_ring(self->bell);
    hp_queue_announce(self, NULL, until_wall_usec != 0 ? "paused" : "running");
    return TRUE;
}

gint64
hp_queue_paused_until(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return self->paused_until_usec;
}

/* Opening: what the last process left behind */

typedef struct {
    const HpPhases *phases; /* (unowned) */
    HpJobNow now;
    GArray *jobs; /* (owned): Unfinished */
    guint uncertain;
} Recovery;

typedef struct {
    gint64 recipient;
    gint64 attempt;
    HpJob job;
} Unfinished;

static gboolean
load_unfinished(HpDbConn *conn, GArray *jobs, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT r.id, r.attempt, r.state, r.due, r.attempts, r.days, r.last_day,"
        " m.submitted, m.online_at FROM recipient r JOIN message m ON m.id = r.message"
        " WHERE r.state = 1",
        "");

    while (hp_db_step(stmt, &failure)) {
        Unfinished one = { hp_db_int(stmt, 0), hp_db_int(stmt, 1), { 0 } };

        one.job.state = HP_JOB_SENDING;
        one.job.attempts = (guint)hp_db_int(stmt, 4);
        one.job.days = (guint)hp_db_int(stmt, 5);
        one.job.last_day = hp_db_int(stmt, 6);
        one.job.submitted_usec = hp_db_int(stmt, 7);
        one.job.online_at_usec = hp_db_int(stmt, 8);
        /* Nobody is told about a crash, and it is no reason to give up. */
        one.job.delay_told = TRUE;
        g_array_append_val(jobs, one);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
recover_one(HpDbConn *conn, Recovery *recovery, Unfinished *one, GError **error)
{
    gboolean arrived = hp_phases_may_have_arrived(recovery->phases, one->attempt);

    recovery->now.random++;
    hp_job_next(&one->job, arrived ? HP_JOB_LOSE_REPLY : HP_JOB_UNTRY, &recovery->now,
                NULL);
    recovery->uncertain += arrived;
    return hp_db_run(
        conn, error,
        "UPDATE recipient SET state = ?2, due = ?3, attempts = ?4, days = ?5,"
        " last_day = ?6 WHERE id = ?1",
        "iiiiii", one->recipient, (gint64)one->job.state, one->job.due_usec,
        (gint64)one->job.attempts, (gint64)one->job.days, one->job.last_day);
}

/* The clock may have been wrong then or be wrong now; how much is not known any more. */
static gboolean
clamp_due(HpDbConn *conn, gint64 now_usec, GError **error)
{
    HpJob job = { .state = HP_JOB_WAITING, .due_usec = G_MAXINT64 - 1 };
    gint64 waiting = hp_job_clamp_due_usec(&job, now_usec);
    gint64 longest = now_usec + 5 * G_TIME_SPAN_HOUR;

    job.state = HP_JOB_UNCERTAIN;
    return hp_db_run(conn, error,
                     "UPDATE recipient SET due = ?1 WHERE due > ?2 AND state IN (0, 2)",
                     "ii", waiting, longest) &&
           hp_db_run(conn, error,
                     "UPDATE recipient SET due = ?1 WHERE due > ?2 AND state = 4", "ii",
                     hp_job_clamp_due_usec(&job, now_usec), longest);
}

static gboolean
recover_work(HpDbConn *conn, gpointer data, GError **error)
{
    Recovery *recovery = data;

    g_array_set_size(recovery->jobs, 0);
    recovery->uncertain = 0;
    if (!load_unfinished(conn, recovery->jobs, error))
        return FALSE;
    for (guint i = 0; i < recovery->jobs->len; i++)
        if (!recover_one(conn, recovery, &g_array_index(recovery->jobs, Unfinished, i),
                         error))
            return FALSE;
    return clamp_due(conn, recovery->now.wall_usec, error);
}

static gboolean
recover(HpQueue *self, GError **error)
{
    g_autoptr(GArray) jobs = g_array_new(FALSE, TRUE, sizeof(Unfinished));
    Recovery recovery = { self->phases, hp_queue_now(self), jobs, 0 };

    recovery.now.give_up_sec = G_MAXINT64 / G_USEC_PER_SEC;
    if (!hp_db_write(self->db, recover_work, &recovery, error))
        return FALSE;
    if (jobs->len > 0)
        hp_log("queue", NULL, G_LOG_LEVEL_MESSAGE,
               "%u recipients were under way when the last run ended; of %u it is not "
               "known whether they have the message",
               jobs->len, recovery.uncertain);
    hp_phases_renew(self->phases);
    return TRUE;
}

static gboolean
load_meta(HpQueue *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT paused_until, online_usec, line_told, uid, line_since > 0 FROM meta", "");

    if (!hp_db_step(stmt, error)) {
        if (error != NULL && *error == NULL)
            g_set_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_FAILED,
                        "queue.db has lost its row in meta");
        return FALSE;
    }
    HP_LOCKED(&self->lock);
    self->paused_until_usec = hp_db_int(stmt, 0);
    self->online_usec = hp_db_int(stmt, 1);
    self->line_told = hp_db_int(stmt, 2) != 0;
    self->uid = hp_db_dup_text(stmt, 3);
    self->line_noted = hp_db_int(stmt, 4) != 0;
    return TRUE;
}

/* A crash between making the file of a large message and its COMMIT leaves one behind. */
static void
remove_orphans(HpQueue *self)
{
    g_autoptr(GError) error = NULL;

    if (hp_db_is_writable(self->db) &&
        !hp_contents_remove_orphans(self->contents, &error))
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not remove old files: %s",
               error->message);
}

static gboolean
open_files(HpQueue *self, const HpQueueOptions *options, GError **error)
{
    g_autofree char *db_path = g_build_filename(options->state_path, "queue.db", NULL);
    g_autofree char *map_path = g_build_filename(options->runtime_path, "phases", NULL);
    hp_autofd spool = hp_fs_open_private_subdir(options->state_fd, "spool", error);
    HpDbSpec spec = { db_path, HP_QUEUE_APPLICATION_ID, hp_queue_migrations,
                      "hp-queue-db" };

    if (spool < 0)
        return FALSE;
    self->bell = hp_waker_new(error);
    if (self->bell == NULL)
        return FALSE;
    self->abort = hp_waker_new(error);
    if (self->abort == NULL)
        return FALSE;
    self->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->timer_fd < 0)
        return hp_fs_fail(error, N_("make"), "a timer");
    self->db = hp_db_open(&spec, error);
    if (self->db == NULL)
        return FALSE;
    self->contents = hp_contents_open(self->db, spool, error);
    if (self->contents == NULL)
        return FALSE;
    remove_orphans(self);
    self->phases = hp_phases_open(map_path, NULL, error);
    return self->phases != NULL;
}

static HpQueue *
new_queue(const HpQueueOptions *options)
{
    HpQueue *self = g_new0(HpQueue, 1);

    hp_lock_init(&self->lock);
    hp_cond_init(&self->announced);
    self->clock = options->clock;
    self->inbox = options->inbox;
    self->transport = options->transport;
    self->explain = options->explain;
    self->timer_fd = -1;
    self->rand = options->seed != 0 ? g_rand_new_with_seed(options->seed) : g_rand_new();
    self->heap = hp_due_heap_new();
    self->destinations = hp_dispatcher_new_destinations();
    self->deliveries = g_ptr_array_new();
    self->link = HP_LINK_OK;
    self->online_since_usec = -1;
    self->line_counts_usec = -1;
    self->wall_minus_boot_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) -
                                 hp_clock_now_usec(self->clock, HP_CLOCK_BOOT);
    self->link_since_usec = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
    self->handover = hp_handover_new(self);
    return self;
}

HpQueue *
hp_queue_open(const HpQueueOptions *options, GError **error)
{
    g_autoptr(HpQueue) self = new_queue(options);

    if (!open_files(self, options, error))
        return NULL;
    hp_queue_configure(self, options);
    if (!load_meta(self, error) || !recover(self, error) ||
        !hp_dispatcher_load(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

gboolean
hp_queue_start(HpQueue *self, GError **error)
{
    {
        HP_LOCKED(&self->lock);
        hp_dispatcher_count_online(self);
    }
    if (!hp_handover_start(self->handover, error))
        return FALSE;
    self->dispatcher = hp_thread_start("dispatcher", hp_dispatcher_run, self, error);
    return self->dispatcher != NULL;
}

/* Closing */

static gboolean
online_work(HpDbConn *conn, gpointer data, GError **error)
{
    const gint64 *online_usec = data;

    return hp_rows_save_online(conn, *online_usec, error);
}

static void
stop(HpQueue *self)
{
    {
        HP_LOCKED(&self->lock);
        self->closing = TRUE;
    }
    hp_waker_ring(self->abort);
    hp_waker_ring(self->bell);
    if (self->dispatcher != NULL)
        hp_thread_join(self->dispatcher);
    hp_handover_stop(self->handover);
}

static void
save_online(HpQueue *self)
{
    gint64 online_usec = hp_queue_now(self).online_usec;
    g_autoptr(GError) error = NULL;

    if (!hp_db_write(self->db, online_work, &online_usec, &error))
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not save the online time: %s",
               error->message);
}

void
hp_queue_close(HpQueue *self)
{
    if (self == NULL)
        return;
    if (self->bell != NULL && self->abort != NULL)
        stop(self);
    if (self->dispatcher != NULL)
        save_online(self);
    g_clear_pointer(&self->contents, hp_contents_close);
    g_clear_pointer(&self->db, hp_db_close);
    g_clear_pointer(&self->phases, hp_phases_close);
    g_clear_pointer(&self->bell, hp_waker_free);
    g_clear_pointer(&self->abort, hp_waker_free);
    hp_close_fd(&self->timer_fd);
    hp_handover_free(self->handover);
    hp_due_heap_free(self->heap);
    g_hash_table_unref(self->destinations);
    g_ptr_array_unref(self->deliveries);
    g_rand_free(self->rand);
    g_free(self->bounce_from_domain);
    g_free(self->user_address);
    g_free(self->user_name);
    g_free(self->language);
    g_free(self->uid);
    hp_cond_clear(&self->announced);
    hp_lock_clear(&self->lock);
    g_free(self);
}
