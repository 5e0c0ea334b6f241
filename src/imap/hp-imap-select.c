/* SELECT and EXAMINE, also with CONDSTORE and QRESYNC (RFC 9051 §6.3.2, RFC 7162), CLOSE
 * and UNSELECT. */
#include "hp-imap-notify-private.h"

#include <glib/gi18n.h>

/* "QRESYNC (uidvalidity modseq [known-uids [(seqs uids)]])"; RFC 7162 §3.2.5. The last
 * list only helps servers that forget what was expunged: it is read and not used. */
typedef struct {
    gboolean given;
    guint32 uidvalidity;
    guint64 modseq;
    HpImapSet known; /* empty: all */
} Resync;

static void
resync_clear(Resync *self)
{
    hp_imap_set_clear(&self->known);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Resync, resync_clear)

void
hp_imap_deselect(HpImapSession *s)
{
    if (s->view != NULL)
        hp_imap_notify_deselect(s);
    g_clear_pointer(&s->view, hp_view_close);
    g_clear_pointer(&s->saved, g_array_unref);
    g_clear_pointer(&s->keywords, g_strfreev);
    g_clear_pointer(&s->sets, g_hash_table_unref);
    hp_imap_notify_hear(s);
    if (s->state == HP_IMAP_SELECTED)
        s->state = HP_IMAP_LOGGED_IN;
}

/* --- arguments -----------------------------------------------------------------------
 */

static gboolean
take_match_data(const HpImapSession *s, HpImapArgs *args)
{
    g_auto(HpImapSet) seqs = { NULL, FALSE };
    g_auto(HpImapSet) uids = { NULL, FALSE };

    if (s->uidonly)
        return hp_imap_want_uid(args);
    return hp_imap_take_char(args, '(') && hp_imap_take_set(args, &seqs) &&
           hp_imap_take_space(args) && hp_imap_take_set(args, &uids) &&
           hp_imap_take_char(args, ')');
}

static gboolean
take_resync(const HpImapSession *s, HpImapArgs *args, Resync *resync)
{
    guint64 uidvalidity = 0;

    resync->given = TRUE;
    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '(') ||
        !hp_imap_take_nz_number(args, HP_IMAP_MAX_NUMBER, &uidvalidity) ||
        !hp_imap_take_space(args) ||
        !hp_imap_take_number(args, HP_IMAP_MAX_MODSEQ, &resync->modseq))
        return FALSE;
    resync->uidvalidity = (guint32)uidvalidity;
    if (hp_imap_skip(args, ' ') && hp_imap_at_set(args)) {
        if (!hp_imap_take_set(args, &resync->known))
            return FALSE;
        if (hp_imap_skip(args, ' ') && !take_match_data(s, args))
            return FALSE;
    } else if (hp_imap_peek(args) == '(' && !take_match_data(s, args)) {
        return FALSE;
    }
    return hp_imap_take_char(args, ')');
}

