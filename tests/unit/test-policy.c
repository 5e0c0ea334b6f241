#include "hp-policy.h"

#include "hp-thread.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNT                                                                          \
    "[account]\naddress=anna@home.example\nname=Anna Muster\n"                           \
    "[delivery]\nhostname=mail.home.example\n"

#define N_READS 2000
#define N_SETS  200

/* What this computer is called, for the module in place of the C library's function. */
static char computer[64];

int
gethostname(char *name, size_t size)
{
    if (computer[0] == '\0')
        return -1;
    g_strlcpy(name, computer, size);
    return 0;
}

static HpSettings *
settings(const char *text)
{
    g_autoptr(GError) error = NULL;
    HpSettings *parsed = hp_config_parse("test.conf", hp_slice_of(text), &error);

    g_assert_no_error(error);
    return parsed;
}

/* Nothing looks behind these pointers here: they are only passed on. */
static const HpPolicyParts parts = {
    .clock = &hp_clock_system,
    .intake = { .self = (gpointer)0x1000 },
    .passwords = (HpPasswords *)0x2000,
    .tls_identity = (HpTlsIdentity *)0x3000,
    .store = (HpStore *)0x4000,
};

static HpPolicies *
new_policies(const char *text)
{
    g_autoptr(GError) error = NULL;
    HpPolicies *policies = hp_policies_new(&parts, settings(text), &error);

    g_assert_no_error(error);
    return policies;
}

static void
tells_the_servers_what_is_set(void)
{
    g_autoptr(HpPolicies) policies =
        new_policies(ACCOUNT "[listen]\nplaintext=no\n"
                             "[mail]\nmax-message-size=3M\n"
                             "pop3-retention=30d\n"
                             "[limits]\nrecipients-per-message=7\n");
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    g_assert_true(policy->smtp.intake.self == parts.intake.self);
    g_assert_true(policy->smtp.passwords == parts.passwords);
    g_assert_true(policy->smtp.tls == parts.tls_identity);
    g_assert_true(policy->smtp.clock == parts.clock);
    g_assert_false(policy->smtp.plaintext_allowed);
    g_assert_cmpstr(policy->smtp.hostname, ==, "mail.home.example");
    g_assert_cmpstr(policy->smtp.user_name, ==, "Anna Muster");
    g_assert_true(policy->smtp.identities == policy->identities);
    g_assert_cmpuint(policy->smtp.max_message_size, ==, 3 << 20);
    g_assert_cmpuint(policy->smtp.max_recipients, ==, 7);

    g_assert_true(policy->pop3.store == parts.store);
    g_assert_true(policy->pop3.passwords == parts.passwords);
    g_assert_true(policy->pop3.tls == parts.tls_identity);
    g_assert_false(policy->pop3.plaintext_allowed);
    g_assert_cmpint(policy->pop3.retention_sec, ==, 30 * 86400);
    g_assert_cmpint(policy->retention.pop3_sec, ==, 30 * 86400);
    g_assert_cmpint(policy->retention.trash_sec, ==, 30 * 86400);
    g_assert_cmpint(policy->retention.junk_sec, ==, 30 * 86400);
}

static void
allows_plaintext_and_for_ever_unless_told_otherwise(void)
{
    g_autoptr(HpPolicies) policies = new_policies(ACCOUNT);
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    g_assert_true(policy->smtp.plaintext_allowed);
    g_assert_true(policy->pop3.plaintext_allowed);
    g_assert_cmpint(policy->retention.pop3_sec, ==, 0);
}

static gboolean
knows(const HpPolicy *policy, const char *user)
{
    return policy->pop3.knows_user(user, policy->pop3.knows_data);
}

static void
knows_every_identity_at_login(void)
{
    g_autoptr(HpPolicies) policies =
        new_policies(ACCOUNT "[identity work]\n"
                             "address=a.muster@work.example\n"
                             "[identity all]\n"
                             "address=*@club.example\n");
    g_autoptr(HpPolicy) policy = hp_policies_get(policies);

    g_assert_true(knows(policy, "anna@home.example"));
    g_assert_true(knows(policy, "A.Muster@WORK.example"));
    g_assert_true(knows(policy, "anybody@club.example"));
    g_assert_false(knows(policy, "bert@home.example"));
    g_assert_false(knows(policy, "anna"));
    g_assert_false(knows(policy, ""));
}

static void
needs_to_know_who_the_user_is(void)
{
    g_autoptr(HpPolicies) policies = new_policies(ACCOUNT);
    g_autoptr(HpPolicy) policy = NULL;
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) later = NULL;

    g_assert_null(hp_policies_new(&parts, settings("[account]\nname=Anna\n"), &first));
    g_assert_error(first, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID);
    g_assert_false(hp_policies_set(policies, settings(""), &later));
    g_assert_error(later, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID);
    policy = hp_policies_get(policies);
    g_assert_true(knows(policy, "anna@home.example"));
}

