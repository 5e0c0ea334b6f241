#include "hp-dsn.h"

#include "hp-address.h"
#include "hp-charset.h"
#include "hp-date.h"
#include "hp-header.h"
#include "hp-status.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define TEXT_WIDTH    72  /* characters of a line for people */
#define FIELD_WIDTH   76  /* octets of a folded field */
#define LONGEST_PIECE 200 /* octets without a space; longer ones are broken */
#define LONGEST_VALUE 900 /* characters of a field's value */

typedef struct {
    const HpDsnInfo *info; /* (unowned) */
    char *boundary;        /* (owned) */
    gboolean global;       /* an address is UTF-8: the types of RFC 6533 */
    GString *out;          /* (unowned) */
} Writer;

gboolean
hp_dsn_wants_full(HpDsnAction action, HpRet ret)
{
    return action == HP_DSN_FAILED && ret != HP_RET_HDRS;
}

/* ---- fields ---------------------------------------------------------------------- */

/* One line of valid UTF-8, and of ASCII where the part is not a global one. Everything
 * that others said passes through here. */
static char *
clean(const Writer *self, const char *value)
{
    g_autofree char *line = hp_text_printable(hp_slice_of(value), LONGEST_VALUE);

    return self->global ? g_steal_pointer(&line) : hp_text_to_ascii(line);
}

/* The end of the piece that begins at @p: before a space, or where it must be broken. */
static char *
piece_end(char *p)
{
    char *start = p;

    while (*p != '\0' && *p != ' ' && p - start < LONGEST_PIECE)
        p = g_utf8_next_char(p);
    return p;
}

static void
append_folded(GString *out, char *value, guint column)
{
    while (*value != '\0') {
        char *end = piece_end(value);
        guint len = (guint)(end - value);

        if (len > 0 && column + 1 + len > FIELD_WIDTH) {
            g_string_append(out, "\r\n");
            column = 0;
        }
        if (len > 0) {
            g_string_append_c(out, ' ');
            g_string_append_len(out, value, len);
            column += 1 + len;
        }
        value = *end == ' ' ? end + 1 : end;
    }
}

static void
append_field(Writer *self, const char *name, const char *value)
{
    g_autofree char *cleaned = clean(self, value);

    g_string_append_printf(self->out, "%s:", name);
    append_folded(self->out, cleaned, (guint)strlen(name) + 1);
    g_string_append(self->out, "\r\n");
}

static void
append_typed(Writer *self, const char *name, const char *type, const char *value)
{
    g_autofree char *typed = g_strdup_printf("%s; %s", type, value);

    append_field(self, name, typed);
}

static void
append_date(Writer *self, const char *name, gint64 wall_usec)
{
    if (wall_usec == 0)
        return;
    g_string_append_printf(self->out, "%s: ", name);
    hp_date_append(self->out, wall_usec);
    g_string_append(self->out, "\r\n");
}

/* ---- text for people ------------------------------------------------------------- */

/* A paragraph, wrapped, each line behind @indent; an empty line follows. */
static void
append_paragraph(GString *out, const char *text, const char *indent)
{
    g_autofree char *line =
        hp_text_printable(hp_slice_of(text), (size_t)4 * LONGEST_VALUE);
    char *p = g_strstrip(line);
    glong column = 0;

    while (*p != '\0') {
        char *end = piece_end(p);
        glong width = g_utf8_strlen(p, end - p);

        if (column > 0 && column + 1 + width > TEXT_WIDTH) {
            g_string_append(out, "\r\n");
            column = 0;
        }
        g_string_append(out, column == 0 ? indent : " ");
        column += (column == 0 ? (glong)strlen(indent) : 1) + width;
        g_string_append_len(out, p, end - p);
        p = *end == ' ' ? end + 1 : end;
    }
    g_string_append(out, "\r\n\r\n");
}

