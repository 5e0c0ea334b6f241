#include "hp-smtp-data.h"

#include "hp-dots.h"
#include "hp-submission.h"

#include <glib/gi18n.h>

#define MEBIBYTE   1048576u /* octets */
#define MAX_HEADER 262144   /* octets: what the parsers of mail look at */
#define BLOCK_USEC (180 * (gint64)G_USEC_PER_SEC) /* RFC 5321 §4.5.3.2.5 */
#define MAX_HOPS   50                             /* RFC 5321 §6.3 */
#define MIN_RATE   500                            /* octets a second */
#define SLACK      MEBIBYTE /* octets read beyond the limit before we hang up */

struct _HpSmtpData {
    const HpSmtpServerOptions *options; /* (unowned) */
    HpEnvelope *envelope;               /* (unowned) */
    const char *protocol;               /* (unowned): a literal */
    const char *id;                     /* (unowned): of the session */
    HpIntakeDraft *draft;               /* (owned) (nullable): %NULL after a failure */
    HpChannel *channel;                 /* (unowned): while receiving */
    gint64 started_usec;                /* monotonic */
    GString *header;  /* (owned): what has come of it, with the empty line */
    size_t looked_at; /* octets of @header in which its end was looked for */
    gboolean in_body; /* the header is complete and in the draft */
    guint64 octets;   /* of the block so far */
    HpDotsSummary summary;
    HpSmtpRefusal refusal; /* code 0: nothing is wrong yet */
};

void
hp_smtp_refusal_clear(HpSmtpRefusal *self)
{
    g_clear_pointer(&self->text, g_free);
    *self = (HpSmtpRefusal){ 0 };
}

guint
hp_smtp_megabytes(guint64 octets)
{
    return (guint)MIN((octets + MEBIBYTE - 1) / MEBIBYTE, G_MAXUINT);
}

/* The first thing that is wrong is what is said. @text: (transfer full) */
static void
refuse(HpSmtpData *self, guint code, const char *enhanced, char *text)
{
    if (self->refusal.code != 0) {
        g_free(text);
        return;
    }
    self->refusal = (HpSmtpRefusal){ code, enhanced, text };
}

static HpSmtpRefusal
explain_intake(const GError *error)
{
    if (g_error_matches(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL))
        return (HpSmtpRefusal){
            452, "4.3.1",
            g_strdup(_("The disk is full, so the message cannot be kept safe. Delete "
                       "something, then send it again."))
        };
    return (HpSmtpRefusal){
        451, "4.3.0",
        g_strdup(
            _("The message could not be stored: the disk or its database fails. Type "
              "hauspost status to see why."))
    };
}

static void
drop_draft(HpSmtpData *self)
{
    HpIntakeDraft *draft = g_steal_pointer(&self->draft);

    if (draft != NULL)
        self->options->intake.abandon(draft);
}

static void
fail_intake(HpSmtpData *self, const GError *error)
{
    HpSmtpRefusal refusal = explain_intake(error);

    refuse(self, refusal.code, refusal.enhanced, refusal.text);
    drop_draft(self);
}

HpSmtpData *
hp_smtp_data_open(const HpSmtpServerOptions *options, HpEnvelope *envelope,
                  guint64 size_hint, HpSmtpRefusal *ret_refusal)
{
    g_autoptr(GError) error = NULL;
    HpIntakeDraft *draft = options->intake.begin(options->intake.self, size_hint, &error);
    HpSmtpData *self = NULL;

    if (draft == NULL) {
        *ret_refusal = explain_intake(error);
        return NULL;
    }
    self = g_new0(HpSmtpData, 1);
    self->options = options;
    self->envelope = envelope;
    self->draft = draft;
    self->protocol = "ESMTPA";
    self->id = "";
    self->header = g_string_sized_new(4096);
    return self;
}

void
hp_smtp_data_free(HpSmtpData *self)
{
    drop_draft(self);
    hp_smtp_refusal_clear(&self->refusal);
    g_string_free(self->header, TRUE);
    g_free(self);
}

void
hp_smtp_data_set_origin(HpSmtpData *self, const char *protocol, const char *id)
{
    self->protocol = protocol;
    self->id = id;
}

/* --- receiving -----------------------------------------------------------------------
 */

static void
append(HpSmtpData *self, HpSlice bytes)
{
    g_autoptr(GError) error = NULL;

    if (self->draft != NULL && self->refusal.code == 0 &&
        !self->options->intake.append(self->draft, bytes, &error))
        fail_intake(self, error);
}

/* Where the body begins: after the first empty line. 0 if that has not come yet. */
static size_t
find_body(HpSmtpData *self)
{
    const GString *h = self->header;
    size_t at = self->looked_at;

    if (h->len >= 2 && memcmp(h->str, "\r\n", 2) == 0)
        return 2; /* no header at all */
    while (at + 4 <= h->len) {
        const char *cr = memchr(h->str + at, '\r', h->len - at - 3);

        if (cr == NULL)
            break;
        if (memcmp(cr, "\r\n\r\n", 4) == 0)
            return (size_t)(cr - h->str) + 4;
        at = (size_t)(cr - h->str) + 1;
    }
    self->looked_at = h->len >= 3 ? h->len - 3 : 0;
    return 0;
}

/* --- the header ----------------------------------------------------------------------
 */

static gboolean
is_only_local(const HpEnvelope *envelope)
{
    for (guint i = 0; i < envelope->recipients->len; i++) {
        const HpEnvelopeRecipient *recipient = g_ptr_array_index(envelope->recipients, i);

        if (!recipient->local)
            return FALSE;
    }
    return TRUE;
}

