#include "hp-language.h"

#include "hp-build.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

/* gettext never translates in the locale "C"; in "C.UTF-8" it does once $LANGUAGE is
 * set. */
static void
leave_plain_c(void)
{
    const char *messages = setlocale(LC_MESSAGES, NULL);

    if (messages != NULL && strcmp(messages, "C") != 0 && strcmp(messages, "POSIX") != 0)
        return;
    setlocale(LC_MESSAGES, "C.UTF-8");
}

void
hp_language_init(const char *language)
{
    const char *bind = g_getenv("HAUSPOST_LOCALEDIR");

    /* An unknown locale (cron, ssh from elsewhere) is no reason to garble UTF-8. */
    if (setlocale(LC_ALL, "") == NULL || !g_get_charset(NULL))
        setlocale(LC_ALL, "C.UTF-8");
    if (language != NULL && language[0] != '\0') {
        leave_plain_c();
        g_setenv("LANGUAGE", language, TRUE);
    }
    bindtextdomain(GETTEXT_PACKAGE, bind != NULL ? bind : HP_LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
}
