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
 * Binds the translations. A chosen language needs no locale of its own on the system:
 * where the locale of the environment is C, C.UTF-8 is taken and gettext is told by
 * $LANGUAGE. $HAUSPOST_LOCALEDIR names another folder of translations (tests).
 */
void hp_language_init(const char *language);
