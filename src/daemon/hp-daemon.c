#include "hp-daemon.h"

#include "hp-build.h"
#include "hp-control-bus.h"
#include "hp-control-error.h"
#include "hp-control.h"
#include "hp-folders.h"
#include "hp-language.h"
#include "hp-log.h"
#include "hp-notify-socket.h"
#include "hp-parts.h"
#include "hp-power.h"
#include "hp-reload.h"
#include "hp-services.h"
#include "hp-store-check.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FAULT    1
#define EXIT_PROBLEMS 7

typedef struct {
    HpParts parts;
    HpFolders folders;
    HpPower *power;       /* (owned) (nullable) */
    HpSettings *settings; /* (owned) (nullable): until the policies own it */
    GMainLoop *loop;      /* (owned) */
} HpDaemon;

/* ---- opening the parts, each on top of the ones before ---------------------------- */

static gboolean
open_identity(HpDaemon *self, GError **error)
{
    self->parts.tls_identity = hp_tls_identity_ensure(self->folders.state, error);
    return self->parts.tls_identity != NULL;
}

static void
close_identity(HpDaemon *self)
{
    g_clear_pointer(&self->parts.tls_identity, hp_tls_identity_free);
}

static gboolean
open_store(HpDaemon *self, GError **error)
{
    self->parts.store = hp_store_open(self->parts.dirs->data, self->folders.data,
                                      self->parts.clock, error);
    return self->parts.store != NULL;
}

static void
close_store(HpDaemon *self)
{
    g_clear_pointer(&self->parts.store, hp_store_close);
}

static gboolean
open_explain(HpDaemon *self, GError **error)
{
    const char *datadir = g_getenv("HAUSPOST_DATADIR"); /* an uninstalled tree */
    g_autofree char *path = g_build_filename(datadir != NULL ? datadir : HP_DATADIR,
                                             "explanations.ini", NULL);

    self->parts.explain = hp_explain_load(path, error);
    return self->parts.explain != NULL;
}

static void
close_explain(HpDaemon *self)
{
    g_clear_pointer(&self->parts.explain, hp_explain_free);
}

static gboolean
open_resolver(HpDaemon *self, GError **error)
{
    const char *servers = hp_settings_text(self->settings, HP_CONFIG_DNS_SERVERS, NULL);

    self->parts.resolver = hp_resolver_new(servers, error);
    return self->parts.resolver != NULL;
}

static void
close_resolver(HpDaemon *self)
{
    g_clear_pointer(&self->parts.resolver, hp_resolver_free);
}

/* @state: (nullable) */
static void
tell_event(HpDaemon *self, const char *kind, const char *state)
{
    GVariantDict details;

    g_variant_dict_init(&details, NULL);
    if (state != NULL)
        g_variant_dict_insert(&details, "state", "s", state);
    hp_bus_emit(self->parts.bus, "Event",
                g_variant_new("(s@a{sv})", kind, g_variant_dict_end(&details)));
}

/* On main, whenever the verdict about the line changes. */
static void
link_changed(HpLinkState state, gboolean moved, gpointer data)
{
    HpDaemon *self = data;

    hp_log("daemon", NULL, G_LOG_LEVEL_MESSAGE, "the line is %s",
           hp_link_state_name(state));
    if (moved)
        hp_resolver_network_changed(self->parts.resolver);
    if (self->parts.queue != NULL)
        hp_queue_set_link(self->parts.queue, state, moved);
    if (self->parts.bus != NULL)
        tell_event(self, "line", hp_link_state_name(state));
}

static gboolean
open_link(HpDaemon *self, GError **error)
{
    self->parts.link = hp_link_new(self->parts.clock, link_changed, self, error);
    if (self->parts.link == NULL)
        return FALSE;
    hp_link_allow_private(
        self->parts.link,
        hp_settings_yes(self->settings, HP_CONFIG_DELIVERY_ALLOW_PRIVATE, NULL));
    return TRUE;
}

static void
close_link(HpDaemon *self)
{
    g_clear_pointer(&self->parts.link, hp_link_free);
}

