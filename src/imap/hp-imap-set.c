#include "hp-imap-set.h"

#include <glib/gi18n.h>

void
hp_imap_set_clear(HpImapSet *self)
{
    g_clear_pointer(&self->ranges, g_array_unref);
    self->saved = FALSE;
}

/* seq-number = nz-number / "*" */
static gboolean
take_end_of_range(HpImapArgs *args, guint32 *ret_number)
{
    guint64 number = 0;

    if (!hp_imap_skip(args, '*') &&
        !hp_imap_take_nz_number(args, HP_IMAP_MAX_NUMBER, &number))
        return FALSE;
    *ret_number = (guint32)number;
    return TRUE;
}

/* sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command */
gboolean
hp_imap_take_set(HpImapArgs *args, HpImapSet *ret_set)
{
    hp_imap_set_clear(ret_set);
    if (hp_imap_skip(args, '$')) {
        ret_set->saved = TRUE;
        return TRUE;
    }
    ret_set->ranges = g_array_new(FALSE, FALSE, sizeof(HpImapRange));
    do {
        HpImapRange range;

        if (!take_end_of_range(args, &range.from))
            return FALSE;
        range.to = range.from;
        if (hp_imap_skip(args, ':') && !take_end_of_range(args, &range.to))
            return FALSE;
        g_array_append_val(ret_set->ranges, range);
    } while (hp_imap_skip(args, ','));
    return TRUE;
}

gboolean
hp_imap_at_set(const HpImapArgs *args)
{
    int next = hp_imap_peek(args);

    return next == '*' || next == '$' || (next >= '0' && next <= '9');
}

gboolean
hp_imap_set_has_star(const HpImapSet *self)
{
    for (guint i = 0; self->ranges != NULL && i < self->ranges->len; i++) {
        const HpImapRange *range = &g_array_index(self->ranges, HpImapRange, i);

        if (range->from == 0 || range->to == 0)
            return TRUE;
    }
    return FALSE;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const HpImapRange *first = a;
    const HpImapRange *second = b;

    return (first->from > second->from) - (first->from < second->from);
}

/* "*" replaced, and the smaller number first; %FALSE if nothing is left. */
static gboolean
straighten(HpImapRange *range, guint32 star)
{
    guint32 from = range->from != 0 ? range->from : star;
    guint32 to = range->to != 0 ? range->to : star;

    range->from = from != 0 ? from : to;
    range->to = to != 0 ? to : from;
    if (range->from > range->to) {
        from = range->from;
        range->from = range->to;
        range->to = from;
    }
    return range->from != 0;
}

static GArray *
merge(GArray *sorted)
{
    guint kept = 0;

    for (guint i = 1; i < sorted->len; i++) {
        HpImapRange *last = &g_array_index(sorted, HpImapRange, kept);
        const HpImapRange *next = &g_array_index(sorted, HpImapRange, i);

        if ((guint64)next->from <= (guint64)last->to + 1)
            last->to = MAX(last->to, next->to);
        else
            g_array_index(sorted, HpImapRange, ++kept) = *next;
    }
    if (sorted->len > 0)
        g_array_set_size(sorted, kept + 1);
    return sorted;
}

GArray *
hp_imap_set_sort(const HpImapSet *self, guint32 star)
{
    GArray *sorted = g_array_new(FALSE, FALSE, sizeof(HpImapRange));

    for (guint i = 0; self->ranges != NULL && i < self->ranges->len; i++) {
        HpImapRange range = g_array_index(self->ranges, HpImapRange, i);

        if (straighten(&range, star))
            g_array_append_val(sorted, range);
    }
    g_array_sort(sorted, compare);
    return merge(sorted);
}

void
hp_imap_ranges_add(GArray *ranges, guint32 from, guint32 to)
{
    HpImapRange range = { from, to };
    HpImapRange *last =
        ranges->len > 0 ? &g_array_index(ranges, HpImapRange, ranges->len - 1) : NULL;

    if (from > to)
        return;
    if (last != NULL && last->to + 1 == from)
        last->to = to;
    else
        g_array_append_val(ranges, range);
}

gboolean
hp_imap_ranges_have(const GArray *ranges, guint32 number)
{
    guint low = 0;
    guint high = ranges->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const HpImapRange *range = &g_array_index(ranges, HpImapRange, middle);

        if (number < range->from)
            high = middle;
        else if (number > range->to)
            low = middle + 1;
        else
            return TRUE;
    }
    return FALSE;
}

guint64
hp_imap_ranges_count(const GArray *ranges)
{
    guint64 count = 0;

    for (guint i = 0; i < ranges->len; i++) {
        const HpImapRange *range = &g_array_index(ranges, HpImapRange, i);

        count += (guint64)range->to - range->from + 1;
    }
    return count;
}

void
hp_imap_out_set(GString *out, const guint32 *numbers, guint n)
{
    guint end;

    for (guint i = 0; i < n; i = end) {
        end = i + 1;
        while (end < n && numbers[end] == numbers[end - 1] + 1)
            end++;
        g_string_append_printf(out, "%s%u", i > 0 ? "," : "", numbers[i]);
        if (end - i > 1)
            g_string_append_printf(out, ":%u", numbers[end - 1]);
    }
}
