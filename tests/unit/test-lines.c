#include "hp-lines.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A channel that will read @first, then @second, then the end. */
static HpChannel *
hear(HpSlice first, HpSlice second)
{
    int fds[2];
    HpChannel *channel;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    channel = hp_channel_new(fds[0]);
    if (first.len > 0) {
        g_assert_cmpint(send(fds[1], first.data, first.len, 0), ==, (gssize)first.len);
        g_assert_true(hp_channel_fill(channel, NULL));
    }
    g_assert_cmpint(send(fds[1], second.data, second.len, 0), ==, (gssize)second.len);
    close(fds[1]);
    return channel;
}

typedef struct {
    HpSlice bytes;
    size_t max;
    HpLineResult results[4]; /* up to the first FAILED */
    const char *lines[4];    /* (nullable): what the results hold, NUL shown as "0" */
} Case;

#define B HP_SLICE_LITERAL

static const Case cases[] = {
    { B("NOOP\r\n"), 512, { HP_LINE_OK, HP_LINE_FAILED }, { "NOOP" } },
    { B("\r\n\r\n"), 512, { HP_LINE_OK, HP_LINE_OK, HP_LINE_FAILED }, { "", "" } },
    { B("a\nb\r\n"), 512, { HP_LINE_BARE, HP_LINE_FAILED }, { "a\nb" } },
    { B("a\rb\r\n"), 512, { HP_LINE_BARE, HP_LINE_FAILED }, { "a\rb" } },
    { B("a\r\r\nb\r\n"),
      512,
      { HP_LINE_BARE, HP_LINE_OK, HP_LINE_FAILED },
      { "a\r", "b" } },
    { B("\n\r\n"), 512, { HP_LINE_BARE, HP_LINE_FAILED }, { "\n" } },
    { B("a\n"), 512, { HP_LINE_FAILED }, { NULL } },
    { B("a\r"), 512, { HP_LINE_FAILED }, { NULL } },
    { B("1234\r\nx\r\n"),
      6,
      { HP_LINE_OK, HP_LINE_OK, HP_LINE_FAILED },
      { "1234", "x" } },
    { B("12345\r\nx\r\n"),
      6,
      { HP_LINE_TOO_LONG, HP_LINE_OK, HP_LINE_FAILED },
      { NULL, "x" } },
    { B("1234567890\r\r\r\nx\r\n"),
      6,
      { HP_LINE_TOO_LONG, HP_LINE_OK, HP_LINE_FAILED },
      { NULL, "x" } },
    { B("12345678\n90"), 6, { HP_LINE_FAILED }, { NULL } },
};

static void
check(const Case *c, size_t split)
{
    HpSlice first = { c->bytes.data, split };
    HpSlice second = { c->bytes.data + split, c->bytes.len - split };
    g_autoptr(HpChannel) channel = hear(first, second);

    for (guint i = 0;; i++) {
        g_autoptr(GError) error = NULL;
        HpSlice line = { NULL, 0 };
        HpLineResult result = hp_lines_read(channel, c->max, &line, &error);

        g_assert_cmpint(result, ==, c->results[i]);
        if (result == HP_LINE_FAILED) {
            g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
            return;
        }
        g_assert_no_error(error);
        if (c->lines[i] != NULL)
            g_assert_cmpmem(line.data, (int)line.len, c->lines[i],
                            (int)strlen(c->lines[i]));
    }
}

static void
ends_a_line_with_crlf_and_nothing_else(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t split = 0; split <= cases[i].bytes.len; split++)
            check(&cases[i], split);
}

static void
calls_a_nul_bare(void)
{
    g_autoptr(HpChannel) channel = hear(B(""), B("a\0b\r\n"));
    HpSlice line;

    g_assert_cmpint(hp_lines_read(channel, 512, &line, NULL), ==, HP_LINE_BARE);
    g_assert_cmpmem(line.data, (int)line.len, "a\0b", 3);
}

static void
draws_a_line_that_is_too_long_from_the_budget(void)
{
    g_autofree char *flood = g_strnfill(50000, 'x');
    g_autoptr(HpChannel) channel = hear(B("y"), (HpSlice){ flood, 50000 });
    g_autoptr(GError) error = NULL;
    HpSlice line;

    hp_channel_set_budget(channel, 20000);
    g_assert_cmpint(hp_lines_read(channel, 512, &line, &error), ==, HP_LINE_FAILED);
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET);
    /* No more than a buffer of it was held. */
    g_assert_cmpuint(hp_channel_pending(channel), <=, 512);
}

static void
knows_http_when_it_sees_it(void)
{
    static const char *const http[] = { "GET / HTTP/1.1",  "post /x HTTP/1.0",
                                        "Host: 127.0.0.1", "Content-Length:5",
                                        "CONNECT a:25",    "PRI * HTTP/2.0" };
    static const char *const mail[] = { "MAIL FROM:<a@b>",
                                        "RCPT TO:<a>",
                                        "EHLO [::1]",
                                        "GETX",
                                        "HELP",
                                        "QUIT",
                                        "USER anna:x@example.org",
                                        "" };

    for (size_t i = 0; i < G_N_ELEMENTS(http); i++)
        g_assert_true(hp_line_is_http(hp_slice_of(http[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(mail); i++)
        g_assert_false(hp_line_is_http(hp_slice_of(mail[i])));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lines/ends-a-line-with-crlf-and-nothing-else",
                    ends_a_line_with_crlf_and_nothing_else);
    g_test_add_func("/lines/calls-a-nul-bare", calls_a_nul_bare);
    g_test_add_func("/lines/draws-a-line-that-is-too-long-from-the-budget",
                    draws_a_line_that_is_too_long_from_the_budget);
    g_test_add_func("/lines/knows-http-when-it-sees-it", knows_http_when_it_sees_it);
    return g_test_run();
}
