/* What NOTIFY (RFC 5465) tells of mailboxes that are not selected: the difference between
 * two looks at all of them. */
#include "hp-imap-notify-private.h"
#include "hp-imap-tree-news.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_WATCHED 5000 /* mailboxes of one session */
#define LOOK_SHARE  10   /* looking takes at most this part of the time */

typedef struct {
    HpImapSession *s;         /* (unowned) */
    const HpImapTree *before; /* (unowned) */
    const HpImapTree *after;  /* (unowned) */
    GHashTable *told;         /* (owned): set of char (owned): names */
} Look;

/* --- whether -------------------------------------------------------------------------
 */

static gboolean
is_subscribed(const HpImapTree *tree, const char *name)
{
    const HpImapNode *node = hp_imap_tree_find(tree, name);

    return node != NULL && node->subscribed;
}

/* HpNotifyEvent bits; a subscription that ends now still counts. */
static guint
wanted_of(const Look *self, const char *name)
{
    gboolean subscribed =
        is_subscribed(self->before, name) || is_subscribed(self->after, name);

    return hp_notify_wish_events(&self->s->notify->wish, name, subscribed);
}

static gboolean
is_above(const char *name, const char *other)
{
    size_t n = strlen(name);

    return strncmp(name, other, n) == 0 && (other[n] == '\0' || other[n] == '/');
}

/* This client has done it, or made levels above what it has made. */
static gboolean
is_own_name(const Look *self, const char *name)
{
    GHashTableIter iter;
    gpointer own;

    g_hash_table_iter_init(&iter, self->s->notify->own_names);
    while (g_hash_table_iter_next(&iter, &own, NULL))
        if (is_above(name, own))
            return TRUE;
    return FALSE;
}

/* Each change raises HIGHESTMODSEQ by one: were there others than those of this client?
 */
static gboolean
is_own_change(const Look *self, const HpTreeNews *news)
{
    const HpStoreMailbox *before = news->before, *after = news->after;
    GHashTable *changes = self->s->notify->own_changes;
    const guint *n;

    if (before == NULL || before->id != after->id)
        return g_hash_table_contains(self->s->notify->own_names, after->name);
    n = g_hash_table_lookup(changes, &after->id);
    return n != NULL && after->highestmodseq == before->highestmodseq + *n;
}

/* --- names ---------------------------------------------------------------------------
 */

static void
tell_name(const Look *self, const char *name, const char *old_name)
{
    static const HpImapNode nothing = { NULL, NULL, FALSE, FALSE };
    const HpImapNode *node = hp_imap_tree_find(self->after, name);
    g_autoptr(GString) line = g_string_new("* LIST (");

    hp_imap_node_attributes(node != NULL ? node : &nothing, "\\NonExistent", TRUE, line);
    g_string_append(line, ") \"/\" ");
    hp_imap_out_mailbox(line, name, self->s->utf8);
    if (old_name != NULL) {
        g_string_append(line, " (\"OLDNAME\" (");
        hp_imap_out_mailbox(line, old_name, self->s->utf8);
        g_string_append(line, "))");
    }
    g_string_append(line, "\r\n");
    hp_imap_write(self->s, hp_slice_of_string(line));
}

/* @old_name: (nullable). Each name is told once. */
static void
affect(Look *self, HpNotifyEvent event, const char *name, const char *old_name)
{
    guint wanted = wanted_of(self, name);

    if (old_name != NULL)
        wanted |= wanted_of(self, old_name);
    if ((wanted & event) != 0 && !is_own_name(self, name) &&
        g_hash_table_add(self->told, g_strdup(name)))
        tell_name(self, name, old_name);
}

/* RFC 5465 §5.4: "the mailbox itself and its direct parent (whether it is an existing
 * mailbox or not) are considered to be affected". */
static void
affect_with_parent(Look *self, const char *name)
{
    const char *slash = strrchr(name, '/');
    g_autofree char *parent = NULL;

    affect(self, HP_NOTIFY_MAILBOX_NAME, name, NULL);
    if (slash == NULL)
        return;
    parent = g_strndup(name, (size_t)(slash - name));
    affect(self, HP_NOTIFY_MAILBOX_NAME, parent, NULL);
}

/* --- messages ------------------------------------------------------------------------
 */

static gboolean
is_selected(const HpImapSession *s, const HpStoreMailbox *mailbox)
{
    return s->view != NULL && hp_view_mailbox(s->view) == mailbox->id;
}

/* RFC 5465 §5.1: nothing if the client knows of no MODSEQ and nothing was read. */
static guint
items_of_flags(const HpImapSession *s, const HpTreeNews *news)
{
    const HpStoreMailbox *before = news->before, *after = news->after;
    guint items = 0;

    if (before != NULL && before->uidvalidity != after->uidvalidity)
        items |= HP_STATUS_UIDVALIDITY;
    if (before != NULL && before->unseen != after->unseen)
        items |= HP_STATUS_UIDVALIDITY | HP_STATUS_UNSEEN;
    if (s->condstore)
        items |= HP_STATUS_UIDVALIDITY | HP_STATUS_HIGHESTMODSEQ;
    return items;
}

/* RFC 5465 §5.2, §5.3 */
static guint
items_of_counts(const HpImapSession *s, const HpTreeNews *news)
{
    const HpStoreMailbox *before = news->before, *after = news->after;

    if (before != NULL && before->uidnext == after->uidnext &&
        before->messages == after->messages)
        return 0;
    return HP_STATUS_UIDNEXT | HP_STATUS_MESSAGES |
           (s->condstore ? HP_STATUS_HIGHESTMODSEQ : 0u);
}

