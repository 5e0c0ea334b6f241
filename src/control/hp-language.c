#include "hp-language.h"

#include "hp-build.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

static gboolean
is_plain_c(const char *locale)
{
    return g_str_equal(locale, "C") || g_str_equal(locale, "POSIX") ||
           g_str_has_prefix(locale, "C.");
}

/* The locale that the environment wants for messages: the first of these that says
 * anything (locale(7)); %NULL if none does. */
static const char *
wanted_locale(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);

        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

/* An unknown locale (a language without its locale, ssh from elsewhere) is no reason to
 * garble UTF-8, nor to speak another language: gettext has its own name for that. */
static void
do_without_the_locale(void)
{
    const char *wanted = wanted_locale();
    const char *languages = g_getenv("LANGUAGE");
    g_autofree char *language = NULL;

    setlocale(LC_ALL, "C.UTF-8");
    if (wanted == NULL || is_plain_c(wanted) || (languages != NULL && *languages != '\0'))
        return;
    language = g_strndup(wanted, strcspn(wanted, ".@")); /* "de_DE.UTF-8@euro" */
    g_setenv("LANGUAGE", language, TRUE);
}

/* gettext never translates in the locale "C"; in "C.UTF-8" it does once $LANGUAGE is
 * set. */
static void
leave_plain_c(void)
{
    const char *messages = setlocale(LC_MESSAGES, NULL);

    if (messages != NULL &&
        (g_str_equal(messages, "C") || g_str_equal(messages, "POSIX")))
        setlocale(LC_MESSAGES, "C.UTF-8");
}

void
hp_language_init(const char *language)
{
    const char *bind = g_getenv("HAUSPOST_LOCALEDIR");

    if (setlocale(LC_ALL, "") == NULL || !g_get_charset(NULL))
        do_without_the_locale();
    if (language != NULL && language[0] != '\0') {
        leave_plain_c();
        g_setenv("LANGUAGE", language, TRUE);
    }
    bindtextdomain(GETTEXT_PACKAGE, bind != NULL ? bind : HP_LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
}