static void append_paragraph_f(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
append_paragraph_f(GString *out, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    append_paragraph(out, text, "");
}

static char *
format_time(gint64 wall_usec)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_local(wall_usec / G_USEC_PER_SEC);
    /* TRANSLATORS: a date and a time of day, in the form of g_date_time_format(). */
    char *text = time != NULL ? g_date_time_format(time, _("%Y-%m-%d %H:%M")) : NULL;

    return text != NULL ? text : g_strdup("?");
}

static const char *
first_sentence(HpDsnAction action)
{
    switch (action) {
    case HP_DSN_FAILED:
        return _("Your message could not be delivered to %s.");
    case HP_DSN_DELAYED:
        return _("Your message to %s has not been delivered yet.");
    case HP_DSN_DELIVERED:
        return _("Your message has been delivered to %s.");
    case HP_DSN_RELAYED:
        return _(
            "Your message has been handed over to the mail server of %s. That server "
            "does not report whether it reached the mailbox.");
    default:
        g_assert_not_reached();
    }
}

static gboolean
is_bad_news(HpDsnAction action)
{
    return action == HP_DSN_FAILED || action == HP_DSN_DELAYED;
}

static void
append_explanation(GString *out, const HpDsnInfo *info, const HpDsnRecipient *recipient)
{
    const HpReply *reply = recipient->reply;
    HpExplanation explanation;

    if (info->explain == NULL || (reply == NULL && recipient->reason == NULL))
        return;
    if (recipient->reason != NULL)
        explanation = hp_explain_by_id(info->explain, recipient->reason, info->language);
    else
        explanation = hp_explain_reply(info->explain, reply, info->language);
    append_paragraph(out, explanation.meaning, "");
    append_paragraph(out, explanation.side_text, "");
    append_paragraph_f(out, _("What you can do: %s"), explanation.advice);
}

static void
append_words(GString *out, const HpReply *reply)
{
    g_autofree char *words = NULL;

    if (reply == NULL || reply->text == NULL || reply->text[0] == '\0')
        return;
    if (reply->host != NULL) {
        append_paragraph_f(out, _("The server %s said:"), reply->host);
        words = g_strdup_printf("%u %s%s%s", reply->code, reply->enhanced,
                                reply->enhanced[0] != '\0' ? " " : "", reply->text);
    } else {
        append_paragraph(out, _("What happened here:"), "");
        words = g_strdup(reply->text);
    }
    append_paragraph(out, words, "    ");
}

static void
append_for_person(GString *out, const HpDsnInfo *info, const HpDsnRecipient *recipient)
{
    append_paragraph_f(out, first_sentence(recipient->action), recipient->address);
    if (!is_bad_news(recipient->action))
        return;
    append_explanation(out, info, recipient);
    if (recipient->action == HP_DSN_DELAYED && recipient->retry_until_usec != 0) {
        g_autofree char *until = format_time(recipient->retry_until_usec);

        append_paragraph_f(out,
                           _("The message is tried again by itself until %s. You do not "
                             "need to send it again."),
                           until);
    }
    append_words(out, recipient->reply);
}

static void
append_about(GString *out, const HpDsnInfo *info, HpDsnAction action, gboolean full)
{
    g_autofree char *sent = format_time(info->arrival_usec);

    if (info->subject != NULL && info->subject[0] != '\0')
        append_paragraph_f(out, _("The message: \"%s\", sent on %s, number %s."),
                           info->subject, sent, info->id);
    else
        append_paragraph_f(out, _("The message was sent on %s and has the number %s."),
                           sent, info->id);
    if (action == HP_DSN_FAILED && full)
        append_paragraph(out, _("It is attached, so that nothing is lost."), "");
    if (is_bad_news(action))
        append_paragraph_f(out, _("The whole story: hauspost queue show %s"), info->id);
}

static char *
write_text(const HpDsnInfo *info, gboolean full)
{
    GString *out = g_string_sized_new(1024);

    for (guint i = 0; i < info->n_recipients; i++)
        append_for_person(out, info, &info->recipients[i]);
    append_about(out, info, info->recipients[0].action, full);
    /* The last empty line belongs to the boundary. */
    g_string_truncate(out, out->len - 2);
    return g_string_free(out, FALSE);
}

