#include "hp-status.h"

#define LONGEST_NUMBER 3 /* digits; RFC 3463 §2 */

static gboolean
take_short_number(HpCursor *c, guint *ret_number)
{
    const char *start = c->at;
    guint64 number;

    if (!hp_cursor_take_number(c, 999, &number) || c->at - start > LONGEST_NUMBER)
        return FALSE;
    *ret_number = (guint)number;
    return TRUE;
}

gboolean
hp_status_parse(HpCursor *cursor, HpStatus *ret_status)
{
    HpCursor c = *cursor;
    HpStatus status;

    if (!take_short_number(&c, &status.severity) || c.at - cursor->at != 1 ||
        (status.severity != 2 && status.severity != 4 && status.severity != 5) ||
        !hp_cursor_skip(&c, '.') || !take_short_number(&c, &status.subject) ||
        !hp_cursor_skip(&c, '.') || !take_short_number(&c, &status.detail) ||
        hp_cursor_peek(&c) == '.')
        return FALSE;
    *ret_status = status;
    *cursor = c;
    return TRUE;
}

void
hp_status_write(const HpStatus *self, char ret_code[HP_STATUS_SIZE])
{
    g_snprintf(ret_code, HP_STATUS_SIZE, "%u.%u.%u", self->severity % 10,
               self->subject % 1000, self->detail % 1000);
}

void
hp_status_of_reply(guint code, const char *enhanced, HpStatus *ret_status)
{
    HpCursor c = hp_cursor_over(hp_slice_of(enhanced));
    HpStatus status;

    if (hp_status_parse(&c, &status) && hp_cursor_at_end(&c) &&
        status.severity == code / 100)
        *ret_status = status;
    else
        *ret_status =
            (HpStatus){ code / 100 == 2 || code / 100 == 4 ? code / 100 : 5, 0, 0 };
}
