#include "hp-upkeep.h"

#include "hp-lock.h"
#include "hp-log.h"
#include "hp-thread.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So long after a change: what was just accepted is mostly delivered by then, and never
 * needs a file of its own. */
#define QUIET_USEC ((gint64)30 * G_USEC_PER_SEC)

/* Between two rounds of retention. */
#define PAUSE_USEC ((gint64)60 * G_USEC_PER_SEC)

struct _HpUpkeep {
    HpQueue *queue;       /* (unowned) */
    HpStore *store;       /* (unowned) */
    const HpClock *clock; /* (unowned) */
    HpThread *thread;     /* (owned) */
    HpLock lock;
    HpCond cond;
    /* guarded by lock */
    gboolean stop;
    gboolean retention_changed;
    gint64 quiet_at_usec; /* boot time at which to tidy, or %G_MAXINT64 */
    HpStoreRetention retention;
};

static void
enforce_retention(HpUpkeep *self, const HpStoreRetention *retention)
{
    HpStoreCleanup cleanup = { .retention = *retention };
    g_autoptr(GError) error = NULL;

    if (!hp_store_cleanup(self->store, &cleanup, FALSE, &error))
        hp_log("upkeep", NULL, G_LOG_LEVEL_WARNING, "retention has to wait: %s",
               error->message);
    else if (cleanup.ret_messages > 0)
        hp_log("upkeep", NULL, G_LOG_LEVEL_MESSAGE,
               "removed %" G_GUINT64_FORMAT " messages whose time was over",
               cleanup.ret_messages);
}

/* Never at once again: what could not be removed now cannot be removed in a millisecond.
 */
static gint64
next_cleanup(HpUpkeep *self, const HpStoreRetention *retention)
{
    gint64 soonest = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) + PAUSE_USEC;

    return MAX(soonest, hp_store_next_cleanup_usec(self->store, retention));
}

static gboolean
is_stopped(HpUpkeep *self)
{
    HP_LOCKED(&self->lock);

    return self->stop;
}

/* In steps, as after a large import the whole takes minutes, and the end must not wait.
 */
static void
tidy(HpUpkeep *self)
{
    while (!is_stopped(self) && hp_queue_upkeep(self->queue))
        continue;
    while (!is_stopped(self) && hp_store_upkeep(self->store))
        continue;
    malloc_trim(0); /* what the work needed goes back to the computer */
}

/* Sleeps until one of the two is due; says which. %FALSE: the end has come. */
static gboolean
wait_for_work(HpUpkeep *self, gint64 cleanup_at_wall_usec, gboolean *ret_tidy,
              HpStoreRetention *ret_retention)
{
    HP_LOCKED(&self->lock);

    while (!self->stop) {
        gint64 tidy_in =
            hp_clock_sleep_usec(self->clock, HP_CLOCK_BOOT, self->quiet_at_usec);
        gint64 cleanup_in =
            hp_clock_sleep_usec(self->clock, HP_CLOCK_WALL, cleanup_at_wall_usec);
        gint64 sleep = tidy_in < 0      ? cleanup_in
                       : cleanup_in < 0 ? tidy_in
                                        : MIN(tidy_in, cleanup_in);

        if (sleep == 0 || self->retention_changed) {
            *ret_tidy = tidy_in == 0;
            *ret_retention = self->retention;
            self->retention_changed = FALSE;
            if (*ret_tidy)
                self->quiet_at_usec = G_MAXINT64;
            return TRUE;
        }
        hp_cond_wait_until(&self->cond, &self->lock,
                           sleep < 0 ? -1 : g_get_monotonic_time() + sleep);
    }
    return FALSE;
}

static gboolean
has_retention(const HpStoreRetention *retention)
{
    return retention->pop3_sec > 0 || retention->trash_sec > 0 || retention->junk_sec > 0;
}

static void
run(gpointer upkeep)
{
    HpUpkeep *self = upkeep;
    HpStoreRetention retention = { 0 };
    gint64 cleanup_at = G_MAXINT64;
    gboolean quiet;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19); /* this thread alone */
    while (wait_for_work(self, cleanup_at, &quiet, &retention)) {
        if (quiet)
            tidy(self);
        if (has_retention(&retention))
            enforce_retention(self, &retention);
        cleanup_at =
            has_retention(&retention) ? next_cleanup(self, &retention) : G_MAXINT64;
    }
}

HpUpkeep *
hp_upkeep_new(HpQueue *queue, HpStore *store, const HpClock *clock,
              const HpStoreRetention *retention, GError **error)
{
    HpUpkeep *self = g_new0(HpUpkeep, 1);

    self->queue = queue;
    self->store = store;
    self->clock = clock;
    self->retention = *retention;
    self->retention_changed = TRUE;
    self->quiet_at_usec = hp_clock_now_usec(clock, HP_CLOCK_BOOT) + QUIET_USEC;
    hp_lock_init(&self->lock);
    hp_cond_init(&self->cond);
    self->thread = hp_thread_start("upkeep", run, self, error);
    if (self->thread == NULL) {
        hp_upkeep_free(self);
        return NULL;
    }
    return self;
}

static void
stop(HpUpkeep *self)
{
    HP_LOCKED(&self->lock);

    self->stop = TRUE;
    hp_cond_signal(&self->cond);
}

void
hp_upkeep_free(HpUpkeep *self)
{
    stop(self);
    if (self->thread != NULL)
        hp_thread_join(self->thread);
    hp_cond_clear(&self->cond);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_upkeep_poke(HpUpkeep *self)
{
    HP_LOCKED(&self->lock);

    /* Only the first change since the last tidying wakes the thread, to set its alarm. */
    if (self->quiet_at_usec != G_MAXINT64)
        return;
    self->quiet_at_usec = hp_clock_now_usec(self->clock, HP_CLOCK_BOOT) + QUIET_USEC;
    hp_cond_signal(&self->cond);
}

void
hp_upkeep_set_retention(HpUpkeep *self, const HpStoreRetention *retention)
{
    HP_LOCKED(&self->lock);

    self->retention = *retention;
    self->retention_changed = TRUE;
    hp_cond_signal(&self->cond);
}
