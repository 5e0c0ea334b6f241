#include "hp-text-stream.h"

#include "hp-charset.h"
#include "hp-transfer.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define LONGEST_CHARACTER 16 /* octets of one in any set, with its shift sequence */
#define LONGEST_LINE      ((size_t)64 * 1024) /* of quoted-printable that is kept */
#define REPLACEMENT_UTF8  "\xEF\xBF\xBD"      /* U+FFFD */

struct _HpTextStream {
    HpMimeEncoding encoding;
    gboolean converts; /* else it is UTF-8, or a guess */
    iconv_t converter; /* (owned): if it converts */
    gboolean ended;    /* "=" has ended base64 */
    GString *encoded;  /* (owned): not decoded yet: half a line, half a group of four */
    GString *decoded;  /* (owned): not converted yet: half a character */
};

/* %FALSE for UTF-8, and for what is guessed. */
static gboolean
open_converter(const char *charset, iconv_t *ret_converter)
{
    char name[HP_CHARSET_MAX_NAME + 1];

    if (!hp_charset_copy_name(hp_slice_of(charset), name) ||
        g_ascii_strcasecmp(name, "utf-8") == 0 || g_ascii_strcasecmp(name, "utf8") == 0 ||
        g_ascii_strcasecmp(name, "us-ascii") == 0)
        return FALSE;
    *ret_converter = iconv_open("UTF-8", hp_charset_widen(name));
    /* iconv_open() says (iconv_t)-1; clang-tidy wants the integer on the other side. */
    return (gintptr)*ret_converter != -1;
}

HpTextStream *
hp_text_stream_new(HpMimeEncoding encoding, const char *charset)
{
    HpTextStream *self = g_new0(HpTextStream, 1);

    self->encoding = encoding;
    self->converts = open_converter(charset, &self->converter);
    self->encoded = g_string_new(NULL);
    self->decoded = g_string_new(NULL);
    return self;
}

void
hp_text_stream_free(HpTextStream *self)
{
    if (self == NULL)
        return;
    if (self->converts)
        iconv_close(self->converter);
    g_string_free(self->encoded, TRUE);
    g_string_free(self->decoded, TRUE);
    g_free(self);
}

/* --- transfer encoding ---------------------------------------------------------------
 */

static gboolean
is_base64(char byte)
{
    return g_ascii_isalnum(byte) || byte == '+' || byte == '/';
}

/* Whole groups of four are decoded; the rest waits. */
static void
decode_base64(HpTextStream *self, HpSlice bytes, gboolean last)
{
    size_t whole;

    for (size_t i = 0; i < bytes.len && !self->ended; i++) {
        if (bytes.data[i] == '=')
            self->ended = TRUE;
        else if (is_base64(bytes.data[i]))
            g_string_append_c(self->encoded, bytes.data[i]);
    }
    whole = self->encoded->len - (last || self->ended ? 0 : self->encoded->len % 4);
    hp_transfer_decode_base64((HpSlice){ self->encoded->str, whole }, self->decoded);
    g_string_erase(self->encoded, 0, (gssize)whole);
}

/* Whole lines are decoded: what a line's end means depends on what stands before it. */
static void
decode_quoted_printable(HpTextStream *self, HpSlice bytes, gboolean last)
{
    const char *end;
    size_t whole;

    g_string_append_len(self->encoded, bytes.len > 0 ? bytes.data : "",
                        (gssize)bytes.len);
    end = memrchr(self->encoded->str, '\n', self->encoded->len);
    whole = end != NULL ? (size_t)(end - self->encoded->str) + 1 : 0;
    if (last)
        whole = self->encoded->len;
    else if (self->encoded->len - whole > LONGEST_LINE)
        whole = self->encoded->len - 2; /* "=4" waits for what makes it "=41" */
    hp_transfer_decode_quoted_printable((HpSlice){ self->encoded->str, whole },
                                        self->decoded);
    g_string_erase(self->encoded, 0, (gssize)whole);
}

