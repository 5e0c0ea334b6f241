/* hp-settings-edit: changes single lines of a key file and leaves everything else as it
 * is: comments, order, blank lines, line ends.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

/**
 * hp_settings_edit_set:
 * @text: the file
 * @section: what stands in the brackets: "listen", "identity work"
 * @value: one line
 *
 * Sets @key: its line is replaced; else a new line is put below "#key=…" (a default that
 * is shown as a comment), else at the end of the section, else in a new section at the
 * end.
 *
 * Returns: (transfer full): the new file
 */
char *hp_settings_edit_set(HpSlice text, const char *section, const char *key,
                           const char *value);

/* Removes the lines of @key, so that the default holds, and with the last of them a
 * section that has nothing else: what hp_settings_edit_set() added goes without a trace.
 * @ret_found: (out) (nullable). */
char *hp_settings_edit_unset(HpSlice text, const char *section, const char *key,
                             gboolean *ret_found);

/* Removes the section: its header and settings and the comments between them, and blank
 * lines that would then stand together; comments just above the next header are taken to
 * belong to that. */
char *hp_settings_edit_remove(HpSlice text, const char *section, gboolean *ret_found);
