#include "hp-command.h"

#include "fake-daemon.h"

static void
check(const char *line, HpExit exit, const char *err)
{
    g_auto(FakeResult) r = fake_run(line);

    g_assert_cmpstr(r.err, ==, err);
    g_assert_cmpint(r.exit, ==, exit);
}

/* RFC 9051 §6.3.6: renaming INBOX moves its mail and leaves it empty. */
static void
says_that_inbox_stays(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check("mailbox rename Work Old", HP_EXIT_OK, "The mailbox Work is now called Old.\n");
    check("mailbox rename inbox Old", HP_EXIT_OK,
          "The mail of INBOX is now in Old; INBOX is empty and stays.\n");
    fake_end(&home);
}

static void
looks_before_it_asks(void)
{
    FakeHome home = fake_home();

    fake_start(&home);
    check("mailbox delete Wrok", HP_EXIT_NOT_FOUND,
          "hauspost: there is no mailbox Wrok\n→ hauspost mailbox list\n");
    check("mailbox delete Work", HP_EXIT_NEEDS_ANSWER,
          "hauspost: Delete the mailbox Work and all mail in it for good? There is no "
          "terminal to answer on.\n→ hauspost mailbox delete --yes …\n");
    check("mailbox delete -y Work", HP_EXIT_OK, "The mailbox Work is deleted.\n");
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmd-mailbox/says-that-inbox-stays", says_that_inbox_stays);
    g_test_add_func("/cmd-mailbox/looks-before-it-asks", looks_before_it_asks);
    return g_test_run();
}
