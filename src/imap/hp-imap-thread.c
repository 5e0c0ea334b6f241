/* THREAD (RFC 5256). */
#include "hp-imap-search.h"
#include "hp-imap-thread-tree.h"

#include <glib/gi18n.h>

typedef void (*Algorithm)(HpThreads *threads, GString *out);

/* thread-alg; %NULL if it is none of those that are announced. */
static Algorithm
take_algorithm(HpImapArgs *args)
{
    if (hp_imap_skip_word(args, "REFERENCES"))
        return hp_threads_by_references;
    if (hp_imap_skip_word(args, "ORDEREDSUBJECT"))
        return hp_threads_by_subject;
    hp_imap_want(args, _("REFERENCES or ORDEREDSUBJECT"));
    return NULL;
}

typedef struct {
    HpImapSession *s;   /* (unowned) */
    HpThreads *threads; /* (unowned) */
    gboolean uid;
} Adding;

static void
add_message(guint32 seq, const HpViewEntry *entry, const HpSummary *summary,
            gpointer data)
{
    const Adding *adding = data;
    HpThreadMessage message = {
        .number = hp_search_number(adding->s, seq, adding->uid),
        .sent_usec = entry->internal_usec, /* §2.2: if nothing else is known */
        .message_id = "",
        .references = "",
        .subject = "",
    };
    gint64 sec, day;

    if (summary != NULL) {
        if (hp_summary_sent(summary, &sec, &day))
            message.sent_usec = sec * G_USEC_PER_SEC;
        message.message_id = hp_summary_message_id(summary);
        message.references = hp_summary_references(summary);
        message.subject = hp_summary_base_subject(summary);
        message.is_reply = hp_summary_is_reply(summary);
    }
    hp_threads_add(adding->threads, &message);
}

static void
answer(HpImapSession *s, HpThreads *threads, Algorithm algorithm)
{
    g_autoptr(GString) line = g_string_new("* THREAD");
    size_t empty = line->len;

    g_string_append_c(line, ' ');
    algorithm(threads, line);
    if (line->len == empty + 1)
        g_string_truncate(line, empty);
    g_string_append(line, "\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
    hp_imap_ok(s, NULL, _("That is all."));
}

gboolean
hp_imap_cmd_thread(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(HpThreads) threads = hp_threads_new();
    g_autoptr(HpSearchProgram) program = NULL;
    g_autoptr(GArray) found = NULL;
    g_autofree char *charset = NULL;
    Adding adding = { s, threads, uid };
    HpSearchFacts facts = { .with_summary = TRUE, .each = add_message, .data = &adding };
    Algorithm algorithm = hp_imap_take_space(args) ? take_algorithm(args) : NULL;

    if (algorithm == NULL || !hp_imap_take_space(args) ||
        !hp_imap_take_astring(args, &charset) || !hp_imap_take_space(args) ||
        !hp_search_take_program(s, args, charset, FALSE, &program))
        return FALSE;
    if (program == NULL)
        return TRUE;
    found = hp_search_find(s, &(HpSearchSource){ .view = s->view }, program);
    facts.seqs = found;
    if (found != NULL && hp_search_each(s, &facts))
        answer(s, threads, algorithm);
    return TRUE;
}
