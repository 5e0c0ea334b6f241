#include "hp-summary-private.h"

#include <string.h>

/* A kept summary: version (1 octet), check sum of what follows (8), then numbers of seven
 * bits an octet, lowest first, and texts: their length, their bytes, a NUL. It is read in
 * place: the texts are used where they are. */
#define PREFIX       ((size_t)9)
#define FLAG_REPLY   1
#define FLAG_DATED   2
#define FLAG_TEXT    1  /* of a part */
#define MOST_NUMBERS 10 /* octets of a number */
#define CHECK_PRIME  G_GUINT64_CONSTANT(0x9E3779B97F4A7C15)

#define EACH_OCTET(value) (G_GUINT64_CONSTANT(0x0101010101010101) * (value))

/* ---- write ------------------------------------------------------------------------ */

/* Not against an adversary, who could change the messages themselves: against a disk that
 * lies. Eight octets at a time, for each FETCH comes by here. */
static guint64
add_word(guint64 sum, guint64 word)
{
    sum = (sum ^ GUINT64_FROM_LE(word)) * CHECK_PRIME;
    return sum ^ sum >> 29;
}

static guint64
check_sum(const char *data, size_t len)
{
    guint64 sum = len * CHECK_PRIME;
    guint64 word = 0;

    for (; len >= sizeof word; data += sizeof word, len -= sizeof word) {
        memcpy(&word, data, sizeof word);
        sum = add_word(sum, word);
    }
    if (len == 0)
        return sum;
    word = 0;
    memcpy(&word, data, len);
    return add_word(sum, word);
}

static void
put_number(GString *out, guint64 number)
{
    while (number >= 0x80) {
        g_string_append_c(out, (char)(number | 0x80));
        number >>= 7;
    }
    g_string_append_c(out, (char)number);
}

/* Negative numbers are odd, so that small ones are short. */
static void
put_signed(GString *out, gint64 number)
{
    put_number(out, number < 0 ? (~(guint64)number << 1) | 1 : (guint64)number << 1);
}

static void
put_text(GString *out, const char *text)
{
    size_t len = strlen(text);

    put_number(out, len);
    g_string_append_len(out, text, (gssize)len + 1);
}

static void
put_part(GString *out, const HpSummaryKeptPart *part)
{
    put_number(out, part->parent);
    put_number(out, part->kind);
    put_number(out, part->encoding);
    put_number(out, part->is_text ? FLAG_TEXT : 0);
    put_number(out, part->mime_start);
    put_number(out, part->body_start - part->mime_start);
    put_number(out, part->body_end - part->body_start);
    if (part->is_text)
        put_text(out, part->charset);
}

void
hp_summary_seal(GString *kept)
{
    guint64 sum = GUINT64_TO_LE(check_sum(kept->str + PREFIX, kept->len - PREFIX));

    kept->str[0] = HP_SUMMARY_VERSION;
    memcpy(kept->str + 1, &sum, sizeof sum);
}

GString *
hp_summary_write_kept(const HpSummary *self)
{
    GString *out = g_string_sized_new(1024);

    g_string_append_c(out, HP_SUMMARY_VERSION);
    g_string_append_len(out, "\0\0\0\0\0\0\0", PREFIX - 1);
    put_number(out,
               (self->is_reply ? FLAG_REPLY : 0) | (self->is_dated ? FLAG_DATED : 0));
    put_signed(out, self->sent_sec);
    put_signed(out, self->sent_day);
    for (guint i = 0; i < HP_SUMMARY_TEXT_COUNT; i++)
        put_text(out, self->texts[i]);
    put_number(out, self->n_parts);
    for (guint i = 0; i < self->n_parts; i++)
        put_part(out, &self->parts[i]);
    hp_summary_seal(out);
    return out;
}

GBytes *
hp_summary_pack(const HpSummary *self)
{
    return g_bytes_new(self->kept, self->kept_len);
}

/* ---- read ------------------------------------------------------------------------- */

static gboolean
get_number(HpCursor *c, guint64 max, guint64 *ret_number)
{
    guint64 number = 0;

    for (guint i = 0; i < MOST_NUMBERS && !hp_cursor_at_end(c); i++) {
        unsigned char byte = (unsigned char)*c->at++;

        number |= (guint64)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *ret_number = number;
            return number <= max;
        }
    }
    return FALSE;
}

