#include "hp-header.h"

#include "hp-charset.h"
#include "hp-text.h"

#include <string.h>

/* Where the line at @at ends, behind its LF. */
static const char *
line_end(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));

    return lf != NULL ? lf + 1 : end;
}

static gboolean
is_empty_line(const char *at, const char *end)
{
    return *at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n');
}

size_t
hp_header_split(HpSlice message)
{
    HpCursor c = hp_cursor_over(message);

    while (c.at < c.end) {
        gboolean empty = is_empty_line(c.at, c.end);

        c.at = line_end(c.at, c.end);
        if (empty)
            break;
    }
    return message.len - hp_cursor_rest(&c).len;
}

/* ftext of RFC 5322 §3.6.8 */
static gboolean
is_ftext(unsigned char byte)
{
    return byte > ' ' && byte < 0x7F && byte != ':';
}

static gboolean
is_wsp(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/* field-name *WSP ":" (obs-optional, RFC 5322 §4.5.8, which RFC 7103 §7.2 asks to take)
 */
static gboolean
take_name(HpCursor *c, HpSlice *ret_name)
{
    *ret_name = hp_cursor_take(c, is_ftext);
    hp_cursor_take(c, is_wsp);
    return ret_name->len > 0 && hp_cursor_skip(c, ':');
}

gboolean
hp_header_next(HpCursor *c, HpHeaderField *ret_field)
{
    HpHeaderField field = { { c->at, 0 }, { NULL, 0 }, { NULL, 0 } };
    HpCursor line;
    const char *end;

    if (c->at == c->end || is_empty_line(c->at, c->end))
        return FALSE;
    end = line_end(c->at, c->end);
    while (end < c->end && is_wsp((unsigned char)*end))
        end = line_end(end, c->end);
    field.raw.len = (size_t)(end - c->at);
    line = hp_cursor_over(field.raw);
    if (take_name(&line, &field.name))
        field.body = hp_cursor_rest(&line);
    else
        field.name.len = 0;
    if (field.body.len > 0 && field.body.data[field.body.len - 1] == '\n')
        field.body.len--;
    if (field.body.len > 0 && field.body.data[field.body.len - 1] == '\r')
        field.body.len--;
    field.body.len = MIN(field.body.len, HP_HEADER_MAX_FIELD);
    *ret_field = field;
    c->at = end;
    return TRUE;
}

gboolean
hp_header_find(HpSlice block, const char *name, HpHeaderField *ret_field)
{
    HpHeaderField field;
    HpCursor c;

    block.len = MIN(block.len, HP_HEADER_MAX_BLOCK);
    c = hp_cursor_over(block);
    while (hp_header_next(&c, &field)) {
        if (hp_slice_equal_nocase(field.name, name)) {
            *ret_field = field;
            return TRUE;
        }
    }
    return FALSE;
}

void
hp_header_unfold(HpSlice body, GString *out)
{
    HpCursor c = hp_cursor_over(hp_slice_trim(body));

    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        hp_cursor_skip(&c, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        g_string_append_len(out, line.len > 0 ? line.data : "", (gssize)line.len);
    }
}

char *
hp_header_text(HpSlice body, size_t max_chars)
{
    g_autoptr(GString) unfolded = g_string_sized_new(MIN(body.len, 1024) + 1);
    g_autofree char *decoded = NULL;

    hp_header_unfold(body, unfolded);
    decoded = hp_charset_decode_words(hp_slice_of_string(unfolded));
    return hp_text_printable(hp_slice_of(decoded), max_chars);
}
