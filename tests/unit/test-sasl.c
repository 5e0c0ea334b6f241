#include "hp-sasl.h"

#include <glib/gstdio.h>
#include <gsasl.h>

typedef struct {
    char *dir;              /* (owned) */
    HpDb *db;               /* (owned) */
    HpPasswords *passwords; /* (owned) */
    char *thunderbird;      /* (owned): a password */
    char *mutt;             /* (owned): another one */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    g_autofree char *path = NULL;
    HpDbSpec spec = { NULL, 0x48504157, migrations, "test-writer" };
    g_autoptr(GError) error = NULL;

    f->dir = g_dir_make_tmp("hauspost-test-XXXXXX", NULL);
    path = g_build_filename(f->dir, "queue.db", NULL);
    spec.path = path;
    f->db = hp_db_open(&spec, &error);
    g_assert_no_error(error);
    f->passwords = hp_passwords_open(f->db, &hp_clock_system, &error);
    g_assert_no_error(error);
    f->thunderbird = hp_passwords_new(f->passwords, "thunderbird", &error);
    f->mutt = hp_passwords_new(f->passwords, "mutt", &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "queue.db", "queue.db-wal", "queue.db-shm" };

    hp_passwords_close(f->passwords);
    hp_db_close(f->db);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(f->dir, files[i], NULL);

        g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->thunderbird);
    g_free(f->mutt);
}

static gboolean
knows_anna(const char *user, gpointer data)
{
    return g_ascii_strcasecmp(user, "anna@example.org") == 0;
}

static HpSaslServer *
begin(Fixture *f, const char *mechanism)
{
    HpSaslServer *sasl =
        hp_sasl_server_new(hp_slice_of(mechanism), f->passwords, knows_anna, NULL);

    g_assert_nonnull(sasl);
    return sasl;
}

static HpSaslStep
step(HpSaslServer *sasl, const char *response, const char *want_challenge)
{
    g_autofree char *challenge = NULL;
    HpSaslStep result = hp_sasl_server_step(sasl, hp_slice_of(response), &challenge);

    g_assert_cmpstr(challenge, ==, want_challenge);
    return result;
}

/* base64 of authzid NUL user NUL password, RFC 4616 §2 */
static char *
plain(const char *authorize, const char *user, const char *password)
{
    g_autoptr(GString) text = g_string_new(authorize);

    g_string_append_c(text, '\0');
    g_string_append(text, user);
    g_string_append_c(text, '\0');
    g_string_append(text, password);
    return g_base64_encode((const guchar *)text->str, text->len);
}

static char *
base64(const char *text)
{
    return g_base64_encode((const guchar *)text, strlen(text));
}

static void
plain_logs_in(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) at_once = begin(f, "plain");
    g_autoptr(HpSaslServer) asked = begin(f, "PLAIN");
    g_autofree char *first = plain("", "anna@example.org", f->thunderbird);
    g_autofree char *second = plain("anna@example.org", "ANNA@example.org", f->mutt);

    g_assert_cmpint(step(at_once, first, ""), ==, HP_SASL_DONE);
    g_assert_cmpstr(hp_sasl_server_credential(at_once), ==, "thunderbird");
    g_assert_cmpint(step(asked, NULL, ""), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(asked, second, ""), ==, HP_SASL_DONE);
    g_assert_cmpstr(hp_sasl_server_credential(asked), ==, "mutt");
}

static void
plain_refuses(Fixture *f, gconstpointer data)
{
    const char *const rows[][3] = {
        { "", "anna@example.org", "wrong" },
        { "", "anna@example.org", " " },
        { "", "bert@example.org", f->mutt },
        { "bert@example.org", "anna@example.org", f->mutt },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSaslServer) sasl = begin(f, "PLAIN");
        g_autofree char *response = plain(rows[i][0], rows[i][1], rows[i][2]);

        g_assert_cmpint(step(sasl, response, ""), ==, HP_SASL_FAILED);
        g_assert_null(hp_sasl_server_credential(sasl));
        g_assert_cmpuint(hp_sasl_server_failed_secret(sasl).len, ==,
                         strlen(rows[i][1]) + 1 + strlen(rows[i][2]));
    }
}

