/* NOTIFY, and what it means for the selected mailbox (RFC 5465). */
#include "hp-imap-notify-private.h"

#include <glib/gi18n.h>

static HpImapNotify *
new_notify(void)
{
    HpImapNotify *self = g_new0(HpImapNotify, 1);

    self->own_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->own_changes =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    self->own_uids = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, NULL);
    self->unsaid = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, NULL);
    return self;
}

void
hp_imap_notify_free(HpImapNotify *self, HpImapSession *s)
{
    if (self == NULL)
        return;
    if (self->is_watching)
        hp_store_unwatch(s->options->store, s->waker);
    g_clear_pointer(&self->tree, hp_imap_tree_free);
    hp_notify_wish_clear(&self->wish);
    g_hash_table_unref(self->own_names);
    g_hash_table_unref(self->own_changes);
    g_hash_table_unref(self->own_uids);
    g_hash_table_unref(self->unsaid);
    g_free(self);
}

/* --- the selected mailbox ------------------------------------------------------------
 */

guint
hp_imap_notify_selected(const HpImapSession *s)
{
    return s->notify == NULL ? HP_NOTIFY_OF_MESSAGES : s->notify->wish.selected;
}

gboolean
hp_imap_notify_expunges_at_once(const HpImapSession *s)
{
    return s->notify != NULL && !s->notify->wish.delayed;
}

static void
add_uid(GHashTable *uids, guint32 uid)
{
    g_hash_table_add(uids, g_memdup2(&uid, sizeof uid));
}

void
hp_imap_notify_put_off(HpImapSession *s, guint32 uid)
{
    add_uid(s->notify->unsaid, uid);
}

/* What has been put off. */
static void
tell_unsaid(HpImapSession *s)
{
    guint32 n = s->view != NULL && g_hash_table_size(s->notify->unsaid) > 0
                    ? hp_view_len(s->view)
                    : 0;

    for (guint32 seq = 1; seq <= n; seq++) {
        guint32 uid = hp_view_uid(s->view, seq);
        HpViewEntry entry;

        if (g_hash_table_contains(s->notify->unsaid, &uid) &&
            hp_view_get(s->view, seq, &entry))
            hp_imap_tell_flags(s, seq, &entry);
    }
    g_hash_table_remove_all(s->notify->unsaid);
}

/* What is wanted of new messages, as the client understands it by now: it may have used
 * ENABLE since NOTIFY. */
static void
tell_new(HpImapSession *s, const GArray *seqs)
{
    HpImapFetch wanted = s->notify->wish.fetch; /* its parts stay there */

    if (wanted.items == 0 && wanted.sections == NULL)
        return;
    if (!s->uidonly) /* UIDFETCH begins with it */
        wanted.items |= HP_FETCH_UID;
    if (s->condstore && (wanted.items & HP_FETCH_FLAGS) != 0)
        wanted.items |= HP_FETCH_MODSEQ; /* RFC 7162 §3.1 */
    hp_imap_fetch_tell(s, &wanted, seqs);
}

/* RFC 5465 §5.2: not of those that the client has put there itself. */
void
hp_imap_notify_arrivals(HpImapSession *s, guint32 first_seq)
{
    g_autoptr(GArray) seqs = g_array_new(FALSE, FALSE, sizeof(HpImapRange));

    if (s->notify == NULL)
        return;
    for (guint32 seq = first_seq; seq <= hp_view_len(s->view); seq++) {
        guint32 uid = hp_view_uid(s->view, seq);
        HpImapRange range = { seq, seq };

        if (!g_hash_table_contains(s->notify->own_uids, &uid))
            g_array_append_val(seqs, range);
    }
    g_hash_table_remove_all(s->notify->own_uids);
    tell_new(s, seqs);
}

static void
count_change(GHashTable *changes, gint64 mailbox)
{
    guint *n = g_hash_table_lookup(changes, &mailbox);

    if (n == NULL) {
        n = g_new0(guint, 1);
        g_hash_table_insert(changes, g_memdup2(&mailbox, sizeof mailbox), n);
    }
    ++*n;
}

