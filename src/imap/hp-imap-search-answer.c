/* What SEARCH and SORT answer: SEARCH, SORT and ESEARCH responses, and "$". */
#include "hp-imap-search.h"

#include <glib/gi18n.h>

guint32
hp_search_number(HpImapSession *s, guint32 seq, gboolean uid)
{
    return uid ? hp_view_uid(s->view, seq) : seq;
}

static guint32
number_of(const HpSearchAnswer *answer, guint32 seq)
{
    return answer->uid ? hp_view_uid(answer->view, seq) : seq;
}

static guint32
seq_at(const HpSearchAnswer *answer, guint index)
{
    return g_array_index(answer->seqs, guint32, index);
}

static gboolean
has(const HpSearchAnswer *answer, HpSearchReturn option)
{
    return (answer->options.options & option) != 0;
}

static HpImapPage
page_of(const HpSearchAnswer *answer)
{
    return hp_imap_partial_page(&answer->options.partial, answer->seqs->len);
}

/* Index @i of what was found, once. */
static void
choose(const HpSearchAnswer *answer, guint64 i, GArray *seqs)
{
    HpImapPage page = page_of(answer);

    if (!has(answer, HP_SEARCH_RETURN_PARTIAL) || i < page.first || i >= page.behind)
        g_array_append_val(seqs, g_array_index(answer->seqs, guint32, i));
}

/* (transfer full): what the tables of RFC 9051 §6.4.4.1 and RFC 9394 §3.2 call the value
 * of "$", and RFC 4731 §3.2 the messages whose MODSEQ counts: with MIN, MAX and PARTIAL
 * alone those, else all. */
static GArray *
chosen(const HpSearchAnswer *answer)
{
    guint n = answer->seqs->len;
    gboolean some = has(answer, HP_SEARCH_RETURN_MIN) ||
                    has(answer, HP_SEARCH_RETURN_MAX) ||
                    has(answer, HP_SEARCH_RETURN_PARTIAL);
    gboolean all =
        has(answer, HP_SEARCH_RETURN_ALL) || has(answer, HP_SEARCH_RETURN_COUNT);
    GArray *seqs = g_array_new(FALSE, FALSE, sizeof(guint32));

    if (n == 0)
        return seqs;
    if (!some || all)
        return g_array_append_vals(seqs, answer->seqs->data, n);
    if (has(answer, HP_SEARCH_RETURN_MIN))
        choose(answer, 0, seqs);
    if (has(answer, HP_SEARCH_RETURN_MAX) &&
        (n > 1 || !has(answer, HP_SEARCH_RETURN_MIN)))
        choose(answer, n - 1, seqs);
    if (has(answer, HP_SEARCH_RETURN_PARTIAL)) {
        HpImapPage page = page_of(answer);

        for (guint64 i = page.first; i < page.behind; i++)
            g_array_append_val(seqs, g_array_index(answer->seqs, guint32, i));
    }
    return seqs;
}

static guint64
highest_modseq(HpView *view, const GArray *seqs)
{
    guint64 highest = 0;

    for (guint i = 0; i < seqs->len; i++) {
        HpViewEntry entry;

        if (hp_view_get(view, g_array_index(seqs, guint32, i), &entry))
            highest = MAX(highest, entry.modseq);
    }
    return highest;
}

static gint
compare_uids(gconstpointer a, gconstpointer b)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;

    return left < right ? -1 : left > right;
}

static void
save(HpImapSession *s, HpView *view, const GArray *seqs)
{
    GArray *uids = g_array_sized_new(FALSE, FALSE, sizeof(guint32), seqs->len);

    for (guint i = 0; i < seqs->len; i++) {
        guint32 uid = hp_view_uid(view, g_array_index(seqs, guint32, i));

        g_array_append_val(uids, uid);
    }
    g_array_sort(uids, compare_uids); /* SORT has its own order */
    hp_search_forget_saved(s);
    s->saved = uids;
}

