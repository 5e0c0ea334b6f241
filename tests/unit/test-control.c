#include "control-fixture.h"

#include "hp-build.h"
#include "hp-control-bus.h"
#include "hp-control-methods.h"
#include "hp-control.h"
#include "hp-lines.h"
#include "hp-services.h"
#include "hp-store-mailboxes.h"

#include <unistd.h>

#define PATIENCE_USEC ((gint64)20 * G_USEC_PER_SEC)

/* ---- the table ------------------------------------------------------------------------
 */

static const HpBusMethod *
find(const char *name)
{
    for (const HpBusMethod *m = hp_control_methods(); m->name != NULL; m++)
        if (g_str_equal(m->name, name))
            return m;
    g_test_message("no row for %s", name);
    g_assert_not_reached();
}

static void
has_a_row_for_every_method(void)
{
    GDBusInterfaceInfo *info = hp_hauspost1_interface_info();
    guint n = 0;

    for (; info->methods[n] != NULL; n++)
        find(info->methods[n]->name);
    for (const HpBusMethod *m = hp_control_methods(); m->name != NULL; m++, n--)
        g_assert_nonnull(g_dbus_interface_info_lookup_method(info, m->name));
    g_assert_cmpuint(n, ==, 0);
}

static gboolean
is_marked(const char *name, HpBusFlags flag)
{
    const HpBusMethod *method = find(name);

    g_assert_nonnull(method);
    return method != NULL && (method->flags & flag) != 0;
}

static void
keeps_secrets_and_contents_off_the_session_bus(void)
{
    static const char *const private[] = { "Export", "NewPassword", "RotatePassword",
                                           "RevokePassword" };

    for (guint i = 0; i < G_N_ELEMENTS(private); i++)
        g_assert_true(is_marked(private[i], HP_BUS_PRIVATE));
    g_assert_false(is_marked("Status", HP_BUS_PRIVATE));
}

static void
lets_nobody_wait_behind_a_check(void)
{
    g_assert_true(is_marked("Check", HP_BUS_SLOW));
    g_assert_true(is_marked("Repair", HP_BUS_SLOW));
    g_assert_false(is_marked("Status", HP_BUS_SLOW));
}

static void
refuses_arguments_of_another_type(Fixture *f, gconstpointer data)
{
    static const char *const methods[] = { "Pause", "Queue", "Message",
                                           "Retry", "Hold",  "Cancel" };

    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(fixture_call(f, methods[i], g_variant_new("(bb)", 1, 1), &error));
        g_assert_error(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
    }
}

/* ---- how things are -------------------------------------------------------------------
 */

static void
says_how_things_are(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) status = NULL;
    g_autoptr(GVariant) queue = NULL;
    g_autoptr(GVariant) today = NULL;
    g_autoptr(GVariant) network = NULL;
    g_autoptr(GVariant) certificate = NULL;
    gint32 days = -1;

    submit(f, "bob@far.example");
    fixture_pass(G_TIME_SPAN_HOUR);
    status = ask(f, "Status", NULL);
    queue = dict_in(status, "queue");
    today = dict_in(status, "today");
    network = dict_in(status, "network");
    certificate = dict_in(status, "certificate");
    g_assert_cmpstr(text_in(status, "version"), ==, HP_VERSION);
    g_assert_cmpstr(text_in(status, "state"), ==, "running");
    g_assert_cmpstr(text_in(status, "since"), ==, "2024-10-04T00:00:00Z");
    g_assert_null(text_in(status, "paused_until"));
    g_assert_cmpstr(text_in(status, "account"), ==, "anna@home.example");
    g_assert_cmpuint(number_in(status, "identities"), ==, 2);
    g_assert_cmpstr(text_in(network, "state"), ==,
                    hp_link_state_name(hp_link_state(f->parts.link)));
    g_assert_cmpuint(number_in(queue, "waiting"), ==, 1);
    g_assert_cmpuint(number_in(queue, "held"), ==, 0);
    g_assert_cmpuint(number_in(today, "delivered"), ==, 0);
    g_assert_cmpuint(strlen(text_in(certificate, "fingerprint")), ==, 32 * 3 - 1);
    g_assert_true(g_variant_lookup(certificate, "days_left", "i", &days));
    g_assert_cmpint(days, >, 365);
    g_assert_null(text_in(certificate, "pem"));
    g_assert_null(row_in(status, "clients", 0));
}

