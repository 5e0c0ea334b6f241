/* What is known of contents without reading them. */
#include "hp-store-private.h"

#define BATCH       256               /* contents in one read of the database */
#define KEEP_OCTETS ((size_t)4 << 20) /* that were computed and wait to be kept */

HpSummary *
hp_store_summarise(GBytes *message, GBytes **ret_header)
{
    HpSlice bytes = hp_slice_of_bytes(message);
    HpSummary *summary = hp_summary_new(bytes);
    size_t len = (size_t)MIN(hp_summary_header_len(summary), (guint64)bytes.len);

    *ret_header = g_bytes_new(bytes.data, len);
    return summary;
}

gboolean
hp_store_keep_summary(HpDbConn *conn, gint64 content, GBytes *packed, GBytes *header,
                      GError **error)
{
    HpSlice head = hp_slice_of_bytes(header);

    if (head.data == NULL) /* an empty header is not NULL */
        head.data = "";
    return hp_db_run(conn, error,
                     "INSERT OR REPLACE INTO summary (content, version, header, packed)"
                     " VALUES (?1, ?2, ?3, ?4)",
                     "iibb", content, (gint64)HP_SUMMARY_VERSION, head,
                     hp_slice_of_bytes(packed));
}

/* What was computed because it was missing or old. */
typedef struct {
    gint64 content;
    GBytes *packed; /* (owned) */
    GBytes *header; /* (owned) */
} Computed;

static void
clear_computed(gpointer data)
{
    Computed *self = data;

    g_bytes_unref(self->packed);
    g_bytes_unref(self->header);
}

/* Not of what has been erased meanwhile. */
static gboolean
keep_all(HpDbConn *conn, gpointer data, GError **error)
{
    const GArray *computed = data;

    for (guint i = 0; i < computed->len; i++) {
        const Computed *one = &g_array_index(computed, Computed, i);
        HpDbStmt *stmt =
            hp_db_query(conn, "SELECT 1 FROM content WHERE id = ?1", "i", one->content);
        gboolean is_there = hp_db_step(stmt, NULL);

        hp_db_reset(stmt);
        if (is_there &&
            !hp_store_keep_summary(conn, one->content, one->packed, one->header, error))
            return FALSE;
    }
    return TRUE;
}

/* It is only a cache: what cannot be kept is computed again the next time. */
static void
keep_computed(HpStore *self, GArray *computed)
{
    if (computed->len > 0 && hp_db_is_writable(self->db))
        hp_db_write(self->db, keep_all, computed, NULL);
}

/* From the bytes; added to @computed if that is not %NULL. */
static HpSummary *
compute(HpStore *self, gint64 content, GBytes **ret_header, GArray *computed,
        GError **error)
{
    g_autoptr(GBytes) bytes = hp_store_load_content(self, content, error);
    g_autoptr(HpSummary) summary = NULL;

    if (bytes == NULL)
        return NULL;
    summary = hp_store_summarise(bytes, ret_header);
    if (computed != NULL) {
        Computed one = { content, hp_summary_pack(summary), g_bytes_ref(*ret_header) };

        g_array_append_val(computed, one);
    }
    return g_steal_pointer(&summary);
}

static GArray *
new_computed(void)
{
    GArray *computed = g_array_new(FALSE, FALSE, sizeof(Computed));

    g_array_set_clear_func(computed, clear_computed);
    return computed;
}

/* The kept row, if it is of this version. Its slices live until the next step. */
static gboolean
find_kept(HpDbConn *conn, gint64 content, HpSlice *ret_header, HpSlice *ret_packed)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT header, packed FROM summary WHERE content = ?1 AND version = ?2",
        "ii", content, (gint64)HP_SUMMARY_VERSION);

    if (!hp_db_step(stmt, NULL))
        return FALSE;
    *ret_header = hp_db_blob(stmt, 0);
    *ret_packed = hp_db_blob(stmt, 1);
    return TRUE;
}

