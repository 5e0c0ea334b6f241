/* hp-tls-internal: what a channel needs of an identity and of a trust.
 *
 * Threads: any.
 */
#pragma once

#include "hp-tls.h"

#include <gnutls/gnutls.h>

/* TLS 1.2 and 1.3, nothing that is broken or lacks forward secrecy; used on both sides.
 */
#define HP_TLS_PRIORITY                                                                  \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SAFE_RENEGOTIATION"

gnutls_certificate_credentials_t
hp_tls_identity_credentials(const HpTlsIdentity *identity);
gnutls_priority_t hp_tls_identity_priority(const HpTlsIdentity *identity);

/* Reads the system's CAs when it is called for the first time. */
gnutls_certificate_credentials_t hp_tls_trust_credentials(HpTlsTrust *trust);
gnutls_priority_t hp_tls_trust_priority(const HpTlsTrust *trust);

/* (transfer full): what the peer of @session showed. @host: (nullable). */
HpTlsVerdict *hp_tls_judge(gnutls_session_t session, const char *host);
