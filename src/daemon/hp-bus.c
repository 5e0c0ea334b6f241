#include "hp-bus.h"

#include "hp-fs.h"
#include "hp-handoff.h"
#include "hp-lock.h"
#include "hp-log.h"
#include "hp-thread.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CLIENTS 32 /* of the private socket at a time; a CLI call is one */

/* A thread and what it is asked to do, one after the other. */
typedef struct {
    HpBus *bus;        /* (unowned) */
    HpHandoff *orders; /* (owned): Order */
    HpThread *thread;  /* (owned) */
} Lane;

struct _HpBus {
    HpBusObject object;
    char *socket_path;    /* (owned) */
    GDBusServer *server;  /* (owned) */
    Lane control;         /* nearly everything */
    Lane slow;            /* what nobody shall wait behind */
    GCancellable *cancel; /* (owned): of slow calls and the search for a session bus */
    guint name_id;
    GDBusConnection *session; /* (owned) (nullable) */
    guint session_registration;
    HpLock lock;
    GPtrArray *connections; /* (owned): GDBusConnection; guarded by lock */
};

/* What a lane is asked to do next: answer, run, or (neither) end. */
typedef struct {
    GDBusMethodInvocation *invocation; /* (owned) (nullable) */
    void (*run)(gpointer context);     /* (nullable) */
} Order;

static const HpBusMethod *
find_method(HpBus *self, const char *name)
{
    for (const HpBusMethod *m = self->object.methods; m->name != NULL; m++)
        if (g_str_equal(m->name, name))
            return m;
    return NULL;
}

/* org.freedesktop.DBus.Properties.Get: "(ss)", interface and property. */
static GVariant *
get_property(HpBus *self, GVariant *args, GError **error)
{
    const char *interface, *name;
    GVariant *value;

    g_variant_get(args, "(&s&s)", &interface, &name);
    value = self->object.property(self->object.context, name);
    if (value == NULL) {
        g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY,
                    "this program has no property %s", name);
        return NULL;
    }
    return g_variant_new("(v)", value);
}

static GVariant *
get_all_properties(HpBus *self)
{
    GVariantDict all;

    g_variant_dict_init(&all, NULL);
    for (GDBusPropertyInfo **p = self->object.info->properties; p != NULL && *p != NULL;
         p++) {
        GVariant *value = self->object.property(self->object.context, (*p)->name);

        if (value != NULL)
            g_variant_dict_insert_value(&all, (*p)->name, value);
    }
    return g_variant_new("(@a{sv})", g_variant_dict_end(&all));
}

/* All properties are read-only, so GDBus itself refuses Set. */
static GVariant *
run_property_call(HpBus *self, const char *name, GVariant *args, GError **error)
{
    return g_str_equal(name, "Get") ? get_property(self, args, error)
                                    : get_all_properties(self);
}

static GVariant *
run_method_call(HpBus *self, GDBusMethodInvocation *invocation, HpBusCall *call,
                GError **error)
{
    const char *name = g_dbus_method_invocation_get_method_name(invocation);
    const HpBusMethod *method = find_method(self, name);

    if (method == NULL) {
        g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD,
                    "this program has no method %s", name);
        return NULL;
    }
    if ((method->flags & HP_BUS_PRIVATE) != 0 &&
        g_dbus_method_invocation_get_sender(invocation) != NULL) {
        g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
                    "%s is answered on the private socket only", name);
        return NULL;
    }
    return method->run(call, error);
}

static void
answer(HpBus *self, GDBusMethodInvocation *invocation)
{
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    HpBusCall call = { .context = self->object.context,
                       .cancel = self->cancel,
                       .args = g_dbus_method_invocation_get_parameters(invocation) };
    GError *error = NULL;
    GVariant *result;

    if (g_str_equal(interface, "org.freedesktop.DBus.Properties"))
        result =
            run_property_call(self, g_dbus_method_invocation_get_method_name(invocation),
                              call.args, &error);
    else
        result = run_method_call(self, invocation, &call, &error);

    if (result != NULL)
        g_dbus_method_invocation_return_value_with_unix_fd_list(invocation, result,
                                                                call.ret_fds);
    else
        g_dbus_method_invocation_take_error(invocation, error);
    g_clear_object(&call.ret_fds);
}

