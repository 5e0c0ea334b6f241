#include "hp-outbox-mirror.h"

#include "hp-charset.h"
#include "hp-header.h"
#include "hp-lock.h"
#include "hp-log.h"
#include "hp-store-messages.h"
#include "hp-text.h"
#include "hp-thread.h"

#include <glib/gi18n.h>

/* What is delivered at once is never shown, and a burst is one look. */
#define PAUSE_USEC ((gint64)1500 * 1000)

#define DIGEST_FIELD "X-Hauspost-Digest"
#define ID_FIELD     "X-Hauspost-Id"
#define MAX_FIELD    1000 /* characters of a text in the header block */

/* A message as it stands in the mailbox now. */
typedef struct {
    guint32 uid;
    char *digest; /* (owned): of its header block */
} Shown;

struct _HpOutboxMirror {
    HpQueue *queue; /* (unowned) */
    HpStore *store; /* (unowned) */
    gint64 mailbox;
    HpThread *thread; /* (owned) */
    HpLock lock;
    HpCond cond;
    /* guarded by lock */
    gboolean stop;
    gboolean dirty;
    gboolean showing;  /* the store may be ahead of @shown and @uids */
    GHashTable *shown; /* (owned): id (owned) to Shown (owned) */
    /* (owned): uid (owned) to id (owned): also those that have been replaced, as long as
     * their message is under way: a session may not have heard of it yet. */
    GHashTable *uids;
};

static void
free_shown(gpointer data)
{
    Shown *shown = data;

    g_free(shown->digest);
    g_free(shown);
}

/* ---- the header block ----------------------------------------------------------------
 */

static const char *
text_of(GVariant *dictionary, const char *key)
{
    const char *text = NULL;

    g_variant_lookup(dictionary, key, "&s", &text);
    return text != NULL ? text : "";
}

static void
add_field(GString *out, const char *name, const char *utf8)
{
    g_autofree char *shown = hp_text_printable(hp_slice_of(utf8), MAX_FIELD);
    g_autofree char *words =
        hp_charset_encode_words(shown, (guint)strlen(name) + 2 /* ": " */);

    g_string_append_printf(out, "%s: %s\r\n", name, words);
}

/* "you@example.org; waiting; 451 4.7.1; Greylisted" */
static void
add_recipient(GString *out, GVariant *recipient)
{
    const char *code = text_of(recipient, "code");
    const char *reply = text_of(recipient, "reply");
    g_autofree char *text = g_strdup_printf(
        "%s; %s%s%s%s%s", text_of(recipient, "address"), text_of(recipient, "state"),
        *code != '\0' ? "; " : "", code, *reply != '\0' ? "; " : "", reply);

    add_field(out, "X-Hauspost-Recipient", text);
}

/* In the order of the recipients, each text once. */
static void
add_explanations(GString *out, GVariant *recipients)
{
    g_autoptr(GHashTable) said =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(recipients, i);
        const char *explanation = text_of(row, "explanation");
        g_autofree char *whole =
            g_strjoin(" ", explanation, text_of(row, "advice"), NULL);

        if (*explanation != '\0' && g_hash_table_add(said, g_strdup(explanation)))
            add_field(out, "X-Hauspost-Explanation", whole);
    }
}

/* (transfer full): the states of the recipients, each once. */
static GPtrArray *
states_of(GVariant *recipients)
{
    GPtrArray *states = g_ptr_array_new_with_free_func(g_free);

    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(recipients, i);
        const char *state = text_of(row, "state");

        if (!g_ptr_array_find_with_equal_func(states, state, g_str_equal, NULL))
            g_ptr_array_add(states, g_strdup(state));
    }
    g_ptr_array_add(states, NULL);
    return states;
}

