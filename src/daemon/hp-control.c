#include "hp-control.h"

#include "hp-build.h"
#include "hp-control-methods.h"
#include "hp-reload.h"

static const HpBusMethod methods[] = {
    { "Status", 0, hp_control_status },
    { "Pause", 0, hp_control_pause },
    { "Resume", 0, hp_control_resume },
    { "Queue", 0, hp_control_queue },
    { "Message", 0, hp_control_message },
    { "Summary", 0, hp_control_summary },
    { "Retry", 0, hp_control_retry },
    { "Hold", 0, hp_control_hold },
    { "Release", 0, hp_control_release },
    { "Cancel", 0, hp_control_cancel },
    { "Export", HP_BUS_PRIVATE, hp_control_export },
    { "History", 0, hp_control_history },
    { "HistoryStats", 0, hp_control_history_stats },
    { "Explain", 0, hp_control_explain },
    { "Identities", 0, hp_control_identities },
    { "Account", 0, hp_control_account },
    { "Passwords", 0, hp_control_passwords },
    { "NewPassword", HP_BUS_PRIVATE, hp_control_new_password },
    { "RotatePassword", HP_BUS_PRIVATE, hp_control_rotate_password },
    { "RevokePassword", HP_BUS_PRIVATE, hp_control_revoke_password },
    { "Certificate", 0, hp_control_certificate },
    { "Mailboxes", 0, hp_control_mailboxes },
    { "MailboxCreate", 0, hp_control_mailbox_create },
    { "MailboxRename", 0, hp_control_mailbox_rename },
    { "MailboxDelete", 0, hp_control_mailbox_delete },
    { "MailboxCleanup", HP_BUS_SLOW, hp_control_mailbox_cleanup },
    { "Check", HP_BUS_SLOW, hp_control_check },
    { "Repair", HP_BUS_SLOW, hp_control_repair },
    { "Reload", 0, hp_control_reload },
    { NULL, 0, NULL },
};

const HpBusMethod *
hp_control_methods(void)
{
    return methods;
}

/* A number out of the queue's summary. */
static GVariant *
count(HpParts *parts, const char *state)
{
    g_autoptr(GVariant) summary = hp_queue_summary(parts->queue, NULL);
    guint32 n = 0;

    if (summary != NULL)
        g_variant_lookup(g_variant_ref_sink(summary), state, "u", &n);
    return g_variant_new_uint32(n);
}

static GVariant *
next_attempt(HpParts *parts)
{
    g_autoptr(GVariant) summary = hp_queue_summary(parts->queue, NULL);
    const char *time = "";

    if (summary != NULL)
        g_variant_lookup(g_variant_ref_sink(summary), "next_attempt", "&s", &time);
    return g_variant_new_string(time);
}

GVariant *
hp_control_property(gpointer context, const char *name)
{
    HpParts *parts = context;

    if (g_str_equal(name, "Version"))
        return g_variant_new_string(HP_VERSION);
    if (g_str_equal(name, "State"))
        return g_variant_new_string(hp_control_state(parts));
    if (g_str_equal(name, "NextAttempt"))
        return next_attempt(parts);
    if (g_str_equal(name, "Waiting"))
        return count(parts, "waiting");
    if (g_str_equal(name, "Held"))
        return count(parts, "held");
    if (g_str_equal(name, "Refused"))
        return count(parts, "refused");
    return NULL;
}
