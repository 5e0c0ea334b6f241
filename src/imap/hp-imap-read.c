/* Commands on their way in: lines and literals, each under a limit that is looked at
 * before a single octet of what is announced is read. */
#include "hp-imap-session-private.h"

#include "hp-lines.h"
#include "hp-log.h"

#include <glib/gi18n.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define COMMAND_USEC  ((gint64)31 * 60 * G_USEC_PER_SEC) /* RFC 9051 §5.4: at least 30 */
#define LITERAL_USEC  ((gint64)5 * 60 * G_USEC_PER_SEC)
#define FAREWELL_USEC ((gint64)G_USEC_PER_SEC)

/* Octets. Sets of uids of big mailboxes make long lines. */
#define MAX_LINE                 ((size_t)64 * 1024)
#define MAX_LINE_BEFORE_LOGIN    ((size_t)16 * 1024)
#define MAX_LITERAL              ((guint64)64 * 1024) /* but for messages */
#define MAX_LITERAL_BEFORE_LOGIN ((guint64)4096)      /* RFC 7888 §5: LITERAL- */
#define MAX_COMMAND              ((size_t)256 * 1024)
#define MAX_COMMAND_BEFORE_LOGIN ((size_t)32 * 1024)
#define BUDGET_OF_COMMAND        (2 * MAX_COMMAND) /* a pipelined one may be read with it */

void
hp_imap_set_timeout(HpImapSession *s, gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;

    if (s->state == HP_IMAP_FRESH)
        deadline = MIN(deadline, s->login_by_usec);
    hp_channel_set_deadline(s->channel, deadline);
}

void
hp_imap_give_up(HpImapSession *s, const GError *error)
{
    hp_channel_set_timeout(s->channel, FAREWELL_USEC);
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT))
        hp_imap_bye(s, NULL, _("Nothing came for too long. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET))
        hp_imap_bye(s, NULL, _("Too much was sent at once. Goodbye."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED))
        hp_imap_bye(s, "UNAVAILABLE",
                    _("Hauspost ends this connection. Please try again later."));
    s->state = HP_IMAP_ENDED;
}

static gboolean
is_inside(const HpImapSession *s)
{
    return s->state != HP_IMAP_FRESH;
}

/* --- lines ---------------------------------------------------------------------------
 */

/* The tag is wanted early: whatever is wrong with the rest is said under it. */
static void
find_tag(HpImapSession *s)
{
    HpImapArgs args = hp_imap_args(hp_slice_of_string(s->command));
    HpSlice tag;

    g_free(s->tag);
    s->tag = hp_imap_take_tag(&args, &tag) ? hp_slice_dup(tag) : g_strdup("*");
}

static gboolean
hang_up_on_http(HpImapSession *s)
{
    hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_MESSAGE,
           "closed a connection that speaks HTTP");
    hp_imap_bye(s, NULL, _("This is a mail server, not a web server."));
    return FALSE;
}

/* Appends a line without its end to the command. */
static gboolean
read_line(HpImapSession *s, gboolean first)
{
    g_autoptr(GError) error = NULL;
    HpSlice line = { NULL, 0 };
    HpLineResult result = hp_lines_read(
        s->channel, is_inside(s) ? MAX_LINE : MAX_LINE_BEFORE_LOGIN, &line, &error);

    if (result == HP_LINE_FAILED) {
        hp_imap_give_up(s, error);
        return FALSE;
    }
    if (result != HP_LINE_TOO_LONG)
        g_string_append_len(s->command, line.data, (gssize)line.len);
    if (first && result != HP_LINE_TOO_LONG && hp_line_is_http(line))
        return hang_up_on_http(s);
    if (first)
        find_tag(s);
    if (result == HP_LINE_TOO_LONG)
        hp_imap_bad(s, _("This line is too long."));
    else if (result == HP_LINE_BARE)
        hp_imap_bad(s, _("A line ends with CR and LF, and only there."));
    return result == HP_LINE_OK;
}

/* --- literals ------------------------------------------------------------------------
 */

/* "{" number ["+"] "}" at the end of what was read so far. A number that fits nowhere
 * counts as the largest one. */
