#include "hp-imap-search.h"

#include <glib/gi18n.h>

static const struct {
    const char *name; /* (unowned) */
    HpSearchReturn option;
} options[] = {
    { "MIN", HP_SEARCH_RETURN_MIN },     { "MAX", HP_SEARCH_RETURN_MAX },
    { "COUNT", HP_SEARCH_RETURN_COUNT }, { "ALL", HP_SEARCH_RETURN_ALL },
    { "SAVE", HP_SEARCH_RETURN_SAVE },
};

/* "PARTIAL" SP partial-range; once (RFC 9394 §3.1) */
static gboolean
take_partial(HpImapArgs *args, HpSearchOptions *search)
{
    if (search->partial.given)
        return hp_imap_want(args, _("one PARTIAL at most"));
    search->options |= HP_SEARCH_RETURN_PARTIAL;
    return hp_imap_take_space(args) && hp_imap_take_partial_range(args, &search->partial);
}

static gboolean
take_option(HpImapArgs *args, HpSearchOptions *search)
{
    if (hp_imap_skip_word(args, "PARTIAL"))
        return take_partial(args, search);
    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        if (hp_imap_skip_word(args, options[i].name)) {
            search->options |= options[i].option;
            return TRUE;
        }
    return hp_imap_want(args, _("a return option"));
}

gboolean
hp_search_take_options(HpImapArgs *args, HpSearchOptions *ret_options)
{
    HpImapArgs ahead = *args;

    *ret_options = (HpSearchOptions){ 0 };
    if (!hp_imap_skip(&ahead, ' ') || !hp_imap_skip_word(&ahead, "RETURN"))
        return TRUE;
    *args = ahead;
    ret_options->given = TRUE;
    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '('))
        return FALSE;
    if (hp_imap_skip(args, ')'))
        return TRUE;
    do {
        if (!take_option(args, ret_options))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    if (ret_options->partial.given && (ret_options->options & HP_SEARCH_RETURN_ALL) != 0)
        return hp_imap_want(args, _("PARTIAL or ALL, not both"));
    return hp_imap_take_char(args, ')');
}

void
hp_search_forget_saved(HpImapSession *s)
{
    g_clear_pointer(&s->saved, g_array_unref);
}

HpSearchScope
hp_search_scope(HpImapSession *s, HpView *view)
{
    guint32 n = view != NULL ? hp_view_len(view) : 0;

    return (HpSearchScope){ n, n > 0 ? hp_view_uid(view, n) : 0,
                            view == s->view ? s->saved : NULL, s->uidonly };
}

gboolean
hp_search_take_program(HpImapSession *s, HpImapArgs *args, const char *charset,
                       gboolean saves, HpSearchProgram **ret_program)
{
    HpSearchScope scope = hp_search_scope(s, s->view);
    gboolean bad_charset = FALSE;

    *ret_program = hp_search_program_parse(args, charset, &scope, &bad_charset);
    if (*ret_program != NULL) {
        if ((*ret_program)->has_modseq)
            hp_imap_use_condstore(s);
        return TRUE;
    }
    if (!bad_charset)
        return FALSE;
    if (saves)
        hp_search_forget_saved(s);
    hp_imap_no(s, "BADCHARSET (US-ASCII UTF-8)",
               _("Hauspost does not know that character set, or the text is not in it."));
    return TRUE;
}

gboolean
hp_imap_cmd_search(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(HpSearchProgram) program = NULL;
    g_autoptr(GArray) seqs = NULL;
    HpSearchAnswer answer = { .name = "SEARCH", .view = s->view, .uid = uid };
    gboolean saves;

    if (!hp_search_take_options(args, &answer.options) || !hp_imap_take_space(args))
        return FALSE;
    saves = (answer.options.options & HP_SEARCH_RETURN_SAVE) != 0;
    if (!hp_search_take_program(s, args, NULL, saves, &program))
        return FALSE;
    if (program == NULL)
        return TRUE;
    seqs = hp_search_find(s, &(HpSearchSource){ .view = s->view }, program);
    if (seqs == NULL) {
        if (saves)
            hp_search_forget_saved(s);
        return TRUE;
    }
    /* RFC 9051 §6.4.4: in rev2 the answer is always ESEARCH, by default with ALL. */
    answer.options.given = answer.options.given || s->rev2;
    answer.has_modseq = program->has_modseq;
    answer.seqs = seqs;
    hp_search_answer(s, &answer);
    return TRUE;
}
