#include "hp-store-annotations.h"

#include "hp-store-mailboxes.h"
#include "hp-store-private.h"

#include <glib/gi18n.h>
#include <string.h>

/* --- names ---------------------------------------------------------------------------
 */

/* RFC 5464 §3.2 forbids some; control characters, which it only discourages, would go
 * into every answer as literals. */
static gboolean
is_entry_byte(char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '*' && byte != '%';
}

/* How many parts it has: "/shared/comment" has two; 0 if it cannot be one. */
static guint
count_parts(const char *name)
{
    guint parts = 0;
    size_t len = 0;

    for (; name[len] != '\0'; len++) {
        if (!is_entry_byte(name[len]) ||
            (name[len] == '/' && (name[len + 1] == '/' || name[len + 1] == '\0')))
            return 0;
        parts += name[len] == '/';
    }
    return len <= HP_STORE_MAX_ENTRY && parts <= HP_STORE_MAX_ENTRY_PARTS ? parts : 0;
}

static gboolean
is_below(const char *name, const char *root)
{
    size_t len = strlen(root);

    return g_ascii_strncasecmp(name, root, len) == 0 &&
           (name[len] == '/' || name[len] == '\0');
}

gboolean
hp_store_is_entry_root(const char *name)
{
    return (is_below(name, "/private") || is_below(name, "/shared")) &&
           count_parts(name) > 0;
}

gboolean
hp_store_is_entry(const char *name)
{
    gboolean vendor =
        is_below(name, "/private/vendor") || is_below(name, "/shared/vendor");

    return hp_store_is_entry_root(name) && count_parts(name) >= (vendor ? 4 : 2);
}

HpStoreAnnotation *
hp_store_annotation_new(const char *entry, GBytes *value)
{
    HpStoreAnnotation *self = g_new0(HpStoreAnnotation, 1);

    self->entry = g_strdup(entry);
    self->value = value != NULL ? g_bytes_ref(value) : NULL;
    return self;
}

void
hp_store_annotation_free(gpointer annotation)
{
    HpStoreAnnotation *self = annotation;

    g_clear_pointer(&self->value, g_bytes_unref);
    g_free(self->entry);
    g_free(self);
}

/* --- reading -------------------------------------------------------------------------
 */

GPtrArray *
hp_store_annotations(HpStore *self, gint64 mailbox, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(hp_store_annotation_free);
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT entry, value FROM annotation WHERE mailbox = ?1"
        " UNION ALL SELECT ?2, special_use FROM mailbox"
        " WHERE id = ?1 AND special_use IS NOT NULL ORDER BY entry COLLATE NOCASE",
        "is", mailbox, HP_STORE_USE_ENTRY);

    while (hp_db_step(stmt, &failure)) {
        HpSlice blob = hp_db_blob(stmt, 1);
        g_autoptr(GBytes) value = g_bytes_new(blob.data, blob.len);

        g_ptr_array_add(list, hp_store_annotation_new(hp_db_text(stmt, 0), value));
    }
    if (failure == NULL)
        return g_steal_pointer(&list);
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return NULL;
}

/* --- changing ------------------------------------------------------------------------
 */

typedef struct {
    HpStoreTask task;
    gint64 mailbox;
    const GPtrArray *annotations; /* (unowned) */
    gconstpointer author;         /* (unowned) (nullable) */
    gint64 now_usec;
} Annotating;

static HpSlice
slice_of(GBytes *value)
{
    gsize len;
    const char *data = g_bytes_get_data(value, &len);

    return (HpSlice){ len > 0 ? data : "", len }; /* no data would be NULL */
}

static gboolean
refuse_use(GError **error)
{
    g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_BAD_USE,
                _("this mailbox cannot have that special use"));
    return FALSE;
}

/* As CREATE does it: one of the known uses. INBOX and Outbox have theirs for good. */
static gboolean
set_use(HpDbConn *conn, Annotating *self, GBytes *value, GError **error)
{
    g_autofree char *text = value != NULL ? hp_slice_dup(slice_of(value)) : NULL;
    const char *use = text != NULL ? hp_store_known_use(text) : NULL;

    if (self->mailbox == HP_STORE_SERVER || hp_store_is_own(conn, self->mailbox) ||
        (value != NULL && (use == NULL || strlen(use) != g_bytes_get_size(value))))
        return refuse_use(error);
    return (use == NULL || hp_store_take_use(conn, &self->task, use, error)) &&
           hp_db_run(conn, error,
                     "UPDATE mailbox SET special_use = ?2, special_usec = ?3"
                     " WHERE id = ?1",
                     "isi", self->mailbox, use, self->now_usec);
}

