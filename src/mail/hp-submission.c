#include "hp-submission.h"

#include "hp-date.h"
#include "hp-header.h"
#include "hp-text.h"
#include "hp-trace.h"

#include <string.h>

#define MOST_ADDRESSES     1000 /* of a field; more is not judged, so it is refused */
#define LONGEST_SUBJECT    200  /* characters, for lists */
#define LONGEST_CULPRIT    200  /* characters, for a reply */
#define LONGEST_MESSAGE_ID 990  /* octets; a line has 998 (RFC 5322 §2.1.1) */

typedef enum {
    OTHER,
    DROPPED,
    FROM,
    RESENT_FROM,
    ADDRESSES, /* rewritten, not judged */
    DATE,
    MESSAGE_ID,
    SUBJECT,
    RECEIVED,
} FieldKind;

static const struct {
    const char *name;
    size_t len;
    FieldKind kind;
} known_fields[] = {
#define ROW(name, kind)                                                                  \
    {                                                                                    \
        name, sizeof(name) - 1, kind                                                     \
    }
    ROW("From", FROM),
    ROW("To", ADDRESSES),
    ROW("Cc", ADDRESSES),
    ROW("Bcc", DROPPED),
    ROW("Date", DATE),
    ROW("Sender", ADDRESSES),
    ROW("Subject", SUBJECT),
    ROW("Received", RECEIVED),
    ROW("Reply-To", ADDRESSES),
    ROW("Message-ID", MESSAGE_ID),
    ROW("Return-Path", DROPPED),
    ROW("Resent-From", RESENT_FROM),
    ROW("Resent-To", ADDRESSES),
    ROW("Resent-Cc", ADDRESSES),
    ROW("Resent-Bcc", DROPPED),
    ROW("Resent-Sender", ADDRESSES),
    ROW("Resent-Reply-To", ADDRESSES),
#undef ROW
};

/* One pass over the header; the verdict on From waits until Resent-From is ruled out. */
typedef struct {
    const HpSubmissionRequest *request; /* (unowned) */
    HpSubmission *result;               /* (unowned) */
    GString *out;                       /* (unowned) */
    gboolean has_date, has_message_id, has_from, has_resent_from;
    HpSubmissionVerdict from_verdict;
    char *from_culprit; /* (owned) (nullable) */
} Pass;

static FieldKind
kind_of(HpSlice name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_fields); i++)
        if (known_fields[i].len == name.len &&
            g_ascii_strncasecmp(known_fields[i].name, name.data, name.len) == 0)
            return known_fields[i].kind;
    return OTHER;
}

static void
copy(GString *out, const char *from, const char *to)
{
    g_string_append_len(out, from, (gssize)(to - from));
}

/* The field, its unqualified addresses replaced by the account's. */
static void
copy_completed(Pass *pass, const HpHeaderField *field, GArray *places)
{
    const HpSubmissionRequest *request = pass->request;
    const char *done = field->raw.data;

    for (guint i = 0; i < places->len && !request->only_local; i++) {
        HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);

        if (!hp_identities_is_unqualified(place->address, request->hostname) ||
            hp_identities_allows(request->identities, place->address))
            continue;
        copy(pass->out, done, place->spec.data);
        g_string_append(pass->out, hp_identities_account(request->identities));
        done = place->spec.data + place->spec.len;
    }
    copy(pass->out, done, field->raw.data + field->raw.len);
}

static gboolean
may_send_as(const HpSubmissionRequest *request, const HpAddress *address)
{
    /* Unqualified ones become the account's own address. */
    return hp_identities_is_unqualified(address, request->hostname) ||
           hp_identities_allows(request->identities, address);
}

/* Only the first fault counts: that is the one the user is told. */
static void
blame(Pass *pass, HpSubmissionVerdict verdict, HpSlice what)
{
    if (pass->from_verdict != HP_SUBMISSION_FINE)
        return;
    pass->from_verdict = verdict;
    pass->from_culprit = hp_text_printable(hp_slice_trim(what), LONGEST_CULPRIT);
}

