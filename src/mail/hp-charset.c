#include "hp-charset.h"

#include "hp-text.h"
#include "hp-transfer.h"

#include <errno.h>
#include <iconv.h>

#define LONGEST_INPUT    ((size_t)16 * 1024 * 1024) /* a part that is searched or shown */
#define LONGEST_WORD     75                         /* RFC 2047 §2 */
#define LONGEST_LINE     76                         /* RFC 2047 §2 */
#define WORD_START       "=?UTF-8?Q?"
#define WORD_END         "?="
#define REPLACEMENT_UTF8 "\xEF\xBF\xBD" /* U+FFFD */

const char *
hp_charset_widen(const char *name)
{
    if (g_ascii_strcasecmp(name, "iso-8859-1") == 0 ||
        g_ascii_strcasecmp(name, "us-ascii") == 0)
        return "WINDOWS-1252";
    if (g_ascii_strcasecmp(name, "gb2312") == 0)
        return "GB18030";
    return name;
}

gboolean
hp_charset_copy_name(HpSlice charset, char name[HP_CHARSET_MAX_NAME + 1])
{
    if (charset.len == 0 || charset.len > HP_CHARSET_MAX_NAME)
        return FALSE;
    for (size_t i = 0; i < charset.len; i++) {
        char byte = charset.data[i];

        if (!g_ascii_isalnum(byte) && byte != '-' && byte != '_' && byte != ':' &&
            byte != '.')
            return FALSE;
        name[i] = byte;
    }
    name[charset.len] = '\0';
    return TRUE;
}

static void
convert_all(iconv_t converter, HpSlice bytes, GString *out)
{
    g_autofree char *input = hp_slice_dup(bytes);
    char *in = input;
    size_t in_left = bytes.len;
    char buffer[1024];

    while (in_left > 0) {
        char *to = buffer;
        size_t to_left = sizeof buffer, before = in_left;
        size_t done = iconv(converter, &in, &in_left, &to, &to_left);

        g_string_append_len(out, buffer, (gssize)(to - buffer));
        if (done != (size_t)-1)
            break;
        if (errno == E2BIG && (to != buffer || in_left != before))
            continue;
        /* A byte that is not in the set, or half a character at the end. */
        g_string_append(out, REPLACEMENT_UTF8);
        in++;
        in_left--;
    }
}

/* iconv() may hand out NUL and, from exotic sets, what GLib does not call valid. */
static char *
finish(GString *text)
{
    char *valid = g_utf8_make_valid(text->str, (gssize)text->len);

    g_string_free(text, TRUE);
    return valid;
}

static gboolean
convert(HpSlice bytes, const char *name, char **ret_text)
{
    iconv_t converter = iconv_open("UTF-8", hp_charset_widen(name));
    GString *out;

    /* iconv_open() says (iconv_t)-1; clang-tidy wants the integer on the other side. */
    if ((gintptr)converter == -1)
        return FALSE;
    out = g_string_sized_new(bytes.len + bytes.len / 4 + 1);
    convert_all(converter, bytes, out);
    iconv_close(converter);
    *ret_text = finish(out);
    return TRUE;
}

static char *
guess(HpSlice bytes)
{
    char *text = NULL;

    if (bytes.len == 0)
        return g_strdup("");
    if (g_utf8_validate_len(bytes.data, bytes.len, NULL))
        return g_strndup(bytes.data, bytes.len);
    /* A NUL makes text invalid for GLib; the rest may still be UTF-8. */
    if (memchr(bytes.data, '\0', bytes.len) == NULL &&
        convert(bytes, "WINDOWS-1252", &text))
        return text;
    return g_utf8_make_valid(bytes.data, (gssize)bytes.len);
}

static gboolean
is_utf8_name(const char *name)
{
    return g_ascii_strcasecmp(name, "utf-8") == 0 ||
           g_ascii_strcasecmp(name, "utf8") == 0;
}

/* Not of those in which ASCII octets may mean something else: escapes, or halves of what
 * is wider. @name is not UTF-8. */
static gboolean
is_ascii_superset(const char *name)
{
    static const char *const others[] = {
        "iso-2022", "utf-", "utf1", "utf7", "hz", "ucs"
    };

    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_ascii_strncasecmp(name, others[i], strlen(others[i])) == 0)
            return FALSE;
    return TRUE;
}