/* What the row about port @i says, and about nothing else. */
static void
check_port(GVariant *list, const char *address_key, guint i, const char *want)
{
    g_autoptr(GVariant) row = g_variant_get_child_value(list, i);
    g_autofree char *got = g_strdup_printf("%s %s %u %s", text_in(row, "protocol"),
                                           text_in(row, address_key),
                                           number_in(row, "port"), text_in(row, "tls"));

    g_assert_cmpstr(got, ==, want);
}

static void
use_ports(Fixture *f, const guint16 ports[2])
{
    g_autofree char *text =
        g_strdup_printf("[account]\naddress=anna@home.example\n[listen]\n"
                        "smtp=%u\nsmtp-tls=0\npop3=0\npop3-tls=%u\nimap=0\nimap-tls=0\n",
                        ports[0], ports[1]);

    fixture_set(f, text);
}

static void
open_ports(Fixture *f, guint16 ports[2])
{
    g_autoptr(GError) error = NULL;

    fixture_find_ports(ports, 2);
    use_ports(f, ports);
    hp_services_add(f->parts.listener, f->parts.policies, f->parts.dirs, &error);
    g_assert_no_error(error);
    g_assert_true(hp_listener_start(f->parts.listener, NULL));
}

/* Also when other ports are set already, for the next start. */
static void
lists_the_ports_that_are_open(Fixture *f, gconstpointer data)
{
    guint16 ports[2], later[2] = { 4711, 0 };
    g_autofree char *smtp = NULL;
    g_autofree char *pop3 = NULL;

    open_ports(f, ports);
    smtp = g_strdup_printf("smtp 127.0.0.1 %u starttls", ports[0]);
    pop3 = g_strdup_printf("pop3 127.0.0.1 %u tls", ports[1]);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GVariant) status = ask(f, "Status", NULL);
        g_autoptr(GVariant) account = ask(f, "Account", NULL);
        g_autoptr(GVariant) listeners =
            g_variant_lookup_value(status, "listeners", G_VARIANT_TYPE("aa{sv}"));
        g_autoptr(GVariant) services =
            g_variant_lookup_value(account, "services", G_VARIANT_TYPE("aa{sv}"));

        g_assert_cmpuint(g_variant_n_children(listeners), ==, 2);
        check_port(listeners, "address", 0, smtp);
        check_port(listeners, "address", 1, pop3);
        g_assert_cmpuint(g_variant_n_children(services), ==, 2);
        check_port(services, "host", 0, smtp);
        check_port(services, "host", 1, pop3);
        use_ports(f, later);
    }
}

static void
draws_attention_to_what_is_held(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    gboolean found = FALSE;
    g_autoptr(GVariant) status = NULL;

    g_assert_cmpuint(ask_number(f, "Hold", one_id_until(id, 0)), ==, 1);
    status = ask(f, "Status", NULL);
    for (guint i = 0; !found; i++) {
        g_autoptr(GVariant) row = row_in(status, "attention", i);

        g_assert_nonnull(row);
        found = g_str_equal(text_in(row, "kind"), "held");
        if (found)
            g_assert_cmpstr(text_in(row, "command"), ==,
                            "hauspost queue list --state held");
    }
}

/* The value of a property as text; (transfer full). */
static char *
property(Fixture *f, const char *name)
{
    g_autoptr(GVariant) value = hp_control_property(&f->parts, name);

    return value != NULL ? g_variant_print(g_variant_ref_sink(value), FALSE) : NULL;
}

static void
check_property(Fixture *f, const char *name, const char *want)
{
    g_autofree char *got = property(f, name);

    g_assert_cmpstr(got, ==, want);
}

static void
has_properties(Fixture *f, gconstpointer data)
{
    g_autofree char *one = fixture_submit(f, "bob@far.example");
    g_autofree char *two = fixture_submit(f, "eva@far.example");

    check_property(f, "Version", "'" HP_VERSION "'");
    check_property(f, "State", "'running'");
    check_property(f, "Waiting", "2");
    check_property(f, "Held", "0");
    check_property(f, "Refused", "0");
    check_property(f, "NextAttempt", "'2024-10-04T00:00:00Z'");
    g_assert_cmpuint(ask_number(f, "Hold", one_id_until(one, 0)), ==, 1);
    g_assert_cmpuint(ask_number(f, "Cancel", one_id(two)), ==, 1);
    check_property(f, "Waiting", "0");
    check_property(f, "Held", "1");
    g_assert_null(ask(f, "Pause", g_variant_new("(x)", (gint64)0)));
    check_property(f, "State", "'paused'");
    check_property(f, "NextAttempt", "''");
    check_property(f, "NoSuchThing", NULL);
}

