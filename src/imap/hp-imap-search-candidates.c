#include "hp-imap-search-candidates.h"

/* Sets that everything that matches must be in: those right below the whole. */
static gboolean
limits_all(const HpSearchKey *key, guint index)
{
    return index > 0 && key->parent == 0 && !key->inverted &&
           (key->kind == HP_SEARCH_SEQ || key->kind == HP_SEARCH_UID);
}

static void
limit(HpSearchCandidates *self, const HpSearchKey *key, HpView *view)
{
    const HpImapRange *first, *last;
    guint32 from, to;

    if (key->ranges->len == 0) {
        self->next = self->last + 1;
        return;
    }
    first = &g_array_index(key->ranges, HpImapRange, 0);
    last = &g_array_index(key->ranges, HpImapRange, key->ranges->len - 1);
    from = first->from;
    to = last->to;
    if (key->kind == HP_SEARCH_UID) {
        from = hp_view_seq_from(view, first->from);
        to = last->to == G_MAXUINT32 ? self->last
                                     : hp_view_seq_from(view, last->to + 1) - 1;
    }
    self->next = MAX(self->next, from);
    self->last = MIN(self->last, to);
}

HpSearchCandidates
hp_search_candidates(const HpSearchProgram *program, HpView *view)
{
    HpSearchCandidates self = { 1, hp_view_len(view) };

    for (guint i = 0; i < program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(program, i);

        if (limits_all(key, i))
            limit(&self, key, view);
    }
    return self;
}

guint32
hp_search_candidates_left(const HpSearchCandidates *self)
{
    return self->next <= self->last ? self->last - self->next + 1 : 0;
}

gboolean
hp_search_candidates_next(HpSearchCandidates *self, guint32 *ret_seq)
{
    if (self->next > self->last)
        return FALSE;
    *ret_seq = self->next++;
    return TRUE;
}
