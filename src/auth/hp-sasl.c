#include "hp-sasl.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gsasl.h>

#define DELAY_STEP_MS 1000
#define DELAY_MAX_MS  15000

typedef enum {
    MECHANISM_PLAIN,
    MECHANISM_LOGIN,
    MECHANISM_SCRAM,
} Mechanism;

/* How far the exchange has come: what the client's next line is. */
typedef enum {
    PHASE_START,  /* the line that begins it, with an initial response or without */
    PHASE_FIRST,  /* PLAIN's only message, LOGIN's user name, SCRAM's first message */
    PHASE_SECOND, /* LOGIN's password, SCRAM's proof */
    PHASE_LAST,   /* nothing: it has read SCRAM's last message */
} Phase;

struct _HpSaslServer {
    Mechanism mechanism;
    Phase phase;
    HpPasswords *passwords;     /* (unowned) */
    HpSaslKnowsUser knows_user; /* (unowned) */
    gpointer knows_data;        /* (unowned) (nullable) */
    char *credential;           /* (owned) (nullable): name of the proved password */
    GString *input;             /* (owned): the decoded line; wiped after each step */
    GString *user;              /* (owned): LOGIN's */
    GString *secret;            /* (owned): user, NUL and password that failed */
    Gsasl *gsasl;               /* (owned) (nullable): its own, threads share none */
    Gsasl_session *session;     /* (owned) (nullable) */
    GString *auth_message;      /* (owned): SCRAM's AuthMessage as far as it has come */
    HpVerifier verifier;        /* SCRAM's: that of the proved password, or noise */
};

static const struct {
    const char *name;      /* (unowned) */
    const char *challenge; /* (unowned): the first one if there is no initial response */
    Mechanism mechanism;
} mechanisms[] = {
    { "PLAIN", "", MECHANISM_PLAIN },
    /* Mail programs look for exactly these words. */
    { "LOGIN", "Username:", MECHANISM_LOGIN },
    { "SCRAM-SHA-256", "", MECHANISM_SCRAM },
};

static void
wipe(GString *text)
{
    explicit_bzero(text->str, text->allocated_len);
    g_string_truncate(text, 0);
}

static char *
encode(const char *bytes, size_t len)
{
    /* GLib wants no NULL. */
    return len > 0 ? g_base64_encode((const guchar *)bytes, len) : g_strdup("");
}

/* Only the one spelling that an encoder makes (RFC 4954 §4: strict), bounded. */
static gboolean
decode(HpSlice base64, GString *ret_bytes)
{
    g_autofree char *text = NULL;
    g_autofree guchar *bytes = NULL;
    g_autofree char *again = NULL;
    gsize len = 0;
    gboolean same = FALSE;

    if (base64.len > HP_SASL_MAX_RESPONSE || base64.len % 4 != 0)
        return FALSE;
    if (base64.len == 0)
        return TRUE;
    text = hp_slice_dup(base64);
    bytes = g_base64_decode(text, &len);
    again = encode((const char *)bytes, len);
    same = hp_slice_equal(hp_slice_of(again), base64);
    if (same)
        g_string_append_len(ret_bytes, (const char *)bytes, (gssize)len);
    explicit_bzero(bytes, len);
    explicit_bzero(text, base64.len);
    explicit_bzero(again, strlen(again));
    return same;
}

/* --- PLAIN and LOGIN ------------------------------------------------------------- */

/* The password is checked for unknown users too, so that both take the same time. */
static gboolean
check_simple(HpSaslServer *self, const char *user, const char *authorize,
             HpSlice password)
{
    gboolean known = self->knows_user(user, self->knows_data);
    g_autofree char *name = NULL;
    gboolean right = hp_passwords_check(self->passwords, password, &name);

    if (authorize != NULL && *authorize != '\0')
        known = known && self->knows_user(authorize, self->knows_data);
    if (right && known) {
        self->credential = g_steal_pointer(&name);
        return TRUE;
    }
    g_string_assign(self->secret, user);
    g_string_append_c(self->secret, '\0');
    g_string_append_len(self->secret, password.data, (gssize)password.len);
    return FALSE;
}

static HpSaslStep
step_login(HpSaslServer *self, char **ret_challenge)
{
    if (self->phase == PHASE_FIRST) {
        g_string_append_len(self->user, self->input->str, (gssize)self->input->len);
        self->phase = PHASE_SECOND;
        *ret_challenge = encode("Password:", 9);
        return HP_SASL_CONTINUE;
    }
    *ret_challenge = g_strdup("");
    /* A NUL in the name would hide the rest of it. */
    if (strlen(self->user->str) != self->user->len)
        return HP_SASL_MALFORMED;
    return check_simple(self, self->user->str, NULL, hp_slice_of_string(self->input))
               ? HP_SASL_DONE
               : HP_SASL_FAILED;
}

