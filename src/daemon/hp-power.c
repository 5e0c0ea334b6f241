#include "hp-power.h"

#include "hp-fs.h"
#include "hp-log.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Less than this between the clocks is measuring noise, not sleep. */
#define SLEEP_NOTICED_USEC ((gint64)2 * G_USEC_PER_SEC)
/* How far ahead the timer that only waits for being cancelled is set. */
#define FAR_AHEAD_SEC      ((time_t)100 * 366 * 86400)

struct _HpPower {
    const HpClock *clock; /* (unowned) */
    void (*happened)(HpPowerEvent event, gpointer data);
    gpointer data; /* (unowned) (nullable) */
    int timer_fd;  /* -1 if the kernel has none to give */
    guint timer_source;
    guint test_source;       /* looks again now and then; only with HP_TEST_CLOCK */
    gint64 slept_usec;       /* CLOCK_BOOTTIME less CLOCK_MONOTONIC, when last looked */
    GCancellable *cancel;    /* (owned) */
    GDBusConnection *system; /* (owned) (nullable) */
    guint subscription;
};

static gint64
slept_so_far(HpPower *self)
{
    return hp_clock_now_usec(self->clock, HP_CLOCK_BOOT) -
           hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
}

/* %TRUE and one event if the machine slept since the last look. */
static gboolean
look(HpPower *self)
{
    gint64 slept = slept_so_far(self);
    gboolean resumed = slept - self->slept_usec > SLEEP_NOTICED_USEC;

    if (resumed) {
        self->slept_usec = slept;
        hp_log("power", NULL, G_LOG_LEVEL_INFO, "the computer is awake again");
        self->happened(HP_POWER_RESUMED, self->data);
    }
    return resumed;
}

static void
arm(HpPower *self)
{
    struct itimerspec far = { .it_value = { .tv_sec = FAR_AHEAD_SEC } };

    if (timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
                        NULL) != 0)
        hp_log("power", NULL, G_LOG_LEVEL_WARNING, "clock changes go unnoticed: %s",
               g_strerror(errno));
}

static gboolean
timer_cancelled(gint fd, GIOCondition condition, gpointer power)
{
    HpPower *self = power;
    guint64 expirations;

    /* ECANCELED is the message: the clock jumped, by hand or by waking up. */
    if (read(fd, &expirations, sizeof expirations) >= 0 || errno == ECANCELED) {
        arm(self);
        if (!look(self))
            self->happened(HP_POWER_CLOCK_SET, self->data);
    }
    return G_SOURCE_CONTINUE;
}

/* NOLINTBEGIN(readability-function-size): the shape is GDBusSignalCallback's */
static void
prepare_for_sleep(GDBusConnection *connection, const char *sender, const char *path,
                  const char *interface, const char *signal, GVariant *parameters,
                  gpointer power)
{
    HpPower *self = power;
    gboolean going_down;

    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(b)")))
        return;
    g_variant_get(parameters, "(b)", &going_down);
    if (going_down)
        self->happened(HP_POWER_SLEEPS, self->data);
    else if (!look(self))
        self->happened(HP_POWER_RESUMED, self->data);
}
/* NOLINTEND(readability-function-size) */

static void
bus_found(GObject *source, GAsyncResult *result, gpointer power)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *system = g_bus_get_finish(result, &error);
    HpPower *self = power;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* and self is gone */
    self->system = system;
    if (system == NULL) {
        hp_log("power", NULL, G_LOG_LEVEL_DEBUG, "no system bus: %s", error->message);
        return;
    }
    g_dbus_connection_set_exit_on_close(system, FALSE);
    self->subscription = g_dbus_connection_signal_subscribe(
        system, "org.freedesktop.login1", "org.freedesktop.login1.Manager",
        "PrepareForSleep", "/org/freedesktop/login1", NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        prepare_for_sleep, self, NULL);
}

#ifdef HP_TEST_CLOCK
/* A clock that a test moves cancels no timer. */
static gboolean
look_again(gpointer power)
{
    look(power);
    return G_SOURCE_CONTINUE;
}
#endif

HpPower *
hp_power_new(const HpClock *clock, void (*happened)(HpPowerEvent event, gpointer data),
             gpointer data)
{
    HpPower *self = g_new0(HpPower, 1);

    self->clock = clock;
    self->happened = happened;
    self->data = data;
    self->slept_usec = slept_so_far(self);
    self->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->timer_fd >= 0) {
        arm(self);
        self->timer_source =
            g_unix_fd_add(self->timer_fd, G_IO_IN | G_IO_ERR, timer_cancelled, self);
    }
    self->cancel = g_cancellable_new();
    g_bus_get(G_BUS_TYPE_SYSTEM, self->cancel, bus_found, self);
#ifdef HP_TEST_CLOCK
    self->test_source = g_timeout_add(100, look_again, self);
#endif
    return self;
}

void
hp_power_free(HpPower *self)
{
    g_cancellable_cancel(self->cancel);
    g_object_unref(self->cancel);
    if (self->system != NULL) {
        g_dbus_connection_signal_unsubscribe(self->system, self->subscription);
        g_object_unref(self->system);
    }
    if (self->timer_source != 0)
        g_source_remove(self->timer_source);
    if (self->test_source != 0)
        g_source_remove(self->test_source);
    hp_close_fd(&self->timer_fd);
    g_free(self);
}
