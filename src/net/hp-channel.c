#include "hp-channel-internal.h"

#include "hp-fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MIN ((size_t)4096)      /* bytes of room before a read */
#define READ_MAX ((size_t)64 * 1024) /* bytes a read takes at most */
#define IDLE_MAX                                                                         \
    ((size_t)16 * 1024) /* a larger buffer is given back when nothing comes */
#define OUT_MAX   ((size_t)16 * 1024)  /* bytes gathered; one TLS record */
#define DRAIN_MAX ((size_t)256 * 1024) /* unread bytes thrown away before closing */
#define DEFAULT_TIMEOUT_USEC                                                             \
    ((gint64)5 * 60 * G_USEC_PER_SEC) /* until a deadline is set */

G_DEFINE_QUARK(hp_net_error, hp_net_error)

gboolean
hp_net_fail(GError **error, HpNetError code, const char *message)
{
    g_set_error_literal(error, HP_NET_ERROR, (int)code, message);
    return FALSE;
}

static HpNetError
code_of_errno(int number)
{
    switch (number) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return HP_NET_ERROR_CLOSED;
    case ETIMEDOUT:
        return HP_NET_ERROR_TIMEOUT;
    case ECONNREFUSED:
        return HP_NET_ERROR_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
        return HP_NET_ERROR_UNREACHABLE;
    default:
        return HP_NET_ERROR_FAILED;
    }
}

gboolean
hp_net_fail_errno(GError **error, int number)
{
    return hp_net_fail(error, code_of_errno(number), g_strerror(number));
}

static gboolean
fail_timeout(GError **error)
{
    return hp_net_fail(error, HP_NET_ERROR_TIMEOUT, _("no answer in time"));
}

static gboolean
fail_aborted(GError **error)
{
    return hp_net_fail(error, HP_NET_ERROR_ABORTED, _("stopped on this side"));
}

