/* Messages and their parts on the way out, piece by piece. */
#include "hp-imap-fetch-private.h"

#include "hp-header.h"
#include "hp-log.h"
#include "hp-mime.h"

#include <string.h>

#define MESSAGE_USEC ((gint64)10 * 60 * G_USEC_PER_SEC)

static HpImapSpan
span(guint64 start, guint64 end, guint64 size)
{
    end = MIN(end, size);
    start = MIN(start, end);
    return (HpImapSpan){ start, end - start };
}

static gboolean
find_in_part(const HpImapSection *section, const HpSummaryPart *part, guint64 size,
             HpImapSpan *ret_span)
{
    switch (section->kind) {
    case HP_SECTION_ALL:
        *ret_span = span(part->body_start, part->body_end, size);
        return TRUE;
    case HP_SECTION_MIME:
        *ret_span = span(part->mime_start, part->body_start, size);
        return TRUE;
    case HP_SECTION_TEXT:
        *ret_span = span(part->inner_text_start, part->body_end, size);
        return part->is_message;
    case HP_SECTION_HEADER:
    case HP_SECTION_FIELDS:
    case HP_SECTION_FIELDS_NOT:
    default:
        *ret_span = span(part->inner_start, part->inner_text_start, size);
        return part->is_message;
    }
}

typedef struct {
    HpImapSpan span;
    guint encoding; /* HpMimeEncoding */
} Place;

/* Where a section is in the message; %FALSE if there is no such part. */
static gboolean
find_section(const HpImapSection *section, const HpSummary *summary, guint64 size,
             Place *ret_place)
{
    HpImapSpan *ret_span = &ret_place->span;
    guint64 header_len;
    HpSummaryPart part;

    ret_place->encoding = HP_MIME_BINARY;
    if (section->depth > 0) {
        if (!hp_summary_find_part(summary, section->path, section->depth, &part))
            return FALSE;
        ret_place->encoding = part.encoding;
        return find_in_part(section, &part, size, ret_span);
    }
    if (section->kind == HP_SECTION_ALL) {
        *ret_span = span(0, size, size);
        return TRUE;
    }
    header_len = hp_summary_header_len(summary);
    *ret_span = section->kind == HP_SECTION_TEXT ? span(header_len, size, size)
                                                 : span(0, header_len, size);
    return TRUE;
}

size_t
hp_imap_fetch_read(HpImapFetching *self, HpContent *content, HpImapSpan what)
{
    g_autoptr(GError) error = NULL;
    gssize n;

    if (self->buffer == NULL)
        self->buffer = g_malloc(HP_IMAP_PIECE);
    n = hp_content_read(content, what.offset, self->buffer,
                        (size_t)MIN(what.octets, (guint64)HP_IMAP_PIECE), &error);
    if (n > 0)
        return (size_t)n;
    hp_log("imap", hp_connection_id(self->s->connection), G_LOG_LEVEL_WARNING,
           "a message could not be read to its end: %s",
           error != NULL ? error->message : "it is shorter than it was");
    self->s->state = HP_IMAP_ENDED;
    return 0;
}

static void
stream(HpImapFetching *self, HpContent *content, HpImapSpan what)
{
    while (what.octets > 0 && self->s->state != HP_IMAP_ENDED) {
        size_t n = hp_imap_fetch_read(self, content, what);

        if (n > 0)
            hp_imap_write(self->s, (HpSlice){ self->buffer, n });
        what.offset += n;
        what.octets -= n;
    }
}

/* @ret_bytes: at least @what.octets. %FALSE: it cannot be read, and the session has
 * ended.
 */
static gboolean
read_all(HpImapFetching *self, HpContent *content, HpImapSpan what, char *ret_bytes)
{
    while (what.octets > 0) {
        size_t n = hp_imap_fetch_read(self, content, what);

        if (n == 0)
            return FALSE;
        memcpy(ret_bytes, self->buffer, n);
        ret_bytes += n;
        what.offset += n;
        what.octets -= n;
    }
    return TRUE;
}

