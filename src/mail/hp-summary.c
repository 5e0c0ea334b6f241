#include "hp-summary-private.h"

#include <string.h>

#define LONGEST_CHARSET 40 /* characters; hp-charset knows no longer name */

/* ---- new -------------------------------------------------------------------------- */

/* What is found before it is kept. */
typedef struct {
    HpSummary summary;
    char *texts[HP_SUMMARY_TEXT_COUNT]; /* (owned) */
    GPtrArray *charsets;                /* (owned): char, of the parts */
} Draft;

static char *
find_charset(const HpMimePart *part)
{
    g_autofree char *charset = hp_mime_param(part->content_type, "charset");

    if (charset == NULL || strlen(charset) > LONGEST_CHARSET || !g_str_is_ascii(charset))
        return g_strdup("");
    return g_steal_pointer(&charset);
}

static void
draft_part(Draft *self, const HpMime *mime, guint index)
{
    const HpMimePart *part = hp_mime_part(mime, index);
    HpSummaryKeptPart *kept = &self->summary.parts[index];
    HpSlice type, subtype;
    char *charset;

    hp_summary_leaf_type(mime, index, &type, &subtype);
    kept->parent = part->parent;
    kept->kind = hp_summary_is_open(mime, index) ? part->kind : HP_MIME_LEAF;
    kept->encoding = part->encoding;
    kept->is_text = kept->kind == HP_MIME_LEAF && hp_slice_equal_nocase(type, "text");
    kept->mime_start = part->header_start;
    kept->body_start = part->body_start;
    kept->body_end = part->body_end;
    charset = find_charset(part);
    g_ptr_array_add(self->charsets, charset);
    kept->charset = charset;
}

static void
draft_parts(Draft *self, const HpMime *mime)
{
    self->summary.n_parts = mime->parts->len;
    self->summary.parts = g_new0(HpSummaryKeptPart, mime->parts->len);
    for (guint i = 0; i < mime->parts->len; i++)
        draft_part(self, mime, i);
}

static void
draft_sort_keys(Draft *self, const HpSummaryFields *fields)
{
    static const HpSummaryFieldName addresses[] = { HP_SUMMARY_FIELD_FROM,
                                                    HP_SUMMARY_FIELD_TO,
                                                    HP_SUMMARY_FIELD_CC };
    HpSummary *summary = &self->summary;
    HpSlice subject = { NULL, 0 };

    hp_summary_field(fields, HP_SUMMARY_FIELD_SUBJECT, &subject);
    self->texts[HP_SUMMARY_TEXT_BASE_SUBJECT] =
        hp_summary_find_base_subject(subject, &summary->is_reply);
    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        self->texts[HP_SUMMARY_TEXT_MAILBOX + i] =
            hp_summary_find_mailbox(fields, addresses[i]);
        self->texts[HP_SUMMARY_TEXT_DISPLAY + i] =
            hp_summary_find_display(fields, addresses[i]);
    }
    self->texts[HP_SUMMARY_TEXT_MESSAGE_ID] = hp_summary_find_message_id(fields);
    self->texts[HP_SUMMARY_TEXT_REFERENCES] = hp_summary_find_references(fields);
    summary->is_dated =
        hp_summary_find_date(fields, &summary->sent_sec, &summary->sent_day);
}

static void
draft_texts(Draft *self, const HpMime *mime)
{
    const HpMimePart *root = hp_mime_part(mime, 0);
    size_t budget = HP_SUMMARY_BUDGET;
    g_autofree HpSummaryFields *fields = g_new(HpSummaryFields, 1);
    GString *envelope = g_string_sized_new(512);
    GString *structure = g_string_sized_new(512);

    hp_summary_read_fields((HpSlice){ mime->message.data, root->body_start }, &budget,
                           fields);
    hp_summary_write_envelope(envelope, fields);
    hp_summary_write_structure(structure, mime, &budget);
    self->texts[HP_SUMMARY_TEXT_ENVELOPE] = g_string_free(envelope, FALSE);
    self->texts[HP_SUMMARY_TEXT_STRUCTURE] = g_string_free(structure, FALSE);
    self->texts[HP_SUMMARY_TEXT_PREVIEW] = hp_summary_find_preview(mime);
    draft_sort_keys(self, fields);
}

HpSummary *
hp_summary_new(HpSlice message)
{
    g_autoptr(HpMime) mime = hp_mime_new(message);
    g_autoptr(GPtrArray) charsets = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) kept = NULL;
    Draft draft = { .charsets = charsets };
    HpSummary *self;

    draft_parts(&draft, mime);
    draft_texts(&draft, mime);
    for (guint i = 0; i < HP_SUMMARY_TEXT_COUNT; i++)
        draft.summary.texts[i] = draft.texts[i];
    kept = hp_summary_write_kept(&draft.summary);
    for (guint i = 0; i < HP_SUMMARY_TEXT_COUNT; i++)
        g_free(draft.texts[i]);
    g_free(draft.summary.parts);
    /* A new summary and a kept one are the same thing, so they cannot differ. */
    self = hp_summary_unpack(hp_slice_of_string(kept));
    g_assert(self != NULL);
    return self;
}