/* --- SCRAM ----------------------------------------------------------------------- */

/* client-first-message = gs2-header client-first-message-bare, where the gs2-header has
 * two commas (RFC 5802 §7). */
static void
note_client_first(HpSaslServer *self)
{
    HpCursor c = hp_cursor_over(hp_slice_of_string(self->input));

    for (int i = 0; i < 2; i++) {
        hp_cursor_take_until(&c, ',');
        hp_cursor_skip(&c, ',');
    }
    g_string_append_len(self->auth_message, c.at, c.end - c.at);
    g_string_append_c(self->auth_message, ',');
}

/* Does this proof belong to that password? RFC 5802 §3: ClientKey := ClientProof XOR
 * HMAC(StoredKey, AuthMessage), and H(ClientKey) is StoredKey. */
static gboolean
is_proof_of(const HpVerifier *verifier, const guint8 proof[32],
            const GString *auth_message)
{
    guint8 key[32], digest[32];

    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, verifier->stored_key, 32, auth_message->str,
                         auth_message->len, key) != 0)
        return FALSE;
    for (int i = 0; i < 32; i++)
        key[i] ^= proof[i];
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, key, sizeof key, digest) != 0)
        return FALSE;
    explicit_bzero(key, sizeof key);
    return gnutls_memcmp(digest, verifier->stored_key, 32) == 0;
}

static void
choose_verifier(HpSaslServer *self, const guint8 proof[32])
{
    g_autoptr(GPtrArray) all = hp_passwords_verifiers(self->passwords);

    for (guint i = 0; i < all->len; i++) {
        const HpVerifier *verifier = g_ptr_array_index(all, i);

        if (!is_proof_of(verifier, proof, self->auth_message))
            continue;
        memcpy(self->verifier.stored_key, verifier->stored_key, 32);
        memcpy(self->verifier.server_key, verifier->server_key, 32);
        g_free(self->verifier.name);
        self->verifier.name = g_strdup(verifier->name);
    }
}

/* client-final-message = client-final-message-without-proof "," "p=" base64   RFC 5802
 * §7. libgsasl checks a proof against one verifier; which of the passwords it was is
 * found out here before, so that each of them works with the same user name. */
static void
note_client_final(HpSaslServer *self)
{
    const GString *in = self->input;
    size_t comma = in->len;
    g_autoptr(GString) proof = g_string_sized_new(64);

    while (comma > 0 && in->str[comma] != ',')
        comma--;
    if (in->len - comma < 3 || strncmp(in->str + comma, ",p=", 3) != 0)
        return;
    g_string_append_c(self->auth_message, ',');
    g_string_append_len(self->auth_message, in->str, (gssize)comma);
    if (decode((HpSlice){ in->str + comma + 3, in->len - comma - 3 }, proof) &&
        proof->len == 32)
        choose_verifier(self, (const guint8 *)proof->str);
}

static void
give_base64(Gsasl_session *session, Gsasl_property property, const guint8 *bytes,
            size_t len)
{
    g_autofree char *text = encode((const char *)bytes, len);

    gsasl_property_set(session, property, text);
}

static void
give_iterations(HpSaslServer *self, Gsasl_session *session)
{
    char text[16];

    g_snprintf(text, sizeof text, "%u", self->verifier.iterations);
    gsasl_property_set(session, GSASL_SCRAM_ITER, text);
}

/* Also sends an unknown user through the whole exchange. */
static int
validate_simple(HpSaslServer *self, Gsasl_session *session)
{
    const char *user = gsasl_property_fast(session, GSASL_AUTHID);
    const char *authorize = gsasl_property_fast(session, GSASL_AUTHZID);
    const char *password = gsasl_property_fast(session, GSASL_PASSWORD);

    if (user == NULL || password == NULL)
        return GSASL_AUTHENTICATION_ERROR;
    return check_simple(self, user, authorize, hp_slice_of(password))
               ? GSASL_OK
               : GSASL_AUTHENTICATION_ERROR;
}

