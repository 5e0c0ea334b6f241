/* IDLE (RFC 2177): news at the moment they happen. */
#include "hp-imap-session-private.h"

#include "hp-lines.h"

#include <glib/gi18n.h>

/* RFC 2177 §3: clients come again within 29 minutes. */
#define IDLE_USEC ((gint64)31 * 60 * G_USEC_PER_SEC)
#define DONE_USEC ((gint64)60 * G_USEC_PER_SEC)
#define MAX_LINE  ((size_t)1000)

static void
tell(HpImapSession *s)
{
    hp_waker_clear(s->waker);
    hp_imap_set_timeout(s, DONE_USEC);
    hp_imap_tell_news(s, TRUE);
}

/* Waits until the client says something. %FALSE: the session has ended. */
static gboolean
wait_for_input(HpImapSession *s)
{
    gint64 end = g_get_monotonic_time() + IDLE_USEC;

    while (s->state != HP_IMAP_ENDED) {
        gint64 left_ms = (end - g_get_monotonic_time()) / 1000;
        HpChannelWait wait;

        if (hp_channel_pending(s->channel) > 0)
            return TRUE;
        hp_imap_set_timeout(s, MAX(left_ms, 0) * 1000 + DONE_USEC);
        wait = hp_channel_wait(s->channel, hp_waker_fd(s->waker), (int)MAX(left_ms, 0));
        if (wait == HP_CHANNEL_INPUT)
            return TRUE;
        if (wait == HP_CHANNEL_RUNG)
            tell(s);
        else if (wait == HP_CHANNEL_TIMEOUT)
            hp_imap_bye(s, NULL, _("Nothing came for too long. Goodbye."));
        else
            hp_imap_bye(s, "UNAVAILABLE",
                        _("Hauspost ends this connection. Please try again later."));
    }
    return FALSE;
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
    tell(s); /* what happened before */
    if (s->state != HP_IMAP_ENDED && wait_for_input(s))
        take_done(s);
    return TRUE;
}