static void
has_a_value_for_every_property(Fixture *f, gconstpointer data)
{
    GDBusInterfaceInfo *info = hp_hauspost1_interface_info();

    for (guint i = 0; info->properties[i] != NULL; i++) {
        g_autoptr(GVariant) value =
            hp_control_property(&f->parts, info->properties[i]->name);

        g_assert_nonnull(value);
        g_variant_ref_sink(value);
        g_assert_cmpstr(g_variant_get_type_string(value), ==,
                        info->properties[i]->signature);
    }
}

/* ---- the user, passwords, mailboxes ---------------------------------------------------
 */

static void
lists_the_identities(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) list = ask(f, "Identities", NULL);
    g_autoptr(GVariant) first = g_variant_get_child_value(list, 0);
    g_autoptr(GVariant) second = g_variant_get_child_value(list, 1);
    gboolean by_default = FALSE;

    g_assert_cmpuint(g_variant_n_children(list), ==, 2);
    g_assert_cmpstr(text_in(first, "address"), ==, "anna@home.example");
    g_assert_cmpstr(text_in(first, "name"), ==, "Anna");
    g_assert_true(g_variant_lookup(first, "default", "b", &by_default));
    g_assert_true(by_default);
    g_assert_null(text_in(first, "section"));
    g_assert_cmpstr(text_in(second, "address"), ==, "shop@home.example");
    g_assert_cmpstr(text_in(second, "section"), ==, "shop");
    g_assert_true(g_variant_lookup(second, "default", "b", &by_default));
    g_assert_false(by_default);
}

static void
tells_a_mail_program_what_it_must_know(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) account = ask(f, "Account", NULL);
    g_autoptr(GVariant) certificate = ask(f, "Certificate", NULL);
    g_autofree char *fingerprint = hp_tls_identity_fingerprint(f->parts.tls_identity);
    g_autofree char *pem = hp_tls_identity_pem(f->parts.tls_identity);
    g_autofree const char **users = NULL;
    g_autofree const char **names = NULL;

    g_assert_cmpstr(text_in(account, "address"), ==, "anna@home.example");
    g_assert_cmpstr(text_in(account, "name"), ==, "Anna");
    g_assert_true(g_variant_lookup(account, "user_names", "^a&s", &users));
    g_assert_cmpstr(users[0], ==, "anna@home.example");
    g_assert_cmpstr(users[1], ==, "shop@home.example");
    g_assert_null(users[2]);
    g_assert_cmpstr(text_in(certificate, "fingerprint"), ==, fingerprint);
    g_assert_cmpstr(text_in(certificate, "pem"), ==, pem);
    g_assert_true(g_file_test(text_in(certificate, "path"), G_FILE_TEST_IS_REGULAR));
    g_assert_true(g_variant_lookup(certificate, "names", "^a&s", &names));
    g_assert_true(g_strv_contains(names, "127.0.0.1"));
    g_assert_nonnull(text_in(certificate, "not_after"));
}

static char *
password_of(Fixture *f, const char *method, const char *name)
{
    g_autoptr(GError) error = NULL;
    char *text = fixture_call_for_text(f, method, g_variant_new("(s)", name), &error);

    g_assert_no_error(error);
    return text;
}

static gboolean
is_password(Fixture *f, const char *password)
{
    g_autofree char *name = NULL;

    return hp_passwords_check(f->parts.passwords, hp_slice_of(password), &name);
}

