/* password: one for each program that sends or collects mail. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-stream.h"
#include "hp-cli-table.h"
#include "hp-command.h"

#include <glib/gi18n.h>

#define LIST "hauspost password list"

static HpExit
cmd_list(HpCli *cli)
{
    const char *const titles[] = { _("NAME"), _("MADE"), _("LAST USED"), NULL };
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_passwords_sync(daemon, &list, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.passwords/1", "passwords", list);
        return HP_EXIT_OK;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);
        const char *name = hp_dict_text(row, "name");
        const char *created = hp_dict_text(row, "created");
        const char *used = hp_dict_text(row, "last_used");
        g_autofree char *made = hp_format_day(created);
        g_autofree char *day = hp_format_day(used);

        hp_cli_table_add(table, name != NULL ? name : "", NULL);
        hp_cli_table_add(table, made, created != NULL ? created : "");
        hp_cli_table_add(table, day, used != NULL ? used : "");
    }
    if (cli->plain)
        hp_cli_table_print_plain(table, cli->out);
    else if (g_variant_n_children(list) > 0)
        hp_cli_table_print(table, cli->out, hp_cli_width(cli));
    else
        hp_cli_hint(cli, "%s\n→ hauspost password new thunderbird",
                    _("There is no password yet."));
    return HP_EXIT_OK;
}

static void
print_how_to_use(HpCli *cli, const char *name)
{
    g_autoptr(HpSettings) settings = hp_config_load(cli->dirs, NULL);

    if (settings == NULL)
        return;
    hp_cli_hint(cli, _("This is the password for %s. It is shown only now."), name);
    hp_cli_hint(cli,
                _("User name %s, server 127.0.0.1, SMTP port %d, IMAP port %d, "
                  "POP3 port %d."),
                hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
                (int)hp_settings_number(settings, HP_CONFIG_LISTEN_SMTP, NULL),
                (int)hp_settings_number(settings, HP_CONFIG_LISTEN_IMAP, NULL),
                (int)hp_settings_number(settings, HP_CONFIG_LISTEN_POP3, NULL));
}

/* What to type after a name was not taken: it is in use, or it is no name at all. */
static char *
next_for(const char *name)
{
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_");

    return name[good] == '\0' ? g_strdup_printf("hauspost password rotate %s", name)
                              : g_strdup("hauspost password new thunderbird");
}

/* The password alone on the output. */
static HpExit
print_secret(HpCli *cli, GVariant *handle, GUnixFDList *fds)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *secret = hp_cli_read_secret(handle, fds, &error);

    if (secret == NULL)
        return hp_cli_refuse(cli, HP_EXIT_FAILURE, LIST, "%s", error->message);
    fprintf(cli->out, "%s\n", g_strchomp(secret));
    fflush(cli->out);
    print_how_to_use(cli, hp_cli_args_word(cli->args, 0));
    explicit_bzero(secret, strlen(secret));
    return HP_EXIT_OK;
}

static HpExit
cmd_new(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *next = next_for(name);

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_new_password_sync(daemon, name, NULL, &handle, &fds, NULL,
                                             &error))
        return hp_cli_fail(cli, error, next);
    return print_secret(cli, handle, fds);
}

static HpExit
cmd_rotate(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_rotate_password_sync(daemon, hp_cli_args_word(cli->args, 0),
                                                NULL, &handle, &fds, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    return print_secret(cli, handle, fds);
}

static HpExit
cmd_revoke(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    HpHauspost1 *daemon;
    g_autoptr(GError) error = NULL;
    HpExit exit = hp_cli_confirm(
        cli, _("Revoke the password of %s? That program can then no longer log in."),
        name);

    if (exit != HP_EXIT_OK)
        return exit;
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_revoke_password_sync(daemon, name, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    hp_cli_hint(cli, _("The password of %s is revoked and its sessions are closed."),
                name);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_password[] = {
    { "password", "list", "[--json|--plain]", "", 0, 0,
      HP_COMMAND_JSON | HP_COMMAND_PLAIN, N_("Shows which programs have a password."),
      cmd_list },
    { "password", "new", "NAME", "", 1, 1, 0,
      N_("Makes a password for a program and prints it, this once."), cmd_new },
    { "password", "revoke", "[-y] NAME", "", 1, 1, HP_COMMAND_ASKS,
      N_("Ends a password and the sessions that use it."), cmd_revoke },
    { "password", "rotate", "NAME", "", 1, 1, 0,
      N_("Replaces a password and prints the new one."), cmd_rotate },
    { NULL },
};