static void
judge(Pass *pass, const HpHeaderField *field, GArray *places, gboolean whole)
{
    if (!whole || places->len == 0 || field->body.len == HP_HEADER_MAX_FIELD)
        blame(pass, HP_SUBMISSION_UNREADABLE_FROM, field->body);
    for (guint i = 0; i < places->len; i++) {
        HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);

        if (!may_send_as(pass->request, place->address))
            blame(pass, HP_SUBMISSION_WRONG_FROM, place->spec);
    }
}

static void
pass_addresses(Pass *pass, const HpHeaderField *field, gboolean judged)
{
    gboolean whole;
    g_autoptr(GArray) places = hp_address_scan(field->body, MOST_ADDRESSES, &whole);

    if (judged)
        judge(pass, field, places, whole);
    copy_completed(pass, field, places);
}

/* The topmost Resent-From is of who sends it now (RFC 5322 §3.6.6); it counts instead of
 * From. */
static void
pass_resent_from(Pass *pass, const HpHeaderField *field)
{
    gboolean judged = !pass->has_resent_from;

    if (judged) {
        pass->from_verdict = HP_SUBMISSION_FINE;
        g_clear_pointer(&pass->from_culprit, g_free);
    }
    pass->has_resent_from = TRUE;
    pass_addresses(pass, field, judged);
}

static void
pass_from(Pass *pass, const HpHeaderField *field)
{
    pass->has_from = TRUE;
    pass_addresses(pass, field, !pass->has_resent_from);
}

/* msg-id = "<" ... ">"; for the queue and for references, so only if it looks like one */
static char *
read_message_id(HpSlice body)
{
    HpCursor c = hp_cursor_over(body);
    HpSlice id;

    hp_cursor_take_until(&c, '<');
    id.data = c.at;
    hp_cursor_take_until(&c, '>');
    if (!hp_cursor_skip(&c, '>'))
        return NULL;
    id.len = (size_t)(c.at - id.data);
    if (id.len > LONGEST_MESSAGE_ID)
        return NULL;
    for (size_t i = 0; i < id.len; i++)
        if ((unsigned char)id.data[i] <= ' ' || (unsigned char)id.data[i] >= 0x7F)
            return NULL;
    return hp_slice_dup(id);
}

static void
pass_message_id(Pass *pass, const HpHeaderField *field)
{
    if (!pass->has_message_id)
        pass->result->message_id = read_message_id(field->body);
    pass->has_message_id = TRUE;
}

/* An empty Date or Message-ID is as good as none; it goes, and a real one is added. */
static gboolean
is_blank(const HpHeaderField *field)
{
    return hp_slice_trim(field->body).len == 0;
}

static void
pass_field(Pass *pass, const HpHeaderField *field)
{
    FieldKind kind = kind_of(field->name);

    if (kind == DROPPED || ((kind == DATE || kind == MESSAGE_ID) && is_blank(field)))
        return;
    if (kind == FROM) {
        pass_from(pass, field);
        return;
    }
    if (kind == RESENT_FROM || kind == ADDRESSES) {
        if (kind == ADDRESSES)
            pass_addresses(pass, field, FALSE);
        else
            pass_resent_from(pass, field);
        return;
    }
    if (kind == DATE)
        pass->has_date = TRUE;
    else if (kind == MESSAGE_ID)
        pass_message_id(pass, field);
    else if (kind == SUBJECT && pass->result->subject == NULL)
        pass->result->subject = hp_header_text(field->body, LONGEST_SUBJECT);
    else if (kind == RECEIVED)
        pass->result->hops++;
    copy(pass->out, field->raw.data, field->raw.data + field->raw.len);
}

static gboolean
is_mbox_line(const HpHeaderField *field)
{
    return field->name.len == 0 &&
           ((field->raw.len >= 5 && memcmp(field->raw.data, "From ", 5) == 0) ||
            (field->raw.len >= 6 && memcmp(field->raw.data, ">From ", 6) == 0));
}

/* All fields; returns what follows them, without the empty line. */
static HpSlice
pass_fields(Pass *pass, HpSlice header)
{
    HpCursor c = hp_cursor_over(header);
    HpCursor before = c;
    HpHeaderField field;
    gboolean first = TRUE;

    while (hp_header_next(&c, &field)) {
        if (field.name.len > 0)
            pass_field(pass, &field);
        else if (!first || !is_mbox_line(&field))
            return hp_cursor_rest(&before);
        first = FALSE;
        before = c;
    }
    hp_cursor_skip(&c, '\r');
    hp_cursor_skip(&c, '\n');
    return hp_cursor_rest(&c);
}

