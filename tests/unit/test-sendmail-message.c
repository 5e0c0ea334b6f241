#include "hp-sendmail-message.h"

#include "hp-address.h"

#include <string.h>

/* All at once and byte by byte must give the same. */
static HpSendmailMessage *
message_of(HpSlice bytes, gboolean dot_ends)
{
    HpSendmailMessage *whole = hp_sendmail_message_new(dot_ends);
    g_autoptr(HpSendmailMessage) trickled = hp_sendmail_message_new(dot_ends);

    hp_sendmail_message_add(whole, bytes);
    hp_sendmail_message_finish(whole);
    for (size_t i = 0; i < bytes.len; i++)
        hp_sendmail_message_add(trickled, (HpSlice){ bytes.data + i, 1 });
    hp_sendmail_message_finish(trickled);
    g_assert_true(g_string_equal(whole->bytes, trickled->bytes));
    return whole;
}

static void
lines_end_with_crlf(void)
{
    static const struct {
        HpSlice in;
        const char *out;
    } rows[] = {
        { { "", 0 }, "" },
        { { "a", 1 }, "a\r\n" },
        { { "a\nb\r\nc\rd\n", 10 }, "a\r\nb\r\nc\r\nd\r\n" },
        { { "\n\n", 2 }, "\r\n\r\n" },
        { { "\r\r\n", 3 }, "\r\n\r\n" },
        { { "a\0b\n", 4 }, "ab\r\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSendmailMessage) message = message_of(rows[i].in, FALSE);

        g_assert_cmpstr(message->bytes->str, ==, rows[i].out);
    }
}

static void
a_dot_ends_it_only_without_i(void)
{
    g_autoptr(HpSendmailMessage) dot =
        message_of(HP_SLICE_LITERAL("a\n..\n.\nb\n"), TRUE);
    g_autoptr(HpSendmailMessage) kept = message_of(HP_SLICE_LITERAL("a\n.\nb\n"), FALSE);
    g_autoptr(GString) block = hp_sendmail_message_write(kept);

    g_assert_cmpstr(dot->bytes->str, ==, "a\r\n..\r\n");
    g_assert_cmpstr(kept->bytes->str, ==, "a\r\n.\r\nb\r\n");
    g_assert_cmpstr(block->str, ==, "a\r\n..\r\nb\r\n.\r\n");
}

static char *
recipients(const char *text)
{
    g_autoptr(HpSendmailMessage) message = message_of(hp_slice_of(text), FALSE);
    g_autofree char *wrong = NULL;
    g_autoptr(GPtrArray) all = hp_sendmail_message_recipients(message, &wrong);
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        g_autofree char *address = hp_address_write(g_ptr_array_index(all, i));

        g_string_append_printf(names, "%s%s", i > 0 ? " " : "", address);
    }
    return g_string_free(names, FALSE);
}

static void
recipients_are_in_the_header(void)
{
    g_autofree char *plain = recipients("To: anna, \"B, b\" <b@example.org>\n"
                                        "cc: c@example.org,\n d@example.org\n"
                                        "Bcc: e@example.org\nFrom: f@example.org\n\n"
                                        "To: body@example.org\n");
    g_autofree char *resent = recipients("To: a@example.org\nResent-To: b@example.org\n"
                                         "Resent-Bcc: c@example.org\n\n");
    g_autofree char *none = recipients("Subject: x\n\n");

    g_assert_cmpstr(plain, ==,
                    "anna b@example.org c@example.org d@example.org e@example.org");
    g_assert_cmpstr(resent, ==, "b@example.org c@example.org");
    g_assert_cmpstr(none, ==, "");
}

static void
from_is_added_if_missing(void)
{
    g_autoptr(HpSendmailMessage) without =
        message_of(HP_SLICE_LITERAL("To: x\n\n"), FALSE);
    g_autoptr(HpSendmailMessage) umlaut =
        message_of(HP_SLICE_LITERAL("To: x\n\n"), FALSE);
    g_autoptr(HpSendmailMessage) with =
        message_of(HP_SLICE_LITERAL("From: x\n\n"), FALSE);

    hp_sendmail_message_add_from(without, "An \"na\"\nX: y", "anna");
    g_assert_cmpstr(without->bytes->str, ==,
                    "From: \"An \\\"na\\\" X: y\" <anna>\r\nTo: x\r\n\r\n");
    hp_sendmail_message_add_from(umlaut, "\xc3\xa4", "anna");
    g_assert_cmpstr(umlaut->bytes->str, ==,
                    "From: =?UTF-8?B?w6Q=?= <anna>\r\nTo: x\r\n\r\n");
    hp_sendmail_message_add_from(with, "Anna", "anna");
    g_assert_cmpstr(with->bytes->str, ==, "From: x\r\n\r\n");
}

/* More than the thousand that a setting can allow: the server must get to refuse one. */
static void
no_recipient_is_lost_in_silence(void)
{
    g_autoptr(GString) bytes = g_string_new("To: a@b.example");
    g_autoptr(HpSendmailMessage) message = NULL;
    g_autoptr(GPtrArray) found = NULL;
    g_autofree char *wrong = NULL;

    for (guint i = 0; i < 1200; i++)
        g_string_append_printf(bytes, ",\n r%u@b.example", i);
    g_string_append(bytes, "\n\n");
    message = message_of(hp_slice_of_string(bytes), FALSE);
    found = hp_sendmail_message_recipients(message, &wrong);
    g_assert_cmpuint(found->len, >, 1000);
    g_assert_null(wrong);
}

/* Not "no recipient was given": somebody was meant. */
static void
what_is_no_address_is_named(void)
{
    static const struct {
        const char *header;
        const char *wrong;
    } rows[] = {
        { "To: x <x@>\n\n", "x <x@>" },
        { "To: a@example.org\nCc: @\n\n", "@" },
        { "To: undisclosed-recipients:;\nBcc: a@example.org\n\n", NULL },
        { "To:\n\n", NULL },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSendmailMessage) message =
            message_of(hp_slice_of(rows[i].header), FALSE);
        g_autofree char *wrong = NULL;
        g_autoptr(GPtrArray) all = hp_sendmail_message_recipients(message, &wrong);

        g_assert_nonnull(all);
        g_assert_cmpstr(wrong, ==, rows[i].wrong);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sendmail-message/lines-end-with-crlf", lines_end_with_crlf);
    g_test_add_func("/sendmail-message/a-dot-ends-it-only-without-i",
                    a_dot_ends_it_only_without_i);
    g_test_add_func("/sendmail-message/recipients-are-in-the-header",
                    recipients_are_in_the_header);
    g_test_add_func("/sendmail-message/from-is-added-if-missing",
                    from_is_added_if_missing);
    g_test_add_func("/sendmail-message/no-recipient-is-lost-in-silence",
                    no_recipient_is_lost_in_silence);
    g_test_add_func("/sendmail-message/what-is-no-address-is-named",
                    what_is_no_address_is_named);
    return g_test_run();
}