static gboolean
set_one(HpDbConn *conn, Annotating *self, const HpStoreAnnotation *annotation,
        GError **error)
{
    if (g_ascii_strcasecmp(annotation->entry, HP_STORE_USE_ENTRY) == 0)
        return set_use(conn, self, annotation->value, error);
    if (annotation->value == NULL)
        return hp_db_run(conn, error,
                         "DELETE FROM annotation WHERE mailbox = ?1 AND entry = ?2", "is",
                         self->mailbox, annotation->entry);
    return hp_db_run(conn, error,
                     "INSERT INTO annotation (mailbox, entry, value) VALUES (?1, ?2, ?3)"
                     " ON CONFLICT (mailbox, entry) DO UPDATE"
                     " SET entry = excluded.entry, value = excluded.value",
                     "isb", self->mailbox, annotation->entry,
                     slice_of(annotation->value));
}

static gboolean
is_within(HpDbStmt *stmt, gint64 max, size_t max_octets, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean within = FALSE;

    if (hp_db_step(stmt, &failure))
        within = hp_db_int(stmt, 0) <= max && hp_db_int(stmt, 1) <= (gint64)max_octets;
    hp_db_reset(stmt);
    if (!within && failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_TOO_MANY,
                    _("there is no room for more annotations"));
    if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return within;
}

gboolean
hp_store_annotations_fit(HpDbConn *conn, gint64 mailbox, GError **error)
{
    return is_within(hp_db_query(conn,
                                 "SELECT count(*), ifnull(sum(length(value)), 0)"
                                 " FROM annotation WHERE mailbox = ?1",
                                 "i", mailbox),
                     HP_STORE_MAX_ANNOTATIONS, HP_STORE_MAX_ANNOTATED, error) &&
           is_within(hp_db_query(conn,
                                 "SELECT count(*), ifnull(sum(length(value)), 0)"
                                 " FROM annotation",
                                 ""),
                     HP_STORE_MAX_ALL_ANNOTATIONS, HP_STORE_MAX_ALL_ANNOTATED, error);
}

static gboolean
annotate(HpDbConn *conn, gpointer data, GError **error)
{
    Annotating *self = data;
    HpNews *news;
    gboolean more = FALSE;

    if (self->mailbox != HP_STORE_SERVER &&
        !hp_store_need_mailbox(conn, self->mailbox, error))
        return FALSE;
    for (guint i = 0; i < self->annotations->len; i++) {
        const HpStoreAnnotation *one = g_ptr_array_index(self->annotations, i);

        if (!set_one(conn, self, one, error))
            return FALSE;
        more = more || one->value != NULL;
    }
    /* Behind what else that has changed: a use that it had already is its author's. */
    news = hp_store_task_add(&self->task, HP_NEWS_ANNOTATED, self->mailbox, 0);
    news->author = self->author;
    for (guint i = 0; i < self->annotations->len; i++) {
        const HpStoreAnnotation *one = g_ptr_array_index(self->annotations, i);

        g_ptr_array_add(news->texts, g_strdup(one->entry));
    }
    return !more || hp_store_annotations_fit(conn, self->mailbox, error);
}

static gboolean
is_good(const HpStoreAnnotation *annotation)
{
    return hp_store_is_entry(annotation->entry) &&
           (annotation->value == NULL ||
            g_bytes_get_size(annotation->value) <= HP_STORE_MAX_ANNOTATION);
}

gboolean
hp_store_annotate(HpStore *self, gint64 mailbox, const GPtrArray *annotations,
                  gconstpointer author, GError **error)
{
    g_auto(HpStoreTask) task = hp_store_task(self);
    Annotating work = { task, mailbox, annotations, author,
                        hp_clock_now_usec(self->clock, HP_CLOCK_WALL) };

    for (guint i = 0; i < annotations->len; i++)
        g_assert(is_good(g_ptr_array_index(annotations, i)));
    return hp_store_write(&work.task, annotate, annotations->len, error);
}
