/* hp-lock: the only mutex and condition in Hauspost.
 *
 * pthread objects rather than GLib's, because ThreadSanitizer cannot see into GLib's
 * futex locks and would call every use of them a race.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

typedef pthread_mutex_t HpLock;
typedef pthread_cond_t HpCond;

void hp_lock_init(HpLock *self);
void hp_lock_clear(HpLock *self);

/* HP_LOCKED(&self->lock); holds the lock until the end of the scope. */
#define HP_LOCKED(lock)                                                                  \
    __attribute__((cleanup(hp_lock_leave), unused)) HpLock *locked = hp_lock_enter(lock)

HpLock *hp_lock_enter(HpLock *self);
void hp_lock_leave(HpLock **held);

/* Waits by CLOCK_MONOTONIC, so that a changed wall clock moves no deadline. */
void hp_cond_init(HpCond *self);
void hp_cond_clear(HpCond *self);
void hp_cond_signal(HpCond *self);
void hp_cond_broadcast(HpCond *self);

/**
 * hp_cond_wait_until:
 * @self: the condition
 * @lock: held by the caller; released while waiting
 * @monotonic_usec: deadline in g_get_monotonic_time() microseconds, or -1 for none
 *
 * Waits for a signal. As with every condition, look at the state again afterwards.
 *
 * Returns: %FALSE when the deadline has passed
 */
gboolean hp_cond_wait_until(HpCond *self, HpLock *lock, gint64 monotonic_usec);
