/* check, repair: is all mail there, and what can be put right. */
#include "hp-cli-dict.h"
#include "hp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define WITHOUT_DAEMON "systemctl --user stop hauspost && hauspostd --repair"

static void
print_texts(HpCli *cli, GVariant *result)
{
    g_autoptr(GVariant) texts =
        g_variant_lookup_value(result, "texts", G_VARIANT_TYPE_STRING_ARRAY);

    for (gsize i = 0; texts != NULL && i < g_variant_n_children(texts); i++) {
        g_autoptr(GVariant) text = g_variant_get_child_value(texts, i);
        g_autofree char *line =
            hp_text_printable(hp_slice_of(g_variant_get_string(text, NULL)), 1000);

        fprintf(cli->out, "%s\n", line);
    }
}

static HpExit
print_report(HpCli *cli, GVariant *result, const char *next)
{
    gint64 messages = hp_dict_number(result, "messages", 0);
    gint64 problems = hp_dict_number(result, "problems", 0);

    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.check/1", NULL, result);
        return problems > 0 ? HP_EXIT_PROBLEMS : HP_EXIT_OK;
    }
    print_texts(cli, result);
    fprintf(cli->out,
            ngettext("%lld message was looked at.\n", "%lld messages were looked at.\n",
                     (gulong)messages),
            (long long)messages);
    if (problems == 0) {
        hp_cli_hint(cli, "%s", _("All is well."));
        return HP_EXIT_OK;
    }
    hp_cli_hint(cli,
                ngettext("There is %lld problem.\n→ %s", "There are %lld problems.\n→ %s",
                         (gulong)problems),
                (long long)problems, next);
    return HP_EXIT_PROBLEMS;
}

static HpExit
cmd_check(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) result = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(daemon), G_MAXINT);
    if (!hp_hauspost1_call_check_sync(daemon, hp_cli_args_has(cli->args, "full"), &result,
                                      NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    return print_report(cli, result, "hauspost repair");
}

static HpExit
cmd_repair(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) result = NULL;
    g_autoptr(GError) error = NULL;
    gint64 recovered;

    if (daemon == NULL)
        return exit;
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(daemon), G_MAXINT);
    if (!hp_hauspost1_call_repair_sync(daemon, &result, NULL, &error))
        return hp_cli_fail(cli, error, WITHOUT_DAEMON);
    recovered = hp_dict_number(result, "recovered", 0);
    if (recovered > 0 && !cli->json)
        fprintf(cli->out,
                ngettext("%lld message was found and put into the mailbox Recovered.\n",
                         "%lld messages were found and put into the mailbox Recovered.\n",
                         (gulong)recovered),
                (long long)recovered);
    return print_report(cli, result, WITHOUT_DAEMON);
}

const HpCommand hp_cmd_check[] = {
    { "check", NULL, "[--full] [--json]", "full", 0, 0, HP_COMMAND_JSON,
      N_("Looks whether all mail is there; with --full reads every byte."), cmd_check },
    { "repair", NULL, "[--json]", "", 0, 0, HP_COMMAND_JSON,
      N_("Puts right what check has found; deletes nothing."), cmd_repair },
    { NULL },
};
