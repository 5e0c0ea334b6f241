/* queue: what is under way. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-line.h"
#include "hp-cli-message.h"
#include "hp-cli-stream.h"
#include "hp-command.h"

#include <glib/gi18n.h>
#include <string.h>

#define LIST "hauspost queue list"

/* The words of the command line as ids. */
static const char *const *
ids(HpCli *cli)
{
    g_ptr_array_add(cli->args->words, NULL);
    return (const char *const *)cli->args->words->pdata;
}

static void
add_text(GVariantDict *dict, HpCli *cli, const char *option, const char *key)
{
    const char *value = hp_cli_args_get(cli->args, option);

    if (value != NULL)
        g_variant_dict_insert(dict, key, "s", value);
}

static HpExit
cmd_list(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) messages = NULL;
    g_autoptr(GError) error = NULL;
    GVariantDict filter;

    if (daemon == NULL)
        return exit;
    g_variant_dict_init(&filter, NULL);
    add_text(&filter, cli, "state", "state");
    add_text(&filter, cli, "to", "to");
    if (!hp_hauspost1_call_queue_sync(daemon, g_variant_dict_end(&filter), &messages,
                                      NULL, &error))
        return hp_cli_fail(cli, error, "hauspost help queue list");
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.queue/1", "messages", messages);
    else
        hp_cli_print_messages(cli, messages, HP_CLI_QUEUE,
                              hp_cli_args_get(cli->args, "state"));
    return HP_EXIT_OK;
}

static HpExit
with_message(HpCli *cli, void (*print)(HpCli *cli, GVariant *message))
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_message_sync(daemon, hp_cli_args_word(cli->args, 0), &message,
                                        NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.message/1", NULL, message);
    else
        print(cli, message);
    return HP_EXIT_OK;
}

static HpExit
cmd_show(HpCli *cli)
{
    return with_message(cli, hp_cli_print_story);
}

static HpExit
cmd_log(HpCli *cli)
{
    return with_message(cli, hp_cli_print_events);
}

static HpExit
cmd_retry(HpCli *cli)
{
    const char *to = hp_cli_args_get(cli->args, "to");
    gboolean all = hp_cli_args_has(cli->args, "all");
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GError) error = NULL;
    GVariantDict options;
    guint n = 0;

    if (!all && to == NULL && cli->args->words->len == 0)
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost queue retry --all",
                             _("which messages? Give ids, --to DOMAIN or --all"));
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    g_variant_dict_init(&options, NULL);
    if (all)
        g_variant_dict_insert(&options, "all", "b", TRUE);
    add_text(&options, cli, "to", "to");
    if (!hp_hauspost1_call_retry_sync(daemon, ids(cli), g_variant_dict_end(&options), &n,
                                      NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(cli,
                ngettext("%u recipient is due now.", "%u recipients are due now.", n), n);
    if (n > 0)
        hp_cli_hint_obstacle(cli);
    return HP_EXIT_OK;
}

static HpExit
cmd_hold(HpCli *cli)
{
    const char *text = hp_cli_args_get(cli->args, "until");
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GError) error = NULL;
    gint64 until = 0;
    guint n = 0;

    if (text != NULL && !hp_parse_until(text, hp_cli_now_usec(cli), &until))
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost queue hold --until 18:00 ID",
                             _("%s is not a time in the future, such as 1h or 18:00"),
                             text);
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_hold_sync(daemon, ids(cli), until, &n, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(cli, ngettext("%u recipient is held.", "%u recipients are held.", n), n);
    return HP_EXIT_OK;
}

