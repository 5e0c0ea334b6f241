/* hp-language: the language in which Hauspost speaks.
 *
 * Threads: once, before others start: it changes the locale and the environment.
 */
#pragma once

#include <glib.h>

/**
 * hp_language_init:
 * @language: (nullable): "de", "en", "de_AT" of the settings; %NULL or "": as the
 *    environment says
 *
 * Binds the translations. Neither a chosen language nor that of the environment needs a
 * locale on the system: where there is none, C.UTF-8 is taken and gettext is told by
 * $LANGUAGE. $HAUSPOST_LOCALEDIR names another folder of translations (tests).
 */
void hp_language_init(const char *language);
