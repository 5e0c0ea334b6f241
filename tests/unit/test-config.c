#include "hp-config.h"

#include "hp-settings-edit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* The table of the documentation, "section.key=default". */
static const char *const promised[] = {
    "account.address=",
    "account.name=",
    "account.language=",
    "identity.N.address=",
    "identity.N.name=",
    "identity.N.relay=auto",
    "listen.smtp=10587",
    "listen.smtp-tls=10465",
    "listen.imap=10143",
    "listen.imap-tls=10993",
    "listen.pop3=10110",
    "listen.pop3-tls=10995",
    "listen.plaintext=yes",
    "listen.allow-users=",
    "dns.servers=",
    "dns.trust-ad=auto",
    "delivery.hostname=",
    "delivery.port=25",
    "delivery.concurrency=20",
    "delivery.per-destination=2",
    "delivery.grace=0s",
    "delivery.give-up=5d",
    "delivery.delay-notice=4h",
    "delivery.allow-private=no",
    "delivery.ipv6=auto",
    "relay.N.host=",
    "relay.N.port=465",
    "relay.N.tls=implicit",
    "relay.N.user=",
    "relay.N.password-command=",
    "limits.recipients-per-hour=100",
    "limits.recipients-per-day=300",
    "limits.burst=30",
    "limits.new-recipients-per-hour=15",
    "limits.new-recipients-per-day=40",
    "limits.same-text-new-recipients-per-day=20",
    "limits.recipients-per-message=100",
    "limits.bytes-per-day=500M",
    "mail.local-addresses=",
    "mail.max-message-size=50M",
    "mail.save-sent=auto",
    "mail.pop3-retention=",
    "mail.trash-retention=30d",
    "mail.junk-retention=30d",
    "notifications.show-subject=no",
    "notifications.quiet=no",
    "inbound.enabled=no",
    "inbound.address=",
    "inbound.port=25",
    "collect.N.host=",
};

static void
knows_every_promised_key_with_its_default(void)
{
    g_autoptr(HpSettings) none = hp_config_parse("f", hp_slice_of(""), NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(promised); i++) {
        g_auto(GStrv) parts = g_strsplit(promised[i], "=", 2);
        g_autoptr(GError) error = NULL;
        g_autofree char *name = NULL;
        guint key = 0;

        g_assert_true(hp_settings_find(hp_config_table(), parts[0], &key, &name, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(hp_settings_text(none, key, name), ==, parts[1]);
    }
}

static void
has_a_whole_row_for_every_key(void)
{
    HpSettingTable table = hp_config_table();

    g_assert_cmpuint(table.n_specs, ==, HP_CONFIG_N_KEYS);
    for (guint i = 0; i < table.n_specs; i++) {
        const HpSettingSpec *spec = &table.specs[i];
        g_autoptr(GError) error = NULL;

        g_assert_nonnull(spec->section);
        g_assert_nonnull(spec->about);
        g_assert_true((spec->type == HP_SETTING_CHOICE) == (spec->choices != NULL));
        hp_settings_check(spec, hp_slice_of(spec->fallback), &error);
        g_assert_no_error(error);
    }
}

static void
refuses_what_cannot_be_meant(void)
{
    static const char *const wrong[] = {
        "[account]\naddress=anna@@x",
        "[account]\naddress=*@b.c",
        "[account]\nlanguage=fr",
        "[identity x]\naddress=anna",
        "[identity x]\nname=q",
        "[dns]\nservers=foo:bar:1",
        "[mail]\nlocal-addresses=root,@@",
        "[delivery]\nhostname=my_host",
        "[delivery]\nca-file=/nonexistent",
        "[delivery]\nport=0",
        "[delivery]\ngive-up=5s",
        "[delivery]\nconcurrency=0",
        "[mail]\nmax-message-size=1K",
        "[identity x]\naddress=a@b.c\nrelay=a b",
        "[notifications]\nrefused=loud",
        "[listen]\nimap=10587",
    };
    static const char *const right[] = {
        "[account]\naddress=anna@example.org\nlanguage=de",
        "[account]\naddress=jürgen@müller.example",
        "[identity x]\naddress=*@example.org",
        "[dns]\nservers=127.0.0.53, [::1]:5353",
        "[mail]\nlocal-addresses=root *@home.example",
        "[listen]\nsmtp=0\nimap=0",
        "[limits]\nrecipients-per-hour=1000000000\nrecipients-per-day=1000000000\n"
        "burst=1000000000\nnew-recipients-per-hour=1000000000\n"
        "new-recipients-per-day=1000000000\n"
        "same-text-new-recipients-per-day=1000000000\nbytes-per-day=1000G",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_null(hp_config_parse("f", hp_slice_of(wrong[i]), NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(right); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HpSettings) s = hp_config_parse("f", hp_slice_of(right[i]), &error);

        g_assert_no_error(error);
        g_assert_nonnull(s);
    }
}

static HpDirs *
temporary_dirs(void)
{
    HpDirs *dirs = g_new0(HpDirs, 1);
    g_autofree char *tmp = g_dir_make_tmp("hp-config-XXXXXX", NULL);

    dirs->config = g_build_filename(tmp, "hauspost", NULL);
    dirs->data = g_strdup(tmp);
    return dirs;
}

static void
remove_dirs(HpDirs *dirs)
{
    g_autofree char *path = hp_config_path(dirs);

    g_unlink(path);
    g_rmdir(dirs->config);
    g_rmdir(dirs->data);
    hp_dirs_free(dirs);
}

static char *
set_address(HpSlice text, gpointer address, GError **error)
{
    return hp_settings_edit_set(text, "account", "address", address);
}

static void
is_not_set_up_without_a_file(void)
{
    HpDirs *dirs = temporary_dirs();
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) settings = hp_config_load(dirs, &error);

    g_assert_no_error(error);
    g_assert_false(hp_config_is_set_up(settings));
    g_assert_cmpint(hp_settings_number(settings, HP_CONFIG_LISTEN_SMTP, NULL), ==, 10587);
    remove_dirs(dirs);
}

static void
writes_privately_and_only_what_is_valid(void)
{
    HpDirs *dirs = temporary_dirs();
    g_autofree char *path = hp_config_path(dirs);
    g_autofree char *good = g_strdup("anna@example.org");
    g_autofree char *bad = g_strdup("anna");
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) settings = NULL;
    GStatBuf info;

    hp_config_change(dirs, set_address, good, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 07777, ==, 0600);
    g_assert_false(hp_config_change(dirs, set_address, bad, &error));
    g_assert_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_VALUE);
    g_assert_cmpstr(error->message, ==,
                    "address must be an address such as anna@example.org: \"anna\"");
    settings = hp_config_load(dirs, NULL);
    g_assert_true(hp_config_is_set_up(settings));
    g_assert_cmpstr(hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL), ==,
                    good);
    remove_dirs(dirs);
}

