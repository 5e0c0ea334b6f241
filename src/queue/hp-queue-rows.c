#include "hp-queue-rows.h"

#include "hp-address.h"
#include "hp-text.h"

#define EVENTS_PER_ATTEMPT 64
#define EVENT_TEXT_MAX     1200 /* characters; a reply is at most 1,000 */
#define SHARE_BATCH        256
#define REFUSED_FAMILY_FOR (7 * G_TIME_SPAN_DAY) /* then it gets another try */
#define STATE_BIT(state)   (1u << (state))

void
hp_rows_event_clear(gpointer event)
{
    HpRowsEvent *self = event;

    g_free(self->host);
    g_free(self->recipient);
    g_free(self->text);
}

static void
free_recipient(gpointer data)
{
    HpCarryRecipient *recipient = data;

    g_free(recipient->address);
    g_free(recipient->orcpt);
    hp_reply_clear(&recipient->reply);
    g_free(recipient);
}

static HpQueueItem *
new_item(void)
{
    HpQueueItem *self = g_slice_new0(HpQueueItem);

    self->carry.recipients = g_ptr_array_new_with_free_func(free_recipient);
    self->jobs = g_array_new(FALSE, TRUE, sizeof(HpJob));
    self->events = g_array_new(FALSE, TRUE, sizeof(HpRowsEvent));
    g_array_set_clear_func(self->events, hp_rows_event_clear);
    return self;
}

void
hp_queue_item_free(HpQueueItem *self)
{
    if (self == NULL)
        return;
    g_free(self->carry.id);
    g_free(self->carry.sender);
    g_free(self->carry.envid);
    g_ptr_array_unref(self->carry.recipients);
    g_free(self->client);
    g_free(self->subject);
    g_free(self->message_id);
    g_array_unref(self->jobs);
    g_array_unref(self->events);
    g_slice_free(HpQueueItem, self);
}

static char *
dup_printable(const char *text)
{
    return text != NULL ? hp_text_printable(hp_slice_of(text), EVENT_TEXT_MAX) : NULL;
}

void
hp_queue_item_tell(HpQueueItem *self, const HpRowsEvent *event)
{
    HpRowsEvent copy = *event;

    if (self->events->len >= EVENTS_PER_ATTEMPT)
        return;
    copy.host = dup_printable(event->host);
    copy.recipient = dup_printable(event->recipient);
    copy.text = dup_printable(event->text);
    g_array_append_val(self->events, copy);
}

char *
hp_rows_destination(const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *ascii = NULL;

    if (at == NULL || at[1] == '\0')
        return NULL;
    if (hp_text_is_ascii(hp_slice_of(at + 1)))
        return g_ascii_strdown(at + 1, -1);
    ascii = hp_address_domain_to_ascii(at + 1);
    return ascii != NULL ? g_ascii_strdown(ascii, -1) : g_utf8_strdown(at + 1, -1);
}

/* Inserting */

/* Who has no destination is at home here. */
static gboolean
insert_recipient(HpDbConn *conn, gint64 message, const HpEnvelopeRecipient *recipient,
                 gint64 due_usec, GError **error)
{
    g_autofree char *destination =
        recipient->local ? NULL : hp_rows_destination(recipient->address);

    if (destination == NULL)
        return hp_db_run(conn, error,
                         "INSERT INTO recipient (message, address, orcpt, notify, state)"
                         " VALUES (?1, ?2, ?3, ?4, 0)",
                         "issi", message, recipient->address, recipient->orcpt,
                         (gint64)recipient->notify);
    return hp_db_run(conn, error,
                     "INSERT INTO recipient (message, address, destination, orcpt,"
                     " notify, state, due) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
                     "isssii", message, recipient->address, destination, recipient->orcpt,
                     (gint64)recipient->notify, due_usec);
}

static gboolean
insert_message(HpDbConn *conn, const HpRowsNew *m, GError **error)
{
    const HpEnvelope *e = m->envelope;

    return hp_db_run(conn, error,
                     "INSERT INTO message (name, content, size, sender, ret, envid,"
                     " smtputf8, eight_bit, hops, client, subject, message_id, submitted,"
                     " online_at, open)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                     " ?14, ?15)",
                     "siisisiiisssiii", m->name, m->content, (gint64)m->size, e->sender,
                     (gint64)e->ret, e->envid, (gint64)e->smtputf8, (gint64)e->eight_bit,
                     (gint64)e->hops, e->client, e->subject, e->message_id, m->now_usec,
                     m->online_usec, (gint64)e->recipients->len);
}

