/* Flags and keywords of entries. */
#include "hp-store-private.h"

#define ALL_FLAGS                                                                        \
    (HP_STORE_SEEN | HP_STORE_ANSWERED | HP_STORE_FLAGGED | HP_STORE_DELETED |           \
     HP_STORE_DRAFT)

typedef struct {
    HpStoreTask task;
    gint64 mailbox;
    HpStoreUids uids;
    HpStoreFlagChange *change; /* (unowned) */
    char *keywords;            /* (owned): those of the change */
    gint64 collected_usec; /* of POP3: entries that are not yet collected are now, or 0 */
    HpNews *news;          /* (unowned) (nullable): what changes */
    char *last_text;       /* (owned) (nullable): keywords that an entry had, */
    char *last_result;     /* (owned) (nullable): and what becomes of them */
    HpCounts counts;
    GArray *modified;  /* (owned): guint32 */
    GArray *untold;    /* (owned): guint32 */
    gboolean too_many; /* keywords */
} Marking;

static void
clear_marking(Marking *self)
{
    hp_store_task_clear(&self->task);
    g_free(self->keywords);
    g_free(self->last_text);
    g_free(self->last_result);
    g_array_unref(self->modified);
    g_array_unref(self->untold);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Marking, clear_marking)

static guint32
flags_after(const HpStoreFlagChange *change, guint32 flags)
{
    switch (change->mode) {
    case HP_FLAGS_ADD:
        return flags | (change->flags & ALL_FLAGS);
    case HP_FLAGS_REMOVE:
        return flags & ~change->flags;
    case HP_FLAGS_REPLACE:
    default:
        return change->flags & ALL_FLAGS;
    }
}

/* Neighbours mostly have the same keywords. */
static const char *
keywords_after(Marking *self, const char *text)
{
    if (self->change->mode == HP_FLAGS_REPLACE)
        return self->keywords;
    if (*self->keywords == '\0')
        return text;
    if (g_strcmp0(self->last_text, text) != 0) {
        g_free(self->last_text);
        g_free(self->last_result);
        self->last_text = g_strdup(text);
        self->last_result =
            hp_keywords_change(text, self->keywords, self->change->mode == HP_FLAGS_ADD);
    }
    return self->last_result;
}

static void
consider(const HpViewEntry *entry, const char *text, gint64 collected_usec, gpointer data)
{
    Marking *self = data;
    const char *before = text != NULL ? text : "";
    const char *after = keywords_after(self, before);
    HpViewEntry changed = *entry;

    if (entry->modseq > self->change->unchanged_since) {
        g_array_append_val(self->modified, entry->uid);
        return;
    }
    changed.flags = (guint16)flags_after(self->change, entry->flags);
    if (changed.flags == entry->flags && g_strcmp0(before, after) == 0 &&
        (self->collected_usec == 0 || collected_usec > 0))
        return;
    if (self->change->mode == HP_FLAGS_ADD && g_strcmp0(before, after) != 0 &&
        hp_keywords_count(after) > HP_STORE_MAX_KEYWORDS)
        self->too_many = TRUE;
    hp_counts_add(&self->counts, -1, entry->flags, entry->size);
    hp_counts_add(&self->counts, 1, changed.flags, entry->size);
    hp_news_add(self->news, changed, after);
    if (self->change->told_modseq != 0 && entry->modseq > self->change->told_modseq)
        g_array_append_val(self->untold, entry->uid);
}

static gboolean
is_alike(const HpViewEntry *a, const HpViewEntry *b)
{
    return a->flags == b->flags && a->keywords == b->keywords;
}

/* First time counts. A clock that stood wrong must not let mail fall due at once, so the
 * time is at least that of the arrival. */
