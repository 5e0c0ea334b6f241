/* hp-imap-session: the IMAP server: one conversation with a mail program on this computer
 * (RFC 3501, RFC 9051 and the extensions that CAPABILITY names).
 *
 * Threads: a session belongs to its connection's thread; the options are immutable and
 * shared by all.
 */
#pragma once

#include "hp-clock.h"
#include "hp-listener.h"
#include "hp-outbox.h"
#include "hp-sasl.h"
#include "hp-store-mailboxes.h"

/* Given by the daemon; lives as long as the session. */
typedef struct {
    HpStore *store;             /* (unowned) */
    HpPasswords *passwords;     /* (unowned) */
    HpTlsIdentity *tls;         /* (unowned) (nullable): %NULL: no STARTTLS */
    const HpClock *clock;       /* (unowned) */
    gboolean plaintext_allowed; /* login without TLS; the caller is on this computer */
    HpSaslKnowsUser knows_user;
    gpointer knows_data;      /* (unowned) (nullable): for @knows_user */
    guint64 max_message_size; /* octets: APPENDLIMIT */
    HpOutbox outbox;          /* its mailbox is 0 if there is none */
    const char *admin; /* (unowned) (nullable): URI of whom to ask (RFC 5464 §3.2.1.1) */
} HpImapOptions;

/**
 * hp_imap_serve:
 * @options: an #HpImapOptions
 *
 * Serves one connection to its end, one command after the other. Its shape is that of
 * #HpService.
 */
void hp_imap_serve(HpConnection *connection, gpointer options);

/* Says that there is no room for one more (BYE). */
void hp_imap_refuse(HpChannel *channel, gpointer options);
