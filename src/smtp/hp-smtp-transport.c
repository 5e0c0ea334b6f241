#include "hp-smtp-transport.h"

#include "hp-ip.h"
#include "hp-lock.h"
#include "hp-log.h"
#include "hp-smtp-send.h"

#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>

#define SMTP_PORT  25
#define CONNECT_MS 30000 /* TCP handshake; the kernel's own limit is two minutes */

/* Options that do not change any more, and what they point to. */
typedef struct {
    gatomicrefcount refs;
    HpSmtpTransportOptions
        options; /* strings are our copies, the trust is our reference */
    HpSmtpTimeouts timeouts;
    char *hostname;       /* (owned) */
    char **own_addresses; /* (owned) (nullable) */
} Setup;

struct _HpSmtpTransport {
    HpLock lock;
    Setup *setup; /* (owned); guarded by lock */
};

/* One carry on its way along the servers of its destination. */
typedef struct {
    const HpSmtpTransportOptions *options; /* (unowned) */
    const HpSmtpTimeouts *timeouts;        /* (unowned) */
    HpCarry *carry;                        /* (unowned) */
    HpCarryMessage *message;               /* (unowned) (nullable) */
    HpMxRoute *route;                      /* (owned) (nullable) */
    guint at;                              /* of the targets */
    HpSmtpClient *client;                  /* (owned) (nullable) */
    guint carried;                         /* messages over this connection */
    gboolean plain;                        /* this target's handshake failed before */
    gboolean aborted;
    HpOutcome failure; /* what the last thing that went wrong means */
    HpReply reason;    /* and in which words */
} Run;

static const HpMxTarget *
target_of(const Run *run)
{
    return g_ptr_array_index(run->route->targets, run->at);
}

static void
note(const Run *run, HpLinkEvidence evidence)
{
    const HpMxTarget *target = target_of(run);
    g_autofree char *about = g_strdup_printf("%s [%s]", target->host, target->address);

    if (run->options->note != NULL)
        run->options->note(evidence, about, run->options->note_data);
}

static gboolean
is_line_good(const Run *run)
{
    return run->options->link_state == NULL ||
           run->options->link_state(run->options->link_data) == HP_LINK_OK;
}

/* Of an attempt that has reached no server, once the evidence is noted. On a line that is
 * believed to be all right it counts, even if no way leads there or nobody knows the
 * domain for certain: mail that counts no attempt waits for ever. */
static HpOutcome
outcome_of_line(const Run *run)
{
    return is_line_good(run) ? HP_OUTCOME_DEFERRED : HP_OUTCOME_NETWORK;
}

static void
tell(Run *run, HpEventKind kind, HpStage stage, const char *text)
{
    gboolean has_host = run->route != NULL && run->at < run->route->targets->len &&
                        kind != HP_EVENT_LOOKED_UP;
    HpEvent event = { .kind = kind,
                      .stage = stage,
                      .host = has_host ? target_of(run)->host : NULL,
                      .text = text };

    run->carry->tell(run->carry, &event);
}

/* Keeps why this server was left, and tells it. */
static void
fail(Run *run, HpOutcome outcome, const HpReply *reason)
{
    g_autofree char *line = hp_smtp_reply_line(reason);

    run->failure = outcome;
    hp_smtp_reply_copy(reason, &run->reason);
    if (reason->host != NULL)
        tell(run, HP_EVENT_SAID, reason->stage, line);
    else
        tell(run, HP_EVENT_FAILED, reason->stage, reason->text);
}

static void
fail_locally(Run *run, HpOutcome outcome, HpStage stage, const char *enhanced,
             const char *text)
{
    HpReply reason = { .stage = stage, .code = 451 };

    g_strlcpy(reason.enhanced, enhanced, sizeof(reason.enhanced));
    reason.text = g_strdup(text);
    fail(run, outcome, &reason);
    hp_reply_clear(&reason);
}

static void
close_session(Run *run, gboolean politely)
{
    if (run->client != NULL && politely)
        hp_smtp_client_quit(run->client);
    g_clear_pointer(&run->client, hp_smtp_client_free);
    run->carried = 0;
}

static gboolean
must_end(Run *run)
{
    struct pollfd bell = { run->carry->abort_fd, POLLIN, 0 };

    if (run->carry->abort_fd >= 0 && poll(&bell, 1, 0) > 0)
        run->aborted = TRUE;
    return run->aborted;
}

