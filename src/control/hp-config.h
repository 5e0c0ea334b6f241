/* hp-config: hauspost.conf: every key that Hauspost knows, and how the file is read and
 * changed.
 *
 * Threads: HpSettings is immutable: any; changes of the file exclude each other, also
 * between processes.
 */
#pragma once

#include "hp-dirs.h"
#include "hp-settings.h"

#define HP_CONFIG_FILE "hauspost.conf" /* in HpDirs.config */

/* One for each row of hp_config_table(): the @key of the getters in hp-settings.h. */
typedef enum {
    HP_CONFIG_ACCOUNT_ADDRESS,
    HP_CONFIG_ACCOUNT_NAME,
    HP_CONFIG_ACCOUNT_LANGUAGE,
    HP_CONFIG_IDENTITY_ADDRESS, /* [identity NAME] */
    HP_CONFIG_IDENTITY_NAME,
    HP_CONFIG_IDENTITY_RELAY,
    HP_CONFIG_LISTEN_SMTP, /* ports; 0 is off */
    HP_CONFIG_LISTEN_SMTP_TLS,
    HP_CONFIG_LISTEN_IMAP,
    HP_CONFIG_LISTEN_IMAP_TLS,
    HP_CONFIG_LISTEN_POP3,
    HP_CONFIG_LISTEN_POP3_TLS,
    HP_CONFIG_LISTEN_PLAINTEXT,
    HP_CONFIG_LISTEN_ALLOW_USERS,
    HP_CONFIG_DNS_SERVERS,
    HP_CONFIG_DNS_TRUST_AD,
    HP_CONFIG_DELIVERY_HOSTNAME,
    HP_CONFIG_DELIVERY_PORT,
    HP_CONFIG_DELIVERY_CONCURRENCY,
    HP_CONFIG_DELIVERY_PER_DESTINATION,
    HP_CONFIG_DELIVERY_GRACE,        /* seconds */
    HP_CONFIG_DELIVERY_GIVE_UP,      /* seconds */
    HP_CONFIG_DELIVERY_DELAY_NOTICE, /* seconds */
    HP_CONFIG_DELIVERY_ALLOW_PRIVATE,
    HP_CONFIG_DELIVERY_IPV6,
    HP_CONFIG_DELIVERY_CA_FILE,
    HP_CONFIG_RELAY_HOST, /* [relay NAME] */
    HP_CONFIG_RELAY_PORT,
    HP_CONFIG_RELAY_TLS,
    HP_CONFIG_RELAY_USER,
    HP_CONFIG_RELAY_PASSWORD_COMMAND,
    HP_CONFIG_LIMITS_RECIPIENTS_PER_HOUR,
    HP_CONFIG_LIMITS_RECIPIENTS_PER_DAY,
    HP_CONFIG_LIMITS_BURST,
    HP_CONFIG_LIMITS_NEW_RECIPIENTS_PER_HOUR,
    HP_CONFIG_LIMITS_NEW_RECIPIENTS_PER_DAY,
    HP_CONFIG_LIMITS_SAME_TEXT_NEW_RECIPIENTS_PER_DAY,
    HP_CONFIG_LIMITS_RECIPIENTS_PER_MESSAGE,
    HP_CONFIG_LIMITS_BYTES_PER_DAY,
    HP_CONFIG_MAIL_LOCAL_ADDRESSES,
    HP_CONFIG_MAIL_MAX_MESSAGE_SIZE, /* bytes */
    HP_CONFIG_MAIL_SAVE_SENT,
    HP_CONFIG_MAIL_POP3_RETENTION, /* seconds; 0: for ever */
    HP_CONFIG_MAIL_TRASH_RETENTION,
    HP_CONFIG_MAIL_JUNK_RETENTION,
    HP_CONFIG_NOTIFICATIONS_NEW_MAIL,
    HP_CONFIG_NOTIFICATIONS_REFUSED,
    HP_CONFIG_NOTIFICATIONS_DELAYED,
    HP_CONFIG_NOTIFICATIONS_OFFLINE,
    HP_CONFIG_NOTIFICATIONS_BACKLOG_SENT,
    HP_CONFIG_NOTIFICATIONS_LIMIT,
    HP_CONFIG_NOTIFICATIONS_UNUSUAL,
    HP_CONFIG_NOTIFICATIONS_LISTENER,
    HP_CONFIG_NOTIFICATIONS_SECRET,
    HP_CONFIG_NOTIFICATIONS_MAILBOX,
    HP_CONFIG_NOTIFICATIONS_DISK,
    HP_CONFIG_NOTIFICATIONS_WRONG_PASSWORD,
    HP_CONFIG_NOTIFICATIONS_SHOW_SUBJECT,
    HP_CONFIG_NOTIFICATIONS_QUIET,
    HP_CONFIG_INBOUND_ENABLED,
    HP_CONFIG_INBOUND_ADDRESS,
    HP_CONFIG_INBOUND_PORT,
    HP_CONFIG_COLLECT_PROTOCOL, /* [collect NAME] */
    HP_CONFIG_COLLECT_HOST,
    HP_CONFIG_COLLECT_PORT,
    HP_CONFIG_COLLECT_TLS,
    HP_CONFIG_COLLECT_USER,
    HP_CONFIG_COLLECT_PASSWORD_COMMAND,
    HP_CONFIG_COLLECT_INTERVAL,
    HP_CONFIG_COLLECT_KEEP,
    HP_CONFIG_N_KEYS,
} HpConfigKey;

