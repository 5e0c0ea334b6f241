/* Making, renaming and deleting mailboxes. */
#include "hp-store-annotations.h"
#include "hp-store-private.h"

#include <glib/gi18n.h>
#include <string.h>

#define UIDVALIDITY_END                                                                  \
    ((gint64)G_MAXUINT32 - (1 << 20)) /* no clock may use up the rest */

static gboolean
refuse(GError **error, HpStoreError code, const char *why)
{
    g_set_error_literal(error, HP_STORE_ERROR, code, why);
    return FALSE;
}

/* Larger than any that was given before, also to mailboxes that are gone; and not behind
 * the clock, so that it is new even where an older copy of the database was put back
 * (RFC 3501 §2.3.1.1). */
static gboolean
take_uidvalidity(HpDbConn *conn, gint64 now_usec, gint64 *ret_uidvalidity, GError **error)
{
    gint64 now = now_usec / G_USEC_PER_SEC;
    HpDbStmt *stmt =
        hp_db_query(conn,
                    "UPDATE store SET last_uidvalidity = max(last_uidvalidity + 1, ?1)"
                    " RETURNING last_uidvalidity",
                    "i", now < UIDVALIDITY_END ? MAX(now, 1) : 1);
    g_autoptr(GError) failure = NULL;

    if (hp_db_step(stmt, &failure)) {
        *ret_uidvalidity = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
        return TRUE;
    }
    if (failure == NULL)
        g_set_error(&failure, HP_DB_ERROR, HP_DB_ERROR_DAMAGED, "mail.db is damaged");
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_insert_mailbox(HpDbConn *conn, const char *name, const char *special_use,
                        gint64 now_usec, GError **error)
{
    gint64 uidvalidity;

    return take_uidvalidity(conn, now_usec, &uidvalidity, error) &&
           hp_db_run(conn, error,
                     "INSERT INTO mailbox (name, uidvalidity, special_use)"
                     " VALUES (?1, ?2, ?3)",
                     "sis", name, uidvalidity, special_use);
}

/* @ret_id: 0 if there is none. */
static gboolean
find_id(HpDbConn *conn, const char *name, gint64 *ret_id, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT id FROM mailbox WHERE name = ?1", "s", name);
    g_autoptr(GError) failure = NULL;

    *ret_id = hp_db_step(stmt, &failure) ? hp_db_int(stmt, 0) : 0;
    hp_db_reset(stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_store_is_own(HpDbConn *conn, gint64 id)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT 1 FROM mailbox WHERE id = ?1 AND special_use = ?2",
                    "is", id, HP_STORE_OUTBOX_USE);
    gboolean is_outbox = hp_db_step(stmt, NULL);

    hp_db_reset(stmt);
    return is_outbox || id == HP_STORE_INBOX;
}

/* The use is an annotation, too. */
gboolean
hp_store_take_use(HpDbConn *conn, HpStoreTask *task, const char *use, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "UPDATE mailbox SET special_use = NULL"
                                 " WHERE special_use = ?1 RETURNING id",
                                 "s", use);
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        HpNews *news = hp_store_task_add(task, HP_NEWS_ANNOTATED, hp_db_int(stmt, 0), 0);

        g_ptr_array_add(news->texts, g_strdup(HP_STORE_USE_ENTRY));
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

typedef struct {
    HpStoreTask task;
    const char *name;        /* (unowned) */
    const char *new_name;    /* (unowned) (nullable) */
    const char *special_use; /* (unowned) (nullable) */
    gint64 now_usec;
    gint64 id; /* out */
} TreeWork;

/* Levels above that are missing are made (RFC 3501 §6.3.3). */
static gboolean
make_parents(HpDbConn *conn, const char *name, gint64 now_usec, GError **error)
{
    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        g_autofree char *parent = g_strndup(name, (gsize)(slash - name));
        gint64 id;

        if (!find_id(conn, parent, &id, error) ||
            (id == 0 && !hp_store_insert_mailbox(conn, parent, NULL, now_usec, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
create(HpDbConn *conn, gpointer data, GError **error)
{
    TreeWork *self = data;
    gint64 id;

    if (!find_id(conn, self->name, &id, error))
        return FALSE;
    if (id != 0)
        return refuse(error, HP_STORE_ERROR_EXISTS, _("there is a mailbox of that name"));
    if (self->special_use != NULL &&
        !hp_store_take_use(conn, &self->task, self->special_use, error))
        return FALSE;
    if (!make_parents(conn, self->name, self->now_usec, error) ||
        !hp_store_insert_mailbox(conn, self->name, self->special_use, self->now_usec,
                                 error))
        return FALSE;
    self->id = hp_db_last_id(conn);
    return TRUE;
}

static TreeWork
new_work(HpStoreTask task, const char *name, const char *new_name)
{
    return (TreeWork){ .task = task,
                       .name = name,
                       .new_name = new_name,
                       .now_usec = hp_clock_now_usec(task.store->clock, HP_CLOCK_WALL) };
}

gboolean
hp_store_create(HpStore *self, const char *name, const char *special_use, gint64 *ret_id,
                GError **error)
{
    g_autofree char *normal = hp_store_normal_name(name);
    g_auto(HpStoreTask) task = hp_store_task(self);
    TreeWork work = new_work(task, normal, NULL);

    work.special_use = special_use;
    if (normal == NULL)
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED,
                      _("a mailbox cannot have that name"));
    if (!hp_store_write(&work.task, create, 1, error))
        return FALSE;
    *ret_id = work.id;
    return TRUE;
}

/* A mailbox below the one that is renamed. */
typedef struct {
    gint64 id;
    char *name; /* (owned) */
} Branch;

static void
clear_branch(gpointer branch)
{
    g_free(((Branch *)branch)->name);
}

/* It and all below it. */
static GArray *
list_branch(HpDbConn *conn, const char *name, GError **error)
{
    g_autoptr(GArray) branches = g_array_new(FALSE, FALSE, sizeof(Branch));
    g_autofree char *below = g_strconcat(name, "/", NULL);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT id, name FROM mailbox WHERE name = ?1"
                                 " OR substr(name, 1, length(?2)) = ?2",
                                 "ss", name, below);

    g_array_set_clear_func(branches, clear_branch);
    while (hp_db_step(stmt, &failure)) {
        Branch branch = { hp_db_int(stmt, 0), hp_db_dup_text(stmt, 1) };

        g_array_append_val(branches, branch);
    }
    if (failure == NULL)
        return g_steal_pointer(&branches);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

static gboolean
rename_one(HpDbConn *conn, const TreeWork *self, const Branch *branch, GError **error)
{
    g_autofree char *name =
        g_strconcat(self->new_name, branch->name + strlen(self->name), NULL);
    g_autofree char *normal = hp_store_normal_name(name);
    gint64 there;

    if (normal == NULL)
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED,
                      _("a mailbox below it would get a name that is too long"));
    if (!find_id(conn, name, &there, error))
        return FALSE;
    if (there != 0)
        return refuse(error, HP_STORE_ERROR_EXISTS, _("there is a mailbox of that name"));
    return hp_db_run(conn, error, "UPDATE mailbox SET name = ?2 WHERE id = ?1", "is",
                     branch->id, name);
}

static gboolean
rename_branch(HpDbConn *conn, const TreeWork *self, GError **error)
{
    g_autoptr(GArray) branches = list_branch(conn, self->name, error);

    if (branches == NULL)
        return FALSE;
    for (guint i = 0; i < branches->len; i++)
        if (!rename_one(conn, self, &g_array_index(branches, Branch, i), error))
            return FALSE;
    return TRUE;
}

/* All of INBOX goes into a new mailbox; what is below it stays (RFC 3501 §6.3.5). Its
 * annotations are with both then (RFC 5464 §4.1). */
static gboolean
move_inbox(HpDbConn *conn, TreeWork *self, GError **error)
{
    gint64 to;

    return hp_store_insert_mailbox(conn, self->new_name, NULL, self->now_usec, error) &&
           (to = hp_db_last_id(conn)) > 0 &&
           hp_store_move_all(conn, &self->task, HP_STORE_INBOX, to, error) &&
           hp_db_run(conn, error,
                     "INSERT INTO annotation SELECT ?1, entry, value FROM annotation"
                     " WHERE mailbox = ?2",
                     "ii", to, (gint64)HP_STORE_INBOX) &&
           hp_store_annotations_fit(conn, to, error);
}

static gboolean
rename_mailbox(HpDbConn *conn, gpointer data, GError **error)
{
    TreeWork *self = data;
    gint64 id, there;

    if (!find_id(conn, self->name, &id, error) ||
        !find_id(conn, self->new_name, &there, error))
        return FALSE;
    if (id == 0)
        return refuse(error, HP_STORE_ERROR_NOT_FOUND,
                      _("there is no mailbox of that name"));
    if (id != HP_STORE_INBOX && hp_store_is_own(conn, id))
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED, _("Outbox cannot be renamed"));
    if (there != 0)
        return refuse(error, HP_STORE_ERROR_EXISTS, _("there is a mailbox of that name"));
    if (!make_parents(conn, self->new_name, self->now_usec, error))
        return FALSE;
    return id == HP_STORE_INBOX ? move_inbox(conn, self, error)
                                : rename_branch(conn, self, error);
}

gboolean
hp_store_rename(HpStore *self, const char *name, const char *new_name, GError **error)
{
    g_autofree char *from = hp_store_normal_name(name);
    g_autofree char *to = hp_store_normal_name(new_name);
    g_autofree char *below = g_strconcat(from != NULL ? from : "", "/", NULL);
    g_auto(HpStoreTask) task = hp_store_task(self);
    TreeWork work = new_work(task, from, to);

    if (from == NULL)
        return refuse(error, HP_STORE_ERROR_NOT_FOUND,
                      _("there is no mailbox of that name"));
    if (to == NULL)
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED,
                      _("a mailbox cannot have that name"));
    if (strcmp(from, "INBOX") != 0 && g_str_has_prefix(to, below))
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED,
                      _("a mailbox cannot go below itself"));
    return hp_store_write(&work.task, rename_mailbox, HP_STORE_BIG_ROWS, error);
}

