#include "hp-passwords.h"

#include "hp-lock.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#define ITERATIONS    4096 /* RFC 7677 §4: the least; the secret is random, not chosen */
#define NAME_MAX_LEN  32
#define SHOWN_OF_NAME 40 /* characters of what is not a name, in the message about it */
#define GROUPS        5
#define GROUP_LEN     6 /* characters of 5 bits each: 150 bits in all */
#define DAY_USEC      (86400 * (gint64)G_USEC_PER_SEC)

typedef struct {
    HpVerifier verifier;
    gint64 created_usec;
    gint64 last_used_usec; /* the beginning of the day; 0 if never */
    gboolean proved;       /* @proof is set */
    guint8 proof[32];      /* HMAC of the password under proof_key */
} Entry;

struct _HpPasswords {
    HpDb *db;             /* (unowned) */
    const HpClock *clock; /* (unowned) */
    guint8 proof_key[32]; /* of this start; immutable */
    guint8 salt[16];      /* immutable */
    guint iterations;     /* immutable */
    HpLock lock;
    GPtrArray *entries; /* (owned): Entry; guarded by lock */
};

G_DEFINE_QUARK(hp_auth_error, hp_auth_error)

static gboolean
fail(GError **error, HpAuthError code, const char *problem, const char *name)
{
    g_autofree char *shown = hp_text_printable(hp_slice_of(name), SHOWN_OF_NAME);

    g_set_error(error, HP_AUTH_ERROR, (int)code, "%s: %s", problem, shown);
    return FALSE;
}

static void
entry_free(gpointer data)
{
    Entry *self = data;

    g_free(self->verifier.name);
    explicit_bzero(self, sizeof *self);
    g_free(self);
}

void
hp_verifier_free(HpVerifier *self)
{
    g_free(self->name);
    explicit_bzero(self, sizeof *self);
    g_free(self);
}

static void
free_verifier(gpointer data)
{
    hp_verifier_free(data);
}

void
hp_password_info_free(HpPasswordInfo *self)
{
    g_free(self->name);
    g_free(self);
}

static void
free_info(gpointer data)
{
    hp_password_info_free(data);
}

static void
random_bytes(guint8 *bytes, size_t len)
{
    if (gnutls_rnd(GNUTLS_RND_KEY, bytes, len) != 0)
        g_error("the system has no random numbers"); /* nocheck: nothing is safe then */
}

static void
hmac(const guint8 key[32], HpSlice bytes, guint8 ret_mac[32])
{
    int code =
        gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, 32, bytes.data, bytes.len, ret_mac);

    g_assert(code == 0);
}

/* SaltedPassword := Hi(password, salt, i); StoredKey := H(HMAC(SaltedPassword, "Client
 * Key")); ServerKey := HMAC(SaltedPassword, "Server Key").              RFC 5802 §3 */
void
hp_verifier_compute(HpVerifier *self, HpSlice password)
{
    /* GnuTLS takes no empty key; HMAC pads keys with zeros, so one NUL is the same. */
    HpSlice used = password.len > 0 ? password : (HpSlice){ "", 1 };
    gnutls_datum_t salt = { self->salt, sizeof self->salt };
    guint8 salted[32], client_key[32];
    guint8 *copy = g_memdup2(used.data, used.len); /* GnuTLS wants no const */
    gnutls_datum_t key = { copy, (unsigned)used.len };
    int code = gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &salt, self->iterations, salted,
                             sizeof salted);

    g_assert(code == 0);
    hmac(salted, HP_SLICE_LITERAL("Client Key"), client_key);
    code = gnutls_hash_fast(GNUTLS_DIG_SHA256, client_key, sizeof client_key,
                            self->stored_key);
    g_assert(code == 0);
    hmac(salted, HP_SLICE_LITERAL("Server Key"), self->server_key);
    explicit_bzero(copy, used.len);
    g_free(copy);
    explicit_bzero(salted, sizeof salted);
    explicit_bzero(client_key, sizeof client_key);
}

/* --- the database --------------------------------------------------------------- */

