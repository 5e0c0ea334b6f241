/* hp-imap-search: the parts that SEARCH, SORT and THREAD share: return options (RFC 4731,
 * RFC 5182, RFC 5267, RFC 9394), finding, what is known of what was found, and the
 * answer.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-imap-partial.h"
#include "hp-imap-search-program.h"
#include "hp-imap-session-private.h"

typedef enum {
    HP_SEARCH_RETURN_MIN = 1 << 0,
    HP_SEARCH_RETURN_MAX = 1 << 1,
    HP_SEARCH_RETURN_COUNT = 1 << 2,
    HP_SEARCH_RETURN_ALL = 1 << 3,
    HP_SEARCH_RETURN_SAVE = 1 << 4,
    HP_SEARCH_RETURN_PARTIAL = 1 << 5,
} HpSearchReturn;

typedef struct {
    gboolean given; /* RETURN stood there, perhaps with nothing in it */
    guint options;  /* HpSearchReturn bits */
    HpImapPartial partial;
} HpSearchOptions;

/* [SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"] */
gboolean hp_search_take_options(HpImapArgs *args, HpSearchOptions *ret_options);

/* What "*" and "$" mean in @view (nullable): "$" is of the selected mailbox alone. */
HpSearchScope hp_search_scope(HpImapSession *s, HpView *view);

/**
 * hp_search_take_program:
 * @charset: (nullable): that stood before the program
 * @saves: the command has said SAVE: what was saved is forgotten if it fails
 * @ret_program: (out) (transfer full) (nullable): %NULL if it was answered with NO
 *
 * Reads a program to the end of the command.
 *
 * Returns: %FALSE if @args are wrong
 */
gboolean hp_search_take_program(HpImapSession *s, HpImapArgs *args, const char *charset,
                                gboolean saves, HpSearchProgram **ret_program);

/* What is searched, and how far a command has come that searches several. */
typedef struct {
    HpView *view;   /* (unowned) */
    guint64 before; /* messages that the command has looked at already ... */
    guint64 after;  /* ... and that it will look at afterwards */
} HpSearchSource;

/* (transfer full) (nullable) (element-type guint32): seqs that match, ascending; %NULL if
 * it failed: it was answered, or the session has ended. */
GArray *hp_search_find(HpImapSession *s, const HpSearchSource *source,
                       const HpSearchProgram *program);

/* @summary: (nullable): of a content that cannot be read, and without @with_summary. */
typedef void (*HpSearchEach)(guint32 seq, const HpViewEntry *entry,
                             const HpSummary *summary, gpointer data);
typedef struct {
    const GArray *seqs;    /* (unowned): guint32 */
    gboolean with_summary; /* else only entries */
    HpSearchEach each;
    gpointer data; /* (unowned): for @each */
} HpSearchFacts;
/* Calls for each message in the order of @seqs; those that are expunged meanwhile are
 * left out. %FALSE if it failed: it was answered, or the session has ended. */
gboolean hp_search_each(HpImapSession *s, const HpSearchFacts *facts);

typedef struct {
    const char *name; /* (unowned): "SEARCH" or "SORT" */
    HpView *view;     /* (unowned): that was searched */
    /* (unowned) (nullable): its name, if the answer tells it; then what has not been
     * found is not told (RFC 7377 §2.1). */
    const char *mailbox;
    HpSearchOptions options;
    gboolean uid;
    gboolean has_modseq;
    const GArray *seqs; /* (unowned): guint32, in the order of the answer */
} HpSearchAnswer;
/* Tells what was found, and saves what SAVE says. */
void hp_search_tell(HpImapSession *s, const HpSearchAnswer *answer);
/* The same, and ends the command. */
void hp_search_answer(HpImapSession *s, const HpSearchAnswer *answer);

/* The number that is answered for @seq. */
guint32 hp_search_number(HpImapSession *s, guint32 seq, gboolean uid);

/* After a failure: what SAVE had saved is empty (RFC 5182 §2.1). */
void hp_search_forget_saved(HpImapSession *s);
