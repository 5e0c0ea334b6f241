#include "hp-dots.h"

#include <string.h>

#define END "\r\n"

typedef struct {
    HpDotsSink sink; /* %NULL once it wants no more */
    gpointer data;   /* (unowned) (nullable) */
    HpDotsSummary sum;
    guint64 crs; /* of the block so far; if all are well, these three agree */
    guint64 lfs;
    guint64 crlfs;
    gboolean nul;
    char last;        /* the byte before, '\n' at first */
    gboolean at_line; /* at the beginning of a line */
    size_t line_len;  /* octets of this line so far */
} Reader;

/* A piece that holds no stuffed dot: counted, and given to the sink. */
static void
give(Reader *r, HpSlice piece)
{
    unsigned all = 0;

    if (piece.len == 0)
        return;
    for (size_t i = 0; i < piece.len; i++) {
        all |= (unsigned char)piece.data[i];
        r->crs += piece.data[i] == '\r';
        r->nul |= piece.data[i] == '\0';
    }
    r->sum.eight_bit = r->sum.eight_bit || all >= 0x80;
    r->sum.octets += piece.len;
    if (r->sink != NULL && !r->sink(piece, r->data))
        r->sink = NULL;
}

/* Steps over the rest of the line, or over all there is of it. */
static size_t
take_line(Reader *r, HpSlice in)
{
    const char *lf = memchr(in.data, '\n', in.len);
    size_t len = lf != NULL ? (size_t)(lf - in.data) + 1 : in.len;
    gboolean after_cr = (len >= 2 ? in.data[len - 2] : r->last) == '\r';

    r->line_len += len;
    r->last = in.data[len - 1];
    r->at_line = FALSE;
    if (lf == NULL)
        return len;
    r->lfs++;
    if (after_cr) {
        r->crlfs++;
        r->at_line = TRUE;
        r->sum.longest_line = MAX(r->sum.longest_line, r->line_len - 2);
        r->line_len = 0;
    }
    return len;
}

typedef enum {
    DOT_NONE,    /* an ordinary line */
    DOT_STUFFED, /* a dot that is not part of the text */
    DOT_END,     /* the line that ends the block */
    DOT_UNSURE,  /* more bytes are needed */
} Dot;

static Dot
look_for_dot(HpSlice in)
{
    if (in.data[0] != '.')
        return DOT_NONE;
    if (in.len >= 3)
        return memcmp(in.data + 1, END, 2) == 0 ? DOT_END : DOT_STUFFED;
    return in.len == 1 || in.data[1] == '\r' ? DOT_UNSURE : DOT_STUFFED;
}

/* Works through @in; returns how much of it is done with. @ret_end: the block ended. */
static size_t
work(Reader *r, HpSlice in, gboolean *ret_end)
{
    size_t begin = 0; /* of what was not given to the sink yet */
    size_t at = 0;

    while (at < in.len) {
        HpSlice rest = { in.data + at, in.len - at };
        Dot dot = r->at_line ? look_for_dot(rest) : DOT_NONE;

        if (dot == DOT_NONE) {
            at += take_line(r, rest);
            continue;
        }
        give(r, (HpSlice){ in.data + begin, at - begin });
        *ret_end = dot == DOT_END;
        if (dot == DOT_END)
            return at + 3;
        if (dot == DOT_UNSURE)
            return at;
        r->at_line = FALSE;
        r->last = '.';
        begin = ++at;
    }
    give(r, (HpSlice){ in.data + begin, at - begin });
    return at;
}

gboolean
hp_dots_read(HpChannel *channel, HpDotsSink sink, gpointer data,
             HpDotsSummary *ret_summary, GError **error)
{
    Reader r = { .sink = sink, .data = data, .last = '\n', .at_line = TRUE };
    gboolean end = FALSE;

    for (;;) {
        HpSlice in = hp_channel_input(channel);

        if (in.len > 0)
            hp_channel_consume(channel, work(&r, in, &end));
        if (end)
            break;
        if (!hp_channel_fill(channel, error))
            return FALSE;
    }
    r.sum.bare = r.nul || r.crs != r.crlfs || r.lfs != r.crlfs;
    *ret_summary = r.sum;
    return TRUE;
}

static gboolean
is_line_end(char byte)
{
    return byte == '\r' || byte == '\n';
}

/* A whole line, or the part of one that @piece holds. A bare CR is answered with CRLF at
 * once; an LF that follows it, perhaps in the next piece, is then swallowed. */
static gboolean
write_line(HpDotsWriter *self, HpChannel *channel, HpSlice line, GError **error)
{
    HpSlice text = line;
    gboolean crlf = line.len >= 2 && memcmp(line.data + line.len - 2, END, 2) == 0;

    if (line.len == 1 && line.data[0] == '\n' && self->last == '\r') {
        self->last = '\n';
        return TRUE;
    }
    if (line.data[0] == '.' && is_line_end(self->last) &&
        !hp_channel_write(channel, HP_SLICE_LITERAL("."), error))
        return FALSE;
    self->last = line.data[line.len - 1];
    if (is_line_end(self->last) && !crlf)
        text.len--;
    if (!hp_channel_write(channel, text, error))
        return FALSE;
    return is_line_end(self->last) && !crlf
               ? hp_channel_write(channel, HP_SLICE_LITERAL(END), error)
               : TRUE;
}

/* Up to and with the first CRLF, bare CR or bare LF; all of it if there is none. */
static size_t
line_length(HpSlice piece)
{
    const char *lf = memchr(piece.data, '\n', piece.len);
    size_t len = lf != NULL ? (size_t)(lf - piece.data) + 1 : piece.len;
    const char *cr = memchr(piece.data, '\r', len);

    if (cr == NULL || (lf != NULL && cr + 1 == lf))
        return len;
    return (size_t)(cr - piece.data) + 1;
}

gboolean
hp_dots_write(HpDotsWriter *self, HpChannel *channel, HpSlice piece, GError **error)
{
    while (piece.len > 0) {
        size_t len = line_length(piece);

        if (!write_line(self, channel, (HpSlice){ piece.data, len }, error))
            return FALSE;
        self->open = TRUE;
        piece.data += len;
        piece.len -= len;
    }
    return TRUE;
}

gboolean
hp_dots_finish(HpDotsWriter *self, HpChannel *channel, GError **error)
{
    if (is_line_end(self->last))
        return TRUE;
    self->last = '\n';
    return hp_channel_write(channel, HP_SLICE_LITERAL(END), error);
}
