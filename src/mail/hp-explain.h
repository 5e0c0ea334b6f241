/* hp-explain: the catalogue of explanations: what a server's reply means, on whose side
 * the cause is, and what to do. The rows are in data/explanations.ini, in our own words.
 *
 * Threads: any; immutable once loaded.
 */
#pragma once

#include "hp-transport.h"

typedef struct _HpExplain HpExplain;

/* Rows for what is decided here without a server: hp_explain_by_id(). */
#define HP_EXPLAIN_NULL_MX       "null-mx"
#define HP_EXPLAIN_NO_DOMAIN     "no-such-domain"
#define HP_EXPLAIN_EXPIRED       "expired"
#define HP_EXPLAIN_LOOP          "loop"
#define HP_EXPLAIN_PRIVATE_MX    "private-mx"
#define HP_EXPLAIN_NO_25         "no-25"
#define HP_EXPLAIN_CAPTIVE       "captive"
#define HP_EXPLAIN_NO_UTF8       "no-smtputf8"
#define HP_EXPLAIN_NO_EIGHT_BIT  "no-8bit"
#define HP_EXPLAIN_TOO_LARGE     "too-large"
#define HP_EXPLAIN_HELD_TOO_LONG "held-too-long"
#define HP_EXPLAIN_NO_CONNECTION "no-connection"
#define HP_EXPLAIN_UNCERTAIN     "uncertain"
#define HP_EXPLAIN_DNS_TROUBLE   "dns-trouble"
#define HP_EXPLAIN_OFFLINE       "offline"
#define HP_EXPLAIN_NO_DNS        "no-dns"
#define HP_EXPLAIN_NO_SERVER     "no-mail-server"
#define HP_EXPLAIN_NO_ROUTE      "no-route"
#define HP_EXPLAIN_UNREADABLE    "unreadable"
#define HP_EXPLAIN_AT_HOME       "at-home"
#define HP_EXPLAIN_HELD          "held"
#define HP_EXPLAIN_CANCELLED     "cancelled"
#define HP_EXPLAIN_PAUSED        "paused"
#define HP_EXPLAIN_NOT_TRIED     "not-tried"
#define HP_EXPLAIN_UNDER_WAY     "under-way"

/* All strings belong to the catalogue and are never %NULL. */
typedef struct {
    const char *id;        /* (unowned): name of the row */
    const char *meaning;   /* (unowned): one or two sentences */
    const char *side;      /* (unowned): "recipient", "recipient-provider", "you",
                              "your-provider", "network" or "nobody" */
    const char *side_text; /* (unowned): the same for people, a sentence */
    const char *advice;    /* (unowned): what to do, one or two sentences */
    const char *class_; /* (unowned): "ip-dynamic", "ip-listed", "no-ptr", "auth", "rate",
                           "reputation", "helo", "tls", "content", "greylist",
                           "needs-relay", "domain-listed", "policy", "address",
                           "mailbox", "system", "protocol", "network", "local" or
                           "other" */
    const char *action; /* (unowned): "relay", "fix", "wait", "stop", "user" or "none" */
} HpExplanation;

/* Reads the catalogue from memory. @error: #GKeyFileError, or #G_IO_ERROR_INVALID_DATA
 * that names the row. */
HpExplain *hp_explain_new(HpSlice ini, GError **error);
HpExplain *hp_explain_load(const char *path, GError **error);
void hp_explain_free(HpExplain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpExplain, hp_explain_free)

/**
 * hp_explain:
 * @code: reply code, 0 if unknown
 * @enhanced: (nullable): "5.1.1" or ""
 * @text: (nullable): the server's words
 * @language: "de", "de_DE.UTF-8", …; English where the catalogue has nothing else
 *
 * Finds the row that fits best: a phrase in the text, then the enhanced code, then the
 * reply code, then the class. Of several phrases the longest wins; those of a vague row
 * ("try again later") lose against all others. Success has a row of its own.
 *
 * Returns: always an explanation
 */
HpExplanation hp_explain(const HpExplain *self, guint code, const char *enhanced,
                         const char *text, const char *language);

/**
 * hp_explain_reply:
 * @reply: of a server, or our own words for what happened (its host is %NULL)
 *
 * As hp_explain() for what a server said. Our own words are never searched for phrases,
 * which are those of servers: what was decided here has a row of its own, found by stage
 * and enhanced code; otherwise the codes alone count.
 *
 * Returns: always an explanation
 */
HpExplanation hp_explain_reply(const HpExplain *self, const HpReply *reply,
                               const char *language);

/* The row of that name; the general one if there is none. */
HpExplanation hp_explain_by_id(const HpExplain *self, const char *id,
                               const char *language);

/* The names of all rows in their order, %NULL at the end. (transfer full) */
char **hp_explain_ids(const HpExplain *self);
