#include "hp-lock.h"

#include "hp-thread.h"

#define ROUNDS 20000

typedef struct {
    HpLock lock;
    HpCond changed;
    guint count; /* guarded by lock */
    gboolean my_turn;
} Shared;

static void
set_up(Shared *s, gconstpointer unused)
{
    hp_lock_init(&s->lock);
    hp_cond_init(&s->changed);
}

static void
tear_down(Shared *s, gconstpointer unused)
{
    hp_cond_clear(&s->changed);
    hp_lock_clear(&s->lock);
}

static void
count(gpointer shared)
{
    Shared *s = shared;

    for (guint i = 0; i < ROUNDS; i++) {
        HP_LOCKED(&s->lock);

        s->count++;
    }
}

static void
lets_one_in_at_a_time(Shared *s, gconstpointer unused)
{
    HpThread *threads[4];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = hp_thread_start("counter", count, s, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        hp_thread_join(threads[i]);
    g_assert_cmpuint(s->count, ==, ROUNDS * G_N_ELEMENTS(threads));
}

static void
play(gpointer shared)
{
    Shared *s = shared;

    for (guint i = 0; i < 100; i++) {
        HP_LOCKED(&s->lock);

        while (!s->my_turn)
            hp_cond_wait_until(&s->changed, &s->lock, -1);
        s->my_turn = FALSE;
        hp_cond_broadcast(&s->changed);
    }
}

static void
wakes_who_waits(Shared *s, gconstpointer unused)
{
    HpThread *other = hp_thread_start("other", play, s, NULL);

    for (guint i = 0; i < 100; i++) {
        HP_LOCKED(&s->lock);

        s->my_turn = TRUE;
        hp_cond_signal(&s->changed);
        while (s->my_turn)
            hp_cond_wait_until(&s->changed, &s->lock, -1);
    }
    hp_thread_join(other);
}

static void
stops_waiting_at_the_deadline(Shared *s, gconstpointer unused)
{
    gint64 deadline = g_get_monotonic_time() + 2000;
    HP_LOCKED(&s->lock);

    while (hp_cond_wait_until(&s->changed, &s->lock, deadline)) {
    }
    g_assert_cmpint(g_get_monotonic_time(), >=, deadline);
    g_assert_false(hp_cond_wait_until(&s->changed, &s->lock, 0)); /* long past */
}

#define CASE(path, name) g_test_add("/lock/" path, Shared, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("lets-one-in-at-a-time", lets_one_in_at_a_time);
    CASE("wakes-who-waits", wakes_who_waits);
    CASE("stops-waiting-at-the-deadline", stops_waiting_at_the_deadline);
    return g_test_run();
}
