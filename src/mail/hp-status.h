/* hp-status: enhanced mail system status codes, "5.1.1" (RFC 3463).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#define HP_STATUS_SIZE 12 /* octets of the longest code with its NUL */

typedef struct {
    guint severity; /* 2 success, 4 not now, 5 not ever */
    guint subject;  /* 0 to 999 */
    guint detail;   /* 0 to 999 */
} HpStatus;

/* status-code = ("2" / "4" / "5") "." 1*3digit "." 1*3digit (RFC 3463 §2), not followed
 * by another digit or dot. Consumes it, or nothing. */
gboolean hp_status_parse(HpCursor *c, HpStatus *ret_status);

/* Writes the code without leading zeros. */
void hp_status_write(const HpStatus *self, char ret_code[HP_STATUS_SIZE]);

/**
 * hp_status_of_reply:
 * @code: reply code, 200 to 599
 * @enhanced: "5.1.1", or "" if the server gave none
 * @ret_status: (out): @enhanced if it is one and its class agrees with @code (RFC 2034 §4
 *    demands it), else the class with ".0.0"
 */
void hp_status_of_reply(guint code, const char *enhanced, HpStatus *ret_status);
