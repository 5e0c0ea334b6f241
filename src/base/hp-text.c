#include "hp-text.h"

/* Characters that reorder or hide what follows them on a screen. */
static gboolean
is_treacherous(gunichar c)
{
    return g_unichar_iscntrl(c) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C ||
           c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

char *
hp_text_printable(HpSlice bytes, size_t max_chars)
{
    g_autofree char *valid =
        g_utf8_make_valid(bytes.data != NULL ? bytes.data : "", (gssize)bytes.len);
    GString *out = g_string_sized_new(MIN(bytes.len, max_chars) + 1);
    size_t chars = 0;
    gboolean space = FALSE;

    for (char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean blank = c == ' ' || is_treacherous(c);

        if (blank && space)
            continue;
        space = blank;
        if (chars++ == max_chars) {
            g_string_append(out, "…");
            break;
        }
        g_string_append_unichar(out, blank ? ' ' : c);
    }
    return g_string_free(out, FALSE);
}

static const struct {
    gunichar from;
    const char *to;
} ascii_of[] = {
    { 0xE4, "ae" },   { 0xF6, "oe" },   { 0xFC, "ue" },  { 0xC4, "Ae" },
    { 0xD6, "Oe" },   { 0xDC, "Ue" },   { 0xDF, "ss" },  { 0x201C, "\"" },
    { 0x201D, "\"" }, { 0x201E, "\"" }, { 0x2018, "'" }, { 0x2019, "'" },
    { 0x201A, "'" },  { 0x2013, "-" },  { 0x2014, "-" }, { 0x2026, "..." },
    { 0xA0, " " },    { 0x2192, "->" },
};

static void
append_ascii(GString *out, gunichar c)
{
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

    if (c < 0x80) {
        g_string_append_c(out, (char)c);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(ascii_of); i++) {
        if (ascii_of[i].from == c) {
            g_string_append(out, ascii_of[i].to);
            return;
        }
    }
    if (g_unichar_fully_decompose(c, FALSE, parts, G_N_ELEMENTS(parts)) > 1 &&
        parts[0] < 0x80)
        g_string_append_c(out, (char)parts[0]);
    else
        g_string_append_c(out, '?');
}

char *
hp_text_to_ascii(const char *utf8)
{
    g_autofree char *valid = g_utf8_make_valid(utf8, -1);
    GString *out = g_string_sized_new(strlen(valid) + 8);

    for (char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
        append_ascii(out, g_utf8_get_char(p));
    return g_string_free(out, FALSE);
}

gboolean
hp_text_is_ascii(HpSlice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((unsigned char)bytes.data[i] >= 0x80)
            return FALSE;
    return TRUE;
}

char *
hp_text_hex(const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;
    char *hex = g_malloc(2 * len + 1);

    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[b[i] >> 4];
        hex[2 * i + 1] = digits[b[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}

int
hp_text_unhex(HpSlice text, size_t at)
{
    int high, low;

    if (at >= text.len || text.len - at < 2)
        return -1;
    high = g_ascii_xdigit_value(text.data[at]);
    low = g_ascii_xdigit_value(text.data[at + 1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* A number, then one of @units with its factor in @factors; "0" stands alone. */
static gboolean
parse_with_unit(HpSlice text, const char *units, const gint64 *factors, gint64 max,
                gint64 *ret_value)
{
    HpCursor c = hp_cursor_over(hp_slice_trim(text));
    guint64 number;
    const char *unit;
    int next;

    if (!hp_cursor_take_number(&c, (guint64)max, &number))
        return FALSE;
    next = hp_cursor_peek(&c);
    if (next == -1) { /* sizes are bytes without a unit */
        if (number > 0 && strchr(units, 'B') == NULL)
            return FALSE;
        *ret_value = (gint64)number;
        return TRUE;
    }
    unit = next > 0 ? strchr(units, next) : NULL;
    c.at++;
    if (unit == NULL || !hp_cursor_at_end(&c) ||
        number > (guint64)(max / factors[unit - units]))
        return FALSE;
    *ret_value = (gint64)number * factors[unit - units];
    return TRUE;
}

gboolean
hp_text_parse_duration(HpSlice text, gint64 *ret_sec)
{
    static const gint64 factors[] = { 1, 60, 3600, 86400 };

    return parse_with_unit(text, "smhd", factors, (gint64)100 * 366 * 86400, ret_sec);
}

gboolean
hp_text_parse_size(HpSlice text, gint64 *ret_bytes)
{
    static const gint64 factors[] = { 1, 1 << 10, 1 << 20, 1 << 30 };

    return parse_with_unit(text, "BKMG", factors, (gint64)1 << 53, ret_bytes);
}

#define LONGEST_WORD 64 /* bytes; names of commands and settings are shorter */

guint
hp_text_distance(const char *a, const char *b)
{
    guint row[LONGEST_WORD + 1];
    size_t len_a = MIN(strlen(a), LONGEST_WORD), len_b = MIN(strlen(b), LONGEST_WORD);

    for (guint j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 0; i < len_a; i++) {
        guint diagonal = row[0];

        row[0] = (guint)i + 1;
        for (size_t j = 0; j < len_b; j++) {
            guint change =
                diagonal + (g_ascii_tolower(a[i]) != g_ascii_tolower(b[j]) ? 1 : 0);

            diagonal = row[j + 1];
            row[j + 1] = MIN(change, MIN(row[j], row[j + 1]) + 1);
        }
    }
    return row[len_b];
}
