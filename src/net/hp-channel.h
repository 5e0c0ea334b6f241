/* hp-channel: a byte stream to one peer: blocking, with deadlines, a byte budget and TLS.
 *
 * Every call that may block ends at its deadline, when the channel's waker rings, or when
 * hp_channel_abort() is called. TCP_NODELAY is set; output is gathered until flushed.
 *
 * Threads: one owner thread; only hp_channel_abort() may come from another.
 */
#pragma once

#include "hp-slice.h"
#include "hp-tls.h"

#define HP_NET_ERROR (hp_net_error_quark())
GQuark hp_net_error_quark(void);

/**
 * HpNetError:
 * @HP_NET_ERROR_CLOSED: the peer closed the connection (a TLS close_notify and a bare
 *    end of the TCP stream are the same)
 * @HP_NET_ERROR_TIMEOUT: the deadline has passed
 * @HP_NET_ERROR_ABORTED: we are shutting down or the session was revoked
 * @HP_NET_ERROR_BUDGET: the peer sent more than the connection may hold
 * @HP_NET_ERROR_TLS: the handshake or a TLS record failed
 * @HP_NET_ERROR_REFUSED: connect: nobody listens there
 * @HP_NET_ERROR_UNREACHABLE: connect: no route to there
 * @HP_NET_ERROR_FAILED: anything else the system reports
 */
typedef enum {
    HP_NET_ERROR_CLOSED,
    HP_NET_ERROR_TIMEOUT,
    HP_NET_ERROR_ABORTED,
    HP_NET_ERROR_BUDGET,
    HP_NET_ERROR_TLS,
    HP_NET_ERROR_REFUSED,
    HP_NET_ERROR_UNREACHABLE,
    HP_NET_ERROR_FAILED,
} HpNetError;

typedef struct _HpChannel HpChannel;

/* Takes ownership of the connected socket @fd (made non-blocking). */
HpChannel *hp_channel_new(int fd);

/**
 * hp_channel_connect:
 * @address: numeric IPv4 or IPv6 address, IPv6 without brackets
 * @port: 1 to 65535
 * @timeout_ms: for the TCP handshake
 * @abort_fd: (owned by the caller): readable when the attempt shall end, or -1
 * @error: #HP_NET_ERROR
 */
HpChannel *hp_channel_connect(const char *address, guint16 port, int timeout_ms,
                              int abort_fd, GError **error);

/* Sends what is gathered if that does not block, says goodbye to TLS, closes. After an
 * abort, too: a session may still write (not flush) its last words. */
void hp_channel_free(HpChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpChannel, hp_channel_free)

int hp_channel_fd(const HpChannel *self);

/* Any thread: ends the current and every later blocking call with ABORTED. */
void hp_channel_abort(HpChannel *self);

/* The same while @fd can be read: a bell that many channels listen to. It is heard
 * wherever a call would block; -1 for none, as at first. The descriptor stays the
 * caller's. */
void hp_channel_set_abort_fd(HpChannel *self, int fd);

/* All following reads and writes together must be done by then (g_get_monotonic_time()
 * microseconds). A deadline is for a whole command or reply, not for each byte. A new
 * channel has 5 minutes. */
void hp_channel_set_deadline(HpChannel *self, gint64 monotonic_usec);

/* The same, from now on. */
void hp_channel_set_timeout(HpChannel *self, gint64 usec);

/* How many bytes may still be read; G_MAXSIZE for no limit. Every read draws from it, by
 * what it yields (plain text under TLS). */
void hp_channel_set_budget(HpChannel *self, size_t bytes);

/**
 * hp_channel_fill:
 * @error: #HP_NET_ERROR
 *
 * Waits for input and reads once, as much as the peer has sent (at most 64 KiB at a
 * time). Pending output is flushed first if the read would block.
 *
 * Returns: %TRUE if at least one byte more is in the buffer
 */
gboolean hp_channel_fill(HpChannel *self, GError **error);

/* What was read and not consumed. Good until the next fill. */
HpSlice hp_channel_input(const HpChannel *self);
void hp_channel_consume(HpChannel *self, size_t len);

/* Bytes that wait to be consumed, or that TLS has already decrypted. For IDLE and for
 * "no reply yet to a pipelined group": flush only when this is 0. */
size_t hp_channel_pending(const HpChannel *self);

/* Gathers output; sends when 16 KiB have come together. @error: #HP_NET_ERROR */
gboolean hp_channel_write(HpChannel *self, HpSlice bytes, GError **error);
gboolean hp_channel_printf(HpChannel *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
gboolean hp_channel_flush(HpChannel *self, GError **error);

/**
 * hp_channel_start_tls_server:
 * @identity: our certificate and key
 * @alpn: (nullable): the one protocol name; a client that offers others only is refused
 * @error: #HP_NET_ERROR_TLS
 *
 * Shakes hands as a server. Output must be flushed; bytes already read from the client in
 * plain text are an attack (RFC 3207 §4.2): they are dropped and the call fails.
 */
gboolean hp_channel_start_tls_server(HpChannel *self, HpTlsIdentity *identity,
                                     const char *alpn, GError **error);

/**
 * hp_channel_start_tls_client:
 * @trust: whom to believe
 * @host: (nullable): name for SNI, ASCII; no SNI if it is a numeric address or %NULL
 * @ret_verdict: (out) (transfer full) (optional): what the peer showed, free with
 *    hp_tls_verdict_free(); set on success only
 * @error: #HP_NET_ERROR_TLS
 *
 * Shakes hands as a client, opportunistically: an untrusted certificate is reported in
 * the verdict, not refused. Leftover plaintext input makes the call fail.
 */
gboolean hp_channel_start_tls_client(HpChannel *self, HpTlsTrust *trust, const char *host,
                                     HpTlsVerdict **ret_verdict, GError **error);

gboolean hp_channel_is_tls(const HpChannel *self);

/* FAILED: aborted, or what was gathered could not be sent. INPUT: also at the end of the
 * stream, and when TLS has something that may come to nothing. */
typedef enum {
    HP_CHANNEL_INPUT,
    HP_CHANNEL_RUNG,
    HP_CHANNEL_TIMEOUT,
    HP_CHANNEL_FAILED,
} HpChannelWait;

/* Flushes, then waits until input is there, the waker's descriptor @bell_fd can be read
 * (-1 for none; the caller clears it) or the time has passed (-1 for never). */
HpChannelWait hp_channel_wait(HpChannel *self, int bell_fd, int timeout_ms);
