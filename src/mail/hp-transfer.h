/* hp-transfer: the content transfer encodings base64 and quoted-printable (RFC 2045 §6.7,
 * §6.8), for whole bodies and for encoded words.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

/* Appends the decoded bytes. Lenient (RFC 2045 §6.8): bytes outside the alphabet are
 * skipped, "=" ends the data, bits that do not fill a byte are dropped. */
void hp_transfer_decode_base64(HpSlice encoded, GString *out);

/* Appends the decoded bytes. Lenient: "=" without two hexadecimal digits stays as it is,
 * trailing space of a line is dropped, soft line breaks are removed. */
void hp_transfer_decode_quoted_printable(HpSlice encoded, GString *out);

/* Appends base64 in lines of 76 characters, each one ended by CRLF. */
void hp_transfer_encode_base64(HpSlice bytes, GString *out);

/* Appends quoted-printable: CRLF stays a line end, all other bytes that are not printable
 * ASCII (a lone CR or LF too) are encoded; no line is longer than 76 characters. "From "
 * and "." at the start of a line are encoded, because other programs change them. */
void hp_transfer_encode_quoted_printable(HpSlice bytes, GString *out);
