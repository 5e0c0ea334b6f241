#include "hp-channel.h"
#include "hp-thread.h"
#include "hp-waker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    HpChannel *channel; /* (owned) */
    int peer;           /* (owned) */
} Pair;

static void
set_up(Pair *pair, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    pair->channel = hp_channel_new(fds[0]);
    pair->peer = fds[1];
}

static void
tear_down(Pair *pair, gconstpointer data)
{
    g_clear_pointer(&pair->channel, hp_channel_free);
    if (pair->peer >= 0)
        close(pair->peer);
}

static void
say(int fd, const char *text)
{
    g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (gssize)strlen(text));
}

static void
assert_input(HpChannel *channel, const char *text)
{
    HpSlice in = hp_channel_input(channel);

    g_assert_cmpmem(in.data, (int)in.len, text, (int)strlen(text));
}

static void
assert_fill_fails(HpChannel *channel, HpNetError code)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_channel_fill(channel, &error));
    g_assert_error(error, HP_NET_ERROR, (int)code);
}

static void
reads_what_the_peer_sent_and_then_its_end(Pair *pair, gconstpointer data)
{
    say(pair->peer, "one");
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    say(pair->peer, "two");
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    assert_input(pair->channel, "onetwo");
    hp_channel_consume(pair->channel, 4);
    g_assert_cmpuint(hp_channel_pending(pair->channel), ==, 2);
    shutdown(pair->peer, SHUT_WR);
    assert_fill_fails(pair->channel, HP_NET_ERROR_CLOSED);
    assert_fill_fails(pair->channel, HP_NET_ERROR_CLOSED);
    assert_input(pair->channel, "wo");
}

static void
ends_a_read_at_the_deadline(Pair *pair, gconstpointer data)
{
    hp_channel_set_timeout(pair->channel, 20000);
    assert_fill_fails(pair->channel, HP_NET_ERROR_TIMEOUT);
}

static void
does_not_read_on_after_the_deadline_although_bytes_are_there(Pair *pair,
                                                             gconstpointer data)
{
    say(pair->peer, "x");
    hp_channel_set_timeout(pair->channel, -1);
    assert_fill_fails(pair->channel, HP_NET_ERROR_TIMEOUT);
    hp_channel_set_timeout(pair->channel, G_USEC_PER_SEC);
    g_assert_true(hp_channel_fill(pair->channel, NULL));
}

static void
trickle(gpointer data)
{
    int fd = GPOINTER_TO_INT(data);

    while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
        g_usleep(2000);
}

static void
has_one_deadline_for_a_command_not_for_each_byte(Pair *pair, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    HpThread *thread =
        hp_thread_start("trickle", trickle, GINT_TO_POINTER(pair->peer), NULL);

    hp_channel_set_timeout(pair->channel, 50000);
    while (hp_channel_fill(pair->channel, &error))
        ;
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT);
    g_clear_pointer(&pair->channel, hp_channel_free);
    hp_thread_join(thread);
}

static void
blames_only_a_peer_that_sends_more_than_its_budget(Pair *pair, gconstpointer data)
{
    hp_channel_set_budget(pair->channel, 5);
    hp_channel_set_timeout(pair->channel, G_USEC_PER_SEC);
    say(pair->peer, "12345");
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    hp_channel_set_timeout(pair->channel, 20000);
    assert_fill_fails(pair->channel, HP_NET_ERROR_TIMEOUT);
    hp_channel_set_timeout(pair->channel, G_USEC_PER_SEC);
    say(pair->peer, "6");
    assert_fill_fails(pair->channel, HP_NET_ERROR_BUDGET);
    assert_input(pair->channel, "12345");
}

static void
abort_it(gpointer channel)
{
    g_usleep(5000);
    hp_channel_abort(channel);
}

static void
is_aborted_by_another_thread(Pair *pair, gconstpointer data)
{
    HpThread *thread = hp_thread_start("abort", abort_it, pair->channel, NULL);

    assert_fill_fails(pair->channel, HP_NET_ERROR_ABORTED);
    hp_thread_join(thread);
    say(pair->peer, "x");
    assert_fill_fails(pair->channel, HP_NET_ERROR_ABORTED);
    g_assert_cmpint(hp_channel_wait(pair->channel, -1, 0), ==, HP_CHANNEL_FAILED);
}

static void
says_last_words_after_an_abort(Pair *pair, gconstpointer data)
{
    char words[16];

    hp_channel_abort(pair->channel);
    g_assert_true(hp_channel_write(pair->channel, HP_SLICE_LITERAL("bye\r\n"), NULL));
    g_clear_pointer(&pair->channel, hp_channel_free);
    g_assert_cmpint(recv(pair->peer, words, sizeof words, 0), ==, 5);
    g_assert_cmpmem(words, 5, "bye\r\n", 5);
    g_assert_cmpint(recv(pair->peer, words, sizeof words, 0), ==, 0);
}

