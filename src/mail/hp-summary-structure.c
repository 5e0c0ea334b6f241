#include "hp-summary-private.h"
#include "hp-text.h"

#include <string.h>

#define BLOCK ((size_t)4096) /* octets whose lines are counted together */

typedef struct {
    const HpMime *mime; /* (unowned) */
    GString *out;       /* (unowned) */
    size_t *budget;     /* (unowned) */
    GArray *lines;      /* (owned): guint64: line ends before each block */
} Writer;

static guint
count_lines(const char *from, const char *to)
{
    guint n = 0;

    while (from < to && (from = memchr(from, '\n', (size_t)(to - from))) != NULL) {
        n++;
        from++;
    }
    return n;
}

/* Nested messages have the same lines again and again: they are counted once. */
static GArray *
count_all_lines(HpSlice message)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(guint64));
    guint64 n = 0;

    for (size_t at = 0; at <= message.len; at += BLOCK) {
        size_t end = MIN(at + BLOCK, message.len);

        g_array_append_val(lines, n);
        n += count_lines(message.data + at, message.data + end);
    }
    return lines;
}

static guint64
lines_before(const Writer *self, size_t at)
{
    size_t block = at / BLOCK;
    const char *data = self->mime->message.data;

    return g_array_index(self->lines, guint64, block) +
           count_lines(data + block * BLOCK, data + at);
}

static void
write_lines(const Writer *self, const HpMimePart *part)
{
    g_string_append_printf(self->out, " %" G_GUINT64_FORMAT,
                           lines_before(self, part->body_end) -
                               lines_before(self, part->body_start));
}

/* nstring */
static void
write_field(GString *out, const HpSummaryFields *fields, HpSummaryFieldName name)
{
    HpSlice body;

    g_string_append_c(out, ' ');
    if (!hp_summary_field(fields, name, &body))
        g_string_append(out, "NIL");
    else if (name == HP_SUMMARY_FIELD_DESCRIPTION)
        hp_summary_write_text_field(out, body);
    else
        hp_summary_write_token_field(out, body);
}

/* body-fld-dsp = "(" string SP body-fld-param ")" / nil */
static void
write_disposition(GString *out, const HpSummaryFields *fields)
{
    HpSlice body, type = { NULL, 0 };

    if (hp_summary_field(fields, HP_SUMMARY_FIELD_DISPOSITION, &body))
        type = hp_mime_token(body);
    if (type.len == 0) {
        g_string_append(out, " NIL");
        return;
    }
    g_string_append(out, " (");
    hp_summary_write_quoted(out, type);
    g_string_append_c(out, ' ');
    hp_summary_write_params(out, body);
    g_string_append_c(out, ')');
}

/* body-fld-lang = nstring / "(" string *(SP string) ")": language tags of RFC 3282 with
 * commas between them */
static void
write_language(GString *out, const HpSummaryFields *fields)
{
    HpSlice body = { NULL, 0 };
    HpCursor c;
    char separator = '(';

    hp_summary_field(fields, HP_SUMMARY_FIELD_LANGUAGE, &body);
    c = hp_cursor_over(body);
    g_string_append_c(out, ' ');
    while (!hp_cursor_at_end(&c)) {
        HpSlice tag = hp_mime_token(hp_cursor_take_until(&c, ','));

        hp_cursor_skip(&c, ',');
        if (tag.len == 0)
            continue;
        g_string_append_c(out, separator);
        hp_summary_write_quoted(out, tag);
        separator = ' ';
    }
    g_string_append(out, separator == '(' ? "NIL" : ")");
}

/* What both kinds of body have at their end: body-fld-dsp SP body-fld-lang SP
 * body-fld-loc */
static void
write_extensions(GString *out, const HpSummaryFields *fields)
{
    write_disposition(out, fields);
    write_language(out, fields);
    write_field(out, fields, HP_SUMMARY_FIELD_LOCATION);
}

/* The token is written as the standard does it, so that clients know it again. */
static void
write_encoding(GString *out, const HpMimePart *part, const HpSummaryFields *fields)
{
    static const char *const names[] = {
        [HP_MIME_7BIT] = "7BIT",     [HP_MIME_8BIT] = "8BIT",
        [HP_MIME_BINARY] = "BINARY", [HP_MIME_QUOTED_PRINTABLE] = "QUOTED-PRINTABLE",
        [HP_MIME_BASE64] = "BASE64",
    };
    HpSlice body, token = { NULL, 0 };

    g_string_append_c(out, ' ');
    if (part->encoding != HP_MIME_UNKNOWN_ENCODING)
        token = hp_slice_of(names[part->encoding]);
    else if (hp_summary_field(fields, HP_SUMMARY_FIELD_ENCODING, &body))
        token = hp_mime_token(body);
    hp_summary_write_quoted(out, token.len > 0 ? token : HP_SLICE_LITERAL("7BIT"));
}

static gboolean
is_container(const HpMimePart *part)
{
    return hp_slice_equal_nocase(part->type, "multipart") ||
           (hp_slice_equal_nocase(part->type, "message") &&
            (hp_slice_equal_nocase(part->subtype, "rfc822") ||
             hp_slice_equal_nocase(part->subtype, "global")));
}

gboolean
hp_summary_is_open(const HpMime *mime, guint index)
{
    const HpMimePart *part = hp_mime_part(mime, index);

    gboolean has_parts =
        index + 1 < mime->parts->len && hp_mime_part(mime, index + 1)->parent == index;

    /* At the limit of parts a message may have lost the one in it. What is encoded
     * against the rules is no multipart if it has no parts. */
    if (part->kind == HP_MIME_MULTIPART)
        return has_parts || part->encoding <= HP_MIME_BINARY;
    return part->kind == HP_MIME_MESSAGE && has_parts;
}

