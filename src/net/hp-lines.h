/* hp-lines: the only judge of line ends: a line ends with CRLF and nothing else.
 *
 * Threads: that of the channel.
 */
#pragma once

#include "hp-channel.h"

/**
 * HpLineResult:
 * @HP_LINE_OK: a whole line, without its CRLF
 * @HP_LINE_BARE: a whole line that holds a bare CR, a bare LF or a NUL
 * @HP_LINE_TOO_LONG: the line was longer than the limit; it was read to its end and
 *    dropped
 * @HP_LINE_FAILED: no line; the error says why
 */
typedef enum {
    HP_LINE_OK,
    HP_LINE_BARE,
    HP_LINE_TOO_LONG,
    HP_LINE_FAILED,
} HpLineResult;

/**
 * hp_lines_read:
 * @max_octets: longest line with CRLF
 * @ret_line: (out): the line, good until the next read from @channel; for OK and BARE
 * @error: #HP_NET_ERROR
 *
 * Reads up to and with the next CRLF under the channel's deadline and budget.
 */
HpLineResult hp_lines_read(HpChannel *channel, size_t max_octets, HpSlice *ret_line,
                           GError **error);

/* %TRUE if the line is one of HTTP: a method, or "Name: value" as in a header. A web page
 * makes a browser talk to us then, and no line more of it may be read. */
gboolean hp_line_is_http(HpSlice line);
