/* FETCH and UID FETCH (RFC 9051 §6.4.5): batches of messages, never an answer whole. */
#include "hp-imap-fetch-private.h"

#include "hp-log.h"

#include <glib/gi18n.h>

#define BATCH      100                  /* messages whose headers are read at once */
#define SEND_LEN   ((size_t)32 * 1024)  /* octets of answers that are gathered */
#define GATHER_LEN ((size_t)512 * 1024) /* octets that end a batch of headers early */
#define BATCH_USEC ((gint64)10 * 60 * G_USEC_PER_SEC)

#define OF_SUMMARY                                                                       \
    (HP_FETCH_ENVELOPE | HP_FETCH_BODYSTRUCTURE | HP_FETCH_BODY | HP_FETCH_PREVIEW)

/* --- \Seen ---------------------------------------------------------------------------
 */

static GArray *
unseen_of(HpImapSession *s, const GArray *seqs)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    HpViewEntry entry;

    for (guint i = 0; i < seqs->len; i++) {
        const HpImapRange *range = &g_array_index(seqs, HpImapRange, i);

        for (guint32 seq = range->from; seq <= range->to; seq++)
            if (hp_view_get(s->view, seq, &entry) && (entry.flags & HP_STORE_SEEN) == 0)
                g_array_append_val(uids, entry.uid);
    }
    return uids;
}

/* Before the messages go out, so that their flags are told with them. A disk that is full
 * must not keep anybody from reading. */
static void
mark_seen(HpImapFetching *self, const GArray *seqs)
{
    HpImapSession *s = self->s;
    g_autoptr(GArray) uids = unseen_of(s, seqs);
    g_autoptr(GError) error = NULL;
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };

    if (uids->len == 0)
        return;
    if (hp_store_change_flags(s->options->store, hp_view_mailbox(s->view),
                              (const guint32 *)(gconstpointer)uids->data, uids->len,
                              &change, &error))
        self->own.modseq = change.ret_modseq;
    else
        hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING,
               "messages could not be marked as seen: %s", error->message);
}

/* --- batches -------------------------------------------------------------------------
 */

static gboolean
is_of_view(const HpImapFetch *fetch)
{
    return fetch->sections == NULL && (fetch->items & OF_SUMMARY) == 0;
}

static gboolean
is_of_header(const HpImapFetch *fetch)
{
    for (guint i = 0; fetch->sections != NULL && i < fetch->sections->len; i++)
        if (!hp_imap_section_is_header(&g_array_index(fetch->sections, HpImapSection, i)))
            return FALSE;
    return TRUE;
}

/* What stands before the items of the summary, of each message; made beforehand, because
 * the store may not be called while it reads. */
typedef struct {
    HpImapFetching *fetching; /* (unowned) */
    GPtrArray *begins;        /* (unowned): GString */
    guint given;              /* in earlier rounds */
} Headers;

static void
free_string(gpointer string)
{
    g_string_free(string, TRUE);
}

static gboolean
take_header(guint index, const HpSummary *summary, HpSlice header, gpointer data)
{
    Headers *self = data;
    HpImapFetching *fetching = self->fetching;
    const GString *begin = g_ptr_array_index(self->begins, self->given + index);

    if (header.len == 0) {
        fetching->damaged++;
        return TRUE;
    }
    g_string_append_len(fetching->out, begin->str, (gssize)begin->len);
    hp_imap_fetch_summary(fetching, summary);
    hp_imap_fetch_headers(fetching, header);
    g_string_append(fetching->out, ")\r\n");
    return fetching->out->len < GATHER_LEN;
}

static void
begin_apart(Headers *self, const HpImapFetched *message)
{
    HpImapFetching *fetching = self->fetching;
    GString *out = fetching->out;

    fetching->out = g_string_new(NULL);
    hp_imap_fetch_begin(fetching, message);
    g_ptr_array_add(self->begins, fetching->out);
    fetching->out = out;
}

