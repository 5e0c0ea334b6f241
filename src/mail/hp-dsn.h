/* hp-dsn: reports on what became of a message (RFC 3461, RFC 3464, RFC 6522; RFC 6533
 * where addresses are UTF-8), as a person wants to read them: first a sentence, whose
 * side it is, what to do and the server's own words, then the part for machines, then the
 * message.
 *
 * Threads: any; pure functions. Texts are in the language of the process (gettext).
 */
#pragma once

#include "hp-envelope.h"
#include "hp-explain.h"
#include "hp-transport.h"

/* Action of RFC 3464 §2.3.3. */
typedef enum {
    HP_DSN_FAILED,
    HP_DSN_DELAYED,
    HP_DSN_DELIVERED, /* into the INBOX, or the peer took over the duty to report */
    HP_DSN_RELAYED,   /* to a peer that does not do DSN */
} HpDsnAction;

typedef struct {
    const char *address; /* (unowned) */
    const char *orcpt;   /* (unowned) (nullable): "rfc822;…" */
    HpDsnAction action;
    const HpReply *reply; /* (unowned) (nullable): the last word */
    const char *reason;   /* (unowned) (nullable): HP_EXPLAIN_… row; %NULL: by reply */
    gint64 last_attempt_usec; /* wall; 0: none was made */
    gint64 retry_until_usec;  /* wall; 0: no more */
} HpDsnRecipient;

typedef struct {
    const HpExplain *explain; /* (unowned) (nullable): without it, only the facts */
    const char *language;     /* (unowned): for the catalogue, "de" */
    const char *hostname;     /* (unowned): Reporting-MTA and the right side of From */
    const char *user_address; /* (unowned) */
    const char *user_name;    /* (unowned) (nullable) */
    const char *id;           /* (unowned): the message's id, as the tools print it */
    const char *envid;        /* (unowned) (nullable) */
    const char *subject;      /* (unowned) (nullable): of the message, printable */
    const char *message_id;   /* (unowned) (nullable): of the message */
    gint64 arrival_usec;      /* wall */
    gint64 now_usec;          /* wall */
    const HpDsnRecipient *recipients; /* (unowned): all of one @action */
    guint n_recipients;               /* at least 1 */
} HpDsnInfo;

/* Whether the message comes back whole: RET=FULL, or RET unset and a failure (nobody
 * shall lose a text); never with a delay or a success, whose original is still there. */
gboolean hp_dsn_wants_full(HpDsnAction action, HpRet ret);

/**
 * hp_dsn_write:
 * @headers: the header of the original message; what follows its empty line is ignored
 * @full: the whole original will be put between @head and @tail
 * @head: (out caller-allocates): the report up to where the original begins
 * @tail: (out caller-allocates): what follows the original
 *
 * The report is @head, the original (only if @full; byte for byte, CRLF lines), @tail.
 * The boundary is random. Nothing in @info can add a field or a line: all values go
 * through one encoder.
 */
void hp_dsn_write(const HpDsnInfo *info, HpSlice headers, gboolean full, GString *head,
                  GString *tail);
