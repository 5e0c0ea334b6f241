/* hp-id: short names for messages and sessions, printed whole in mail and logs.
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

#define HP_ID_LEN 6 /* characters of Crockford's base32 */

/* A random id, a letter among its first four characters, so that it can never be taken
 * for a reply code. 2^30 values: the caller makes sure that it is not in use. */
char *hp_id_new(void);

/* %TRUE if @text may be an id or the beginning of one (1 to 6 characters of the
 * alphabet; lower case and the confusable I, L, O are understood). */
gboolean hp_id_is_prefix(HpSlice text);

/* @text in the form in which ids are stored: upper case, I and L as 1, O as 0. */
char *hp_id_normalise(HpSlice text);