static void
revoked_fails(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) before = begin(f, "PLAIN");
    g_autoptr(HpSaslServer) after = begin(f, "PLAIN");
    g_autofree char *response = plain("", "anna@example.org", f->mutt);

    g_assert_cmpint(step(before, response, ""), ==, HP_SASL_DONE);
    g_assert_true(hp_passwords_revoke(f->passwords, "mutt", NULL));
    g_assert_cmpint(step(after, response, ""), ==, HP_SASL_FAILED);
}

/* Thunderbird compares the challenges with these words. */
static void
login_asks_with_these_words(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) sasl = begin(f, "LOGIN");
    g_autofree char *username = base64("Username:");
    g_autofree char *password = base64("Password:");
    g_autofree char *user = base64("anna@example.org");
    g_autofree char *right = base64(f->thunderbird);

    g_assert_cmpint(step(sasl, NULL, username), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(sasl, user, password), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(sasl, right, ""), ==, HP_SASL_DONE);
    g_assert_cmpstr(hp_sasl_server_credential(sasl), ==, "thunderbird");
}

static void
login_takes_the_name_at_once(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) sasl = begin(f, "LOGIN");
    g_autofree char *password = base64("Password:");
    g_autofree char *user = base64("anna@example.org");
    g_autofree char *wrong = base64("wrong");

    g_assert_cmpint(step(sasl, user, password), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(sasl, wrong, ""), ==, HP_SASL_FAILED);
}

static void
responses_are_strict(Fixture *f, gconstpointer data)
{
    static const char *const rows[] = {
        "*",     "AGE=x", "AGE",  "A===", "AG E", "AGE=\n",
        "AGF=!", "AGF=",  "====", "=",    "",     "A-E="
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSaslServer) sasl = begin(f, "PLAIN");

        g_assert_cmpint(step(sasl, rows[i], ""), ==, HP_SASL_MALFORMED);
    }
}

static void
responses_are_bounded(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) longest = begin(f, "LOGIN");
    g_autoptr(HpSaslServer) longer = begin(f, "LOGIN");
    g_autofree char *text = g_strnfill(HP_SASL_MAX_RESPONSE + 4, 'A');
    g_autofree char *challenge = base64("Password:");

    g_assert_cmpint(step(longer, text, ""), ==, HP_SASL_MALFORMED);
    text[HP_SASL_MAX_RESPONSE] = '\0';
    g_assert_cmpint(step(longest, text, challenge), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(longest, "AAAA", ""), ==, HP_SASL_MALFORMED); /* NULs in it */
}

static void
a_star_cancels(Fixture *f, gconstpointer data)
{
    static const char *const mechanisms[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256" };

    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        g_autoptr(HpSaslServer) sasl = begin(f, mechanisms[i]);
        g_autofree char *challenge = NULL;

        g_assert_cmpint(hp_sasl_server_step(sasl, (HpSlice){ NULL, 0 }, &challenge), ==,
                        HP_SASL_CONTINUE);
        g_assert_cmpint(step(sasl, "*", ""), ==, HP_SASL_CANCELLED);
    }
}

static void
unknown_mechanisms_are_null(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "", "CRAM-MD5", "PLAINX", "SCRAM-SHA-256-PLUS" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_null(
            hp_sasl_server_new(hp_slice_of(names[i]), f->passwords, knows_anna, NULL));
}

typedef struct {
    const char *const *answers; /* (unowned): %NULL at their end: the client has gone */
    guint asked;
} Talk;

static gboolean
answer(gpointer session, const char *challenge, HpSlice *ret_response)
{
    Talk *self = session;
    const char *text = self->answers[self->asked++];

    *ret_response = hp_slice_of(text != NULL ? text : "");
    return text != NULL;
}

static void
converses_to_the_end(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSaslServer) sasl = begin(f, "LOGIN");
    g_autoptr(HpSaslServer) cut = begin(f, "LOGIN");
    const char *const wrong[] = { "YW5uYUBleGFtcGxlLm9yZw==", "d3Jvbmc=", NULL };
    const char *const gone[] = { "YW5uYUBleGFtcGxlLm9yZw==", NULL };
    Talk whole = { wrong, 0 };
    Talk half = { gone, 0 };

    g_assert_cmpint(hp_sasl_server_converse(sasl, (HpSlice){ NULL, 0 }, answer, &whole),
                    ==, HP_SASL_FAILED);
    g_assert_cmpuint(whole.asked, ==, 2);
    g_assert_cmpint(hp_sasl_server_converse(cut, (HpSlice){ NULL, 0 }, answer, &half), ==,
                    HP_SASL_CONTINUE);
    g_assert_cmpuint(half.asked, ==, 2);
}