/* Everything but the digest; (transfer full). */
static GString *
describe(GVariant *message, GVariant *recipients, const GPtrArray *states)
{
    GString *out = g_string_new(NULL);
    g_autofree char *all = g_strjoinv(", ", (char **)states->pdata);

    add_field(out, ID_FIELD, text_of(message, "id"));
    add_field(out, "X-Hauspost-State", all);
    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(recipients, i);

        add_recipient(out, row);
    }
    add_explanations(out, recipients);
    return out;
}

/* ---- showing -------------------------------------------------------------------------
 */

static void
note_shown(HpOutboxMirror *self, const char *id, guint32 uid, const char *digest)
{
    Shown *shown = g_new0(Shown, 1);

    shown->uid = uid;
    shown->digest = g_strdup(digest);
    HP_LOCKED(&self->lock);
    g_hash_table_replace(self->shown, g_strdup(id), shown);
    g_hash_table_replace(self->uids, g_memdup2(&uid, sizeof uid), g_strdup(id));
}

static void
set_showing(HpOutboxMirror *self, gboolean showing)
{
    HP_LOCKED(&self->lock);

    self->showing = showing;
    hp_cond_broadcast(&self->cond);
}

/* A message as it shall be shown. */
typedef struct {
    const char *id;     /* (unowned) */
    const char *digest; /* (unowned) */
    HpSlice block;      /* header lines to go before it */
    GStrv keywords;     /* (unowned) */
} Picture;

/* 0 if it is not shown, or if @digest (nullable) is another one. */
static guint32
shown_uid(HpOutboxMirror *self, const char *id, const char *digest)
{
    HP_LOCKED(&self->lock);
    const Shown *shown = g_hash_table_lookup(self->shown, id);

    return shown != NULL && (digest == NULL || g_str_equal(shown->digest, digest))
               ? shown->uid
               : 0;
}

static GStrv
keywords_of(const GPtrArray *states)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; states->pdata[i] != NULL; i++) {
        g_autofree char *keyword = g_strconcat("$", states->pdata[i], NULL);

        g_strv_builder_add(builder, keyword);
    }
    return g_strv_builder_end(builder);
}

static HpContentDraft *
write_entry(HpOutboxMirror *self, HpSlice block, GBytes *message, GError **error)
{
    g_autoptr(HpContentDraft) draft = hp_store_draft(self->store);
    gsize size;
    const char *bytes = g_bytes_get_data(message, &size);

    if (!hp_content_draft_append(draft, block, error) ||
        !hp_content_draft_append(draft, (HpSlice){ bytes, size }, error) ||
        !hp_content_draft_finish(draft, error))
        return NULL;
    return g_steal_pointer(&draft);
}

/* In one step in the place of uid @old, which is 0 if it is not shown yet. */
static gboolean
put(HpOutboxMirror *self, guint32 old, HpStoreAppend *append, guint32 *ret_uid,
    GError **error)
{
    HpStoreReplacing what = { self->mailbox, old, self->mailbox };
    g_autoptr(GArray) uids = NULL;
    g_autoptr(GError) failure = NULL;

    if (old != 0 && hp_store_replace(self->store, &what, append, ret_uid, &failure))
        return TRUE;
    if (failure != NULL &&
        !g_error_matches(failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!hp_store_append(self->store, self->mailbox, append, 1, &uids, error))
        return FALSE;
    *ret_uid = g_array_index(uids, guint32, 0);
    return TRUE;
}

/* Who asks for a uid meanwhile waits until all are known. */
static gboolean
put_and_note(HpOutboxMirror *self, HpContentDraft *draft, const Picture *picture,
             GError **error)
{
    HpStoreAppend append = { .draft = draft,
                             .flags = HP_STORE_SEEN,
                             .keywords = picture->keywords };
    guint32 uid;
    gboolean ok;

    set_showing(self, TRUE);
    ok = put(self, shown_uid(self, picture->id, NULL), &append, &uid, error);
    if (ok)
        note_shown(self, picture->id, uid, picture->digest);
    set_showing(self, FALSE);
    return ok;
}

static gboolean
show(HpOutboxMirror *self, const Picture *picture, GError **error)
{
    g_autoptr(GBytes) message = hp_queue_export(self->queue, picture->id, NULL);
    g_autoptr(HpContentDraft) draft = NULL;

    if (message == NULL)
        return TRUE; /* it has gone meanwhile */
    draft = write_entry(self, picture->block, message, error);
    return draft != NULL && put_and_note(self, draft, picture, error);
}

static gboolean
show_message(HpOutboxMirror *self, GVariant *message, GError **error)
{
    g_autoptr(GVariant) recipients =
        g_variant_lookup_value(message, "recipients", G_VARIANT_TYPE("aa{sv}"));
    g_autoptr(GPtrArray) states = states_of(recipients);
    g_autoptr(GString) block = describe(message, recipients, states);
    g_autofree char *digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, block->str, (gssize)block->len);
    const char *id = text_of(message, "id");
    g_auto(GStrv) keywords = keywords_of(states);

    if (shown_uid(self, id, digest) != 0)
        return TRUE;
    add_field(block, DIGEST_FIELD, digest);
    return show(self, &(Picture){ id, digest, hp_slice_of_string(block), keywords },
                error);
}

