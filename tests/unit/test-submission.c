#include "hp-submission.h"

#include <string.h>

#define NOW (1795525500 * (gint64)G_USEC_PER_SEC)
#define RECEIVED                                                                         \
    "Received: from localhost by laptop.example\r\n\twith ESMTPA id 7Q2KXM; "            \
    "Tue, 24 Nov 2026 13:05:00 +0000\r\n"
#define DATED "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@x>\r\n"

static HpIdentities *
example(void)
{
    static const char *const mine[] = { "anna@work.example", "*@anna.example", NULL };

    return hp_identities_new("anna@example.org", mine, NULL, NULL);
}

/* What comes of @header when it is sent by @sender (NULL: the null path). */
static HpSubmission *
submit(const char *header, const char *sender, gboolean only_local)
{
    g_autoptr(HpIdentities) identities = example();
    g_autoptr(HpAddress) address =
        sender != NULL ? hp_address_parse(hp_slice_of(sender)) : NULL;
    g_autofree char *exact = g_memdup2(header, strlen(header));
    HpSubmissionRequest request = {
        .identities = identities,
        .hostname = "laptop.example",
        .user_name = "J\xC3\xB6rg",
        .sender = address,
        .only_local = only_local,
        .protocol = "ESMTPA",
        .id = "7Q2KXM",
        .now_wall_usec = NOW,
    };

    return hp_submission_new((HpSlice){ exact, strlen(header) }, &request);
}

static void
leaves_a_complete_header_alone(void)
{
    const char *header =
        "Received: from x\r\n\tby y; z\r\nFrom: Anna <anna@example.org>\r\n"
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n  folded\r\nX-Odd :  y \r\n"
        "To: Bob\r\n\t<bob@example.net>\r\n" DATED;
    g_autofree char *given = g_strconcat(header, "\r\n", NULL);
    g_autofree char *want = g_strconcat(RECEIVED, given, NULL);
    g_autoptr(HpSubmission) result = submit(given, "anna@example.org", FALSE);

    g_assert_cmpint(result->verdict, ==, HP_SUBMISSION_FINE);
    g_assert_cmpstr(result->header->str, ==, want);
    g_assert_cmpstr(result->subject, ==,
                    "Gr\xC3\xBC\xC3\x9F"
                    "e folded");
    g_assert_cmpstr(result->message_id, ==, "<1@x>");
    g_assert_cmpuint(result->hops, ==, 1);
    g_assert_false(result->eight_bit);
}

static void
adds_what_is_missing(void)
{
    g_autoptr(HpSubmission) result =
        submit("To: bob@example.net\r\nDate:\r\nMessage-ID: \r\n\r\n",
               "anna@work.example", FALSE);
    g_autofree char *want = NULL;

    g_assert_cmpint(result->verdict, ==, HP_SUBMISSION_FINE);
    g_assert_nonnull(result->message_id);
    g_assert_true(g_str_has_suffix(result->message_id, "@example.org>"));
    want = g_strdup_printf(RECEIVED
                           "To: bob@example.net\r\n"
                           "Date: Tue, 24 Nov 2026 13:05:00 +0000\r\n"
                           "Message-ID: %s\r\n"
                           "From: =?UTF-8?Q?J=C3=B6rg?= <anna@work.example>\r\n\r\n",
                           result->message_id);
    g_assert_cmpstr(result->header->str, ==, want);
}

static void
message_ids_differ(void)
{
    g_autoptr(HpSubmission) a = submit("\r\n", "anna@example.org", FALSE);
    g_autoptr(HpSubmission) b = submit("\r\n", "anna@example.org", FALSE);

    g_assert_cmpstr(a->message_id, !=, b->message_id);
}

static void
hides_blind_copies(void)
{
    g_autoptr(HpSubmission) result =
        submit("Bcc: secret@example.net,\r\n other@example.net\r\nbcc:\r\n"
               "Resent-Bcc : x@example.net\r\nReturn-Path: <y@example.net>\r\n"
               "From: anna@example.org\r\n" DATED "\r\n",
               "anna@example.org", FALSE);

    g_assert_cmpstr(result->header->str, ==,
                    RECEIVED "From: anna@example.org\r\n" DATED "\r\n");
}

