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

/* The locales do not exist, the languages do for gettext. */
static void
speaks_the_language_of_a_locale_that_is_missing(void)
{
    static const struct {
        const char *all, *messages, *lang, *language;
        const char *want; /* of $LANGUAGE */
    } rows[] = {
        { "xy_XY.UTF-8", NULL, "zz_ZZ.UTF-8", NULL, "xy_XY" },
        { NULL, "xy_XY@euro", "zz_ZZ.UTF-8", NULL, "xy_XY" },
        { "", "", "xy.UTF-8", "", "xy" },
        { "xy_XY.UTF-8", NULL, NULL, "fr:de", "fr:de" },
        { "C.UTF-8", NULL, "xy_XY.UTF-8", NULL, NULL },
        { "C", NULL, NULL, NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const values[][2] = { { "LC_ALL", rows[i].all },
                                          { "LC_MESSAGES", rows[i].messages },
                                          { "LANG", rows[i].lang },
                                          { "LANGUAGE", rows[i].language } };

        for (gsize n = 0; n < G_N_ELEMENTS(values); n++)
            if (values[n][1] != NULL)
                g_setenv(values[n][0], values[n][1], TRUE);
            else
                g_unsetenv(values[n][0]);
        hp_language_init(NULL);
        g_assert_cmpstr(g_getenv("LANGUAGE"), ==, rows[i].want);
        g_assert_true(g_get_charset(NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/language/leaves-the-plain-locale-for-a-chosen-language",
                    leaves_the_plain_locale_for_a_chosen_language);
    g_test_add_func("/language/works-without-the-locale-of-the-environment",
                    works_without_the_locale_of_the_environment);
    g_test_add_func("/language/speaks-the-language-of-a-locale-that-is-missing",
                    speaks_the_language_of_a_locale_that_is_missing);
    return g_test_run();
}
