/* hp-header: the header fields of a message as views of its bytes (RFC 5322 §2.2),
 * lenient as RFC 7103 asks.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#define HP_HEADER_MAX_BLOCK                                                              \
    ((size_t)256 * 1024) /* octets of a header that are looked at */
#define HP_HEADER_MAX_FIELD ((size_t)64 * 1024) /* octets of one field's body */

typedef struct {
    HpSlice raw;  /* all of it with its line ends */
    HpSlice name; /* as written, without white space; empty if the line is not a field */
    HpSlice body; /* after ":", still folded, without the last line end; at most
                     %HP_HEADER_MAX_FIELD octets of it */
} HpHeaderField;

/**
 * hp_header_split:
 * @message: the bytes of a message or of a MIME part
 *
 * Where the header ends: at the first empty line (CRLF or LF).
 *
 * Returns: octets of the header with the empty line; all of @message if there is none
 */
size_t hp_header_split(HpSlice message);

/**
 * hp_header_next:
 * @c: cursor over a header block, at the start of a line; moves behind the field
 * @ret_field: (out): the next field
 *
 * Lines end in CRLF or LF; white space before ":" is tolerated. A line that is neither a
 * field nor a continuation comes out with an empty name, so that nothing is lost.
 *
 * Returns: %FALSE at the end or at the empty line, which is not consumed
 */
gboolean hp_header_next(HpCursor *c, HpHeaderField *ret_field);

/**
 * hp_header_find:
 * @block: a header block, or a message: at most %HP_HEADER_MAX_BLOCK octets are looked at
 * @name: without colon; any case
 *
 * Returns: %FALSE if there is no such field; else the first one
 */
gboolean hp_header_find(HpSlice block, const char *name, HpHeaderField *ret_field);

/* Appends a field's body without the line ends of folding and without the space around
 * it (RFC 5322 §2.2.3). */
void hp_header_unfold(HpSlice body, GString *out);

/* A field's body as people read it: unfolded, encoded words decoded, on one line, at most
 * @max_chars characters. (transfer full) */
char *hp_header_text(HpSlice body, size_t max_chars);