/* ---- the report ------------------------------------------------------------------ */

static char *
subject_of(const HpDsnInfo *info)
{
    const HpDsnRecipient *first = &info->recipients[0];
    const char *what = info->subject != NULL && info->subject[0] != '\0' ? info->subject
                                                                         : first->address;

    switch (first->action) {
    case HP_DSN_FAILED:
        return g_strdup_printf(_("Not delivered: %s"), what);
    case HP_DSN_DELAYED:
        return g_strdup_printf(_("Not delivered yet: %s"), what);
    case HP_DSN_DELIVERED:
    case HP_DSN_RELAYED:
    default:
        return g_strdup_printf(_("Delivered: %s"), what);
    }
}

/* Message-ID and References may only hold what a msg-id is made of. */
static void
append_references(GString *out, const char *message_id)
{
    if (message_id == NULL || message_id[0] != '<' || strlen(message_id) > 900)
        return;
    for (const char *p = message_id; *p != '\0'; p++)
        if (*p <= ' ' || *p == 0x7F)
            return;
    g_string_append_printf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", message_id,
                           message_id);
}

static void
append_header(Writer *self)
{
    const HpDsnInfo *info = self->info;
    g_autofree char *host = clean(self, info->hostname);
    g_autofree char *to = hp_address_write_mailbox(info->user_name, info->user_address,
                                                   (guint)strlen("To: "));
    g_autofree char *plain = subject_of(info);
    g_autofree char *subject = hp_charset_encode_words(plain, (guint)strlen("Subject: "));

    g_string_append_printf(self->out,
                           "Return-Path: <>\r\nFrom: Hauspost <mailer-daemon@%s>\r\n"
                           "To: %s\r\nSubject: %s\r\nDate: ",
                           host, to, subject);
    hp_date_append(self->out, info->now_usec);
    g_string_append_printf(self->out, "\r\nMessage-ID: <%s@%s>\r\n", self->boundary,
                           host);
    append_references(self->out, info->message_id);
    g_string_append_printf(
        self->out,
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=%sdelivery-status;"
        "\r\n boundary=\"%s\"\r\nContent-Transfer-Encoding: 8bit\r\n",
        self->global ? "global-" : "", self->boundary);
}

static void
append_part(Writer *self, const char *type, const char *encoding)
{
    g_string_append_printf(self->out, "\r\n--%s\r\nContent-Type: %s\r\n", self->boundary,
                           type);
    if (encoding != NULL)
        g_string_append_printf(self->out, "Content-Transfer-Encoding: %s\r\n", encoding);
    g_string_append(self->out, "\r\n");
}

static const char *
action_name(HpDsnAction action)
{
    static const char *const names[] = { "failed", "delayed", "delivered", "relayed" };

    return names[action];
}

static void
append_status(Writer *self, const HpDsnRecipient *recipient)
{
    static const guint fallback[] = { 5, 4, 2, 2 };
    HpStatus status = { fallback[recipient->action], 0, 0 };
    char code[HP_STATUS_SIZE];

    if (g_strcmp0(recipient->reason, HP_EXPLAIN_EXPIRED) == 0)
        status = (HpStatus){ 5, 4, 7 };
    else if (recipient->reply != NULL && recipient->reply->code >= 200)
        hp_status_of_reply(recipient->reply->code, recipient->reply->enhanced, &status);
    hp_status_write(&status, code);
    append_field(self, "Status", code);
}

static void
append_diagnostic(Writer *self, const HpReply *reply)
{
    g_autofree char *text = NULL;

    if (reply == NULL || reply->text == NULL)
        return;
    text = g_strdup_printf("%u %s%s%s", reply->code, reply->enhanced,
                           reply->enhanced[0] != '\0' ? " " : "", reply->text);
    if (reply->host != NULL)
        append_typed(self, "Remote-MTA", "dns", reply->host);
    append_typed(self, "Diagnostic-Code", reply->host != NULL ? "smtp" : "x-hauspost",
                 text);
}