static gboolean
ends_in_literal(const GString *command, HpImapLiteral *ret_literal)
{
    size_t end = command->len;
    HpCursor c;

    if (end == 0 || command->str[end - 1] != '}')
        return FALSE;
    end--;
    ret_literal->waits = end == 0 || command->str[end - 1] != '+';
    if (!ret_literal->waits)
        end--;
    for (c.end = command->str + end, c.at = c.end;
         c.at > command->str && g_ascii_isdigit(c.at[-1]);)
        c.at--;
    if (c.at == c.end || c.at == command->str || c.at[-1] != '{')
        return FALSE;
    if (!hp_cursor_take_number(&c, G_MAXUINT64, &ret_literal->octets))
        ret_literal->octets = G_MAXUINT64;
    return TRUE;
}

/* "APPEND" SP, or ["UID" SP] "REPLACE" SP seq-number SP */
static gboolean
skip_name_of_append(HpImapArgs *args)
{
    HpSlice number;

    if (hp_imap_skip_word(args, "APPEND"))
        return hp_imap_take_space(args);
    if (hp_imap_skip_word(args, "UID") && !hp_imap_take_space(args))
        return FALSE;
    if (!hp_imap_skip_word(args, "REPLACE") || !hp_imap_take_space(args))
        return FALSE;
    number = hp_cursor_take_until(&args->c, ' ');
    return number.len > 0 && hp_imap_take_space(args);
}

/* Is the literal at the end the message of an APPEND or REPLACE, rather than its
 * mailbox's name? */
static gboolean
is_message(const HpImapSession *s)
{
    HpImapArgs args = hp_imap_args(hp_slice_of_string(s->command));
    HpSlice tag;
    HpSlice rest;
    guint64 octets;

    if (!is_inside(s) || !hp_imap_take_tag(&args, &tag) || !hp_imap_take_space(&args) ||
        !skip_name_of_append(&args))
        return FALSE;
    rest = hp_cursor_rest(&args.c);
    if (rest.len == 0 || rest.data[0] != '{')
        return TRUE;
    /* The name is a literal: it is read already if there is more than its size. */
    return hp_imap_take_literal_size(&args, &octets);
}

static void
append_piece(HpSlice piece, gpointer string)
{
    g_string_append_len(string, piece.data, (gssize)piece.len);
}

static void
forget_piece(HpSlice piece, gpointer data)
{
}

static gboolean
read_octets(HpImapSession *s, guint64 octets, HpImapSink sink, gpointer data)
{
    g_autoptr(GError) error = NULL;

    while (octets > 0) {
        HpSlice input = hp_channel_input(s->channel);
        size_t n = (size_t)MIN(octets, (guint64)input.len);

        if (n > 0)
            sink((HpSlice){ input.data, n }, data);
        hp_channel_consume(s->channel, n);
        octets -= n;
        if (octets > 0 && !hp_channel_fill(s->channel, &error)) {
            hp_imap_give_up(s, error);
            return FALSE;
        }
    }
    return TRUE;
}

/* The value of an annotation must be refused in words of its own (RFC 5464 §4.3). */
static gboolean
is_annotation(const HpImapSession *s)
{
    HpImapArgs args = hp_imap_args(hp_slice_of_string(s->command));
    HpSlice tag;

    return is_inside(s) && hp_imap_take_tag(&args, &tag) && hp_imap_take_space(&args) &&
           hp_imap_skip_word(&args, "SETMETADATA");
}

/* Too much is refused before it is read. What comes without waiting for the answer cannot
 * be told from commands then, so the connection ends. */
static gboolean
refuse_literal(HpImapSession *s, const HpImapLiteral *literal)
{
    if (!literal->waits)
        hp_imap_bye(s, "TOOBIG", _("This is too much to send at once. Goodbye."));
    else if (literal->octets > MAX_LITERAL && is_annotation(s))
        hp_imap_refuse_value(s);
    else
        hp_imap_bad(s, _("This is too much to send at once."));
    return FALSE;
}

/* Many clients send the line end behind a message by itself, and their system keeps it
 * until ours has acknowledged the message (RFC 896); ours waits 40 ms with that for
 * something to say (tcp(7), TCP_QUICKACK). */
