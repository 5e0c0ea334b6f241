#include "daemon-fixture.h"

#include "hp-control-error.h"
#include "hp-reload.h"
#include "hp-services.h"

#include <glib/gstdio.h>
#include <string.h>

#define NEW_SETTINGS                                                                     \
    "[account]\naddress=bert@home.example\nname=Bert\nlanguage=de\n"                     \
    "[delivery]\nhostname=kiste.example\nconcurrency=3\nper-destination=2\n"             \
    "give-up=2d\ndelay-notice=1h\ngrace=5m\nport=2525\nallow-private=yes\nipv6=no\n"     \
    "[mail]\nmax-message-size=2M\npop3-retention=1d\n"

static void
note_signal(GDBusConnection *connection, const char *sender, const char *path,
            const char *interface, const char *signal, GVariant *args, gpointer data)
{
    (*(guint *)data)++;
}

/* Whatever was sent to this client before the answer has arrived with it. */
static void
sync_client(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = fixture_call(f, "Identities", NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(answer);
}

static guint
listen_for_changes(Fixture *f, guint *n)
{
    sync_client(f); /* it answers, so it knows us */
    return g_dbus_connection_signal_subscribe(
        fixture_client(f), NULL, HP_CONTROL_BUS_NAME, "ConfigChanged",
        HP_CONTROL_OBJECT_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, note_signal, n, NULL);
}

static gboolean
inbox_is_empty(gpointer fixture)
{
    return fixture_inbox_len(fixture) == 0;
}

static void
collect_one(Fixture *f)
{
    guint32 uid = fixture_deliver(f);

    g_assert_true(hp_store_mark_collected(f->parts.store, HP_STORE_INBOX, &uid, 1, NULL));
}

/* When the only recipient of the message is due: (transfer full). */
static char *
due_of(Fixture *f, const char *id)
{
    g_autoptr(GVariant) message = hp_queue_show(f->parts.queue, id, NULL);
    g_autoptr(GVariant) recipients = NULL;
    g_autoptr(GVariant) first = NULL;
    char *time = NULL;

    g_assert_nonnull(message);
    g_variant_ref_sink(message);
    recipients = g_variant_lookup_value(message, "recipients", G_VARIANT_TYPE("aa{sv}"));
    first = g_variant_get_child_value(recipients, 0);
    g_assert_true(g_variant_lookup(first, "next_attempt", "s", &time));
    return time;
}

static void
brings_all_of_it_into_force(Fixture *f, gconstpointer data)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autofree char *due_before = NULL;
    g_autofree char *due_after = NULL;
    g_autoptr(HpPolicy) policy = NULL;
    g_autoptr(GError) error = NULL;
    guint changes = 0, id = listen_for_changes(f, &changes);

    collect_one(f);
    fixture_pass(2 * G_TIME_SPAN_DAY);
    before = fixture_submit(f, "bob@far.example");
    fixture_write_settings(f, NEW_SETTINGS);
    hp_reload(&f->parts, &error);
    g_assert_no_error(error);

    policy = hp_policies_get(f->parts.policies);
    g_assert_cmpstr(policy->smtp.user_name, ==, "Bert");
    g_assert_cmpstr(policy->smtp.hostname, ==, "kiste.example");
    g_assert_cmpuint(policy->smtp.max_message_size, ==, 2 << 20);
    fixture_wait(inbox_is_empty, f); /* upkeep has the new retention */
    after = fixture_submit(f, "bob@far.example");
    due_before = due_of(f, before);
    due_after = due_of(f, after); /* the queue has the time of grace */
    g_assert_cmpstr(due_before, <, due_after);
    sync_client(f);
    g_assert_cmpuint(changes, ==, 1);
    g_dbus_connection_signal_unsubscribe(fixture_client(f), id);
}

/* A message for this computer itself, so that nothing goes out. */
typedef struct {
    HpCarry carry; /* first */
    HpCarryMessage message;
    HpCarryRecipient recipient;
    gboolean taken;
} Errand;

static HpCarryMessage *
take_errand(HpCarry *carry)
{
    Errand *errand = (Errand *)carry;
    gboolean taken = errand->taken;

    errand->taken = TRUE;
    return taken ? NULL : &errand->message;
}

static void
ignore_event(HpCarry *carry, const HpEvent *event)
{
}

static void
ignore_message(HpCarry *carry, HpCarryMessage *message)
{
}

