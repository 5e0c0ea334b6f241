/* hp-sevenbit: a message with 8-bit bytes made fit for a server without 8BITMIME (RFC
 * 6152 §3).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#define HP_SEVENBIT_ERROR (hp_sevenbit_error_quark())
GQuark hp_sevenbit_error_quark(void);

/**
 * HpSevenbitError:
 * @HP_SEVENBIT_ERROR_SIGNED: a signature covers the bytes
 * @HP_SEVENBIT_ERROR_STRUCTURE: the message is broken or too complex to be sure
 * @HP_SEVENBIT_ERROR_HEADER: a header field that cannot be encoded has 8-bit bytes
 */
typedef enum {
    HP_SEVENBIT_ERROR_SIGNED,
    HP_SEVENBIT_ERROR_STRUCTURE,
    HP_SEVENBIT_ERROR_HEADER,
} HpSevenbitError;

/**
 * hp_sevenbit_convert:
 * @message: a whole message, CRLF lines
 * @error: what is in the way; the message must then be returned (5.6.3)
 *
 * Each part with 8-bit bytes becomes quoted-printable (text) or base64, also inside
 * forwarded messages; whatever contains it is labelled 7bit. Text without a label gets
 * one: utf-8 if it is that, else unknown-8bit (RFC 1428). Subject and other unstructured
 * fields and display names become encoded words.
 *
 * Returns: (transfer full): the message in ASCII
 */
GString *hp_sevenbit_convert(HpSlice message, GError **error);

/**
 * hp_sevenbit_has_wide_header:
 * @message: a whole message
 *
 * Does the header of the message, of a part, or of a message/rfc822 inside have bytes of
 * 128 and more? Then it is an internationalized message, which only SMTPUTF8 may carry
 * (RFC 6532 §3.7); a body alone does not make it one, and message/global is a body.
 */
gboolean hp_sevenbit_has_wide_header(HpSlice message);
