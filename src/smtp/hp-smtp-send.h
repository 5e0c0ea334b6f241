/* hp-smtp-send: one message over an open connection: MAIL, RCPT, DATA and what becomes of
 * each recipient (RFC 5321 §3.3, 2920, 1870, 6152, 6531, 3461).
 *
 * Threads: that of the delivery.
 */
#pragma once

#include "hp-smtp-client.h"

/**
 * hp_smtp_send:
 * @client: after hp_smtp_client_hello()
 * @carry: told of every refusal, of the dot, and of the final reply
 * @message: recipients with another outcome than %HP_OUTCOME_UNTRIED are left out
 *
 * Sends in one transaction, or in several where the server takes no more recipients at
 * once (452 and 552 to a later RCPT, RFC 5321 §4.5.3.1.10). Where the server does
 * PIPELINING the whole envelope is one write. Bytes of 128 and more are converted where
 * it lacks 8BITMIME. What needs SMTPUTF8 is refused (5.6.7) where it lacks that: a local
 * part or a header beyond ASCII does, whatever the client asked for (RFC 6531 §3.4). A
 * domain does not, because it goes in A-labels.
 *
 * Returns: GO if the connection is good for the next message. In all other cases it must
 *    be closed; recipients about whom nothing was said are still UNTRIED then, and
 *    hp_smtp_client_last() says why.
 */
HpSmtpResult hp_smtp_send(HpSmtpClient *client, HpCarry *carry, HpCarryMessage *message);

/* "550 5.1.1 no such user": a reply as one line, for a message's story. */
char *hp_smtp_reply_line(const HpReply *reply);

/* Copies @from into the cleared @to. */
void hp_smtp_reply_copy(const HpReply *from, HpReply *to);
