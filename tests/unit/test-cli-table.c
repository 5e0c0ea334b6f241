#include "hp-cli-table.h"

#include <locale.h>
#include <string.h>

static const char *const titles[] = { "ID", ">SIZE", "WHY", NULL };

static char *
print(guint width, gboolean plain)
{
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    char *text = g_malloc0(1000);
    FILE *out = fmemopen(text, 999, "w");

    hp_cli_table_add(table, "日本", NULL);
    hp_cli_table_add(table, "12 K", "12288");
    hp_cli_table_add(table, "für dich\033[31m allein", NULL);
    hp_cli_table_add(table, "ab", NULL);
    hp_cli_table_add(table, "1 B", "1");
    hp_cli_table_add(table, "x\ty", NULL);
    if (plain)
        hp_cli_table_print_plain(table, out);
    else
        hp_cli_table_print(table, out, width);
    fclose(out);
    return text;
}

static void
aligns_wide_characters_and_right_columns(void)
{
    g_autofree char *text = print(0, FALSE);

    g_assert_cmpstr(text, ==,
                    "ID    SIZE  WHY\n"
                    "日本  12 K  für dich [31m allein\n"
                    "ab     1 B  x y\n");
}

static char *
print_sentence(guint width)
{
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    char *text = g_malloc0(1000);
    FILE *out = fmemopen(text, 999, "w");

    hp_cli_table_add(table, "ab", NULL);
    hp_cli_table_add(table, "1 B", NULL);
    hp_cli_table_add(table, "there is no connection to the internet", NULL);
    hp_cli_table_add(table, "cd", NULL);
    hp_cli_table_add(table, "2 B", NULL);
    hp_cli_table_add(table, "", NULL);
    hp_cli_table_print(table, out, width);
    fclose(out);
    return text;
}

static void
cuts_the_last_cell_at_the_terminals_width(void)
{
    g_autofree char *text = print_sentence(40);

    g_assert_cmpstr(text, ==,
                    "ID  SIZE  WHY\n"
                    "ab   1 B  there is no connection to the…\n"
                    "cd   2 B\n");
}

/* A few letters of a sentence help nobody. */
static void
puts_the_last_cell_below_where_there_is_no_room(void)
{
    g_autofree char *text = print_sentence(39);
    g_autofree char *fitting = print(32, FALSE);

    g_assert_cmpstr(text, ==,
                    "ID  SIZE\n"
                    "ab   1 B\n"
                    "    there is no connection to the inte…\n"
                    "cd   2 B\n");
    g_assert_nonnull(strstr(fitting, "12 K  für dich"));
}

static void
separates_plain_cells_by_tabs(void)
{
    g_autofree char *text = print(0, TRUE);

    g_assert_cmpstr(text, ==, "日本\t12288\tfür dich [31m allein\nab\t1\tx y\n");
}

static void
measures_combining_characters_as_nothing(void)
{
    g_assert_cmpuint(hp_cli_text_width("e\xCC\x81"), ==, 1);
    g_assert_cmpuint(hp_cli_text_width("日"), ==, 2);
}

int
main(int argc, char **argv)
{
    setlocale(LC_ALL, "C.UTF-8");
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-table/aligns-wide-characters-and-right-columns",
                    aligns_wide_characters_and_right_columns);
    g_test_add_func("/cli-table/cuts-the-last-cell-at-the-terminals-width",
                    cuts_the_last_cell_at_the_terminals_width);
    g_test_add_func("/cli-table/puts-the-last-cell-below-where-there-is-no-room",
                    puts_the_last_cell_below_where_there_is_no_room);
    g_test_add_func("/cli-table/separates-plain-cells-by-tabs",
                    separates_plain_cells_by_tabs);
    g_test_add_func("/cli-table/measures-combining-characters-as-nothing",
                    measures_combining_characters_as_nothing);
    return g_test_run();
}
