#include "hp-services.h"

#include "hp-log.h"

#include <pwd.h>

static void
serve_smtp(HpConnection *connection, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_smtp_serve(connection, &policy->smtp);
}

static void
refuse_smtp(HpChannel *channel, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_smtp_refuse(channel, &policy->smtp);
}

static void
serve_pop3(HpConnection *connection, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_pop3_serve(connection, &policy->pop3);
}

static void
refuse_pop3(HpChannel *channel, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_pop3_refuse(channel, &policy->pop3);
}

static void
serve_imap(HpConnection *connection, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_imap_serve(connection, &policy->imap);
}

static void
refuse_imap(HpChannel *channel, gpointer policies)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    hp_imap_refuse(channel, &policy->imap);
}

/* The key in section [listen] says on which port. */
static const struct {
    HpConfigKey key;
    HpService service;
} services[] = {
    { HP_CONFIG_LISTEN_SMTP, { "smtp", FALSE, FALSE, serve_smtp, refuse_smtp, NULL } },
    { HP_CONFIG_LISTEN_SMTP_TLS, { "smtp", TRUE, FALSE, serve_smtp, refuse_smtp, NULL } },
    { HP_CONFIG_LISTEN_POP3, { "pop3", FALSE, FALSE, serve_pop3, refuse_pop3, NULL } },
    { HP_CONFIG_LISTEN_POP3_TLS, { "pop3", TRUE, FALSE, serve_pop3, refuse_pop3, NULL } },
    { HP_CONFIG_LISTEN_IMAP, { "imap", FALSE, FALSE, serve_imap, refuse_imap, NULL } },
    { HP_CONFIG_LISTEN_IMAP_TLS, { "imap", TRUE, FALSE, serve_imap, refuse_imap, NULL } },
};

/* A port that is taken may be free soon; one that this user may not have is a fault of
 * the setting. */
static gboolean
fail_port(const HpDirs *dirs, guint line, GError *cause, GError **error)
{
    g_autoptr(GError) owned = cause;
    g_autofree char *file = hp_config_path(dirs);

    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        g_set_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID, "%s:%u: %s",
                    file, line, cause->message);
    else
        g_propagate_error(error, g_steal_pointer(&owned));
    return FALSE;
}

gboolean
hp_services_add(HpListener *listener, HpPolicies *policies, const HpDirs *dirs,
                GError **error)
{
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);
    g_autofree char *submit =
        g_build_filename(dirs->runtime, HP_SERVICES_SUBMIT_SOCKET, NULL);
    HpService on_socket = services[0].service;

    for (size_t i = 0; i < G_N_ELEMENTS(services); i++) {
        HpService service = services[i].service;
        guint16 port =
            (guint16)hp_settings_number(policy->settings, services[i].key, NULL);
        GError *cause = NULL;

        service.data = policies;
        if (port != 0 && !hp_listener_add_port(listener, &service, port, &cause))
            return fail_port(dirs,
                             hp_settings_line(policy->settings, services[i].key, NULL),
                             cause, error);
    }
    on_socket.data = policies;
    return hp_listener_add_socket(listener, &on_socket, submit, error);
}

static gboolean
find_uid(const char *user, guint *ret_uid)
{
    HpCursor c = hp_cursor_over(hp_slice_of(user));
    const struct passwd *entry;
    guint64 number;

    if (hp_cursor_take_number(&c, G_MAXUINT32 - 1, &number) && hp_cursor_at_end(&c)) {
        *ret_uid = (guint)number;
        return TRUE;
    }
    entry = getpwnam(user); /* on main, before other threads ask for names */
    if (entry == NULL)
        return FALSE;
    *ret_uid = entry->pw_uid;
    return TRUE;
}

GArray *
hp_services_allowed_uids(const HpSettings *settings)
{
    g_auto(GStrv) users = hp_settings_list(settings, HP_CONFIG_LISTEN_ALLOW_USERS, NULL);
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint));

    for (char **user = users; *user != NULL; user++) {
        guint uid;

        if (find_uid(*user, &uid))
            g_array_append_val(uids, uid);
        else
            hp_log("daemon", NULL, G_LOG_LEVEL_WARNING,
                   "allow-users: this computer has no user %s", *user);
    }
    return uids;
}
