/* hp-passwords: one random password per client, kept as a SCRAM-SHA-256 verifier.
 *
 * Threads: any.
 */
#pragma once

#include "hp-clock.h"
#include "hp-sqlite.h"

#define HP_AUTH_ERROR (hp_auth_error_quark())
GQuark hp_auth_error_quark(void);
typedef enum {
    HP_AUTH_ERROR_EXISTS, /* a password of that name is there already */
    HP_AUTH_ERROR_NOT_FOUND,
    HP_AUTH_ERROR_NAME, /* not a name: 1 to 32 of a-z 0-9 . _ - */
} HpAuthError;

typedef struct _HpPasswords HpPasswords;

/**
 * hp_passwords_open:
 * @db: (unowned): queue.db, where the tables `password` and `password_salt` are made if
 *    they are missing; outlives it
 * @clock: (unowned): for the dates of hp_passwords_list()
 * @error: #HP_DB_ERROR
 *
 * All passwords of an installation have one salt and one iteration count: SCRAM sends
 * both before it knows which password the client will prove, and a password of 150 random
 * bits needs no salt of its own.
 */
HpPasswords *hp_passwords_open(HpDb *db, const HpClock *clock, GError **error);
void hp_passwords_close(HpPasswords *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPasswords, hp_passwords_close)

/* Makes a password (150 random bits, five groups of letters and digits); it is returned
 * this once and kept nowhere. rotate() replaces the old one, revoke() removes it, from
 * memory too: later logins with it fail. Blocks for a commit. @error: #HP_AUTH_ERROR or
 * #HP_DB_ERROR; then everything is as before. */
char *hp_passwords_new(HpPasswords *self, const char *name, GError **error);
char *hp_passwords_rotate(HpPasswords *self, const char *name, GError **error);
gboolean hp_passwords_revoke(HpPasswords *self, const char *name, GError **error);

typedef struct {
    char *name;            /* (owned) */
    gint64 created_usec;   /* wall */
    gint64 last_used_usec; /* wall, 0 if never; kept to the day */
} HpPasswordInfo;
void hp_password_info_free(HpPasswordInfo *self);
/* By name. (transfer full) (element-type HpPasswordInfo) */
GPtrArray *hp_passwords_list(HpPasswords *self, GError **error);

/**
 * hp_passwords_check:
 * @ret_name: (out) (transfer full): the client's name
 *
 * Is it one of them? Compared in constant time; a password once proved costs microseconds
 * later (an HMAC under a key of this start). The first use of a day commits its date.
 */
gboolean hp_passwords_check(HpPasswords *self, HpSlice password, char **ret_name);

/* What SCRAM needs to know of a password (RFC 5802 §3). */
typedef struct {
    char *name; /* (owned) */
    guint iterations;
    guint8 salt[16];
    guint8 stored_key[32];
    guint8 server_key[32];
} HpVerifier;
void hp_verifier_free(HpVerifier *self);
/* Of all passwords: (transfer full) (element-type HpVerifier) */
GPtrArray *hp_passwords_verifiers(HpPasswords *self);

/* What they have in common, there also without any password. */
void hp_passwords_common(HpPasswords *self, guint8 ret_salt[16], guint *ret_iterations);

/* A client has proved the password @name by other means (SCRAM): notes its use. %FALSE if
 * it was revoked meanwhile. */
gboolean hp_passwords_note_use(HpPasswords *self, const char *name);

/* The verifier of @password under a salt of 16 octets (RFC 5802 §3). */
void hp_verifier_compute(HpVerifier *self, HpSlice password);
