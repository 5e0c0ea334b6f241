#include "hp-cli-args.h"

static HpCliArgs *
parse(const char *line, GError **error)
{
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);

    return hp_cli_args_parse("json follow|f quiet|q state=", argv, error);
}

static void
takes_options_anywhere(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpCliArgs) args =
        parse("one --state held -fq two --json - -- --state", &error);

    g_assert_no_error(error);
    g_assert_true(hp_cli_args_has(args, "follow"));
    g_assert_true(hp_cli_args_has(args, "quiet"));
    g_assert_true(hp_cli_args_has(args, "json"));
    g_assert_cmpstr(hp_cli_args_get(args, "state"), ==, "held");
    g_assert_cmpstr(hp_cli_args_word(args, 0), ==, "one");
    g_assert_cmpstr(hp_cli_args_word(args, 1), ==, "two");
    g_assert_cmpstr(hp_cli_args_word(args, 2), ==, "-");
    g_assert_cmpstr(hp_cli_args_word(args, 3), ==, "--state");
    g_assert_null(hp_cli_args_word(args, 4));
}

static void
takes_a_value_after_an_equals_sign(void)
{
    g_autoptr(HpCliArgs) args = parse("--state=a=b", NULL);
    g_autoptr(HpCliArgs) empty = parse("--state=", NULL);

    g_assert_cmpstr(hp_cli_args_get(args, "state"), ==, "a=b");
    g_assert_cmpstr(hp_cli_args_get(empty, "state"), ==, "");
    g_assert_null(hp_cli_args_get(args, "json"));
}

static void
says_what_is_wrong(void)
{
    static const char *const rows[][2] = {
        { "--jsno", "there is no option --jsno here; did you mean --json?" },
        { "--elephant", "there is no option --elephant here" },
        { "-x", "there is no option -x here" },
        { "--json=1", "--json takes no value" },
        { "--state", "--state needs a value" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(rows[i][0], &error));
        g_assert_cmpstr(error->message, ==, rows[i][1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-args/takes-options-anywhere", takes_options_anywhere);
    g_test_add_func("/cli-args/takes-a-value-after-an-equals-sign",
                    takes_a_value_after_an_equals_sign);
    g_test_add_func("/cli-args/says-what-is-wrong", says_what_is_wrong);
    return g_test_run();
}