static void
send_headers(HpImapFetching *self, const GArray *batch)
{
    g_autoptr(GPtrArray) begins = g_ptr_array_new_with_free_func(free_string);
    g_autofree gint64 *contents = g_new(gint64, batch->len);
    Headers headers = { .fetching = self, .begins = begins };
    HpStoreSummaries wanted = {
        .header_only = (self->fetch->items & OF_SUMMARY) == 0,
        .each = take_header,
        .data = &headers,
    };

    for (guint i = 0; i < batch->len; i++) {
        const HpImapFetched *message = &g_array_index(batch, HpImapFetched, i);

        contents[i] = message->entry.content;
        begin_apart(&headers, message);
    }
    while (headers.given < batch->len && self->s->state != HP_IMAP_ENDED) {
        wanted.contents = contents + headers.given;
        wanted.n = batch->len - headers.given;
        headers.given += hp_store_each_summary(self->s->options->store, &wanted);
        hp_imap_fetch_send(self);
    }
}

static void
send_batch(HpImapFetching *self, GArray *batch)
{
    hp_imap_set_timeout(self->s, BATCH_USEC);
    if (is_of_view(self->fetch)) {
        for (guint i = 0; i < batch->len; i++) {
            hp_imap_fetch_begin(self, &g_array_index(batch, HpImapFetched, i));
            g_string_append(self->out, ")\r\n");
        }
        if (self->out->len >= SEND_LEN)
            hp_imap_fetch_send(self);
    } else if (is_of_header(self->fetch)) {
        send_headers(self, batch);
    } else {
        for (guint i = 0; i < batch->len && self->s->state != HP_IMAP_ENDED; i++)
            hp_imap_fetch_whole(self, &g_array_index(batch, HpImapFetched, i));
    }
    g_array_set_size(batch, 0);
}

static void
add_message(HpImapFetching *self, guint32 seq, GArray *batch)
{
    HpImapFetched message = { .seq = seq };

    if (!hp_view_get(self->s->view, seq, &message.entry)) {
        self->expunged++;
        return;
    }
    g_array_append_val(batch, message);
    if (batch->len == BATCH)
        send_batch(self, batch);
}

static void
send_all(HpImapFetching *self, const GArray *seqs)
{
    g_autoptr(GArray) batch =
        g_array_sized_new(FALSE, FALSE, sizeof(HpImapFetched), BATCH);

    for (guint i = 0; i < seqs->len; i++) {
        const HpImapRange *range = &g_array_index(seqs, HpImapRange, i);

        for (guint32 seq = range->from;
             seq <= range->to && self->s->state != HP_IMAP_ENDED; seq++)
            add_message(self, seq, batch);
    }
    if (batch->len > 0 && self->s->state != HP_IMAP_ENDED)
        send_batch(self, batch);
    hp_imap_fetch_send(self);
}

/* --- the command ---------------------------------------------------------------------
 */

/* RFC 7162 §3.2.6: those of the set that have vanished since. */
static gboolean
tell_vanished(HpImapSession *s, const HpImapSet *set, guint64 since, GError **error)
{
    g_autoptr(GArray) known = hp_imap_set_sort(set, hp_view_uidnext(s->view) - 1);
    g_autoptr(GArray) uids =
        hp_store_vanished(s->options->store, hp_view_mailbox(s->view), since, error);

    if (uids != NULL)
        hp_imap_tell_vanished_earlier(s, uids, known);
    return uids != NULL;
}

/* RFC 7162 §3.1.4.1: those that have changed since, and those of which nobody can say so
 * any more. */
