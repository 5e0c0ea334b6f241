/* Whatever envelope and server say, the report has its three parts, its fields and no
 * line that somebody else wrote. */
#include "hp-dsn.h"
#include "hp-header.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line of the input without NUL. */
static char *
take_text(HpCursor *c)
{
    HpSlice text = hp_cursor_take_until(c, '|');

    hp_cursor_skip(c, '|');
    return hp_slice_dup(text);
}

static guint
count_lines(const GString *text, const char *start)
{
    HpCursor c = hp_cursor_over(hp_slice_of_string(text));
    guint n = 0;

    while (!hp_cursor_at_end(&c)) {
        HpSlice line;

        if (hp_cursor_skip_word(&c, start))
            n++;
        line = hp_cursor_take_until(&c, '\n');
        g_assert_true(line.len > 0 && line.data[line.len - 1] == '\r');
        g_assert_cmpuint(line.len, <=, 998);
        hp_cursor_skip(&c, '\n');
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpCursor c = hp_cursor_over((HpSlice){ (const char *)data, size });
    g_autofree char *envid = take_text(&c);
    g_autofree char *orcpt = take_text(&c);
    g_autofree char *text = take_text(&c);
    g_autofree char *host = take_text(&c);
    g_autofree char *subject = take_text(&c);
    g_autofree char *message_id = take_text(&c);
    HpReply reply = { HP_STAGE_RCPT, 550, "5.1.1", text, host };
    HpDsnRecipient recipient = {
        "bob@example.net", orcpt, HP_DSN_FAILED, &reply, NULL, 1, 0
    };
    HpDsnInfo info = { .language = "en",
                       .hostname = "laptop.example",
                       .user_address = "anna@example.org",
                       .user_name = "Anna",
                       .id = "7Q2KXM",
                       .envid = envid,
                       .subject = subject,
                       .message_id = message_id,
                       .recipients = &recipient,
                       .n_recipients = 1 };
    g_autoptr(GString) head = g_string_new(NULL);
    g_autoptr(GString) tail = g_string_new(NULL);
    g_autofree char *boundary = NULL;

    if (!g_utf8_validate(subject, -1, NULL))
        return 0; /* the caller's promise: printable */
    hp_dsn_write(&info, HP_SLICE_LITERAL("A: b\r\n\r\n"), FALSE, head, tail);
    boundary = g_strndup(tail->str + 2, tail->len - 6);
    g_assert_cmpuint(count_lines(head, boundary), ==, 3);
    g_assert_cmpuint(count_lines(head, "Final-Recipient:"), ==, 1);
    g_assert_cmpuint(count_lines(head, "Action:"), ==, 1);
    g_assert_cmpuint(count_lines(head, "From:"), ==, 1);
    g_assert_true(g_utf8_validate_len(head->str, head->len, NULL));
    return 0;
}
