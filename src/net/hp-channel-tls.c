#include "hp-channel-internal.h"
#include "hp-tls-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PIECES_MAX 8 /* of a record; what does not fit goes out with the next call */

static ssize_t
push(gnutls_transport_ptr_t channel, const giovec_t *pieces, int n)
{
    HpChannel *self = channel;
    struct iovec copy[PIECES_MAX];
    struct msghdr message = { .msg_iov = copy };

    for (int i = 0; i < n && i < PIECES_MAX; i++)
        copy[message.msg_iovlen++] = pieces[i];
    return sendmsg(self->fd, &message, MSG_NOSIGNAL);
}

static ssize_t
pull(gnutls_transport_ptr_t channel, void *buffer, size_t size)
{
    HpChannel *self = channel;

    return recv(self->fd, buffer, size, 0);
}

/* Ready or not is poll()'s business; GnuTLS only asks this with a timeout of its own. */
static int
pull_timeout(gnutls_transport_ptr_t channel, unsigned int timeout_ms)
{
    HpChannel *self = channel;
    struct pollfd fd = { self->fd, POLLIN, 0 };

    return poll(&fd, 1, 0);
}

static gboolean
fail_tls(HpChannel *self, int status, GError **error)
{
    self->ended = TRUE;
    self->torn = TRUE;
    if (status == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char *alert = gnutls_alert_get_name(gnutls_alert_get(self->tls));

        g_set_error(error, HP_NET_ERROR, HP_NET_ERROR_TLS,
                    _("the other side gave up on encryption: %s"),
                    alert != NULL ? alert : "?");
        return FALSE;
    }
    g_set_error(error, HP_NET_ERROR, HP_NET_ERROR_TLS, _("encryption failed: %s"),
                gnutls_strerror(status));
    return FALSE;
}

static HpIo
wanted(HpChannel *self)
{
    return gnutls_record_get_direction(self->tls) == 0 ? HP_IO_WANTS_INPUT
                                                       : HP_IO_WANTS_OUTPUT;
}

/* What to make of a status below 0: waits, warnings and ends. */
static HpIo
judge(HpChannel *self, int status, GError **error)
{
    if (status == GNUTLS_E_AGAIN)
        return wanted(self);
    /* A truncated stream and close_notify are the same to us: every protocol here says
     * in its own words when it is complete. */
    if (status == GNUTLS_E_PREMATURE_TERMINATION || status == GNUTLS_E_PULL_ERROR ||
        status == GNUTLS_E_PUSH_ERROR) {
        self->ended = TRUE;
        self->torn = self->torn || status == GNUTLS_E_PUSH_ERROR;
        hp_net_fail_errno(error, ECONNRESET);
        return HP_IO_FAILED;
    }
    if (status == GNUTLS_E_REHANDSHAKE)
        gnutls_alert_send(self->tls, GNUTLS_AL_FATAL, GNUTLS_A_NO_RENEGOTIATION);
    fail_tls(self, status, error);
    return HP_IO_FAILED;
}

/* A warning alert (user_canceled, say) or a signal: try again. A request for
 * renegotiation is no such thing: it is refused by ending the connection. */
