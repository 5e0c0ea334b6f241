/* Tests of hp-imap-thread-tree: one case for each sentence of its header, and against
 * RFC 5256 §3 written down as it stands there. */
#include "hp-imap-thread-tree.h"

#include <string.h>

#define LARGE 100000

static void
add(HpThreads *threads, guint32 number, gint64 sent, const char *id,
    const char *references)
{
    HpThreadMessage message = { number, sent, id, references, "", FALSE };

    hp_threads_add(threads, &message);
}

static void
add_subject(HpThreads *threads, guint32 number, gint64 sent, const char *subject,
            gboolean is_reply)
{
    HpThreadMessage message = { number, sent, "", "", subject, is_reply };

    hp_threads_add(threads, &message);
}

static void
assert_references(HpThreads *threads, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_threads_by_references(threads, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void
assert_subjects(HpThreads *threads, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_threads_by_subject(threads, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void
test_nothing_has_no_threads(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    assert_references(threads, "");
    assert_subjects(threads, "");
}

static void
test_replies_are_below(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 1, 30, "c", "a\nb");
    add(threads, 2, 10, "a", "");
    add(threads, 3, 20, "b", "a");
    add(threads, 4, 40, "d", "a\nb");
    add(threads, 5, 5, "e", "");
    assert_references(threads, "(5)(2 3 (1)(4))");
}

/* (3): "unless there is only one child" */
static void
test_missing_parents_join_their_children(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 3, 10, "a", "gone");
    add(threads, 5, 20, "b", "gone");
    add(threads, 6, 5, "c", "lost\nlost2");
    assert_references(threads, "(6)((3)(5))");
}

/* (1) (A): the second message with an id gets one of its own. */
static void
test_same_id_twice(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 1, 10, "a", "");
    add(threads, 2, 20, "a", "");
    add(threads, 3, 30, "b", "a");
    assert_references(threads, "(1 3)(2)");
}

/* (1) (B): "probably the result of a truncated References header line" */
static void
test_own_references_win(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 1, 30, "c", "a\nb");
    add(threads, 2, 10, "a", "");
    add(threads, 3, 20, "b", "");
    assert_references(threads, "(2)(3 1)");
}

static void
test_ids_are_case_sensitive(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 1, 10, "a", "");
    add(threads, 2, 20, "b", "A");
    assert_references(threads, "(1)(2)");
}

static void
test_loops_cannot_arise(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add(threads, 1, 10, "a", "b");
    add(threads, 2, 20, "b", "c");
    add(threads, 3, 30, "c", "a");
    add(threads, 4, 40, "d", "d\nd");
    assert_references(threads, "(3 2 1)(4)");
}

/* (5) */
static void
test_same_subject_gathers(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add_subject(threads, 1, 10, "Lunch", TRUE);
    add_subject(threads, 2, 20, "LUNCH", FALSE);
    add_subject(threads, 3, 30, "lunch", TRUE);
    assert_references(threads, "(2 (1)(3))");
}

static void
test_two_beginnings_become_siblings(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add_subject(threads, 1, 10, "Lunch", FALSE);
    add_subject(threads, 2, 20, "Lunch", FALSE);
    add_subject(threads, 3, 30, "Lunch", FALSE);
    add_subject(threads, 4, 5, "", FALSE);
    add_subject(threads, 5, 6, "", FALSE);
    assert_references(threads, "(4)(5)((1)(2)(3))");
}

static void
test_ordered_subject_has_no_grandchildren(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();

    add_subject(threads, 1, 40, "b", TRUE);
    add_subject(threads, 2, 20, "A", FALSE);
    add_subject(threads, 3, 30, "B", FALSE);
    add_subject(threads, 4, 50, "a", TRUE);
    add_subject(threads, 5, 60, "a", TRUE);
    add_subject(threads, 6, 30, "c", TRUE);
    assert_subjects(threads, "(2 (4)(5))(3 1)(6)");
}

/* --- RFC 5256 §3 as it stands there --------------------------------------------------
 */

typedef struct _Slow Slow;
struct _Slow {
    Slow *parent;        /* (unowned) (nullable) */
    GPtrArray *children; /* (owned) (element-type Slow): unowned; in (3) to (6) */
    const HpThreadMessage *message; /* (unowned) (nullable): %NULL: a dummy */
    gint order;                     /* of the message in the mailbox */
};

