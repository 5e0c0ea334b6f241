#include "hp-control-methods.h"

#include "hp-control-error.h"

#include <glib/gi18n.h>

#define RESULTS         "delivered refused expired cancelled"
#define STATES          "waiting sending paced held offline uncertain " RESULTS
#define YEAR_10000_USEC ((gint64)253402300800 * G_USEC_PER_SEC) /* has no date */

/* An end that a caller gave, or "until somebody says so". */
static gint64
end_of(gint64 until_usec)
{
    return until_usec > 0 && until_usec < YEAR_10000_USEC ? until_usec : G_MAXINT64;
}

/* A view of the queue as the one result of a method. */
static GVariant *
answer(GVariant *view, GError *cause, GError **error)
{
    if (view == NULL)
        return hp_control_fail(cause, error);
    return g_variant_new_tuple(&view, 1);
}

GVariant *
hp_control_pause(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    gint64 until;

    g_variant_get(call->args, "(x)", &until);
    if (!hp_queue_pause(parts->queue, end_of(until), &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("()");
}

GVariant *
hp_control_resume(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;

    if (!hp_queue_pause(parts->queue, 0, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("()");
}

/* A typing mistake must not look like an empty list. @words: separated by spaces */
static gboolean
check_word(GVariant *filter, const char *key, const char *words, GError **error)
{
    g_auto(GStrv) known = g_strsplit(words, " ", -1);
    g_autofree char *all = g_strjoinv(", ", known);
    const char *word;

    if (!g_variant_lookup(filter, key, "&s", &word) || *word == '\0' ||
        g_strv_contains((const char *const *)known, word))
        return TRUE;
    g_set_error(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_INVALID,
                _("there is no state %s; it is one of: %s"), word, all);
    return FALSE;
}

GVariant *
hp_control_queue(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(GVariant) filter = g_variant_get_child_value(call->args, 0);
    GError *cause = NULL;
    GVariant *view;

    if (!check_word(filter, "state", STATES, error))
        return NULL;
    view = hp_queue_list(parts->queue, filter, &cause);
    return answer(view, cause, error);
}

GVariant *
hp_control_message(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    const char *id;
    GError *cause = NULL;
    GVariant *view;

    g_variant_get(call->args, "(&s)", &id);
    view = hp_queue_show(parts->queue, id, &cause);
    return answer(view, cause, error);
}

GVariant *
hp_control_summary(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    GVariant *view = hp_queue_summary(parts->queue, &cause);

    return answer(view, cause, error);
}

/* What changes one message; all four have this shape once their extras are bound. */
typedef gboolean (*Change)(HpQueue *queue, const char *id, guint *ret_n, GError **error);

static GVariant *
change_each(HpBusCall *call, char **ids, Change change, GError **error)
{
    HpParts *parts = call->context;
    guint sum = 0;

    for (char **id = ids; *id != NULL; id++) {
        GError *cause = NULL;
        guint n = 0;

        if (!change(parts->queue, *id, &n, &cause))
            return hp_control_fail(cause, error);
        sum += n;
    }
    return g_variant_new("(u)", sum);
}

GVariant *
hp_control_retry(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autofree char **ids = NULL;
    g_autoptr(GVariant) options = NULL;
    const char *to = NULL;
    gboolean all = FALSE;
    GError *cause = NULL;
    guint n = 0;

    g_variant_get(call->args, "(^a&s@a{sv})", &ids, &options);
    g_variant_lookup(options, "all", "b", &all);
    g_variant_lookup(options, "to", "&s", &to);
    if (!all && to == NULL)
        return change_each(call, ids, hp_queue_retry, error);
    if (!hp_queue_retry_all(parts->queue, to, &n, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("(u)", n);
}

GVariant *
hp_control_hold(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autofree char **ids = NULL;
    gint64 until;
    guint sum = 0;

    g_variant_get(call->args, "(^a&sx)", &ids, &until);
    for (char **id = ids; *id != NULL; id++) {
        GError *cause = NULL;
        guint n = 0;

        if (!hp_queue_hold(parts->queue, *id, end_of(until), &n, &cause))
            return hp_control_fail(cause, error);
        sum += n;
    }
    return g_variant_new("(u)", sum);
}

GVariant *
hp_control_release(HpBusCall *call, GError **error)
{
    g_autofree char **ids = NULL;

    g_variant_get(call->args, "(^a&s)", &ids);
    return change_each(call, ids, hp_queue_release, error);
}

GVariant *
hp_control_cancel(HpBusCall *call, GError **error)
{
    g_autofree char **ids = NULL;

    g_variant_get(call->args, "(^a&s)", &ids);
    return change_each(call, ids, hp_queue_cancel, error);
}

GVariant *
hp_control_export(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(GBytes) bytes = NULL;
    const char *id;
    GError *cause = NULL;

    g_variant_get(call->args, "(&s)", &id);
    bytes = hp_queue_export(parts->queue, id, &cause);
    if (bytes == NULL)
        return hp_control_fail(cause, error);
    return hp_control_answer_fd(call, hp_slice_of_bytes(bytes), error);
}

GVariant *
hp_control_history(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    g_autoptr(GVariant) filter = g_variant_get_child_value(call->args, 0);
    GError *cause = NULL;
    GVariant *view;

    if (!check_word(filter, "result", RESULTS, error))
        return NULL;
    view = hp_queue_history(parts->queue, filter, &cause);
    return answer(view, cause, error);
}

GVariant *
hp_control_history_stats(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    GVariant *view;
    gint64 since;

    g_variant_get(call->args, "(x)", &since);
    view = hp_queue_stats(parts->queue, since, &cause);
    return answer(view, cause, error);
}
