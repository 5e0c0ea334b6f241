/* hp-thread: named threads with a small stack.
 *
 * Threads: any may start one; one thread joins it.
 */
#pragma once

#include <glib.h>

/* Nothing that runs on a thread may recurse on data from the network. */
typedef void (*HpThreadMain)(gpointer data);

typedef struct _HpThread HpThread;

/**
 * hp_thread_start:
 * @name: shown by the system's tools; cut to 15 bytes
 * @run: what it does
 * @data: (nullable): passed to @run; must live until the thread is joined
 * @error: #G_THREAD_ERROR when the system has no thread to give
 *
 * Starts a thread with a 256 KiB stack and all signals blocked: the main thread alone
 * handles signals.
 *
 * Returns: (transfer full) (nullable): the thread, to be ended by hp_thread_join()
 */
HpThread *hp_thread_start(const char *name, HpThreadMain run, gpointer data,
                          GError **error);

/* Waits until the thread has returned, then frees it. */
void hp_thread_join(HpThread *self);
