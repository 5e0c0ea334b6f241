/* hp-smtp-reply: what an SMTP server answers (RFC 5321 §4.2, RFC 2034), put together line
 * by line, with limits on all a server may say.
 *
 * Threads: one owner.
 */
#pragma once

#include "hp-slice.h"
#include "hp-status.h"

#define HP_SMTP_REPLY_LINE   2048 /* octets with CRLF; RFC 5321 §4.5.3.1.5 asks 512 */
#define HP_SMTP_REPLY_LINES  100  /* of one reply */
#define HP_SMTP_REPLY_OCTETS ((size_t)64 * 1024) /* of one reply */

typedef struct {
    guint code;                    /* 200 to 599; 0 before the first line */
    char enhanced[HP_STATUS_SIZE]; /* "5.1.1", or "" */
    GString *text;                 /* (owned) (nullable): the lines' texts, without codes,
                                      each ended by a line feed */
    guint lines;
    size_t octets;
} HpSmtpReply;

void hp_smtp_reply_clear(HpSmtpReply *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpSmtpReply, hp_smtp_reply_clear)

/**
 * HpSmtpReplyStep:
 * @HP_SMTP_REPLY_MORE: another line of the same reply follows
 * @HP_SMTP_REPLY_DONE: that was the last one
 * @HP_SMTP_REPLY_BROKEN: not SMTP, or more than a reply may hold
 */
typedef enum {
    HP_SMTP_REPLY_MORE,
    HP_SMTP_REPLY_DONE,
    HP_SMTP_REPLY_BROKEN,
} HpSmtpReplyStep;

/**
 * hp_smtp_reply_add:
 * @self: zero at first; cleared by the caller between replies
 * @line: without CRLF
 *
 * The code has three digits, 200 to 599, and is the same in every line. An enhanced code
 * counts if its class is that of the code (RFC 2034 §4); it is taken out of the text. A
 * NUL is not SMTP: who sends one cannot be believed about the rest.
 */
HpSmtpReplyStep hp_smtp_reply_add(HpSmtpReply *self, HpSlice line);

/* For people: printable, the lines joined by a space, at most 1,000 characters. */
char *hp_smtp_reply_printable(const HpSmtpReply *self);