/* select-params = SP "(" select-param *(SP select-param) ")" */
static gboolean
take_params(HpImapSession *s, HpImapArgs *args, Resync *resync, gboolean *ret_condstore)
{
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (hp_imap_skip_word(args, "CONDSTORE"))
            *ret_condstore = TRUE;
        else if (s->qresync && hp_imap_skip_word(args, "QRESYNC")) {
            if (!take_resync(s, args, resync))
                return FALSE;
        } else
            return hp_imap_want(args, _("CONDSTORE, or QRESYNC after ENABLE QRESYNC"));
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* --- answers -------------------------------------------------------------------------
 */

static guint32
first_unseen(HpImapSession *s)
{
    HpViewEntry entry;

    for (guint32 seq = 1; seq <= hp_view_len(s->view); seq++)
        if (hp_view_get(s->view, seq, &entry) && (entry.flags & HP_STORE_SEEN) == 0)
            return seq;
    return 0;
}

static void
tell_flags_in_use(HpImapSession *s)
{
    g_autofree char *words = hp_imap_tell_flags_in_use(s);
    g_autofree char *code =
        s->read_only ? g_strdup("PERMANENTFLAGS ()")
                     : g_strdup_printf("PERMANENTFLAGS (\\Answered \\Flagged \\Deleted "
                                       "\\Seen \\Draft%s \\*)",
                                       words);

    hp_imap_say(s, "OK", code, _("These stay."));
}

static void
say_number(HpImapSession *s, const char *name, guint64 number, const char *text)
{
    g_autofree char *code = g_strdup_printf("%s %" G_GUINT64_FORMAT, name, number);

    hp_imap_say(s, "OK", code, text);
}

static void
tell_mailbox(HpImapSession *s, const HpStoreMailbox *mailbox)
{
    g_autofree char *id =
        g_strdup_printf("MAILBOXID (F%" G_GINT64_FORMAT ")", mailbox->id);
    guint32 unseen = first_unseen(s);

    tell_flags_in_use(s);
    hp_imap_untagged(s, "%u EXISTS", hp_view_len(s->view));
    if (!s->rev2) {
        hp_imap_untagged(s, "0 RECENT");
        if (unseen != 0 && !s->uidonly) /* it is a message number */
            say_number(s, "UNSEEN", unseen, _("That is the first unread message."));
    }
    say_number(s, "UIDVALIDITY", hp_view_uidvalidity(s->view), _("UIDs are valid."));
    say_number(s, "UIDNEXT", hp_view_uidnext(s->view), _("That is the next UID."));
    say_number(s, "HIGHESTMODSEQ", hp_view_highestmodseq(s->view),
               _("That is the latest change."));
    hp_imap_say(s, "OK", id, _("That is what it is called for ever."));
    if (s->rev2) {
        g_autoptr(GString) line = g_string_new("* LIST () \"/\" ");

        hp_imap_out_mailbox(line, mailbox->name, TRUE);
        g_string_append(line, "\r\n");
        hp_imap_write(s, hp_slice_of_string(line));
    }
}

/* --- QRESYNC -------------------------------------------------------------------------
 */

/* What has vanished since, before anything is told: a client that is not told of it keeps
 * for ever what is gone. @ret: (out) (transfer full) (nullable): %NULL if there is
 * nothing to resynchronise. */
static gboolean
read_vanished(const HpImapSession *s, const HpView *view, const Resync *resync,
              GArray **ret, GError **error)
{
    /* From another UIDVALIDITY the client sees that all it knew is void. */
    if (!resync->given || resync->uidvalidity != hp_view_uidvalidity(view))
        return TRUE;
    *ret = hp_store_vanished(s->options->store, hp_view_mailbox(view), resync->modseq,
                             error);
    return *ret != NULL;
}

static void
tell_since(HpImapSession *s, const Resync *resync, const GArray *vanished)
{
    guint32 last =
        hp_view_len(s->view) > 0 ? hp_view_uid(s->view, hp_view_len(s->view)) : 0;
    g_autoptr(GArray) known =
        resync->known.ranges != NULL ? hp_imap_set_sort(&resync->known, last) : NULL;
    HpViewEntry entry;

    hp_imap_tell_vanished_earlier(s, vanished, known);
    for (guint32 seq = 1; seq <= hp_view_len(s->view); seq++)
        if (hp_view_get(s->view, seq, &entry) && entry.modseq > resync->modseq &&
            (known == NULL || hp_imap_ranges_have(known, entry.uid)))
            hp_imap_tell_flags(s, seq, &entry);
}

/* --- commands ------------------------------------------------------------------------
 */

static void
open_mailbox(HpImapSession *s, const HpStoreMailbox *mailbox, gboolean read_only,
             const Resync *resync)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpView) view =
        hp_view_open(s->options->store, mailbox->id, s->waker, &error);
    g_autoptr(GArray) vanished = NULL;

    if (view == NULL || !read_vanished(s, view, resync, &vanished, &error)) {
        hp_imap_fail(s, error);
        return;
    }
    s->view = g_steal_pointer(&view);
    s->state = HP_IMAP_SELECTED;
    s->read_only = read_only || !hp_store_is_writable(s->options->store);
    tell_mailbox(s, mailbox);
    if (vanished != NULL)
        tell_since(s, resync, vanished);
    hp_imap_ok(s, s->read_only ? "READ-ONLY" : "READ-WRITE", _("The mailbox is open."));
}

static gboolean
select_mailbox(HpImapSession *s, HpImapArgs *args, gboolean read_only)
{
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;
    g_auto(Resync) resync = { 0 };
    gboolean condstore = FALSE;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name))
        return FALSE;
    if (hp_imap_skip(args, ' ') && !take_params(s, args, &resync, &condstore))
        return FALSE;
    if (!hp_imap_take_end(args))
        return FALSE;
    /* The mailbox that was open is closed, whatever comes of it (RFC 9051 §6.3.2), and
     * who knows CONDSTORE says so to everybody (RFC 7162 §3.2.11). */
    if (s->view != NULL)
        hp_imap_say(s, "OK", "CLOSED", _("The other mailbox is closed."));
    hp_imap_deselect(s);
    if (condstore)
        hp_imap_use_condstore(s);
    mailbox = hp_imap_find_mailbox(s, name, NULL);
    if (mailbox != NULL)
        open_mailbox(s, mailbox, read_only, &resync);
    return TRUE;
}

gboolean
hp_imap_cmd_select(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return select_mailbox(s, args, FALSE);
}

gboolean
hp_imap_cmd_examine(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return select_mailbox(s, args, TRUE);
}

/* CLOSE: expunges without telling (RFC 9051 §6.4.1). */
gboolean
hp_imap_cmd_close(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *code = NULL;
    gboolean done;

    if (!hp_imap_take_end(args))
        return FALSE;
    done = s->read_only || hp_imap_expunge(s, NULL, &error);
    if (done && !s->read_only && (s->qresync || s->notify != NULL)) {
        /* What has come meanwhile is none of this. */
        hp_view_hold_growth(s->view, s->notify != NULL);
        g_array_unref(hp_view_sync(s->view, TRUE));
    }
    if (done && s->qresync && !s->read_only) {
        code = g_strdup_printf("HIGHESTMODSEQ %" G_GUINT64_FORMAT,
                               hp_view_highestmodseq(s->view));
    }
    hp_imap_deselect(s);
    if (done)
        hp_imap_ok(s, code, _("Closed."));
    else
        hp_imap_fail(s, error);
    return TRUE;
}

gboolean
hp_imap_cmd_unselect(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_deselect(s);
    hp_imap_ok(s, NULL, _("Closed."));
    return TRUE;
}
