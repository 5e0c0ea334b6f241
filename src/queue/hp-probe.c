#include "hp-queue-private.h"

#define EARLY_PROBES 5 /* between two probes of the clock */

static const gint64 probe_after_usec[] = { 1 * G_TIME_SPAN_MINUTE, 5 * G_TIME_SPAN_MINUTE,
                                           15 * G_TIME_SPAN_MINUTE };

void
hp_probe_ask(HpQueue *self)
{
    {
        HP_LOCKED(&self->lock);
        self->probe_asked = self->link != HP_LINK_OK && self->link != HP_LINK_OFFLINE;
    }
    hp_waker_ring(self->bell);
}

/* What could not be reached */

static gboolean
has_failed(const HpQueue *self, const HpDestination *destination)
{
    return destination->failed > self->failures_before;
}

void
hp_probe_note_failure(HpQueue *self, HpDelivery *delivery)
{
    HP_LOCKED(&self->lock);

    delivery->destination->failed = ++self->failures;
}

guint
hp_probe_count_failed(HpQueue *self)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;

    g_hash_table_iter_init(&iter, self->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += has_failed(self, value);
    return n;
}

/* Where to probe */

/* Lowest first: where nobody has failed yet, then where it was the longest ago, so that a
 * few dead servers hold up nobody else; last where somebody is at it. */
static guint
rank_of(const HpQueue *self, const HpDestination *destination)
{
    if (destination->running > 0)
        return G_MAXUINT;
    return has_failed(self, destination) ? destination->failed : 0;
}

static gboolean
is_better(const HpQueue *self, const HpDestination *a, const HpDestination *b)
{
    guint rank_a = rank_of(self, a);
    guint rank_b = rank_of(self, b);

    return rank_a != rank_b ? rank_a < rank_b : a->due_usec < b->due_usec;
}

/* The best of those for which a delivery may be started, or NULL. */
static HpDestination *
find_best(HpQueue *self)
{
    HpDestination *best = NULL;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        HpDestination *one = value;

        if (one->entry.place != HP_DUE_NOT_IN &&
            (best == NULL || is_better(self, one, best)))
            best = one;
    }
    return best;
}

/* When to probe */

gint64
hp_probe_next_usec(HpQueue *self)
{
    guint n = G_N_ELEMENTS(probe_after_usec);
    gint64 last = self->link_since_usec + probe_after_usec[n - 1];

    if (self->link == HP_LINK_OK || self->link == HP_LINK_OFFLINE ||
        g_hash_table_size(self->destinations) == 0)
        return G_MAXINT64;
    if (self->probes < n)
        return self->link_since_usec + probe_after_usec[self->probes];
    return last + (gint64)(self->probes - n + 1) * G_TIME_SPAN_HOUR;
}

/* What looks like a closed port 25 may be a few dead servers, so whoever has not failed
 * yet need not wait for the clock. But few of them: it may be a closed port 25. */
static gint64
early_usec(const HpQueue *self, const HpDestination *best)
{
    if (self->link != HP_LINK_NO_25 || self->early_probes >= EARLY_PROBES ||
        best == NULL || rank_of(self, best) > 0)
        return G_MAXINT64;
    return best->due_usec;
}

gint64
hp_probe_early_usec(HpQueue *self)
{
    return early_usec(self, find_best(self));
}

HpDestination *
hp_probe_choose(HpQueue *self)
{
    HpDestination *best = find_best(self);
    gboolean on_time =
        hp_probe_next_usec(self) <= hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
    gboolean early =
        early_usec(self, best) <= hp_clock_now_usec(self->clock, HP_CLOCK_WALL);

    if (best == NULL || (!on_time && !self->probe_asked && !early))
        return NULL;
    if (on_time) {
        self->probes++;
        self->early_probes = 0;
    } else if (!self->probe_asked) {
        self->early_probes++;
        return best;
    }
    self->probe_asked = FALSE;
    best->hurry = TRUE;
    return best;
}
