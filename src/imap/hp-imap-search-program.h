/* hp-imap-search-program: what a SEARCH asks for, as a bounded tree: the keys of RFC 3501
 * §6.4.4 and RFC 9051 §6.4.4, WITHIN (5032), MODSEQ (7162), OBJECTID (8474), SAVEDATE
 * (8514) and "$" (5182).
 *
 * Threads: any; a program is immutable once it is parsed.
 */
#pragma once

#include "hp-imap-set.h"

#define HP_SEARCH_MAX_KEYS   1000 /* of a program */
#define HP_SEARCH_MAX_DEPTH  100  /* keys inside each other */
#define HP_SEARCH_MAX_NEEDLE 4096 /* octets of a text that is searched for */

typedef enum {
    /* Those above others: at least one key for AND and OR, one for NOT. */
    HP_SEARCH_AND,
    HP_SEARCH_OR,
    HP_SEARCH_NOT,
    /* Those that look at the entry. */
    HP_SEARCH_ALL,
    HP_SEARCH_SEQ,     /* @ranges */
    HP_SEARCH_UID,     /* @ranges */
    HP_SEARCH_FLAG,    /* @number: HpStoreFlag */
    HP_SEARCH_KEYWORD, /* @name */
    HP_SEARCH_LARGER,
    HP_SEARCH_SMALLER,
    HP_SEARCH_BEFORE, /* @number: day since 1970, of the internal date */
    HP_SEARCH_ON,
    HP_SEARCH_SINCE,
    HP_SEARCH_OLDER, /* @number: seconds */
    HP_SEARCH_YOUNGER,
    HP_SEARCH_MODSEQ,
    /* Those that look at HpStoreDetails. */
    HP_SEARCH_SAVED_BEFORE,
    HP_SEARCH_SAVED_ON,
    HP_SEARCH_SAVED_SINCE,
    HP_SEARCH_EMAIL_ID, /* @name */
    HP_SEARCH_THREAD_ID,
    /* Those that look at the header. */
    HP_SEARCH_SENT_BEFORE,
    HP_SEARCH_SENT_ON,
    HP_SEARCH_SENT_SINCE,
    HP_SEARCH_HEADER, /* @name, @needle; an empty one asks whether the field is there */
    HP_SEARCH_TEXT,   /* @needle; looks at the content too */
    /* Those that look at the content. */
    HP_SEARCH_BODY, /* @needle */
} HpSearchKind;

typedef struct {
    HpSearchKind kind;
    gboolean inverted; /* the opposite: UNSEEN */
    guint parent;      /* index of the key it is in; smaller than its own */
    guint64 number;
    char *name;     /* (owned) (nullable) */
    char *needle;   /* (owned) (nullable): prepared by hp-casemap */
    GArray *ranges; /* (owned) (nullable): HpImapRange, sorted */
} HpSearchKey;

typedef struct {
    GArray *keys;         /* (owned): HpSearchKey; [0] is an AND over the whole */
    gboolean has_modseq;  /* MODSEQ is one of them: it is told with the result */
    gboolean bad_charset; /* why parsing failed: not BAD, but NO with BADCHARSET */
} HpSearchProgram;

/* What the words of a program are about. */
typedef struct {
    guint32 last_seq; /* "*"; 0 if there is no message */
    guint32 last_uid;
    const GArray *saved; /* (unowned) (nullable): guint32, ascending uids: "$" */
    gboolean uid_only;   /* sets of message numbers are wrong (RFC 9586) */
} HpSearchScope;

/**
 * hp_search_program_parse:
 * @args: at the first key, or at "CHARSET" if @charset is %NULL
 * @charset: (nullable): that of the texts, when it stood before (SORT, THREAD)
 *
 * Reads [“CHARSET” SP charset SP] search-key *(SP search-key), to the end. Texts are
 * UTF-8 if nothing else is said.
 *
 * Returns: (transfer full) (nullable): %NULL if @args are wrong, or with @ret_bad_charset
 *    set if the set is unknown or a text is not in it
 */
HpSearchProgram *hp_search_program_parse(HpImapArgs *args, const char *charset,
                                         const HpSearchScope *scope,
                                         gboolean *ret_bad_charset);
void hp_search_program_free(HpSearchProgram *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSearchProgram, hp_search_program_free)

/* (transfer none) */
const HpSearchKey *hp_search_program_key(const HpSearchProgram *self, guint index);
