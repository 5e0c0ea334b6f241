#include "hp-imap-thread-tree.h"

#include "hp-casemap.h"
#include "hp-imap-thread-forest.h"
#include "hp-imap-thread-lists.h"
#include "hp-imap-thread-names.h"

typedef struct {
    guint32 number;
    guint32 node;
    guint32 subject; /* of the subjects' names; 0 is the empty one */
    gboolean is_reply;
    gint64 sent_usec;
} Message;

struct _HpThreads {
    GArray *messages;  /* (owned): Message, in the order of the mailbox */
    HpForest *forest;  /* (owned): a node for each message, and for each id without one */
    HpNames *ids;      /* (owned) */
    HpNames *subjects; /* (owned): prepared for comparing */
    GArray *id_nodes;  /* (owned): guint32, node of each id */
    GArray *taken;     /* (owned): guint32, by node: message + 1; 0: a dummy */
    GString *scratch;  /* (owned) */
    guint64 steps;
};

HpThreads *
hp_threads_new(void)
{
    HpThreads *self = g_new0(HpThreads, 1);

    self->messages = g_array_new(FALSE, FALSE, sizeof(Message));
    self->forest = hp_forest_new();
    self->ids = hp_names_new();
    self->subjects = hp_names_new();
    hp_names_add(self->subjects, HP_SLICE_LITERAL(""));
    self->id_nodes = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->taken = g_array_new(FALSE, TRUE, sizeof(guint32));
    g_array_set_size(self->taken, 1);
    self->scratch = g_string_new(NULL);
    return self;
}

void
hp_threads_free(HpThreads *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->messages);
    hp_forest_free(self->forest);
    hp_names_free(self->ids);
    hp_names_free(self->subjects);
    g_array_unref(self->id_nodes);
    g_array_unref(self->taken);
    g_string_free(self->scratch, TRUE);
    g_free(self);
}

guint64
hp_threads_steps(const HpThreads *self)
{
    return self->steps + hp_forest_steps(self->forest) + hp_names_steps(self->ids) +
           hp_names_steps(self->subjects);
}

static guint32 *
word_at(GArray *words, guint32 index)
{
    return &g_array_index(words, guint32, index);
}

/* --- (1): links from references ------------------------------------------------------
 */

static guint32
new_node(HpThreads *self)
{
    g_array_set_size(self->taken, self->taken->len + 1);
    return hp_forest_add(self->forest);
}

/* The node of the message with that id, a dummy if there is none yet. */
static guint32
node_of_id(HpThreads *self, HpSlice id)
{
    guint32 name = hp_names_add(self->ids, id);

    if (name == self->id_nodes->len) {
        guint32 node = new_node(self);

        g_array_append_val(self->id_nodes, node);
    }
    return *word_at(self->id_nodes, name);
}

/* Without an id, or with one that an earlier message has, it has a unique one. */
static guint32
node_of_message(HpThreads *self, HpSlice id)
{
    guint32 node = id.len > 0 ? node_of_id(self, id) : 0;

    return node != 0 && *word_at(self->taken, node) == 0 ? node : new_node(self);
}

/* The references that count: all, or when there are too many in the mailbox the last. */
static HpSlice
references_of(const HpThreads *self, const HpThreadMessage *message)
{
    HpSlice references = hp_slice_of(message->references);

    if (hp_names_octets(self->ids) + references.len <= HP_THREAD_MAX_OCTETS)
        return references;
    for (size_t i = references.len; i > 0; i--)
        if (references.data[i - 1] == '\n')
            return (HpSlice){ references.data + i, references.len - i };
    return references;
}

/* (1) (A) and (B) */
static void
link_references(HpThreads *self, guint32 node, HpSlice references)
{
    HpCursor c = hp_cursor_over(references);
    guint32 parent = 0;

    while (!hp_cursor_at_end(&c)) {
        HpSlice id = hp_cursor_take_until(&c, '\n');
        guint32 child;

        hp_cursor_skip(&c, '\n');
        if (id.len == 0)
            continue;
        child = node_of_id(self, id);
        self->steps++;
        if (parent != 0 && hp_forest_parent(self->forest, child) == 0)
            hp_forest_link(self->forest, parent, child);
        parent = child;
    }
    hp_forest_cut(self->forest, node);
    if (parent != 0)
        hp_forest_link(self->forest, parent, node);
}

void
hp_threads_add(HpThreads *self, const HpThreadMessage *message)
{
    Message own = { .number = message->number,
                    .is_reply = message->is_reply,
                    .sent_usec = message->sent_usec };

    own.node = node_of_message(self, hp_slice_of(message->message_id));
    g_string_truncate(self->scratch, 0);
    hp_casemap_append(self->scratch, hp_slice_of(message->subject));
    own.subject = hp_names_add(self->subjects, hp_slice_of_string(self->scratch));
    g_array_append_val(self->messages, own);
    *word_at(self->taken, own.node) = self->messages->len;
    link_references(self, own.node, references_of(self, message));
}

