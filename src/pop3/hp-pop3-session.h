/* hp-pop3-session: the POP3 server: one conversation with a mail program on this computer
 * (RFC 1939, 2449, 2595, 3206, 5034, 6856).
 *
 * Threads: a session belongs to its connection's thread; the options are immutable and
 * shared by all.
 */
#pragma once

#include "hp-listener.h"
#include "hp-sasl.h"
#include "hp-store.h"

/* Given by the daemon; lives as long as the session. */
typedef struct {
    HpStore *store;             /* (unowned): INBOX is the maildrop */
    HpPasswords *passwords;     /* (unowned) */
    HpTlsIdentity *tls;         /* (unowned) (nullable): %NULL: no STLS */
    gboolean plaintext_allowed; /* login without TLS; the caller is on this computer */
    HpSaslKnowsUser knows_user;
    gpointer knows_data;  /* (unowned) (nullable): for @knows_user */
    gint64 retention_sec; /* how long collected mail may stay, 0: for ever */
} HpPop3Options;

/**
 * hp_pop3_serve:
 * @options: an #HpPop3Options
 *
 * Serves one connection to its end. DELE takes effect at QUIT and only there; what RETR
 * delivered whole is marked as collected at the end in any case. Its shape is that of
 * #HpService.
 */
void hp_pop3_serve(HpConnection *connection, gpointer options);

/* Says that there is no room for one more (-ERR [SYS/TEMP], RFC 3206). */
void hp_pop3_refuse(HpChannel *channel, gpointer options);