/* What the transport answers to it: (transfer full). */
static char *
run_errand(Fixture *f)
{
    char id[] = "7Q2KXM", sender[] = "anna@home.example", address[] = "x@[127.0.0.1]";
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    Errand errand = { .carry = { .destination = "[127.0.0.1]",
                                 .abort_fd = -1,
                                 .next = take_errand,
                                 .tell = ignore_event,
                                 .settle = ignore_message },
                      .message = { .id = id, .sender = sender, .recipients = recipients },
                      .recipient = { .address = address } };
    HpTransport table = hp_smtp_transport_table(f->parts.transport);
    char *text;

    g_ptr_array_add(recipients, &errand.recipient);
    table.carry(table.self, &errand.carry);
    text = g_strdup(errand.recipient.reply.text);
    hp_reply_clear(&errand.recipient.reply);
    return text;
}

static void
reaches_the_transport(Fixture *f, gconstpointer data)
{
    g_autofree char *before = run_errand(f);
    g_autofree char *after = NULL;

    fixture_write_settings(f, NEW_SETTINGS); /* allow-private=yes */
    g_assert_true(hp_reload(&f->parts, NULL));
    after = run_errand(f);
    g_assert_nonnull(strstr(before, "private"));
    g_assert_null(strstr(after, "private"));
}

static void
leaves_running_sessions_what_they_began_with(Fixture *f, gconstpointer data)
{
    g_autoptr(HpPolicy) before = hp_policies_get(f->parts.policies);

    fixture_write_settings(f, NEW_SETTINGS);
    g_assert_true(hp_reload(&f->parts, NULL));
    g_assert_cmpstr(before->smtp.user_name, ==, "Anna");
    g_assert_cmpint(before->retention.pop3_sec, ==, 30 * 86400);
}

static void
changes_no_port_before_the_next_start(Fixture *f, gconstpointer data)
{
    guint16 ports[2];
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    fixture_find_ports(ports, 2);
    first =
        g_strdup_printf("[account]\naddress=anna@home.example\n[listen]\n"
                        "smtp=%u\nsmtp-tls=0\npop3=0\npop3-tls=0\nimap=0\nimap-tls=0\n",
                        ports[0]);
    second =
        g_strdup_printf("[account]\naddress=anna@home.example\n[listen]\n"
                        "smtp=%u\nsmtp-tls=0\npop3=0\npop3-tls=0\nimap=0\nimap-tls=0\n",
                        ports[1]);
    fixture_set(f, first);
    g_assert_true(
        hp_services_add(f->parts.listener, f->parts.policies, f->parts.dirs, NULL));
    g_assert_true(hp_listener_start(f->parts.listener, NULL));
    fixture_write_settings(f, second);
    g_assert_true(hp_reload(&f->parts, NULL));
    g_assert_cmpuint(hp_listener_port(f->parts.listener, "smtp", FALSE), ==, ports[0]);
}

/* With @text as the settings, nothing changes and nobody is told. */
static void
check_refused(Fixture *f, const char *text, const char *words)
{
    g_autoptr(HpPolicy) before = hp_policies_get(f->parts.policies);
    g_autoptr(HpPolicy) after = NULL;
    g_autoptr(GError) error = NULL;
    guint changes = 0, id = listen_for_changes(f, &changes);

    fixture_write_settings(f, text);
    g_assert_false(hp_reload(&f->parts, &error));
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, words));
    after = hp_policies_get(f->parts.policies);
    g_assert_true(after == before);
    sync_client(f);
    g_assert_cmpuint(changes, ==, 0);
    g_dbus_connection_signal_unsubscribe(fixture_client(f), id);
}

static void
keeps_all_of_the_old_if_anything_is_wrong(Fixture *f, gconstpointer data)
{
    g_autofree char *due_before = NULL;
    g_autofree char *due_after = NULL;
    g_autofree char *before = fixture_submit(f, "bob@far.example");
    g_autofree char *after = NULL;

    collect_one(f);
    fixture_pass(2 * G_TIME_SPAN_DAY);
    check_refused(f, NEW_SETTINGS "[nonsense]\nx=1\n", "hauspost.conf:");
    check_refused(f, NEW_SETTINGS "[limits]\nburst=many\n", "burst");
    check_refused(f, NEW_SETTINGS "[identity x]\naddress=a@b@\\c\n", "a@b@\\c");
    check_refused(f, "", "whose mail this is");
    check_refused(f, NEW_SETTINGS "[listen]\nsmtp=1\nimap=1\n", "hauspost.conf:");
    check_refused(f,
                  "[account]\naddress=bert@home.example\n"
                  "[delivery]\nca-file=/nonexistent/ca.pem\n",
                  "/nonexistent/ca.pem");

    g_clear_pointer(&f->parts.upkeep, hp_upkeep_free); /* waits for what it does */
    g_assert_cmpuint(fixture_inbox_len(f), ==, 1);
    fixture_pass(-2 * G_TIME_SPAN_DAY);
    after = fixture_submit(f, "bob@far.example");
    due_before = due_of(f, before);
    due_after = due_of(f, after);
    g_assert_cmpstr(due_before, ==, due_after);
}