static int
compare_uids(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

    return x < y ? -1 : x > y;
}

/* Ids of what is shown and not in @listed, and its @uids: (transfer full). */
static GPtrArray *
list_others(HpOutboxMirror *self, GHashTable *listed, GArray *uids)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    HP_LOCKED(&self->lock);
    GHashTableIter iter;
    gpointer id, shown;

    g_hash_table_iter_init(&iter, self->shown);
    while (g_hash_table_iter_next(&iter, &id, &shown)) {
        if (g_hash_table_contains(listed, id))
            continue;
        g_array_append_val(uids, ((Shown *)shown)->uid);
        g_ptr_array_add(ids, g_strdup(id));
    }
    return ids;
}

/* Delivered, cancelled or forgotten since it was shown; not if that cannot be read. */
static gboolean
is_finished(HpOutboxMirror *self, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) message = hp_queue_show(self->queue, id, &error);

    if (message == NULL)
        return g_error_matches(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND);
    g_variant_ref_sink(message);
    return *text_of(message, "finished") != '\0';
}

static gboolean
has_id(gpointer uid, gpointer id, gpointer other)
{
    return g_str_equal(id, other);
}

static void
forget(HpOutboxMirror *self, char *id)
{
    gboolean finished = is_finished(self, id); /* or there are too many to be shown */
    HP_LOCKED(&self->lock);

    g_hash_table_remove(self->shown, id);
    if (finished)
        g_hash_table_foreach_remove(self->uids, has_id, id);
}

/* Expunges what is shown and not in @listed. */
static gboolean
hide_others(HpOutboxMirror *self, GHashTable *listed, GError **error)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GPtrArray) ids = list_others(self, listed, uids);

    g_array_sort(uids, compare_uids);
    if (!hp_store_expunge(self->store, self->mailbox, (const guint32 *)uids->data,
                          uids->len, error))
        return FALSE;
    for (guint i = 0; i < ids->len; i++)
        forget(self, ids->pdata[i]);
    return TRUE;
}

static gboolean
look(HpOutboxMirror *self, GError **error)
{
    g_autoptr(GVariant) list = NULL;
    g_autoptr(GHashTable) listed =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GVariantDict filter;

    g_variant_dict_init(&filter, NULL);
    g_variant_dict_insert(&filter, "limit", "u", (guint32)HP_OUTBOX_MAX);
    list = hp_queue_list(self->queue, g_variant_dict_end(&filter), error);
    if (list == NULL)
        return FALSE;
    g_variant_ref_sink(list);
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) message = g_variant_get_child_value(list, i);

        if (!show_message(self, message, error))
            return FALSE;
        g_hash_table_add(listed, g_strdup(text_of(message, "id")));
    }
    return hide_others(self, listed, error);
}

