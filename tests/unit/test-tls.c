#include "hp-channel.h"
#include "hp-fs.h"
#include "hp-thread.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    char *folder;            /* (owned) */
    int folder_fd;           /* (owned) */
    HpTlsIdentity *identity; /* (owned) */
    HpChannel *server;       /* (owned) */
    HpChannel *client;       /* (owned) (nullable): %NULL for a raw one */
    int raw;                 /* (unowned): the client's end while client is %NULL */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    int fds[2];

    f->folder = g_dir_make_tmp("hauspost-tls-XXXXXX", NULL);
    f->folder_fd = hp_fs_open_private_dir(f->folder, NULL);
    f->identity = hp_tls_identity_ensure(f->folder_fd, NULL);
    g_assert_nonnull(f->identity);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->server = hp_channel_new(fds[0]);
    f->raw = fds[1];
    if (data == NULL)
        f->client = hp_channel_new(fds[1]);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *certificate = g_build_filename(f->folder, "certificate.pem", NULL);
    g_autofree char *key = g_build_filename(f->folder, "key.pem", NULL);

    g_clear_pointer(&f->server, hp_channel_free);
    g_clear_pointer(&f->client, hp_channel_free);
    hp_tls_identity_free(f->identity);
    g_unlink(certificate);
    g_unlink(key);
    g_rmdir(f->folder);
    close(f->folder_fd);
    g_free(f->folder);
}

/* The server's half of a handshake, then it echoes one fill after another. */
typedef struct {
    Fixture *f;       /* (unowned) */
    const char *alpn; /* (unowned) (nullable) */
    GError *error;    /* (owned) (nullable): of the handshake, or of the echoing */
    gboolean shaken;
} Server;

static void
echo(gpointer data)
{
    Server *self = data;
    HpChannel *channel = self->f->server;

    self->shaken =
        hp_channel_start_tls_server(channel, self->f->identity, self->alpn, &self->error);
    while (self->error == NULL && hp_channel_fill(channel, &self->error)) {
        HpSlice in = hp_channel_input(channel);

        if (hp_channel_write(channel, in, &self->error))
            hp_channel_flush(channel, &self->error);
        hp_channel_consume(channel, in.len);
    }
}

static void
makes_a_leaf_for_this_computer_once(Fixture *f, gconstpointer data)
{
    g_autoptr(HpTlsIdentity) again = hp_tls_identity_ensure(f->folder_fd, NULL);
    g_autofree char *print = hp_tls_identity_fingerprint(f->identity);
    g_autofree char *print_again = hp_tls_identity_fingerprint(again);
    g_autofree char *pem = hp_tls_identity_pem(f->identity);
    gnutls_datum_t datum = { (unsigned char *)pem, (unsigned int)strlen(pem) };
    gint64 days =
        (hp_tls_identity_expires_usec(f->identity) - g_get_real_time()) / G_TIME_SPAN_DAY;
    gnutls_x509_crt_t crt;
    unsigned int ca = 1;
    unsigned int bits;
    char purpose[64];
    size_t size = sizeof purpose;

    g_assert_cmpstr(print, ==, print_again);
    g_assert_cmpuint(strlen(print), ==, 95);
    g_assert_cmpint(days, >=, 3651);
    gnutls_x509_crt_init(&crt);
    g_assert_cmpint(gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_PEM), ==, 0);
    g_assert_cmpint(gnutls_x509_crt_get_basic_constraints(crt, NULL, &ca, NULL), >=, 0);
    g_assert_cmpuint(ca, ==, 0);
    g_assert_cmpint(gnutls_x509_crt_get_pk_algorithm(crt, &bits), ==, GNUTLS_PK_ECDSA);
    g_assert_cmpuint(bits, ==, 256);
    g_assert_cmpint(gnutls_x509_crt_check_hostname(crt, "localhost"), !=, 0);
    g_assert_cmpint(gnutls_x509_crt_check_hostname(crt, "127.0.0.1"), !=, 0);
    g_assert_cmpint(gnutls_x509_crt_check_hostname(crt, "::1"), !=, 0);
    g_assert_cmpint(gnutls_x509_crt_check_hostname(crt, "example.org"), ==, 0);
    gnutls_x509_crt_get_key_purpose_oid(crt, 0, purpose, &size, NULL);
    g_assert_cmpstr(purpose, ==, GNUTLS_KP_TLS_WWW_SERVER);
    gnutls_x509_crt_deinit(crt);
}

static void
makes_no_new_certificate_when_the_key_is_missing(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(unlinkat(f->folder_fd, "key.pem", 0), ==, 0);
    g_assert_null(hp_tls_identity_ensure(f->folder_fd, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED);
}

static void
reports_an_untrusted_certificate_and_goes_on(Fixture *f, gconstpointer data)
{
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(NULL, NULL);
    g_autoptr(HpTlsVerdict) verdict = NULL;
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);
    g_autoptr(GError) error = NULL;

    hp_channel_start_tls_client(f->client, trust, "localhost", &verdict, &error);
    g_assert_no_error(error);
    g_assert_false(verdict->trusted);
    g_assert_nonnull(verdict->problem);
    g_assert_cmpstr(verdict->protocol, ==, "TLS1.3");
    g_assert_cmpuint(g_bytes_get_size(verdict->leaf), >, 100);
    g_assert_true(hp_channel_is_tls(f->client));
    g_clear_pointer(&f->client, hp_channel_free);
    hp_thread_join(thread);
    g_assert_true(server.shaken);
    g_clear_error(&server.error);
}