static gboolean
work_create(HpDbConn *conn, gpointer data, GError **error)
{
    HpPasswords *self = data;

    return hp_db_run(conn, error,
                     "CREATE TABLE IF NOT EXISTS password (name TEXT PRIMARY KEY,"
                     " created INTEGER NOT NULL, last_used INTEGER NOT NULL,"
                     " stored_key BLOB NOT NULL, server_key BLOB NOT NULL)",
                     "") &&
           hp_db_run(conn, error,
                     "CREATE TABLE IF NOT EXISTS password_salt (id INTEGER PRIMARY KEY"
                     " CHECK (id = 1), salt BLOB NOT NULL, iterations INTEGER NOT NULL)",
                     "") &&
           hp_db_run(conn, error,
                     "INSERT OR IGNORE INTO password_salt VALUES (1, ?1, ?2)", "bi",
                     (HpSlice){ (const char *)self->salt, sizeof self->salt },
                     (gint64)ITERATIONS);
}

/* A blob of another size is a damaged row. */
static gboolean
take_blob(HpDbStmt *stmt, int column, guint8 *ret_bytes, size_t len)
{
    HpSlice blob = hp_db_blob(stmt, column);

    if (blob.len != len)
        return FALSE;
    memcpy(ret_bytes, blob.data, len);
    return TRUE;
}

static gboolean
load_salt(HpPasswords *self, HpDbConn *conn, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT salt, iterations FROM password_salt WHERE id = 1", "");

    if (!hp_db_step(stmt, error)) {
        if (error == NULL || *error == NULL)
            g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED,
                        "the salt of the passwords is missing");
        return FALSE;
    }
    self->iterations = (guint)CLAMP(hp_db_int(stmt, 1), ITERATIONS, 1000000);
    if (!take_blob(stmt, 0, self->salt, sizeof self->salt)) {
        g_set_error(error, HP_DB_ERROR, HP_DB_ERROR_FAILED,
                    "the salt of the passwords is damaged");
        return FALSE;
    }
    hp_db_reset(stmt);
    return TRUE;
}

static Entry *
entry_new(HpPasswords *self, const char *name)
{
    Entry *entry = g_new0(Entry, 1);

    entry->verifier.name = g_strdup(name);
    entry->verifier.iterations = self->iterations;
    memcpy(entry->verifier.salt, self->salt, sizeof self->salt);
    return entry;
}

static gboolean
load_entries(HpPasswords *self, HpDbConn *conn, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT name, created, last_used, stored_key,"
                                 " server_key FROM password ORDER BY name",
                                 "");
    GError *problem = NULL;

    while (hp_db_step(stmt, &problem)) {
        Entry *entry = entry_new(self, hp_db_text(stmt, 0));

        entry->created_usec = hp_db_int(stmt, 1);
        entry->last_used_usec = hp_db_int(stmt, 2);
        if (take_blob(stmt, 3, entry->verifier.stored_key, 32) &&
            take_blob(stmt, 4, entry->verifier.server_key, 32))
            g_ptr_array_add(self->entries, entry);
        else
            entry_free(entry);
    }
    if (problem == NULL)
        return TRUE;
    g_propagate_error(error, problem);
    return FALSE;
}

static gboolean
load(HpPasswords *self, GError **error)
{
    g_autoptr(HpDbConn) conn = NULL;

    if (!hp_db_write(self->db, work_create, self, error))
        return FALSE;
    conn = hp_db_lease(self->db);
    return load_salt(self, conn, error) && load_entries(self, conn, error);
}

HpPasswords *
hp_passwords_open(HpDb *db, const HpClock *clock, GError **error)
{
    HpPasswords *self = g_new0(HpPasswords, 1);

    self->db = db;
    self->clock = clock;
    self->entries = g_ptr_array_new_with_free_func(entry_free);
    hp_lock_init(&self->lock);
    random_bytes(self->proof_key, sizeof self->proof_key);
    random_bytes(self->salt, sizeof self->salt);
    if (load(self, error))
        return self;
    hp_passwords_close(self);
    return NULL;
}

void
hp_passwords_close(HpPasswords *self)
{
    g_ptr_array_unref(self->entries);
    hp_lock_clear(&self->lock);
    explicit_bzero(self, sizeof *self);
    g_free(self);
}

/* --- looking --------------------------------------------------------------------- */

/* With the lock held. */
static Entry *
find(HpPasswords *self, const char *name)
{
    for (guint i = 0; i < self->entries->len; i++) {
        Entry *entry = g_ptr_array_index(self->entries, i);

        if (g_strcmp0(entry->verifier.name, name) == 0)
            return entry;
    }
    return NULL;
}

