/* hauspost: the command line. As "mailq" (by name or first word) the classic program. */
#include "hp-cmd-mailq.h"
#include "hp-command.h"
#include "hp-language.h"

#include <string.h>

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
is_called(int argc, char *const *argv, const char *name)
{
    g_autofree char *self = argc > 0 ? g_path_get_basename(argv[0]) : NULL;

    return g_strcmp0(self, name) == 0 || (argc > 1 && strcmp(argv[1], name) == 0);
}

int
main(int argc, char **argv)
{
    g_auto(HpCli) cli;

    hp_cli_init(&cli, stdin, stdout, stderr);
    choose_language(&cli);
    if (is_called(argc, argv, "mailq"))
        return hp_cmd_mailq(&cli);
    return (int)hp_command_run(&cli, argv);
}
