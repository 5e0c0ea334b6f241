#include "daemon-fixture.h"

#include "hp-control-bus.h"
#include "hp-control-error.h"
#include "hp-control.h"
#include "hp-fs.h"
#include "hp-lock.h"
#include "hp-reload.h"
#include "hp-services.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_USEC ((gint64)20 * G_USEC_PER_SEC)
#define START_USEC    ((gint64)20000 * G_TIME_SPAN_DAY)
#define BODY          "Subject: test\r\n\r\nHello.\r\n"

/* Shared with the threads of the parts; one for the test program. */
static struct {
    HpLock lock;
    gint64 passed_usec;
    guint deliveries;
} world;

static gint64
fake_now(gpointer data, HpClockKind kind)
{
    HP_LOCKED(&world.lock);

    return (kind == HP_CLOCK_WALL ? START_USEC : G_TIME_SPAN_DAY) + world.passed_usec;
}

static const HpClock fake_clock = { fake_now, NULL };

void
fixture_pass(gint64 usec)
{
    HP_LOCKED(&world.lock);

    world.passed_usec += usec;
}

static void
carry_nothing(gpointer self, HpCarry *carry)
{
    g_assert_not_reached(); /* the queue is not started */
}

static const char *const folders[][2] = {
    { "XDG_CONFIG_HOME", "config" }, { "XDG_DATA_HOME", "data" },
    { "XDG_STATE_HOME", "state" },   { "XDG_CACHE_HOME", "cache" },
    { "XDG_RUNTIME_DIR", "run" },
};

/* The same for all cases of a program: once there are threads, the environment may not be
 * changed any more. */
static char *
home(void)
{
    static char *path;

    if (path != NULL)
        return path;
    path = g_dir_make_tmp("daemon-XXXXXX", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_build_filename(path, folders[i][1], NULL);

        g_setenv(folders[i][0], folder, TRUE);
    }
    g_setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
    return path;
}

