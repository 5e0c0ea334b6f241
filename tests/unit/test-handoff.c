#include "hp-handoff.h"

#include "hp-thread.h"

#define ITEMS 1000

static void
give_all(gpointer handoff)
{
    for (guint i = 1; i <= ITEMS; i++)
        hp_handoff_give(handoff, g_memdup2(&i, sizeof i));
}

static void
gives_in_order_and_each_once(void)
{
    g_autoptr(HpHandoff) handoff = hp_handoff_new(g_free, NULL);
    HpThread *giver = hp_thread_start("giver", give_all, handoff, NULL);

    for (guint i = 1; i <= ITEMS; i++) {
        g_autofree guint *item = hp_handoff_take(handoff, -1);

        g_assert_cmpuint(*item, ==, i);
    }
    hp_thread_join(giver);
    g_assert_null(hp_handoff_take(handoff, 0));
    g_assert_null(hp_handoff_take(handoff, 1));
}

static void
frees_what_nobody_took(void)
{
    HpHandoff *handoff = hp_handoff_new(g_free, NULL);
    HpHandoff *borrowed = hp_handoff_new(NULL, NULL);
    guint item = 0;

    give_all(handoff); /* LeakSanitizer would tell */
    hp_handoff_free(handoff);
    hp_handoff_give(borrowed, &item);
    hp_handoff_free(borrowed);
}

typedef struct {
    GMainLoop *loop;
    guint sum, items;
} Sum;

static void
add(gpointer item, gpointer data)
{
    Sum *sum = data;

    sum->sum += *(guint *)item;
    g_free(item);
    if (++sum->items == ITEMS)
        g_main_loop_quit(sum->loop);
}

static void
lets_a_main_loop_take(void)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
    g_autoptr(HpHandoff) handoff = hp_handoff_new(g_free, NULL);
    Sum sum = { loop, 0, 0 };
    HpThread *giver;

    hp_handoff_attach(handoff, context, add, &sum);
    giver = hp_thread_start("giver", give_all, handoff, NULL);
    g_main_loop_run(loop);
    hp_thread_join(giver);
    g_assert_cmpuint(sum.sum, ==, ITEMS * (ITEMS + 1) / 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/handoff/gives-in-order-and-each-once",
                    gives_in_order_and_each_once);
    g_test_add_func("/handoff/frees-what-nobody-took", frees_what_nobody_took);
    g_test_add_func("/handoff/lets-a-main-loop-take", lets_a_main_loop_take);
    return g_test_run();
}