static void
keeps_the_old_if_the_file_cannot_be_read(Fixture *f, gconstpointer data)
{
    g_autofree char *path = hp_config_path(f->parts.dirs);
    g_autoptr(HpPolicy) policy = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    g_assert_false(hp_reload(&f->parts, &error));
    g_assert_nonnull(error);
    policy = hp_policies_get(f->parts.policies);
    g_assert_cmpstr(policy->smtp.user_name, ==, "Anna");
}

static void
answers_its_method(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) nothing = NULL;
    g_autoptr(GVariant) answer = NULL;

    fixture_write_settings(f, "[account]\naddress=none\n");
    nothing = fixture_call(f, "Reload", NULL, &error);
    g_assert_null(nothing);
    g_assert_error(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "hauspost.conf:2: "));
    g_assert_true(g_str_has_suffix(error->message, "\nhauspost config edit"));
    g_clear_error(&error);
    fixture_write_settings(f, NEW_SETTINGS);
    answer = fixture_call(f, "Reload", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(g_variant_get_type_string(answer), ==, "()");
}

static void
tells_the_queue_and_the_transport_what_is_set(Fixture *f, gconstpointer data)
{
    g_autoptr(HpPolicy) policy = NULL;
    HpQueueOptions queue;
    HpSmtpTransportOptions transport;

    fixture_set(f, NEW_SETTINGS);
    policy = hp_policies_get(f->parts.policies);
    queue = hp_reload_queue_options(&f->parts, policy);
    transport = hp_reload_transport_options(&f->parts, policy);
    g_assert_cmpstr(queue.state_path, ==, f->parts.dirs->state);
    g_assert_cmpstr(queue.runtime_path, ==, f->parts.dirs->runtime);
    g_assert_cmpstr(queue.bounce_from_domain, ==, "kiste.example");
    g_assert_cmpstr(queue.user_address, ==, "bert@home.example");
    g_assert_cmpstr(queue.user_name, ==, "Bert");
    g_assert_cmpstr(queue.language, ==, "de");
    g_assert_cmpuint(queue.concurrency, ==, 3);
    g_assert_cmpuint(queue.per_destination, ==, 2);
    g_assert_cmpint(queue.give_up_sec, ==, 2 * 86400);
    g_assert_cmpint(queue.delay_notice_sec, ==, 3600);
    g_assert_cmpint(queue.grace_sec, ==, 300);
    g_assert_cmpstr(transport.hostname, ==, "kiste.example");
    g_assert_cmpuint(transport.port, ==, 2525);
    g_assert_true(transport.allow_private);
    g_assert_cmpint(transport.ipv6, ==, HP_MX_IPV6_NO);
    g_assert_cmpint(transport.link_state(transport.link_data), ==,
                    hp_link_state(f->parts.link));
    hp_policy_unref(g_steal_pointer(&policy));

    fixture_set(f, FIXTURE_SETTINGS);
    policy = hp_policies_get(f->parts.policies);
    g_assert_null(hp_reload_queue_options(&f->parts, policy).language);
    transport = hp_reload_transport_options(&f->parts, policy);
    g_assert_false(transport.allow_private);
    g_assert_cmpint(transport.ipv6, ==, HP_MX_IPV6_AUTO);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, run)                                                                  \
    g_test_add("/reload/" name, Fixture, NULL, fixture_set_up, run, fixture_tear_down)
    CASE("brings-all-of-it-into-force", brings_all_of_it_into_force);
    CASE("reaches-the-transport", reaches_the_transport);
    CASE("leaves-running-sessions-what-they-began-with",
         leaves_running_sessions_what_they_began_with);
    CASE("changes-no-port-before-the-next-start", changes_no_port_before_the_next_start);
    CASE("keeps-all-of-the-old-if-anything-is-wrong",
         keeps_all_of_the_old_if_anything_is_wrong);
    CASE("keeps-the-old-if-the-file-cannot-be-read",
         keeps_the_old_if_the_file_cannot_be_read);
    CASE("answers-its-method", answers_its_method);
    CASE("tells-the-queue-and-the-transport-what-is-set",
         tells_the_queue_and_the_transport_what_is_set);
    return g_test_run();
}