static gboolean
erase_mailbox(HpDbConn *conn, gint64 id, GError **error)
{
    return hp_db_run(conn, error,
                     "INSERT OR IGNORE INTO dropped (content)"
                     " SELECT content FROM entry WHERE mailbox = ?1",
                     "i", id) &&
           hp_db_run(conn, error, "DELETE FROM entry WHERE mailbox = ?1", "i", id) &&
           hp_db_run(conn, error, "DELETE FROM expunged WHERE mailbox = ?1", "i", id) &&
           hp_db_run(conn, error, "DELETE FROM annotation WHERE mailbox = ?1", "i", id) &&
           hp_db_run(conn, error, "DELETE FROM mailbox WHERE id = ?1", "i", id);
}

static gboolean
delete_mailbox(HpDbConn *conn, gpointer data, GError **error)
{
    TreeWork *self = data;
    gint64 id;

    if (!find_id(conn, self->name, &id, error))
        return FALSE;
    if (id == 0)
        return refuse(error, HP_STORE_ERROR_NOT_FOUND,
                      _("there is no mailbox of that name"));
    if (hp_store_is_own(conn, id))
        return refuse(error, HP_STORE_ERROR_NOT_PERMITTED,
                      _("INBOX and Outbox cannot be deleted"));
    hp_store_task_add(&self->task, HP_NEWS_ENDED, id, 0);
    return erase_mailbox(conn, id, error);
}

gboolean
hp_store_delete(HpStore *self, const char *name, GError **error)
{
    g_autofree char *normal = hp_store_normal_name(name);
    g_auto(HpStoreTask) task = hp_store_task(self);
    TreeWork work = new_work(task, normal, NULL);

    if (normal == NULL)
        return refuse(error, HP_STORE_ERROR_NOT_FOUND,
                      _("there is no mailbox of that name"));
    return hp_store_write(&work.task, delete_mailbox, HP_STORE_BIG_ROWS, error);
}