/* --- SCRAM against libgsasl's client -------------------------------------------------
 */

static int
client_answer(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    return GSASL_NO_CALLBACK;
}

/* One line of the client to the server and back; the client's code. */
static int
client_step(Gsasl_session *client, const char *challenge, char **ret_response)
{
    char *output = NULL;
    int code = gsasl_step64(client, challenge, &output);

    *ret_response = g_strdup(code == GSASL_OK || code == GSASL_NEEDS_MORE ? output : "*");
    gsasl_free(output);
    return code;
}

/* Plays the exchange; @ret_code is what the client thinks of the server. */
static HpSaslStep
play(HpSaslServer *sasl, Gsasl_session *client, int *ret_code)
{
    g_autofree char *challenge = NULL;
    HpSaslStep result = HP_SASL_CONTINUE;

    for (int i = 0; i < 5 && result == HP_SASL_CONTINUE; i++) {
        g_autofree char *response = NULL;

        *ret_code = client_step(client, challenge, &response);
        g_clear_pointer(&challenge, g_free);
        result = hp_sasl_server_step(sasl, hp_slice_of(response), &challenge);
    }
    return result;
}

static HpSaslStep
scram(Fixture *f, const char *user, const char *password, char **ret_name)
{
    g_autoptr(HpSaslServer) sasl = begin(f, "SCRAM-SHA-256");
    Gsasl *gsasl = NULL;
    Gsasl_session *client = NULL;
    HpSaslStep result = HP_SASL_FAILED;
    int code = 0;

    g_assert_cmpint(gsasl_init(&gsasl), ==, GSASL_OK);
    gsasl_callback_set(gsasl, client_answer);
    g_assert_cmpint(gsasl_client_start(gsasl, "SCRAM-SHA-256", &client), ==, GSASL_OK);
    gsasl_property_set(client, GSASL_AUTHID, user);
    gsasl_property_set(client, GSASL_PASSWORD, password);
    result = play(sasl, client, &code);
    if (result == HP_SASL_DONE)
        g_assert_cmpint(code, ==, GSASL_OK); /* the server proved itself too */
    *ret_name = g_strdup(hp_sasl_server_credential(sasl));
    gsasl_finish(client);
    gsasl_done(gsasl);
    return result;
}

static void
every_password_works_with_scram(Fixture *f, gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    g_assert_cmpint(scram(f, "anna@example.org", f->thunderbird, &first), ==,
                    HP_SASL_DONE);
    g_assert_cmpstr(first, ==, "thunderbird");
    g_assert_cmpint(scram(f, "anna@example.org", f->mutt, &second), ==, HP_SASL_DONE);
    g_assert_cmpstr(second, ==, "mutt");
}

static void
scram_refuses(Fixture *f, gconstpointer data)
{
    g_autofree char *name = NULL;

    g_assert_cmpint(scram(f, "anna@example.org", "wrong", &name), ==, HP_SASL_FAILED);
    g_assert_null(name);
    g_assert_cmpint(scram(f, "bert@example.org", f->mutt, &name), ==, HP_SASL_FAILED);
    g_assert_null(name);
    g_assert_true(hp_passwords_revoke(f->passwords, "mutt", NULL));
    g_assert_cmpint(scram(f, "anna@example.org", f->mutt, &name), ==, HP_SASL_FAILED);
    g_assert_null(name);
}

static void
scram_bears_junk(Fixture *f, gconstpointer data)
{
    static const char *const rows[] = { "n",
                                        "n,,",
                                        "n,,n=a",
                                        "n,,n=a,r=",
                                        ",,,,",
                                        "p=x,,n=a,r=b",
                                        "y,,n=anna@example.org,r=\xff" };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSaslServer) sasl = begin(f, "SCRAM-SHA-256");
        g_autofree char *first = base64(rows[i]);
        g_autofree char *second = base64("c=biws,r=x,p=AAAA");
        g_autofree char *challenge = NULL;
        HpSaslStep result = hp_sasl_server_step(sasl, hp_slice_of(first), &challenge);

        if (result != HP_SASL_CONTINUE)
            continue;
        g_clear_pointer(&challenge, g_free);
        result = hp_sasl_server_step(sasl, hp_slice_of(second), &challenge);
        g_assert_true(result == HP_SASL_FAILED || result == HP_SASL_MALFORMED);
    }
}

