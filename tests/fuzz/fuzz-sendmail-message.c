/* What a program writes on sendmail's standard input, in two pieces: the block for DATA
 * has CRLFs only, no NUL, and one line with a dot alone, its last. The first octet says
 * where the pieces part, and whether a dot ends the message. */
#include "hp-sendmail-message.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean
is_fine(HpSlice line, gboolean last)
{
    gboolean dot = line.len == 2 && line.data[0] == '.';

    return line.len > 0 && dot == last &&
           memchr(line.data, '\r', line.len) == line.data + line.len - 1;
}

static void
check_block(HpSlice block)
{
    HpCursor c = hp_cursor_over(block);
    gboolean fine = memchr(block.data, '\0', block.len) == NULL;

    while (fine && !hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        fine = hp_cursor_skip(&c, '\n') && is_fine(line, hp_cursor_at_end(&c));
    }
    g_assert_true(fine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    guint choice = size > 0 ? data[0] : 0;
    size_t part = MIN(size, 1 + choice / 2);
    size_t skipped = MIN(size, 1);
    g_autoptr(HpSendmailMessage) message = hp_sendmail_message_new(choice % 2 == 1);
    g_autofree char *wrong = NULL;
    GString *block = NULL;

    if (hp_sendmail_message_add(message, (HpSlice){ text + skipped, part - skipped }))
        hp_sendmail_message_add(message, (HpSlice){ text + part, size - part });
    hp_sendmail_message_finish(message);
    g_ptr_array_unref(hp_sendmail_message_recipients(message, &wrong));
    hp_sendmail_message_add_from(message, "Anna \"B\" \xC3\x84", "anna");
    block = hp_sendmail_message_write(message);
    check_block(hp_slice_of_string(block));
    g_string_free(block, TRUE);
    return 0;
}
