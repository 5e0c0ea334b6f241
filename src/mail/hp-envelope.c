#include "hp-envelope.h"

static void
free_recipient(gpointer data)
{
    HpEnvelopeRecipient *recipient = data;

    g_free(recipient->address);
    g_free(recipient->orcpt);
    g_free(recipient);
}

HpEnvelope *
hp_envelope_new(void)
{
    HpEnvelope *self = g_new0(HpEnvelope, 1);

    self->sender = g_strdup("");
    self->client = g_strdup("");
    self->recipients = g_ptr_array_new_with_free_func(free_recipient);
    return self;
}

void
hp_envelope_free(HpEnvelope *self)
{
    if (self == NULL)
        return;
    g_free(self->sender);
    g_ptr_array_unref(self->recipients);
    g_free(self->envid);
    g_free(self->client);
    g_free(self->subject);
    g_free(self->message_id);
    g_free(self);
}

HpEnvelopeRecipient *
hp_envelope_add(HpEnvelope *self, const char *address)
{
    HpEnvelopeRecipient *recipient = g_new0(HpEnvelopeRecipient, 1);

    recipient->address = g_strdup(address);
    g_ptr_array_add(self->recipients, recipient);
    return recipient;
}
