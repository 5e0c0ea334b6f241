/* hp-upkeep: the work that can wait: retention, moving contents into files, erasing,
 * giving space back. One thread at idle priority that sleeps until there is some.
 *
 * Threads: made and freed by main; hp_upkeep_poke() from any.
 */
#pragma once

#include "hp-queue.h"
#include "hp-store.h"

typedef struct _HpUpkeep HpUpkeep;

/* @queue, @store and @clock outlive it. Looks after the databases half a minute after the
 * start, and enforces the retention at once. @error:
 * #G_THREAD_ERROR */
HpUpkeep *hp_upkeep_new(HpQueue *queue, HpStore *store, const HpClock *clock,
                        const HpStoreRetention *retention, GError **error);
/* Waits for the step that is being done. */
void hp_upkeep_free(HpUpkeep *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpUpkeep, hp_upkeep_free)

/* Something changed: look after the databases half a minute after the first such call
 * since they were looked after. */
void hp_upkeep_poke(HpUpkeep *self);

/* Another retention, at once. */
void hp_upkeep_set_retention(HpUpkeep *self, const HpStoreRetention *retention);