static void
judges_the_sender(void)
{
    static const struct {
        const char *sender;
        const char *header;
        gboolean only_local;
        HpSubmissionVerdict verdict;
        const char *culprit;
    } rows[] = {
        { "anna@example.org", "From: a <anna@WORK.example>, x@anna.example\r\n", FALSE,
          HP_SUBMISSION_FINE, NULL },
        { "boss@example.org", "From: anna@example.org\r\n", FALSE,
          HP_SUBMISSION_WRONG_SENDER, "boss@example.org" },
        { "anna@example.org", "From: Boss <boss@example.org>\r\n", FALSE,
          HP_SUBMISSION_WRONG_FROM, "boss@example.org" },
        { "anna@example.org", "From: anna@example.org, boss@example.org\r\n", FALSE,
          HP_SUBMISSION_WRONG_FROM, "boss@example.org" },
        { "anna@example.org", "From: anna@example.org\r\nFrom: boss@example.org\r\n",
          FALSE, HP_SUBMISSION_WRONG_FROM, "boss@example.org" },
        { "anna@example.org", "from\t: boss@example.org\r\n", FALSE,
          HP_SUBMISSION_WRONG_FROM, "boss@example.org" },
        { "anna@example.org", "From: Boss boss@example.org\r\n", FALSE,
          HP_SUBMISSION_UNREADABLE_FROM, "Boss boss@example.org" },
        { "anna@example.org", "From: anna@example.org, Boss boss@example.org\r\n", FALSE,
          HP_SUBMISSION_UNREADABLE_FROM, "anna@example.org, Boss boss@example.org" },
        { "anna@example.org", "From:\r\n", FALSE, HP_SUBMISSION_UNREADABLE_FROM, "" },
        { "anna@example.org", "From: nobody:;\r\n", FALSE, HP_SUBMISSION_UNREADABLE_FROM,
          "nobody:;" },
        { NULL, "From: anna@example.org\r\n", FALSE, HP_SUBMISSION_FINE, NULL },
        { NULL, "From: boss@example.org\r\n", FALSE, HP_SUBMISSION_WRONG_FROM,
          "boss@example.org" },
        { NULL, "", FALSE, HP_SUBMISSION_FINE, NULL },
        { "anna@example.org", "Resent-From: anna@example.org\r\nFrom: boss@x.example\r\n",
          FALSE, HP_SUBMISSION_FINE, NULL },
        { "anna@example.org", "From: boss@x.example\r\nResent-From: anna@example.org\r\n",
          FALSE, HP_SUBMISSION_FINE, NULL },
        { "anna@example.org", "Resent-From: boss@x.example\r\nFrom: anna@example.org\r\n",
          FALSE, HP_SUBMISSION_WRONG_FROM, "boss@x.example" },
        { "anna@example.org",
          "Resent-From: boss@x.example\r\nResent-From: anna@example.org\r\n", FALSE,
          HP_SUBMISSION_WRONG_FROM, "boss@x.example" },
        { "root", "From: root (Cron)\r\n", FALSE, HP_SUBMISSION_FINE, NULL },
        { "root@laptop.example", "From: root@localhost\r\n", FALSE, HP_SUBMISSION_FINE,
          NULL },
        { "camera@nas.example", "From: camera@nas.example\r\n", TRUE, HP_SUBMISSION_FINE,
          NULL },
        { "camera@nas.example", "From: junk junk\r\n", TRUE, HP_SUBMISSION_FINE, NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSubmission) result =
            submit(rows[i].header, rows[i].sender, rows[i].only_local);

        g_test_message("row %zu", i);
        g_assert_cmpint(result->verdict, ==, rows[i].verdict);
        g_assert_cmpstr(result->culprit, ==, rows[i].culprit);
        g_assert_true((result->header != NULL) ==
                      (rows[i].verdict == HP_SUBMISSION_FINE));
    }
}

