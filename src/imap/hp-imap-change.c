/* STORE, EXPUNGE, COPY and MOVE (RFC 9051 §6.4, RFC 7162 §3.1.3). */
#include "hp-imap-notify-private.h"

#include <glib/gi18n.h>

gboolean
hp_imap_check_writable(HpImapSession *s)
{
    if (!s->read_only)
        return TRUE;
    hp_imap_no(s, "READ-ONLY", _("The mailbox is open for reading only."));
    return FALSE;
}

static const guint32 *
numbers(const GArray *array)
{
    return (const guint32 *)(gconstpointer)array->data;
}

/* --- STORE ---------------------------------------------------------------------------
 */

typedef struct {
    HpStoreFlagChange flags;
    gboolean silent;
} Change;

/* store-modifiers, store-att-flags */
static gboolean
take_change(HpImapSession *s, HpImapArgs *args, Change *ret_change)
{
    HpStoreFlagChange *change = &ret_change->flags;

    change->unchanged_since = G_MAXUINT64;
    if (hp_imap_skip(args, '(')) {
        if (!hp_imap_skip_word(args, "UNCHANGEDSINCE"))
            return hp_imap_want(args, "UNCHANGEDSINCE");
        if (!hp_imap_take_space(args) ||
            !hp_imap_take_number(args, HP_IMAP_MAX_MODSEQ, &change->unchanged_since) ||
            !hp_imap_take_char(args, ')') || !hp_imap_take_space(args))
            return FALSE;
        hp_imap_use_condstore(s);
    }
    change->mode = HP_FLAGS_REPLACE;
    if (hp_imap_skip(args, '+'))
        change->mode = HP_FLAGS_ADD;
    else if (hp_imap_skip(args, '-'))
        change->mode = HP_FLAGS_REMOVE;
    ret_change->silent = hp_imap_skip_word(args, "FLAGS.SILENT");
    if (!ret_change->silent && !hp_imap_skip_word(args, "FLAGS"))
        return hp_imap_want(args, _("FLAGS, +FLAGS or -FLAGS"));
    return hp_imap_take_space(args);
}

/* A client that asked for it hears the flags of each message, changed or not. */
static void
tell_all_flags(HpImapSession *s, const GArray *seqs)
{
    HpViewEntry entry;

    for (guint i = 0; i < seqs->len; i++) {
        const HpImapRange *range = &g_array_index(seqs, HpImapRange, i);

        for (guint32 seq = range->from; seq <= range->to; seq++)
            if (hp_view_get(s->view, seq, &entry))
                hp_imap_tell_flags(s, seq, &entry);
    }
}

/* "MODIFIED 7,9" in the numbers that the client used (RFC 7162 §3.1.3). */
static char *
modified_code(HpImapSession *s, GArray *modified, gboolean uid)
{
    g_autoptr(GString) code = g_string_new("MODIFIED ");

    if (modified == NULL || modified->len == 0)
        return NULL;
    for (guint i = 0; !uid && i < modified->len; i++) {
        guint32 *number = &g_array_index(modified, guint32, i);

        *number = hp_view_seq(s->view, *number);
    }
    hp_imap_out_set(code, numbers(modified), modified->len);
    return g_string_free(g_steal_pointer(&code), FALSE);
}

static gboolean
carry_out(HpImapSession *s, const GArray *uids, HpStoreFlagChange *change, GError **error)
{
    change->told_modseq = hp_view_changes_modseq(s->view);
    return (uids->len == 0 ||
            hp_store_change_flags(s->options->store, hp_view_mailbox(s->view),
                                  numbers(uids), uids->len, change, error)) &&
           hp_imap_outbox_retry(s, uids, change, error);
}

