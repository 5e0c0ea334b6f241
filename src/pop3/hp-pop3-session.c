#include "hp-pop3-session-private.h"

#include "hp-build.h"
#include "hp-lines.h"
#include "hp-log.h"
#include "hp-pop3-command.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define COMMAND_USEC            ((gint64)10 * 60 * G_USEC_PER_SEC) /* RFC 1939 §3 */
#define LOGIN_USEC              ((gint64)60 * G_USEC_PER_SEC)
#define FAREWELL_USEC           ((gint64)G_USEC_PER_SEC)
#define MAX_ERRORS_BEFORE_LOGIN 3
#define MAX_ERRORS              20
#define BUDGET_BEFORE_LOGIN     ((size_t)256 * 1024) /* octets: some logins, no more */
#define BUDGET_OF_COMMAND                                                                \
    ((size_t)64 * 1024) /* octets read while one command is carried out */
#define DAY_SEC       ((gint64)24 * 3600)
#define TLS_HANDSHAKE 0x16 /* first octet of a client that begins TLS, RFC 8446 §5.1 */

#define AUTHORIZATION (HP_POP3_FRESH | HP_POP3_NAMED)
#define ANY           (AUTHORIZATION | HP_POP3_TRANSACTION)

/* --- replies ---------------------------------------------------------------------- */

void
hp_pop3_write(HpPop3Session *s, HpSlice bytes)
{
    if (!hp_channel_write(s->channel, bytes, NULL))
        s->state = HP_POP3_ENDED;
}

/* A line of a reply, in one piece. RFC 2449 §4: at most 512 octets. */
static void
send_line(HpPop3Session *s, const char *status, const char *code, const char *text)
{
    g_autofree char *ascii = hp_text_to_ascii(text);

    if (!hp_channel_printf(s->channel, NULL, "%s%s%s%s %.400s\r\n", status,
                           code != NULL ? " [" : "", code != NULL ? code : "",
                           code != NULL ? "]" : "", ascii))
        s->state = HP_POP3_ENDED;
}

void
hp_pop3_ok(HpPop3Session *s, const char *text)
{
    send_line(s, "+OK", NULL, text);
}

void
hp_pop3_okf(HpPop3Session *s, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    hp_pop3_ok(s, text);
}

void
hp_pop3_err(HpPop3Session *s, const char *code, const char *text)
{
    send_line(s, "-ERR", code, text);
}

void
hp_pop3_hang_up(HpPop3Session *s, const char *code, const char *text)
{
    hp_pop3_err(s, code, text);
    s->state = HP_POP3_ENDED;
}

void
hp_pop3_error(HpPop3Session *s, const char *text)
{
    guint max = s->drop != NULL ? MAX_ERRORS : MAX_ERRORS_BEFORE_LOGIN;

    s->errors++;
    if (s->errors >= max)
        hp_pop3_hang_up(s, NULL, _("Too many commands that make no sense. Goodbye."));
    else
        hp_pop3_err(s, NULL, text);
}

/* --- what the handlers share ---------------------------------------------------------
 */

gboolean
hp_pop3_may_login(const HpPop3Session *s)
{
    return s->options->plaintext_allowed || hp_channel_is_tls(s->channel);
}

void
hp_pop3_set_timeout(HpPop3Session *s, gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;

    if (s->drop == NULL)
        deadline = MIN(deadline, s->login_by_usec);
    hp_channel_set_deadline(s->channel, deadline);
}

/* --- commands in every state ---------------------------------------------------------
 */

/* RFC 2449 §6.7: the days that mail stays at least, also mail that was collected at once;
 * a shorter time than a day is none. */
static void
write_expire(HpPop3Session *s)
{
    gint64 days = s->options->retention_sec / DAY_SEC;
    g_autofree char *line =
        s->options->retention_sec <= 0
            ? g_strdup("EXPIRE NEVER\r\n")
            : g_strdup_printf("EXPIRE %" G_GINT64_FORMAT "\r\n", days);

    hp_pop3_write(s, hp_slice_of(line));
}

