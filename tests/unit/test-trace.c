#include "hp-trace.h"

static void
names_the_protocol(void)
{
    g_assert_cmpstr(hp_trace_protocol(FALSE, TRUE, TRUE, TRUE), ==, "SMTP");
    g_assert_cmpstr(hp_trace_protocol(TRUE, FALSE, FALSE, FALSE), ==, "ESMTP");
    g_assert_cmpstr(hp_trace_protocol(TRUE, FALSE, TRUE, FALSE), ==, "ESMTPA");
    g_assert_cmpstr(hp_trace_protocol(TRUE, TRUE, TRUE, FALSE), ==, "ESMTPSA");
    g_assert_cmpstr(hp_trace_protocol(TRUE, TRUE, FALSE, TRUE), ==, "UTF8SMTPS");
    g_assert_cmpstr(hp_trace_protocol(TRUE, TRUE, TRUE, TRUE), ==, "UTF8SMTPSA");
}

static void
writes_one_field(void)
{
    HpTrace trace = { "localhost", "laptop.example", "ESMTPA", "7Q2KXM",
                      1795525500 * (gint64)G_USEC_PER_SEC };
    g_autoptr(GString) out = g_string_new(NULL);

    hp_trace_append(out, &trace);
    g_assert_cmpstr(
        out->str, ==,
        "Received: from localhost by laptop.example\r\n\twith ESMTPA id 7Q2KXM; "
        "Tue, 24 Nov 2026 13:05:00 +0000\r\n");
}

static void
lets_nothing_through(void)
{
    HpTrace trace = { "a\r\nBcc: x", "b\n c;d", "SMTP", NULL, 0 };
    g_autoptr(GString) out = g_string_new(NULL);

    hp_trace_append(out, &trace);
    g_assert_cmpstr(out->str, ==,
                    "Received: from aBcc:x by bcd\r\n\twith SMTP; "
                    "Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/names-the-protocol", names_the_protocol);
    g_test_add_func("/trace/writes-one-field", writes_one_field);
    g_test_add_func("/trace/lets-nothing-through", lets_nothing_through);
    return g_test_run();
}
