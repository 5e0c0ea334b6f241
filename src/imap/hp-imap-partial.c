#include "hp-imap-partial.h"

/* MINUS nz-number, or nz-number: whichever the range began with */
static gboolean
take_place(HpImapArgs *args, gboolean backwards, guint32 *ret_place)
{
    guint64 number;

    if (backwards && !hp_imap_skip(args, '-'))
        return hp_imap_want(args, "-");
    if (!hp_imap_take_nz_number(args, HP_IMAP_MAX_NUMBER, &number))
        return FALSE;
    *ret_place = (guint32)number;
    return TRUE;
}

/* partial-range = nz-number ":" nz-number / MINUS nz-number ":" MINUS nz-number */
gboolean
hp_imap_take_partial_range(HpImapArgs *args, HpImapPartial *ret_partial)
{
    HpImapPartial partial = { .given = TRUE, .backwards = hp_imap_peek(args) == '-' };

    if (!take_place(args, partial.backwards, &partial.from))
        return FALSE;
    if (!hp_imap_skip(args, ':'))
        return hp_imap_want(args, ":");
    if (!take_place(args, partial.backwards, &partial.to))
        return FALSE;
    *ret_partial = partial;
    return TRUE;
}

void
hp_imap_out_partial(GString *out, const HpImapPartial *self)
{
    const char *sign = self->backwards ? "-" : "";

    g_string_append_printf(out, "%s%u:%s%u", sign, self->from, sign, self->to);
}

HpImapPage
hp_imap_partial_page(const HpImapPartial *self, guint64 n)
{
    guint64 nearest = MIN(self->from, self->to) - 1;
    guint64 behind = MIN((guint64)MAX(self->from, self->to), n);

    if (nearest >= behind)
        return (HpImapPage){ 0, 0 };
    if (self->backwards)
        return (HpImapPage){ n - behind, n - nearest };
    return (HpImapPage){ nearest, behind };
}

GArray *
hp_imap_partial_of_ranges(const HpImapPartial *self, const GArray *ranges)
{
    HpImapPage page = hp_imap_partial_page(self, hp_imap_ranges_count(ranges));
    GArray *some = g_array_new(FALSE, FALSE, sizeof(HpImapRange));
    guint64 before = 0; /* numbers in the ranges before this one */

    for (guint i = 0; i < ranges->len && before < page.behind; i++) {
        HpImapRange range = g_array_index(ranges, HpImapRange, i);
        guint64 count = (guint64)range.to - range.from + 1;

        if (before + count > page.behind)
            range.to = (guint32)(range.from + (page.behind - before - 1));
        if (before < page.first)
            range.from += (guint32)MIN(page.first - before, count);
        if (before + count > page.first)
            g_array_append_val(some, range);
        before += count;
    }
    return some;
}