static void
refuse_sender(HpSmtpData *self, const HpSubmission *submission)
{
    const char *culprit = submission->culprit != NULL ? submission->culprit : "";

    if (submission->verdict == HP_SUBMISSION_UNREADABLE_FROM)
        refuse(
            self, 550, "5.7.1",
            g_strdup(_("The field From has no readable address. Check the sender in your "
                       "mail program.")));
    else
        refuse(self, 550, "5.7.1",
               g_strdup_printf(
                   _("The sender %s is not one of your addresses. Choose another "
                     "one, or add it: hauspost identity add %s"),
                   culprit, culprit));
}

static void
use_header(HpSmtpData *self, HpSubmission *submission)
{
    self->envelope->hops = submission->hops;
    self->envelope->eight_bit = submission->eight_bit;
    self->envelope->subject = g_steal_pointer(&submission->subject);
    self->envelope->message_id = g_steal_pointer(&submission->message_id);
    append(self, hp_slice_of_string(submission->header));
}

/* All of the header is there: completes it and begins the draft with it (RFC 6409 §8). */
static void
complete_header(HpSmtpData *self)
{
    const HpSmtpServerOptions *options = self->options;
    g_autoptr(HpAddress) sender = hp_address_parse(hp_slice_of(self->envelope->sender));
    HpSubmissionRequest request = {
        .identities = options->identities,
        .hostname = options->hostname,
        .user_name = options->user_name,
        .sender = sender,
        .only_local = is_only_local(self->envelope),
        .protocol = self->protocol,
        .id = self->id,
        .now_wall_usec = hp_clock_now_usec(options->clock, HP_CLOCK_WALL),
    };
    g_autoptr(HpSubmission) submission =
        hp_submission_new(hp_slice_of_string(self->header), &request);

    if (submission->verdict != HP_SUBMISSION_FINE)
        refuse_sender(self, submission);
    else if (submission->hops > MAX_HOPS)
        refuse(self, 554, "5.4.6",
               g_strdup(_("This message has been handed on more than 50 times: two "
                          "forwardings lead to each other. Switch one of them off.")));
    else
        use_header(self, submission);
}

static void
take_header(HpSmtpData *self, HpSlice piece)
{
    size_t before = self->header->len;
    size_t body = 0;

    g_string_append_len(self->header, piece.data, (gssize)piece.len);
    body = find_body(self);
    if (body == 0 && self->header->len <= MAX_HEADER)
        return;
    if (body == 0 || body > MAX_HEADER) {
        refuse(self, 552, "5.3.4",
               g_strdup(_("The header of this message is larger than 256 KB. Send it to "
                          "fewer addresses at once.")));
        return;
    }
    g_string_truncate(self->header, body);
    complete_header(self);
    self->in_body = TRUE;
    append(self, (HpSlice){ piece.data + (body - before), piece.len - (body - before) });
}

static void
check_size(HpSmtpData *self)
{
    guint64 max = self->options->max_message_size;

    if (self->octets <= max || self->refusal.code != 0)
        return;
    refuse(self, 552, "5.3.4",
           g_strdup_printf(_("This message is larger than %u MB, the most that can be "
                             "sent. Make the attachments smaller, or raise "
                             "max-message-size in the settings."),
                           hp_smtp_megabytes(max)));
    drop_draft(self);
}

/* Never stops the reader: its deadline moves on with what has come. */
static gboolean
take_piece(HpSlice piece, gpointer data)
{
    HpSmtpData *self = data;

    self->octets += piece.len;
    hp_channel_set_deadline(self->channel,
                            self->started_usec + BLOCK_USEC +
                                (gint64)(self->octets * G_USEC_PER_SEC / MIN_RATE));
    check_size(self);
    if (self->refusal.code != 0)
        return TRUE;
    if (self->in_body)
        append(self, piece);
    else
        take_header(self, piece);
    return TRUE;
}

gboolean
hp_smtp_data_receive(HpSmtpData *self, HpChannel *channel, GError **error)
{
    gboolean whole = FALSE;

    self->channel = channel;
    self->started_usec = g_get_monotonic_time();
    hp_channel_set_deadline(channel, self->started_usec + BLOCK_USEC);
    /* Twice the size for stuffed dots: a block that does not end then never ends. */
    hp_channel_set_budget(channel, (size_t)self->options->max_message_size * 2 + SLACK);
    whole = hp_dots_read(channel, take_piece, self, &self->summary, error);
    hp_channel_set_budget(channel, G_MAXSIZE);
    self->channel = NULL;
    if (!whole)
        drop_draft(self);
    return whole;
}

/* --- the end -------------------------------------------------------------------------
 */

/* What can be said only when all of it has come. */
static void
judge(HpSmtpData *self)
{
    if (self->summary.bare) {
        hp_smtp_refusal_clear(&self->refusal); /* what follows from it is not the cause */
        refuse(
            self, 550, "5.5.2",
            g_strdup(_("The message has line ends that mail must not have (a CR or LF "
                       "alone, or a NUL). Write it anew, or send it as an attachment.")));
    }
    if (!self->in_body && self->refusal.code == 0) {
        complete_header(self);
        self->in_body = TRUE;
    }
}

gboolean
hp_smtp_data_commit(HpSmtpData *self, char **ret_id, HpSmtpRefusal *ret_refusal)
{
    g_autoptr(GError) error = NULL;
    HpIntakeDraft *draft = NULL;

    judge(self);
    if (self->refusal.code == 0) {
        self->envelope->eight_bit |= self->summary.eight_bit;
        draft = g_steal_pointer(&self->draft);
        if (self->options->intake.commit(draft, self->envelope, ret_id, &error))
            return TRUE;
        fail_intake(self, error);
    }
    *ret_refusal = self->refusal;
    self->refusal = (HpSmtpRefusal){ 0 };
    return FALSE;
}