static gboolean
update_run(HpDbConn *conn, const Marking *self, guint from, guint n, GError **error)
{
    const HpViewEntry *first = &g_array_index(self->news->entries, HpViewEntry, from);
    const char *text =
        first->keywords != 0 ? self->news->texts->pdata[first->keywords - 1] : NULL;

    if (self->collected_usec != 0 &&
        !hp_db_run(conn, error,
                   "UPDATE entry SET collected_usec = max(?4, saved_usec, 1)"
                   " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND collected_usec = 0",
                   "iiii", self->mailbox, (gint64)first->uid, (gint64)first->uid + n - 1,
                   self->collected_usec))
        return FALSE;
    return hp_db_run(conn, error,
                     "UPDATE entry SET flags = ?4, keywords = ?5, modseq = ?6"
                     " WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3",
                     "iiiisi", self->mailbox, (gint64)first->uid,
                     (gint64)first->uid + n - 1, (gint64)first->flags, text,
                     (gint64)self->news->modseq);
}

static gboolean
mark(HpDbConn *conn, gpointer data, GError **error)
{
    Marking *self = data;
    const GArray *entries;
    gint64 modseq;
    guint n;

    self->news = hp_store_task_add(&self->task, HP_NEWS_CHANGED, self->mailbox, 0);
    entries = self->news->entries;
    if (!hp_store_need_mailbox(conn, self->mailbox, error) ||
        !hp_store_walk(conn, self->mailbox, self->uids,
                       &(HpStoreWalker){ consider, self }, error))
        return FALSE;
    if (self->too_many) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_KEYWORDS,
                    "a message would have more than %d keywords", HP_STORE_MAX_KEYWORDS);
        return FALSE;
    }
    if (entries->len == 0)
        return TRUE;
    if (!hp_store_next_modseq(conn, self->mailbox, &modseq, error))
        return FALSE;
    self->news->modseq = (guint64)modseq;
    for (guint i = 0; i < entries->len; i += n) {
        n = hp_store_run(entries, i, is_alike);
        if (!update_run(conn, self, i, n, error))
            return FALSE;
    }
    return hp_store_count(conn, self->mailbox, &self->counts, error);
}

static gboolean
run(Marking *self, GError **error)
{
    if (!hp_store_write(&self->task, mark, self->uids.n, error))
        return FALSE;
    self->change->ret_modseq = self->news->modseq;
    if (self->modified->len > 0)
        self->change->ret_modified = g_array_ref(self->modified);
    if (self->untold->len > 0)
        self->change->ret_untold = g_array_ref(self->untold);
    return TRUE;
}

static Marking
new_marking(HpStore *self, gint64 mailbox, HpStoreUids uids, HpStoreFlagChange *change)
{
    const char *const none[] = { NULL };

    change->ret_modseq = 0;
    change->ret_modified = NULL;
    change->ret_untold = NULL;
    return (Marking){
        .task = hp_store_task(self),
        .mailbox = mailbox,
        .uids = uids,
        .change = change,
        .keywords = hp_keywords_join(
            self->keywords,
            change->keywords != NULL ? (const char *const *)change->keywords : none),
        .modified = g_array_new(FALSE, FALSE, sizeof(guint32)),
        .untold = g_array_new(FALSE, FALSE, sizeof(guint32)),
    };
}

/* NOLINTBEGIN(readability-function-size): the shape is the header's */
gboolean
hp_store_change_flags(HpStore *self, gint64 mailbox, const guint32 *uids, guint n,
                      HpStoreFlagChange *change, GError **error)
{
    g_auto(Marking) marking =
        new_marking(self, mailbox, (HpStoreUids){ uids, n }, change);

    return n == 0 || run(&marking, error);
}
/* NOLINTEND(readability-function-size) */

gboolean
hp_store_mark_collected(HpStore *self, gint64 mailbox, const guint32 *uids, guint n_uids,
                        GError **error)
{
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };
    g_auto(Marking) marking =
        new_marking(self, mailbox, (HpStoreUids){ uids, n_uids }, &change);

    marking.collected_usec = MAX(hp_clock_now_usec(self->clock, HP_CLOCK_WALL), 1);
    return n_uids == 0 || run(&marking, error);
}
