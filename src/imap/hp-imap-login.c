/* STARTTLS, LOGIN and AUTHENTICATE (RFC 9051 §6.2, RFC 4959). */
#include "hp-imap-session-private.h"

#include "hp-lines.h"
#include "hp-log.h"

#include <glib/gi18n.h>
#include <string.h>

#define HANDSHAKE_USEC (30 * (gint64)G_USEC_PER_SEC)
#define RESPONSE_USEC  ((gint64)60 * G_USEC_PER_SEC)
#define MAX_FAILURES   12 /* refused logins: three ways for each password */

gboolean
hp_imap_cmd_starttls(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(GError) error = NULL;

    if (!hp_imap_take_end(args))
        return FALSE;
    if (s->options->tls == NULL || hp_channel_is_tls(s->channel)) {
        hp_imap_bad(s, _("TLS is on already, or not offered here."));
        return TRUE;
    }
    /* What was sent before the handshake would be taken for protected (RFC 3207 §4.2). */
    if (hp_channel_pending(s->channel) > 0) {
        hp_imap_bye(s, NULL, _("Nothing may be sent together with STARTTLS."));
        return TRUE;
    }
    hp_imap_ok(s, NULL, _("Go ahead."));
    hp_imap_set_timeout(s, HANDSHAKE_USEC);
    if (!hp_channel_start_tls_server(s->channel, s->options->tls, "imap", &error)) {
        hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_INFO, "%s",
               error->message);
        s->state = HP_IMAP_ENDED;
    }
    return TRUE;
}

/* Thunderbird shows the sentence, so it says what to change there. */
static gboolean
check_may_login(HpImapSession *s)
{
    if (hp_imap_may_login(s))
        return TRUE;
    hp_imap_no(s, "PRIVACYREQUIRED",
               _("Please switch on STARTTLS in your mail program: without it no login is "
                 "possible here."));
    return FALSE;
}

static void
let_in(HpImapSession *s, const char *credential)
{
    g_autofree char *list = NULL;
    g_autofree char *code = NULL;

    if (!hp_connection_login(s->connection, credential)) {
        hp_imap_bye(s, "LIMIT",
                    _("Too many connections at once. Close one of your mail programs, or "
                      "try again."));
        return;
    }
    s->state = HP_IMAP_LOGGED_IN;
    s->errors = 0;
    list = hp_imap_capabilities(s);
    code = g_strdup_printf("CAPABILITY %s", list);
    hp_imap_ok(s, code, _("Welcome."));
}

/* The wait is this connection's only; a stop of the daemon waits for it, so it is short
 * beside the time that has. */
static void
wait_out(HpImapSession *s, guint delay_ms)
{
    if (delay_ms == 0)
        return;
    hp_channel_flush(s->channel, NULL);
    g_usleep(delay_ms * 1000ul);
}

static void
refuse_login(HpImapSession *s, HpSlice secret, guint method)
{
    guint delay_ms = hp_auth_delay_fail(&s->delay, secret, method);

    s->failures++;
    hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_MESSAGE,
           "a login failed");
    if (s->delay.failures >= HP_AUTH_MAX_FAILURES || s->failures >= MAX_FAILURES) {
        hp_imap_no(s, "AUTHENTICATIONFAILED", _("Wrong again."));
        hp_imap_bye(s, NULL, _("Too many wrong passwords. Goodbye."));
        return;
    }
    wait_out(s, delay_ms);
    hp_imap_no(s, "AUTHENTICATIONFAILED",
               _("User name or password are wrong. The user name is your mail address; a "
                 "new password is made with: hauspost password new NAME"));
}

static void
forget(char *secret)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static void
refuse_user_and_password(HpImapSession *s, const char *user, const char *password)
{
    g_autoptr(GString) secret = g_string_new(user);

    /* In the form of hp_sasl_server_failed_secret(): the same password by another way is
     * the same mistake. */
    g_string_append_c(secret, '\0');
    g_string_append(secret, password);
    refuse_login(s, hp_slice_of_string(secret), HP_AUTH_METHOD_COMMAND);
    explicit_bzero(secret->str, secret->len);
}

static void
login(HpImapSession *s, const char *user, const char *password)
{
    g_autofree char *credential = NULL;
    /* Always checked, so that an unknown user takes as long as a wrong password. */
    gboolean right =
        hp_passwords_check(s->options->passwords, hp_slice_of(password), &credential);

    if (right && s->options->knows_user(user, s->options->knows_data))
        let_in(s, credential);
    else
        refuse_user_and_password(s, user, password);
}

/* login = "LOGIN" SP userid SP password */
gboolean
hp_imap_cmd_login(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *user = NULL;
    char *password = NULL;
    gboolean good = hp_imap_take_space(args) && hp_imap_take_astring(args, &user) &&
                    hp_imap_take_space(args) && hp_imap_take_astring(args, &password) &&
                    hp_imap_take_end(args);

    if (good && check_may_login(s))
        login(s, user, password);
    forget(password);
    explicit_bzero(s->command->str, s->command->len);
    return good;
}

/* --- AUTHENTICATE --------------------------------------------------------------------
 */

/* Sends the challenge and reads the client's answer; %FALSE if there is none. */
static gboolean
ask(gpointer session, const char *challenge, HpSlice *ret_response)
{
    HpImapSession *s = session;
    g_autoptr(GError) error = NULL;
    HpLineResult result;

    if (!hp_channel_printf(s->channel, NULL, "+ %s\r\n", challenge)) {
        s->state = HP_IMAP_ENDED;
        return FALSE;
    }
    hp_imap_set_timeout(s, RESPONSE_USEC);
    result = hp_lines_read(s->channel, HP_SASL_MAX_RESPONSE + 2, ret_response, &error);
    if (result == HP_LINE_OK)
        return TRUE;
    if (result == HP_LINE_FAILED)
        hp_imap_give_up(s, error);
    else
        hp_imap_bad(s, _("This line is too long or not base64."));
    return FALSE;
}

static void
finish_exchange(HpImapSession *s, const HpSaslServer *sasl, HpSaslStep step)
{
    if (step == HP_SASL_DONE)
        let_in(s, hp_sasl_server_credential(sasl));
    else if (step == HP_SASL_FAILED)
        refuse_login(s, hp_sasl_server_failed_secret(sasl), hp_sasl_server_method(sasl));
    else if (step == HP_SASL_CANCELLED)
        hp_imap_bad(s, _("The login was cancelled."));
    else if (step == HP_SASL_MALFORMED)
        hp_imap_bad(s, _("Your mail program did not follow the rules of this way to log "
                         "in. Try another one."));
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] */
gboolean
hp_imap_cmd_authenticate(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autoptr(HpSaslServer) sasl = NULL;
    HpSlice mechanism = { NULL, 0 };
    HpSlice response = { NULL, 0 };

    if (!hp_imap_take_space(args) || !hp_imap_take_atom(args, &mechanism))
        return FALSE;
    if (hp_imap_skip(args, ' '))
        response = hp_cursor_rest(&args->c);
    else if (!hp_imap_take_end(args))
        return FALSE;
    if (!check_may_login(s))
        return TRUE;
    sasl = hp_sasl_server_new(mechanism, s->options->passwords, s->options->knows_user,
                              s->options->knows_data);
    if (sasl == NULL)
        hp_imap_no(s, "CANNOT",
                   _("This way to log in is not offered. Choose \"Normal password\" in "
                     "your mail program."));
    else
        finish_exchange(s, sasl, hp_sasl_server_converse(sasl, response, ask, s));
    explicit_bzero(s->command->str, s->command->len);
    return TRUE;
}