/* Final delivery adds Return-Path (RFC 5321 §4.4). */
static gboolean
insert_local_handover(HpDbConn *conn, gint64 message, const HpRowsNew *m, GError **error)
{
    g_autofree char *prefix =
        g_strdup_printf("Return-Path: <%s>\r\n", m->envelope->sender);

    HpRowsHandover handover = { HP_ROWS_TO_LOCAL, message, m->content, prefix };

    return hp_content_ref(conn, m->content, error) &&
           hp_rows_add_handover(conn, &handover, error);
}

gboolean
hp_rows_insert(HpDbConn *conn, const HpRowsNew *m, GError **error)
{
    gboolean any_local = FALSE;
    gint64 row;

    if (!insert_message(conn, m, error))
        return FALSE;
    row = hp_db_last_id(conn);
    for (guint i = 0; i < m->envelope->recipients->len; i++) {
        const HpEnvelopeRecipient *recipient = m->envelope->recipients->pdata[i];

        if (!insert_recipient(conn, row, recipient, m->due_usec, error))
            return FALSE;
        any_local =
            any_local || recipient->local || strchr(recipient->address, '@') == NULL;
    }
    return !any_local || insert_local_handover(conn, row, m, error);
}

gboolean
hp_rows_is_taken(HpDbConn *conn, const char *name, gboolean *ret_taken, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT EXISTS (SELECT 1 FROM message WHERE name = ?1)"
                                 " OR EXISTS (SELECT 1 FROM retired WHERE name = ?1)",
                                 "s", name);
    gint64 taken;

    if (!hp_rows_take_number(stmt, 0, &taken, error))
        return FALSE;
    *ret_taken = taken != 0;
    return TRUE;
}

gboolean
hp_rows_add_handover(HpDbConn *conn, const HpRowsHandover *handover, GError **error)
{
    return hp_db_run(conn, error,
                     "INSERT INTO handover (kind, message, content, prefix)"
                     " VALUES (?1, ?2, ?3, ?4)",
                     "iiis", (gint64)handover->kind, handover->message, handover->content,
                     handover->prefix);
}

/* Finding */

gboolean
hp_rows_take_number(HpDbStmt *stmt, gint64 none, gint64 *ret_number, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean found = hp_db_step(stmt, &failure);

    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_number = found ? hp_db_int(stmt, 0) : none;
    hp_db_reset(stmt);
    return TRUE;
}

gboolean
hp_rows_first_due(HpDbConn *conn, const char *destination, gint64 now_usec,
                  gint64 *ret_row, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT message FROM recipient WHERE destination = ?1"
                                 " AND due <= ?2 ORDER BY due LIMIT 1",
                                 "si", destination, now_usec);

    return hp_rows_take_number(stmt, 0, ret_row, error);
}

gboolean
hp_rows_next_due(HpDbConn *conn, const char *destination, gint64 *ret_due_usec,
                 GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT due FROM recipient WHERE destination = ?1"
                                 " AND due IS NOT NULL ORDER BY due LIMIT 1",
                                 "s", destination);

    return hp_rows_take_number(stmt, G_MAXINT64, ret_due_usec, error);
}

static HpQueueItem *
load_message(HpDbConn *conn, gint64 row, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT name, content, size, sender, ret, envid,"
                                 " smtputf8, eight_bit, client, subject, message_id,"
                                 " submitted, online_at FROM message WHERE id = ?1",
                                 "i", row);
    HpQueueItem *item;

    if (!hp_db_step(stmt, error))
        return NULL;
    item = new_item();
    item->row = row;
    item->carry.id = hp_db_dup_text(stmt, 0);
    item->content = hp_db_int(stmt, 1);
    item->carry.size = (guint64)hp_db_int(stmt, 2);
    item->carry.sender = hp_db_dup_text(stmt, 3);
    item->carry.ret = (HpRet)hp_db_int(stmt, 4);
    item->carry.envid = hp_db_dup_text(stmt, 5);
    item->carry.smtputf8 = hp_db_int(stmt, 6) != 0;
    item->carry.eight_bit = hp_db_int(stmt, 7) != 0;
    item->client = hp_db_dup_text(stmt, 8);
    item->subject = hp_db_dup_text(stmt, 9);
    item->message_id = hp_db_dup_text(stmt, 10);
    item->submitted_usec = hp_db_int(stmt, 11);
    item->online_at_usec = hp_db_int(stmt, 12);
    hp_db_reset(stmt);
    return item;
}

