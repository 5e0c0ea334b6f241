#include "hp-lock.h"

#include <errno.h>
#include <time.h>

/* These calls only fail when the caller is broken, so failure ends the program. */
static void
must(int status)
{
    if (status != 0)
        g_error("lock: %s", g_strerror(status));
}

void
hp_lock_init(HpLock *self)
{
    must(pthread_mutex_init(self, NULL));
}

void
hp_lock_clear(HpLock *self)
{
    must(pthread_mutex_destroy(self));
}

HpLock *
hp_lock_enter(HpLock *self)
{
    must(pthread_mutex_lock(self));
    return self;
}

void
hp_lock_leave(HpLock **held)
{
    must(pthread_mutex_unlock(*held));
}

void
hp_cond_init(HpCond *self)
{
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr));
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
    must(pthread_cond_init(self, &attr));
    must(pthread_condattr_destroy(&attr));
}

void
hp_cond_clear(HpCond *self)
{
    must(pthread_cond_destroy(self));
}

void
hp_cond_signal(HpCond *self)
{
    must(pthread_cond_signal(self));
}

void
hp_cond_broadcast(HpCond *self)
{
    must(pthread_cond_broadcast(self));
}

gboolean
hp_cond_wait_until(HpCond *self, HpLock *lock, gint64 monotonic_usec)
{
    struct timespec until = { .tv_sec = monotonic_usec / G_USEC_PER_SEC,
                              .tv_nsec = monotonic_usec % G_USEC_PER_SEC * 1000 };
    int status;

    if (monotonic_usec < 0)
        status = pthread_cond_wait(self, lock);
    else
        status = pthread_cond_timedwait(self, lock, &until);
    if (status == ETIMEDOUT)
        return FALSE;
    must(status);
    return TRUE;
}
