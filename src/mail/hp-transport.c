#include "hp-transport.h"

void
hp_reply_clear(HpReply *self)
{
    g_free(self->text);
    g_free(self->host);
    *self = (HpReply){ HP_STAGE_DNS, 0, "", NULL, NULL };
}
