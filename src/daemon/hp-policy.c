#include "hp-policy.h"

#include "hp-lock.h"
#include "hp-log.h"

#include <string.h>
#include <unistd.h>

#define LONGEST_HOSTNAME 255 /* octets; RFC 1035 §2.3.4 */

struct _HpPolicies {
    HpPolicyParts parts;
    HpLock lock;
    HpPolicy *current; /* (owned); guarded by lock */
};

static gboolean
is_identity(const char *user, gpointer identities)
{
    return hp_identities_allows_text(identities, hp_slice_of(user));
}

char *
hp_policy_hostname(const char *setting, const char *address)
{
    char name[LONGEST_HOSTNAME + 1] = "";
    const char *domain = strrchr(address, '@');

    if (setting != NULL && *setting != '\0')
        return g_strdup(setting);
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0' ||
        g_str_has_prefix(name, "localhost"))
        g_strlcpy(name, "laptop", sizeof name);
    if (strchr(name, '.') != NULL || domain == NULL || domain[1] == '\0')
        return g_ascii_strdown(name, -1);
    g_autofree char *full = g_strdup_printf("%s.%s", name, domain + 1);
    return g_ascii_strdown(full, -1);
}

/* Whether the addresses are addresses was checked when the settings were read; what slips
 * through (hp-address is stricter) is left out and named in the log. */
static HpIdentities *
make_identities(const HpSettings *settings)
{
    g_autofree const char **names = hp_settings_names(settings, "identity");
    g_auto(GStrv) local =
        hp_settings_list(settings, HP_CONFIG_MAIL_LOCAL_ADDRESSES, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) addresses = NULL;
    const char *account = hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL);
    g_autoptr(GError) error = NULL;
    HpIdentities *identities;

    for (const char **name = names; *name != NULL; name++)
        g_strv_builder_add(builder,
                           hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, *name));
    addresses = g_strv_builder_end(builder);
    identities = hp_identities_new(account, (const char *const *)addresses,
                                   (const char *const *)local, &error);
    if (identities != NULL)
        return identities;
    hp_log("daemon", NULL, G_LOG_LEVEL_WARNING, "the identities are not used: %s",
           error->message);
    return hp_identities_new(account, NULL, NULL, NULL);
}

static void
fill_smtp(HpPolicy *self, const HpPolicyParts *parts)
{
    const HpSettings *settings = self->settings;

    self->smtp = (HpSmtpServerOptions){
        .intake = parts->intake,
        .passwords = parts->passwords,
        .tls = parts->tls_identity,
        .plaintext_allowed = hp_settings_yes(settings, HP_CONFIG_LISTEN_PLAINTEXT, NULL),
        .clock = parts->clock,
        .hostname = self->hostname,
        .user_name = hp_settings_text(settings, HP_CONFIG_ACCOUNT_NAME, NULL),
        .identities = self->identities,
        .max_message_size =
            (guint64)hp_settings_number(settings, HP_CONFIG_MAIL_MAX_MESSAGE_SIZE, NULL),
        .max_recipients = (guint)hp_settings_number(
            settings, HP_CONFIG_LIMITS_RECIPIENTS_PER_MESSAGE, NULL),
    };
}

static void
fill_pop3(HpPolicy *self, const HpPolicyParts *parts)
{
    const HpSettings *settings = self->settings;

    self->pop3_retention_sec =
        hp_settings_number(settings, HP_CONFIG_MAIL_POP3_RETENTION, NULL);
    self->pop3 = (HpPop3Options){
        .store = parts->store,
        .passwords = parts->passwords,
        .tls = parts->tls_identity,
        .plaintext_allowed = hp_settings_yes(settings, HP_CONFIG_LISTEN_PLAINTEXT, NULL),
        .knows_user = is_identity,
        .knows_data = self->identities,
        .retention_sec = self->pop3_retention_sec,
    };
}

static HpPolicy *
make_policy(const HpPolicyParts *parts, HpSettings *settings)
{
    HpPolicy *self = g_new0(HpPolicy, 1);

    g_atomic_ref_count_init(&self->refs);
    self->settings = settings;
    self->identities = make_identities(settings);
    self->hostname =
        hp_policy_hostname(hp_settings_text(settings, HP_CONFIG_DELIVERY_HOSTNAME, NULL),
                           hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    fill_smtp(self, parts);
    fill_pop3(self, parts);
    return self;
}

void
hp_policy_unref(HpPolicy *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    hp_settings_unref(self->settings);
    hp_identities_unref(self->identities);
    g_free(self->hostname);
    g_free(self);
}

HpPolicies *
hp_policies_new(const HpPolicyParts *parts, HpSettings *settings)
{
    HpPolicies *self = g_new0(HpPolicies, 1);

    self->parts = *parts;
    hp_lock_init(&self->lock);
    self->current = make_policy(parts, settings);
    return self;
}

void
hp_policies_free(HpPolicies *self)
{
    hp_policy_unref(self->current);
    hp_lock_clear(&self->lock);
    g_free(self);
}

HpPolicy *
hp_policies_get(HpPolicies *self)
{
    HP_LOCKED(&self->lock);

    g_atomic_ref_count_inc(&self->current->refs);
    return self->current;
}

static HpPolicy *
exchange(HpPolicies *self, HpPolicy *next)
{
    HP_LOCKED(&self->lock);
    HpPolicy *before = self->current;

    self->current = next;
    return before;
}

void
hp_policies_set(HpPolicies *self, HpSettings *settings)
{
    hp_policy_unref(exchange(self, make_policy(&self->parts, settings)));
}