static void
makes_changes_and_ends_passwords(Fixture *f, gconstpointer data)
{
    g_autofree char *first = password_of(f, "NewPassword", "thunderbird");
    g_autofree char *second = NULL;
    g_autoptr(GVariant) list = ask(f, "Passwords", NULL);
    g_autoptr(GVariant) row = g_variant_get_child_value(list, 0);

    g_assert_cmpuint(g_variant_n_children(list), ==, 1);
    g_assert_cmpstr(text_in(row, "name"), ==, "thunderbird");
    g_assert_cmpstr(text_in(row, "created"), ==, "2024-10-04T00:00:00Z");
    g_assert_null(text_in(row, "last_used"));
    g_assert_true(is_password(f, first));
    check_error(f, "NewPassword", g_variant_new("(s)", "thunderbird"), "Invalid");

    second = password_of(f, "RotatePassword", "thunderbird");
    g_assert_false(is_password(f, first));
    g_assert_true(is_password(f, second));

    g_assert_null(ask(f, "RevokePassword", g_variant_new("(s)", "thunderbird")));
    g_assert_false(is_password(f, second));
    g_assert_cmpuint(count_of(f, "Passwords", NULL), ==, 0);
    check_error(f, "RevokePassword", g_variant_new("(s)", "thunderbird"), "NotFound");
    check_error(f, "RotatePassword", g_variant_new("(s)", "thunderbird"), "NotFound");
}

static void
refuses_names_that_are_none(Fixture *f, gconstpointer data)
{
    g_autofree char *long_name = g_strnfill(33, 'a');
    const char *const wrong[] = {
        "", "Anna", "a b", "a/b", "\303\274", long_name, "a\n"
    };

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
        check_error(f, "NewPassword", g_variant_new("(s)", wrong[i]), "Invalid");
    g_assert_cmpuint(count_of(f, "Passwords", NULL), ==, 0);
}

static void
expect(HpChannel *channel, const char *beginning)
{
    HpSlice line = { NULL, 0 };

    g_assert_cmpint(hp_lines_read(channel, 1000, &line, NULL), ==, HP_LINE_OK);
    g_assert_cmpuint(line.len, >=, strlen(beginning));
    g_assert_cmpmem(line.data, (int)strlen(beginning), beginning, (int)strlen(beginning));
}

/* An SMTP session that has logged in. */
static HpChannel *
log_in(guint16 port, const char *password)
{
    HpChannel *channel = hp_channel_connect("127.0.0.1", port, 20000, -1, NULL);
    g_autoptr(GString) plain = g_string_new(NULL);
    g_autofree char *base64 = NULL;

    g_string_append_c(plain, '\0');
    g_string_append(plain, "anna@home.example");
    g_string_append_c(plain, '\0');
    g_string_append(plain, password);
    base64 = g_base64_encode((const guchar *)plain->str, plain->len);
    hp_channel_set_timeout(channel, PATIENCE_USEC);
    expect(channel, "220 ");
    hp_channel_printf(channel, NULL, "EHLO x\r\n");
    hp_channel_flush(channel, NULL);
    for (gboolean last = FALSE; !last;) {
        HpSlice line = { NULL, 0 };

        g_assert_cmpint(hp_lines_read(channel, 1000, &line, NULL), ==, HP_LINE_OK);
        last = line.data[3] == ' ';
    }
    hp_channel_printf(channel, NULL, "AUTH PLAIN %s\r\n", base64);
    hp_channel_flush(channel, NULL);
    expect(channel, "235 ");
    return channel;
}

static void
check_ended(HpChannel *channel)
{
    g_autoptr(GError) error = NULL;
    HpSlice line;

    while (hp_lines_read(channel, 1000, &line, &error) == HP_LINE_OK)
        ; /* 421, perhaps */
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
}

static void
ends_the_sessions_of_a_password_with_it(Fixture *f, gconstpointer data)
{
    guint16 ports[2];
    g_autofree char *first = password_of(f, "NewPassword", "mutt");
    g_autofree char *second = NULL;
    g_autoptr(HpChannel) before = NULL;
    g_autoptr(HpChannel) another = NULL;
    g_autoptr(HpChannel) after = NULL;
    g_autoptr(GVariant) status = NULL;
    g_autoptr(GVariant) client = NULL;

    open_ports(f, ports);
    before = log_in(ports[0], first);
    another = log_in(ports[0], first);
    status = ask(f, "Status", NULL);
    client = row_in(status, "clients", 0);
    g_assert_cmpstr(text_in(client, "protocol"), ==, "smtp");
    g_assert_cmpstr(text_in(client, "name"), ==, "mutt");
    g_assert_null(text_in(client, "program"));
    g_assert_cmpuint(number_in(client, "connections"), ==, 2);
    g_assert_null(row_in(status, "clients", 1)); /* one program */

    second = password_of(f, "RotatePassword", "mutt");
    check_ended(before);
    check_ended(another);
    after = log_in(ports[0], second);
    g_assert_null(ask(f, "RevokePassword", g_variant_new("(s)", "mutt")));
    check_ended(after);
}

