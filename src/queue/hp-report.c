#include "hp-dsn.h"
#include "hp-explain.h"
#include "hp-header.h"
#include "hp-log.h"
#include "hp-queue-private.h"

#define COPY_OCTETS 16384 /* of the original at a time; a small stack holds it */

void
hp_reports_clear(HpReports *self)
{
    g_clear_pointer(&self->drafts, g_ptr_array_unref);
}

static void
free_draft(gpointer draft)
{
    hp_content_draft_free(draft);
}

/* What a report needs to know, copied, so that settings may change meanwhile. */
typedef struct {
    const HpQueue *queue;    /* (unowned) */
    const HpQueueItem *item; /* (unowned) */
    HpDsnInfo info;
    char *language;     /* (owned) */
    char *hostname;     /* (owned) */
    char *user_address; /* (owned) */
    char *user_name;    /* (owned) (nullable) */
    gint64 give_up_sec;
    GArray *recipients; /* (owned): HpDsnRecipient, of one action */
    HpContent *content; /* (owned) (nullable): the original */
} Report;

static void
clear_report(Report *report)
{
    g_free(report->language);
    g_free(report->hostname);
    g_free(report->user_address);
    g_free(report->user_name);
    g_array_unref(report->recipients);
    g_clear_pointer(&report->content, hp_content_close);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, clear_report)

/* Whose NOTIFY wants which news (RFC 3461 §4.1): without one, failures and delays. */
static gboolean
is_wanted(const HpCarryRecipient *recipient, HpDsnAction action)
{
    guint notify = recipient->notify;

    if ((notify & HP_NOTIFY_NEVER) != 0)
        return FALSE;
    switch (action) {
    case HP_DSN_FAILED:
        return notify == 0 || (notify & HP_NOTIFY_FAILURE) != 0;
    case HP_DSN_DELAYED:
        return notify == 0 || (notify & HP_NOTIFY_DELAY) != 0;
    case HP_DSN_DELIVERED:
    case HP_DSN_RELAYED:
        break;
    }
    return (notify & HP_NOTIFY_SUCCESS) != 0;
}

/* What there is to say of a recipient. A peer that does DSN has taken over the duty to
 * report on what it accepted (RFC 3461 §5.2.1). */
static gboolean
action_of(const HpCarryRecipient *recipient, HpJobTell tell, HpDsnAction *ret_action)
{
    switch (tell) {
    case HP_JOB_TELL_FAILURE:
        *ret_action = HP_DSN_FAILED;
        return TRUE;
    case HP_JOB_TELL_DELAY:
        *ret_action = HP_DSN_DELAYED;
        return TRUE;
    case HP_JOB_TELL_SUCCESS:
        *ret_action =
            recipient->reply.stage == HP_STAGE_LOCAL ? HP_DSN_DELIVERED : HP_DSN_RELAYED;
        return recipient->reply.stage == HP_STAGE_LOCAL || recipient->relayed_without_dsn;
    case HP_JOB_TELL_NOBODY:
        break;
    }
    return FALSE;
}

static const char *
reason_of(const HpQueueItem *item, guint i)
{
    if (item->reason != NULL)
        return item->reason;
    return g_array_index(item->jobs, HpJob, i).state == HP_JOB_EXPIRED
               ? HP_EXPLAIN_EXPIRED
               : NULL;
}

static void
collect(Report *report, const HpJobTell *tells, HpDsnAction action)
{
    const HpQueueItem *item = report->item;

    g_array_set_size(report->recipients, 0);
    for (guint i = 0; i < item->jobs->len; i++) {
        const HpCarryRecipient *recipient = item->carry.recipients->pdata[i];
        HpDsnAction its;
        HpDsnRecipient one = { .address = recipient->address,
                               .orcpt = recipient->orcpt,
                               .action = action,
                               .reply = &recipient->reply };

        if (!action_of(recipient, tells[i], &its) || its != action ||
            !is_wanted(recipient, action))
            continue;
        one.reason = reason_of(item, i);
        one.last_attempt_usec = report->info.now_usec;
        if (action == HP_DSN_DELAYED)
            one.retry_until_usec =
                item->submitted_usec + report->give_up_sec * G_USEC_PER_SEC;
        g_array_append_val(report->recipients, one);
    }
}

static void
prepare(Report *report, HpQueue *queue, const HpQueueItem *item)
{
    report->queue = queue;
    report->item = item;
    report->recipients = g_array_new(FALSE, FALSE, sizeof(HpDsnRecipient));
    {
        HP_LOCKED(&queue->lock);
        report->language = g_strdup(queue->language);
        report->hostname = g_strdup(queue->bounce_from_domain);
        report->user_address = g_strdup(queue->user_address);
        report->user_name = g_strdup(queue->user_name);
        report->give_up_sec = queue->give_up_sec;
    }
    report->info =
        (HpDsnInfo){ .explain = queue->explain,
                     .language = report->language,
                     .hostname = report->hostname,
                     .user_address = report->user_address,
                     .user_name = report->user_name,
                     .id = item->carry.id,
                     .envid = item->carry.envid,
                     .subject = item->subject,
                     .message_id = item->message_id,
                     .arrival_usec = item->submitted_usec,
                     .now_usec = hp_clock_now_usec(queue->clock, HP_CLOCK_WALL) };
}

