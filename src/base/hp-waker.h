/* hp-waker: a bell one thread rings to end another thread's wait.
 *
 * Threads: any may ring; one waits at a time.
 */
#pragma once

#include <glib.h>

/* Ringing twice before the other wakes counts once. */
typedef struct _HpWaker HpWaker;

/* @error: #G_IO_ERROR when no eventfd is to be had. */
HpWaker *hp_waker_new(GError **error);
void hp_waker_free(HpWaker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpWaker, hp_waker_free)

void hp_waker_ring(HpWaker *self); /* any thread; async-signal-safe */

/* The descriptor that becomes readable when it rings: for poll() and main loops. */
int hp_waker_fd(const HpWaker *self);

/* Forgets a ring that has been seen. */
void hp_waker_clear(HpWaker *self);

/**
 * HpWait:
 * @HP_WAIT_READY: the descriptor can be read or written, or is closed
 * @HP_WAIT_RUNG: the bell rang, and was cleared
 * @HP_WAIT_TIMEOUT: the time has passed
 * @HP_WAIT_FAILED: poll() failed; errno says why
 */
typedef enum {
    HP_WAIT_READY,
    HP_WAIT_RUNG,
    HP_WAIT_TIMEOUT,
    HP_WAIT_FAILED,
} HpWait;

/**
 * hp_waker_wait:
 * @self: (nullable): the bell
 * @fd: descriptor to watch, or -1 for none
 * @events: POLLIN, POLLOUT or both
 * @timeout_ms: 0 looks without waiting, -1 waits for ever
 *
 * Waits until @fd is ready, @self rings or the time has passed. A ready descriptor wins
 * over the bell. An interruption by a signal restarts the wait with the time that is
 * left.
 */
HpWait hp_waker_wait(HpWaker *self, int fd, short events, int timeout_ms);