/* --- order by sent date --------------------------------------------------------------
 */

static gint
compare_sent(gconstpointer a, gconstpointer b, gpointer messages)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;
    gint64 left_usec = g_array_index((GArray *)messages, Message, left).sent_usec;
    gint64 right_usec = g_array_index((GArray *)messages, Message, right).sent_usec;

    if (left_usec != right_usec)
        return left_usec < right_usec ? -1 : 1;
    return left < right ? -1 : left > right; /* §2.2: by sequence number */
}

/* (transfer full): indices of messages by sent date. One sort serves all siblings. */
static GArray *
by_sent_date(HpThreads *self)
{
    GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(guint32), self->messages->len);

    for (guint32 i = 0; i < self->messages->len; i++)
        g_array_append_val(order, i);
    g_array_sort_with_data(order, compare_sent, self->messages);
    return order;
}

void
hp_threads_by_subject(HpThreads *self, GString *out)
{
    g_autoptr(GArray) order = by_sent_date(self);
    g_autoptr(GArray) lists = hp_thread_lists_new();
    g_autofree guint32 *heads = g_new0(guint32, hp_names_len(self->subjects));

    g_array_set_size(lists, self->messages->len + 1);
    for (guint32 i = 0; i < order->len; i++) {
        guint32 index = *word_at(order, i);
        const Message *message = &g_array_index(self->messages, Message, index);
        guint32 *head = &heads[message->subject];

        hp_thread_node(lists, index + 1)->number = message->number;
        hp_thread_append(lists, *head, index + 1);
        if (*head == 0)
            *head = index + 1;
    }
    hp_thread_write(lists, out);
}

/* --- REFERENCES (2) to (6) -----------------------------------------------------------
 */

#define DELETED G_MAXUINT32 /* as a parent: not in the tree any more */

typedef struct {
    HpThreads *threads; /* (unowned) */
    GArray *lists;      /* (owned): HpThreadNode, by node */
    GArray *order;      /* (owned): guint32, indices of messages by sent date */
    GArray *ranks;      /* (owned): guint32, by node: where it, or for a dummy its first
                           child, is in @order */
    GArray *parents;    /* (owned): guint32, by node */
    guint32
        *subject_node; /* (owned): subject table of (5): the node, 0 if there is none */
} Tree;

static void
tree_clear(Tree *self)
{
    g_array_unref(self->lists);
    g_array_unref(self->order);
    g_array_unref(self->ranks);
    g_array_unref(self->parents);
    g_free(self->subject_node);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tree, tree_clear)

static void
tree_init(Tree *self, HpThreads *threads)
{
    self->threads = threads;
    self->lists = hp_thread_lists_new();
    self->order = by_sent_date(threads);
    self->ranks = g_array_new(FALSE, TRUE, sizeof(guint32));
    self->parents = g_array_new(FALSE, TRUE, sizeof(guint32));
    self->subject_node = g_new0(guint32, hp_names_len(threads->subjects));
    g_array_set_size(self->lists, threads->taken->len);
    g_array_set_size(self->ranks, threads->taken->len);
    g_array_set_size(self->parents, threads->taken->len);
    for (guint32 i = 0; i < self->order->len; i++) {
        const Message *message =
            &g_array_index(threads->messages, Message, *word_at(self->order, i));

        *word_at(self->ranks, message->node) = i;
        hp_thread_node(self->lists, message->node)->number = message->number;
    }
}

/* A dummy made in (5) is behind the nodes of (1). */
static gboolean
is_dummy(const Tree *self, guint32 node)
{
    return node >= self->threads->taken->len || *word_at(self->threads->taken, node) == 0;
}

/* The message, or the first child of a dummy. */
static const Message *
message_of(const Tree *self, guint32 node)
{
    guint32 index = *word_at(self->order, *word_at(self->ranks, node));

    return &g_array_index(self->threads->messages, Message, index);
}

static void
append_children(Tree *self, GArray *order, guint32 node)
{
    guint32 child = hp_thread_node(self->lists, node)->first;

    for (; child != 0; child = hp_thread_node(self->lists, child)->next)
        g_array_append_val(order, child);
}

/* (2): all that have no parent are under the root. (transfer full): nodes, parents before
 * their children. */
static GArray *
by_level(Tree *self)
{
    HpForest *forest = self->threads->forest;
    GArray *order = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint32 node = 1; node <= hp_forest_len(forest); node++)
        hp_thread_append(self->lists, hp_forest_parent(forest, node), node);
    append_children(self, order, 0);
    for (guint32 i = 0; i < order->len; i++)
        append_children(self, order, *word_at(order, i));
    return order;
}

/* (3): children come before their parents, so each dummy has its final children when they
 * are spliced in with its siblings. */
