#include "hp-config.h"

#include "hp-config-check.h"
#include "hp-fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define EVENT     "off|tray|banner|sticky"
#define PORT      HP_SETTING_NUMBER
#define DAY       86400
/* So high that whoever wants no limit (a load test) can say so. */
#define LIMIT_MAX 1000000000

static const HpSettingSpec specs[HP_CONFIG_N_KEYS] = {
    /* [account] */
    [HP_CONFIG_ACCOUNT_ADDRESS] = { "account", "address", HP_SETTING_TEXT, "",
                                    .about = N_("Your mail address: the sender of mail "
                                                "that names none."),
                                    .check = hp_config_check_account },
    [HP_CONFIG_ACCOUNT_NAME] = { "account", "name", HP_SETTING_TEXT, "",
                                 .about = N_("Your name, as others shall see it.") },
    [HP_CONFIG_ACCOUNT_LANGUAGE] = { "account", "language", HP_SETTING_TEXT, "",
                                     .about = N_("Language of messages and reports (en, "
                                                 "de); empty: that of the desktop."),
                                     .check = hp_config_check_language,
                                     .at_start = TRUE },
    /* [identity NAME] */
    [HP_CONFIG_IDENTITY_ADDRESS] = { "identity", "address", HP_SETTING_TEXT, "",
                                     .about =
                                         N_("A further address that you may send as; "
                                            "*@example.org is every address there."),
                                     .check = hp_config_check_identity, .named = TRUE },
    [HP_CONFIG_IDENTITY_NAME] = { "identity", "name", HP_SETTING_TEXT, "",
                                  .about = N_("The name that goes with this address."),
                                  .named = TRUE },
    [HP_CONFIG_IDENTITY_RELAY] = { "identity", "relay", HP_SETTING_TEXT, "auto",
                                   .about = N_("The road its mail takes: a [relay] name, "
                                               "direct or auto."),
                                   .check = hp_config_check_word, .named = TRUE,
                                   .later = TRUE },
    /* [listen] */
    [HP_CONFIG_LISTEN_SMTP] = { "listen", "smtp", PORT, "10587", 0, 65535,
                                .about = N_("Port on this computer for sending (SMTP "
                                            "with STARTTLS); 0 is off."),
                                .at_start = TRUE },
    [HP_CONFIG_LISTEN_SMTP_TLS] = { "listen", "smtp-tls", PORT, "10465", 0, 65535,
                                    .about = N_("Port on this computer for sending (SMTP "
                                                "over TLS); 0 is off."),
                                    .at_start = TRUE },
    [HP_CONFIG_LISTEN_IMAP] = { "listen", "imap", PORT, "10143", 0, 65535,
                                .about = N_("Port on this computer for reading (IMAP "
                                            "with STARTTLS); 0 is off."),
                                .at_start = TRUE },
    [HP_CONFIG_LISTEN_IMAP_TLS] = { "listen", "imap-tls", PORT, "10993", 0, 65535,
                                    .about = N_("Port on this computer for reading (IMAP "
                                                "over TLS); 0 is off."),
                                    .at_start = TRUE },
    [HP_CONFIG_LISTEN_POP3] = { "listen", "pop3", PORT, "10110", 0, 65535,
                                .about = N_("Port on this computer for collecting (POP3 "
                                            "with STLS); 0 is off."),
                                .at_start = TRUE },
    [HP_CONFIG_LISTEN_POP3_TLS] = { "listen", "pop3-tls", PORT, "10995", 0, 65535,
                                    .about = N_("Port on this computer for collecting "
                                                "(POP3 over TLS); 0 is off."),
                                    .at_start = TRUE },
    [HP_CONFIG_LISTEN_PLAINTEXT] = { "listen", "plaintext", HP_SETTING_YES_NO, "yes",
                                     .about = N_("Whether programs on this computer may "
                                                 "log in without TLS.") },
    [HP_CONFIG_LISTEN_ALLOW_USERS] = { "listen", "allow-users", HP_SETTING_LIST, "",
                                       .about = N_("Further users of this computer "
                                                   "(names or numbers) who may connect."),
                                       .check = hp_config_check_word, .at_start = TRUE },
    /* [dns] */
    [HP_CONFIG_DNS_SERVERS] = { "dns", "servers", HP_SETTING_LIST, "",
                                .about = N_("Name servers, each an address such as "
                                            "192.0.2.1 or [2001:db8::1]:53; empty: "
                                            "those of /etc/resolv.conf."),
                                .check = hp_config_check_server, .at_start = TRUE },
    [HP_CONFIG_DNS_TRUST_AD] = { "dns", "trust-ad", HP_SETTING_CHOICE, "auto",
                                 .choices = "auto|yes|no",
                                 .about = N_("Whether the name server is believed when "
                                             "it says that an answer is signed; auto: "
                                             "only if it runs on this computer."),
                                 .later = TRUE },
    /* [delivery] */
    [HP_CONFIG_DELIVERY_HOSTNAME] = { "delivery", "hostname", HP_SETTING_TEXT, "",
                                      .about = N_("The name with which this computer "
                                                  "greets other mail servers."),
                                      .check = hp_config_check_hostname },
    [HP_CONFIG_DELIVERY_PORT] = { "delivery", "port", PORT, "25", 1, 65535,
                                  .about = N_("The port of other mail servers; only "
                                              "tests need another one.") },
    [HP_CONFIG_DELIVERY_CONCURRENCY] = { "delivery", "concurrency", HP_SETTING_NUMBER,
                                         "20", 1, 100,
                                         .about = N_(
                                             "Deliveries at the same time, at most.") },
    [HP_CONFIG_DELIVERY_PER_DESTINATION] = { "delivery", "per-destination",
                                             HP_SETTING_NUMBER, "2", 1, 20,
                                             .about = N_("Connections to one destination "
                                                         "at the same time, at most.") },
    [HP_CONFIG_DELIVERY_GRACE] = { "delivery", "grace", HP_SETTING_DURATION, "0s", 0, DAY,
                                   .about = N_("Time in which a sent message can still "
                                               "be taken back.") },
    [HP_CONFIG_DELIVERY_GIVE_UP] = { "delivery", "give-up", HP_SETTING_DURATION, "5d", 60,
                                     365L * DAY,
                                     .about = N_("How long delivery is tried before a "
                                                 "message is returned.") },
    [HP_CONFIG_DELIVERY_DELAY_NOTICE] = { "delivery", "delay-notice", HP_SETTING_DURATION,
                                          "4h", 0, 365L * DAY,
                                          .about = N_(
                                              "After this time you are told that a "
                                              "message is still waiting; 0 is never.") },
    [HP_CONFIG_DELIVERY_ALLOW_PRIVATE] = { "delivery", "allow-private", HP_SETTING_YES_NO,
                                           "no",
                                           .about = N_("Whether mail may go to servers "
                                                       "on private addresses, such as in "
                                                       "a home network.") },
    [HP_CONFIG_DELIVERY_IPV6] = { "delivery", "ipv6", HP_SETTING_CHOICE, "auto",
                                  .choices = "auto|yes|no",
                                  .about =
                                      N_("Whether other servers are reached by IPv6.") },
    [HP_CONFIG_DELIVERY_CA_FILE] = { "delivery", "ca-file", HP_SETTING_TEXT, "",
                                     .about = N_("Certificates (PEM) to trust in other "
                                                 "mail servers; empty: those of the "
                                                 "system."),
                                     .check = hp_config_check_ca_file },
    /* [relay NAME] */
    [HP_CONFIG_RELAY_HOST] = { "relay", "host", HP_SETTING_TEXT, "",
                               .about = N_("Your provider's server for outgoing mail."),
                               .check = hp_config_check_hostname, .named = TRUE,
                               .later = TRUE },
    [HP_CONFIG_RELAY_PORT] = { "relay", "port", PORT, "465", 1, 65535,
                               .about = N_("Its port: 465, or 587 with tls=starttls."),
                               .named = TRUE, .later = TRUE },
    [HP_CONFIG_RELAY_TLS] = { "relay", "tls", HP_SETTING_CHOICE, "implicit",
                              .choices = "implicit|starttls",
                              .about = N_("How the connection is protected."),
                              .named = TRUE, .later = TRUE },
    [HP_CONFIG_RELAY_USER] = { "relay", "user", HP_SETTING_TEXT, "",
                               .about = N_("Your user name there."), .named = TRUE,
                               .later = TRUE },
    [HP_CONFIG_RELAY_PASSWORD_COMMAND] = { "relay", "password-command", HP_SETTING_TEXT,
                                           "",
                                           .about =
                                               N_("A command that prints the password; "
                                                  "empty: the desktop's password store."),
                                           .named = TRUE, .later = TRUE },
    /* [limits] */
    [HP_CONFIG_LIMITS_RECIPIENTS_PER_HOUR] = { "limits", "recipients-per-hour",
                                               HP_SETTING_NUMBER, "100", 1, LIMIT_MAX,
                                               .about = N_("Recipients within an hour."),
                                               .later = TRUE },
    [HP_CONFIG_LIMITS_RECIPIENTS_PER_DAY] = { "limits", "recipients-per-day",
                                              HP_SETTING_NUMBER, "300", 1, LIMIT_MAX,
                                              .about = N_("Recipients within a day."),
                                              .later = TRUE },
    [HP_CONFIG_LIMITS_BURST] = { "limits", "burst", HP_SETTING_NUMBER, "30", 1, LIMIT_MAX,
                                 .about =
                                     N_("Recipients that may follow each other at once."),
                                 .later = TRUE },
    [HP_CONFIG_LIMITS_NEW_RECIPIENTS_PER_HOUR] = { "limits", "new-recipients-per-hour",
                                                   HP_SETTING_NUMBER, "15", 1, LIMIT_MAX,
                                                   .about =
                                                       N_("Recipients within an hour to "
                                                          "whom you never wrote before."),
                                                   .later = TRUE },
    [HP_CONFIG_LIMITS_NEW_RECIPIENTS_PER_DAY] = { "limits", "new-recipients-per-day",
                                                  HP_SETTING_NUMBER, "40", 1, LIMIT_MAX,
                                                  .about =
                                                      N_("Recipients within a day to "
                                                         "whom you never wrote before."),
                                                  .later = TRUE },
    [HP_CONFIG_LIMITS_SAME_TEXT_NEW_RECIPIENTS_PER_DAY] = { "limits",
                                                            "same-text-new-recipients-"
                                                            "per-day",
                                                            HP_SETTING_NUMBER, "20", 1,
                                                            LIMIT_MAX,
                                                            .about =
                                                                N_("New recipients "
                                                                   "within a day who get "
                                                                   "the same text."),
                                                            .later = TRUE },
    [HP_CONFIG_LIMITS_RECIPIENTS_PER_MESSAGE] = { "limits", "recipients-per-message",
                                                  HP_SETTING_NUMBER, "100", 1, 1000,
                                                  .about =
                                                      N_("Recipients of one message.") },
    [HP_CONFIG_LIMITS_BYTES_PER_DAY] = { "limits", "bytes-per-day", HP_SETTING_SIZE,
                                         "500M",
                                         .about = N_("What may go out within a day."),
                                         .later = TRUE },
    /* [mail] */
    [HP_CONFIG_MAIL_LOCAL_ADDRESSES] = { "mail", "local-addresses", HP_SETTING_LIST, "",
                                         .about = N_("Further addresses whose mail stays "
                                                     "here, in your INBOX."),
                                         .check = hp_config_check_local },
    [HP_CONFIG_MAIL_MAX_MESSAGE_SIZE] = { "mail", "max-message-size", HP_SETTING_SIZE,
                                          "50M", 64L << 10, 2L << 30,
                                          .about =
                                              N_("The largest message that is taken.") },
    [HP_CONFIG_MAIL_SAVE_SENT] = { "mail", "save-sent", HP_SETTING_CHOICE, "auto",
                                   .choices = "auto|yes|no",
                                   .about =
                                       N_("Whether a copy of sent mail is kept in Sent; "
                                          "auto: unless the program keeps one itself."),
                                   .later = TRUE },
    [HP_CONFIG_MAIL_POP3_RETENTION] = { "mail", "pop3-retention", HP_SETTING_DURATION, "",
                                        .about = N_("How long mail may stay after a "
                                                    "program collected it by POP3 (30d); "
                                                    "empty: until it is deleted.") },
    [HP_CONFIG_MAIL_TRASH_RETENTION] = { "mail", "trash-retention", HP_SETTING_DURATION,
                                         "30d",
                                         .about = N_(
                                             "How long deleted mail stays in Trash.") },
    [HP_CONFIG_MAIL_JUNK_RETENTION] = { "mail", "junk-retention", HP_SETTING_DURATION,
                                        "30d",
                                        .about =
                                            N_("How long junk mail stays in Junk.") },
    /* [notifications] */
    [HP_CONFIG_NOTIFICATIONS_NEW_MAIL] = { "notifications", "new-mail", HP_SETTING_CHOICE,
                                           "banner", .choices = EVENT,
                                           .about = N_("A new message came."),
                                           .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_REFUSED] = { "notifications", "refused", HP_SETTING_CHOICE,
                                          "sticky", .choices = EVENT,
                                          .about =
                                              N_("A message could not be delivered."),
                                          .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_DELAYED] = { "notifications", "delayed", HP_SETTING_CHOICE,
                                          "tray", .choices = EVENT,
                                          .about = N_("A message is waiting for long."),
                                          .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_OFFLINE] = { "notifications", "offline", HP_SETTING_CHOICE,
                                          "tray", .choices = EVENT,
                                          .about = N_("The line is down and mail waits."),
                                          .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_BACKLOG_SENT] = { "notifications", "backlog-sent",
                                               HP_SETTING_CHOICE, "tray",
                                               .choices = EVENT,
                                               .about = N_("The line is back and the "
                                                           "waiting mail was sent."),
                                               .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_LIMIT] = { "notifications", "limit", HP_SETTING_CHOICE,
                                        "banner", .choices = EVENT,
                                        .about = N_("A sending limit was reached."),
                                        .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_UNUSUAL] = { "notifications", "unusual", HP_SETTING_CHOICE,
                                          "sticky", .choices = EVENT,
                                          .about = N_("Something sends unusually much."),
                                          .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_LISTENER] = { "notifications", "listener", HP_SETTING_CHOICE,
                                           "sticky", .choices = EVENT,
                                           .about =
                                               N_("A port on this computer is taken."),
                                           .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_SECRET] = { "notifications", "secret", HP_SETTING_CHOICE,
                                         "banner", .choices = EVENT,
                                         .about = N_(
                                             "The password store is locked or missing."),
                                         .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_MAILBOX] = { "notifications", "mailbox", HP_SETTING_CHOICE,
                                          "banner", .choices = EVENT,
                                          .about =
                                              N_("Much old mail lies in the mailbox."),
                                          .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_DISK] = { "notifications", "disk", HP_SETTING_CHOICE,
                                       "sticky", .choices = EVENT,
                                       .about = N_("The disk is nearly full or damaged."),
                                       .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_WRONG_PASSWORD] = { "notifications", "wrong-password",
                                                 HP_SETTING_CHOICE, "banner",
                                                 .choices = EVENT,
                                                 .about = N_("A program used a wrong "
                                                             "password several times."),
                                                 .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_SHOW_SUBJECT] = { "notifications", "show-subject",
                                               HP_SETTING_YES_NO, "no",
                                               .about =
                                                   N_("Whether notices show subjects."),
                                               .later = TRUE },
    [HP_CONFIG_NOTIFICATIONS_QUIET] = { "notifications", "quiet", HP_SETTING_YES_NO, "no",
                                        .about = N_("No pop-ups at all."),
                                        .later = TRUE },
    /* [inbound] */
    [HP_CONFIG_INBOUND_ENABLED] = { "inbound", "enabled", HP_SETTING_YES_NO, "no",
                                    .about =
                                        N_("Whether mail is taken from the network."),
                                    .later = TRUE },
    [HP_CONFIG_INBOUND_ADDRESS] = { "inbound", "address", HP_SETTING_LIST, "",
                                    .about = N_("Addresses of this computer on which "
                                                "mail is taken."),
                                    .later = TRUE },
    [HP_CONFIG_INBOUND_PORT] = { "inbound", "port", PORT, "25", 1, 65535,
                                 .about = N_("The port on which mail is taken."),
                                 .later = TRUE },
    /* [collect NAME] */
    [HP_CONFIG_COLLECT_PROTOCOL] = { "collect", "protocol", HP_SETTING_CHOICE, "pop3",
                                     .choices = "pop3|imap",
                                     .about =
                                         N_("How mail is fetched from that mailbox."),
                                     .named = TRUE, .later = TRUE },
    [HP_CONFIG_COLLECT_HOST] = { "collect", "host", HP_SETTING_TEXT, "",
                                 .about = N_("The server of the mailbox."),
                                 .check = hp_config_check_hostname, .named = TRUE,
                                 .later = TRUE },
    [HP_CONFIG_COLLECT_PORT] = { "collect", "port", PORT, "", 1, 65535,
                                 .about = N_("Its port; empty: the usual one."),
                                 .named = TRUE, .later = TRUE },
    [HP_CONFIG_COLLECT_TLS] = { "collect", "tls", HP_SETTING_CHOICE, "implicit",
                                .choices = "implicit|starttls",
                                .about = N_("How the connection is protected."),
                                .named = TRUE, .later = TRUE },
    [HP_CONFIG_COLLECT_USER] = { "collect", "user", HP_SETTING_TEXT, "",
                                 .about = N_("Your user name there."), .named = TRUE,
                                 .later = TRUE },
    [HP_CONFIG_COLLECT_PASSWORD_COMMAND] = { "collect", "password-command",
                                             HP_SETTING_TEXT, "",
                                             .about = N_(
                                                 "A command that prints the password; "
                                                 "empty: the desktop's password store."),
                                             .named = TRUE, .later = TRUE },
    [HP_CONFIG_COLLECT_INTERVAL] = { "collect", "interval", HP_SETTING_DURATION, "10m",
                                     60, 30L * DAY,
                                     .about = N_("How often the mailbox is looked at."),
                                     .named = TRUE, .later = TRUE },
    [HP_CONFIG_COLLECT_KEEP] = { "collect", "keep", HP_SETTING_YES_NO, "no",
                                 .about =
                                     N_("Whether fetched mail stays on that server."),
                                 .named = TRUE, .later = TRUE },
};

