#include "hp-imap-name.h"

#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static gboolean
is_plain(gunichar c)
{
    return c >= 0x20 && c < 0x7f;
}

/* --- out -----------------------------------------------------------------------------
 */

typedef struct {
    GString *out; /* (unowned) */
    guint32 bits; /* not written yet, at the low end */
    guint n_bits;
    gboolean shifted; /* inside "&...-" */
} Encoder;

static void
put_unit(Encoder *self, guint16 unit)
{
    if (!self->shifted)
        g_string_append_c(self->out, '&');
    self->shifted = TRUE;
    self->bits = self->bits << 16 | unit;
    self->n_bits += 16;
    while (self->n_bits >= 6) {
        self->n_bits -= 6;
        g_string_append_c(self->out, alphabet[self->bits >> self->n_bits & 63]);
    }
}

static void
end_shift(Encoder *self)
{
    if (!self->shifted)
        return;
    if (self->n_bits > 0)
        g_string_append_c(self->out, alphabet[self->bits << (6 - self->n_bits) & 63]);
    g_string_append_c(self->out, '-');
    *self = (Encoder){ .out = self->out };
}

static void
put_char(Encoder *self, gunichar c)
{
    if (is_plain(c)) {
        end_shift(self);
        g_string_append_c(self->out, (char)c);
        if (c == '&')
            g_string_append_c(self->out, '-');
    } else if (c < 0x10000) {
        put_unit(self, (guint16)c);
    } else {
        put_unit(self, (guint16)(0xd800 + ((c - 0x10000) >> 10)));
        put_unit(self, (guint16)(0xdc00 + ((c - 0x10000) & 0x3ff)));
    }
}

char *
hp_imap_name_encode(const char *utf8)
{
    GString *out = g_string_new(NULL);
    Encoder encoder = { .out = out };
    glong n = 0;
    g_autofree gunichar *chars = g_utf8_to_ucs4_fast(utf8, -1, &n);

    for (glong i = 0; i < n; i++)
        put_char(&encoder, chars[i]);
    end_shift(&encoder);
    return g_string_free(out, FALSE);
}

/* --- in ------------------------------------------------------------------------------
 */

typedef struct {
    GString *out; /* (unowned) */
    guint32 bits;
    guint n_bits;
    guint16 high; /* first half of a pair, 0 if none */
} Decoder;

static gboolean
take_unit(Decoder *self, guint16 unit)
{
    gboolean is_high = unit >= 0xd800 && unit < 0xdc00;
    gboolean is_low = unit >= 0xdc00 && unit < 0xe000;

    if (is_low != (self->high != 0) || is_plain(unit) || unit == 0)
        return FALSE;
    if (is_low)
        g_string_append_unichar(self->out, 0x10000 +
                                               ((gunichar)(self->high - 0xd800) << 10) +
                                               (gunichar)(unit - 0xdc00));
    else if (!is_high)
        g_string_append_unichar(self->out, unit);
    self->high = is_high ? unit : 0;
    return TRUE;
}

/* What stands between "&" and "-", which is not empty. */
static gboolean
decode_shifted(const char *text, size_t len, GString *out)
{
    Decoder decoder = { .out = out };

    for (size_t i = 0; i < len; i++) {
        const char *at = strchr(alphabet, text[i]);

        if (at == NULL)
            return FALSE;
        decoder.bits = decoder.bits << 6 | (guint32)(at - alphabet);
        decoder.n_bits += 6;
        if (decoder.n_bits < 16)
            continue;
        decoder.n_bits -= 16;
        if (!take_unit(&decoder, (guint16)(decoder.bits >> decoder.n_bits)))
            return FALSE;
    }
    /* Bits that only fill the last character up are 0, and fewer than a character has. */
    return decoder.high == 0 && decoder.n_bits < 6 &&
           (decoder.bits & ((1u << decoder.n_bits) - 1)) == 0;
}

char *
hp_imap_name_decode(const char *name)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gboolean just_ended = FALSE;

    if (!g_utf8_validate(name, -1, NULL))
        return NULL;
    while (*name != '\0') {
        const char *end;

        if (*name != '&') {
            just_ended = FALSE;
            g_string_append_c(out, *name++);
            continue;
        }
        end = strchr(++name, '-');
        if (end == NULL || (end > name && just_ended))
            return NULL;
        just_ended = end > name;
        if (end == name)
            g_string_append_c(out, '&');
        else if (!decode_shifted(name, (size_t)(end - name), out))
            return NULL;
        name = end + 1;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
