#include "hp-id.h"
#include "hp-log.h"
#include "hp-queue-private.h"
#include "hp-text.h"

#include <glib/gi18n.h>

#define SHOWN_OF_ID 40 /* characters of what is not an id, in the message about it */

/* Finding the message that a person means */

/* Names from @lo up to, not including, @hi begin with the prefix: 'Z' is the last letter
 * of the alphabet and '[' comes after it. */
gint64
hp_queue_find(HpDbConn *conn, const char *id, GError **error)
{
    g_autofree char *lo = NULL;
    g_autofree char *hi = NULL;
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt;
    gint64 row = 0;
    guint n = 0;

    if (!hp_id_is_prefix(hp_slice_of(id))) {
        g_autofree char *shown = hp_text_printable(hp_slice_of(id), SHOWN_OF_ID);

        g_set_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND,
                    _("“%s” is not the id of a message"), shown);
        return 0;
    }
    lo = hp_id_normalise(hp_slice_of(id));
    hi = g_strconcat(lo, "[", NULL);
    stmt =
        hp_db_query(conn, "SELECT id FROM message WHERE name >= ?1 AND name < ?2 LIMIT 2",
                    "ss", lo, hi);
    for (; hp_db_step(stmt, &failure); n++)
        row = hp_db_int(stmt, 0);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return 0;
    }
    hp_db_reset(stmt);
    if (n == 1)
        return row;
    g_set_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND,
                n == 0 ? _("there is no message “%s”")
                       : _("several messages begin with “%s”: give more of the id"),
                id); /* as it was typed: an O is read as a 0 */
    return 0;
}

char *
hp_queue_resolve(HpQueue *self, const char *id, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    gint64 row;
    HpDbStmt *stmt;
    char *name = NULL;

    /* One moment for both reads: what is found is there. */
    if (!hp_db_begin_snapshot(conn, error))
        return NULL;
    row = hp_queue_find(conn, id, error);
    if (row == 0)
        return NULL;
    stmt = hp_db_query(conn, "SELECT name FROM message WHERE id = ?1", "i", row);
    if (hp_db_step(stmt, error))
        name = hp_db_dup_text(stmt, 0);
    hp_db_reset(stmt);
    return name;
}

/* Taking a message out of the hands of deliveries */

/* Attempts that were called off before their dot; what is under way with its dot begun is
 * not among them. */
static GArray *
withdraw(HpQueue *self, gint64 row)
{
    GArray *attempts = g_array_new(FALSE, FALSE, sizeof(gint64));
    HP_LOCKED(&self->lock);

    for (guint i = 0; i < self->deliveries->len; i++) {
        HpDelivery *delivery = self->deliveries->pdata[i];

        if (delivery->item_row == row && hp_phases_withdraw(self->phases, delivery->slot))
            g_array_append_val(attempts, delivery->item_attempt);
        if (delivery->ahead_row == row) {
            delivery->ahead_withdrawn = TRUE;
            g_array_append_val(attempts, delivery->ahead_attempt);
        }
    }
    return attempts;
}

/* Was the attempt under way for @recipient called off? */
static gboolean
look_withdrawn(HpDbConn *conn, gint64 recipient, const GArray *attempts,
               gboolean *ret_withdrawn, GError **error)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT attempt FROM recipient WHERE id = ?1", "i", recipient);
    gint64 attempt;

    if (!hp_rows_take_number(stmt, 0, &attempt, error))
        return FALSE;
    *ret_withdrawn = FALSE;
    for (guint i = 0; attempts != NULL && i < attempts->len; i++)
        if (g_array_index(attempts, gint64, i) == attempt)
            *ret_withdrawn = TRUE;
    return TRUE;
}

/* One change of one message */

typedef struct {
    gint64 row;
    HpJobEvent event;
    const char *kind; /* (unowned): for the story */
    HpJobNow now;
    const GArray *withdrawn; /* (unowned) (nullable): attempts */
    HpQueueItem *item;       /* (owned) (nullable): out */
    guint done;              /* out: recipients */
    guint in_flight;         /* out: recipients that could not be stopped */
} Change;

static void
clear_change(Change *change)
{
    hp_queue_item_free(change->item);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Change, clear_change)

static gboolean
change_job(HpDbConn *conn, Change *change, guint i, GError **error)
{
    HpJob *job = &g_array_index(change->item->jobs, HpJob, i);
    const HpCarryRecipient *recipient = change->item->carry.recipients->pdata[i];
    gboolean stopped = TRUE;

    if (job->state == HP_JOB_SENDING &&
        !look_withdrawn(conn, recipient->key, change->withdrawn, &stopped, error))
        return FALSE;
    if (!stopped)
        change->in_flight++;
    else if (hp_job_next(job, change->event, &change->now, NULL))
        change->done++;
    return TRUE;
}

static gboolean
change_work(HpDbConn *conn, gpointer data, GError **error)
{
    Change *change = data;
    HpRowsEvent event = { .at_usec = change->now.wall_usec,
                          .kind = change->kind,
                          .stage = HP_STAGE_LOCAL };
    g_autoptr(GError) failure = NULL;

    g_clear_pointer(&change->item, hp_queue_item_free);
    change->done = change->in_flight = 0;
    change->item =
        hp_rows_load(conn, change->row, HP_ROWS_REMOTE, HP_QUEUE_WORKING, &failure);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    for (guint i = 0; change->item != NULL && i < change->item->jobs->len; i++)
        if (!change_job(conn, change, i, error))
            return FALSE;
    if (change->done == 0)
        return TRUE;
    hp_queue_item_tell(change->item, &event);
    return hp_rows_save(conn, change->item, HP_QUEUE_WORKING, change->now.wall_usec,
                        error);
}

