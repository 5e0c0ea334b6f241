#include "hp-store-check.h"

#include "hp-store-private.h"

#include <glib/gi18n.h>

#define BATCH 256 /* contents in one read of the database */

void
hp_store_report_clear(HpStoreReport *self)
{
    g_clear_pointer(&self->ret_texts, g_ptr_array_unref);
}

static void
begin_report(HpStoreReport *report)
{
    report->ret_messages = 0;
    report->ret_problems = 0;
    if (report->ret_texts == NULL)
        report->ret_texts = g_ptr_array_new_with_free_func(g_free);
}

/* Takes @text. */
static void
add_problem(HpStoreReport *report, char *text)
{
    report->ret_problems++;
    if (report->ret_texts->len < HP_STORE_MAX_PROBLEMS)
        g_ptr_array_add(report->ret_texts, text);
    else
        g_free(text);
}

/* What cannot be read is not known to be well. @failure: (nullable) */
static void
add_failure(HpStoreReport *report, const GError *failure)
{
    if (failure != NULL)
        add_problem(report,
                    g_strdup_printf(_("mail.db is damaged: %s"), failure->message));
}

static void
check_database(HpStore *self, HpStoreReport *report)
{
    g_autoptr(GPtrArray) findings = hp_db_check(self->db, report->full, report->cancel);

    for (guint i = 0; i < findings->len; i++)
        add_problem(report, g_strdup_printf(_("mail.db is damaged: %s"),
                                            (const char *)findings->pdata[i]));
}

/* An entry, as a person finds it. */
typedef struct {
    gint64 content;
    gint64 uid;
    char *mailbox; /* (owned) */
} Place;

static void
clear_place(gpointer place)
{
    g_free(((Place *)place)->mailbox);
}

/* One entry of each of the next contents. */
static GArray *
list_places(HpStore *self, gint64 after, GError **error)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(Place));
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT e.content, min(e.uid),"
        " (SELECT name FROM mailbox m WHERE m.id = e.mailbox) FROM entry e"
        " WHERE e.content > ?1 GROUP BY e.content ORDER BY e.content LIMIT ?2",
        "ii", after, (gint64)BATCH);

    g_array_set_clear_func(places, clear_place);
    while (hp_db_step(stmt, error)) {
        Place place = { hp_db_int(stmt, 0), hp_db_int(stmt, 1), hp_db_dup_text(stmt, 2) };

        g_array_append_val(places, place);
    }
    return places;
}

static void
check_place(HpStore *self, const Place *place, HpStoreReport *report)
{
    g_autoptr(GError) error = NULL;

    report->ret_messages++;
    if (!hp_contents_check(self->contents, place->content, report->full, &error))
        add_problem(report, g_strdup_printf(_("%s, message %lld: %s"),
                                            place->mailbox != NULL ? place->mailbox : "?",
                                            (long long)place->uid, error->message));
}

static void
check_contents(HpStore *self, HpStoreReport *report)
{
    gint64 after = 0;
    guint n;

    do {
        g_autoptr(GError) failure = NULL;
        g_autoptr(GArray) places = list_places(self, after, &failure);

        add_failure(report, failure);
        n = places->len;
        for (guint i = 0; i < n && !g_cancellable_is_cancelled(report->cancel); i++)
            check_place(self, &g_array_index(places, Place, i), report);
        if (n > 0)
            after = g_array_index(places, Place, n - 1).content;
    } while (n > 0 && !g_cancellable_is_cancelled(report->cancel));
}

static void
check_counts(HpStore *self, HpStoreReport *report)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT name FROM mailbox WHERE (messages, unseen, deleted, octets)"
        " <> " HP_STORE_TRUE_COUNTS " OR uidnext <= (SELECT ifnull(max(uid), 0) FROM "
        "entry WHERE mailbox = mailbox.id)",
        "");

    while (hp_db_step(stmt, &failure))
        add_problem(report,
                    g_strdup_printf(_("%s: the counts are wrong"), hp_db_text(stmt, 0)));
    add_failure(report, failure);
}

static void
check_orphans(HpStore *self, HpStoreReport *report)
{
    g_autoptr(GPtrArray) orphans = hp_contents_list_orphans(self->contents, NULL);

    for (guint i = 0; orphans != NULL && i < orphans->len; i++) {
        const HpContentOrphan *orphan = orphans->pdata[i];

        add_problem(report, g_strdup_printf(_("messages/%s belongs to no message"),
                                            orphan->file));
    }
}

#define HOMELESS_ANNOTATIONS                                                             \
    " FROM annotation WHERE mailbox <> 0 AND mailbox NOT IN (SELECT id FROM mailbox)"

static void
check_annotations(HpStore *self, HpStoreReport *report)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT DISTINCT mailbox" HOMELESS_ANNOTATIONS, "");

    while (hp_db_step(stmt, &failure))
        add_problem(report,
                    g_strdup(_("there are annotations of a mailbox that is not there")));
    add_failure(report, failure);
}

void
hp_store_check(HpStore *self, HpStoreReport *report)
{
    begin_report(report);
    check_database(self, report);
    check_contents(self, report);
    if (g_cancellable_is_cancelled(report->cancel))
        return;
    check_counts(self, report);
    check_annotations(self, report);
    check_orphans(self, report);
}

