#include "hp-control-methods.h"

#include "hp-build.h"
#include "hp-control-error.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define DAY_USEC ((gint64)24 * 3600 * G_USEC_PER_SEC)

const char *
hp_control_state(HpParts *parts)
{
    if (!hp_queue_is_writable(parts->queue) || !hp_store_is_writable(parts->store))
        return "read_only";
    return hp_queue_paused_until(parts->queue) != 0 ? "paused" : "running";
}

static const struct {
    const char *protocol; /* (unowned) */
    gboolean implicit_tls;
    const char *tls; /* (unowned) */
} services[] = {
    { "smtp", FALSE, "starttls" }, { "smtp", TRUE, "tls" },
    { "pop3", FALSE, "starttls" }, { "pop3", TRUE, "tls" },
    { "imap", FALSE, "starttls" }, { "imap", TRUE, "tls" },
};

/* Those that are open: the settings may name others already, for the next start. */
static GVariant *
list_ports(const HpParts *parts, const char *address_key)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (size_t i = 0; i < G_N_ELEMENTS(services); i++) {
        guint32 port = hp_listener_port(parts->listener, services[i].protocol,
                                        services[i].implicit_tls);
        GVariantDict row;

        if (port == 0)
            continue;
        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "protocol", "s", services[i].protocol);
        g_variant_dict_insert(&row, address_key, "s", "127.0.0.1");
        g_variant_dict_insert(&row, "port", "u", port);
        g_variant_dict_insert(&row, "tls", "s", services[i].tls);
        g_variant_builder_add_value(&list, g_variant_dict_end(&row));
    }
    return g_variant_builder_end(&list);
}

/* A program that is logged in, with however many connections. */
typedef struct {
    const char *protocol; /* (unowned) */
    char *name;           /* (owned): of the password */
    char *program;        /* (owned) (nullable): what it says it is */
    guint32 connections;
} Client;

static void
client_free(gpointer data)
{
    Client *self = data;

    g_free(self->name);
    g_free(self->program);
    g_free(self);
}

static void
count_client(HpConnection *connection, const char *name, gpointer data)
{
    GPtrArray *clients = data;
    const char *protocol = hp_connection_service(connection)->name;
    const char *program = hp_connection_program(connection);
    Client *client = NULL;

    if (name == NULL || *name == '\0')
        return;
    for (guint i = 0; i < clients->len && client == NULL; i++) {
        Client *other = clients->pdata[i];

        if (g_str_equal(other->protocol, protocol) && g_str_equal(other->name, name) &&
            g_strcmp0(other->program, program) == 0)
            client = other;
    }
    if (client == NULL) {
        client = g_new0(Client, 1);
        client->protocol = protocol;
        client->name = g_strdup(name);
        client->program = g_strdup(program);
        g_ptr_array_add(clients, client);
    }
    client->connections++;
}

static GVariant *
describe_client(const Client *client)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "protocol", "s", client->protocol);
    g_variant_dict_insert(&row, "name", "s", client->name);
    if (client->program != NULL)
        g_variant_dict_insert(&row, "program", "s", client->program);
    g_variant_dict_insert(&row, "connections", "u", client->connections);
    return g_variant_dict_end(&row);
}

static GVariant *
list_clients(HpParts *parts)
{
    g_autoptr(GPtrArray) clients = g_ptr_array_new_with_free_func(client_free);
    GVariantBuilder list;

    hp_listener_foreach(parts->listener, count_client, clients);
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < clients->len; i++)
        g_variant_builder_add_value(&list, describe_client(clients->pdata[i]));
    return g_variant_builder_end(&list);
}

static GVariant *
describe_network(HpParts *parts)
{
    GVariantDict network;

    g_variant_dict_init(&network, NULL);
    g_variant_dict_insert(&network, "state", "s",
                          hp_link_state_name(hp_link_state(parts->link)));
    g_variant_dict_insert(&network, "metered", "b", hp_link_is_metered(parts->link));
    return g_variant_dict_end(&network);
}

static GVariant *
describe_certificate(HpParts *parts, gboolean whole)
{
    gint64 expires = hp_tls_identity_expires_usec(parts->tls_identity);
    gint64 now = hp_clock_now_usec(parts->clock, HP_CLOCK_WALL);
    g_autofree char *fingerprint = hp_tls_identity_fingerprint(parts->tls_identity);
    static const char *const names[] = { "127.0.0.1", "::1", "localhost", NULL };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "fingerprint", "s", fingerprint);
    g_variant_dict_insert(&dict, "days_left", "i", (gint32)((expires - now) / DAY_USEC));
    if (whole) {
        g_autofree char *pem = hp_tls_identity_pem(parts->tls_identity);
        g_autofree char *path =
            g_build_filename(parts->dirs->state, "certificate.pem", NULL);

        g_variant_dict_insert(&dict, "names", "^as", names);
        hp_control_add_time(&dict, "not_after", expires);
        g_variant_dict_insert(&dict, "pem", "s", pem);
        g_variant_dict_insert(&dict, "path", "s", path);
    }
    return g_variant_dict_end(&dict);
}