#define RECIPIENT_COLUMNS                                                                \
    "id, address, orcpt, notify, state, due, attempts, days, last_day, delay_told,"      \
    " stage, code, enhanced, reply, host, doubt, doubt_day"

static void
add_recipient(HpQueueItem *item, HpDbStmt *stmt)
{
    HpCarryRecipient *recipient = g_new0(HpCarryRecipient, 1);
    const char *enhanced = hp_db_text(stmt, 12);
    HpJob job = {
        .state = hp_job_state_of_number(hp_db_int(stmt, 4)),
        .due_usec = hp_db_is_null(stmt, 5) ? G_MAXINT64 : hp_db_int(stmt, 5),
        .submitted_usec = item->submitted_usec,
        .online_at_usec = item->online_at_usec,
        .attempts = (guint)hp_db_int(stmt, 6),
        .days = (guint)hp_db_int(stmt, 7),
        .last_day = hp_db_int(stmt, 8),
        .delay_told = hp_db_int(stmt, 9) != 0,
        .doubt_usec = hp_db_int(stmt, 15),
        .doubt_day = hp_db_int(stmt, 16),
    };

    recipient->key = hp_db_int(stmt, 0);
    recipient->address = hp_db_dup_text(stmt, 1);
    recipient->orcpt = hp_db_dup_text(stmt, 2);
    recipient->notify = (guint)hp_db_int(stmt, 3);
    recipient->reply.stage = (HpStage)hp_db_int(stmt, 10);
    recipient->reply.code = (guint)hp_db_int(stmt, 11);
    g_strlcpy(recipient->reply.enhanced, enhanced != NULL ? enhanced : "",
              sizeof recipient->reply.enhanced);
    recipient->reply.text = hp_db_dup_text(stmt, 13);
    recipient->reply.host = hp_db_dup_text(stmt, 14);
    g_ptr_array_add(item->carry.recipients, recipient);
    g_array_append_val(item->jobs, job);
}

HpQueueItem *
hp_rows_load(HpDbConn *conn, gint64 row, HpRowsSide side, guint states, GError **error)
{
    g_autoptr(HpQueueItem) item = load_message(conn, row, error);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt;

    if (item == NULL)
        return NULL;
    stmt = hp_db_query(conn,
                       "SELECT " RECIPIENT_COLUMNS " FROM recipient WHERE message = ?1"
                       " AND (1 << state) & ?2 AND (destination IS NULL) = ?3"
                       " ORDER BY id",
                       "iii", row, (gint64)states, (gint64)(side == HP_ROWS_LOCAL));
    while (hp_db_step(stmt, &failure))
        add_recipient(item, stmt);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return item->jobs->len > 0 ? g_steal_pointer(&item) : NULL;
}

/* Claiming */

static gboolean
load_due(HpDbConn *conn, HpQueueItem *item, const char *destination, gint64 now_usec,
         GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT " RECIPIENT_COLUMNS " FROM recipient"
                                 " WHERE message = ?1 AND destination = ?2 AND due <= ?3"
                                 " ORDER BY id LIMIT ?4",
                                 "isii", item->row, destination, now_usec,
                                 (gint64)HP_ROWS_TRANSACTION_MAX);

    while (hp_db_step(stmt, &failure))
        add_recipient(item, stmt);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
begin_attempt(HpDbConn *conn, HpQueueItem *item, const char *destination,
              const HpJobNow *now, GError **error)
{
    if (!hp_db_run(conn, error,
                   "INSERT INTO attempt (message, destination, started)"
                   " VALUES (?1, ?2, ?3)",
                   "isi", item->row, destination, now->wall_usec))
        return FALSE;
    item->attempt = hp_db_last_id(conn);
    for (guint i = 0; i < item->jobs->len; i++) {
        HpJob *job = &g_array_index(item->jobs, HpJob, i);
        const HpCarryRecipient *recipient = item->carry.recipients->pdata[i];

        if (job->state == HP_JOB_HELD)
            hp_job_next(job, HP_JOB_RELEASE, now, NULL);
        hp_job_next(job, HP_JOB_CLAIM, now, NULL);
        if (!hp_db_run(conn, error,
                       "UPDATE recipient SET state = 1, due = NULL, attempt = ?2"
                       " WHERE id = ?1",
                       "ii", recipient->key, item->attempt))
            return FALSE;
    }
    return TRUE;
}

