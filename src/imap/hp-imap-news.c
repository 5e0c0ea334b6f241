/* What a client is told of the mailbox unasked, and what its message numbers mean. */
#include "hp-imap-notify-private.h"

#include <glib/gi18n.h>

void
hp_imap_begin_fetch(const HpImapSession *s, guint32 seq, guint32 uid, GString *out)
{
    g_string_append(out, "* ");
    hp_imap_out_number(out, s->uidonly ? uid : seq);
    g_string_append(out, s->uidonly ? " UIDFETCH (" : " FETCH (");
}

/* The same with the uid in it, which UIDFETCH has before it. */
static void
begin_fetch_with_uid(const HpImapSession *s, guint32 seq, guint32 uid, GString *out)
{
    hp_imap_begin_fetch(s, seq, uid, out);
    if (!s->uidonly)
        g_string_append_printf(out, "UID %u ", uid);
}

void
hp_imap_tell_flags(HpImapSession *s, guint32 seq, const HpViewEntry *entry)
{
    g_autoptr(GString) line = g_string_new(NULL);

    hp_imap_know_keywords(s, entry->keywords);
    begin_fetch_with_uid(s, seq, entry->uid, line);
    g_string_append(line, "FLAGS ");
    hp_imap_out_flags(line, entry->flags, hp_view_keywords(s->view, entry->keywords));
    if (s->condstore)
        g_string_append_printf(line, " MODSEQ (%" G_GUINT64_FORMAT ")", entry->modseq);
    g_string_append(line, ")\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
}

/* @what: "VANISHED" and what stands between it and the uids. */
static void
tell_vanished(HpImapSession *s, const char *what, const GArray *uids)
{
    g_autoptr(GString) line = g_string_new("* ");

    if (uids->len == 0)
        return;
    g_string_append(line, what);
    hp_imap_out_set(line, (const guint32 *)(gpointer)uids->data, uids->len);
    g_string_append(line, "\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
}

void
hp_imap_tell_vanished_earlier(HpImapSession *s, const GArray *uids, const GArray *known)
{
    g_autoptr(GArray) some = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint i = 0; i < uids->len; i++) {
        guint32 uid = g_array_index(uids, guint32, i);

        if ((known == NULL || hp_imap_ranges_have(known, uid)) &&
            hp_view_seq(s->view, uid) == 0)
            g_array_append_val(some, uid);
    }
    tell_vanished(s, "VANISHED (EARLIER) ", some);
}

/* --- news ----------------------------------------------------------------------------
 */

static int
compare_uids(gconstpointer a, gconstpointer b)
{
    const guint32 *first = a;
    const guint32 *second = b;

    return (*first > *second) - (*first < *second);
}

/* Expunges that follow each other make one VANISHED (RFC 7162 §3.2.10). */
static void
flush_vanished(HpImapSession *s, GArray *vanished)
{
    g_array_sort(vanished, compare_uids);
    tell_vanished(s, "VANISHED ", vanished);
    g_array_set_size(vanished, 0);
}

static void
tell_modseq(HpImapSession *s, guint32 seq, const HpViewEntry *entry)
{
    g_autoptr(GString) line = g_string_new(NULL);

    begin_fetch_with_uid(s, seq, entry->uid, line);
    g_string_append_printf(line, "MODSEQ (%" G_GUINT64_FORMAT "))\r\n", entry->modseq);
    hp_imap_write(s, hp_slice_of_string(line));
}

/* RFC 3501 §6.4.6: whatever .SILENT says, what others have changed is told. */
static gboolean
is_untold(const HpImapOwn *own, guint32 uid)
{
    return own->untold != NULL &&
           g_array_binary_search(own->untold, &uid, compare_uids, NULL);
}

static void
tell_changed(HpImapSession *s, const HpViewNews *news, const HpImapOwn *own)
{
    guint32 now = hp_view_seq(s->view, news->uid); /* 0: expunged further on */
    HpViewEntry entry;

    if (now == 0 || !hp_view_get(s->view, now, &entry))
        return;
    if (own->modseq != 0 && news->modseq == own->modseq) {
        if (is_untold(own, entry.uid))
            hp_imap_tell_flags(s, news->seq, &entry);
        else if (own->silent && s->condstore)
            tell_modseq(s, news->seq, &entry);
    } else if ((hp_imap_notify_selected(s) & HP_NOTIFY_FLAG_CHANGE) != 0) {
        hp_imap_tell_flags(s, news->seq, &entry);
    } else {
        hp_imap_notify_put_off(s, entry.uid);
    }
}

/* On the way through the news. */
typedef struct {
    const HpImapOwn *own; /* (unowned) */
    GArray *vanished;     /* (owned): guint32, to be told together */
} Telling;

static void
tell(HpImapSession *s, const HpViewNews *news, const Telling *telling)
{
    if (news->kind == HP_VIEW_EXPUNGED && (s->qresync || s->uidonly)) {
        g_array_append_val(telling->vanished, news->uid);
        return;
    }
    flush_vanished(s, telling->vanished);
    if (news->kind == HP_VIEW_EXPUNGED)
        hp_imap_untagged(s, "%u EXPUNGE", news->seq);
    else if (news->kind == HP_VIEW_GROWN)
        hp_imap_untagged(s, "%u EXISTS", news->seq);
    else
        tell_changed(s, news, telling->own);
}

/* @before: how many messages there were. */
static void
tell_all(HpImapSession *s, const GArray *news, guint32 before, const HpImapOwn *own)
{
    g_autoptr(GArray) vanished = g_array_new(FALSE, FALSE, sizeof(guint32));
    Telling telling = { own, vanished };
    gboolean has_grown = FALSE;

    for (guint i = 0; i < news->len; i++) {
        const HpViewNews *one = &g_array_index(news, HpViewNews, i);

        before -= one->kind == HP_VIEW_EXPUNGED;
        has_grown = has_grown || one->kind == HP_VIEW_GROWN;
        tell(s, one, &telling);
    }
    flush_vanished(s, vanished);
    if (has_grown)
        hp_imap_notify_arrivals(s, before + 1);
}

void
hp_imap_tell_news(HpImapSession *s, gboolean may_expunge, const HpImapOwn *own)
{
    static const HpImapOwn nothing = { 0 };
    guint wanted = hp_imap_notify_selected(s);
    guint32 before;
    g_autoptr(GArray) news = NULL;

    if (own == NULL)
        own = &nothing;
    hp_imap_tell_metadata(s);
    if (s->view == NULL || s->state == HP_IMAP_ENDED)
        return;
    if (hp_view_ended(s->view)) {
        hp_imap_bye(s, NULL, _("The mailbox that was open has been deleted."));
        return;
    }
    if ((wanted & HP_NOTIFY_MESSAGE_EXPUNGE) == 0)
        may_expunge = may_expunge && own->expunged;
    hp_view_hold_growth(s->view, (wanted & HP_NOTIFY_MESSAGE_NEW) == 0);
    if (!hp_view_has_news(s->view, may_expunge))
        return;
    before = hp_view_len(s->view);
    news = hp_view_sync(s->view, may_expunge);
    tell_all(s, news, before, own);
}

/* RFC 7162 §3.1: "CONDSTORE enabling command" */
void
hp_imap_use_condstore(HpImapSession *s)
{
    if (s->condstore)
        return;
    s->condstore = TRUE;
    if (s->view != NULL) {
        g_autofree char *code = g_strdup_printf("HIGHESTMODSEQ %" G_GUINT64_FORMAT,
                                                hp_view_highestmodseq(s->view));

        hp_imap_say(s, "OK", code, _("That is the latest change."));
    }
}

/* --- message numbers -----------------------------------------------------------------
 */

static GArray *
seqs_of_uids(HpImapSession *s, const GArray *ranges)
{
    GArray *seqs = g_array_new(FALSE, FALSE, sizeof(HpImapRange));
    guint32 len = hp_view_len(s->view);

    for (guint i = 0; i < ranges->len; i++) {
        const HpImapRange *uids = &g_array_index(ranges, HpImapRange, i);
        guint32 from = hp_view_seq_from(s->view, uids->from);
        guint32 behind =
            uids->to == G_MAXUINT32 ? len + 1 : hp_view_seq_from(s->view, uids->to + 1);

        hp_imap_ranges_add(seqs, from, behind - 1);
    }
    return seqs;
}

static GArray *
seqs_of_saved(HpImapSession *s)
{
    GArray *seqs = g_array_new(FALSE, FALSE, sizeof(HpImapRange));

    for (guint i = 0; s->saved != NULL && i < s->saved->len; i++) {
        guint32 seq = hp_view_seq(s->view, g_array_index(s->saved, guint32, i));

        if (seq != 0)
            hp_imap_ranges_add(seqs, seq, seq);
    }
    return seqs;
}

gboolean
hp_imap_resolve(HpImapSession *s, const HpImapSet *set, gboolean uid, GArray **ret_seqs)
{
    guint32 len = hp_view_len(s->view);
    g_autoptr(GArray) ranges = NULL;

    if (set->saved) {
        *ret_seqs = seqs_of_saved(s);
        return TRUE;
    }
    if (uid) {
        ranges = hp_imap_set_sort(set, len > 0 ? hp_view_uid(s->view, len) : 0);
        *ret_seqs = seqs_of_uids(s, ranges);
        return TRUE;
    }
    ranges = hp_imap_set_sort(set, len);
    /* "1:*" in an empty mailbox is what many clients say, and means nothing wrong. */
    if (len == 0 && hp_imap_set_has_star(set))
        g_array_set_size(ranges, 0);
    if (ranges->len > 0 && g_array_index(ranges, HpImapRange, ranges->len - 1).to > len)
        return FALSE;
    *ret_seqs = g_steal_pointer(&ranges);
    return TRUE;
}

gboolean
hp_imap_take_messages(HpImapSession *s, HpImapArgs *args, gboolean uid, GArray **ret_seqs)
{
    g_auto(HpImapSet) set = { NULL, FALSE };
    HpCursor before = args->c;

    if (!hp_imap_take_set(args, &set))
        return FALSE;
    if (hp_imap_resolve(s, &set, uid, ret_seqs))
        return TRUE;
    args->c = before;
    return hp_imap_want(args, _("numbers of messages that are there"));
}

GArray *
hp_imap_uids_of(HpImapSession *s, const GArray *seqs)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint i = 0; i < seqs->len; i++) {
        const HpImapRange *range = &g_array_index(seqs, HpImapRange, i);

        for (guint32 seq = range->from; seq <= range->to; seq++) {
            guint32 uid = hp_view_uid(s->view, seq);

            g_array_append_val(uids, uid);
        }
    }
    return uids;
}
