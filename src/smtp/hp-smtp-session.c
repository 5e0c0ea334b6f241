#include "hp-smtp-session-private.h"

#include "hp-lines.h"
#include "hp-log.h"
#include "hp-smtp-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define COMMAND_USEC            (300 * (gint64)G_USEC_PER_SEC) /* RFC 5321 §4.5.3.2.7 */
#define LOGIN_USEC              (30 * (gint64)G_USEC_PER_SEC) /* so that idle sockets block nobody */
#define FAREWELL_USEC           ((gint64)G_USEC_PER_SEC)
#define MAX_ERRORS_BEFORE_LOGIN 3
#define MAX_ERRORS              20
#define BUDGET_BEFORE_LOGIN     262144 /* octets: some logins, no more */
#define MAX_GREETING_NAME       255    /* octets, RFC 5321 §4.5.3.1.2 */

#define ANY                                                                              \
    (HP_SMTP_FRESH | HP_SMTP_GREETED | HP_SMTP_READY | HP_SMTP_OPEN | HP_SMTP_ADDRESSED)
#define IN_TRANSACTION (HP_SMTP_OPEN | HP_SMTP_ADDRESSED)

/* --- replies ---------------------------------------------------------------------- */

static void
send_line(HpSmtpSession *s, guint code, char mark, const char *enhanced, const char *text)
{
    if (!hp_channel_printf(s->channel, NULL, "%03u%c%s%s%s\r\n", code, mark,
                           enhanced != NULL ? enhanced : "", enhanced != NULL ? " " : "",
                           text))
        s->state = HP_SMTP_ENDED;
}

void
hp_smtp_reply(HpSmtpSession *s, guint code, const char *enhanced, const char *text)
{
    g_autofree char *ascii = hp_text_to_ascii(text);

    send_line(s, code, ' ', enhanced, ascii);
}

void
hp_smtp_replyf(HpSmtpSession *s, guint code, const char *enhanced, const char *format,
               ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    hp_smtp_reply(s, code, enhanced, text);
}

void
hp_smtp_hang_up(HpSmtpSession *s, const char *enhanced, const char *text)
{
    hp_smtp_reply(s, 421, enhanced, text);
    s->state = HP_SMTP_ENDED;
}

void
hp_smtp_error(HpSmtpSession *s, guint code, const char *enhanced, const char *text)
{
    guint max = s->credential != NULL ? MAX_ERRORS : MAX_ERRORS_BEFORE_LOGIN;

    hp_smtp_reply(s, code, enhanced, text);
    s->errors++;
    if (s->errors >= max)
        hp_smtp_hang_up(s, "4.7.0", _("Too many commands that make no sense. Goodbye."));
}

/* --- what the handlers share ---------------------------------------------------------
 */

void
hp_smtp_reset_transaction(HpSmtpSession *s)
{
    g_clear_pointer(&s->envelope, hp_envelope_free);
    s->announced = 0;
    s->foreign_sender = FALSE;
    if ((s->state & IN_TRANSACTION) != 0)
        s->state = HP_SMTP_READY;
}

gboolean
hp_smtp_may_login(const HpSmtpSession *s)
{
    return s->options->passwords != NULL && s->credential == NULL &&
           (s->options->plaintext_allowed || hp_channel_is_tls(s->channel));
}

static gboolean
may_start_tls(const HpSmtpSession *s)
{
    return s->options->tls != NULL && !s->caller.local_socket && s->credential == NULL &&
           !hp_channel_is_tls(s->channel);
}

void
hp_smtp_set_timeout(HpSmtpSession *s, gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;

    if (s->credential == NULL)
        deadline = MIN(deadline, s->login_by_usec);
    hp_channel_set_deadline(s->channel, deadline);
}

/* --- commands ----------------------------------------------------------------------- */

