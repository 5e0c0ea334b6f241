/* COPY and MOVE: rows, never bytes. */
#include "hp-store-private.h"

/* A clock that stood wrong must not let them fall due at once in Trash, so they are not
 * saved before the original was. Copies keep what belongs to the message: flags, internal
 * date, email and thread. */
static gboolean
copy_run(HpDbConn *conn, const HpStoreCopy *copy, guint from, guint n, GError **error)
{
    gint64 first = g_array_index(copy->entries, HpViewEntry, from).uid;

    return hp_db_run(
        conn, error,
        "INSERT INTO entry (mailbox, uid, content, size, flags, modseq, internal_usec,"
        " internal_zone, saved_usec, email, thread, keywords)"
        " SELECT ?4, uid + ?5, content, size, flags, ?6, internal_usec, internal_zone, "
        "?7,"
        " email, thread, keywords FROM entry"
        " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
        "iiiiiii", copy->from, first, first + n - 1, copy->to,
        copy->ret_first + from - first, copy->ret_modseq, copy->now_usec);
}

static void
tell_copies(const HpStoreCopy *copy, HpNews *news, HpCounts *counts)
{
    for (guint i = 0; i < copy->entries->len; i++) {
        HpViewEntry entry = g_array_index(copy->entries, HpViewEntry, i);
        const char *text =
            entry.keywords != 0 ? copy->texts->pdata[entry.keywords - 1] : NULL;

        entry.uid = (guint32)(copy->ret_first + i);
        entry.modseq = news->modseq;
        hp_news_add(news, entry, text);
        hp_counts_add(counts, 1, entry.flags, entry.size);
    }
}

gboolean
hp_store_copy_entries(HpDbConn *conn, HpStoreTask *task, HpStoreCopy *copy,
                      GError **error)
{
    HpCounts counts = { 0 };
    HpNews *news;
    guint n;

    if (!hp_store_take_uids(conn, copy->to, copy->entries->len, &copy->ret_first,
                            error) ||
        !hp_store_next_modseq(conn, copy->to, &copy->ret_modseq, error))
        return FALSE;
    news = hp_store_task_add(task, HP_NEWS_ADDED, copy->to, (guint64)copy->ret_modseq);
    tell_copies(copy, news, &counts);
    for (guint i = 0; i < copy->entries->len; i += n) {
        n = hp_store_run(copy->entries, i, NULL);
        if (!copy_run(conn, copy, i, n, error))
            return FALSE;
    }
    return hp_store_count(conn, copy->to, &counts, error);
}

typedef struct {
    HpStoreTask task;
    HpStoreUids uids;
    HpStoreCopy copy;
    HpNews *found; /* (unowned): used to hold entries and their keywords */
    gboolean move;
} Copying;

static void
collect(const HpViewEntry *entry, const char *text, gint64 collected_usec, gpointer data)
{
    hp_news_add(data, *entry, text);
}

static gboolean
carry(HpDbConn *conn, Copying *self, GError **error)
{
    HpStoreRemoval removal = { self->copy.from, self->found->entries, TRUE };

    self->copy.entries = self->found->entries;
    self->copy.texts = self->found->texts;
    if (self->found->entries->len == 0)
        return TRUE;
    return hp_store_copy_entries(conn, &self->task, &self->copy, error) &&
           (!self->move || hp_store_remove_entries(conn, &self->task, &removal, error));
}

static gboolean
copy_uids(HpDbConn *conn, gpointer data, GError **error)
{
    Copying *self = data;

    return hp_store_need_mailbox(conn, self->copy.from, error) &&
           hp_store_need_mailbox(conn, self->copy.to, error) &&
           hp_store_walk(conn, self->copy.from, self->uids,
                         &(HpStoreWalker){ collect, self->found }, error) &&
           carry(conn, self, error);
}

static GArray *
list_copied(const Copying *self)
{
    const GArray *entries = self->found->entries;
    GArray *list = g_array_sized_new(FALSE, FALSE, sizeof(HpStoreCopied), entries->len);

    for (guint i = 0; i < entries->len; i++) {
        HpStoreCopied one = { g_array_index(entries, HpViewEntry, i).uid,
                              (guint32)(self->copy.ret_first + i) };

        g_array_append_val(list, one);
    }
    return list;
}

/* NOLINTBEGIN(readability-function-size): the shape is the header's */
gboolean
hp_store_copy(HpStore *self, gint64 from, const guint32 *uids, guint n, gint64 to,
              gboolean move, GArray **ret, GError **error)
{
    g_auto(HpStoreTask) task = hp_store_task(self);
    g_auto(HpStoreTask) scratch = hp_store_task(self);
    Copying work = { .task = task,
                     .uids = { uids, n },
                     .found = hp_store_task_add(&scratch, HP_NEWS_ADDED, from, 0),
                     .move = move };

    work.copy.from = from;
    work.copy.to = to;
    work.copy.now_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    if (n > 0 && !hp_store_write(&work.task, copy_uids, n, error))
        return FALSE;
    *ret = list_copied(&work);
    return TRUE;
}
/* NOLINTEND(readability-function-size) */

gboolean
hp_store_move_all(HpDbConn *conn, HpStoreTask *task, gint64 from, gint64 to,
                  GError **error)
{
    g_auto(HpStoreTask) scratch = hp_store_task(task->store);
    HpNews *found = hp_store_task_add(&scratch, HP_NEWS_ADDED, from, 0);
    Copying work = { .task = *task, .found = found, .move = TRUE };

    work.copy.from = from;
    work.copy.to = to;
    work.copy.now_usec = hp_clock_now_usec(task->store->clock, HP_CLOCK_WALL);
    return hp_store_walk_all(conn, from, &(HpStoreWalker){ collect, found }, error) &&
           carry(conn, &work, error);
}
