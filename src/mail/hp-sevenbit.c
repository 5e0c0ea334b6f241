#include "hp-sevenbit.h"

#include "hp-address.h"
#include "hp-charset.h"
#include "hp-header.h"
#include "hp-mime.h"
#include "hp-text.h"
#include "hp-transfer.h"

#include <string.h>

G_DEFINE_QUARK(hp_sevenbit_error, hp_sevenbit_error)

#define MOST_ADDRESSES 1000 /* of a field that is written anew */

typedef struct {
    HpSlice message;
    HpMime *mime; /* (unowned) */
    GString *out; /* (unowned) */
    size_t done;  /* offset up to which the message has been written */
} Converter;

/* How a part's header changes. */
typedef struct {
    const char *encoding; /* (unowned) (nullable): new Content-Transfer-Encoding */
    const char *charset;  /* (unowned) (nullable): to be added to Content-Type */
    gboolean root;        /* MIME-Version is wanted */
} HeaderChange;

typedef struct {
    gboolean encoding, type, version;
} HeaderSeen;

static gboolean
fail(GError **error, HpSevenbitError code, const char *message)
{
    g_set_error_literal(error, HP_SEVENBIT_ERROR, (int)code, message);
    return FALSE;
}

static HpSlice
range(const Converter *self, size_t start, size_t end)
{
    return (HpSlice){ self->message.data + start, end - start };
}

/* Copies what no part owns: preambles, epilogues, boundaries. Nobody reads 8-bit bytes
 * there; they go. */
static void
copy_until(Converter *self, size_t end)
{
    for (; self->done < end; self->done++) {
        char byte = self->message.data[self->done];

        g_string_append_c(self->out, (unsigned char)byte < 0x80 ? byte : '?');
    }
}

static gboolean
is_one_of(HpSlice name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (hp_slice_equal_nocase(name, *names))
            return TRUE;
    return FALSE;
}

static gboolean
has_prefix_nocase(HpSlice name, const char *prefix)
{
    HpCursor c = hp_cursor_over(name);

    return hp_cursor_skip_word(&c, prefix);
}

static gboolean
is_address_field(HpSlice name)
{
    static const char *const names[] = { "From",      "To",        "Cc",
                                         "Reply-To",  "Sender",    "Resent-From",
                                         "Resent-To", "Resent-Cc", "Resent-Sender",
                                         NULL };

    return is_one_of(name, names);
}

/* Fields whose grammar has no place for encoded words. */
static gboolean
is_structured(HpSlice name)
{
    static const char *const names[] = { "MIME-Version",
                                         "Message-ID",
                                         "References",
                                         "In-Reply-To",
                                         "Received",
                                         "Date",
                                         "Return-Path",
                                         "DKIM-Signature",
                                         "Authentication-Results",
                                         "Bcc",
                                         NULL };

    return is_one_of(name, names) ||
           (has_prefix_nocase(name, "Content-") &&
            !hp_slice_equal_nocase(name, "Content-Description")) ||
           has_prefix_nocase(name, "List-") || has_prefix_nocase(name, "ARC-") ||
           has_prefix_nocase(name, "Resent-");
}

static void
append_name(GString *out, HpSlice name)
{
    g_string_append_len(out, name.data, (gssize)name.len);
    g_string_append(out, ": ");
}

static void
encode_unstructured(GString *out, const HpHeaderField *field)
{
    g_autoptr(GString) unfolded = g_string_new(NULL);
    g_autofree char *decoded = NULL;
    g_autofree char *encoded = NULL;

    hp_header_unfold(field->body, unfolded);
    decoded = hp_charset_decode_words(hp_slice_of_string(unfolded));
    encoded = hp_charset_encode_words(decoded, (guint)field->name.len + 2);
    append_name(out, field->name);
    g_string_append(out, encoded);
    g_string_append(out, "\r\n");
}

