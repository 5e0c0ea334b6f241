/* Messages on their way in: APPEND, REPLACE, and what the queue hands over. */
#include "hp-store-private.h"

#define COPY_BYTES     ((size_t)64 * 1024)
#define MAX_REFERENCES 50 /* of a message that are remembered; the others are older */

/* What is found out before the transaction, so that the writer only inserts. */
typedef struct {
    const HpStoreAppend *append; /* (unowned) */
    GBytes *packed;              /* (owned) (nullable): not for bytes that are known */
    GBytes *header;              /* (owned) (nullable) */
    GArray *message_ids;         /* (owned): gint64, hashes; its own is the last */
    char *keywords;              /* (owned) */
    gboolean is_lost;  /* the content with these bytes cannot be read: keep ours too */
    gboolean inserted; /* out: the draft was taken */
} Arriving;

typedef struct {
    HpStoreTask task;
    gint64 mailbox;
    const char *origin;                /* (unowned) (nullable): of a hand-over */
    GPtrArray *arriving;               /* (owned): Arriving */
    const HpStoreReplacing *replacing; /* (unowned) (nullable) */
    gint64 now_usec;
    gint64 first_uid; /* out */
    gboolean known;   /* out: this hand-over had arrived before */
} Arrival;

static void
free_arriving(gpointer data)
{
    Arriving *self = data;

    g_clear_pointer(&self->packed, g_bytes_unref);
    g_clear_pointer(&self->header, g_bytes_unref);
    g_array_unref(self->message_ids);
    g_free(self->keywords);
    g_free(self);
}

static void
clear_arrival(Arrival *self)
{
    hp_store_task_clear(&self->task);
    g_ptr_array_unref(self->arriving);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arrival, clear_arrival)

static gint64
hash_message_id(HpSlice id)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize len = sizeof digest;
    guint64 hash = 0;

    g_checksum_update(sum, (const guchar *)id.data, (gssize)id.len);
    g_checksum_get_digest(sum, digest, &len);
    for (guint i = 0; i < 8; i++)
        hash = hash << 8 | digest[i];
    return (gint64)hash;
}

static void
add_message_id(Arriving *self, HpSlice id)
{
    gint64 hash;

    if (id.len == 0)
        return;
    hash = hash_message_id(id);
    g_array_append_val(self->message_ids, hash);
}

/* Oldest first; of too many the oldest and the newest ones. */
static void
note_references(Arriving *self, const char *references, const char *message_id)
{
    HpCursor c = hp_cursor_over(hp_slice_of(references));

    while (!hp_cursor_at_end(&c)) {
        add_message_id(self, hp_cursor_take_until(&c, '\n'));
        hp_cursor_skip(&c, '\n');
        if (self->message_ids->len > MAX_REFERENCES)
            g_array_remove_index(self->message_ids, 1);
    }
    add_message_id(self, hp_slice_of(message_id));
}

