/* hp-imap-search-candidates: which messages a search has to look at: all that can match,
 * ascending, and perhaps others. How they are found is this module's business alone:
 * today by walking through the view, within the sets that the program names; an index
 * would name fewer. What matches is hp-imap-search-match's.
 *
 * Threads: that of the view.
 */
#pragma once

#include "hp-imap-search-program.h"
#include "hp-store-view.h"

typedef struct {
    guint32 next; /* seq */
    guint32 last;
} HpSearchCandidates;

/* In @view as it is now. */
HpSearchCandidates hp_search_candidates(const HpSearchProgram *program, HpView *view);

/* How many are to come. */
guint32 hp_search_candidates_left(const HpSearchCandidates *self);

/* %FALSE at the end. */
gboolean hp_search_candidates_next(HpSearchCandidates *self, guint32 *ret_seq);
