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
    HP_AUTH_ERROR_FAILED,
} HpAuthError;

typedef struct _HpPasswords HpPasswords;

/* @db: queue.db, where the table `password` is made if it is missing; outlives it. */
HpPasswords *hp_passwords_open(HpDb *db, const HpClock *clock, GError **error);
void hp_passwords_close(HpPasswords *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPasswords, hp_passwords_close)

/* Makes a password (at least 128 random bits, groups of letters and digits); it is
 * returned this once and kept nowhere. */
char *hp_passwords_new(HpPasswords *self, const char *name, GError **error);
char *hp_passwords_rotate(HpPasswords *self, const char *name, GError **error);
gboolean hp_passwords_revoke(HpPasswords *self, const char *name, GError **error);

typedef struct {
    char *name;            /* (owned) */
    gint64 created_usec;   /* wall */
    gint64 last_used_usec; /* wall, 0 if never; kept to the day */
} HpPasswordInfo;
void hp_password_info_free(HpPasswordInfo *self);
/* (transfer full) (element-type HpPasswordInfo) */
GPtrArray *hp_passwords_list(HpPasswords *self, GError **error);

/* Is it one of them? Constant time; a password once proved costs microseconds later (an
 * HMAC under a key of this start). @ret_name: (out) (transfer full): the client's name.
 */
gboolean hp_passwords_check(HpPasswords *self, HpSlice password, char **ret_name);

/* The verifier that SCRAM needs, for each password in turn; see hp-sasl. */
typedef struct {
    char *name; /* (owned) */
    guint iterations;
    guint8 salt[16];
    guint8 stored_key[32];
    guint8 server_key[32];
} HpVerifier;
void hp_verifier_free(HpVerifier *self);
GPtrArray *hp_passwords_verifiers(HpPasswords *self);
