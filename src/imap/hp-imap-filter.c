#include "hp-imap-filter.h"

#include <glib/gi18n.h>
#include <string.h>

void
hp_imap_filter_clear(HpImapFilter *self)
{
    g_clear_pointer(&self->names, g_hash_table_unref);
}

static const struct {
    const char *name; /* (unowned) */
    HpImapFilterKind kind;
} kinds[] = {
    { "SELECTED", HP_FILTER_SELECTED },
    { "SELECTED-DELAYED", HP_FILTER_SELECTED_DELAYED },
    { "INBOXES", HP_FILTER_INBOXES },
    { "PERSONAL", HP_FILTER_PERSONAL },
    { "SUBSCRIBED", HP_FILTER_SUBSCRIBED },
    { "SUBTREE", HP_FILTER_SUBTREE },
    { "SUBTREE-ONE", HP_FILTER_SUBTREE_ONE },
    { "MAILBOXES", HP_FILTER_MAILBOXES },
};

#define WITH_NAMES (HP_FILTER_SUBTREE | HP_FILTER_SUBTREE_ONE | HP_FILTER_MAILBOXES)

static gboolean
take_kind(HpImapArgs *args, guint allowed, HpImapFilterKind *ret_kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if ((kinds[i].kind & allowed) != 0 && hp_imap_skip_word(args, kinds[i].name)) {
            *ret_kind = kinds[i].kind;
            return TRUE;
        }
    return hp_imap_want(args, _("which mailboxes are meant, such as PERSONAL"));
}

static gboolean
take_name(HpImapArgs *args, gboolean utf8, GHashTable *names)
{
    char *name;

    if (!hp_imap_take_mailbox_name(args, utf8, &name))
        return FALSE;
    if (name != NULL) /* else there is no such mailbox, and so it is ignored */
        g_hash_table_add(names, name);
    return TRUE;
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static gboolean
take_names(HpImapArgs *args, gboolean utf8, GHashTable *names)
{
    if (!hp_imap_take_space(args))
        return FALSE;
    if (!hp_imap_skip(args, '('))
        return take_name(args, utf8, names);
    for (guint i = 0; i == 0 || hp_imap_skip(args, ' '); i++) {
        if (i == HP_IMAP_MAX_FILTER_NAMES)
            return hp_imap_want(args, _("fewer mailboxes"));
        if (!take_name(args, utf8, names))
            return FALSE;
    }
    return hp_imap_take_char(args, ')');
}

gboolean
hp_imap_take_filter(HpImapArgs *args, guint allowed, gboolean utf8,
                    HpImapFilter *ret_filter)
{
    hp_imap_filter_clear(ret_filter);
    if (!take_kind(args, allowed, &ret_filter->kind))
        return FALSE;
    if ((ret_filter->kind & WITH_NAMES) == 0)
        return TRUE;
    ret_filter->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return take_names(args, utf8, ret_filter->names);
}

/* Is @name one of @names, or at most @levels below one? */
static gboolean
is_below(const char *name, guint levels, GHashTable *names)
{
    g_autofree char *above = g_strdup(name);
    char *slash;

    for (guint i = 0;; i++) {
        if (g_hash_table_contains(names, above))
            return TRUE;
        slash = strrchr(above, '/');
        if (slash == NULL || i == levels)
            return FALSE;
        *slash = '\0';
    }
}

gboolean
hp_imap_filter_matches(const HpImapFilter *self, const char *name, gboolean subscribed)
{
    switch (self->kind) {
    case HP_FILTER_INBOXES: /* rules may deliver anywhere, so all are (RFC 5465 §6.3) */
    case HP_FILTER_PERSONAL:
        return TRUE;
    case HP_FILTER_SUBSCRIBED:
        return subscribed;
    case HP_FILTER_SUBTREE:
        return is_below(name, G_MAXUINT, self->names);
    case HP_FILTER_SUBTREE_ONE:
        return is_below(name, 1, self->names);
    case HP_FILTER_MAILBOXES:
        return g_hash_table_contains(self->names, name);
    case HP_FILTER_SELECTED:
    case HP_FILTER_SELECTED_DELAYED:
        break;
    }
    return FALSE;
}