static void
cmd_capa(HpPop3Session *s, HpSlice args)
{
    gboolean inside = s->state == HP_POP3_TRANSACTION;

    hp_pop3_ok(s, _("This is what Hauspost can do."));
    hp_pop3_write(s, HP_SLICE_LITERAL("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
                                      "PIPELINING\r\nUTF8 USER\r\n"));
    write_expire(s);
    if (!inside && s->options->tls != NULL && !hp_channel_is_tls(s->channel))
        hp_pop3_write(s, HP_SLICE_LITERAL("STLS\r\n"));
    if (hp_pop3_may_login(s))
        hp_pop3_write(s, HP_SLICE_LITERAL("USER\r\nSASL " HP_SASL_MECHANISMS "\r\n"));
    if (inside)
        hp_pop3_write(s, HP_SLICE_LITERAL("IMPLEMENTATION Hauspost-" HP_VERSION "\r\n"));
    hp_pop3_write(s, HP_SLICE_LITERAL(".\r\n"));
}

/* RFC 6856 §2.1 */
static void
cmd_utf8(HpPop3Session *s, HpSlice args)
{
    s->utf8 = TRUE;
    hp_pop3_ok(s, _("UTF-8 is on."));
}

static void
cmd_noop(HpPop3Session *s, HpSlice args)
{
    hp_pop3_ok(s, _("Here."));
}

/* --- which command when --------------------------------------------------------------
 */

typedef enum {
    NO_ARGS,
    ARGS,
    MAYBE_ARGS,
} Arity;

typedef struct {
    const char *verb; /* (unowned) */
    guint allowed;    /* HpPop3State bits */
    Arity arity;
    void (*run)(HpPop3Session *s, HpSlice args);
} Command;

static const Command commands[] = {
    { "CAPA", ANY, NO_ARGS, cmd_capa },
    { "STLS", AUTHORIZATION, NO_ARGS, hp_pop3_cmd_stls },
    { "UTF8", AUTHORIZATION, NO_ARGS, cmd_utf8 },
    { "USER", AUTHORIZATION, ARGS, hp_pop3_cmd_user },
    { "PASS", HP_POP3_NAMED, ARGS, hp_pop3_cmd_pass },
    { "AUTH", AUTHORIZATION, MAYBE_ARGS, hp_pop3_cmd_auth },
    { "STAT", HP_POP3_TRANSACTION, NO_ARGS, hp_pop3_cmd_stat },
    { "LIST", HP_POP3_TRANSACTION, MAYBE_ARGS, hp_pop3_cmd_list },
    { "UIDL", HP_POP3_TRANSACTION, MAYBE_ARGS, hp_pop3_cmd_uidl },
    { "RETR", HP_POP3_TRANSACTION, ARGS, hp_pop3_cmd_retr },
    { "TOP", HP_POP3_TRANSACTION, ARGS, hp_pop3_cmd_top },
    { "DELE", HP_POP3_TRANSACTION, ARGS, hp_pop3_cmd_dele },
    { "RSET", HP_POP3_TRANSACTION, NO_ARGS, hp_pop3_cmd_rset },
    { "NOOP", HP_POP3_TRANSACTION, NO_ARGS, cmd_noop },
    { "QUIT", ANY, NO_ARGS, hp_pop3_cmd_quit },
};

static void
refuse_state(HpPop3Session *s, const Command *command)
{
    if (s->state == HP_POP3_TRANSACTION)
        hp_pop3_error(s, _("You are logged in already."));
    else if (command->allowed == HP_POP3_NAMED)
        hp_pop3_error(s, _("The user name comes first: USER."));
    else
        hp_pop3_error(s, _("Please log in first: your mail program needs a user name and "
                           "a password for this server."));
}

static void
run(HpPop3Session *s, const Command *command, HpSlice args)
{
    if ((command->allowed & s->state) == 0)
        refuse_state(s, command);
    else if (command->arity == NO_ARGS && hp_slice_trim(args).len > 0)
        hp_pop3_error(s, _("Nothing may follow this command."));
    else if (command->arity == ARGS && args.len == 0)
        hp_pop3_error(s, _("Something is missing behind this command."));
    else
        command->run(s, args);
}

