#include "hp-dsn.h"

#include "hp-header.h"
#include "hp-text.h"

#include <string.h>

#define ARRIVAL (1795525500 * (gint64)G_USEC_PER_SEC)
#define HEADERS                                                                          \
    "From: anna@example.org\r\nSubject: Invoice\r\nX-Wide: \xC3\xBC\r\n\r\nbody"

typedef struct {
    GString *head; /* (owned) */
    GString *tail; /* (owned) */
} Report;

static void
report_clear(Report *self)
{
    g_string_free(self->head, TRUE);
    g_string_free(self->tail, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_clear)

static HpExplain *
catalogue(void)
{
    return hp_explain_load(g_getenv("HP_EXPLANATIONS"), NULL);
}

static Report
write_report(const HpDsnRecipient *recipients, guint n, gboolean full)
{
    g_autoptr(HpExplain) explain = catalogue();
    HpDsnInfo info = {
        .explain = explain,
        .language = "en",
        .hostname = "laptop.example",
        .user_address = "anna@example.org",
        .user_name = "Anna",
        .id = "7Q2KXM",
        .envid = "QQ314159",
        .subject = "Invoice",
        .message_id = "<1@example.org>",
        .arrival_usec = ARRIVAL,
        .now_usec = ARRIVAL + 60 * (gint64)G_USEC_PER_SEC,
        .recipients = recipients,
        .n_recipients = n,
    };
    Report report = { g_string_new(NULL), g_string_new(NULL) };

    hp_dsn_write(&info, HP_SLICE_LITERAL(HEADERS), full, report.head, report.tail);
    return report;
}

static gboolean
has(const Report *report, const char *text)
{
    return memmem(report->head->str, report->head->len, text, strlen(text)) != NULL;
}

static void
check_form(const Report *report)
{
    HpCursor c = hp_cursor_over(hp_slice_of_string(report->head));

    g_assert_true(g_utf8_validate_len(report->head->str, report->head->len, NULL));
    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        g_assert_true(line.len > 0 && line.data[line.len - 1] == '\r');
        g_assert_null(memchr(line.data, '\r', line.len - 1));
        g_assert_cmpuint(line.len, <, 998);
        hp_cursor_skip(&c, '\n');
    }
}

static void
failure_says_it_all(void)
{
    HpReply reply = { HP_STAGE_RCPT, 550, "5.1.1", NULL, NULL };
    HpDsnRecipient bob = { "bob@example.net",
                           "rfc822;Bob@example.net",
                           HP_DSN_FAILED,
                           &reply,
                           NULL,
                           ARRIVAL,
                           0 };
    g_autofree char *text = g_strdup("No such user");
    g_autofree char *host = g_strdup("mx1.example.net");
    g_auto(Report) report = { NULL };

    reply.text = text;
    reply.host = host;
    report = write_report(&bob, 1, TRUE);
    check_form(&report);
    g_assert_true(has(&report, "Return-Path: <>\r\nFrom: Hauspost "
                               "<mailer-daemon@laptop.example>\r\n"
                               "To: Anna <anna@example.org>\r\n"
                               "Subject: Not delivered: Invoice\r\n"));
    g_assert_true(has(&report, "In-Reply-To: <1@example.org>\r\n"));
    g_assert_true(has(&report, "multipart/report; report-type=delivery-status;"));
    g_assert_true(has(
        &report, "Your message could not be delivered to bob@example.net.\r\n\r\n"
                 "There is no mailbox with this name at the recipient's provider.\r\n"));
    g_assert_true(has(&report, "The cause is on the recipient's side.\r\n"));
    g_assert_true(has(&report, "What you can do: Check the address"));
    g_assert_true(has(&report, "The server mx1.example.net said:\r\n\r\n"
                               "    550 5.1.1 No such user\r\n"));
    g_assert_true(has(&report, "Content-Type: message/delivery-status\r\n\r\n"
                               "Original-Envelope-Id: QQ314159\r\n"
                               "Reporting-MTA: dns; laptop.example\r\n"
                               "Arrival-Date: Tue, 24 Nov 2026 13:05:00 +0000\r\n"
                               "X-Hauspost-Id: 7Q2KXM\r\n\r\n"
                               "Original-Recipient: rfc822; Bob@example.net\r\n"
                               "Final-Recipient: rfc822; bob@example.net\r\n"
                               "Action: failed\r\nStatus: 5.1.1\r\n"
                               "Remote-MTA: dns; mx1.example.net\r\n"
                               "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n"
                               "Last-Attempt-Date: Tue, 24 Nov 2026 13:05:00 +0000\r\n"));
    g_assert_true(g_str_has_suffix(report.head->str,
                                   "Content-Type: message/rfc822\r\n"
                                   "Content-Transfer-Encoding: 8bit\r\n\r\n"));
    g_assert_true(g_str_has_prefix(report.tail->str, "\r\n--hp-"));
    g_assert_true(g_str_has_suffix(report.tail->str, "--\r\n"));
}

