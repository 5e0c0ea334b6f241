/* hp-json: the dictionaries of the control interface as JSON.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

/**
 * hp_json_write:
 * @schema: "hauspost.status/1"
 * @member: (nullable): for a list (aa{sv} and the like): the member that will hold it
 * @value: a dictionary (a{sv}), or any value with @member; a floating reference is not
 *    taken
 *
 * Writes one JSON object of one line: "schema" first, then the members of the dictionary,
 * or the one @member. Variants are unwrapped; 64-bit numbers stay numbers.
 *
 * Returns: (transfer full): UTF-8 text without a line end
 */
char *hp_json_write(const char *schema, const char *member, GVariant *value);
