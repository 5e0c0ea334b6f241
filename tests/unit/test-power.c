#include "hp-power.h"

/* A clock that the test moves. */
typedef struct {
    gint64 boot_usec;
    gint64 monotonic_usec;
} FakeTime;

static gint64
fake_now(gpointer data, HpClockKind kind)
{
    const FakeTime *time = data;

    return kind == HP_CLOCK_BOOT ? time->boot_usec : time->monotonic_usec;
}

static void
count_event(HpPowerEvent event, gpointer data)
{
    guint *counts = data;

    counts[event]++;
}

/* Without a system bus and with a clock that stands still, nothing is reported. */
static void
is_quiet_when_nothing_happens(void)
{
    FakeTime time = { 5000000, 5000000 };
    HpClock clock = { fake_now, &time };
    guint counts[3] = { 0 };
    g_autoptr(HpPower) power = NULL;

    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
    power = hp_power_new(&clock, count_event, counts);
    for (guint i = 0; i < 50; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(counts[HP_POWER_SLEEPS], ==, 0);
    g_assert_cmpuint(counts[HP_POWER_RESUMED], ==, 0);
}

#ifdef HP_TEST_CLOCK
static void
tells_suspend_from_a_set_clock(void)
{
    FakeTime time = { 5000000, 5000000 };
    HpClock clock = { fake_now, &time };
    guint counts[3] = { 0 };
    g_autoptr(HpPower) power = hp_power_new(&clock, count_event, counts);
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    g_assert_nonnull(power);
    time.boot_usec += 600 * G_USEC_PER_SEC;
    while (counts[HP_POWER_RESUMED] == 0 && g_get_monotonic_time() < deadline)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(counts[HP_POWER_RESUMED], ==, 1);
    time.boot_usec += G_USEC_PER_SEC; /* noise */
    for (guint i = 0; i < 5; i++)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(counts[HP_POWER_RESUMED], ==, 1);
}
#endif

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/power/is-quiet-when-nothing-happens",
                    is_quiet_when_nothing_happens);
#ifdef HP_TEST_CLOCK
    g_test_add_func("/power/tells-suspend-from-a-set-clock",
                    tells_suspend_from_a_set_clock);
#endif
    return g_test_run();
}
