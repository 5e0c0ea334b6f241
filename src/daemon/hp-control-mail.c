#include "hp-control-methods.h"

#include "hp-control-error.h"

GVariant *
hp_control_passwords(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    g_autoptr(GPtrArray) infos = hp_passwords_list(parts->passwords, &cause);
    GVariantBuilder list;

    if (infos == NULL)
        return hp_control_fail(cause, error);
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < infos->len; i++) {
        const HpPasswordInfo *info = infos->pdata[i];
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "name", "s", info->name);
        hp_control_add_time(&row, "created", info->created_usec);
        hp_control_add_time(&row, "last_used", info->last_used_usec);
        g_variant_builder_add_value(&list, g_variant_dict_end(&row));
    }
    return g_variant_new("(aa{sv})", &list);
}

static GVariant *
make_password(HpBusCall *call,
              char *(*make)(HpPasswords *passwords, const char *name, GError **error),
              GError **error)
{
    HpParts *parts = call->context;
    const char *name;
    g_autofree char *password = NULL;
    GVariant *answer;
    GError *cause = NULL;

    g_variant_get(call->args, "(&s)", &name);
    password = make(parts->passwords, name, &cause);
    if (password == NULL)
        return hp_control_fail(cause, error);
    answer = hp_control_answer_fd(call, hp_slice_of(password), error);
    explicit_bzero(password, strlen(password));
    return answer;
}

GVariant *
hp_control_new_password(HpBusCall *call, GError **error)
{
    return make_password(call, hp_passwords_new, error);
}

GVariant *
hp_control_rotate_password(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GVariant *answer = make_password(call, hp_passwords_rotate, error);
    const char *name;

    g_variant_get(call->args, "(&s)", &name);
    if (answer != NULL)
        hp_listener_abort_credential(parts->listener, name);
    return answer;
}

GVariant *
hp_control_revoke_password(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    const char *name;
    GError *cause = NULL;

    g_variant_get(call->args, "(&s)", &name);
    if (!hp_passwords_revoke(parts->passwords, name, &cause))
        return hp_control_fail(cause, error);
    hp_listener_abort_credential(parts->listener, name);
    return g_variant_new("()");
}
