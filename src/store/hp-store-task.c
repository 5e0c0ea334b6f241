/* Changes: one transaction each, and what becomes known of it. */
#include "hp-store-private.h"

#define LAST_UID 4294967295 /* RFC 3501 §9, nz-number */

typedef struct {
    gint64 from;
    gint64 to;
} HpUidRange;

static void
free_news(gpointer data)
{
    HpNews *news = data;

    g_array_unref(news->entries);
    g_ptr_array_unref(news->texts);
    g_free(news);
}

HpStoreTask
hp_store_task(HpStore *store)
{
    return (HpStoreTask){ store, g_ptr_array_new_with_free_func(free_news) };
}

void
hp_store_task_clear(HpStoreTask *self)
{
    g_clear_pointer(&self->news, g_ptr_array_unref);
}

HpNews *
hp_store_task_add(HpStoreTask *self, HpNewsKind kind, gint64 mailbox, guint64 modseq)
{
    HpNews *news = g_new0(HpNews, 1);

    news->kind = kind;
    news->mailbox = mailbox;
    news->modseq = modseq;
    news->entries = g_array_new(FALSE, FALSE, sizeof(HpViewEntry));
    news->texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(self->news, news);
    return news;
}

/* Neighbours mostly have the same keywords. */
void
hp_news_add(HpNews *news, HpViewEntry entry, const char *text)
{
    entry.keywords = 0;
    if (text != NULL && *text != '\0') {
        if (news->texts->len == 0 ||
            g_strcmp0(news->texts->pdata[news->texts->len - 1], text) != 0)
            g_ptr_array_add(news->texts, g_strdup(text));
        entry.keywords = news->texts->len;
    }
    g_array_append_val(news->entries, entry);
}

/* On the writer thread, so that views hear of everything in the order of the commits. */
static void
publish(gpointer data)
{
    const HpStoreTask *task = data;

    for (guint i = 0; i < task->news->len; i++) {
        const HpNews *news = task->news->pdata[i];

        if (news->kind == HP_NEWS_ANNOTATED)
            hp_annotation_log_publish(task->store->annotated, news);
        else
            hp_views_publish(task->store->views, task->store->keywords, news);
    }
}

static void
tell_changed(HpStore *self)
{
    HpStoreChanged changed;
    gpointer data;

    {
        HP_LOCKED(&self->lock);
        changed = self->changed;
        data = self->changed_data;
        self->telling += changed != NULL;
    }
    if (changed == NULL)
        return;
    changed(data);
    HP_LOCKED(&self->lock);
    if (--self->telling == 0)
        hp_cond_broadcast(&self->told);
}

static void
ring_watchers(HpStore *self)
{
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->watchers->len; i++)
        hp_waker_ring(self->watchers->pdata[i]);
}

gboolean
hp_store_write(HpStoreTask *task, HpDbWork work, guint rows, GError **error)
{
    HpDbChange change = { work, publish, task, rows >= HP_STORE_BIG_ROWS };
    g_autoptr(GError) failure = NULL;

    if (!hp_db_write_change(task->store->db, &change, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    ring_watchers(task->store);
    tell_changed(task->store);
    return TRUE;
}

/* The number in the one row that @stmt gives. */
static gboolean
take_number(HpDbStmt *stmt, gint64 *ret_number, const char *otherwise, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        *ret_number = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error_literal(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                            otherwise);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_need_mailbox(HpDbConn *conn, gint64 mailbox, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT id FROM mailbox WHERE id = ?1", "i", mailbox);
    gint64 id;

    return take_number(stmt, &id, "there is no such mailbox", error);
}

gboolean
hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "UPDATE mailbox SET highestmodseq = highestmodseq + 1 WHERE id = ?1"
                    " RETURNING highestmodseq",
                    "i", mailbox);

    return take_number(stmt, ret_modseq, "there is no such mailbox", error);
}

gboolean
hp_store_take_uids(HpDbConn *conn, gint64 mailbox, guint n, gint64 *ret_first,
                   GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "UPDATE mailbox SET uidnext = uidnext + ?2 WHERE id = ?1 AND uidnext <= ?3 - ?2"
        " RETURNING uidnext - ?2",
        "iii", mailbox, (gint64)n, (gint64)LAST_UID);

    return take_number(stmt, ret_first,
                       "there is no such mailbox, or it has no more message numbers",
                       error);
}

