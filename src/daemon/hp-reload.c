#include "hp-reload.h"

#include "hp-control-error.h"
#include "hp-log.h"

static void
note_evidence(HpLinkEvidence evidence, const char *destination, gpointer parts)
{
    hp_link_note(((HpParts *)parts)->link, evidence, destination);
}

static HpLinkState
line_now(gpointer parts)
{
    return hp_link_state(((HpParts *)parts)->link);
}

/* The words of the setting `[delivery] ipv6`. */
static HpMxIpv6
ipv6_mode(const HpSettings *settings)
{
    const char *word = hp_settings_text(settings, HP_CONFIG_DELIVERY_IPV6, NULL);

    if (g_str_equal(word, "yes"))
        return HP_MX_IPV6_YES;
    return g_str_equal(word, "no") ? HP_MX_IPV6_NO : HP_MX_IPV6_AUTO;
}

HpTlsTrust *
hp_reload_trust(const HpSettings *settings, GError **error)
{
    const char *ca_file = hp_settings_text(settings, HP_CONFIG_DELIVERY_CA_FILE, NULL);

    return hp_tls_trust_new(*ca_file != '\0' ? ca_file : NULL, error);
}

HpSmtpTransportOptions
hp_reload_transport_options(HpParts *parts, const HpPolicy *policy)
{
    const HpSettings *s = policy->settings;

    return (HpSmtpTransportOptions){
        .resolver = parts->resolver,
        .hostname = policy->hostname,
        .port = (guint16)hp_settings_number(s, HP_CONFIG_DELIVERY_PORT, NULL),
        .allow_private = hp_settings_yes(s, HP_CONFIG_DELIVERY_ALLOW_PRIVATE, NULL),
        .ipv6 = ipv6_mode(s),
        .note = note_evidence,
        .note_data = parts,
        .link_state = line_now,
        .link_data = parts,
    };
}

HpQueueOptions
hp_reload_queue_options(const HpParts *parts, const HpPolicy *policy)
{
    const HpSettings *s = policy->settings;
    const char *language = hp_settings_text(s, HP_CONFIG_ACCOUNT_LANGUAGE, NULL);

    return (HpQueueOptions){
        .state_path = parts->dirs->state,
        .runtime_path = parts->dirs->runtime,
        .clock = parts->clock,
        .explain = parts->explain,
        .bounce_from_domain = policy->hostname,
        .user_address = hp_settings_text(s, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
        .user_name = hp_settings_text(s, HP_CONFIG_ACCOUNT_NAME, NULL),
        .language = *language != '\0' ? language : NULL,
        .concurrency = (guint)hp_settings_number(s, HP_CONFIG_DELIVERY_CONCURRENCY, NULL),
        .per_destination =
            (guint)hp_settings_number(s, HP_CONFIG_DELIVERY_PER_DESTINATION, NULL),
        .give_up_sec = hp_settings_number(s, HP_CONFIG_DELIVERY_GIVE_UP, NULL),
        .delay_notice_sec = hp_settings_number(s, HP_CONFIG_DELIVERY_DELAY_NOTICE, NULL),
        .grace_sec = hp_settings_number(s, HP_CONFIG_DELIVERY_GRACE, NULL),
    };
}

/* Nothing of this can fail. */
static void
put_into_force(HpParts *parts, const HpPolicy *policy, HpTlsTrust *trust)
{
    HpQueueOptions queue = hp_reload_queue_options(parts, policy);
    HpSmtpTransportOptions transport = hp_reload_transport_options(parts, policy);

    transport.trust = trust;
    hp_smtp_transport_configure(parts->transport, &transport);
    hp_queue_configure(parts->queue, &queue);
    hp_upkeep_set_retention(parts->upkeep, &policy->retention);
    hp_link_allow_private(parts->link, transport.allow_private);
}

gboolean
hp_reload(HpParts *parts, GError **error)
{
    g_autoptr(HpSettings) settings = hp_config_load_set_up(parts->dirs, error);
    g_autoptr(HpTlsTrust) trust =
        settings != NULL ? hp_reload_trust(settings, error) : NULL;
    g_autoptr(HpPolicy) policy = NULL;

    if (trust == NULL ||
        !hp_policies_set(parts->policies, g_steal_pointer(&settings), error))
        return FALSE;
    policy = hp_policies_get(parts->policies);
    put_into_force(parts, policy, trust);
    hp_log("daemon", NULL, G_LOG_LEVEL_MESSAGE, "settings read again");
    hp_bus_emit(parts->bus, "ConfigChanged", g_variant_new("()"));
    return TRUE;
}

GVariant *
hp_control_reload(HpBusCall *call, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) lines = NULL;
    const char *next;

    if (hp_reload(call->context, &cause))
        return g_variant_new("()");
    /* One problem is enough here; the second line is the next command. */
    lines = g_strsplit(cause->message, "\n", 2);
    next = hp_config_next(cause);
    g_set_error(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_INVALID, "%s%s%s", lines[0],
                next != NULL ? "\n" : "", next != NULL ? next : "");
    return NULL;
}
