#include "hp-imap-args.h"

#include <glib/gi18n.h>
#include <string.h>

HpImapArgs
hp_imap_args(HpSlice command)
{
    HpCursor c = hp_cursor_over(command);

    return (HpImapArgs){ .c = c, .start = c.at };
}

gboolean
hp_imap_want(HpImapArgs *args, const char *what)
{
    if (args->wanted == NULL) {
        args->wanted = what;
        args->where = (size_t)(args->c.at - args->start) + 1;
    }
    return FALSE;
}

gboolean
hp_imap_want_uid(HpImapArgs *args)
{
    args->uid_required = TRUE;
    return hp_imap_want(args, _("a UID, after ENABLE UIDONLY"));
}

int
hp_imap_peek(const HpImapArgs *args)
{
    return hp_cursor_peek(&args->c);
}

/* --- classes of octets (RFC 9051 §9) -------------------------------------------------
 */

/* ATOM-CHAR */
static gboolean
is_atom(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f && strchr("(){%*\"\\]", byte) == NULL;
}

/* ASTRING-CHAR, also of tags */
static gboolean
is_astring(unsigned char byte)
{
    return is_atom(byte) || byte == ']';
}

/* list-char */
static gboolean
is_pattern(unsigned char byte)
{
    return is_astring(byte) || byte == '%' || byte == '*';
}

static gboolean
is_tag(unsigned char byte)
{
    return is_astring(byte) && byte != '+';
}

/* --- small things --------------------------------------------------------------------
 */

gboolean
hp_imap_skip(HpImapArgs *args, char byte)
{
    return hp_cursor_skip(&args->c, byte);
}

gboolean
hp_imap_skip_word(HpImapArgs *args, const char *word)
{
    HpCursor c = args->c;
    int next;

    if (!hp_cursor_skip_word(&c, word))
        return FALSE;
    next = hp_cursor_peek(&c);
    if (next >= 0 && is_atom((unsigned char)next) && next != '[' && next != '<')
        return FALSE;
    args->c = c;
    return TRUE;
}

gboolean
hp_imap_take_space(HpImapArgs *args)
{
    return hp_imap_skip(args, ' ') || hp_imap_want(args, _("a space"));
}

gboolean
hp_imap_take_char(HpImapArgs *args, char byte)
{
    if (hp_imap_skip(args, byte))
        return TRUE;
    switch (byte) {
    case '(':
        return hp_imap_want(args, _("an opening parenthesis"));
    case ')':
        return hp_imap_want(args, _("a closing parenthesis"));
    case ']':
        return hp_imap_want(args, _("a closing bracket"));
    case '>':
        return hp_imap_want(args, _("a closing angle bracket"));
    default:
        return hp_imap_want(args, _("another character"));
    }
}

gboolean
hp_imap_take_end(HpImapArgs *args)
{
    return hp_cursor_at_end(&args->c) || hp_imap_want(args, _("the end of the command"));
}

static gboolean
take_run(HpImapArgs *args, HpByteClass cls, HpSlice *ret_run)
{
    *ret_run = hp_cursor_take(&args->c, cls);
    return ret_run->len > 0;
}

gboolean
hp_imap_take_atom(HpImapArgs *args, HpSlice *ret_atom)
{
    return take_run(args, is_atom, ret_atom) || hp_imap_want(args, _("a word"));
}

gboolean
hp_imap_take_tag(HpImapArgs *args, HpSlice *ret_tag)
{
    return take_run(args, is_tag, ret_tag) || hp_imap_want(args, _("a tag"));
}

gboolean
hp_imap_take_number(HpImapArgs *args, guint64 max, guint64 *ret_number)
{
    return hp_cursor_take_number(&args->c, max, ret_number) ||
           hp_imap_want(args, _("a number"));
}

gboolean
hp_imap_take_nz_number(HpImapArgs *args, guint64 max, guint64 *ret_number)
{
    HpCursor c = args->c;

    if (!hp_cursor_take_number(&c, max, ret_number) || *ret_number == 0)
        return hp_imap_want(args, _("a number above 0"));
    args->c = c;
    return TRUE;
}

/* --- strings -------------------------------------------------------------------------
 */

/* literal = "{" number ["+"] "}" CRLF *CHAR8 */
gboolean
hp_imap_take_literal_size(HpImapArgs *args, guint64 *ret_octets)
{
    HpCursor c = args->c;

    if (!hp_cursor_skip(&c, '{') || !hp_cursor_take_number(&c, G_MAXINT64, ret_octets))
        return hp_imap_want(args, _("a literal"));
    hp_cursor_skip(&c, '+');
    if (!hp_cursor_skip_word(&c, "}\r\n"))
        return hp_imap_want(args, _("a literal"));
    args->c = c;
    return TRUE;
}

static gboolean
take_literal(HpImapArgs *args, char **ret_text)
{
    HpSlice rest;
    guint64 octets;

    if (!hp_imap_take_literal_size(args, &octets))
        return FALSE;
    rest = hp_cursor_rest(&args->c);
    if (octets > rest.len)
        return hp_imap_want(args, _("the octets of a literal"));
    rest.len = (size_t)octets;
    if (octets > 0 && memchr(rest.data, '\0', rest.len) != NULL)
        return hp_imap_want(args, _("a text without NUL"));
    *ret_text = hp_slice_dup(rest);
    args->c.at += octets;
    return TRUE;
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE; only <"> and "\" may stand behind "\". */
static gboolean
take_quoted(HpImapArgs *args, char **ret_text)
{
    g_autoptr(GString) text = g_string_new(NULL);
    HpCursor c = args->c;

    hp_cursor_skip(&c, '"');
    while (!hp_cursor_skip(&c, '"')) {
        gboolean escaped = hp_cursor_skip(&c, '\\');
        int byte = hp_cursor_peek(&c);

        if (byte <= 0 || byte == '\r' || byte == '\n' ||
            (escaped && byte != '"' && byte != '\\')) {
            args->c = c;
            return hp_imap_want(args, _("a closing quotation mark"));
        }
        g_string_append_c(text, (char)byte);
        c.at++;
    }
    args->c = c;
    *ret_text = g_string_free(g_steal_pointer(&text), FALSE);
    return TRUE;
}

gboolean
hp_imap_take_string(HpImapArgs *args, char **ret_text)
{
    if (hp_imap_peek(args) == '"')
        return take_quoted(args, ret_text);
    if (hp_imap_peek(args) == '{')
        return take_literal(args, ret_text);
    return hp_imap_want(args, _("a text in quotation marks"));
}

static gboolean
take_string_or(HpImapArgs *args, HpByteClass cls, char **ret_text)
{
    int next = hp_imap_peek(args);
    HpSlice run;

    if (next == '"' || next == '{')
        return hp_imap_take_string(args, ret_text);
    if (!take_run(args, cls, &run))
        return hp_imap_want(args, _("a word or text"));
    *ret_text = hp_slice_dup(run);
    return TRUE;
}

gboolean
hp_imap_take_astring(HpImapArgs *args, char **ret_text)
{
    return take_string_or(args, is_astring, ret_text);
}

gboolean
hp_imap_take_pattern(HpImapArgs *args, char **ret_text)
{
    return take_string_or(args, is_pattern, ret_text);
}

gboolean
hp_imap_take_nstring(HpImapArgs *args, char **ret_text)
{
    if (hp_imap_skip_word(args, "NIL")) {
        *ret_text = NULL;
        return TRUE;
    }
    return hp_imap_take_string(args, ret_text);
}
