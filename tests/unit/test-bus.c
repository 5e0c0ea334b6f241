#include "hp-bus.h"

#include "hp-fs.h"

#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char introspection[] =
    "<node><interface name='org.example.Test1'>"
    "<method name='Double'><arg type='u' direction='in'/><arg type='u' "
    "direction='out'/></method>"
    "<method name='Fail'/>"
    "<method name='Think'/>"
    "<property name='Colour' type='s' access='read'/>"
    "<signal name='Happened'><arg type='s'/></signal>"
    "</interface></node>";

static GVariant *
double_it(HpBusCall *call, GError **error)
{
    guint32 n;

    g_variant_get(call->args, "(u)", &n);
    return g_variant_new("(u)", 2 * n);
}

static GVariant *
fail_it(HpBusCall *call, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "not now");
    return NULL;
}

/* Until the bus is freed. */
static GVariant *
think(HpBusCall *call, GError **error)
{
    GPollFD fd = { .events = G_IO_IN };

    g_assert_true(g_cancellable_make_pollfd(call->cancel, &fd));
    g_poll(&fd, 1, -1);
    g_cancellable_release_fd(call->cancel);
    g_cancellable_set_error_if_cancelled(call->cancel, error);
    return NULL;
}

static GVariant *
property(gpointer context, const char *name)
{
    return g_str_equal(name, "Colour") ? g_variant_new_string(context) : NULL;
}

static const HpBusMethod methods[] = {
    { "Double", 0, double_it },
    { "Fail", HP_BUS_PRIVATE, fail_it },
    { "Think", HP_BUS_SLOW, think },
    { NULL, 0, NULL },
};

typedef struct {
    char colour[4];
    char *dir;
    char *socket;
    GDBusNodeInfo *node;
    HpBus *bus;
    GDBusConnection *client;
} Fixture;

static void
client_connected(GObject *source, GAsyncResult *result, gpointer fixture)
{
    Fixture *f = fixture;

    f->client = g_dbus_connection_new_for_address_finish(result, NULL);
    g_assert_nonnull(f->client);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autofree char *address = NULL;
    HpBusObject object = {
        "org.example.Test1", "/org/example/Test1", NULL, methods, property, NULL
    };

    g_strlcpy(f->colour, "red", sizeof f->colour);
    f->dir = g_dir_make_tmp("bus-XXXXXX", NULL);
    f->socket = g_build_filename(f->dir, "control", NULL);
    f->node = g_dbus_node_info_new_for_xml(introspection, NULL);
    object.info = f->node->interfaces[0];
    object.context = f->colour;
    g_setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
    g_assert_true(g_file_set_contents(f->socket, "stale", -1, NULL));
    f->bus = hp_bus_new(&object, f->socket, NULL);
    g_assert_nonnull(f->bus);
    address = g_strdup_printf("unix:path=%s", f->socket);
    g_dbus_connection_new_for_address(address,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                      NULL, client_connected, f);
    while (f->client == NULL)
        g_main_context_iteration(NULL, TRUE);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_object_unref(f->client);
    hp_bus_free(f->bus);
    g_dbus_node_info_unref(f->node);
    g_assert_false(g_file_test(f->socket, G_FILE_TEST_EXISTS));
    g_rmdir(f->dir);
    g_free(f->socket);
    g_free(f->dir);
}

typedef struct {
    GVariant *value;
    GError *error;
    gboolean done;
} Answer;

static void
call_done(GObject *source, GAsyncResult *result, gpointer answer)
{
    Answer *a = answer;

    a->value =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &a->error);
    a->done = TRUE;
}

static Answer
call(Fixture *f, const char *interface, const char *method, GVariant *args)
{
    Answer answer = { 0 };

    g_dbus_connection_call(f->client, NULL, "/org/example/Test1", interface, method, args,
                           NULL, G_DBUS_CALL_FLAGS_NONE, 5000, NULL, call_done, &answer);
    while (!answer.done)
        g_main_context_iteration(NULL, TRUE);
    return answer;
}

static void
answers_by_its_table(Fixture *f, gconstpointer data)
{
    Answer ok = call(f, "org.example.Test1", "Double", g_variant_new("(u)", 21));
    Answer bad = call(f, "org.example.Test1", "Fail", NULL);
    Answer unknown = call(f, "org.example.Test1", "Nothing", NULL);
    guint32 n;

    g_assert_no_error(ok.error);
    g_variant_get(ok.value, "(u)", &n);
    g_assert_cmpuint(n, ==, 42);
    g_variant_unref(ok.value);
    g_assert_nonnull(bad.error);
    g_assert_nonnull(strstr(bad.error->message, "not now"));
    g_clear_error(&bad.error);
    g_assert_error(unknown.error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
    g_clear_error(&unknown.error);
}

/* A slow method holds up neither the others nor the end. */
static void
answers_beside_a_slow_method(Fixture *f, gconstpointer data)
{
    Answer quick;

    g_dbus_connection_call(f->client, NULL, "/org/example/Test1", "org.example.Test1",
                           "Think", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                           NULL, NULL);
    quick = call(f, "org.example.Test1", "Double", g_variant_new("(u)", 4));
    g_assert_no_error(quick.error);
    g_variant_unref(quick.value);
}

static void
answers_properties(Fixture *f, gconstpointer data)
{
    Answer one = call(f, "org.freedesktop.DBus.Properties", "Get",
                      g_variant_new("(ss)", "org.example.Test1", "Colour"));
    Answer all = call(f, "org.freedesktop.DBus.Properties", "GetAll",
                      g_variant_new("(s)", "org.example.Test1"));
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GVariant) dict = NULL;
    const char *colour = NULL;

    g_assert_no_error(one.error);
    g_variant_get(one.value, "(v)", &value);
    g_assert_cmpstr(g_variant_get_string(value, NULL), ==, "red");
    g_assert_no_error(all.error);
    dict = g_variant_get_child_value(all.value, 0);
    g_assert_true(g_variant_lookup(dict, "Colour", "&s", &colour));
    g_assert_cmpstr(colour, ==, "red");
    g_variant_unref(one.value);
    g_variant_unref(all.value);
}

static void
note_signal(GDBusConnection *connection, const char *sender, const char *path,
            const char *interface, const char *signal, GVariant *args, gpointer data)
{
    char **text = data;

    g_variant_get(args, "(s)", text);
}

static void
tells_every_client(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;
    guint id = g_dbus_connection_signal_subscribe(
        f->client, NULL, "org.example.Test1", "Happened", "/org/example/Test1", NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, note_signal, &text, NULL);
    Answer sync = call(f, "org.example.Test1", "Double", g_variant_new("(u)", 1));

    g_variant_unref(sync.value);
    hp_bus_emit(f->bus, "Happened", g_variant_new("(s)", "rain"));
    while (text == NULL)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(text, ==, "rain");
    g_dbus_connection_signal_unsubscribe(f->client, id);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/bus/answers-by-its-table", Fixture, NULL, set_up, answers_by_its_table,
               tear_down);
    g_test_add("/bus/answers-beside-a-slow-method", Fixture, NULL, set_up,
               answers_beside_a_slow_method, tear_down);
    g_test_add("/bus/answers-properties", Fixture, NULL, set_up, answers_properties,
               tear_down);
    g_test_add("/bus/tells-every-client", Fixture, NULL, set_up, tells_every_client,
               tear_down);
    return g_test_run();
}