static void
dispatch(HpPop3Session *s, HpSlice line)
{
    HpSlice verb = { NULL, 0 };
    HpSlice args = { NULL, 0 };
    gboolean is_command = hp_pop3_parse_command(line, &verb, &args);

    for (size_t i = 0; is_command && i < G_N_ELEMENTS(commands); i++) {
        if (!hp_slice_equal_nocase(verb, commands[i].verb))
            continue;
        run(s, &commands[i], args);
        return;
    }
    hp_pop3_error(s, _("This is not a command of POP3."));
}

/* --- the conversation ----------------------------------------------------------------
 */

static void
hang_up_on_http(HpPop3Session *s)
{
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_MESSAGE,
           "closed a connection that speaks HTTP");
    hp_pop3_hang_up(s, NULL, _("This is a mail server, not a web server."));
}

static void
give_up(HpPop3Session *s, const GError *error)
{
    hp_channel_set_timeout(s->channel, FAREWELL_USEC);
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT))
        hp_pop3_err(s, NULL, _("Nothing came for too long. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET))
        hp_pop3_err(s, NULL, _("Too much was sent at once. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED))
        hp_pop3_err(s, HP_POP3_SYS_TEMP,
                    _("Hauspost ends this connection. Please try again later."));
    s->state = HP_POP3_ENDED;
}

static void
take_line(HpPop3Session *s)
{
    g_autoptr(GError) error = NULL;
    HpSlice line = { NULL, 0 };
    HpLineResult result;

    hp_pop3_set_timeout(s, COMMAND_USEC);
    if (s->drop != NULL)
        hp_channel_set_budget(s->channel, BUDGET_OF_COMMAND);
    result = hp_lines_read(s->channel, HP_POP3_MAX_LINE, &line, &error);
    if (result == HP_LINE_FAILED)
        give_up(s, error);
    else if (result == HP_LINE_TOO_LONG)
        hp_pop3_error(s, _("This line is too long."));
    else if (hp_line_is_http(line))
        hang_up_on_http(s);
    else if (result == HP_LINE_BARE)
        hp_pop3_error(s, _("A line ends with CR and LF, and only there."));
    else
        dispatch(s, line);
}

/* A client that begins TLS on the port for plain text would wait for ever. */
static gboolean
is_tls_hello(HpPop3Session *s)
{
    HpSlice input;

    if (!hp_channel_fill(s->channel, NULL))
        return FALSE; /* the first line will tell why */
    input = hp_channel_input(s->channel);
    return input.len > 0 && input.data[0] == TLS_HANDSHAKE;
}

static void
start(HpPop3Session *s)
{
    g_autoptr(GError) error = NULL;

    if (hp_connection_service(s->connection)->implicit_tls &&
        (s->options->tls == NULL ||
         !hp_channel_start_tls_server(s->channel, s->options->tls, "pop3", &error))) {
        hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_INFO, "%s",
               error != NULL ? error->message : "no certificate");
        s->state = HP_POP3_ENDED;
        return;
    }
    hp_pop3_ok(s, _("Hauspost is ready."));
    if (!hp_channel_is_tls(s->channel) && is_tls_hello(s))
        s->state = HP_POP3_ENDED;
}

void
hp_pop3_serve(HpConnection *connection, gpointer options)
{
    HpPop3Session s = {
        .connection = connection,
        .channel = hp_connection_channel(connection),
        .options = options,
        .state = HP_POP3_FRESH,
        .login_by_usec = g_get_monotonic_time() + LOGIN_USEC,
    };

    hp_channel_set_budget(s.channel, BUDGET_BEFORE_LOGIN);
    hp_pop3_set_timeout(&s, COMMAND_USEC);
    start(&s);
    while (s.state != HP_POP3_ENDED)
        take_line(&s);
    hp_pop3_close_maildrop(&s);
    hp_channel_set_timeout(s.channel, FAREWELL_USEC);
    hp_channel_flush(s.channel, NULL);
    g_free(s.user);
}

void
hp_pop3_refuse(HpChannel *channel, gpointer options)
{
    g_autofree char *text = hp_text_to_ascii(_(
        "Too many connections at once. Close one of your mail programs, or try again."));

    hp_channel_set_timeout(channel, FAREWELL_USEC);
    if (hp_channel_printf(channel, NULL, "-ERR [SYS/TEMP] %s\r\n", text))
        hp_channel_flush(channel, NULL);
}