static void
append_original_recipient(Writer *self, const char *orcpt)
{
    const char *semicolon = orcpt != NULL ? strchr(orcpt, ';') : NULL;
    g_autofree char *type = NULL;

    if (semicolon == NULL)
        return;
    type = g_strndup(orcpt, (gsize)(semicolon - orcpt));
    append_typed(self, "Original-Recipient", type, semicolon + 1);
}

/* per-recipient-fields, RFC 3464 §2.3 */
static void
append_recipient(Writer *self, const HpDsnRecipient *recipient)
{
    gboolean wide = !hp_text_is_ascii(hp_slice_of(recipient->address));

    g_string_append(self->out, "\r\n");
    append_original_recipient(self, recipient->orcpt);
    append_typed(self, "Final-Recipient", wide ? "utf-8" : "rfc822", recipient->address);
    append_field(self, "Action", action_name(recipient->action));
    append_status(self, recipient);
    append_diagnostic(self, recipient->reply);
    append_date(self, "Last-Attempt-Date", recipient->last_attempt_usec);
    if (recipient->action == HP_DSN_DELAYED)
        append_date(self, "Will-Retry-Until", recipient->retry_until_usec);
}

/* per-message-fields, RFC 3464 §2.2 */
static void
append_machine_part(Writer *self)
{
    const HpDsnInfo *info = self->info;

    append_part(
        self, self->global ? "message/global-delivery-status" : "message/delivery-status",
        self->global ? "8bit" : NULL);
    if (info->envid != NULL)
        append_field(self, "Original-Envelope-Id", info->envid);
    append_typed(self, "Reporting-MTA", "dns", info->hostname);
    append_date(self, "Arrival-Date", info->arrival_usec);
    append_field(self, "X-Hauspost-Id", info->id);
    for (guint i = 0; i < info->n_recipients; i++)
        append_recipient(self, &info->recipients[i]);
}

/* The header without its empty line, every line ended. */
static void
append_headers(GString *out, HpSlice headers)
{
    HpCursor c = hp_cursor_over(headers);
    HpHeaderField field;

    while (hp_header_next(&c, &field))
        g_string_append_len(out, field.raw.data, (gssize)field.raw.len);
    if (out->str[out->len - 1] != '\n')
        g_string_append(out, "\r\n");
}

static gboolean
needs_global(const HpDsnInfo *info)
{
    for (guint i = 0; i < info->n_recipients; i++) {
        const char *orcpt = info->recipients[i].orcpt;

        if (!hp_text_is_ascii(hp_slice_of(info->recipients[i].address)) ||
            (orcpt != NULL && !hp_text_is_ascii(hp_slice_of(orcpt))))
            return TRUE;
    }
    return FALSE;
}

/* 128 random bits: whoever wrote the message could not know them. */
static char *
new_boundary(void)
{
    return g_strdup_printf("hp-%08x%08x%08x%08x", g_random_int(), g_random_int(),
                           g_random_int(), g_random_int());
}

void
hp_dsn_write(const HpDsnInfo *info, HpSlice headers, gboolean full, GString *head,
             GString *tail)
{
    g_autofree char *boundary = new_boundary();
    g_autofree char *text = write_text(info, full);
    Writer writer = { info, boundary, needs_global(info), head };
    const char *type;

    g_string_truncate(head, 0);
    append_header(&writer);
    append_part(&writer, "text/plain; charset=utf-8", "8bit");
    g_string_append(head, text);
    append_machine_part(&writer);
    if (full)
        type = writer.global ? "message/global" : "message/rfc822";
    else
        type = writer.global ? "message/global-headers" : "text/rfc822-headers";
    append_part(&writer, type, "8bit");
    if (!full)
        append_headers(head, headers);
    g_string_printf(tail, "\r\n--%s--\r\n", boundary);
}
