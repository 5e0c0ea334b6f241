#include "hp-policy.h"

#include "hp-lock.h"

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

/* Lower case, and a hyphen for what other servers would not take: underscores above all,
 * which people like in names of computers. */
static void
make_name(char *name)
{
    for (char *c = name; *c != '\0'; c++)
        *c = g_ascii_isalnum(*c) || *c == '.' ? g_ascii_tolower(*c) : '-';
}

char *
hp_policy_hostname(const char *setting, const char *address)
{
    char name[LONGEST_HOSTNAME + 1] = "";
    const char *at = strrchr(address, '@');
    g_autofree char *domain = at != NULL ? hp_address_domain_to_ascii(at + 1) : NULL;

    if (setting != NULL && *setting != '\0')
        return g_strdup(setting);
    if (gethostname(name, sizeof name - 1) != 0)
        name[0] = '\0';
    make_name(name);
    if (!g_ascii_isalnum(name[0]) || g_str_has_prefix(name, "localhost"))
        g_strlcpy(name, "laptop", sizeof name);
    if (strchr(name, '.') != NULL || domain == NULL || !g_ascii_isalnum(domain[0]))
        return g_strdup(name);
    return g_strdup_printf("%s.%s", name, domain);
}

static HpIdentities *
make_identities(const HpSettings *settings, GError **error)
{
    g_autofree const char **names = hp_settings_names(settings, "identity");
    g_auto(GStrv) local =
        hp_settings_list(settings, HP_CONFIG_MAIL_LOCAL_ADDRESSES, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) addresses = NULL;
    g_autoptr(GError) cause = NULL;
    HpIdentities *identities;

    for (const char **name = names; *name != NULL; name++)
        g_strv_builder_add(builder,
                           hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, *name));
    addresses = g_strv_builder_end(builder);
    identities = hp_identities_new(
        hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
        (const char *const *)addresses, (const char *const *)local, &cause);
    if (identities == NULL)
        g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID,
                            cause->message);
    return identities;
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

    self->retention = (HpStoreRetention){
        .pop3_sec = hp_settings_number(settings, HP_CONFIG_MAIL_POP3_RETENTION, NULL),
        .trash_sec = hp_settings_number(settings, HP_CONFIG_MAIL_TRASH_RETENTION, NULL),
        .junk_sec = hp_settings_number(settings, HP_CONFIG_MAIL_JUNK_RETENTION, NULL),
    };
    self->pop3 = (HpPop3Options){
        .store = parts->store,
        .passwords = parts->passwords,
        .tls = parts->tls_identity,
        .plaintext_allowed = hp_settings_yes(settings, HP_CONFIG_LISTEN_PLAINTEXT, NULL),
        .knows_user = is_identity,
        .knows_data = self->identities,
        .retention_sec = self->retention.pop3_sec,
    };
}

static void
fill_imap(HpPolicy *self, const HpPolicyParts *parts)
{
    const HpSettings *settings = self->settings;

    self->imap = (HpImapOptions){
        .store = parts->store,
        .passwords = parts->passwords,
        .tls = parts->tls_identity,
        .clock = parts->clock,
        .plaintext_allowed = hp_settings_yes(settings, HP_CONFIG_LISTEN_PLAINTEXT, NULL),
        .knows_user = is_identity,
        .knows_data = self->identities,
        .max_message_size =
            (guint64)hp_settings_number(settings, HP_CONFIG_MAIL_MAX_MESSAGE_SIZE, NULL),
        .outbox = parts->outbox,
        .admin = self->admin,
    };
}

/* RFC 6068 §2 */
static char *
mailto(const char *address)
{
    g_autofree char *escaped = g_uri_escape_string(address, "@", FALSE);

    return g_strconcat("mailto:", escaped, NULL);
}

static HpPolicy *
make_policy(const HpPolicyParts *parts, HpSettings *settings, GError **error)
{
    g_autoptr(HpSettings) owned = settings;
    HpIdentities *identities = make_identities(settings, error);
    HpPolicy *self;

    if (identities == NULL)
        return NULL;
    self = g_new0(HpPolicy, 1);
    g_atomic_ref_count_init(&self->refs);
    self->settings = g_steal_pointer(&owned);
    self->identities = identities;
    self->hostname =
        hp_policy_hostname(hp_settings_text(settings, HP_CONFIG_DELIVERY_HOSTNAME, NULL),
                           hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL));
    self->admin = mailto(hp_identities_account(identities));
    fill_smtp(self, parts);
    fill_pop3(self, parts);
    fill_imap(self, parts);
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
    g_free(self->admin);
    g_free(self);
}

HpPolicies *
hp_policies_new(const HpPolicyParts *parts, HpSettings *settings, GError **error)
{
    HpPolicy *first = make_policy(parts, settings, error);
    HpPolicies *self;

    if (first == NULL)
        return NULL;
    self = g_new0(HpPolicies, 1);
    self->parts = *parts;
    self->current = first;
    hp_lock_init(&self->lock);
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

gboolean
hp_policies_set(HpPolicies *self, HpSettings *settings, GError **error)
{
    HpPolicy *next = make_policy(&self->parts, settings, error);

    if (next == NULL)
        return FALSE;
    hp_policy_unref(exchange(self, next));
    return TRUE;
}
