#include "hp-language.h"

#include <locale.h>
#include <string.h>

static void
leaves_the_plain_locale_for_a_chosen_language(void)
{
    g_setenv("LC_ALL", "C", TRUE);
    hp_language_init("de");
    g_assert_cmpstr(g_getenv("LANGUAGE"), ==, "de");
    g_assert_cmpstr(setlocale(LC_MESSAGES, NULL), !=, "C");
}

static void
works_without_the_locale_of_the_environment(void)
{
    g_setenv("LC_ALL", "xx_XX.UTF-8", TRUE);
    hp_language_init(NULL);
    g_assert_true(g_get_charset(NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/language/leaves-the-plain-locale-for-a-chosen-language",
                    leaves_the_plain_locale_for_a_chosen_language);
    g_test_add_func("/language/works-without-the-locale-of-the-environment",
                    works_without_the_locale_of_the_environment);
    return g_test_run();
}
