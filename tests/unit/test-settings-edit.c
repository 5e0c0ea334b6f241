#include "hp-settings-edit.h"

#include <string.h>

static const char file[] = "# Anna's settings\n"
                           "\n"
                           "[listen]\n"
                           "# the usual port\n"
                           "smtp = 10587\n"
                           "#imap=10143\n"
                           "\n"
                           "# where mail goes\n"
                           "[identity  work]\n"
                           "address=a@w.example\n"
                           "\n"
                           "# names\n"
                           "[dns]\n"
                           "servers=";

static void
check_set(const char *section, const char *key, const char *old, const char *new)
{
    g_autofree char *got = hp_settings_edit_set(hp_slice_of(file), section, key, "VALUE");
    g_auto(GStrv) parts = g_strsplit(file, old, 2);
    g_autofree char *want = g_strconcat(parts[0], new, parts[1], NULL);

    g_assert_cmpstr(got, ==, want);
}

static void
keeps_everything_else_when_it_sets(void)
{
    check_set("listen", "smtp", "smtp = 10587\n", "smtp=VALUE\n");
    check_set("listen", "imap", "#imap=10143\n", "#imap=10143\nimap=VALUE\n");
    check_set("listen", "pop3", "#imap=10143\n", "#imap=10143\npop3=VALUE\n");
    check_set("identity work", "name", "address=a@w.example\n",
              "address=a@w.example\nname=VALUE\n");
    check_set("dns", "servers", "servers=", "servers=VALUE\n");
    check_set("dns", "trust-ad", "servers=", "servers=\ntrust-ad=VALUE\n");
    check_set("mail", "x", "servers=", "servers=\n\n[mail]\nx=VALUE\n");
}

static void
keeps_the_line_ends_of_the_file(void)
{
    g_autofree char *got =
        hp_settings_edit_set(hp_slice_of("[a]\r\nx=1\r\n"), "a", "y", "2");
    g_autofree char *first = hp_settings_edit_set(hp_slice_of(""), "a", "y", "2");

    g_assert_cmpstr(got, ==, "[a]\r\nx=1\r\ny=2\r\n");
    g_assert_cmpstr(first, ==, "[a]\ny=2\n");
}

static void
unsets_only_that_key(void)
{
    gboolean found = FALSE;
    g_autofree char *got = hp_settings_edit_unset(
        hp_slice_of("[a]\n#x=0\nx=1\n[b]\nx=2\n"), "a", "x", &found);
    g_autofree char *same =
        hp_settings_edit_unset(hp_slice_of(file), "dns", "smtp", NULL);

    g_assert_true(found);
    g_assert_cmpstr(got, ==, "[a]\n#x=0\n[b]\nx=2\n");
    g_assert_cmpstr(same, ==, file);
}

static void
removes_a_section_but_not_the_next_ones_comment(void)
{
    gboolean found = FALSE;
    g_autofree char *got =
        hp_settings_edit_remove(hp_slice_of(file), "identity work", &found);
    g_auto(GStrv) parts = g_strsplit(file, "[identity  work]\naddress=a@w.example\n", 2);
    g_autofree char *want = g_strconcat(parts[0], parts[1], NULL);
    g_autofree char *same =
        hp_settings_edit_remove(hp_slice_of(file), "identity home", NULL);

    g_assert_true(found);
    g_assert_cmpstr(got, ==, want);
    g_assert_cmpstr(same, ==, file);
}

static void
takes_an_empty_section_away(void)
{
    static const struct {
        const char *before;
        const char *after;
    } rows[] = {
        { "[a]\nx=1\n", "" },
        { "[a]\nx=1\n\n[b]\ny=2\n", "[b]\ny=2\n" },
        { "[b]\ny=2\n\n[a]\nx=1\n", "[b]\ny=2\n" },
        { "[b]\ny=2\n\n[a]\n\nx=1\n\n# c\n[c]\n", "[b]\ny=2\n\n# c\n[c]\n" },
        { "[b]\ny=2\n[a]\nx=1\n\n[c]\n", "[b]\ny=2\n\n[c]\n" },
        /* It has something else. */
        { "[a]\nx=1\ny=2\n", "[a]\ny=2\n" },
        { "[a]\n# why\nx=1\n", "[a]\n# why\n" },
        { "[a]\nx=1\n#y=2\n", "[a]\n#y=2\n" },
        { "[a]\n", "[a]\n" },
    };
    g_autofree char *set = hp_settings_edit_set(hp_slice_of(file), "new", "x", "1");
    g_autofree char *unset = hp_settings_edit_unset(hp_slice_of(set), "new", "x", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got =
            hp_settings_edit_unset(hp_slice_of(rows[i].before), "a", "x", NULL);

        g_test_message("%s", rows[i].before);
        g_assert_cmpstr(got, ==, rows[i].after);
    }
    g_assert_true(g_str_has_prefix(unset, file)); /* and the line end that it lacked */
    g_assert_cmpstr(unset + strlen(file), ==, "\n");
}

static void
leaves_no_blank_lines_where_a_section_was(void)
{
    g_autofree char *middle = hp_settings_edit_remove(
        hp_slice_of("[b]\ny=2\n\n[a]\nx=1\nz=3\n\n[c]\n"), "a", NULL);
    g_autofree char *last = hp_settings_edit_remove(
        hp_slice_of("[b]\r\ny=2\r\n\r\n[a]\r\nx=1\r\n\r\n"), "a", NULL);

    g_assert_cmpstr(middle, ==, "[b]\ny=2\n\n[c]\n");
    g_assert_cmpstr(last, ==, "[b]\r\ny=2\r\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings-edit/keeps-everything-else-when-it-sets",
                    keeps_everything_else_when_it_sets);
    g_test_add_func("/settings-edit/keeps-the-line-ends-of-the-file",
                    keeps_the_line_ends_of_the_file);
    g_test_add_func("/settings-edit/unsets-only-that-key", unsets_only_that_key);
    g_test_add_func("/settings-edit/removes-a-section-but-not-the-next-ones-comment",
                    removes_a_section_but_not_the_next_ones_comment);
    g_test_add_func("/settings-edit/takes-an-empty-section-away",
                    takes_an_empty_section_away);
    g_test_add_func("/settings-edit/leaves-no-blank-lines-where-a-section-was",
                    leaves_no_blank_lines_where_a_section_was);
    return g_test_run();
}
