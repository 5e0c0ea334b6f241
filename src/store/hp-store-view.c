/* What one session has been told of a mailbox, and what it has not. */
#include "hp-store-view.h"

#include "hp-store-view-private.h"

#include <stdlib.h>
#include <string.h>

struct _HpView {
    HpStore *store;   /* (unowned) */
    HpShared *shared; /* (owned): taken */
    HpWaker *waker;   /* (unowned) (nullable) */
    GArray *uids;     /* (owned): guint32; seq is the index + 1 */
    GArray *held;     /* (owned): guint32, ascending: gone, and not told */
    GArray *changed;  /* (owned): guint32, ascending: changed, and not told */
    guint32 uidvalidity;
    guint32 uidnext;
    guint64 told_modseq;    /* hp_view_highestmodseq() */
    guint64 changes_modseq; /* hp_view_changes_modseq() */
    guint64 seen_modseq;    /* of the shared entries when they were last looked at */
    guint64 log_position;   /* up to which their log was read */
    gboolean has_grown;     /* and not told */
    gboolean holds_growth;
};

static void
append_new(HpView *self)
{
    const HpShared *shared = self->shared;
    guint32 last = self->uids->len == 0
                       ? 0
                       : g_array_index(self->uids, guint32, self->uids->len - 1);

    for (guint i = hp_shared_find(shared, last + 1, shared->entries->len);
         i < shared->entries->len; i++)
        g_array_append_val(self->uids,
                           g_array_index(shared->entries, HpViewEntry, i).uid);
}

static void
take_first_look(HpView *self)
{
    HpShared *shared = self->shared;
    HP_LOCKED(&shared->lock);

    self->uids = g_array_sized_new(FALSE, FALSE, sizeof(guint32), shared->entries->len);
    append_new(self);
    self->uidvalidity = shared->uidvalidity;
    self->uidnext = shared->uidnext;
    self->seen_modseq = shared->highestmodseq;
    self->told_modseq = shared->highestmodseq;
    self->changes_modseq = shared->highestmodseq;
    self->log_position = shared->log_start + shared->log->len;
    if (self->waker != NULL)
        g_ptr_array_add(shared->wakers, self->waker);
}

HpView *
hp_view_open(HpStore *store, gint64 mailbox, HpWaker *waker, GError **error)
{
    HpShared *shared = hp_shared_take(store, mailbox, error);
    HpView *self;

    if (shared == NULL)
        return NULL;
    self = g_new0(HpView, 1);
    self->store = store;
    self->shared = shared;
    self->waker = waker;
    self->held = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->changed = g_array_new(FALSE, FALSE, sizeof(guint32));
    take_first_look(self);
    return self;
}

static void
take_waker_out(HpView *self)
{
    HP_LOCKED(&self->shared->lock);

    if (self->waker != NULL)
        g_ptr_array_remove_fast(self->shared->wakers, self->waker);
}

void
hp_view_close(HpView *self)
{
    take_waker_out(self);
    hp_shared_give_back(self->store->views, self->shared);
    g_array_unref(self->changed);
    g_array_unref(self->held);
    g_array_unref(self->uids);
    g_free(self);
}

gint64
hp_view_mailbox(const HpView *self)
{
    return self->shared->mailbox;
}

guint32
hp_view_uidvalidity(const HpView *self)
{
    return self->uidvalidity;
}

guint32
hp_view_uidnext(HpView *self)
{
    return self->uidnext;
}

guint64
hp_view_highestmodseq(HpView *self)
{
    return self->told_modseq;
}

guint64
hp_view_changes_modseq(const HpView *self)
{
    return self->changes_modseq;
}

gboolean
hp_view_ended(HpView *self)
{
    HP_LOCKED(&self->shared->lock);

    return self->shared->is_ended;
}

guint32
hp_view_len(const HpView *self)
{
    return self->uids->len;
}

guint32
hp_view_uid(const HpView *self, guint32 seq)
{
    g_assert(seq >= 1 && seq <= self->uids->len);
    return g_array_index(self->uids, guint32, seq - 1);
}

/* Index of the first of @uids that is at least @uid. */
static guint
find_uid(const GArray *uids, guint32 uid)
{
    guint low = 0, high = uids->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(uids, guint32, middle) < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static gboolean
has_uid(const GArray *uids, guint32 uid)
{
    guint i = find_uid(uids, uid);

    return i < uids->len && g_array_index(uids, guint32, i) == uid;
}

guint32
hp_view_seq_from(const HpView *self, guint32 uid)
{
    return find_uid(self->uids, uid) + 1;
}

guint32
hp_view_seq(const HpView *self, guint32 uid)
{
    return has_uid(self->uids, uid) ? find_uid(self->uids, uid) + 1 : 0;
}

gboolean
hp_view_get(HpView *self, guint32 seq, HpViewEntry *ret_entry)
{
    guint32 uid = hp_view_uid(self, seq);
    HP_LOCKED(&self->shared->lock);
    const HpViewEntry *entry = hp_shared_get(self->shared, uid, seq - 1);

    if (entry != NULL)
        *ret_entry = *entry;
    return entry != NULL;
}

const char *
hp_view_keywords(HpView *self, guint32 keywords)
{
    return hp_keywords_text(self->store->keywords, keywords);
}

static void
insert_uid(GArray *uids, guint32 uid)
{
    if (!has_uid(uids, uid))
        g_array_insert_val(uids, find_uid(uids, uid), uid);
}

/* The numbers that occur. */
static GHashTable *
numbers_in_use(HpView *self)
{
    GHashTable *numbers = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, NULL);
    HP_LOCKED(&self->shared->lock);
    guint32 last = 0;

    for (guint i = 0; i < self->shared->entries->len; i++) {
        guint32 number = g_array_index(self->shared->entries, HpViewEntry, i).keywords;

        if (number != last && number != 0)
            g_hash_table_add(numbers, g_memdup2(&number, sizeof number));
        last = number;
    }
    return numbers;
}

