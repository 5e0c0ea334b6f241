/* Names, dates and flags among the arguments of commands. */
#include "hp-imap-args.h"
#include "hp-imap-name.h"
#include "hp-store-mailboxes.h"

#include <glib/gi18n.h>

#define FIRST_YEAR 1900
#define LAST_YEAR  9999

gboolean
hp_imap_take_mailbox_name(HpImapArgs *args, gboolean utf8, char **ret_name)
{
    g_autofree char *wire = NULL;
    g_autofree char *name = NULL;

    if (!hp_imap_take_astring(args, &wire))
        return FALSE;
    name = utf8 ? g_strdup(wire) : hp_imap_name_decode(wire);
    *ret_name = name != NULL ? hp_store_normal_name(name) : NULL;
    return TRUE;
}

/* --- dates ---------------------------------------------------------------------------
 */

static gboolean
skip_month(HpCursor *c, guint *ret_month)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

    for (guint i = 0; i < G_N_ELEMENTS(months); i++)
        if (hp_cursor_skip_word(c, months[i])) {
            *ret_month = i + 1;
            return TRUE;
        }
    return FALSE;
}

/* date-text = date-day "-" date-month "-" date-year */
static gboolean
skip_day(HpCursor *c, gint64 *ret_day)
{
    static const GDate none = { 0 };
    GDate date = none;
    guint64 day;
    guint64 year;
    guint month = 0;

    if (!hp_cursor_take_number(c, 31, &day) || !hp_cursor_skip(c, '-') ||
        !skip_month(c, &month) || !hp_cursor_skip(c, '-') ||
        !hp_cursor_take_number(c, LAST_YEAR, &year) || year < FIRST_YEAR ||
        !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
        return FALSE;
    g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    *ret_day = (gint64)g_date_get_julian(&date) - 719163; /* of 1 Jan 1970 */
    return TRUE;
}

gboolean
hp_imap_take_date(HpImapArgs *args, gint64 *ret_day)
{
    HpCursor c = args->c;
    gboolean quoted = hp_cursor_skip(&c, '"');

    if (!skip_day(&c, ret_day) || (quoted && !hp_cursor_skip(&c, '"')))
        return hp_imap_want(args, _("a date such as 1-Feb-2026"));
    args->c = c;
    return TRUE;
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT; a leap second counts as the one before it. */
static gboolean
skip_time(HpCursor *c, gint64 *ret_sec)
{
    guint64 hour;
    guint64 minute;
    guint64 second;

    if (!hp_cursor_take_number(c, 23, &hour) || !hp_cursor_skip(c, ':') ||
        !hp_cursor_take_number(c, 59, &minute) || !hp_cursor_skip(c, ':') ||
        !hp_cursor_take_number(c, 60, &second))
        return FALSE;
    *ret_sec = (gint64)(hour * 3600 + minute * 60 + MIN(second, 59));
    return TRUE;
}

/* zone = ("+" / "-") 4DIGIT */
static gboolean
skip_zone(HpCursor *c, gint *ret_minutes)
{
    gboolean west = hp_cursor_skip(c, '-');
    guint64 zone;

    if ((!west && !hp_cursor_skip(c, '+')) || !hp_cursor_take_number(c, 2359, &zone) ||
        zone % 100 > 59)
        return FALSE;
    *ret_minutes = (gint)(zone / 100 * 60 + zone % 100);
    if (west)
        *ret_minutes = -*ret_minutes;
    return TRUE;
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 */
gboolean
hp_imap_take_date_time(HpImapArgs *args, gint64 *ret_usec, gint *ret_zone)
{
    HpCursor c = args->c;
    gint64 day = 0;
    gint64 sec = 0;
    gint zone = 0;
    gboolean good = hp_cursor_skip(&c, '"');

    hp_cursor_skip(&c, ' '); /* date-day-fixed: " 1" */
    good = good && skip_day(&c, &day) && hp_cursor_skip(&c, ' ') && skip_time(&c, &sec) &&
           hp_cursor_skip(&c, ' ') && skip_zone(&c, &zone) && hp_cursor_skip(&c, '"');
    if (!good)
        return hp_imap_want(args, _("a date such as \" 1-Feb-2026 13:00:00 +0100\""));
    args->c = c;
    *ret_usec = (day * 86400 + sec - (gint64)zone * 60) * G_USEC_PER_SEC;
    *ret_zone = zone;
    return TRUE;
}

/* --- flags ---------------------------------------------------------------------------
 */

void
hp_imap_flags_clear(HpImapFlags *self)
{
    g_clear_pointer(&self->keywords, g_strfreev);
}

#define RECENT (1u << 31) /* \Recent, which nobody can set */

static const struct {
    const char *name; /* (unowned) */
    guint32 flag;
} system_flags[] = {
    { "Seen", HP_STORE_SEEN },       { "Answered", HP_STORE_ANSWERED },
    { "Flagged", HP_STORE_FLAGGED }, { "Deleted", HP_STORE_DELETED },
    { "Draft", HP_STORE_DRAFT },     { "Recent", RECENT },
};

gboolean
hp_imap_take_flag(HpImapArgs *args, guint32 *ret_flag, HpSlice *ret_keyword)
{
    HpCursor before = args->c;

    *ret_flag = 0;
    if (!hp_imap_skip(args, '\\')) {
        if (!hp_imap_take_atom(args, ret_keyword))
            return FALSE;
        if (ret_keyword->len <= HP_IMAP_MAX_KEYWORD)
            return TRUE;
        args->c = before;
        return hp_imap_want(args, _("a shorter flag"));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(system_flags); i++)
        if (hp_imap_skip_word(args, system_flags[i].name)) {
            *ret_flag = system_flags[i].flag;
            return TRUE;
        }
    return hp_imap_want(args, _("a flag that exists"));
}

static gboolean
add_flag(HpImapArgs *args, HpImapFlags *flags, GPtrArray *keywords)
{
    HpSlice keyword = { NULL, 0 };
    guint32 flag;

    if (!hp_imap_take_flag(args, &flag, &keyword))
        return FALSE;
    if (flag != 0)
        flags->flags |= flag & ~RECENT;
    else if (keywords->len < HP_IMAP_MAX_KEYWORDS)
        g_ptr_array_add(keywords, hp_slice_dup(keyword));
    else
        return hp_imap_want(args, _("fewer keywords"));
    return TRUE;
}

/* flag-list = "(" [flag *(SP flag)] ")"; STORE also without the parentheses */
gboolean
hp_imap_take_flags(HpImapArgs *args, HpImapFlags *ret_flags)
{
    g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);
    gboolean listed = hp_imap_skip(args, '(');

    ret_flags->flags = 0;
    if (!listed || !hp_imap_skip(args, ')')) {
        do {
            if (!add_flag(args, ret_flags, keywords))
                return FALSE;
        } while (hp_imap_skip(args, ' '));
        if (listed && !hp_imap_take_char(args, ')'))
            return FALSE;
    }
    if (keywords->len == 0)
        return TRUE;
    g_ptr_array_add(keywords, NULL);
    ret_flags->keywords = (GStrv)g_ptr_array_free(g_steal_pointer(&keywords), FALSE);
    return TRUE;
}
