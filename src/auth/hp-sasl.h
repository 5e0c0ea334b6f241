/* hp-sasl: one SASL exchange of a server: PLAIN and SCRAM-SHA-256 by libgsasl, LOGIN by
 * our own code, because the challenges that mail programs demand are not libgsasl's.
 *
 * Threads: an exchange belongs to its connection; HpAuthGate is shared by all.
 */
#pragma once

#include "hp-passwords.h"

typedef struct _HpSaslServer HpSaslServer;

/* Space-separated, in the order to announce: "PLAIN LOGIN SCRAM-SHA-256". */
#define HP_SASL_MECHANISMS "PLAIN LOGIN SCRAM-SHA-256"

/* User names accepted at login: any identity address (without ASCII case). */
typedef gboolean (*HpSaslKnowsUser)(const char *user, gpointer data);

typedef enum {
    HP_SASL_CONTINUE,  /* send the challenge, wait for the client */
    HP_SASL_DONE,      /* logged in */
    HP_SASL_FAILED,    /* wrong user or password */
    HP_SASL_CANCELLED, /* the client sent "*" */
    HP_SASL_MALFORMED, /* not base64, too long, or not what the mechanism says: SMTP 501
                        */
} HpSaslStep;

/* Longest response line in octets of base64 (RFC 4954 §4, without its CRLF). */
#define HP_SASL_MAX_RESPONSE 12288

/* %NULL if @mechanism (any case) is not ours. @passwords and @data outlive it. */
HpSaslServer *hp_sasl_server_new(HpSlice mechanism, HpPasswords *passwords,
                                 HpSaslKnowsUser knows_user, gpointer data);
void hp_sasl_server_free(HpSaslServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSaslServer, hp_sasl_server_free)

/**
 * hp_sasl_server_step:
 * @response: base64 as the client sent it; data %NULL at the start without an initial
 *    response, "=" for an empty initial one
 * @ret_challenge: (out) (transfer full): base64 for CONTINUE, may be ""; else ""
 *
 * Takes the client's next word. In a line that begins the exchange "*" cancels nothing
 * (RFC 4954 §4): it is malformed. SCRAM's last server message is one more challenge, to
 * which the client answers with an empty line, since neither SMTP nor POP3 has room for
 * it in the reply of success.
 *
 * A password is checked, and costs the same, whether or not the user is known.
 *
 * Returns: anything but CONTINUE ends the exchange
 */
HpSaslStep hp_sasl_server_step(HpSaslServer *self, HpSlice response,
                               char **ret_challenge);

/* Sends a challenge and reads what the client answers; %FALSE: it has not, and has been
 * told so. @ret_response lives until the next call. */
typedef gboolean (*HpSaslAsk)(gpointer session, const char *challenge,
                              HpSlice *ret_response);

/* hp_sasl_server_step() until it is no more CONTINUE, which is returned only if @ask has
 * failed. @initial: as its @response. */
HpSaslStep hp_sasl_server_converse(HpSaslServer *self, HpSlice initial, HpSaslAsk ask,
                                   gpointer session);

/* After DONE: name of the password that was used. */
const char *hp_sasl_server_credential(const HpSaslServer *self);

/* Ways to log in, as bits: those of hp_sasl_server_method(), and this one for the
 * protocol's own command (USER and PASS). */
#define HP_AUTH_METHOD_COMMAND (1u << 7)

/* The bit of the exchange's mechanism. */
guint hp_sasl_server_method(const HpSaslServer *self);

/* Counts failures of one connection and says how long to wait before answering the next
 * one. Mail programs try PLAIN, LOGIN and the protocol's own command with the same wrong
 * password: that is one failure. The same way with the same password again is another. */
typedef struct {
    guint failures;
    guint methods;   /* bits: tried with the last wrong secret */
    guint8 last[32]; /* digest of the last wrong secret, keyed per connection */
    guint8 key[32];
    gboolean keyed;
} HpAuthDelay;

/**
 * hp_auth_delay_fail:
 * @user_and_secret: user name, NUL and password; empty where it is not known (SCRAM)
 * @method: the bit of the way that was tried
 *
 * Returns: milliseconds to wait: 0, 1,000, 2,000 … at most 15,000; after
 *    %HP_AUTH_MAX_FAILURES failures the connection ends
 */
guint hp_auth_delay_fail(HpAuthDelay *self, HpSlice user_and_secret, guint method);
#define HP_AUTH_MAX_FAILURES 5

/* The secret that failed in the last step, for hp_auth_delay_fail(); empty for SCRAM. */
HpSlice hp_sasl_server_failed_secret(const HpSaslServer *self);
