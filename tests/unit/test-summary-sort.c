#include "summary-fixture.h"

/* ---- sort keys -------------------------------------------------------------------- */

static void
finds_the_base_subject(void)
{
    static const struct {
        const char *subject;
        const char *want;
        gboolean reply;
    } rows[] = {
        { "Hello", "Hello", FALSE },
        { "", "", FALSE },
        { "   a \t  b  ", "a b", FALSE },
        { "a\r\n b\r\n\tc", "a b c", FALSE },
        /* (2) subj-trailer */
        { "Hello (fwd)", "Hello", TRUE },
        { "Hello (FWD) (fwd)  ", "Hello", TRUE },
        { "(fwd)", "", TRUE },
        { "Hello(fwd)", "Hello", TRUE },
        { "Hello (fwd) x", "Hello (fwd) x", FALSE },
        /* (3) subj-leader */
        { "Re: Hello", "Hello", TRUE },
        { "RE: Re : fw: FWD: Hello", "Hello", TRUE },
        { "Re[2]: Hello", "Hello", TRUE },
        { "Re [2] : Hello", "Hello", TRUE },
        { "Re: [2]: Hello", ": Hello", TRUE },
        { "[list] Re: Hello", "Hello", TRUE },
        { "[list] [x] Re: [y] Fwd: Hello", "Hello", TRUE },
        { "Ref: Hello", "Ref: Hello", FALSE },
        { "Re Hello", "Re Hello", FALSE },
        { "Fwdx: Hello", "Fwdx: Hello", FALSE },
        { "AW: Hello", "AW: Hello", FALSE }, /* RFC 5256 §7 */
        { "Re:", "", TRUE },
        /* (4) subj-blob */
        { "[list] Hello", "Hello", FALSE },
        { "[a][b] [c] Hello", "Hello", FALSE },
        { "[list]", "[list]", FALSE },
        { "[a] [b]", "[b]", FALSE },
        { "Re: [list]", "[list]", TRUE },
        { "[a[b]] Hello", "[a[b]] Hello", FALSE },
        { "[open Hello", "[open Hello", FALSE },
        { "Hello [x]", "Hello [x]", FALSE },
        /* (6) subj-fwd */
        { "[Fwd: Hello]", "Hello", TRUE },
        { "[fwd: Re: [list] Hello (fwd)]", "Hello", TRUE },
        { "[Fwd: [Fwd: Hello]]", "Hello", TRUE },
        { "Re: [Fwd: Re: Hello]", "Hello", TRUE },
        { "[Fwd: Hello", "[Fwd: Hello", FALSE },
        { "[Fwd: ]", "", TRUE },
        /* (1) encoded words */
        { "=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=",
          "Gr\xC3\xBC\xC3\x9F"
          "e",
          TRUE },
        { "Re: =?iso-8859-1?q?=E4?= =?iso-8859-1?q?=F6?=", "\xC3\xA4\xC3\xB6", TRUE },
        { "Re: \xE4", "\xC3\xA4", TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message =
            g_strconcat("Subject: ", rows[i].subject, "\r\n\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("%s", rows[i].subject);
        g_assert_cmpstr(hp_summary_base_subject(summary), ==, rows[i].want);
        g_assert_cmpint(hp_summary_is_reply(summary), ==, rows[i].reply);
    }
}

static void
finds_addresses_to_sort_by(void)
{
    static const struct {
        const char *from;
        const char *mailbox;
        const char *display;
    } rows[] = {
        { "Anna <a@x.test>, Bob <b@x.test>", "a", "Anna" },
        { "a@x.test", "a", "a@x.test" },
        { "\"\" <a@x.test>", "a", "a@x.test" },
        { "=?utf-8?q?=C3=84nne?= <a@x.test>", "a", "\xC3\x84nne" },
        { "=?utf-8?q?"
          "?= <a@x.test>",
          "a", "a@x.test" },
        { "Team: b@x.test;", "Team", "Team" },
        { "Joe", "Joe", "Joe" },
        { "", "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat("From: ", rows[i].from,
                                               "\r\nTo: to@x.test\r\n"
                                               "Cc: C <cc@x.test>\r\n\r\n",
                                               NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("%s", rows[i].from);
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_FROM), ==,
                        rows[i].mailbox);
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_FROM), ==,
                        rows[i].display);
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_TO), ==, "to");
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_TO), ==, "to@x.test");
        g_assert_cmpstr(hp_summary_mailbox(summary, HP_SUMMARY_CC), ==, "cc");
        g_assert_cmpstr(hp_summary_display(summary, HP_SUMMARY_CC), ==, "C");
    }
}

