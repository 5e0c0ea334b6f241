/* hp-pop3-surrogate: a header for clients that did not ask for UTF-8: what is not ASCII
 * in it becomes encoded-words (RFC 6856 §2.1, in the spirit of RFC 6858).
 *
 * The message itself is not touched. A header of ASCII alone, which is nearly every one,
 * passes through byte by byte; so does the body.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-slice.h"

typedef struct _HpPop3Surrogate HpPop3Surrogate;

/* Where the bytes go; %FALSE ends it. */
typedef gboolean (*HpPop3Sink)(HpSlice bytes, gpointer data);

HpPop3Surrogate *hp_pop3_surrogate_new(void);
void hp_pop3_surrogate_free(HpPop3Surrogate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpPop3Surrogate, hp_pop3_surrogate_free)

/**
 * hp_pop3_surrogate_add:
 * @piece: the message, piece by piece
 *
 * In a line of the header, each word that is not ASCII becomes an encoded-word (RFC
 * 2047), and an address that is not ASCII one that nothing can be sent to. A line of more
 * than 64 KiB has its other bytes replaced by "?".
 *
 * Returns: %FALSE if @sink did
 */
gboolean hp_pop3_surrogate_add(HpPop3Surrogate *self, HpSlice piece, HpPop3Sink sink,
                               gpointer data);

/* The message ends here. */
gboolean hp_pop3_surrogate_end(HpPop3Surrogate *self, HpPop3Sink sink, gpointer data);
