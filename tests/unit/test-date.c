#include "hp-date.h"

static void
reads_dates(void)
{
    static const struct {
        const char *text;
        gint64 sec; /* G_MININT64: refused */
        int offset_min;
    } rows[] = {
        { "Tue, 24 Nov 2026 14:05:00 +0100", 1795525500, 60 },
        { " 24 Nov 2026 13:05 +0000", 1795525500, 0 },
        { "Tue, 24 Nov 2026 08:05:00 EST", 1795525500, -300 },
        { "Tue, 24 Nov 26 13:05:00 GMT", 1795525500, 0 },
        { "Tue (really), 24\r\n Nov (ember (x)) 2026 13:05:00 -0000 (UTC)", 1795525500,
          0 },
        { "Tue Nov 24 13:05:00 2026", 1795525500, 0 },
        { "24-Nov-2026 13:05:00 +0000", 1795525500, 0 },
        { "Tue, 24 November 2026 13:05:00 +0000", 1795525500, 0 },
        { "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
        { "31 Dec 1969 23:59:59 +0000", -1, 0 },
        { "29 Feb 2000 00:00:00 +0000", 951782400, 0 },
        { "1 Mar 2000 00:00:00 +0000", 951868800, 0 },
        { "31 Dec 98 23:59:60 +0000", 915148799, 0 },
        { "21 Nov 97 09:55:06 -0600", 880127706, -360 },
        { "1 Jan 100 00:00:00 Z", 946684800, 0 },
        { "1 Jan 2020 00:00:00 Q", 1577836800, 0 },
        { "30 Feb 2000 00:00:00 +0000", G_MININT64, 0 },
        { "29 Feb 1900 00:00:00 +0000", G_MININT64, 0 },
        { "24 Nov 2026 24:05:00 +0100", G_MININT64, 0 },
        { "24 Nov 2026 14:65:00 +0100", G_MININT64, 0 },
        { "24 Nov 1800 14:05:00 +0100", G_MININT64, 0 },
        { "24 Nov 2026", G_MININT64, 0 },
        { "14:05:00", G_MININT64, 0 },
        { "", G_MININT64, 0 },
        { "((((", G_MININT64, 0 },
        { "99999999999999999999 Nov 2026 1:1", G_MININT64, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        gint64 sec = 77;
        gint offset = 77;

        g_test_message("%s", rows[i].text);
        if (rows[i].sec == G_MININT64) {
            g_assert_false(hp_date_parse(hp_slice_of(rows[i].text), &sec, &offset));
            g_assert_cmpint(sec, ==, 77);
            continue;
        }
        g_assert_true(hp_date_parse(hp_slice_of(rows[i].text), &sec, &offset));
        g_assert_cmpint(sec, ==, rows[i].sec);
        g_assert_cmpint(offset, ==, rows[i].offset_min);
    }
}

static void
writes_what_it_reads(void)
{
    for (guint i = 0; i < 2000; i++) {
        gint64 sec = (gint64)g_test_rand_int_range(0, G_MAXINT32) * 4 - 1000000000;
        g_autoptr(GString) out = g_string_new(NULL);
        gint64 back;

        if (i % 2 == 0)
            hp_date_append(out, sec * G_USEC_PER_SEC);
        else
            hp_date_append_utc(out, sec * G_USEC_PER_SEC);
        g_assert_true(hp_date_parse(hp_slice_of_string(out), &back, NULL));
        g_assert_cmpint(back, ==, sec);
    }
}

static void
writes_in_the_right_form(void)
{
    g_autoptr(GString) utc = g_string_new(NULL);
    g_autoptr(GString) local = g_string_new(NULL);

    hp_date_append_utc(utc, 1795525500 * (gint64)G_USEC_PER_SEC);
    g_assert_cmpstr(utc->str, ==, "Tue, 24 Nov 2026 13:05:00 +0000");
    hp_date_append(local, 1795525500 * (gint64)G_USEC_PER_SEC);
    g_assert_cmpstr(local->str, ==, "Tue, 24 Nov 2026 09:35:00 -0330");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "XXX3:30", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/date/reads-dates", reads_dates);
    g_test_add_func("/date/writes-what-it-reads", writes_what_it_reads);
    g_test_add_func("/date/writes-in-the-right-form", writes_in_the_right_form);
    return g_test_run();
}