/* A container that was not opened may not be called one: its grammar is another. Without
 * a boundary it is text (RFC 2045 §5.2); encoded or too deep it is just bytes. */
gboolean
hp_summary_leaf_type(const HpMime *mime, guint index, HpSlice *ret_type,
                     HpSlice *ret_subtype)
{
    const HpMimePart *part = hp_mime_part(mime, index);

    *ret_type = part->type;
    *ret_subtype = part->subtype;
    if (hp_summary_is_open(mime, index) || !is_container(part))
        return TRUE;
    if (hp_slice_equal_nocase(part->type, "multipart") &&
        part->encoding <= HP_MIME_BINARY && part->depth < HP_MIME_MAX_DEPTH) {
        *ret_type = HP_SLICE_LITERAL("text");
        *ret_subtype = HP_SLICE_LITERAL("plain");
    } else {
        *ret_type = HP_SLICE_LITERAL("application");
        *ret_subtype = HP_SLICE_LITERAL("octet-stream");
    }
    return FALSE;
}

/* media type and its parameters; returns TRUE if it is text */
static gboolean
write_leaf_type(const Writer *self, guint index)
{
    HpSlice type, subtype, params = hp_mime_part(self->mime, index)->content_type;
    gboolean text;

    if (!hp_summary_leaf_type(self->mime, index, &type, &subtype))
        params.len = 0;
    text = hp_slice_equal_nocase(type, "text");
    hp_summary_write_quoted(self->out, type);
    g_string_append_c(self->out, ' ');
    hp_summary_write_quoted(self->out, subtype);
    g_string_append_c(self->out, ' ');
    /* RFC 2045 §5.2, the default in full */
    if (params.len == 0 && text)
        g_string_append(self->out, "(\"charset\" \"us-ascii\")");
    else
        hp_summary_write_params(self->out, params);
    return text;
}

static void write_part(Writer *self, guint index);

/* On the heap: parts lie in parts, and stacks are small. (transfer full) */
static HpSummaryFields *
read_part_fields(Writer *self, guint index)
{
    const HpMimePart *part = hp_mime_part(self->mime, index);
    HpSlice header = { self->mime->message.data + part->header_start,
                       part->body_start - part->header_start };
    HpSummaryFields *fields = g_new(HpSummaryFields, 1);

    hp_summary_read_fields(header, self->budget, fields);
    return fields;
}

/* SP envelope SP body SP body-fld-lines: what body-type-msg has more */
static void
write_message(Writer *self, guint index)
{
    g_autofree HpSummaryFields *inner = read_part_fields(self, index + 1);

    g_string_append_c(self->out, ' ');
    hp_summary_write_envelope(self->out, inner);
    g_string_append_c(self->out, ' ');
    write_part(self, index + 1);
    write_lines(self, hp_mime_part(self->mime, index));
}

/* body-type-1part */
static void
write_leaf(Writer *self, guint index)
{
    const HpMimePart *part = hp_mime_part(self->mime, index);
    g_autofree HpSummaryFields *fields = read_part_fields(self, index);
    gboolean text = write_leaf_type(self, index);

    write_field(self->out, fields, HP_SUMMARY_FIELD_ID);
    write_field(self->out, fields, HP_SUMMARY_FIELD_DESCRIPTION);
    write_encoding(self->out, part, fields);
    g_string_append_printf(self->out, " %" G_GSIZE_FORMAT,
                           part->body_end - part->body_start);
    if (part->kind == HP_MIME_MESSAGE && hp_summary_is_open(self->mime, index))
        write_message(self, index);
    else if (text)
        write_lines(self, part);
    g_string_append_c(self->out, HP_SUMMARY_EXTENDED);
    write_field(self->out, fields, HP_SUMMARY_FIELD_MD5);
    write_extensions(self->out, fields);
    g_string_append_c(self->out, HP_SUMMARY_EXTENDED_END);
}

/* body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart] */
static void
write_multipart(Writer *self, guint index)
{
    const HpMimePart *part = hp_mime_part(self->mime, index);
    g_autofree HpSummaryFields *fields = read_part_fields(self, index);
    guint children = 0;

    for (guint i = index + 1; i < self->mime->parts->len; i++) {
        const HpMimePart *child = hp_mime_part(self->mime, i);

        if (child->depth <= part->depth)
            break;
        if (child->parent != index)
            continue;
        write_part(self, i);
        children++;
    }
    /* The grammar wants one at least. */
    if (children == 0)
        g_string_append(self->out,
                        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
                        "\"7BIT\" 0 0\001 NIL NIL NIL NIL\002)");
    g_string_append_c(self->out, ' ');
    hp_summary_write_quoted(self->out, part->subtype);
    g_string_append_c(self->out, HP_SUMMARY_EXTENDED);
    g_string_append_c(self->out, ' ');
    hp_summary_write_params(self->out, part->content_type);
    write_extensions(self->out, fields);
    g_string_append_c(self->out, HP_SUMMARY_EXTENDED_END);
}

/* Recursion ends at HP_MIME_MAX_DEPTH. */
static void
write_part(Writer *self, guint index)
{
    g_string_append_c(self->out, '(');
    if (hp_mime_part(self->mime, index)->kind == HP_MIME_MULTIPART &&
        hp_summary_is_open(self->mime, index))
        write_multipart(self, index);
    else
        write_leaf(self, index);
    g_string_append_c(self->out, ')');
}

void
hp_summary_write_structure(GString *out, const HpMime *mime, size_t *budget)
{
    g_autoptr(GArray) lines = count_all_lines(mime->message);
    Writer writer = { mime, out, budget, lines };

    write_part(&writer, 0);
}
