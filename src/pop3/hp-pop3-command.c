#include "hp-pop3-command.h"

#define VERB_MIN 3
#define VERB_MAX 8 /* no verb of POP3 or of HTTP that we name is longer */

static gboolean
is_verb_byte(unsigned char byte)
{
    return g_ascii_isalnum((char)byte);
}

/* command = keyword [SP arguments]; RFC 2449 §4 */
gboolean
hp_pop3_parse_command(HpSlice line, HpSlice *ret_verb, HpSlice *ret_args)
{
    HpCursor c = hp_cursor_over(line);
    HpSlice verb = hp_cursor_take(&c, is_verb_byte);

    if (verb.len < VERB_MIN || verb.len > VERB_MAX)
        return FALSE;
    if (!hp_cursor_at_end(&c) && !hp_cursor_skip(&c, ' '))
        return FALSE;
    *ret_verb = verb;
    *ret_args = hp_cursor_rest(&c);
    return TRUE;
}

static gboolean
take_number(HpCursor *c, guint max, guint *ret_number)
{
    HpCursor p = *c;
    guint64 number;

    if (!hp_cursor_take_number(&p, max, &number) || number == 0)
        return FALSE;
    *ret_number = (guint)number;
    *c = p;
    return TRUE;
}

/* Some clients leave spaces at the end of a line. */
static gboolean
is_done(HpCursor *c)
{
    while (hp_cursor_skip(c, ' '))
        ;
    return hp_cursor_at_end(c);
}

gboolean
hp_pop3_parse_number(HpSlice args, guint max, guint *ret_number)
{
    HpCursor c = hp_cursor_over(args);
    guint number;

    if (!take_number(&c, max, &number) || !is_done(&c))
        return FALSE;
    *ret_number = number;
    return TRUE;
}

/* msg SP n; RFC 1939 §7 */
gboolean
hp_pop3_parse_top(HpSlice args, guint max, guint *ret_number, guint64 *ret_lines)
{
    HpCursor c = hp_cursor_over(args);
    guint number;
    guint64 lines;

    if (!take_number(&c, max, &number) || !hp_cursor_skip(&c, ' ') ||
        !hp_cursor_take_number(&c, G_MAXUINT64, &lines) || !is_done(&c))
        return FALSE;
    *ret_number = number;
    *ret_lines = lines;
    return TRUE;
}

gboolean
hp_pop3_parse_name(HpSlice bytes, char **ret_name)
{
    g_autofree char *name = NULL;

    if (bytes.len == 0 || !g_utf8_validate_len(bytes.data, bytes.len, NULL))
        return FALSE;
    name = g_utf8_normalize(bytes.data, (gssize)bytes.len, G_NORMALIZE_NFKC);
    if (name == NULL || *name == '\0')
        return FALSE;
    for (char *p = name; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    *ret_name = g_steal_pointer(&name);
    return TRUE;
}
