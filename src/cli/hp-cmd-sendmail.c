#include "hp-cmd-sendmail.h"

#include "hp-address.h"
#include "hp-cli-reach.h"
#include "hp-dirs.h"
#include "hp-sendmail-message.h"
#include "hp-text.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#define TIMEOUT_SEC 300 /* RFC 5321 §4.5.3.2 */

/* --- options ---------------------------------------------------------------------- */

/* Options with a value that stands behind them or in the next argument; those that only
 * mean something to a sendmail that runs a queue are read over. */
#define WITH_VALUE "fFrBLNRVhOXpC"
#define WITHOUT    "tivmnUGA"

static gboolean
refuse_option(GError **error, const char *option)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                _("the option %s is not known here"), option);
    return FALSE;
}

static void
use_value(HpSendmailArgs *args, char option, const char *value)
{
    if (option == 'f' || option == 'r')
        args->sender = value;
    else if (option == 'F')
        args->name = value;
}

/* "-ti" is "-t -i". */
static gboolean
use_letters(HpSendmailArgs *args, const char *option, GError **error)
{
    for (const char *p = option + 1; *p != '\0'; p++) {
        if (strchr(WITHOUT, *p) == NULL)
            return refuse_option(error, option);
        args->from_header = args->from_header || *p == 't';
        args->ignore_dots = args->ignore_dots || *p == 'i';
    }
    return TRUE;
}

/* One option at argv[*index]; moves on over its value. */
static gboolean
use_option(HpSendmailArgs *args, char *const *argv, int *index, GError **error)
{
    const char *option = argv[*index];

    if (g_str_equal(option, "-bm") || option[1] == 'e')
        return TRUE;
    if (option[1] == 'o') { /* -oi; the others (-oem, -odb) are a queue runner's */
        args->ignore_dots = args->ignore_dots || g_str_equal(option, "-oi");
        return TRUE;
    }
    if (strchr(WITH_VALUE, option[1]) == NULL)
        return use_letters(args, option, error);
    if (option[2] == '\0' && argv[*index + 1] == NULL)
        return refuse_option(error, option);
    use_value(args, option[1], option[2] != '\0' ? option + 2 : argv[*index + 1]);
    if (option[2] == '\0')
        (*index)++;
    return TRUE;
}

gboolean
hp_sendmail_parse_args(int argc, char *const *argv, HpSendmailArgs *ret_args,
                       GError **error)
{
    int i = 1;

    *ret_args = (HpSendmailArgs){ .addresses = g_ptr_array_new() };
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (g_str_equal(argv[i], "--")) {
            i++;
            break;
        }
        if (!use_option(ret_args, argv, &i, error))
            return FALSE;
    }
    for (; i < argc; i++)
        g_ptr_array_add(ret_args->addresses, argv[i]);
    return TRUE;
}

void
hp_sendmail_args_clear(HpSendmailArgs *self)
{
    g_clear_pointer(&self->addresses, g_ptr_array_unref);
}

/* --- the conversation --------------------------------------------------------------- */

int
hp_sendmail_exit_code(guint code)
{
    switch (code) {
    case 530:
    case 550:
        return EX_NOPERM; /* the sender is not the user's (5.7.1) */
    case 501:
    case 552:
    case 553:
    case 554:
        return EX_DATAERR;
    default:
        return code >= 500 ? EX_UNAVAILABLE : EX_TEMPFAIL;
    }
}

typedef struct {
    GDataInputStream *in;          /* (owned) */
    GOutputStream *out;            /* (unowned) */
    GSocketConnection *connection; /* (owned) */
} Talk;

static void
talk_clear(Talk *self)
{
    g_clear_object(&self->in);
    g_clear_object(&self->connection);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Talk, talk_clear)

/* A server's sentence says itself what to do. */
static int
complain(int exit, const char *text)
{
    fprintf(stderr, "sendmail: %s\n", text);
    if (exit == EX_USAGE)
        fprintf(stderr, "→ man hauspost\n");
    return exit;
}

static int
lose(const GError *error)
{
    g_autofree char *text =
        g_strdup_printf(_("the connection to hauspostd broke: %s. Please try again."),
                        error != NULL ? error->message : _("it was closed"));

    return complain(EX_TEMPFAIL, text);
}

/* The sentence behind "550 5.7.1 ". */
static HpSlice
sentence(HpSlice line)
{
    HpCursor c = hp_cursor_over(line);
    HpCursor start = c;
    guint64 number = 0;

    c.at += MIN(line.len, 4);
    start = c;
    if (hp_cursor_take_number(&c, 5, &number) && hp_cursor_skip(&c, '.')) {
        hp_cursor_take_until(&c, ' ');
        hp_cursor_skip(&c, ' ');
        return hp_cursor_rest(&c);
    }
    return hp_cursor_rest(&start);
}

