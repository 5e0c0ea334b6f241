/* hp-sendmail-message: what a program wrote on sendmail's standard input, as SMTP wants
 * it.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

/* Octets that are read: more cannot be sent anyway. */
#define HP_SENDMAIL_MAX_MESSAGE 536870912

typedef struct {
    GString *bytes;    /* (owned): lines end with CRLF, the last one too */
    GString *line;     /* (owned): the one that is being read */
    gboolean dot_ends; /* a line with a dot alone ends the message (without -i) */
    gboolean ended;
    gboolean after_cr; /* the last byte was a CR: an LF now belongs to it */
} HpSendmailMessage;

HpSendmailMessage *hp_sendmail_message_new(gboolean dot_ends);
void hp_sendmail_message_free(HpSendmailMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSendmailMessage, hp_sendmail_message_free)

/* Adds bytes as they come: LF, CRLF and CR end a line (the output of programs is full of
 * CRs), NULs are left out, for mail has none (RFC 5321 §2.3.8, §4.1.1.4). %FALSE once the
 * message has ended or is larger than %HP_SENDMAIL_MAX_MESSAGE. */
gboolean hp_sendmail_message_add(HpSendmailMessage *self, HpSlice bytes);

/* No more comes: ends the last line. */
void hp_sendmail_message_finish(HpSendmailMessage *self);

/**
 * hp_sendmail_message_recipients:
 * @ret_wrong: (out) (transfer full) (nullable): what stands in such a field and is meant
 *   as an address, but is none
 *
 * The addresses of To, Cc and Bcc; where there are Resent- forms of them, of those only
 * (RFC 5322 §3.6.6).
 *
 * Returns: (transfer full) (element-type HpAddress)
 */
GPtrArray *hp_sendmail_message_recipients(const HpSendmailMessage *self,
                                          char **ret_wrong);

/* Puts a From field on top if there is none. @name: UTF-8; @address: where the server is
 * to complete it, a name without a domain. */
void hp_sendmail_message_add_from(HpSendmailMessage *self, const char *name,
                                  const char *address);

/* The block for DATA with stuffed dots (RFC 5321 §4.5.2) and the line that ends it. */
GString *hp_sendmail_message_write(const HpSendmailMessage *self);
