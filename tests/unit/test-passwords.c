#include "hp-passwords.h"

#include <glib/gstdio.h>

typedef struct {
    char *dir;              /* (owned) */
    char *path;             /* (owned) */
    HpDb *db;               /* (owned) */
    HpPasswords *passwords; /* (owned) */
    gint64 now_usec;
    HpClock clock;
} Fixture;

static gint64
fake_now(gpointer data, HpClockKind kind)
{
    const Fixture *f = data;

    return f->now_usec;
}

static void
open_again(Fixture *f)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    HpDbSpec spec = { f->path, 0x48504157, migrations, "test-writer" };
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&f->passwords, hp_passwords_close);
    g_clear_pointer(&f->db, hp_db_close);
    f->db = hp_db_open(&spec, &error);
    g_assert_no_error(error);
    f->passwords = hp_passwords_open(f->db, &f->clock, &error);
    g_assert_no_error(error);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("hauspost-test-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "queue.db", NULL);
    f->now_usec = 20000 * 86400 * (gint64)G_USEC_PER_SEC + 12345;
    f->clock = (HpClock){ fake_now, f };
    open_again(f);
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
    g_free(f->path);
}

/* The name of the password, or NULL. */
static char *
check(Fixture *f, const char *password)
{
    char *name = NULL;

    return hp_passwords_check(f->passwords, hp_slice_of(password), &name) ? name : NULL;
}

static void
is_right(Fixture *f, const char *password, const char *want)
{
    g_autofree char *name = check(f, password);

    g_assert_cmpstr(name, ==, want);
}

static void
knows_what_it_made(Fixture *f, gconstpointer data)
{
    g_autofree char *password = hp_passwords_new(f->passwords, "thunderbird", NULL);
    g_autofree char *other = hp_passwords_new(f->passwords, "mutt", NULL);

    g_assert_cmpuint(strlen(password), ==, 34); /* five groups of six */
    g_assert_cmpstr(password, !=, other);
    is_right(f, password, "thunderbird");
    is_right(f, other, "mutt");
    is_right(f, password, "thunderbird"); /* the short way, by memory */
    is_right(f, "wrong", NULL);
    is_right(f, "", NULL);
    password[3] ^= 1;
    is_right(f, password, NULL);
}

static void
keeps_them_on_disk(Fixture *f, gconstpointer data)
{
    g_autofree char *password = hp_passwords_new(f->passwords, "thunderbird", NULL);

    open_again(f);
    is_right(f, password, "thunderbird");
}

static void
refuses_names(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {
        "", "Big", "a b", "ä", "a'", "a234567890123456789012345678901234"
    };
    g_autofree char *first = hp_passwords_new(f->passwords, "a.b_c-1", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(first);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_null(hp_passwords_new(f->passwords, names[i], &error));
        g_assert_error(error, HP_AUTH_ERROR, HP_AUTH_ERROR_NAME);
        g_clear_error(&error);
    }
    g_assert_null(hp_passwords_new(f->passwords, "a.b_c-1", &error));
    g_assert_error(error, HP_AUTH_ERROR, HP_AUTH_ERROR_EXISTS);
    is_right(f, first, "a.b_c-1");
}

static void
rotate_replaces(Fixture *f, gconstpointer data)
{
    g_autofree char *old = hp_passwords_new(f->passwords, "thunderbird", NULL);
    g_autofree char *new = NULL;
    g_autoptr(GError) error = NULL;

    is_right(f, old, "thunderbird"); /* now it is in memory */
    new = hp_passwords_rotate(f->passwords, "thunderbird", &error);
    g_assert_no_error(error);
    is_right(f, old, NULL);
    is_right(f, new, "thunderbird");
    open_again(f);
    is_right(f, old, NULL);
    is_right(f, new, "thunderbird");
    g_assert_null(hp_passwords_rotate(f->passwords, "nobody", &error));
    g_assert_error(error, HP_AUTH_ERROR, HP_AUTH_ERROR_NOT_FOUND);
}

