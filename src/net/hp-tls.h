/* hp-tls: certificates: our own on localhost, and what to think of those of others.
 *
 * Threads: HpTlsIdentity and HpTlsTrust are immutable once made; share them.
 */
#pragma once

#include "hp-slice.h"

#define HP_TLS_ERROR (hp_tls_error_quark())
GQuark hp_tls_error_quark(void);
typedef enum {
    HP_TLS_ERROR_FAILED,
} HpTlsError;

typedef struct _HpTlsIdentity HpTlsIdentity; /* a certificate with its key */
typedef struct _HpTlsTrust HpTlsTrust;       /* the CAs of this system; counted */

/**
 * hp_tls_identity_ensure:
 * @dir_fd: private folder; holds certificate.pem and key.pem
 * @error: #HP_TLS_ERROR or #G_FILE_ERROR
 *
 * Loads the certificate of this installation, or makes it: an ECDSA P-256 leaf, CA:FALSE,
 * SAN 127.0.0.1, ::1 and localhost, extended key usage serverAuth, valid for 10 years.
 * Never a CA.
 *
 * Returns: (transfer full) (nullable)
 */
HpTlsIdentity *hp_tls_identity_ensure(int dir_fd, GError **error);
void hp_tls_identity_free(HpTlsIdentity *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpTlsIdentity, hp_tls_identity_free)

/* SHA-256 of the certificate, "AB:CD:…"; and its last moment in wall microseconds. */
char *hp_tls_identity_fingerprint(const HpTlsIdentity *self);
gint64 hp_tls_identity_expires_usec(const HpTlsIdentity *self);
char *hp_tls_identity_pem(const HpTlsIdentity *self);

/* @ca_file: (nullable): PEM file to trust instead of the system's store (tests). */
HpTlsTrust *hp_tls_trust_new(const char *ca_file, GError **error);
HpTlsTrust *hp_tls_trust_ref(HpTlsTrust *self);
void hp_tls_trust_unref(HpTlsTrust *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpTlsTrust, hp_tls_trust_unref)

/* What a server showed in the handshake. */
typedef struct {
    char *protocol;   /* (owned): "TLS1.3" */
    char *cipher;     /* (owned): GnuTLS's description of the session */
    gboolean trusted; /* chain ends at a CA we know, in time, and the name matches */
    char *problem;    /* (owned) (nullable): why not trusted, one sentence */
    GBytes *leaf;     /* (owned): the peer's certificate, DER */
} HpTlsVerdict;
void hp_tls_verdict_free(HpTlsVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpTlsVerdict, hp_tls_verdict_free)