typedef struct {
    GHashTable *by_id; /* (owned): Slow, unowned */
    GPtrArray *all;    /* (owned): Slow */
} Oracle;

static void
slow_free(gpointer data)
{
    Slow *slow = data;

    g_ptr_array_unref(slow->children);
    g_free(slow);
}

static Slow *
slow_new(Oracle *oracle)
{
    Slow *slow = g_new0(Slow, 1);

    slow->children = g_ptr_array_new();
    g_ptr_array_add(oracle->all, slow);
    return slow;
}

static Slow *
slow_of_id(Oracle *oracle, const char *id)
{
    Slow *slow = g_hash_table_lookup(oracle->by_id, id);

    if (slow == NULL) {
        slow = slow_new(oracle);
        g_hash_table_insert(oracle->by_id, g_strdup(id), slow);
    }
    return slow;
}

static void
slow_link(Slow *parent, Slow *child)
{
    for (const Slow *at = parent; at != NULL; at = at->parent)
        if (at == child)
            return;
    child->parent = parent;
}

static void
slow_add(Oracle *oracle, const HpThreadMessage *message, gint order)
{
    g_auto(GStrv) references = g_strsplit(message->references, "\n", -1);
    Slow *own = NULL, *parent = NULL;

    if (*message->message_id != '\0')
        own = slow_of_id(oracle, message->message_id);
    if (own == NULL || own->message != NULL)
        own = slow_new(oracle);
    own->message = message;
    own->order = order;
    for (guint i = 0; references[i] != NULL && *references[i] != '\0'; i++) {
        Slow *child = slow_of_id(oracle, references[i]);

        if (parent != NULL && child->parent == NULL)
            slow_link(parent, child);
        parent = child;
    }
    own->parent = NULL;
    if (parent != NULL)
        slow_link(parent, own);
}

/* (3); returns what stands for @slow among its siblings. */
static void
slow_prune(Slow *slow, gboolean below_root, GPtrArray *siblings)
{
    GPtrArray *old = slow->children;

    slow->children = g_ptr_array_new();
    for (guint i = 0; i < old->len; i++)
        slow_prune(old->pdata[i], FALSE, slow->children);
    g_ptr_array_unref(old);
    if (slow->message != NULL || (below_root && slow->children->len > 1))
        g_ptr_array_add(siblings, slow);
    else
        g_ptr_array_extend(siblings, slow->children, NULL, NULL);
}

static const Slow *
slow_first(const Slow *slow)
{
    return slow->message != NULL ? slow : slow_first(slow->children->pdata[0]);
}

static gint
slow_compare(gconstpointer a, gconstpointer b)
{
    const Slow *left = slow_first(*(Slow *const *)a);
    const Slow *right = slow_first(*(Slow *const *)b);

    if (left->message->sent_usec != right->message->sent_usec)
        return left->message->sent_usec < right->message->sent_usec ? -1 : 1;
    return left->order - right->order;
}

static void
slow_sort(GPtrArray *siblings)
{
    for (guint i = 0; i < siblings->len; i++)
        slow_sort(((Slow *)siblings->pdata[i])->children);
    g_ptr_array_sort(siblings, slow_compare);
}

static gboolean
slow_is_reply(const Slow *slow)
{
    return slow->message->is_reply;
}

/* (5) (C); %TRUE if @slow is not under the root any more */
static gboolean
slow_merge(Oracle *oracle, GPtrArray *roots, Slow **head, Slow *slow)
{
    Slow *dummy;

    if ((*head)->message == NULL && slow->message == NULL) {
        g_ptr_array_extend((*head)->children, slow->children, NULL, NULL);
        return TRUE;
    }
    if ((*head)->message == NULL || (slow_is_reply(slow) && !slow_is_reply(*head))) {
        g_ptr_array_add((*head)->children, slow);
        return TRUE;
    }
    dummy = slow_new(oracle);
    g_ptr_array_add(dummy->children, *head);
    g_ptr_array_add(dummy->children, slow);
    g_ptr_array_remove(roots, *head);
    g_ptr_array_add(roots, dummy);
    *head = dummy;
    return TRUE;
}

static char *
slow_subject(const Slow *slow)
{
    return g_ascii_strup(slow_first(slow)->message->subject, -1);
}

