/* hp-cli-format: times and sizes as a person reads and types them.
 *
 * Threads: any; pure functions of their arguments, the locale and the time zone.
 */
#pragma once

#include <glib.h>

/* "512 B", "12 K", "1.5 M" (1024-based). */
char *hp_format_size(gint64 bytes);

/* "40 s", "12 min", "3 h 12 min", "4 days". */
char *hp_format_duration(gint64 seconds);

/**
 * hp_format_time:
 * @rfc3339: (nullable): a time of the control interface
 * @now_usec: wall time
 *
 * In the local time zone: "14:32" if it is today's, else with the date. "–" for %NULL, ""
 * and what is no time.
 */
char *hp_format_time(const char *rfc3339, gint64 now_usec);

/* The same with seconds, for stories. */
char *hp_format_moment(const char *rfc3339, gint64 now_usec);

/* The day alone: "24 Nov 2026". */
char *hp_format_day(const char *rfc3339);

/* "now", "in 4 min" within a day, else as hp_format_time(). */
char *hp_format_until(const char *rfc3339, gint64 now_usec);

/* @ret_usec: (out): wall time; %FALSE if @rfc3339 is no time. */
gboolean hp_parse_rfc3339(const char *rfc3339, gint64 *ret_usec);

/* A time to come: "1h", "18:00" (the next one), "2026-11-24", RFC 3339. */
gboolean hp_parse_until(const char *text, gint64 now_usec, gint64 *ret_usec);

/* A time past: "7d", "2026-11-24", RFC 3339. */
gboolean hp_parse_since(const char *text, gint64 now_usec, gint64 *ret_usec);
