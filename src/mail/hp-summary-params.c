#include "hp-mime-params.h"
#include "hp-summary-private.h"
#include "hp-text.h"

static void
write_name(GString *out, HpSlice name, gboolean extended)
{
    g_autoptr(GString) whole = g_string_new(NULL);

    g_string_append_len(whole, name.data, (gssize)name.len);
    if (extended)
        g_string_append_c(whole, '*');
    hp_summary_write_quoted(out, hp_slice_of_string(whole));
}

/* attribute-char of RFC 2231 §7 */
static gboolean
is_attribute_char(unsigned char byte)
{
    return g_ascii_isalnum(byte) || byte == '-' || byte == '.' || byte == '_';
}

/* As RFC 9051 §7.5.2 wants it: the value in UTF-8 as "name*"; for those without UTF-8 in
 * the form of RFC 2231 §4. */
static void
write_extended(GString *out, HpSlice name, const char *utf8)
{
    g_autoptr(GString) encoded = g_string_new("utf-8''");

    for (const char *p = utf8; *p != '\0'; p++) {
        if (is_attribute_char((unsigned char)*p))
            g_string_append_c(encoded, *p);
        else
            g_string_append_printf(encoded, "%%%02X", (unsigned char)*p);
    }
    write_name(out, name, TRUE);
    g_string_append_c(out, ' ');
    g_string_append_c(out, HP_SUMMARY_ASCII);
    hp_summary_write_quoted(out, hp_slice_of_string(encoded));
    g_string_append_c(out, HP_SUMMARY_UTF8);
    hp_summary_write_quoted(out, hp_slice_of(utf8));
    g_string_append_c(out, HP_SUMMARY_ALIKE);
}

static void
write_value(GString *out, HpSlice name, HpSlice value)
{
    if (hp_text_is_ascii(value)) {
        write_name(out, name, FALSE);
        g_string_append_c(out, ' ');
        hp_summary_write_quoted(out, value);
    } else {
        /* Raw 8-bit bytes (RFC 7103 §7.7). */
        g_autofree char *utf8 = hp_summary_decode(value);

        write_extended(out, name, utf8);
    }
}

typedef struct {
    GString *out; /* (unowned) */
    char separator;
} Writing;

static void
write_param(const HpMimeParam *param, gpointer data)
{
    Writing *self = data;

    g_string_append_c(self->out, self->separator);
    self->separator = ' ';
    if (param->form == HP_MIME_PARAM_DECODED)
        write_extended(self->out, param->name, param->value.data);
    else
        write_value(self->out, param->name, param->value);
}

void
hp_summary_write_params(GString *out, HpSlice value)
{
    Writing writing = { out, '(' };

    hp_mime_each_param(value, write_param, &writing);
    g_string_append(out, writing.separator == '(' ? "NIL" : ")");
}
