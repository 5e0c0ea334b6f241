#include "hp-imap-thread-lists.h"

GArray *
hp_thread_lists_new(void)
{
    GArray *lists = g_array_new(FALSE, TRUE, sizeof(HpThreadNode));

    g_array_set_size(lists, 1);
    return lists;
}

HpThreadNode *
hp_thread_node(GArray *lists, guint32 node)
{
    return &g_array_index(lists, HpThreadNode, node);
}

void
hp_thread_append(GArray *lists, guint32 parent, guint32 node)
{
    HpThreadNode *list = hp_thread_node(lists, parent);

    hp_thread_node(lists, node)->next = 0;
    if (list->first == 0)
        list->first = node;
    else
        hp_thread_node(lists, list->last)->next = node;
    list->last = node;
}

void
hp_thread_move_children(GArray *lists, guint32 parent, guint32 node)
{
    HpThreadNode *from = hp_thread_node(lists, node);
    HpThreadNode *to = hp_thread_node(lists, parent);

    if (from->first == 0)
        return;
    if (to->first == 0)
        to->first = from->first;
    else
        hp_thread_node(lists, to->last)->next = from->first;
    to->last = from->last;
    from->first = from->last = 0;
}

gboolean
hp_thread_has_many(GArray *lists, guint32 node)
{
    const HpThreadNode *list = hp_thread_node(lists, node);

    return list->first != list->last;
}

void
hp_thread_clear(GArray *lists)
{
    for (guint32 i = 0; i < lists->len; i++) {
        HpThreadNode *node = hp_thread_node(lists, i);

        node->first = node->last = node->next = 0;
    }
}

/* thread-members = nz-number *(SP nz-number) [SP thread-nested]: from @node down to where
 * its thread ends or splits, which is returned. */
static guint32
write_members(GArray *lists, guint32 node, GString *out)
{
    gboolean first = TRUE;

    for (;;) {
        const HpThreadNode *member = hp_thread_node(lists, node);

        if (member->number != 0) {
            g_string_append_printf(out, first ? "%u" : " %u", member->number);
            first = FALSE;
        }
        if (member->first == 0 || member->first != member->last) {
            if (member->first != 0 && !first)
                g_string_append_c(out, ' ');
            return node;
        }
        node = member->first;
    }
}

/* Iterative: a thread may be as deep as the mailbox is long. */
void
hp_thread_write(GArray *lists, GString *out)
{
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint32 node = hp_thread_node(lists, 0)->first;

    while (node != 0 || open->len > 0) {
        guint32 end;

        if (node == 0) { /* a list has ended, and so the thread that it is in */
            node = g_array_index(open, guint32, open->len - 1);
            g_array_set_size(open, open->len - 1);
            g_string_append_c(out, ')');
            node = hp_thread_node(lists, node)->next;
            continue;
        }
        g_string_append_c(out, '(');
        end = write_members(lists, node, out);
        if (hp_thread_node(lists, end)->first != 0) {
            g_array_append_val(open, node);
            node = hp_thread_node(lists, end)->first;
        } else {
            g_string_append_c(out, ')');
            node = hp_thread_node(lists, node)->next;
        }
    }
}