static void
without_full_only_the_header_comes(void)
{
    HpDsnRecipient bob = { "bob@example.net", NULL,   HP_DSN_DELAYED, NULL, NULL,
                           ARRIVAL,           ARRIVAL };
    g_auto(Report) report = write_report(&bob, 1, FALSE);

    check_form(&report);
    g_assert_true(has(&report, "Subject: Not delivered yet: Invoice\r\n"));
    g_assert_true(has(&report, "tried again by itself until 2026-11-24 13:05."));
    g_assert_true(has(&report, "Action: delayed\r\nStatus: 4.0.0\r\n"));
    g_assert_true(has(&report, "Will-Retry-Until: Tue, 24 Nov 2026 13:05:00 +0000\r\n"));
    g_assert_true(has(&report, "Content-Type: text/rfc822-headers\r\n"));
    g_assert_true(g_str_has_suffix(report.head->str, "X-Wide: \xC3\xBC\r\n"));
}

static void
good_news_needs_no_explanation(void)
{
    HpDsnRecipient both[] = {
        { "bob@example.net", NULL, HP_DSN_RELAYED, NULL, NULL, ARRIVAL, 0 },
        { "carl@example.net", NULL, HP_DSN_RELAYED, NULL, NULL, ARRIVAL, 0 },
    };
    g_auto(Report) report = write_report(both, 2, FALSE);

    g_assert_true(has(&report, "Subject: Delivered: Invoice\r\n"));
    g_assert_true(has(&report, "handed over to the mail server of bob@example.net"));
    g_assert_true(has(&report, "carl@example.net. That"));
    g_assert_true(has(&report, "Action: relayed\r\nStatus: 2.0.0\r\n"));
    g_assert_false(has(&report, "What you can do"));
}

static void
own_reasons_are_explained(void)
{
    HpDsnRecipient bob = {
        "bob@example.net", NULL, HP_DSN_FAILED, NULL, HP_EXPLAIN_EXPIRED, ARRIVAL, 0
    };
    g_auto(Report) report = write_report(&bob, 1, TRUE);

    g_assert_true(has(&report, "tried for several days without success"));
    g_assert_true(has(&report, "Status: 5.4.7\r\n"));
}

static void
utf8_addresses_make_it_global(void)
{
    HpDsnRecipient bob = {
        "j\xC3\xB6rg@example.net", NULL, HP_DSN_FAILED, NULL, NULL, ARRIVAL, 0
    };
    g_auto(Report) report = write_report(&bob, 1, TRUE);

    g_assert_true(has(&report, "report-type=global-delivery-status"));
    g_assert_true(has(&report, "message/global-delivery-status"));
    g_assert_true(has(&report, "Final-Recipient: utf-8; j\xC3\xB6rg@example.net\r\n"));
    g_assert_true(has(&report, "Content-Type: message/global\r\n"));
}

static void
nothing_gets_in(void)
{
    HpReply reply = { HP_STAGE_DOT, 554, "", NULL, NULL };
    HpDsnRecipient bob = { "bob@example.net",
                           "rfc822;x\r\nX-Evil: 1",
                           HP_DSN_FAILED,
                           &reply,
                           NULL,
                           ARRIVAL,
                           0 };
    g_autofree char *text = g_strdup("bad\r\nX-Evil: 2\r\n\r\n--hp-\x01\xFF");
    g_autofree char *host = g_strdup("mx\r\nX-Evil: 3");
    g_autofree char *longer = g_strnfill(5000, 'x');
    g_auto(Report) report = { NULL };
    g_auto(Report) wide = { NULL };

    reply.text = text;
    reply.host = host;
    report = write_report(&bob, 1, TRUE);
    check_form(&report);
    g_assert_false(has(&report, "\nX-Evil"));
    reply.text = longer;
    wide = write_report(&bob, 1, TRUE);
    check_form(&wide);
}

static void
boundaries_differ(void)
{
    HpDsnRecipient bob = { "bob@example.net", NULL, HP_DSN_FAILED, NULL, NULL, 0, 0 };
    g_auto(Report) a = write_report(&bob, 1, TRUE);
    g_auto(Report) b = write_report(&bob, 1, TRUE);

    g_assert_cmpstr(a.tail->str, !=, b.tail->str);
}

static void
ret_decides_on_failures_only(void)
{
    g_assert_true(hp_dsn_wants_full(HP_DSN_FAILED, HP_RET_UNSET));
    g_assert_true(hp_dsn_wants_full(HP_DSN_FAILED, HP_RET_FULL));
    g_assert_false(hp_dsn_wants_full(HP_DSN_FAILED, HP_RET_HDRS));
    g_assert_false(hp_dsn_wants_full(HP_DSN_DELAYED, HP_RET_FULL));
    g_assert_false(hp_dsn_wants_full(HP_DSN_DELIVERED, HP_RET_FULL));
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dsn/failure-says-it-all", failure_says_it_all);
    g_test_add_func("/dsn/without-full-only-the-header-comes",
                    without_full_only_the_header_comes);
    g_test_add_func("/dsn/good-news-needs-no-explanation",
                    good_news_needs_no_explanation);
    g_test_add_func("/dsn/own-reasons-are-explained", own_reasons_are_explained);
    g_test_add_func("/dsn/utf8-addresses-make-it-global", utf8_addresses_make_it_global);
    g_test_add_func("/dsn/nothing-gets-in", nothing_gets_in);
    g_test_add_func("/dsn/boundaries-differ", boundaries_differ);
    g_test_add_func("/dsn/ret-decides-on-failures-only", ret_decides_on_failures_only);
    return g_test_run();
}
