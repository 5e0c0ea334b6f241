/* Mailboxes: the tree, and what may be removed. */
#include "hp-control-error.h"
#include "hp-control-methods.h"
#include "hp-store-check.h"
#include "hp-store-mailboxes.h"

#include <glib/gi18n.h>

GVariant *
hp_control_mailboxes(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    g_autoptr(GPtrArray) mailboxes = hp_store_list(parts->store, &cause);
    GVariantBuilder list;

    if (mailboxes == NULL)
        return hp_control_fail(cause, error);
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < mailboxes->len; i++) {
        const HpStoreMailbox *mailbox = mailboxes->pdata[i];
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "name", "s", mailbox->name);
        g_variant_dict_insert(&row, "messages", "t", mailbox->messages);
        g_variant_dict_insert(&row, "unseen", "t", mailbox->unseen);
        g_variant_dict_insert(&row, "size", "t", mailbox->octets);
        g_variant_dict_insert(&row, "subscribed", "b", mailbox->subscribed);
        if (mailbox->special_use != NULL)
            g_variant_dict_insert(&row, "special_use", "s", mailbox->special_use);
        hp_control_add_time(&row, "oldest", mailbox->oldest_usec);
        g_variant_builder_add_value(&list, g_variant_dict_end(&row));
    }
    return g_variant_new("(aa{sv})", &list);
}

GVariant *
hp_control_mailbox_cleanup(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(HpPolicy) policy = hp_policies_get(parts->policies);
    HpStoreCleanup cleanup = { .retention = policy->retention };
    GVariantDict result;
    GError *cause = NULL;
    gboolean dry_run;

    g_variant_get(call->args, "(b)", &dry_run);
    if (!hp_store_cleanup(parts->store, &cleanup, dry_run, &cause))
        return hp_control_fail(cause, error);
    g_variant_dict_init(&result, NULL);
    g_variant_dict_insert(&result, "messages", "t", cleanup.ret_messages);
    g_variant_dict_insert(&result, "size", "t", cleanup.ret_octets);
    g_variant_dict_insert(&result, "dry_run", "b", dry_run);
    if (policy->retention.pop3_sec > 0)
        g_variant_dict_insert(
            &result, "retention", "s",
            hp_settings_text(policy->settings, HP_CONFIG_MAIL_POP3_RETENTION, NULL));
    return g_variant_new("(@a{sv})", g_variant_dict_end(&result));
}

GVariant *
hp_control_mailbox_create(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    const char *name;
    gint64 id;

    g_variant_get(call->args, "(&s)", &name);
    if (!hp_store_create(parts->store, name, NULL, &id, &cause) ||
        !hp_store_set_subscribed(parts->store, name, TRUE, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("()");
}

GVariant *
hp_control_mailbox_rename(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    const char *name, *new_name;

    g_variant_get(call->args, "(&s&s)", &name, &new_name);
    if (!hp_store_rename(parts->store, name, new_name, &cause) ||
        !hp_store_set_subscribed(parts->store, new_name, TRUE, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("()");
}

GVariant *
hp_control_mailbox_delete(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    const char *name;

    g_variant_get(call->args, "(&s)", &name);
    if (!hp_store_delete(parts->store, name, &cause) ||
        !hp_store_set_subscribed(parts->store, name, FALSE, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("()");
}

/* A report that is not whole would say that all is well. */
static GVariant *
tell(const HpStoreReport *report, gboolean repaired, GError **error)
{
    GVariantDict result;

    if (g_cancellable_is_cancelled(report->cancel)) {
        g_set_error_literal(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE,
                            _("Hauspost is ending; not all mail was looked at"));
        return NULL;
    }
    g_variant_dict_init(&result, NULL);
    g_variant_dict_insert(&result, "messages", "t", report->ret_messages);
    g_variant_dict_insert(&result, "problems", "t", report->ret_problems);
    if (repaired)
        g_variant_dict_insert(&result, "recovered", "t", report->ret_recovered);
    g_variant_dict_insert_value(
        &result, "texts",
        g_variant_new_strv((const char *const *)report->ret_texts->pdata,
                           (gssize)report->ret_texts->len));
    return g_variant_new("(@a{sv})", g_variant_dict_end(&result));
}

GVariant *
hp_control_check(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_auto(HpStoreReport) report = { .cancel = call->cancel };

    g_variant_get(call->args, "(b)", &report.full);
    hp_store_check(parts->store, &report);
    return tell(&report, FALSE, error);
}

GVariant *
hp_control_repair(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_auto(HpStoreReport) report = { .cancel = call->cancel };
    GError *cause = NULL;

    if (!hp_store_repair(parts->store, &report, &cause)) {
        if (!hp_store_is_writable(parts->store)) {
            g_set_error_literal(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE,
                                cause->message);
            g_error_free(cause);
            return NULL;
        }
        return hp_control_fail(cause, error);
    }
    return tell(&report, TRUE, error);
}
