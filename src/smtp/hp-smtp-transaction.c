/* MAIL, RCPT and DATA: one message from its sender to the reply after the final dot (RFC
 * 5321 §3.3). */
#include "hp-smtp-session-private.h"

#include "hp-log.h"
#include "hp-smtp-command.h"
#include "hp-smtp-data.h"
#include "hp-text.h"
#include "hp-trace.h"

#include <glib/gi18n.h>

#define MAX_SHOWN 80 /* characters of an address in a reply */

static void
refuse_syntax(HpSmtpSession *s, HpSmtpParse problem, const char *usage)
{
    if (problem == HP_SMTP_PARSE_UNKNOWN)
        hp_smtp_error(s, 555, "5.5.4", _("This option was not announced by EHLO."));
    else if (problem == HP_SMTP_PARSE_VALUE)
        hp_smtp_error(s, 501, "5.5.4", _("An option of this command is wrong."));
    else
        hp_smtp_error(s, 501, "5.5.4", usage);
}

static gboolean
is_ascii(const char *text)
{
    return text == NULL || hp_text_is_ascii(hp_slice_of(text));
}

/* RFC 6531 §3.3: only with the parameter SMTPUTF8. */
static gboolean
needs_smtputf8(const HpAddress *address)
{
    return address != NULL && !(is_ascii(address->local) && is_ascii(address->domain));
}

static char *
show(const char *address)
{
    return hp_text_printable(hp_slice_of(address), MAX_SHOWN);
}

/* --- MAIL ----------------------------------------------------------------------------
 */

static gboolean
is_too_big(HpSmtpSession *s, guint64 size)
{
    if (size <= s->options->max_message_size)
        return FALSE;
    hp_smtp_replyf(s, 552, "5.3.4",
                   _("This message has %u MB, but at most %u MB can be sent. Make the "
                     "attachments smaller, or raise max-message-size in the settings."),
                   hp_smtp_megabytes(size),
                   hp_smtp_megabytes(s->options->max_message_size));
    return TRUE;
}

static char *
complete_sender(HpSmtpSession *s, const HpAddress *address)
{
    if (address == NULL)
        return g_strdup("");
    return hp_identities_complete_sender(s->options->identities, address,
                                         s->options->hostname);
}

static void
open_transaction(HpSmtpSession *s, HpSmtpMail *mail)
{
    g_autofree char *sender = complete_sender(s, mail->address);

    /* Refused with the first recipient outside: mail that stays here may have any sender
     * (cron, a NAS), and at MAIL nobody knows yet where it goes. */
    s->foreign_sender =
        *sender != '\0' &&
        !hp_identities_allows_text(s->options->identities, hp_slice_of(sender));
    s->envelope = hp_envelope_new();
    g_free(s->envelope->sender);
    s->envelope->sender = g_steal_pointer(&sender);
    s->envelope->ret = mail->ret;
    s->envelope->envid = g_steal_pointer(&mail->envid);
    s->envelope->smtputf8 = mail->smtputf8;
    s->envelope->eight_bit_mime = mail->eight_bit;
    g_free(s->envelope->client);
    s->envelope->client = g_strdup(s->caller.local_socket ? "sendmail" : s->credential);
    s->announced = mail->size;
    s->state = HP_SMTP_OPEN;
    hp_smtp_reply(s, 250, "2.1.0", _("Sender accepted."));
}

static void
try_mail(HpSmtpSession *s, HpSlice args, HpSmtpMail *mail)
{
    HpSmtpParse problem = hp_smtp_parse_mail(args, mail);

    if (problem == HP_SMTP_PARSE_ADDRESS)
        hp_smtp_error(s, 501, "5.1.7",
                      _("The sender is not a valid address. Check the address of the "
                        "account in your mail program."));
    else if (problem != HP_SMTP_PARSE_OK)
        refuse_syntax(s, problem, _("Write: MAIL FROM:<address>"));
    else if (needs_smtputf8(mail->address) && !mail->smtputf8)
        hp_smtp_reply(
            s, 550, "5.6.7", /* RFC 6531 §3.5 */
            _("The sender has letters that are not ASCII; this needs the option "
              "SMTPUTF8, which your mail program did not use."));
    else if (!is_too_big(s, mail->size))
        open_transaction(s, mail);
}

void
hp_smtp_cmd_mail(HpSmtpSession *s, HpSlice args)
{
    HpSmtpMail mail = { 0 };

    try_mail(s, args, &mail);
    hp_smtp_mail_clear(&mail);
}

/* --- RCPT ----------------------------------------------------------------------------
 */

static gboolean
is_full(HpSmtpSession *s)
{
    if (s->envelope->recipients->len < s->options->max_recipients)
        return FALSE;
    hp_smtp_replyf(
        s, 452, "4.5.3",
        _("A message may have at most %u recipients. Send it in several parts, "
          "or raise recipients-per-message in the settings."),
        s->options->max_recipients);
    return TRUE;
}

static gboolean
may_go_out(HpSmtpSession *s)
{
    g_autofree char *shown = NULL;

    if (!s->foreign_sender)
        return TRUE;
    shown = show(s->envelope->sender);
    hp_smtp_replyf(s, 550, "5.7.1",
                   _("The sender %s is not one of your addresses. Choose another "
                     "sender, or add it: hauspost identity add %s"),
                   shown, shown);
    return FALSE;
}

