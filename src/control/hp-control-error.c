#include "hp-control-error.h"

#include <gio/gio.h>

static const GDBusErrorEntry entries[] = {
    { HP_CONTROL_ERROR_NOT_FOUND, "org.hauspost.Error.NotFound" },
    { HP_CONTROL_ERROR_LIMIT, "org.hauspost.Error.Limit" },
    { HP_CONTROL_ERROR_OFFLINE, "org.hauspost.Error.Offline" },
    { HP_CONTROL_ERROR_INVALID, "org.hauspost.Error.Invalid" },
    { HP_CONTROL_ERROR_BUSY, "org.hauspost.Error.Busy" },
    { HP_CONTROL_ERROR_STATE, "org.hauspost.Error.State" },
    { HP_CONTROL_ERROR_FAILED, "org.hauspost.Error.Failed" },
};

GQuark
hp_control_error_quark(void)
{
    static gsize quark; /* nocheck: set once under GLib's own protection */

    g_dbus_error_register_error_domain("hp-control-error-quark", &quark, entries,
                                       G_N_ELEMENTS(entries));
    return (GQuark)quark;
}

static const HpExit exits[] = {
    [HP_CONTROL_ERROR_NOT_FOUND] = HP_EXIT_NOT_FOUND,
    [HP_CONTROL_ERROR_LIMIT] = HP_EXIT_REFUSED,
    [HP_CONTROL_ERROR_OFFLINE] = HP_EXIT_TEMPORARY,
    [HP_CONTROL_ERROR_INVALID] = HP_EXIT_USAGE,
    [HP_CONTROL_ERROR_BUSY] = HP_EXIT_TEMPORARY,
    [HP_CONTROL_ERROR_STATE] = HP_EXIT_REFUSED,
    [HP_CONTROL_ERROR_FAILED] = HP_EXIT_FAILURE,
};

/* The daemon went away in the middle of a call, or never answered. */
static gboolean
is_connection_lost(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
}

HpExit
hp_control_error_exit(const GError *error)
{
    if (error->domain == HP_CONTROL_ERROR && error->code >= 0 &&
        (gsize)error->code < G_N_ELEMENTS(exits))
        return exits[error->code];
    return is_connection_lost(error) ? HP_EXIT_NO_DAEMON : HP_EXIT_FAILURE;
}
