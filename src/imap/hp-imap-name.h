/* hp-imap-name: names of mailboxes on the wire: modified UTF-7 (RFC 3501 §5.1.3).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

/* (transfer full): ASCII; "&" as "&-", what is not printable ASCII as "&...-". @utf8:
 * valid UTF-8. */
char *hp_imap_name_encode(const char *utf8);

/* (transfer full) (nullable): UTF-8; %NULL if it is not well-formed: bad base64,
 * printable ASCII or halves of characters in it, more bits than needed, "&-&". Octets
 * above 127 are kept if all of it is UTF-8, for clients that send names so without having
 * been told that they may. */
char *hp_imap_name_decode(const char *name);