/* The thread of an entry with this content, 0 if there is none (any more). */
static gboolean
thread_of(HpDbConn *conn, gint64 content, gint64 *ret_thread, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT thread FROM entry WHERE content = ?1 LIMIT 1", "i", content);
    g_autoptr(GError) failure = NULL;

    *ret_thread = hp_db_step(stmt, &failure) ? hp_db_int(stmt, 0) : 0;
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* The bytes of a message that is here need not be looked at again, if they can be read.
 * Of one that is expunged they may still be there, but its thread is forgotten. */
static gboolean
is_known(HpStore *self, Arriving *arriving)
{
    gint64 content = 0, thread = 0;
    g_autoptr(HpContent) opened = NULL;

    {
        g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

        if (hp_content_find_same(conn, arriving->append->draft, &content, NULL) &&
            content != 0)
            thread_of(conn, content, &thread, NULL);
    }
    if (content == 0)
        return FALSE;
    opened = hp_content_open(self->contents, content, NULL);
    arriving->is_lost = opened == NULL;
    return opened != NULL && thread != 0;
}

static gboolean
prepare(HpStore *self, Arrival *arrival, const HpStoreAppend *append, GError **error)
{
    const char *const none[] = { NULL };
    Arriving *arriving = g_new0(Arriving, 1);
    g_autoptr(HpSummary) summary = NULL;
    g_autoptr(GBytes) bytes = NULL;

    g_ptr_array_add(arrival->arriving, arriving);
    arriving->append = append;
    arriving->message_ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    arriving->keywords = hp_keywords_join(
        self->keywords,
        append->keywords != NULL ? (const char *const *)append->keywords : none);
    if (is_known(self, arriving))
        return TRUE;
    bytes = hp_content_draft_load(append->draft, error);
    if (bytes == NULL)
        return FALSE;
    summary = hp_store_summarise(bytes, &arriving->header);
    arriving->packed = hp_summary_pack(summary);
    note_references(arriving, hp_summary_references(summary),
                    hp_summary_message_id(summary));
    return TRUE;
}

/* The newest message of the thread knows best: its references are complete. */
static gboolean
find_thread(HpDbConn *conn, const Arriving *arriving, gint64 *ret_thread, GError **error)
{
    g_autoptr(GError) failure = NULL;

    *ret_thread = 0;
    for (guint i = arriving->message_ids->len; i > 0 && *ret_thread == 0; i--) {
        HpDbStmt *stmt =
            hp_db_query(conn, "SELECT thread FROM message_id WHERE hash = ?1", "i",
                        g_array_index(arriving->message_ids, gint64, i - 1));

        if (hp_db_step(stmt, &failure))
            *ret_thread = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        if (failure != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
join_thread(HpDbConn *conn, const Arriving *arriving, gint64 content, gint64 *ret_thread,
            GError **error)
{
    if (!find_thread(conn, arriving, ret_thread, error))
        return FALSE;
    if (*ret_thread == 0)
        *ret_thread = content;
    for (guint i = 0; i < arriving->message_ids->len; i++)
        if (!hp_db_run(conn, error,
                       "INSERT OR IGNORE INTO message_id (hash, thread) VALUES (?1, ?2)",
                       "ii", g_array_index(arriving->message_ids, gint64, i),
                       *ret_thread))
            return FALSE;
    return TRUE;
}

static gboolean
insert_content(HpDbConn *conn, Arriving *arriving, gint64 *ret_content, GError **error)
{
    if (!arriving->is_lost &&
        !hp_content_find_same(conn, arriving->append->draft, ret_content, error))
        return FALSE;
    if (!arriving->is_lost && *ret_content != 0)
        return TRUE;
    if (!hp_content_insert(conn, arriving->append->draft, ret_content, error))
        return FALSE;
    arriving->inserted = TRUE;
    /* Without it, the bytes were known a moment ago: it is computed when it is asked for.
     */
    return arriving->packed == NULL ||
           hp_store_keep_summary(conn, *ret_content, arriving->packed, arriving->header,
                                 error);
}

static gboolean
insert_entry(HpDbConn *conn, const Arrival *arrival, const HpViewEntry *entry,
             const Arriving *arriving, GError **error)
{
    gint64 thread;

    if (!thread_of(conn, entry->content, &thread, error) ||
        (thread == 0 && !join_thread(conn, arriving, entry->content, &thread, error)))
        return FALSE;
    return hp_db_run(
        conn, error,
        "INSERT INTO entry (mailbox, uid, content, size, flags, modseq,"
        " internal_usec, internal_zone, saved_usec, email, thread, keywords)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?3, ?10, nullif(?11, ''))",
        "iiiiiiiiiis", arrival->mailbox, (gint64)entry->uid, entry->content,
        (gint64)hp_content_draft_size(arriving->append->draft), (gint64)entry->flags,
        (gint64)entry->modseq, entry->internal_usec, (gint64)entry->zone,
        arrival->now_usec, thread, arriving->keywords);
}

static gboolean
insert_one(HpDbConn *conn, Arrival *arrival, guint i, HpNews *news, GError **error)
{
    Arriving *arriving = arrival->arriving->pdata[i];
    const HpStoreAppend *append = arriving->append;
    guint64 size = hp_content_draft_size(append->draft);
    HpViewEntry entry = { .uid = (guint32)(arrival->first_uid + i),
                          .flags = (guint16)append->flags,
                          .zone = (gint16)(append->is_dated ? append->zone : 0),
                          .size = (guint32)MIN(size, (guint64)G_MAXUINT32),
                          .modseq = news->modseq,
                          .internal_usec = append->is_dated ? append->internal_usec
                                                            : arrival->now_usec };

    if (!insert_content(conn, arriving, &entry.content, error) ||
        !insert_entry(conn, arrival, &entry, arriving, error))
        return FALSE;
    hp_news_add(news, entry, arriving->keywords);
    return TRUE;
}

static gboolean
insert_all(HpDbConn *conn, Arrival *arrival, GError **error)
{
    guint n = arrival->arriving->len;
    HpCounts counts = { 0 };
    gint64 modseq;
    HpNews *news;

    if (!hp_store_take_uids(conn, arrival->mailbox, n, &arrival->first_uid, error) ||
        !hp_store_next_modseq(conn, arrival->mailbox, &modseq, error))
        return FALSE;
    news = hp_store_task_add(&arrival->task, HP_NEWS_ADDED, arrival->mailbox,
                             (guint64)modseq);
    for (guint i = 0; i < n; i++) {
        const HpStoreAppend *append = ((Arriving *)arrival->arriving->pdata[i])->append;

        if (!insert_one(conn, arrival, i, news, error))
            return FALSE;
        hp_counts_add(&counts, 1, append->flags,
                      (gint64)hp_content_draft_size(append->draft));
    }
    return hp_store_count(conn, arrival->mailbox, &counts, error);
}

static void
collect_replaced(const HpViewEntry *entry, const char *text, gint64 collected_usec,
                 gpointer entries)
{
    g_array_append_val((GArray *)entries, *entry);
}

static gboolean
insert_and_remove(HpDbConn *conn, Arrival *arrival, GError **error)
{
    const HpStoreReplacing *what = arrival->replacing;
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(HpViewEntry));
    HpStoreWalker walker = { collect_replaced, entries };
    HpStoreRemoval removal = { what->mailbox, entries, FALSE };

    if (!hp_store_walk(conn, what->mailbox, (HpStoreUids){ &what->uid, 1 }, &walker,
                       error))
        return FALSE;
    if (entries->len > 0)
        return insert_all(conn, arrival, error) &&
               hp_store_remove_entries(conn, &arrival->task, &removal, error);
    g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                "message %u has been deleted", what->uid);
    return FALSE;
}

static gboolean
arrive(HpDbConn *conn, gpointer data, GError **error)
{
    Arrival *arrival = data;

    if (arrival->origin != NULL) {
        if (!hp_db_run(conn, error,
                       "INSERT OR IGNORE INTO arrival (origin, arrived_usec)"
                       " VALUES (?1, ?2)",
                       "si", arrival->origin, arrival->now_usec))
            return FALSE;
        arrival->known = hp_db_changes(conn) == 0;
    }
    if (arrival->replacing != NULL)
        return insert_and_remove(conn, arrival, error);
    return arrival->known || insert_all(conn, arrival, error);
}

/* @arrival: mailbox and origin are set. */
static gboolean
take_in(Arrival *arrival, const HpStoreAppend *appends, guint n, GError **error)
{
    HpStore *self = arrival->task.store;
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < n; i++)
        if (!prepare(self, arrival, &appends[i], &failure))
            return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    if (!hp_store_write(&arrival->task, arrive, n, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        Arriving *arriving = arrival->arriving->pdata[i];

        if (arriving->inserted)
            hp_content_draft_committed(arriving->append->draft);
    }
    return TRUE;
}

static Arrival
new_arrival(HpStore *self, gint64 mailbox, const char *origin)
{
    return (Arrival){ .task = hp_store_task(self),
                      .mailbox = mailbox,
                      .origin = origin,
                      .arriving = g_ptr_array_new_with_free_func(free_arriving),
                      .now_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) };
}

HpContentDraft *
hp_store_draft(HpStore *self)
{
    return hp_content_draft_new(self->contents);
}

gboolean
hp_store_has_room(HpStore *self, guint64 octets)
{
    return hp_contents_has_room(self->contents, octets);
}

/* NOLINTBEGIN(readability-function-size): the shape is the header's */
gboolean
hp_store_append(HpStore *self, gint64 mailbox, HpStoreAppend *appends, guint n,
                GArray **ret_uids, GError **error)
{
    g_auto(Arrival) arrival = new_arrival(self, mailbox, NULL);
    GArray *uids;

    if (!take_in(&arrival, appends, n, error))
        return FALSE;
    uids = g_array_sized_new(FALSE, FALSE, sizeof(guint32), n);
    for (guint i = 0; i < n; i++) {
        guint32 uid = (guint32)(arrival.first_uid + i);

        g_array_append_val(uids, uid);
    }
    *ret_uids = uids;
    return TRUE;
}
/* NOLINTEND(readability-function-size) */

/* NOLINTBEGIN(readability-function-size): the shape is the header's */
gboolean
hp_store_replace(HpStore *self, const HpStoreReplacing *what, HpStoreAppend *append,
                 guint32 *ret_uid, GError **error)
{
    g_auto(Arrival) arrival = new_arrival(self, what->to, NULL);

    arrival.replacing = what;
    if (!take_in(&arrival, append, 1, error))
        return FALSE;
    *ret_uid = (guint32)arrival.first_uid;
    return TRUE;
}
/* NOLINTEND(readability-function-size) */

static gboolean
fill_draft(HpContentDraft *draft, guint64 size, gpointer content, HpCarryRead read,
           GError **error)
{
    g_autofree char *buffer = g_malloc(COPY_BYTES);
    guint64 offset = 0;

    while (offset < size) {
        gssize n = read(content, offset, buffer,
                        (size_t)MIN(size - offset, (guint64)COPY_BYTES), error);

        if (n < 0)
            return FALSE;
        if (n == 0) {
            g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_FAILED,
                        "the message handed over is shorter than it said");
            return FALSE;
        }
        if (!hp_content_draft_append(draft, (HpSlice){ buffer, (size_t)n }, error))
            return FALSE;
        offset += (guint64)n;
    }
    return hp_content_draft_finish(draft, error);
}

/* Looked up before its bytes are copied; the insert decides. */
static gboolean
has_arrived(HpStore *self, const char *origin)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM arrival WHERE origin = ?1", "s", origin);

    return hp_db_step(stmt, NULL);
}

/* NOLINTBEGIN(readability-function-size): the shape is HpInbox's */
static gboolean
deliver(gpointer store, const char *origin, guint64 size, gpointer content,
        HpCarryRead read, GError **error)
{
    HpStore *self = store;
    g_autoptr(HpContentDraft) draft = NULL;
    g_autoptr(GError) failure = NULL;
    g_auto(Arrival) arrival = new_arrival(self, HP_STORE_INBOX, origin);
    HpStoreAppend append = { 0 };

    if (has_arrived(self, origin))
        return TRUE;
    draft = hp_content_draft_new(self->contents);
    if (!fill_draft(draft, size, content, read, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "INBOX");
    append.draft = draft;
    return take_in(&arrival, &append, 1, error);
}
/* NOLINTEND(readability-function-size) */

HpInbox
hp_store_inbox(HpStore *self)
{
    return (HpInbox){ self, deliver };
}
