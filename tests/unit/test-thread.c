#include "hp-thread.h"

#include <pthread.h>
#include <signal.h>

typedef struct {
    char name[32];
    size_t stack_bytes;
    gboolean blocks_signals;
    gboolean ran;
} Report;

static void
look_around(gpointer data)
{
    Report *report = data;
    pthread_attr_t attr;
    sigset_t mask;

    pthread_getname_np(pthread_self(), report->name, sizeof report->name);
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, &report->stack_bytes);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    report->blocks_signals =
        sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
    report->ran = TRUE;
}

static void
starts_named_threads_with_a_small_stack(void)
{
    Report report = { 0 };
    g_autoptr(GError) error = NULL;
    HpThread *thread =
        hp_thread_start("a-name-that-is-too-long", look_around, &report, &error);
    sigset_t mask;

    g_assert_no_error(error);
    hp_thread_join(thread);
    g_assert_true(report.ran);
    g_assert_cmpstr(report.name, ==, "a-name-that-is-");
    g_assert_cmpuint(report.stack_bytes, <=, 1100 * 1024); /* sanitizers need more */
    g_assert_true(report.blocks_signals);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    g_assert_cmpint(sigismember(&mask, SIGTERM), ==, 0); /* the starter's are as before */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thread/starts-named-threads-with-a-small-stack",
                    starts_named_threads_with_a_small_stack);
    return g_test_run();
}
