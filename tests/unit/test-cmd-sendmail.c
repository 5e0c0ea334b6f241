#include "hp-cmd-sendmail.h"

#include <string.h>
#include <sysexits.h>

typedef struct {
    const char *argv[8]; /* NULL-ended */
    gboolean ok, t, i;
    const char *sender, *name;
    guint addresses;
} Row;

static const Row rows[] = {
    { { "sendmail", "-t", "-i", "-f", "a@b", "c@d" }, TRUE, TRUE, TRUE, "a@b", NULL, 1 },
    { { "sendmail", "-ti", "-fa@b" }, TRUE, TRUE, TRUE, "a@b", NULL, 0 },
    { { "sendmail", "-oi", "-oem", "-F", "Anna B", "x", "y" },
      TRUE,
      FALSE,
      TRUE,
      NULL,
      "Anna B",
      2 },
    { { "sendmail", "-i", "-f", "", "--", "-x@y" }, TRUE, FALSE, TRUE, "", NULL, 1 },
    { { "sendmail", "-r", "<>", "x", "-t" }, TRUE, FALSE, FALSE, "<>", NULL, 2 },
    { { "sendmail", "-bm", "-B8BITMIME", "-v", "x" }, TRUE, FALSE, FALSE, NULL, NULL, 1 },
    { { "sendmail", "-N", "never", "-R", "hdrs", "x" },
      TRUE,
      FALSE,
      FALSE,
      NULL,
      NULL,
      1 },
    { { "sendmail", "-f" }, FALSE },
    { { "sendmail", "-bs" }, FALSE },
    { { "sendmail", "-tz" }, FALSE },
    { { "sendmail", "--help" }, FALSE },
};

static void
understands_its_options(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        HpSendmailArgs args = { 0 };
        g_autoptr(GError) error = NULL;
        g_autofree char **argv = g_memdup2(row->argv, sizeof row->argv);
        int argc = (int)g_strv_length(argv);

        g_test_message("row %zu", i);
        g_assert_cmpint(hp_sendmail_parse_args(argc, argv, &args, &error), ==, row->ok);
        g_assert_cmpint(error == NULL, ==, row->ok);
        if (row->ok) {
            g_assert_cmpint(args.from_header, ==, row->t);
            g_assert_cmpint(args.ignore_dots, ==, row->i);
            g_assert_cmpstr(args.sender, ==, row->sender);
            g_assert_cmpstr(args.name, ==, row->name);
            g_assert_cmpuint(args.addresses->len, ==, row->addresses);
        }
        hp_sendmail_args_clear(&args);
    }
}

static void
exit_codes_say_what_to_do(void)
{
    g_assert_cmpint(hp_sendmail_exit_code(452), ==, EX_TEMPFAIL);
    g_assert_cmpint(hp_sendmail_exit_code(421), ==, EX_TEMPFAIL);
    g_assert_cmpint(hp_sendmail_exit_code(550), ==, EX_NOPERM);
    g_assert_cmpint(hp_sendmail_exit_code(552), ==, EX_DATAERR);
    g_assert_cmpint(hp_sendmail_exit_code(553), ==, EX_DATAERR);
    g_assert_cmpint(hp_sendmail_exit_code(502), ==, EX_UNAVAILABLE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmd-sendmail/understands-its-options", understands_its_options);
    g_test_add_func("/cmd-sendmail/exit-codes-say-what-to-do", exit_codes_say_what_to_do);
    return g_test_run();
}
