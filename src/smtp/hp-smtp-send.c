#include "hp-smtp-send.h"

#include "hp-address.h"
#include "hp-dots.h"
#include "hp-log.h"
#include "hp-sevenbit.h"
#include "hp-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define READ_OCTETS ((size_t)64 * 1024) /* of the content at a time */
#define LAST_WORDS                                                                       \
    (5 * G_TIME_SPAN_SECOND) /* for the reason of a connection that broke */
#define MAX_WHOLE ((guint64)256 * 1024 * 1024) /* octets of a content held in memory */

/* One transaction on its way. */
typedef struct {
    HpSmtpClient *client;    /* (unowned) */
    HpChannel *channel;      /* (unowned) */
    const HpSmtpCaps *caps;  /* (unowned) */
    HpCarry *carry;          /* (unowned) */
    HpCarryMessage *message; /* (unowned) */
    GString *whole;          /* (owned) (nullable): the content, once it was needed */
    GString *converted;      /* (owned) (nullable): the content in 7 bits */
    GPtrArray *batch;        /* (owned): HpCarryRecipient, those of this transaction */
    GPtrArray *accepted;     /* (owned): HpCarryRecipient, those the server took */
    gboolean smtputf8;
    gboolean dirty; /* a transaction is open at the server: RSET first */
} Sending;

void
hp_smtp_reply_copy(const HpReply *from, HpReply *to)
{
    hp_reply_clear(to);
    to->stage = from->stage;
    to->code = from->code;
    memcpy(to->enhanced, from->enhanced, sizeof(to->enhanced));
    to->text = g_strdup(from->text != NULL ? from->text : "");
    to->host = g_strdup(from->host);
}

char *
hp_smtp_reply_line(const HpReply *reply)
{
    return g_strdup_printf("%u%s%s%s%s", reply->code,
                           reply->enhanced[0] != '\0' ? " " : "", reply->enhanced,
                           reply->text != NULL && *reply->text ? " " : "",
                           reply->text != NULL ? reply->text : "");
}

/* The story: what the server, or we ourselves, said last. @recipient: (nullable) */
static void
tell_about(Sending *s, const char *recipient, const HpReply *reply)
{
    g_autofree char *line = hp_smtp_reply_line(reply);
    HpEvent event = { .kind = reply->host != NULL ? HP_EVENT_SAID : HP_EVENT_FAILED,
                      .stage = reply->stage,
                      .host = reply->host,
                      .text = line,
                      .recipient = recipient };

    s->carry->tell(s->carry, &event);
}

static void
tell(Sending *s, const HpReply *reply)
{
    tell_about(s, NULL, reply);
}

static void
decide(HpCarryRecipient *recipient, HpOutcome outcome, const HpReply *reply)
{
    recipient->outcome = outcome;
    hp_smtp_reply_copy(reply, &recipient->reply);
}

static void
decide_all(GPtrArray *recipients, HpOutcome outcome, const HpReply *reply)
{
    for (guint i = 0; i < recipients->len; i++)
        decide(g_ptr_array_index(recipients, i), outcome, reply);
}

/* Refuses them in our own words, for what this server cannot do. */
static void
refuse(Sending *s, GPtrArray *recipients, const char *enhanced, const char *text)
{
    HpReply reply = { .stage = HP_STAGE_LOCAL, .code = 554 };

    g_strlcpy(reply.enhanced, enhanced, sizeof(reply.enhanced));
    reply.text = g_strdup(text);
    tell(s, &reply);
    decide_all(recipients, HP_OUTCOME_REFUSED, &reply);
    hp_reply_clear(&reply);
}

static HpOutcome
outcome_of(const HpReply *reply)
{
    return reply->code >= 500 ? HP_OUTCOME_REFUSED : HP_OUTCOME_DEFERRED;
}