gboolean
hp_rows_claim(HpDbConn *conn, const char *destination, const HpJobNow *now,
              HpQueueItem **ret_item, GError **error)
{
    g_autoptr(HpQueueItem) item = NULL;
    gint64 row;

    if (!hp_rows_first_due(conn, destination, now->wall_usec, &row, error))
        return FALSE;
    if (row == 0) {
        *ret_item = NULL;
        return TRUE;
    }
    item = load_message(conn, row, error);
    if (item == NULL || !load_due(conn, item, destination, now->wall_usec, error) ||
        !begin_attempt(conn, item, destination, now, error) ||
        !hp_rows_save_online(conn, now->online_usec, error))
        return FALSE;
    item->carry.may_go_plain =
        hp_job_may_go_plain(&g_array_index(item->jobs, HpJob, 0), now);
    *ret_item = g_steal_pointer(&item);
    return TRUE;
}

/* Saving */

gboolean
hp_rows_add_event(HpDbConn *conn, gint64 message, const HpRowsEvent *event,
                  GError **error)
{
    return hp_db_run(conn, error,
                     "INSERT INTO event (message, at, kind, stage, host, recipient, text)"
                     " VALUES (?1, ?2, ?3, nullif(?4, -1), ?5, ?6, ?7)",
                     "iisisss", message, event->at_usec, event->kind,
                     (gint64)event->stage, event->host, event->recipient, event->text);
}

static gboolean
save_job(HpDbConn *conn, const HpCarryRecipient *recipient, const HpJob *job,
         guint from_states, GError **error)
{
    const HpReply *reply = &recipient->reply;

    return hp_db_run(conn, error,
                     "UPDATE recipient SET state = ?2, due = nullif(?3, ?4),"
                     " attempts = ?5, days = ?6, last_day = ?7, delay_told = ?8,"
                     " stage = ?9, code = ?10, enhanced = ?11, reply = ?12, host = ?13,"
                     " doubt = ?15, doubt_day = ?16"
                     " WHERE id = ?1 AND (1 << state) & ?14",
                     "iiiiiiiiiisssiii", recipient->key, (gint64)job->state,
                     job->due_usec, (gint64)G_MAXINT64, (gint64)job->attempts,
                     (gint64)job->days, job->last_day, (gint64)job->delay_told,
                     (gint64)reply->stage, (gint64)reply->code,
                     reply->enhanced[0] != '\0' ? reply->enhanced : NULL, reply->text,
                     reply->host, (gint64)from_states, job->doubt_usec, job->doubt_day);
}

/* The last recipient is done: only the history is kept. */
static gboolean
finish_message(HpDbConn *conn, const HpQueueItem *item, gint64 now_usec, GError **error)
{
    return (item->content == 0 || hp_content_unref(conn, item->content, error)) &&
           hp_db_run(conn, error,
                     "UPDATE message SET finished = ?2, content = NULL WHERE id = ?1",
                     "ii", item->row, now_usec);
}

/* Some are done and others are not: when that was is in the story, for the message has no
 * time of its end yet. */
static gboolean
tell_settled(HpDbConn *conn, const HpQueueItem *item, const GArray *settled,
             gint64 now_usec, GError **error)
{
    for (guint i = 0; i < settled->len; i++) {
        guint n = g_array_index(settled, guint, i);
        const HpCarryRecipient *recipient = item->carry.recipients->pdata[n];
        HpJobState state = g_array_index(item->jobs, HpJob, n).state;
        g_autofree char *text = g_strdup(hp_job_state_name(state));
        HpRowsEvent event = { .at_usec = now_usec,
                              .kind = HP_ROWS_SETTLED,
                              .stage = -1,
                              .recipient = recipient->address,
                              .text = text };

        if (!hp_rows_add_event(conn, item->row, &event, error))
            return FALSE;
    }
    return TRUE;
}

