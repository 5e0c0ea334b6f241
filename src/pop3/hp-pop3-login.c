/* STLS (RFC 2595), USER and PASS (RFC 1939 §7), AUTH (RFC 5034). */
#include "hp-pop3-session-private.h"

#include "hp-lines.h"
#include "hp-log.h"
#include "hp-pop3-command.h"

#include <glib/gi18n.h>
#include <string.h>

#define HANDSHAKE_USEC (30 * (gint64)G_USEC_PER_SEC)
#define RESPONSE_USEC  ((gint64)60 * G_USEC_PER_SEC)
#define MAX_FAILURES   12 /* refused logins: three ways for each password */

void
hp_pop3_cmd_stls(HpPop3Session *s, HpSlice args)
{
    g_autoptr(GError) error = NULL;

    if (s->options->tls == NULL || hp_channel_is_tls(s->channel)) {
        hp_pop3_error(s, _("TLS is on already, or not offered here."));
        return;
    }
    /* What was sent before the handshake would be taken for protected (RFC 3207 §4.2). */
    if (hp_channel_pending(s->channel) > 0) {
        hp_pop3_hang_up(s, NULL, _("Nothing may be sent together with STLS."));
        return;
    }
    hp_pop3_ok(s, _("Go ahead."));
    hp_pop3_set_timeout(s, HANDSHAKE_USEC);
    if (!hp_channel_start_tls_server(s->channel, s->options->tls, "pop3", &error)) {
        hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_INFO, "%s",
               error->message);
        s->state = HP_POP3_ENDED;
        return;
    }
    /* RFC 2595 §4: all that was said before is forgotten. */
    g_clear_pointer(&s->user, g_free);
    s->utf8 = FALSE;
    s->state = HP_POP3_FRESH;
}

/* Thunderbird shows the sentence, so it says what to change there. */
static gboolean
check_may_login(HpPop3Session *s)
{
    if (hp_pop3_may_login(s))
        return TRUE;
    hp_pop3_err(s, HP_POP3_SYS_PERM,
                _("Please switch on STARTTLS in your mail program: without it no login "
                  "is possible here."));
    return FALSE;
}

/* Whether there is such a user shows only together with the password. */
void
hp_pop3_cmd_user(HpPop3Session *s, HpSlice args)
{
    char *name = NULL;

    if (!check_may_login(s))
        return;
    if (!hp_pop3_parse_name(args, &name)) {
        hp_pop3_error(s, _("This is not a user name."));
        return;
    }
    g_free(s->user);
    s->user = name;
    s->state = HP_POP3_NAMED;
    hp_pop3_ok(s, _("Now the password."));
}

/* The wait is this connection's only; a stop of the daemon waits for it, so it is short
 * beside the time that has. */
static void
wait_out(HpPop3Session *s, guint delay_ms)
{
    if (delay_ms == 0)
        return;
    hp_channel_flush(s->channel, NULL);
    g_usleep(delay_ms * 1000ul);
}

static void
refuse_login(HpPop3Session *s, HpSlice secret, guint method)
{
    guint delay_ms = hp_auth_delay_fail(&s->delay, secret, method);

    s->failures++;
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_MESSAGE,
           "a login failed");
    if (s->delay.failures >= HP_AUTH_MAX_FAILURES || s->failures >= MAX_FAILURES) {
        hp_pop3_hang_up(s, HP_POP3_AUTH, _("Too many wrong passwords. Goodbye."));
        return;
    }
    wait_out(s, delay_ms);
    hp_pop3_err(s, HP_POP3_AUTH,
                _("User name or password are wrong. The user name is your mail address; "
                  "a new password is made with: hauspost password new NAME"));
}

static void
refuse_user_and_pass(HpPop3Session *s, const char *user, HpSlice password)
{
    g_autoptr(GString) secret = g_string_new(user);

    /* In the form of hp_sasl_server_failed_secret(): the same password by another way is
     * the same mistake. */
    g_string_append_c(secret, '\0');
    g_string_append_len(secret, password.data, (gssize)password.len);
    refuse_login(s, hp_slice_of_string(secret), HP_AUTH_METHOD_COMMAND);
    explicit_bzero(secret->str, secret->len);
}

