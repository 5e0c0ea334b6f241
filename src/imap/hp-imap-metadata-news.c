/* Annotations that others have changed (RFC 5464 §4.4.2). */
#include "hp-imap-notify-private.h"

#include "hp-store-annotations.h"

/* By ENABLE METADATA, or by the events of NOTIFY (RFC 5465 §5.6, §5.7). */
static gboolean
is_wanted(const HpImapSession *s)
{
    return s->metadata ||
           (s->notify != NULL &&
            hp_notify_wish_has(&s->notify->wish,
                               HP_NOTIFY_MAILBOX_METADATA | HP_NOTIFY_SERVER_METADATA));
}

void
hp_imap_begin_metadata(HpImapSession *s)
{
    if (!is_wanted(s))
        s->annotation_mark = hp_store_annotation_mark(s->options->store);
}

void
hp_imap_use_metadata(HpImapSession *s)
{
    if (s->metadata)
        return;
    hp_imap_begin_metadata(s);
    s->metadata = TRUE;
    hp_store_watch(s->options->store, s->waker); /* IDLE must hear of it */
}

void
hp_imap_forget_metadata(HpImapSession *s)
{
    if (!s->metadata)
        return;
    s->metadata = FALSE;
    hp_store_unwatch(s->options->store, s->waker);
}

static gboolean
wants_mailbox(const HpImapSession *s, const HpStoreMailbox *mailbox)
{
    return s->metadata ||
           (hp_notify_wish_events(&s->notify->wish, mailbox->name, mailbox->subscribed) &
            HP_NOTIFY_MAILBOX_METADATA) != 0;
}

static gboolean
wants_server(const HpImapSession *s)
{
    return s->metadata || hp_notify_wish_has(&s->notify->wish, HP_NOTIFY_SERVER_METADATA);
}

/* (nullable): if nothing is wanted of it, or it is gone. */
static const char *
wanted_name(const HpImapSession *s, const GPtrArray *mailboxes, gint64 id)
{
    for (guint i = 0; i < mailboxes->len; i++) {
        const HpStoreMailbox *mailbox = g_ptr_array_index(mailboxes, i);

        if (mailbox->id == id)
            return wants_mailbox(s, mailbox) ? mailbox->name : NULL;
    }
    return id == HP_STORE_SERVER && wants_server(s) ? "" : NULL;
}

/* "* METADATA mailbox entry ..." for the changes of one mailbox, from @from on. Returns
 * where those of the next begin. */
static guint
tell_place(HpImapSession *s, const GPtrArray *news, guint from,
           const GPtrArray *mailboxes)
{
    const HpStoreAnnotated *first = g_ptr_array_index(news, from);
    const char *name = wanted_name(s, mailboxes, first->mailbox);
    g_autoptr(GString) line = g_string_new("* METADATA ");
    guint i;

    if (name != NULL)
        hp_imap_out_mailbox(line, name, s->utf8);
    for (i = from; i < news->len; i++) {
        const HpStoreAnnotated *one = g_ptr_array_index(news, i);

        if (one->mailbox != first->mailbox)
            break;
        g_string_append_c(line, ' ');
        hp_imap_out_entry(line, one->entry);
    }
    g_string_append(line, "\r\n");
    if (name != NULL)
        hp_imap_write(s, hp_slice_of_string(line));
    return i;
}

void
hp_imap_tell_metadata(HpImapSession *s)
{
    guint64 mark = s->annotation_mark;
    g_autoptr(GPtrArray) news = NULL;
    g_autoptr(GPtrArray) mailboxes = NULL;

    if (!is_wanted(s) || mark == hp_store_annotation_mark(s->options->store))
        return;
    /* In this order: every mailbox that was annotated must be in the list. */
    news = hp_store_annotation_news(s->options->store, &mark, s);
    mailboxes = hp_store_list(s->options->store, NULL);
    if (mailboxes == NULL)
        return; /* the store is damaged: another time */
    s->annotation_mark = mark;
    for (guint i = 0; i < news->len && s->state != HP_IMAP_ENDED;)
        i = tell_place(s, news, i, mailboxes);
}
