#include "hp-folders.h"

#include "hp-fs.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A home of its own for each case. */
static char *
fresh_home(void)
{
    char *home = g_dir_make_tmp("folders-XXXXXX", NULL);
    g_autofree char *run = g_build_filename(home, "run", NULL);

    g_setenv("XDG_CONFIG_HOME", home, TRUE);
    g_setenv("XDG_DATA_HOME", home, TRUE);
    g_setenv("XDG_CACHE_HOME", home, TRUE);
    g_autofree char *state = g_build_filename(home, "state", NULL);
    g_setenv("XDG_STATE_HOME", state, TRUE);
    g_setenv("XDG_RUNTIME_DIR", run, TRUE);
    return home;
}

static void
makes_what_is_missing_and_locks_it(void)
{
    g_autofree char *home = fresh_home();
    g_autoptr(HpDirs) dirs = hp_dirs_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;
    HpFolders first = HP_FOLDERS_INIT, second = HP_FOLDERS_INIT;
    struct stat info;

    umask(0);
    g_assert_true(g_str_has_prefix(dirs->state, home));
    g_assert_true(hp_folders_open(dirs, &first, &error));
    g_assert_no_error(error);
    g_assert_cmpint(fstat(first.state, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 07777, ==, 0700);
    found = hp_dirs_find_runtime(dirs);
    g_assert_cmpstr(found, ==, dirs->runtime);

    g_assert_false(hp_folders_open(dirs, &second, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_AGAIN);
    g_assert_cmpint(second.state, ==, -1);
    hp_folders_close(&first);
    g_clear_error(&error);
    g_assert_true(hp_folders_open(dirs, &second, &error));
    hp_folders_close(&second);
}

static void
refuses_links_and_open_doors(void)
{
    g_autofree char *home = fresh_home();
    g_autoptr(HpDirs) dirs = hp_dirs_new();
    g_autoptr(GError) error = NULL;
    HpFolders folders = HP_FOLDERS_INIT;

    g_assert_true(g_str_has_prefix(dirs->data, home));
    g_assert_cmpint(symlink("/tmp", dirs->data), ==, 0);
    g_assert_false(hp_folders_open(dirs, &folders, &error));
    g_assert_nonnull(strstr(error->message, "symbolic link"));
    g_clear_error(&error);
    g_assert_cmpint(unlink(dirs->data), ==, 0);

    g_assert_cmpint(g_mkdir(dirs->data, 0700), ==, 0);
    g_assert_cmpint(chmod(dirs->data, 0777), ==, 0);
    g_assert_false(hp_folders_open(dirs, &folders, &error));
    g_assert_nonnull(strstr(error->message, "written to by others"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/folders/makes-what-is-missing-and-locks-it",
                    makes_what_is_missing_and_locks_it);
    g_test_add_func("/folders/refuses-links-and-open-doors",
                    refuses_links_and_open_doors);
    return g_test_run();
}