static int
complain_reply(guint code, HpSlice line)
{
    g_autofree char *text = hp_text_printable(sentence(line), 500);

    return complain(hp_sendmail_exit_code(code), text);
}

/* Reads one reply. EX_OK if its code is @want. */
static int
hear(Talk *talk, guint want)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        gsize len = 0;
        g_autofree char *line =
            g_data_input_stream_read_line(talk->in, &len, NULL, &error);
        HpCursor c = { line, line != NULL ? line + len : NULL };
        guint64 code = 0;

        if (line == NULL)
            return lose(error);
        if (!hp_cursor_take_number(&c, 599, &code))
            return complain(EX_PROTOCOL, _("hauspostd said something that is not SMTP"));
        if (hp_cursor_skip(&c, '-'))
            continue;
        return code == want ? EX_OK : complain_reply((guint)code, (HpSlice){ line, len });
    }
}

static int
say_bytes(Talk *talk, HpSlice bytes)
{
    g_autoptr(GError) error = NULL;

    if (!g_output_stream_write_all(talk->out, bytes.data, bytes.len, NULL, NULL, &error))
        return lose(error);
    return EX_OK;
}

static int
say(Talk *talk, const char *line, guint want)
{
    g_autofree char *bytes = g_strconcat(line, "\r\n", NULL);
    int exit = say_bytes(talk, hp_slice_of(bytes));

    return exit == EX_OK ? hear(talk, want) : exit;
}

static int
open_talk(Talk *talk)
{
    g_autoptr(HpDirs) dirs = hp_dirs_new();
    g_autofree char *runtime = hp_dirs_find_runtime(dirs);
    g_autofree char *path = g_build_filename(runtime, "submit", NULL);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GError) error = NULL;

    g_socket_client_set_timeout(client, TIMEOUT_SEC);
    talk->connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &error);
    if (talk->connection == NULL) {
        complain(EX_UNAVAILABLE, _("hauspostd is not running, so nothing was sent"));
        fprintf(stderr, "→ %s\n", hp_cli_start_command(dirs));
        return EX_UNAVAILABLE;
    }
    talk->out = g_io_stream_get_output_stream(G_IO_STREAM(talk->connection));
    talk->in = g_data_input_stream_new(
        g_io_stream_get_input_stream(G_IO_STREAM(talk->connection)));
    g_data_input_stream_set_newline_type(talk->in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    return hear(talk, 220);
}

/* --- one message ----------------------------------------------------------------------
 */

typedef struct {
    char *sender;               /* (owned): path without brackets, "" for the null path */
    GPtrArray *recipients;      /* (owned) (element-type HpAddress) */
    HpSendmailMessage *message; /* (owned) */
} Mail;

static void
mail_clear(Mail *self)
{
    g_clear_pointer(&self->sender, g_free);
    g_clear_pointer(&self->recipients, g_ptr_array_unref);
    g_clear_pointer(&self->message, hp_sendmail_message_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mail, mail_clear)

static gboolean
needs_smtputf8(const Mail *mail)
{
    if (!g_str_is_ascii(mail->sender))
        return TRUE;
    for (guint i = 0; i < mail->recipients->len; i++) {
        const HpAddress *address = g_ptr_array_index(mail->recipients, i);

        if (!g_str_is_ascii(address->local) ||
            (address->domain != NULL && !g_str_is_ascii(address->domain)))
            return TRUE;
    }
    return FALSE;
}

static int
say_sender(Talk *talk, const Mail *mail)
{
    gboolean ascii = hp_text_is_ascii(hp_slice_of_string(mail->message->bytes));
    g_autofree char *line = g_strdup_printf(
        "MAIL FROM:<%s> SIZE=%zu%s%s", mail->sender, mail->message->bytes->len,
        ascii ? "" : " BODY=8BITMIME", needs_smtputf8(mail) ? " SMTPUTF8" : "");

    return say(talk, line, 250);
}

static int
say_recipients(Talk *talk, const Mail *mail)
{
    int exit = EX_OK;

    for (guint i = 0; i < mail->recipients->len && exit == EX_OK; i++) {
        g_autofree char *address =
            hp_address_write(g_ptr_array_index(mail->recipients, i));
        g_autofree char *line = g_strdup_printf("RCPT TO:<%s>", address);

        exit = say(talk, line, 250);
    }
    return exit;
}

static int
say_message(Talk *talk, const Mail *mail)
{
    g_autoptr(GString) block = hp_sendmail_message_write(mail->message);
    int exit = say(talk, "DATA", 354);

    if (exit == EX_OK)
        exit = say_bytes(talk, hp_slice_of_string(block));
    return exit == EX_OK ? hear(talk, 250) : exit;
}

static int
transfer(const Mail *mail)
{
    g_auto(Talk) talk = { NULL, NULL, NULL };
    int exit = open_talk(&talk);

    if (exit == EX_OK)
        exit = say(&talk, "EHLO localhost", 250);
    if (exit == EX_OK)
        exit = say_sender(&talk, mail);
    if (exit == EX_OK)
        exit = say_recipients(&talk, mail);
    if (exit == EX_OK)
        exit = say_message(&talk, mail);
    if (exit == EX_OK)
        say_bytes(&talk, HP_SLICE_LITERAL("QUIT\r\n"));
    return exit;
}

static int
read_input(HpSendmailMessage *message)
{
    char buffer[16384];
    gssize n = 0;

    do {
        n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno != EINTR)
            return complain(EX_IOERR, g_strerror(errno));
        if (n > 0 && !hp_sendmail_message_add(message, (HpSlice){ buffer, (size_t)n }))
            break;
    } while (n != 0);
    if (message->bytes->len + message->line->len > HP_SENDMAIL_MAX_MESSAGE)
        return complain(EX_DATAERR, _("the message is too large to be sent"));
    hp_sendmail_message_finish(message);
    return EX_OK;
}