/* What has a due time now is told to the dispatcher. */
static void
note_item(HpQueue *self, const HpQueueItem *item)
{
    for (guint i = 0; i < item->jobs->len; i++) {
        const HpCarryRecipient *recipient = item->carry.recipients->pdata[i];
        const HpJob *job = &g_array_index(item->jobs, HpJob, i);
        g_autofree char *destination = hp_rows_destination(recipient->address);

        if (job->due_usec != G_MAXINT64 && destination != NULL)
            hp_dispatcher_note_due(self, destination, job->due_usec);
    }
}

static gboolean
has_state(const Change *change, HpJobState state)
{
    for (guint i = 0; change->item != NULL && i < change->item->jobs->len; i++)
        if (g_array_index(change->item->jobs, HpJob, i).state == state)
            return TRUE;
    return FALSE;
}

/* What keeps a message from being tried now; first what the user can change. */
static gboolean
refuse_retry(const Change *change, GError **error)
{
    if (has_state(change, HP_JOB_HELD)) {
        g_set_error_literal(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_HELD,
                            _("this message is held back"));
        return FALSE;
    }
    g_set_error_literal(
        error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE,
        has_state(change, HP_JOB_UNCERTAIN)
            ? _("the server's last reply was lost, so this message may have arrived; it "
                "is not sent again before 30 minutes have passed")
        : has_state(change, HP_JOB_SENDING) ? _("this message is being handed over now")
                                            : _("this message is finished"));
    return FALSE;
}

static gboolean
refuse(const Change *change, const char *sentence, GError **error)
{
    if (change->event == HP_JOB_RETRY)
        return refuse_retry(change, error);
    g_set_error_literal(
        error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE,
        change->in_flight > 0
            ? _("this message is just being handed to the recipient's server and "
                "cannot be stopped any more")
            : sentence);
    return FALSE;
}

/* @sentence: why not, if no recipient can be changed; a retry has its own */
static gboolean
apply(HpQueue *self, const char *id, Change *change, const char *sentence, GError **error)
{
    g_autoptr(GArray) withdrawn = NULL;

    {
        g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

        change->row = hp_queue_find(conn, id, error);
    }
    if (change->row == 0)
        return FALSE;
    if (change->event == HP_JOB_CANCEL || change->event == HP_JOB_HOLD)
        withdrawn = withdraw(self, change->row);
    change->withdrawn = withdrawn;
    if (!hp_db_write(self->db, change_work, change, error))
        return FALSE;
    if (change->done == 0)
        return refuse(change, sentence, error);
    note_item(self, change->item);
    hp_queue_announce_item(self, change->item);
    return TRUE;
}

gboolean
hp_queue_retry(HpQueue *self, const char *id, guint *ret_n, GError **error)
{
    g_auto(Change)
        change = { .event = HP_JOB_RETRY, .kind = "retried", .now = hp_queue_now(self) };

    if (!apply(self, id, &change, NULL, error))
        return FALSE;
    hp_probe_ask(self);
    *ret_n = change.done;
    return TRUE;
}

gboolean
hp_queue_hold(HpQueue *self, const char *id, gint64 until_wall_usec, guint *ret_n,
              GError **error)
{
    g_auto(Change)
        change = { .event = HP_JOB_HOLD, .kind = "held", .now = hp_queue_now(self) };

    change.now.until_usec = until_wall_usec == G_MAXINT64 ? 0 : until_wall_usec;
    if (!apply(self, id, &change, _("this message has no recipient left to hold back"),
               error))
        return FALSE;
    *ret_n = change.done;
    return TRUE;
}

gboolean
hp_queue_release(HpQueue *self, const char *id, guint *ret_n, GError **error)
{
    g_auto(Change) change = { .event = HP_JOB_RELEASE,
                              .kind = "released",
                              .now = hp_queue_now(self) };

    if (!apply(self, id, &change, _("this message is not held back"), error))
        return FALSE;
    *ret_n = change.done;
    return TRUE;
}

gboolean
hp_queue_cancel(HpQueue *self, const char *id, guint *ret_n, GError **error)
{
    g_auto(Change) change = { .event = HP_JOB_CANCEL,
                              .kind = "cancelled",
                              .now = hp_queue_now(self) };

    if (!apply(self, id, &change, _("this message has no recipient left to give up"),
               error))
        return FALSE;
    *ret_n = change.done;
    return TRUE;
}

/* Everything, or everything for one domain */

typedef struct {
    char *destination; /* (owned) (nullable): all */
    gint64 now_usec;
    guint n; /* out */
} RetryAll;

static gboolean
retry_all_work(HpDbConn *conn, gpointer data, GError **error)
{
    RetryAll *all = data;

    if (!hp_db_run(conn, error,
                   "UPDATE recipient SET due = ?1 WHERE state = 0 AND due IS NOT NULL"
                   " AND (?2 IS NULL OR destination = ?2)",
                   "is", all->now_usec, all->destination))
        return FALSE;
    all->n = (guint)hp_db_changes(conn);
    return TRUE;
}

gboolean
hp_queue_retry_all(HpQueue *self, const char *domain, guint *ret_n, GError **error)
{
    g_autofree char *at = domain != NULL ? g_strconcat("@", domain, NULL) : NULL;
    g_autofree char *destination = at != NULL ? hp_rows_destination(at) : NULL;
    RetryAll all = { destination, hp_clock_now_usec(self->clock, HP_CLOCK_WALL), 0 };

    if (!hp_db_write_big(self->db, retry_all_work, &all, error))
        return FALSE;
    if (all.n > 0) {
        hp_dispatcher_hurry(self, destination, FALSE);
        hp_probe_ask(self);
    }
    *ret_n = all.n;
    return TRUE;
}