static void
decode(HpTextStream *self, HpSlice bytes, gboolean last)
{
    if (self->encoding == HP_MIME_BASE64)
        decode_base64(self, bytes, last);
    else if (self->encoding == HP_MIME_QUOTED_PRINTABLE)
        decode_quoted_printable(self, bytes, last);
    else
        g_string_append_len(self->decoded, bytes.len > 0 ? bytes.data : "",
                            (gssize)bytes.len);
}

/* --- character set -------------------------------------------------------------------
 */

/* A byte that is no UTF-8, as Windows-1252: 80 to 9F are typographic signs there. */
static void
append_guess(GString *out, unsigned char byte)
{
    static const guint16 signs[] = {
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
        0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
    };

    if (byte == 0)
        g_string_append(out, REPLACEMENT_UTF8);
    else
        g_string_append_unichar(out,
                                byte >= 0x80 && byte < 0xA0 ? signs[byte - 0x80] : byte);
}

/* Returns what was used of @bytes. */
static size_t
take_utf8(HpSlice bytes, gboolean last, GString *out)
{
    size_t used = 0;

    while (used < bytes.len) {
        const char *end = NULL, *start = bytes.data + used;

        g_utf8_validate_len(start, bytes.len - used, &end);
        g_string_append_len(out, start, end - start);
        used = (size_t)(end - bytes.data);
        if (used == bytes.len)
            break;
        if (!last && *end != '\0' &&
            g_utf8_get_char_validated(end, (gssize)(bytes.len - used)) == (gunichar)-2)
            break; /* half a character */
        append_guess(out, (unsigned char)*end);
        used++;
    }
    return used;
}

static size_t
take_converted(iconv_t converter, HpSlice bytes, gboolean last, GString *out)
{
    g_autofree char *input = g_memdup2(bytes.data, bytes.len);
    char buffer[4096];
    char *in = input;
    size_t left = bytes.len;

    while (left > 0) {
        char *to = buffer;
        size_t room = sizeof buffer, done = iconv(converter, &in, &left, &to, &room);

        g_string_append_len(out, buffer, to - buffer);
        if (done != (size_t)-1 || (errno == E2BIG && to != buffer))
            continue;
        if (errno == EINVAL && !last && left < LONGEST_CHARACTER)
            break; /* half a character */
        g_string_append(out, REPLACEMENT_UTF8);
        in++;
        left--;
    }
    return bytes.len - left;
}

/* iconv() may hand out NUL and, from exotic sets, what GLib does not call valid. */
static void
make_valid(GString *out, size_t from)
{
    g_autofree char *valid = NULL;

    if (g_utf8_validate_len(out->str + from, out->len - from, NULL))
        return;
    valid = g_utf8_make_valid(out->str + from, (gssize)(out->len - from));
    g_string_truncate(out, from);
    g_string_append(out, valid);
}

void
hp_text_stream_feed(HpTextStream *self, HpSlice bytes, gboolean last, GString *out)
{
    size_t before = out->len, used;
    HpSlice decoded;

    decode(self, bytes, last);
    decoded = hp_slice_of_string(self->decoded);
    if (!self->converts) {
        used = take_utf8(decoded, last, out);
    } else {
        used = take_converted(self->converter, decoded, last, out);
        make_valid(out, before);
    }
    g_string_erase(self->decoded, 0, (gssize)used);
}

void
hp_text_stream_decode(HpTextStream *self, HpSlice bytes, gboolean last, GString *out)
{
    decode(self, bytes, last);
    g_string_append_len(out, self->decoded->str, (gssize)self->decoded->len);
    g_string_truncate(self->decoded, 0);
}

char *
hp_text_stream_convert(HpSlice bytes, const char *charset)
{
    char name[HP_CHARSET_MAX_NAME + 1];
    gsize read = 0;
    g_autofree char *text = NULL;

    if (!hp_charset_copy_name(hp_slice_of(charset), name))
        return NULL;
    text = g_convert(bytes.data != NULL ? bytes.data : "", (gssize)bytes.len, "UTF-8",
                     name, &read, NULL, NULL);
    if (text == NULL || read != bytes.len || !g_utf8_validate(text, -1, NULL))
        return NULL;
    return g_steal_pointer(&text);
}