/* All keys; lives as long as the program. */
HpSettingTable hp_config_table(void);

/* Would @value do for @key? %NULL does for all. @error: #HP_SETTINGS_ERROR_VALUE */
gboolean hp_config_fits(HpConfigKey key, const char *value, GError **error);

/* @text as the settings in a file called @file (nullable, as for hp_settings_parse());
 * @error: #HP_SETTINGS_ERROR_INVALID, for a value or for all of them together: the mail
 * server takes whatever passes here. */
HpSettings *hp_config_parse(const char *file, HpSlice text, GError **error);

/**
 * hp_config_load:
 * @dirs: where the file is
 * @error: #HP_SETTINGS_ERROR_INVALID "file:line: …", or #G_FILE_ERROR if it cannot be
 * read
 *
 * Reads hauspost.conf. A missing file gives the defaults: see hp_config_is_set_up().
 */
HpSettings *hp_config_load(const HpDirs *dirs, GError **error);

/* Has somebody said who the user is ([account] address)? Without that no mail can be
 * taken: "run hauspost setup". */
gboolean hp_config_is_set_up(const HpSettings *settings);

/* The same for who cannot go on without. @file: as for hp_config_parse(); @error:
 * #HP_SETTINGS_ERROR_INCOMPLETE "file:line: …", or "file: …" if no line is to blame. */
gboolean hp_config_require_set_up(const HpSettings *settings, const char *file,
                                  GError **error);

/* hp_config_load() and hp_config_require_set_up(): settings with which the mail server
 * starts. */
HpSettings *hp_config_load_set_up(const HpDirs *dirs, GError **error);

/* What to type after an #HP_SETTINGS_ERROR, %NULL after others. */
const char *hp_config_next(const GError *error);

/**
 * HpConfigEdit:
 * @text: the file as it is, "" if there is none
 *
 * Returns: (transfer full) (nullable): the file as it shall be, or %NULL and @error set
 */
typedef char *(*HpConfigEdit)(HpSlice text, gpointer data, GError **error);

/**
 * hp_config_change:
 * @edit: what to do
 * @error: of @edit; #HP_SETTINGS_ERROR_VALUE for what would be wrong then and is not now;
 *    #HP_SETTINGS_ERROR_INVALID "file:line: …" for what is wrong already and would stay
 * so; nothing was written then
 *
 * Reads the file, has it edited, checks the result and writes it back (0600, whole or not
 * at all) while other hp_config_change() calls wait. Makes the folder if it is missing.
 * Who was said to be the user cannot become unsaid.
 */
gboolean hp_config_change(const HpDirs *dirs, HpConfigEdit edit, gpointer data,
                          GError **error);

/* (transfer full): the path of the file. */
char *hp_config_path(const HpDirs *dirs);
