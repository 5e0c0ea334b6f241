/* The mailbox that shows the queue: what leaves it is not sent; nothing is put there. */
#include "hp-imap-session-private.h"

#include <glib/gi18n.h>

G_DEFINE_QUARK(hp - imap - outbox - error - quark, hp_imap_outbox_error)

static gboolean
is_outbox(const HpImapSession *s, gint64 mailbox)
{
    return mailbox != 0 && mailbox == s->options->outbox.mailbox;
}

gboolean
hp_imap_outbox_selected(const HpImapSession *s)
{
    return is_outbox(s, hp_view_mailbox(s->view));
}

gboolean
hp_imap_outbox_keeps_out(HpImapSession *s, const HpStoreMailbox *to)
{
    if (!is_outbox(s, to->id))
        return FALSE;
    hp_imap_no(s, "CANNOT",
               _("Outbox only shows what is under way; mail that is put there is not "
                 "sent. Please send it with your mail program as usual (by SMTP)."));
    return TRUE;
}

gboolean
hp_imap_outbox_keeps_its_own(HpImapSession *s)
{
    if (!hp_imap_outbox_selected(s))
        return FALSE;
    hp_imap_no(s, "CANNOT",
               _("Outbox only shows what is under way: a message there can be deleted, "
                 "which stops it, but not replaced."));
    return TRUE;
}

/* What the queue says is a reason for the user. */
static gboolean
told(gboolean done, GError *cause, GError **error)
{
    if (!done)
        g_set_error_literal(error, hp_imap_outbox_error_quark(), 0, cause->message);
    g_clear_error(&cause);
    return done;
}

gboolean
hp_imap_outbox_cancel(HpImapSession *s, const GArray *uids, GError **error)
{
    const HpOutbox *outbox = &s->options->outbox;
    GError *cause = NULL;
    gboolean done;

    if (uids->len == 0 || !hp_imap_outbox_selected(s))
        return TRUE;
    done = outbox->cancel(outbox->self, (const guint32 *)(gconstpointer)uids->data,
                          uids->len, &cause);
    return told(done, cause, error);
}

gboolean
hp_imap_outbox_retry(HpImapSession *s, const GArray *uids,
                     const HpStoreFlagChange *change, GError **error)
{
    const HpOutbox *outbox = &s->options->outbox;
    GError *cause = NULL;
    gboolean asked = FALSE;
    gboolean done;

    if (uids->len == 0 || change->mode == HP_FLAGS_REMOVE || change->keywords == NULL ||
        !hp_imap_outbox_selected(s))
        return TRUE;
    for (char **word = change->keywords; *word != NULL; word++)
        asked = asked || g_ascii_strcasecmp(*word, HP_OUTBOX_RETRY) == 0;
    if (!asked)
        return TRUE;
    done = outbox->retry(outbox->self, (const guint32 *)(gconstpointer)uids->data,
                         uids->len, &cause);
    return told(done, cause, error);
}

/* The copies of what could not be stopped go again. */
static void
take_back(HpImapSession *s, const HpStoreMailbox *to, const GArray *copied)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint i = 0; i < copied->len; i++)
        g_array_append_val(uids, g_array_index(copied, HpStoreCopied, i).to);
    hp_store_expunge(s->options->store, to->id,
                     (const guint32 *)(gconstpointer)uids->data, uids->len, NULL);
}

gboolean
hp_imap_outbox_move(HpImapSession *s, const GArray *uids, const HpStoreMailbox *to,
                    GArray **ret, GError **error)
{
    HpStore *store = s->options->store;
    gint64 from = hp_view_mailbox(s->view);
    const guint32 *numbers = (const guint32 *)(gconstpointer)uids->data;
    g_autoptr(GArray) copied = NULL;

    if (!hp_store_copy(store, from, numbers, uids->len, to->id, FALSE, &copied, error))
        return FALSE;
    if (!hp_imap_outbox_cancel(s, uids, error)) {
        take_back(s, to, copied);
        return FALSE;
    }
    *ret = g_steal_pointer(&copied);
    return hp_store_expunge(store, from, numbers, uids->len, error);
}