static HpExit
cmd_release(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_release_sync(daemon, ids(cli), &n, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(
        cli, ngettext("%u recipient is released.", "%u recipients are released.", n), n);
    hp_cli_hint_obstacle(cli);
    return HP_EXIT_OK;
}

static HpExit
cmd_cancel(HpCli *cli)
{
    guint messages = cli->args->words->len;
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GError) error = NULL;
    guint n = 0;

    exit = hp_cli_confirm(cli,
                          ngettext("Give up %u message for good?",
                                   "Give up %u messages for good?", messages),
                          messages);
    if (exit != HP_EXIT_OK)
        return exit;
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_cancel_sync(daemon, ids(cli), &n, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(
        cli, ngettext("Given up for %u recipient.", "Given up for %u recipients.", n), n);
    return HP_EXIT_OK;
}

static HpExit
cmd_export(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_export_sync(daemon, hp_cli_args_word(cli->args, 0), NULL,
                                       &handle, &fds, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    if (!hp_cli_save_stream(cli, handle, fds, hp_cli_args_word(cli->args, 1), &error))
        return hp_cli_refuse(cli, HP_EXIT_FAILURE, "hauspost queue export ID NEWFILE",
                             "%s", error->message);
    return HP_EXIT_OK;
}

/* "  example.com: 2, next try 20:47  The mailbox is full." */
static void
print_destination(HpCli *cli, GVariant *row)
{
    const char *attempt = hp_dict_text(row, "next_attempt");
    g_autofree char *next = g_strcmp0(hp_dict_text(row, "state"), "offline") == 0
                                ? g_strdup(_("when online"))
                                : hp_format_until(attempt, hp_cli_now_usec(cli));
    const char *domain = hp_dict_text(row, "domain");
    const char *why = hp_dict_text(row, "explanation");

    fprintf(cli->out, "  %s: %d", domain != NULL ? domain : "?",
            (int)hp_dict_number(row, "recipients", 0));
    if (strcmp(next, "–") != 0)
        fprintf(cli->out, _(", next try %s"), next);
    if (why != NULL)
        fprintf(cli->out, "  %s", why);
    fputc('\n', cli->out);
}

static void
print_summary(HpCli *cli, GVariant *summary)
{
    static const char *const states[] = { "waiting", "sending",   "paced",  "held",
                                          "offline", "uncertain", "refused" };
    g_autoptr(GVariant) rows = hp_dict_list(summary, "destinations");
    g_autofree char *size = hp_format_size(hp_dict_number(summary, "size", 0));
    int messages = (int)hp_dict_number(summary, "messages", 0);
    int recipients = (int)hp_dict_number(summary, "recipients", 0);

    fprintf(cli->out, ngettext("%d message", "%d messages", (gulong)messages), messages);
    fprintf(
        cli->out,
        ngettext(" to %d recipient, %s\n", " to %d recipients, %s\n", (gulong)recipients),
        recipients, size);
    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        gint64 n = hp_dict_number(summary, states[i], 0);

        if (n > 0)
            fprintf(cli->out, "  %s: %d\n", hp_cli_state_word(states[i]), (int)n);
    }
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        print_destination(cli, row);
    }
}

static HpExit
cmd_summary(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) summary = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_summary_sync(daemon, &summary, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.summary/1", NULL, summary);
    else
        print_summary(cli, summary);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_queue[] = {
    { "queue", "list", "[--state STATE] [--to DOMAIN] [--json|--plain]", "state= to=", 0,
      0, HP_COMMAND_JSON | HP_COMMAND_PLAIN, N_("Shows the messages that are under way."),
      cmd_list },
    { "queue", "show", "ID [--json]", "", 1, 1, HP_COMMAND_JSON,
      N_("Tells what happened to a message, and what can be done."), cmd_show },
    { "queue", "log", "ID [--json]", "", 1, 1, HP_COMMAND_JSON,
      N_("Shows every event of a message with all its details."), cmd_log },
    { "queue", "retry", "(ID…|--to DOMAIN|--all)", "all to=", 0, HP_COMMAND_ANY_WORDS, 0,
      N_("Tries to deliver now."), cmd_retry },
    { "queue", "hold", "[--until TIME] ID…", "until=", 1, HP_COMMAND_ANY_WORDS, 0,
      N_("Keeps messages back."), cmd_hold },
    { "queue", "release", "ID…", "", 1, HP_COMMAND_ANY_WORDS, 0,
      N_("Lets held messages go."), cmd_release },
    { "queue", "cancel", "[-y] ID…", "", 1, HP_COMMAND_ANY_WORDS, HP_COMMAND_ASKS,
      N_("Gives messages up: what was not delivered yet will not be."), cmd_cancel },
    { "queue", "export", "ID [FILE]", "", 1, 2, 0, N_("Writes a message as it is."),
      cmd_export },
    { "queue", "summary", "[--json]", "", 0, 0, HP_COMMAND_JSON,
      N_("Shows the queue in numbers."), cmd_summary },
    { NULL },
};