static void
slow_gather(Oracle *oracle, GPtrArray *roots)
{
    g_autoptr(GHashTable) table =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) before = g_ptr_array_copy(roots, NULL, NULL);

    for (guint i = 0; i < before->len; i++) {
        Slow *slow = before->pdata[i];
        char *subject = slow_subject(slow);
        Slow *head = g_hash_table_lookup(table, subject);

        if (*subject != '\0' &&
            (head == NULL ||
             (head->message != NULL &&
              (slow->message == NULL || (slow_is_reply(head) && !slow_is_reply(slow))))))
            g_hash_table_insert(table, subject, slow);
        else
            g_free(subject);
    }
    for (guint i = 0; i < before->len; i++) {
        Slow *slow = before->pdata[i];
        char *subject = slow_subject(slow);
        Slow *head = g_hash_table_lookup(table, subject);

        if (head != NULL && head != slow && slow_merge(oracle, roots, &head, slow)) {
            g_ptr_array_remove(roots, slow);
            g_hash_table_insert(table, subject, head);
        } else {
            g_free(subject);
        }
    }
}

static void
slow_write(const Slow *slow, GString *out)
{
    const GPtrArray *children = slow->children;

    if (slow->message != NULL)
        g_string_append_printf(out, "%u", slow->message->number);
    if (children->len > 0 && slow->message != NULL)
        g_string_append_c(out, ' ');
    if (children->len == 1)
        slow_write(children->pdata[0], out);
    for (guint i = 0; children->len > 1 && i < children->len; i++) {
        g_string_append_c(out, '(');
        slow_write(children->pdata[i], out);
        g_string_append_c(out, ')');
    }
}

static char *
slow_references(const HpThreadMessage *messages, guint n)
{
    Oracle oracle = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                      g_ptr_array_new_with_free_func(slow_free) };
    g_autoptr(GPtrArray) roots = g_ptr_array_new();
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        slow_add(&oracle, &messages[i], (gint)i);
    for (guint i = 0; i < oracle.all->len; i++) {
        Slow *slow = oracle.all->pdata[i];

        if (slow->parent != NULL)
            g_ptr_array_add(slow->parent->children, slow);
    }
    for (guint i = 0; i < oracle.all->len; i++)
        if (((Slow *)oracle.all->pdata[i])->parent == NULL)
            slow_prune(oracle.all->pdata[i], TRUE, roots);
    slow_sort(roots);
    slow_gather(&oracle, roots);
    slow_sort(roots);
    for (guint i = 0; i < roots->len; i++) {
        g_string_append_c(out, '(');
        slow_write(roots->pdata[i], out);
        g_string_append_c(out, ')');
    }
    g_hash_table_unref(oracle.by_id);
    g_ptr_array_unref(oracle.all);
    return g_string_free(out, FALSE);
}

static const char *const subjects[] = { "", "a", "b", "A" };
static const char *const ids[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" };

static char *
random_references(void)
{
    GString *references = g_string_new(NULL);

    for (gint n = g_test_rand_int_range(0, 4); n > 0; n--)
        g_string_append_printf(references, references->len > 0 ? "\n%s" : "%s",
                               ids[g_test_rand_int_range(0, G_N_ELEMENTS(ids))]);
    return g_string_free(references, FALSE);
}

static void
test_is_what_the_rfc_says(void)
{
    for (guint turn = 0; turn < 5000; turn++) {
        HpThreadMessage messages[12];
        g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
        guint n = (guint)g_test_rand_int_range(1, G_N_ELEMENTS(messages) + 1);
        g_autofree char *expected = NULL;
        g_autoptr(HpThreads) threads = hp_threads_new();

        for (guint i = 0; i < n; i++) {
            char *references = random_references();

            g_ptr_array_add(texts, references);
            messages[i] = (HpThreadMessage){
                .number = i + 1,
                .sent_usec = g_test_rand_int_range(0, 8),
                .message_id = g_test_rand_bit() ? ids[g_test_rand_int_range(0, 10)] : "",
                .references = references,
                .subject = subjects[g_test_rand_int_range(0, G_N_ELEMENTS(subjects))],
                .is_reply = g_test_rand_bit(),
            };
            hp_threads_add(threads, &messages[i]);
        }
        expected = slow_references(messages, n);
        assert_references(threads, expected);
    }
}

/* --- what does not depend on how it is arranged --------------------------------------
 */

typedef void (*Arrange)(HpThreads *threads, guint i, guint n);

/* The far end of a long chain claims the beginning as its child, again and again. */
static void
arrange_rings(HpThreads *threads, guint i, guint n)
{
    g_autofree char *id = g_strdup_printf("%u", i);
    g_autofree char *references = i % 2 == 0 ? g_strdup_printf("%u", i + 2)
                                             : g_strdup_printf("0\n%u\n%u", n, n - 2);

    add(threads, i + 1, i, id, references);
}

/* Each message says that all before it were otherwise related. */
static void
arrange_shuffled(HpThreads *threads, guint i, guint n)
{
    g_autofree char *id = g_strdup_printf("%u", i);
    g_autofree char *references = g_strdup_printf(
        "%u\n%u\n%u\n%u", (i * 7919U) % n, (i * 104729U) % n, n - i, (i * 31U) % n);

    add(threads, i + 1, n - i, id, references);
}

static void
arrange_deep(HpThreads *threads, guint i, guint n)
{
    g_autofree char *id = g_strdup_printf("%u", n - i);
    g_autofree char *references = g_strdup_printf("%u", n - i - 1);

    add(threads, i + 1, i, id, references);
}

static void
arrange_subjects(HpThreads *threads, guint i, guint n)
{
    add_subject(threads, i + 1, n - i, "the same for all", i % 3 == 0);
}

static guint64
steps_of(Arrange arrange, guint n)
{
    g_autoptr(HpThreads) threads = hp_threads_new();
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < n; i++)
        arrange(threads, i, n);
    hp_threads_by_references(threads, out);
    g_assert_cmpuint(out->len, >, n);
    return hp_threads_steps(threads);
}