void
hp_imap_notify_own_change(HpImapSession *s, gint64 mailbox, const GArray *uids)
{
    if (s->notify == NULL)
        return;
    if (s->view != NULL && hp_view_mailbox(s->view) == mailbox)
        for (guint i = 0; uids != NULL && i < uids->len; i++)
            add_uid(s->notify->own_uids, g_array_index(uids, guint32, i));
    else if (s->notify->tree != NULL)
        count_change(s->notify->own_changes, mailbox);
}

void
hp_imap_notify_own_name(HpImapSession *s, const char *name)
{
    if (s->notify == NULL || s->notify->tree == NULL)
        return;
    g_hash_table_add(s->notify->own_names, g_strdup(name));
    s->notify->look_usec = 0; /* before the next command: a mailbox that is renamed and
                                 then deleted would be missed under its first name */
}

/* What the client knows of it is what it was told. */
void
hp_imap_notify_deselect(HpImapSession *s)
{
    HpImapTree *tree = s->notify != NULL ? s->notify->tree : NULL;
    gint64 id = hp_view_mailbox(s->view);

    for (guint i = 0; tree != NULL && i < tree->mailboxes->len; i++) {
        HpStoreMailbox *mailbox = g_ptr_array_index(tree->mailboxes, i);

        if (mailbox->id != id)
            continue;
        mailbox->messages = hp_view_len(s->view);
        mailbox->uidnext = hp_view_uidnext(s->view);
        mailbox->highestmodseq = hp_view_highestmodseq(s->view);
    }
    if (s->notify != NULL) {
        g_hash_table_remove_all(s->notify->own_uids);
        g_hash_table_remove_all(s->notify->unsaid);
    }
}

/* --- the command ---------------------------------------------------------------------
 */

/* Marking as read what nobody has read would do harm, whatever item was named. */
static void
make_harmless(HpImapSession *s, HpImapFetch *fetch)
{
    fetch->marks_seen = FALSE;
    if ((fetch->items & HP_FETCH_MODSEQ) != 0)
        hp_imap_use_condstore(s);
}

/* The store rings from now on, and what has happened since @tree was read is told by the
 * next look. */
static void
watch(HpImapSession *s, HpImapTree *tree)
{
    s->notify->tree = tree;
    s->notify->is_watching = TRUE;
    s->notify->has_rung = TRUE;
    hp_store_watch(s->options->store, s->waker);
}

/* %FALSE: it is answered, and all stays as it was. */
static gboolean
begin(HpImapSession *s, HpNotifyWish *wish)
{
    g_autoptr(HpImapTree) tree = NULL;
    g_autoptr(GError) error = NULL;

    tree = hp_imap_tree_new(s->options->store, &error);
    if (tree == NULL) {
        hp_imap_fail(s, error);
        return FALSE;
    }
    if (hp_imap_notify_is_too_much(wish, tree)) {
        hp_imap_no(s, "NOTIFICATIONOVERFLOW",
                   _("These are too many mailboxes to watch. Name fewer of them."));
        return FALSE;
    }
    if (s->notify == NULL)
        s->notify = new_notify();
    hp_imap_begin_metadata(s);
    hp_imap_notify_stop(s);
    make_harmless(s, &wish->fetch);
    s->notify->wish = *wish;
    *wish = (HpNotifyWish){ 0 };
    if (s->notify->wish.groups->len > 0)
        watch(s, g_steal_pointer(&tree));
    return TRUE;
}

static void
refuse_event(HpImapSession *s)
{
    g_autoptr(GString) code = g_string_new("BADEVENT (");

    hp_notify_out_events(code);
    g_string_append_c(code, ')');
    hp_imap_no(s, code->str, _("One of these events is none that Hauspost knows."));
}

gboolean
hp_imap_cmd_notify(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(HpNotifyWish) wish = { 0 };

    if (!hp_imap_take_space(args))
        return FALSE;
    if (!hp_notify_take_wish(args, s->utf8, &wish)) {
        if (wish.unknown)
            refuse_event(s);
        return wish.unknown;
    }
    hp_imap_notify_hear(s);
    hp_imap_notify_look_now(s); /* what was wanted until now */
    if (!begin(s, &wish))
        return TRUE;
    if (s->notify->wish.status)
        hp_imap_notify_tell_all(s);
    if ((s->notify->wish.selected & HP_NOTIFY_FLAG_CHANGE) != 0)
        tell_unsaid(s);
    hp_imap_ok(s, NULL, _("You will be told."));
    return TRUE;
}
