/* hp-policy: the settings in force, in the form in which the servers want them. A session
 * keeps the policy that it began with; a reload puts another one in place for the next.
 *
 * Threads: an HpPolicy is immutable and counted; HpPolicies any.
 */
#pragma once

#include "hp-config.h"
#include "hp-identities.h"
#include "hp-imap-session.h"
#include "hp-pop3-session.h"
#include "hp-smtp-session.h"

typedef struct {
    gatomicrefcount refs;
    HpSettings *settings;     /* (owned): what it was made from */
    HpIdentities *identities; /* (owned) */
    char *hostname;           /* (owned): the name we give in EHLO and greetings */
    char *admin;              /* (owned): URI under which the user can be asked */
    HpSmtpServerOptions smtp;
    HpPop3Options pop3;
    HpImapOptions imap;
    HpStoreRetention retention;
} HpPolicy;

void hp_policy_unref(HpPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPolicy, hp_policy_unref)

typedef struct _HpPolicies HpPolicies;

/* What policies point to and the settings do not change; all (unowned) and outliving. */
typedef struct {
    const HpClock *clock;
    HpIntake intake;
    HpPasswords *passwords;
    HpTlsIdentity *tls_identity;
    HpStore *store;
    HpOutbox outbox;
} HpPolicyParts;

/* @settings: (transfer full): the first settings; @error: #HP_SETTINGS_ERROR_INVALID if
 * they do not say who the user is, which hp_config_load_set_up() sees to. */
HpPolicies *hp_policies_new(const HpPolicyParts *parts, HpSettings *settings,
                            GError **error);
void hp_policies_free(HpPolicies *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPolicies, hp_policies_free)

/* The policy now: (transfer full), end with hp_policy_unref(). */
HpPolicy *hp_policies_get(HpPolicies *self);

/* Puts other settings (transfer full) in place; with @error the old ones stay. */
gboolean hp_policies_set(HpPolicies *self, HpSettings *settings, GError **error);

/* The name to use in EHLO: the setting if there is one, else this computer's name made
 * fully qualified with the domain of the user's address; never "localhost", and only
 * letters, digits, hyphens and dots (RFC 5321 §4.1.2), other letters as A-labels. */
char *hp_policy_hostname(const char *setting, const char *address);