static void
finds_the_sent_date(void)
{
    static const struct {
        const char *date;
        gint64 sec;
        gint64 day;
    } rows[] = {
        { "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0 },
        { "Thu, 1 Jan 1970 00:30:00 +0100", -1800, 0 },
        { "Wed, 31 Dec 1969 23:30:00 -0100", 1800, -1 },
        { "Wed, 31 Dec 1969 00:00:00 +0000", -86400, -1 },
        { "24 Nov 2026 23:59 EST", 1795582740, 20781 },
        /* A zone, then a time that cannot be read (RFC 5256 §2.2). */
        { "24 Nov 2026 23:59 Nowhere", 1795564740, 20781 },
        { "Tue, 24 Nov 2026", 1795478400, 20781 },
        { "Tue, 24 Nov 2026 25:61:00 +0100", 1795478400, 20781 },
    };
    g_autoptr(HpSummary) none = summarize("Date: yesterday\r\n\r\n");
    gint64 sec, day;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat("Date: ", rows[i].date, "\r\n\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_assert_true(hp_summary_sent(summary, &sec, &day));
        g_assert_cmpint(sec, ==, rows[i].sec);
        g_assert_cmpint(day, ==, rows[i].day);
    }
    g_assert_false(hp_summary_sent(none, &sec, &day));
}

static void
finds_references(void)
{
    static const struct {
        const char *fields;
        const char *id;
        const char *references;
    } rows[] = {
        { "", "", "" },
        { "Message-ID: <a@b>\r\n", "a@b", "" },
        { "Message-ID: <\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>\r\n",
          "01KF8JCEOCBS0045PS@xxx.yyy.com", "" },
        { "Message-ID: a@b\r\n", "", "" },
        { "Message-ID: <>\r\n", "", "" },
        { "Message-ID: junk <x> <a@b>\r\n", "a@b", "" },
        { "References: <a@b> <c@d>\r\n\t<e@f>\r\nIn-Reply-To: <g@h>\r\n", "",
          "a@b\nc@d\ne@f" },
        { "References: <a@b><c@d>, junk\r\n", "", "a@b\nc@d" },
        { "In-Reply-To: Your message of today <g@h> <i@j>\r\n", "", "g@h" },
        { "References: none\r\nIn-Reply-To: <g@h>\r\n", "", "g@h" },
        { "References: <a@\r\n b>\r\n", "", "a@b" },
        { "References: <a@b\r\n", "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *message = g_strconcat(rows[i].fields, "\r\n", NULL);
        g_autoptr(HpSummary) summary = summarize(message);

        g_test_message("row %zu", i);
        g_assert_cmpstr(hp_summary_message_id(summary), ==, rows[i].id);
        g_assert_cmpstr(hp_summary_references(summary), ==, rows[i].references);
    }
}

static void
keeps_the_first_and_the_last_references(void)
{
    g_autoptr(GString) message = g_string_new("References:");
    g_autoptr(HpSummary) summary = NULL;
    g_auto(GStrv) ids = NULL;

    for (guint i = 0; i < 500; i++)
        g_string_append_printf(message, " <%u@x>", i);
    g_string_append(message, "\r\n\r\n");
    summary = summarize(message->str);
    ids = g_strsplit(hp_summary_references(summary), "\n", -1);
    g_assert_cmpuint(g_strv_length(ids), ==, 100);
    g_assert_cmpstr(ids[0], ==, "0@x");
    g_assert_cmpstr(ids[1], ==, "401@x");
    g_assert_cmpstr(ids[99], ==, "499@x");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/summary/finds-the-base-subject", finds_the_base_subject);
    g_test_add_func("/summary/finds-addresses-to-sort-by", finds_addresses_to_sort_by);
    g_test_add_func("/summary/finds-the-sent-date", finds_the_sent_date);
    g_test_add_func("/summary/finds-references", finds_references);
    g_test_add_func("/summary/keeps-the-first-and-the-last-references",
                    keeps_the_first_and_the_last_references);
    return g_test_run();
}
