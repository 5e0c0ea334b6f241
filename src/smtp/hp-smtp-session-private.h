/* hp-smtp-session-private: what the files of the SMTP server share: the session, and one
 * handler for each command.
 *
 * Threads: that of the connection.
 */
#pragma once

#include "hp-envelope.h"
#include "hp-sasl.h"
#include "hp-smtp-session.h"

/* Where the conversation stands, as bits so that a command can name several. */
typedef enum {
    HP_SMTP_FRESH = 1 << 0,     /* no EHLO yet, or TLS has just begun */
    HP_SMTP_GREETED = 1 << 1,   /* not logged in */
    HP_SMTP_READY = 1 << 2,     /* logged in, no transaction */
    HP_SMTP_OPEN = 1 << 3,      /* MAIL accepted, no recipient yet */
    HP_SMTP_ADDRESSED = 1 << 4, /* at least one recipient accepted */
    HP_SMTP_ENDED = 1 << 5,     /* nothing more is read */
} HpSmtpState;

typedef struct {
    HpChannel *channel;                 /* (unowned) */
    const HpSmtpServerOptions *options; /* (unowned) */
    HpSmtpCaller caller;
    HpSmtpState state;
    char *credential; /* (owned) (nullable): name of the password, "" for a socket; set
                         once logged in */

    gboolean extended; /* EHLO rather than HELO */
    guint errors;      /* commands that made no sense, since login or the last message */
    guint failures;    /* answers of 535 */
    HpAuthDelay delay;
    gint64 login_by_usec; /* monotonic */

    /* The transaction; hp_smtp_reset_transaction() ends it. */
    HpEnvelope *envelope;    /* (owned) (nullable) */
    guint64 announced;       /* octets by SIZE */
    gboolean foreign_sender; /* not an identity: may only write to local addresses */
} HpSmtpSession;

/* Sends one reply line; @enhanced may be %NULL (RFC 2034 §4: not in the greeting, nor in
 * the answer to EHLO). @text in any language; what is not ASCII is transcribed. A failure
 * to send ends the session. */
void hp_smtp_reply(HpSmtpSession *s, guint code, const char *enhanced, const char *text);
void hp_smtp_replyf(HpSmtpSession *s, guint code, const char *enhanced,
                    const char *format, ...) G_GNUC_PRINTF(4, 5);

/* The same for a command that makes no sense: counts, and ends the session when there
 * were too many. */
void hp_smtp_error(HpSmtpSession *s, guint code, const char *enhanced, const char *text);

/* Sends 421 and ends the session. */
void hp_smtp_hang_up(HpSmtpSession *s, const char *enhanced, const char *text);

/* Forgets sender, recipients and all else that MAIL began; the only place that does. */
void hp_smtp_reset_transaction(HpSmtpSession *s);

/* May a password be sent over this channel? */
gboolean hp_smtp_may_login(const HpSmtpSession *s);

/* Sets the deadline for the next command or block (RFC 5321 §4.5.3.2), within the time
 * for logging in. */
void hp_smtp_set_timeout(HpSmtpSession *s, gint64 usec);

/* hp-smtp-login.c */
void hp_smtp_cmd_auth(HpSmtpSession *s, HpSlice args);
void hp_smtp_cmd_starttls(HpSmtpSession *s, HpSlice args);
void hp_smtp_note_login(HpSmtpSession *s, const char *credential);

/* hp-smtp-transaction.c */
void hp_smtp_cmd_mail(HpSmtpSession *s, HpSlice args);
void hp_smtp_cmd_rcpt(HpSmtpSession *s, HpSlice args);
void hp_smtp_cmd_data(HpSmtpSession *s, HpSlice args);