void
hp_summary_free(HpSummary *self)
{
    if (self == NULL)
        return;
    g_free(self->kept);
    g_free(self->parts);
    g_free(self);
}

/* ---- parts ------------------------------------------------------------------------ */

guint64
hp_summary_header_len(const HpSummary *self)
{
    return self->parts[0].body_start;
}

static void
describe(const HpSummary *self, guint index, HpSummaryPart *ret_part)
{
    const HpSummaryKeptPart *part = &self->parts[index];

    *ret_part = (HpSummaryPart){
        .mime_start = part->mime_start,
        .body_start = part->body_start,
        .body_end = part->body_end,
        .encoding = part->encoding,
    };
    if (part->kind == HP_MIME_MESSAGE && index + 1 < self->n_parts) {
        ret_part->is_message = TRUE;
        ret_part->inner_start = self->parts[index + 1].mime_start;
        ret_part->inner_text_start = self->parts[index + 1].body_start;
    }
}

/* The child of that number, from 1; returns FALSE if there is none. */
static gboolean
find_child(const HpSummary *self, guint parent, guint number, guint *ret_index)
{
    for (guint i = parent + 1; i < self->n_parts; i++) {
        if (self->parts[i].parent == parent && --number == 0) {
            *ret_index = i;
            return TRUE;
        }
    }
    return FALSE;
}

/* One step of a path: @index is a message's body or a part. */
static gboolean
take_step(const HpSummary *self, guint number, guint *index)
{
    const HpSummaryKeptPart *parts = self->parts;
    gboolean is_body = *index == 0 || parts[parts[*index].parent].kind == HP_MIME_MESSAGE;

    if (number == 0)
        return FALSE;
    if (parts[*index].kind == HP_MIME_MULTIPART)
        return find_child(self, *index, number, index);
    /* "Every message has at least one part number." */
    return is_body && number == 1;
}

/* The empty part that the structure shows in a multipart without parts. */
static gboolean
is_shown_child(const HpSummary *self, guint index, guint number)
{
    guint child;

    return self->parts[index].kind == HP_MIME_MULTIPART && number == 1 &&
           !find_child(self, index, 1, &child);
}

gboolean
hp_summary_find_part(const HpSummary *self, const guint *path, guint depth,
                     HpSummaryPart *ret_part)
{
    guint index = 0;

    if (depth == 0)
        return FALSE;
    for (guint i = 0; i < depth; i++) {
        /* What was found so far is a part; a message is entered on the way on. */
        if (i > 0 && self->parts[index].kind == HP_MIME_MESSAGE)
            index++;
        else if (i > 0 && self->parts[index].kind == HP_MIME_LEAF)
            return FALSE;
        if (i + 1 == depth && is_shown_child(self, index, path[i])) {
            guint64 end = self->parts[index].body_end;

            *ret_part = (HpSummaryPart){ .mime_start = end, .body_start = end };
            ret_part->body_end = end;
            return TRUE;
        }
        if (!take_step(self, path[i], &index))
            return FALSE;
    }
    describe(self, index, ret_part);
    return TRUE;
}

gboolean
hp_summary_nth_part(const HpSummary *self, guint index, HpSummaryPart *ret_part,
                    const char **ret_charset)
{
    if (index >= self->n_parts)
        return FALSE;
    describe(self, index, ret_part);
    *ret_charset = self->parts[index].is_text ? self->parts[index].charset : NULL;
    return TRUE;
}

/* ---- what is kept ----------------------------------------------------------------- */

void
hp_summary_append_envelope(const HpSummary *self, gboolean utf8, GString *out)
{
    hp_summary_choose(self->texts[HP_SUMMARY_TEXT_ENVELOPE], TRUE, utf8, out);
}

void
hp_summary_append_structure(const HpSummary *self, gboolean extended, gboolean utf8,
                            GString *out)
{
    hp_summary_choose(self->texts[HP_SUMMARY_TEXT_STRUCTURE], extended, utf8, out);
}

const char *
hp_summary_base_subject(const HpSummary *self)
{
    return self->texts[HP_SUMMARY_TEXT_BASE_SUBJECT];
}

gboolean
hp_summary_is_reply(const HpSummary *self)
{
    return self->is_reply;
}

const char *
hp_summary_mailbox(const HpSummary *self, HpSummaryAddress of)
{
    return self->texts[HP_SUMMARY_TEXT_MAILBOX + of];
}

const char *
hp_summary_display(const HpSummary *self, HpSummaryAddress of)
{
    return self->texts[HP_SUMMARY_TEXT_DISPLAY + of];
}

gboolean
hp_summary_sent(const HpSummary *self, gint64 *ret_sec, gint64 *ret_day)
{
    if (!self->is_dated)
        return FALSE;
    *ret_sec = self->sent_sec;
    *ret_day = self->sent_day;
    return TRUE;
}

const char *
hp_summary_message_id(const HpSummary *self)
{
    return self->texts[HP_SUMMARY_TEXT_MESSAGE_ID];
}

const char *
hp_summary_references(const HpSummary *self)
{
    return self->texts[HP_SUMMARY_TEXT_REFERENCES];
}

const char *
hp_summary_preview(const HpSummary *self)
{
    return self->texts[HP_SUMMARY_TEXT_PREVIEW];
}
