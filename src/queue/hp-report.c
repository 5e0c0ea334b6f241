#include "hp-log.h"
#include "hp-queue-private.h"

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

void
hp_reports_write(HpQueue *queue, const HpQueueItem *item, const HpJobTell *tells,
                 HpReports *ret_reports)
{
    ret_reports->drafts = g_ptr_array_new_with_free_func(free_draft);
}

gboolean
hp_reports_insert(HpDbConn *conn, gint64 message, HpReports *reports, GError **error)
{
    for (guint i = 0; reports->drafts != NULL && i < reports->drafts->len; i++) {
        gint64 content = 0;

        if (!hp_content_insert(conn, reports->drafts->pdata[i], &content, error) ||
            !hp_rows_add_handover(conn, message, content, 1, "", error))
            return FALSE;
    }
    return TRUE;
}

void
hp_reports_committed(HpQueue *queue, HpReports *reports)
{
    for (guint i = 0; reports->drafts != NULL && i < reports->drafts->len; i++)
        hp_content_draft_committed(reports->drafts->pdata[i]);
    if (reports->drafts != NULL && reports->drafts->len > 0)
        hp_handover_wake(queue->handover);
}

void
hp_queue_put_explanation(GVariantBuilder *builder, HpQueue *queue, const HpReply *reply)
{
}
