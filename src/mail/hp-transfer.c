#include "hp-transfer.h"

#include "hp-text.h"

#include <string.h>

#define LINE_CHARS 76 /* RFC 2045 §6.7 (5), §6.8 */
#define LINE_BYTES 57 /* that many bytes give a full line of base64 */

static int
base64_value(unsigned char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

void
hp_transfer_decode_base64(HpSlice encoded, GString *out)
{
    guint32 bits = 0;
    guint n = 0;

    for (size_t i = 0; i < encoded.len && encoded.data[i] != '='; i++) {
        int value = base64_value((unsigned char)encoded.data[i]);

        if (value < 0)
            continue;
        bits = bits << 6 | (guint32)value;
        if (++n % 4 == 0) {
            const char three[] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };

            g_string_append_len(out, three, 3);
            bits = 0;
        }
    }
    if (n % 4 >= 2)
        g_string_append_c(out, (char)(n % 4 == 2 ? bits >> 4 : bits >> 10));
    if (n % 4 == 3)
        g_string_append_c(out, (char)(bits >> 2));
}

/* One line without its line end; returns FALSE if it ends in a soft line break. */
static gboolean
decode_qp_line(HpSlice line, GString *out)
{
    while (line.len > 0 &&
           (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        line.len--;
    for (size_t i = 0; i < line.len; i++) {
        int octet;

        if (line.data[i] != '=') {
            g_string_append_c(out, line.data[i]);
            continue;
        }
        if (i + 1 == line.len)
            return FALSE;
        octet = hp_text_unhex(line, i + 1);
        if (octet < 0) {
            g_string_append_c(out, '=');
            continue;
        }
        g_string_append_c(out, (char)octet);
        i += 2;
    }
    return TRUE;
}

void
hp_transfer_decode_quoted_printable(HpSlice encoded, GString *out)
{
    HpCursor c = hp_cursor_over(encoded);

    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');
        gboolean ended = hp_cursor_skip(&c, '\n');
        gboolean cr = ended && line.len > 0 && line.data[line.len - 1] == '\r';

        if (cr)
            line.len--;
        if (decode_qp_line(line, out) && ended)
            g_string_append(out, cr ? "\r\n" : "\n");
    }
}

void
hp_transfer_encode_base64(HpSlice bytes, GString *out)
{
    for (size_t i = 0; i < bytes.len; i += LINE_BYTES) {
        g_autofree char *line = g_base64_encode((const guchar *)bytes.data + i,
                                                MIN(LINE_BYTES, bytes.len - i));

        g_string_append(out, line);
        g_string_append(out, "\r\n");
    }
}

/* %TRUE if the byte at @i may stand for itself. */
static gboolean
is_plain(HpSlice line, size_t i)
{
    unsigned char byte = (unsigned char)line.data[i];

    if (byte == ' ' || byte == '\t')
        return i + 1 < line.len;
    if (i == 0 && (byte == '.' || (line.len >= 5 && memcmp(line.data, "From ", 5) == 0)))
        return FALSE;
    return byte > ' ' && byte < 0x7F && byte != '=';
}

static void
encode_qp_line(HpSlice line, GString *out)
{
    guint column = 0;

    for (size_t i = 0; i < line.len; i++) {
        gboolean plain = is_plain(line, i);
        guint width = plain ? 1 : 3;

        /* One column is kept for the "=" of the soft break. */
        if (column + width > LINE_CHARS - 1) {
            g_string_append(out, "=\r\n");
            column = 0;
        }
        if (plain)
            g_string_append_c(out, line.data[i]);
        else
            g_string_append_printf(out, "=%02X", (unsigned char)line.data[i]);
        column += width;
    }
}

void
hp_transfer_encode_quoted_printable(HpSlice bytes, GString *out)
{
    size_t start = 0;

    while (start < bytes.len) {
        const char *end = memmem(bytes.data + start, bytes.len - start, "\r\n", 2);
        size_t len = end != NULL ? (size_t)(end - bytes.data) - start : bytes.len - start;

        encode_qp_line((HpSlice){ bytes.data + start, len }, out);
        if (end == NULL)
            return;
        g_string_append(out, "\r\n");
        start += len + 2;
    }
}
