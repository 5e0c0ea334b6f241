/* hp-text-stream: the text of a MIME part as UTF-8, piece by piece: transfer encoding and
 * character set are undone as the bytes come, in bounded memory.
 *
 * Never fails, and is as lenient as hp-transfer and hp-charset: what cannot be read in
 * the character set becomes U+FFFD; without a character set that is known, bytes that are
 * not UTF-8 count as Windows-1252.
 *
 * Threads: one owner.
 */
#pragma once

#include "hp-mime.h"

typedef struct _HpTextStream HpTextStream;

/* @charset: (nullable): name from the message; any case, may be unknown */
HpTextStream *hp_text_stream_new(HpMimeEncoding encoding, const char *charset);
void hp_text_stream_free(HpTextStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpTextStream, hp_text_stream_free)

/* Appends what @bytes, the next ones of the part, make readable: valid UTF-8 in whole
 * characters. @last: nothing comes after them. */
void hp_text_stream_feed(HpTextStream *self, HpSlice bytes, gboolean last, GString *out);

/* The same without the character set: octets of any value (RFC 3516). A stream is fed in
 * one of both ways. */
void hp_text_stream_decode(HpTextStream *self, HpSlice bytes, gboolean last,
                           GString *out);

/* (transfer full) (nullable): @bytes, all of them, as UTF-8; %NULL if @charset is unknown
 * or @bytes are not in it. Not lenient: for what a program says, not for mail. */
char *hp_text_stream_convert(HpSlice bytes, const char *charset);
