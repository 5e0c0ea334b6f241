/* hp-log: what happened, for the journal or a terminal.
 *
 * Levels by audience: debug for us, info with --verbose, message for the user's journal,
 * warning when someone should look, critical for our own faults. No message contents, no
 * passwords; addresses only at debug, domains above.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* Once, before other threads start. @verbose shows info and debug too, but of libraries
 * never more than warnings. Lines go to the journal with their fields when stderr leads
 * there, else to stderr as text. */
void hp_log_init(gboolean verbose);

/**
 * hp_log:
 * @topic: the module, "smtp", "queue"
 * @subject: (nullable): the id of the message or session that the line is about
 * @level: a #GLogLevelFlags
 * @format: a sentence without full stop; control characters in the result are escaped
 */
void hp_log(const char *topic, const char *subject, GLogLevelFlags level,
            const char *format, ...) G_GNUC_PRINTF(4, 5);