static gboolean
open_transport(HpDaemon *self, GError **error)
{
    g_autoptr(HpTlsTrust) trust = hp_reload_trust(self->settings, error);
    HpSmtpTransportOptions options;
    g_autofree char *hostname = NULL;

    if (trust == NULL)
        return FALSE;
    hostname = hp_policy_hostname(
        hp_settings_text(self->settings, HP_CONFIG_DELIVERY_HOSTNAME, NULL),
        hp_settings_text(self->settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    options = hp_reload_transport_options(
        &self->parts, &(HpPolicy){ .settings = self->settings, .hostname = hostname });
    options.trust = trust;
    self->parts.transport = hp_smtp_transport_new(&options);
    return TRUE;
}

static void
close_transport(HpDaemon *self)
{
    g_clear_pointer(&self->parts.transport, hp_smtp_transport_free);
}

static gboolean
open_queue(HpDaemon *self, GError **error)
{
    HpPolicy *policy = &(HpPolicy){ .settings = self->settings };
    g_autofree char *hostname = hp_policy_hostname(
        hp_settings_text(self->settings, HP_CONFIG_DELIVERY_HOSTNAME, NULL),
        hp_settings_text(self->settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    HpQueueOptions options;

    policy->hostname = hostname;
    options = hp_reload_queue_options(&self->parts, policy);
    options.state_fd = self->folders.state;
    options.inbox = hp_store_inbox(self->parts.store);
    options.transport = hp_smtp_transport_table(self->parts.transport);
    self->parts.queue = hp_queue_open(&options, error);
    return self->parts.queue != NULL;
}

static void
close_queue(HpDaemon *self)
{
    g_clear_pointer(&self->parts.queue, hp_queue_close);
}

static gboolean
open_passwords(HpDaemon *self, GError **error)
{
    self->parts.passwords =
        hp_passwords_open(hp_queue_db(self->parts.queue), self->parts.clock, error);
    return self->parts.passwords != NULL;
}

static void
close_passwords(HpDaemon *self)
{
    g_clear_pointer(&self->parts.passwords, hp_passwords_close);
}

static gboolean
open_policies(HpDaemon *self, GError **error)
{
    HpPolicyParts parts = {
        .clock = self->parts.clock,
        .intake = hp_queue_intake(self->parts.queue),
        .passwords = self->parts.passwords,
        .tls_identity = self->parts.tls_identity,
        .store = self->parts.store,
        .outbox = hp_outbox_mirror_table(self->parts.outbox),
    };

    self->parts.policies =
        hp_policies_new(&parts, g_steal_pointer(&self->settings), error);
    return self->parts.policies != NULL;
}

static void
close_policies(HpDaemon *self)
{
    g_clear_pointer(&self->parts.policies, hp_policies_free);
}

static gboolean
open_upkeep(HpDaemon *self, GError **error)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(self->parts.policies);

    self->parts.upkeep = hp_upkeep_new(self->parts.queue, self->parts.store,
                                       self->parts.clock, &policy->retention, error);
    return self->parts.upkeep != NULL;
}

static void
close_upkeep(HpDaemon *self)
{
    g_clear_pointer(&self->parts.upkeep, hp_upkeep_free);
}

/* Before the steps, while there are no other threads: it looks up user names, and takes
 * what the service manager said out of the environment. */
static gboolean
make_listener(HpDaemon *self, GError **error)
{
    g_autoptr(GArray) uids = hp_services_allowed_uids(self->settings);

    self->parts.listener =
        hp_listener_new((const guint *)(gpointer)uids->data, uids->len, error);
    if (self->parts.listener == NULL)
        return FALSE;
    hp_listener_adopt_fds(self->parts.listener);
    return TRUE;
}

static gboolean
open_outbox(HpDaemon *self, GError **error)
{
    self->parts.outbox =
        hp_outbox_mirror_new(self->parts.queue, self->parts.store, error);
    return self->parts.outbox != NULL;
}

static void
close_outbox(HpDaemon *self)
{
    g_clear_pointer(&self->parts.outbox, hp_outbox_mirror_free);
}

static gboolean
open_ports(HpDaemon *self, GError **error)
{
    return hp_services_add(self->parts.listener, self->parts.policies, self->parts.dirs,
                           error);
}

static void
close_listener(HpDaemon *self)
{
    if (self->parts.listener != NULL && !hp_listener_stop(self->parts.listener)) {
        /* It uses what is closed next. All that was acknowledged is on disk, so ending
         * here is what kill -9 is: safe, if not polite. */
        hp_log("daemon", NULL, G_LOG_LEVEL_WARNING, "a session did not end in time");
        _exit(EXIT_FAILURE);
    }
    g_clear_pointer(&self->parts.listener, hp_listener_free);
}

/* On a thread of the queue, or on `control`. */
static void
queue_changed(const char *id, const char *state, gpointer data)
{
    HpDaemon *self = data;

    if (id == NULL) {
        tell_event(self, state, NULL);
        return;
    }
    hp_upkeep_poke(self->parts.upkeep);
    hp_outbox_mirror_poke(self->parts.outbox);
    hp_bus_emit(self->parts.bus, "MessageChanged",
                g_variant_new("(ss@a{sv})", id, state,
                              g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0)));
}

/* On whatever thread changed the store. */
static void
store_changed(gpointer data)
{
    HpDaemon *self = data;

    hp_upkeep_poke(self->parts.upkeep);
}

static gboolean
open_bus(HpDaemon *self, GError **error)
{
    g_autofree char *socket =
        g_build_filename(self->parts.dirs->runtime, HP_CONTROL_SOCKET, NULL);
    HpBusObject object = {
        .bus_name = HP_CONTROL_BUS_NAME,
        .object_path = HP_CONTROL_OBJECT_PATH,
        .info = hp_hauspost1_interface_info(),
        .methods = hp_control_methods(),
        .property = hp_control_property,
        .context = &self->parts,
    };

    (void)HP_CONTROL_ERROR; /* registers the names of our errors */
    self->parts.bus = hp_bus_new(&object, socket, error);
    return self->parts.bus != NULL;
}

static void
close_bus(HpDaemon *self)
{
    hp_queue_set_changed(self->parts.queue, NULL, NULL);
    g_clear_pointer(&self->parts.bus, hp_bus_free);
}

static void
power_changed(HpPowerEvent event, gpointer data)
{
    HpDaemon *self = data;
    gboolean moved = event == HP_POWER_RESUMED;

    if (event == HP_POWER_SLEEPS)
        return; /* what is in flight has its deadlines; what breaks off is tried again */
    if (moved)
        hp_resolver_network_changed(self->parts.resolver);
    hp_queue_set_link(self->parts.queue, hp_link_state(self->parts.link), moved);
}

static gboolean
start_working(HpDaemon *self, GError **error)
{
    hp_store_set_changed(self->parts.store, store_changed, self);
    hp_queue_set_changed(self->parts.queue, queue_changed, self);
    hp_queue_set_link(self->parts.queue, hp_link_state(self->parts.link), FALSE);
    self->power = hp_power_new(self->parts.clock, power_changed, self);
    return hp_queue_start(self->parts.queue, error) &&
           hp_listener_start(self->parts.listener, error);
}

static void
stop_working(HpDaemon *self)
{
    g_clear_pointer(&self->power, hp_power_free);
    hp_store_set_changed(self->parts.store, NULL, NULL);
    hp_resolver_abort(self->parts.resolver); /* deliveries may be waiting for an answer */
}

/* Opened from the first to the last, closed from the last to the first. `hauspostd
 * --init` needs those before the line. */
static const struct {
    gboolean (*open)(HpDaemon *self, GError **error);
    void (*close)(HpDaemon *self);
} steps[] = {
    { open_identity, close_identity }, { open_store, close_store },
    { open_explain, close_explain },   { open_resolver, close_resolver },
    { open_link, close_link },         { open_transport, close_transport },
    { open_queue, close_queue },       { open_passwords, close_passwords },
    { open_outbox, close_outbox },     { open_policies, close_policies },
    { open_upkeep, close_upkeep },     { open_ports, close_listener },
    { open_bus, close_bus },           { start_working, stop_working },
};
#define STEPS_OF_INIT 8 /* up to the passwords */

static gboolean
open_steps(HpDaemon *self, guint n, GError **error)
{
    for (guint i = 0; i < n; i++) {
        if (steps[i].open(self, error))
            continue;
        for (guint j = i + 1; j-- > 0;)
            steps[j].close(self);
        return FALSE;
    }
    return TRUE;
}

static void
close_steps(HpDaemon *self, guint n)
{
    while (n-- > 0)
        steps[n].close(self);
}

/* ---- from settings to exit status -------------------------------------------------- */

static gboolean
prepare(HpDaemon *self, GError **error)
{
    self->parts.clock = &hp_clock_system;
    self->parts.started_usec = hp_clock_now_usec(self->parts.clock, HP_CLOCK_WALL);
    self->parts.dirs = hp_dirs_new();
    self->folders = HP_FOLDERS_INIT;
    self->settings = hp_config_load_set_up(self->parts.dirs, error);
    if (self->settings == NULL)
        return FALSE;
    hp_language_init(hp_settings_text(self->settings, HP_CONFIG_ACCOUNT_LANGUAGE, NULL));
    return hp_folders_open(self->parts.dirs, &self->folders, error);
}

static void
clear(HpDaemon *self)
{
    close_listener(self); /* if no step came as far as to do it */
    hp_folders_close(&self->folders);
    g_clear_pointer(&self->settings, hp_settings_unref);
    g_clear_pointer(&self->parts.dirs, hp_dirs_free);
    g_clear_pointer(&self->loop, g_main_loop_unref);
}

/* A service manager must not try again with the same wrong settings, so they have an exit
 * status of their own. Their message is of lines "file:line: …", as editors know them. */
static int
report(const GError *error)
{
    const char *next = hp_config_next(error);

    if (next != NULL) {
        fprintf(stderr, "%s\n→ %s\n", error->message, next);
        return EXIT_PROBLEMS;
    }
    fprintf(stderr, "hauspostd: %s\n", error->message);
    if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED))
        fprintf(stderr, "%s\n→ hauspostd --repair\n",
                _("Nothing has been deleted. This saves all that can be read, and keeps "
                  "the damaged file:"));
    return EXIT_FAULT;
}

