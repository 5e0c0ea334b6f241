/* account, cert: what a mail program must be told. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

static void
print_row(HpCli *cli, const char *label, const char *text)
{
    g_autofree char *shown =
        hp_text_printable(hp_slice_of(text != NULL ? text : ""), 1000);
    glong width = g_utf8_strlen(label, -1);

    if (shown[0] != '\0')
        fprintf(cli->out, "%s%*s%s\n", label, width < 18 ? (int)(18 - width) : 1, "",
                shown);
}

static void
print_service(HpCli *cli, GVariant *service)
{
    const char *protocol = hp_dict_text(service, "protocol");
    const char *host = hp_dict_text(service, "host");
    const char *tls = hp_dict_text(service, "tls");
    g_autofree char *label = g_ascii_strup(protocol != NULL ? protocol : "?", -1);
    g_autofree char *text =
        g_strdup_printf(_("server %s, port %d, security %s"), host != NULL ? host : "",
                        (int)hp_dict_number(service, "port", 0), tls != NULL ? tls : "");

    print_row(cli, label, text);
}

static void
print_account(HpCli *cli, GVariant *account)
{
    g_autoptr(GVariant) services = hp_dict_list(account, "services");
    g_autoptr(GVariant) certificate = hp_dict_dict(account, "certificate");
    g_autofree char *users = hp_dict_words(account, "user_names");

    print_row(cli, _("Address"), hp_dict_text(account, "address"));
    print_row(cli, _("Name"), hp_dict_text(account, "name"));
    print_row(cli, _("User names"), users);
    for (gsize i = 0; i < g_variant_n_children(services); i++) {
        g_autoptr(GVariant) service = g_variant_get_child_value(services, i);

        print_service(cli, service);
    }
    print_row(cli, _("Certificate"), hp_dict_text(certificate, "fingerprint"));
    print_row(cli, _("Password"), _("one for each program → hauspost password new NAME"));
}

static HpExit
cmd_account(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) account = NULL;
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_account_sync(daemon, &account, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.account/1", NULL, account);
    else
        print_account(cli, account);
    return HP_EXIT_OK;
}

static HpExit
cmd_cert(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) cert = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *names = NULL;
    g_autofree char *until = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_certificate_sync(daemon, &cert, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.certificate/1", NULL, cert);
        return HP_EXIT_OK;
    }
    if (hp_cli_args_has(cli->args, "pem")) {
        const char *pem = hp_dict_text(cert, "pem");

        fputs(pem != NULL ? pem : "", cli->out);
        return HP_EXIT_OK;
    }
    names = hp_dict_words(cert, "names");
    until = hp_format_day(hp_dict_text(cert, "not_after"));
    print_row(cli, _("SHA-256"), hp_dict_text(cert, "fingerprint"));
    print_row(cli, _("For"), names);
    print_row(cli, _("Valid until"), until);
    print_row(cli, _("File"), hp_dict_text(cert, "path"));
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_account[] = {
    { "account", "show", "[--json]", "", 0, 0, HP_COMMAND_JSON,
      N_("Shows what a mail program must be told."), cmd_account },
    { "cert", "show", "[--pem] [--json]", "pem", 0, 0, HP_COMMAND_JSON,
      N_("Shows the certificate of the services on this computer."), cmd_cert },
    { NULL },
};