GStrv
hp_view_all_keywords(HpView *self)
{
    g_autoptr(GHashTable) numbers = numbers_in_use(self);

    return hp_keywords_names(self->store->keywords, numbers);
}

/* @seq is one that the session knows. */
static void
note(HpView *self, guint32 uid, const HpViewEntry *entry)
{
    if (entry == NULL)
        insert_uid(self->held, uid);
    else if (entry->modseq > self->seen_modseq)
        insert_uid(self->changed, uid);
}

static int
compare_uids(const void *a, const void *b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

    return (x > y) - (x < y);
}

/* The log tells which to look at; it may name one several times. */
static void
look_at_logged(HpView *self)
{
    const HpShared *shared = self->shared;
    guint from = (guint)(self->log_position - shared->log_start);
    guint n = shared->log->len - from;
    g_autofree guint32 *uids = g_new(guint32, n + 1);

    for (guint i = 0; i < n; i++)
        uids[i] = g_array_index(shared->log, guint32, from + i);
    qsort(uids, n, sizeof *uids, compare_uids);
    for (guint i = 0; i < n; i++)
        if (has_uid(self->uids, uids[i]))
            note(self, uids[i],
                 hp_shared_get(shared, uids[i], find_uid(self->uids, uids[i])));
}

/* Both are in order, so this is one walk. All are compared anew. */
static void
look_at_all(HpView *self)
{
    const HpShared *shared = self->shared;
    guint at = 0;

    g_array_set_size(self->held, 0);
    for (guint i = 0; i < self->uids->len; i++) {
        guint32 uid = g_array_index(self->uids, guint32, i);
        const HpViewEntry *entry;

        while (at < shared->entries->len &&
               g_array_index(shared->entries, HpViewEntry, at).uid < uid)
            at++;
        entry = at < shared->entries->len
                    ? &g_array_index(shared->entries, HpViewEntry, at)
                    : NULL;
        if (entry == NULL || entry->uid != uid)
            g_array_append_val(self->held, uid);
        else
            note(self, uid, entry);
    }
}

/* Finds out what has happened since the last look; tells nothing yet. */
static void
look(HpView *self)
{
    HpShared *shared = self->shared;
    HP_LOCKED(&shared->lock);

    if (self->seen_modseq == shared->highestmodseq)
        return;
    if (self->log_position < shared->log_start)
        look_at_all(self);
    else
        look_at_logged(self);
    self->has_grown = shared->uidnext > self->uidnext && shared->entries->len > 0 &&
                      hp_shared_find(shared, self->uidnext, shared->entries->len) <
                          shared->entries->len;
    self->seen_modseq = shared->highestmodseq;
    self->log_position = shared->log_start + shared->log->len;
}

void
hp_view_hold_growth(HpView *self, gboolean hold)
{
    self->holds_growth = hold;
}

gboolean
hp_view_has_news(HpView *self, gboolean may_expunge)
{
    look(self);
    return (self->has_grown && !self->holds_growth) || self->changed->len > 0 ||
           (may_expunge && self->held->len > 0);
}

/* Takes the held uids out of the numbering; what vanishes was not changed. */
static void
tell_expunged(HpView *self, GArray *news)
{
    guint32 *uids = (guint32 *)(void *)self->uids->data;
    guint kept = 0, gone = 0;

    for (guint i = 0; i < self->uids->len; i++) {
        if (gone < self->held->len &&
            g_array_index(self->held, guint32, gone) == uids[i]) {
            HpViewNews one = { HP_VIEW_EXPUNGED, i + 1 - gone, uids[i], 0 };

            g_array_append_val(news, one);
            gone++;
        } else {
            uids[kept++] = uids[i];
        }
    }
    g_array_set_size(self->uids, kept);
    g_array_set_size(self->held, 0);
}

static void
tell_changed(HpView *self, GArray *news)
{
    for (guint i = 0; i < self->changed->len; i++) {
        guint32 uid = g_array_index(self->changed, guint32, i);
        guint32 seq = hp_view_seq(self, uid);
        const HpViewEntry *entry = hp_shared_get(self->shared, uid, seq - 1);

        if (seq != 0 && entry != NULL) {
            HpViewNews one = { HP_VIEW_CHANGED, seq, uid, entry->modseq };

            g_array_append_val(news, one);
        }
    }
    g_array_set_size(self->changed, 0);
}

static void
tell_grown(HpView *self, GArray *news)
{
    guint before = self->uids->len;
    HpViewNews one = { .kind = HP_VIEW_GROWN };

    append_new(self);
    self->has_grown = FALSE;
    self->uidnext = self->shared->uidnext;
    if (self->uids->len == before)
        return;
    one.seq = self->uids->len;
    one.uid = g_array_index(self->uids, guint32, self->uids->len - 1);
    g_array_append_val(news, one);
}

GArray *
hp_view_sync(HpView *self, gboolean may_expunge)
{
    GArray *news = g_array_new(FALSE, FALSE, sizeof(HpViewNews));

    look(self);
    if (may_expunge && self->held->len > 0)
        tell_expunged(self, news);
    {
        HP_LOCKED(&self->shared->lock);

        if (!self->holds_growth)
            tell_grown(self, news);
        tell_changed(self, news);
    }
    self->changes_modseq = self->seen_modseq;
    if (self->held->len == 0 && !self->has_grown)
        self->told_modseq = self->seen_modseq;
    return news;
}