static void
lists_the_mailboxes(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GVariant) inbox = NULL;
    guint32 uid = fixture_deliver(f);

    fixture_deliver(f);
    g_assert_true(hp_store_mark_collected(f->parts.store, HP_STORE_INBOX, &uid, 1, NULL));
    list = ask(f, "Mailboxes", NULL);
    inbox = g_variant_get_child_value(list, 0);
    g_assert_cmpstr(text_in(inbox, "name"), ==, "INBOX");
    g_assert_cmpuint(octets_in(inbox, "messages"), ==, 2);
    g_assert_cmpuint(octets_in(inbox, "unseen"), ==, 1);
    g_assert_cmpuint(octets_in(inbox, "size"), ==, 50);
    g_assert_cmpstr(text_in(inbox, "oldest"), ==, "2024-10-04T00:00:00Z");
}

static void
makes_and_deletes_mailboxes(Fixture *f, gconstpointer data)
{
    g_autoptr(HpStoreMailbox) made = NULL;
    g_autoptr(HpStoreMailbox) renamed = NULL;

    g_assert_null(ask(f, "MailboxCreate", g_variant_new("(s)", "Work/2026")));
    made = hp_store_find(f->parts.store, "Work/2026", NULL);
    g_assert_nonnull(made);
    g_assert_true(made->subscribed);
    g_assert_null(ask(f, "MailboxRename", g_variant_new("(ss)", "Work", "Old")));
    renamed = hp_store_find(f->parts.store, "Old/2026", NULL);
    g_assert_nonnull(renamed);
    g_assert_cmpint(renamed->id, ==, made->id);
    check_error(f, "MailboxCreate", g_variant_new("(s)", "Old"), "Invalid");
    check_error(f, "MailboxCreate", g_variant_new("(s)", "a//b"), "Invalid");
    check_error(f, "MailboxDelete", g_variant_new("(s)", "INBOX"), "Invalid");
    check_error(f, "MailboxDelete", g_variant_new("(s)", "Work"), "NotFound");
    g_assert_null(ask(f, "MailboxDelete", g_variant_new("(s)", "Old/2026")));
    g_assert_null(hp_store_find(f->parts.store, "Old/2026", NULL));
}

static void
checks_and_repairs(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) report = NULL;
    g_autoptr(GVariant) repaired = NULL;

    fixture_deliver(f);
    report = ask(f, "Check", g_variant_new("(b)", TRUE));
    g_assert_cmpuint(octets_in(report, "messages"), ==, 1);
    g_assert_cmpuint(octets_in(report, "problems"), ==, 0);
    repaired = ask(f, "Repair", NULL);
    g_assert_cmpuint(octets_in(repaired, "recovered"), ==, 0);
    g_assert_cmpuint(octets_in(repaired, "problems"), ==, 0);
}

static void
check_cleanup(Fixture *f, gboolean dry_run, guint messages, const char *retention)
{
    g_autoptr(GVariant) result = ask(f, "MailboxCleanup", g_variant_new("(b)", dry_run));
    gboolean dry = !dry_run;

    g_assert_cmpuint(octets_in(result, "messages"), ==, messages);
    g_assert_cmpuint(octets_in(result, "size"), ==, 25 * messages);
    g_assert_true(g_variant_lookup(result, "dry_run", "b", &dry));
    g_assert_cmpint(dry, ==, dry_run);
    g_assert_cmpstr(text_in(result, "retention"), ==, retention);
}

static void
cleans_up_what_was_collected_long_ago(Fixture *f, gconstpointer data)
{
    guint32 uid = fixture_deliver(f);

    g_assert_true(hp_store_mark_collected(f->parts.store, HP_STORE_INBOX, &uid, 1, NULL));
    fixture_deliver(f);
    check_cleanup(f, FALSE, 0, "30d");
    fixture_pass(31 * G_TIME_SPAN_DAY);
    check_cleanup(f, TRUE, 1, "30d");
    g_assert_cmpuint(fixture_inbox_len(f), ==, 2);
    check_cleanup(f, FALSE, 1, "30d");
    g_assert_cmpuint(fixture_inbox_len(f), ==, 1);
    fixture_set(f, "[account]\naddress=anna@home.example\n");
    check_cleanup(f, FALSE, 0, NULL);
}

