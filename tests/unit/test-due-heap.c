#include "hp-due-heap.h"

#define MANY 1000

static void
test_first_is_earliest(void)
{
    g_autoptr(HpDueHeap) heap = hp_due_heap_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    HpDueEntry entries[MANY];
    gint64 last = -1;

    for (guint i = 0; i < MANY; i++) {
        entries[i].place = HP_DUE_NOT_IN;
        hp_due_heap_set(heap, &entries[i], g_rand_int_range(rand, 0, 500));
    }
    for (guint i = 0; i < MANY; i += 3)
        hp_due_heap_set(heap, &entries[i], g_rand_int_range(rand, 0, 500));
    for (guint i = 1; i < MANY; i += 7)
        hp_due_heap_remove(heap, &entries[i]);
    for (HpDueEntry *e = hp_due_heap_first(heap); e != NULL;
         e = hp_due_heap_first(heap)) {
        g_assert_cmpint(e->due_usec, >=, last);
        last = e->due_usec;
        hp_due_heap_remove(heap, e);
        g_assert_cmpuint(e->place, ==, HP_DUE_NOT_IN);
    }
    g_assert_cmpuint(hp_due_heap_size(heap), ==, 0);
}

static void
test_remove_twice(void)
{
    g_autoptr(HpDueHeap) heap = hp_due_heap_new();
    HpDueEntry entry = { 0, HP_DUE_NOT_IN };

    g_assert_null(hp_due_heap_first(heap));
    hp_due_heap_remove(heap, &entry);
    hp_due_heap_set(heap, &entry, 5);
    g_assert_true(hp_due_heap_first(heap) == &entry);
    hp_due_heap_remove(heap, &entry);
    hp_due_heap_remove(heap, &entry);
    g_assert_null(hp_due_heap_first(heap));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/due-heap/first-is-the-earliest", test_first_is_earliest);
    g_test_add_func("/due-heap/what-is-not-in-may-be-removed", test_remove_twice);
    return g_test_run();
}
