#include "hp-casemap.h"

#include <string.h>

#define LONGEST_DECOMPOSITION 18 /* characters: U+FDFA has that many in NFKD */
#define WORD_OF(byte)         (0x0101010101010101ULL * (guint64)(byte))

struct _HpCasemapFinder {
    HpSlice needle; /* (unowned) */
    GString *tail;  /* (owned): the last needle.len - 1 bytes of what came */
};

/* Eight bytes at once; all of them must be ASCII. A byte is a small letter if it carries
 * into its highest bit with the first sum, and not with the second. */
static guint64
upper_word(guint64 word)
{
    guint64 from_a = word + WORD_OF(0x80 - 'a');
    guint64 past_z = word + WORD_OF(0x80 - 'z' - 1);
    guint64 small = from_a & ~past_z & WORD_OF(0x80);

    return word - (small >> 2);
}

/* The longest run of ASCII at the start of @text, appended in capitals. */
static size_t
append_ascii(GString *out, HpSlice text)
{
    size_t start = out->len, done = 0;

    g_string_set_size(out, start + text.len);
    while (done + sizeof(guint64) <= text.len) {
        guint64 word;

        memcpy(&word, text.data + done, sizeof word);
        if ((word & WORD_OF(0x80)) != 0)
            break;
        word = upper_word(word);
        memcpy(out->str + start + done, &word, sizeof word);
        done += sizeof word;
    }
    for (; done < text.len && (unsigned char)text.data[done] < 0x80; done++)
        out->str[start + done] = g_ascii_toupper(text.data[done]);
    g_string_truncate(out, start + done);
    return done;
}

/* Field 14 of UnicodeData.txt. GLib maps letters only; these have a titlecase too. */
static gunichar
to_title(gunichar c)
{
    if (c >= 0x2170 && c <= 0x217F) /* small roman numerals */
        return c - 0x10;
    if (c >= 0x24D0 && c <= 0x24E9) /* circled small letters */
        return c - 0x1A;
    if (c == 0x0345) /* combining iota subscript */
        return 0x0399;
    return g_unichar_totitle(c);
}

static void
append_unichar(GString *out, gunichar c)
{
    gunichar parts[LONGEST_DECOMPOSITION];
    gsize n = g_unichar_fully_decompose(to_title(c), TRUE, parts, G_N_ELEMENTS(parts));

    for (gsize i = 0; i < MIN(n, G_N_ELEMENTS(parts)); i++)
        g_string_append_unichar(out, parts[i]);
}

static void
append_character(GString *out, HpCursor *c)
{
    gunichar character = g_utf8_get_char_validated(c->at, c->end - c->at);

    if (character >= (gunichar)-2) { /* no UTF-8 */
        g_string_append_c(out, *c->at++);
        return;
    }
    append_unichar(out, character);
    c->at += g_unichar_to_utf8(character, NULL);
}

void
hp_casemap_append(GString *out, HpSlice utf8)
{
    HpCursor c = hp_cursor_over(utf8);

    while (!hp_cursor_at_end(&c)) {
        c.at += append_ascii(out, hp_cursor_rest(&c));
        while (hp_cursor_peek(&c) >= 0x80)
            append_character(out, &c);
    }
}

char *
hp_casemap_key(const char *utf8)
{
    HpSlice text = hp_slice_of(utf8);
    GString *key = g_string_sized_new(text.len + 1);

    hp_casemap_append(key, text);
    return g_string_free(key, FALSE);
}

static gboolean
is_in(HpSlice text, HpSlice needle)
{
    if (needle.len == 0)
        return TRUE;
    return text.len >= needle.len &&
           memmem(text.data, text.len, needle.data, needle.len) != NULL;
}

gboolean
hp_casemap_contains(HpSlice utf8, HpSlice prepared_needle)
{
    g_autoptr(GString) prepared = g_string_sized_new(utf8.len + 1);

    hp_casemap_append(prepared, utf8);
    return is_in(hp_slice_of_string(prepared), prepared_needle);
}

HpCasemapFinder *
hp_casemap_finder_new(HpSlice prepared_needle)
{
    HpCasemapFinder *self = g_new0(HpCasemapFinder, 1);

    self->needle = prepared_needle;
    self->tail = g_string_new(NULL);
    return self;
}

void
hp_casemap_finder_free(HpCasemapFinder *self)
{
    if (self == NULL)
        return;
    g_string_free(self->tail, TRUE);
    g_free(self);
}

void
hp_casemap_finder_restart(HpCasemapFinder *self)
{
    g_string_truncate(self->tail, 0);
}

/* Keeps the end of tail and piece, one byte less than the needle. */
static void
keep_tail(HpCasemapFinder *self, HpSlice piece)
{
    size_t keep = self->needle.len - 1;

    if (piece.len >= keep) {
        g_string_truncate(self->tail, 0);
        piece.data += piece.len - keep;
        piece.len = keep;
    } else if (self->tail->len + piece.len > keep) {
        g_string_erase(self->tail, 0, (gssize)(self->tail->len + piece.len - keep));
    }
    g_string_append_len(self->tail, piece.data, (gssize)piece.len);
}

gboolean
hp_casemap_finder_feed(HpCasemapFinder *self, HpSlice prepared_piece)
{
    size_t across = MIN(prepared_piece.len, MAX(self->needle.len, 1) - 1);
    size_t before = self->tail->len;

    if (is_in(prepared_piece, self->needle))
        return TRUE;
    if (prepared_piece.len == 0)
        return FALSE;
    /* A needle that began in what came before ends in the first bytes of this. */
    g_string_append_len(self->tail, prepared_piece.data, (gssize)across);
    if (is_in(hp_slice_of_string(self->tail), self->needle))
        return TRUE;
    g_string_truncate(self->tail, before);
    keep_tail(self, prepared_piece);
    return FALSE;
}