static gboolean
is_there_already(HpSmtpSession *s, const char *address)
{
    for (guint i = 0; i < s->envelope->recipients->len; i++) {
        const HpEnvelopeRecipient *other = g_ptr_array_index(s->envelope->recipients, i);

        if (g_strcmp0(other->address, address) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
add_recipient(HpSmtpSession *s, HpSmtpRcpt *rcpt, gboolean is_local)
{
    g_autofree char *address = hp_identities_complete_recipient(
        s->options->identities, rcpt->address, s->options->hostname);

    /* Twice is once; the first one's wishes for reports count. */
    if (!is_there_already(s, address)) {
        HpEnvelopeRecipient *recipient = hp_envelope_add(s->envelope, address);

        recipient->local = is_local;
        recipient->notify = rcpt->notify;
        recipient->orcpt = g_steal_pointer(&rcpt->orcpt);
    }
    s->state = HP_SMTP_ADDRESSED;
    hp_smtp_reply(s, 250, "2.1.5", _("Recipient accepted."));
}

static gboolean
has_possible_domain(const HpAddress *address)
{
    g_autofree char *ascii = hp_address_domain_to_ascii(address->domain);

    return ascii != NULL;
}

static void
take_recipient(HpSmtpSession *s, HpSmtpRcpt *rcpt)
{
    gboolean is_local = hp_identities_is_local(s->options->identities, rcpt->address,
                                               s->options->hostname);

    if (!is_local && !has_possible_domain(rcpt->address))
        hp_smtp_reply(s, 553, "5.1.2",
                      _("What follows the @ in this address cannot be the name of a mail "
                        "server. Check how it is written."));
    else if (is_local || may_go_out(s))
        add_recipient(s, rcpt, is_local);
}

static void
try_rcpt(HpSmtpSession *s, HpSlice args, HpSmtpRcpt *rcpt)
{
    HpSmtpParse problem = hp_smtp_parse_rcpt(args, rcpt);

    if (problem == HP_SMTP_PARSE_ADDRESS)
        hp_smtp_error(
            s, 501, "5.1.3",
            _("This is not a valid mail address. Check how it is written, as in "
              "anna@example.org."));
    else if (problem != HP_SMTP_PARSE_OK)
        refuse_syntax(s, problem, _("Write: RCPT TO:<address>"));
    else if (needs_smtputf8(rcpt->address) && !s->envelope->smtputf8)
        hp_smtp_reply(s, 553, "5.6.7", /* RFC 6531 §3.5 */
                      _("This address has letters that are not ASCII; this needs the "
                        "option SMTPUTF8, which your mail program did not use."));
    else if (!is_full(s))
        take_recipient(s, rcpt);
}

void
hp_smtp_cmd_rcpt(HpSmtpSession *s, HpSlice args)
{
    HpSmtpRcpt rcpt = { 0 };

    try_rcpt(s, args, &rcpt);
    hp_smtp_rcpt_clear(&rcpt);
}

/* --- DATA ----------------------------------------------------------------------------
 */

static void
refuse(HpSmtpSession *s, HpSmtpRefusal *refusal)
{
    hp_log("smtp", s->caller.id, G_LOG_LEVEL_MESSAGE, "refused a message: %u %s",
           refusal->code, refusal->enhanced);
    hp_smtp_reply(s, refusal->code, refusal->enhanced, refusal->text);
    hp_smtp_refusal_clear(refusal);
}

static void
hang_up(HpSmtpSession *s, const GError *error)
{
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT))
        hp_smtp_hang_up(s, "4.4.2", _("The message came too slowly. Please try again."));
    else if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET))
        hp_smtp_hang_up(s, "4.7.0", _("The message has no end. Goodbye."));
    s->state = HP_SMTP_ENDED;
}

/* From "go ahead" to the answer after the final dot. */
static void
take_message(HpSmtpSession *s, HpSmtpData *data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;
    HpSmtpRefusal refusal = { 0 };

    hp_smtp_data_set_origin(data,
                            hp_trace_protocol(s->extended, hp_channel_is_tls(s->channel),
                                              TRUE, s->envelope->smtputf8),
                            s->caller.id);
    hp_smtp_reply(s, 354, NULL, _("Send the message; a line with a dot alone ends it."));
    if (!hp_smtp_data_receive(data, s->channel, &error)) {
        hp_log("smtp", s->caller.id, G_LOG_LEVEL_MESSAGE,
               "a message was broken off and is not kept: %s", error->message);
        hang_up(s, error);
        return;
    }
    if (!hp_smtp_data_commit(data, &id, &refusal)) {
        refuse(s, &refusal);
        return;
    }
    s->errors = 0;
    hp_log("smtp", s->caller.id, G_LOG_LEVEL_INFO, "%s accepted", id);
    hp_smtp_replyf(s, 250, "2.0.0", _("%s is kept safe and will be delivered."), id);
}

void
hp_smtp_cmd_data(HpSmtpSession *s, HpSlice args)
{
    HpSmtpRefusal refusal = { 0 };
    g_autoptr(HpSmtpData) data =
        hp_smtp_data_open(s->options, s->envelope, s->announced, &refusal);

    if (data != NULL)
        take_message(s, data);
    else
        refuse(s, &refusal);
    g_clear_pointer(&data, hp_smtp_data_free); /* it looks at the envelope */
    hp_smtp_reset_transaction(s);
}
