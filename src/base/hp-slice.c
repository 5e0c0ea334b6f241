#include "hp-slice.h"

#include <string.h>

HpSlice
hp_slice_of(const char *text)
{
    return (HpSlice){ text, text != NULL ? strlen(text) : 0 };
}

HpSlice
hp_slice_of_bytes(GBytes *bytes)
{
    size_t len;
    const char *data = g_bytes_get_data(bytes, &len);

    return (HpSlice){ data, len };
}

HpSlice
hp_slice_of_string(const GString *string)
{
    return (HpSlice){ string->str, string->len };
}

gboolean
hp_slice_equal(HpSlice a, HpSlice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static int
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Most words differ in their first letter, so that counting them first costs more. */
gboolean
hp_slice_equal_nocase(HpSlice a, const char *word)
{
    for (size_t i = 0; i < a.len; i++)
        if (word[i] == '\0' || lower(a.data[i]) != lower(word[i]))
            return FALSE;
    return word[a.len] == '\0';
}

HpSlice
hp_slice_trim(HpSlice bytes)
{
    while (bytes.len > 0 && strchr(" \t\r\n", bytes.data[0]) != NULL &&
           bytes.data[0] != '\0') {
        bytes.data++;
        bytes.len--;
    }
    while (bytes.len > 0 && bytes.data[bytes.len - 1] != '\0' &&
           strchr(" \t\r\n", bytes.data[bytes.len - 1]) != NULL)
        bytes.len--;
    return bytes;
}

char *
hp_slice_dup(HpSlice bytes)
{
    char *copy = g_malloc(bytes.len + 1);

    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return copy;
}

HpCursor
hp_cursor_over(HpSlice bytes)
{
    /* NULL + 0 is undefined, and an empty slice may well be NULL. */
    return (HpCursor){ bytes.data, bytes.len == 0 ? bytes.data : bytes.data + bytes.len };
}

HpSlice
hp_cursor_rest(const HpCursor *c)
{
    return (HpSlice){ c->at, c->at == c->end ? 0 : (size_t)(c->end - c->at) };
}

gboolean
hp_cursor_at_end(const HpCursor *c)
{
    return c->at == c->end;
}

int
hp_cursor_peek(const HpCursor *c)
{
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

gboolean
hp_cursor_skip(HpCursor *c, char byte)
{
    if (c->at == c->end || *c->at != byte)
        return FALSE;
    c->at++;
    return TRUE;
}

gboolean
hp_cursor_skip_word(HpCursor *c, const char *word)
{
    size_t len = strlen(word);

    if (hp_cursor_rest(c).len < len || g_ascii_strncasecmp(c->at, word, len) != 0)
        return FALSE;
    c->at += len;
    return TRUE;
}

HpSlice
hp_cursor_take(HpCursor *c, HpByteClass cls)
{
    HpSlice run = { c->at, 0 };

    while (c->at < c->end && cls((unsigned char)*c->at))
        c->at++;
    run.len = run.data == c->at ? 0 : (size_t)(c->at - run.data);
    return run;
}

HpSlice
hp_cursor_take_until(HpCursor *c, char byte)
{
    HpSlice rest = hp_cursor_rest(c);
    const char *found = rest.len > 0 ? memchr(rest.data, byte, rest.len) : NULL;

    if (found != NULL)
        rest.len = (size_t)(found - rest.data);
    if (rest.len > 0)
        c->at += rest.len;
    return rest;
}

gboolean
hp_cursor_take_number(HpCursor *c, guint64 max, guint64 *ret_number)
{
    HpCursor p = *c;
    guint64 number = 0;
    guint digits = 0;

    while (p.at < p.end && g_ascii_isdigit(*p.at)) {
        if (++digits > 20 || !g_uint64_checked_mul(&number, number, 10) ||
            !g_uint64_checked_add(&number, number, (guint64)(*p.at - '0')))
            return FALSE;
        p.at++;
    }
    if (digits == 0 || number > max)
        return FALSE;
    *ret_number = number;
    *c = p;
    return TRUE;
}
