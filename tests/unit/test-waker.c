#include "hp-waker.h"

#include "hp-thread.h"

#include <poll.h>
#include <unistd.h>

static void
ring(gpointer waker)
{
    hp_waker_ring(waker);
}

static void
ends_another_threads_wait(void)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    HpThread *other = hp_thread_start("ringer", ring, waker, NULL);

    g_assert_cmpint(hp_waker_wait(waker, -1, 0, -1), ==, HP_WAIT_RUNG);
    hp_thread_join(other);
    g_assert_cmpint(hp_waker_wait(waker, -1, 0, 0), ==, HP_WAIT_TIMEOUT); /* cleared */
}

static void
counts_two_rings_once(void)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);

    hp_waker_ring(waker);
    hp_waker_ring(waker);
    g_assert_cmpint(hp_waker_wait(waker, -1, 0, 0), ==, HP_WAIT_RUNG);
    g_assert_cmpint(hp_waker_wait(waker, -1, 0, 1), ==, HP_WAIT_TIMEOUT);
    hp_waker_ring(waker);
    hp_waker_clear(waker);
    hp_waker_clear(waker); /* nothing there, and does not wait for it */
    g_assert_cmpint(hp_waker_wait(waker, -1, 0, 0), ==, HP_WAIT_TIMEOUT);
}

static void
prefers_a_ready_descriptor(void)
{
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(hp_waker_wait(waker, ends[0], POLLIN, 0), ==, HP_WAIT_TIMEOUT);
    g_assert_cmpint(write(ends[1], "x", 1), ==, 1);
    hp_waker_ring(waker);
    g_assert_cmpint(hp_waker_wait(waker, ends[0], POLLIN, -1), ==, HP_WAIT_READY);
    g_assert_cmpint(hp_waker_wait(NULL, ends[0], POLLIN, -1), ==, HP_WAIT_READY);
    close(ends[0]);
    g_assert_cmpint(hp_waker_wait(NULL, ends[1], POLLOUT, -1), ==, HP_WAIT_READY);
    close(ends[1]);
    g_assert_cmpint(hp_waker_wait(waker, -1, 0, 0), ==, HP_WAIT_RUNG); /* not forgotten */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/waker/ends-another-threads-wait", ends_another_threads_wait);
    g_test_add_func("/waker/counts-two-rings-once", counts_two_rings_once);
    g_test_add_func("/waker/prefers-a-ready-descriptor", prefers_a_ready_descriptor);
    return g_test_run();
}
