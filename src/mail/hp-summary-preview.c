#include "hp-summary-private.h"
#include "hp-text-stream.h"
#include "hp-text.h"

#include <string.h>

#define MOST_TRIED   8                    /* parts that are looked into for some text */
#define LONGEST_TEXT ((size_t)16 * 1024)  /* octets of a text that are decoded */
#define LONGEST_HTML ((size_t)128 * 1024) /* the same: style sheets stand in front */
#define ENOUGH       ((size_t)4096)       /* octets that surely hold a preview */

/* ---- plain text ------------------------------------------------------------------- */

/* Drops the line "Am Montag schrieb Anna:" over a quotation: the last one of @out. */
static void
drop_attribution(GString *out)
{
    HpSlice kept = hp_slice_trim(hp_slice_of_string(out));
    const char *line;

    if (kept.len == 0 || kept.data[kept.len - 1] != ':')
        return;
    line = memrchr(kept.data, '\n', kept.len);
    g_string_truncate(out, line != NULL ? (gsize)(line - out->str) : 0);
}

/* What the sender has written: without quotations and without the signature. */
static void
append_own_words(HpSlice text, GString *out)
{
    HpCursor c = hp_cursor_over(text);

    while (!hp_cursor_at_end(&c) && out->len < ENOUGH) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        hp_cursor_skip(&c, '\n');
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        if (hp_slice_equal(line, HP_SLICE_LITERAL("-- ")) ||
            hp_slice_equal(line, HP_SLICE_LITERAL("--")))
            return;
        if (line.len > 0 && line.data[0] == '>') {
            drop_attribution(out);
            continue;
        }
        g_string_append_len(out, line.len > 0 ? line.data : "", (gssize)line.len);
        g_string_append_c(out, '\n');
    }
}

/* ---- one line --------------------------------------------------------------------- */

/* Newsletters fill the preview with these, so that what follows is not seen. Joiners have
 * a meaning between letters. */
static gboolean
is_invisible(gunichar character)
{
    return character == 0x00AD || character == 0x034F || character == 0x200B ||
           character == 0x2060 || character == 0xFEFF;
}

static gboolean
is_joiner(gunichar character)
{
    return character == 0x200C || character == 0x200D;
}

/* Text on its way to one line: NUL and what else could not be read was made U+FFFD and is
 * dropped (RFC 7103 §7.6), spaces of any kind are one. */
static char *
to_line(char *text)
{
    g_autoptr(GString) out = g_string_sized_new(256);
    gunichar before = ' ', joiner = 0;
    guint n = 0;

    for (char *p = text; *p != '\0' && n <= HP_SUMMARY_MAX_PREVIEW;
         p = g_utf8_next_char(p)) {
        gunichar character = g_utf8_get_char(p);

        if (character == 0xFFFD || is_invisible(character))
            continue;
        if (is_joiner(character)) {
            joiner = character;
            continue;
        }
        if (g_unichar_isspace(character) || character < ' ')
            character = ' ';
        if (joiner != 0 && before != ' ' && character != ' ')
            g_string_append_unichar(out, joiner);
        if (character != ' ' || before != ' ') {
            g_string_append_unichar(out, character);
            n++;
        }
        before = character;
        joiner = 0;
    }
    /* One character is left for the ellipsis. */
    return hp_text_printable(hp_slice_trim(hp_slice_of_string(out)),
                             HP_SUMMARY_MAX_PREVIEW - 1);
}

/* ---- the part --------------------------------------------------------------------- */

static gboolean
is_attachment(const HpMime *mime, const HpMimePart *part)
{
    HpSlice header = { mime->message.data + part->header_start,
                       part->body_start - part->header_start };
    HpHeaderField field;

    return hp_header_find(header, "Content-Disposition", &field) &&
           hp_slice_equal_nocase(hp_mime_token(field.body), "attachment");
}

static GString *
decode_part(const HpMime *mime, const HpMimePart *part, size_t longest)
{
    g_autofree char *charset = hp_mime_param(part->content_type, "charset");
    g_autoptr(HpTextStream) stream = hp_text_stream_new(part->encoding, charset);
    HpSlice body = { mime->message.data + part->body_start,
                     part->body_end - part->body_start };
    gboolean whole = body.len <= longest;
    GString *text = g_string_sized_new(MIN(body.len, longest) + 1);

    body.len = MIN(body.len, longest);
    hp_text_stream_feed(stream, body, whole, text);
    return text;
}

static char *
preview_plain(const HpMime *mime, const HpMimePart *part)
{
    g_autoptr(GString) text = decode_part(mime, part, LONGEST_TEXT);
    g_autoptr(GString) own = g_string_sized_new(256);
    g_autofree char *line = NULL;

    /* What is encrypted has no meaningful preview (RFC 8970 §3.2). */
    if (g_str_has_prefix(text->str, "-----BEGIN PGP MESSAGE-----"))
        return g_strdup("");
    append_own_words(hp_slice_of_string(text), own);
    line = to_line(own->str);
    return *line != '\0' ? g_steal_pointer(&line) : to_line(text->str);
}

static char *
preview_html(const HpMime *mime, const HpMimePart *part)
{
    g_autoptr(GString) html = decode_part(mime, part, LONGEST_HTML);
    g_autoptr(GString) text = g_string_sized_new(256);

    hp_summary_read_html(hp_slice_of_string(html), ENOUGH, text);
    return to_line(text->str);
}

/* (transfer full) (nullable): NULL if the part is none to be looked at */
static char *
preview_part(const HpMime *mime, guint index)
{
    const HpMimePart *part = hp_mime_part(mime, index);
    HpSlice type, subtype;
    gboolean html;

    hp_summary_leaf_type(mime, index, &type, &subtype);
    html = hp_slice_equal_nocase(subtype, "html");
    if (hp_summary_is_open(mime, index) || !hp_slice_equal_nocase(type, "text") ||
        (!html && !hp_slice_equal_nocase(subtype, "plain")) || is_attachment(mime, part))
        return NULL;
    return html ? preview_html(mime, part) : preview_plain(mime, part);
}

char *
hp_summary_find_preview(const HpMime *mime)
{
    guint tried = 0;

    for (guint i = 0; i < mime->parts->len && tried < MOST_TRIED; i++) {
        g_autofree char *preview = preview_part(mime, i);

        if (preview == NULL)
            continue;
        tried++;
        if (*preview != '\0')
            return g_steal_pointer(&preview);
    }
    return g_strdup("");
}
