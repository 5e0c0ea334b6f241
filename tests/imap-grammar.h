/* imap-grammar: reads back what a server says of a message, by the grammar of RFC 3501 §9
 * and RFC 9051 §9; for tests.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

typedef struct {
    gboolean extended; /* BODYSTRUCTURE */
    gboolean utf8;     /* quoted strings may hold UTF-8 */
} ImapForm;

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
static inline gboolean
imap_take_quoted(HpCursor *c, ImapForm form, HpSlice *ret_string)
{
    const char *start;

    if (!hp_cursor_skip(c, '"'))
        return FALSE;
    start = c->at;
    while (!hp_cursor_at_end(c) && *c->at != '"') {
        unsigned char byte = (unsigned char)*c->at++;

        if (byte == '\0' || byte == '\r' || byte == '\n' || (byte >= 0x80 && !form.utf8))
            return FALSE;
        if (byte == '\\' && !hp_cursor_skip(c, '"') && !hp_cursor_skip(c, '\\'))
            return FALSE;
    }
    *ret_string = (HpSlice){ start, (size_t)(c->at - start) };
    return hp_cursor_skip(c, '"') &&
           (ret_string->len == 0 ||
            g_utf8_validate_len(ret_string->data, ret_string->len, NULL));
}

/* literal = "{" number "}" CRLF *CHAR8 */
static inline gboolean
imap_take_literal(HpCursor *c, HpSlice *ret_string)
{
    guint64 len;

    if (!hp_cursor_skip(c, '{') || !hp_cursor_take_number(c, G_MAXUINT32, &len) ||
        !hp_cursor_skip(c, '}') || !hp_cursor_skip(c, '\r') || !hp_cursor_skip(c, '\n') ||
        len > hp_cursor_rest(c).len)
        return FALSE;
    *ret_string = (HpSlice){ c->at, (size_t)len };
    for (size_t i = 0; i < len; i++)
        if (c->at[i] == '\0')
            return FALSE;
    c->at += len;
    return TRUE;
}

static inline gboolean
imap_take_string(HpCursor *c, ImapForm form, HpSlice *ret_string)
{
    return hp_cursor_peek(c) == '{' ? imap_take_literal(c, ret_string)
                                    : imap_take_quoted(c, form, ret_string);
}

static inline gboolean
imap_take_nstring(HpCursor *c, ImapForm form)
{
    HpSlice string;

    return hp_cursor_skip_word(c, "NIL") || imap_take_string(c, form, &string);
}

static inline gboolean
imap_take_number(HpCursor *c)
{
    guint64 number;

    return hp_cursor_take_number(c, G_MAXINT64, &number);
}

/* n times SP nstring */
static inline gboolean
imap_take_nstrings(HpCursor *c, ImapForm form, guint n)
{
    for (guint i = 0; i < n; i++)
        if (!hp_cursor_skip(c, ' ') || !imap_take_nstring(c, form))
            return FALSE;
    return TRUE;
}

/* "(" 1*address ")" / nil, with groups that are begun and ended in turn */
static inline gboolean
imap_take_addresses(HpCursor *c, ImapForm form)
{
    gboolean in_group = FALSE;

    if (hp_cursor_skip_word(c, "NIL"))
        return TRUE;
    if (!hp_cursor_skip(c, '('))
        return FALSE;
    do {
        HpCursor mailbox, end;
        gboolean has_mailbox, has_host;

        if (!hp_cursor_skip(c, '(') || !imap_take_nstring(c, form) ||
            !imap_take_nstrings(c, form, 1))
            return FALSE;
        mailbox = *c;
        if (!imap_take_nstrings(c, form, 1))
            return FALSE;
        end = *c;
        if (!imap_take_nstrings(c, form, 1) || !hp_cursor_skip(c, ')'))
            return FALSE;
        has_mailbox = !hp_cursor_skip_word(&mailbox, " NIL");
        has_host = !hp_cursor_skip_word(&end, " NIL");
        if (!has_host && in_group == has_mailbox)
            return FALSE;
        if (has_host && !has_mailbox)
            return FALSE;
        if (!has_host)
            in_group = has_mailbox;
    } while (hp_cursor_peek(c) == '(');
    return !in_group && hp_cursor_skip(c, ')');
}