char *
hp_charset_to_utf8(HpSlice bytes, HpSlice charset)
{
    char name[HP_CHARSET_MAX_NAME + 1];
    char *text = NULL;

    bytes.len = MIN(bytes.len, LONGEST_INPUT);
    if (!hp_charset_copy_name(charset, name) || is_utf8_name(name))
        return guess(bytes);
    if (is_ascii_superset(name) && hp_text_is_ascii(bytes))
        return guess(bytes);
    if (bytes.len > 0 && convert(bytes, name, &text))
        return text;
    return guess(bytes);
}

typedef struct {
    HpSlice charset;
    HpSlice text;
    char encoding; /* 'B' or 'Q' */
} EncodedWord;

static gboolean
is_token(unsigned char byte)
{
    return byte > ' ' && byte < 0x7F && byte != '?' && byte != '=';
}

/* What real programs put there; "?" is the end, everything else is tolerated. */
static gboolean
is_encoded_text(unsigned char byte)
{
    return byte != '?' && byte != '\r' && byte != '\n';
}

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" */
static gboolean
take_encoded_word(HpCursor *cursor, EncodedWord *ret_word)
{
    HpCursor c = *cursor;
    EncodedWord word;
    const char *star;

    if (!hp_cursor_skip(&c, '=') || !hp_cursor_skip(&c, '?'))
        return FALSE;
    word.charset = hp_cursor_take(&c, is_token);
    if (word.charset.len == 0 || !hp_cursor_skip(&c, '?'))
        return FALSE;
    star = memchr(word.charset.data, '*', word.charset.len);
    if (star != NULL)
        word.charset.len = (size_t)(star - word.charset.data);
    word.encoding = (char)g_ascii_toupper((char)MAX(hp_cursor_peek(&c), 0));
    if ((word.encoding != 'B' && word.encoding != 'Q') ||
        (!hp_cursor_skip(&c, 'B') && !hp_cursor_skip(&c, 'b') &&
         !hp_cursor_skip(&c, 'Q') && !hp_cursor_skip(&c, 'q')) ||
        !hp_cursor_skip(&c, '?'))
        return FALSE;
    word.text = hp_cursor_take(&c, is_encoded_text);
    if (!hp_cursor_skip(&c, '?') || !hp_cursor_skip(&c, '='))
        return FALSE;
    *ret_word = word;
    *cursor = c;
    return TRUE;
}

/* The "Q" encoding, RFC 2047 §4.2. */
static void
decode_q(HpSlice text, GString *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int octet = text.data[i] == '=' ? hp_text_unhex(text, i + 1) : -1;

        if (octet >= 0) {
            g_string_append_c(out, (char)octet);
            i += 2;
        } else {
            g_string_append_c(out, text.data[i] == '_' ? ' ' : text.data[i]);
        }
    }
}

/* Words of the same set that follow each other are joined before they are converted:
 * many programs split a character between two words, against RFC 2047 §5. */
typedef struct {
    GString *out;   /* (owned): given away by finish() */
    GString *bytes; /* (unowned): of words that are not converted yet */
    HpSlice charset;
} Decoder;

static void
flush_words(Decoder *self)
{
    if (self->bytes->len > 0) {
        g_autofree char *text =
            hp_charset_to_utf8(hp_slice_of_string(self->bytes), self->charset);

        g_string_append(self->out, text);
    }
    g_string_truncate(self->bytes, 0);
}

static void
add_word(Decoder *self, const EncodedWord *word)
{
    if (self->charset.len != word->charset.len ||
        (word->charset.len > 0 &&
         g_ascii_strncasecmp(self->charset.data, word->charset.data, word->charset.len) !=
             0))
        flush_words(self);
    self->charset = word->charset;
    if (word->encoding == 'B')
        hp_transfer_decode_base64(word->text, self->bytes);
    else
        decode_q(word->text, self->bytes);
}

static void
add_plain(Decoder *self, HpSlice text)
{
    g_autofree char *utf8 = NULL;

    flush_words(self);
    if (hp_text_is_ascii(text)) {
        g_string_append_len(self->out, text.data != NULL ? text.data : "",
                            (gssize)text.len);
        return;
    }
    utf8 = guess(text);
    g_string_append(self->out, utf8);
}

static gboolean
is_white(HpSlice text)
{
    return hp_slice_trim(text).len == 0;
}