/* ---- what is there at the start ------------------------------------------------------
 */

static char *
field_of(HpSlice header, const char *name)
{
    HpHeaderField field;

    return hp_header_find(header, name, &field) ? hp_header_text(field.body, MAX_FIELD)
                                                : g_strdup("");
}

/* Of two entries of one message, which a crash may leave, the newer one counts. */
static void
recover_entry(HpOutboxMirror *self, const HpStoreEntry *entry, GArray *strays)
{
    g_autoptr(GBytes) header = hp_store_header(self->store, entry->content, NULL);
    gsize len = 0;
    const char *bytes = header != NULL ? g_bytes_get_data(header, &len) : NULL;
    g_autofree char *id = field_of((HpSlice){ bytes, len }, ID_FIELD);
    g_autofree char *digest = field_of((HpSlice){ bytes, len }, DIGEST_FIELD);
    guint32 older = shown_uid(self, id, NULL);

    if (*id == '\0')
        g_array_append_val(strays, entry->uid);
    else
        note_shown(self, id, entry->uid, digest);
    if (older != 0)
        g_array_append_val(strays, older);
}

static gboolean
recover(HpOutboxMirror *self, GError **error)
{
    g_autoptr(HpStoreSnapshot) there =
        hp_store_snapshot(self->store, self->mailbox, error);
    g_autoptr(GArray) strays = g_array_new(FALSE, FALSE, sizeof(guint32));

    if (there == NULL)
        return FALSE;
    for (guint i = 0; i < there->entries->len; i++)
        recover_entry(self, &g_array_index(there->entries, HpStoreEntry, i), strays);
    g_array_sort(strays, compare_uids);
    return hp_store_expunge(self->store, self->mailbox, (const guint32 *)strays->data,
                            strays->len, error);
}

static gboolean
find_mailbox(HpOutboxMirror *self, GError **error)
{
    g_autoptr(GPtrArray) all = hp_store_list(self->store, error);

    for (guint i = 0; all != NULL && i < all->len; i++) {
        const HpStoreMailbox *mailbox = all->pdata[i];

        if (g_strcmp0(mailbox->special_use, HP_STORE_OUTBOX_USE) == 0)
            self->mailbox = mailbox->id;
    }
    if (all == NULL || self->mailbox != 0)
        return all != NULL;
    /* Thunderbird shows only what is subscribed. */
    return hp_store_create(self->store, "Outbox", HP_STORE_OUTBOX_USE, &self->mailbox,
                           error) &&
           hp_store_set_subscribed(self->store, "Outbox", TRUE, error);
}

/* ---- the thread ----------------------------------------------------------------------
 */

/* Waits for a change and then a moment more; %FALSE: the end has come. */
static gboolean
wait_for_change(HpOutboxMirror *self)
{
    gint64 deadline;

    HP_LOCKED(&self->lock);
    while (!self->stop && !self->dirty)
        hp_cond_wait_until(&self->cond, &self->lock, -1);
    deadline = g_get_monotonic_time() + PAUSE_USEC;
    while (!self->stop && g_get_monotonic_time() < deadline)
        hp_cond_wait_until(&self->cond, &self->lock, deadline);
    self->dirty = FALSE;
    return !self->stop;
}

static void
run(gpointer mirror)
{
    HpOutboxMirror *self = mirror;
    g_autoptr(GError) failure = NULL;

    if (!recover(self, &failure))
        hp_log("outbox", NULL, G_LOG_LEVEL_WARNING, "Outbox cannot be read: %s",
               failure->message);
    while (wait_for_change(self)) {
        g_autoptr(GError) error = NULL;

        if (!look(self, &error))
            hp_log("outbox", NULL, G_LOG_LEVEL_WARNING,
                   "Outbox does not show the queue as it is: %s", error->message);
    }
}

