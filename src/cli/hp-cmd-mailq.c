#include "hp-cmd-mailq.h"

#include "hp-cli-dict.h"
#include "hp-cli-format.h"

#include <glib/gi18n.h>
#include <sysexits.h>

static void
print_recipient(HpCli *cli, GVariant *recipient)
{
    const char *address = hp_dict_text(recipient, "address");
    const char *code = hp_dict_text(recipient, "code");
    const char *reply = hp_dict_text(recipient, "reply");

    if (code != NULL || reply != NULL)
        fprintf(cli->out, "(%s%s%s)\n", code != NULL ? code : "",
                code != NULL && reply != NULL ? " " : "", reply != NULL ? reply : "");
    fprintf(cli->out, "%*s%s\n", 41, "", address != NULL ? address : "");
}

static gint64
print_message(HpCli *cli, GVariant *message)
{
    g_autoptr(GVariant) recipients = hp_dict_list(message, "recipients");
    const char *id = hp_dict_text(message, "id");
    const char *from = hp_dict_text(message, "from");
    gint64 size = hp_dict_number(message, "size", 0);
    gint64 usec = 0;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *format = NULL;
    g_autofree char *when = NULL;

    hp_parse_rfc3339(hp_dict_text(message, "submitted"), &usec);
    time = g_date_time_new_from_unix_local(usec / G_TIME_SPAN_SECOND);
    /* g_date_time_format() would pad the day with a wide Unicode space. */
    format =
        g_strdup_printf("%%a %%b %2d %%H:%%M:%%S", g_date_time_get_day_of_month(time));
    when = g_date_time_format(time, format);
    fprintf(cli->out, "%-11s %8lld %-19s %s\n", id != NULL ? id : "", (long long)size,
            when, from != NULL && from[0] != '\0' ? from : "<>");
    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) recipient = g_variant_get_child_value(recipients, i);

        print_recipient(cli, recipient);
    }
    fputc('\n', cli->out);
    return size;
}

int
hp_cmd_mailq(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GVariant) messages = NULL;
    g_autoptr(GError) error = NULL;
    gint64 octets = 0;
    gsize n;

    if (daemon == NULL)
        return EX_UNAVAILABLE;
    if (!hp_hauspost1_call_queue_sync(daemon, g_variant_new("a{sv}", NULL), &messages,
                                      NULL, &error)) {
        hp_cli_fail(cli, error, NULL);
        return EX_TEMPFAIL;
    }
    n = g_variant_n_children(messages);
    if (n == 0) {
        fprintf(cli->out, "%s\n", _("Mail queue is empty"));
        return EX_OK;
    }
    fprintf(cli->out,
            "-Queue ID-  --Size-- ---Arrival Time---- -Sender/Recipient-------\n");
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) message = g_variant_get_child_value(messages, i);

        octets += print_message(cli, message);
    }
    fprintf(cli->out, "-- %lld Kbytes in %zu Request%s.\n",
            (long long)((octets + 1023) / 1024), n, n == 1 ? "" : "s");
    return EX_OK;
}
