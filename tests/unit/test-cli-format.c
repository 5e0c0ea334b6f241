#include "hp-cli-format.h"

#define NOW (1577966400 * G_TIME_SPAN_SECOND) /* 2020-01-02T12:00:00Z, a Thursday */

static void
writes_sizes(void)
{
    static const struct {
        gint64 bytes;
        const char *text;
    } rows[] = { { 0, "0 B" },           { 999, "999 B" },
                 { 1000, "1.0 K" },      { 12288, "12 K" },
                 { 1 << 20, "1.0 M" },   { 1023 << 10, "1.0 M" },
                 { 5LL << 30, "5.0 G" }, { 3000LL << 40, "3000 T" } };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = hp_format_size(rows[i].bytes);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
writes_durations(void)
{
    static const struct {
        gint64 seconds;
        const char *text;
    } rows[] = { { -5, "0 s" },           { 40, "40 s" },     { 720, "12 min" },
                 { 11520, "3 h 12 min" }, { 86400, "1 day" }, { 345600, "4 days" } };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = hp_format_duration(rows[i].seconds);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
check(char *got, const char *want)
{
    g_assert_cmpstr(got, ==, want);
    g_free(got);
}

static void
writes_times_with_a_date_on_other_days(void)
{
    check(hp_format_time("2020-01-02T14:32:00Z", NOW), "14:32");
    check(hp_format_time("2020-01-12T14:32:00Z", NOW), "12 Jan 14:32");
    check(hp_format_moment("2020-01-02T14:32:09Z", NOW), "14:32:09");
    check(hp_format_day("2020-01-12T14:32:00Z"), "12 Jan 2020");
    check(hp_format_time(NULL, NOW), "–");
    check(hp_format_time("soon", NOW), "–");
    check(hp_format_until("2020-01-02T11:00:00Z", NOW), "now");
    check(hp_format_until("2020-01-02T12:04:10Z", NOW), "in 4 min");
    check(hp_format_until("2020-01-12T14:32:00Z", NOW), "12 Jan 14:32");
}

static void
reads_times_to_come(void)
{
    static const struct {
        const char *text;
        gint64 after_sec; /* -1: refused */
    } rows[] = { { "1h", 3600 },
                 { "18:00", 6 * 3600 },
                 { "11:00", 23 * 3600 },
                 { "2020-01-03", 12 * 3600 },
                 { "2020-01-02T12:00:05Z", 5 },
                 { "2020-01-01", -1 },
                 { "0s", -1 },
                 { "25:00", -1 },
                 { "soon", -1 },
                 { "", -1 } };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 usec = 0;
        gboolean fine = hp_parse_until(rows[i].text, NOW, &usec);

        g_assert_cmpint(fine ? (usec - NOW) / G_TIME_SPAN_SECOND : -1, ==,
                        rows[i].after_sec);
    }
}

static void
reads_times_past(void)
{
    gint64 usec = 0;

    g_assert_true(hp_parse_since("7d", NOW, &usec));
    g_assert_cmpint(usec, ==, NOW - 7 * G_TIME_SPAN_DAY);
    g_assert_true(hp_parse_since("2020-01-01", NOW, &usec));
    g_assert_cmpint(usec, ==, NOW - 36 * G_TIME_SPAN_HOUR);
    g_assert_false(hp_parse_since("lately", NOW, &usec));
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-format/writes-sizes", writes_sizes);
    g_test_add_func("/cli-format/writes-durations", writes_durations);
    g_test_add_func("/cli-format/writes-times-with-a-date-on-other-days",
                    writes_times_with_a_date_on_other_days);
    g_test_add_func("/cli-format/reads-times-to-come", reads_times_to_come);
    g_test_add_func("/cli-format/reads-times-past", reads_times_past);
    return g_test_run();
}
