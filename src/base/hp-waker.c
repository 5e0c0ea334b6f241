#include "hp-waker.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct _HpWaker {
    int bell;
};

HpWaker *
hp_waker_new(GError **error)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    HpWaker *self;

    if (bell < 0) {
        int saved = errno;

        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
                    "no eventfd to be had: %s", g_strerror(saved));
        return NULL;
    }
    self = g_new0(HpWaker, 1);
    self->bell = bell;
    return self;
}

void
hp_waker_free(HpWaker *self)
{
    close(self->bell);
    g_free(self);
}

void
hp_waker_ring(HpWaker *self)
{
    eventfd_write(self->bell, 1);
}

int
hp_waker_fd(const HpWaker *self)
{
    return self->bell;
}

void
hp_waker_clear(HpWaker *self)
{
    eventfd_t rings;

    eventfd_read(self->bell, &rings);
}

static int
remaining_ms(gint64 deadline_usec)
{
    gint64 left = deadline_usec - g_get_monotonic_time();

    return left <= 0 ? 0 : (int)MIN((left + 999) / 1000, G_MAXINT);
}

HpWait
hp_waker_wait(HpWaker *self, int fd, short events, int timeout_ms)
{
    struct pollfd fds[] = { { fd, events, 0 },
                            { self != NULL ? self->bell : -1, POLLIN, 0 } };
    gint64 deadline = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    int n;

    do {
        n = poll(fds, G_N_ELEMENTS(fds), timeout_ms < 0 ? -1 : remaining_ms(deadline));
    } while (n < 0 && errno == EINTR);

    if (n < 0)
        return HP_WAIT_FAILED;
    if (n == 0)
        return HP_WAIT_TIMEOUT;
    if (fds[0].revents != 0 || self == NULL)
        return HP_WAIT_READY; /* a hang-up is ready too: the read then says EOF */
    hp_waker_clear(self);
    return HP_WAIT_RUNG;
}
