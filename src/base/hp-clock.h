/* hp-clock: where a module gets its time from; tests pass one they move by hand.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

/**
 * HpClockKind:
 * @HP_CLOCK_WALL: microseconds since 1970, UTC; people and the network set it
 * @HP_CLOCK_BOOT: since the boot, suspend included (CLOCK_BOOTTIME)
 * @HP_CLOCK_MONOTONIC: since the boot, without suspend (CLOCK_MONOTONIC)
 */
typedef enum {
    HP_CLOCK_WALL,
    HP_CLOCK_BOOT,
    HP_CLOCK_MONOTONIC,
} HpClockKind;

typedef struct {
    gint64 (*now_usec)(gpointer data, HpClockKind kind);
    gpointer data; /* (unowned) (nullable) */
} HpClock;

/* The system's clocks. In a build with -Dtest-clock=true three offsets in seconds
 * ("WALL BOOT MONOTONIC") are added, read from the file $HAUSPOST_TEST_CLOCK. */
extern const HpClock hp_clock_system;

static inline gint64
hp_clock_now_usec(const HpClock *clock, HpClockKind kind)
{
    return clock->now_usec(clock->data, kind);
}

/**
 * hp_clock_sleep_usec:
 * @until_usec: a time of @kind, or %G_MAXINT64 for "nothing is due"
 *
 * How long a thread may sleep until then: 0 if it has passed, -1 for ever. At most
 * 100 ms in a test-clock build, so that a moved clock is noticed.
 */
gint64 hp_clock_sleep_usec(const HpClock *clock, HpClockKind kind, gint64 until_usec);

/* The wall time as RFC 3339 in UTC, "2026-11-24T13:05:00Z". */
char *hp_clock_format_rfc3339(gint64 wall_usec);
