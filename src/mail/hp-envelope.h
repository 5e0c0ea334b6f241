/* hp-envelope: who sends a message to whom, with what SMTP adds (RFC 5321, 3461, 6531).
 *
 * Threads: plain values; one owner.
 */
#pragma once

#include <glib.h>

/* NOTIFY of RFC 3461 §4.1, as bits; 0 is "not given". */
typedef enum {
    HP_NOTIFY_NEVER = 1 << 0,
    HP_NOTIFY_SUCCESS = 1 << 1,
    HP_NOTIFY_FAILURE = 1 << 2,
    HP_NOTIFY_DELAY = 1 << 3,
} HpNotify;

/* RET of RFC 3461 §4.3. */
typedef enum {
    HP_RET_UNSET,
    HP_RET_FULL,
    HP_RET_HDRS,
} HpRet;

typedef struct {
    char *address;  /* (owned): hp_address_write() form, qualified */
    gboolean local; /* goes into the user's own INBOX */
    char *orcpt;    /* (owned) (nullable): "rfc822;…" as given, decoded xtext */
    guint notify;   /* HpNotify bits */
} HpEnvelopeRecipient;

typedef struct {
    char *sender;          /* (owned): "" for the null path */
    GPtrArray *recipients; /* (owned): HpEnvelopeRecipient */
    HpRet ret;
    char *envid;             /* (owned) (nullable): decoded xtext */
    gboolean smtputf8;       /* the SMTPUTF8 parameter was given */
    gboolean eight_bit_mime; /* BODY=8BITMIME was given */
    char *client;            /* (owned): name of the password or "sendmail" */
    char *subject;           /* (owned) (nullable): decoded, printable, for lists */
    char *message_id;        /* (owned) (nullable): with its angle brackets */
    gboolean eight_bit;      /* the content has bytes ≥ 128 */
    guint32 hops;            /* Received fields at arrival */
} HpEnvelope;

HpEnvelope *hp_envelope_new(void);
void hp_envelope_free(HpEnvelope *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpEnvelope, hp_envelope_free)

/* Appends a recipient that owns copies of the strings; returns it for further fields. */
HpEnvelopeRecipient *hp_envelope_add(HpEnvelope *self, const char *address);
