/* STARTTLS (RFC 3207) and AUTH (RFC 4954). */
#include "hp-smtp-session-private.h"

#include "hp-lines.h"
#include "hp-log.h"

#include <glib/gi18n.h>

#define HANDSHAKE_USEC (30 * (gint64)G_USEC_PER_SEC)
#define RESPONSE_USEC  (300 * (gint64)G_USEC_PER_SEC)
#define MAX_FAILURES   12 /* answers of 535: three mechanisms for each password */

void
hp_smtp_cmd_starttls(HpSmtpSession *s, HpSlice args)
{
    g_autoptr(GError) error = NULL;

    if (s->options->tls == NULL || s->caller.local_socket ||
        hp_channel_is_tls(s->channel)) {
        hp_smtp_error(s, 503, "5.5.1", _("TLS is on already, or not offered here."));
        return;
    }
    /* What was sent before the handshake would be taken for protected (RFC 3207 §4.2). */
    if (hp_channel_pending(s->channel) > 0) {
        hp_smtp_hang_up(s, "4.7.0", _("Nothing may be sent together with STARTTLS."));
        return;
    }
    hp_smtp_reply(s, 220, "2.0.0", _("Go ahead."));
    hp_smtp_set_timeout(s, HANDSHAKE_USEC);
    if (!hp_channel_flush(s->channel, &error) ||
        !hp_channel_start_tls_server(s->channel, s->options->tls, "smtp", &error)) {
        hp_log("smtp", s->caller.id, G_LOG_LEVEL_INFO, "%s", error->message);
        s->state = HP_SMTP_ENDED;
        return;
    }
    hp_smtp_reset_transaction(s);
    s->state = HP_SMTP_FRESH; /* all that was said before is forgotten (§4.2) */
}

/* From here on only the session's messages are bounded, each for itself. */
void
hp_smtp_note_login(HpSmtpSession *s, const char *credential)
{
    if (!s->caller.login(s->caller.data, credential)) {
        hp_smtp_hang_up(s, "4.3.2",
                        _("Too many mail programs are logged in. Close one, then try "
                          "again."));
        return;
    }
    s->credential = g_strdup(credential);
    s->errors = 0;
    hp_channel_set_budget(s->channel, G_MAXSIZE);
    if (s->state != HP_SMTP_FRESH)
        s->state = HP_SMTP_READY;
}

/* The wait is this connection's only (design: failures delay nobody else), and it is not
 * cut short by what the client sends meanwhile. At most 4 s. */
static void
wait_out(HpSmtpSession *s, guint delay_ms)
{
    if (delay_ms == 0)
        return;
    hp_channel_flush(s->channel, NULL);
    g_usleep(delay_ms * 1000ul);
}

static void
refuse_login(HpSmtpSession *s, const HpSaslServer *sasl)
{
    guint delay_ms = hp_auth_delay_fail(&s->delay, hp_sasl_server_failed_secret(sasl),
                                        hp_sasl_server_method(sasl));

    s->failures++;
    hp_log("smtp", s->caller.id, G_LOG_LEVEL_MESSAGE, "a login failed");
    if (s->delay.failures >= HP_AUTH_MAX_FAILURES || s->failures >= MAX_FAILURES) {
        hp_smtp_hang_up(s, "4.7.0", _("Too many wrong passwords. Goodbye."));
        return;
    }
    wait_out(s, delay_ms);
    hp_smtp_reply(
        s, 535, "5.7.8",
        _("User name or password are wrong. The user name is your mail address; "
          "a new password is made with: hauspost password new NAME"));
}

static void
finish_login(HpSmtpSession *s, const HpSaslServer *sasl)
{
    const char *credential = hp_sasl_server_credential(sasl);

    hp_smtp_note_login(s, credential);
    if (s->state != HP_SMTP_READY)
        return;
    hp_log("smtp", s->caller.id, G_LOG_LEVEL_INFO, "%s logged in", credential);
    hp_smtp_reply(s, 235, "2.7.0", _("Welcome."));
}

static void
finish_exchange(HpSmtpSession *s, const HpSaslServer *sasl, HpSaslStep step)
{
    if (step == HP_SASL_DONE)
        finish_login(s, sasl);
    else if (step == HP_SASL_FAILED)
        refuse_login(s, sasl);
    else if (step == HP_SASL_CANCELLED)
        hp_smtp_error(s, 501, "5.7.0", _("The login was cancelled."));
    else if (step == HP_SASL_MALFORMED)
        hp_smtp_error(s, 501, "5.5.2",
                      _("Your mail program did not follow the rules of this way to log "
                        "in. Try another one."));
}

/* Sends the challenge and reads the client's answer; %FALSE if there is none. */
static gboolean
ask(gpointer session, const char *challenge, HpSlice *ret_response)
{
    HpSmtpSession *s = session;
    HpLineResult result = HP_LINE_FAILED;

    if (!hp_channel_printf(s->channel, NULL, "334 %s\r\n", challenge)) {
        s->state = HP_SMTP_ENDED;
        return FALSE;
    }
    hp_smtp_set_timeout(s, RESPONSE_USEC);
    result = hp_lines_read(s->channel, HP_SASL_MAX_RESPONSE + 2, ret_response, NULL);
    if (result == HP_LINE_OK)
        return TRUE;
    if (result == HP_LINE_FAILED)
        hp_smtp_hang_up(s, "4.4.2", _("Nothing came for too long. Goodbye."));
    else
        hp_smtp_error(s, 500, "5.5.6", _("This line is too long or not base64."));
    return FALSE;
}

static gboolean
knows_user(const char *user, gpointer identities)
{
    return hp_identities_allows_text(identities, hp_slice_of(user));
}

/* "AUTH" SP sasl-mech [SP initial-response]                              RFC 4954 §4 */
void
hp_smtp_cmd_auth(HpSmtpSession *s, HpSlice args)
{
    HpCursor c = hp_cursor_over(args);
    HpSlice mechanism = hp_cursor_take_until(&c, ' ');
    HpSlice response = { NULL, 0 };
    g_autoptr(HpSaslServer) sasl = NULL;

    if (!hp_smtp_may_login(s)) {
        hp_smtp_error(s, 538, "5.7.11",
                      _("Please switch on STARTTLS in your mail program: without it no "
                        "login is possible here."));
        return;
    }
    if (hp_cursor_skip(&c, ' '))
        response = hp_cursor_rest(&c);
    sasl = hp_sasl_server_new(mechanism, s->options->passwords, knows_user,
                              s->options->identities);
    if (sasl == NULL) {
        hp_smtp_error(s, 504, "5.5.4",
                      _("This login method is not offered. Choose \"normal password\" in "
                        "your mail program."));
        return;
    }
    finish_exchange(s, sasl, hp_sasl_server_converse(sasl, response, ask, s));
}
