#include "hp-power.h"

#include <gio/gio.h>

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

typedef struct {
    GTestDBus *daemon;        /* (owned) */
    GDBusConnection *manager; /* (owned): plays logind */
} SystemBus;

static void
bring_up(SystemBus *bus)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    bus->daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(bus->daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bus->daemon), TRUE);
    bus->manager = g_dbus_connection_new_for_address_sync(
        g_test_dbus_get_bus_address(bus->daemon),
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, &error);
    g_assert_no_error(error);
    reply = g_dbus_connection_call_sync(
        bus->manager, "org.freedesktop.DBus", "/org/freedesktop/DBus",
        "org.freedesktop.DBus", "RequestName",
        g_variant_new("(su)", "org.freedesktop.login1", 4u), NULL, G_DBUS_CALL_FLAGS_NONE,
        -1, NULL, &error);
    g_assert_no_error(error);
}

static void
take_down(SystemBus *bus)
{
    g_object_unref(bus->manager);
    g_test_dbus_stop(bus->daemon);
    g_object_unref(bus->daemon);
}

static void
say(SystemBus *bus, GVariant *parameters)
{
    g_autoptr(GError) error = NULL;

    g_dbus_connection_emit_signal(bus->manager, NULL, "/org/freedesktop/login1",
                                  "org.freedesktop.login1.Manager", "PrepareForSleep",
                                  parameters, &error);
    g_assert_no_error(error);
}

static gboolean
try_again(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

/* What logind says, even if the clocks have nothing to tell (a kernel that counts sleep
 * as time). Nobody knows when the subscription stands, so it is said until it is heard.
 */
static void
logind_tells_of_sleep(void)
{
    FakeTime time = { 5000000, 5000000 };
    HpClock clock = { fake_now, &time };
    guint counts[3] = { 0 };
    SystemBus bus = { NULL, NULL };
    g_autoptr(HpPower) power = NULL;
    gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    guint tick;

    bring_up(&bus);
    power = hp_power_new(&clock, count_event, counts);
    tick = g_timeout_add(20, try_again, NULL);
    while (counts[HP_POWER_SLEEPS] == 0 && g_get_monotonic_time() < deadline) {
        say(&bus, g_variant_new("(s)", "nonsense"));
        say(&bus, g_variant_new("(b)", TRUE));
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(counts[HP_POWER_SLEEPS], >, 0);
    g_assert_cmpuint(counts[HP_POWER_RESUMED], ==, 0);
    say(&bus, g_variant_new("(b)", FALSE));
    while (counts[HP_POWER_RESUMED] == 0 && g_get_monotonic_time() < deadline)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(counts[HP_POWER_RESUMED], ==, 1);
    g_source_remove(tick);
    g_clear_pointer(&power, hp_power_free);
    take_down(&bus);
}

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
    g_test_add_func("/power/logind-tells-of-sleep", logind_tells_of_sleep);
    return g_test_run();
}
