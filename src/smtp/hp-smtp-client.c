#include "hp-smtp-client.h"

#include "hp-lines.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define MINUTE (60 * G_TIME_SPAN_SECOND)
#define READ_BUDGET                                                                      \
    ((size_t)128 * 1024) /* octets until a reply is whole, with the next ones */
#define PATIENCE                                                                         \
    (8 * G_TIME_SPAN_SECOND) /* for the reply to a dot while shutting down               \
                              */
#define MAX_GREETED 64       /* characters kept of the server's own name */
#define MAX_SIZE    ((guint64)1 << 62)

const HpSmtpTimeouts hp_smtp_timeouts_default = {
    .greeting = 5 * MINUTE,
    .command = 5 * MINUTE,
    .data = 2 * MINUTE,
    .block = 3 * MINUTE,
    .dot = 10 * MINUTE,
};

struct _HpSmtpClient {
    HpChannel *channel; /* (owned) */
    char *hostname;     /* (owned) */
    char *host;         /* (owned) */
    HpSmtpTimeouts timeouts;
    int abort_fd;
    HpSmtpCaps caps;
    HpSmtpReply reply; /* the last one, in full */
    HpReply last;
    char *greeted_as; /* (owned) (nullable) */
};

HpSmtpClient *
hp_smtp_client_new(HpChannel *channel, const HpSmtpClientOptions *options)
{
    HpSmtpClient *self = g_new0(HpSmtpClient, 1);

    self->channel = channel;
    self->hostname = g_strdup(options->hostname);
    self->host = g_strdup(options->host);
    self->timeouts =
        options->timeouts != NULL ? *options->timeouts : hp_smtp_timeouts_default;
    self->abort_fd = options->abort_fd;
    hp_channel_set_abort_fd(channel, self->abort_fd);
    return self;
}

void
hp_smtp_client_free(HpSmtpClient *self)
{
    if (self == NULL)
        return;
    hp_channel_free(self->channel);
    hp_smtp_reply_clear(&self->reply);
    hp_reply_clear(&self->last);
    g_free(self->hostname);
    g_free(self->host);
    g_free(self->greeted_as);
    g_free(self);
}

/* Our own words for what happened, in place of a reply. */
static HpSmtpResult
fail(HpSmtpClient *self, HpStage stage, HpSmtpResult result, const char *detail)
{
    const char *words = detail;
    const char *enhanced = "4.4.2";

    hp_reply_clear(&self->last);
    if (result == HP_SMTP_NONSENSE)
        enhanced = "4.5.0";
    if (result == HP_SMTP_TLS_FAILED)
        enhanced = "4.7.5";
    if (result == HP_SMTP_LOST)
        words = _("the server closed the connection");
    if (result == HP_SMTP_TIMEOUT)
        words = _("the server did not answer in time");
    self->last.stage = stage;
    self->last.code = result == HP_SMTP_TLS_FAILED ? 454 : 451;
    g_strlcpy(self->last.enhanced, enhanced, sizeof(self->last.enhanced));
    self->last.text = g_strdup(words);
    return result;
}

static HpSmtpResult
fail_by(HpSmtpClient *self, HpStage stage, const GError *error)
{
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TIMEOUT))
        return fail(self, stage, HP_SMTP_TIMEOUT, NULL);
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED))
        return fail(self, stage, HP_SMTP_ABORTED, error->message);
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_BUDGET))
        return fail(self, stage, HP_SMTP_NONSENSE,
                    _("the server sent more than a reply may hold"));
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_TLS))
        return fail(self, stage, HP_SMTP_LOST, NULL);
    return fail(self, stage, HP_SMTP_LOST, NULL);
}

static gboolean
has_line(HpSlice in)
{
    return in.len > 0 && memmem(in.data, in.len, "\r\n", 2) != NULL;
}

typedef struct {
    HpStage stage;
    gint64 deadline_usec;
    gboolean patient; /* not told yet that everything must end */
} Wait;

/* Everything must end; but a server that has our dot may still say what became of it. */
static gboolean
may_be_patient(HpSmtpClient *self, Wait *wait, const GError *error)
{
    gint64 limit = g_get_monotonic_time() + PATIENCE;

    if (!wait->patient || !g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED))
        return FALSE;
    wait->patient = FALSE;
    hp_channel_set_abort_fd(self->channel, -1);
    hp_channel_set_deadline(self->channel, MIN(wait->deadline_usec, limit));
    return TRUE;
}