static GArray *
changed_since(HpImapSession *s, const GArray *seqs, guint64 since)
{
    GArray *changed = g_array_new(FALSE, FALSE, sizeof(HpImapRange));
    HpViewEntry entry;

    for (guint i = 0; i < seqs->len; i++) {
        const HpImapRange *range = &g_array_index(seqs, HpImapRange, i);

        for (guint32 seq = range->from; seq <= range->to; seq++)
            if (!hp_view_get(s->view, seq, &entry) || entry.modseq > since)
                hp_imap_ranges_add(changed, seq, seq);
    }
    return changed;
}

static void
finish(HpImapSession *s, const HpImapFetching *fetching, gboolean uid)
{
    /* Of a message that could not be sent the flags were not told either. */
    hp_imap_tell_news(s, s->may_expunge, fetching->damaged > 0 ? NULL : &fetching->own);
    if (fetching->damaged > 0)
        hp_imap_no(s, "CORRUPTION",
                   _("The content of some of these messages is missing or damaged. The "
                     "others are all right."));
    else if (fetching->unknown > 0)
        hp_imap_no(s, "UNKNOWN-CTE",
                   _("A part is encoded in a way that Hauspost does not know."));
    else if (fetching->expunged > 0 && !uid)
        hp_imap_no(s, "EXPUNGEISSUED",
                   _("Another program has deleted some of these messages meanwhile."));
    else
        hp_imap_ok(s, NULL, _("That is all."));
}

static void
fetch_messages(HpImapSession *s, const HpImapFetch *fetch, const GArray *seqs,
               gboolean uid)
{
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapFetching fetching = { .s = s, .fetch = fetch, .out = out };
    g_autoptr(GArray) changed = NULL;

    if ((fetch->items & HP_FETCH_MODSEQ) != 0)
        hp_imap_use_condstore(s);
    if (fetch->changed) { /* before \Seen changes what was not meant, and all is sent */
        changed = changed_since(s, seqs, fetch->changed_since);
        seqs = changed;
    }
    if (fetch->marks_seen && !s->read_only)
        mark_seen(&fetching, seqs);
    send_all(&fetching, seqs);
    g_free(fetching.buffer);
    if (s->state != HP_IMAP_ENDED)
        finish(s, &fetching, uid);
}

void
hp_imap_fetch_tell(HpImapSession *s, const HpImapFetch *fetch, const GArray *seqs)
{
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapFetching fetching = { .s = s, .fetch = fetch, .out = out };

    send_all(&fetching, seqs);
    g_free(fetching.buffer);
}

/* fetch = "FETCH" SP sequence-set SP items [fetch-modifiers] */
gboolean
hp_imap_cmd_fetch(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(HpImapSet) set = { NULL, FALSE };
    g_auto(HpImapFetch) fetch = { 0 };
    g_autoptr(GArray) seqs = NULL;
    g_autoptr(GError) error = NULL;
    HpCursor at_set;

    if (!hp_imap_take_space(args))
        return FALSE;
    at_set = args->c;
    if (!hp_imap_take_set(args, &set) || !hp_imap_take_space(args) ||
        !hp_imap_take_fetch(args, &fetch))
        return FALSE;
    if (fetch.vanished && (!uid || !s->qresync))
        return hp_imap_want(args, _("UID FETCH after ENABLE QRESYNC, for VANISHED"));
    if (!hp_imap_resolve(s, &set, uid, &seqs)) {
        args->c = at_set;
        return hp_imap_want(args, _("numbers of messages that are there"));
    }
    if (fetch.partial.given && !uid)
        return hp_imap_want(args, _("UID FETCH, for PARTIAL"));
    if (fetch.partial.given) {
        GArray *page = hp_imap_partial_of_ranges(&fetch.partial, seqs);

        g_array_unref(seqs);
        seqs = page;
    }
    if (uid && !s->uidonly) /* UIDFETCH begins with it */
        fetch.items |= HP_FETCH_UID;
    if (fetch.vanished && !tell_vanished(s, &set, fetch.changed_since, &error))
        hp_imap_fail(s, error);
    else
        fetch_messages(s, &fetch, seqs, uid);
    return TRUE;
}