static int
refuse_address(int exit, const char *text)
{
    g_autofree char *problem = g_strdup_printf(_("this is not a mail address: %s"), text);

    return complain(exit, problem);
}

static int
add_recipients(Mail *mail, const HpSendmailArgs *args)
{
    for (guint i = 0; i < args->addresses->len; i++) {
        const char *text = g_ptr_array_index(args->addresses, i);
        GPtrArray *list = hp_address_parse_list(hp_slice_of(text), 1000);

        if (list->len == 0) {
            g_ptr_array_unref(list);
            return refuse_address(EX_USAGE, text);
        }
        g_ptr_array_extend_and_steal(mail->recipients, list);
    }
    return EX_OK;
}

/* An account's name without a domain is completed by the daemon. */
static int
choose_sender(Mail *mail, const HpSendmailArgs *args)
{
    const char *text = args->sender != NULL ? args->sender : g_get_user_name();
    g_autoptr(GPtrArray) list = NULL;

    if (*text == '\0' || g_str_equal(text, "<>")) {
        mail->sender = g_strdup("");
        return EX_OK;
    }
    list = hp_address_parse_list(hp_slice_of(text), 2);
    if (list->len != 1)
        return complain(EX_USAGE, _("the sender behind -f is not a mail address"));
    mail->sender = hp_address_write(g_ptr_array_index(list, 0));
    return EX_OK;
}

/* For -t: those whom the message itself names. */
static int
take_recipients(Mail *mail)
{
    g_autofree char *wrong = NULL;
    g_autoptr(GPtrArray) found = hp_sendmail_message_recipients(mail->message, &wrong);

    if (wrong != NULL)
        return refuse_address(EX_DATAERR, wrong);
    g_ptr_array_extend_and_steal(mail->recipients, g_steal_pointer(&found));
    return EX_OK;
}

static int
prepare(Mail *mail, const HpSendmailArgs *args)
{
    int exit = choose_sender(mail, args);

    mail->message = hp_sendmail_message_new(!args->ignore_dots);
    if (exit == EX_OK)
        exit = read_input(mail->message);
    if (exit != EX_OK)
        return exit;
    mail->recipients = hp_address_parse_list(hp_slice_of(""), 1);
    if (args->from_header)
        exit = take_recipients(mail);
    if (exit == EX_OK)
        exit = add_recipients(mail, args);
    if (exit == EX_OK && mail->recipients->len == 0)
        return complain(EX_USAGE, _("no recipient was given; name one, or use -t with a "
                                    "message that has a To field"));
    if (args->name != NULL)
        hp_sendmail_message_add_from(mail->message, args->name,
                                     *mail->sender != '\0' ? mail->sender
                                                           : g_get_user_name());
    return exit;
}

int
hp_cmd_sendmail(int argc, char **argv)
{
    HpSendmailArgs args = { 0 };
    g_auto(Mail) mail = { NULL, NULL, NULL };
    g_autoptr(GError) error = NULL;
    int exit = EX_OK;

    if (!hp_sendmail_parse_args(argc, argv, &args, &error))
        exit = complain(EX_USAGE, error->message);
    if (exit == EX_OK)
        exit = prepare(&mail, &args);
    if (exit == EX_OK)
        exit = transfer(&mail);
    hp_sendmail_args_clear(&args);
    return exit;
}