/* ---- helpers of all methods -----------------------------------------------------------
 */

static void
has_a_name_for_every_error(void)
{
    const struct {
        GQuark domain;
        int code;
        HpControlError want;
    } cases[] = {
        { HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND, HP_CONTROL_ERROR_NOT_FOUND },
        { HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE, HP_CONTROL_ERROR_STATE },
        { HP_QUEUE_ERROR, HP_QUEUE_ERROR_FAILED, HP_CONTROL_ERROR_FAILED },
        { HP_AUTH_ERROR, HP_AUTH_ERROR_EXISTS, HP_CONTROL_ERROR_INVALID },
        { HP_AUTH_ERROR, HP_AUTH_ERROR_NAME, HP_CONTROL_ERROR_INVALID },
        { HP_AUTH_ERROR, HP_AUTH_ERROR_NOT_FOUND, HP_CONTROL_ERROR_NOT_FOUND },
        { HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND, HP_CONTROL_ERROR_NOT_FOUND },
        { HP_STORE_ERROR, HP_STORE_ERROR_EXISTS, HP_CONTROL_ERROR_INVALID },
        { HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED, HP_CONTROL_ERROR_INVALID },
        { HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED, HP_CONTROL_ERROR_FAILED },
        { G_FILE_ERROR, G_FILE_ERROR_NOSPC, HP_CONTROL_ERROR_FAILED },
        { HP_DB_ERROR, HP_DB_ERROR_DAMAGED, HP_CONTROL_ERROR_FAILED },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(hp_control_fail(
            g_error_new_literal(cases[i].domain, cases[i].code, "the cause"), &error));
        g_assert_error(error, HP_CONTROL_ERROR, (int)cases[i].want);
        g_assert_cmpstr(error->message, ==, "the cause");
    }
}

static void
leaves_out_times_that_are_none(void)
{
    GVariantDict dict;
    g_autoptr(GVariant) all = NULL;

    g_variant_dict_init(&dict, NULL);
    hp_control_add_time(&dict, "never", 0);
    hp_control_add_time(&dict, "for-ever", G_MAXINT64);
    hp_control_add_time(&dict, "once", FAR_USEC);
    all = g_variant_ref_sink(g_variant_dict_end(&dict));
    g_assert_cmpuint(g_variant_n_children(all), ==, 1);
    g_assert_cmpstr(text_in(all, "once"), ==, FAR_FUTURE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/has-a-row-for-every-method", has_a_row_for_every_method);
    g_test_add_func("/control/keeps-secrets-and-contents-off-the-session-bus",
                    keeps_secrets_and_contents_off_the_session_bus);
    g_test_add_func("/control/lets-nobody-wait-behind-a-check",
                    lets_nobody_wait_behind_a_check);
    g_test_add_func("/control/has-a-name-for-every-error", has_a_name_for_every_error);
    g_test_add_func("/control/leaves-out-times-that-are-none",
                    leaves_out_times_that_are_none);
#define CASE(name, run)                                                                  \
    g_test_add("/control/" name, Fixture, NULL, fixture_set_up, run, fixture_tear_down)
    CASE("refuses-arguments-of-another-type", refuses_arguments_of_another_type);
    CASE("says-how-things-are", says_how_things_are);
    CASE("lists-the-ports-that-are-open", lists_the_ports_that_are_open);
    CASE("draws-attention-to-what-is-held", draws_attention_to_what_is_held);
    CASE("has-properties", has_properties);
    CASE("has-a-value-for-every-property", has_a_value_for_every_property);
    CASE("lists-the-identities", lists_the_identities);
    CASE("tells-a-mail-program-what-it-must-know",
         tells_a_mail_program_what_it_must_know);
    CASE("makes-changes-and-ends-passwords", makes_changes_and_ends_passwords);
    CASE("refuses-names-that-are-none", refuses_names_that_are_none);
    CASE("ends-the-sessions-of-a-password-with-it",
         ends_the_sessions_of_a_password_with_it);
    CASE("lists-the-mailboxes", lists_the_mailboxes);
    CASE("makes-and-deletes-mailboxes", makes_and_deletes_mailboxes);
    CASE("checks-and-repairs", checks_and_repairs);
    CASE("cleans-up-what-was-collected-long-ago", cleans_up_what_was_collected_long_ago);
    return g_test_run();
}
