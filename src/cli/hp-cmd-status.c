/* status, pause, resume: the everyday verbs. */
#include "hp-cli-dict.h"
#include "hp-cli-format.h"
#include "hp-cli-line.h"
#include "hp-cli-message.h"
#include "hp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <string.h>

static const char *
or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "–";
}

static const char *
link_words(const char *state)
{
    static const struct {
        const char *state;
        const char *words;
    } rows[] = {
        { "ok", N_("online") },
        { "offline", N_("offline") },
        { "captive", N_("behind a login page of this network") },
        { "no_dns", N_("online, but no name server answers") },
        { "no_25", N_("online, but this network blocks mail servers (port 25)") },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_strcmp0(rows[i].state, state) == 0)
            return _(rows[i].words);
    return or_dash(state);
}

static char *
state_words(HpCli *cli, GVariant *status)
{
    const char *state = hp_dict_text(status, "state");
    const char *until = hp_dict_text(status, "paused_until");
    gint64 since;

    if (g_strcmp0(state, "paused") == 0 || until != NULL) {
        g_autofree char *when = hp_format_time(until, hp_cli_now_usec(cli));

        return strcmp(when, "–") == 0
                   ? g_strdup(_("sending is paused"))
                   : g_strdup_printf(_("sending is paused until %s"), when);
    }
    if (g_strcmp0(state, "read_only") == 0)
        return g_strdup(_("takes no mail: its storage cannot be written"));
    if (hp_parse_rfc3339(hp_dict_text(status, "since"), &since)) {
        g_autofree char *span =
            hp_format_duration((hp_cli_now_usec(cli) - since) / G_TIME_SPAN_SECOND);

        return g_strdup_printf(_("running for %s"), span);
    }
    return g_strdup(_("running"));
}

static void
print_head(HpCli *cli, GVariant *status)
{
    g_autoptr(GVariant) network = hp_dict_dict(status, "network");
    g_autoptr(GVariant) attention = hp_dict_list(status, "attention");
    g_autofree char *state = state_words(cli, status);
    gboolean colour = hp_cli_has_colour(cli);
    gboolean well = g_variant_n_children(attention) == 0;

    fprintf(cli->out, "%s●%s Hauspost %s   %s · %s%s\n",
            colour ? (well ? "\033[32m" : "\033[33m") : "", colour ? "\033[0m" : "",
            or_dash(hp_dict_text(status, "version")), state,
            link_words(hp_dict_text(network, "state")),
            hp_dict_yes(network, "metered") ? _(" · metered") : "");
}

/* "SMTP 127.0.0.1:10587", each port once */
/* "SMTP 127.0.0.1:10587, 10465 (TLS) · POP3 …": a protocol's ports stand together. */
static char *
local_words(GVariant *status)
{
    g_autoptr(GVariant) listeners = hp_dict_list(status, "listeners");
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *before = NULL;

    for (gsize i = 0; i < g_variant_n_children(listeners); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(listeners, i);
        const char *address = or_dash(hp_dict_text(row, "address"));
        g_autofree char *protocol =
            g_ascii_strup(or_dash(hp_dict_text(row, "protocol")), -1);
        g_autofree char *service = g_strdup_printf("%s %s:", protocol, address);

        if (strchr(address, ':') != NULL)
            continue; /* ::1 has the same ports */
        if (g_strcmp0(service, before) == 0)
            g_string_append(out, ", ");
        else
            g_string_append_printf(out, "%s%s", out->len > 0 ? " · " : "", service);
        g_string_append_printf(out, "%d", (int)hp_dict_number(row, "port", 0));
        if (g_strcmp0(hp_dict_text(row, "tls"), "tls") == 0)
            g_string_append(out, " (TLS)");
        g_free(g_steal_pointer(&before));
        before = g_steal_pointer(&service);
    }
    return g_strdup(out->str);
}

/* "Thunderbird 140.0 (laptop, imap)": the name of the password is what can be revoked. */
static void
append_client(GString *out, GVariant *row)
{
    const char *program = hp_dict_text(row, "program");
    const char *name = or_dash(hp_dict_text(row, "name"));
    const char *protocol = or_dash(hp_dict_text(row, "protocol"));

    if (out->len > 0)
        g_string_append(out, ", ");
    if (program != NULL)
        g_string_append_printf(out, "%s (%s, %s)", program, name, protocol);
    else
        g_string_append_printf(out, "%s (%s)", name, protocol);
}

static char *
client_words(GVariant *status)
{
    g_autoptr(GVariant) clients = hp_dict_list(status, "clients");
    g_autoptr(GString) out = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(clients); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(clients, i);

        append_client(out, row);
    }
    return g_strdup(out->str);
}

