#include "hp-log.h"
#include "hp-queue-private.h"

#include <glib/gi18n.h>
#include <string.h>

#define FIRST_RETRY_USEC   (30 * G_TIME_SPAN_SECOND)
#define LONGEST_RETRY_USEC G_TIME_SPAN_HOUR

struct _HpHandover {
    HpQueue *queue;   /* (unowned) */
    HpThread *thread; /* (owned) (nullable) */
    HpLock lock;
    HpCond news;
    /* guarded by lock: */
    gboolean pending;
    gboolean closing;
};

/* A row of the table. */
typedef struct {
    gint64 id; /* 0: there is none */
    int kind;
    gint64 message;
    gint64 content;
    char *prefix; /* (owned) */
} Row;

static void
clear_row(Row *row)
{
    g_free(row->prefix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Row, clear_row)

static gboolean
load_row(HpQueue *queue, gint64 after, Row *ret_row, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(HpDbConn) conn = hp_db_lease(queue->db);
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT id, kind, message, content, prefix FROM handover"
                                 " WHERE id > ?1 ORDER BY id LIMIT 1",
                                 "i", after);

    if (hp_db_step(stmt, &failure)) {
        ret_row->id = hp_db_int(stmt, 0);
        ret_row->kind = (int)hp_db_int(stmt, 1);
        ret_row->message = hp_db_int(stmt, 2);
        ret_row->content = hp_db_int(stmt, 3);
        ret_row->prefix = hp_db_dup_text(stmt, 4);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Handing over: the prefix, then the content. */

typedef struct {
    HpSlice prefix;
    HpContent *content; /* (unowned) */
} Joined;

static gssize
read_joined(gpointer data, guint64 offset, char *buffer, size_t size, GError **error)
{
    Joined *joined = data;
    size_t n;

    if (offset >= joined->prefix.len)
        return hp_content_read(joined->content, offset - joined->prefix.len, buffer, size,
                               error);
    n = MIN(size, joined->prefix.len - (size_t)offset);
    memcpy(buffer, joined->prefix.data + offset, n);
    return (gssize)n;
}

static gboolean
deliver(HpQueue *queue, const Row *row, GError **error)
{
    g_autofree char *origin =
        g_strdup_printf("%s-%" G_GINT64_FORMAT, queue->uid, row->id);
    g_autoptr(HpContent) content = hp_content_open(queue->contents, row->content, error);
    Joined joined = { hp_slice_of(row->prefix), content };

    return content != NULL &&
           queue->inbox.deliver(queue->inbox.self, origin,
                                joined.prefix.len + hp_content_size(content), &joined,
                                read_joined, error);
}

/* Recording it */

typedef struct {
    const Row *row;     /* (unowned) */
    HpQueueItem *item;  /* (unowned) (nullable): local recipients, delivered now */
    HpReports *reports; /* (unowned) */
    gint64 now_usec;
} Done;

static gboolean
done_work(HpDbConn *conn, gpointer data, GError **error)
{
    Done *done = data;

    if (!hp_db_run(conn, error, "DELETE FROM handover WHERE id = ?1", "i",
                   done->row->id) ||
        !hp_content_unref(conn, done->row->content, error))
        return FALSE;
    if (done->item == NULL)
        return TRUE;
    if (!hp_rows_save(conn, done->item, 1u << HP_JOB_WAITING, done->now_usec, error))
        return FALSE;
    return done->item->changed == 0 ||
           hp_reports_insert(conn, done->item->row, done->reports, error);
}

/* The recipients that a message is put into INBOX for; %NULL for none. */
static gboolean
load_local(HpQueue *queue, const Row *row, HpQueueItem **ret_item, GError **error)
{
    g_autoptr(HpDbConn) conn = NULL;
    g_autoptr(GError) failure = NULL;

    if (row->kind != HP_ROWS_TO_LOCAL)
        return TRUE;
    conn = hp_db_lease(queue->db);
    *ret_item =
        hp_rows_load(conn, row->message, HP_ROWS_LOCAL, 1u << HP_JOB_WAITING, &failure);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static HpJobTell *
finish_jobs(HpQueue *queue, HpQueueItem *item)
{
    HpJobNow now = hp_queue_now(queue);
    HpJobTell *tells = g_new0(HpJobTell, item->jobs->len);

    for (guint i = 0; i < item->jobs->len; i++) {
        HpCarryRecipient *recipient = item->carry.recipients->pdata[i];

        hp_job_next(&g_array_index(item->jobs, HpJob, i), HP_JOB_DELIVER, &now,
                    &tells[i]);
        hp_reply_clear(&recipient->reply);
        recipient->outcome = HP_OUTCOME_DELIVERED;
        recipient->reply.stage = HP_STAGE_LOCAL;
        recipient->reply.code = 250;
        g_strlcpy(recipient->reply.enhanced, "2.1.5", sizeof recipient->reply.enhanced);
        recipient->reply.text = g_strdup(_("put into your own INBOX"));
    }
    return tells;
}

static gboolean
record(HpQueue *queue, const Row *row, GError **error)
{
    g_autoptr(HpQueueItem) item = NULL;
    g_auto(HpReports) reports = { NULL };
    Done done = { row, NULL, &reports, hp_clock_now_usec(queue->clock, HP_CLOCK_WALL) };

    if (!load_local(queue, row, &item, error))
        return FALSE;
    done.item = item;
    if (item != NULL) {
        g_autofree HpJobTell *tells = finish_jobs(queue, item);

        if (!hp_reports_write(queue, item, tells, &reports, error))
            return FALSE;
    }
    if (!hp_db_write(queue->db, done_work, &done, error))
        return FALSE;
    if (item != NULL) {
        hp_reports_committed(queue, &reports);
        hp_queue_announce_item(queue, item);
    }
    return TRUE;
}

/* The thread */

static gboolean
is_closing(HpHandover *self)
{
    HP_LOCKED(&self->lock);

    return self->closing;
}

/* Hands over the first row after @row_id, which becomes that row's (0: there is none). */
static gboolean
hand_over_next(HpQueue *queue, gint64 *row_id, GError **error)
{
    g_auto(Row) row = { 0 };

    if (!load_row(queue, *row_id, &row, error)) {
        *row_id = 0; /* what comes after is not known either */
        return FALSE;
    }
    *row_id = row.id;
    return row.id == 0 || (deliver(queue, &row, error) && record(queue, &row, error));
}

/* Hands everything over once; FALSE if something is left. */
static gboolean
hand_over_all(HpHandover *self)
{
    gboolean all = TRUE;
    gint64 row_id = 0;

    do {
        g_autoptr(GError) error = NULL;

        if (is_closing(self))
            return FALSE;
        if (hand_over_next(self->queue, &row_id, &error))
            continue;
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not hand a message over: %s",
               error->message);
        all = FALSE;
    } while (row_id != 0);
    return all;
}

/* Waits for news; after @retry_usec (-1: never) goes on by itself. FALSE at the end. */
static gboolean
wait_for_news(HpHandover *self, gint64 retry_usec)
{
    gint64 until = retry_usec < 0 ? -1 : g_get_monotonic_time() + retry_usec;
    HP_LOCKED(&self->lock);

    while (!self->closing && !self->pending)
        if (!hp_cond_wait_until(&self->news, &self->lock, until))
            break;
    self->pending = FALSE;
    return !self->closing;
}

static void
run(gpointer data)
{
    HpHandover *self = data;
    gint64 retry = -1;

    do {
        if (hand_over_all(self))
            retry = -1;
        else
            retry = CLAMP(retry * 2, FIRST_RETRY_USEC, LONGEST_RETRY_USEC);
    } while (wait_for_news(self, retry));
}

HpHandover *
hp_handover_new(HpQueue *queue)
{
    HpHandover *self = g_new0(HpHandover, 1);

    self->queue = queue;
    hp_lock_init(&self->lock);
    hp_cond_init(&self->news);
    return self;
}

gboolean
hp_handover_start(HpHandover *self, GError **error)
{
    self->thread = hp_thread_start("handover", run, self, error);
    return self->thread != NULL;
}

void
hp_handover_stop(HpHandover *self)
{
    {
        HP_LOCKED(&self->lock);
        self->closing = TRUE;
        hp_cond_broadcast(&self->news);
    }
    if (self->thread != NULL)
        hp_thread_join(self->thread);
    self->thread = NULL;
}

void
hp_handover_free(HpHandover *self)
{
    if (self == NULL)
        return;
    hp_cond_clear(&self->news);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_handover_wake(HpHandover *self)
{
    HP_LOCKED(&self->lock);

    self->pending = TRUE;
    hp_cond_signal(&self->news);
}
