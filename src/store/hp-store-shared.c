#include "hp-store-view-private.h"

#define LOG_MAX        1024   /* uids; who is further behind compares all */
#define REST_ENTRIES   131072 /* (5 MiB) of all that stays for a next selection */
#define REST_MAILBOXES 64

struct _HpViews {
    HpLock lock;
    GHashTable *by_mailbox; /* (owned): HpShared (owned), guarded by lock */
    GQueue resting;         /* HpShared (unowned), the longest first, guarded by lock */
};

static HpNews *
copy_news(const HpNews *news)
{
    HpNews *copy = g_new0(HpNews, 1);

    *copy = *news;
    copy->entries = g_array_ref(news->entries);
    copy->texts = g_ptr_array_ref(news->texts);
    return copy;
}

static void
free_news(gpointer data)
{
    HpNews *news = data;

    g_array_unref(news->entries);
    g_ptr_array_unref(news->texts);
    g_free(news);
}

static HpShared *
new_shared(gint64 mailbox)
{
    HpShared *self = g_new0(HpShared, 1);

    self->mailbox = mailbox;
    hp_lock_init(&self->lock);
    hp_cond_init(&self->loaded);
    self->entries = g_array_new(FALSE, FALSE, sizeof(HpViewEntry));
    self->waiting = g_ptr_array_new_with_free_func(free_news);
    self->wakers = g_ptr_array_new();
    self->log = g_array_new(FALSE, FALSE, sizeof(guint32));
    return self;
}

static void
free_shared(gpointer data)
{
    HpShared *self = data;

    g_array_unref(self->log);
    g_ptr_array_unref(self->wakers);
    g_ptr_array_unref(self->waiting);
    g_array_unref(self->entries);
    hp_cond_clear(&self->loaded);
    hp_lock_clear(&self->lock);
    g_free(self);
}

HpViews *
hp_views_new(void)
{
    HpViews *self = g_new0(HpViews, 1);

    hp_lock_init(&self->lock);
    self->by_mailbox = g_hash_table_new(g_int64_hash, g_int64_equal);
    return self;
}

void
hp_views_free(HpViews *self)
{
    hp_views_rest(self);
    g_assert(g_hash_table_size(self->by_mailbox) == 0); /* all views are closed */
    g_hash_table_unref(self->by_mailbox);
    hp_lock_clear(&self->lock);
    g_free(self);
}

/* With the lock held: it has no users, and is not resting. */
static void
forget(HpViews *self, HpShared *shared)
{
    g_hash_table_remove(self->by_mailbox, &shared->mailbox);
    free_shared(shared);
}

void
hp_views_rest(HpViews *self)
{
    HP_LOCKED(&self->lock);

    while (!g_queue_is_empty(&self->resting))
        forget(self, g_queue_pop_head(&self->resting));
}

