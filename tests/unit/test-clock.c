#include "hp-clock.h"

static gint64
tell(gpointer data, HpClockKind kind)
{
    return ((const gint64 *)data)[kind];
}

static void
tells_three_times(void)
{
    gint64 wall = hp_clock_now_usec(&hp_clock_system, HP_CLOCK_WALL);
    gint64 before = hp_clock_now_usec(&hp_clock_system, HP_CLOCK_MONOTONIC);
    gint64 boot = hp_clock_now_usec(&hp_clock_system, HP_CLOCK_BOOT);
    gint64 after = hp_clock_now_usec(&hp_clock_system, HP_CLOCK_MONOTONIC);

    g_assert_cmpint(ABS(wall - g_get_real_time()), <, 60 * G_USEC_PER_SEC);
    g_assert_cmpint(after, >=, before);
    g_assert_cmpint(boot, >=, before);
}

static void
says_how_long_to_sleep(void)
{
    gint64 now[] = { -5, 1000, 50 };
    const HpClock clock = { tell, now };

    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_BOOT, 1000), ==, 0);
    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_BOOT, 1), ==, 0);
    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_BOOT, 1700), ==, 700);
    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_MONOTONIC, 60), ==, 10);
#ifdef HP_TEST_CLOCK
    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_WALL, G_MAXINT64), ==, 100000);
#else
    g_assert_cmpint(hp_clock_sleep_usec(&clock, HP_CLOCK_WALL, G_MAXINT64), ==, -1);
#endif
}

static void
writes_rfc3339(void)
{
    g_autofree char *time =
        hp_clock_format_rfc3339((gint64)1795525500 * G_USEC_PER_SEC + 999999);
    g_autofree char *absurd = hp_clock_format_rfc3339(G_MAXINT64);

    g_assert_cmpstr(time, ==, "2026-11-24T13:05:00Z");
    g_assert_nonnull(absurd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock/tells-three-times", tells_three_times);
    g_test_add_func("/clock/says-how-long-to-sleep", says_how_long_to_sleep);
    g_test_add_func("/clock/writes-rfc3339", writes_rfc3339);
    return g_test_run();
}