static void
test_work_grows_with_the_number_only(void)
{
    static const Arrange hostile[] = { arrange_rings, arrange_shuffled, arrange_deep,
                                       arrange_subjects };

    for (guint i = 0; i < G_N_ELEMENTS(hostile); i++) {
        guint64 small = steps_of(hostile[i], LARGE / 10);
        guint64 large = steps_of(hostile[i], LARGE);

        g_test_message("arrangement %u: %" G_GUINT64_FORMAT " steps", i, large);
        g_assert_cmpuint(large, <, 15 * small);
        g_assert_cmpuint(large, <, (guint64)LARGE * 300);
    }
}

static void
test_memory_is_bounded(void)
{
    g_autoptr(HpThreads) threads = hp_threads_new();
    g_autoptr(GString) long_id = g_string_new(NULL);

    for (guint i = 0; i < 1024 * 1024; i++)
        g_string_append_c(long_id, 'x');
    for (guint i = 0; i < 70; i++) {
        g_autofree char *references =
            g_strdup_printf("%u%s\n%s", i, long_id->str, i > 0 ? "first" : "");
        g_autofree char *id = i == 0 ? g_strdup("first") : g_strdup_printf("id %u", i);

        add(threads, i + 1, i, id, references);
    }
    add(threads, 71, 71, "last", "id 69");
    {
        g_autoptr(GString) out = g_string_new(NULL);

        hp_threads_by_references(threads, out);
        g_assert_nonnull(strstr(out->str, "(70 71)"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-thread-tree/nothing-has-no-threads",
                    test_nothing_has_no_threads);
    g_test_add_func("/imap-thread-tree/replies-are-below", test_replies_are_below);
    g_test_add_func("/imap-thread-tree/missing-parents-join-their-children",
                    test_missing_parents_join_their_children);
    g_test_add_func("/imap-thread-tree/same-id-twice", test_same_id_twice);
    g_test_add_func("/imap-thread-tree/own-references-win", test_own_references_win);
    g_test_add_func("/imap-thread-tree/ids-are-case-sensitive",
                    test_ids_are_case_sensitive);
    g_test_add_func("/imap-thread-tree/loops-cannot-arise", test_loops_cannot_arise);
    g_test_add_func("/imap-thread-tree/same-subject-gathers", test_same_subject_gathers);
    g_test_add_func("/imap-thread-tree/two-beginnings-become-siblings",
                    test_two_beginnings_become_siblings);
    g_test_add_func("/imap-thread-tree/ordered-subject-has-no-grandchildren",
                    test_ordered_subject_has_no_grandchildren);
    g_test_add_func("/imap-thread-tree/is-what-the-rfc-says", test_is_what_the_rfc_says);
    g_test_add_func("/imap-thread-tree/work-grows-with-the-number-only",
                    test_work_grows_with_the_number_only);
    g_test_add_func("/imap-thread-tree/memory-is-bounded", test_memory_is_bounded);
    return g_test_run();
}
