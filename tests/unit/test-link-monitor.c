/* What GNetworkMonitor's back ends beside netlink say of a portal. Each in a process of
 * its own, because GIO chooses its back end once. */
#include "hp-link.h"

#include <gio/gio.h>

/* Plays the service that a back end asks; answers on the connection's own thread. */
typedef struct {
    const char *name;
    const char *path;
    const char *interface;
    GVariant *(*answer)(const char *member);
    GTestDBus *daemon;           /* (owned) */
    GDBusConnection *connection; /* (owned) */
} Service;

static gint connectivity; /* nocheck: the service of the test; atomic; numbers of
                             NetworkManager or of the portal */

static GDBusMessage *
answer_call(GDBusConnection *connection, GDBusMessage *message, gboolean incoming,
            gpointer service)
{
    const Service *s = service;
    GVariant *body;
    GDBusMessage *reply;

    if (!incoming ||
        g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
        return message;
    body = s->answer(g_dbus_message_get_member(message));
    reply = body != NULL ? g_dbus_message_new_method_reply(message)
                         : g_dbus_message_new_method_error(
                               message, "org.freedesktop.DBus.Error.UnknownMethod", "no");
    if (body != NULL)
        g_dbus_message_set_body(reply, body);
    g_dbus_connection_send_message(connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                   NULL, NULL);
    g_object_unref(reply);
    g_object_unref(message);
    return NULL;
}

static void
service_start(Service *s, const char *variable)
{
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GError) error = NULL;

    s->daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(s->daemon);
    g_setenv(variable, g_test_dbus_get_bus_address(s->daemon), TRUE);
    s->connection = g_dbus_connection_new_for_address_sync(
        g_test_dbus_get_bus_address(s->daemon),
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, &error);
    g_assert_no_error(error);
    g_dbus_connection_add_filter(s->connection, answer_call, s, NULL);
    reply = g_dbus_connection_call_sync(s->connection, "org.freedesktop.DBus",
                                        "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                        "RequestName", g_variant_new("(su)", s->name, 4u),
                                        NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    g_assert_no_error(error);
}

static void
service_say(Service *s, const char *interface, const char *signal, GVariant *args)
{
    g_autoptr(GError) error = NULL;

    g_dbus_connection_emit_signal(s->connection, NULL, s->path, interface, signal, args,
                                  &error);
    g_assert_no_error(error);
}

typedef struct {
    HpLinkState state;
} Heard;

static void
on_change(HpLinkState state, gboolean moved, gpointer data)
{
    ((Heard *)data)->state = state;
}

static void
wait_for_state(Heard *heard, HpLinkState state)
{
    while (heard->state != state)
        g_main_context_iteration(NULL, TRUE);
}

static GVariant *
manager_answer(const char *member)
{
    if (!g_str_equal(member, "GetAll"))
        return NULL;
    return g_variant_new_parsed("({'State': <uint32 70>, 'Connectivity': <%u>},)",
                                (guint32)g_atomic_int_get(&connectivity));
}

static void
manager_say(Service *s, guint32 value)
{
    g_atomic_int_set(&connectivity, (gint)value);
    service_say(s, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                g_variant_new_parsed("(%s, {'Connectivity': <%u>}, @as [])", s->interface,
                                     value));
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_THREAD_SANITIZER 1
#endif
#endif

/* It does not see the locks inside GLib's GDBus, and reports races there. */
static gboolean
skipped_under_thread_sanitizer(void)
{
#ifdef WITH_THREAD_SANITIZER
    g_test_skip("ThreadSanitizer does not know GDBus");
    return TRUE;
#else
    return FALSE;
#endif
}

/* NM_CONNECTIVITY_PORTAL is 2, _FULL 4. */
static void
network_manager_tells_of_a_portal(void)
{
    static Service service = { /* nocheck: its bus lives as long as the process */
                               "org.freedesktop.NetworkManager",
                               "/org/freedesktop/NetworkManager",
                               "org.freedesktop.NetworkManager",
                               manager_answer,
                               NULL,
                               NULL
    };
    Heard heard = { 0 };
    g_autoptr(HpLink) link = NULL;

    if (skipped_under_thread_sanitizer())
        return;
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 60 * G_TIME_SPAN_SECOND, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    g_atomic_int_set(&connectivity, 4);
    service_start(&service, "DBUS_SYSTEM_BUS_ADDRESS");
    link = hp_link_new(&hp_clock_system, on_change, &heard, NULL);
    g_assert_cmpstr(G_OBJECT_TYPE_NAME(g_network_monitor_get_default()), ==,
                    "GNetworkMonitorNM");
    hp_link_allow_private(link, TRUE); /* also where there is no network */
    manager_say(&service, 2);
    wait_for_state(&heard, HP_LINK_CAPTIVE);
    manager_say(&service, 4);
    wait_for_state(&heard, HP_LINK_OK);
}

static GVariant *
portal_answer(const char *member)
{
    if (g_str_equal(member, "GetAll"))
        return g_variant_new_parsed("({'version': <uint32 3>},)");
    if (!g_str_equal(member, "GetStatus"))
        return NULL;
    return g_variant_new_parsed(
        "({'available': <true>, 'metered': <false>, 'connectivity': <%u>},)",
        (guint32)g_atomic_int_get(&connectivity));
}

static void
portal_say(Service *s, gint value)
{
    g_atomic_int_set(&connectivity, value);
    service_say(s, s->interface, "changed", NULL);
}

/* Connectivity of the portal: 3 is a captive portal, 4 all of the internet. */
static void
the_desktop_portal_tells_of_a_portal(void)
{
    static Service service = { /* nocheck: its bus lives as long as the process */
                               "org.freedesktop.portal.Desktop",
                               "/org/freedesktop/portal/desktop",
                               "org.freedesktop.portal.NetworkMonitor",
                               portal_answer,
                               NULL,
                               NULL
    };
    Heard heard = { 0 };
    g_autoptr(HpLink) link = NULL;

    if (skipped_under_thread_sanitizer())
        return;
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 60 * G_TIME_SPAN_SECOND, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    g_atomic_int_set(&connectivity, 4);
    g_setenv("GTK_USE_PORTAL", "1", TRUE);
    service_start(&service, "DBUS_SESSION_BUS_ADDRESS");
    link = hp_link_new(&hp_clock_system, on_change, &heard, NULL);
    g_assert_cmpstr(G_OBJECT_TYPE_NAME(g_network_monitor_get_default()), ==,
                    "GNetworkMonitorPortal");
    hp_link_allow_private(link, TRUE);
    portal_say(&service, 3);
    wait_for_state(&heard, HP_LINK_CAPTIVE);
    portal_say(&service, 4);
    wait_for_state(&heard, HP_LINK_OK);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link-monitor/network-manager-tells-of-a-portal",
                    network_manager_tells_of_a_portal);
    g_test_add_func("/link-monitor/the-desktop-portal-tells-of-a-portal",
                    the_desktop_portal_tells_of_a_portal);
    return g_test_run();
}
