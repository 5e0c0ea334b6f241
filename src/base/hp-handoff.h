/* hp-handoff: a queue of owned pointers from any thread to one other.
 *
 * Threads: any may give; one thread takes, or the main loop by a source.
 */
#pragma once

#include <glib.h>

typedef struct _HpHandoff HpHandoff;

/* @free_item: (nullable): frees what is still in it at the end. */
HpHandoff *hp_handoff_new(GDestroyNotify free_item, GError **error);
void hp_handoff_free(HpHandoff *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpHandoff, hp_handoff_free)

/* Hands @item (transfer full, not %NULL) over and wakes the taker. Never blocks. */
void hp_handoff_give(HpHandoff *self, gpointer item);

/**
 * hp_handoff_take:
 * @timeout_ms: 0 looks without waiting, -1 waits for ever
 *
 * Returns: (transfer full) (nullable): the oldest item, or %NULL when the time has passed
 */
gpointer hp_handoff_take(HpHandoff *self, int timeout_ms);

/**
 * hp_handoff_attach:
 * @context: (nullable): main context, %NULL for the default one
 * @handle: called in that context for each item, which it owns
 * @data: (nullable): passed to @handle
 *
 * Lets a main loop take the items. The source lives until hp_handoff_free(), which must
 * then be called from that context's thread.
 */
void hp_handoff_attach(HpHandoff *self, GMainContext *context,
                       void (*handle)(gpointer item, gpointer data), gpointer data);