guint
hp_shared_find(const HpShared *self, guint32 uid, guint hint)
{
    const HpViewEntry *entries = (const HpViewEntry *)(void *)self->entries->data;
    guint low = 0, high = self->entries->len;

    if (hint < high && entries[hint].uid == uid)
        return hint;
    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (entries[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

HpViewEntry *
hp_shared_get(const HpShared *self, guint32 uid, guint hint)
{
    guint i = hp_shared_find(self, uid, hint);

    if (i == self->entries->len ||
        g_array_index(self->entries, HpViewEntry, i).uid != uid)
        return NULL;
    return &g_array_index(self->entries, HpViewEntry, i);
}

/* Many at once are not logged one by one: comparing all is cheaper then. */
static void
log_uids(HpShared *self, const GArray *entries)
{
    if (self->log->len + entries->len > LOG_MAX) {
        self->log_start += self->log->len;
        g_array_set_size(self->log, 0);
    }
    if (entries->len > LOG_MAX / 2) {
        self->log_start += entries->len;
        return;
    }
    for (guint i = 0; i < entries->len; i++)
        g_array_append_val(self->log, g_array_index(entries, HpViewEntry, i).uid);
}

static void
apply_added(HpShared *self, const HpNews *news, const guint32 *numbers)
{
    for (guint i = 0; i < news->entries->len; i++) {
        HpViewEntry entry = g_array_index(news->entries, HpViewEntry, i);

        entry.keywords = numbers[entry.keywords];
        self->uidnext = entry.uid + 1;
        g_array_append_val(self->entries, entry);
    }
}

static void
apply_changed(HpShared *self, const HpNews *news, const guint32 *numbers)
{
    guint at = 0;

    for (guint i = 0; i < news->entries->len; i++) {
        const HpViewEntry *change = &g_array_index(news->entries, HpViewEntry, i);
        HpViewEntry *entry;

        at = hp_shared_find(self, change->uid, at);
        if (at == self->entries->len)
            break;
        entry = &g_array_index(self->entries, HpViewEntry, at);
        if (entry->uid != change->uid)
            continue;
        entry->flags = change->flags;
        entry->keywords = numbers[change->keywords];
        entry->modseq = news->modseq;
        at++;
    }
    log_uids(self, news->entries);
}

static void
apply_gone(HpShared *self, const HpNews *news)
{
    HpViewEntry *entries = (HpViewEntry *)(void *)self->entries->data;
    guint from = 0, kept, gone = 0;

    if (news->entries->len > 0)
        from = hp_shared_find(self, g_array_index(news->entries, HpViewEntry, 0).uid, 0);
    kept = from;
    for (guint i = from; i < self->entries->len; i++) {
        while (gone < news->entries->len &&
               g_array_index(news->entries, HpViewEntry, gone).uid < entries[i].uid)
            gone++;
        if (gone == news->entries->len ||
            g_array_index(news->entries, HpViewEntry, gone).uid != entries[i].uid)
            entries[kept++] = entries[i];
    }
    g_array_set_size(self->entries, kept);
    log_uids(self, news->entries);
}

/* With the lock held. What was in the database already when it was read has no higher
 * modseq than the mailbox had then. */
static void
apply(HpShared *self, const HpNews *news, HpKeywords *keywords)
{
    g_autofree guint32 *numbers = g_new0(guint32, news->texts->len + 1);

    if (news->kind == HP_NEWS_ENDED)
        self->is_ended = TRUE;
    if (news->kind == HP_NEWS_ENDED || news->modseq <= self->highestmodseq)
        return;
    for (guint i = 0; i < news->texts->len; i++)
        numbers[i + 1] = hp_keywords_number(keywords, news->texts->pdata[i]);
    if (news->kind == HP_NEWS_ADDED)
        apply_added(self, news, numbers);
    else if (news->kind == HP_NEWS_CHANGED)
        apply_changed(self, news, numbers);
    else
        apply_gone(self, news);
    self->highestmodseq = news->modseq;
}

static void
receive(HpShared *self, const HpNews *news, HpKeywords *keywords)
{
    HP_LOCKED(&self->lock);

    if (!self->is_loaded) {
        g_ptr_array_add(self->waiting, copy_news(news));
        return;
    }
    apply(self, news, keywords);
    for (guint i = 0; i < self->wakers->len; i++)
        hp_waker_ring(self->wakers->pdata[i]);
}

/* With the lock held. */
static HpShared *
use_existing(HpViews *self, gint64 mailbox)
{
    HpShared *shared = g_hash_table_lookup(self->by_mailbox, &mailbox);

    if (shared != NULL && shared->users++ == 0)
        g_queue_remove(&self->resting, shared);
    return shared;
}

static HpShared *
use_if_there(HpViews *self, gint64 mailbox)
{
    HP_LOCKED(&self->lock);

    return use_existing(self, mailbox);
}

void
hp_views_publish(HpViews *self, HpKeywords *keywords, const HpNews *news)
{
    HpShared *shared = use_if_there(self, news->mailbox);

    if (shared == NULL)
        return;
    receive(shared, news, keywords);
    hp_shared_give_back(self, shared);
}

/* May it stay without users? */
static gboolean
is_worth_keeping(HpShared *self)
{
    HP_LOCKED(&self->lock);

    return self->is_loaded && !self->is_broken && !self->is_ended &&
           self->entries->len <= REST_ENTRIES;
}

/* With the lock held: without users, its entries do not change. */
static guint
count_resting(HpViews *self)
{
    guint entries = 0;

    for (GList *l = self->resting.head; l != NULL; l = l->next)
        entries += ((HpShared *)l->data)->entries->len;
    return entries;
}

void
hp_shared_give_back(HpViews *views, HpShared *self)
{
    gboolean keep = is_worth_keeping(self);
    HP_LOCKED(&views->lock);

    if (--self->users > 0)
        return;
    if (!keep) {
        forget(views, self);
        return;
    }
    g_queue_push_tail(&views->resting, self);
    while (views->resting.length > REST_MAILBOXES || count_resting(views) > REST_ENTRIES)
        forget(views, g_queue_pop_head(&views->resting));
}

/* @ret_new: the caller must load it. */
static HpShared *
use(HpViews *self, gint64 mailbox, gboolean *ret_new)
{
    HP_LOCKED(&self->lock);
    HpShared *shared = use_existing(self, mailbox);

    *ret_new = shared == NULL;
    if (shared == NULL) {
        shared = new_shared(mailbox);
        shared->users = 1;
        g_hash_table_insert(self->by_mailbox, &shared->mailbox, shared);
    }
    return shared;
}

/* A mailbox as it is read from the database. */
typedef struct {
    guint32 uidvalidity;
    guint32 uidnext;
    guint64 highestmodseq;
    GArray *entries; /* (owned) */
} Loaded;

static gboolean
load_row(HpDbConn *conn, gint64 mailbox, Loaded *loaded, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "SELECT uidvalidity, uidnext, highestmodseq, messages FROM mailbox"
                    " WHERE id = ?1",
                    "i", mailbox);
    g_autoptr(GError) failure = NULL;

    if (!hp_db_step(stmt, &failure)) {
        if (failure == NULL)
            g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                        "there is no such mailbox");
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    }
    loaded->uidvalidity = (guint32)hp_db_int(stmt, 0);
    loaded->uidnext = (guint32)hp_db_int(stmt, 1);
    loaded->highestmodseq = (guint64)hp_db_int(stmt, 2);
    loaded->entries = g_array_sized_new(FALSE, FALSE, sizeof(HpViewEntry),
                                        (guint)CLAMP(hp_db_int(stmt, 3), 0, 1 << 24));
    hp_db_reset(stmt);
    return TRUE;
}

static gboolean
load_entries(HpDbConn *conn, gint64 mailbox, HpKeywords *keywords, Loaded *loaded,
             GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT " HP_ENTRY_COLUMNS " FROM entry WHERE mailbox = ?1 ORDER BY uid",
        "i", mailbox);
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        HpViewEntry entry = hp_store_read_entry(stmt);
        const char *text = hp_db_text(stmt, HP_ENTRY_KEYWORDS);

        if (text != NULL)
            entry.keywords = hp_keywords_number(keywords, text);
        g_array_append_val(loaded->entries, entry);
    }
    return failure == NULL || hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

