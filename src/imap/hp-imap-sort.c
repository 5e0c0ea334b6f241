/* SORT (RFC 5256) with return options (RFC 5267) and display keys (RFC 5957). */
#include "hp-imap-search.h"
#include "hp-imap-sort-order.h"

static void
add_message(guint32 seq, const HpViewEntry *entry, const HpSummary *summary,
            gpointer sorter)
{
    HpSortFacts facts = { .numbers = { [HP_SORT_ARRIVAL] = entry->internal_usec,
                                       [HP_SORT_SIZE] = entry->size } };

    hp_sort_facts(&facts, summary);
    hp_sorter_add(sorter, seq, &facts);
}

/* (transfer full) (nullable): %NULL if it failed and was answered. */
static GArray *
sort(HpImapSession *s, const HpSearchProgram *program, const HpSortCriteria *criteria)
{
    g_autoptr(GArray) found =
        hp_search_find(s, &(HpSearchSource){ .view = s->view }, program);
    g_autoptr(HpSorter) sorter = hp_sorter_new(criteria);
    HpSearchFacts facts = { .seqs = found,
                            .with_summary = hp_sort_needs_summary(criteria),
                            .each = add_message,
                            .data = sorter };

    if (found == NULL || !hp_search_each(s, &facts))
        return NULL;
    return hp_sorter_finish(sorter);
}

gboolean
hp_imap_cmd_sort(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(HpSearchProgram) program = NULL;
    g_autoptr(GArray) seqs = NULL;
    g_autofree char *charset = NULL;
    HpSearchAnswer answer = { .name = "SORT", .view = s->view, .uid = uid };
    HpSortCriteria criteria;
    gboolean saves;

    if (!hp_search_take_options(args, &answer.options) || !hp_imap_take_space(args) ||
        !hp_sort_take_criteria(args, &criteria) || !hp_imap_take_space(args) ||
        !hp_imap_take_astring(args, &charset) || !hp_imap_take_space(args))
        return FALSE;
    saves = (answer.options.options & HP_SEARCH_RETURN_SAVE) != 0;
    if (!hp_search_take_program(s, args, charset, saves, &program))
        return FALSE;
    if (program == NULL)
        return TRUE;
    seqs = sort(s, program, &criteria);
    if (seqs == NULL) {
        if (saves)
            hp_search_forget_saved(s);
        return TRUE;
    }
    answer.has_modseq = program->has_modseq;
    answer.seqs = seqs;
    hp_search_answer(s, &answer);
    return TRUE;
}
