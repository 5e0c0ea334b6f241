/* RETR and TOP: a message on its way out (RFC 1939 §5, §7; RFC 6856 §2.1). */
#include "hp-pop3-session-private.h"

#include "hp-dots.h"
#include "hp-log.h"
#include "hp-pop3-command.h"
#include "hp-pop3-surrogate.h"

#include <glib/gi18n.h>
#include <string.h>

#define PIECE_MAX     ((size_t)64 * 1024) /* octets read at once */
#define RETRIEVE_USEC ((gint64)10 * 60 * G_USEC_PER_SEC)

/* How far TOP has come: lines of the body still to be sent. */
typedef struct {
    gboolean whole;   /* RETR: no end but the message's */
    gboolean in_body; /* the empty line has passed */
    guint64 lines;
    size_t line_len; /* octets of this line so far, without a CR at its end */
} Limit;

/* How much of @piece is to be sent; less than all of it means: nothing behind it. */
static size_t
cut(Limit *limit, HpSlice piece)
{
    if (limit->whole)
        return piece.len;
    for (size_t i = 0; i < piece.len; i++) {
        if (limit->in_body && limit->lines == 0)
            return i;
        if (piece.data[i] == '\r')
            continue;
        if (piece.data[i] != '\n') {
            limit->line_len++;
            continue;
        }
        if (limit->in_body)
            limit->lines--;
        else
            limit->in_body = limit->line_len == 0;
        limit->line_len = 0;
    }
    return piece.len;
}

typedef struct {
    HpPop3Session *s; /* (unowned) */
    HpDotsWriter dots;
    HpPop3Surrogate *header; /* (owned) (nullable): while the header is rewritten */
} Output;

static gboolean
write_dotted(HpSlice bytes, gpointer output)
{
    Output *self = output;

    return hp_dots_write(&self->dots, self->s->channel, bytes, NULL);
}

static gboolean
write_piece(Output *self, HpSlice piece)
{
    return self->header != NULL
               ? hp_pop3_surrogate_add(self->header, piece, write_dotted, self)
               : write_dotted(piece, self);
}

/* From here a failure can no more be said: only a closed connection tells the client that
 * what it has is not all. */
static gboolean
stream(Output *out, HpContent *content, Limit *limit)
{
    g_autofree char *buffer = g_malloc(PIECE_MAX);
    g_autoptr(GError) error = NULL;
    guint64 offset = 0;
    size_t sent = 0;
    gssize n;

    do {
        n = hp_content_read(content, offset, buffer, PIECE_MAX, &error);
        if (n < 0) {
            hp_log("pop3", hp_connection_id(out->s->connection), G_LOG_LEVEL_WARNING,
                   "a message could not be read to its end: %s", error->message);
            return FALSE;
        }
        sent = cut(limit, (HpSlice){ buffer, (size_t)n });
        if (!write_piece(out, (HpSlice){ buffer, sent }))
            return FALSE;
        offset += (guint64)n;
    } while (n > 0 && sent == (size_t)n);
    return out->header == NULL || hp_pop3_surrogate_end(out->header, write_dotted, out);
}

/* Other messages are not concerned: the session goes on. */
static void
refuse_message(HpPop3Session *s, const GError *error)
{
    if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND)) {
        hp_pop3_err(s, NULL, _("Another program has deleted this message meanwhile."));
        return;
    }
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING,
           "a message cannot be read: %s", error->message);
    hp_pop3_err(s, HP_POP3_SYS_PERM,
                _("The content of this message is missing or damaged. The others are "
                  "all right."));
}

/* %TRUE if all of it went out. */
static gboolean
send_message(HpPop3Session *s, const HpStoreEntry *entry, Limit *limit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpContent) content =
        hp_store_open_content(s->options->store, entry, &error);
    Output out = { s, HP_DOTS_WRITER_INIT, NULL };
    gboolean done;

    if (content == NULL) {
        refuse_message(s, error);
        return FALSE;
    }
    hp_pop3_set_timeout(s, RETRIEVE_USEC);
    if (!hp_channel_printf(s->channel, NULL, "+OK %" G_GUINT64_FORMAT " octets\r\n",
                           entry->size)) {
        s->state = HP_POP3_ENDED;
        return FALSE;
    }
    out.header = s->utf8 ? NULL : hp_pop3_surrogate_new();
    done = stream(&out, content, limit) && hp_dots_finish(&out.dots, s->channel, NULL) &&
           hp_channel_write(s->channel, HP_SLICE_LITERAL(".\r\n"), NULL);
    g_clear_pointer(&out.header, hp_pop3_surrogate_free);
    if (!done)
        s->state = HP_POP3_ENDED;
    return done;
}

void
hp_pop3_cmd_retr(HpPop3Session *s, HpSlice args)
{
    Limit limit = { .whole = TRUE };
    guint index;
    const HpStoreEntry *entry = hp_pop3_find_entry(s, args, &index);

    if (entry != NULL && send_message(s, entry, &limit))
        s->marks[index] |= HP_POP3_COLLECTED;
}

void
hp_pop3_cmd_top(HpPop3Session *s, HpSlice args)
{
    HpCursor c = hp_cursor_over(args);
    HpSlice msg = hp_cursor_take_until(&c, ' ');
    const HpStoreEntry *entry;
    Limit limit = { .whole = FALSE };
    guint number;
    guint index;

    if (!hp_pop3_parse_top(args, G_MAXUINT, &number, &limit.lines)) {
        hp_pop3_error(s, _("TOP needs two numbers: of the message, and of lines."));
        return;
    }
    entry = hp_pop3_find_entry(s, msg, &index);
    if (entry != NULL)
        send_message(s, entry, &limit);
}
