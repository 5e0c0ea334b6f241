#include "hp-handoff.h"

#include "hp-lock.h"
#include "hp-waker.h"

#include <glib-unix.h>

struct _HpHandoff {
    HpLock lock;
    GQueue items;  /* guarded by lock */
    HpWaker *bell; /* (owned) */
    GDestroyNotify free_item;
    GSource *source; /* (owned) (nullable) */
    void (*handle)(gpointer item, gpointer data);
    gpointer data; /* (unowned) (nullable) */
};

HpHandoff *
hp_handoff_new(GDestroyNotify free_item, GError **error)
{
    HpWaker *bell = hp_waker_new(error);
    HpHandoff *self;

    if (bell == NULL)
        return NULL;
    self = g_new0(HpHandoff, 1);
    hp_lock_init(&self->lock);
    g_queue_init(&self->items);
    self->bell = bell;
    self->free_item = free_item;
    return self;
}

void
hp_handoff_free(HpHandoff *self)
{
    if (self->source != NULL) {
        g_source_destroy(self->source);
        g_source_unref(self->source);
    }
    g_queue_clear_full(&self->items, self->free_item);
    hp_waker_free(self->bell);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_handoff_give(HpHandoff *self, gpointer item)
{
    HP_LOCKED(&self->lock);

    g_queue_push_tail(&self->items, item);
    hp_waker_ring(self->bell);
}

static gpointer
pop(HpHandoff *self)
{
    HP_LOCKED(&self->lock);

    return g_queue_pop_head(&self->items);
}

gpointer
hp_handoff_take(HpHandoff *self, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    gpointer item;

    while ((item = pop(self)) == NULL) {
        gint64 left = deadline - g_get_monotonic_time();

        if (timeout_ms >= 0 && left <= 0)
            return NULL;
        if (hp_waker_wait(self->bell, -1, 0,
                          timeout_ms < 0 ? -1 : (int)((left + 999) / 1000)) ==
            HP_WAIT_FAILED)
            return NULL;
    }
    return item;
}

static gboolean
drain(gint fd, GIOCondition condition, gpointer handoff)
{
    HpHandoff *self = handoff;
    gpointer item;

    hp_waker_clear(self->bell);
    while ((item = pop(self)) != NULL)
        self->handle(item, self->data);
    return G_SOURCE_CONTINUE;
}

void
hp_handoff_attach(HpHandoff *self, GMainContext *context,
                  void (*handle)(gpointer item, gpointer data), gpointer data)
{
    g_assert(self->source == NULL);
    self->handle = handle;
    self->data = data;
    self->source = g_unix_fd_source_new(hp_waker_fd(self->bell), G_IO_IN);
    g_source_set_callback(self->source, G_SOURCE_FUNC(drain), self, NULL);
    g_source_attach(self->source, context);
}