static void
prune_dummies(Tree *self)
{
    g_autoptr(GArray) order = by_level(self);

    hp_thread_clear(self->lists);
    for (guint32 i = order->len; i-- > 0; self->threads->steps++) {
        guint32 node = *word_at(order, i);
        guint32 parent = hp_forest_parent(self->threads->forest, node);

        if (!is_dummy(self, node) ||
            (parent == 0 && hp_thread_has_many(self->lists, node)))
            hp_thread_append(self->lists, parent, node);
        else
            hp_thread_move_children(self->lists, parent, node);
    }
}

static void
note_parents(Tree *self)
{
    for (guint32 node = 0; node < self->lists->len; node++) {
        guint32 child = hp_thread_node(self->lists, node)->first;
        guint32 rank = G_MAXUINT32;

        for (; child != 0; child = hp_thread_node(self->lists, child)->next) {
            *word_at(self->parents, child) = node;
            rank = MIN(rank, *word_at(self->ranks, child));
        }
        if (node != 0 && is_dummy(self, node))
            *word_at(self->ranks, node) = rank;
    }
}

static gint
compare_ranks(gconstpointer a, gconstpointer b, gpointer ranks)
{
    guint32 left = *word_at(ranks, *(const guint32 *)a);
    guint32 right = *word_at(ranks, *(const guint32 *)b);

    return left < right ? -1 : left > right;
}

/* (5) (B) (iv) */
static gboolean
is_better_head(const Tree *self, guint32 node, guint32 than)
{
    if (than == 0)
        return TRUE;
    return !is_dummy(self, than) &&
           (is_dummy(self, node) ||
            (message_of(self, than)->is_reply && !message_of(self, node)->is_reply));
}

static void
put_below(Tree *self, guint32 parent, guint32 node)
{
    guint32 *rank = word_at(self->ranks, parent);

    *word_at(self->parents, node) = parent;
    if (is_dummy(self, parent))
        *rank = MIN(*rank, *word_at(self->ranks, node));
}

static guint32
new_dummy(Tree *self)
{
    guint32 node = self->lists->len, rank = G_MAXUINT32;

    g_array_set_size(self->lists, node + 1);
    g_array_set_size(self->parents, node + 1);
    g_array_append_val(self->ranks, rank);
    return node;
}

/* (5) (C): the rules, in their order. */
static void
merge(Tree *self, guint32 node, guint32 *head)
{
    if (is_dummy(self, *head) && is_dummy(self, node)) {
        guint32 child = hp_thread_node(self->lists, node)->first;

        for (; child != 0; child = hp_thread_node(self->lists, child)->next)
            put_below(self, *head, child);
        *word_at(self->parents, node) = DELETED;
    } else if (is_dummy(self, *head) ||
               (message_of(self, node)->is_reply && !message_of(self, *head)->is_reply)) {
        put_below(self, *head, node);
    } else {
        guint32 dummy = new_dummy(self);

        put_below(self, dummy, *head);
        put_below(self, dummy, node);
        *head = dummy;
    }
}

/* (4) and (5) */
static void
gather_subjects(Tree *self)
{
    g_autoptr(GArray) roots = g_array_new(FALSE, FALSE, sizeof(guint32));

    append_children(self, roots, 0);
    g_array_sort_with_data(roots, compare_ranks, self->ranks);
    for (guint32 i = 0; i < roots->len; i++) {
        guint32 node = *word_at(roots, i), subject = message_of(self, node)->subject;

        if (subject != 0 && is_better_head(self, node, self->subject_node[subject]))
            self->subject_node[subject] = node;
    }
    for (guint32 i = 0; i < roots->len; i++) {
        guint32 node = *word_at(roots, i), subject = message_of(self, node)->subject;
        guint32 *head = &self->subject_node[subject];

        self->threads->steps++;
        if (subject != 0 && *head != node && *word_at(self->parents, node) == 0)
            merge(self, node, head);
    }
}

/* (6): below the root there are only messages; whoever is put there by sent date is in
 * order. */
static void
sort_siblings(Tree *self)
{
    g_autoptr(GArray) roots = g_array_new(FALSE, FALSE, sizeof(guint32));

    hp_thread_clear(self->lists);
    for (guint32 i = 0; i < self->order->len; i++) {
        guint32 index = *word_at(self->order, i);
        guint32 node = g_array_index(self->threads->messages, Message, index).node;
        guint32 parent = *word_at(self->parents, node);

        if (parent != 0)
            hp_thread_append(self->lists, parent, node);
        else
            g_array_append_val(roots, node);
    }
    for (guint32 node = 1; node < self->lists->len; node++)
        if (is_dummy(self, node) && hp_thread_node(self->lists, node)->first != 0)
            g_array_append_val(roots, node);
    g_array_sort_with_data(roots, compare_ranks, self->ranks);
    for (guint32 i = 0; i < roots->len; i++)
        hp_thread_append(self->lists, 0, *word_at(roots, i));
}

void
hp_threads_by_references(HpThreads *self, GString *out)
{
    g_auto(Tree) tree = { 0 };

    tree_init(&tree, self);
    prune_dummies(&tree);
    note_parents(&tree);
    gather_subjects(&tree);
    sort_siblings(&tree);
    hp_thread_write(tree.lists, out);
}