/* The plain text up to the next encoded word or the end. */
static HpSlice
take_plain(HpCursor *c, EncodedWord *ret_word, gboolean *ret_found)
{
    HpSlice plain = { c->at, 0 };

    *ret_found = FALSE;
    while (!hp_cursor_at_end(c)) {
        HpSlice run = hp_cursor_take_until(c, '=');

        plain.len += run.len;
        if (take_encoded_word(c, ret_word)) {
            *ret_found = TRUE;
            break;
        }
        if (hp_cursor_skip(c, '='))
            plain.len++;
    }
    return plain;
}

char *
hp_charset_decode_words(HpSlice value)
{
    HpCursor c;
    g_autoptr(GString) bytes = g_string_new(NULL);
    Decoder decoder = { NULL, bytes, { NULL, 0 } };
    gboolean after_word = FALSE;

    value.len = MIN(value.len, HP_CHARSET_MAX_HEADER);
    decoder.out = g_string_sized_new(value.len + 1);
    c = hp_cursor_over(value);
    while (!hp_cursor_at_end(&c)) {
        EncodedWord word;
        gboolean found;
        HpSlice plain = take_plain(&c, &word, &found);

        if (plain.len > 0 && !(after_word && found && is_white(plain)))
            add_plain(&decoder, plain);
        if (found)
            add_word(&decoder, &word);
        after_word = found;
    }
    flush_words(&decoder);
    /* A header value has no use for NUL, and a C string ends there. */
    return finish(decoder.out);
}

static gboolean
is_q_plain(unsigned char byte)
{
    /* RFC 2047 §5 (3): what is legal in a phrase is legal everywhere. */
    return g_ascii_isalnum(byte) || (byte != '\0' && strchr("!*+-/", byte) != NULL);
}

static guint
q_width(HpSlice character)
{
    if (character.len == 1 &&
        (is_q_plain((unsigned char)character.data[0]) || character.data[0] == ' '))
        return 1;
    return (guint)(3 * character.len);
}

static void
append_q(GString *out, HpSlice character)
{
    for (size_t i = 0; i < character.len; i++) {
        unsigned char byte = (unsigned char)character.data[i];

        if (byte == ' ')
            g_string_append_c(out, '_');
        else if (is_q_plain(byte))
            g_string_append_c(out, (char)byte);
        else
            g_string_append_printf(out, "=%02X", byte);
    }
}

static char *
encode_q(char *text, guint column)
{
    const guint overhead = sizeof WORD_START WORD_END - 1;
    GString *out = g_string_new(WORD_START);
    guint width = column + overhead; /* of the line, with the end of the word */

    for (char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        HpSlice character = { p, (size_t)(g_utf8_next_char(p) - p) };

        if (width + q_width(character) > LONGEST_WORD) {
            g_string_append(out, WORD_END "\r\n " WORD_START);
            width = 1 + overhead;
        }
        append_q(out, character);
        width += q_width(character);
    }
    g_string_append(out, WORD_END);
    return g_string_free(out, FALSE);
}

/* Folds at the last space before the limit; text without spaces stays whole. */
static char *
fold_ascii(HpSlice text, guint column)
{
    GString *out = g_string_sized_new(text.len + 8);
    HpCursor c = hp_cursor_over(text);
    gboolean first = TRUE;

    while (!hp_cursor_at_end(&c)) {
        HpSlice word = hp_cursor_take_until(&c, ' ');

        hp_cursor_skip(&c, ' ');
        if (!first && word.len > 0 && column + 1 + word.len > LONGEST_LINE) {
            g_string_append(out, "\r\n ");
            column = 1;
        } else if (!first) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append_len(out, word.len > 0 ? word.data : "", (gssize)word.len);
        column += (guint)word.len;
        first = FALSE;
    }
    return g_string_free(out, FALSE);
}

char *
hp_charset_encode_words(const char *utf8, guint column)
{
    g_autofree char *text = g_utf8_make_valid(utf8, -1);
    HpSlice all = hp_slice_of(text);

    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = ' ';
    if (hp_text_is_ascii(all) && memmem(text, all.len, "=?", 2) == NULL)
        return fold_ascii(hp_slice_trim(all), column);
    return encode_q(text, MIN(column, LONGEST_LINE / 2));
}