HpSettingTable
hp_config_table(void)
{
    return (HpSettingTable){ specs, G_N_ELEMENTS(specs) };
}

gboolean
hp_config_fits(HpConfigKey key, const char *value, GError **error)
{
    return value == NULL || hp_settings_check(&specs[key], hp_slice_of(value), error);
}

/* As hp_settings_parse() has it. @file: (nullable) */
static void
set_problems(GError **error, const char *file, const GArray *problems)
{
    g_autoptr(GString) lines = g_string_new(NULL);

    for (guint i = 0; i < problems->len; i++) {
        const HpConfigProblem *problem = &g_array_index(problems, HpConfigProblem, i);

        if (i > 0)
            g_string_append_c(lines, '\n');
        if (file != NULL)
            g_string_append_printf(lines, "%s:%u: ", file, problem->line);
        g_string_append(lines, problem->text);
    }
    g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID, lines->str);
}

HpSettings *
hp_config_parse(const char *file, HpSlice text, GError **error)
{
    g_autoptr(HpSettings) settings =
        hp_settings_parse(hp_config_table(), file, text, error);
    g_autoptr(GArray) problems = NULL;

    if (settings == NULL)
        return NULL;
    problems = hp_config_check(settings);
    if (problems->len == 0)
        return g_steal_pointer(&settings);
    set_problems(error, file, problems);
    return NULL;
}

