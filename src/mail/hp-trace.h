/* hp-trace: the Received line that a server puts on top (RFC 5321 §4.4).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *from;     /* (unowned): the client's name; "localhost" for the user's own
                             programs, whose names and addresses are nobody's business */
    const char *by;       /* (unowned): our host name */
    const char *protocol; /* (unowned): from hp_trace_protocol() */
    const char *id;       /* (unowned) (nullable) */
    gint64 wall_usec;
} HpTrace;

/* The "with" keyword of RFC 3848 and RFC 6531 §4.3: "ESMTPSA", "UTF8SMTPA" and so on;
 * "SMTP" if @extended (EHLO was said) is %FALSE. */
const char *hp_trace_protocol(gboolean extended, gboolean tls, gboolean authenticated,
                              gboolean utf8);

/* Appends the field with its CRLF, in UTC, so that it tells no zone that the message's
 * own Date does not. Bytes that do not belong into a field are left out. */
void hp_trace_append(GString *out, const HpTrace *trace);