static void
assert_verdict(Fixture *f, const char *host, gboolean trusted)
{
    g_autofree char *path = g_build_filename(f->folder, "certificate.pem", NULL);
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(path, NULL);
    g_autoptr(HpTlsVerdict) verdict = NULL;
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);

    g_assert_nonnull(trust);
    g_assert_true(hp_channel_start_tls_client(f->client, trust, host, &verdict, NULL));
    g_assert_cmpint(verdict->trusted, ==, trusted);
    g_assert_cmpint(verdict->problem == NULL, ==, trusted);
    g_clear_pointer(&f->client, hp_channel_free);
    hp_thread_join(thread);
    g_clear_error(&server.error);
}

static void
trusts_a_known_certificate_with_the_right_name(Fixture *f, gconstpointer data)
{
    assert_verdict(f, "localhost", TRUE);
}

static void
does_not_trust_another_name(Fixture *f, gconstpointer data)
{
    assert_verdict(f, "mx.example.org", FALSE);
}

static void
does_not_trust_without_a_name(Fixture *f, gconstpointer data)
{
    assert_verdict(f, NULL, FALSE);
}

static void
carries_bytes_both_ways(Fixture *f, gconstpointer data)
{
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(NULL, NULL);
    g_autofree char *sent = g_malloc(300000);
    g_autoptr(GString) got = g_string_new(NULL);
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);

    for (int i = 0; i < 300000; i++)
        sent[i] = (char)(i * 7 + i / 251);
    g_assert_true(hp_channel_start_tls_client(f->client, trust, NULL, NULL, NULL));
    for (int at = 0; at < 300000; at += 30000) {
        g_assert_true(hp_channel_write(f->client, (HpSlice){ sent + at, 30000 }, NULL));
        while (got->len < (gsize)at + 30000) {
            HpSlice in;

            g_assert_true(hp_channel_fill(f->client, NULL));
            in = hp_channel_input(f->client);
            g_string_append_len(got, in.data, (gssize)in.len);
            hp_channel_consume(f->client, in.len);
        }
    }
    g_assert_cmpmem(got->str, (int)got->len, sent, 300000);
    g_clear_pointer(&f->client, hp_channel_free);
    hp_thread_join(thread);
    g_assert_error(server.error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
    g_clear_error(&server.error);
}

