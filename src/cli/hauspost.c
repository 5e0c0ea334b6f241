/* hauspost: the command line. As "sendmail" or "mailq" (by name or first
 * word) the classic programs. */
#include "hp-cmd-mailq.h"
#include "hp-cmd-sendmail.h"
#include "hp-command.h"
#include "hp-language.h"

#include <string.h>
#include <sysexits.h>

/* The language of the settings; a file that is wrong is reported later, by who needs it.
 */
static void
choose_language(const HpCli *cli)
{
    g_autoptr(HpSettings) settings = hp_config_load(cli->dirs, NULL);

    hp_language_init(settings != NULL
                         ? hp_settings_text(settings, HP_CONFIG_ACCOUNT_LANGUAGE, NULL)
                         : NULL);
}

static gboolean
is_named(const char *program, const char *name)
{
    g_autofree char *self = g_path_get_basename(program);

    return strcmp(self, name) == 0;
}

static gboolean
is_called(int argc, char *const *argv, const char *name)
{
    return argc > 0 &&
           (is_named(argv[0], name) || (argc > 1 && strcmp(argv[1], name) == 0));
}

int
main(int argc, char **argv)
{
    g_auto(HpCli) cli;

    hp_cli_init(&cli, stdin, stdout, stderr);
    choose_language(&cli);
    if (is_called(argc, argv, "sendmail")) {
        int skip = is_named(argv[0], "sendmail") ? 0 : 1;

        return hp_cmd_sendmail(argc - skip, argv + skip);
    }
    if (is_called(argc, argv, "mailq")) {
        int exit = hp_cmd_mailq(&cli);

        return hp_cli_flush(&cli) || exit != EX_OK ? exit : EX_IOERR;
    }
    return (int)hp_command_run(&cli, argv);
}
