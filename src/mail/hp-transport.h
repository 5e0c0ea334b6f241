/* hp-transport: how the queue has messages carried to a destination, and what it learns.
 *
 * The queue starts one call of carry() on a delivery thread for each destination. The
 * transport asks for messages one after the other (all that are due for the destination,
 * over one connection) and reports on each at once.
 *
 * Threads: a carry and everything in it belong to its delivery thread.
 */
#pragma once

#include "hp-envelope.h"
#include "hp-slice.h"

/**
 * HpOutcome: what became of one recipient in one attempt
 * @HP_OUTCOME_DELIVERED: 2xx after the final dot
 * @HP_OUTCOME_REFUSED: for good: 5xx, null MX, no such domain, lacking capability
 * @HP_OUTCOME_DEFERRED: not now: 4xx, or a server that misbehaves; a real attempt
 * @HP_OUTCOME_NETWORK: the fault of a line that is known to be bad, or a road that is
 *    closed (5xx greeting); no attempt is counted
 * @HP_OUTCOME_UNCERTAIN: the final dot was begun and no reply came
 * @HP_OUTCOME_UNTRIED: nothing was tried (aborted before it was this one's turn)
 */
typedef enum {
    HP_OUTCOME_UNTRIED,
    HP_OUTCOME_DELIVERED,
    HP_OUTCOME_REFUSED,
    HP_OUTCOME_DEFERRED,
    HP_OUTCOME_NETWORK,
    HP_OUTCOME_UNCERTAIN,
} HpOutcome;

/* Where in the dialogue it was decided; part of the story and of the explanation. */
typedef enum {
    HP_STAGE_DNS,
    HP_STAGE_CONNECT,
    HP_STAGE_GREETING,
    HP_STAGE_EHLO,
    HP_STAGE_STARTTLS,
    HP_STAGE_MAIL,
    HP_STAGE_RCPT,
    HP_STAGE_DATA,
    HP_STAGE_DOT,
    HP_STAGE_LOCAL, /* decided here, nobody was asked */
} HpStage;

/* A reply, of a server (code from the wire) or our own words for what happened. */
typedef struct {
    HpStage stage;
    guint code;        /* 200–599; of our own making if @host is %NULL */
    char enhanced[12]; /* "5.1.1", or "" if the server gave none */
    char *text;        /* (owned): printable UTF-8, lines joined by a space, without the
                          codes, ≤ 1,000 characters */
    char *host;        /* (owned) (nullable): MX that said it */
} HpReply;

void hp_reply_clear(HpReply *self);

typedef struct {
    gint64 key;                   /* the queue's own handle */
    char *address;                /* (owned) */
    char *orcpt;                  /* (owned) (nullable) */
    guint notify;                 /* HpNotify bits */
    HpOutcome outcome;            /* set by the transport */
    HpReply reply;                /* set by the transport with it */
    gboolean relayed_without_dsn; /* delivered, but the peer does not do DSN: a "relayed"
                                     report is ours to write (RFC 3461 §5.2.2 b) */
} HpCarryRecipient;

/* Reads the message's bytes: fills @buffer from @offset, returns the number of bytes (0
 * at the end) or -1 with @error set. */
typedef gssize (*HpCarryRead)(gpointer content, guint64 offset, char *buffer, size_t size,
                              GError **error);

typedef struct {
    char *id;     /* (owned): message id, for logs */
    char *sender; /* (owned): "" for the null path */
    HpRet ret;
    char *envid;           /* (owned) (nullable) */
    gboolean smtputf8;     /* addresses or headers need SMTPUTF8 */
    gboolean eight_bit;    /* content has bytes ≥ 128 */
    guint64 size;          /* octets */
    gboolean may_go_plain; /* has waited long enough (5 min) that a failed TLS handshake
                              may be followed by plain text */
    GPtrArray *recipients; /* (owned): HpCarryRecipient */
    gpointer content;      /* (unowned): for @read */
    HpCarryRead read;
} HpCarryMessage;

/* What is known of a destination from before, and learned anew. */
typedef struct {
    gboolean seen_tls;     /* never go below TLS silently */
    gboolean seen_trusted; /* never go below a trusted certificate silently */
    gboolean refused_ipv4; /* a policy refused this family lately: the other one first */
    gboolean refused_ipv6;
} HpRouteMemory;

/* One line of a message's story, in the order of events. */
typedef enum {
    HP_EVENT_LOOKED_UP, /* text: "mx1.example.org, mx2.example.org" */
    HP_EVENT_CONNECTED, /* host, text: "192.0.2.7" */
    HP_EVENT_SECURED,   /* host, text: "TLS1.3, trusted" or the problem */
    HP_EVENT_SAID,      /* host, text: "550 5.1.1 no such user", stage in @stage */
    HP_EVENT_FAILED,    /* host, text: what went wrong, one sentence */
} HpEventKind;

typedef struct {
    HpEventKind kind;
    HpStage stage;
    const char *host;      /* (unowned) (nullable) */
    const char *text;      /* (unowned) */
    const char *recipient; /* (unowned) (nullable): whom alone it is about */
} HpEvent;

/* Evidence about the line, for net's link state; passed through by the queue. */
typedef struct _HpCarry HpCarry;
struct _HpCarry {
    const char *destination; /* (unowned): domain (U- or A-labels) or "[literal]" */
    HpRouteMemory memory;    /* in and out; saved by the queue at settle() */
    int abort_fd;            /* becomes readable when all must end */
    gpointer owner;          /* (unowned): the queue's, for the calls below */

    /* The next message that is due for this destination, its attempt already committed;
     * %NULL when there is none. Good until settle(). The first one is asked for before
     * connecting. */
    HpCarryMessage *(*next)(HpCarry *self);

    /* The final dot is about to be sent for the current message: from now on it may have
     * arrived. %FALSE: the user has just cancelled or held it. Then the dot must not be
     * sent: close the connection and settle it as %HP_OUTCOME_UNTRIED. */
    gboolean (*dot_begins)(HpCarry *self);

    /* Adds a line to the story of the current message (copied). */
    void (*tell)(HpCarry *self, const HpEvent *event);

    /* Every recipient of the current message has its outcome: it is committed before this
     * returns. The message is gone afterwards. */
    void (*settle)(HpCarry *self, HpCarryMessage *message);
};

typedef struct {
    gpointer self; /* (unowned) */
    /* Carries what is due for a destination; returns when next() gave %NULL, or when the
     * destination cannot be reached and the current message has been settled so. */
    void (*carry)(gpointer self, HpCarry *carry);
} HpTransport;
