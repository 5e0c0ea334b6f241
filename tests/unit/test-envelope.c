#include "hp-envelope.h"
#include "hp-transport.h"

static void
test_begins_empty(void)
{
    g_autoptr(HpEnvelope) envelope = hp_envelope_new();

    g_assert_cmpstr(envelope->sender, ==, "");
    g_assert_cmpuint(envelope->recipients->len, ==, 0);
    g_assert_null(envelope->subject);
}

static void
test_owns_copies(void)
{
    g_autoptr(HpEnvelope) envelope = hp_envelope_new();
    char address[] = "bob@example.net";
    HpEnvelopeRecipient *recipient = hp_envelope_add(envelope, address);

    address[0] = 'x';
    g_assert_cmpstr(recipient->address, ==, "bob@example.net");
    g_assert_cmpuint(recipient->notify, ==, 0);
    g_assert_true(envelope->recipients->pdata[0] == recipient);
}

static void
test_reply_is_empty_after_clear(void)
{
    HpReply reply = { HP_STAGE_RCPT, 550, "5.1.1", g_strdup("no"), g_strdup("mx") };

    hp_reply_clear(&reply);
    g_assert_cmpuint(reply.code, ==, 0);
    g_assert_cmpstr(reply.enhanced, ==, "");
    g_assert_null(reply.text);
    g_assert_null(reply.host);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/envelope/begins-empty", test_begins_empty);
    g_test_add_func("/envelope/owns-copies-of-its-strings", test_owns_copies);
    g_test_add_func("/transport/reply-is-empty-after-clear",
                    test_reply_is_empty_after_clear);
    return g_test_run();
}
