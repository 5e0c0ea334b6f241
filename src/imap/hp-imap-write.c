#include "hp-imap-write.h"

#include "hp-imap-name.h"
#include "hp-store.h"
#include "hp-text.h"

#include <string.h>

#define QUOTED_MAX                                                                       \
    1000 /* octets; longer ones are literals, which is easier for clients */
#define TEXT_MAX 400

static gboolean
may_quote(HpSlice bytes, gboolean utf8)
{
    if (bytes.len > QUOTED_MAX)
        return FALSE;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];

        if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && !utf8))
            return FALSE;
    }
    return !utf8 || bytes.len == 0 ||
           g_utf8_validate(bytes.data, (gssize)bytes.len, NULL);
}

void
hp_imap_out_string(GString *out, HpSlice bytes, gboolean utf8)
{
    if (!may_quote(bytes, utf8)) {
        g_string_append_printf(out, "{%" G_GSIZE_FORMAT "}\r\n", bytes.len);
        g_string_append_len(out, bytes.data, (gssize)bytes.len);
        return;
    }
    g_string_append_c(out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '"' || bytes.data[i] == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, bytes.data[i]);
    }
    g_string_append_c(out, '"');
}

void
hp_imap_out_astring(GString *out, HpSlice bytes)
{
    gboolean plain = bytes.len > 0;

    for (size_t i = 0; plain && i < bytes.len; i++)
        plain = g_ascii_isalnum(bytes.data[i]) || bytes.data[i] == '-';
    if (plain)
        g_string_append_len(out, bytes.data, (gssize)bytes.len);
    else
        hp_imap_out_string(out, bytes, FALSE);
}

void
hp_imap_out_string8(GString *out, HpSlice bytes, gboolean utf8)
{
    if (bytes.len > 0 && memchr(bytes.data, '\0', bytes.len) != NULL) {
        g_string_append_printf(out, "~{%" G_GSIZE_FORMAT "}\r\n", bytes.len);
        g_string_append_len(out, bytes.data, (gssize)bytes.len);
    } else {
        hp_imap_out_string(out, bytes, utf8);
    }
}

void
hp_imap_out_entry(GString *out, const char *entry)
{
    const char *c = entry;

    while (g_ascii_isalnum(*c) || (*c != '\0' && strchr("/-_.:@", *c) != NULL))
        c++;
    if (*c == '\0' && c > entry)
        g_string_append(out, entry);
    else
        hp_imap_out_string(out, hp_slice_of(entry), FALSE);
}

void
hp_imap_out_nstring(GString *out, const char *text, gboolean utf8)
{
    if (text == NULL)
        g_string_append(out, "NIL");
    else
        hp_imap_out_string(out, hp_slice_of(text), utf8);
}

void
hp_imap_out_mailbox(GString *out, const char *name, gboolean utf8)
{
    g_autofree char *encoded = utf8 ? NULL : hp_imap_name_encode(name);

    hp_imap_out_string(out, hp_slice_of(encoded != NULL ? encoded : name), utf8);
}

void
hp_imap_out_flags(GString *out, guint32 flags, const char *keywords)
{
    static const char *const names[] = { "\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                         "\\Draft" }; /* in the order of HpStoreFlag */
    gboolean first = TRUE;

    g_string_append_c(out, '(');
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if ((flags & (1u << i)) == 0)
            continue;
        g_string_append_printf(out, "%s%s", first ? "" : " ", names[i]);
        first = FALSE;
    }
    if (*keywords != '\0')
        g_string_append_printf(out, "%s%s", first ? "" : " ", keywords);
    g_string_append_c(out, ')');
}

void
hp_imap_out_date_time(GString *out, gint64 usec, gint zone)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    g_autoptr(GDateTime) date = NULL;

    date = g_date_time_new_from_unix_utc(usec / G_USEC_PER_SEC + (gint64)zone * 60);
    if (date == NULL) /* beyond what GLib's calendar has */
        date = g_date_time_new_from_unix_utc(0);
    g_string_append_printf(out, "\"%2d-%s-%04d %02d:%02d:%02d %c%02d%02d\"",
                           g_date_time_get_day_of_month(date),
                           months[g_date_time_get_month(date) - 1],
                           g_date_time_get_year(date), g_date_time_get_hour(date),
                           g_date_time_get_minute(date), g_date_time_get_second(date),
                           zone < 0 ? '-' : '+', ABS(zone) / 60, ABS(zone) % 60);
}

void
hp_imap_out_status(GString *out, const char *tag, const char *condition, const char *code,
                   const char *text)
{
    g_autofree char *ascii = hp_text_to_ascii(text);

    g_string_append_printf(out, "%s %s ", tag, condition);
    if (code != NULL)
        g_string_append_printf(out, "[%s] ", code);
    for (size_t i = 0; i < TEXT_MAX && ascii[i] != '\0'; i++)
        g_string_append_c(out, ascii[i] < ' ' ? ' ' : ascii[i]);
    g_string_append(out, ascii[0] == '\0' ? ".\r\n" : "\r\n");
}

void
hp_imap_out_number(GString *out, guint64 number)
{
    char digits[20];
    guint n = 0;

    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (n > 0)
        g_string_append_c(out, digits[--n]);
}
