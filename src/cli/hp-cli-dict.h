/* hp-cli-dict: reading the dictionaries (a{sv}) that the daemon answers with.
 *
 * A member that is missing or has another type counts as not there, so that an older
 * program can read what a newer daemon says.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

/* (nullable): borrowed from @dict. */
const char *hp_dict_text(GVariant *dict, const char *key);

/* Any integer type; @fallback if there is none. */
gint64 hp_dict_number(GVariant *dict, const char *key, gint64 fallback);

/* %FALSE if it is missing. */
gboolean hp_dict_yes(GVariant *dict, const char *key);

/* (transfer full): the dictionary inside; an empty one if there is none. */
GVariant *hp_dict_dict(GVariant *dict, const char *key);

/* (transfer full): the list of dictionaries (aa{sv}) inside; an empty one if there is
 * none. */
GVariant *hp_dict_list(GVariant *dict, const char *key);

/* (transfer full): words joined by ", "; "" if there are none. */
char *hp_dict_words(GVariant *dict, const char *key);
