/* mailbox: what lies in the user's mailboxes. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-table.h"
#include "hp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define LIST "hauspost mailbox list"

static void
add_number(HpCliTable *table, gint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

    hp_cli_table_add(table, text, NULL);
}

static void
print_list(HpCli *cli, GVariant *list)
{
    const char *const titles[] = { _("NAME"),  _(">MESSAGES"), _(">UNREAD"),
                                   _(">SIZE"), _("OLDEST"),    NULL };
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);

    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);
        const char *name = hp_dict_text(row, "name");
        const char *oldest = hp_dict_text(row, "oldest");
        gint64 size = hp_dict_number(row, "size", 0);
        g_autofree char *shown = hp_format_size(size);
        g_autofree char *plain = g_strdup_printf("%" G_GINT64_FORMAT, size);
        g_autofree char *day = hp_format_day(oldest);

        hp_cli_table_add(table, name != NULL ? name : "", NULL);
        add_number(table, hp_dict_number(row, "messages", 0));
        add_number(table, hp_dict_number(row, "unseen", 0));
        hp_cli_table_add(table, shown, plain);
        hp_cli_table_add(table, day, oldest != NULL ? oldest : "");
    }
    if (cli->plain)
        hp_cli_table_print_plain(table, cli->out);
    else
        hp_cli_table_print(table, cli->out, hp_cli_width(cli));
}

static void
print_size_of(HpCli *cli, const char *name, gint64 messages, gint64 size)
{
    g_autofree char *shown = hp_format_size(size);
    g_autofree char *printable = hp_text_printable(hp_slice_of(name), 200);

    if (cli->plain)
        fprintf(cli->out, "%s\t%lld\t%lld\n", printable, (long long)messages,
                (long long)size);
    else
        fprintf(cli->out,
                ngettext("%s: %lld message, %s\n", "%s: %lld messages, %s\n",
                         (gulong)messages),
                printable, (long long)messages, shown);
}

static void
print_size(HpCli *cli, GVariant *list)
{
    gint64 messages = 0, size = 0;

    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);

        const char *name = hp_dict_text(row, "name");

        messages += hp_dict_number(row, "messages", 0);
        size += hp_dict_number(row, "size", 0);
        print_size_of(cli, name != NULL ? name : "", hp_dict_number(row, "messages", 0),
                      hp_dict_number(row, "size", 0));
    }
    if (!cli->plain)
        print_size_of(cli, _("all together"), messages, size);
}

static HpExit
with_list(HpCli *cli, void (*print)(HpCli *cli, GVariant *list))
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_mailboxes_sync(daemon, &list, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.mailboxes/1", "mailboxes", list);
    else
        print(cli, list);
    return HP_EXIT_OK;
}

static HpExit
cmd_list(HpCli *cli)
{
    return with_list(cli, print_list);
}

static HpExit
cmd_size(HpCli *cli)
{
    return with_list(cli, print_size);
}

static HpExit
cmd_create(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_mailbox_create_sync(daemon, name, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(cli, _("The mailbox %s is there."), name);
    return HP_EXIT_OK;
}

static HpExit
cmd_rename(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    const char *new_name = hp_cli_args_word(cli->args, 1);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_mailbox_rename_sync(daemon, name, new_name, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    if (g_ascii_strcasecmp(name, "INBOX") == 0)
        hp_cli_hint(cli, _("The mail of INBOX is now in %s; INBOX is empty and stays."),
                    new_name);
    else
        hp_cli_hint(cli, _("The mailbox %s is now called %s."), name, new_name);
    return HP_EXIT_OK;
}

/* INBOX is INBOX in any case (RFC 9051 §5.1). */
static gboolean
is_called(const char *mailbox, const char *name)
{
    return g_strcmp0(mailbox, name) == 0 ||
           (g_ascii_strcasecmp(name, "INBOX") == 0 && g_strcmp0(mailbox, "INBOX") == 0);
}

/* Nobody is asked about what is not there. */
static HpExit
look_for(HpCli *cli, const char *name)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;

    if (!hp_hauspost1_call_mailboxes_sync(cli->daemon, &list, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);

        if (is_called(hp_dict_text(row, "name"), name))
            return HP_EXIT_OK;
    }
    return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, LIST, _("there is no mailbox %s"), name);
}

static HpExit
cmd_delete(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    exit = look_for(cli, name);
    if (exit == HP_EXIT_OK)
        exit = hp_cli_confirm(
            cli, _("Delete the mailbox %s and all mail in it for good?"), name);
    if (exit != HP_EXIT_OK)
        return exit;
    if (!hp_hauspost1_call_mailbox_delete_sync(daemon, name, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(cli, _("The mailbox %s is deleted."), name);
    return HP_EXIT_OK;
}

static void
print_removed(HpCli *cli, GVariant *result)
{
    gint64 n = hp_dict_number(result, "messages", 0);
    g_autofree char *size = hp_format_size(hp_dict_number(result, "size", 0));

    fprintf(cli->out,
            cli->dry_run ? ngettext("%lld message (%s) would be removed.\n",
                                    "%lld messages (%s) would be removed.\n", (gulong)n)
                         : ngettext("%lld message (%s) was removed.\n",
                                    "%lld messages (%s) were removed.\n", (gulong)n),
            (long long)n, size);
    if (hp_dict_text(result, "retention") == NULL)
        hp_cli_hint(cli, "%s\n→ hauspost config set mail.pop3-retention 30d",
                    _("No retention is set for mail that POP3 collects, so it is never "
                      "removed from INBOX."));
}

static HpExit
cmd_cleanup(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GVariant) result = NULL;
    g_autoptr(GError) error = NULL;

    if (!cli->dry_run)
        exit = hp_cli_confirm(
            cli, _("Remove for good what has lain longer than the retention?"));
    if (exit != HP_EXIT_OK)
        return exit;
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_mailbox_cleanup_sync(daemon, cli->dry_run, &result, NULL,
                                                &error))
        return hp_cli_fail(cli, error, "hauspost config describe mail.pop3-retention");
    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.cleanup/1", NULL, result);
        return HP_EXIT_OK;
    }
    print_removed(cli, result);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_mailbox[] = {
    { "mailbox", "list", "[--json|--plain]", "", 0, 0, HP_COMMAND_JSON | HP_COMMAND_PLAIN,
      N_("Shows your mailboxes."), cmd_list },
    { "mailbox", "size", "[--json|--plain]", "", 0, 0, HP_COMMAND_JSON | HP_COMMAND_PLAIN,
      N_("Shows how much mail there is."), cmd_size },
    { "mailbox", "create", "NAME", "", 1, 1, 0,
      N_("Makes a mailbox; levels are separated by \"/\"."), cmd_create },
    { "mailbox", "rename", "NAME NEW-NAME", "", 2, 2, 0,
      N_("Gives a mailbox, and those below it, another name."), cmd_rename },
    { "mailbox", "delete", "[-y] NAME", "", 1, 1, HP_COMMAND_ASKS,
      N_("Deletes a mailbox with its mail."), cmd_delete },
    { "mailbox", "cleanup", "[--dry-run] [-y] [--json]", "", 0, 0,
      HP_COMMAND_JSON | HP_COMMAND_ASKS | HP_COMMAND_DRY_RUN,
      N_("Removes what has lain longer than the retention."), cmd_cleanup },
    { NULL },
};
