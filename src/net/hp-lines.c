#include "hp-lines.h"

#include <string.h>

/* Where the first CRLF at or behind @from begins, or -1. */
static gssize
find_end(HpSlice in, size_t from)
{
    while (from < in.len) {
        const char *lf = memchr(in.data + from, '\n', in.len - from);
        size_t at;

        if (lf == NULL)
            return -1;
        at = (size_t)(lf - in.data);
        if (at > 0 && in.data[at - 1] == '\r')
            return (gssize)at - 1;
        from = at + 1;
    }
    return -1;
}

static gboolean
is_bare(HpSlice line)
{
    return line.len > 0 && (memchr(line.data, '\r', line.len) != NULL ||
                            memchr(line.data, '\n', line.len) != NULL ||
                            memchr(line.data, '\0', line.len) != NULL);
}

/* Drops everything up to and with the next CRLF, holding no more than a buffer of it. */
static HpLineResult
drop_line(HpChannel *channel, GError **error)
{
    for (;;) {
        HpSlice in = hp_channel_input(channel);
        gssize end = find_end(in, 0);

        if (end >= 0) {
            hp_channel_consume(channel, (size_t)end + 2);
            return HP_LINE_TOO_LONG;
        }
        /* A CR at the end may be the first half of the CRLF. */
        if (in.len > 0)
            hp_channel_consume(channel, in.len - (in.data[in.len - 1] == '\r' ? 1 : 0));
        if (!hp_channel_fill(channel, error))
            return HP_LINE_FAILED;
    }
}

HpLineResult
hp_lines_read(HpChannel *channel, size_t max_octets, HpSlice *ret_line, GError **error)
{
    size_t seen = 0;

    for (;;) {
        HpSlice in = hp_channel_input(channel);
        gssize end = find_end(in, seen);

        if (end >= 0 && (size_t)end + 2 <= max_octets) {
            *ret_line = (HpSlice){ in.data, (size_t)end };
            hp_channel_consume(channel, (size_t)end + 2);
            return is_bare(*ret_line) ? HP_LINE_BARE : HP_LINE_OK;
        }
        if (end >= 0 || in.len >= max_octets)
            return drop_line(channel, error);
        seen = in.len;
        if (!hp_channel_fill(channel, error))
            return HP_LINE_FAILED;
    }
}

/* token, RFC 9110 §5.6.2, as far as it matters here */
static gboolean
is_token_byte(unsigned char b)
{
    return g_ascii_isalnum(b) || b == '-' || b == '_';
}

gboolean
hp_line_is_http(HpSlice line)
{
    static const char *const methods[] = { "GET ",     "POST ",  "HEAD ",  "PUT ",
                                           "DELETE ",  "PATCH ", "TRACE ", "OPTIONS ",
                                           "CONNECT ", "PRI " };
    HpCursor c = hp_cursor_over(line);

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        HpCursor start = c;

        if (hp_cursor_skip_word(&start, methods[i]))
            return TRUE;
    }
    return hp_cursor_take(&c, is_token_byte).len > 0 && hp_cursor_skip(&c, ':');
}