/* An address or the name of a host, which may be made of any words. */
static gboolean
is_name(const char *token)
{
    for (const char *at = token; *at != '\0'; at++)
        if (strchr("@<>", *at) != NULL || (*at == '.' && g_ascii_isalnum(at[1])))
            return TRUE;
    return FALSE;
}

/* " no ptr record for ": the words of a reply, a space around each. */
static GString *
words_of(const char *text)
{
    g_auto(GStrv) tokens = g_strsplit_set(text, " ,;:()[]\"'", -1);
    GString *out = g_string_new(" ");

    for (char **token = tokens; *token != NULL; token++) {
        if (is_name(*token))
            continue;
        for (const char *at = *token; *at != '\0'; at++)
            if (g_ascii_isalnum(*at))
                g_string_append_c(out, g_ascii_tolower(*at));
            else if (out->str[out->len - 1] != ' ')
                g_string_append_c(out, ' ');
        if (out->str[out->len - 1] != ' ')
            g_string_append_c(out, ' ');
    }
    return out;
}

/* 5.1.x and 5.2.x are about the recipient (RFC 3463 §3.2, §3.3). */
static gboolean
is_about_recipient(const HpReply *reply)
{
    return g_str_has_prefix(reply->enhanced, "5.1.") ||
           g_str_has_prefix(reply->enhanced, "5.2.");
}

static gboolean
is_about_our_address(const HpReply *reply)
{
    static const char *const words[] = { " ipv6 ", " ptr ", " reverse dns ",
                                         " reverse hostname ", " rdns " };
    g_autoptr(GString) said = words_of(reply->text);

    /* 5.7.25: no reverse name; 5.7.510: no IPv6. */
    if (strcmp(reply->enhanced, "5.7.25") == 0 || strcmp(reply->enhanced, "5.7.510") == 0)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(words) && !is_about_recipient(reply); i++) {
        if (g_strstr_len(said->str, (gssize)said->len, words[i]) != NULL)
            return TRUE;
    }
    return FALSE;
}

/* Remembers the family that a policy has refused. %TRUE if the other one is still worth
 * an attempt. */
static gboolean
remember_family(Run *run, const HpReply *reply)
{
    HpRouteMemory *memory = &run->carry->memory;
    gboolean ipv6 = target_of(run)->ipv6;
    gboolean other_refused = ipv6 ? memory->refused_ipv4 : memory->refused_ipv6;
    gboolean has_other = FALSE;

    for (guint i = 0; i < run->route->targets->len; i++)
        has_other =
            has_other ||
            ((HpMxTarget *)g_ptr_array_index(run->route->targets, i))->ipv6 != ipv6;
    if (!has_other || reply->host == NULL || reply->code < 500 ||
        !is_about_our_address(reply))
        return FALSE;
    if (ipv6)
        memory->refused_ipv6 = TRUE;
    else
        memory->refused_ipv4 = TRUE;
    return !other_refused;
}

/* Something that is no mail server answers: the network in between, as far as one can
 * tell. Otherwise the message comes back in the end, but no attempt is counted: it is no
 * server that has refused it. */
static void
note_foreign(Run *run)
{
    if (hp_mx_is_lie(run->options->resolver, target_of(run)->address))
        note(run, HP_LINK_SAW_PORTAL);
    else
        note(run, HP_LINK_SAW_FOREIGN);
}

/* A server that cannot be talked to before any message. A refusal there is of us, not of
 * the message: this road is closed. */
static void
fail_to_open(Run *run, HpSmtpResult result)
{
    const HpReply *last = hp_smtp_client_last(run->client);
    HpOutcome outcome = HP_OUTCOME_DEFERRED;

    if (result == HP_SMTP_ABORTED)
        run->aborted = TRUE;
    if (result == HP_SMTP_NONSENSE && last->stage == HP_STAGE_GREETING) {
        note_foreign(run);
        outcome = HP_OUTCOME_NETWORK;
    } else if (last->stage == HP_STAGE_GREETING && last->host == NULL &&
               result != HP_SMTP_ABORTED)
        note(run, HP_LINK_SAW_CONNECT_FAIL); /* intercepted: connected, and silence */
    if (result == HP_SMTP_NO && last->code >= 500) {
        remember_family(run, last);
        outcome = HP_OUTCOME_NETWORK;
    } else if (!is_line_good(run)) {
        outcome = HP_OUTCOME_NETWORK;
    }
    fail(run, outcome, last);
    close_session(run, result == HP_SMTP_NO);
}