static void
names_the_file_in_messages(void)
{
    HpDirs *dirs = temporary_dirs();
    g_autofree char *path = hp_config_path(dirs);
    g_autofree char *expected = g_strconcat(path, ":2: ", NULL);
    g_autoptr(GError) error = NULL;

    g_mkdir_with_parents(dirs->config, 0700);
    g_assert_true(g_file_set_contents(path, "[listen]\nsmtp=x\n", -1, NULL));
    g_assert_null(hp_config_load(dirs, &error));
    g_assert_true(g_str_has_prefix(error->message, expected));
    remove_dirs(dirs);
}

static char *
replace_all(HpSlice text, gpointer with, GError **error)
{
    return g_strdup(with);
}

static void
check_change(HpDirs *dirs, const char *before, const char *after, const char *message)
{
    g_autofree char *path = hp_config_path(dirs);
    g_autofree char *with = g_strdup(after);
    g_autofree char *now = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, before, -1, NULL));
    g_assert_cmpint(hp_config_change(dirs, replace_all, with, &error), ==,
                    message == NULL);
    g_assert_true(g_file_get_contents(path, &now, NULL, NULL));
    g_assert_cmpstr(now, ==, message == NULL ? after : before);
    if (message == NULL)
        g_assert_no_error(error);
    else if (g_str_has_prefix(message, "hauspost.conf"))
        g_assert_true(g_str_has_suffix(error->message, message));
    else
        g_assert_cmpstr(error->message, ==, message);
}

static void
blames_the_change_or_what_was_there_before(void)
{
    HpDirs *dirs = temporary_dirs();

    g_mkdir_with_parents(dirs->config, 0700);
    check_change(dirs, "[listen]\nsmtp=1\n", "[listen]\n\nsmtp=1\nimap=1\n",
                 "smtp and imap cannot both have port 1");
    /* The line that an editor would show. */
    check_change(dirs, "[listen]\nsmtp=x\n", "[listen]\nimap=1\nsmtp=x\n",
                 "hauspost.conf:2: smtp must be a number from 0 to 65535, not \"x\"");
    check_change(dirs, "[listen]\nsmtp=x\n", "[listen]\nsmtp=1\n", NULL);
    check_change(dirs, "[account]\naddress=a@b.c\n", "[account]\n",
                 "[account] needs an address; it can be changed, but not left out");
    check_change(dirs, "[account]\n", "[account]\nname=a\n", NULL);
    remove_dirs(dirs);
}

static void
knows_with_what_the_server_starts(void)
{
    HpDirs *dirs = temporary_dirs();
    g_autofree char *path = hp_config_path(dirs);
    g_autofree char *header = g_strconcat(path, ":2: ", NULL);
    g_autoptr(GError) no_file = NULL;
    g_autoptr(GError) no_address = NULL;
    g_autoptr(HpSettings) settings = NULL;

    g_assert_null(hp_config_load_set_up(dirs, &no_file));
    g_assert_error(no_file, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INCOMPLETE);
    g_assert_cmpstr(hp_config_next(no_file), ==, "hauspost setup");
    g_mkdir_with_parents(dirs->config, 0700);
    g_assert_true(g_file_set_contents(path, "\n[account]\nname=x\n", -1, NULL));
    g_assert_null(hp_config_load_set_up(dirs, &no_address));
    g_assert_true(g_str_has_prefix(no_address->message, header));
    g_assert_true(g_file_set_contents(path, "[account]\naddress=a@b.c", -1, NULL));
    settings = hp_config_load_set_up(dirs, NULL);
    g_assert_nonnull(settings);
    remove_dirs(dirs);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/knows-every-promised-key-with-its-default",
                    knows_every_promised_key_with_its_default);
    g_test_add_func("/config/has-a-whole-row-for-every-key",
                    has_a_whole_row_for_every_key);
    g_test_add_func("/config/refuses-what-cannot-be-meant", refuses_what_cannot_be_meant);
    g_test_add_func("/config/is-not-set-up-without-a-file", is_not_set_up_without_a_file);
    g_test_add_func("/config/writes-privately-and-only-what-is-valid",
                    writes_privately_and_only_what_is_valid);
    g_test_add_func("/config/names-the-file-in-messages", names_the_file_in_messages);
    g_test_add_func("/config/blames-the-change-or-what-was-there-before",
                    blames_the_change_or_what_was_there_before);
    g_test_add_func("/config/knows-with-what-the-server-starts",
                    knows_with_what_the_server_starts);
    return g_test_run();
}