/* Fields of a header, of which only so much is looked at as parsers do. */
static void
send_fields(HpImapFetching *self, const HpImapSection *section, HpContent *content,
            HpImapSpan header)
{
    size_t size = (size_t)MIN(header.octets, (guint64)HP_HEADER_MAX_BLOCK);
    g_autofree char *bytes = g_malloc(size + 1);
    g_autoptr(GString) fields = g_string_new(NULL);
    HpImapSpan cut = { 0, 0 };

    if (!read_all(self, content, (HpImapSpan){ header.offset, size }, bytes))
        return;
    hp_imap_section_fields(section, (HpSlice){ bytes, size }, fields);
    cut.octets = fields->len;
    hp_imap_section_cut(section, &cut.offset, &cut.octets);
    hp_imap_fetch_announce(self, section, cut.octets);
    g_string_append_len(self->out, fields->str + cut.offset, (gssize)cut.octets);
}

static void
send_section(HpImapFetching *self, const HpImapSection *section, HpContent *content,
             const HpSummary *summary)
{
    Place place;
    HpImapSpan *what = &place.span;

    if (!find_section(section, summary, hp_content_size(content), &place)) {
        g_string_append(hp_imap_fetch_item(self, section->label),
                        section->size ? "0" : "NIL");
    } else if (section->binary) {
        hp_imap_fetch_binary(self, section, content, *what, place.encoding);
    } else if (section->kind == HP_SECTION_FIELDS ||
               section->kind == HP_SECTION_FIELDS_NOT) {
        send_fields(self, section, content, *what);
    } else {
        hp_imap_section_cut(section, &what->offset, &what->octets);
        hp_imap_fetch_announce(self, section, what->octets);
        hp_imap_fetch_send(self);
        stream(self, content, *what);
    }
}

static gboolean
needs_summary(const HpImapFetch *fetch)
{
    if ((fetch->items & (HP_FETCH_ENVELOPE | HP_FETCH_BODYSTRUCTURE | HP_FETCH_BODY |
                         HP_FETCH_PREVIEW)) != 0)
        return TRUE;
    for (guint i = 0; i < fetch->sections->len; i++) {
        const HpImapSection *section = &g_array_index(fetch->sections, HpImapSection, i);

        if (section->depth > 0 || section->kind != HP_SECTION_ALL)
            return TRUE;
    }
    return FALSE;
}

/* Other messages are not concerned. */
static void
count_unreadable(HpImapFetching *self, const GError *error)
{
    if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND)) {
        self->expunged++;
        return;
    }
    self->damaged++;
    hp_log("imap", hp_connection_id(self->s->connection), G_LOG_LEVEL_WARNING,
           "a message cannot be read: %s", error->message);
}

void
hp_imap_fetch_whole(HpImapFetching *self, const HpImapFetched *message)
{
    HpStore *store = self->s->options->store;
    HpStoreEntry entry = { .uid = message->entry.uid,
                           .size = message->entry.size,
                           .content = message->entry.content };
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSummary) summary = NULL;
    g_autoptr(HpContent) content = hp_store_open_shown(store, &entry, &summary, &error);

    if (content != NULL && summary == NULL && needs_summary(self->fetch))
        summary = hp_store_summary(store, entry.content, &error);
    if (error != NULL) {
        count_unreadable(self, error);
        return;
    }
    hp_imap_set_timeout(self->s, MESSAGE_USEC);
    hp_imap_fetch_begin(self, message);
    hp_imap_fetch_summary(self, summary);
    for (guint i = 0; i < self->fetch->sections->len && self->s->state != HP_IMAP_ENDED;
         i++)
        send_section(self, &g_array_index(self->fetch->sections, HpImapSection, i),
                     content, summary);
    g_string_append(self->out, ")\r\n");
    hp_imap_fetch_send(self);
}