static void
very_long_from_is_refused(void)
{
    g_autoptr(GString) header = g_string_new("From: anna@example.org");
    g_autoptr(HpSubmission) result = NULL;

    for (guint i = 0; i < 12000; i++)
        g_string_append(header, ",\r\n x@anna.example");
    g_string_append(header, ",\r\n boss@example.net\r\n");
    result = submit(header->str, "anna@example.org", FALSE);
    g_assert_cmpint(result->verdict, ==, HP_SUBMISSION_UNREADABLE_FROM);
    g_assert_cmpuint(strlen(result->culprit), <, 300);
}

static void
completes_local_names(void)
{
    const char *header = "From: root (Cron)\r\nTo: Bob <bob@example.net>, root,\r\n"
                         " x@LOCALHOST\r\nSubject: root\r\n" DATED "\r\n";
    g_autoptr(HpSubmission) out = submit(header, "root", FALSE);
    g_autoptr(HpSubmission) home = submit(header, "root", TRUE);
    g_autofree char *untouched = g_strconcat(RECEIVED, header, NULL);

    g_assert_cmpstr(out->header->str, ==,
                    RECEIVED "From: anna@example.org (Cron)\r\n"
                             "To: Bob <bob@example.net>, anna@example.org,\r\n"
                             " anna@example.org\r\nSubject: root\r\n" DATED "\r\n");
    g_assert_cmpstr(home->header->str, ==, untouched);
}

static void
a_line_that_is_no_field_ends_the_header(void)
{
    g_autoptr(HpSubmission) result =
        submit("From: anna@example.org\r\n" DATED "Hello Bob,\r\nBcc: not a field\r\n",
               "anna@example.org", FALSE);
    g_autoptr(HpSubmission) mbox =
        submit("From anna Tue\r\nFrom: anna@example.org\r\n" DATED "\r\n",
               "anna@example.org", FALSE);

    g_assert_cmpstr(result->header->str, ==,
                    RECEIVED "From: anna@example.org\r\n" DATED
                             "\r\nHello Bob,\r\nBcc: not a field\r\n");
    g_assert_cmpstr(mbox->header->str, ==,
                    RECEIVED "From: anna@example.org\r\n" DATED "\r\n");
}

static void
notices_eight_bit_headers(void)
{
    g_autoptr(HpSubmission) result = submit("Subject: Gr\xC3\xBC\xC3\x9F"
                                            "e\r\nFrom: anna@example.org\r\n\r\n",
                                            "anna@example.org", FALSE);

    g_assert_true(result->eight_bit);
    g_assert_cmpstr(result->subject, ==,
                    "Gr\xC3\xBC\xC3\x9F"
                    "e");
}

/* Not a test of speed: it prints what a header costs when asked to (-m perf). */
static void
costs_little(void)
{
    const char *header = "From: Anna <anna@example.org>\r\nTo: Bob "
                         "<bob@example.net>\r\nSubject: Invoice\r\n"
                         "User-Agent: x\r\nMIME-Version: 1.0\r\nContent-Type: "
                         "text/plain; charset=UTF-8\r\n"
                         "Content-Transfer-Encoding: 8bit\r\n" DATED "\r\n";

    g_test_timer_start();
    for (guint i = 0; i < 100000; i++) {
        g_autoptr(HpSubmission) result = submit(header, "anna@example.org", FALSE);

        g_assert_nonnull(result->header);
    }
    g_test_timer_elapsed();
    g_test_minimized_result(g_test_timer_last(), "%.2f usec a header",
                            g_test_timer_last() * 10);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/submission/leaves-a-complete-header-alone",
                    leaves_a_complete_header_alone);
    g_test_add_func("/submission/adds-what-is-missing", adds_what_is_missing);
    g_test_add_func("/submission/message-ids-differ", message_ids_differ);
    g_test_add_func("/submission/hides-blind-copies", hides_blind_copies);
    g_test_add_func("/submission/judges-the-sender", judges_the_sender);
    g_test_add_func("/submission/very-long-from-is-refused", very_long_from_is_refused);
    g_test_add_func("/submission/completes-local-names", completes_local_names);
    g_test_add_func("/submission/a-line-that-is-no-field-ends-the-header",
                    a_line_that_is_no_field_ends_the_header);
    g_test_add_func("/submission/notices-eight-bit-headers", notices_eight_bit_headers);
    if (g_test_perf())
        g_test_add_func("/submission/costs-little", costs_little);
    return g_test_run();
}
