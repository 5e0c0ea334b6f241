/* hp-dots: the dot-terminated blocks of SMTP DATA (RFC 5321 §4.5.2) and POP3 (RFC 1939
 * §3).
 *
 * Threads: that of the channel.
 */
#pragma once

#include "hp-channel.h"

/* Takes a piece of the block; %FALSE stops delivering pieces, the block is still read to
 * its end. */
typedef gboolean (*HpDotsSink)(HpSlice piece, gpointer data);

typedef struct {
    guint64 octets;      /* of the block, unstuffed, without the final dot line */
    gboolean bare;       /* a bare CR, bare LF or NUL was seen: must be refused */
    gboolean eight_bit;  /* a byte of 128 or more was seen */
    size_t longest_line; /* octets without CRLF */
} HpDotsSummary;

/**
 * hp_dots_read:
 * @sink: gets the unstuffed bytes, lines with their CRLF
 * @data: (nullable): passed to @sink
 * @ret_summary: (out): what was read
 * @error: #HP_NET_ERROR
 *
 * Reads a block; only CRLF.CRLF ends it (and .CRLF at its very beginning).
 */
gboolean hp_dots_read(HpChannel *channel, HpDotsSink sink, gpointer data,
                      HpDotsSummary *ret_summary, GError **error);

/* Writes a block piece by piece: stuffs dots; a bare CR or LF becomes CRLF, so that what
 * leaves never holds one. */
typedef struct {
    char last;     /* the byte before, '\n' at the beginning of a line */
    gboolean open; /* something was written */
} HpDotsWriter;

#define HP_DOTS_WRITER_INIT ((HpDotsWriter){ '\n', FALSE })

/* @error: #HP_NET_ERROR */
gboolean hp_dots_write(HpDotsWriter *self, HpChannel *channel, HpSlice piece,
                       GError **error);

/* Ends the last line if need be; the caller then sends ".\r\n" itself, because the moment
 * in which that begins matters (an unanswered dot makes a delivery uncertain). */
gboolean hp_dots_finish(HpDotsWriter *self, HpChannel *channel, GError **error);