static void
store(HpImapSession *s, const GArray *seqs, Change *change, gboolean uid)
{
    g_autoptr(GArray) uids = hp_imap_uids_of(s, seqs);
    g_autoptr(GError) error = NULL;
    gboolean done = carry_out(s, uids, &change->flags, &error);
    g_autoptr(GArray) modified = g_steal_pointer(&change->flags.ret_modified);
    g_autoptr(GArray) untold = g_steal_pointer(&change->flags.ret_untold);
    HpImapOwn own = { .modseq = change->flags.ret_modseq, .silent = change->silent };
    g_autofree char *code = NULL;

    if (!done) {
        hp_imap_fail(s, error);
        return;
    }
    if (change->silent)
        own.untold = untold;
    else
        tell_all_flags(s, seqs);
    code = modified_code(s, modified, uid); /* in the numbers from before the news */
    hp_imap_tell_news(s, s->may_expunge, &own);
    hp_imap_ok(s, code,
               code != NULL ? _("Some had been changed meanwhile and stay as they are.")
                            : _("The flags are set."));
}

/* store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags */
gboolean
hp_imap_cmd_store(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(GArray) seqs = NULL;
    g_auto(HpImapFlags) flags = { 0 };
    Change change = { 0 };

    if (!hp_imap_take_space(args) || !hp_imap_take_messages(s, args, uid, &seqs) ||
        !hp_imap_take_space(args) || !take_change(s, args, &change) ||
        !hp_imap_take_flags(args, &flags) || !hp_imap_take_end(args))
        return FALSE;
    change.flags.flags = flags.flags;
    change.flags.keywords = flags.keywords;
    if (hp_imap_check_writable(s) && (change.flags.mode == HP_FLAGS_REMOVE ||
                                      hp_imap_check_keywords(s, s->view, flags.keywords)))
        store(s, seqs, &change, uid);
    return TRUE;
}

/* --- EXPUNGE -------------------------------------------------------------------------
 */

static void
add_deleted(HpImapSession *s, const HpImapRange *range, GArray *uids)
{
    HpViewEntry entry;

    for (guint32 seq = range->from; seq <= range->to; seq++)
        if (hp_view_get(s->view, seq, &entry) && (entry.flags & HP_STORE_DELETED) != 0)
            g_array_append_val(uids, entry.uid);
}

gboolean
hp_imap_expunge(HpImapSession *s, const GArray *seqs, GError **error)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    HpImapRange all = { 1, hp_view_len(s->view) };

    if (seqs == NULL)
        add_deleted(s, &all, uids);
    for (guint i = 0; seqs != NULL && i < seqs->len; i++)
        add_deleted(s, &g_array_index(seqs, HpImapRange, i), uids);
    return uids->len == 0 ||
           (hp_imap_outbox_cancel(s, uids, error) &&
            hp_store_expunge(s->options->store, hp_view_mailbox(s->view), numbers(uids),
                             uids->len, error));
}

/* RFC 7162 §3.2.7: those who resynchronise learn how far they are now. */
void
hp_imap_finish_expunge(HpImapSession *s, const char *text)
{
    HpImapOwn own = { .expunged = TRUE };
    g_autofree char *code = NULL;

    hp_imap_tell_news(s, TRUE, &own);
    if (s->qresync && s->view != NULL)
        code = g_strdup_printf("HIGHESTMODSEQ %" G_GUINT64_FORMAT,
                               hp_view_highestmodseq(s->view));
    hp_imap_ok(s, code, text);
}

/* expunge = "EXPUNGE"; uid-expunge = "UID EXPUNGE" SP sequence-set (RFC 4315 §2.1) */
gboolean
hp_imap_cmd_expunge(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(GArray) seqs = NULL;
    g_autoptr(GError) error = NULL;

    if (uid &&
        (!hp_imap_take_space(args) || !hp_imap_take_messages(s, args, TRUE, &seqs)))
        return FALSE;
    if (!hp_imap_take_end(args))
        return FALSE;
    if (!hp_imap_check_writable(s))
        return TRUE;
    if (hp_imap_expunge(s, seqs, &error))
        hp_imap_finish_expunge(s, _("They are gone."));
    else
        hp_imap_fail(s, error);
    return TRUE;
}

