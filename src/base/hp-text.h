/* hp-text: text for people out of bytes from anywhere, and back.
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

#include <string.h>

/* Valid UTF-8 on one line: invalid bytes become U+FFFD, control and bidirectional
 * override characters a space, runs of spaces one; at most @max_chars characters, and an
 * ellipsis after them if there were more. For terminals, D-Bus, JSON and logs. */
char *hp_text_printable(HpSlice bytes, size_t max_chars);

/* ASCII only, for protocol replies: umlauts as ae, oe, ue, ss, other accents dropped,
 * typographic quotes and dashes as plain ones, anything else as "?". */
char *hp_text_to_ascii(const char *utf8);

/* %TRUE if every byte is below 128. */
gboolean hp_text_is_ascii(HpSlice bytes);

/* Lower-case hexadecimal. */
char *hp_text_hex(const void *bytes, size_t len);

/* The octet that two hexadecimal digits at @at stand for; -1 if there are none. */
int hp_text_unhex(HpSlice text, size_t at);

/**
 * hp_text_parse_duration:
 * @text: a number and a unit, "30s", "5m", "4h", "30d"; "0" needs no unit
 * @ret_sec: (out): seconds
 *
 * Returns: %FALSE if it is not a duration of at most 100 years
 */
gboolean hp_text_parse_duration(HpSlice text, gint64 *ret_sec);

/* The same for sizes: bytes, or with K, M, G (1024-based). At most 2^53. */
gboolean hp_text_parse_size(HpSlice text, gint64 *ret_bytes);

/* Levenshtein distance of ASCII words, case ignored; for "did you mean". At most 64
 * bytes of each are looked at. */
guint hp_text_distance(const char *a, const char *b);