static int
open_folder(const char *path)
{
    int fd;

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

void
fixture_write_settings(Fixture *self, const char *text)
{
    g_autofree char *path = hp_config_path(self->parts.dirs);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(self->parts.dirs->config, 0700), ==, 0);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static void
open_databases(Fixture *self, HpSettings *settings)
{
    HpParts *p = &self->parts;
    HpPolicy policy = { .settings = settings, .hostname = (char[]){ "host.example" } };
    HpQueueOptions options = hp_reload_queue_options(p, &policy);
    HpSmtpTransportOptions roads;
    g_autoptr(GError) error = NULL;

    p->resolver = hp_resolver_new("127.0.0.1:1", &error); /* nobody answers there */
    g_assert_no_error(error);
    roads = hp_reload_transport_options(p, &policy);
    p->transport = hp_smtp_transport_new(&roads);
    p->store = hp_store_open(p->dirs->data, self->data_fd, p->clock, &error);
    g_assert_no_error(error);
    options.state_fd = self->state_fd;
    options.inbox = hp_store_inbox(p->store);
    options.transport = (HpTransport){ NULL, carry_nothing };
    options.seed = 42;
    p->queue = hp_queue_open(&options, &error);
    g_assert_no_error(error);
    p->passwords = hp_passwords_open(hp_queue_db(p->queue), p->clock, &error);
    g_assert_no_error(error);
}

static void
open_policies(Fixture *self, HpSettings *settings)
{
    HpParts *p = &self->parts;
    HpPolicyParts parts = { p->clock, hp_queue_intake(p->queue), p->passwords,
                            p->tls_identity, p->store };

    g_autoptr(GError) error = NULL;

    p->policies = hp_policies_new(&parts, settings, &error);
    g_assert_no_error(error);
}

static void
open_doors(Fixture *self)
{
    HpParts *p = &self->parts;
    g_autofree char *socket = g_build_filename(p->dirs->runtime, HP_CONTROL_SOCKET, NULL);
    HpBusObject object = { .bus_name = HP_CONTROL_BUS_NAME,
                           .object_path = HP_CONTROL_OBJECT_PATH,
                           .info = hp_hauspost1_interface_info(),
                           .methods = hp_control_methods(),
                           .property = hp_control_property,
                           .context = p };
    g_autoptr(GError) error = NULL;

    p->upkeep =
        hp_upkeep_new(p->queue, p->store, p->clock, &(HpStoreRetention){ 0 }, &error);
    g_assert_no_error(error);
    p->listener = hp_listener_new(NULL, 0, &error);
    g_assert_no_error(error);
    p->bus = hp_bus_new(&object, socket, &error);
    g_assert_no_error(error);
}

static void
link_changed(HpLinkState state, gboolean moved, gpointer data)
{
}

static void
open_rest(Fixture *self)
{
    HpParts *p = &self->parts;
    g_autoptr(GError) error = NULL;

    p->explain = hp_explain_load(g_getenv("HP_EXPLANATIONS"), &error);
    g_assert_no_error(error);
    p->tls_identity = hp_tls_identity_ensure(self->state_fd, &error);
    g_assert_no_error(error);
    p->link = hp_link_new(p->clock, link_changed, NULL, &error);
    g_assert_no_error(error);
}

void
fixture_set_up(Fixture *self, gconstpointer data)
{
    HpSettings *settings;
    g_autoptr(GError) error = NULL;

    memset(&world, 0, sizeof world);
    hp_lock_init(&world.lock);
    self->folder = home();
    self->parts.clock = &fake_clock;
    self->parts.started_usec = START_USEC;
    self->parts.dirs = hp_dirs_new();
    self->state_fd = open_folder(self->parts.dirs->state);
    self->data_fd = open_folder(self->parts.dirs->data);
    g_assert_cmpint(g_mkdir_with_parents(self->parts.dirs->runtime, 0700), ==, 0);
    fixture_write_settings(self, data != NULL ? data : FIXTURE_SETTINGS);
    settings = hp_config_load(self->parts.dirs, &error);
    g_assert_no_error(error);
    open_rest(self);
    open_databases(self, settings);
    open_policies(self, settings);
    open_doors(self);
}

static void
remove_folder(char *folder)
{
    char rm[] = "rm";
    char option[] = "-rf";
    char *argv[] = { rm, option, folder, NULL };

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

void
fixture_tear_down(Fixture *self, gconstpointer data)
{
    HpParts *p = &self->parts;

    g_clear_object(&self->client);
    g_clear_pointer(&p->bus, hp_bus_free);
    g_clear_pointer(&p->listener, hp_listener_free);
    g_clear_pointer(&p->upkeep, hp_upkeep_free);
    hp_policies_free(p->policies);
    hp_passwords_close(p->passwords);
    hp_queue_close(p->queue);
    hp_smtp_transport_free(p->transport);
    hp_resolver_free(p->resolver);
    hp_link_free(p->link);
    hp_store_close(p->store);
    hp_explain_free(p->explain);
    hp_tls_identity_free(p->tls_identity);
    hp_dirs_free(p->dirs);
    close(self->state_fd);
    close(self->data_fd);
    remove_folder(self->folder);
    hp_lock_clear(&world.lock);
}

char *
fixture_submit(Fixture *self, const char *address)
{
    HpIntake intake = hp_queue_intake(self->parts.queue);
    g_autoptr(HpEnvelope) envelope = hp_envelope_new();
    g_autoptr(GError) error = NULL;
    HpIntakeDraft *draft = intake.begin(intake.self, 0, &error);
    char *id = NULL;

    g_assert_no_error(error);
    g_free(envelope->sender);
    envelope->sender = g_strdup("anna@home.example");
    envelope->subject = g_strdup("test");
    hp_envelope_add(envelope, address);
    g_assert_true(intake.append(draft, HP_SLICE_LITERAL(BODY), &error));
    intake.commit(draft, envelope, &id, &error);
    g_assert_no_error(error);
    return id;
}

static gboolean
rename_message(HpDbConn *conn, gpointer names, GError **error)
{
    const char *const *pair = names;

    return hp_db_run(conn, error, "UPDATE message SET name = ?2 WHERE name = ?1", "ss",
                     pair[0], pair[1]);
}

void
fixture_submit_as(Fixture *self, const char *id, const char *address)
{
    g_autofree char *given = fixture_submit(self, address);
    const char *names[] = { given, id };

    g_assert_true(
        hp_db_write(hp_queue_db(self->parts.queue), rename_message, names, NULL));
}

static gssize
read_body(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    size_t n = MIN(size, strlen(BODY) - (size_t)offset);

    memcpy(buffer, &BODY[offset], n);
    return (gssize)n;
}

void
fixture_deliver_as(Fixture *self, const char *origin)
{
    HpInbox inbox = hp_store_inbox(self->parts.store);
    g_autoptr(GError) error = NULL;

    inbox.deliver(inbox.self, origin, strlen(BODY), NULL, read_body, &error);
    g_assert_no_error(error);
}

guint32
fixture_deliver(Fixture *self)
{
    g_autofree char *origin = g_strdup_printf("ORIGIN%u", world.deliveries++);
    g_autoptr(HpStoreSnapshot) snapshot = NULL;
    g_autoptr(GError) error = NULL;

    fixture_deliver_as(self, origin);
    snapshot = hp_store_snapshot(self->parts.store, HP_STORE_INBOX, &error);
    g_assert_no_error(error);
    return g_array_index(snapshot->entries, HpStoreEntry, snapshot->entries->len - 1).uid;
}

guint
fixture_inbox_len(Fixture *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpStoreSnapshot) snapshot =
        hp_store_snapshot(self->parts.store, HP_STORE_INBOX, &error);

    g_assert_no_error(error);
    return snapshot->entries->len;
}

static void
client_connected(GObject *source, GAsyncResult *result, gpointer fixture)
{
    Fixture *self = fixture;
    g_autoptr(GError) error = NULL;

    self->client = g_dbus_connection_new_for_address_finish(result, &error);
    g_assert_no_error(error);
}

GDBusConnection *
fixture_client(Fixture *self)
{
    g_autofree char *address =
        g_strdup_printf("unix:path=%s/" HP_CONTROL_SOCKET, self->parts.dirs->runtime);

    if (self->client != NULL)
        return self->client;
    (void)HP_CONTROL_ERROR; /* registers the names */
    g_dbus_connection_new_for_address(address,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                      NULL, client_connected, self);
    while (self->client == NULL)
        g_main_context_iteration(NULL, TRUE);
    return self->client;
}

typedef struct {
    GVariant *value;   /* (owned) (nullable) */
    GUnixFDList *list; /* (owned) (nullable) */
    GError *error;     /* (owned) (nullable) */
    gboolean done;
} Answer;

static void
answered(GObject *source, GAsyncResult *result, gpointer answer)
{
    Answer *a = answer;

    a->value = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &a->list, result, &a->error);
    a->done = TRUE;
}

