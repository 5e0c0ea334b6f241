/* Keywords: those that a client has been told of, and how many a mailbox may have. */
#include "hp-imap-session-private.h"

#include <glib/gi18n.h>

#define MAX_KEYWORDS 1000 /* different ones in a mailbox: FLAGS tells them all */

char *
hp_imap_tell_flags_in_use(HpImapSession *s)
{
    g_autoptr(GString) words = g_string_new(NULL);

    g_strfreev(s->keywords);
    s->keywords = hp_view_all_keywords(s->view);
    for (char **keyword = s->keywords; *keyword != NULL; keyword++)
        g_string_append_printf(words, " %s", *keyword);
    hp_imap_untagged(s, "FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft%s)",
                     words->str);
    return g_string_free(g_steal_pointer(&words), FALSE);
}

static gboolean
all_told(HpImapSession *s, guint32 set)
{
    g_auto(GStrv) keywords = g_strsplit(hp_view_keywords(s->view, set), " ", -1);

    for (char *const *keyword = keywords; *keyword != NULL; keyword++)
        if (!g_strv_contains((const char *const *)s->keywords, *keyword))
            return FALSE;
    return TRUE;
}

void
hp_imap_know_keywords(HpImapSession *s, guint32 set)
{
    if (set == 0 || s->keywords == NULL)
        return;
    if (s->sets == NULL)
        s->sets = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, NULL);
    if (g_hash_table_contains(s->sets, &set))
        return;
    g_hash_table_add(s->sets, g_memdup2(&set, sizeof set));
    if (!all_told(s, set))
        g_free(hp_imap_tell_flags_in_use(s));
}

static gboolean
has_keyword(char *const *keywords, const char *keyword)
{
    for (char *const *one = keywords; *one != NULL; one++)
        if (g_ascii_strcasecmp(*one, keyword) == 0)
            return TRUE;
    return FALSE;
}

static guint
count_unknown(char *const *known, char *const *keywords)
{
    guint n = 0;

    for (char *const *keyword = keywords; *keyword != NULL; keyword++)
        n += !has_keyword(known, *keyword);
    return n;
}

gboolean
hp_imap_check_keywords(HpImapSession *s, HpView *view, char *const *keywords)
{
    g_auto(GStrv) known = NULL;
    g_autofree char *text = NULL;
    guint unknown;

    if (keywords == NULL || view == NULL)
        return TRUE;
    /* Mostly it is one that FLAGS has told. */
    if (view == s->view && s->keywords != NULL &&
        count_unknown(s->keywords, keywords) == 0)
        return TRUE;
    known = hp_view_all_keywords(view);
    unknown = count_unknown(known, keywords);
    if (unknown == 0 || g_strv_length(known) + unknown <= MAX_KEYWORDS)
        return TRUE;
    text = g_strdup_printf(ngettext("A mailbox can have %u keyword (tag) in all. Remove "
                                    "some that nobody needs, and try again.",
                                    "A mailbox can have %u different keywords (tags) in "
                                    "all. Remove some that nobody needs, and try again.",
                                    MAX_KEYWORDS),
                           MAX_KEYWORDS);
    hp_imap_no(s, "LIMIT", text);
    return FALSE;
}
