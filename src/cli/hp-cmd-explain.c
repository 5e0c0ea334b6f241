/* explain: what a reply code or the state of a message means. */
#include "hp-cli-dict.h"
#include "hp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

static void
print_sentence(HpCli *cli, const char *label, GVariant *dict, const char *key)
{
    const char *text = hp_dict_text(dict, key);
    g_autofree char *shown =
        text != NULL ? hp_text_printable(hp_slice_of(text), 1000) : NULL;

    if (shown != NULL && shown[0] != '\0')
        fprintf(cli->out, "%s%s\n", label, shown);
}

static HpExit
cmd_explain(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autofree char *what = NULL;
    g_autoptr(GVariant) answer = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    /* "explain 550 5.7.1" needs no quotes. */
    g_ptr_array_add(cli->args->words, NULL);
    what = g_strjoinv(" ", (char **)cli->args->words->pdata);
    if (!hp_hauspost1_call_explain_sync(daemon, what, &answer, NULL, &error))
        return hp_cli_fail(cli, error, "hauspost explain 550");
    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.explanation/1", NULL, answer);
        return HP_EXIT_OK;
    }
    print_sentence(cli, "", answer, "code");
    print_sentence(cli, _("What it means     "), answer, "meaning");
    print_sentence(cli, _("Whose side        "), answer, "side");
    print_sentence(cli, _("What you can do → "), answer, "advice");
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_explain[] = {
    { "explain", NULL, "CODE|ID [--json]", "", 1, HP_COMMAND_ANY_WORDS, HP_COMMAND_JSON,
      N_("Says what a reply code or the state of a message means."), cmd_explain },
    { NULL },
};