static void
gathers_output_until_a_read_would_block(Pair *pair, gconstpointer data)
{
    char got[16];

    say(pair->peer, "x");
    g_assert_true(hp_channel_printf(pair->channel, NULL, "%d\r\n", 1));
    g_assert_true(hp_channel_printf(pair->channel, NULL, "%d\r\n", 2));
    g_assert_true(hp_channel_fill(pair->channel, NULL)); /* does not block */
    g_assert_cmpint(recv(pair->peer, got, sizeof got, MSG_DONTWAIT), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
    hp_channel_set_timeout(pair->channel, 20000);
    assert_fill_fails(pair->channel, HP_NET_ERROR_TIMEOUT);
    g_assert_cmpint(recv(pair->peer, got, sizeof got, MSG_DONTWAIT), ==, 6);
    g_assert_cmpmem(got, 6, "1\r\n2\r\n", 6);
}

typedef struct {
    int fd;
    size_t want;
    size_t got;
    guint8 sum;
} Drain;

static void
drain(gpointer data)
{
    Drain *self = data;
    guint8 buffer[1000];

    while (self->got < self->want) {
        ssize_t n = recv(self->fd, buffer, sizeof buffer, 0);

        if (n <= 0)
            return;
        self->got += (size_t)n;
        for (ssize_t i = 0; i < n; i++)
            self->sum = (guint8)(self->sum * 31 + buffer[i]);
    }
}

static void
sends_large_and_small_pieces_in_order(Pair *pair, gconstpointer data)
{
    const size_t sizes[] = { 1, 16384, 3, 100000, 16383, 1, 1, 500000, 7 };
    g_autofree guint8 *bytes = g_malloc(1000000);
    Drain reader = { .fd = pair->peer };
    HpThread *thread;
    guint8 sum = 0;

    for (size_t i = 0; i < 1000000; i++)
        bytes[i] = (guint8)(i * 7 + i / 251);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        reader.want += sizes[i];
    thread = hp_thread_start("drain", drain, &reader, NULL);
    for (size_t i = 0, at = 0; i < G_N_ELEMENTS(sizes); at += sizes[i++]) {
        HpSlice piece = { (const char *)bytes + at, sizes[i] };

        g_assert_true(hp_channel_write(pair->channel, piece, NULL));
    }
    g_assert_true(hp_channel_flush(pair->channel, NULL));
    hp_thread_join(thread);
    for (size_t i = 0; i < reader.want; i++)
        sum = (guint8)(sum * 31 + bytes[i]);
    g_assert_cmpuint(reader.got, ==, reader.want);
    g_assert_cmpuint(reader.sum, ==, sum);
}

static void
ends_a_write_at_the_deadline_when_nobody_reads(Pair *pair, gconstpointer data)
{
    g_autofree char *bytes = g_malloc0(1 << 20);
    g_autoptr(GError) error = NULL;

    hp_channel_set_timeout(pair->channel, 30000);
    while (hp_channel_write(pair->channel, (HpSlice){ bytes, 1 << 20 }, &error))
        ;
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT);
    /* The stream is torn: nothing may follow the half of a piece. */
    hp_channel_set_timeout(pair->channel, G_USEC_PER_SEC);
    g_assert_true(hp_channel_write(pair->channel, HP_SLICE_LITERAL("x"), NULL));
    g_assert_false(hp_channel_flush(pair->channel, NULL));
}

static void
knows_a_closed_peer_when_writing(Pair *pair, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    close(pair->peer);
    pair->peer = -1;
    g_assert_true(hp_channel_write(pair->channel, HP_SLICE_LITERAL("x"), NULL));
    g_assert_false(hp_channel_flush(pair->channel, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
}

static void
ends_when_the_owners_bell_rings(Pair *pair, gconstpointer data)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    g_autofree char *much = g_malloc0(1 << 20);
    g_autoptr(GError) error = NULL;

    hp_channel_set_abort_fd(pair->channel, hp_waker_fd(waker));
    say(pair->peer, "half a line");
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    hp_waker_ring(waker);
    assert_fill_fails(pair->channel, HP_NET_ERROR_ABORTED);
    /* What is there is not lost, for whoever wants to hear it out. */
    g_assert_cmpuint(hp_channel_pending(pair->channel), ==, 11);
    hp_channel_set_abort_fd(pair->channel, -1);
    say(pair->peer, "!");
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    /* A peer that reads nothing. */
    hp_channel_set_abort_fd(pair->channel, hp_waker_fd(waker));
    while (hp_channel_write(pair->channel, (HpSlice){ much, 1 << 20 }, &error))
        ;
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED);
}

static void
waits_no_longer_when_the_owners_bell_rings(Pair *pair, gconstpointer data)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);

    hp_channel_set_abort_fd(pair->channel, hp_waker_fd(waker));
    g_assert_cmpint(hp_channel_wait(pair->channel, -1, 1), ==, HP_CHANNEL_TIMEOUT);
    hp_waker_ring(waker);
    g_assert_cmpint(hp_channel_wait(pair->channel, -1, 10000), ==, HP_CHANNEL_FAILED);
}