/* One lease for all of it, as in hp_store_snapshot(): the moment must be one. */
static gboolean
load(HpStore *store, gint64 mailbox, Loaded *loaded, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(store->db);
    g_autoptr(GError) failure = NULL;

    if (!hp_db_begin_snapshot(conn, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return load_row(conn, mailbox, loaded, error) &&
           load_entries(conn, mailbox, store->keywords, loaded, error);
}

/* Takes what was read, and what was published while it was being read. */
static void
install(HpShared *self, Loaded *loaded, gboolean ok, HpKeywords *keywords)
{
    HP_LOCKED(&self->lock);

    self->is_loaded = TRUE;
    self->is_broken = !ok;
    if (ok) {
        g_array_unref(self->entries);
        self->entries = g_steal_pointer(&loaded->entries);
        self->uidvalidity = loaded->uidvalidity;
        self->uidnext = loaded->uidnext;
        self->highestmodseq = loaded->highestmodseq;
        for (guint i = 0; i < self->waiting->len; i++)
            apply(self, self->waiting->pdata[i], keywords);
    }
    g_ptr_array_set_size(self->waiting, 0);
    hp_cond_broadcast(&self->loaded);
}

static gboolean
wait_until_loaded(HpShared *self, GError **error)
{
    HP_LOCKED(&self->lock);

    while (!self->is_loaded)
        hp_cond_wait_until(&self->loaded, &self->lock, -1);
    if (!self->is_broken && !self->is_ended)
        return TRUE;
    g_set_error(error, HP_STORE_ERROR,
                self->is_broken ? HP_STORE_ERROR_FAILED : HP_STORE_ERROR_NOT_FOUND,
                self->is_broken ? "the mailbox cannot be read"
                                : "there is no such mailbox");
    return FALSE;
}

HpShared *
hp_shared_take(HpStore *store, gint64 mailbox, GError **error)
{
    gboolean is_new, ok;
    HpShared *self = use(store->views, mailbox, &is_new);

    if (is_new) {
        Loaded loaded = { 0 };

        ok = load(store, mailbox, &loaded, error);
        install(self, &loaded, ok, store->keywords);
        g_clear_pointer(&loaded.entries, g_array_unref);
    } else {
        ok = wait_until_loaded(self, error);
    }
    if (ok)
        return self;
    hp_shared_give_back(store->views, self);
    return NULL;
}