static gboolean
get_signed(HpCursor *c, gint64 *ret_number)
{
    guint64 number;

    if (!get_number(c, G_MAXUINT64, &number))
        return FALSE;
    *ret_number = (gint64)((number & 1) != 0 ? ~(number >> 1) : number >> 1);
    return TRUE;
}

/* ASCII without NUL, eight octets at a time: most texts are no more than that. */
static gboolean
is_plain(const char *text, size_t len)
{
    guint64 word;

    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        /* Below 0x80 only a NUL borrows from its highest bit. */
        if (((word | (word - EACH_OCTET(1))) & EACH_OCTET(0x80)) != 0)
            return FALSE;
    }
    for (; len > 0; text++, len--)
        if (*text == '\0' || ((unsigned char)*text & 0x80) != 0)
            return FALSE;
    return TRUE;
}

static gboolean
get_text(HpCursor *c, const char **ret_text)
{
    size_t left;
    guint64 len;

    if (!get_number(c, G_MAXSIZE, &len))
        return FALSE;
    left = hp_cursor_rest(c).len;
    if (len >= left || c->at[len] != '\0' ||
        (!is_plain(c->at, (size_t)len) && !g_utf8_validate_len(c->at, (size_t)len, NULL)))
        return FALSE;
    *ret_text = c->at;
    c->at += len + 1;
    return TRUE;
}

static gboolean
get_place(HpCursor *c, HpSummaryKeptPart *part)
{
    guint64 header, body;

    /* Sums of three that are each below 2^62 do not overflow. */
    if (!get_number(c, G_MAXUINT64 / 4, &part->mime_start) ||
        !get_number(c, G_MAXUINT64 / 4, &header) ||
        !get_number(c, G_MAXUINT64 / 4, &body))
        return FALSE;
    part->body_start = part->mime_start + header;
    part->body_end = part->body_start + body;
    return TRUE;
}

static gboolean
get_part(HpCursor *c, guint index, HpSummaryKeptPart *part)
{
    guint64 parent, kind, encoding, flags;

    if (!get_number(c, index > 0 ? index - 1 : 0, &parent) ||
        !get_number(c, HP_MIME_MESSAGE, &kind) ||
        !get_number(c, HP_MIME_UNKNOWN_ENCODING, &encoding) ||
        !get_number(c, FLAG_TEXT, &flags) || !get_place(c, part))
        return FALSE;
    part->parent = (guint)parent;
    part->kind = (HpMimeKind)kind;
    part->encoding = (HpMimeEncoding)encoding;
    part->is_text = flags != 0;
    part->charset = "";
    return !part->is_text || get_text(c, &part->charset);
}

static gboolean
get_parts(HpCursor *c, HpSummary *self)
{
    guint64 n;

    if (!get_number(c, HP_MIME_MAX_PARTS, &n) || n == 0)
        return FALSE;
    self->n_parts = (guint)n;
    self->parts = g_new0(HpSummaryKeptPart, self->n_parts);
    for (guint i = 0; i < self->n_parts; i++)
        if (!get_part(c, i, &self->parts[i]))
            return FALSE;
    return hp_cursor_at_end(c);
}

static gboolean
get_all(HpSummary *self)
{
    HpCursor c = { self->kept + PREFIX, self->kept + self->kept_len };
    guint64 flags;

    if (!get_number(&c, FLAG_REPLY | FLAG_DATED, &flags) ||
        !get_signed(&c, &self->sent_sec) || !get_signed(&c, &self->sent_day))
        return FALSE;
    self->is_reply = (flags & FLAG_REPLY) != 0;
    self->is_dated = (flags & FLAG_DATED) != 0;
    for (guint i = 0; i < HP_SUMMARY_TEXT_COUNT; i++)
        if (!get_text(&c, &self->texts[i]))
            return FALSE;
    return get_parts(&c, self);
}

HpSummary *
hp_summary_unpack(HpSlice kept)
{
    g_autoptr(HpSummary) self = NULL;
    guint64 sum;

    if (kept.len <= PREFIX || kept.data[0] != HP_SUMMARY_VERSION)
        return NULL;
    memcpy(&sum, kept.data + 1, sizeof sum);
    if (GUINT64_FROM_LE(sum) != check_sum(kept.data + PREFIX, kept.len - PREFIX))
        return NULL;
    self = g_new0(HpSummary, 1);
    self->kept = hp_slice_dup(kept);
    self->kept_len = kept.len;
    return get_all(self) ? g_steal_pointer(&self) : NULL;
}
