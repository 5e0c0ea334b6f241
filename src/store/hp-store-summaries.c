/* What is known of contents without reading them. */
#include "hp-store-private.h"

#define BATCH 256 /* contents in one read of the database */

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

/* Gives those of a batch that are kept, up to the first that is not. Returns how many. */
static guint
give_kept(HpStore *self, const HpStoreSummaries *wanted, guint from, guint n)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

    /* Locks the database once, not for each row; if it cannot, each row does. */
    hp_db_begin_snapshot(conn, NULL);
    for (guint i = from; i < from + n; i++) {
        g_autoptr(HpSummary) summary = NULL;
        HpSlice header, packed;

        if (!find_kept(conn, wanted->contents[i], &header, &packed))
            return i - from;
        if (!wanted->header_only) {
            summary = hp_summary_unpack(packed);
            if (summary == NULL)
                return i - from;
        }
        wanted->each(i, summary, header, wanted->data);
    }
    return n;
}

/* One that must be computed; it may be lost. */
static void
give_computed(HpStore *self, const HpStoreSummaries *wanted, guint i, GArray *computed)
{
    g_autoptr(GBytes) header = NULL;
    g_autoptr(HpSummary) summary =
        compute(self, wanted->contents[i], &header, computed, NULL);
    HpSlice head = { NULL, 0 };

    if (header != NULL)
        head = hp_slice_of_bytes(header);
    wanted->each(i, wanted->header_only ? NULL : summary, head, wanted->data);
}

gboolean
hp_store_each_summary(HpStore *self, const HpStoreSummaries *wanted, GError **error)
{
    g_autoptr(GArray) computed = new_computed();
    guint i = 0;

    while (i < wanted->n) {
        guint n = MIN(wanted->n - i, BATCH);
        guint given = give_kept(self, wanted, i, n);

        i += given;
        if (given < n)
            give_computed(self, wanted, i++, computed);
        if (computed->len >= BATCH) {
            keep_computed(self, computed);
            g_array_set_size(computed, 0);
        }
    }
    keep_computed(self, computed);
    return TRUE;
}
