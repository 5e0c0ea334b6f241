/* hp-imap-pattern: which names a LIST pattern means (RFC 9051 §6.3.9).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

/* Does @name match @pattern, in which "*" stands for anything and "%" for anything
 * without
 * "/"? INBOX as the first level matches in any case. The time is that of both lengths
 * multiplied, whatever the pattern is. */
gboolean hp_imap_pattern_matches(const char *pattern, const char *name);