/* Waits until a whole line is there; what is gathered is sent before. After a failed
 * write the server's reason may still be there to be read. */
static HpSmtpResult
await_line(HpSmtpClient *self, Wait *wait)
{
    while (!has_line(hp_channel_input(self->channel))) {
        g_autoptr(GError) error = NULL;

        if (hp_channel_input(self->channel).len >= HP_SMTP_REPLY_LINE)
            return fail(self, wait->stage, HP_SMTP_NONSENSE,
                        _("the answer does not follow the rules of SMTP"));
        if (!hp_channel_fill(self->channel, &error) && !may_be_patient(self, wait, error))
            return fail_by(self, wait->stage, error);
    }
    return HP_SMTP_GO;
}

/* One reply into self->reply. */
static HpSmtpResult
read_lines(HpSmtpClient *self, Wait *wait)
{
    HpSmtpReplyStep step = HP_SMTP_REPLY_MORE;

    while (step == HP_SMTP_REPLY_MORE) {
        HpSmtpResult result = await_line(self, wait);
        g_autoptr(GError) error = NULL;
        HpLineResult got;
        HpSlice line;

        if (result != HP_SMTP_GO)
            return result;
        got = hp_lines_read(self->channel, HP_SMTP_REPLY_LINE, &line, &error);
        if (got == HP_LINE_FAILED)
            return fail_by(self, wait->stage, error);
        step = got == HP_LINE_TOO_LONG ? HP_SMTP_REPLY_BROKEN
                                       : hp_smtp_reply_add(&self->reply, line);
    }
    if (step == HP_SMTP_REPLY_BROKEN)
        return fail(self, wait->stage, HP_SMTP_NONSENSE,
                    _("the answer does not follow the rules of SMTP"));
    return HP_SMTP_GO;
}

HpSmtpResult
hp_smtp_client_read(HpSmtpClient *self, HpStage stage, gint64 timeout_usec,
                    gboolean patient)
{
    Wait wait = { stage, g_get_monotonic_time() + timeout_usec, patient };
    HpSmtpResult result;

    hp_smtp_reply_clear(&self->reply);
    hp_channel_set_abort_fd(self->channel, self->abort_fd);
    hp_channel_set_deadline(self->channel, wait.deadline_usec);
    hp_channel_set_budget(self->channel, READ_BUDGET);
    result = read_lines(self, &wait);
    if (result != HP_SMTP_GO)
        return result;
    hp_reply_clear(&self->last);
    self->last.stage = stage;
    self->last.code = self->reply.code;
    g_strlcpy(self->last.enhanced, self->reply.enhanced, sizeof(self->last.enhanced));
    self->last.text = hp_smtp_reply_printable(&self->reply);
    self->last.host = g_strdup(self->host);
    if (self->reply.code == 421)
        return HP_SMTP_LOST;
    return self->reply.code < 400 ? HP_SMTP_GO : HP_SMTP_NO;
}

static HpSmtpResult
ask(HpSmtpClient *self, HpStage stage, const char *verb, const char *argument)
{
    /* A failed write is found out by the read, which may still find a reason. */
    hp_channel_set_timeout(self->channel, self->timeouts.command);
    hp_channel_printf(self->channel, NULL, "%s%s%s\r\n", verb,
                      *argument != '\0' ? " " : "", argument);
    return hp_smtp_client_read(self, stage, self->timeouts.command, FALSE);
}

HpSmtpResult
hp_smtp_client_greet(HpSmtpClient *self)
{
    HpSmtpResult result =
        hp_smtp_client_read(self, HP_STAGE_GREETING, self->timeouts.greeting, FALSE);
    HpCursor c;
    HpSlice name;

    if (result != HP_SMTP_GO)
        return result;
    if (self->reply.code != 220)
        return fail(self, HP_STAGE_GREETING, HP_SMTP_NONSENSE,
                    _("the answer does not follow the rules of SMTP"));
    c = hp_cursor_over(hp_slice_of(self->last.text));
    name = hp_cursor_take_until(&c, ' ');
    g_free(self->greeted_as);
    self->greeted_as = hp_text_printable(name, MAX_GREETED);
    return HP_SMTP_GO;
}

