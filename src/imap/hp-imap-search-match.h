/* hp-imap-search-match: does a message match a program? Asked in rounds, what is cheap to
 * know first: the entry, what the database knows, the header, the content. After each
 * round the tree is settled as far as it can be (Kleene's three values), so that nothing
 * is opened that cannot change the answer.
 *
 * It knows nothing of how messages are found that may match.
 *
 * Threads: any; the values of a message have one owner.
 */
#pragma once

#include "hp-imap-search-program.h"
#include "hp-store-messages.h"
#include "hp-transport.h"

/* Object ids (RFC 8474) as they are written and searched for. */
#define HP_IMAP_EMAIL_ID  "M%" G_GINT64_FORMAT
#define HP_IMAP_THREAD_ID "T%" G_GINT64_FORMAT

typedef enum { HP_SEARCH_FALSE, HP_SEARCH_UNKNOWN, HP_SEARCH_TRUE } HpSearchVerdict;

/* What was found out about one message so far: keys->len bytes of the caller's. */
typedef struct {
    const HpSearchProgram *program; /* (unowned) */
    guint8 *values;                 /* (unowned) */
} HpSearchMatch;

/* The rounds, in their order. */
typedef enum {
    HP_SEARCH_ENTRY,
    HP_SEARCH_DETAILS,
    HP_SEARCH_HEADERS,
    HP_SEARCH_CONTENT,
} HpSearchRound;

/* The first round; starts anew. */
typedef struct {
    guint32 seq;
    HpViewEntry entry;
    const char *keywords; /* (unowned) */
    gint64 now_usec;      /* wall clock */
} HpSearchEntry;
HpSearchVerdict hp_search_match_entry(const HpSearchMatch *self,
                                      const HpSearchEntry *entry);

/* Is there something to be asked in @round that may change the answer? */
gboolean hp_search_match_needs(const HpSearchMatch *self, HpSearchRound round);
/* The same of one kind of key. */
gboolean hp_search_match_needs_kind(const HpSearchMatch *self, HpSearchKind kind);

/* The second round. */
HpSearchVerdict hp_search_match_details(const HpSearchMatch *self,
                                        const HpStoreDetails *details);

typedef struct {
    HpSlice block;
    gboolean has_sent; /* a date that can be read */
    gint64 sent_day;   /* of it, as written: days since 1970 */
} HpSearchHeader;
/* The third round. */
HpSearchVerdict hp_search_match_header(const HpSearchMatch *self,
                                       const HpSearchHeader *header);

/* What the last round reads: a message and its parts, and whether to go on. */
typedef struct {
    HpCarryRead read;
    gpointer content; /* (unowned): for @read */
    /* %FALSE at the end, as hp_summary_nth_part() */
    gboolean (*nth_part)(gpointer data, guint index, HpSummaryPart *ret_part,
                         const char **ret_charset);
    gpointer parts; /* (unowned): for @nth_part */
    gboolean (*go_on)(gpointer data);
    gpointer go_on_data; /* (unowned): for @go_on */
} HpSearchContent;

/* The last round. What cannot be read does not match. The verdict is final, unless @go_on
 * said no. */
HpSearchVerdict hp_search_match_content(const HpSearchMatch *self,
                                        const HpSearchContent *content);

/* --- between the files of this module ------------------------------------------------
 */

/* Settles the tree, and notes which keys still matter. */
HpSearchVerdict hp_search_settle(const HpSearchMatch *self);
/* Is this key unknown, and does it matter? */
gboolean hp_search_is_open(const HpSearchMatch *self, guint index);
void hp_search_set(const HpSearchMatch *self, guint index, gboolean value);

/* Tests fields of @block against the open keys; HEADER, TEXT and BODY count as @kinds
 * says. */
typedef enum {
    HP_SEARCH_IN_HEADER = 1 << 0, /* HEADER looks at them */
    HP_SEARCH_IN_TEXT = 1 << 1,   /* TEXT does */
    HP_SEARCH_IN_BODY = 1 << 2,   /* BODY does */
} HpSearchPlace;
void hp_search_fields(const HpSearchMatch *self, HpSlice block, guint places);
