/* Exchanges with each mechanism, one response a line: nobody who does not know the
 * password is let in, and every challenge is base64. The first octet chooses the
 * mechanism, and whether the lines are put into base64 first. */
#include "hp-sasl.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One for the process: making a database costs more than a thousand exchanges. */
static struct {
    char *dir;              /* (owned) */
    HpDb *db;               /* (owned) */
    HpPasswords *passwords; /* (owned) */
} world;                    /* nocheck: the fixture of the target */

static void
close_world(void)
{
    static const char *const files[] = { "queue.db", "queue.db-wal", "queue.db-shm" };

    hp_passwords_close(world.passwords);
    hp_db_close(world.db);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(world.dir, files[i], NULL);

        g_unlink(path);
    }
    g_rmdir(world.dir);
    g_free(world.dir);
}

static void
open_world(void)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    g_autofree char *path = NULL;
    g_autofree char *password = NULL;
    HpDbSpec spec = { NULL, 0x48504157, migrations, "fuzz-writer" };

    world.dir = g_dir_make_tmp("hauspost-fuzz-XXXXXX", NULL);
    path = g_build_filename(world.dir, "queue.db", NULL);
    spec.path = path;
    world.db = hp_db_open(&spec, NULL);
    world.passwords = hp_passwords_open(world.db, &hp_clock_system, NULL);
    password = hp_passwords_new(world.passwords, "thunderbird", NULL);
    g_assert_nonnull(password);
    atexit(close_world);
}

static gboolean
knows_anna(const char *user, gpointer data)
{
    (void)data;
    return g_ascii_strcasecmp(user, "anna@example.org") == 0;
}

static HpSaslStep
say(HpSaslServer *sasl, HpSlice line, gboolean wrap)
{
    g_autofree char *wrapped = g_base64_encode((const guchar *)line.data, line.len);
    g_autofree char *challenge = NULL;
    HpSaslStep step =
        hp_sasl_server_step(sasl, wrap ? hp_slice_of(wrapped) : line, &challenge);
    gsize len = 0;

    g_assert_nonnull(challenge);
    g_assert_cmpint(step, !=, HP_SASL_DONE);
    g_free(g_base64_decode(challenge, &len));
    g_assert_cmpuint(strlen(challenge), ==, (len + 2) / 3 * 4);
    return step;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const mechanisms[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256" };
    HpCursor c = hp_cursor_over((HpSlice){ (const char *)data, size });
    guint choice = size > 0 ? data[0] : 0;
    g_autoptr(HpSaslServer) sasl = NULL;
    HpSaslStep step = HP_SASL_CONTINUE;

    if (world.passwords == NULL)
        open_world();
    sasl = hp_sasl_server_new(hp_slice_of(mechanisms[choice % 3]), world.passwords,
                              knows_anna, NULL);
    c.at += size > 0;
    for (guint i = 0; i < MOST_STEPS && step == HP_SASL_CONTINUE; i++) {
        step = say(sasl, hp_cursor_take_until(&c, '\n'), choice >= 128);
        hp_cursor_skip(&c, '\n');
    }
    return 0;
}