/* The name is looked at and forgotten: it would tell others about this network. */
static gboolean
greet(HpSmtpSession *s, HpSlice name)
{
    if (name.len == 0 || name.len > MAX_GREETING_NAME) {
        hp_smtp_error(s, 501, "5.5.4", _("A name must follow, as in: EHLO localhost."));
        return FALSE;
    }
    hp_smtp_reset_transaction(s); /* RFC 5321 §4.1.4 */
    s->state = s->credential != NULL ? HP_SMTP_READY : HP_SMTP_GREETED;
    return TRUE;
}

static void
cmd_ehlo(HpSmtpSession *s, HpSlice args)
{
    if (!greet(s, args))
        return;
    s->extended = TRUE;
    send_line(s, 250, '-', NULL, s->options->hostname);
    send_line(s, 250, '-', NULL, "PIPELINING");
    if (!hp_channel_printf(s->channel, NULL, "250-SIZE %" G_GUINT64_FORMAT "\r\n",
                           s->options->max_message_size))
        s->state = HP_SMTP_ENDED;
    send_line(s, 250, '-', NULL, "8BITMIME");
    send_line(s, 250, '-', NULL, "SMTPUTF8");
    send_line(s, 250, '-', NULL, "DSN");
    send_line(s, 250, '-', NULL, "ENHANCEDSTATUSCODES");
    if (may_start_tls(s))
        send_line(s, 250, '-', NULL, "STARTTLS");
    if (hp_smtp_may_login(s))
        send_line(s, 250, '-', NULL, "AUTH " HP_SASL_MECHANISMS);
    send_line(s, 250, ' ', NULL, "HELP");
}

static void
cmd_helo(HpSmtpSession *s, HpSlice args)
{
    if (!greet(s, args))
        return;
    s->extended = FALSE;
    send_line(s, 250, ' ', NULL, s->options->hostname);
}

static void
cmd_rset(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_reset_transaction(s);
    hp_smtp_reply(s, 250, "2.0.0", _("Forgotten."));
}

static void
cmd_noop(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_reply(s, 250, "2.0.0", _("Here."));
}

static void
cmd_help(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_reply(s, 214, "2.0.0",
                  _("This is Hauspost, the mail server of this computer. Type: man "
                    "hauspost"));
}

/* Whether an address exists is known only to its own server (RFC 5321 §3.5.3). */
static void
cmd_vrfy(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_reply(
        s, 252, "2.5.0",
        _("This cannot be said beforehand. Send the message, it will be tried."));
}

static void
cmd_unoffered(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_error(s, 502, "5.5.1", _("This command is not offered here."));
}

static void
cmd_quit(HpSmtpSession *s, HpSlice args)
{
    hp_smtp_reply(s, 221, "2.0.0", _("Goodbye."));
    s->state = HP_SMTP_ENDED;
}

/* --- which command when --------------------------------------------------------------
 */

typedef enum {
    NO_ARGS, /* arguments are answered with 501 */
    ARGS,    /* none is answered with 501 */
    MAYBE_ARGS,
} Arity;

typedef struct {
    const char *verb; /* (unowned) */
    guint allowed;    /* HpSmtpState bits; in other states the answer is 503 or 530 */
    Arity arity;
    void (*run)(HpSmtpSession *s, HpSlice args);
    const char *otherwise; /* (unowned) (nullable): said with 503 */
} Command;

