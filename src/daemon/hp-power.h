/* hp-power: notices that the computer slept or that its wall clock was set.
 *
 * Three signs, none of which needs a periodic wake-up: a timer that the kernel cancels
 * when the wall clock jumps or the machine resumes, the distance between CLOCK_BOOTTIME
 * and CLOCK_MONOTONIC, and logind's PrepareForSleep where there is a system bus.
 *
 * Threads: main.
 */
#pragma once

#include "hp-clock.h"

typedef struct _HpPower HpPower;

/**
 * HpPowerEvent:
 * @HP_POWER_SLEEPS: about to be suspended (logind only); what is in flight has ~3 s
 * @HP_POWER_RESUMED: was suspended and is awake again
 * @HP_POWER_CLOCK_SET: the wall clock was set
 */
typedef enum {
    HP_POWER_SLEEPS,
    HP_POWER_RESUMED,
    HP_POWER_CLOCK_SET,
} HpPowerEvent;

/* @happened: called in the default main context. Works without a system bus; then there
 * is no HP_POWER_SLEEPS. */
HpPower *hp_power_new(const HpClock *clock,
                      void (*happened)(HpPowerEvent event, gpointer data), gpointer data);
void hp_power_free(HpPower *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPower, hp_power_free)
