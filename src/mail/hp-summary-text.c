#include "hp-charset.h"
#include "hp-summary-private.h"
#include "hp-text.h"

#include <string.h>

#define MARKS "\001\002\003\004\005"

/* Where in the choices the copy stands. */
typedef struct {
    gboolean in_extended;
    char form; /* HP_SUMMARY_ASCII, HP_SUMMARY_UTF8, or HP_SUMMARY_ALIKE */
} Place;

static void
pass_mark(Place *self, char mark)
{
    if (mark == HP_SUMMARY_EXTENDED || mark == HP_SUMMARY_EXTENDED_END)
        self->in_extended = mark == HP_SUMMARY_EXTENDED;
    else
        self->form = mark;
}

void
hp_summary_choose(const char *text, gboolean extended, gboolean utf8, GString *out)
{
    Place place = { FALSE, HP_SUMMARY_ALIKE };
    char wanted = utf8 ? HP_SUMMARY_UTF8 : HP_SUMMARY_ASCII;

    while (TRUE) {
        size_t len = strcspn(text, MARKS);

        if ((extended || !place.in_extended) &&
            (place.form == wanted || place.form == HP_SUMMARY_ALIKE))
            g_string_append_len(out, text, (gssize)len);
        text += len;
        if (*text == '\0')
            return;
        pass_mark(&place, *text++);
    }
}

void
hp_summary_write_quoted(GString *out, HpSlice utf8)
{
    g_string_append_c(out, '"');
    for (size_t i = 0; i < utf8.len; i++) {
        char byte = utf8.data[i];

        if (byte == '"' || byte == '\\')
            g_string_append_c(out, '\\');
        if (((unsigned char)byte < ' ' && byte != '\t') || byte == 0x7F)
            byte = ' ';
        g_string_append_c(out, byte);
    }
    g_string_append_c(out, '"');
}

/* ISO-2022-JP looks like ASCII but for its escapes (RFC 1468). */
static gboolean
has_escapes(HpSlice raw)
{
    return raw.len > 0 && (memmem(raw.data, raw.len, "\033$", 2) != NULL);
}

char *
hp_summary_decode(HpSlice raw)
{
    if (has_escapes(raw) && hp_text_is_ascii(raw))
        return hp_charset_to_utf8(raw, HP_SLICE_LITERAL("iso-2022-jp"));
    return hp_charset_decode_words(raw);
}

/* Encoded words on one line. */
static void
write_encoded(GString *out, const char *utf8)
{
    g_autofree char *words = hp_charset_encode_words(utf8, 0);
    g_autoptr(GString) line = g_string_sized_new(strlen(words) + 1);

    hp_header_unfold(hp_slice_of(words), line);
    hp_summary_write_quoted(out, hp_slice_of_string(line));
}

void
hp_summary_write_text(GString *out, HpSlice raw)
{
    g_autofree char *utf8 = NULL;

    raw.len = MIN(raw.len, HP_SUMMARY_MAX_TEXT);
    if (hp_text_is_ascii(raw) && !has_escapes(raw)) {
        hp_summary_write_quoted(out, raw);
        return;
    }
    utf8 = hp_summary_decode(raw);
    g_string_append_c(out, HP_SUMMARY_ASCII);
    write_encoded(out, utf8);
    g_string_append_c(out, HP_SUMMARY_UTF8);
    hp_summary_write_quoted(out, hp_slice_of(utf8));
    g_string_append_c(out, HP_SUMMARY_ALIKE);
}

void
hp_summary_write_token(GString *out, HpSlice raw)
{
    g_autofree char *utf8 = NULL;
    g_autofree char *ascii = NULL;

    raw.len = MIN(raw.len, HP_SUMMARY_MAX_TEXT);
    if (hp_text_is_ascii(raw)) {
        hp_summary_write_quoted(out, raw);
        return;
    }
    utf8 = g_utf8_make_valid(raw.data, (gssize)raw.len);
    ascii = g_strdup(utf8);
    for (char *p = ascii; *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    g_string_append_c(out, HP_SUMMARY_ASCII);
    hp_summary_write_quoted(out, hp_slice_of(ascii));
    g_string_append_c(out, HP_SUMMARY_UTF8);
    hp_summary_write_quoted(out, hp_slice_of(utf8));
    g_string_append_c(out, HP_SUMMARY_ALIKE);
}

void
hp_summary_write_text_field(GString *out, HpSlice body)
{
    g_autoptr(GString) unfolded = g_string_sized_new(MIN(body.len, 256) + 1);

    hp_header_unfold(body, unfolded);
    hp_summary_write_text(out, hp_slice_of_string(unfolded));
}

void
hp_summary_write_token_field(GString *out, HpSlice body)
{
    g_autoptr(GString) unfolded = g_string_sized_new(MIN(body.len, 256) + 1);

    hp_header_unfold(body, unfolded);
    hp_summary_write_token(out, hp_slice_of_string(unfolded));
}

static gboolean
find_name(HpSlice name, HpSummaryFieldName *ret_name)
{
    static const char *const names[] = {
        "Date",
        "Subject",
        "From",
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Bcc",
        "In-Reply-To",
        "Message-ID",
        "References",
        "Content-ID",
        "Content-Description",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "Content-Language",
        "Content-Location",
        "Content-MD5",
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == HP_SUMMARY_FIELD_COUNT);
    for (guint i = 0; i < HP_SUMMARY_FIELD_COUNT; i++) {
        if (hp_slice_equal_nocase(name, names[i])) {
            *ret_name = (HpSummaryFieldName)i;
            return TRUE;
        }
    }
    return FALSE;
}

/* Addresses of all fields of a name are one list; of all others the first one counts. So
 * no flood of fields hides the others. */
static guint
most_of(HpSummaryFieldName name)
{
    return name >= HP_SUMMARY_FIELD_FROM && name <= HP_SUMMARY_FIELD_BCC
               ? HP_SUMMARY_MAX_REPEATED
               : 1;
}

void
hp_summary_read_fields(HpSlice header, size_t *budget, HpSummaryFields *ret_fields)
{
    guint seen[HP_SUMMARY_FIELD_COUNT] = { 0 };
    HpHeaderField field;
    HpCursor c;

    ret_fields->n = 0;
    header.len = MIN(header.len, HP_HEADER_MAX_BLOCK);
    c = hp_cursor_over(header);
    while (hp_header_next(&c, &field)) {
        HpSummaryFieldName name;

        if (!find_name(field.name, &name) || field.body.len > *budget ||
            seen[name]++ >= most_of(name))
            continue;
        *budget -= field.body.len;
        ret_fields->rows[ret_fields->n].name = name;
        ret_fields->rows[ret_fields->n].body = hp_slice_trim(field.body);
        ret_fields->n++;
    }
}

gboolean
hp_summary_field(const HpSummaryFields *self, HpSummaryFieldName name, HpSlice *ret_body)
{
    for (guint i = 0; i < self->n; i++) {
        if (self->rows[i].name == name) {
            *ret_body = self->rows[i].body;
            return TRUE;
        }
    }
    return FALSE;
}