static void
waits_for_input_a_bell_or_the_time(Pair *pair, gconstpointer data)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    int bell = hp_waker_fd(waker);

    g_assert_cmpint(hp_channel_wait(pair->channel, bell, 1), ==, HP_CHANNEL_TIMEOUT);
    hp_waker_ring(waker);
    g_assert_cmpint(hp_channel_wait(pair->channel, bell, -1), ==, HP_CHANNEL_RUNG);
    say(pair->peer, "ab");
    g_assert_cmpint(hp_channel_wait(pair->channel, bell, -1), ==, HP_CHANNEL_INPUT);
    g_assert_true(hp_channel_fill(pair->channel, NULL));
    hp_channel_consume(pair->channel, 1);
    g_assert_cmpint(hp_channel_wait(pair->channel, -1, -1), ==, HP_CHANNEL_INPUT);
}

static int
listen_on_loopback(guint16 *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
connects_and_says_when_nobody_listens(void)
{
    g_autoptr(GError) error = NULL;
    guint16 port;
    int listening = listen_on_loopback(&port);
    HpChannel *channel = hp_channel_connect("127.0.0.1", port, 5000, -1, &error);

    g_assert_no_error(error);
    hp_channel_free(channel);
    close(listening);
    g_assert_null(hp_channel_connect("127.0.0.1", port, 5000, -1, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_REFUSED);
    g_clear_error(&error);
    g_assert_null(hp_channel_connect("localhost", port, 5000, -1, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_FAILED);
}

static void
ends_a_connect_when_its_bell_rings_or_the_time_passes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    HpChannel *fill[4] = { NULL };
    guint16 port;
    int listening = listen_on_loopback(&port);

    /* A full backlog answers no more handshakes. */
    listen(listening, 0);
    for (guint i = 0; i < G_N_ELEMENTS(fill); i++)
        fill[i] = hp_channel_connect("127.0.0.1", port, 10, -1, NULL);
    g_assert_null(hp_channel_connect("127.0.0.1", port, 10, -1, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT);
    g_clear_error(&error);
    hp_waker_ring(waker);
    g_assert_null(
        hp_channel_connect("127.0.0.1", port, 60000, hp_waker_fd(waker), &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED);
    for (guint i = 0; i < G_N_ELEMENTS(fill); i++)
        g_clear_pointer(&fill[i], hp_channel_free);
    close(listening);
}

static void
throws_unread_input_away_so_that_last_words_arrive(void)
{
    guint16 port;
    int listening = listen_on_loopback(&port);
    HpChannel *client = hp_channel_connect("127.0.0.1", port, 5000, -1, NULL);
    HpChannel *server = hp_channel_new(accept(listening, NULL, NULL));
    g_autofree char *flood = g_malloc0(20000);

    g_assert_true(hp_channel_write(client, (HpSlice){ flood, 20000 }, NULL));
    g_assert_true(hp_channel_flush(client, NULL));
    g_assert_true(hp_channel_write(server, HP_SLICE_LITERAL("no\r\n"), NULL));
    hp_channel_free(server);
    g_assert_true(hp_channel_fill(client, NULL));
    assert_input(client, "no\r\n");
    assert_fill_fails(client, HP_NET_ERROR_CLOSED);
    hp_channel_free(client);
    close(listening);
}

#define ADD(path, test) g_test_add("/channel/" path, Pair, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("reads-what-the-peer-sent-and-then-its-end",
        reads_what_the_peer_sent_and_then_its_end);
    ADD("ends-a-read-at-the-deadline", ends_a_read_at_the_deadline);
    ADD("does-not-read-on-after-the-deadline",
        does_not_read_on_after_the_deadline_although_bytes_are_there);
    ADD("has-one-deadline-for-a-command-not-for-each-byte",
        has_one_deadline_for_a_command_not_for_each_byte);
    ADD("blames-only-a-peer-that-sends-more-than-its-budget",
        blames_only_a_peer_that_sends_more_than_its_budget);
    ADD("is-aborted-by-another-thread", is_aborted_by_another_thread);
    ADD("says-last-words-after-an-abort", says_last_words_after_an_abort);
    ADD("gathers-output-until-a-read-would-block",
        gathers_output_until_a_read_would_block);
    ADD("sends-large-and-small-pieces-in-order", sends_large_and_small_pieces_in_order);
    ADD("ends-a-write-at-the-deadline-when-nobody-reads",
        ends_a_write_at_the_deadline_when_nobody_reads);
    ADD("knows-a-closed-peer-when-writing", knows_a_closed_peer_when_writing);
    ADD("ends-when-the-owners-bell-rings", ends_when_the_owners_bell_rings);
    ADD("waits-no-longer-when-the-owners-bell-rings",
        waits_no_longer_when_the_owners_bell_rings);
    ADD("waits-for-input-a-bell-or-the-time", waits_for_input_a_bell_or_the_time);
    g_test_add_func("/channel/connects-and-says-when-nobody-listens",
                    connects_and_says_when_nobody_listens);
    g_test_add_func("/channel/ends-a-connect-when-its-bell-rings-or-the-time-passes",
                    ends_a_connect_when_its_bell_rings_or_the_time_passes);
    g_test_add_func("/channel/throws-unread-input-away-so-that-last-words-arrive",
                    throws_unread_input_away_so_that_last_words_arrive);
    return g_test_run();
}