char *
hp_config_path(const HpDirs *dirs)
{
    return g_build_filename(dirs->config, HP_CONFIG_FILE, NULL);
}

/* The file; empty bytes if there is none yet. */
static GBytes *
read_file(int dir_fd, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) bytes =
        hp_fs_read_at(dir_fd, HP_CONFIG_FILE, HP_SETTINGS_MAX_BYTES, &failure);

    if (bytes != NULL)
        return g_steal_pointer(&bytes);
    if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return g_bytes_new_static("", 0);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

HpSettings *
hp_config_load(const HpDirs *dirs, GError **error)
{
    g_autofree char *path = hp_config_path(dirs);
    hp_autofd dir_fd = open(dirs->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GBytes) bytes = NULL;

    if (dir_fd < 0 && errno != ENOENT) {
        hp_fs_fail(error, N_("open folder"), dirs->config);
        return NULL;
    }
    bytes = dir_fd >= 0 ? read_file(dir_fd, error) : g_bytes_new_static("", 0);
    return bytes != NULL ? hp_config_parse(path, hp_slice_of_bytes(bytes), error) : NULL;
}

gboolean
hp_config_is_set_up(const HpSettings *settings)
{
    return hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL)[0] != '\0';
}

gboolean
hp_config_require_set_up(const HpSettings *settings, const char *file, GError **error)
{
    guint line = MAX(hp_settings_line(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
                     hp_settings_section_line(settings, "account", NULL));
    g_autofree char *place =
        line > 0 ? g_strdup_printf("%s:%u", file, line) : g_strdup(file);

    if (hp_config_is_set_up(settings))
        return TRUE;
    g_set_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INCOMPLETE,
                _("%s: [account] has no address: Hauspost does not know yet whose mail "
                  "this is"),
                place);
    return FALSE;
}

