/* A whole conversation from each of four beginnings: whatever comes, the session ends,
 * and leaves no draft behind. Passwords are left out; the private socket logs in by
 * itself. */
#include "../unit/smtp-fixture.h"

#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX (64 * 1024) /* fits into a socket's buffer */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *begin;
    gboolean local_socket;
} states[] = {
    { "", FALSE },
    { "EHLO x\r\n", FALSE },
    { "EHLO x\r\n", TRUE },
    { "EHLO x\r\nMAIL FROM:<anna@example.org>\r\nRCPT TO:<bert@example.net>\r\n", TRUE },
};

static void
send_all(int fd, HpSlice bytes)
{
    g_assert_true(bytes.len == 0 ||
                  send(fd, bytes.data, bytes.len, MSG_NOSIGNAL) == (gssize)bytes.len);
}

/* Every reply line is ASCII, at most 512 octets, and begins with three digits. */
static void
check_replies(int fd)
{
    static char replies[8 * 1024 * 1024]; /* nocheck: a scratch buffer of the test */
    gssize len = 0, n = 0;
    HpCursor c = { replies, replies };

    while ((n = recv(fd, replies + len, sizeof replies - (size_t)len, 0)) > 0)
        len += n;
    c.end = replies + len;
    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        g_assert_true(hp_cursor_skip(&c, '\n'));
        g_assert_cmpuint(line.len, >=, 5);
        g_assert_cmpuint(line.len, <=, 511);
        for (size_t i = 0; i < line.len; i++)
            g_assert_true((unsigned char)line.data[i] < 128);
        g_assert_true(g_ascii_isdigit(line.data[0]) && g_ascii_isdigit(line.data[2]));
    }
}

static void
converse(const HpSmtpServerOptions *options, guint state, HpSlice input)
{
    HpSmtpCaller caller = { .id = "FVZZ00",
                            .local_socket = states[state].local_socket,
                            .login = smtp_login_always };
    int fds[2];
    int room = 4 * 1024 * 1024;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    send_all(fds[1], hp_slice_of(states[state].begin));
    send_all(fds[1], input);
    shutdown(fds[1], SHUT_WR);
    {
        g_autoptr(HpChannel) channel = hp_channel_new(fds[0]);

        hp_smtp_converse(channel, options, &caller);
    }
    check_replies(fds[1]);
    close(fds[1]);
}

/* A thousand log lines a second help nobody. */
static GLogWriterOutput
say_nothing(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    return (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0
               ? G_LOG_WRITER_UNHANDLED
               : G_LOG_WRITER_HANDLED;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean quiet; /* nocheck: once a process */
    SmtpMemory memory;
    HpSmtpServerOptions options = smtp_options(smtp_memory_open(&memory), NULL);

    if (!quiet) {
        g_log_set_writer_func(say_nothing, NULL, NULL);
        quiet = TRUE;
    }
    for (guint state = 0; state < G_N_ELEMENTS(states); state++)
        converse(&options, state, (HpSlice){ (const char *)data, MIN(size, INPUT_MAX) });
    g_assert_cmpuint(memory.drafts, ==, 0);
    hp_identities_unref(options.identities);
    smtp_memory_close(&memory);
    return 0;
}
