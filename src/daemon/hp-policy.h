/* hp-policy: the settings in force, in the form in which the servers want them. A session
 * keeps the policy that it began with; a reload puts another one in place for the next.
 *
 * Threads: an HpPolicy is immutable and counted; HpPolicies any.
 */
#pragma once

#include "hp-config.h"
#include "hp-identities.h"
#include "hp-pop3-session.h"
#include "hp-smtp-session.h"

typedef struct {
    gatomicrefcount refs;
    HpSettings *settings;     /* (owned): what it was made from */
    HpIdentities *identities; /* (owned) */
    char *hostname;           /* (owned): the name we give in EHLO and greetings */
    HpSmtpServerOptions smtp;
    HpPop3Options pop3;
    gint64 pop3_retention_sec; /* 0: no end */
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
} HpPolicyParts;

/* @settings: (transfer full): the first settings. */
HpPolicies *hp_policies_new(const HpPolicyParts *parts, HpSettings *settings);
void hp_policies_free(HpPolicies *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPolicies, hp_policies_free)

/* The policy now: (transfer full), end with hp_policy_unref(). */
HpPolicy *hp_policies_get(HpPolicies *self);

/* Puts other settings (transfer full) in place. */
void hp_policies_set(HpPolicies *self, HpSettings *settings);

/* The name to use in EHLO: the setting if there is one, else this computer's name made
 * fully qualified with the domain of the user's address; never "localhost". */
char *hp_policy_hostname(const char *setting, const char *address);