void
hp_pop3_cmd_pass(HpPop3Session *s, HpSlice args)
{
    g_autofree char *user = g_steal_pointer(&s->user);
    g_autofree char *credential = NULL;
    g_autofree char *password = NULL;
    gboolean right = hp_pop3_parse_name(args, &password);

    s->state = HP_POP3_FRESH;
    /* Always checked, so that an unknown user takes as long as a wrong password. */
    right = hp_passwords_check(s->options->passwords,
                               right ? hp_slice_of(password) : args, &credential) &&
            right;
    if (right && s->options->knows_user(user, s->options->knows_data))
        hp_pop3_open_maildrop(s, credential);
    else
        refuse_user_and_pass(s, user, args);
    if (password != NULL)
        explicit_bzero(password, strlen(password));
}

/* Sends the challenge and reads the client's answer; %FALSE if there is none. */
static gboolean
ask(gpointer session, const char *challenge, HpSlice *ret_response)
{
    HpPop3Session *s = session;
    HpLineResult result;

    if (!hp_channel_printf(s->channel, NULL, "+ %s\r\n", challenge)) {
        s->state = HP_POP3_ENDED;
        return FALSE;
    }
    hp_pop3_set_timeout(s, RESPONSE_USEC);
    result = hp_lines_read(s->channel, HP_SASL_MAX_RESPONSE + 2, ret_response, NULL);
    if (result == HP_LINE_OK)
        return TRUE;
    if (result == HP_LINE_FAILED)
        hp_pop3_hang_up(s, NULL, _("Nothing came for too long. Goodbye."));
    else
        hp_pop3_error(s, _("This line is too long or not base64."));
    return FALSE;
}

static void
finish_exchange(HpPop3Session *s, const HpSaslServer *sasl, HpSaslStep step)
{
    if (step == HP_SASL_DONE)
        hp_pop3_open_maildrop(s, hp_sasl_server_credential(sasl));
    else if (step == HP_SASL_FAILED)
        refuse_login(s, hp_sasl_server_failed_secret(sasl), hp_sasl_server_method(sasl));
    else if (step == HP_SASL_CANCELLED)
        hp_pop3_error(s, _("The login was cancelled."));
    else if (step == HP_SASL_MALFORMED)
        hp_pop3_error(s, _("Your mail program did not follow the rules of this way to "
                           "log in. Try another one."));
}

/* Bare AUTH is no part of any RFC, but old mail programs ask so for the methods. */
static void
list_methods(HpPop3Session *s)
{
    g_auto(GStrv) methods = g_strsplit(HP_SASL_MECHANISMS, " ", -1);
    g_autofree char *lines = g_strjoinv("\r\n", methods);

    hp_pop3_ok(s, _("These are the ways to log in."));
    hp_pop3_write(s, hp_slice_of(lines));
    hp_pop3_write(s, HP_SLICE_LITERAL("\r\n.\r\n"));
}

/* "AUTH" SP mechanism [SP initial-response]; RFC 5034 §4 */
void
hp_pop3_cmd_auth(HpPop3Session *s, HpSlice args)
{
    g_autoptr(HpSaslServer) sasl = NULL;
    HpCursor c = hp_cursor_over(args);
    HpSlice mechanism = hp_cursor_take_until(&c, ' ');
    HpSlice response = { NULL, 0 };

    s->state = HP_POP3_FRESH; /* a USER before it is forgotten */
    g_clear_pointer(&s->user, g_free);
    if (!check_may_login(s))
        return;
    if (mechanism.len == 0) {
        list_methods(s);
        return;
    }
    sasl = hp_sasl_server_new(mechanism, s->options->passwords, s->options->knows_user,
                              s->options->knows_data);
    if (sasl == NULL) {
        hp_pop3_error(s,
                      _("This way to log in is not offered. Choose \"Normal password\" "
                        "in your mail program."));
        return;
    }
    if (hp_cursor_skip(&c, ' '))
        response = hp_cursor_rest(&c);
    finish_exchange(s, sasl, hp_sasl_server_converse(sasl, response, ask, s));
}