static gboolean
is_harmless(ssize_t status)
{
    return status == GNUTLS_E_INTERRUPTED || status == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

HpIo
hp_channel_tls_read(HpChannel *self, char *buffer, size_t size, size_t *ret_len,
                    GError **error)
{
    ssize_t n;

    do {
        n = gnutls_record_recv(self->tls, buffer, size);
    } while (is_harmless(n) && hp_channel_may_go_on(self, NULL));
    if (n > 0) {
        *ret_len = (size_t)n;
        return HP_IO_DONE;
    }
    /* After close_notify nothing more is read from the socket, in plain text least. */
    return judge(self, n == 0 ? GNUTLS_E_PREMATURE_TERMINATION : (int)n, error);
}

HpIo
hp_channel_tls_write(HpChannel *self, HpSlice bytes, size_t *ret_len, GError **error)
{
    ssize_t n;

    do {
        n = gnutls_record_send(self->tls, bytes.data, bytes.len);
    } while (is_harmless(n));
    if (n >= 0) {
        *ret_len = (size_t)n;
        return HP_IO_DONE;
    }
    return judge(self, (int)n, error);
}

void
hp_channel_tls_end(HpChannel *self)
{
    if (self->tls == NULL)
        return;
    if (!self->torn)
        gnutls_bye(self->tls, GNUTLS_SHUT_WR);
    g_clear_pointer(&self->tls, gnutls_deinit);
}

/* RFC 3207 §4.2 and §5: what came in plain text behind STARTTLS must not be taken for
 * something said under its protection; an attacker may have put it there. */
static gboolean
forget_plaintext(HpChannel *self, GError **error)
{
    size_t left = self->in_len;

    if (!hp_channel_flush(self, error))
        return FALSE;
    hp_channel_consume(self, left);
    if (left == 0)
        return TRUE;
    self->ended = TRUE;
    return hp_net_fail(error, HP_NET_ERROR_TLS,
                       _("unencrypted bytes came where encryption had to begin"));
}

static gboolean
shake_hands(HpChannel *self, GError **error)
{
    for (;;) {
        int status;

        if (!hp_channel_may_go_on(self, error))
            return FALSE;
        status = gnutls_handshake(self->tls);
        if (status == GNUTLS_E_SUCCESS)
            return TRUE;
        if (status == GNUTLS_E_AGAIN) {
            short events = wanted(self) == HP_IO_WANTS_INPUT ? POLLIN : POLLOUT;

            if (!hp_channel_wait_for(self, events, error))
                return FALSE;
        } else if (gnutls_error_is_fatal(status)) {
            gnutls_alert_send_appropriate(self->tls, status);
            return fail_tls(self, status, error);
        }
    }
}

/* The session is in place from here on; a failed handshake leaves a channel on which
 * nothing can be sent or read any more, so nobody falls back to plain text by mistake. */
static gboolean
begin(HpChannel *self, unsigned int role, gnutls_priority_t priority,
      gnutls_certificate_credentials_t credentials)
{
    if (gnutls_init(&self->tls, role | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS |
                                    GNUTLS_NO_SIGNAL) != GNUTLS_E_SUCCESS)
        return FALSE;
    gnutls_transport_set_ptr(self->tls, self);
    gnutls_transport_set_vec_push_function(self->tls, push);
    gnutls_transport_set_pull_function(self->tls, pull);
    gnutls_transport_set_pull_timeout_function(self->tls, pull_timeout);
    gnutls_handshake_set_timeout(self->tls, GNUTLS_INDEFINITE_TIMEOUT); /* ours counts */
    return gnutls_priority_set(self->tls, priority) == GNUTLS_E_SUCCESS &&
           gnutls_credentials_set(self->tls, GNUTLS_CRD_CERTIFICATE, credentials) ==
               GNUTLS_E_SUCCESS;
}

static gboolean
fail_setup(HpChannel *self, GError **error)
{
    self->ended = TRUE;
    self->torn = TRUE;
    return hp_net_fail(error, HP_NET_ERROR_TLS,
                       _("this computer could not set up the encryption"));
}

/* Plain text must not follow a handshake that failed, in either direction. */
static gboolean
give_up(HpChannel *self)
{
    self->ended = TRUE;
    self->torn = TRUE;
    return FALSE;
}

gboolean
hp_channel_start_tls_server(HpChannel *self, HpTlsIdentity *identity, const char *alpn,
                            GError **error)
{
    g_assert(self->tls == NULL);
    if (!forget_plaintext(self, error))
        return give_up(self);
    if (!begin(self, GNUTLS_SERVER, hp_tls_identity_priority(identity),
               hp_tls_identity_credentials(identity)))
        return fail_setup(self, error);
    if (alpn != NULL) {
        g_autofree char *name = g_strdup(alpn);
        gnutls_datum_t protocol = { (unsigned char *)name, (unsigned int)strlen(name) };

        /* A browser that was led here offers h2 or http/1.1 and is sent away. */
        if (gnutls_alpn_set_protocols(self->tls, &protocol, 1, GNUTLS_ALPN_MANDATORY) !=
            GNUTLS_E_SUCCESS)
            return fail_setup(self, error);
    }
    return shake_hands(self, error) ? TRUE : give_up(self);
}

static gboolean
is_numeric(const char *host)
{
    unsigned char scrap[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, scrap) == 1 || inet_pton(AF_INET6, host, scrap) == 1;
}

gboolean
hp_channel_start_tls_client(HpChannel *self, HpTlsTrust *trust, const char *host,
                            HpTlsVerdict **ret_verdict, GError **error)
{
    g_assert(self->tls == NULL);
    if (!forget_plaintext(self, error))
        return give_up(self);
    if (!begin(self, GNUTLS_CLIENT, hp_tls_trust_priority(trust),
               hp_tls_trust_credentials(trust)))
        return fail_setup(self, error);
    if (host != NULL && !is_numeric(host) &&
        gnutls_server_name_set(self->tls, GNUTLS_NAME_DNS, host, strlen(host)) !=
            GNUTLS_E_SUCCESS)
        return fail_setup(self, error);
    if (!shake_hands(self, error))
        return give_up(self);
    if (ret_verdict != NULL)
        *ret_verdict = hp_tls_judge(self->tls, host);
    return TRUE;
}
