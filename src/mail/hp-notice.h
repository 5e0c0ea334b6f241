/* hp-notice: letters from the server to its user about the line: port 25 is closed here,
 * or a portal asks for a log-in.
 *
 * Threads: any; pure functions. Texts are in the language of the process (gettext).
 */
#pragma once

#include "hp-link-state.h"

#include <glib.h>

typedef struct {
    HpLinkState state;        /* NO_25, CAPTIVE, NO_DNS or OFFLINE */
    gint64 since_usec;        /* wall */
    gint64 now_usec;          /* wall */
    guint waiting;            /* messages */
    const char *hostname;     /* (unowned) */
    const char *user_address; /* (unowned) */
    const char *user_name;    /* (unowned) (nullable) */
} HpNotice;

/* Appends the whole message, CRLF lines. */
void hp_notice_write(const HpNotice *notice, GString *out);
