#include "hp-settings-edit.h"

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
    return g_test_run();
}