static gboolean
encode_addresses(GString *out, const HpHeaderField *field, GError **error)
{
    gboolean whole;
    g_autoptr(GArray) places = hp_address_scan(field->body, MOST_ADDRESSES, &whole);

    if (!whole || places->len == 0 || memchr(field->body.data, ';', field->body.len))
        return fail(error, HP_SEVENBIT_ERROR_HEADER, "an address field is not plain");
    append_name(out, field->name);
    for (guint i = 0; i < places->len; i++) {
        const HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);
        g_autofree char *address = hp_address_write(place->address);
        g_autofree char *mailbox = NULL;

        if (!hp_text_is_ascii(hp_slice_of(address)))
            return fail(error, HP_SEVENBIT_ERROR_HEADER, "an address is not ASCII");
        mailbox = hp_address_write_mailbox(place->address->name, address,
                                           i == 0 ? (guint)field->name.len + 2 : 1);
        g_string_append_printf(out, "%s%s", i == 0 ? "" : ",\r\n ", mailbox);
    }
    g_string_append(out, "\r\n");
    return TRUE;
}

static gboolean
write_wide_field(GString *out, const HpHeaderField *field, GError **error)
{
    if (field->name.len == 0 || field->body.len == HP_HEADER_MAX_FIELD)
        return fail(error, HP_SEVENBIT_ERROR_HEADER, "a header line cannot be encoded");
    if (is_address_field(field->name))
        return encode_addresses(out, field, error);
    if (is_structured(field->name))
        return fail(error, HP_SEVENBIT_ERROR_HEADER, "a header field is not ASCII");
    encode_unstructured(out, field);
    return TRUE;
}

/* Content-Type with a charset behind what it says. */
static void
write_type(GString *out, const HpHeaderField *field, const char *charset)
{
    HpSlice body = field->body;

    while (body.len > 0 && strchr(" \t\r\n;", body.data[body.len - 1]) != NULL)
        body.len--;
    g_string_append_len(out, field->raw.data, body.data + body.len - field->raw.data);
    g_string_append_printf(out, ";\r\n charset=%s\r\n", charset);
}

static gboolean
write_field(GString *out, const HpHeaderField *field, const HeaderChange *change,
            HeaderSeen *seen, GError **error)
{
    if (hp_slice_equal_nocase(field->name, "Content-Transfer-Encoding") &&
        change->encoding != NULL) {
        if (!seen->encoding)
            g_string_append_printf(out, "Content-Transfer-Encoding: %s\r\n",
                                   change->encoding);
        seen->encoding = TRUE;
        return TRUE;
    }
    if (!hp_text_is_ascii(field->raw))
        return write_wide_field(out, field, error);
    seen->version = seen->version || hp_slice_equal_nocase(field->name, "MIME-Version");
    if (hp_slice_equal_nocase(field->name, "Content-Type") && !seen->type) {
        seen->type = TRUE;
        if (change->charset != NULL) {
            write_type(out, field, change->charset);
            return TRUE;
        }
    }
    g_string_append_len(out, field->raw.data, (gssize)field->raw.len);
    return TRUE;
}

static void
add_missing(GString *out, const HeaderChange *change, const HeaderSeen *seen)
{
    if (change->encoding == NULL)
        return;
    if (change->root && !seen->version)
        g_string_append(out, "MIME-Version: 1.0\r\n");
    if (!seen->type && change->charset != NULL)
        g_string_append_printf(out, "Content-Type: text/plain; charset=%s\r\n",
                               change->charset);
    if (!seen->encoding)
        g_string_append_printf(out, "Content-Transfer-Encoding: %s\r\n",
                               change->encoding);
}

/* The part's header with its empty line. */
static gboolean
write_header(Converter *self, const HpMimePart *part, const HeaderChange *change,
             GError **error)
{
    HpCursor c = hp_cursor_over(range(self, part->header_start, part->body_start));
    HeaderSeen seen = { FALSE, FALSE, FALSE };
    HpHeaderField field;

    copy_until(self, part->header_start);
    while (hp_header_next(&c, &field))
        if (!write_field(self->out, &field, change, &seen, error))
            return FALSE;
    if (self->out->len > 0 && self->out->str[self->out->len - 1] != '\n')
        g_string_append(self->out, "\r\n");
    add_missing(self->out, change, &seen);
    self->done = part->body_start - hp_cursor_rest(&c).len;
    copy_until(self, part->body_start);
    return TRUE;
}

static gboolean
is_type(const HpMimePart *part, const char *type, const char *subtype)
{
    return hp_slice_equal_nocase(part->type, type) &&
           (subtype == NULL || hp_slice_equal_nocase(part->subtype, subtype));
}

