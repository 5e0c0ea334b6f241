#include "hp-dirs.h"

#include "hp-fs.h"

#include <glib/gstdio.h>
#include <unistd.h>

static const char *const variables[] = { "XDG_CONFIG_HOME", "XDG_DATA_HOME",
                                         "XDG_STATE_HOME", "XDG_CACHE_HOME",
                                         "XDG_RUNTIME_DIR" };

static void
forget_all(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
}

static void
assert_below_home(const char *path, const char *rest)
{
    g_autofree char *wanted = g_build_filename(g_get_home_dir(), rest, NULL);

    g_assert_cmpstr(path, ==, wanted);
}

static void
follows_the_environment(void)
{
    g_autoptr(HpDirs) dirs = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(variables); i++) {
        g_autofree char *value = g_strdup_printf("/x/%u", i);

        g_setenv(variables[i], value, TRUE);
    }
    dirs = hp_dirs_new();
    g_assert_cmpstr(dirs->config, ==, "/x/0/hauspost");
    g_assert_cmpstr(dirs->data, ==, "/x/1/hauspost");
    g_assert_cmpstr(dirs->state, ==, "/x/2/hauspost");
    g_assert_cmpstr(dirs->cache, ==, "/x/3/hauspost");
    g_assert_cmpstr(dirs->runtime, ==, "/x/4/hauspost");
}

static void
has_the_standard_defaults(void)
{
    g_autoptr(HpDirs) dirs = NULL;

    forget_all();
    g_setenv("XDG_CACHE_HOME", "relative", TRUE); /* counts as unset */
    dirs = hp_dirs_new();
    assert_below_home(dirs->config, ".config/hauspost");
    assert_below_home(dirs->data, ".local/share/hauspost");
    assert_below_home(dirs->state, ".local/state/hauspost");
    assert_below_home(dirs->cache, ".cache/hauspost");
    assert_below_home(dirs->runtime, ".local/state/hauspost/run");
}

static void
finds_the_daemons_sockets_from_anywhere(void)
{
    g_autofree char *base = g_dir_make_tmp("hp-dirs-XXXXXX", NULL);
    g_autofree char *record = NULL;
    g_autofree char *before = NULL;
    g_autofree char *found = NULL;
    g_autoptr(HpDirs) daemon = NULL;
    g_autoptr(HpDirs) client = NULL;
    hp_autofd state_fd = -1;

    forget_all();
    g_setenv("XDG_STATE_HOME", base, TRUE);
    g_setenv("XDG_RUNTIME_DIR", "/x/run", TRUE);
    daemon = hp_dirs_new();
    g_unsetenv("XDG_RUNTIME_DIR"); /* as in cron */
    client = hp_dirs_new();
    before = hp_dirs_find_runtime(client);
    g_assert_cmpstr(before, ==, client->runtime); /* nothing is recorded yet */
    state_fd = hp_fs_open_private_dir(daemon->state, NULL);
    g_assert_true(hp_dirs_record_runtime(daemon, state_fd, NULL));
    found = hp_dirs_find_runtime(client);
    g_assert_cmpstr(found, ==, "/x/run/hauspost");

    record = g_build_filename(daemon->state, "runtime-folder", NULL);
    g_unlink(record);
    g_rmdir(daemon->state);
    g_rmdir(base);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dirs/follows-the-environment", follows_the_environment);
    g_test_add_func("/dirs/has-the-standard-defaults", has_the_standard_defaults);
    g_test_add_func("/dirs/finds-the-daemons-sockets-from-anywhere",
                    finds_the_daemons_sockets_from_anywhere);
    return g_test_run();
}