void
hp_counts_add(HpCounts *self, gint64 messages, guint32 flags, gint64 octets)
{
    self->messages += messages;
    self->octets += messages * octets;
    if ((flags & HP_STORE_SEEN) == 0)
        self->unseen += messages;
    if ((flags & HP_STORE_DELETED) != 0)
        self->deleted += messages;
}

gboolean
hp_store_count(HpDbConn *conn, gint64 mailbox, const HpCounts *delta, GError **error)
{
    return hp_db_run(conn, error,
                     "UPDATE mailbox SET messages = messages + ?2, unseen = unseen + ?3,"
                     " deleted = deleted + ?4, octets = octets + ?5 WHERE id = ?1",
                     "iiiii", mailbox, delta->messages, delta->unseen, delta->deleted,
                     delta->octets);
}

HpViewEntry
hp_store_read_entry(HpDbStmt *stmt)
{
    return (HpViewEntry){
        .uid = (guint32)hp_db_int(stmt, 0),
        .flags = (guint16)hp_db_int(stmt, 1),
        .zone = (gint16)hp_db_int(stmt, 2),
        .size = (guint32)MIN(hp_db_int(stmt, 3), (gint64)G_MAXUINT32),
        .modseq = (guint64)hp_db_int(stmt, 4),
        .content = hp_db_int(stmt, 5),
        .internal_usec = hp_db_int(stmt, 6),
    };
}

static gboolean
walk_range(HpDbConn *conn, gint64 mailbox, const HpUidRange *range,
           const HpStoreWalker *walker, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT " HP_ENTRY_COLUMNS ", collected_usec FROM entry"
                                 " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3"
                                 " ORDER BY uid",
                                 "iii", mailbox, range->from, range->to);

    while (hp_db_step(stmt, &failure)) {
        HpViewEntry entry = hp_store_read_entry(stmt);

        walker->each(&entry, hp_db_text(stmt, HP_ENTRY_KEYWORDS),
                     hp_db_int(stmt, HP_ENTRY_NEXT), walker->data);
    }
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Uids that follow one another are one walk through neighbouring rows. */
static guint
count_following(const HpStoreUids *uids, guint from)
{
    guint n = 1;

    while (from + n < uids->n && uids->uids[from + n] == uids->uids[from] + n)
        n++;
    return n;
}

gboolean
hp_store_walk(HpDbConn *conn, gint64 mailbox, HpStoreUids uids,
              const HpStoreWalker *walker, GError **error)
{
    guint n;

    for (guint i = 0; i < uids.n; i += n) {
        n = count_following(&uids, i);
        if (!walk_range(conn, mailbox,
                        &(HpUidRange){ uids.uids[i], uids.uids[i + n - 1] }, walker,
                        error))
            return FALSE;
    }
    return TRUE;
}

gboolean
hp_store_walk_all(HpDbConn *conn, gint64 mailbox, const HpStoreWalker *walker,
                  GError **error)
{
    return walk_range(conn, mailbox, &(HpUidRange){ 1, G_MAXUINT32 }, walker, error);
}

guint
hp_store_run(const GArray *entries, guint from,
             gboolean (*is_alike)(const HpViewEntry *a, const HpViewEntry *b))
{
    const HpViewEntry *first = &g_array_index(entries, HpViewEntry, from);
    guint n = 1;

    while (from + n < entries->len && first[n].uid == first->uid + n &&
           (is_alike == NULL || is_alike(first, first + n)))
        n++;
    return n;
}