static const Command commands[] = {
    { "EHLO", ANY, ARGS, cmd_ehlo, NULL },
    { "HELO", ANY, ARGS, cmd_helo, NULL },
    { "STARTTLS", HP_SMTP_GREETED, NO_ARGS, hp_smtp_cmd_starttls,
      N_("STARTTLS comes before the login.") },
    { "AUTH", HP_SMTP_GREETED, ARGS, hp_smtp_cmd_auth, N_("You are logged in already.") },
    { "MAIL", HP_SMTP_READY, ARGS, hp_smtp_cmd_mail,
      N_("A message has been begun already. RSET forgets it.") },
    { "RCPT", IN_TRANSACTION, ARGS, hp_smtp_cmd_rcpt,
      N_("The sender comes first: MAIL.") },
    { "DATA", HP_SMTP_ADDRESSED, NO_ARGS, hp_smtp_cmd_data,
      N_("There is no accepted recipient yet. MAIL and RCPT come first.") },
    { "RSET", ANY, NO_ARGS, cmd_rset, NULL },
    { "NOOP", ANY, MAYBE_ARGS, cmd_noop, NULL },
    { "HELP", ANY, MAYBE_ARGS, cmd_help, NULL },
    { "VRFY", ANY, ARGS, cmd_vrfy, NULL },
    { "EXPN", ANY, MAYBE_ARGS, cmd_unoffered, NULL },
    { "BDAT", ANY, MAYBE_ARGS, cmd_unoffered, NULL },
    { "QUIT", ANY, NO_ARGS, cmd_quit, NULL },
};

static void
refuse_state(HpSmtpSession *s, const Command *command)
{
    if (s->state == HP_SMTP_FRESH)
        hp_smtp_error(s, 503, "5.5.1", _("EHLO comes first."));
    else if (s->state != HP_SMTP_GREETED)
        hp_smtp_error(s, 503, "5.5.1", _(command->otherwise));
    else if (hp_smtp_may_login(s))
        hp_smtp_error(s, 530, "5.7.0",
                      _("Please log in first: your mail program needs a user name and a "
                        "password for this server."));
    else
        hp_smtp_error(s, 530, "5.7.0",
                      _("Please switch on STARTTLS in your mail program: without it no "
                        "login is possible here."));
}

static void
run(HpSmtpSession *s, const Command *command, HpSlice args)
{
    if ((command->allowed & s->state) == 0)
        refuse_state(s, command);
    else if (command->arity == NO_ARGS && args.len > 0)
        hp_smtp_error(s, 501, "5.5.4", _("Nothing may follow this command."));
    else if (command->arity == ARGS && args.len == 0)
        hp_smtp_error(s, 501, "5.5.4", _("Something is missing behind this command."));
    else
        command->run(s, args);
}

static gboolean
is_too_long(HpSlice line, HpSlice verb)
{
    return line.len + 2 > HP_SMTP_MAX_COMMAND_LINE &&
           !hp_slice_equal_nocase(verb, "AUTH");
}

static void
dispatch(HpSmtpSession *s, HpSlice line)
{
    HpSlice verb = { NULL, 0 };
    HpSlice args = { NULL, 0 };
    gboolean is_command = hp_smtp_parse_command(line, &verb, &args);

    if (is_command && is_too_long(line, verb)) {
        hp_smtp_error(s, 500, "5.5.2", _("This line is too long."));
        return;
    }
    for (size_t i = 0; is_command && i < G_N_ELEMENTS(commands); i++) {
        if (!hp_slice_equal_nocase(verb, commands[i].verb))
            continue;
        run(s, &commands[i], args);
        return;
    }
    hp_smtp_error(s, 500, "5.5.2", _("This is not a command of SMTP."));
}

/* --- the conversation ----------------------------------------------------------------
 */

/* A web page makes a browser talk to us: nothing of it is read or repeated. */
static void
hang_up_on_http(HpSmtpSession *s)
{
    hp_log("smtp", s->caller.id, G_LOG_LEVEL_MESSAGE,
           "closed a connection that speaks HTTP");
    hp_smtp_hang_up(s, "4.7.0", _("This is a mail server, not a web server."));
}

