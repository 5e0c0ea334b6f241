#include "hp-due-heap.h"

struct _HpDueHeap {
    GPtrArray *entries; /* (owned): of HpDueEntry (unowned) */
};

HpDueHeap *
hp_due_heap_new(void)
{
    HpDueHeap *self = g_new0(HpDueHeap, 1);

    self->entries = g_ptr_array_new();
    return self;
}

void
hp_due_heap_free(HpDueHeap *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->entries);
    g_free(self);
}

static HpDueEntry *
at(const HpDueHeap *self, guint place)
{
    return self->entries->pdata[place];
}

static void
put(HpDueHeap *self, guint place, HpDueEntry *entry)
{
    self->entries->pdata[place] = entry;
    entry->place = place;
}

static void
rise(HpDueHeap *self, HpDueEntry *entry)
{
    guint place = entry->place;

    while (place > 0 && at(self, (place - 1) / 2)->due_usec > entry->due_usec) {
        put(self, place, at(self, (place - 1) / 2));
        place = (place - 1) / 2;
    }
    put(self, place, entry);
}

static void
sink(HpDueHeap *self, HpDueEntry *entry)
{
    guint place = entry->place;

    for (;;) {
        guint child = 2 * place + 1;

        if (child + 1 < self->entries->len &&
            at(self, child + 1)->due_usec < at(self, child)->due_usec)
            child++;
        if (child >= self->entries->len || at(self, child)->due_usec >= entry->due_usec)
            break;
        put(self, place, at(self, child));
        place = child;
    }
    put(self, place, entry);
}

void
hp_due_heap_set(HpDueHeap *self, HpDueEntry *entry, gint64 due_usec)
{
    entry->due_usec = due_usec;
    if (entry->place == HP_DUE_NOT_IN) {
        entry->place = self->entries->len;
        g_ptr_array_add(self->entries, entry);
    }
    rise(self, entry);
    sink(self, entry);
}

void
hp_due_heap_remove(HpDueHeap *self, HpDueEntry *entry)
{
    guint place = entry->place;
    HpDueEntry *last;

    if (place == HP_DUE_NOT_IN)
        return;
    last = g_ptr_array_steal_index_fast(self->entries, self->entries->len - 1);
    entry->place = HP_DUE_NOT_IN;
    if (last == entry)
        return;
    put(self, place, last);
    rise(self, last);
    sink(self, last);
}

HpDueEntry *
hp_due_heap_first(const HpDueHeap *self)
{
    return self->entries->len > 0 ? at(self, 0) : NULL;
}

guint
hp_due_heap_size(const HpDueHeap *self)
{
    return self->entries->len;
}
