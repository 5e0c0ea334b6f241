/* hp-smtp-client: a connection to one mail server: greeting, EHLO, STARTTLS, commands and
 * replies (RFC 5321, 3207, 1869). The transaction is hp-smtp-send's.
 *
 * Threads: that of the delivery.
 */
#pragma once

#include "hp-channel.h"
#include "hp-smtp-reply.h"
#include "hp-transport.h"

/* Microseconds; RFC 5321 §4.5.3.2 gives the smallest ones. */
typedef struct {
    gint64 greeting;
    gint64 command; /* EHLO, STARTTLS, MAIL, RCPT, RSET */
    gint64 data;    /* the reply to DATA */
    gint64 block;   /* for each piece of the content */
    gint64 dot;     /* the reply to the final dot */
} HpSmtpTimeouts;

extern const HpSmtpTimeouts hp_smtp_timeouts_default;

/* What the server offers, forgotten and learned anew after STARTTLS (RFC 3207 §4.2). */
typedef struct {
    gboolean starttls;
    gboolean pipelining;
    gboolean eight_bit_mime;
    gboolean smtputf8;
    gboolean dsn;
    gboolean size;
    guint64 max_size; /* octets, 0 for no fixed limit */
} HpSmtpCaps;

/**
 * HpSmtpResult:
 * @HP_SMTP_GO: a reply 2xx or 3xx
 * @HP_SMTP_NO: a reply 4xx or 5xx; the connection is still good
 * @HP_SMTP_LOST: the connection has ended, or the server said 421
 * @HP_SMTP_TIMEOUT: no reply in time
 * @HP_SMTP_NONSENSE: what came is not SMTP, or is more than a reply may hold
 * @HP_SMTP_TLS_FAILED: no handshake
 * @HP_SMTP_ABORTED: we are shutting down
 * @HP_SMTP_CALLED_OFF: the queue has called the message off before its final dot
 *
 * After all but GO and NO the connection is of no more use.
 */
typedef enum {
    HP_SMTP_GO,
    HP_SMTP_NO,
    HP_SMTP_LOST,
    HP_SMTP_TIMEOUT,
    HP_SMTP_NONSENSE,
    HP_SMTP_TLS_FAILED,
    HP_SMTP_ABORTED,
    HP_SMTP_CALLED_OFF,
} HpSmtpResult;

typedef struct {
    const char *hostname;           /* (unowned): what we call ourselves in EHLO */
    const char *host;               /* (unowned): name of the server */
    const HpSmtpTimeouts *timeouts; /* (unowned) (nullable) */
    int abort_fd;                   /* readable when all must end, or -1 */
} HpSmtpClientOptions;

typedef struct _HpSmtpClient HpSmtpClient;

/* Takes @channel over; copies the names. */
HpSmtpClient *hp_smtp_client_new(HpChannel *channel, const HpSmtpClientOptions *options);
void hp_smtp_client_free(HpSmtpClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSmtpClient, hp_smtp_client_free)

/* The greeting. NONSENSE: whoever this is, it is no mail server. */
HpSmtpResult hp_smtp_client_greet(HpSmtpClient *self);

/* EHLO, and HELO where that is not understood (RFC 5321 §3.2). */
HpSmtpResult hp_smtp_client_hello(HpSmtpClient *self);

/* STARTTLS, the handshake and EHLO again. Plain text behind the reply ends the connection
 * (TLS_FAILED): somebody has put it there. @ret_verdict: (transfer full), on GO. */
HpSmtpResult hp_smtp_client_start_tls(HpSmtpClient *self, HpTlsTrust *trust,
                                      HpTlsVerdict **ret_verdict);

/* Says QUIT without waiting for the answer. */
void hp_smtp_client_quit(HpSmtpClient *self);

const HpSmtpCaps *hp_smtp_client_caps(const HpSmtpClient *self);
const HpSmtpTimeouts *hp_smtp_client_timeouts(const HpSmtpClient *self);
HpChannel *hp_smtp_client_channel(HpSmtpClient *self);

/* The reply that the last call ended with, or our own words for why there was none (host
 * is %NULL then). Good until the next call. */
const HpReply *hp_smtp_client_last(const HpSmtpClient *self);

/* The first word of the greeting: how the server calls itself. */
const char *hp_smtp_client_greeted_as(const HpSmtpClient *self);

/* For hp-smtp-send: reads one reply. @patient: the final dot was sent; on shutting down
 * the server still has 8 s to answer. */
HpSmtpResult hp_smtp_client_read(HpSmtpClient *self, HpStage stage, gint64 timeout_usec,
                                 gboolean patient);