static void
work(gpointer lane)
{
    Lane *self = lane;

    for (;;) {
        g_autofree Order *order = hp_handoff_take(self->orders, -1);

        if (order == NULL)
            continue; /* poll() failed; there is nothing better to do than to try again */
        if (order->invocation != NULL)
            answer(self->bus, order->invocation);
        else if (order->run != NULL)
            order->run(self->bus->object.context);
        else
            return;
    }
}

static gboolean
open_lane(Lane *self, HpBus *bus, const char *name, GError **error)
{
    self->bus = bus;
    self->orders = hp_handoff_new(g_free, error);
    if (self->orders != NULL)
        self->thread = hp_thread_start(name, work, self, error);
    return self->thread != NULL;
}

static void
give_order(Lane *self, GDBusMethodInvocation *invocation, void (*run)(gpointer context))
{
    Order *order = g_new0(Order, 1);

    order->invocation = invocation;
    order->run = run;
    hp_handoff_give(self->orders, order);
}

/* After the last of its orders. */
static void
close_lane(Lane *self)
{
    if (self->thread != NULL) {
        give_order(self, NULL, NULL);
        hp_thread_join(self->thread);
    }
    g_clear_pointer(&self->orders, hp_handoff_free);
}

void
hp_bus_run(HpBus *self, void (*run)(gpointer context))
{
    give_order(&self->control, NULL, run);
}

static Lane *
choose_lane(HpBus *self, const char *method)
{
    const HpBusMethod *row = find_method(self, method);

    return row != NULL && (row->flags & HP_BUS_SLOW) != 0 ? &self->slow : &self->control;
}

/* Calls and, since there is no get_property(), reads of properties. */
/* NOLINTBEGIN(readability-function-size): the shape is GDBusInterfaceMethodCallFunc's */
static void
method_called(GDBusConnection *connection, const char *sender, const char *path,
              const char *interface, const char *method, GVariant *parameters,
              GDBusMethodInvocation *invocation, gpointer bus)
{
    /* The invocation is ours (transfer full). */
    give_order(choose_lane(bus, method), invocation, NULL);
}
/* NOLINTEND(readability-function-size) */

static guint
export_on(HpBus *self, GDBusConnection *connection, GError **error)
{
    static const GDBusInterfaceVTable vtable = { method_called, NULL, NULL, { NULL } };

    return g_dbus_connection_register_object(connection, self->object.object_path,
                                             self->object.info, &vtable, self, NULL,
                                             error);
}

static gboolean
add_connection(HpBus *self, GDBusConnection *connection)
{
    HP_LOCKED(&self->lock);

    if (self->connections->len >= MAX_CLIENTS)
        return FALSE;
    g_ptr_array_add(self->connections, g_object_ref(connection));
    return TRUE;
}

static void
connection_closed(GDBusConnection *connection, gboolean vanished, GError *error,
                  gpointer bus)
{
    HpBus *self = bus;
    HP_LOCKED(&self->lock);

    g_signal_handlers_disconnect_by_data(connection, self);
    g_ptr_array_remove_fast(self->connections, connection);
}

static gboolean
client_came(GDBusServer *server, GDBusConnection *connection, gpointer bus)
{
    HpBus *self = bus;
    g_autoptr(GError) error = NULL;

    if (export_on(self, connection, &error) == 0) {
        hp_log("control", NULL, G_LOG_LEVEL_WARNING, "cannot answer a client: %s",
               error->message);
        return FALSE;
    }
    if (!add_connection(self, connection))
        return FALSE;
    g_signal_connect(connection, "closed", G_CALLBACK(connection_closed), self);
    return TRUE;
}

static gboolean
is_ours(GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials,
        gpointer data)
{
    return credentials != NULL &&
           g_credentials_get_unix_user(credentials, NULL) == geteuid();
}

static gboolean
is_external(GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
    return g_str_equal(mechanism, "EXTERNAL");
}

static GDBusServer *
listen_on(const char *path, GError **error)
{
    g_autoptr(GDBusAuthObserver) observer = g_dbus_auth_observer_new();
    g_autofree char *escaped = g_dbus_address_escape_value(path);
    g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);
    g_autofree char *guid = g_dbus_generate_guid();

    GDBusServer *server;

    unlink(path); /* stale: the lock on the state folder says that we are alone */
    g_signal_connect(observer, "authorize-authenticated-peer", G_CALLBACK(is_ours), NULL);
    g_signal_connect(observer, "allow-mechanism", G_CALLBACK(is_external), NULL);
    server = g_dbus_server_new_sync(address, G_DBUS_SERVER_FLAGS_NONE, guid, observer,
                                    NULL, error);
    if (server == NULL)
        g_prefix_error(error, "%s: ", path);
    if (server != NULL && chmod(path, 0600) != 0) {
        hp_fs_fail(error, N_("protect"), path);
        g_clear_object(&server);
    }
    return server;
}

