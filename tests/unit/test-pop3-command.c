#include "hp-pop3-command.h"

#include <string.h>

#define B HP_SLICE_LITERAL

static void
takes_a_verb_and_leaves_the_rest_as_it_is(void)
{
    static const struct {
        HpSlice line;
        const char *verb; /* (nullable): %NULL: no command */
        const char *args;
    } rows[] = {
        { B("QUIT"), "QUIT", "" },
        { B("pass  two words "), "pass", " two words " },
        { B("UTF8"), "UTF8", "" },
        { B("TOP 1 0"), "TOP", "1 0" },
        { B("QUIT\t"), NULL, NULL },
        { B("QU"), NULL, NULL },
        { B(""), NULL, NULL },
        { B(" QUIT"), NULL, NULL },
        { B("RETR\0"), NULL, NULL },
        { B("ABCDEFGHI"), NULL, NULL },
        { B("Host: localhost"), NULL, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpSlice verb = { NULL, 0 };
        HpSlice args = { NULL, 0 };
        gboolean is = hp_pop3_parse_command(rows[i].line, &verb, &args);

        g_assert_cmpint(is, ==, rows[i].verb != NULL);
        if (!is)
            continue;
        g_assert_cmpmem(verb.data, (int)verb.len, rows[i].verb,
                        (int)strlen(rows[i].verb));
        g_assert_cmpmem(args.data, (int)args.len, rows[i].args,
                        (int)strlen(rows[i].args));
    }
}

static void
takes_a_message_number_and_nothing_behind_it(void)
{
    guint n = 99;

    g_assert_true(hp_pop3_parse_number(B("3"), 3, &n));
    g_assert_cmpuint(n, ==, 3);
    g_assert_true(hp_pop3_parse_number(B("02 "), 3, &n));
    g_assert_cmpuint(n, ==, 2);
    n = 99;
    g_assert_false(hp_pop3_parse_number(B("0"), 3, &n));
    g_assert_false(hp_pop3_parse_number(B("4"), 3, &n));
    g_assert_false(hp_pop3_parse_number(B("-1"), 3, &n));
    g_assert_false(hp_pop3_parse_number(B("1 2"), 3, &n));
    g_assert_false(hp_pop3_parse_number(B("1x"), 3, &n));
    g_assert_false(hp_pop3_parse_number(B(""), 3, &n));
    g_assert_false(hp_pop3_parse_number(B("18446744073709551617"), 3, &n));
    g_assert_cmpuint(n, ==, 99);
}

static void
takes_two_numbers_for_top(void)
{
    guint n;
    guint64 lines;

    g_assert_true(hp_pop3_parse_top(B("1 0"), 3, &n, &lines));
    g_assert_cmpuint(lines, ==, 0);
    g_assert_true(hp_pop3_parse_top(B("3 4294967296"), 3, &n, &lines));
    g_assert_cmpuint(lines, ==, 4294967296);
    g_assert_false(hp_pop3_parse_top(B("1"), 3, &n, &lines));
    g_assert_false(hp_pop3_parse_top(B("1 "), 3, &n, &lines));
    g_assert_false(hp_pop3_parse_top(B("1 -1"), 3, &n, &lines));
    g_assert_false(hp_pop3_parse_top(B("4 1"), 3, &n, &lines));
}

static void
takes_names_in_utf8_only(void)
{
    g_autofree char *plain = NULL;
    g_autofree char *composed = NULL;
    char *none = NULL;

    g_assert_true(hp_pop3_parse_name(B("anna@example.org"), &plain));
    g_assert_cmpstr(plain, ==, "anna@example.org");
    g_assert_true(hp_pop3_parse_name(B("u\xCC\x88"), &composed));
    g_assert_cmpstr(composed, ==, "\xC3\xBC");
    g_assert_false(hp_pop3_parse_name(B(""), &none));
    g_assert_false(hp_pop3_parse_name(B("\xFF"), &none));
    g_assert_false(hp_pop3_parse_name(B("a\tb"), &none));
    g_assert_false(hp_pop3_parse_name(B("a\0b"), &none));
    g_assert_null(none);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pop3-command/takes-a-verb-and-leaves-the-rest-as-it-is",
                    takes_a_verb_and_leaves_the_rest_as_it_is);
    g_test_add_func("/pop3-command/takes-a-message-number-and-nothing-behind-it",
                    takes_a_message_number_and_nothing_behind_it);
    g_test_add_func("/pop3-command/takes-two-numbers-for-top", takes_two_numbers_for_top);
    g_test_add_func("/pop3-command/takes-names-in-utf8-only", takes_names_in_utf8_only);
    return g_test_run();
}