/* xtext = *( xchar / "+" 2HEXDIG ), RFC 3461 §4 */
static char *
xtext(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *at = text; *at != '\0'; at++) {
        unsigned char b = (unsigned char)*at;

        if (b < 33 || b > 126 || b == '+' || b == '=')
            g_string_append_printf(out, "+%02X", b);
        else
            g_string_append_c(out, *at);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* The address as it goes over the wire, its domain in A-labels; %NULL if it cannot. */
static char *
wire_address(const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *domain = NULL;

    for (const char *b = address; *b != '\0'; b++) {
        if ((unsigned char)*b < 32 || *b == 127)
            return NULL;
    }
    if (at == NULL)
        return strpbrk(address, "<>") == NULL ? g_strdup(address) : NULL;
    domain = hp_address_domain_to_ascii(at + 1);
    if (domain == NULL)
        return NULL;
    return g_strdup_printf("%.*s@%s", (int)(at - address), address, domain);
}

static gboolean
has_ascii_local_part(const char *address)
{
    const char *at = strrchr(address, '@');
    size_t len = at != NULL ? (size_t)(at - address) : strlen(address);

    return hp_text_is_ascii((HpSlice){ address, len });
}

static gboolean
write_mail(Sending *s)
{
    const HpCarryMessage *m = s->message;
    g_autofree char *sender = wire_address(m->sender);
    g_autoptr(GString) line = g_string_new("MAIL FROM:<");
    guint64 size = s->converted != NULL ? s->converted->len : m->size;

    g_string_append_printf(line, "%s>", sender != NULL ? sender : m->sender);
    if (s->caps->size)
        g_string_append_printf(line, " SIZE=%" G_GUINT64_FORMAT, size);
    if (s->caps->eight_bit_mime && (m->eight_bit || s->smtputf8))
        g_string_append(line, " BODY=8BITMIME");
    if (s->smtputf8)
        g_string_append(line, " SMTPUTF8");
    if (s->caps->dsn && m->ret != HP_RET_UNSET)
        g_string_append_printf(line, " RET=%s", m->ret == HP_RET_FULL ? "FULL" : "HDRS");
    if (s->caps->dsn && m->envid != NULL) {
        g_autofree char *envid = xtext(m->envid);

        g_string_append_printf(line, " ENVID=%s", envid);
    }
    g_string_append(line, "\r\n");
    return hp_channel_write(s->channel, hp_slice_of_string(line), NULL);
}

/* notify = "NEVER" / list of the others, RFC 3461 §4.1 */
static void
append_notify(GString *line, guint notify)
{
    static const struct {
        guint bit;
        const char *word;
    } rows[] = { { HP_NOTIFY_SUCCESS, "SUCCESS" },
                 { HP_NOTIFY_FAILURE, "FAILURE" },
                 { HP_NOTIFY_DELAY, "DELAY" } };
    const char *separator = " NOTIFY=";

    if ((notify & HP_NOTIFY_NEVER) != 0) {
        g_string_append(line, " NOTIFY=NEVER");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if ((notify & rows[i].bit) == 0)
            continue;
        g_string_append_printf(line, "%s%s", separator, rows[i].word);
        separator = ",";
    }
}

/* ORCPT=addr-type;xtext, RFC 3461 §4.2 */
static void
append_orcpt(GString *line, const char *orcpt)
{
    const char *semicolon = strchr(orcpt, ';');
    g_autofree char *address = NULL;

    if (semicolon == NULL || !hp_text_is_ascii(hp_slice_of(orcpt)))
        return;
    address = xtext(semicolon + 1);
    g_string_append_printf(line, " ORCPT=%.*s;%s", (int)(semicolon - orcpt), orcpt,
                           address);
}

static gboolean
write_rcpt(Sending *s, const HpCarryRecipient *recipient)
{
    g_autofree char *address = wire_address(recipient->address);
    g_autoptr(GString) line = g_string_new("RCPT TO:<");

    g_string_append_printf(line, "%s>", address != NULL ? address : "");
    if (s->caps->dsn) {
        append_notify(line, recipient->notify);
        if (recipient->orcpt != NULL)
            append_orcpt(line, recipient->orcpt);
    }
    g_string_append(line, "\r\n");
    return hp_channel_write(s->channel, hp_slice_of_string(line), NULL);
}

static void
write_word(Sending *s, const char *word)
{
    hp_channel_set_timeout(s->channel, hp_smtp_client_timeouts(s->client)->command);
    hp_channel_printf(s->channel, NULL, "%s\r\n", word);
}

static HpSmtpResult
read_reply(Sending *s, HpStage stage)
{
    const HpSmtpTimeouts *t = hp_smtp_client_timeouts(s->client);

    return hp_smtp_client_read(s->client, stage,
                               stage == HP_STAGE_DATA ? t->data : t->command, FALSE);
}

static gboolean
is_over(HpSmtpResult result)
{
    return result != HP_SMTP_GO && result != HP_SMTP_NO;
}

/* In a pipelined group everything is written before the first reply is read; else each
 * command with its reply. A write that fails is found out by the read after it. */
static HpSmtpResult
step(Sending *s, HpStage stage, const HpCarryRecipient *recipient)
{
    if (!s->caps->pipelining) {
        hp_channel_set_timeout(s->channel, hp_smtp_client_timeouts(s->client)->command);
        if (stage == HP_STAGE_MAIL)
            write_mail(s);
        else if (stage == HP_STAGE_RCPT)
            write_rcpt(s, recipient);
        else
            write_word(s, "DATA");
    }
    return read_reply(s, stage);
}

static void
write_group(Sending *s)
{
    hp_channel_set_timeout(s->channel, hp_smtp_client_timeouts(s->client)->command);
    if (s->dirty)
        write_word(s, "RSET");
    write_mail(s);
    for (guint i = 0; i < s->batch->len; i++)
        write_rcpt(s, g_ptr_array_index(s->batch, i));
    write_word(s, "DATA");
}

static HpSmtpResult
begin(Sending *s)
{
    HpSmtpResult result = HP_SMTP_GO;

    if (s->caps->pipelining)
        write_group(s);
    else if (s->dirty)
        write_word(s, "RSET");
    if (s->dirty)
        result = read_reply(s, HP_STAGE_MAIL);
    s->dirty = FALSE;
    return is_over(result) ? result : HP_SMTP_GO;
}

/* One recipient's reply. 552 is 452 here (RFC 5321 §4.5.3.1.10): too many of them. */
static void
take_rcpt_reply(Sending *s, HpCarryRecipient *recipient, HpSmtpResult result)
{
    const HpReply *reply = hp_smtp_client_last(s->client);
    gboolean too_many = reply->code == 452 || reply->code == 552;

    if (result == HP_SMTP_GO) {
        g_ptr_array_add(s->accepted, recipient);
        return;
    }
    if (too_many && s->accepted->len > 0)
        return; /* still untried: the next transaction takes it */
    tell_about(s, recipient->address, reply);
    decide(recipient, too_many ? HP_OUTCOME_DEFERRED : outcome_of(reply), reply);
}

/* The server has refused the envelope. If a group was written the rest of its replies
 * must be read, and a DATA that was taken all the same gets an empty message. */
static HpSmtpResult
drain(Sending *s, guint rcpts)
{
    HpSmtpResult result = HP_SMTP_GO;

    if (!s->caps->pipelining)
        return HP_SMTP_GO;
    for (guint i = 0; i < rcpts && !is_over(result); i++)
        result = read_reply(s, HP_STAGE_RCPT);
    if (is_over(result))
        return result;
    result = read_reply(s, HP_STAGE_DATA);
    if (result != HP_SMTP_GO)
        return is_over(result) ? result : HP_SMTP_GO;
    write_word(s, ".");
    result = read_reply(s, HP_STAGE_DOT);
    s->dirty = FALSE;
    return is_over(result) ? result : HP_SMTP_GO;
}

/* MAIL and every RCPT. GO: the content is next for whom the server has accepted; if that
 * is nobody, the envelope is over and its replies are read. */
static HpSmtpResult
send_envelope(Sending *s)
{
    HpSmtpResult result = begin(s);

    if (is_over(result))
        return result;
    result = step(s, HP_STAGE_MAIL, NULL);
    if (is_over(result))
        return result;
    if (result == HP_SMTP_NO) {
        const HpReply *reply = hp_smtp_client_last(s->client);

        tell(s, reply);
        decide_all(s->batch, outcome_of(reply), reply);
        return drain(s, s->batch->len);
    }
    s->dirty = TRUE;
    for (guint i = 0; i < s->batch->len; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(s->batch, i);

        result = step(s, HP_STAGE_RCPT, recipient);
        if (is_over(result))
            return result;
        take_rcpt_reply(s, recipient, result);
    }
    return s->accepted->len > 0 ? HP_SMTP_GO : drain(s, 0);
}

/* The bytes as they are stored. -1: our own disk fails. 0: the connection does. */
static int
send_stored(Sending *s, HpDotsWriter *dots)
{
    g_autofree char *buffer = g_malloc(READ_OCTETS);
    guint64 offset = 0;

    for (;;) {
        g_autoptr(GError) error = NULL;
        gssize n =
            s->message->read(s->message->content, offset, buffer, READ_OCTETS, &error);

        if (n < 0)
            hp_log("smtp", s->message->id, G_LOG_LEVEL_WARNING, "%s", error->message);
        if (n <= 0)
            return n < 0 ? -1 : 1;
        hp_channel_set_timeout(s->channel, hp_smtp_client_timeouts(s->client)->block);
        if (!hp_dots_write(dots, s->channel, (HpSlice){ buffer, (size_t)n }, NULL))
            return 0;
        offset += (guint64)n;
    }
}

static int
send_converted(Sending *s, HpDotsWriter *dots)
{
    size_t at = 0;

    while (at < s->converted->len) {
        HpSlice piece = { s->converted->str + at,
                          MIN(READ_OCTETS, s->converted->len - at) };

        hp_channel_set_timeout(s->channel, hp_smtp_client_timeouts(s->client)->block);
        if (!hp_dots_write(dots, s->channel, piece, NULL))
            return 0;
        at += piece.len;
    }
    return 1;
}

/* The connection broke while the content was on its way; the server may have said why. */
static HpSmtpResult
hear_last_words(Sending *s)
{
    HpSmtpResult result =
        hp_smtp_client_read(s->client, HP_STAGE_DATA, LAST_WORDS, FALSE);
    const HpReply *reply = hp_smtp_client_last(s->client);

    if (result == HP_SMTP_NO) {
        tell(s, reply);
        decide_all(s->accepted, outcome_of(reply), reply);
    }
    return result == HP_SMTP_GO || result == HP_SMTP_NO ? HP_SMTP_LOST : result;
}

static HpSmtpResult
fail_reading(Sending *s)
{
    HpReply reply = { .stage = HP_STAGE_LOCAL, .code = 451, .enhanced = "4.3.0" };

    reply.text = g_strdup(_("the message could not be read from this computer's disk"));
    tell(s, &reply);
    decide_all(s->accepted, HP_OUTCOME_DEFERRED, &reply);
    hp_reply_clear(&reply);
    return HP_SMTP_LOST;
}

/* What the reply to the dot means for those whom the server had taken. */
static HpSmtpResult
take_dot_reply(Sending *s)
{
    HpSmtpResult result = hp_smtp_client_read(
        s->client, HP_STAGE_DOT, hp_smtp_client_timeouts(s->client)->dot, TRUE);
    const HpReply *reply = hp_smtp_client_last(s->client);
    HpOutcome outcome = HP_OUTCOME_UNCERTAIN;

    if (result == HP_SMTP_GO && reply->code < 300)
        outcome = HP_OUTCOME_DELIVERED;
    else if (result == HP_SMTP_GO)
        result = HP_SMTP_NONSENSE;
    else if (reply->host != NULL)
        outcome = outcome_of(reply);
    tell(s, reply);
    decide_all(s->accepted, outcome, reply);
    for (guint i = 0; i < s->accepted->len && outcome == HP_OUTCOME_DELIVERED; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(s->accepted, i);

        recipient->relayed_without_dsn = !s->caps->dsn;
    }
    s->dirty = FALSE;
    return result == HP_SMTP_NO ? HP_SMTP_GO : result;
}

static HpSmtpResult
send_content(Sending *s)
{
    HpDotsWriter dots = HP_DOTS_WRITER_INIT;
    int sent = s->converted != NULL ? send_converted(s, &dots) : send_stored(s, &dots);

    if (sent < 0)
        return fail_reading(s);
    if (sent == 0 || !hp_dots_finish(&dots, s->channel, NULL))
        return hear_last_words(s);
    if (!s->carry->dot_begins(s->carry))
        return HP_SMTP_CALLED_OFF;
    /* From here on the message may have arrived, whatever happens. */
    hp_channel_write(s->channel, HP_SLICE_LITERAL(".\r\n"), NULL);
    return take_dot_reply(s);
}

static HpSmtpResult
send_batch(Sending *s)
{
    HpSmtpResult result = send_envelope(s);
    const HpReply *reply;

    if (result != HP_SMTP_GO || s->accepted->len == 0)
        return result;
    result = step(s, HP_STAGE_DATA, NULL);
    if (is_over(result))
        return result;
    reply = hp_smtp_client_last(s->client);
    if (reply->code != 354) {
        tell(s, reply);
        decide_all(s->accepted, outcome_of(reply), reply);
        return result == HP_SMTP_GO ? HP_SMTP_NONSENSE : HP_SMTP_GO;
    }
    return send_content(s);
}

static void
collect_untried(Sending *s)
{
    g_ptr_array_set_size(s->batch, 0);
    g_ptr_array_set_size(s->accepted, 0);
    for (guint i = 0; i < s->message->recipients->len; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(s->message->recipients, i);

        if (recipient->outcome == HP_OUTCOME_UNTRIED)
            g_ptr_array_add(s->batch, recipient);
    }
}

/* Refuses the recipients whose own address this server cannot be told. */
static void
refuse_unwritable(Sending *s)
{
    g_autoptr(GPtrArray) bad = g_ptr_array_new();
    g_autoptr(GPtrArray) foreign = g_ptr_array_new();

    for (guint i = 0; i < s->batch->len; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(s->batch, i);
        g_autofree char *address = wire_address(recipient->address);

        if (address == NULL)
            g_ptr_array_add(bad, recipient);
        else if (!s->smtputf8 && !has_ascii_local_part(recipient->address))
            g_ptr_array_add(foreign, recipient);
    }
    if (bad->len > 0)
        refuse(s, bad, "5.1.3", _("the address cannot be written in SMTP"));
    if (foreign->len > 0)
        refuse(s, foreign, "5.6.7",
               _("the recipient's mail server does not accept addresses with letters "
                 "beyond ASCII"));
}

static gboolean
load_whole(Sending *s)
{
    g_autoptr(GString) whole = g_string_new(NULL);
    g_autofree char *buffer = g_malloc(READ_OCTETS);
    gssize n;

    if (s->whole != NULL)
        return TRUE;
    while ((n = s->message->read(s->message->content, whole->len, buffer, READ_OCTETS,
                                 NULL)) > 0 &&
           whole->len < MAX_WHOLE)
        g_string_append_len(whole, buffer, n);
    if (n != 0) {
        g_ptr_array_set_size(s->accepted, 0);
        g_ptr_array_extend(s->accepted, s->batch, NULL, NULL);
        fail_reading(s);
        return FALSE;
    }
    s->whole = g_steal_pointer(&whole);
    return TRUE;
}

static gboolean
convert(Sending *s)
{
    g_autoptr(GError) error = NULL;

    if (!load_whole(s))
        return FALSE;
    s->converted = hp_sevenbit_convert(hp_slice_of_string(s->whole), &error);
    if (s->converted != NULL)
        return TRUE;
    hp_log("smtp", s->message->id, G_LOG_LEVEL_INFO, "no 7-bit form: %s", error->message);
    refuse(s, s->batch, "5.6.3",
           _("the recipient's mail server only takes 7-bit text, and this message cannot "
             "be converted without breaking it"));
    return FALSE;
}

static gboolean
has_wide_recipient(Sending *s)
{
    for (guint i = 0; i < s->batch->len; i++) {
        const HpCarryRecipient *recipient = g_ptr_array_index(s->batch, i);

        if (!has_ascii_local_part(recipient->address))
            return TRUE;
    }
    return FALSE;
}

/* Clients give the parameter with every address beyond ASCII, also where only a domain is
 * that, which becomes A-labels. So where it is lacking the header itself is looked at. */
static gboolean
agree_on_smtputf8(Sending *s)
{
    const HpCarryMessage *m = s->message;
    gboolean needed = !has_ascii_local_part(m->sender);

    if (!needed && m->smtputf8 && m->eight_bit) {
        if (!s->caps->smtputf8 && !load_whole(s))
            return FALSE;
        needed = s->caps->smtputf8 ||
                 hp_sevenbit_has_wide_header(hp_slice_of_string(s->whole));
    }
    if (needed && !s->caps->smtputf8) {
        refuse(s, s->batch, "5.6.7",
               _("the recipient's mail server does not accept addresses and headers with "
                 "letters beyond ASCII"));
        return FALSE;
    }
    s->smtputf8 = s->caps->smtputf8 && (needed || has_wide_recipient(s));
    return TRUE;
}

/* What this server cannot take at all is refused before it is asked. */
static gboolean
fits_server(Sending *s)
{
    const HpCarryMessage *m = s->message;

    if (!agree_on_smtputf8(s))
        return FALSE;
    refuse_unwritable(s);
    collect_untried(s);
    if (s->batch->len > 0 && m->eight_bit && !s->caps->eight_bit_mime && !convert(s))
        return FALSE;
    if (s->caps->max_size != 0 &&
        (s->converted != NULL ? s->converted->len : m->size) > s->caps->max_size) {
        g_autofree char *limit = g_format_size(s->caps->max_size);
        g_autofree char *text = g_strdup_printf(
            _("the recipient's mail server takes messages of at most %s"), limit);

        refuse(s, s->batch, "5.3.4", text);
        return FALSE;
    }
    return s->batch->len > 0;
}

HpSmtpResult
hp_smtp_send(HpSmtpClient *client, HpCarry *carry, HpCarryMessage *message)
{
    Sending s = { .client = client,
                  .channel = hp_smtp_client_channel(client),
                  .caps = hp_smtp_client_caps(client),
                  .carry = carry,
                  .message = message };
    g_autoptr(GPtrArray) batch = g_ptr_array_new();
    g_autoptr(GPtrArray) accepted = g_ptr_array_new();
    HpSmtpResult result = HP_SMTP_GO;

    s.batch = batch;
    s.accepted = accepted;
    collect_untried(&s);
    if (batch->len > 0 && fits_server(&s)) {
        guint before;

        do {
            before = batch->len;
            result = send_batch(&s);
            collect_untried(&s);
        } while (result == HP_SMTP_GO && batch->len > 0 && batch->len < before);
    }
    if (result == HP_SMTP_GO && s.dirty) {
        write_word(&s, "RSET");
        result = read_reply(&s, HP_STAGE_MAIL);
        result = is_over(result) ? result : HP_SMTP_GO;
    }
    if (s.whole != NULL)
        g_string_free(s.whole, TRUE);
    if (s.converted != NULL)
        g_string_free(s.converted, TRUE);
    return result;
}
