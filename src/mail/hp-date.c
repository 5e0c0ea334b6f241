#include "hp-date.h"

#include <string.h>
#include <time.h>

#define LONGEST_DATE 256 /* octets that are looked at */

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* strftime() would use the locale's names. */
static void
append_tm(GString *out, const struct tm *tm, long offset_min)
{
    g_string_append_printf(
        out, "%s, %d %s %04d %02d:%02d:%02d %c%02ld%02ld", days[tm->tm_wday], tm->tm_mday,
        months[tm->tm_mon], tm->tm_year + 1900, tm->tm_hour, tm->tm_min, tm->tm_sec,
        offset_min < 0 ? '-' : '+', labs(offset_min) / 60, labs(offset_min) % 60);
}

void
hp_date_append(GString *out, gint64 wall_usec)
{
    time_t sec = (time_t)(wall_usec / G_USEC_PER_SEC);
    struct tm tm;

    if (localtime_r(&sec, &tm) == NULL)
        hp_date_append_utc(out, wall_usec);
    else
        append_tm(out, &tm, tm.tm_gmtoff / 60);
}

void
hp_date_append_utc(GString *out, gint64 wall_usec)
{
    time_t sec = (time_t)(wall_usec / G_USEC_PER_SEC);
    struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };

    gmtime_r(&sec, &tm);
    append_tm(out, &tm, 0);
}

/* What was seen so far; -1 is "not yet". */
typedef struct {
    int day, month, year; /* month 0 to 11 */
    int hour, min, sec;
    int offset_min;
    gboolean has_offset;
} Parts;

static gboolean
is_alpha(unsigned char byte)
{
    return g_ascii_isalpha(byte);
}

static gboolean
is_date_space(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == ',';
}

/* Comments nest; they are counted, not recursed into. */
static void
skip_date_space(HpCursor *c)
{
    guint depth = 0;

    while (!hp_cursor_at_end(c)) {
        char byte = *c->at;

        if (byte == '(')
            depth++;
        else if (byte == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !is_date_space((unsigned char)byte))
            return;
        c->at++;
    }
}

/* obs-zone, RFC 5322 §4.3: the names that have a meaning; all others count as -0000. */
static const struct {
    const char *name;
    int offset_min;
} zones[] = {
    { "UT", 0 },        { "GMT", 0 },       { "UTC", 0 },       { "Z", 0 },
    { "EST", -5 * 60 }, { "EDT", -4 * 60 }, { "CST", -6 * 60 }, { "CDT", -5 * 60 },
    { "MST", -7 * 60 }, { "MDT", -6 * 60 }, { "PST", -8 * 60 }, { "PDT", -7 * 60 },
    { "CET", 60 },      { "CEST", 120 },    { "MEZ", 60 },      { "MESZ", 120 },
    { "BST", 60 },      { "EET", 120 },     { "EEST", 180 },
};

static gboolean
take_name(HpCursor *c, Parts *parts)
{
    HpSlice word = hp_cursor_take(c, is_alpha);

    for (int i = 0; i < 12; i++) {
        if (word.len >= 3 && g_ascii_strncasecmp(word.data, months[i], 3) == 0) {
            if (parts->month < 0)
                parts->month = i;
            return TRUE;
        }
    }
    for (size_t i = 0; parts->hour >= 0 && i < G_N_ELEMENTS(zones); i++) {
        if (hp_slice_equal_nocase(word, zones[i].name) && !parts->has_offset) {
            parts->offset_min = zones[i].offset_min;
            parts->has_offset = TRUE;
        }
    }
    return word.len > 0; /* a day of the week, or a zone that nobody knows */
}

/* zone = ("+" / "-") 4DIGIT */
static gboolean
take_offset(HpCursor *c, Parts *parts)
{
    gboolean west = hp_cursor_peek(c) == '-';
    guint64 value;

    c->at++;
    if (!hp_cursor_take_number(c, 9959, &value))
        return FALSE;
    if (!parts->has_offset && parts->hour >= 0 && value % 100 < 60) {
        parts->offset_min = (int)(value / 100 * 60 + value % 100);
        if (west)
            parts->offset_min = -parts->offset_min;
        parts->has_offset = TRUE;
    }
    return TRUE;
}

/* What follows the hour: ":" minute [":" second] */
static gboolean
take_time(HpCursor *c, int hour, Parts *parts)
{
    guint64 min, sec = 0;

    if (!hp_cursor_skip(c, ':') || hour > 23 || !hp_cursor_take_number(c, 59, &min))
        return FALSE;
    if (hp_cursor_skip(c, ':') && !hp_cursor_take_number(c, 60, &sec))
        return FALSE;
    parts->hour = hour;
    parts->min = (int)min;
    parts->sec = (int)MIN(sec, 59);
    return TRUE;
}

/* Two and three digits count as RFC 5322 §4.3 says. */
static int
full_year(int year, size_t digits)
{
    if (digits <= 2)
        return year < 50 ? year + 2000 : year + 1900;
    return digits == 3 ? year + 1900 : year;
}

static gboolean
take_digits(HpCursor *c, Parts *parts)
{
    const char *start = c->at;
    guint64 number;
    size_t digits;

    if (!hp_cursor_take_number(c, 9999, &number))
        return FALSE;
    digits = (size_t)(c->at - start);
    if (hp_cursor_peek(c) == ':' && parts->hour < 0)
        return take_time(c, (int)number, parts);
    if (parts->day < 0 && digits <= 2)
        parts->day = (int)number;
    else if (parts->year < 0)
        parts->year = full_year((int)number, digits);
    hp_cursor_skip(c, '-'); /* "24-Nov-2026" */
    return TRUE;
}

static gboolean
take_part(HpCursor *c, Parts *parts)
{
    int next = hp_cursor_peek(c);

    if (next == '+' || next == '-')
        return parts->hour < 0 && next == '-' ? hp_cursor_skip(c, '-')
                                              : take_offset(c, parts);
    if (g_ascii_isdigit(next))
        return take_digits(c, parts);
    return take_name(c, parts);
}

static gboolean
is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first of March of @year on, the way that makes the leap day
 * the last one of its year. */
static gint64
days_since_epoch(int year, int month, int day)
{
    gint64 y = month < 2 ? year - 1 : year;
    gint64 m = (month + 10) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static gboolean
is_possible(const Parts *parts)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int length;

    if (parts->month < 0 || parts->year < 1900 || parts->hour < 0)
        return FALSE;
    length = lengths[parts->month] + (parts->month == 1 && is_leap(parts->year) ? 1 : 0);
    return parts->day >= 1 && parts->day <= length;
}

gboolean
hp_date_parse(HpSlice text, gint64 *ret_sec, gint *ret_offset_min)
{
    Parts parts = { -1, -1, -1, -1, -1, -1, 0, FALSE };
    HpCursor c;

    text.len = MIN(text.len, LONGEST_DATE);
    c = hp_cursor_over(text);
    for (skip_date_space(&c); !hp_cursor_at_end(&c); skip_date_space(&c))
        if (!take_part(&c, &parts))
            break;
    if (!is_possible(&parts))
        return FALSE;
    *ret_sec = days_since_epoch(parts.year, parts.month, parts.day) * 86400 +
               (gint64)parts.hour * 3600 + (gint64)parts.min * 60 + parts.sec -
               (gint64)parts.offset_min * 60;
    if (ret_offset_min != NULL)
        *ret_offset_min = parts.offset_min;
    return TRUE;
}