/* "2 waiting"; in other languages the word, too, depends on the number. */
static char *
count_words(const char *state, int n)
{
    gulong many = (gulong)n;

    if (g_str_equal(state, "waiting"))
        return g_strdup_printf(ngettext("%d waiting", "%d waiting", many), n);
    if (g_str_equal(state, "sending"))
        return g_strdup_printf(ngettext("%d sending", "%d sending", many), n);
    if (g_str_equal(state, "paced"))
        return g_strdup_printf(ngettext("%d paced", "%d paced", many), n);
    if (g_str_equal(state, "held"))
        return g_strdup_printf(ngettext("%d held", "%d held", many), n);
    if (g_str_equal(state, "offline"))
        return g_strdup_printf(ngettext("%d offline", "%d offline", many), n);
    return g_strdup_printf(ngettext("%d uncertain", "%d uncertain", many), n);
}

static char *
queue_words(HpCli *cli, GVariant *status)
{
    static const char *const states[] = { "waiting", "sending", "paced",
                                          "held",    "offline", "uncertain" };
    g_autoptr(GVariant) queue = hp_dict_dict(status, "queue");
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *next =
        hp_format_time(hp_dict_text(queue, "next_attempt"), hp_cli_now_usec(cli));
    const char *destination = hp_dict_text(queue, "next_destination");

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        int n = (int)hp_dict_number(queue, states[i], 0);
        g_autofree char *words = count_words(states[i], n);

        if (n > 0)
            g_string_append_printf(out, "%s%s", out->len > 0 ? " · " : "", words);
    }
    if (out->len == 0)
        return g_strdup(_("empty"));
    if (strcmp(next, "–") != 0)
        g_string_append_printf(out, _(" · next try %s"), next);
    if (strcmp(next, "–") != 0 && destination != NULL)
        g_string_append_printf(out, " (%s)", destination);
    return g_strdup(out->str);
}

static void
print_limits(HpCli *cli, GVariant *status)
{
    g_autoptr(GVariant) limits = hp_dict_list(status, "limits");

    for (gsize i = 0; i < g_variant_n_children(limits); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(limits, i);

        fprintf(cli->out, _("  %-11s %s: %d of %d\n"), i == 0 ? _("Limits") : "",
                or_dash(hp_dict_text(row, "name")), (int)hp_dict_number(row, "used", 0),
                (int)hp_dict_number(row, "max", 0));
    }
}

static void
print_line(HpCli *cli, const char *label, const char *text)
{
    g_autofree char *shown = hp_text_printable(hp_slice_of(text), 1000);
    guint width = (guint)g_utf8_strlen(label, -1);

    fprintf(cli->out, "  %s%*s %s\n", label, width < 11 ? (int)(11 - width) : 0, "",
            shown);
}

static void
print_attention(HpCli *cli, GVariant *status)
{
    g_autoptr(GVariant) attention = hp_dict_list(status, "attention");

    for (gsize i = 0; i < g_variant_n_children(attention); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(attention, i);
        const char *text = hp_dict_text(row, "text");
        const char *next = hp_dict_text(row, "command");
        g_autofree char *line = g_strdup_printf(
            "%s%s%s", or_dash(text != NULL ? text : hp_dict_text(row, "kind")),
            next != NULL ? "   → " : "", next != NULL ? next : "");

        print_line(cli, _("Attention"), line);
    }
}

static void
print_status(HpCli *cli, GVariant *status)
{
    g_autoptr(GVariant) today = hp_dict_dict(status, "today");
    g_autofree char *local = local_words(status);
    g_autofree char *clients = client_words(status);
    g_autofree char *queue = queue_words(cli, status);
    gint64 identities = hp_dict_number(status, "identities", 1) - 1;
    g_autofree char *more =
        identities > 0
            ? g_strdup_printf(
                  ngettext("  (+%d identity)", "  (+%d identities)", (gulong)identities),
                  (int)identities)
            : g_strdup("");
    g_autofree char *account =
        g_strconcat(or_dash(hp_dict_text(status, "account")), more, NULL);
    g_autofree char *day = g_strdup_printf(_("%d delivered · %d refused · %d expired"),
                                           (int)hp_dict_number(today, "delivered", 0),
                                           (int)hp_dict_number(today, "refused", 0),
                                           (int)hp_dict_number(today, "expired", 0));

    print_head(cli, status);
    print_line(cli, _("Account"), account);
    print_line(cli, _("Local"), local);
    if (clients[0] != '\0')
        print_line(cli, _("Clients"), clients);
    print_line(cli, _("Queue"), queue);
    print_limits(cli, status);
    print_line(cli, _("Today"), day);
    print_attention(cli, status);
}

/* Nothing wrong? */
static HpExit
check(GVariant *status)
{
    g_autoptr(GVariant) attention = hp_dict_list(status, "attention");
    const char *state = hp_dict_text(status, "state");

    return g_variant_n_children(attention) > 0 || g_strcmp0(state, "read_only") == 0
               ? HP_EXIT_PROBLEMS
               : HP_EXIT_OK;
}