static void
tell_messages(const Look *self, const HpTreeNews *news)
{
    HpImapSession *s = self->s;
    guint wanted = wanted_of(self, news->name);
    guint items = 0;

    if (is_selected(s, news->after) || is_own_change(self, news))
        return;
    if ((wanted & HP_NOTIFY_MESSAGE_NEW) != 0)
        items |= items_of_counts(s, news);
    if ((wanted & HP_NOTIFY_FLAG_CHANGE) != 0)
        items |= items_of_flags(s, news);
    if (items != 0)
        hp_imap_tell_status(s, news->after, items);
}

/* --- looking -------------------------------------------------------------------------
 */

static void
tell(Look *self, const HpTreeNews *news)
{
    switch (news->kind) {
    case HP_TREE_RENAMED:
        affect(self, HP_NOTIFY_MAILBOX_NAME, news->name, news->before->name);
        break;
    case HP_TREE_CREATED:
    case HP_TREE_DELETED:
        affect_with_parent(self, news->name);
        break;
    case HP_TREE_SUBSCRIPTION:
        affect(self, HP_NOTIFY_SUBSCRIPTION_CHANGE, news->name, NULL);
        break;
    case HP_TREE_MESSAGES:
        tell_messages(self, news);
        break;
    }
}

static void
tell_difference(HpImapSession *s, const HpImapTree *after, const GArray *news)
{
    g_autoptr(GHashTable) told =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Look look = { s, s->notify->tree, after, told };

    for (guint i = 0; i < news->len && s->state != HP_IMAP_ENDED; i++)
        tell(&look, &g_array_index(news, HpTreeNews, i));
    g_hash_table_remove_all(s->notify->own_names);
    g_hash_table_remove_all(s->notify->own_changes);
}

/* RFC 5465 §5.8 */
static void
overflow(HpImapSession *s)
{
    hp_imap_notify_stop(s);
    hp_imap_say(s, "OK", "NOTIFICATIONOVERFLOW",
                _("There is too much to tell. From now on nothing is told."));
}

void
hp_imap_notify_look_now(HpImapSession *s)
{
    gint64 start = g_get_monotonic_time(), end;
    g_autoptr(HpImapTree) tree = NULL;
    g_autoptr(GArray) news = NULL;

    if (s->notify == NULL || s->notify->tree == NULL || !s->notify->has_rung)
        return;
    s->notify->has_rung = FALSE;
    tree = hp_imap_tree_new(s->options->store, NULL);
    if (tree == NULL || hp_imap_notify_is_too_much(&s->notify->wish, tree)) {
        overflow(s);
        return;
    }
    news = hp_imap_tree_compare(s->notify->tree, tree);
    end = g_get_monotonic_time();
    s->notify->look_usec = end + (end - start) * (LOOK_SHARE - 1);
    tell_difference(s, tree, news);
    hp_imap_tree_free(s->notify->tree);
    s->notify->tree = g_steal_pointer(&tree);
}

void
hp_imap_notify_look(HpImapSession *s)
{
    if (hp_imap_notify_due_usec(s) <= g_get_monotonic_time())
        hp_imap_notify_look_now(s);
}

gint64
hp_imap_notify_due_usec(const HpImapSession *s)
{
    if (s->notify == NULL || s->notify->tree == NULL || !s->notify->has_rung)
        return G_MAXINT64;
    return s->notify->look_usec;
}

void
hp_imap_notify_hear(HpImapSession *s)
{
    hp_waker_clear(s->waker);
    if (s->notify != NULL)
        s->notify->has_rung = TRUE;
}

/* --- beginning and end ---------------------------------------------------------------
 */

/* RFC 5465 §3.1 */
void
hp_imap_notify_tell_all(HpImapSession *s)
{
    const HpImapTree *tree = s->notify->tree;

    for (guint i = 0; tree != NULL && i < tree->mailboxes->len; i++) {
        const HpStoreMailbox *mailbox = g_ptr_array_index(tree->mailboxes, i);
        guint wanted =
            hp_notify_wish_events(&s->notify->wish, mailbox->name, mailbox->subscribed);
        guint items = HP_STATUS_MESSAGES | HP_STATUS_UIDNEXT | HP_STATUS_UIDVALIDITY;

        if (is_selected(s, mailbox) || (wanted & HP_NOTIFY_MESSAGE_NEW) == 0)
            continue;
        if (s->condstore || (wanted & HP_NOTIFY_FLAG_CHANGE) != 0)
            items |= HP_STATUS_HIGHESTMODSEQ;
        hp_imap_tell_status(s, mailbox, items);
    }
}

gboolean
hp_imap_notify_is_too_much(const HpNotifyWish *wish, const HpImapTree *tree)
{
    guint n = 0;

    if (tree->mailboxes->len <= MAX_WATCHED)
        return FALSE; /* as nearly always: filters may take long for all of them */
    for (guint i = 0; i < tree->mailboxes->len; i++) {
        const HpStoreMailbox *mailbox = g_ptr_array_index(tree->mailboxes, i);

        if (hp_notify_wish_events(wish, mailbox->name, mailbox->subscribed) != 0)
            n++;
    }
    return n > MAX_WATCHED;
}

void
hp_imap_notify_stop(HpImapSession *s)
{
    HpImapNotify *self = s->notify;

    if (self->is_watching)
        hp_store_unwatch(s->options->store, s->waker);
    self->is_watching = FALSE;
    g_clear_pointer(&self->tree, hp_imap_tree_free);
    hp_notify_wish_clear(&self->wish);
    self->wish = (HpNotifyWish){ 0 };
    g_hash_table_remove_all(self->own_names);
    g_hash_table_remove_all(self->own_changes);
}
