/* BINARY: parts without their transfer encoding (RFC 9051 §6.4.5, RFC 3516 §4.2). They
 * are decoded twice: once to know how long they are, once to be sent. */
#include "hp-imap-fetch-private.h"

#include "hp-text-stream.h"

#include <string.h>

typedef struct {
    HpImapFetching *fetching; /* (unowned) */
    HpContent *content;       /* (unowned) */
    HpImapSpan what;
    HpMimeEncoding encoding;
} Source;

typedef void (*Sink)(HpSlice decoded, gpointer data);

/* Each decoded piece; the session has ended if it cannot be read. */
static void
decode(const Source *source, Sink sink, gpointer data)
{
    g_autoptr(HpTextStream) stream = hp_text_stream_new(source->encoding, NULL);
    g_autoptr(GString) decoded = g_string_new(NULL);
    HpImapSpan what = source->what;

    while (what.octets > 0) {
        size_t n = hp_imap_fetch_read(source->fetching, source->content, what);
        HpSlice bytes = { source->fetching->buffer, n };

        if (n == 0)
            return;
        what.offset += n;
        what.octets -= n;
        hp_text_stream_decode(stream, bytes, what.octets == 0, decoded);
        sink(hp_slice_of_string(decoded), data);
        g_string_truncate(decoded, 0);
    }
}

typedef struct {
    guint64 octets;
    gboolean has_nul; /* then only a literal8 can hold it */
} Measure;

static void
measure(HpSlice decoded, gpointer data)
{
    Measure *self = data;

    self->octets += decoded.len;
    self->has_nul = self->has_nul ||
                    (decoded.len > 0 && memchr(decoded.data, 0, decoded.len) != NULL);
}

typedef struct {
    HpImapSession *s; /* (unowned) */
    guint64 skip;     /* octets before what is asked for */
    guint64 left;     /* octets of it to come */
} Window;

static void
send_window(HpSlice decoded, gpointer data)
{
    Window *self = data;
    size_t skipped = (size_t)MIN(self->skip, (guint64)decoded.len);
    size_t n = (size_t)MIN(self->left, (guint64)(decoded.len - skipped));

    self->skip -= skipped;
    self->left -= n;
    if (n > 0)
        hp_imap_write(self->s, (HpSlice){ decoded.data + skipped, n });
}

void
hp_imap_fetch_binary(HpImapFetching *self, const HpImapSection *section,
                     HpContent *content, HpImapSpan what, guint encoding)
{
    Source source = { self, content, what, (HpMimeEncoding)encoding };
    Window window = { self->s, 0, 0 };
    Measure size = { 0, FALSE };
    GString *out;

    if (encoding == HP_MIME_UNKNOWN_ENCODING) {
        self->unknown++;
        g_string_append(hp_imap_fetch_item(self, section->label),
                        section->size ? "0" : "NIL");
        return;
    }
    decode(&source, measure, &size);
    out = hp_imap_fetch_item(self, section->label);
    if (section->size) {
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, size.octets);
        return;
    }
    window.left = size.octets;
    hp_imap_section_cut(section, &window.skip, &window.left);
    g_string_append_printf(out, "%s{%" G_GUINT64_FORMAT "}\r\n", size.has_nul ? "~" : "",
                           window.left);
    hp_imap_fetch_send(self);
    if (self->s->state != HP_IMAP_ENDED)
        decode(&source, send_window, &window);
}
