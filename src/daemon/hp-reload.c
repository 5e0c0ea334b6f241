#include "hp-reload.h"

#include "hp-control-error.h"
#include "hp-log.h"

#include <glib/gi18n.h>

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

gboolean
hp_reload(HpParts *parts, GError **error)
{
    HpSettings *settings = hp_config_load(parts->dirs, error);
    g_autoptr(HpPolicy) policy = NULL;
    HpQueueOptions options;

    if (settings == NULL)
        return FALSE;
    if (!hp_config_is_set_up(settings)) {
        hp_settings_unref(settings);
        g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID,
                            _("the settings name no address; run hauspost setup"));
        return FALSE;
    }
    if (!hp_policies_set(parts->policies, settings, error))
        return FALSE;
    policy = hp_policies_get(parts->policies);
    options = hp_reload_queue_options(parts, policy);
    hp_queue_configure(parts->queue, &options);
    hp_upkeep_set_retention(parts->upkeep, policy->pop3_retention_sec);
    hp_link_allow_private(
        parts->link,
        hp_settings_yes(policy->settings, HP_CONFIG_DELIVERY_ALLOW_PRIVATE, NULL));
    hp_log("daemon", NULL, G_LOG_LEVEL_MESSAGE, "settings read again");
    hp_bus_emit(parts->bus, "ConfigChanged", g_variant_new("()"));
    return TRUE;
}

GVariant *
hp_control_reload(HpBusCall *call, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (hp_reload(call->context, &cause))
        return g_variant_new("()");
    g_set_error_literal(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_INVALID,
                        cause->message);
    return NULL;
}