static inline gboolean
imap_take_envelope(HpCursor *c, ImapForm form)
{
    if (!hp_cursor_skip(c, '(') || !imap_take_nstring(c, form) ||
        !imap_take_nstrings(c, form, 1))
        return FALSE;
    for (guint i = 0; i < 6; i++)
        if (!hp_cursor_skip(c, ' ') || !imap_take_addresses(c, form))
            return FALSE;
    return imap_take_nstrings(c, form, 2) && hp_cursor_skip(c, ')');
}

/* "(" string *(SP string) ")" / nil; pairs if @pairs */
static inline gboolean
imap_take_list(HpCursor *c, ImapForm form, gboolean pairs)
{
    HpSlice string;
    guint n = 0;

    if (hp_cursor_skip_word(c, "NIL"))
        return TRUE;
    if (!hp_cursor_skip(c, '('))
        return FALSE;
    do {
        if (!imap_take_string(c, form, &string))
            return FALSE;
        n++;
    } while (hp_cursor_skip(c, ' '));
    return hp_cursor_skip(c, ')') && (!pairs || n % 2 == 0);
}

/* SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
static inline gboolean
imap_take_extensions(HpCursor *c, ImapForm form)
{
    HpSlice string;

    if (!hp_cursor_skip(c, ' '))
        return FALSE;
    if (!hp_cursor_skip_word(c, "NIL") &&
        (!hp_cursor_skip(c, '(') || !imap_take_string(c, form, &string) ||
         !hp_cursor_skip(c, ' ') || !imap_take_list(c, form, TRUE) ||
         !hp_cursor_skip(c, ')')))
        return FALSE;
    return hp_cursor_skip(c, ' ') && imap_take_list(c, form, FALSE) &&
           imap_take_nstrings(c, form, 1);
}

static gboolean imap_take_body(HpCursor *c, ImapForm form);

static inline gboolean
imap_take_one_part(HpCursor *c, ImapForm form)
{
    HpSlice type, subtype;

    if (!imap_take_string(c, form, &type) || !hp_cursor_skip(c, ' ') ||
        !imap_take_string(c, form, &subtype) || !hp_cursor_skip(c, ' ') ||
        !imap_take_list(c, form, TRUE) || !imap_take_nstrings(c, form, 3) ||
        !hp_cursor_skip(c, ' ') || !imap_take_number(c))
        return FALSE;
    if (hp_slice_equal_nocase(type, "multipart"))
        return FALSE;
    if (hp_slice_equal_nocase(type, "message") &&
        (hp_slice_equal_nocase(subtype, "rfc822") ||
         hp_slice_equal_nocase(subtype, "global")) &&
        (!hp_cursor_skip(c, ' ') || !imap_take_envelope(c, form) ||
         !hp_cursor_skip(c, ' ') || !imap_take_body(c, form) || !hp_cursor_skip(c, ' ') ||
         !imap_take_number(c)))
        return FALSE;
    if (hp_slice_equal_nocase(type, "text") &&
        (!hp_cursor_skip(c, ' ') || !imap_take_number(c)))
        return FALSE;
    return !form.extended ||
           (imap_take_nstrings(c, form, 1) && imap_take_extensions(c, form));
}

static inline gboolean
imap_take_multipart(HpCursor *c, ImapForm form)
{
    HpSlice subtype;

    while (hp_cursor_peek(c) == '(')
        if (!imap_take_body(c, form))
            return FALSE;
    if (!hp_cursor_skip(c, ' ') || !imap_take_string(c, form, &subtype))
        return FALSE;
    return !form.extended || (hp_cursor_skip(c, ' ') && imap_take_list(c, form, TRUE) &&
                              imap_take_extensions(c, form));
}

/* body = "(" (body-type-1part / body-type-mpart) ")" */
static gboolean
imap_take_body(HpCursor *c, ImapForm form)
{
    if (!hp_cursor_skip(c, '('))
        return FALSE;
    if (hp_cursor_peek(c) == '(' ? !imap_take_multipart(c, form)
                                 : !imap_take_one_part(c, form))
        return FALSE;
    return hp_cursor_skip(c, ')');
}

static inline gboolean
imap_is_envelope(HpSlice text, gboolean utf8)
{
    HpCursor c = hp_cursor_over(text);

    return imap_take_envelope(&c, (ImapForm){ TRUE, utf8 }) && hp_cursor_at_end(&c);
}

static inline gboolean
imap_is_structure(HpSlice text, gboolean extended, gboolean utf8)
{
    HpCursor c = hp_cursor_over(text);

    return imap_take_body(&c, (ImapForm){ extended, utf8 }) && hp_cursor_at_end(&c);
}
