/* hp-pop3-command: the command lines of POP3, taken apart.
 *
 * Threads: pure functions; any.
 */
#pragma once

#include "hp-slice.h"

#define HP_POP3_MAX_LINE 255 /* octets with CRLF; RFC 2449 §4 */

/**
 * hp_pop3_parse_command:
 * @line: without CRLF
 * @ret_verb: (out): 3 or 4 letters (RFC 1939 §3) and digits ("UTF8")
 * @ret_args: (out): what follows the space, as it is (a password may hold spaces)
 *
 * Returns: %FALSE if it has not the form of a command
 */
gboolean hp_pop3_parse_command(HpSlice line, HpSlice *ret_verb, HpSlice *ret_args);

/* Message number, 1 to @max, and for TOP a number of lines; all of @args. */
gboolean hp_pop3_parse_number(HpSlice args, guint max, guint *ret_number);
gboolean hp_pop3_parse_top(HpSlice args, guint max, guint *ret_number,
                           guint64 *ret_lines);

/**
 * hp_pop3_parse_name:
 * @ret_name: (out) (transfer full): @bytes, in the form in which names are compared
 *
 * A user name or a password in UTF-8 (RFC 6856 §2.2): neither empty nor with control
 * characters; other than ASCII is normalised (NFKC, as SASLprep does).
 */
gboolean hp_pop3_parse_name(HpSlice bytes, char **ret_name);
