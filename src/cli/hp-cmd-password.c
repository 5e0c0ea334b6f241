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

/* The first port of a service, 0 if it is off. */
static guint32
port_of(GVariant *account, const char *protocol)
{
    g_autoptr(GVariant) services = hp_dict_list(account, "services");

    for (gsize i = 0; i < g_variant_n_children(services); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(services, i);

        if (g_strcmp0(hp_dict_text(row, "protocol"), protocol) == 0)
            return (guint32)hp_dict_number(row, "port", 0);
    }
    return 0;
}

/* "SMTP port 10587, POP3 port 10110": those that are open now. */
static char *
ports_of(GVariant *account)
{
    static const struct {
        const char *protocol;
        const char *words;
    } rows[] = {
        { "smtp", N_("SMTP port %u") },
        { "imap", N_("IMAP port %u") },
        { "pop3", N_("POP3 port %u") },
    };
    g_autoptr(GString) ports = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint32 port = port_of(account, rows[i].protocol);

        if (port == 0)
            continue;
        g_string_append(ports, ", ");
        g_string_append_printf(ports, _(rows[i].words), port);
    }
    return g_strdup(ports->str);
}

static void
print_how_to_use(HpCli *cli, const char *name)
{
    g_autoptr(GVariant) account = NULL;
    g_autofree char *ports = NULL;
    const char *address;

    hp_cli_hint(cli, _("This is the password for %s. It is shown only now."), name);
    if (!hp_hauspost1_call_account_sync(cli->daemon, &account, NULL, NULL))
        return;
    address = hp_dict_text(account, "address");
    ports = ports_of(account);
    hp_cli_hint(cli, _("User name %s, server 127.0.0.1%s."),
                address != NULL ? address : "", ports);
}

/* What to type after a name was not taken: it is in use, or it is no name at all. */
static char *
next_for(const char *name)
{
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_");

    return good > 0 && name[good] == '\0'
               ? g_strdup_printf("hauspost password rotate %s", name)
               : g_strdup("hauspost password new thunderbird");
}

/* The password alone on the output. FAILURE: nobody has seen it. */
static HpExit
print_secret(HpCli *cli, GVariant *handle, GUnixFDList *fds)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *secret = hp_cli_read_secret(handle, fds, &error);
    gboolean shown;

    if (secret == NULL)
        return hp_cli_refuse(cli, HP_EXIT_FAILURE, NULL, "%s", error->message);
    fprintf(cli->out, "%s\n", g_strchomp(secret));
    shown = hp_cli_flush(cli);
    explicit_bzero(secret, strlen(secret));
    if (!shown)
        return HP_EXIT_FAILURE;
    print_how_to_use(cli, hp_cli_args_word(cli->args, 0));
    return HP_EXIT_OK;
}

/* A password that nobody knows is not left behind. */
static HpExit
take_back(HpCli *cli, const char *name)
{
    g_autofree char *again = g_strdup_printf("hauspost password new %s", name);
    g_autoptr(GError) error = NULL;

    if (!hp_hauspost1_call_revoke_password_sync(cli->daemon, name, NULL, &error))
        return hp_cli_fail(cli, error, LIST);
    return hp_cli_refuse(
        cli, HP_EXIT_FAILURE, again,
        _("the password of %s could not be shown, so it is revoked again"), name);
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
    if (print_secret(cli, handle, fds) == HP_EXIT_OK)
        return HP_EXIT_OK;
    return take_back(cli, name);
}

static HpExit
cmd_rotate(HpCli *cli)
{
    const char *name = hp_cli_args_word(cli->args, 0);
    g_autofree char *again = g_strdup_printf("hauspost password rotate %s", name);
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) handle = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_rotate_password_sync(daemon, name, NULL, &handle, &fds, NULL,
                                                &error))
        return hp_cli_fail(cli, error, LIST);
    if (print_secret(cli, handle, fds) == HP_EXIT_OK)
        return HP_EXIT_OK;
    return hp_cli_refuse(
        cli, HP_EXIT_FAILURE, again,
        _("the new password of %s could not be shown, and the old one is "
          "no longer valid"),
        name);
}

/* Nobody is asked about what is not there. */
static HpExit
look_for(HpCli *cli, const char *name)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GError) error = NULL;

    if (!hp_hauspost1_call_passwords_sync(cli->daemon, &list, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);

        if (g_strcmp0(hp_dict_text(row, "name"), name) == 0)
            return HP_EXIT_OK;
    }
    return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, LIST, _("there is no password for %s"),
                         name);
}

static HpExit
cmd_revoke(HpCli *cli)
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
            cli, _("Revoke the password of %s? That program can then no longer log in."),
            name);
    if (exit != HP_EXIT_OK)
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