/* RFC 3207 §4.2 */
static void
drops_what_came_before_the_handshake(Fixture *f, gconstpointer data)
{
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(NULL, NULL);
    g_autoptr(GError) error = NULL;
    HpChannel *ends[] = { f->server, f->client };

    for (guint i = 0; i < 2; i++) {
        HpChannel *liar = ends[1 - i];
        HpChannel *victim = ends[i];

        g_assert_true(hp_channel_write(liar, HP_SLICE_LITERAL("NOOP\r\n"), NULL));
        g_assert_true(hp_channel_flush(liar, NULL));
        g_assert_true(hp_channel_fill(victim, NULL));
    }
    g_assert_false(hp_channel_start_tls_server(f->server, f->identity, NULL, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TLS);
    g_clear_error(&error);
    g_assert_cmpuint(hp_channel_pending(f->server), ==, 0);
    g_assert_false(hp_channel_start_tls_client(f->client, trust, NULL, NULL, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TLS);
    g_assert_cmpuint(hp_channel_pending(f->client), ==, 0);
    /* Nor does anything follow in plain text. */
    g_assert_false(hp_channel_fill(f->client, NULL));
    g_assert_true(hp_channel_write(f->client, HP_SLICE_LITERAL("x"), NULL));
    g_assert_false(hp_channel_flush(f->client, NULL));
}

static void
shakes_hands_under_the_deadline(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    hp_channel_set_timeout(f->server, 20000);
    g_assert_false(hp_channel_start_tls_server(f->server, f->identity, NULL, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT);
}

/* A client of GnuTLS's own, for what our channel would never do. */
static gnutls_session_t
raw_client(Fixture *f, const char *priority, const char *alpn, int *ret_status)
{
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;

    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_session_set_ptr(session, credentials);
    gnutls_priority_set_direct(session, priority, NULL);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session, f->raw);
    if (alpn != NULL) {
        g_autofree char *name = g_strdup(alpn);
        gnutls_datum_t protocol = { (unsigned char *)name, (unsigned int)strlen(name) };

        gnutls_alpn_set_protocols(session, &protocol, 1, 0);
    }
    do {
        *ret_status = gnutls_handshake(session);
    } while (*ret_status < 0 && gnutls_error_is_fatal(*ret_status) == 0);
    return session;
}

static void
raw_free(Fixture *f, gnutls_session_t session)
{
    gnutls_certificate_free_credentials(gnutls_session_get_ptr(session));
    gnutls_deinit(session);
    close(f->raw);
}

static gboolean
raw_succeeds(Fixture *f, const char *priority, const char *alpn)
{
    Server server = { .f = f, .alpn = "pop3" };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);
    int status;
    gnutls_session_t session = raw_client(f, priority, alpn, &status);

    /* TLS 1.3 lets the client finish first: what counts is the server. */
    raw_free(f, session);
    hp_thread_join(thread);
    g_clear_error(&server.error);
    return server.shaken;
}

static void
takes_a_client_without_alpn(Fixture *f, gconstpointer data)
{
    g_assert_true(raw_succeeds(f, "NORMAL", NULL));
}

static void
takes_a_client_with_the_right_alpn(Fixture *f, gconstpointer data)
{
    g_assert_true(raw_succeeds(f, "NORMAL", "pop3"));
}

static void
refuses_a_client_with_another_alpn(Fixture *f, gconstpointer data)
{
    g_assert_false(raw_succeeds(f, "NORMAL", "http/1.1"));
}

static void
takes_tls_1_2(Fixture *f, gconstpointer data)
{
    g_assert_true(raw_succeeds(f, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL));
}

static void
refuses_tls_1_1(Fixture *f, gconstpointer data)
{
    g_assert_false(raw_succeeds(f, "NORMAL:-VERS-ALL:+VERS-TLS1.1", NULL));
}

static void
reads_no_plain_text_after_close_notify(Fixture *f, gconstpointer data)
{
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);
    int status;
    gnutls_session_t session = raw_client(f, "NORMAL", NULL, &status);
    char got[16];

    g_assert_cmpint(status, ==, 0);
    gnutls_bye(session, GNUTLS_SHUT_WR);
    send(f->raw, "QUIT\r\n", 6, MSG_NOSIGNAL);
    hp_thread_join(thread);
    g_assert_error(server.error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
    g_assert_cmpuint(hp_channel_pending(f->server), ==, 0);
    g_assert_false(hp_channel_fill(f->server, NULL));
    g_clear_pointer(&f->server, hp_channel_free);
    g_assert_cmpint(gnutls_record_recv(session, got, sizeof got), ==, 0);
    g_clear_error(&server.error);
    raw_free(f, session);
}

static void
takes_a_cut_stream_for_its_end(Fixture *f, gconstpointer data)
{
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);
    int status;
    gnutls_session_t session = raw_client(f, "NORMAL", NULL, &status);

    g_assert_cmpint(status, ==, 0);
    raw_free(f, session);
    hp_thread_join(thread);
    g_assert_error(server.error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
    g_clear_error(&server.error);
}

static void
refuses_to_renegotiate(Fixture *f, gconstpointer data)
{
    Server server = { .f = f };
    HpThread *thread = hp_thread_start("echo", echo, &server, NULL);
    int status;
    gnutls_session_t session =
        raw_client(f, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL, &status);

    g_assert_cmpint(status, ==, 0);
    g_assert_cmpint(gnutls_handshake(session), <, 0);
    hp_thread_join(thread);
    g_assert_error(server.error, HP_NET_ERROR, HP_NET_ERROR_TLS);
    g_clear_error(&server.error);
    raw_free(f, session);
}

#define ADD(path, test) g_test_add("/tls/" path, Fixture, NULL, set_up, test, tear_down)
#define ADD_RAW(path, test)                                                              \
    g_test_add("/tls/" path, Fixture, "raw", set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("makes-a-leaf-for-this-computer-once", makes_a_leaf_for_this_computer_once);
    ADD("makes-no-new-certificate-when-the-key-is-missing",
        makes_no_new_certificate_when_the_key_is_missing);
    ADD("reports-an-untrusted-certificate-and-goes-on",
        reports_an_untrusted_certificate_and_goes_on);
    ADD("trusts-a-known-certificate-with-the-right-name",
        trusts_a_known_certificate_with_the_right_name);
    ADD("does-not-trust-another-name", does_not_trust_another_name);
    ADD("does-not-trust-without-a-name", does_not_trust_without_a_name);
    ADD("carries-bytes-both-ways", carries_bytes_both_ways);
    ADD("drops-what-came-before-the-handshake", drops_what_came_before_the_handshake);
    ADD("shakes-hands-under-the-deadline", shakes_hands_under_the_deadline);
    ADD_RAW("takes-a-client-without-alpn", takes_a_client_without_alpn);
    ADD_RAW("takes-a-client-with-the-right-alpn", takes_a_client_with_the_right_alpn);
    ADD_RAW("refuses-a-client-with-another-alpn", refuses_a_client_with_another_alpn);
    ADD_RAW("takes-tls-1.2", takes_tls_1_2);
    ADD_RAW("refuses-tls-1.1", refuses_tls_1_1);
    ADD_RAW("reads-no-plain-text-after-close-notify",
            reads_no_plain_text_after_close_notify);
    ADD_RAW("takes-a-cut-stream-for-its-end", takes_a_cut_stream_for_its_end);
    ADD_RAW("refuses-to-renegotiate", refuses_to_renegotiate);
    return g_test_run();
}