/* Something that a person should know now, and what to type next. */
static void
add_attention(GVariantBuilder *list, const char *kind, const char *text,
              const char *command)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "kind", "s", kind);
    g_variant_dict_insert(&row, "text", "s", text);
    if (command != NULL)
        g_variant_dict_insert(&row, "command", "s", command);
    g_variant_builder_add_value(list, g_variant_dict_end(&row));
}

static guint32
count_in(GVariant *dict, const char *key)
{
    guint32 n = 0;

    if (dict != NULL)
        g_variant_lookup(dict, key, "u", &n);
    return n;
}

static void
add_network_attention(GVariantBuilder *list, HpLinkState state)
{
    switch (state) {
    case HP_LINK_OK:
    case HP_LINK_OFFLINE: /* a normal state of a laptop: shown, but no reason to worry */
        break;
    case HP_LINK_CAPTIVE:
        add_attention(list, "captive",
                      _("This network wants you to sign in first; open any web page."),
                      "hauspost explain captive");
        break;
    case HP_LINK_NO_DNS:
        add_attention(list, "no_dns", _("No name server answers; mail waits."), NULL);
        break;
    case HP_LINK_NO_25:
        add_attention(list, "no_25",
                      _("This network lets no mail out (port 25 is closed); mail waits."),
                      "hauspost explain no-25");
        break;
    }
}

static GVariant *
list_attention(HpParts *parts, GVariant *summary, GVariant *today)
{
    guint32 held = count_in(summary, "held"), uncertain = count_in(summary, "uncertain");
    guint32 refused = count_in(today, "refused");
    g_autofree char *held_text = g_strdup_printf(
        ngettext("%u recipient is on hold.", "%u recipients are on hold.", held), held);
    g_autofree char *refused_text = g_strdup_printf(
        ngettext("%u recipient was refused today; the reason is in the INBOX.",
                 "%u recipients were refused today; the reasons are in the INBOX.",
                 refused),
        refused);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    if (g_str_equal(hp_control_state(parts), "read_only"))
        add_attention(&list, "read_only",
                      _("The disk failed; nothing new is taken, to protect your mail."),
                      "hauspost log");
    add_network_attention(&list, hp_link_state(parts->link));
    if (refused > 0)
        add_attention(&list, "refused", refused_text,
                      "hauspost history list --result refused");
    if (held > 0)
        add_attention(&list, "held", held_text, "hauspost queue list --state held");
    if (uncertain > 0)
        add_attention(&list, "uncertain",
                      _("A server did not confirm a message; it may have arrived."),
                      "hauspost queue list --state uncertain");
    return g_variant_builder_end(&list);
}

static gint64
start_of_today(gint64 now_usec)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_usec / G_USEC_PER_SEC);
    g_autoptr(GDateTime) midnight =
        g_date_time_new_local(g_date_time_get_year(now), g_date_time_get_month(now),
                              g_date_time_get_day_of_month(now), 0, 0, 0);

    return midnight != NULL ? g_date_time_to_unix(midnight) * G_USEC_PER_SEC
                            : now_usec - DAY_USEC;
}