static void
hurry(HpImapSession *s)
{
    int on = 1;

    if (hp_channel_pending(s->channel) == 0)
        setsockopt(hp_channel_fd(s->channel), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static gboolean
take_literal(HpImapSession *s, const HpImapLiteral *literal)
{
    guint64 max = is_inside(s) ? MAX_LITERAL : MAX_LITERAL_BEFORE_LOGIN;
    size_t max_command = is_inside(s) ? MAX_COMMAND : MAX_COMMAND_BEFORE_LOGIN;

    if (literal->octets > max || s->command->len + literal->octets > max_command)
        return refuse_literal(s, literal);
    if (literal->waits)
        hp_imap_write(s, HP_SLICE_LITERAL("+ Go ahead.\r\n"));
    g_string_append(s->command, "\r\n");
    hp_imap_set_timeout(s, LITERAL_USEC);
    if (s->state == HP_IMAP_ENDED ||
        !read_octets(s, literal->octets, append_piece, s->command))
        return FALSE;
    hurry(s);
    return TRUE;
}

/* --- commands ------------------------------------------------------------------------
 */

/* Reads lines and small literals up to the end of the command, or up to the literal of a
 * message. @more: behind one already, so every literal is one. */
static gboolean
read_rest(HpImapSession *s, gboolean more)
{
    size_t max = is_inside(s) ? MAX_COMMAND : MAX_COMMAND_BEFORE_LOGIN;
    HpImapLiteral literal = { FALSE, FALSE, 0 };

    for (gboolean first = !more;; first = FALSE) {
        if (!read_line(s, first))
            return FALSE;
        if (!ends_in_literal(s->command, &literal))
            return TRUE;
        if (more || is_message(s)) {
            s->literal = literal;
            s->literal.pending = TRUE;
            return TRUE;
        }
        if (!take_literal(s, &literal))
            return FALSE;
        if (s->command->len > max) {
            hp_imap_bye(s, "TOOBIG", _("This command is too long. Goodbye."));
            return FALSE;
        }
    }
}

gboolean
hp_imap_read_command(HpImapSession *s)
{
    g_string_truncate(s->command, 0);
    s->literal.pending = FALSE;
    hp_imap_set_timeout(s, COMMAND_USEC);
    if (is_inside(s))
        hp_channel_set_budget(s->channel, BUDGET_OF_COMMAND);
    return read_rest(s, FALSE);
}

gboolean
hp_imap_read_more(HpImapSession *s)
{
    g_string_truncate(s->command, 0);
    s->literal.pending = FALSE;
    hp_imap_set_timeout(s, LITERAL_USEC);
    hp_channel_set_budget(s->channel, BUDGET_OF_COMMAND);
    return read_rest(s, TRUE);
}

/* A slow client has three minutes, and then must send 500 octets a second. */
static gboolean
read_pending(HpImapSession *s, HpImapSink sink, gpointer data)
{
    guint64 octets = s->literal.octets;

    s->literal.pending = FALSE;
    hp_imap_set_timeout(s, (gint64)(180 + octets / 500) * G_USEC_PER_SEC);
    hp_channel_set_budget(s->channel, BUDGET_OF_COMMAND + (size_t)octets);
    if (!read_octets(s, octets, sink, data))
        return FALSE;
    hurry(s);
    return TRUE;
}

gboolean
hp_imap_read_literal(HpImapSession *s, HpImapSink sink, gpointer data)
{
    if (s->literal.waits)
        hp_imap_write(s, HP_SLICE_LITERAL("+ Go ahead.\r\n"));
    return s->state != HP_IMAP_ENDED && read_pending(s, sink, data);
}

void
hp_imap_drop_literal(HpImapSession *s)
{
    while (s->literal.pending && s->state != HP_IMAP_ENDED) {
        if (s->literal.waits) {
            s->literal.pending = FALSE;
            return; /* it is never asked for, so it does not come */
        }
        if (s->literal.octets > s->options->max_message_size) {
            s->literal.pending = FALSE;
            refuse_literal(s, &s->literal);
            return;
        }
        if (!read_pending(s, forget_piece, NULL) || !hp_imap_read_more(s))
            return;
    }
}
