/* history: what became of sent mail. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-message.h"
#include "hp-command.h"

#include <glib/gi18n.h>

/* --since as µs, 0 without it; %FALSE after the refusal was said. */
static gboolean
take_since(HpCli *cli, gint64 *ret_usec)
{
    const char *since = hp_cli_args_get(cli->args, "since");

    *ret_usec = 0;
    if (since == NULL || hp_parse_since(since, hp_cli_now_usec(cli), ret_usec))
        return TRUE;
    hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost history list --since 7d",
                  _("%s is not a time, such as 7d or 2026-11-24"), since);
    return FALSE;
}

static HpExit
cmd_list(HpCli *cli)
{
    const char *to = hp_cli_args_get(cli->args, "to");
    const char *result = hp_cli_args_get(cli->args, "result");
    HpExit exit = HP_EXIT_USAGE;
    HpHauspost1 *daemon;
    g_autoptr(GVariant) messages = NULL;
    g_autoptr(GError) error = NULL;
    GVariantDict filter;
    gint64 since;

    if (!take_since(cli, &since))
        return HP_EXIT_USAGE;
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    g_variant_dict_init(&filter, NULL);
    if (since > 0)
        g_variant_dict_insert(&filter, "since", "x", since);
    if (to != NULL)
        g_variant_dict_insert(&filter, "to", "s", to);
    if (result != NULL)
        g_variant_dict_insert(&filter, "result", "s", result);
    if (!hp_hauspost1_call_history_sync(daemon, g_variant_dict_end(&filter), &messages,
                                        NULL, &error))
        return hp_cli_fail(cli, error, "hauspost help history list");
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.history/1", "messages", messages);
    else
        hp_cli_print_messages(cli, messages, HP_CLI_HISTORY, result);
    return HP_EXIT_OK;
}

static HpExit
cmd_show(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_message_sync(daemon, hp_cli_args_word(cli->args, 0), &message,
                                        NULL, &error))
        return hp_cli_fail(cli, error, "hauspost history list");
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.message/1", NULL, message);
    else
        hp_cli_print_story(cli, message);
    return HP_EXIT_OK;
}

/* @domain: (nullable): everywhere */
static void
print_results(HpCli *cli, const char *domain, GVariant *dict)
{
    g_autofree char *results = g_strdup_printf(
        _("%d delivered, %d refused, %d expired, %d cancelled"),
        (int)hp_dict_number(dict, "delivered", 0),
        (int)hp_dict_number(dict, "refused", 0), (int)hp_dict_number(dict, "expired", 0),
        (int)hp_dict_number(dict, "cancelled", 0));

    fprintf(cli->out, "  %s%s%s\n", domain != NULL ? domain : "",
            domain != NULL ? ": " : "", results);
}

/* "In all: 6 messages to 7 recipients, 3.2 K": what the results below add up to. */
static void
print_sum(HpCli *cli, GVariant *stats)
{
    const char *start = hp_dict_text(stats, "since");
    g_autofree char *since = hp_format_day(start);
    g_autofree char *size = hp_format_size(hp_dict_number(stats, "size", 0));
    int messages = (int)hp_dict_number(stats, "messages", 0);
    int recipients = (int)hp_dict_number(stats, "recipients", 0);

    if (start == NULL)
        fprintf(cli->out,
                ngettext("In all: %d message", "In all: %d messages", (gulong)messages),
                messages);
    else
        fprintf(
            cli->out,
            ngettext("Since %s: %d message", "Since %s: %d messages", (gulong)messages),
            since, messages);
    fprintf(
        cli->out,
        ngettext(" to %d recipient, %s\n", " to %d recipients, %s\n", (gulong)recipients),
        recipients, size);
}

static void
print_stats(HpCli *cli, GVariant *stats)
{
    g_autoptr(GVariant) domains = hp_dict_list(stats, "domains");

    print_sum(cli, stats);
    print_results(cli, NULL, stats);
    for (gsize i = 0; i < g_variant_n_children(domains); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(domains, i);
        const char *domain = hp_dict_text(row, "domain");

        print_results(cli, domain != NULL ? domain : "?", row);
    }
}

static HpExit
cmd_stats(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GVariant) stats = NULL;
    g_autoptr(GError) error = NULL;
    gint64 since;

    if (!take_since(cli, &since))
        return HP_EXIT_USAGE;
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_history_stats_sync(daemon, since, &stats, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.stats/1", NULL, stats);
    else
        print_stats(cli, stats);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_history[] = {
    { "history", "list", "[--since 7d] [--to DOMAIN] [--result RESULT] [--json|--plain]",
      "since= to= result=", 0, 0, HP_COMMAND_JSON | HP_COMMAND_PLAIN,
      N_("Shows what became of sent mail."), cmd_list },
    { "history", "show", "ID [--json]", "", 1, 1, HP_COMMAND_JSON,
      N_("Tells the story of a message."), cmd_show },
    { "history", "stats", "[--since 30d] [--json]", "since=", 0, 0, HP_COMMAND_JSON,
      N_("Shows totals."), cmd_stats },
    { NULL },
};
