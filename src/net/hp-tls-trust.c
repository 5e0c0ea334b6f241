#include "hp-lock.h"
#include "hp-log.h"
#include "hp-tls-internal.h"

#include <glib/gi18n.h>
#include <gnutls/x509.h>

struct _HpTlsTrust {
    gatomicrefcount refs;
    gnutls_certificate_credentials_t credentials; /* (owned) */
    gnutls_priority_t priority;                   /* (owned) */
    HpLock lock;                                  /* guards `loaded` and the loading */
    gboolean loaded;
};

static gboolean
fail(GError **error, const char *what, int status)
{
    g_set_error(error, HP_TLS_ERROR, HP_TLS_ERROR_FAILED, "could not %s: %s", what,
                gnutls_strerror(status));
    return FALSE;
}

static gboolean
load_file(HpTlsTrust *self, const char *ca_file, GError **error)
{
    int n = gnutls_certificate_set_x509_trust_file(self->credentials, ca_file,
                                                   GNUTLS_X509_FMT_PEM);

    self->loaded = TRUE;
    if (n > 0)
        return TRUE;
    fail(error, "read the trusted certificates",
         n < 0 ? n : GNUTLS_E_NO_CERTIFICATE_FOUND);
    g_prefix_error(error, "%s: ", ca_file);
    return FALSE;
}

HpTlsTrust *
hp_tls_trust_new(const char *ca_file, GError **error)
{
    g_autoptr(HpTlsTrust) self = g_new0(HpTlsTrust, 1);
    int status = gnutls_certificate_allocate_credentials(&self->credentials);

    g_atomic_ref_count_init(&self->refs);
    hp_lock_init(&self->lock);
    if (status == 0)
        status = gnutls_priority_init(&self->priority, HP_TLS_PRIORITY, NULL);
    if (status != 0) {
        fail(error, "set up encryption", status);
        return NULL;
    }
    if (ca_file != NULL && !load_file(self, ca_file, error))
        return NULL;
    return g_steal_pointer(&self);
}

HpTlsTrust *
hp_tls_trust_ref(HpTlsTrust *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void
hp_tls_trust_unref(HpTlsTrust *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_clear_pointer(&self->credentials, gnutls_certificate_free_credentials);
    g_clear_pointer(&self->priority, gnutls_priority_deinit);
    hp_lock_clear(&self->lock);
    g_free(self);
}

gnutls_priority_t
hp_tls_trust_priority(const HpTlsTrust *trust)
{
    return trust->priority;
}

/* The store of a system costs a megabyte or two and some milliseconds, so a daemon that
 * has not yet met a TLS server has not read it. Without one nobody is trusted, which an
 * opportunistic client can live with. */
gnutls_certificate_credentials_t
hp_tls_trust_credentials(HpTlsTrust *trust)
{
    HP_LOCKED(&trust->lock);
    if (!trust->loaded &&
        gnutls_certificate_set_x509_system_trust(trust->credentials) <= 0)
        hp_log("net", NULL, G_LOG_LEVEL_WARNING,
               "this system has no list of certificate authorities "
               "(on Debian: package ca-certificates)");
    trust->loaded = TRUE;
    return trust->credentials;
}

static const char *
explain(unsigned int status)
{
    if ((status & GNUTLS_CERT_REVOKED) != 0)
        return _("the certificate was revoked");
    if ((status & GNUTLS_CERT_EXPIRED) != 0)
        return _("the certificate has expired");
    if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0)
        return _("the certificate is not valid yet");
    if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0)
        return _("the certificate is signed with a broken method");
    if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) != 0)
        return _("the certificate comes from no authority that this computer knows");
    if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0)
        return _("the certificate was made out for another name");
    return _("the certificate is not valid");
}

static GBytes *
leaf_of(gnutls_session_t session)
{
    unsigned int n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

    return chain != NULL && n > 0 ? g_bytes_new(chain[0].data, chain[0].size)
                                  : g_bytes_new(NULL, 0);
}

HpTlsVerdict *
hp_tls_judge(gnutls_session_t session, const char *host)
{
    HpTlsVerdict *verdict = g_new0(HpTlsVerdict, 1);
    const char *protocol = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
    char *description = gnutls_session_get_desc(session);
    unsigned int status = GNUTLS_CERT_INVALID;
    int done = gnutls_certificate_verify_peers3(session, host, &status);

    verdict->protocol = g_strdup(protocol != NULL ? protocol : "?");
    verdict->cipher = g_strdup(description != NULL ? description : "?");
    gnutls_free(description);
    verdict->leaf = leaf_of(session);
    verdict->trusted = done == GNUTLS_E_SUCCESS && status == 0 && host != NULL;
    if (done == GNUTLS_E_SUCCESS && status == 0 && host == NULL)
        verdict->problem = g_strdup(_("there is no name to check the certificate for"));
    else if (!verdict->trusted)
        verdict->problem = g_strdup(explain(status));
    return verdict;
}

void
hp_tls_verdict_free(HpTlsVerdict *self)
{
    g_free(self->protocol);
    g_free(self->cipher);
    g_free(self->problem);
    g_clear_pointer(&self->leaf, g_bytes_unref);
    g_free(self);
}