/* @settled: numbers (guint) of the recipients that are done now */
static gboolean
settle(HpDbConn *conn, const HpQueueItem *item, const GArray *settled, gint64 now_usec,
       GError **error)
{
    HpDbStmt *stmt;
    gint64 open;

    if (!hp_db_run(conn, error, "UPDATE message SET open = open - ?2 WHERE id = ?1", "ii",
                   item->row, (gint64)settled->len))
        return FALSE;
    stmt = hp_db_query(conn, "SELECT open FROM message WHERE id = ?1", "i", item->row);
    if (!hp_db_step(stmt, error))
        return FALSE;
    open = hp_db_int(stmt, 0);
    hp_db_reset(stmt);
    return open > 0 ? tell_settled(conn, item, settled, now_usec, error)
                    : finish_message(conn, item, now_usec, error);
}

gboolean
hp_rows_save(HpDbConn *conn, HpQueueItem *item, guint from_states, gint64 now_usec,
             GError **error)
{
    g_autoptr(GArray) settled = g_array_new(FALSE, FALSE, sizeof(guint));

    item->changed = 0;
    for (guint i = 0; i < item->jobs->len; i++) {
        const HpJob *job = &g_array_index(item->jobs, HpJob, i);

        if (!save_job(conn, item->carry.recipients->pdata[i], job, from_states, error))
            return FALSE;
        if (hp_db_changes(conn) == 0)
            continue;
        item->changed++;
        if (hp_job_is_finished(job->state))
            g_array_append_val(settled, i);
    }
    for (guint i = 0; i < item->events->len; i++)
        if (!hp_rows_add_event(conn, item->row,
                               &g_array_index(item->events, HpRowsEvent, i), error))
            return FALSE;
    return settled->len == 0 || settle(conn, item, settled, now_usec, error);
}

gboolean
hp_rows_hurry(HpDbConn *conn, const char *destination, gint64 now_usec, GError **error)
{
    return hp_db_run(conn, error,
                     "UPDATE recipient SET due = ?2 WHERE destination = ?1 AND due > ?2"
                     " AND state = 0",
                     "si", destination, now_usec);
}

/* Sharing a failure */

typedef struct {
    gint64 id;
    gint64 message;
    gint64 due_usec;
    HpJob job;
} Shared;