static Answer
call(Fixture *self, const char *method, GVariant *args)
{
    Answer answer = { 0 };

    g_dbus_connection_call_with_unix_fd_list(
        fixture_client(self), NULL, HP_CONTROL_OBJECT_PATH, HP_CONTROL_BUS_NAME, method,
        args, NULL, G_DBUS_CALL_FLAGS_NONE, PATIENCE_USEC / 1000, NULL, NULL, answered,
        &answer);
    while (!answer.done)
        g_main_context_iteration(NULL, TRUE);
    return answer;
}

GVariant *
fixture_call(Fixture *self, const char *method, GVariant *args, GError **error)
{
    Answer answer = call(self, method, args);

    g_clear_object(&answer.list);
    if (answer.error != NULL)
        g_propagate_error(error, answer.error);
    return answer.value;
}

char *
fixture_call_for_text(Fixture *self, const char *method, GVariant *args, GError **error)
{
    Answer answer = call(self, method, args);
    char text[4096] = "";
    gint32 index = -1;
    hp_autofd fd = -1;

    if (answer.error != NULL) {
        g_propagate_error(error, answer.error);
        return NULL;
    }
    g_variant_get(answer.value, "(h)", &index);
    fd = g_unix_fd_list_get(answer.list, index, NULL);
    g_assert_cmpint(read(fd, text, sizeof text - 1), >, 0);
    g_variant_unref(answer.value);
    g_object_unref(answer.list);
    return g_strdup(text);
}

void
fixture_wait(gboolean (*condition)(gpointer data), gpointer data)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_USEC;

    while (!condition(data)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
}

void
fixture_set(Fixture *self, const char *text)
{
    g_autoptr(GError) error = NULL;
    HpSettings *settings = hp_config_parse("test.conf", hp_slice_of(text), &error);

    g_assert_no_error(error);
    hp_policies_set(self->parts.policies, settings, &error);
    g_assert_no_error(error);
}

static void
ignore_connection(HpConnection *connection, gpointer data)
{
}

/* Each is kept until all are found, so that they differ. */
void
fixture_find_ports(guint16 *ret_ports, guint n)
{
    g_autoptr(HpListener) listener = hp_listener_new(NULL, 0, NULL);

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("test%u", i);
        HpService service = { .name = name, .serve = ignore_connection };

        g_assert_true(hp_listener_add_port(listener, &service, 0, NULL));
        ret_ports[i] = hp_listener_port(listener, name, FALSE);
    }
}
