#include "hp-pop3-surrogate.h"

#include "hp-text.h"

#include <string.h>

#define LINE_MAX_OCTETS ((size_t)64 * 1024)
#define WORD_OCTETS     45 /* of UTF-8 in one encoded-word: 60 of base64, 72 in all */
#define NO_ADDRESS      "<invalid@internationalized-address.invalid>" /* RFC 6858 §2.1 */

struct _HpPop3Surrogate {
    gboolean in_body;
    GString *line; /* (owned): a line that has not ended */
};

HpPop3Surrogate *
hp_pop3_surrogate_new(void)
{
    HpPop3Surrogate *self = g_new0(HpPop3Surrogate, 1);

    self->line = g_string_new(NULL);
    return self;
}

void
hp_pop3_surrogate_free(HpPop3Surrogate *self)
{
    g_string_free(self->line, TRUE);
    g_free(self);
}

/* encoded-word = "=?UTF-8?B?" base64 "?=" (RFC 2047 §2); the space between two of them is
 * not shown, so a long word may be cut at any character. */
static void
append_encoded(GString *out, HpSlice word)
{
    g_autofree char *utf8 = g_utf8_make_valid(word.data, (gssize)word.len);
    const char *at = utf8;
    const char *end = utf8 + strlen(utf8);

    while (at < end) {
        const char *stop = end - at > WORD_OCTETS ? at + WORD_OCTETS : end;
        g_autofree char *base64 = NULL;

        while (stop < end && ((unsigned char)*stop & 0xC0) == 0x80)
            stop--; /* not inside a character */
        base64 = g_base64_encode((const guchar *)at, (gsize)(stop - at));
        g_string_append_printf(out, "%s=?UTF-8?B?%s?=", at > utf8 ? "\r\n " : "", base64);
        at = stop;
    }
}

static gboolean
is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static gboolean
is_no_blank(unsigned char byte)
{
    return !is_blank(byte);
}

/* word = quoted-string *other / 1*other, where other is any byte but a blank: what stands
 * in quotes stays together. */
static HpSlice
take_word(HpCursor *c)
{
    HpSlice word = { c->at, 0 };
    HpCursor p = *c;

    if (hp_cursor_skip(&p, '"')) {
        hp_cursor_take_until(&p, '"');
        if (hp_cursor_skip(&p, '"'))
            *c = p;
    }
    hp_cursor_take(c, is_no_blank);
    word.len = word.data == c->at ? 0 : (size_t)(c->at - word.data);
    return word;
}

/* An "@" in quotes makes no address. */
static gboolean
is_address(HpSlice word)
{
    const char *quote = memrchr(word.data, '"', word.len);
    const char *from = quote != NULL ? quote : word.data;

    return memchr(from, '@', word.len - (size_t)(from - word.data)) != NULL;
}

/* A run of words of which each is not ASCII: they become one, because the spaces between
 * encoded-words are not shown (RFC 2047 §6.2). */
static HpSlice
take_foreign(HpCursor *c)
{
    HpSlice run = { c->at, 0 };

    for (;;) {
        HpCursor next = *c;
        HpSlice word;

        if (run.len > 0)
            hp_cursor_take(&next, is_blank);
        word = take_word(&next);
        if (hp_text_is_ascii(word) || is_address(word))
            return run;
        *c = next;
        run.len = (size_t)(c->at - run.data);
    }
}

/* Inside a quoted string an encoded-word would not be decoded (RFC 2047 §5), so quotes at
 * both ends go; commas and brackets that end an address stay outside. */
static void
append_phrase(GString *out, HpSlice run)
{
    HpSlice tail = { run.data + run.len, 0 };

    while (run.len > 1 && strchr("\",;", run.data[run.len - 1]) != NULL) {
        run.len--;
        tail.data--;
        tail.len++;
    }
    if (run.data[0] == '"') {
        run.data++;
        run.len--;
    }
    if (run.len > 0)
        append_encoded(out, run);
    for (size_t i = 0; i < tail.len; i++)
        if (tail.data[i] != '"')
            g_string_append_c(out, tail.data[i]);
}

static void
append_address(GString *out, HpSlice word)
{
    g_string_append(out, NO_ADDRESS);
    if (word.data[word.len - 1] == ',' || word.data[word.len - 1] == ';')
        g_string_append_c(out, word.data[word.len - 1]);
}

/* A line of a header with its CRLF. Its name, up to the colon, is ASCII in every message
 * that is one. */
static void
rewrite(HpSlice line, GString *out)
{
    HpCursor c = hp_cursor_over(line);

    while (!hp_cursor_at_end(&c)) {
        HpSlice blanks = hp_cursor_take(&c, is_blank);
        HpSlice run = take_foreign(&c);
        HpSlice word = { NULL, 0 };

        g_string_append_len(out, blanks.data, (gssize)blanks.len);
        if (run.len > 0) {
            append_phrase(out, run);
            continue;
        }
        word = take_word(&c);
        if (word.len == 0)
            continue;
        if (hp_text_is_ascii(word))
            g_string_append_len(out, word.data, (gssize)word.len);
        else
            append_address(out, word);
    }
}

static void
replace_bytes(HpSlice line, GString *out)
{
    for (size_t i = 0; i < line.len; i++)
        g_string_append_c(out, (unsigned char)line.data[i] < 0x80 ? line.data[i] : '?');
}

static gboolean
give_line(HpPop3Surrogate *self, HpSlice line, HpPop3Sink sink, gpointer data)
{
    g_autoptr(GString) out = NULL;

    if (hp_slice_trim(line).len == 0)
        self->in_body = TRUE;
    if (line.len == 0 || hp_text_is_ascii(line))
        return line.len == 0 || sink(line, data);
    out = g_string_sized_new(line.len * 2);
    if (line.len >= LINE_MAX_OCTETS)
        replace_bytes(line, out);
    else
        rewrite(line, out);
    return sink(hp_slice_of_string(out), data);
}

/* Gathers up to and with LF, or up to the limit. */
static size_t
gather(HpPop3Surrogate *self, HpSlice piece)
{
    const char *lf = memchr(piece.data, '\n', piece.len);
    size_t len = lf != NULL ? (size_t)(lf - piece.data) + 1 : piece.len;

    len = MIN(len, LINE_MAX_OCTETS - self->line->len);
    g_string_append_len(self->line, piece.data, (gssize)len);
    return len;
}

gboolean
hp_pop3_surrogate_add(HpPop3Surrogate *self, HpSlice piece, HpPop3Sink sink,
                      gpointer data)
{
    while (piece.len > 0) {
        size_t len;

        if (self->in_body)
            return sink(piece, data);
        len = gather(self, piece);
        piece.data += len;
        piece.len -= len;
        if (self->line->len < LINE_MAX_OCTETS &&
            self->line->str[self->line->len - 1] != '\n')
            return TRUE;
        if (!give_line(self, hp_slice_of_string(self->line), sink, data))
            return FALSE;
        g_string_truncate(self->line, 0);
    }
    return TRUE;
}

gboolean
hp_pop3_surrogate_end(HpPop3Surrogate *self, HpPop3Sink sink, gpointer data)
{
    return self->line->len == 0 ||
           give_line(self, hp_slice_of_string(self->line), sink, data);
}
