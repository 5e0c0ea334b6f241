/* hp-charset: text in any character set as UTF-8, and encoded words of header fields
 * (RFC 2047, RFC 2231 §5).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#define HP_CHARSET_MAX_HEADER                                                            \
    ((size_t)64 * 1024) /* octets of a field that are looked at */

/**
 * hp_charset_to_utf8:
 * @bytes: at most 16 MiB are converted
 * @charset: name from the message; any case, may be unknown
 *
 * Never fails: bytes that the character set does not have become U+FFFD, a NUL too, so
 * that the result is a C string. An unknown set is taken as UTF-8 if @bytes are valid
 * UTF-8, else as Windows-1252 (RFC 7103 asks for a guess rather than a refusal).
 *
 * Returns: (transfer full): valid UTF-8
 */
char *hp_charset_to_utf8(HpSlice bytes, HpSlice charset);

/**
 * hp_charset_decode_words:
 * @value: an unfolded field body, at most %HP_CHARSET_MAX_HEADER octets are looked at
 *
 * Decodes the encoded words in unstructured text or in a phrase; white space between two
 * of them is dropped (RFC 2047 §6.2). Lenient: words that touch other text or are longer
 * than 75 characters are decoded too. Raw 8-bit bytes are taken as
 * hp_charset_to_utf8() takes an unknown set.
 *
 * Returns: (transfer full): valid UTF-8; may contain control characters
 */
char *hp_charset_decode_words(HpSlice value);

/**
 * hp_charset_encode_words:
 * @utf8: valid UTF-8; control characters become spaces
 * @column: width of what stands on the line already ("Subject: " is 9)
 *
 * Encodes text for a header field: ASCII stays as it is (folded at spaces), anything else
 * becomes encoded words of at most 75 characters in UTF-8, folded so that no line is
 * longer than 76 (RFC 2047 §2), never splitting a character (§5).
 *
 * Returns: (transfer full): ASCII without the final CRLF
 */
char *hp_charset_encode_words(const char *utf8, guint column);

#define HP_CHARSET_MAX_NAME 40 /* characters of a character set's name */

/* Only what a name may consist of goes to iconv: "//IGNORE" and paths do not. %FALSE if
 * @charset is no name; else @name is a copy. */
gboolean hp_charset_copy_name(HpSlice charset, char name[HP_CHARSET_MAX_NAME + 1]);

/* Names that mean a larger set in practice: everybody writes Windows-1252 and calls it
 * Latin 1. */
const char *hp_charset_widen(const char *name);
