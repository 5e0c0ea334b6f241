#include "hp-fs.h"
#include "hp-text.h"
#include "hp-tls-internal.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <time.h>

#define CERTIFICATE_FILE "certificate.pem"
#define KEY_FILE         "key.pem"
#define FILE_MAX         ((size_t)64 * 1024)        /* bytes */
#define VALID_SEC        ((time_t)3652 * 24 * 3600) /* 10 years */
#define SERIAL_LEN       16 /* bytes; RFC 5280 §4.1.2.2: at most 20 */
#define KEY_ID_LEN       64 /* bytes; GnuTLS gives 20 or 32 */
#define FINGERPRINT_LEN  32 /* bytes of SHA-256 */

struct _HpTlsIdentity {
    gnutls_certificate_credentials_t credentials; /* (owned) */
    gnutls_priority_t priority;                   /* (owned) */
    gnutls_x509_crt_t certificate;                /* (owned) */
    char *pem;                                    /* (owned): the certificate */
};

G_DEFINE_QUARK(hp_tls_error, hp_tls_error)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(gnutls_x509_crt_t, gnutls_x509_crt_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(gnutls_x509_privkey_t, gnutls_x509_privkey_deinit, NULL)

static gboolean
fail(GError **error, const char *what, int status)
{
    g_set_error(error, HP_TLS_ERROR, HP_TLS_ERROR_FAILED, "could not %s: %s", what,
                gnutls_strerror(status));
    return FALSE;
}

static gnutls_datum_t
datum_of(GBytes *bytes)
{
    union {
        gconstpointer read;
        unsigned char *given; /* GnuTLS does not write to what it imports */
    } data;
    gsize len;

    data.read = g_bytes_get_data(bytes, &len);
    return (gnutls_datum_t){ data.given, (unsigned int)len };
}

static int
add_names(gnutls_x509_crt_t crt)
{
    struct in_addr four = { htonl(INADDR_LOOPBACK) };
    struct in6_addr six = IN6ADDR_LOOPBACK_INIT;
    int status;

    status = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                                  GNUTLS_FSAN_SET);
    if (status == 0)
        status = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &four,
                                                      sizeof four, GNUTLS_FSAN_APPEND);
    if (status == 0)
        status = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &six,
                                                      sizeof six, GNUTLS_FSAN_APPEND);
    return status;
}

/* What a certificate of a server is and of a CA is not (RFC 5280 §4.2). */
static int
add_purpose(gnutls_x509_crt_t crt)
{
    int status = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);

    if (status == 0)
        status = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (status == 0)
        status = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return status;
}

static int
add_identification(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    unsigned char serial[SERIAL_LEN];
    unsigned char key_id[KEY_ID_LEN];
    size_t key_id_len = sizeof key_id;
    int status = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

    /* Positive, and of full length. */
    serial[0] = (serial[0] & 0x3F) | 0x40;
    if (status == 0)
        status = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (status == 0)
        status = gnutls_x509_crt_set_dn(crt, "CN=Hauspost on this computer", NULL);
    if (status == 0)
        status = gnutls_x509_crt_set_key(crt, key);
    if (status == 0)
        status = gnutls_x509_crt_get_key_id(crt, 0, key_id, &key_id_len);
    if (status == 0)
        status = gnutls_x509_crt_set_subject_key_id(crt, key_id, key_id_len);
    return status;
}

static int
sign_self(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    time_t now = time(NULL);
    int status = gnutls_x509_crt_set_version(crt, 3);

    /* A day back, for a computer whose clock is put right after the set-up. */
    if (status == 0)
        status = gnutls_x509_crt_set_activation_time(crt, now - (time_t)24 * 3600);
    if (status == 0)
        status = gnutls_x509_crt_set_expiration_time(crt, now + VALID_SEC);
    if (status == 0)
        status = add_identification(crt, key);
    if (status == 0)
        status = add_names(crt);
    if (status == 0)
        status = add_purpose(crt);
    if (status == 0)
        status = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    return status;
}

static gboolean
save(int dir_fd, const char *name, gnutls_datum_t *pem, GError **error)
{
    gboolean saved = hp_fs_replace_at(
        dir_fd, name, (HpSlice){ (const char *)pem->data, pem->size }, error);

    gnutls_memset(pem->data, 0, pem->size); /* it may be the key */
    gnutls_free(pem->data);
    return saved;
}

/* The key goes to disk first: a crash leaves a key without certificate, which is made
 * anew, and never a certificate that nothing can use. */