static gboolean
connect_target(Run *run)
{
    const HpMxTarget *target = target_of(run);
    int connect_ms = run->options->connect_ms > 0 ? run->options->connect_ms : CONNECT_MS;
    g_autoptr(GError) error = NULL;
    HpChannel *channel = hp_channel_connect(
        target->address, run->options->port != 0 ? run->options->port : SMTP_PORT,
        connect_ms, run->carry->abort_fd, &error);
    HpSmtpClientOptions options = { run->options->hostname, target->host, run->timeouts,
                                    run->carry->abort_fd };
    g_autofree char *text = NULL;

    if (channel != NULL) {
        run->client = hp_smtp_client_new(channel, &options);
        tell(run, HP_EVENT_CONNECTED, HP_STAGE_CONNECT, target->address);
        return TRUE;
    }
    if (g_error_matches(error, HP_NET_ERROR, HP_NET_ERROR_ABORTED)) {
        run->aborted = TRUE;
        return FALSE;
    }
    note(run, HP_LINK_SAW_CONNECT_FAIL);
    text = g_strdup_printf(_("no connection to the mail server (%s): %s"),
                           target->address, error->message);
    fail_locally(run, outcome_of_line(run), HP_STAGE_CONNECT, "4.4.1", text);
    return FALSE;
}

/* What the handshake showed, against what this destination showed before. */
static gboolean
accept_verdict(Run *run, const HpTlsVerdict *verdict)
{
    HpRouteMemory *memory = &run->carry->memory;
    g_autofree char *text =
        g_strdup_printf("%s, %s", verdict->protocol,
                        verdict->trusted           ? _("certificate trusted")
                        : verdict->problem != NULL ? verdict->problem
                                                   : _("certificate not trusted"));

    tell(run, HP_EVENT_SECURED, HP_STAGE_STARTTLS, text);
    if (memory->seen_trusted && !verdict->trusted) {
        fail_locally(
            run, HP_OUTCOME_DEFERRED, HP_STAGE_STARTTLS, "4.7.5",
            _("this server always had a certificate that can be trusted, and now "
              "has not; somebody may be in between"));
        return FALSE;
    }
    memory->seen_tls = TRUE;
    memory->seen_trusted = memory->seen_trusted || verdict->trusted;
    return TRUE;
}

/* After EHLO: TLS as far as the server and the memory of the destination want it. %FALSE
 * with run->plain set: the same server again, without. */
static gboolean
secure(Run *run)
{
    HpRouteMemory *memory = &run->carry->memory;
    g_autoptr(HpTlsVerdict) verdict = NULL;
    HpSmtpResult result;

    if (run->plain)
        return TRUE;
    if (!hp_smtp_client_caps(run->client)->starttls) {
        if (!memory->seen_tls)
            return TRUE;
        fail_locally(
            run, HP_OUTCOME_DEFERRED, HP_STAGE_STARTTLS, "4.7.5",
            _("this server always encrypted the connection, and now does not offer "
              "that; somebody may be in between"));
        close_session(run, TRUE);
        return FALSE;
    }
    result = hp_smtp_client_start_tls(run->client, run->options->trust, &verdict);
    if (result == HP_SMTP_GO) {
        if (accept_verdict(run, verdict))
            return TRUE;
        close_session(run, TRUE);
        return FALSE;
    }
    run->aborted = result == HP_SMTP_ABORTED;
    fail(run, HP_OUTCOME_DEFERRED, hp_smtp_client_last(run->client));
    close_session(run, FALSE);
    run->plain = !run->aborted && run->message->may_go_plain && !memory->seen_tls;
    return FALSE;
}

/* Opens a connection to the target that a message can go over. */
static gboolean
try_target(Run *run)
{
    HpSmtpResult result;

    if (must_end(run) || !connect_target(run))
        return FALSE;
    result = hp_smtp_client_greet(run->client);
    if (result == HP_SMTP_GO) {
        note(run, HP_LINK_SAW_GREETING);
        result = hp_smtp_client_hello(run->client);
    }
    if (result != HP_SMTP_GO) {
        fail_to_open(run, result);
        return FALSE;
    }
    return secure(run);
}