static int
fail(HpDaemon *self, const GError *error)
{
    clear(self);
    return report(error);
}

int
hp_daemon_check(void)
{
    g_autoptr(HpDirs) dirs = hp_dirs_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) settings = hp_config_load_set_up(dirs, &error);

    return settings != NULL ? 0 : report(error);
}

int
hp_daemon_init(void)
{
    HpDaemon self = { 0 };
    g_autoptr(GError) error = NULL;

    if (!prepare(&self, &error) || !open_steps(&self, STEPS_OF_INIT, &error))
        return fail(&self, error);
    close_steps(&self, STEPS_OF_INIT);
    clear(&self);
    return 0;
}

static int
print_report(const HpStoreReport *report)
{
    for (guint i = 0; i < report->ret_texts->len; i++)
        printf("%s\n", (const char *)report->ret_texts->pdata[i]);
    if (report->ret_recovered > 0)
        printf(ngettext("%llu message was found and put into the mailbox Recovered.\n",
                        "%llu messages were found and put into the mailbox Recovered.\n",
                        (gulong)report->ret_recovered),
               (unsigned long long)report->ret_recovered);
    return report->ret_problems > 0 ? EXIT_PROBLEMS : 0;
}

int
hp_daemon_repair(void)
{
    HpDaemon self = { 0 };
    g_auto(HpStoreReport) report = { 0 };
    g_autoptr(GError) error = NULL;
    HpStorePlace place;

    if (!prepare(&self, &error))
        return fail(&self, error);
    place = (HpStorePlace){ self.parts.dirs->data, self.folders.data, self.parts.clock };
    if (!hp_store_rebuild(&place, &report, &error))
        return fail(&self, error);
    clear(&self);
    return print_report(&report);
}

