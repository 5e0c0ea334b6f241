#include "hp-cmd-mailq.h"

#include "fake-daemon.h"

#include <sysexits.h>

static int
run(char **ret_out)
{
    FILE *out = tmpfile(), *err = tmpfile();
    HpCli cli;
    int exit;

    hp_cli_init(&cli, stdin, out, err);
    exit = hp_cmd_mailq(&cli);
    hp_cli_clear(&cli);
    fclose(err);
    *ret_out = fake_read_back(out);
    return exit;
}

static void
lists_in_the_classic_shape(void)
{
    FakeHome home = fake_home();
    g_autofree char *out = NULL;

    g_setenv("TZ", "UTC", TRUE);
    fake_start(&home);
    g_assert_cmpint(run(&out), ==, EX_OK);
    g_assert_cmpstr(out, ==,
                    "-Queue ID-  --Size-- ---Arrival Time---- -Sender/Recipient-------\n"
                    "7Q2KXM         12288 Thu Jan  2 12:00:00 anna@example.org\n"
                    "(451 4.7.1 Greylisted)\n"
                    "                                         bob@example.com\n"
                    "                                         eva@example.net\n\n"
                    "-- 12 Kbytes in 1 Request.\n");
    fake_end(&home);
}

static void
says_by_sysexits_that_nobody_is_there(void)
{
    FakeHome home = fake_home();
    g_autofree char *out = NULL;

    g_assert_cmpint(run(&out), ==, EX_UNAVAILABLE);
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmd-mailq/lists-in-the-classic-shape", lists_in_the_classic_shape);
    g_test_add_func("/cmd-mailq/says-by-sysexits-that-nobody-is-there",
                    says_by_sysexits_that_nobody_is_there);
    return g_test_run();
}
