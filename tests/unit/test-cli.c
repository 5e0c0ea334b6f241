#include "hp-cli.h"

#include "fake-daemon.h"

static void
ends_every_refusal_with_an_arrow(void)
{
    FILE *err = tmpfile();
    HpCli cli;
    g_autofree char *text = NULL;
    g_autoptr(GError) two_lines = g_error_new(HP_CONTROL_ERROR, HP_CONTROL_ERROR_LIMIT,
                                              "too\tmuch\nhauspost limits show");

    hp_cli_init(&cli, stdin, stdout, err);
    g_assert_cmpint(hp_cli_refuse(&cli, HP_EXIT_USAGE, "this", "no %s", "way"), ==,
                    HP_EXIT_USAGE);
    g_assert_cmpint(hp_cli_fail(&cli, two_lines, "that"), ==, HP_EXIT_REFUSED);
    hp_cli_clear(&cli);
    text = fake_read_back(err);
    g_assert_cmpstr(text, ==,
                    "hauspost: no way\n→ this\n"
                    "hauspost: too much\n→ hauspost limits show\n");
}

static void
is_quiet_when_told_so(void)
{
    FILE *err = tmpfile();
    HpCli cli;
    g_autofree char *text = NULL;

    hp_cli_init(&cli, stdin, stdout, err);
    hp_cli_hint(&cli, "heard");
    cli.quiet = TRUE;
    hp_cli_hint(&cli, "not heard");
    hp_cli_clear(&cli);
    text = fake_read_back(err);
    g_assert_cmpstr(text, ==, "heard\n");
}

static void
has_colours_only_on_a_terminal(void)
{
    FILE *out = tmpfile();
    HpCli cli;

    hp_cli_init(&cli, stdin, out, stderr);
    g_assert_false(hp_cli_has_colour(&cli));
    g_assert_cmpuint(hp_cli_width(&cli), ==, 0);
    hp_cli_clear(&cli);
    fclose(out);
}

static void
reports_wrong_settings_with_their_lines(void)
{
    FakeHome home = fake_home();
    g_autofree char *dir =
        g_build_filename(g_getenv("XDG_CONFIG_HOME"), "hauspost", NULL);
    g_autofree char *path = g_build_filename(dir, "hauspost.conf", NULL);
    g_autofree char *want =
        g_strdup_printf("%s:1: there is no section [lisetn]; did you mean [listen]?\n"
                        "→ hauspost config edit\n",
                        path);
    g_auto(FakeResult) r = { 0 };

    g_mkdir_with_parents(dir, 0700);
    g_assert_true(g_file_set_contents(path, "[lisetn]\n", -1, NULL));
    r = fake_run("config list");
    g_assert_cmpint(r.exit, ==, HP_EXIT_PROBLEMS);
    g_assert_cmpstr(r.err, ==, want);
    fake_end(&home);
}

/* What nobody could read was not shown, whatever the command thought. */
static void
fails_when_the_output_cannot_be_written(void)
{
    FakeHome home = fake_home();
    g_auto(FakeResult) help = fake_run_full("help");
    g_auto(FakeResult) problems = { 0 };

    g_assert_cmpint(help.exit, ==, HP_EXIT_FAILURE);
    g_assert_cmpstr(
        help.err, ==,
        "hauspost: the output could not be written: No space left on device\n");
    fake_start(&home);
    problems = fake_run_full("status --check");
    g_assert_cmpint(problems.exit, ==, HP_EXIT_FAILURE);
    fake_end(&home);
}

static void
is_silent_when_the_reader_has_seen_enough(void)
{
    FakeHome home = fake_home();
    FILE *err = tmpfile();
    int ends[2];
    HpCli cli;
    g_autofree char *text = NULL;

    signal(SIGPIPE, SIG_IGN);
    g_assert_cmpint(pipe(ends), ==, 0);
    close(ends[0]);
    hp_cli_init(&cli, stdin, fdopen(ends[1], "w"), err);
    fputs("too much", cli.out);
    g_assert_false(hp_cli_flush(&cli));
    fclose(cli.out);
    hp_cli_clear(&cli);
    text = fake_read_back(err);
    g_assert_cmpstr(text, ==, "");
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/fails-when-the-output-cannot-be-written",
                    fails_when_the_output_cannot_be_written);
    g_test_add_func("/cli/is-silent-when-the-reader-has-seen-enough",
                    is_silent_when_the_reader_has_seen_enough);
    g_test_add_func("/cli/ends-every-refusal-with-an-arrow",
                    ends_every_refusal_with_an_arrow);
    g_test_add_func("/cli/is-quiet-when-told-so", is_quiet_when_told_so);
    g_test_add_func("/cli/has-colours-only-on-a-terminal",
                    has_colours_only_on_a_terminal);
    g_test_add_func("/cli/reports-wrong-settings-with-their-lines",
                    reports_wrong_settings_with_their_lines);
    return g_test_run();
}
