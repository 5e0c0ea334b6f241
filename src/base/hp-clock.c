#include "hp-clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef HP_TEST_CLOCK
static gint64
test_offset_usec(HpClockKind kind)
{
    const char *path = g_getenv("HAUSPOST_TEST_CLOCK");
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (path == NULL || !g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    words = g_strsplit(g_strstrip(text), " ", 3);
    return g_strv_length(words) == 3
               ? g_ascii_strtoll(words[kind], NULL, 10) * G_USEC_PER_SEC
               : 0;
}
#define LONGEST_SLEEP_USEC ((gint64)100 * 1000)
#else
static gint64
test_offset_usec(HpClockKind kind)
{
    return 0;
}
#define LONGEST_SLEEP_USEC G_MAXINT64
#endif

static gint64
system_usec(gpointer data, HpClockKind kind)
{
    static const clockid_t ids[] = {
        [HP_CLOCK_WALL] = CLOCK_REALTIME,
        [HP_CLOCK_BOOT] = CLOCK_BOOTTIME,
        [HP_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
    };
    struct timespec now;

    clock_gettime(ids[kind], &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 +
           test_offset_usec(kind);
}

const HpClock hp_clock_system = { system_usec, NULL };

gint64
hp_clock_sleep_usec(const HpClock *clock, HpClockKind kind, gint64 until_usec)
{
    gint64 now = hp_clock_now_usec(clock, kind);

    if (until_usec == G_MAXINT64)
        return LONGEST_SLEEP_USEC == G_MAXINT64 ? -1 : LONGEST_SLEEP_USEC;
    if (until_usec <= now)
        return 0;
    return MIN(until_usec - now, LONGEST_SLEEP_USEC);
}

char *
hp_clock_format_rfc3339(gint64 wall_usec)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(wall_usec / G_USEC_PER_SEC);

    return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ")
                        : g_strdup("1970-01-01T00:00:00Z");
}
