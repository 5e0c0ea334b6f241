/* hp-queue-put: members of the dictionaries that the views of the queue are made of.
 *
 * Threads: any; the builder is the caller's.
 */
#pragma once

#include <glib.h>

/* @text: (nullable): then nothing is put. Ours, or cleaned already. */
void hp_queue_put_text(GVariantBuilder *b, const char *key, const char *text);

/* As hp_queue_put_text() for what came from outside: made printable, and cut. */
void hp_queue_put_printable(GVariantBuilder *b, const char *key, const char *text);

/* Wall µs, as RFC 3339 has it. */
void hp_queue_put_time(GVariantBuilder *b, const char *key, gint64 wall_usec);

/* A count, as "u". */
void hp_queue_put_number(GVariantBuilder *b, const char *key, gint64 number);

/* A size, as "t". */
void hp_queue_put_octets(GVariantBuilder *b, const char *key, gint64 octets);