GBytes *
hp_store_kept_header(HpStore *self, gint64 content)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT header FROM summary WHERE content = ?1", "i", content);
    HpSlice header;

    if (!hp_db_step(stmt, NULL))
        return NULL;
    header = hp_db_blob(stmt, 0);
    return g_bytes_new(header.data, header.len);
}

HpSummary *
hp_store_summary(HpStore *self, gint64 content, GError **error)
{
    g_autoptr(GArray) computed = new_computed();
    g_autoptr(GBytes) header = NULL;
    HpSummary *summary = NULL;
    HpSlice head, packed;

    {
        g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

        if (find_kept(conn, content, &head, &packed))
            summary = hp_summary_unpack(packed);
    }
    if (summary != NULL)
        return summary;
    summary = compute(self, content, &header, computed, error);
    keep_computed(self, computed);
    return summary;
}

/* (nullable): %NULL if it must be computed. */
static GBytes *
find_header(HpStore *self, gint64 content)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpSlice header, packed;

    return find_kept(conn, content, &header, &packed)
               ? g_bytes_new(header.data, header.len)
               : NULL;
}

GBytes *
hp_store_header(HpStore *self, gint64 content, GError **error)
{
    GBytes *header = find_header(self, content);
    g_autoptr(GArray) computed = NULL;
    HpSummary *summary;

    if (header != NULL)
        return header;
    computed = new_computed();
    summary = compute(self, content, &header, computed, error);
    if (summary != NULL)
        hp_summary_free(summary);
    keep_computed(self, computed);
    return header;
}

/* A walk over many. */
typedef struct {
    HpStore *store;                 /* (unowned) */
    const HpStoreSummaries *wanted; /* (unowned) */
    guint given;
    gboolean is_over;
    GArray *computed; /* (unowned) */
    size_t octets;    /* in it */
} Walk;

static void
give(Walk *self, const HpSummary *summary, HpSlice header)
{
    self->is_over = !self->wanted->each(self->given, summary, header, self->wanted->data);
    self->given++;
}

/* Those of a batch that are kept, up to the first that is not. */
static void
give_kept(Walk *self)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->store->db);
    guint end = self->given + MIN(self->wanted->n - self->given, BATCH);

    /* Locks the database once, not for each row; if it cannot, each row does. */
    hp_db_begin_snapshot(conn, NULL);
    while (self->given < end && !self->is_over) {
        g_autoptr(HpSummary) summary = NULL;
        HpSlice header, packed;

        if (!find_kept(conn, self->wanted->contents[self->given], &header, &packed))
            return;
        if (!self->wanted->header_only) {
            summary = hp_summary_unpack(packed);
            if (summary == NULL)
                return;
        }
        give(self, summary, header);
    }
}

static void
flush_computed(Walk *self)
{
    keep_computed(self->store, self->computed);
    g_array_set_size(self->computed, 0);
    self->octets = 0;
}

/* One that is not kept; it may be lost. */
static void
give_computed(Walk *self)
{
    g_autoptr(GBytes) header = NULL;
    g_autoptr(HpSummary) summary = compute(
        self->store, self->wanted->contents[self->given], &header, self->computed, NULL);
    HpSlice head = { NULL, 0 };

    if (header != NULL)
        head = hp_slice_of_bytes(header);
    self->octets += head.len;
    give(self, self->wanted->header_only ? NULL : summary, head);
    if (self->computed->len >= BATCH || self->octets >= KEEP_OCTETS)
        flush_computed(self);
}

guint
hp_store_each_summary(HpStore *self, const HpStoreSummaries *wanted)
{
    g_autoptr(GArray) computed = new_computed();
    Walk walk = { .store = self, .wanted = wanted, .computed = computed };

    while (walk.given < wanted->n && !walk.is_over) {
        guint before = walk.given;

        give_kept(&walk);
        if (walk.given - before < BATCH && walk.given < wanted->n && !walk.is_over)
            give_computed(&walk);
    }
    flush_computed(&walk);
    return walk.given;
}