/* ehlo-line = ehlo-keyword *( SP ehlo-param ), RFC 5321 §4.1.1.1 */
static void
take_capability(HpSmtpCaps *caps, HpSlice line)
{
    HpCursor c = hp_cursor_over(line);
    HpSlice keyword = hp_cursor_take_until(&c, ' ');
    guint64 number;

    if (hp_slice_equal_nocase(keyword, "STARTTLS"))
        caps->starttls = TRUE;
    else if (hp_slice_equal_nocase(keyword, "PIPELINING"))
        caps->pipelining = TRUE;
    else if (hp_slice_equal_nocase(keyword, "8BITMIME"))
        caps->eight_bit_mime = TRUE;
    else if (hp_slice_equal_nocase(keyword, "SMTPUTF8"))
        caps->smtputf8 = TRUE;
    else if (hp_slice_equal_nocase(keyword, "DSN"))
        caps->dsn = TRUE;
    if (!hp_slice_equal_nocase(keyword, "SIZE"))
        return;
    caps->size = TRUE;
    hp_cursor_skip(&c, ' ');
    if (hp_cursor_take_number(&c, MAX_SIZE, &number))
        caps->max_size = number;
}

static void
take_capabilities(HpSmtpClient *self)
{
    HpCursor c = hp_cursor_over(hp_slice_of_string(self->reply.text));

    hp_cursor_take_until(&c, '\n'); /* the first line is the server's name */
    while (hp_cursor_skip(&c, '\n'))
        take_capability(&self->caps, hp_slice_trim(hp_cursor_take_until(&c, '\n')));
}

HpSmtpResult
hp_smtp_client_hello(HpSmtpClient *self)
{
    HpSmtpResult result;

    self->caps = (HpSmtpCaps){ .starttls = FALSE };
    result = ask(self, HP_STAGE_EHLO, "EHLO", self->hostname);
    if (result == HP_SMTP_GO) {
        take_capabilities(self);
        return result;
    }
    if (result != HP_SMTP_NO || self->last.code < 500)
        return result;
    return ask(self, HP_STAGE_EHLO, "HELO", self->hostname);
}

HpSmtpResult
hp_smtp_client_start_tls(HpSmtpClient *self, HpTlsTrust *trust,
                         HpTlsVerdict **ret_verdict)
{
    HpSmtpResult result = ask(self, HP_STAGE_STARTTLS, "STARTTLS", "");
    g_autoptr(HpTlsVerdict) verdict = NULL;
    g_autoptr(GError) error = NULL;

    if (result != HP_SMTP_GO)
        return result;
    /* RFC 3207 §4.2: what was learned before counts no more. */
    self->caps = (HpSmtpCaps){ .starttls = FALSE };
    if (hp_channel_pending(self->channel) > 0)
        return fail(self, HP_STAGE_STARTTLS, HP_SMTP_TLS_FAILED,
                    _("something unencrypted was pushed in where the encryption begins; "
                      "somebody may be in between"));
    hp_channel_set_timeout(self->channel, self->timeouts.command);
    hp_channel_set_budget(self->channel, READ_BUDGET);
    if (!hp_channel_start_tls_client(self->channel, trust, self->host, &verdict, &error))
        return g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED)
                   ? fail_by(self, HP_STAGE_STARTTLS, error)
                   : fail(self, HP_STAGE_STARTTLS, HP_SMTP_TLS_FAILED, error->message);
    result = hp_smtp_client_hello(self);
    if (result == HP_SMTP_GO)
        *ret_verdict = g_steal_pointer(&verdict);
    return result;
}

void
hp_smtp_client_quit(HpSmtpClient *self)
{
    hp_channel_set_timeout(self->channel, G_TIME_SPAN_SECOND);
    hp_channel_printf(self->channel, NULL, "QUIT\r\n");
    hp_channel_flush(self->channel, NULL);
}

const HpSmtpCaps *
hp_smtp_client_caps(const HpSmtpClient *self)
{
    return &self->caps;
}

const HpSmtpTimeouts *
hp_smtp_client_timeouts(const HpSmtpClient *self)
{
    return &self->timeouts;
}

HpChannel *
hp_smtp_client_channel(HpSmtpClient *self)
{
    return self->channel;
}

const HpReply *
hp_smtp_client_last(const HpSmtpClient *self)
{
    return &self->last;
}

const char *
hp_smtp_client_greeted_as(const HpSmtpClient *self)
{
    return self->greeted_as != NULL ? self->greeted_as : "";
}
