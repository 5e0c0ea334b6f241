#include "hp-cli-format.h"

#include "hp-text.h"

#include <glib/gi18n.h>

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

char *
hp_format_size(gint64 bytes)
{
    static const char units[] = "KMGT";
    double n = (double)bytes;
    guint unit = 0;

    if (bytes < 1000)
        return g_strdup_printf("%d B", (int)bytes);
    for (n /= 1024; n >= 999.5 && unit < 3; unit++)
        n /= 1024;
    return g_strdup_printf(n < 9.95 ? "%.1f %c" : "%.0f %c", n, units[unit]);
}

char *
hp_format_duration(gint64 seconds)
{
    if (seconds < MINUTE)
        return g_strdup_printf(_("%d s"), (int)MAX(seconds, 0));
    if (seconds < HOUR)
        return g_strdup_printf(_("%d min"), (int)(seconds / MINUTE));
    if (seconds < DAY)
        return g_strdup_printf(_("%d h %d min"), (int)(seconds / HOUR),
                               (int)(seconds % HOUR / MINUTE));
    return g_strdup_printf(ngettext("%d day", "%d days", (gulong)(seconds / DAY)),
                           (int)(seconds / DAY));
}

static GDateTime *
parse_local(const char *rfc3339)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time =
        rfc3339 != NULL ? g_date_time_new_from_iso8601(rfc3339, utc) : NULL;

    return time != NULL ? g_date_time_to_local(time) : NULL;
}

static gboolean
is_same_day(GDateTime *a, gint64 now_usec)
{
    g_autoptr(GDateTime) now =
        g_date_time_new_from_unix_local(now_usec / G_TIME_SPAN_SECOND);

    return now != NULL && g_date_time_get_year(a) == g_date_time_get_year(now) &&
           g_date_time_get_day_of_year(a) == g_date_time_get_day_of_year(now);
}

/* @today, @other: formats of g_date_time_format() */
static char *
format_local(const char *rfc3339, gint64 now_usec, const char *today, const char *other)
{
    g_autoptr(GDateTime) time = parse_local(rfc3339);

    if (time == NULL)
        return g_strdup("–");
    return g_date_time_format(time, is_same_day(time, now_usec) ? today : other);
}

char *
hp_format_time(const char *rfc3339, gint64 now_usec)
{
    /* TRANSLATORS: formats of g_date_time_format(); month names are English where the
     * system has no German locale, so a number is better. */
    return format_local(rfc3339, now_usec, "%H:%M", _("%-d %b %H:%M"));
}

char *
hp_format_moment(const char *rfc3339, gint64 now_usec)
{
    return format_local(rfc3339, now_usec, "%H:%M:%S", _("%-d %b %H:%M:%S"));
}

char *
hp_format_day(const char *rfc3339)
{
    return format_local(rfc3339, 0, _("%-d %b %Y"), _("%-d %b %Y"));
}

gboolean
hp_parse_rfc3339(const char *rfc3339, gint64 *ret_usec)
{
    g_autoptr(GDateTime) time = parse_local(rfc3339);

    if (time == NULL)
        return FALSE;
    *ret_usec = g_date_time_to_unix(time) * G_TIME_SPAN_SECOND +
                g_date_time_get_microsecond(time);
    return TRUE;
}

char *
hp_format_until(const char *rfc3339, gint64 now_usec)
{
    g_autofree char *span = NULL;
    gint64 usec, seconds;

    if (!hp_parse_rfc3339(rfc3339, &usec))
        return g_strdup("–");
    seconds = (usec - now_usec) / G_TIME_SPAN_SECOND;
    if (seconds <= 0)
        return g_strdup(_("now"));
    if (seconds >= DAY)
        return hp_format_time(rfc3339, now_usec);
    span = hp_format_duration(seconds);
    return g_strdup_printf(_("in %s"), span);
}

/* "2026-11-24" as midnight here, or RFC 3339. */
static gboolean
parse_date(const char *text, gint64 *ret_usec)
{
    g_autofree char *midnight = g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GTimeZone) local = g_time_zone_new_local();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(midnight, local);

    if (time == NULL)
        return hp_parse_rfc3339(text, ret_usec);
    *ret_usec = g_date_time_to_unix(time) * G_TIME_SPAN_SECOND;
    return TRUE;
}

/* "18:00": the next time that a clock here shows it */
static gboolean
parse_clock(const char *text, gint64 now_usec, gint64 *ret_usec)
{
    HpCursor c = hp_cursor_over(hp_slice_of(text));
    g_autoptr(GDateTime) now =
        g_date_time_new_from_unix_local(now_usec / G_TIME_SPAN_SECOND);
    g_autoptr(GDateTime) then = NULL;
    guint64 hour, minute;

    if (!hp_cursor_take_number(&c, 23, &hour) || !hp_cursor_skip(&c, ':') ||
        !hp_cursor_take_number(&c, 59, &minute) || !hp_cursor_at_end(&c))
        return FALSE;
    for (int days = 0; days < 2; days++) {
        g_autoptr(GDateTime) day = g_date_time_add_days(now, days);

        g_clear_pointer(&then, g_date_time_unref);
        then = g_date_time_new_local(
            g_date_time_get_year(day), g_date_time_get_month(day),
            g_date_time_get_day_of_month(day), (int)hour, (int)minute, 0);
        if (then != NULL && g_date_time_compare(then, now) > 0)
            break;
    }
    if (then == NULL)
        return FALSE;
    *ret_usec = g_date_time_to_unix(then) * G_TIME_SPAN_SECOND;
    return TRUE;
}

gboolean
hp_parse_until(const char *text, gint64 now_usec, gint64 *ret_usec)
{
    gint64 seconds, usec;

    if (hp_text_parse_duration(hp_slice_of(text), &seconds))
        usec = now_usec + seconds * G_TIME_SPAN_SECOND;
    else if (!parse_clock(text, now_usec, &usec) && !parse_date(text, &usec))
        return FALSE;
    if (usec <= now_usec)
        return FALSE;
    *ret_usec = usec;
    return TRUE;
}

gboolean
hp_parse_since(const char *text, gint64 now_usec, gint64 *ret_usec)
{
    gint64 seconds;

    if (!hp_text_parse_duration(hp_slice_of(text), &seconds))
        return parse_date(text, ret_usec);
    *ret_usec = MAX(now_usec - seconds * G_TIME_SPAN_SECOND, 0);
    return TRUE;
}
