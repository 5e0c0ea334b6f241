/* What every answer of an IMAP server must be, whatever it says (RFC 9051 §9): lines that
 * end with CRLF, strings that end, parentheses in pairs, nothing above 127 outside a
 * literal (unless the client asked for UTF-8), and words behind each code.
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

#include <string.h>

static inline void
grammar_quoted(HpCursor *c, gboolean utf8)
{
    while (!hp_cursor_skip(c, '"')) {
        if (hp_cursor_skip(c, '\\'))
            g_assert(hp_cursor_peek(c) == '"' || hp_cursor_peek(c) == '\\');
        g_assert(hp_cursor_peek(c) >= ' ' && hp_cursor_peek(c) != 0x7f);
        g_assert(utf8 || hp_cursor_peek(c) < 0x80);
        c->at++;
    }
}

static inline void
grammar_literal(HpCursor *c)
{
    guint64 octets = 0;

    g_assert(hp_cursor_take_number(c, (guint64)(c->end - c->at), &octets));
    g_assert(hp_cursor_skip_word(c, "}\r\n"));
    g_assert(octets <= (guint64)(c->end - c->at));
    c->at += octets;
}

/* "OK [CODE] text" behind the tag: text is anything printable, and there is some. */
static inline void
grammar_status(HpCursor *c)
{
    HpSlice text;

    if (hp_cursor_skip(c, '[')) {
        hp_cursor_take_until(c, ']');
        g_assert(hp_cursor_skip(c, ']'));
        g_assert(hp_cursor_skip(c, ' '));
    }
    text = hp_cursor_take_until(c, '\r');
    g_assert(text.len > 0);
    for (size_t i = 0; i < text.len; i++)
        g_assert(text.data[i] >= ' ' && text.data[i] < 0x7f);
}

static inline void
grammar_data(HpCursor *c, gboolean utf8)
{
    guint depth = 0;

    while (hp_cursor_peek(c) != '\r') {
        int byte = hp_cursor_peek(c);

        g_assert(byte >= ' ' && byte < 0x7f);
        c->at++;
        if (byte == '"') {
            grammar_quoted(c, utf8);
        } else if (byte == '{') {
            grammar_literal(c);
        } else if (byte == '(') {
            depth++;
        } else if (byte == ')') {
            g_assert(depth > 0);
            depth--;
        }
        /* One space between things, none before ")" (a lesson of other servers). */
        g_assert(byte != ' ' || (hp_cursor_peek(c) != ' ' && hp_cursor_peek(c) != ')'));
    }
    g_assert(depth == 0);
}

static inline gboolean
grammar_is_status(HpCursor *c)
{
    static const char *const conditions[] = { "OK ", "NO ", "BAD ", "BYE " };

    for (size_t i = 0; i < G_N_ELEMENTS(conditions); i++)
        if (hp_cursor_skip_word(c, conditions[i]))
            return TRUE;
    return FALSE;
}

/* All that a server has said. */
static inline void
grammar_check(HpSlice said, gboolean utf8)
{
    HpCursor c = hp_cursor_over(said);

    while (!hp_cursor_at_end(&c)) {
        HpSlice tag = hp_cursor_take_until(&c, ' ');

        g_assert(tag.len > 0);
        g_assert(hp_cursor_skip(&c, ' '));
        if (hp_slice_equal(tag, HP_SLICE_LITERAL("+")))
            hp_cursor_take_until(&c, '\r');
        else if (grammar_is_status(&c))
            grammar_status(&c);
        else
            grammar_data(&c, utf8);
        g_assert(hp_cursor_skip_word(&c, "\r\n"));
    }
}
