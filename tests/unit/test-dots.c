#include "hp-dots.h"
#include "hp-lines.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define B HP_SLICE_LITERAL

typedef struct {
    HpChannel *channel; /* (owned) */
    int peer;           /* (owned) */
} Pair;

static Pair
open_pair(void)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    return (Pair){ hp_channel_new(fds[0]), fds[1] };
}

static gboolean
append(HpSlice piece, gpointer data)
{
    g_string_append_len(data, piece.data, (gssize)piece.len);
    return TRUE;
}

/* Reads a block out of @bytes, which come in two parts, then the line that follows. */
static void
read_split(HpSlice bytes, size_t split, GString *text, HpDotsSummary *ret_summary,
           GString *next)
{
    Pair pair = open_pair();
    g_autoptr(HpChannel) channel = pair.channel;
    HpSlice line = { NULL, 0 };
    g_autoptr(GError) error = NULL;

    if (split > 0) {
        g_assert_cmpint(send(pair.peer, bytes.data, split, 0), ==, (gssize)split);
        g_assert_true(hp_channel_fill(channel, NULL));
    }
    g_assert_cmpint(send(pair.peer, bytes.data + split, bytes.len - split, 0), ==,
                    (gssize)(bytes.len - split));
    close(pair.peer);
    g_assert_true(hp_dots_read(channel, append, text, ret_summary, &error));
    g_assert_no_error(error);
    if (hp_lines_read(channel, 512, &line, NULL) == HP_LINE_OK)
        append(line, next);
}

typedef struct {
    HpSlice wire;
    HpSlice text;
    gboolean bare;
} Case;

/* Every way to end a block that some server somewhere believes in; ours does not. */
static const Case cases[] = {
    { B(".\r\nQUIT\r\n"), B(""), FALSE },
    { B("a\r\n.\r\nQUIT\r\n"), B("a\r\n"), FALSE },
    { B("..\r\n.\r\nQUIT\r\n"), B(".\r\n"), FALSE },
    { B(".a\r\n...\r\n.\r\nQUIT\r\n"), B("a\r\n..\r\n"), FALSE },
    { B("a.\r\n.\r\nQUIT\r\n"), B("a.\r\n"), FALSE },
    { B("a\n.\nMAIL\r\n.\r\nQUIT\r\n"), B("a\n.\nMAIL\r\n"), TRUE },
    { B("a\n.\r\nMAIL\r\n.\r\nQUIT\r\n"), B("a\n.\r\nMAIL\r\n"), TRUE },
    { B("a\r\n.\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r\n\nMAIL\r\n"), TRUE },
    { B("a\r.\rMAIL\r\n.\r\nQUIT\r\n"), B("a\r.\rMAIL\r\n"), TRUE },
    { B("a\r\n.\rMAIL\r\n.\r\nQUIT\r\n"), B("a\r\n\rMAIL\r\n"), TRUE },
    { B("a\n.\rMAIL\r\n.\r\nQUIT\r\n"), B("a\n.\rMAIL\r\n"), TRUE },
    { B("a\r.\r\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r.\r\nMAIL\r\n"), TRUE },
    { B("a\r.\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r.\nMAIL\r\n"), TRUE },
    { B("a\r\r\n.\r\nQUIT\r\n"), B("a\r\r\n"), TRUE },
    { B("a\r\n.\r\r\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r\n\r\r\nMAIL\r\n"), TRUE },
    { B("a\r\n\0.\r\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r\n\0.\r\nMAIL\r\n"), TRUE },
    { B("a\r\n.\0\r\nMAIL\r\n.\r\nQUIT\r\n"), B("a\r\n\0\r\nMAIL\r\n"), TRUE },
    { B("\n.\r\n.\r\nQUIT\r\n"), B("\n.\r\n"), TRUE },
};

static void
ends_a_block_at_crlf_dot_crlf_and_nowhere_else(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (size_t split = 0; split <= cases[i].wire.len; split++) {
            g_autoptr(GString) text = g_string_new(NULL);
            g_autoptr(GString) next = g_string_new(NULL);
            HpDotsSummary sum;

            read_split(cases[i].wire, split, text, &sum, next);
            g_assert_cmpmem(text->str, (int)text->len, cases[i].text.data,
                            (int)cases[i].text.len);
            g_assert_cmpint(sum.bare, ==, cases[i].bare);
            g_assert_cmpuint(sum.octets, ==, cases[i].text.len);
            g_assert_cmpstr(next->str, ==, "QUIT");
        }
    }
}

