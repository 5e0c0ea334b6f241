/* What a session says: status responses, and failures in words. */
#include "hp-imap-session-private.h"

#include "hp-log.h"

#include <glib/gi18n.h>

#define MAX_ERRORS_BEFORE_LOGIN 3
#define MAX_ERRORS              10
#define PROGRESS_USEC           ((gint64)10 * G_USEC_PER_SEC)

void
hp_imap_write(HpImapSession *s, HpSlice bytes)
{
    if (!hp_channel_write(s->channel, bytes, NULL))
        s->state = HP_IMAP_ENDED;
}

void
hp_imap_untagged(HpImapSession *s, const char *format, ...)
{
    g_autoptr(GString) line = g_string_new("* ");
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(line, format, args);
    va_end(args);
    g_string_append(line, "\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
}

static void
send_status(HpImapSession *s, const char *tag, const char *condition, const char *code,
            const char *text)
{
    g_autoptr(GString) line = g_string_new(NULL);

    hp_imap_out_status(line, tag, condition, code, text);
    hp_imap_write(s, hp_slice_of_string(line));
}

void
hp_imap_say(HpImapSession *s, const char *condition, const char *code, const char *text)
{
    send_status(s, "*", condition, code, text);
}

/* The news come first: what is tagged ends the command. */
static void
finish(HpImapSession *s, const char *condition, const char *code, const char *text)
{
    hp_imap_drop_literal(s);
    hp_imap_tell_news(s, s->may_expunge, NULL);
    if (s->state != HP_IMAP_ENDED)
        send_status(s, s->tag, condition, code, text);
}

void
hp_imap_ok(HpImapSession *s, const char *code, const char *text)
{
    finish(s, "OK", code, text);
}

void
hp_imap_no(HpImapSession *s, const char *code, const char *text)
{
    finish(s, "NO", code, text);
}

void
hp_imap_bad(HpImapSession *s, const char *text)
{
    hp_imap_bad_code(s, NULL, text);
}

void
hp_imap_bad_code(HpImapSession *s, const char *code, const char *text)
{
    guint max = s->state == HP_IMAP_FRESH ? MAX_ERRORS_BEFORE_LOGIN : MAX_ERRORS;

    hp_imap_drop_literal(s);
    if (s->state == HP_IMAP_ENDED)
        return;
    send_status(s, s->tag, "BAD", code, text);
    s->errors++;
    if (s->errors >= max)
        hp_imap_bye(s, NULL, _("Too many commands that make no sense. Goodbye."));
}

void
hp_imap_bye(HpImapSession *s, const char *code, const char *text)
{
    send_status(s, "*", "BYE", code, text);
    s->state = HP_IMAP_ENDED;
}

/* RFC 5530 */
static const struct {
    HpStoreError error;
    const char *code; /* (unowned) */
    const char *text; /* (unowned): to be translated */
} refusals[] = {
    { HP_STORE_ERROR_NOT_FOUND, "NONEXISTENT", N_("There is no such mailbox.") },
    { HP_STORE_ERROR_EXISTS, "ALREADYEXISTS", N_("There is such a mailbox already.") },
    { HP_STORE_ERROR_NOT_PERMITTED, "CANNOT", N_("That cannot be done here.") },
    { HP_STORE_ERROR_FULL, "OVERQUOTA",
      N_("The disk is full. Please make room and try again; deleting still works.") },
    { HP_STORE_ERROR_TOO_MANY, "METADATA TOOMANY",
      N_("There is no room for more annotations.") },
    { HP_STORE_ERROR_KEYWORDS, "LIMIT",
      N_("A message would have too many keywords (tags). Remove some, and try again.") },
    { HP_STORE_ERROR_BAD_USE, "USEATTR",
      N_("This mailbox cannot have that special use.") },
    { HP_STORE_ERROR_DAMAGED, "CORRUPTION",
      N_("The store of your mail is damaged. What is intact can be read; nothing can be "
         "changed.") },
};

void
hp_imap_fail(HpImapSession *s, const GError *error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (g_error_matches(error, HP_STORE_ERROR, (int)refusals[i].error)) {
            hp_imap_no(s, refusals[i].code, _(refusals[i].text));
            return;
        }
    if (error->domain == hp_imap_outbox_error_quark()) {
        g_autofree char *text =
            g_strdup_printf(_("It stays in the queue as it is: %s."), error->message);

        hp_imap_no(s, "CANNOT", text);
        return;
    }
    hp_log("imap", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING, "%s",
           error->message);
    if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
        hp_imap_no(s, "OVERQUOTA",
                   _("The disk is full. Please make room and try again."));
    else
        hp_imap_no(s, "SERVERBUG",
                   _("Hauspost could not do that; its log says why. Please try again."));
}

gboolean
hp_imap_progress(HpImapSession *s, guint64 done, guint64 goal)
{
    gint64 now = g_get_monotonic_time();
    g_autofree char *code = NULL;

    /* Whoever stops the daemon does not wait for the next word. */
    if (hp_channel_wait(s->channel, -1, 0) == HP_CHANNEL_FAILED)
        s->state = HP_IMAP_ENDED;
    if (s->state == HP_IMAP_ENDED || now - s->progress_usec < PROGRESS_USEC)
        return s->state != HP_IMAP_ENDED;
    s->progress_usec = now;
    if (goal > 0)
        code = g_strdup_printf("INPROGRESS (\"%s\" %" G_GUINT64_FORMAT
                               " %" G_GUINT64_FORMAT ")",
                               s->tag, MIN(done, goal), goal);
    else
        code = g_strdup_printf("INPROGRESS (\"%s\" NIL NIL)", s->tag);
    hp_imap_set_timeout(s, PROGRESS_USEC * 6);
    hp_imap_say(s, "OK", code, _("Still working on it."));
    if (s->state != HP_IMAP_ENDED && !hp_channel_flush(s->channel, NULL))
        s->state = HP_IMAP_ENDED;
    return s->state != HP_IMAP_ENDED;
}