HpChannel *
hp_channel_new(int fd)
{
    HpChannel *self = g_new0(HpChannel, 1);
    int on = 1;

    self->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    /* Without effect on a Unix socket. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    self->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->abort_fd = -1;
    self->budget = G_MAXSIZE;
    hp_channel_set_timeout(self, DEFAULT_TIMEOUT_USEC);
    return self;
}

static socklen_t
make_sockaddr(const char *address, guint16 port, struct sockaddr_storage *ret)
{
    struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, address, &in4.sin_addr) == 1) {
        memcpy(ret, &in4, sizeof in4);
        return sizeof in4;
    }
    if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
        memcpy(ret, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

static int
ms_until(gint64 deadline_usec)
{
    gint64 left = deadline_usec - g_get_monotonic_time();

    return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, G_MAXINT);
}

/* Waits for the end of the TCP handshake. */
static gboolean
finish_connect(int fd, int timeout_ms, int abort_fd, GError **error)
{
    struct pollfd fds[] = { { fd, POLLOUT, 0 }, { abort_fd, POLLIN, 0 } };
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    int number = 0;
    socklen_t size = sizeof number;
    int n;

    do {
        n = poll(fds, G_N_ELEMENTS(fds), ms_until(deadline));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return hp_net_fail_errno(error, errno);
    if (fds[1].revents != 0)
        return fail_aborted(error);
    if (n == 0)
        return fail_timeout(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
        number = errno;
    return number == 0 ? TRUE : hp_net_fail_errno(error, number);
}

HpChannel *
hp_channel_connect(const char *address, guint16 port, int timeout_ms, int abort_fd,
                   GError **error)
{
    struct sockaddr_storage to;
    socklen_t size = make_sockaddr(address, port, &to);
    hp_autofd fd =
        size == 0 ? -1
                  : socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (size == 0) {
        hp_net_fail(error, HP_NET_ERROR_FAILED, _("not a numeric address"));
        return NULL;
    }
    if (fd < 0) {
        hp_net_fail_errno(error, errno);
        return NULL;
    }
    if (connect(fd, (const struct sockaddr *)&to, size) != 0) {
        if (errno != EINPROGRESS) {
            hp_net_fail_errno(error, errno);
            return NULL;
        }
        if (!finish_connect(fd, timeout_ms, abort_fd, error))
            return NULL;
    }
    return hp_channel_new(g_steal_fd(&fd));
}

static HpIo
plain_read(HpChannel *self, char *buffer, size_t size, size_t *ret_len, GError **error)
{
    ssize_t n;

    do {
        n = recv(self->fd, buffer, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        *ret_len = (size_t)n;
        return HP_IO_DONE;
    }
    if (n < 0 && errno == EAGAIN)
        return HP_IO_WANTS_INPUT;
    self->ended = TRUE;
    hp_net_fail_errno(error, n == 0 ? ECONNRESET : errno);
    return HP_IO_FAILED;
}

static HpIo
plain_write(HpChannel *self, HpSlice bytes, size_t *ret_len, GError **error)
{
    ssize_t n;

    do {
        n = send(self->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        *ret_len = (size_t)n;
        return HP_IO_DONE;
    }
    if (errno == EAGAIN)
        return HP_IO_WANTS_OUTPUT;
    self->torn = TRUE;
    hp_net_fail_errno(error, errno);
    return HP_IO_FAILED;
}

static HpIo
write_once(HpChannel *self, HpSlice bytes, size_t *ret_len, GError **error)
{
    return self->tls != NULL ? hp_channel_tls_write(self, bytes, ret_len, error)
                             : plain_write(self, bytes, ret_len, error);
}

/* Never blocks: what the socket takes now is sent, the rest is lost. */
static void
send_rest(HpChannel *self)
{
    size_t sent = 0;
    size_t n = 0;

    while (!self->torn && sent < self->out_len &&
           write_once(self, (HpSlice){ self->out + sent, self->out_len - sent }, &n,
                      NULL) == HP_IO_DONE)
        sent += n;
    if (sent < self->out_len)
        self->torn = TRUE;
}

/* Closing a socket with unread input makes the kernel send a reset, which may overtake
 * our last words. So the other side hears the end first and its input is thrown away. */
static void
close_gently(HpChannel *self)
{
    char scrap[READ_MIN];
    size_t drained = 0;
    ssize_t n = 1;

    shutdown(self->fd, SHUT_WR);
    while (n > 0 && drained < DRAIN_MAX) {
        n = recv(self->fd, scrap, sizeof scrap, MSG_DONTWAIT);
        drained += n > 0 ? (size_t)n : 0;
    }
    close(self->fd);
}

void
hp_channel_free(HpChannel *self)
{
    send_rest(self);
    hp_channel_tls_end(self);
    close_gently(self);
    if (self->bell >= 0)
        close(self->bell);
    g_free(self->in);
    g_free(self->out);
    g_free(self);
}

int
hp_channel_fd(const HpChannel *self)
{
    return self->fd;
}

void
hp_channel_abort(HpChannel *self)
{
    g_atomic_int_set(&self->aborted, TRUE);
    if (self->bell >= 0)
        eventfd_write(self->bell, 1);
    else
        shutdown(self->fd, SHUT_RDWR); /* out of descriptors: this wakes as well */
}

void
hp_channel_set_abort_fd(HpChannel *self, int fd)
{
    self->abort_fd = fd;
}

void
hp_channel_set_deadline(HpChannel *self, gint64 monotonic_usec)
{
    self->deadline_usec = monotonic_usec;
}

void
hp_channel_set_timeout(HpChannel *self, gint64 usec)
{
    self->deadline_usec = g_get_monotonic_time() + usec;
}

void
hp_channel_set_budget(HpChannel *self, size_t bytes)
{
    self->budget = bytes;
}

gboolean
hp_channel_may_go_on(HpChannel *self, GError **error)
{
    if (g_atomic_int_get(&self->aborted))
        return fail_aborted(error);
    if (self->ended)
        return hp_net_fail_errno(error, ECONNRESET);
    if (self->deadline_usec <= g_get_monotonic_time())
        return fail_timeout(error);
    return TRUE;
}

gboolean
hp_channel_wait_for(HpChannel *self, short events, GError **error)
{
    struct pollfd fds[] = { { self->fd, events, 0 },
                            { self->bell, POLLIN, 0 },
                            { self->abort_fd, POLLIN, 0 } };
    int n;

    do {
        n = poll(fds, G_N_ELEMENTS(fds), ms_until(self->deadline_usec));
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return hp_net_fail_errno(error, errno);
    if (fds[1].revents != 0 || fds[2].revents != 0)
        return fail_aborted(error);
    return n == 0 ? fail_timeout(error) : TRUE;
}

/* A connection that waits holds no large buffers. */
static void
release_buffers(HpChannel *self)
{
    if (self->in_len == 0 && self->in_size > IDLE_MAX) {
        g_clear_pointer(&self->in, g_free);
        self->in_size = 0;
        self->in_at = 0;
    }
    if (self->out_len == 0)
        g_clear_pointer(&self->out, g_free);
}

static gboolean
wait_for_io(HpChannel *self, HpIo io, GError **error)
{
    if (io == HP_IO_FAILED)
        return FALSE;
    return hp_channel_wait_for(self, io == HP_IO_WANTS_INPUT ? POLLIN : POLLOUT, error);
}

static void
make_room(HpChannel *self)
{
    size_t want = READ_MIN;

    if (self->in_len == 0)
        self->in_at = 0;
    if (self->in_filled && self->in_size < READ_MAX)
        want = self->in_size;
    if (self->in_size - self->in_at - self->in_len >= want)
        return;
    if (self->in_at > 0) {
        memmove(self->in, self->in + self->in_at, self->in_len);
        self->in_at = 0;
    }
    if (self->in_size - self->in_len >= want)
        return;
    self->in_size = MAX(READ_MIN, self->in_size * 2);
    self->in = g_realloc(self->in, self->in_size);
}

static HpIo
read_once(HpChannel *self, size_t *ret_len, GError **error)
{
    char *at = self->in + self->in_at + self->in_len;
    size_t room = self->in_size - self->in_at - self->in_len;
    /* One byte over the budget is read, so that a peer that keeps to it and says no more
     * is not blamed. */
    size_t size = MIN(MIN(room, READ_MAX), MAX(self->budget, 1));
    HpIo io = self->tls != NULL ? hp_channel_tls_read(self, at, size, ret_len, error)
                                : plain_read(self, at, size, ret_len, error);

    self->in_filled = io == HP_IO_DONE && *ret_len == room;
    return io;
}

static gboolean
take_input(HpChannel *self, size_t len, GError **error)
{
    if (len > self->budget) {
        self->ended = TRUE;
        return hp_net_fail(error, HP_NET_ERROR_BUDGET,
                           _("the other side sent more than it may"));
    }
    if (self->budget != G_MAXSIZE)
        self->budget -= len;
    self->in_len += len;
    return TRUE;
}

gboolean
hp_channel_fill(HpChannel *self, GError **error)
{
    for (;;) {
        size_t len = 0;
        HpIo io;

        if (!hp_channel_may_go_on(self, error))
            return FALSE;
        make_room(self);
        io = read_once(self, &len, error);
        if (io == HP_IO_DONE)
            return take_input(self, len, error);
        /* Whoever waits for us must have our answers first. */
        if (io != HP_IO_FAILED && !hp_channel_flush(self, error))
            return FALSE;
        release_buffers(self);
        if (!wait_for_io(self, io, error))
            return FALSE;
    }
}

HpSlice
hp_channel_input(const HpChannel *self)
{
    return (HpSlice){ self->in_len > 0 ? self->in + self->in_at : NULL, self->in_len };
}

void
hp_channel_consume(HpChannel *self, size_t len)
{
    g_assert(len <= self->in_len);
    self->in_at += len;
    self->in_len -= len;
}

size_t
hp_channel_pending(const HpChannel *self)
{
    return self->in_len +
           (self->tls != NULL ? gnutls_record_check_pending(self->tls) : 0);
}

/* Sends all of @bytes; @ret_sent says how far it came. */
static gboolean
send_all(HpChannel *self, HpSlice bytes, size_t *ret_sent, GError **error)
{
    *ret_sent = 0;
    while (*ret_sent < bytes.len) {
        HpSlice rest = { bytes.data + *ret_sent, bytes.len - *ret_sent };
        size_t n = 0;
        HpIo io;

        if (self->torn)
            return hp_net_fail_errno(error, EPIPE);
        if (!hp_channel_may_go_on(self, error))
            return FALSE;
        io = write_once(self, rest, &n, error);
        if (io != HP_IO_DONE && !wait_for_io(self, io, error))
            return FALSE;
        *ret_sent += n;
    }
    return TRUE;
}

gboolean
hp_channel_flush(HpChannel *self, GError **error)
{
    size_t sent;
    gboolean done;

    if (self->out_len == 0)
        return TRUE;
    done = send_all(self, (HpSlice){ self->out, self->out_len }, &sent, error);
    self->out_len -= sent;
    if (self->out_len > 0)
        memmove(self->out, self->out + sent, self->out_len);
    return done;
}

/* Large pieces go out without being copied. */
static gboolean
write_through(HpChannel *self, HpSlice bytes, GError **error)
{
    size_t sent;

    if (send_all(self, bytes, &sent, error))
        return TRUE;
    self->torn = TRUE;
    return FALSE;
}

gboolean
hp_channel_write(HpChannel *self, HpSlice bytes, GError **error)
{
    while (bytes.len > 0) {
        size_t n = MIN(bytes.len, OUT_MAX - self->out_len);

        if (self->out_len == 0 && bytes.len >= OUT_MAX)
            return write_through(self, bytes, error);
        if (self->out == NULL)
            self->out = g_malloc(OUT_MAX);
        memcpy(self->out + self->out_len, bytes.data, n);
        self->out_len += n;
        bytes.data += n;
        bytes.len -= n;
        if (self->out_len == OUT_MAX && !hp_channel_flush(self, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
hp_channel_printf(HpChannel *self, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return hp_channel_write(self, hp_slice_of(text), error);
}

gboolean
hp_channel_is_tls(const HpChannel *self)
{
    return self->tls != NULL;
}

HpChannelWait
hp_channel_wait(HpChannel *self, int bell_fd, int timeout_ms)
{
    struct pollfd fds[] = { { self->fd, POLLIN, 0 },
                            { self->bell, POLLIN, 0 },
                            { self->abort_fd, POLLIN, 0 },
                            { bell_fd, POLLIN, 0 } };
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    int n;

    if (!hp_channel_flush(self, NULL) || g_atomic_int_get(&self->aborted))
        return HP_CHANNEL_FAILED;
    if (hp_channel_pending(self) > 0)
        return HP_CHANNEL_INPUT;
    release_buffers(self);
    do {
        n = poll(fds, G_N_ELEMENTS(fds), timeout_ms < 0 ? -1 : ms_until(deadline));
    } while (n < 0 && errno == EINTR);
    if (n < 0 || fds[1].revents != 0 || fds[2].revents != 0)
        return HP_CHANNEL_FAILED;
    if (fds[0].revents != 0)
        return HP_CHANNEL_INPUT;
    return n > 0 ? HP_CHANNEL_RUNG : HP_CHANNEL_TIMEOUT;
}