static gboolean
load_shared(HpDbConn *conn, const HpRowsShare *share, GArray *shared, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT r.id, r.message, r.due, r.attempts, r.days, r.last_day, r.delay_told,"
        " m.submitted, m.online_at FROM recipient r JOIN message m ON m.id = r.message"
        " WHERE r.destination = ?1 AND r.due <= ?2 AND r.state = 0 AND r.due >= ?3"
        " AND (r.due > ?3 OR r.id > ?4) ORDER BY r.due, r.id LIMIT ?5",
        "siiii", share->destination, share->now.wall_usec, share->place.due_usec,
        share->place.id, (gint64)SHARE_BATCH);

    while (hp_db_step(stmt, &failure)) {
        Shared one = { .id = hp_db_int(stmt, 0), .message = hp_db_int(stmt, 1) };

        one.due_usec = hp_db_int(stmt, 2);
        one.job = (HpJob){ .state = HP_JOB_SENDING,
                           .attempts = (guint)hp_db_int(stmt, 3),
                           .days = (guint)hp_db_int(stmt, 4),
                           .last_day = hp_db_int(stmt, 5),
                           .delay_told = hp_db_int(stmt, 6) != 0,
                           .submitted_usec = hp_db_int(stmt, 7),
                           .online_at_usec = hp_db_int(stmt, 8) };
        g_array_append_val(shared, one);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
save_shared(HpDbConn *conn, const HpRowsShare *share, const Shared *one, GError **error)
{
    HpRowsEvent event = { .at_usec = share->now.wall_usec,
                          .kind = "failed",
                          .stage = (int)share->reply->stage,
                          .host = share->reply->host,
                          .text = share->reply->text };
    HpCarryRecipient recipient = { .key = one->id, .reply = *share->reply };

    return save_job(conn, &recipient, &one->job, STATE_BIT(HP_JOB_WAITING), error) &&
           hp_rows_add_event(conn, one->message, &event, error);
}

gboolean
hp_rows_share_failure(HpDbConn *conn, HpRowsShare *share, GError **error)
{
    g_autoptr(GArray) shared = g_array_new(FALSE, FALSE, sizeof(Shared));

    if (!load_shared(conn, share, shared, error))
        return FALSE;
    for (guint i = 0; i < shared->len; i++) {
        Shared *one = &g_array_index(shared, Shared, i);
        HpJobTell tell = HP_JOB_TELL_NOBODY;

        share->place = (HpRowsPlace){ one->due_usec, one->id };
        hp_job_next(&one->job, share->event, &share->now, &tell);
        if (tell == HP_JOB_TELL_NOBODY && !save_shared(conn, share, one, error))
            return FALSE;
    }
    return TRUE;
}

/* Taking the line's fault back */

static gboolean
load_doubtful(HpDbConn *conn, const HpJobNow *now, GArray *doubtful, GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT id, state, attempts, days, last_day, doubt,"
                                 " doubt_day FROM recipient WHERE state < 5"
                                 " AND doubt >= ?1",
                                 "i", now->wall_usec - HP_JOB_DOUBT_USEC);

    while (hp_db_step(stmt, &failure)) {
        Shared one = { .id = hp_db_int(stmt, 0) };

        one.job = (HpJob){ .state = hp_job_state_of_number(hp_db_int(stmt, 1)),
                           .attempts = (guint)hp_db_int(stmt, 2),
                           .days = (guint)hp_db_int(stmt, 3),
                           .last_day = hp_db_int(stmt, 4),
                           .doubt_usec = hp_db_int(stmt, 5),
                           .doubt_day = hp_db_int(stmt, 6) };
        g_array_append_val(doubtful, one);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
hp_rows_absolve(HpDbConn *conn, const HpJobNow *now, GError **error)
{
    g_autoptr(GArray) doubtful = g_array_new(FALSE, FALSE, sizeof(Shared));

    if (!load_doubtful(conn, now, doubtful, error))
        return FALSE;
    for (guint i = 0; i < doubtful->len; i++) {
        Shared *one = &g_array_index(doubtful, Shared, i);

        if (hp_job_next(&one->job, HP_JOB_ABSOLVE, now, NULL) &&
            !hp_db_run(conn, error,
                       "UPDATE recipient SET attempts = ?2, days = ?3, last_day = ?4,"
                       " doubt = 0 WHERE id = ?1",
                       "iiii", one->id, (gint64)one->job.attempts, (gint64)one->job.days,
                       one->job.last_day))
            return FALSE;
    }
    return TRUE;
}

/* Destinations and the whole */

gboolean
hp_rows_load_memory(HpDbConn *conn, const char *destination, gint64 now_usec,
                    HpRouteMemory *ret_memory, GError **error)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT seen_tls, seen_trusted, refused_ipv4,"
                                 " refused_ipv6 FROM destination WHERE name = ?1",
                                 "s", destination);
    g_autoptr(GError) failure = NULL;
    HpRouteMemory memory = { 0 };

    if (hp_db_step(stmt, &failure)) {
        memory.seen_tls = hp_db_int(stmt, 0) != 0;
        memory.seen_trusted = hp_db_int(stmt, 1) != 0;
        memory.refused_ipv4 = hp_db_int(stmt, 2) > now_usec;
        memory.refused_ipv6 = hp_db_int(stmt, 3) > now_usec;
    }
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    hp_db_reset(stmt);
    *ret_memory = memory;
    return TRUE;
}

gboolean
hp_rows_save_memory(HpDbConn *conn, const char *destination, const HpRouteMemory *news,
                    gint64 now_usec, GError **error)
{
    gint64 until = now_usec + REFUSED_FAMILY_FOR;

    return hp_db_run(conn, error,
                     "INSERT INTO destination (name, seen_tls, seen_trusted,"
                     " refused_ipv4, refused_ipv6) VALUES (?1, ?2, ?3, ?4, ?5)"
                     " ON CONFLICT (name) DO UPDATE SET"
                     " seen_tls = max(seen_tls, excluded.seen_tls),"
                     " seen_trusted = max(seen_trusted, excluded.seen_trusted),"
                     " refused_ipv4 = max(refused_ipv4, excluded.refused_ipv4),"
                     " refused_ipv6 = max(refused_ipv6, excluded.refused_ipv6)",
                     "siiii", destination, (gint64)news->seen_tls,
                     (gint64)news->seen_trusted, news->refused_ipv4 ? until : (gint64)0,
                     news->refused_ipv6 ? until : (gint64)0);
}

gboolean
hp_rows_save_online(HpDbConn *conn, gint64 online_usec, GError **error)
{
    return hp_db_run(conn, error, "UPDATE meta SET online_usec = max(online_usec, ?1)",
                     "i", online_usec);
}