/* --- delays --------------------------------------------------------------------------
 */

static void
delays_grow(void)
{
    HpAuthDelay delay = { 0 };
    static const char *const secrets[] = { "u1", "u2", "u3", "u4", "u5" };

    for (guint i = 0; i < G_N_ELEMENTS(secrets); i++)
        g_assert_cmpuint(hp_auth_delay_fail(&delay, hp_slice_of(secrets[i]), 1), ==,
                         i * 1000);
    g_assert_cmpuint(delay.failures, ==, HP_AUTH_MAX_FAILURES);
    delay.failures = 40;
    g_assert_cmpuint(hp_auth_delay_fail(&delay, hp_slice_of("u6"), 1), ==, 15000);
}

/* PLAIN, LOGIN and the protocol's own command, tried one after the other. */
static void
three_mechanisms_are_one_failure(Fixture *f, gconstpointer data)
{
    HpAuthDelay delay = { 0 };
    g_autoptr(HpSaslServer) first = begin(f, "PLAIN");
    g_autoptr(HpSaslServer) second = begin(f, "LOGIN");
    g_autofree char *response = plain("", "anna@example.org", "wrong");
    g_autofree char *user = base64("anna@example.org");
    g_autofree char *wrong = base64("wrong");
    g_autofree char *challenge = base64("Password:");

    g_assert_cmpint(step(first, response, ""), ==, HP_SASL_FAILED);
    hp_auth_delay_fail(&delay, hp_sasl_server_failed_secret(first),
                       hp_sasl_server_method(first));
    g_assert_cmpint(step(second, user, challenge), ==, HP_SASL_CONTINUE);
    g_assert_cmpint(step(second, wrong, ""), ==, HP_SASL_FAILED);
    g_assert_cmpuint(hp_auth_delay_fail(&delay, hp_sasl_server_failed_secret(second),
                                        hp_sasl_server_method(second)),
                     ==, 0);
    g_assert_cmpuint(hp_auth_delay_fail(&delay,
                                        HP_SLICE_LITERAL("anna@example.org\0wrong"),
                                        HP_AUTH_METHOD_COMMAND),
                     ==, 0);
    g_assert_cmpuint(delay.failures, ==, 1);
    /* The same way again is a second mistake. */
    g_assert_cmpuint(hp_auth_delay_fail(&delay, hp_sasl_server_failed_secret(first),
                                        hp_sasl_server_method(first)),
                     ==, 1000);
    g_assert_cmpuint(hp_auth_delay_fail(&delay, (HpSlice){ NULL, 0 }, 1), ==, 2000);
    g_assert_cmpuint(hp_auth_delay_fail(&delay, (HpSlice){ NULL, 0 }, 1), ==, 3000);
}

#define ADD(path, run) g_test_add("/sasl/" path, Fixture, NULL, set_up, run, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("plain-logs-in", plain_logs_in);
    ADD("plain-refuses", plain_refuses);
    ADD("a-revoked-password-fails", revoked_fails);
    ADD("login-asks-with-these-words", login_asks_with_these_words);
    ADD("login-takes-the-name-at-once", login_takes_the_name_at_once);
    ADD("responses-are-strict-base64", responses_are_strict);
    ADD("responses-are-bounded", responses_are_bounded);
    ADD("a-star-cancels", a_star_cancels);
    ADD("unknown-mechanisms-are-null", unknown_mechanisms_are_null);
    ADD("every-password-works-with-scram", every_password_works_with_scram);
    ADD("scram-refuses", scram_refuses);
    ADD("scram-bears-junk", scram_bears_junk);
    ADD("three-mechanisms-are-one-failure", three_mechanisms_are_one_failure);
    ADD("converses-to-the-end", converses_to_the_end);
    g_test_add_func("/sasl/delays-grow", delays_grow);
    return g_test_run();
}
