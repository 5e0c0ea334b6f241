#include "hp-sendmail-message.h"

#include "hp-address.h"
#include "hp-header.h"
#include "hp-text.h"

/* One more than recipients-per-message can allow: the server then refuses it, in words.
 */
#define MAX_RECIPIENTS 1001
#define MAX_NAME       200 /* characters */

HpSendmailMessage *
hp_sendmail_message_new(gboolean dot_ends)
{
    HpSendmailMessage *self = g_new0(HpSendmailMessage, 1);

    self->bytes = g_string_sized_new(4096);
    self->line = g_string_sized_new(1024);
    self->dot_ends = dot_ends;
    return self;
}

void
hp_sendmail_message_free(HpSendmailMessage *self)
{
    g_string_free(self->bytes, TRUE);
    g_string_free(self->line, TRUE);
    g_free(self);
}

static void
end_line(HpSendmailMessage *self)
{
    if (self->dot_ends && g_str_equal(self->line->str, ".")) {
        self->ended = TRUE;
        return;
    }
    g_string_append_len(self->bytes, self->line->str, (gssize)self->line->len);
    g_string_append(self->bytes, "\r\n");
    g_string_truncate(self->line, 0);
}

static void
take_byte(HpSendmailMessage *self, char byte)
{
    gboolean is_second = self->after_cr && byte == '\n';

    self->after_cr = byte == '\r';
    if (is_second || byte == '\0')
        return;
    if (byte == '\r' || byte == '\n')
        end_line(self);
    else
        g_string_append_c(self->line, byte);
}

gboolean
hp_sendmail_message_add(HpSendmailMessage *self, HpSlice bytes)
{
    for (size_t i = 0; i < bytes.len && !self->ended; i++)
        take_byte(self, bytes.data[i]);
    return !self->ended && self->bytes->len + self->line->len <= HP_SENDMAIL_MAX_MESSAGE;
}

void
hp_sendmail_message_finish(HpSendmailMessage *self)
{
    if (!self->ended && self->line->len > 0)
        end_line(self);
    self->ended = TRUE;
}

/* --- the header ------------------------------------------------------------------- */

static gboolean
is_one_of(HpSlice name, const char *const names[3])
{
    for (int i = 0; i < 3; i++) {
        if (hp_slice_equal_nocase(name, names[i]))
            return TRUE;
    }
    return FALSE;
}

/* An empty group ("undisclosed-recipients:;") has no address either, but means none. */
static void
add_addresses(GPtrArray *all, HpSlice body, char **wrong)
{
    g_autoptr(GString) value = g_string_new(NULL);
    g_autoptr(GPtrArray) list = NULL;

    if (all->len >= MAX_RECIPIENTS)
        return;
    hp_header_unfold(body, value);
    list = hp_address_parse_list(hp_slice_of_string(value), MAX_RECIPIENTS - all->len);
    if (list->len == 0 && *wrong == NULL && strchr(value->str, '@') != NULL)
        *wrong = hp_text_printable(hp_slice_of_string(value), MAX_NAME);
    g_ptr_array_extend_and_steal(all, g_steal_pointer(&list));
}

static void
free_address(gpointer data)
{
    hp_address_free(data);
}

/* %TRUE if there was such a field. */
static gboolean
collect(const HpSendmailMessage *self, const char *const names[3], GPtrArray *all,
        char **wrong)
{
    HpSlice bytes = hp_slice_of_string(self->bytes);
    HpCursor c = hp_cursor_over((HpSlice){ bytes.data, hp_header_split(bytes) });
    HpHeaderField field = { 0 };
    gboolean found = FALSE;

    while (hp_header_next(&c, &field)) {
        if (!is_one_of(field.name, names))
            continue;
        found = TRUE;
        add_addresses(all, field.body, wrong);
    }
    return found;
}

GPtrArray *
hp_sendmail_message_recipients(const HpSendmailMessage *self, char **ret_wrong)
{
    static const char *const resent[] = { "Resent-To", "Resent-Cc", "Resent-Bcc" };
    static const char *const plain[] = { "To", "Cc", "Bcc" };
    GPtrArray *all = g_ptr_array_new_with_free_func(free_address);

    *ret_wrong = NULL;
    if (!collect(self, resent, all, ret_wrong))
        collect(self, plain, all, ret_wrong);
    return all;
}

/* phrase: a quoted-string, or one encoded word (RFC 2047 §2) where it is not ASCII. */
static void
append_phrase(GString *out, const char *name)
{
    g_autofree char *line = hp_text_printable(hp_slice_of(name), MAX_NAME);
    g_autofree char *base64 = NULL;

    if (!hp_text_is_ascii(hp_slice_of(line))) {
        base64 = g_base64_encode((const guchar *)line, strlen(line));
        g_string_append_printf(out, "=?UTF-8?B?%s?=", base64);
        return;
    }
    g_string_append_c(out, '"');
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
}

void
hp_sendmail_message_add_from(HpSendmailMessage *self, const char *name,
                             const char *address)
{
    g_autoptr(GString) line = g_string_new("From: ");
    HpHeaderField field = { 0 };

    if (hp_header_find(hp_slice_of_string(self->bytes), "From", &field))
        return;
    append_phrase(line, name);
    g_string_append_printf(line, " <%s>\r\n", address);
    g_string_prepend_len(self->bytes, line->str, (gssize)line->len);
}

GString *
hp_sendmail_message_write(const HpSendmailMessage *self)
{
    GString *block = g_string_sized_new(self->bytes->len + 64);
    HpCursor c = hp_cursor_over(hp_slice_of_string(self->bytes));

    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_cursor_take_until(&c, '\n');

        hp_cursor_skip(&c, '\n');
        if (line.data[0] == '.')
            g_string_append_c(block, '.');
        g_string_append_len(block, line.data, (gssize)line.len);
        g_string_append_c(block, '\n');
    }
    g_string_append(block, ".\r\n");
    return block;
}