static gboolean
fix_rows(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_db_run(conn, error, HP_STORE_FIX_COUNTS, "") &&
           hp_db_run(conn, error, HP_STORE_FIX_UIDNEXT, "") &&
           hp_db_run(conn, error, "DELETE" HOMELESS_ANNOTATIONS, "");
}

/* Contents without an entry and files without a content. */
typedef struct {
    HpStoreTask task;
    gint64 mailbox;
    GPtrArray *orphans; /* (owned): HpContentOrphan */
    guint64 recovered;  /* out */
} Recovery;

static gboolean
adopt_orphans(HpDbConn *conn, Recovery *self, GError **error)
{
    for (guint i = 0; i < self->orphans->len; i++) {
        gint64 content;

        if (!hp_content_adopt(conn, self->orphans->pdata[i], &content, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
list_homeless(HpDbConn *conn, HpNews *news, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT id, size FROM content WHERE NOT EXISTS"
                                 " (SELECT 1 FROM entry WHERE content = content.id)",
                                 "");
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        HpViewEntry entry = { .content = hp_db_int(stmt, 0),
                              .size =
                                  (guint32)MIN(hp_db_int(stmt, 1), (gint64)G_MAXUINT32) };

        hp_news_add(news, entry, NULL);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
house(HpDbConn *conn, Recovery *self, HpNews *news, GError **error)
{
    gint64 now = hp_clock_now_usec(self->task.store->clock, HP_CLOCK_WALL), first;
    HpCounts counts = { 0 };

    if (!hp_store_take_uids(conn, self->mailbox, news->entries->len, &first, error))
        return FALSE;
    for (guint i = 0; i < news->entries->len; i++) {
        HpViewEntry *entry = &g_array_index(news->entries, HpViewEntry, i);

        entry->uid = (guint32)(first + i);
        entry->modseq = news->modseq;
        entry->internal_usec = now;
        hp_counts_add(&counts, 1, 0, entry->size);
        if (!hp_db_run(conn, error,
                       "INSERT INTO entry (mailbox, uid, content, size, modseq,"
                       " internal_usec, saved_usec, email, thread)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?3, ?3)",
                       "iiiiii", self->mailbox, (gint64)entry->uid, entry->content,
                       (gint64)entry->size, (gint64)entry->modseq, now))
            return FALSE;
    }
    self->recovered = news->entries->len;
    return hp_store_count(conn, self->mailbox, &counts, error);
}

static gboolean
recover(HpDbConn *conn, gpointer data, GError **error)
{
    Recovery *self = data;
    gint64 modseq;
    HpNews *news;

    if (!adopt_orphans(conn, self, error) ||
        !hp_store_next_modseq(conn, self->mailbox, &modseq, error))
        return FALSE;
    news = hp_store_task_add(&self->task, HP_NEWS_ADDED, self->mailbox, (guint64)modseq);
    return list_homeless(conn, news, error) && house(conn, self, news, error);
}

/* %G_MAXUINT64 if that cannot be found out. */
static guint64
count_homeless(HpStore *self)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT count(*) FROM content WHERE NOT EXISTS"
                                 " (SELECT 1 FROM entry WHERE content = content.id)",
                                 "");

    return hp_db_step(stmt, NULL) ? (guint64)hp_db_int(stmt, 0) : G_MAXUINT64;
}

static gboolean
find_or_make(HpStore *self, const char *name, gint64 *ret_id, GError **error)
{
    g_autoptr(HpStoreMailbox) mailbox = hp_store_find(self, name, NULL);

    if (mailbox == NULL)
        return hp_store_create(self, name, NULL, ret_id, error) &&
               hp_store_set_subscribed(self, name, TRUE, error);
    *ret_id = mailbox->id;
    return TRUE;
}

static gboolean
recover_all(HpStore *self, HpStoreReport *report, GError **error)
{
    g_autoptr(GPtrArray) orphans = hp_contents_list_orphans(self->contents, error);
    g_auto(HpStoreTask) task = hp_store_task(self);
    Recovery work = { .task = task, .orphans = orphans };

    if (orphans == NULL)
        return FALSE;
    if (orphans->len == 0 && count_homeless(self) == 0)
        return TRUE;
    if (!find_or_make(self, HP_STORE_RECOVERED, &work.mailbox, error) ||
        !hp_store_write(&work.task, recover, HP_STORE_BIG_ROWS, error))
        return FALSE;
    report->ret_recovered = work.recovered;
    return TRUE;
}

gboolean
hp_store_repair(HpStore *self, HpStoreReport *report, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_auto(HpStoreTask) task = hp_store_task(self);

    begin_report(report);
    if (!hp_db_is_writable(self->db)) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED,
                    _("mail.db is damaged and can only be repaired while the daemon does "
                      "not run"));
        return FALSE;
    }
    /* What is to be erased must not come back. */
    if (!hp_store_drop_contents(self, &failure) ||
        !hp_contents_erase(self->contents, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    if (!recover_all(self, report, error) ||
        !hp_store_write(&task, fix_rows, HP_STORE_BIG_ROWS, error))
        return FALSE;
    hp_store_check(self, report);
    return TRUE;
}
