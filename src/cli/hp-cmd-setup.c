/* setup: the first steps. Needs no daemon and may be run again. */
#include "hp-build.h"
#include "hp-cli-reach.h"
#include "hp-command.h"
#include "hp-settings-edit.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static const char template[] =
    "# Settings of Hauspost. Every key: man hauspost.conf, or: hauspost config describe\n"
    "\n"
    "[account]\n";

typedef struct {
    char *address;  /* (owned) (nullable) */
    char *name;     /* (owned) (nullable) */
    char *language; /* (owned) (nullable) */
} Answers;

static void
clear_answers(Answers *answers)
{
    g_free(answers->address);
    g_free(answers->name);
    g_free(answers->language);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answers, clear_answers)

static char *
set_if(char *text, const char *key, const char *value)
{
    g_autofree char *before = text;

    if (value == NULL || value[0] == '\0')
        return g_steal_pointer(&before);
    return hp_settings_edit_set(hp_slice_of(before), "account", key, value);
}

static char *
edit(HpSlice text, gpointer data, GError **error)
{
    const Answers *answers = data;
    char *new = text.len > 0 ? hp_slice_dup(text) : g_strdup(template);

    new = set_if(new, "address", answers->address);
    new = set_if(new, "name", answers->name);
    return set_if(new, "language", answers->language);
}

static HpExit
check(HpCli *cli, const Answers *answers)
{
    g_autoptr(GError) error = NULL;

    if (hp_config_fits(HP_CONFIG_ACCOUNT_ADDRESS, answers->address, &error) &&
        hp_config_fits(HP_CONFIG_ACCOUNT_NAME, answers->name, &error) &&
        hp_config_fits(HP_CONFIG_ACCOUNT_LANGUAGE, answers->language, &error))
        return HP_EXIT_OK;
    return hp_cli_refuse(cli, HP_EXIT_USAGE,
                         "hauspost setup --address anna@example.org --name Anna", "%s",
                         error->message);
}

/* What the account database knows of this person: "Anna Muster,,," */
static const char *
likely_name(void)
{
    const char *name = g_get_real_name();

    return g_str_equal(name, "Unknown") || g_str_equal(name, "root") ? "" : name;
}

/* Asks until the answer fits; %NULL at the end of input. */
static char *
ask_for(HpCli *cli, HpConfigKey key, const char *prompt, const char *fallback)
{
    for (;;) {
        g_autofree char *answer = hp_cli_ask(cli, prompt, fallback);
        g_autoptr(GError) error = NULL;

        if (hp_config_fits(key, answer, &error))
            return g_steal_pointer(&answer);
        fprintf(cli->err, "%s\n", error->message);
    }
}

/* Asks for what neither the options nor the settings say. */
static HpExit
ask(HpCli *cli, const HpSettings *settings, Answers *answers)
{
    const char *address = hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL);
    const char *name = hp_settings_text(settings, HP_CONFIG_ACCOUNT_NAME, NULL);

    if (answers->address == NULL) {
        answers->address =
            ask_for(cli, HP_CONFIG_ACCOUNT_ADDRESS, _("Your mail address"), address);
        if (answers->address == NULL || answers->address[0] == '\0')
            return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost setup",
                                 _("without an address there is nothing to set up"));
    }
    if (answers->name == NULL)
        answers->name =
            ask_for(cli, HP_CONFIG_ACCOUNT_NAME, _("Your name, as others shall see it"),
                    name[0] != '\0' ? name : likely_name());
    return HP_EXIT_OK;
}

static HpExit
complete(HpCli *cli, const HpSettings *settings, Answers *answers)
{
    gboolean may_ask =
        !hp_cli_args_has(cli->args, "non-interactive") && isatty(fileno(cli->in)) == 1;

    if (may_ask && (answers->address == NULL || answers->name == NULL))
        return ask(cli, settings, answers);
    if (answers->address == NULL && !hp_config_is_set_up(settings))
        return hp_cli_refuse(
            cli, HP_EXIT_NEEDS_ANSWER,
            "hauspost setup --non-interactive --address anna@example.org "
            "--name Anna",
            _("your mail address is needed"));
    return HP_EXIT_OK;
}

/* hauspostd beside this program, or where it was installed. */
static char *
find_daemon(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self != NULL ? g_path_get_dirname(self) : NULL;
    g_autofree char *beside =
        dir != NULL ? g_build_filename(dir, "hauspostd", NULL) : NULL;

    if (beside != NULL && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&beside);
    return g_build_filename(HP_BINDIR, "hauspostd", NULL);
}

/* Keys, certificate and databases: only the daemon's code knows them. A running daemon
 * has them already. */
static HpExit
init_daemon(HpCli *cli)
{
    g_autofree char *daemon = find_daemon();
    char init[] = "--init";
    char *argv[] = { daemon, init, NULL };
    g_autoptr(GError) error = NULL;
    int status = 0;

    if (hp_cli_try_connect(cli) != NULL)
        return hp_cli_reload(cli);
    if (g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status,
                     &error) &&
        g_spawn_check_wait_status(status, &error))
        return HP_EXIT_OK;
    return hp_cli_refuse(cli, HP_EXIT_FAILURE, "hauspostd --init",
                         _("the settings are written, but %s could not prepare keys and "
                           "storage: %s"),
                         daemon, error->message);
}

static void
tell_next(HpCli *cli)
{
    g_autofree char *path = hp_config_path(cli->dirs);

    hp_cli_hint(cli, _("Settings: %s"), path);
    if (hp_cli_try_connect(cli) != NULL)
        hp_cli_hint(cli, _("Next, a password for your mail program:\n→ %s"),
                    "hauspost password new thunderbird");
    else
        hp_cli_hint(cli, _("Next, start the mail server:\n→ %s"),
                    hp_cli_start_command(cli->dirs));
}

static HpExit
cmd_setup(HpCli *cli)
{
    g_auto(Answers) answers = { g_strdup(hp_cli_args_get(cli->args, "address")),
                                g_strdup(hp_cli_args_get(cli->args, "name")),
                                g_strdup(hp_cli_args_get(cli->args, "language")) };
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (settings == NULL)
        return exit;
    exit = check(cli, &answers); /* before questions that might be in vain */
    if (exit == HP_EXIT_OK)
        exit = complete(cli, settings, &answers);
    if (exit != HP_EXIT_OK)
        return exit;
    if (!hp_config_change(cli->dirs, edit, &answers, &error))
        return hp_cli_fail_settings(cli, error);
    exit = init_daemon(cli);
    if (exit == HP_EXIT_OK)
        tell_next(cli);
    return exit;
}

const HpCommand hp_cmd_setup[] = {
    { "setup", NULL, "[--non-interactive] [--address A] [--name N] [--language L]",
      "non-interactive address= name= language=", 0, 0, 0,
      N_("Writes the settings and prepares keys and storage; may be run again."),
      cmd_setup },
    { NULL },
};