/* Opens the original once; without it the report still says what happened. */
static GBytes *
load_header(Report *report)
{
    g_autoptr(GError) error = NULL;
    GBytes *bytes = NULL;

    if (report->content == NULL && report->item->content != 0)
        report->content =
            hp_content_open(report->queue->contents, report->item->content, &error);
    if (report->content != NULL)
        bytes = hp_content_load(report->content, HP_HEADER_MAX_BLOCK, &error);
    if (error != NULL)
        hp_log("queue", report->item->carry.id, G_LOG_LEVEL_WARNING,
               "could not read the message for its report: %s", error->message);
    return bytes != NULL ? bytes : g_bytes_new_static("\r\n", 2);
}

/* @ret_unreadable: set if it is the original's fault */
static gboolean
append_original(HpContentDraft *draft, HpContent *content, gboolean *ret_unreadable,
                GError **error)
{
    g_autofree char *buffer = g_malloc(COPY_OCTETS);
    guint64 offset = 0;
    gssize n;

    while ((n = hp_content_read(content, offset, buffer, COPY_OCTETS, error)) > 0) {
        if (!hp_content_draft_append(draft, (HpSlice){ buffer, (size_t)n }, error))
            return FALSE;
        offset += (guint64)n;
    }
    *ret_unreadable = n < 0;
    return n == 0;
}

/* @full: with the whole original, else with its header */
static HpContentDraft *
write_as(Report *report, HpSlice header, gboolean full, gboolean *ret_unreadable,
         GError **error)
{
    g_autoptr(HpContentDraft) draft = hp_content_draft_new(report->queue->contents);
    g_autoptr(GString) head = g_string_new(NULL);
    g_autoptr(GString) tail = g_string_new(NULL);

    hp_dsn_write(&report->info, header, full, head, tail);
    if (!hp_content_draft_append(draft, hp_slice_of_string(head), error) ||
        (full && !append_original(draft, report->content, ret_unreadable, error)) ||
        !hp_content_draft_append(draft, hp_slice_of_string(tail), error) ||
        !hp_content_draft_finish(draft, error))
        return NULL;
    return g_steal_pointer(&draft);
}

/* An original that cannot be read to its end must not keep the news back. */
static HpContentDraft *
write_one(Report *report, HpDsnAction action, GError **error)
{
    g_autoptr(GBytes) header = load_header(report); /* opens the original */
    gboolean full =
        report->content != NULL && hp_dsn_wants_full(action, report->item->carry.ret);
    g_autoptr(GError) failure = NULL;
    gboolean unreadable = FALSE;
    HpContentDraft *draft;

    report->info.recipients =
        (const HpDsnRecipient *)(gconstpointer)report->recipients->data;
    report->info.n_recipients = report->recipients->len;
    draft = write_as(report, hp_slice_of_bytes(header), full, &unreadable, &failure);
    if (unreadable) {
        hp_log("queue", report->item->carry.id, G_LOG_LEVEL_WARNING,
               "its report has only its header: %s", failure->message);
        return write_as(report, hp_slice_of_bytes(header), FALSE, &unreadable, error);
    }
    if (draft == NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    return draft;
}

gboolean
hp_reports_write(HpQueue *queue, const HpQueueItem *item, const HpJobTell *tells,
                 HpReports *ret_reports, GError **error)
{
    static const HpDsnAction actions[] = { HP_DSN_FAILED, HP_DSN_DELAYED,
                                           HP_DSN_DELIVERED, HP_DSN_RELAYED };
    g_auto(Report) report = { 0 };

    hp_reports_clear(ret_reports);
    ret_reports->drafts = g_ptr_array_new_with_free_func(free_draft);
    prepare(&report, queue, item);
    if (item->carry.sender[0] == '\0')
        return TRUE; /* nobody to tell (RFC 5321 §4.5.5) */
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        HpContentDraft *draft;

        collect(&report, tells, actions[i]);
        if (report.recipients->len == 0)
            continue;
        draft = write_one(&report, actions[i], error);
        if (draft == NULL)
            return FALSE;
        g_ptr_array_add(ret_reports->drafts, draft);
    }
    return TRUE;
}

gboolean
hp_reports_insert(HpDbConn *conn, gint64 message, HpReports *reports, GError **error)
{
    for (guint i = 0; reports->drafts != NULL && i < reports->drafts->len; i++) {
        HpRowsHandover handover = { HP_ROWS_REPORT, message, 0, "" };

        if (!hp_content_insert(conn, reports->drafts->pdata[i], &handover.content,
                               error) ||
            !hp_rows_add_handover(conn, &handover, error))
            return FALSE;
    }
    return TRUE;
}

void
hp_reports_committed(HpQueue *queue, HpReports *reports)
{
    if (reports->drafts == NULL || reports->drafts->len == 0)
        return;
    for (guint i = 0; i < reports->drafts->len; i++)
        hp_content_draft_committed(reports->drafts->pdata[i]);
    hp_handover_wake(queue->handover);
}

void
hp_queue_put_explanation(GVariantBuilder *builder, HpQueue *queue, const char *reason,
                         const HpReply *reply)
{
    g_autofree char *language = NULL;
    HpExplanation e;

    if (queue->explain == NULL)
        return;
    {
        HP_LOCKED(&queue->lock);
        language = g_strdup(queue->language);
    }
    e = reason != NULL ? hp_explain_by_id(queue->explain, reason, language)
                       : hp_explain_reply(queue->explain, reply, language);
    g_variant_builder_add(builder, "{sv}", "explanation",
                          g_variant_new_string(e.meaning));
    g_variant_builder_add(builder, "{sv}", "side", g_variant_new_string(e.side_text));
    g_variant_builder_add(builder, "{sv}", "advice", g_variant_new_string(e.advice));
}