static gboolean
end_asked(gpointer daemon)
{
    HpDaemon *self = daemon;

    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

static void
reload(gpointer parts)
{
    g_autoptr(GError) error = NULL;

    if (!hp_reload(parts, &error))
        hp_log("daemon", NULL, G_LOG_LEVEL_WARNING, "the old settings stay: %s",
               error->message);
}

static gboolean
reload_asked(gpointer daemon)
{
    HpDaemon *self = daemon;

    hp_bus_run(self->parts.bus, reload);
    return G_SOURCE_CONTINUE;
}

int
hp_daemon_run(void)
{
    HpDaemon self = { 0 };
    g_autoptr(GError) error = NULL;

    if (!prepare(&self, &error) || !make_listener(&self, &error) ||
        !open_steps(&self, G_N_ELEMENTS(steps), &error))
        return fail(&self, error);
    self.loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, end_asked, &self);
    g_unix_signal_add(SIGINT, end_asked, &self);
    g_unix_signal_add(SIGHUP, reload_asked, &self);
    hp_notify_socket_send("READY=1");
    hp_log("daemon", NULL, G_LOG_LEVEL_MESSAGE, "ready");
    g_main_loop_run(self.loop);

    hp_notify_socket_send("STOPPING=1");
    close_steps(&self, G_N_ELEMENTS(steps));
    clear(&self);
    return 0;
}