static GVariant *
describe_today(GVariant *stats)
{
    static const char *const keys[] = { "delivered", "refused", "expired" };
    GVariantDict today;

    g_variant_dict_init(&today, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        g_variant_dict_insert(&today, keys[i], "u", count_in(stats, keys[i]));
    return g_variant_dict_end(&today);
}

static void
add_general(HpParts *parts, const HpPolicy *policy, GVariantDict *status)
{
    gint64 until = hp_queue_paused_until(parts->queue);
    g_autofree const char **names = hp_settings_names(policy->settings, "identity");
    g_autofree char *until_text =
        until == G_MAXINT64 ? g_strdup("") : hp_clock_format_rfc3339(until);

    g_variant_dict_insert(status, "version", "s", HP_VERSION);
    g_variant_dict_insert(status, "state", "s", hp_control_state(parts));
    hp_control_add_time(status, "since", parts->started_usec);
    if (until != 0)
        g_variant_dict_insert(status, "paused_until", "s", until_text);
    g_variant_dict_insert(
        status, "account", "s",
        hp_settings_text(policy->settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    g_variant_dict_insert(status, "identities", "u",
                          1 + g_strv_length((char **)(gpointer)names));
}

GVariant *
hp_control_status(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(HpPolicy) policy = hp_policies_get(parts->policies);
    gint64 now = hp_clock_now_usec(parts->clock, HP_CLOCK_WALL);
    GError *cause = NULL;
    g_autoptr(GVariant) summary = hp_queue_summary(parts->queue, &cause);
    g_autoptr(GVariant) stats =
        summary != NULL ? hp_queue_stats(parts->queue, start_of_today(now), &cause)
                        : NULL;
    GVariantDict status;

    if (stats == NULL)
        return hp_control_fail(cause, error);
    g_variant_ref_sink(summary);
    g_variant_ref_sink(stats);
    g_variant_dict_init(&status, NULL);
    add_general(parts, policy, &status);
    g_variant_dict_insert_value(&status, "network", describe_network(parts));
    g_variant_dict_insert_value(&status, "listeners", list_ports(parts, "address"));
    g_variant_dict_insert_value(&status, "clients", list_clients(parts));
    g_variant_dict_insert_value(&status, "queue", summary);
    g_variant_dict_insert_value(&status, "today", describe_today(stats));
    g_variant_dict_insert_value(&status, "certificate",
                                describe_certificate(parts, FALSE));
    g_variant_dict_insert_value(&status, "attention",
                                list_attention(parts, summary, stats));
    return g_variant_new("(@a{sv})", g_variant_dict_end(&status));
}

GVariant *
hp_control_certificate(HpBusCall *call, GError **error)
{
    return g_variant_new("(@a{sv})", describe_certificate(call->context, TRUE));
}

/* Every address of one's own will do; "*@example.org" is none that can be typed. */
static GVariant *
list_user_names(const HpSettings *settings)
{
    g_autofree const char **sections = hp_settings_names(settings, "identity");
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_builder_add(&list, "s",
                          hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    for (const char **section = sections; *section != NULL; section++) {
        const char *address =
            hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, *section);

        if (*address != '*')
            g_variant_builder_add(&list, "s", address);
    }
    return g_variant_builder_end(&list);
}

GVariant *
hp_control_account(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(HpPolicy) policy = hp_policies_get(parts->policies);
    const HpSettings *settings = policy->settings;
    const char *address = hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL);
    GVariantDict account;

    g_variant_dict_init(&account, NULL);
    g_variant_dict_insert(&account, "address", "s", address);
    g_variant_dict_insert(&account, "name", "s",
                          hp_settings_text(settings, HP_CONFIG_ACCOUNT_NAME, NULL));
    g_variant_dict_insert(&account, "language", "s",
                          hp_settings_text(settings, HP_CONFIG_ACCOUNT_LANGUAGE, NULL));
    g_variant_dict_insert_value(&account, "user_names", list_user_names(settings));
    g_variant_dict_insert_value(&account, "certificate",
                                describe_certificate(parts, FALSE));
    g_variant_dict_insert_value(&account, "services", list_ports(parts, "host"));
    return g_variant_new("(@a{sv})", g_variant_dict_end(&account));
}

static void
add_identity(GVariantBuilder *list, const char *section, const char *address,
             const char *name, const char *relay)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "address", "s", address);
    g_variant_dict_insert(&row, "name", "s", name);
    g_variant_dict_insert(&row, "default", "b", section == NULL);
    if (section != NULL)
        g_variant_dict_insert(&row, "section", "s", section);
    if (relay != NULL)
        g_variant_dict_insert(&row, "relay", "s", relay);
    g_variant_builder_add_value(list, g_variant_dict_end(&row));
}

GVariant *
hp_control_identities(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(HpPolicy) policy = hp_policies_get(parts->policies);
    const HpSettings *settings = policy->settings;
    g_autofree const char **names = hp_settings_names(settings, "identity");
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    add_identity(&list, NULL, hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
                 hp_settings_text(settings, HP_CONFIG_ACCOUNT_NAME, NULL), NULL);
    for (const char **name = names; *name != NULL; name++)
        add_identity(&list, *name,
                     hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, *name),
                     hp_settings_text(settings, HP_CONFIG_IDENTITY_NAME, *name),
                     hp_settings_text(settings, HP_CONFIG_IDENTITY_RELAY, *name));
    return g_variant_new("(aa{sv})", &list);
}