typedef struct {
    const char *name;   /* (unowned) */
    const Entry *entry; /* (unowned) (nullable) */
    gint64 day_usec;
} Change;

static gboolean
work_used(HpDbConn *conn, gpointer data, GError **error)
{
    const Change *change = data;

    return hp_db_run(conn, error, "UPDATE password SET last_used = ?2 WHERE name = ?1",
                     "si", change->name, change->day_usec);
}

/* Sets the day; %TRUE if it is a new one, which the database does not know yet. */
static gboolean
touch(HpPasswords *self, const char *name, gint64 day_usec, gboolean *ret_known)
{
    HP_LOCKED(&self->lock);
    Entry *entry = find(self, name);
    gboolean is_new = entry != NULL && entry->last_used_usec != day_usec;

    *ret_known = entry != NULL;
    if (is_new)
        entry->last_used_usec = day_usec;
    return is_new;
}

gboolean
hp_passwords_note_use(HpPasswords *self, const char *name)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    Change change = { .name = name, .day_usec = now - now % DAY_USEC };
    gboolean known = FALSE;

    /* A date that could not be kept is no reason to refuse a login. */
    if (touch(self, name, change.day_usec, &known))
        hp_db_write(self->db, work_used, &change, NULL);
    return known;
}

/* Constant time: looks at all of them. */
static char *
find_proved(HpPasswords *self, const guint8 proof[32])
{
    HP_LOCKED(&self->lock);
    const char *found = NULL;

    for (guint i = 0; i < self->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(self->entries, i);

        if (entry->proved && gnutls_memcmp(entry->proof, proof, 32) == 0)
            found = entry->verifier.name;
    }
    return g_strdup(found);
}

/* The same, by the verifier; remembers the proof. */
static char *
find_verified(HpPasswords *self, const HpVerifier *computed, const guint8 proof[32])
{
    HP_LOCKED(&self->lock);
    Entry *found = NULL;

    for (guint i = 0; i < self->entries->len; i++) {
        Entry *entry = g_ptr_array_index(self->entries, i);

        if (gnutls_memcmp(entry->verifier.stored_key, computed->stored_key, 32) == 0)
            found = entry;
    }
    if (found == NULL)
        return NULL;
    found->proved = TRUE;
    memcpy(found->proof, proof, 32);
    return g_strdup(found->verifier.name);
}

gboolean
hp_passwords_check(HpPasswords *self, HpSlice password, char **ret_name)
{
    g_autofree char *name = NULL;
    guint8 proof[32];

    hmac(self->proof_key, password, proof);
    name = find_proved(self, proof);
    if (name == NULL) {
        HpVerifier computed = { .iterations = self->iterations };

        memcpy(computed.salt, self->salt, sizeof self->salt);
        hp_verifier_compute(&computed, password);
        name = find_verified(self, &computed, proof);
    }
    if (name == NULL || !hp_passwords_note_use(self, name))
        return FALSE;
    *ret_name = g_steal_pointer(&name);
    return TRUE;
}

GPtrArray *
hp_passwords_verifiers(HpPasswords *self)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_verifier);
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(self->entries, i);
        HpVerifier *copy = g_new0(HpVerifier, 1);

        *copy = entry->verifier;
        copy->name = g_strdup(entry->verifier.name);
        g_ptr_array_add(list, copy);
    }
    return list;
}

void
hp_passwords_common(HpPasswords *self, guint8 ret_salt[16], guint *ret_iterations)
{
    memcpy(ret_salt, self->salt, sizeof self->salt);
    *ret_iterations = self->iterations;
}

static int
compare_info(gconstpointer a, gconstpointer b)
{
    const HpPasswordInfo *const *left = a;
    const HpPasswordInfo *const *right = b;

    return g_strcmp0((*left)->name, (*right)->name);
}

GPtrArray *
hp_passwords_list(HpPasswords *self, GError **error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_info);
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(self->entries, i);
        HpPasswordInfo *info = g_new0(HpPasswordInfo, 1);

        info->name = g_strdup(entry->verifier.name);
        info->created_usec = entry->created_usec;
        info->last_used_usec = entry->last_used_usec;
        g_ptr_array_add(list, info);
    }
    g_ptr_array_sort(list, compare_info);
    return list;
}

/* --- changing -------------------------------------------------------------------- */

static gboolean
is_name_byte(unsigned char b)
{
    return g_ascii_islower(b) || g_ascii_isdigit(b) || b == '.' || b == '_' || b == '-';
}

