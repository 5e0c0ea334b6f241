/* ESEARCH (RFC 7377): one search in several mailboxes, which are not selected for it. */
#include "hp-imap-filter.h"
#include "hp-imap-search.h"

#include <glib/gi18n.h>

#define MAX_MAILBOXES 5000 /* of one command (RFC 7377 §2.4) */

typedef struct {
    HpImapSession *s;      /* (unowned) */
    GArray *filters;       /* (owned): HpImapFilter */
    HpImapArgs program;    /* at the search program, which each mailbox reads anew: what
                              "*" means is its own */
    HpSearchAnswer answer; /* its frame */
    GPtrArray *mailboxes;  /* (owned) (nullable): all there are */
    GPtrArray *sources;    /* (owned): HpStoreMailbox (unowned): to be searched */
    guint64 done;          /* messages of those that have been searched */
    guint64 goal;
} Many;

static void
clear_filter(gpointer filter)
{
    hp_imap_filter_clear(filter);
}

static void
many_clear(Many *self)
{
    g_clear_pointer(&self->filters, g_array_unref);
    g_clear_pointer(&self->sources, g_ptr_array_unref);
    g_clear_pointer(&self->mailboxes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Many, many_clear)

/* --- arguments -----------------------------------------------------------------------
 */

static gboolean
take_filter(HpImapArgs *args, Many *self)
{
    HpImapFilter filter = { 0, NULL };

    if (self->filters->len == HP_IMAP_MAX_FILTERS)
        return hp_imap_want(args, _("fewer mailboxes"));
    if (!hp_imap_take_filter(args, HP_FILTER_COMMON | HP_FILTER_SUBTREE_ONE,
                             self->s->utf8, &filter)) {
        hp_imap_filter_clear(&filter);
        return FALSE;
    }
    g_array_append_val(self->filters, filter);
    return TRUE;
}

/* [SP "IN" SP "(" source-mbox ")"]; scope options have been provided for and none is
 * defined. "selected" if there is nothing else (RFC 7377 §2.2). */
static gboolean
take_sources(HpImapArgs *args, Many *self)
{
    HpImapFilter selected = { HP_FILTER_SELECTED, NULL };
    HpImapArgs ahead = *args;

    if (!hp_imap_skip(&ahead, ' ') || !hp_imap_skip_word(&ahead, "IN")) {
        g_array_append_val(self->filters, selected);
        return TRUE;
    }
    *args = ahead;
    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (!take_filter(args, self))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

static gboolean
names_selected(const Many *self)
{
    for (guint i = 0; i < self->filters->len; i++)
        if (g_array_index(self->filters, HpImapFilter, i).kind == HP_FILTER_SELECTED)
            return TRUE;
    return FALSE;
}

static gboolean
names_others(const Many *self)
{
    for (guint i = 0; i < self->filters->len; i++)
        if (g_array_index(self->filters, HpImapFilter, i).kind != HP_FILTER_SELECTED)
            return TRUE;
    return FALSE;
}

static gboolean
saves(const Many *self)
{
    return (self->answer.options.options & HP_SEARCH_RETURN_SAVE) != 0;
}

/* esearch = "ESEARCH" [SP source-opts] [SP return-opts] SP search-program; up to the
 * program. */
static gboolean
take_frame(HpImapArgs *args, Many *self)
{
    if (!take_sources(args, self))
        return FALSE;
    if (names_selected(self) && self->s->view == NULL)
        return hp_imap_want(args, _("other mailboxes than the selected one: none is"));
    if (!hp_search_take_options(args, &self->answer.options))
        return FALSE;
    if (saves(self) && names_others(self))
        return hp_imap_want(args, _("the selected mailbox alone, for SAVE"));
    self->answer.options.given = TRUE;
    return hp_imap_take_space(args);
}

/* --- sources -------------------------------------------------------------------------
 */

static gboolean
is_source(const Many *self, const HpStoreMailbox *mailbox)
{
    HpView *view = self->s->view;

    for (guint i = 0; i < self->filters->len; i++) {
        const HpImapFilter *filter = &g_array_index(self->filters, HpImapFilter, i);

        if (filter->kind == HP_FILTER_SELECTED
                ? view != NULL && hp_view_mailbox(view) == mailbox->id
                : hp_imap_filter_matches(filter, mailbox->name, mailbox->subscribed))
            return TRUE;
    }
    return FALSE;
}

/* Each once. %FALSE: it is answered. */
static gboolean
find_sources(Many *self)
{
    g_autoptr(GError) error = NULL;

    self->mailboxes = hp_store_list(self->s->options->store, &error);
    self->sources = g_ptr_array_new();
    if (self->mailboxes == NULL) {
        hp_imap_fail(self->s, error);
        return FALSE;
    }
    for (guint i = 0; i < self->mailboxes->len; i++) {
        HpStoreMailbox *mailbox = g_ptr_array_index(self->mailboxes, i);

        if (!is_source(self, mailbox))
            continue;
        g_ptr_array_add(self->sources, mailbox);
        self->goal += mailbox->messages;
    }
    if (self->sources->len <= MAX_MAILBOXES)
        return TRUE;
    hp_imap_no(self->s, "LIMIT",
               _("These are too many mailboxes for one search. Search fewer at once."));
    return FALSE;
}

/* --- searching -----------------------------------------------------------------------
 */

/* %FALSE: it is answered, or the session has ended. */
static gboolean
search_view(Many *self, HpView *view, const HpStoreMailbox *mailbox)
{
    HpImapArgs args = self->program;
    HpSearchScope scope = hp_search_scope(self->s, view);
    HpSearchSource source = { view, self->done, 0 };
    HpSearchAnswer answer = self->answer;
    g_autoptr(HpSearchProgram) program = NULL;
    g_autoptr(GArray) seqs = NULL;
    gboolean bad_charset;

    program = hp_search_program_parse(&args, NULL, &scope, &bad_charset);
    g_assert(program != NULL); /* it was read before */
    self->done += mailbox->messages;
    source.after = self->goal - self->done;
    seqs = hp_search_find(self->s, &source, program);
    if (seqs == NULL)
        return FALSE;
    answer.has_modseq = program->has_modseq;
    answer.view = view;
    answer.mailbox = mailbox->name;
    answer.seqs = seqs;
    hp_search_tell(self->s, &answer);
    return self->s->state != HP_IMAP_ENDED;
}

static gboolean
search_mailbox(Many *self, const HpStoreMailbox *mailbox)
{
    HpImapSession *s = self->s;
    g_autoptr(GError) error = NULL;
    g_autoptr(HpView) view = NULL;

    if (s->view != NULL && hp_view_mailbox(s->view) == mailbox->id)
        return search_view(self, s->view, mailbox);
    view = hp_view_open(s->options->store, mailbox->id, NULL, &error);
    if (view != NULL)
        return search_view(self, view, mailbox);
    if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND))
        return TRUE; /* deleted meanwhile */
    hp_imap_fail(s, error);
    return FALSE;
}

static gboolean
search_all(Many *self)
{
    if (!find_sources(self))
        return FALSE;
    for (guint i = 0; i < self->sources->len; i++)
        if (!search_mailbox(self, g_ptr_array_index(self->sources, i)))
            return FALSE;
    return TRUE;
}

/* Numbers of messages in what is searched for hold during it, as in SEARCH; those that
 * are told are uids always. "UID ESEARCH", which RFC 7377 §2 has in an example and not in
 * its grammar, is the same. */
gboolean
hp_imap_cmd_esearch(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Many) self = { .s = s, .answer = { .name = "SEARCH", .uid = TRUE } };
    g_autoptr(HpSearchProgram) program = NULL;

    self.filters = g_array_new(FALSE, FALSE, sizeof(HpImapFilter));
    g_array_set_clear_func(self.filters, clear_filter);
    if (!take_frame(args, &self))
        return FALSE;
    self.program = *args;
    if (!hp_search_take_program(s, args, NULL, saves(&self), &program))
        return FALSE;
    if (program == NULL)
        return TRUE;
    if (search_all(&self))
        hp_imap_ok(s, NULL, _("That is all."));
    else if (saves(&self))
        hp_search_forget_saved(s);
    return TRUE;
}
