#include "hp-smtp-reply.h"

#include "hp-text.h"

#include <string.h>

#define MAX_CHARS 999 /* of the text that is kept for people, and an ellipsis */

void
hp_smtp_reply_clear(HpSmtpReply *self)
{
    if (self->text != NULL)
        g_string_free(self->text, TRUE);
    *self = (HpSmtpReply){ .code = 0 };
}

/* Reply-code = %x32-35 %x30-35 %x30-39; RFC 5321 §4.2. The second digit is not looked
 * at. */
static gboolean
take_code(HpCursor *c, guint *ret_code)
{
    HpCursor p = *c;
    guint code = 0;

    for (guint i = 0; i < 3; i++) {
        int byte = hp_cursor_peek(&p);

        if (byte < '0' || byte > '9')
            return FALSE;
        code = code * 10 + (guint)(byte - '0');
        hp_cursor_skip(&p, (char)byte);
    }
    if (code < 200 || code > 599)
        return FALSE;
    *ret_code = code;
    *c = p;
    return TRUE;
}

static gboolean
is_space(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/* text = [status-code SP] text; RFC 2034 §3. A code of another class is text. */
static void
take_enhanced(HpSmtpReply *self, HpCursor *c)
{
    HpCursor p = *c;
    HpStatus status;

    hp_cursor_take(&p, is_space);
    if (!hp_status_parse(&p, &status) || status.severity != self->code / 100)
        return;
    if (!hp_cursor_at_end(&p) && hp_cursor_take(&p, is_space).len == 0)
        return;
    if (self->enhanced[0] == '\0')
        hp_status_write(&status, self->enhanced);
    *c = p;
}

static gboolean
has_nul(HpSlice line)
{
    return line.len > 0 && memchr(line.data, '\0', line.len) != NULL;
}

HpSmtpReplyStep
hp_smtp_reply_add(HpSmtpReply *self, HpSlice line)
{
    HpCursor c = hp_cursor_over(line);
    gboolean more;
    HpSlice rest;
    guint code;

    self->octets += line.len + 2;
    if (++self->lines > HP_SMTP_REPLY_LINES || self->octets > HP_SMTP_REPLY_OCTETS ||
        line.len + 2 > HP_SMTP_REPLY_LINE || has_nul(line) || !take_code(&c, &code) ||
        (self->code != 0 && self->code != code))
        return HP_SMTP_REPLY_BROKEN;
    self->code = code;
    more = hp_cursor_skip(&c, '-');
    /* RFC 5321 §4.2: a client must also take a code with nothing behind it. */
    if (!more && !hp_cursor_skip(&c, ' ') && !hp_cursor_at_end(&c))
        return HP_SMTP_REPLY_BROKEN;
    take_enhanced(self, &c);
    if (self->text == NULL)
        self->text = g_string_new(NULL);
    rest = hp_cursor_rest(&c);
    if (rest.len > 0)
        g_string_append_len(self->text, rest.data, (gssize)rest.len);
    g_string_append_c(self->text, '\n');
    return more ? HP_SMTP_REPLY_MORE : HP_SMTP_REPLY_DONE;
}

char *
hp_smtp_reply_printable(const HpSmtpReply *self)
{
    if (self->text == NULL)
        return g_strdup("");
    return hp_text_printable(hp_slice_trim(hp_slice_of_string(self->text)), MAX_CHARS);
}
