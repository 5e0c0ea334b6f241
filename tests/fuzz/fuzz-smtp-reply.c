/* Lines of a server, cut at each line feed: never more than the limits, and a reply that
 * is done has a code, a class that agrees, and a text that can be printed. */
#include "hp-smtp-reply.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const HpSmtpReply *reply)
{
    g_autofree char *text = hp_smtp_reply_printable(reply);

    g_assert_true(reply->code >= 200 && reply->code <= 599);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    if (reply->enhanced[0] != '\0')
        g_assert_cmpuint((guint)(reply->enhanced[0] - '0'), ==, reply->code / 100);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpCursor c = hp_cursor_over((HpSlice){ (const char *)data, size });
    g_auto(HpSmtpReply) reply = { 0 };

    while (!hp_cursor_at_end(&c)) {
        HpSmtpReplyStep step = hp_smtp_reply_add(&reply, hp_cursor_take_until(&c, '\n'));

        hp_cursor_skip(&c, '\n');
        if (step == HP_SMTP_REPLY_DONE)
            check(&reply);
        if (step != HP_SMTP_REPLY_MORE)
            hp_smtp_reply_clear(&reply);
    }
    return 0;
}