/* --- COPY and MOVE -------------------------------------------------------------------
 */

/* "COPYUID uidvalidity from to" (RFC 4315 §3); %NULL if nothing was copied. */
static char *
copied_code(const HpStoreMailbox *to, const GArray *copied)
{
    g_autoptr(GString) code = g_string_new(NULL);
    g_autoptr(GArray) old = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) fresh = g_array_new(FALSE, FALSE, sizeof(guint32));

    if (copied == NULL || copied->len == 0)
        return NULL;
    for (guint i = 0; i < copied->len; i++) {
        const HpStoreCopied *pair = &g_array_index(copied, HpStoreCopied, i);

        g_array_append_val(old, pair->from);
        g_array_append_val(fresh, pair->to);
    }
    g_string_append_printf(code, "COPYUID %u ", to->uidvalidity);
    hp_imap_out_set(code, numbers(old), old->len);
    g_string_append_c(code, ' ');
    hp_imap_out_set(code, numbers(fresh), fresh->len);
    return g_string_free(g_steal_pointer(&code), FALSE);
}

static void
note_copied(HpImapSession *s, const HpStoreMailbox *to, const GArray *copied)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint i = 0; copied != NULL && i < copied->len; i++)
        g_array_append_val(uids, g_array_index(copied, HpStoreCopied, i).to);
    if (uids->len > 0)
        hp_imap_notify_own_change(s, to->id, uids);
}

typedef struct {
    const GArray *uids;       /* (unowned) */
    const HpStoreMailbox *to; /* (unowned) */
    gboolean move;
    GArray *ret_copied; /* (owned) (nullable): HpStoreCopied */
} Carriage;

static gboolean
carry(HpImapSession *s, Carriage *what, GError **error)
{
    if (what->uids->len == 0)
        return TRUE;
    if (what->move && hp_imap_outbox_selected(s))
        return hp_imap_outbox_move(s, what->uids, what->to, &what->ret_copied, error);
    return hp_store_copy(s->options->store, hp_view_mailbox(s->view), numbers(what->uids),
                         what->uids->len, what->to->id, what->move, &what->ret_copied,
                         error);
}

static void
copy(HpImapSession *s, const GArray *seqs, const HpStoreMailbox *to, gboolean move)
{
    g_autoptr(GArray) uids = hp_imap_uids_of(s, seqs);
    g_autoptr(GArray) copied = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *code = NULL;
    Carriage what = { uids, to, move, NULL };

    if (!carry(s, &what, &error)) {
        hp_imap_fail(s, error);
        return;
    }
    copied = what.ret_copied;
    note_copied(s, to, copied);
    code = copied_code(to, copied);
    if (!move) {
        hp_imap_ok(s, code, _("Copied."));
        return;
    }
    /* RFC 6851 §4.3: before the messages vanish. */
    if (code != NULL)
        hp_imap_say(s, "OK", code, _("Moved."));
    hp_imap_finish_expunge(s, _("Moved."));
}

static gboolean
copy_or_move(HpImapSession *s, HpImapArgs *args, gboolean uid, gboolean move)
{
    g_autoptr(GArray) seqs = NULL;
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) to = NULL;

    if (!hp_imap_take_space(args) || !hp_imap_take_messages(s, args, uid, &seqs) ||
        !hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_end(args))
        return FALSE;
    if (move && !hp_imap_check_writable(s))
        return TRUE;
    to = hp_imap_find_mailbox(s, name, "TRYCREATE");
    if (to != NULL && !hp_imap_outbox_keeps_out(s, to))
        copy(s, seqs, to, move);
    return TRUE;
}

gboolean
hp_imap_cmd_copy(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return copy_or_move(s, args, uid, FALSE);
}

gboolean
hp_imap_cmd_move(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return copy_or_move(s, args, uid, TRUE);
}
