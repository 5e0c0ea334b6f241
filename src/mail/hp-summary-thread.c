#include "hp-summary-private.h"

#include <string.h>

#define MOST_IDS   100 /* that are kept of References: the first and the last ones */
#define LONGEST_ID 998 /* octets; RFC 5322 §2.1.1 */

static gboolean
is_not_start(unsigned char byte)
{
    return byte != '<';
}

/* msg-id = "<" id-left "@" id-right ">", with the quoting of RFC 2822 and the white space
 * of folding taken away: two ways to write it are one id (RFC 5256 §3). */
static gboolean
take_id(HpCursor *c, GString *id)
{
    gboolean quoted = FALSE;
    gboolean at = FALSE;

    g_string_truncate(id, 0);
    hp_cursor_take(c, is_not_start);
    if (!hp_cursor_skip(c, '<'))
        return FALSE;
    while (!hp_cursor_at_end(c) && (quoted || *c->at != '>')) {
        char byte = *c->at++;

        if (byte == '"') {
            quoted = !quoted;
            continue;
        }
        if (byte == '\\' && !hp_cursor_at_end(c))
            byte = *c->at++;
        at = at || byte == '@';
        if ((unsigned char)byte > ' ' && byte != 0x7F)
            g_string_append_c(id, byte);
    }
    if (!hp_cursor_skip(c, '>') || !at || id->len > LONGEST_ID)
        g_string_truncate(id, 0);
    return TRUE;
}

/* The next valid one. (transfer full) (nullable) */
static char *
next_id(HpCursor *c, GString *scratch)
{
    while (take_id(c, scratch))
        if (scratch->len > 0)
            return g_utf8_make_valid(scratch->str, (gssize)scratch->len);
    return NULL;
}

static char *
first_id(const HpSummaryFields *fields, HpSummaryFieldName name)
{
    g_autoptr(GString) scratch = g_string_sized_new(64);
    HpSlice body = { NULL, 0 };
    HpCursor c;
    char *id;

    hp_summary_field(fields, name, &body);
    c = hp_cursor_over(body);
    id = next_id(&c, scratch);
    return id != NULL ? id : g_strdup("");
}

char *
hp_summary_find_message_id(const HpSummaryFields *fields)
{
    return first_id(fields, HP_SUMMARY_FIELD_MESSAGE_ID);
}

char *
hp_summary_find_references(const HpSummaryFields *fields)
{
    g_autoptr(GString) scratch = g_string_sized_new(64);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    HpSlice body = { NULL, 0 };
    HpCursor c;
    char *id;

    hp_summary_field(fields, HP_SUMMARY_FIELD_REFERENCES, &body);
    c = hp_cursor_over(body);
    while ((id = next_id(&c, scratch)) != NULL)
        g_ptr_array_add(ids, id);
    if (ids->len == 0)
        return first_id(fields, HP_SUMMARY_FIELD_IN_REPLY_TO);
    if (ids->len > MOST_IDS)
        g_ptr_array_remove_range(ids, 1, ids->len - MOST_IDS);
    g_ptr_array_add(ids, NULL);
    return g_strjoinv("\n", (char **)ids->pdata);
}
