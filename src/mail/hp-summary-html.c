#include "hp-summary-private.h"

#include <string.h>

#define LONGEST_ENTITY 10 /* characters between "&" and ";" */

static gboolean
is_name_char(unsigned char byte)
{
    return g_ascii_isalnum(byte);
}

static gboolean
is_in(HpSlice name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (hp_slice_equal_nocase(name, *names))
            return TRUE;
    return FALSE;
}

/* ---- entities --------------------------------------------------------------------- */

static gunichar
named_character(HpSlice name)
{
    static const struct {
        const char *name;
        gunichar character;
    } rows[] = {
        { "amp", '&' },      { "lt", '<' },       { "gt", '>' },
        { "quot", '"' },     { "apos", '\'' },    { "nbsp", 0xA0 },
        { "auml", 0xE4 },    { "ouml", 0xF6 },    { "uuml", 0xFC },
        { "Auml", 0xC4 },    { "Ouml", 0xD6 },    { "Uuml", 0xDC },
        { "szlig", 0xDF },   { "eacute", 0xE9 },  { "egrave", 0xE8 },
        { "ecirc", 0xEA },   { "agrave", 0xE0 },  { "aacute", 0xE1 },
        { "acirc", 0xE2 },   { "ccedil", 0xE7 },  { "ntilde", 0xF1 },
        { "oacute", 0xF3 },  { "ocirc", 0xF4 },   { "iacute", 0xED },
        { "icirc", 0xEE },   { "uacute", 0xFA },  { "aring", 0xE5 },
        { "oslash", 0xF8 },  { "aelig", 0xE6 },   { "euro", 0x20AC },
        { "pound", 0xA3 },   { "sect", 0xA7 },    { "copy", 0xA9 },
        { "reg", 0xAE },     { "trade", 0x2122 }, { "hellip", 0x2026 },
        { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },
        { "rsquo", 0x2019 }, { "sbquo", 0x201A }, { "ldquo", 0x201C },
        { "rdquo", 0x201D }, { "bdquo", 0x201E }, { "laquo", 0xAB },
        { "raquo", 0xBB },   { "bull", 0x2022 },  { "middot", 0xB7 },
        { "shy", 0xAD },     { "zwnj", 0x200C },  { "zwj", 0x200D },
        { "times", 0xD7 },   { "deg", 0xB0 },     { "frac12", 0xBD },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (hp_slice_equal(name, hp_slice_of(rows[i].name)))
            return rows[i].character;
    return 0;
}

/* What stands behind "&#": digits, or "x" and hexadecimal digits */
static gunichar
numbered_character(HpSlice digits)
{
    gboolean hex = digits.len > 0 && (digits.data[0] | 0x20) == 'x';
    gunichar number = 0;

    for (size_t i = hex ? 1 : 0; i < digits.len; i++) {
        int digit = hex ? g_ascii_xdigit_value(digits.data[i])
                        : g_ascii_digit_value(digits.data[i]);

        if (digit < 0 || number > 0x10FFFF)
            return 0;
        number = number * (hex ? 16 : 10) + (guint)digit;
    }
    return g_unichar_validate(number) ? number : 0;
}

/* The cursor stands behind "&". What is no entity is text. */
static void
take_entity(HpCursor *cursor, GString *out)
{
    HpCursor c = *cursor;
    gboolean numbered = hp_cursor_skip(&c, '#');
    HpSlice name = hp_cursor_take(&c, is_name_char);
    gunichar character = 0;

    if (name.len > 0 && name.len <= LONGEST_ENTITY)
        character = numbered ? numbered_character(name) : named_character(name);
    if (character == 0) {
        g_string_append_c(out, '&');
        return;
    }
    g_string_append_unichar(out, character);
    hp_cursor_skip(&c, ';');
    *cursor = c;
}

/* ---- tags ------------------------------------------------------------------------- */

/* Up to behind the ">" that is not in the value of an attribute. */
static void
skip_tag(HpCursor *c)
{
    char quote = '\0', before = '\0';

    for (; !hp_cursor_at_end(c); c->at++) {
        char byte = *c->at;

        if (quote != '\0') {
            if (byte == quote)
                quote = '\0';
        } else if (byte == '>') {
            c->at++;
            return;
        } else if ((byte == '"' || byte == '\'') && before == '=') {
            quote = byte;
        }
        if (!g_ascii_isspace(byte))
            before = byte;
    }
}

static void
skip_behind(HpCursor *c, const char *text)
{
    size_t len = strlen(text);
    const char *found =
        c->at < c->end ? memmem(c->at, (size_t)(c->end - c->at), text, len) : NULL;

    c->at = found != NULL ? found + len : c->end;
}

/* Behind the end tag of what is not for people. */
static void
skip_element(HpCursor *c, HpSlice name)
{
    while (!hp_cursor_at_end(c)) {
        skip_behind(c, "</");
        if (hp_cursor_rest(c).len >= name.len &&
            g_ascii_strncasecmp(c->at, name.data, name.len) == 0)
            break;
    }
    skip_tag(c);
}

/* The cursor stands behind "<"; returns FALSE if it is no tag. */
static gboolean
take_tag(HpCursor *c, GString *out)
{
    static const char *const hidden[] = { "script", "style", "title", NULL };
    static const char *const inlined[] = { "a",   "b",    "i",    "u",      "em",
                                           "s",   "span", "font", "strong", "small",
                                           "big", "sub",  "sup",  "code",   "tt",
                                           "wbr", "o",    "abbr", "mark",   NULL };
    gboolean closing;
    HpSlice name;

    if (hp_cursor_skip_word(c, "!--")) {
        skip_behind(c, "-->");
        return TRUE;
    }
    if (hp_cursor_peek(c) == '!' || hp_cursor_peek(c) == '?') {
        skip_tag(c);
        return TRUE;
    }
    closing = hp_cursor_skip(c, '/');
    name = hp_cursor_take(c, is_name_char);
    if (name.len == 0)
        return FALSE;
    skip_tag(c);
    if (!closing && is_in(name, hidden))
        skip_element(c, name);
    if (!is_in(name, inlined))
        g_string_append_c(out, ' ');
    return TRUE;
}

void
hp_summary_read_html(HpSlice html, size_t enough, GString *out)
{
    HpCursor c = hp_cursor_over(html);

    while (!hp_cursor_at_end(&c) && out->len < enough) {
        char byte = *c.at++;
        HpCursor tag = c;

        if (byte == '<' && take_tag(&tag, out))
            c = tag;
        else if (byte == '&')
            take_entity(&c, out);
        else
            g_string_append_c(out, byte);
    }
}