static int
answer(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    HpSaslServer *self = gsasl_session_hook_get(session);

    if (property == GSASL_VALIDATE_SIMPLE)
        return validate_simple(self, session);
    if (property == GSASL_SCRAM_ITER)
        give_iterations(self, session);
    else if (property == GSASL_SCRAM_SALT)
        give_base64(session, property, self->verifier.salt, sizeof self->verifier.salt);
    else if (property == GSASL_SCRAM_STOREDKEY)
        give_base64(session, property, self->verifier.stored_key, 32);
    else if (property == GSASL_SCRAM_SERVERKEY)
        give_base64(session, property, self->verifier.server_key, 32);
    else
        return GSASL_NO_CALLBACK;
    return GSASL_OK;
}

static gboolean
may_be_scram_user(HpSaslServer *self)
{
    const char *user = gsasl_property_fast(self->session, GSASL_AUTHID);
    const char *authorize = gsasl_property_fast(self->session, GSASL_AUTHZID);

    return user != NULL && self->knows_user(user, self->knows_data) &&
           (authorize == NULL || *authorize == '\0' ||
            self->knows_user(authorize, self->knows_data));
}

/* libgsasl has found the proof right; the rest is ours. */
static HpSaslStep
finish_scram(HpSaslServer *self)
{
    if (self->verifier.name == NULL || !may_be_scram_user(self) ||
        !hp_passwords_note_use(self->passwords, self->verifier.name))
        return HP_SASL_FAILED;
    self->credential = g_strdup(self->verifier.name);
    self->phase = PHASE_LAST;
    return HP_SASL_CONTINUE;
}

/* --- libgsasl's mechanisms -------------------------------------------------------- */

static void
note_scram_input(HpSaslServer *self)
{
    if (self->phase == PHASE_FIRST)
        note_client_first(self);
    else
        note_client_final(self);
}

static HpSaslStep
judge(HpSaslServer *self, int code)
{
    if (code == GSASL_OK)
        return self->mechanism == MECHANISM_SCRAM ? finish_scram(self) : HP_SASL_DONE;
    if (code == GSASL_NEEDS_MORE && self->mechanism == MECHANISM_SCRAM) {
        self->phase = PHASE_SECOND;
        return HP_SASL_CONTINUE;
    }
    if (code == GSASL_MECHANISM_PARSE_ERROR)
        return HP_SASL_MALFORMED;
    return HP_SASL_FAILED;
}

static HpSaslStep
step_gsasl(HpSaslServer *self, char **ret_challenge)
{
    char *output = NULL;
    size_t len = 0;
    HpSaslStep result = HP_SASL_FAILED;
    int code = GSASL_OK;

    if (self->input->len == 0) {
        *ret_challenge = g_strdup("");
        return HP_SASL_MALFORMED; /* both begin with a word of the client */
    }
    if (self->mechanism == MECHANISM_SCRAM)
        note_scram_input(self);
    code = gsasl_step(self->session, self->input->str, self->input->len, &output, &len);
    if (code == GSASL_NEEDS_MORE)
        g_string_append_len(self->auth_message, output, (gssize)len);
    result = judge(self, code);
    *ret_challenge = encode(output, result == HP_SASL_CONTINUE ? len : 0);
    gsasl_free(output);
    return result;
}

static gboolean
start_gsasl(HpSaslServer *self, const char *mechanism)
{
    if (gsasl_init(&self->gsasl) != GSASL_OK)
        return FALSE;
    gsasl_callback_set(self->gsasl, answer);
    if (gsasl_server_start(self->gsasl, mechanism, &self->session) != GSASL_OK)
        return FALSE;
    gsasl_session_hook_set(self->session, self);
    return TRUE;
}

/* --- the exchange ---------------------------------------------------------------- */

HpSaslServer *
hp_sasl_server_new(HpSlice mechanism, HpPasswords *passwords, HpSaslKnowsUser knows_user,
                   gpointer data)
{
    g_autoptr(HpSaslServer) self = NULL;
    size_t i = 0;

    while (i < G_N_ELEMENTS(mechanisms) &&
           !hp_slice_equal_nocase(mechanism, mechanisms[i].name))
        i++;
    if (i == G_N_ELEMENTS(mechanisms))
        return NULL;
    self = g_new0(HpSaslServer, 1);
    self->mechanism = mechanisms[i].mechanism;
    self->passwords = passwords;
    self->knows_user = knows_user;
    self->knows_data = data;
    self->input = g_string_new(NULL);
    self->user = g_string_new(NULL);
    self->secret = g_string_new(NULL);
    self->auth_message = g_string_new(NULL);
    hp_passwords_common(passwords, self->verifier.salt, &self->verifier.iterations);
    /* Until a proof fits, a verifier that no password has. */
    if (gnutls_rnd(GNUTLS_RND_NONCE, self->verifier.stored_key, 32) != 0)
        return NULL;
    if (self->mechanism != MECHANISM_LOGIN && !start_gsasl(self, mechanisms[i].name))
        return NULL;
    return g_steal_pointer(&self);
}