static void
tells_the_longest_line_and_eight_bit_bytes(void)
{
    HpSlice wire = B("ab\r\n.12345\r\n\xC3\xA4\r\n.\r\n");

    for (size_t split = 0; split <= wire.len; split++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GString) next = g_string_new(NULL);
        HpDotsSummary sum;

        read_split(wire, split, text, &sum, next);
        g_assert_cmpuint(sum.longest_line, ==, 5);
        g_assert_true(sum.eight_bit);
    }
}

static gboolean
refuse(HpSlice piece, gpointer data)
{
    (*(guint *)data)++;
    return FALSE;
}

static void
reads_to_the_end_when_the_sink_wants_no_more(void)
{
    Pair pair = open_pair();
    g_autoptr(HpChannel) channel = pair.channel;
    HpDotsSummary sum;
    guint calls = 0;

    g_assert_cmpint(send(pair.peer, "a\r\n..b\r\n..c\r\n.\r\n", 16, 0), ==, 16);
    g_assert_true(hp_dots_read(channel, refuse, &calls, &sum, NULL));
    g_assert_cmpuint(calls, ==, 1);
    g_assert_cmpuint(sum.octets, ==, 11);
    g_assert_cmpuint(hp_channel_pending(channel), ==, 0);
    close(pair.peer);
}

static void
fails_when_the_peer_vanishes_before_the_end(void)
{
    Pair pair = open_pair();
    g_autoptr(HpChannel) channel = pair.channel;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    HpDotsSummary sum;

    g_assert_cmpint(send(pair.peer, "a\r\n.\r", 5, 0), ==, 5);
    close(pair.peer);
    g_assert_false(hp_dots_read(channel, append, text, &sum, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
}

static void
write_split(HpSlice text, size_t split, GString *wire)
{
    Pair pair = open_pair();
    HpDotsWriter writer = HP_DOTS_WRITER_INIT;
    char buffer[512];
    ssize_t n;

    g_assert_true(
        hp_dots_write(&writer, pair.channel, (HpSlice){ text.data, split }, NULL));
    g_assert_true(hp_dots_write(&writer, pair.channel,
                                (HpSlice){ text.data + split, text.len - split }, NULL));
    g_assert_true(hp_dots_finish(&writer, pair.channel, NULL));
    g_assert_cmpint(writer.open, ==, text.len > 0);
    hp_channel_free(pair.channel);
    while ((n = recv(pair.peer, buffer, sizeof buffer, 0)) > 0)
        g_string_append_len(wire, buffer, n);
    close(pair.peer);
}

static void
never_lets_a_bare_line_end_or_a_lone_dot_out(void)
{
    static const struct {
        HpSlice text;
        HpSlice wire;
    } rows[] = {
        { B(""), B("") },
        { B("a\r\n"), B("a\r\n") },
        { B("a"), B("a\r\n") },
        { B("."), B("..\r\n") },
        { B(".\r\n..\r\n"), B("..\r\n...\r\n") },
        { B("a\n.\nb"), B("a\r\n..\r\nb\r\n") },
        { B("a\r.\rb"), B("a\r\n..\r\nb\r\n") },
        { B("a\r\r\nb"), B("a\r\n\r\nb\r\n") },
        { B("a\n\r\n.b"), B("a\r\n\r\n..b\r\n") },
        { B("a\n\rb\r"), B("a\r\n\r\nb\r\n") },
        { B("a.b\r\n"), B("a.b\r\n") },
        { B("\n"), B("\r\n") },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t split = 0; split <= rows[i].text.len; split++) {
            g_autoptr(GString) wire = g_string_new(NULL);

            write_split(rows[i].text, split, wire);
            g_assert_cmpmem(wire->str, (int)wire->len, rows[i].wire.data,
                            (int)rows[i].wire.len);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dots/ends-a-block-at-crlf-dot-crlf-and-nowhere-else",
                    ends_a_block_at_crlf_dot_crlf_and_nowhere_else);
    g_test_add_func("/dots/tells-the-longest-line-and-eight-bit-bytes",
                    tells_the_longest_line_and_eight_bit_bytes);
    g_test_add_func("/dots/reads-to-the-end-when-the-sink-wants-no-more",
                    reads_to_the_end_when_the_sink_wants_no_more);
    g_test_add_func("/dots/fails-when-the-peer-vanishes-before-the-end",
                    fails_when_the_peer_vanishes_before_the_end);
    g_test_add_func("/dots/never-lets-a-bare-line-end-or-a-lone-dot-out",
                    never_lets_a_bare_line_end_or_a_lone_dot_out);
    return g_test_run();
}
