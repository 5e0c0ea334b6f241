/* hp-smtp-session: the SMTP submission server: one conversation with a mail program on
 * this computer (RFC 5321, 6409).
 *
 * Threads: a session belongs to its connection's thread; the options are immutable and
 * shared by all.
 */
#pragma once

#include "hp-channel.h"
#include "hp-clock.h"
#include "hp-identities.h"
#include "hp-intake.h"
#include "hp-listener.h"
#include "hp-passwords.h"

/* Given by the daemon; lives as long as the listener. */
typedef struct {
    HpIntake intake;
    HpPasswords *passwords; /* (unowned) (nullable): %NULL: no login with a password */
    HpTlsIdentity *tls;     /* (unowned) (nullable): %NULL: no STARTTLS */
    gboolean plaintext_allowed; /* login without TLS; the caller is on this computer */
    const HpClock *clock;       /* (unowned) */

    const char *hostname;  /* (unowned): in the greeting; addresses there are local */
    const char *user_name; /* (unowned) (nullable): for a message that has no From */
    HpIdentities
        *identities; /* (unowned): whose they are: senders, names at login, INBOX */

    guint64 max_message_size; /* octets */
    guint max_recipients;     /* of one message */
} HpSmtpServerOptions;

/**
 * hp_smtp_serve:
 * @options: an #HpSmtpServerOptions
 *
 * Serves one connection to its end. A Unix socket's peer is logged in by its uid. Its
 * shape is that of #HpService.
 */
void hp_smtp_serve(HpConnection *connection, gpointer options);

/* Says that there is no room for one more (421 4.3.2). */
void hp_smtp_refuse(HpChannel *channel, gpointer options);

/* Who is at the other end, for tests and for servers without a listener. */
typedef struct {
    const char *id;        /* (unowned): for logs */
    gboolean local_socket; /* logged in by its uid */
    gboolean implicit_tls; /* TLS begins before the greeting */
    /* Counts the session among those that are logged in; %FALSE: too many. */
    gboolean (*login)(gpointer data, const char *credential);
    gpointer data; /* (unowned) (nullable): for @login */
} HpSmtpCaller;

/* hp_smtp_serve() on any channel; the channel is not closed. */
void hp_smtp_converse(HpChannel *channel, const HpSmtpServerOptions *options,
                      const HpSmtpCaller *caller);