/* The current target, or the next one that works. */
static gboolean
open_session(Run *run)
{
    while (run->at < run->route->targets->len && !run->aborted) {
        gboolean was_plain = run->plain;

        if (try_target(run))
            return TRUE;
        if (run->plain && !was_plain)
            continue; /* the same one again, in plain text */
        run->plain = FALSE;
        run->at++;
    }
    return FALSE;
}

/* Refusals of the family we came by are not the last word while there is another one. */
static void
soften_family_refusals(Run *run)
{
    gboolean other_left = FALSE;

    for (guint i = 0; i < run->message->recipients->len; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(run->message->recipients, i);

        if (recipient->outcome != HP_OUTCOME_REFUSED || recipient->reply.host == NULL ||
            !is_about_our_address(&recipient->reply))
            continue;
        other_left = other_left || remember_family(run, &recipient->reply);
        if (other_left)
            recipient->outcome = HP_OUTCOME_DEFERRED;
    }
}

static gboolean
has_untried(const HpCarryMessage *message)
{
    for (guint i = 0; i < message->recipients->len; i++) {
        const HpCarryRecipient *recipient = g_ptr_array_index(message->recipients, i);

        if (recipient->outcome == HP_OUTCOME_UNTRIED)
            return TRUE;
    }
    return FALSE;
}

/* Those about whom no server said anything share the fate of the attempt. */
static void
settle(Run *run, HpOutcome outcome, const HpReply *reason)
{
    for (guint i = 0; i < run->message->recipients->len; i++) {
        HpCarryRecipient *recipient = g_ptr_array_index(run->message->recipients, i);

        if (recipient->outcome != HP_OUTCOME_UNTRIED || outcome == HP_OUTCOME_UNTRIED)
            continue;
        recipient->outcome = outcome;
        hp_smtp_reply_copy(reason, &recipient->reply);
    }
    run->carry->settle(run->carry, run->message);
    run->message = NULL;
}

/* The connection broke under a message. A server may close one that has carried some;
 * that says nothing about it, so the same one is asked again first. */
static void
leave_session(Run *run, HpSmtpResult result)
{
    gboolean reused = run->carried > 0;

    run->aborted = result == HP_SMTP_ABORTED;
    if (!reused && has_untried(run->message))
        fail(run, HP_OUTCOME_DEFERRED, hp_smtp_client_last(run->client));
    else if (!reused)
        hp_smtp_reply_copy(hp_smtp_client_last(run->client), &run->reason);
    close_session(run, FALSE);
    if (!reused) {
        run->plain = FALSE;
        run->at++;
    }
}

/* One message over the open connection. */
static void
carry_message(Run *run)
{
    HpSmtpResult result = hp_smtp_send(run->client, run->carry, run->message);

    soften_family_refusals(run);
    if (result == HP_SMTP_GO) {
        run->carried++;
        settle(run, HP_OUTCOME_DEFERRED, hp_smtp_client_last(run->client));
        return;
    }
    if (result == HP_SMTP_CALLED_OFF) {
        close_session(run, FALSE);
        settle(run, HP_OUTCOME_UNTRIED, NULL);
        return;
    }
    leave_session(run, result);
    if (!has_untried(run->message))
        settle(run, HP_OUTCOME_UNTRIED, NULL);
}

/* The message that is to be carried now: one that is not settled yet, or another one. */
static gboolean
take_message(Run *run)
{
    if (run->aborted)
        return FALSE;
    if (run->message == NULL)
        run->message = run->carry->next(run->carry);
    return run->message != NULL;
}

/* Plain text was this connection's last resort, not this message's. */
static void
leave_plain_text(Run *run)
{
    if (run->client == NULL || !run->plain || run->message->may_go_plain)
        return;
    close_session(run, TRUE);
    run->plain = FALSE;
}

/* All that is due, until there is no more or no server is left. */
static void
carry_all(Run *run)
{
    while (take_message(run)) {
        leave_plain_text(run);
        if (run->client == NULL && !open_session(run))
            break;
        carry_message(run);
    }
    if (run->message != NULL && run->aborted)
        settle(run, HP_OUTCOME_UNTRIED, NULL);
    else if (run->message != NULL)
        settle(run, run->failure, &run->reason);
    close_session(run, TRUE);
}

