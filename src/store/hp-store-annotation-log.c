/* Which annotations have changed, for sessions that want to be told (RFC 5464 §4.4.2). */
#include "hp-store-annotations.h"
#include "hp-store-private.h"

#define KEPT 1024 /* changes; each entry of a mailbox is there once */

typedef struct {
    guint64 number;
    gint64 mailbox;
    char *entry;          /* (owned) */
    gconstpointer author; /* (unowned) (nullable): a name, never followed */
} Change;

struct _HpAnnotationLog {
    HpLock lock;
    GPtrArray *changes; /* (owned): Change, ascending by number; guarded by lock */
    guint64 last;       /* number of the last change; guarded by lock */
    guint64 forgotten;  /* of the last that is kept no more; guarded by lock */
};

static void
free_change(gpointer data)
{
    Change *self = data;

    g_free(self->entry);
    g_free(self);
}

HpAnnotationLog *
hp_annotation_log_new(void)
{
    HpAnnotationLog *self = g_new0(HpAnnotationLog, 1);

    hp_lock_init(&self->lock);
    self->changes = g_ptr_array_new_with_free_func(free_change);
    return self;
}

void
hp_annotation_log_free(HpAnnotationLog *self)
{
    g_ptr_array_unref(self->changes);
    hp_lock_clear(&self->lock);
    g_free(self);
}

static void
forget(HpAnnotationLog *self, gint64 mailbox, const char *entry)
{
    for (guint i = 0; i < self->changes->len; i++) {
        const Change *change = self->changes->pdata[i];

        if (change->mailbox == mailbox && g_ascii_strcasecmp(change->entry, entry) == 0) {
            g_ptr_array_remove_index(self->changes, i);
            return;
        }
    }
}

static void
add(HpAnnotationLog *self, const HpNews *news, const char *entry)
{
    Change *change = g_new0(Change, 1);

    forget(self, news->mailbox, entry);
    *change = (Change){ ++self->last, news->mailbox, g_strdup(entry), news->author };
    g_ptr_array_add(self->changes, change);
    if (self->changes->len <= KEPT)
        return;
    self->forgotten = ((const Change *)self->changes->pdata[0])->number;
    g_ptr_array_remove_index(self->changes, 0);
}

void
hp_annotation_log_publish(HpAnnotationLog *self, const HpNews *news)
{
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < news->texts->len; i++)
        add(self, news, news->texts->pdata[i]);
}

guint64
hp_store_annotation_mark(HpStore *self)
{
    HP_LOCKED(&self->annotated->lock);

    return self->annotated->last;
}

static void
free_annotated(gpointer data)
{
    HpStoreAnnotated *self = data;

    g_free(self->entry);
    g_free(self);
}

static void
add_annotated(GPtrArray *list, gint64 mailbox, const char *entry)
{
    HpStoreAnnotated *one = g_new0(HpStoreAnnotated, 1);

    one->mailbox = mailbox;
    one->entry = g_strdup(entry);
    g_ptr_array_add(list, one);
}

/* %FALSE if the log does not reach back to @mark. */
static gboolean
list_since(HpAnnotationLog *self, guint64 *mark, gconstpointer author, GPtrArray *list)
{
    HP_LOCKED(&self->lock);
    gboolean reaches = *mark >= self->forgotten;

    for (guint i = 0; reaches && i < self->changes->len; i++) {
        const Change *change = self->changes->pdata[i];

        if (change->number > *mark && (author == NULL || change->author != author))
            add_annotated(list, change->mailbox, change->entry);
    }
    *mark = self->last;
    return reaches;
}

static void
list_all(HpStore *self, GPtrArray *list)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT mailbox, entry FROM annotation ORDER BY mailbox, entry", "");

    while (hp_db_step(stmt, NULL))
        add_annotated(list, hp_db_int(stmt, 0), hp_db_text(stmt, 1));
}

GPtrArray *
hp_store_annotation_news(HpStore *self, guint64 *mark, gconstpointer author)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_annotated);

    if (!list_since(self->annotated, mark, author, list))
        list_all(self, list);
    return list;
}
