#include "hp-phases.h"

#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder; /* nocheck: one for the whole test program */

static HpPhases *
open_map(const char *boot)
{
    g_autofree char *path = g_build_filename(folder, "phases", NULL);
    g_autoptr(GError) error = NULL;
    HpPhases *map = hp_phases_open(path, boot, &error);

    g_assert_no_error(error);
    return map;
}

/* A process that works on three attempts and dies without a word. */
static void
die_in_the_middle(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        HpPhases *map = open_map("boot-1");

        hp_phases_renew(map);
        hp_phases_begin(map, 0, 10);
        hp_phases_begin(map, 1, 11);
        hp_phases_begin_dot(map, 1);
        hp_phases_begin(map, 2, 12);
        hp_phases_begin_dot(map, 2);
        hp_phases_begin(map, 2, 13);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

static void
test_survives_a_crash(void)
{
    g_autoptr(HpPhases) map = NULL;

    die_in_the_middle();
    map = open_map("boot-1");
    g_assert_false(hp_phases_may_have_arrived(map, 10));
    g_assert_true(hp_phases_may_have_arrived(map, 11));
    g_assert_false(hp_phases_may_have_arrived(map, 13));
    g_assert_false(hp_phases_may_have_arrived(map, 99));
    hp_phases_renew(map);
    g_assert_false(hp_phases_may_have_arrived(map, 11));
}

static void
test_another_boot_knows_nothing(void)
{
    g_autoptr(HpPhases) map = NULL;

    die_in_the_middle();
    map = open_map("boot-2");
    g_assert_true(hp_phases_may_have_arrived(map, 10));
    g_assert_true(hp_phases_may_have_arrived(map, 99));
}

static void
test_missing_file_knows_nothing(void)
{
    g_autofree char *path = g_build_filename(folder, "phases", NULL);
    g_autoptr(HpPhases) map = NULL;

    g_unlink(path);
    map = open_map("boot-1");
    g_assert_true(hp_phases_may_have_arrived(map, 10));
}

static void
test_dot_or_withdrawal(void)
{
    g_autoptr(HpPhases) map = open_map("boot-1");

    hp_phases_renew(map);
    hp_phases_begin(map, 4, 20);
    g_assert_true(hp_phases_withdraw(map, 4));
    g_assert_false(hp_phases_begin_dot(map, 4));
    g_assert_false(hp_phases_may_have_arrived(map, 20));
    hp_phases_begin(map, 4, 21);
    g_assert_true(hp_phases_begin_dot(map, 4));
    g_assert_false(hp_phases_withdraw(map, 4));
    g_assert_true(hp_phases_may_have_arrived(map, 21));
}

/* More recipients than a server takes at once, or the next server after a lost reply. */
static void
test_dot_of_every_transaction(void)
{
    g_autoptr(HpPhases) map = open_map("boot-1");

    hp_phases_renew(map);
    hp_phases_begin(map, 4, 20);
    g_assert_true(hp_phases_begin_dot(map, 4));
    g_assert_true(hp_phases_begin_dot(map, 4));
    g_assert_false(hp_phases_withdraw(map, 4));
    g_assert_true(hp_phases_may_have_arrived(map, 20));
}

static void
test_knows_this_boot(void)
{
    g_autoptr(HpPhases) map = open_map(NULL);

    hp_phases_renew(map);
    hp_phases_begin(map, 0, 1);
    g_clear_pointer(&map, hp_phases_close);
    map = open_map(NULL);
    g_assert_false(hp_phases_may_have_arrived(map, 1));
}

int
main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("hp-phases-XXXXXX", NULL);
    g_test_add_func("/phases/survives-a-crash", test_survives_a_crash);
    g_test_add_func("/phases/another-boot-knows-nothing",
                    test_another_boot_knows_nothing);
    g_test_add_func("/phases/a-missing-file-knows-nothing",
                    test_missing_file_knows_nothing);
    g_test_add_func("/phases/dot-or-withdrawal-never-both", test_dot_or_withdrawal);
    g_test_add_func("/phases/every-transaction-has-a-dot", test_dot_of_every_transaction);
    g_test_add_func("/phases/knows-this-boot", test_knows_this_boot);
    result = g_test_run();
    {
        g_autofree char *path = g_build_filename(folder, "phases", NULL);

        g_unlink(path);
        g_rmdir(folder);
        g_free(folder);
    }
    return result;
}
