/* What is shown instead of a message whose bytes are lost. */
#include "hp-log.h"
#include "hp-store-private.h"

#include <glib/gi18n.h>

/* By these a person knows which message it was. */
static gboolean
is_telling(HpSlice name)
{
    static const char *const names[] = { "From", "To",         "Cc",
                                         "Date", "Message-ID", "Subject" };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (hp_slice_equal_nocase(hp_slice_trim(name), names[i]))
            return TRUE;
    return FALSE;
}

/* Consumes a field with its continuation lines. */
static HpSlice
take_field(HpCursor *c)
{
    const char *start = c->at;
    int next;

    do {
        hp_cursor_take_until(c, '\n');
        hp_cursor_skip(c, '\n');
        next = hp_cursor_peek(c);
    } while (next == ' ' || next == '\t');
    return (HpSlice){ start, (size_t)(c->at - start) };
}

static void
append_telling_fields(GString *text, HpSlice header)
{
    HpCursor c = hp_cursor_over(header);

    while (!hp_cursor_at_end(&c)) {
        HpSlice field = take_field(&c);
        HpCursor name = hp_cursor_over(field);

        if (is_telling(hp_cursor_take_until(&name, ':'))) {
            HpSlice trimmed = hp_slice_trim(field);

            g_string_append_len(text, trimmed.data, (gssize)trimmed.len);
            g_string_append(text, "\r\n");
        }
    }
}

/* Lines end as in all mail. */
static void
append_lines(GString *text, const char *lines)
{
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);

    for (guint i = 0; split[i] != NULL; i++)
        g_string_append_printf(text, "%s\r\n", split[i]);
}

static GBytes *
make_text(HpStore *self, gint64 content)
{
    g_autoptr(GBytes) header = hp_store_kept_header(self, content);
    GString *text = g_string_new(NULL);

    if (header != NULL)
        append_telling_fields(text, hp_slice_of_bytes(header));
    if (text->len == 0)
        g_string_append(text, "From: Hauspost <hauspost@localhost>\r\n"
                              "Subject: (missing message)\r\n");
    g_string_append(text, "MIME-Version: 1.0\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Transfer-Encoding: 8bit\r\n\r\n");
    append_lines(text,
                 _("This message cannot be shown: its file is missing or damaged.\n"
                   "\n"
                   "Hauspost has deleted nothing. If you have a backup of your mail "
                   "folder,\n"
                   "put the file back; the message is then whole again.\n"
                   "\n"
                   "\"hauspost check\" lists all messages that are missing, and "
                   "names their files."));
    return g_string_free_to_bytes(text);
}

HpContent *
hp_store_open_shown(HpStore *self, const HpStoreEntry *entry, HpSummary **ret_summary,
                    GError **error)
{
    g_autoptr(GError) failure = NULL;
    HpContent *content = hp_store_open_content(self, entry, &failure);
    g_autoptr(GBytes) bytes = NULL;

    if (content != NULL)
        return content;
    if (!g_error_matches(failure, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    hp_log("store", NULL, G_LOG_LEVEL_WARNING, "a message is lost: %s", failure->message);
    bytes = make_text(self, entry->content);
    *ret_summary = hp_summary_new(hp_slice_of_bytes(bytes));
    return hp_content_of(bytes);
}