static void
name_lost(GDBusConnection *connection, const char *name, gpointer bus)
{
    hp_log("control", NULL, G_LOG_LEVEL_MESSAGE,
           "the session bus has another %s; the command line works all the same", name);
}

static void
session_found(GObject *source, GAsyncResult *result, gpointer bus)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *session = g_dbus_connection_new_for_address_finish(result, &error);
    HpBus *self = bus;

    if (session == NULL) {
        /* If the search was cancelled, self is gone. */
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            hp_log("control", NULL, G_LOG_LEVEL_INFO, "no session bus: %s",
                   error->message);
        return;
    }
    self->session = session;
    g_dbus_connection_set_exit_on_close(session, FALSE);
    self->session_registration = export_on(self, session, NULL);
    add_connection(self, session);
    self->name_id = g_bus_own_name_on_connection(session, self->object.bus_name,
                                                 G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                 NULL, name_lost, self, NULL);
}

/* Never through g_bus_get(): that would start a bus where there is none. */
static void
look_for_session_bus(HpBus *self)
{
    const char *set = g_getenv("DBUS_SESSION_BUS_ADDRESS");
    g_autofree char *usual = g_build_filename(g_get_user_runtime_dir(), "bus", NULL);
    g_autofree char *address = NULL;

    if (set != NULL && g_dbus_is_supported_address(set, NULL))
        address = g_strdup(set);
    else if (set == NULL && g_file_test(usual, G_FILE_TEST_EXISTS))
        address = g_strdup_printf("unix:path=%s", usual);
    if (address != NULL)
        g_dbus_connection_new_for_address(
            address,
            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
            NULL, self->cancel, session_found, self);
}

HpBus *
hp_bus_new(const HpBusObject *object, const char *socket_path, GError **error)
{
    HpBus *self = g_new0(HpBus, 1);

    self->object = *object;
    self->socket_path = g_strdup(socket_path);
    self->cancel = g_cancellable_new();
    self->connections = g_ptr_array_new_with_free_func(g_object_unref);
    hp_lock_init(&self->lock);
    self->server = listen_on(socket_path, error);
    if (self->server == NULL || !open_lane(&self->control, self, "control", error) ||
        !open_lane(&self->slow, self, "slow-control", error)) {
        hp_bus_free(self);
        return NULL;
    }
    g_signal_connect(self->server, "new-connection", G_CALLBACK(client_came), self);
    g_dbus_server_start(self->server);
    look_for_session_bus(self);
    return self;
}

static void
disconnect_all(HpBus *self)
{
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->connections->len; i++)
        g_signal_handlers_disconnect_by_data(self->connections->pdata[i], self);
    g_ptr_array_set_size(self->connections, 0);
}

void
hp_bus_free(HpBus *self)
{
    g_cancellable_cancel(self->cancel);
    if (self->server != NULL) {
        g_dbus_server_stop(self->server);
        g_signal_handlers_disconnect_by_data(self->server, self);
        g_object_unref(self->server);
        unlink(self->socket_path);
    }
    close_lane(&self->control);
    close_lane(&self->slow);
    if (self->name_id != 0)
        g_bus_unown_name(self->name_id);
    if (self->session_registration != 0)
        g_dbus_connection_unregister_object(self->session, self->session_registration);
    disconnect_all(self);
    g_clear_object(&self->session);
    g_clear_pointer(&self->connections, g_ptr_array_unref);
    hp_lock_clear(&self->lock);
    g_object_unref(self->cancel);
    g_free(self->socket_path);
    g_free(self);
}

static GPtrArray *
copy_connections(HpBus *self)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_object_unref);
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->connections->len; i++)
        g_ptr_array_add(copy, g_object_ref(self->connections->pdata[i]));
    return copy;
}

void
hp_bus_emit(HpBus *self, const char *signal, GVariant *args)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(args);
    g_autoptr(GPtrArray) connections = copy_connections(self);

    for (guint i = 0; i < connections->len; i++)
        g_dbus_connection_emit_signal(connections->pdata[i], NULL,
                                      self->object.object_path, self->object.info->name,
                                      signal, owned, NULL);
}