HpSettings *
hp_config_load_set_up(const HpDirs *dirs, GError **error)
{
    g_autofree char *path = hp_config_path(dirs);
    g_autoptr(HpSettings) settings = hp_config_load(dirs, error);

    if (settings == NULL || !hp_config_require_set_up(settings, path, error))
        return NULL;
    return g_steal_pointer(&settings);
}

const char *
hp_config_next(const GError *error)
{
    static const char *const commands[] = {
        [HP_SETTINGS_ERROR_INVALID] = "hauspost config edit",
        [HP_SETTINGS_ERROR_NOT_FOUND] = "hauspost config list",
        [HP_SETTINGS_ERROR_VALUE] = "hauspost config describe",
        [HP_SETTINGS_ERROR_INCOMPLETE] = "hauspost setup",
    };

    return error->domain == HP_SETTINGS_ERROR ? commands[error->code] : NULL;
}

/* --- changes --- */

/* A fault of the change has no line, since it is in no file; but one that was there
 * before is the person's to mend first, and its line is the one that an editor shows. */
static gboolean
check_change(const char *path, HpSlice before, HpSlice after, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(GError) cause = NULL;
    g_autoptr(HpSettings) old = hp_config_parse(path, before, &fault);
    g_autoptr(HpSettings) new = hp_config_parse(NULL, after, &cause);

    if (new == NULL && old == NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return FALSE;
    }
    if (new == NULL) {
        g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_VALUE,
                            cause->message);
        return FALSE;
    }
    if (old == NULL || !hp_config_is_set_up(old) || hp_config_is_set_up(new))
        return TRUE;
    g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_VALUE,
                        _("[account] needs an address; it can be changed, but not left "
                          "out"));
    return FALSE;
}

gboolean
hp_config_change(const HpDirs *dirs, HpConfigEdit edit, gpointer data, GError **error)
{
    g_autofree char *path = hp_config_path(dirs);
    hp_autofd dir_fd = hp_fs_open_private_dir(dirs->config, error);
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL;

    /* Two changes at once wait for each other; the lock ends with the descriptor. */
    if (dir_fd < 0)
        return FALSE;
    if (flock(dir_fd, LOCK_EX) != 0)
        return hp_fs_fail(error, N_("lock"), dirs->config);
    bytes = read_file(dir_fd, error);
    if (bytes == NULL)
        return FALSE;
    text = edit(hp_slice_of_bytes(bytes), data, error);
    if (text == NULL ||
        !check_change(path, hp_slice_of_bytes(bytes), hp_slice_of(text), error))
        return FALSE;
    return hp_fs_replace_at(dir_fd, HP_CONFIG_FILE, hp_slice_of(text), error);
}
