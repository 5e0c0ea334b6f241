#include "hp-mime.h"

#include "hp-header.h"

#include <string.h>

#define LONGEST_BOUNDARY 255 /* octets; RFC 2046 §5.1.1 says 70 */

/* ---- fields ---------------------------------------------------------------------- */

static gboolean
is_space(unsigned char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* token, RFC 2045 §5.1 */
static gboolean
is_token(unsigned char byte)
{
    return byte > ' ' && byte < 0x7F && strchr("()<>@,;:\\\"/[]?=", byte) == NULL;
}

/* What real programs leave unquoted in a value. */
static gboolean
is_bare_value(unsigned char byte)
{
    return byte > ' ' && byte != 0x7F && byte != ';' && byte != '"';
}

static void
skip_comment(HpCursor *c)
{
    guint depth = 0;

    while (!hp_cursor_at_end(c)) {
        char byte = *c->at++;

        if (byte == '(')
            depth++;
        else if (byte == '\\' && !hp_cursor_at_end(c))
            c->at++;
        else if (byte == ')' && --depth == 0)
            return;
    }
}

static void
skip_cfws(HpCursor *c)
{
    hp_cursor_take(c, is_space);
    while (hp_cursor_peek(c) == '(') {
        skip_comment(c);
        hp_cursor_take(c, is_space);
    }
}

/* Appends the inside of a quoted-string; an open one ends with the field. */
static void
take_quoted(HpCursor *c, GString *out)
{
    hp_cursor_skip(c, '"');
    while (!hp_cursor_at_end(c) && !hp_cursor_skip(c, '"')) {
        hp_cursor_skip(c, '\\');
        if (hp_cursor_at_end(c))
            return;
        if (*c->at != '\r' && *c->at != '\n')
            g_string_append_c(out, *c->at);
        c->at++;
    }
}

gboolean
hp_mime_parse_type(HpSlice content_type, HpSlice *ret_type, HpSlice *ret_subtype)
{
    HpCursor c = hp_cursor_over(content_type);
    HpSlice type, subtype;

    skip_cfws(&c);
    type = hp_cursor_take(&c, is_token);
    skip_cfws(&c);
    if (type.len == 0 || !hp_cursor_skip(&c, '/'))
        return FALSE;
    skip_cfws(&c);
    subtype = hp_cursor_take(&c, is_token);
    if (subtype.len == 0)
        return FALSE;
    *ret_type = type;
    *ret_subtype = subtype;
    return TRUE;
}

/* Up to behind the next ";" outside quotes and comments. */
static gboolean
skip_to_param(HpCursor *c)
{
    g_autoptr(GString) ignored = g_string_new(NULL);

    while (!hp_cursor_at_end(c)) {
        if (hp_cursor_skip(c, ';'))
            return TRUE;
        if (*c->at == '"')
            take_quoted(c, ignored);
        else if (*c->at == '(')
            skip_comment(c);
        else
            c->at++;
    }
    return FALSE;
}

static void
take_value(HpCursor *c, GString *out)
{
    HpSlice bare;

    if (hp_cursor_peek(c) == '"') {
        take_quoted(c, out);
        return;
    }
    bare = hp_cursor_take(c, is_bare_value);
    g_string_append_len(out, bare.len > 0 ? bare.data : "", (gssize)bare.len);
}

gboolean
hp_mime_next_param(HpCursor *c, HpSlice *ret_name, GString *ret_value)
{
    HpSlice attribute;

    if (!skip_to_param(c))
        return FALSE;
    skip_cfws(c);
    attribute = hp_cursor_take(c, is_token);
    skip_cfws(c);
    g_string_truncate(ret_value, 0);
    *ret_name = (HpSlice){ NULL, 0 };
    if (!hp_cursor_skip(c, '='))
        return TRUE;
    skip_cfws(c);
    take_value(c, ret_value);
    *ret_name = attribute;
    return TRUE;
}

HpSlice
hp_mime_token(HpSlice value)
{
    HpCursor c = hp_cursor_over(value);

    skip_cfws(&c);
    return hp_cursor_take(&c, is_token);
}

char *
hp_mime_param(HpSlice value, const char *name)
{
    g_autoptr(GString) found = g_string_new(NULL);
    HpSlice attribute;
    HpCursor c;

    value.len = MIN(value.len, HP_HEADER_MAX_FIELD);
    c = hp_cursor_over(value);
    for (guint i = 0; i < HP_MIME_MAX_PARAMS; i++) {
        if (!hp_mime_next_param(&c, &attribute, found))
            return NULL;
        if (hp_slice_equal_nocase(attribute, name))
            return g_string_free(g_steal_pointer(&found), FALSE);
    }
    return NULL;
}

static HpMimeEncoding
parse_encoding(HpSlice body)
{
    static const struct {
        const char *name;
        HpMimeEncoding encoding;
    } names[] = {
        { "7bit", HP_MIME_7BIT },     { "8bit", HP_MIME_8BIT },
        { "binary", HP_MIME_BINARY }, { "quoted-printable", HP_MIME_QUOTED_PRINTABLE },
        { "base64", HP_MIME_BASE64 }, { "7-bit", HP_MIME_7BIT },
        { "8-bit", HP_MIME_8BIT },
    };
    HpCursor c = hp_cursor_over(body);
    HpSlice token;

    skip_cfws(&c);
    token = hp_cursor_take(&c, is_token);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (hp_slice_equal_nocase(token, names[i].name))
            return names[i].encoding;
    return token.len == 0 ? HP_MIME_7BIT : HP_MIME_UNKNOWN_ENCODING;
}

/* ---- the walk -------------------------------------------------------------------- */

/* A part whose end has not been seen. */
typedef struct {
    guint part;
    char *boundary; /* (owned) (nullable): of a multipart before its closing line */
} Open;

typedef struct {
    HpMime *mime; /* (unowned) */
    GArray *open; /* (owned): Open, outermost first */
    size_t at;
} Walk;

static HpSlice
line_at(HpSlice message, size_t at)
{
    const char *start = message.data + at;
    const char *lf = memchr(start, '\n', message.len - at);

    return (HpSlice){ start, lf != NULL ? (size_t)(lf - start) + 1 : message.len - at };
}

static Open *
open_at(const Walk *self, guint level)
{
    return &g_array_index(self->open, Open, level);
}

/* delimiter := "--" boundary; close-delimiter has "--" behind it (RFC 2046 §5.1.1) */
static gboolean
is_delimiter(HpSlice line, const char *boundary, gboolean *ret_close)
{
    size_t len = strlen(boundary);

    if (line.len < len + 2 || memcmp(line.data + 2, boundary, len) != 0)
        return FALSE;
    line.data += len + 2;
    line.len -= len + 2;
    *ret_close = line.len >= 2 && memcmp(line.data, "--", 2) == 0;
    return *ret_close || hp_slice_trim(line).len == 0;
}

/* The innermost multipart that @line is a boundary of, or -1. */
static int
match_boundary(const Walk *self, HpSlice line, gboolean *ret_close)
{
    if (line.len < 2 || line.data[0] != '-' || line.data[1] != '-')
        return -1;
    for (guint level = self->open->len; level-- > 0;) {
        const char *boundary = open_at(self, level)->boundary;

        if (boundary != NULL && is_delimiter(line, boundary, ret_close))
            return (int)level;
    }
    return -1;
}

/* Ends all parts above @level; @end is the start of a boundary line, whose line end in
 * front belongs to it. */
static void
close_above(Walk *self, guint level, size_t end)
{
    HpSlice message = self->mime->message;

    if (end < message.len || self->at < message.len) {
        if (end > 0 && message.data[end - 1] == '\n')
            end--;
        if (end > 0 && message.data[end - 1] == '\r')
            end--;
    }
    /* A part may have no body at all: then its last line end is its own. */
    if (self->open->len > level) {
        const HpMimePart *innermost =
            hp_mime_part(self->mime, open_at(self, self->open->len - 1)->part);

        end = MAX(end, innermost->body_start);
    }
    while (self->open->len > level) {
        Open *last = open_at(self, self->open->len - 1);
        HpMimePart *part = &g_array_index(self->mime->parts, HpMimePart, last->part);

        part->body_end = end;
        g_free(last->boundary);
        g_array_set_size(self->open, self->open->len - 1);
    }
}

/* The header lines of a part; a boundary of an outer part ends them too. */
static size_t
find_body(const Walk *self, size_t *ret_header_end)
{
    HpSlice message = self->mime->message;
    size_t at = self->at;
    gboolean close;

    while (at < message.len) {
        HpSlice line = line_at(message, at);

        *ret_header_end = at;
        if (match_boundary(self, line, &close) >= 0)
            return at;
        at += line.len;
        if (line.data[0] == '\n' || (line.len == 2 && line.data[0] == '\r'))
            return at;
    }
    *ret_header_end = at;
    return at;
}

static void
read_header(HpMimePart *part, HpSlice header)
{
    HpHeaderField field;
    HpCursor c;
    gboolean encoded = FALSE;

    header.len = MIN(header.len, HP_HEADER_MAX_BLOCK);
    c = hp_cursor_over(header);
    while (hp_header_next(&c, &field)) {
        if (!encoded && hp_slice_equal_nocase(field.name, "Content-Transfer-Encoding")) {
            part->encoding = parse_encoding(field.body);
            encoded = TRUE;
        } else if (part->content_type.len == 0 &&
                   hp_slice_equal_nocase(field.name, "Content-Type")) {
            part->content_type = field.body;
        }
    }
    if (part->content_type.len > 0 &&
        !hp_mime_parse_type(part->content_type, &part->type, &part->subtype))
        part->content_type.len = 0;
}

static char *
boundary_of(const HpMimePart *part)
{
    g_autofree char *boundary = hp_mime_param(part->content_type, "boundary");

    if (boundary == NULL || *boundary == '\0' || strlen(boundary) > LONGEST_BOUNDARY)
        return NULL;
    return g_steal_pointer(&boundary);
}

static gboolean
is_message_type(const HpMimePart *part)
{
    return hp_slice_equal_nocase(part->type, "message") &&
           (hp_slice_equal_nocase(part->subtype, "rfc822") ||
            hp_slice_equal_nocase(part->subtype, "global"));
}

/* An encoded message is a leaf: what is in it has other offsets. A multipart cannot be
 * encoded (RFC 2045 §6.4); many say that they are, and mean their parts. */
static void
find_kind(Walk *self, HpMimePart *part, char **ret_boundary)
{
    if (hp_slice_equal_nocase(part->type, "multipart")) {
        *ret_boundary = boundary_of(part);
        if (*ret_boundary != NULL)
            part->kind = HP_MIME_MULTIPART;
    } else if (part->encoding <= HP_MIME_BINARY && is_message_type(part)) {
        part->kind = HP_MIME_MESSAGE;
    }
    if (part->kind != HP_MIME_LEAF && part->depth == HP_MIME_MAX_DEPTH) {
        part->kind = HP_MIME_LEAF;
        g_clear_pointer(ret_boundary, g_free);
        self->mime->truncated = TRUE;
    }
}

static gboolean
is_in_digest(const Walk *self, guint parent)
{
    const HpMimePart *part;

    if (self->mime->parts->len == 0)
        return FALSE;
    part = &g_array_index(self->mime->parts, HpMimePart, parent);
    return part->kind == HP_MIME_MULTIPART &&
           hp_slice_equal_nocase(part->subtype, "digest");
}

/* Adds the part that begins here. Returns its kind. */
static HpMimeKind
open_part(Walk *self, guint parent, guint depth)
{
    gboolean digest = is_in_digest(self, parent);
    HpMimePart part = {
        .parent = parent,
        .depth = depth,
        .header_start = self->at,
        .type = digest ? HP_SLICE_LITERAL("message") : HP_SLICE_LITERAL("text"),
        .subtype = digest ? HP_SLICE_LITERAL("rfc822") : HP_SLICE_LITERAL("plain"),
    };
    Open open = { self->mime->parts->len, NULL };
    HpSlice header = { self->mime->message.data, 0 };
    size_t header_end = self->at;

    part.body_start = find_body(self, &header_end);
    if (header_end > self->at) {
        header.data += self->at;
        header.len = header_end - self->at;
        read_header(&part, header);
    }
    find_kind(self, &part, &open.boundary);
    self->at = part.body_start;
    part.body_end = self->mime->message.len;
    g_array_append_val(self->mime->parts, part);
    g_array_append_val(self->open, open);
    return part.kind;
}

/* A part, and if it is a message, the one in it, and so on. */
static gboolean
open_parts(Walk *self, guint parent, guint depth)
{
    while (self->mime->parts->len < HP_MIME_MAX_PARTS) {
        guint index = self->mime->parts->len;

        if (open_part(self, parent, depth) != HP_MIME_MESSAGE)
            return TRUE;
        parent = index;
        depth++;
    }
    self->mime->truncated = TRUE;
    return FALSE;
}

/* One line; returns FALSE if a limit ends the walk. */
static gboolean
step(Walk *self)
{
    HpSlice line = line_at(self->mime->message, self->at);
    gboolean close = FALSE;
    int level = match_boundary(self, line, &close);
    guint parent;

    if (level < 0) {
        self->at += line.len;
        return TRUE;
    }
    close_above(self, (guint)level + 1, self->at);
    self->at += line.len;
    parent = open_at(self, (guint)level)->part;
    if (close) {
        /* What follows is the epilogue, up to a boundary further out. */
        g_clear_pointer(&open_at(self, (guint)level)->boundary, g_free);
        return TRUE;
    }
    return open_parts(self, parent,
                      g_array_index(self->mime->parts, HpMimePart, parent).depth + 1);
}

HpMime *
hp_mime_new(HpSlice message)
{
    HpMime *mime = g_new0(HpMime, 1);
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(Open));
    Walk walk = { mime, open, 0 };
    gboolean going;

    if (message.data == NULL)
        message.data = "";
    mime->message = message;
    mime->parts = g_array_new(FALSE, FALSE, sizeof(HpMimePart));
    going = open_parts(&walk, 0, 0);
    while (going && walk.at < message.len)
        going = step(&walk);
    walk.at = message.len;
    close_above(&walk, 0, message.len);
    return mime;
}

void
hp_mime_free(HpMime *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->parts);
    g_free(self);
}

const HpMimePart *
hp_mime_part(const HpMime *self, guint index)
{
    g_assert(index < self->parts->len);
    return &g_array_index(self->parts, HpMimePart, index);
}