static void
stays_as_it_was_for_who_began_with_it(void)
{
    HpPolicies *policies = new_policies(ACCOUNT);
    g_autoptr(HpPolicy) before = hp_policies_get(policies);
    g_autoptr(HpPolicy) after = NULL;

    hp_policies_set(policies,
                    settings("[account]\naddress=bert@home.example\nname=Bert\n"
                             "[mail]\nmax-message-size=2M\npop3-retention=1d\n"),
                    NULL);
    after = hp_policies_get(policies);
    hp_policies_free(policies); /* both are still held */

    g_assert_cmpstr(before->smtp.user_name, ==, "Anna Muster");
    g_assert_cmpstr(before->hostname, ==, "mail.home.example");
    g_assert_cmpint(before->retention.pop3_sec, ==, 0);
    g_assert_true(knows(before, "anna@home.example"));
    g_assert_cmpstr(after->smtp.user_name, ==, "Bert");
    g_assert_cmpuint(after->smtp.max_message_size, ==, 2 << 20);
    g_assert_cmpint(after->retention.pop3_sec, ==, 86400);
    g_assert_false(knows(after, "anna@home.example"));
    g_assert_true(knows(after, "bert@home.example"));
}

static void
read_often(gpointer policies)
{
    for (guint i = 0; i < N_READS; i++) {
        g_autoptr(HpPolicy) policy = hp_policies_get(policies);

        g_assert_cmpstr(policy->smtp.user_name, ==, "Anna Muster");
    }
}

static void
is_exchanged_while_others_read(void)
{
    g_autoptr(HpPolicies) policies = new_policies(ACCOUNT);
    HpThread *readers[] = { hp_thread_start("reader", read_often, policies, NULL),
                            hp_thread_start("reader", read_often, policies, NULL) };

    for (guint i = 0; i < N_SETS; i++)
        g_assert_true(hp_policies_set(policies, settings(ACCOUNT), NULL));
    hp_thread_join(readers[0]);
    hp_thread_join(readers[1]);
}

static void
check_hostname(const char *name, const char *setting, const char *address,
               const char *want)
{
    g_autofree char *hostname = NULL;

    g_strlcpy(computer, name, sizeof computer);
    hostname = hp_policy_hostname(setting, address);
    g_assert_cmpstr(hostname, ==, want);
}

static void
takes_the_name_that_is_set(void)
{
    check_hostname("laptop", "mx.example.org", "anna@home.example", "mx.example.org");
    check_hostname("laptop", "", "anna@home.example", "laptop.home.example");
    check_hostname("laptop", NULL, "anna@home.example", "laptop.home.example");
}

static void
makes_the_name_fully_qualified(void)
{
    check_hostname("Kiste", NULL, "anna@Home.example", "kiste.home.example");
    check_hostname("Kiste.LAN.example", NULL, "anna@home.example", "kiste.lan.example");
    check_hostname("kiste", NULL, "\"a@b\"@home.example", "kiste.home.example");
}

static void
is_never_localhost(void)
{
    check_hostname("localhost", NULL, "anna@home.example", "laptop.home.example");
    check_hostname("LocalHost", NULL, "anna@home.example", "laptop.home.example");
    check_hostname("localhost.localdomain", NULL, "anna@home.example",
                   "laptop.home.example");
    check_hostname("", NULL, "anna@home.example", "laptop.home.example");
}

/* RFC 5321 §4.1.2: letters, digits and hyphens; RFC 6531 §3.7.1: A-labels in EHLO. */
static void
is_a_name_that_may_stand_in_ehlo(void)
{
    check_hostname("kiste", NULL, "anna@m\303\274nchen.example",
                   "kiste.xn--mnchen-3ya.example");
    check_hostname("annas_kiste", NULL, "anna@home.example", "annas-kiste.home.example");
    check_hostname("kiste", NULL, "anna@[192.0.2.1]", "kiste");
    check_hostname("_", NULL, "anna@home.example", "laptop.home.example");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/tells-the-servers-what-is-set",
                    tells_the_servers_what_is_set);
    g_test_add_func("/policy/allows-plaintext-and-for-ever-unless-told-otherwise",
                    allows_plaintext_and_for_ever_unless_told_otherwise);
    g_test_add_func("/policy/knows-every-identity-at-login",
                    knows_every_identity_at_login);
    g_test_add_func("/policy/needs-to-know-who-the-user-is",
                    needs_to_know_who_the_user_is);
    g_test_add_func("/policy/stays-as-it-was-for-who-began-with-it",
                    stays_as_it_was_for_who_began_with_it);
    g_test_add_func("/policy/is-exchanged-while-others-read",
                    is_exchanged_while_others_read);
    g_test_add_func("/policy/takes-the-name-that-is-set", takes_the_name_that_is_set);
    g_test_add_func("/policy/makes-the-name-fully-qualified",
                    makes_the_name_fully_qualified);
    g_test_add_func("/policy/is-never-localhost", is_never_localhost);
    g_test_add_func("/policy/is-a-name-that-may-stand-in-ehlo",
                    is_a_name_that_may_stand_in_ehlo);
    return g_test_run();
}
