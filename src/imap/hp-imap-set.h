/* hp-imap-set: sets of message numbers, sequence numbers or uids (RFC 9051 §9,
 * sequence-set; RFC 5182, "$").
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-args.h"

/* As parsed 0 is "*" and from may be above to; as resolved 1 <= from <= to. */
typedef struct {
    guint32 from;
    guint32 to;
} HpImapRange;

typedef struct {
    GArray *ranges; /* (owned) (nullable): HpImapRange, as written */
    gboolean saved; /* "$": what the last SEARCH saved */
} HpImapSet;

void hp_imap_set_clear(HpImapSet *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpImapSet, hp_imap_set_clear)

/* ABNF: sequence-set. @ret_set: initialised before; hp_imap_set_clear() it in any case.
 */
gboolean hp_imap_take_set(HpImapArgs *args, HpImapSet *ret_set);

/* Is this a set, and not another word? Consumes nothing. */
gboolean hp_imap_at_set(const HpImapArgs *args);

/* %TRUE if it names "*". */
gboolean hp_imap_set_has_star(const HpImapSet *self);

/**
 * hp_imap_set_sort:
 * @self: not "$"
 * @star: the number that "*" stands for, 0 if there is none
 *
 * Returns: (transfer full) (element-type HpImapRange): ascending, without overlap; with
 *    no @star what names "*" on both sides is left out, and on one side is that one
 * number
 */
GArray *hp_imap_set_sort(const HpImapSet *self, guint32 star);

/* Appends @from to @to, which are behind all that sorted ranges hold; nothing if @from is
 * above @to. */
void hp_imap_ranges_add(GArray *ranges, guint32 from, guint32 to);

/* Is @number in sorted ranges? */
gboolean hp_imap_ranges_have(const GArray *ranges, guint32 number);

/* How many numbers sorted ranges hold. */
guint64 hp_imap_ranges_count(const GArray *ranges);

/* Appends ascending @numbers as "1:3,7". */
void hp_imap_out_set(GString *out, const guint32 *numbers, guint n);