/* "* SEARCH 2 5 (MODSEQ 7)" */
static void
append_plain(const HpSearchAnswer *answer, GString *line)
{
    g_string_append_printf(line, "* %s", answer->name);
    for (guint i = 0; i < answer->seqs->len; i++)
        g_string_append_printf(line, " %u", number_of(answer, seq_at(answer, i)));
    if (answer->has_modseq && answer->seqs->len > 0)
        g_string_append_printf(line, " (MODSEQ %" G_GUINT64_FORMAT ")",
                               highest_modseq(answer->view, answer->seqs));
}

static void
append_page(const HpSearchAnswer *answer, HpImapPage page, GString *line)
{
    guint n = (guint)(page.behind - page.first);
    g_autofree guint32 *numbers = g_new(guint32, n);

    for (guint i = 0; i < n; i++)
        numbers[i] = number_of(answer, seq_at(answer, (guint)page.first + i));
    hp_imap_out_set(line, numbers, n);
}

/* " ALL 1:3", " PARTIAL (1:2 1,3)", " PARTIAL (9:10 NIL)" */
static void
append_results(const HpSearchAnswer *answer, GString *line)
{
    HpImapPage page = page_of(answer);

    if (answer->seqs->len > 0 && has(answer, HP_SEARCH_RETURN_ALL)) {
        g_string_append(line, " ALL ");
        append_page(answer, (HpImapPage){ 0, answer->seqs->len }, line);
    }
    if (!has(answer, HP_SEARCH_RETURN_PARTIAL))
        return;
    g_string_append(line, " PARTIAL (");
    hp_imap_out_partial(line, &answer->options.partial);
    g_string_append(line, page.first == page.behind ? " NIL" : " ");
    append_page(answer, page, line);
    g_string_append_c(line, ')');
}

/* "* ESEARCH (TAG "a") UID MIN 2 COUNT 3" */
static void
append_extended(HpImapSession *s, const HpSearchAnswer *answer, const GArray *counted,
                GString *line)
{
    guint n = answer->seqs->len;

    g_string_append(line, "* ESEARCH (TAG ");
    hp_imap_out_string(line, hp_slice_of(s->tag), FALSE);
    if (answer->mailbox != NULL) {
        g_string_append(line, " MAILBOX ");
        hp_imap_out_mailbox(line, answer->mailbox, s->utf8);
        g_string_append_printf(line, " UIDVALIDITY %u",
                               hp_view_uidvalidity(answer->view));
    }
    g_string_append(line, answer->uid ? ") UID" : ")");
    if (n > 0 && has(answer, HP_SEARCH_RETURN_MIN))
        g_string_append_printf(line, " MIN %u", number_of(answer, seq_at(answer, 0)));
    if (n > 0 && has(answer, HP_SEARCH_RETURN_MAX))
        g_string_append_printf(line, " MAX %u", number_of(answer, seq_at(answer, n - 1)));
    if (has(answer, HP_SEARCH_RETURN_COUNT))
        g_string_append_printf(line, " COUNT %u", n);
    append_results(answer, line);
    if (counted->len > 0 && answer->has_modseq)
        g_string_append_printf(line, " MODSEQ %" G_GUINT64_FORMAT,
                               highest_modseq(answer->view, counted));
}

void
hp_search_tell(HpImapSession *s, const HpSearchAnswer *answer)
{
    HpSearchAnswer full = *answer;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GArray) counted = NULL;

    if (full.options.given && full.options.options == 0)
        full.options.options = HP_SEARCH_RETURN_ALL;
    counted = chosen(&full);
    if (has(&full, HP_SEARCH_RETURN_SAVE))
        save(s, full.view, counted);
    if (full.mailbox != NULL && full.seqs->len == 0)
        return;
    if (!full.options.given)
        append_plain(&full, line);
    else if (full.options.options != HP_SEARCH_RETURN_SAVE) /* alone it says nothing */
        append_extended(s, &full, counted, line);
    if (line->len > 0) {
        g_string_append(line, "\r\n");
        hp_imap_write(s, hp_slice_of_string(line));
    }
}

void
hp_search_answer(HpImapSession *s, const HpSearchAnswer *answer)
{
    hp_search_tell(s, answer);
    hp_imap_ok(s, NULL, _("That is all."));
}