static gboolean
make_files(int dir_fd, GError **error)
{
    g_auto(gnutls_x509_privkey_t) key = NULL;
    g_auto(gnutls_x509_crt_t) crt = NULL;
    gnutls_datum_t key_pem = { NULL, 0 };
    gnutls_datum_t crt_pem = { NULL, 0 };
    int status = gnutls_x509_privkey_init(&key);

    if (status == 0)
        status = gnutls_x509_privkey_generate(
            key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (status == 0)
        status = gnutls_x509_crt_init(&crt);
    if (status == 0)
        status = sign_self(crt, key);
    if (status == 0)
        status = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);
    if (status != 0)
        return fail(error, "make a certificate", status);
    if (!save(dir_fd, KEY_FILE, &key_pem, error))
        return FALSE;
    status = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem);
    if (status != 0)
        return fail(error, "write a certificate", status);
    return save(dir_fd, CERTIFICATE_FILE, &crt_pem, error);
}

static gboolean
use(HpTlsIdentity *self, GBytes *certificate, GBytes *key, GError **error)
{
    gnutls_datum_t crt_pem = datum_of(certificate);
    gnutls_datum_t key_pem = datum_of(key);
    int status = gnutls_certificate_allocate_credentials(&self->credentials);

    if (status == 0)
        status = gnutls_priority_init(&self->priority,
                                      HP_TLS_PRIORITY ":%SERVER_PRECEDENCE", NULL);
    if (status == 0)
        status = gnutls_x509_crt_init(&self->certificate);
    if (status == 0)
        status = gnutls_x509_crt_import(self->certificate, &crt_pem, GNUTLS_X509_FMT_PEM);
    if (status != 0)
        return fail(error, "read " CERTIFICATE_FILE, status);
    status = gnutls_certificate_set_x509_key_mem2(self->credentials, &crt_pem, &key_pem,
                                                  GNUTLS_X509_FMT_PEM, NULL, 0);
    /* It returns the index of the pair. */
    return status >= 0 ? TRUE
                       : fail(error, "use " KEY_FILE " with " CERTIFICATE_FILE, status);
}

static HpTlsIdentity *
load(int dir_fd, GError **error)
{
    g_autoptr(HpTlsIdentity) self = NULL;
    g_autoptr(GBytes) key = NULL;
    g_autoptr(GBytes) certificate =
        hp_fs_read_at(dir_fd, CERTIFICATE_FILE, FILE_MAX, error);

    if (certificate == NULL)
        return NULL;
    key = hp_fs_read_at(dir_fd, KEY_FILE, FILE_MAX, error);
    if (key == NULL) {
        /* Not to be taken for "there is no certificate yet". */
        if (error != NULL && g_error_matches(*error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            (*error)->code = G_FILE_ERROR_FAILED;
        return NULL;
    }
    self = g_new0(HpTlsIdentity, 1);
    if (!use(self, certificate, key, error))
        return NULL;
    self->pem = hp_slice_dup(hp_slice_of_bytes(certificate));
    return g_steal_pointer(&self);
}

HpTlsIdentity *
hp_tls_identity_ensure(int dir_fd, GError **error)
{
    g_autoptr(GError) problem = NULL;
    HpTlsIdentity *self = load(dir_fd, &problem);

    if (self != NULL)
        return self;
    if (!g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    return make_files(dir_fd, error) ? load(dir_fd, error) : NULL;
}

void
hp_tls_identity_free(HpTlsIdentity *self)
{
    g_clear_pointer(&self->credentials, gnutls_certificate_free_credentials);
    g_clear_pointer(&self->priority, gnutls_priority_deinit);
    g_clear_pointer(&self->certificate, gnutls_x509_crt_deinit);
    g_free(self->pem);
    g_free(self);
}

char *
hp_tls_identity_fingerprint(const HpTlsIdentity *self)
{
    unsigned char digest[FINGERPRINT_LEN];
    size_t len = sizeof digest;
    GString *text = g_string_new(NULL);

    if (gnutls_x509_crt_get_fingerprint(self->certificate, GNUTLS_DIG_SHA256, digest,
                                        &len) != 0)
        len = 0;
    for (size_t i = 0; i < len; i++)
        g_string_append_printf(text, "%s%02X", i > 0 ? ":" : "", digest[i]);
    return g_string_free(text, FALSE);
}

gint64
hp_tls_identity_expires_usec(const HpTlsIdentity *self)
{
    return (gint64)gnutls_x509_crt_get_expiration_time(self->certificate) *
           G_USEC_PER_SEC;
}

char *
hp_tls_identity_pem(const HpTlsIdentity *self)
{
    return g_strdup(self->pem);
}

gnutls_certificate_credentials_t
hp_tls_identity_credentials(const HpTlsIdentity *identity)
{
    return identity->credentials;
}

gnutls_priority_t
hp_tls_identity_priority(const HpTlsIdentity *identity)
{
    return identity->priority;
}
