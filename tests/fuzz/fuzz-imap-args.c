/* The arguments of FETCH, sets, flags, dates and strings: nothing is read beyond the end,
 * what is wrong is named at a place inside, and what was a set or a string is written so
 * that it is read again. */
#include "hp-imap-fetch-args.h"
#include "hp-imap-notify-args.h"
#include "hp-imap-set.h"
#include "hp-imap-write.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const HpImapArgs *args, gboolean good, size_t size)
{
    g_assert(args->c.at <= args->c.end);
    g_assert(good == (args->wanted == NULL) || args->wanted == NULL || !good);
    g_assert(args->wanted == NULL || args->where <= size + 1);
}

static void
try_fetch(HpSlice input)
{
    g_auto(HpImapFetch) fetch = { 0 };
    HpImapArgs args = hp_imap_args(input);
    gboolean good = hp_imap_take_fetch(&args, &fetch);

    check(&args, good, input.len);
    g_assert(!good || fetch.items != 0 || fetch.sections != NULL);
    for (guint i = 0; good && fetch.sections != NULL && i < fetch.sections->len; i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        hp_imap_section_fields(&g_array_index(fetch.sections, HpImapSection, i), input,
                               out);
    }
}

static void
try_set(HpSlice input)
{
    g_auto(HpImapSet) set = { NULL, FALSE };
    g_autoptr(GArray) sorted = NULL;
    HpImapArgs args = hp_imap_args(input);
    gboolean good = hp_imap_take_set(&args, &set);

    check(&args, good, input.len);
    if (!good || set.saved)
        return;
    sorted = hp_imap_set_sort(&set, 7);
    for (guint i = 0; i < sorted->len; i++) {
        const HpImapRange *range = &g_array_index(sorted, HpImapRange, i);

        g_assert(range->from >= 1 && range->from <= range->to);
        g_assert(i == 0 || range->from > range[-1].to);
    }
}

static void
try_partial(HpSlice input)
{
    HpImapArgs args = hp_imap_args(input);
    HpImapPartial partial = { 0 };
    gboolean good = hp_imap_take_partial_range(&args, &partial);
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapPage page;

    check(&args, good, input.len);
    if (!good)
        return;
    page = hp_imap_partial_page(&partial, 1000);
    g_assert(page.first <= page.behind && page.behind <= 1000);
    hp_imap_out_partial(out, &partial);
    args = hp_imap_args(hp_slice_of_string(out));
    g_assert(hp_imap_take_partial_range(&args, &partial) && hp_imap_take_end(&args));
}

static void
try_string(HpSlice input)
{
    g_autofree char *text = NULL;
    g_autofree char *back = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    HpImapArgs args = hp_imap_args(input);
    HpImapArgs again;

    if (!hp_imap_take_astring(&args, &text))
        return;
    hp_imap_out_string(out, hp_slice_of(text), input.len % 2 == 0);
    again = hp_imap_args(hp_slice_of_string(out));
    g_assert(hp_imap_take_string(&again, &back) && hp_imap_take_end(&again));
    g_assert_cmpstr(text, ==, back);
}

static void
try_others(HpSlice input)
{
    g_auto(HpImapFlags) flags = { 0 };
    HpImapArgs args = hp_imap_args(input);
    gint64 number;
    gint zone;

    check(&args, hp_imap_take_flags(&args, &flags), input.len);
    args = hp_imap_args(input);
    check(&args, hp_imap_take_date_time(&args, &number, &zone), input.len);
    args = hp_imap_args(input);
    check(&args, hp_imap_take_date(&args, &number), input.len);
}

/* NOTIFY, and the mailboxes it is about: at most what it says itself. */
static void
try_notify(HpSlice input)
{
    g_auto(HpNotifyWish) wish = { 0 };
    g_auto(HpImapFilter) filter = { 0, NULL };
    HpImapArgs args = hp_imap_args(input);
    gboolean good = hp_notify_take_wish(&args, input.len % 2 == 0, &wish);

    check(&args, good || wish.unknown, input.len);
    g_assert(!good || wish.groups->len <= HP_IMAP_MAX_FILTERS);
    if (good)
        g_assert((wish.selected & ~(guint)HP_NOTIFY_OF_MESSAGES) == 0);
    args = hp_imap_args(input);
    good = hp_imap_take_filter(&args, ~0u, TRUE, &filter);
    check(&args, good, input.len);
    if (good)
        hp_imap_filter_matches(&filter, "a/b/c", FALSE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *exact = g_memdup2(data, size);
    HpSlice input = { exact, exact != NULL ? size : 0 };

    try_fetch(input);
    try_set(input);
    try_partial(input);
    try_string(input);
    try_notify(input);
    try_others(input);
    return 0;
}
