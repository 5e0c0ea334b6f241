#include "hp-command.h"

#include "fake-daemon.h"

static void
check(const char *line, HpExit exit, const char *out, const char *err)
{
    g_auto(FakeResult) r = fake_run(line);

    g_assert_cmpstr(r.out, ==, out);
    g_assert_cmpstr(r.err, ==, err);
    g_assert_cmpint(r.exit, ==, exit);
}

static void
names_the_ports_that_are_open(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check("password new thunderbird", HP_EXIT_OK, "abcd-efgh-1234\n",
          "This is the password for thunderbird. It is shown only now.\n"
          "User name anna@example.org, server 127.0.0.1, SMTP port 20587, IMAP port "
          "20143.\n");
    fake_end(&home);
}

/* Nobody could ever use it, and nobody would miss it. */
static void
takes_back_what_could_not_be_shown(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) r = { 0 };

    fake_start(&home);
    check("password list --plain", HP_EXIT_OK, "thunderbird\t\t\n", "");
    r = fake_run_full("password new thunderbird");
    g_assert_cmpint(r.exit, ==, HP_EXIT_FAILURE);
    g_assert_cmpstr(r.err, ==,
                    "hauspost: the output could not be written: No space left on device\n"
                    "hauspost: the password of thunderbird could not be shown, so it is "
                    "revoked again\n"
                    "→ hauspost password new thunderbird\n");
    check("password list --plain", HP_EXIT_OK, "", "");
    fake_end(&home);
}

static void
says_that_a_rotated_one_was_not_shown(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) r = { 0 };

    fake_start(&home);
    r = fake_run_full("password rotate thunderbird");
    g_assert_cmpint(r.exit, ==, HP_EXIT_FAILURE);
    g_assert_true(g_str_has_suffix(r.err, "no longer valid\n"
                                          "→ hauspost password rotate thunderbird\n"));
    fake_end(&home);
}

static void
looks_before_it_asks(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check("password revoke nobody", HP_EXIT_NOT_FOUND, "",
          "hauspost: there is no password for nobody\n→ hauspost password list\n");
    check("password revoke thunderbird", HP_EXIT_NEEDS_ANSWER, "",
          "hauspost: Revoke the password of thunderbird? That program can then no longer "
          "log in. There is no terminal to answer on.\n"
          "→ hauspost password revoke --yes …\n");
    fake_end(&home);
}

static void
gives_an_example_for_a_name_that_is_none(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check("password new ''", HP_EXIT_USAGE, "",
          "hauspost: this name cannot be taken\n→ hauspost password new thunderbird\n");
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmd-password/names-the-ports-that-are-open",
                    names_the_ports_that_are_open);
    g_test_add_func("/cmd-password/takes-back-what-could-not-be-shown",
                    takes_back_what_could_not_be_shown);
    g_test_add_func("/cmd-password/says-that-a-rotated-one-was-not-shown",
                    says_that_a_rotated_one_was_not_shown);
    g_test_add_func("/cmd-password/looks-before-it-asks", looks_before_it_asks);
    g_test_add_func("/cmd-password/gives-an-example-for-a-name-that-is-none",
                    gives_an_example_for_a_name_that_is_none);
    return g_test_run();
}
