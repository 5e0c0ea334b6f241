#include "hp-imap-notify-args.h"

#include <glib/gi18n.h>

static const struct {
    const char *name; /* (unowned) */
    HpNotifyEvent event;
} events[] = {
    { "MessageNew", HP_NOTIFY_MESSAGE_NEW },
    { "MessageExpunge", HP_NOTIFY_MESSAGE_EXPUNGE },
    { "FlagChange", HP_NOTIFY_FLAG_CHANGE },
    { "MailboxName", HP_NOTIFY_MAILBOX_NAME },
    { "SubscriptionChange", HP_NOTIFY_SUBSCRIPTION_CHANGE },
    { "MailboxMetadataChange", HP_NOTIFY_MAILBOX_METADATA },
    { "ServerMetadataChange", HP_NOTIFY_SERVER_METADATA },
};

static void
clear_group(gpointer group)
{
    hp_imap_filter_clear(&((HpNotifyGroup *)group)->filter);
}

void
hp_notify_wish_clear(HpNotifyWish *self)
{
    g_clear_pointer(&self->groups, g_array_unref);
    hp_imap_fetch_clear(&self->fetch);
}

void
hp_notify_out_events(GString *out)
{
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        g_string_append_printf(out, i > 0 ? " %s" : "%s", events[i].name);
}

guint
hp_notify_wish_events(const HpNotifyWish *self, const char *name, gboolean subscribed)
{
    guint wanted = 0;

    for (guint i = 0; self->groups != NULL && i < self->groups->len; i++) {
        const HpNotifyGroup *group = &g_array_index(self->groups, HpNotifyGroup, i);

        if (hp_imap_filter_matches(&group->filter, name, subscribed))
            wanted |= group->events;
    }
    return wanted;
}

gboolean
hp_notify_wish_has(const HpNotifyWish *self, guint wanted)
{
    for (guint i = 0; self->groups != NULL && i < self->groups->len; i++)
        if ((g_array_index(self->groups, HpNotifyGroup, i).events & wanted) != 0)
            return TRUE;
    return FALSE;
}

/* --- events --------------------------------------------------------------------------
 */

static gboolean
is_of_selected(const HpNotifyGroup *group)
{
    return (group->filter.kind & (HP_FILTER_SELECTED | HP_FILTER_SELECTED_DELAYED)) != 0;
}

/* [SP "(" fetch-att *(SP fetch-att) ")"] behind MessageNew: only of what is selected. */
static gboolean
take_attributes(HpImapArgs *args, const HpNotifyGroup *group, HpNotifyWish *wish)
{
    HpImapArgs ahead = *args;

    if (!hp_imap_skip(&ahead, ' ') || hp_imap_peek(&ahead) != '(')
        return TRUE;
    if (!is_of_selected(group))
        return hp_imap_want(args, _("nothing to FETCH, for mailboxes not selected"));
    *args = ahead;
    return hp_imap_take_fetch_items(args, &wish->fetch);
}

static gboolean
take_event(HpImapArgs *args, HpNotifyGroup *group, HpNotifyWish *wish)
{
    HpSlice other;

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        if (hp_imap_skip_word(args, events[i].name)) {
            group->events |= events[i].event;
            return events[i].event != HP_NOTIFY_MESSAGE_NEW ||
                   take_attributes(args, group, wish);
        }
    /* AnnotationChange, or one of a later RFC. */
    wish->unknown = hp_imap_take_atom(args, &other);
    return FALSE;
}

/* events = "(" event *(SP event) ")" / "NONE"; lenient: without the parentheses, as in
 * the examples of RFC 5465 §3.1. */
static gboolean
take_events(HpImapArgs *args, HpNotifyGroup *group, HpNotifyWish *wish)
{
    gboolean listed;

    if (hp_imap_skip_word(args, "NONE"))
        return TRUE;
    listed = hp_imap_skip(args, '(');
    do {
        if (!take_event(args, group, wish))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return !listed || hp_imap_take_char(args, ')');
}

/* RFC 5465 §5, §6.1 */
static gboolean
check_events(HpImapArgs *args, const HpNotifyGroup *group)
{
    guint both = HP_NOTIFY_MESSAGE_NEW | HP_NOTIFY_MESSAGE_EXPUNGE;

    if ((group->events & HP_NOTIFY_OF_MESSAGES) != 0 && (group->events & both) != both)
        return hp_imap_want(args, _("MessageNew and MessageExpunge, both"));
    if (is_of_selected(group) && (group->events & ~(guint)HP_NOTIFY_OF_MESSAGES) != 0)
        return hp_imap_want(args, _("only events of messages, for the selected mailbox"));
    return TRUE;
}

/* --- groups --------------------------------------------------------------------------
 */

static gboolean
take_group_events(HpImapArgs *args, HpNotifyGroup *group, HpNotifyWish *wish)
{
    return hp_imap_take_space(args) && take_events(args, group, wish) &&
           check_events(args, group) && hp_imap_take_char(args, ')');
}

/* event-group = "(" filter-mailboxes SP events ")"; @has_selected: one was of what is
 * selected, and one only may be. */
static gboolean
take_group(HpImapArgs *args, gboolean utf8, HpNotifyWish *wish, gboolean *has_selected)
{
    guint selected = HP_FILTER_SELECTED | HP_FILTER_SELECTED_DELAYED;
    guint allowed =
        *has_selected ? HP_FILTER_COMMON & ~selected : HP_FILTER_COMMON | selected;
    HpNotifyGroup *group;

    if (wish->groups->len == HP_IMAP_MAX_FILTERS)
        return hp_imap_want(args, _("fewer groups"));
    g_array_set_size(wish->groups, wish->groups->len + 1);
    group = &g_array_index(wish->groups, HpNotifyGroup, wish->groups->len - 1);
    if (!hp_imap_take_char(args, '(') ||
        !hp_imap_take_filter(args, allowed, utf8, &group->filter) ||
        !take_group_events(args, group, wish))
        return FALSE;
    if (!is_of_selected(group))
        return TRUE;
    *has_selected = TRUE;
    wish->selected = group->events;
    wish->delayed = group->filter.kind == HP_FILTER_SELECTED_DELAYED;
    g_array_set_size(wish->groups, wish->groups->len - 1);
    return TRUE;
}

/* notify = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-group *(SP event-group) / "NONE") */
gboolean
hp_notify_take_wish(HpImapArgs *args, gboolean utf8, HpNotifyWish *ret_wish)
{
    gboolean has_selected = FALSE;

    ret_wish->groups = g_array_new(FALSE, TRUE, sizeof(HpNotifyGroup));
    g_array_set_clear_func(ret_wish->groups, clear_group);
    if (hp_imap_skip_word(args, "NONE"))
        return hp_imap_take_end(args);
    if (!hp_imap_skip_word(args, "SET"))
        return hp_imap_want(args, _("SET or NONE"));
    if (!hp_imap_take_space(args))
        return FALSE;
    ret_wish->status = hp_imap_skip_word(args, "STATUS");
    if (ret_wish->status && !hp_imap_take_space(args))
        return FALSE;
    do {
        if (!take_group(args, utf8, ret_wish, &has_selected))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_end(args);
}
