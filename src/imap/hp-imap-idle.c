/* News at the moment they happen: IDLE (RFC 2177), and between commands after NOTIFY
 * (RFC 5465 §3.1). */
#include "hp-imap-notify-private.h"

#include "hp-lines.h"

#include <glib/gi18n.h>

/* RFC 2177 §3: clients come again within 29 minutes. */
#define IDLE_USEC ((gint64)31 * 60 * G_USEC_PER_SEC)
#define DONE_USEC ((gint64)60 * G_USEC_PER_SEC)
#define MAX_LINE  ((size_t)1000)

static void
tell(HpImapSession *s, gboolean may_expunge)
{
    hp_imap_notify_hear(s);
    hp_imap_set_timeout(s, DONE_USEC);
    hp_imap_tell_news(s, may_expunge, NULL);
    hp_imap_notify_look(s);
}

static int
ms_until(gint64 usec)
{
    gint64 left = MAX(usec - g_get_monotonic_time(), 0);

    return (int)MIN((left + 999) / 1000, G_MAXINT);
}

/* Something has ended the wait but the client, who has time until @end. */
static void
go_on(HpImapSession *s, HpChannelWait wait, gint64 end, gboolean may_expunge)
{
    if (wait == HP_CHANNEL_RUNG)
        tell(s, may_expunge);
    else if (wait == HP_CHANNEL_FAILED)
        hp_imap_bye(s, "UNAVAILABLE",
                    _("Hauspost ends this connection. Please try again later."));
    else if (g_get_monotonic_time() < end)
        hp_imap_notify_look(s);
    else
        hp_imap_bye(s, NULL, _("Nothing came for too long. Goodbye."));
}

/* Waits until the client says something. %FALSE: the session has ended. */
static gboolean
wait_for_input(HpImapSession *s, gboolean may_expunge)
{
    gint64 end = g_get_monotonic_time() + IDLE_USEC;

    while (s->state != HP_IMAP_ENDED) {
        HpChannelWait wait;

        if (hp_channel_pending(s->channel) > 0)
            return TRUE;
        hp_channel_set_deadline(s->channel, end + DONE_USEC);
        wait = hp_channel_wait(s->channel, hp_waker_fd(s->waker),
                               ms_until(MIN(end, hp_imap_notify_due_usec(s))));
        if (wait == HP_CHANNEL_INPUT)
            return TRUE;
        go_on(s, wait, end, may_expunge);
    }
    return FALSE;
}

gboolean
hp_imap_await_command(HpImapSession *s)
{
    gboolean may_expunge = hp_imap_notify_expunges_at_once(s);

    if (s->notify == NULL)
        return TRUE;
    /* Those who never stop to ask are told between two commands, too. */
    if (hp_waker_wait(s->waker, -1, 0, 0) == HP_WAIT_RUNG)
        tell(s, may_expunge);
    else
        hp_imap_notify_look(s);
    return wait_for_input(s, may_expunge);
}

/* "DONE" CRLF */
static void
take_done(HpImapSession *s)
{
    g_autoptr(GError) error = NULL;
    HpSlice line = { NULL, 0 };
    HpLineResult result;

    hp_imap_set_timeout(s, DONE_USEC);
    result = hp_lines_read(s->channel, MAX_LINE, &line, &error);
    if (result == HP_LINE_FAILED)
        hp_imap_give_up(s, error);
    else if (result == HP_LINE_OK && hp_slice_equal_nocase(line, "DONE"))
        hp_imap_ok(s, NULL, _("That was the waiting."));
    else
        hp_imap_bad(s, _("IDLE ends with DONE, and nothing else may come before it."));
}

gboolean
hp_imap_cmd_idle(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    if (!hp_imap_take_end(args))
        return FALSE;
    hp_imap_write(s, HP_SLICE_LITERAL("+ idling\r\n"));
    tell(s, TRUE); /* what happened before */
    if (s->state != HP_IMAP_ENDED && wait_for_input(s, TRUE))
        take_done(s);
    return TRUE;
}