HpOutboxMirror *
hp_outbox_mirror_new(HpQueue *queue, HpStore *store, GError **error)
{
    g_autoptr(HpOutboxMirror) self = g_new0(HpOutboxMirror, 1);

    self->queue = queue;
    self->store = store;
    self->dirty = TRUE;
    self->shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_shown);
    self->uids = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, g_free);
    hp_lock_init(&self->lock);
    hp_cond_init(&self->cond);
    if (!find_mailbox(self, error))
        return NULL;
    self->thread = hp_thread_start("outbox", run, self, error);
    return self->thread != NULL ? g_steal_pointer(&self) : NULL;
}

void
hp_outbox_mirror_free(HpOutboxMirror *self)
{
    if (self->thread != NULL) {
        {
            HP_LOCKED(&self->lock);
            self->stop = TRUE;
            hp_cond_broadcast(&self->cond);
        }
        hp_thread_join(self->thread);
    }
    g_hash_table_unref(self->shown);
    g_hash_table_unref(self->uids);
    hp_cond_clear(&self->cond);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_outbox_mirror_poke(HpOutboxMirror *self)
{
    HP_LOCKED(&self->lock);

    if (self->dirty)
        return;
    self->dirty = TRUE;
    hp_cond_broadcast(&self->cond);
}

/* ---- what IMAP asks ------------------------------------------------------------------
 */

/* The message of which @uid is or was a picture, if it is under way: (transfer full)
 * (nullable). @ret_replaced: there is another picture of it now. */
static char *
id_of(HpOutboxMirror *self, guint32 uid, gboolean *ret_replaced)
{
    HP_LOCKED(&self->lock);
    const Shown *shown;
    const char *id;

    while (self->showing)
        hp_cond_wait_until(&self->cond, &self->lock, -1);
    id = g_hash_table_lookup(self->uids, &uid);
    shown = id != NULL ? g_hash_table_lookup(self->shown, id) : NULL;
    *ret_replaced = shown == NULL || shown->uid != uid;
    return g_strdup(id);
}

typedef gboolean (*QueueCall)(HpQueue *queue, const char *id, guint *ret_n,
                              GError **error);

/* A picture that has been replaced may be gone already: whoever wants to keep it, as MOVE
 * does, could not. */
static gboolean
call_one(HpOutboxMirror *self, guint32 uid, QueueCall call, GError **error)
{
    gboolean replaced;
    g_autofree char *id = id_of(self, uid, &replaced);
    g_autoptr(GError) failure = NULL;
    guint n;

    if (id == NULL || (!replaced && call(self->queue, id, &n, &failure)) ||
        is_finished(self, id))
        return TRUE;
    if (replaced)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    _("the state of this message has just changed, so nothing was done "
                      "with it; please try again"));
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
call_each(HpOutboxMirror *self, const guint32 *uids, guint n_uids, QueueCall call,
          GError **error)
{
    for (guint i = 0; i < n_uids; i++)
        if (!call_one(self, uids[i], call, error))
            return FALSE;
    return TRUE;
}

static gboolean
cancel(gpointer mirror, const guint32 *uids, guint n, GError **error)
{
    return call_each(mirror, uids, n, hp_queue_cancel, error);
}

static gboolean
retry(gpointer mirror, const guint32 *uids, guint n, GError **error)
{
    HpOutboxMirror *self = mirror;
    g_auto(GStrv) keywords = g_strsplit(HP_OUTBOX_RETRY, " ", -1);
    HpStoreFlagChange change = { .mode = HP_FLAGS_REMOVE,
                                 .keywords = keywords,
                                 .unchanged_since = G_MAXUINT64 };
    gboolean done = call_each(self, uids, n, hp_queue_retry, error);

    return hp_store_change_flags(self->store, self->mailbox, uids, n, &change,
                                 done ? error : NULL) &&
           done;
}

HpOutbox
hp_outbox_mirror_table(HpOutboxMirror *self)
{
    return (HpOutbox){ self, self->mailbox, cancel, retry };
}