static void
revoke_removes(Fixture *f, gconstpointer data)
{
    g_autofree char *gone = hp_passwords_new(f->passwords, "gone", NULL);
    g_autofree char *kept = hp_passwords_new(f->passwords, "kept", NULL);
    g_autoptr(GError) error = NULL;

    is_right(f, gone, "gone");
    g_assert_true(hp_passwords_revoke(f->passwords, "gone", &error));
    is_right(f, gone, NULL);
    is_right(f, kept, "kept");
    g_assert_false(hp_passwords_note_use(f->passwords, "gone"));
    g_assert_false(hp_passwords_revoke(f->passwords, "gone", &error));
    g_assert_error(error, HP_AUTH_ERROR, HP_AUTH_ERROR_NOT_FOUND);
    open_again(f);
    is_right(f, gone, NULL);
}

static const HpPasswordInfo *
only_one(GPtrArray *list)
{
    g_assert_cmpuint(list->len, ==, 1);
    return g_ptr_array_index(list, 0);
}

static void
lists_with_days(Fixture *f, gconstpointer data)
{
    g_autofree char *password = hp_passwords_new(f->passwords, "thunderbird", NULL);
    gint64 made = f->now_usec;

    {
        g_autoptr(GPtrArray) list = hp_passwords_list(f->passwords, NULL);

        g_assert_cmpstr(only_one(list)->name, ==, "thunderbird");
        g_assert_cmpint(only_one(list)->created_usec, ==, made);
        g_assert_cmpint(only_one(list)->last_used_usec, ==, 0);
    }
    f->now_usec += 3600 * (gint64)G_USEC_PER_SEC;
    is_right(f, password, "thunderbird");
    open_again(f);
    {
        g_autoptr(GPtrArray) list = hp_passwords_list(f->passwords, NULL);

        g_assert_cmpint(only_one(list)->last_used_usec, ==,
                        20000 * 86400 * (gint64)G_USEC_PER_SEC);
    }
}

static void
salt_is_common(Fixture *f, gconstpointer data)
{
    guint8 salt[16], again[16];
    guint iterations = 0;
    g_autofree char *a G_GNUC_UNUSED = hp_passwords_new(f->passwords, "a", NULL);
    g_autofree char *b G_GNUC_UNUSED = hp_passwords_new(f->passwords, "b", NULL);
    g_autoptr(GPtrArray) verifiers = hp_passwords_verifiers(f->passwords);

    hp_passwords_common(f->passwords, salt, &iterations);
    g_assert_cmpuint(iterations, >=, 4096); /* RFC 7677 §4 */
    g_assert_cmpuint(verifiers->len, ==, 2);
    for (guint i = 0; i < verifiers->len; i++) {
        const HpVerifier *verifier = g_ptr_array_index(verifiers, i);

        g_assert_cmpmem(verifier->salt, 16, salt, 16);
        g_assert_cmpuint(verifier->iterations, ==, iterations);
    }
    open_again(f);
    hp_passwords_common(f->passwords, again, &iterations);
    g_assert_cmpmem(again, 16, salt, 16);
}

/* RFC 7677 §3: user "user", password "pencil". */
static void
computes_the_verifier_of_the_rfc(void)
{
    HpVerifier verifier = { .iterations = 4096 };
    gsize len = 0;
    g_autofree guchar *salt = g_base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==", &len);
    g_autofree char *stored = NULL;
    g_autofree char *server = NULL;

    g_assert_cmpuint(len, ==, sizeof verifier.salt);
    memcpy(verifier.salt, salt, len);
    hp_verifier_compute(&verifier, HP_SLICE_LITERAL("pencil"));
    stored = g_base64_encode(verifier.stored_key, 32);
    server = g_base64_encode(verifier.server_key, 32);
    g_assert_cmpstr(stored, ==, "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
    g_assert_cmpstr(server, ==, "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

#define ADD(path, run)                                                                   \
    g_test_add("/passwords/" path, Fixture, NULL, set_up, run, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("knows-what-it-made", knows_what_it_made);
    ADD("keeps-them-on-disk", keeps_them_on_disk);
    ADD("refuses-names", refuses_names);
    ADD("rotate-replaces", rotate_replaces);
    ADD("revoke-removes-from-memory-too", revoke_removes);
    ADD("lists-with-days", lists_with_days);
    ADD("all-have-one-salt", salt_is_common);
    g_test_add_func("/passwords/computes-the-verifier-of-rfc-7677",
                    computes_the_verifier_of_the_rfc);
    return g_test_run();
}
