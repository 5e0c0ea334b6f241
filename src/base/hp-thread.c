#include "hp-thread.h"

#include <pthread.h>
#include <signal.h>

/* AddressSanitizer pads every stack frame, so its builds need more. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES ((size_t)1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
    __has_feature(memory_sanitizer)
#define STACK_BYTES ((size_t)1024 * 1024)
#endif
#endif
#ifndef STACK_BYTES
#define STACK_BYTES ((size_t)256 * 1024)
#endif

struct _HpThread {
    pthread_t id;
    char name[16]; /* 15 bytes and NUL is what the kernel keeps */
    HpThreadMain run;
    gpointer data; /* (unowned) (nullable) */
};

static void *
enter(void *thread)
{
    HpThread *self = thread;

    pthread_setname_np(pthread_self(), self->name);
    self->run(self->data);
    return NULL;
}

static int
create(HpThread *self)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int status = pthread_attr_init(&attr);

    if (status != 0)
        return status;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&self->id, &attr, enter, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return status;
}

HpThread *
hp_thread_start(const char *name, HpThreadMain run, gpointer data, GError **error)
{
    HpThread *self = g_new0(HpThread, 1);
    int status;

    g_strlcpy(self->name, name, sizeof self->name);
    self->run = run;
    self->data = data;
    status = create(self);
    if (status != 0) {
        g_set_error(error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN,
                    "could not start thread %s: %s", name, g_strerror(status));
        g_free(self);
        return NULL;
    }
    return self;
}

void
hp_thread_join(HpThread *self)
{
    int status = pthread_join(self->id, NULL);

    g_assert(status == 0);
    g_free(self);
}
