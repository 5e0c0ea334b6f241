/* hp-imap-partial: a page of a list of results, counted from its begin or its end
 * (RFC 9394 §3.1).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-set.h"

typedef struct {
    gboolean given;
    gboolean backwards; /* 1 is the last result */
    guint32 from;       /* 1 <= @from, in the order in which they were written */
    guint32 to;
} HpImapPartial;

/* ABNF: partial-range. @ret_partial: untouched if there is none. */
gboolean hp_imap_take_partial_range(HpImapArgs *args, HpImapPartial *ret_partial);

/* Appends the range as it was written: "-1:-100". */
void hp_imap_out_partial(GString *out, const HpImapPartial *self);

/* Of @n results, counted from 0: the first of the page, and the one behind the last,
 * which is the first again if nothing is on it. */
typedef struct {
    guint64 first;
    guint64 behind;
} HpImapPage;
HpImapPage hp_imap_partial_page(const HpImapPartial *self, guint64 n);

/* (transfer full) (element-type HpImapRange): of the numbers that sorted @ranges hold,
 * those on the page. */
GArray *hp_imap_partial_of_ranges(const HpImapPartial *self, const GArray *ranges);
