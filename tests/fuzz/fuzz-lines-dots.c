/* The reader of blocks against a reference of 30 lines, and the writer against the
 * reader: whatever is written comes back, and only as one block. */
#include "hp-dots.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 60000 /* what a socket pair holds without a reader */

static gboolean
append(HpSlice piece, gpointer data)
{
    g_string_append_len(data, piece.data, (gssize)piece.len);
    return TRUE;
}

/* A channel that hears @bytes and then the end; the other end is closed. */
static HpChannel *
hear(HpSlice bytes)
{
    int fds[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    g_assert(send(fds[1], bytes.data, bytes.len, 0) == (ssize_t)bytes.len);
    close(fds[1]);
    return hp_channel_new(fds[0]);
}

/* RFC 5321 §4.5.2, read aloud: is there a whole block, and which text is in it? */
static gboolean
reference(HpSlice wire, GString *text, size_t *ret_used)
{
    size_t at = 0;

    while (at < wire.len) {
        size_t end = at;

        if (wire.len - at >= 3 && memcmp(wire.data + at, ".\r\n", 3) == 0) {
            *ret_used = at + 3;
            return TRUE;
        }
        while (end + 1 < wire.len && memcmp(wire.data + end, "\r\n", 2) != 0)
            end++;
        if (end + 1 >= wire.len)
            return FALSE;
        if (wire.data[at] == '.')
            at++;
        g_string_append_len(text, wire.data + at, (gssize)(end + 2 - at));
        at = end + 2;
    }
    return FALSE;
}

static gboolean
is_bare(const GString *text)
{
    for (size_t i = 0; i < text->len; i++) {
        char byte = text->str[i];

        if (byte == '\0' || (byte == '\r' && text->str[i + 1] != '\n') ||
            (byte == '\n' && (i == 0 || text->str[i - 1] != '\r')))
            return TRUE;
    }
    return FALSE;
}

static void
check_reader(HpSlice wire)
{
    g_autoptr(HpChannel) channel = hear(wire);
    g_autoptr(GString) want = g_string_new(NULL);
    g_autoptr(GString) got = g_string_new(NULL);
    size_t used = 0;
    gboolean whole = reference(wire, want, &used);
    HpDotsSummary sum;

    g_assert(hp_dots_read(channel, append, got, &sum, NULL) == whole);
    if (!whole)
        return;
    g_assert(g_string_equal(got, want));
    g_assert(sum.octets == want->len);
    g_assert(sum.bare == is_bare(want));
    while (hp_channel_fill(channel, NULL))
        ;
    g_assert(hp_channel_pending(channel) == wire.len - used);
}

static void
check_writer(HpSlice text)
{
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(HpChannel) reader = NULL;
    HpDotsWriter writer = HP_DOTS_WRITER_INIT;
    HpDotsSummary sum;
    HpChannel *channel;
    size_t half = text.len / 2;
    int fds[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    channel = hp_channel_new(fds[0]);
    reader = hp_channel_new(fds[1]);
    g_assert(hp_dots_write(&writer, channel, (HpSlice){ text.data, half }, NULL));
    g_assert(hp_dots_write(&writer, channel,
                           (HpSlice){ text.data + half, text.len - half }, NULL));
    g_assert(hp_dots_finish(&writer, channel, NULL));
    g_assert(hp_channel_write(channel, HP_SLICE_LITERAL(".\r\n"), NULL));
    g_assert(hp_channel_flush(channel, NULL));
    hp_channel_free(channel);
    g_assert(hp_dots_read(reader, append, got, &sum, NULL));
    g_assert(!hp_channel_fill(reader, NULL)); /* one block, and nothing behind it */
    g_assert(hp_channel_pending(reader) == 0);
    if (!is_bare(got) && text.len == got->len)
        g_assert(memcmp(got->str, text.data, text.len) == 0);
    for (size_t i = 0; i < got->len; i++)
        g_assert(got->str[i] != '\n' || (i > 0 && got->str[i - 1] == '\r'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice bytes = { (const char *)data, MIN(size, INPUT_MAX) };

    if (size == 0)
        return 0;
    check_reader(bytes);
    check_writer((HpSlice){ bytes.data, MIN(bytes.len, INPUT_MAX / 4) });
    return 0;
}