/* No server at all: the same for every message that is due, if it is final. */
static void
settle_unroutable(Run *run)
{
    gboolean final = run->route->outcome == HP_OUTCOME_REFUSED;

    while (run->message != NULL) {
        tell(run, HP_EVENT_FAILED, HP_STAGE_DNS, run->route->reply.text);
        settle(run, run->route->outcome, &run->route->reply);
        run->message = final && !must_end(run) ? run->carry->next(run->carry) : NULL;
    }
}

static HpMxRoute *
find_route(Run *run)
{
    const HpSmtpTransportOptions *o = run->options;
    HpMxOptions options = { .resolver = o->resolver,
                            .hostname = o->hostname,
                            .own_addresses = o->own_addresses,
                            .allow_private = o->allow_private,
                            .ipv6 = o->ipv6,
                            .seed = o->seed };
    HpMxRoute *route = hp_mx_find(&options, run->carry->destination, &run->carry->memory);

    if (route->has_evidence && o->note != NULL)
        o->note(route->evidence, run->carry->destination, o->note_data);
    if (route->outcome == HP_OUTCOME_NETWORK)
        route->outcome = outcome_of_line(run);
    return route;
}

static char **
copy_strings(const char *const *strings)
{
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();

    if (strings == NULL)
        return NULL;
    for (guint i = 0; strings[i] != NULL; i++)
        g_strv_builder_add(copy, strings[i]);
    return g_strv_builder_end(copy);
}

static Setup *
setup_new(const HpSmtpTransportOptions *options)
{
    Setup *self = g_new0(Setup, 1);

    g_atomic_ref_count_init(&self->refs);
    self->options = *options;
    self->hostname = g_strdup(options->hostname);
    self->own_addresses = copy_strings(options->own_addresses);
    self->timeouts =
        options->timeouts != NULL ? *options->timeouts : hp_smtp_timeouts_default;
    self->options.hostname = self->hostname;
    self->options.own_addresses = (const char *const *)self->own_addresses;
    if (options->trust != NULL)
        hp_tls_trust_ref(options->trust);
    return self;
}

static void
setup_unref(Setup *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_clear_pointer(&self->options.trust, hp_tls_trust_unref);
    g_free(self->hostname);
    g_strfreev(self->own_addresses);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Setup, setup_unref)

static Setup *
setup_now(HpSmtpTransport *self)
{
    HP_LOCKED(&self->lock);

    g_atomic_ref_count_inc(&self->setup->refs);
    return self->setup;
}

static Setup *
exchange(HpSmtpTransport *self, Setup *next)
{
    HP_LOCKED(&self->lock);
    Setup *before = self->setup;

    self->setup = next;
    return before;
}

static void
carry(gpointer self, HpCarry *carry)
{
    g_autoptr(Setup) setup = setup_now(self);
    Run run = { .options = &setup->options,
                .timeouts = &setup->timeouts,
                .carry = carry,
                .failure = HP_OUTCOME_DEFERRED };

    run.message = carry->next(carry);
    if (run.message == NULL)
        return;
    run.route = find_route(&run);
    if (run.route->outcome == HP_OUTCOME_UNTRIED) {
        tell(&run, HP_EVENT_LOOKED_UP, HP_STAGE_DNS, run.route->hosts);
        carry_all(&run);
    } else if (must_end(&run)) {
        settle(&run, HP_OUTCOME_UNTRIED, NULL); /* the answer was called off */
    } else {
        settle_unroutable(&run);
    }
    hp_reply_clear(&run.reason);
    hp_mx_route_free(run.route);
}

HpSmtpTransport *
hp_smtp_transport_new(const HpSmtpTransportOptions *options)
{
    HpSmtpTransport *self = g_new0(HpSmtpTransport, 1);

    hp_lock_init(&self->lock);
    self->setup = setup_new(options);
    return self;
}

void
hp_smtp_transport_configure(HpSmtpTransport *self, const HpSmtpTransportOptions *options)
{
    setup_unref(exchange(self, setup_new(options)));
}

void
hp_smtp_transport_free(HpSmtpTransport *self)
{
    if (self == NULL)
        return;
    setup_unref(self->setup);
    hp_lock_clear(&self->lock);
    g_free(self);
}

HpTransport
hp_smtp_transport_table(HpSmtpTransport *self)
{
    return (HpTransport){ self, carry };
}