static HpExit
show(HpCli *cli)
{
    g_autoptr(GVariant) status = NULL;
    g_autoptr(GError) error = NULL;

    if (!hp_hauspost1_call_status_sync(cli->daemon, &status, NULL, &error))
        return hp_cli_fail(cli, error, NULL);
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.status/1", NULL, status);
    else if (!cli->quiet)
        print_status(cli, status);
    if (!hp_cli_flush(cli))
        return HP_EXIT_FAILURE;
    return hp_cli_args_has(cli->args, "check") ? check(status) : HP_EXIT_OK;
}

typedef struct {
    HpCli *cli;      /* (unowned) */
    GMainLoop *loop; /* (owned) */
    HpExit exit;
    guint pending; /* source id: a change is shown together with those just after it */
} Follower;

static gboolean
show_again(gpointer data)
{
    Follower *f = data;

    f->pending = 0;
    if (hp_cli_width(f->cli) > 0)
        fputs("\033[H\033[2J", f->cli->out);
    f->exit = show(f->cli);
    if (f->exit != HP_EXIT_OK && f->exit != HP_EXIT_PROBLEMS)
        g_main_loop_quit(f->loop);
    return G_SOURCE_REMOVE;
}

#define TOGETHER_MS 200 /* changes within this time are shown once */

static void
on_signal(GDBusProxy *proxy, const char *sender, const char *name, GVariant *args,
          gpointer data)
{
    Follower *f = data;

    if (f->pending == 0)
        f->pending = g_timeout_add(TOGETHER_MS, show_again, f);
}

static void
on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    Follower *f = data;

    f->exit = hp_cli_refuse(f->cli, HP_EXIT_NO_DAEMON, "hauspost status",
                            _("the mail server has stopped"));
    g_main_loop_quit(f->loop);
}

static HpExit
follow(HpCli *cli)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    GDBusConnection *connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(cli->daemon));
    Follower f = { cli, loop, HP_EXIT_OK, 0 };

    g_signal_connect(cli->daemon, "g-signal", G_CALLBACK(on_signal), &f);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), &f);
    show_again(&f);
    if (f.exit == HP_EXIT_OK || f.exit == HP_EXIT_PROBLEMS)
        g_main_loop_run(loop);
    if (f.pending != 0)
        g_source_remove(f.pending);
    g_signal_handlers_disconnect_by_data(cli->daemon, &f);
    g_signal_handlers_disconnect_by_data(connection, &f);
    return f.exit;
}

static HpExit
cmd_status(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;

    if (hp_cli_connect(cli, &exit) == NULL)
        return exit;
    return hp_cli_args_has(cli->args, "follow") ? follow(cli) : show(cli);
}

/* @until_usec: 0 for until further notice */
static void
tell_paused(HpCli *cli, gint64 until_usec)
{
    g_autofree char *until = hp_clock_format_rfc3339(until_usec);
    g_autofree char *when = hp_format_time(until, hp_cli_now_usec(cli));

    if (until_usec == 0)
        hp_cli_hint(cli, "%s\n→ hauspost resume",
                    _("Sending is paused; mail is still taken and kept safe."));
    else
        hp_cli_hint(cli,
                    _("Sending is paused until %s; mail is still taken and kept safe.\n"
                      "→ hauspost resume"),
                    when);
}

static HpExit
cmd_pause(HpCli *cli)
{
    const char *span = hp_cli_args_get(cli->args, "for");
    const char *until = hp_cli_args_get(cli->args, "until");
    const char *text = span != NULL ? span : until;
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;
    g_autoptr(GError) error = NULL;
    gint64 usec = 0;

    if (span != NULL && until != NULL)
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost pause --for 1h",
                             _("--for and --until do not go together; give one of them"));
    if (text != NULL && !hp_parse_until(text, hp_cli_now_usec(cli), &usec))
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost pause --for 1h",
                             _("%s is not a time in the future, such as 1h or 18:00"),
                             text);
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_pause_sync(daemon, usec, NULL, &error))
        return hp_cli_fail(cli, error, "hauspost status");
    tell_paused(cli, usec);
    return HP_EXIT_OK;
}

static HpExit
cmd_resume(HpCli *cli)
{
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon = hp_cli_connect(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (daemon == NULL)
        return exit;
    if (!hp_hauspost1_call_resume_sync(daemon, NULL, &error))
        return hp_cli_fail(cli, error, "hauspost status");
    hp_cli_hint(cli, "%s", _("Sending goes on; everything that waits is due now."));
    hp_cli_hint_obstacle(cli);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_status[] = {
    { "status", NULL, "[-f] [--check] [--json]", "follow|f check", 0, 0, HP_COMMAND_JSON,
      N_("Shows how things are; --check exits with 7 if something needs attention."),
      cmd_status },
    { "pause", NULL, "[--for 1h|--until 18:00]", "for= until=", 0, 0, 0,
      N_("Keeps everything from going out for a while."), cmd_pause },
    { "resume", NULL, "", "", 0, 0, 0, N_("Lets mail go out again."), cmd_resume },
    { NULL },
};
