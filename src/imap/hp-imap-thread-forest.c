#include "hp-imap-thread-forest.h"

/* Sleator and Tarjan: each path of a tree that is in use is a splay tree by depth; @up of
 * a splay tree's root is the parent of the path's top ("path parent"). */
typedef struct {
    guint32 side[2]; /* above and below on the path */
    guint32 up;
    guint32 parent; /* in the tree that is shown */
    guint32 n_children;
} Node;

struct _HpForest {
    GArray *nodes; /* (owned): Node; [0] stands for none */
    guint64 steps;
};

static Node *
at(HpForest *self, guint32 node)
{
    return &g_array_index(self->nodes, Node, node);
}

HpForest *
hp_forest_new(void)
{
    HpForest *self = g_new0(HpForest, 1);

    self->nodes = g_array_new(FALSE, TRUE, sizeof(Node));
    g_array_set_size(self->nodes, 1);
    return self;
}

void
hp_forest_free(HpForest *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->nodes);
    g_free(self);
}

guint32
hp_forest_add(HpForest *self)
{
    g_array_set_size(self->nodes, self->nodes->len + 1);
    return self->nodes->len - 1;
}

guint32
hp_forest_len(const HpForest *self)
{
    return self->nodes->len - 1;
}

guint32
hp_forest_parent(const HpForest *self, guint32 node)
{
    return g_array_index(self->nodes, Node, node).parent;
}

guint64
hp_forest_steps(const HpForest *self)
{
    return self->steps;
}

/* On which side of its splay parent: 0, 1, or -1 if it is the root of its splay tree. */
static int
side_of(HpForest *self, guint32 node)
{
    guint32 up = at(self, node)->up;

    if (up == 0)
        return -1;
    if (at(self, up)->side[0] == node)
        return 0;
    return at(self, up)->side[1] == node ? 1 : -1;
}

static void
rotate(HpForest *self, guint32 node)
{
    int side = side_of(self, node);
    guint32 up = at(self, node)->up;
    int up_side = side_of(self, up);
    guint32 inner = at(self, node)->side[1 - side];

    self->steps++;
    at(self, node)->up = at(self, up)->up;
    if (up_side >= 0)
        at(self, at(self, up)->up)->side[up_side] = node;
    at(self, up)->side[side] = inner;
    if (inner != 0)
        at(self, inner)->up = up;
    at(self, node)->side[1 - side] = up;
    at(self, up)->up = node;
}

static void
splay(HpForest *self, guint32 node)
{
    while (side_of(self, node) >= 0) {
        guint32 up = at(self, node)->up;
        int up_side = side_of(self, up);

        if (up_side >= 0)
            rotate(self, up_side == side_of(self, node) ? up : node);
        rotate(self, node);
    }
}

/* Makes the path from the root to @node the one in use, and @node the root of its splay
 * tree. */
static void
access_node(HpForest *self, guint32 node)
{
    guint32 below = 0;

    for (guint32 top = node; top != 0; top = at(self, top)->up) {
        self->steps++;
        splay(self, top);
        at(self, top)->side[1] = below;
        below = top;
    }
    splay(self, node);
}

static guint32
find_root(HpForest *self, guint32 node)
{
    guint32 root = node;

    access_node(self, node);
    while (at(self, root)->side[0] != 0) {
        self->steps++;
        root = at(self, root)->side[0];
    }
    splay(self, root); /* pays for the way down */
    return root;
}

gboolean
hp_forest_link(HpForest *self, guint32 parent, guint32 child)
{
    self->steps++;
    /* Nothing can be below a node that has no children: that is most mail. */
    if (parent == child ||
        (at(self, child)->n_children > 0 && find_root(self, parent) == child))
        return FALSE;
    access_node(self, child);
    access_node(self, parent);
    at(self, child)->up = parent;
    at(self, child)->parent = parent;
    at(self, parent)->n_children++;
    return TRUE;
}

void
hp_forest_cut(HpForest *self, guint32 node)
{
    guint32 parent = at(self, node)->parent, above;

    if (parent == 0)
        return;
    access_node(self, node);
    above = at(self, node)->side[0];
    at(self, above)->up = 0;
    at(self, node)->side[0] = 0;
    at(self, node)->parent = 0;
    at(self, parent)->n_children--;
}
