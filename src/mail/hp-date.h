/* hp-date: dates of header fields (RFC 5322 §3.3).
 *
 * Threads: any.
 */
#pragma once

#include "hp-slice.h"

/* Appends "Tue, 24 Nov 2026 14:05:00 +0100" in the machine's own zone. */
void hp_date_append(GString *out, gint64 wall_usec);

/* The same in UTC ("+0000"), for what should not tell where the machine is. */
void hp_date_append_utc(GString *out, gint64 wall_usec);

/**
 * hp_date_parse:
 * @text: a date, folded or not
 * @ret_sec: (out): seconds since 1970, UTC
 * @ret_offset_min: (out) (nullable): minutes that the zone is ahead of UTC
 *
 * Reads date-time and obs-date-time (§4.3): comments, years of two and three digits, zone
 * names. Lenient (RFC 7103 §7.7): a missing day of week, seconds or zone (then UTC), the
 * month before the day and the order of C's asctime(), a leap second as :59.
 *
 * Returns: %FALSE if it is no date of the years 1900 to 9999
 */
gboolean hp_date_parse(HpSlice text, gint64 *ret_sec, gint *ret_offset_min);
