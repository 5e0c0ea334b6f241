/* A search over a mailbox: candidates are asked round by round, a batch at a time. */
#include "hp-imap-search-candidates.h"
#include "hp-imap-search-match.h"
#include "hp-imap-search.h"

#define BATCH 256 /* of hp_store_each_summary() */

typedef struct {
    HpImapSession *s;               /* (unowned) */
    const HpSearchSource *source;   /* (unowned) */
    const HpSearchProgram *program; /* (unowned) */
    HpSearchCandidates candidates;
    guint32 goal;        /* candidates there were */
    gint64 now_usec;     /* wall clock, the same for all */
    gboolean needs_sent; /* the program asks for the Date field */
    GArray *found;       /* (owned): guint32 */

    /* Those of the batch that are not settled yet; values: keys->len of each. */
    guint n;
    HpSearchEntry *entries; /* (owned) */
    guint8 *values;         /* (owned) */
} Finding;

static void
finding_clear(Finding *self)
{
    g_clear_pointer(&self->found, g_array_unref);
    g_free(self->entries);
    g_free(self->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Finding, finding_clear)

static HpSearchMatch
match_at(const Finding *self, guint index)
{
    return (HpSearchMatch){ self->program,
                            self->values + (size_t)index * self->program->keys->len };
}

static gboolean
go_on(gpointer data)
{
    const Finding *self = data;

    guint32 left = hp_search_candidates_left(&self->candidates);

    return hp_imap_progress(self->s, self->source->before + self->goal - left,
                            self->source->before + self->goal + self->source->after);
}

/* --- the rounds ----------------------------------------------------------------------
 */

static gboolean
ask_details(Finding *self)
{
    HpStore *store = self->s->options->store;
    gint64 mailbox = hp_view_mailbox(self->source->view);

    for (guint i = 0; i < self->n; i++) {
        HpSearchMatch match = match_at(self, i);
        /* What is gone meanwhile has no details, and so it does not match them. */
        HpStoreDetails details = { 0, 0, 0 };

        if (!hp_search_match_needs(&match, HP_SEARCH_DETAILS))
            continue;
        hp_store_details(store, mailbox, self->entries[i].entry.uid, &details, NULL);
        hp_search_match_details(&match, &details);
        if (!go_on(self))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    Finding *finding;    /* (unowned) */
    guint places[BATCH]; /* in the batch */
} HeaderRound;

static gboolean
ask_header(guint index, const HpSummary *summary, HpSlice block, gpointer data)
{
    const HeaderRound *round = data;
    HpSearchMatch match = match_at(round->finding, round->places[index]);
    HpSearchHeader header = { .block = block };
    gint64 sec;

    header.has_sent = summary != NULL && hp_summary_sent(summary, &sec, &header.sent_day);
    hp_search_match_header(&match, &header);
    return TRUE;
}

static void
ask_headers(Finding *self)
{
    HeaderRound round = { .finding = self };
    gint64 contents[BATCH];
    HpStoreSummaries wanted = {
        .contents = contents,
        .header_only = !self->needs_sent,
        .each = ask_header,
        .data = &round,
    };

    for (guint i = 0; i < self->n; i++) {
        HpSearchMatch match = match_at(self, i);

        if (hp_search_match_needs(&match, HP_SEARCH_HEADERS)) {
            round.places[wanted.n] = i;
            contents[wanted.n++] = self->entries[i].entry.content;
        }
    }
    hp_store_each_summary(self->s->options->store, &wanted);
}

static gboolean
nth_part(gpointer data, guint index, HpSummaryPart *ret_part, const char **ret_charset)
{
    return data != NULL && hp_summary_nth_part(data, index, ret_part, ret_charset);
}

/* A content that cannot be opened has no parts: it does not match. */
static void
ask_content(Finding *self, guint index)
{
    HpStore *store = self->s->options->store;
    const HpViewEntry *entry = &self->entries[index].entry;
    HpStoreEntry of = { .uid = entry->uid,
                        .size = entry->size,
                        .content = entry->content };
    g_autoptr(HpContent) content = hp_store_open_content(store, &of, NULL);
    g_autoptr(HpSummary) summary =
        content != NULL ? hp_store_summary(store, entry->content, NULL) : NULL;
    HpSearchContent reading = {
        hp_content_read, content, nth_part, summary, go_on, self
    };
    HpSearchMatch match = match_at(self, index);

    hp_search_match_content(&match, &reading);
}

static gboolean
ask_contents(Finding *self)
{
    for (guint i = 0; i < self->n; i++) {
        HpSearchMatch match = match_at(self, i);

        if (!hp_search_match_needs(&match, HP_SEARCH_CONTENT))
            continue;
        if (!go_on(self))
            return FALSE;
        ask_content(self, i);
    }
    return self->s->state != HP_IMAP_ENDED;
}

/* Asks what is left to ask of the batch, and empties it. */
static gboolean
settle_batch(Finding *self)
{
    if (!go_on(self) || !ask_details(self))
        return FALSE;
    ask_headers(self);
    if (!ask_contents(self))
        return FALSE;
    for (guint i = 0; i < self->n; i++) {
        HpSearchMatch match = match_at(self, i);

        if (hp_search_settle(&match) == HP_SEARCH_TRUE)
            g_array_append_val(self->found, self->entries[i].seq);
    }
    self->n = 0;
    return TRUE;
}

/* --- the first round -----------------------------------------------------------------
 */

static gint
compare_seqs(gconstpointer a, gconstpointer b)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;

    return left < right ? -1 : left > right;
}

/* Settled at once, or the next of the batch. */
static void
ask_entry(Finding *self, guint32 seq)
{
    HpSearchEntry *entry = &self->entries[self->n];
    HpSearchMatch match = match_at(self, self->n);
    HpSearchVerdict verdict;

    entry->seq = seq;
    entry->now_usec = self->now_usec;
    if (!hp_view_get(self->source->view, seq, &entry->entry))
        return; /* expunged; the session has not been told */
    entry->keywords = hp_view_keywords(self->source->view, entry->entry.keywords);
    verdict = hp_search_match_entry(&match, entry);
    if (verdict == HP_SEARCH_TRUE)
        g_array_append_val(self->found, seq);
    else if (verdict == HP_SEARCH_UNKNOWN)
        self->n++;
}

static gboolean
find_all(Finding *self)
{
    guint32 seq;
    gboolean batched = FALSE;

    while (hp_search_candidates_next(&self->candidates, &seq)) {
        ask_entry(self, seq);
        if ((seq % 4096 == 0 && !go_on(self)) ||
            (self->n == BATCH && !settle_batch(self)))
            return FALSE;
        batched = batched || self->n > 0;
    }
    if (!settle_batch(self))
        return FALSE;
    if (batched) /* what was settled at once has overtaken the batch */
        g_array_sort(self->found, compare_seqs);
    return TRUE;
}

static gboolean
asks_for_date(const HpSearchProgram *program)
{
    for (guint i = 0; i < program->keys->len; i++) {
        HpSearchKind kind = hp_search_program_key(program, i)->kind;

        if (kind >= HP_SEARCH_SENT_BEFORE && kind <= HP_SEARCH_SENT_SINCE)
            return TRUE;
    }
    return FALSE;
}

GArray *
hp_search_find(HpImapSession *s, const HpSearchSource *source,
               const HpSearchProgram *program)
{
    g_auto(Finding) finding = {
        .s = s,
        .source = source,
        .program = program,
        .candidates = hp_search_candidates(program, source->view),
        .now_usec = hp_clock_now_usec(s->options->clock, HP_CLOCK_WALL),
        .needs_sent = asks_for_date(program),
    };

    finding.goal = hp_search_candidates_left(&finding.candidates);
    finding.found = g_array_new(FALSE, FALSE, sizeof(guint32));
    finding.entries = g_new0(HpSearchEntry, BATCH);
    finding.values = g_malloc((size_t)BATCH * program->keys->len);
    return find_all(&finding) ? g_steal_pointer(&finding.found) : NULL;
}

/* --- what is known of what was found -------------------------------------------------
 */

typedef struct {
    const HpSearchFacts *facts; /* (unowned) */
    guint n;
    guint32 seqs[BATCH];
    HpViewEntry entries[BATCH];
} FactsRound;

static gboolean
tell_facts(guint index, const HpSummary *summary, HpSlice header, gpointer data)
{
    const FactsRound *round = data;

    round->facts->each(round->seqs[index], &round->entries[index], summary,
                       round->facts->data);
    return TRUE;
}

static void
tell_round(HpImapSession *s, FactsRound *round)
{
    gint64 contents[BATCH];
    HpStoreSummaries wanted = {
        .contents = contents,
        .n = round->n,
        .each = tell_facts,
        .data = round,
    };

    if (!round->facts->with_summary) {
        for (guint i = 0; i < round->n; i++)
            tell_facts(i, NULL, (HpSlice){ NULL, 0 }, round);
        return;
    }
    for (guint i = 0; i < round->n; i++)
        contents[i] = round->entries[i].content;
    hp_store_each_summary(s->options->store, &wanted);
}

gboolean
hp_search_each(HpImapSession *s, const HpSearchFacts *facts)
{
    g_autofree FactsRound *round = g_new0(FactsRound, 1);

    round->facts = facts;
    for (guint i = 0; i < facts->seqs->len;) {
        round->n = 0;
        for (; i < facts->seqs->len && round->n < BATCH; i++) {
            round->seqs[round->n] = g_array_index(facts->seqs, guint32, i);
            if (hp_view_get(s->view, round->seqs[round->n], &round->entries[round->n]))
                round->n++;
        }
        tell_round(s, round);
        if (!hp_imap_progress(s, i, facts->seqs->len))
            return FALSE;
    }
    return TRUE;
}