static gboolean
check_name(const char *name, GError **error)
{
    HpCursor c = hp_cursor_over(hp_slice_of(name));
    size_t len = hp_cursor_take(&c, is_name_byte).len;

    if (len >= 1 && len <= NAME_MAX_LEN && hp_cursor_at_end(&c))
        return TRUE;
    return fail(
        error, HP_AUTH_ERROR_NAME,
        _("a name is 1 to 32 small letters, digits, dots, dashes and underscores"), name);
}

static char *
make_password(void)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's */
    guint8 bytes[GROUPS * GROUP_LEN];
    GString *text = g_string_sized_new(64);

    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i > 0 && i % GROUP_LEN == 0)
            g_string_append_c(text, '-');
        g_string_append_c(text, alphabet[bytes[i] % 32]);
    }
    explicit_bzero(bytes, sizeof bytes);
    return g_string_free(text, FALSE);
}

static HpSlice
key_slice(const guint8 key[32])
{
    return (HpSlice){ (const char *)key, 32 };
}

static gboolean
work_insert(HpDbConn *conn, gpointer data, GError **error)
{
    const Entry *entry = data;
    const HpVerifier *v = &entry->verifier;

    return hp_db_run(conn, error, "INSERT INTO password VALUES (?1, ?2, 0, ?3, ?4)",
                     "sibb", v->name, entry->created_usec, key_slice(v->stored_key),
                     key_slice(v->server_key));
}

static gboolean
changed_one(HpDbConn *conn, const char *name, GError **error)
{
    if (hp_db_changes(conn) == 1)
        return TRUE;
    return fail(error, HP_AUTH_ERROR_NOT_FOUND, _("there is no password of that name"),
                name);
}

static gboolean
work_replace(HpDbConn *conn, gpointer data, GError **error)
{
    const Entry *entry = data;
    const HpVerifier *v = &entry->verifier;

    return hp_db_run(conn, error,
                     "UPDATE password SET created = ?2, last_used = 0, stored_key = ?3,"
                     " server_key = ?4 WHERE name = ?1",
                     "sibb", v->name, entry->created_usec, key_slice(v->stored_key),
                     key_slice(v->server_key)) &&
           changed_one(conn, v->name, error);
}

static gboolean
work_delete(HpDbConn *conn, gpointer data, GError **error)
{
    const Change *change = data;

    return hp_db_run(conn, error, "DELETE FROM password WHERE name = ?1", "s",
                     change->name) &&
           changed_one(conn, change->name, error);
}

/* What is in memory follows what is on disk. @entry: (transfer full) (nullable) */
static void
put(HpPasswords *self, const char *name, Entry *entry)
{
    HP_LOCKED(&self->lock);
    Entry *old = find(self, name);

    if (old != NULL)
        g_ptr_array_remove(self->entries, old);
    if (entry != NULL)
        g_ptr_array_add(self->entries, entry);
}

static char *
make(HpPasswords *self, const char *name, HpDbWork work, GError **error)
{
    g_autofree char *password = NULL;
    Entry *entry = NULL;

    if (!check_name(name, error))
        return NULL;
    password = make_password();
    entry = entry_new(self, name);
    entry->created_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    hp_verifier_compute(&entry->verifier, hp_slice_of(password));
    if (!hp_db_write(self->db, work, entry, error)) {
        entry_free(entry);
        return NULL;
    }
    put(self, name, entry);
    return g_steal_pointer(&password);
}

char *
hp_passwords_new(HpPasswords *self, const char *name, GError **error)
{
    g_autoptr(GError) problem = NULL;
    char *password = make(self, name, work_insert, &problem);

    if (password != NULL)
        return password;
    if (g_error_matches(problem, HP_DB_ERROR, HP_DB_ERROR_CONSTRAINT))
        fail(error, HP_AUTH_ERROR_EXISTS, _("there is a password of that name already"),
             name);
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

char *
hp_passwords_rotate(HpPasswords *self, const char *name, GError **error)
{
    return make(self, name, work_replace, error);
}

gboolean
hp_passwords_revoke(HpPasswords *self, const char *name, GError **error)
{
    Change change = { .name = name };

    if (!hp_db_write(self->db, work_delete, &change, error))
        return FALSE;
    put(self, name, NULL);
    return TRUE;
}