/* The charset that a part's text lacks, or NULL. */
static const char *
missing_charset(const HpMimePart *part, HpSlice body)
{
    g_autofree char *charset = NULL;

    if (!is_type(part, "text", NULL))
        return NULL;
    charset = hp_mime_param(part->content_type, "charset");
    if (charset != NULL)
        return NULL;
    return g_utf8_validate_len(body.data, body.len, NULL) ? "utf-8" : "unknown-8bit";
}

static gboolean
convert_leaf(Converter *self, const HpMimePart *part, HeaderChange change, GError **error)
{
    HpSlice body = range(self, part->body_start, part->body_end);
    gboolean text = is_type(part, "text", NULL);

    /* No encoding may be put on message types but the global ones (RFC 2046 §5.2.1,
     * RFC 6532 §3.7), nor on a multipart that has no boundary. */
    if (part->encoding == HP_MIME_QUOTED_PRINTABLE || part->encoding == HP_MIME_BASE64 ||
        part->encoding == HP_MIME_UNKNOWN_ENCODING || is_type(part, "multipart", NULL) ||
        (is_type(part, "message", NULL) && !is_type(part, "message", "global")))
        return fail(error, HP_SEVENBIT_ERROR_STRUCTURE,
                    "a part has 8-bit bytes where none may be");
    change.encoding = text ? "quoted-printable" : "base64";
    change.charset = missing_charset(part, body);
    if (!write_header(self, part, &change, error))
        return FALSE;
    if (text)
        hp_transfer_encode_quoted_printable(body, self->out);
    else
        hp_transfer_encode_base64(body, self->out);
    self->done = part->body_end;
    return TRUE;
}

static gboolean
convert_part(Converter *self, guint index, GError **error)
{
    const HpMimePart *part = hp_mime_part(self->mime, index);
    gboolean wide_header =
        !hp_text_is_ascii(range(self, part->header_start, part->body_start));
    gboolean wide_body = !hp_text_is_ascii(range(self, part->body_start, part->body_end));
    HeaderChange change = { NULL, NULL, index == 0 };

    if (!wide_header && !wide_body)
        return TRUE;
    if (is_type(part, "multipart", "signed") && wide_body)
        return fail(error, HP_SEVENBIT_ERROR_SIGNED, "the message is signed");
    if (part->kind == HP_MIME_LEAF && wide_body)
        return convert_leaf(self, part, change, error);
    if (part->encoding == HP_MIME_8BIT || part->encoding == HP_MIME_BINARY)
        change.encoding = "7bit";
    if (part->kind == HP_MIME_LEAF)
        change.encoding = NULL;
    return write_header(self, part, &change, error);
}

/* Inside a message/global, whose header may be as it likes? */
static gboolean
is_in_global(const HpMime *mime, guint index)
{
    while (index != 0) {
        index = hp_mime_part(mime, index)->parent;
        if (is_type(hp_mime_part(mime, index), "message", "global"))
            return TRUE;
    }
    return FALSE;
}

gboolean
hp_sevenbit_has_wide_header(HpSlice message)
{
    g_autoptr(HpMime) mime = hp_mime_new(message);

    for (guint i = 0; i < mime->parts->len; i++) {
        const HpMimePart *part = hp_mime_part(mime, i);
        HpSlice header = { mime->message.data + part->header_start,
                           part->body_start - part->header_start };

        if (!hp_text_is_ascii(header) && !is_in_global(mime, i))
            return TRUE;
    }
    return FALSE;
}

GString *
hp_sevenbit_convert(HpSlice message, GError **error)
{
    g_autoptr(HpMime) mime = hp_mime_new(message);
    g_autoptr(GString) out = g_string_sized_new(message.len + message.len / 4 + 256);
    Converter converter = { mime->message, mime, out, 0 };

    if (mime->truncated) {
        fail(error, HP_SEVENBIT_ERROR_STRUCTURE, "the message has too many parts");
        return NULL;
    }
    for (guint i = 0; i < mime->parts->len; i++)
        if (!convert_part(&converter, i, error))
            return NULL;
    copy_until(&converter, message.len);
    return g_steal_pointer(&out);
}