void
hp_sasl_server_free(HpSaslServer *self)
{
    if (self->session != NULL)
        gsasl_finish(self->session);
    if (self->gsasl != NULL)
        gsasl_done(self->gsasl);
    wipe(self->input);
    wipe(self->secret);
    g_string_free(self->input, TRUE);
    g_string_free(self->user, TRUE);
    g_string_free(self->secret, TRUE);
    g_string_free(self->auth_message, TRUE);
    g_free(self->verifier.name);
    g_free(self->credential);
    g_free(self);
}

static const char *
first_challenge(Mechanism mechanism)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        if (mechanisms[i].mechanism == mechanism)
            return mechanisms[i].challenge;
    }
    return "";
}

static HpSaslStep
step_decoded(HpSaslServer *self, char **ret_challenge)
{
    if (self->phase == PHASE_START)
        self->phase = PHASE_FIRST;
    if (self->phase == PHASE_LAST) {
        *ret_challenge = g_strdup("");
        return self->input->len == 0 ? HP_SASL_DONE : HP_SASL_MALFORMED;
    }
    return self->mechanism == MECHANISM_LOGIN ? step_login(self, ret_challenge)
                                              : step_gsasl(self, ret_challenge);
}

HpSaslStep
hp_sasl_server_step(HpSaslServer *self, HpSlice response, char **ret_challenge)
{
    HpSaslStep result = HP_SASL_MALFORMED;
    gboolean at_start = self->phase == PHASE_START;

    if (at_start && response.data == NULL) {
        const char *challenge = first_challenge(self->mechanism);

        self->phase = PHASE_FIRST;
        *ret_challenge = encode(challenge, strlen(challenge));
        return HP_SASL_CONTINUE;
    }
    if (!at_start && hp_slice_equal(response, HP_SLICE_LITERAL("*"))) {
        *ret_challenge = g_strdup("");
        return HP_SASL_CANCELLED;
    }
    /* "=" stands for an empty initial response, which a bare space could not. */
    if (at_start && hp_slice_equal(response, HP_SLICE_LITERAL("=")))
        response.len = 0;
    if (decode(response, self->input))
        result = step_decoded(self, ret_challenge);
    else
        *ret_challenge = g_strdup("");
    wipe(self->input);
    return result;
}

HpSaslStep
hp_sasl_server_converse(HpSaslServer *self, HpSlice initial, HpSaslAsk ask,
                        gpointer session)
{
    HpSlice response = initial;

    for (;;) {
        g_autofree char *challenge = NULL;
        HpSaslStep step = hp_sasl_server_step(self, response, &challenge);

        if (step != HP_SASL_CONTINUE || !ask(session, challenge, &response))
            return step;
    }
}

const char *
hp_sasl_server_credential(const HpSaslServer *self)
{
    return self->credential;
}

guint
hp_sasl_server_method(const HpSaslServer *self)
{
    return 1u << self->mechanism;
}

HpSlice
hp_sasl_server_failed_secret(const HpSaslServer *self)
{
    return hp_slice_of_string(self->secret);
}

/* --- failures of a connection ----------------------------------------------------- */

/* %TRUE if it is the secret that failed last; remembers it, but only as a digest. */
static gboolean
is_repeated(HpAuthDelay *self, HpSlice user_and_secret)
{
    guint8 digest[32];
    gboolean same = FALSE;

    if (!self->keyed)
        self->keyed = gnutls_rnd(GNUTLS_RND_NONCE, self->key, sizeof self->key) == 0;
    if (user_and_secret.len == 0 ||
        gnutls_hmac_fast(GNUTLS_MAC_SHA256, self->key, sizeof self->key,
                         user_and_secret.data, user_and_secret.len, digest) != 0)
        return FALSE;
    same = self->failures > 0 && gnutls_memcmp(digest, self->last, sizeof digest) == 0;
    memcpy(self->last, digest, sizeof digest);
    return same;
}

guint
hp_auth_delay_fail(HpAuthDelay *self, HpSlice user_and_secret, guint method)
{
    if (is_repeated(self, user_and_secret) && (self->methods & method) == 0) {
        self->methods |= method;
        return 0;
    }
    self->methods = method;
    self->failures++;
    return MIN((self->failures - 1) * DELAY_STEP_MS, DELAY_MAX_MS);
}
