/* log: what the daemon wrote into the journal. */
#include "hp-cli-format.h"
#include "hp-cli-reach.h"
#include "hp-command.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

static void
add(GPtrArray *argv, const char *word)
{
    g_ptr_array_add(argv, g_strdup(word));
}

static HpExit
cmd_log(HpCli *cli)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    const char *since = hp_cli_args_get(cli->args, "since");
    const char *id = hp_cli_args_get(cli->args, "id");
    g_autofree char *upper = id != NULL ? g_ascii_strup(id, -1) : NULL;
    gint64 since_usec = 0;

    if (since != NULL && !hp_parse_since(since, hp_cli_now_usec(cli), &since_usec))
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost log --since 7d",
                             _("%s is not a time, such as 7d or 2026-11-24"), since);
    if (!hp_cli_has_user_manager())
        return hp_cli_refuse(
            cli, HP_EXIT_FAILURE, "hauspost queue log ID",
            _("this computer keeps no journal for you: hauspostd writes to the "
              "terminal or file with which it was started"));
    add(argv, "journalctl");
    add(argv, "--user");
    add(argv, "--unit=hauspost");
    if (cli->json) /* the journal's own form: a dictionary a line */
        add(argv, "--output=json");
    if (hp_cli_args_has(cli->args, "follow"))
        add(argv, "--follow");
    if (since != NULL)
        g_ptr_array_add(argv, g_strdup_printf("--since=@%" G_GINT64_FORMAT,
                                              since_usec / G_TIME_SPAN_SECOND));
    if (id != NULL) /* ids are in capitals, and one may type them as one likes */
        g_ptr_array_add(argv, g_strconcat("HP_SUBJECT=", upper, NULL));
    g_ptr_array_add(argv, NULL);
    fflush(cli->out);
    execvp("journalctl", (char **)argv->pdata);
    return hp_cli_refuse(cli, HP_EXIT_FAILURE, "hauspost queue log ID",
                         _("journalctl could not be started: %s"), g_strerror(errno));
}

const HpCommand hp_cmd_log[] = {
    { "log", NULL, "[-f] [--since TIME] [--id ID] [--json]", "follow|f since= id=", 0, 0,
      HP_COMMAND_JSON, N_("Shows what the mail server wrote into the journal."),
      cmd_log },
    { NULL },
};