static void
give_up(HpSmtpSession *s, const GError *error)
{
    hp_channel_set_timeout(s->channel, FAREWELL_USEC);
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT))
        hp_smtp_hang_up(s, "4.4.2", _("Nothing came for too long. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET))
        hp_smtp_hang_up(s, "4.7.0", _("Too much was sent without a login. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED))
        hp_smtp_hang_up(s, "4.3.2",
                        _("Hauspost has to close this connection. Please try again."));
    s->state = HP_SMTP_ENDED;
}

static void
take_line(HpSmtpSession *s)
{
    g_autoptr(GError) error = NULL;
    HpSlice line = { NULL, 0 };

    hp_smtp_set_timeout(s, COMMAND_USEC);
    switch (hp_lines_read(s->channel, HP_SMTP_MAX_AUTH_LINE, &line, &error)) {
    case HP_LINE_OK:
        if (hp_line_is_http(line))
            hang_up_on_http(s);
        else
            dispatch(s, line);
        break;
    case HP_LINE_BARE:
        if (hp_line_is_http(line))
            hang_up_on_http(s);
        else
            hp_smtp_error(s, 500, "5.5.2",
                          _("A line ends with CR and LF, and only there."));
        break;
    case HP_LINE_TOO_LONG:
        hp_smtp_error(s, 500, "5.5.2", _("This line is too long."));
        break;
    case HP_LINE_FAILED:
        give_up(s, error);
        break;
    }
}

/* A client that begins TLS on the port for plain text would wait for ever. */
static gboolean
is_tls_hello(HpSmtpSession *s)
{
    HpSlice input = { NULL, 0 };

    hp_smtp_set_timeout(s, COMMAND_USEC);
    if (!hp_channel_fill(s->channel, NULL))
        return FALSE;
    input = hp_channel_input(s->channel);
    return input.len > 0 && input.data[0] == 0x16; /* handshake, RFC 8446 §5.1 */
}

static void
start(HpSmtpSession *s)
{
    g_autoptr(GError) error = NULL;

    if (s->caller.implicit_tls &&
        !hp_channel_start_tls_server(s->channel, s->options->tls, "smtp", &error)) {
        hp_log("smtp", s->caller.id, G_LOG_LEVEL_INFO, "%s", error->message);
        s->state = HP_SMTP_ENDED;
        return;
    }
    if (s->caller.local_socket)
        hp_smtp_note_login(s, "");
    if (s->state == HP_SMTP_ENDED)
        return;
    hp_smtp_replyf(s, 220, NULL, "%s ESMTP Hauspost", s->options->hostname);
    if (!hp_channel_is_tls(s->channel) && is_tls_hello(s))
        s->state = HP_SMTP_ENDED;
}

void
hp_smtp_converse(HpChannel *channel, const HpSmtpServerOptions *options,
                 const HpSmtpCaller *caller)
{
    HpSmtpSession s = {
        .channel = channel,
        .options = options,
        .caller = *caller,
        .state = HP_SMTP_FRESH,
        .login_by_usec = g_get_monotonic_time() + LOGIN_USEC,
    };

    hp_channel_set_budget(channel, BUDGET_BEFORE_LOGIN);
    hp_smtp_set_timeout(&s, COMMAND_USEC);
    start(&s);
    while (s.state != HP_SMTP_ENDED)
        take_line(&s);
    hp_channel_set_timeout(channel, FAREWELL_USEC);
    hp_channel_flush(channel, NULL);
    hp_smtp_reset_transaction(&s);
    g_free(s.credential);
}

static gboolean
login_connection(gpointer data, const char *credential)
{
    return hp_connection_login(data, credential);
}

void
hp_smtp_serve(HpConnection *connection, gpointer options)
{
    HpSmtpCaller caller = {
        .id = hp_connection_id(connection),
        .local_socket = hp_connection_peer(connection)->local_socket,
        .implicit_tls = hp_connection_service(connection)->implicit_tls,
        .login = login_connection,
        .data = connection,
    };

    hp_smtp_converse(hp_connection_channel(connection), options, &caller);
}

void
hp_smtp_refuse(HpChannel *channel, gpointer options)
{
    g_autofree char *text = hp_text_to_ascii(_(
        "Too many connections at once. Close one of your mail programs, or try again."));

    hp_channel_set_timeout(channel, FAREWELL_USEC);
    if (hp_channel_printf(channel, NULL, "421 4.3.2 %s\r\n", text))
        hp_channel_flush(channel, NULL);
}