static void
end_line(GString *out)
{
    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append(out, "\r\n");
}

/* The right side is the account's domain: a host name of a laptop tells more and is
 * unique nowhere. */
static char *
new_message_id(const HpSubmissionRequest *request)
{
    const char *account = hp_identities_account(request->identities);
    const char *at = strrchr(account, '@');
    g_autofree char *domain =
        hp_address_domain_to_ascii(at != NULL ? at + 1 : "localhost");

    return g_strdup_printf("<%" G_GINT64_MODIFIER "x.%08x%08x@%s>",
                           (guint64)request->now_wall_usec, g_random_int(),
                           g_random_int(), domain != NULL ? domain : "localhost");
}

static void
add_from(Pass *pass)
{
    const HpSubmissionRequest *request = pass->request;
    g_autofree char *sender = NULL;
    g_autofree char *mailbox = NULL;

    if (request->sender != NULL)
        sender = hp_identities_complete_sender(request->identities, request->sender,
                                               request->hostname);
    mailbox = hp_address_write_mailbox(
        request->user_name,
        sender != NULL ? sender : hp_identities_account(request->identities),
        strlen("From: "));
    g_string_append_printf(pass->out, "From: %s\r\n", mailbox);
}

/* RFC 6409 §8.2, §8.3; From is the sendmail program's tradition */
static void
add_missing(Pass *pass)
{
    end_line(pass->out);
    if (!pass->has_date) {
        g_string_append(pass->out, "Date: ");
        hp_date_append(pass->out, pass->request->now_wall_usec);
        g_string_append(pass->out, "\r\n");
    }
    if (!pass->has_message_id) {
        pass->result->message_id = new_message_id(pass->request);
        g_string_append_printf(pass->out, "Message-ID: %s\r\n", pass->result->message_id);
    }
    if (!pass->has_from)
        add_from(pass);
}

gboolean
hp_submission_allows_sender(const HpSubmissionRequest *request)
{
    return request->only_local || request->sender == NULL ||
           may_send_as(request, request->sender);
}

static void
decide(Pass *pass)
{
    HpSubmission *result = pass->result;

    if (!hp_submission_allows_sender(pass->request)) {
        g_autofree char *sender = hp_address_write(pass->request->sender);

        result->verdict = HP_SUBMISSION_WRONG_SENDER;
        result->culprit = hp_text_printable(hp_slice_of(sender), LONGEST_CULPRIT);
    } else if (!pass->request->only_local) {
        result->verdict = pass->from_verdict;
        result->culprit = g_steal_pointer(&pass->from_culprit);
    }
    g_clear_pointer(&pass->from_culprit, g_free);
}

HpSubmission *
hp_submission_new(HpSlice header, const HpSubmissionRequest *request)
{
    HpSubmission *result = g_new0(HpSubmission, 1);
    g_autoptr(GString) out = g_string_sized_new(header.len + 512);
    Pass pass = { .request = request, .result = result, .out = out };
    HpTrace trace = { "localhost", request->hostname, request->protocol, request->id,
                      request->now_wall_usec };
    HpSlice body;

    hp_trace_append(out, &trace);
    body = pass_fields(&pass, header);
    decide(&pass);
    if (result->verdict != HP_SUBMISSION_FINE)
        return result;
    add_missing(&pass);
    result->eight_bit = !hp_text_is_ascii(hp_slice_of_string(out));
    g_string_append(out, "\r\n");
    g_string_append_len(out, body.len > 0 ? body.data : "", (gssize)body.len);
    result->header = g_steal_pointer(&out);
    return result;
}

void
hp_submission_free(HpSubmission *self)
{
    if (self == NULL)
        return;
    g_free(self->culprit);
    if (self->header != NULL)
        g_string_free(self->header, TRUE);
    g_free(self->subject);
    g_free(self->message_id);
    g_free(self);
}
