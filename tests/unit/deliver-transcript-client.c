/* Delivers messages to 127.0.0.1 PORT, so that a transcript can be the server there, and
 * prints what became of each recipient: "outcome code enhanced stage: text".
 *
 * usage: deliver-transcript-client PORT [--rcpt ADDRESS]... [option]...
 * An option is about the message or the recipient before it; --message begins another. */
#include "hp-smtp-transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    HpCarry carry; /* first: the transport knows only this */
    GPtrArray *messages;
    guint taken;
    char *body;
} Sender;

static HpCarryMessage *
on_next(HpCarry *carry)
{
    Sender *s = (Sender *)carry;

    return s->taken < s->messages->len ? g_ptr_array_index(s->messages, s->taken++)
                                       : NULL;
}

static gboolean
on_dot(HpCarry *carry)
{
    (void)carry;
    return TRUE;
}

static void
on_tell(HpCarry *carry, const HpEvent *event)
{
    (void)carry;
    fprintf(stderr, "# %s: %s\n", event->host != NULL ? event->host : "-", event->text);
}

static void
on_settle(HpCarry *carry, HpCarryMessage *message)
{
    static const char *const outcomes[] = { "untried",  "delivered", "refused",
                                            "deferred", "network",   "uncertain" };
    static const char *const stages[] = { "dns",      "connect", "greeting", "ehlo",
                                          "starttls", "mail",    "rcpt",     "data",
                                          "dot",      "local" };

    (void)carry;
    for (guint i = 0; i < message->recipients->len; i++) {
        const HpCarryRecipient *r = g_ptr_array_index(message->recipients, i);

        printf("%s %u %s %s%s: %s\n", outcomes[r->outcome], r->reply.code,
               r->reply.enhanced[0] != '\0' ? r->reply.enhanced : "-",
               stages[r->reply.stage], r->relayed_without_dsn ? " no-dsn" : "",
               r->reply.text != NULL ? r->reply.text : "");
    }
}

static gssize
on_read(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    const char *body = content;
    size_t len = strlen(body);
    size_t n = offset < len ? MIN(size, len - (size_t)offset) : 0;

    (void)error;
    memcpy(buffer, body + MIN(offset, len), n);
    return (gssize)n;
}

static void
free_recipient(gpointer item)
{
    HpCarryRecipient *recipient = item;

    hp_reply_clear(&recipient->reply);
    g_free(recipient->address);
    g_free(recipient->orcpt);
    g_free(recipient);
}

static void
free_message(gpointer item)
{
    HpCarryMessage *message = item;

    g_ptr_array_unref(message->recipients);
    g_free(message->id);
    g_free(message->sender);
    g_free(message->envid);
    g_free(message->content);
    g_free(message);
}

static HpCarryMessage *
add_message(Sender *s)
{
    HpCarryMessage *message = g_new0(HpCarryMessage, 1);

    message->id = g_strdup("7Q2KXM");
    message->sender = g_strdup("anna@example.net");
    message->recipients = g_ptr_array_new_with_free_func(free_recipient);
    message->content = g_strdup("Subject: x\r\n\r\nhello\r\n");
    message->read = on_read;
    g_ptr_array_add(s->messages, message);
    return message;
}

static void
add_recipient(HpCarryMessage *message, const char *address)
{
    HpCarryRecipient *recipient = g_new0(HpCarryRecipient, 1);

    recipient->address = g_strdup(address);
    g_ptr_array_add(message->recipients, recipient);
}

static void
replace(char **text, char *new_text)
{
    g_free(*text);
    *text = new_text;
}

/* Options with a value; %FALSE if it is none of them. */
static gboolean
take_value(HpCarryMessage *m, const char *option, const char *value)
{
    HpCarryRecipient *r = m->recipients->len > 0
                              ? g_ptr_array_index(m->recipients, m->recipients->len - 1)
                              : NULL;

    if (strcmp(option, "--rcpt") == 0)
        add_recipient(m, value);
    else if (strcmp(option, "--sender") == 0)
        replace(&m->sender, g_strdup(value));
    else if (strcmp(option, "--body") == 0)
        replace((char **)&m->content, g_strcompress(value));
    else if (strcmp(option, "--ret") == 0)
        m->ret = strcmp(value, "FULL") == 0 ? HP_RET_FULL : HP_RET_HDRS;
    else if (strcmp(option, "--envid") == 0)
        m->envid = g_strdup(value);
    else if (strcmp(option, "--notify") == 0 && r != NULL)
        r->notify = (guint)g_ascii_strtoull(value, NULL, 10);
    else if (strcmp(option, "--orcpt") == 0 && r != NULL)
        r->orcpt = g_strdup(value);
    else
        return FALSE;
    return TRUE;
}

static gboolean
take_flag(Sender *s, HpCarryMessage **m, const char *option)
{
    if (strcmp(option, "--message") == 0)
        *m = add_message(s);
    else if (strcmp(option, "--smtputf8") == 0)
        (*m)->smtputf8 = TRUE;
    else if (strcmp(option, "--eight-bit") == 0)
        (*m)->eight_bit = TRUE;
    else if (strcmp(option, "--may-go-plain") == 0)
        (*m)->may_go_plain = TRUE;
    else if (strcmp(option, "--seen-tls") == 0)
        s->carry.memory.seen_tls = TRUE;
    else
        return FALSE;
    return TRUE;
}

int
main(int argc, char **argv)
{
    static const HpSmtpTimeouts timeouts = { 2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC, 2 * G_USEC_PER_SEC,
                                             2 * G_USEC_PER_SEC };
    static const char *const nobody[] = { NULL };
    g_autoptr(HpResolver) resolver = hp_resolver_new("127.0.0.1:1", NULL);
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(NULL, NULL);
    HpSmtpTransportOptions options = { .resolver = resolver,
                                       .trust = trust,
                                       .hostname = "laptop.example.net",
                                       .allow_private = TRUE,
                                       .own_addresses = nobody,
                                       .timeouts = &timeouts };
    Sender s = { .carry = { .destination = "[127.0.0.1]",
                            .abort_fd = -1,
                            .next = on_next,
                            .dot_begins = on_dot,
                            .tell = on_tell,
                            .settle = on_settle },
                 .messages = g_ptr_array_new_with_free_func(free_message) };
    g_autoptr(HpSmtpTransport) transport = NULL;
    HpCarryMessage *m = add_message(&s);
    HpTransport table;

    for (int i = 2; i < argc; i++) {
        if (take_flag(&s, &m, argv[i]))
            continue;
        if (i + 1 >= argc || !take_value(m, argv[i], argv[i + 1])) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
        i++;
    }
    for (guint i = 0; i < s.messages->len; i++) {
        m = g_ptr_array_index(s.messages, i);
        m->size = strlen(m->content);
    }
    options.port = (guint16)g_ascii_strtoull(argc > 1 ? argv[1] : "0", NULL, 10);
    transport = hp_smtp_transport_new(&options);
    table = hp_smtp_transport_table(transport);
    table.carry(table.self, &s.carry);
    g_ptr_array_unref(s.messages);
    return 0;
}
