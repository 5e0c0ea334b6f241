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

/* What changes one message; @until: for those that end by themselves. */
typedef gboolean (*ChangeOne)(HpQueue *queue, const char *id, gint64 until, guint *ret_n,
                              GError **error);

static gboolean
retry_one(HpQueue *queue, const char *id, gint64 until, guint *ret_n, GError **error)
{
    return hp_queue_retry(queue, id, ret_n, error);
}

static gboolean
release_one(HpQueue *queue, const char *id, gint64 until, guint *ret_n, GError **error)
{
    return hp_queue_release(queue, id, ret_n, error);
}

static gboolean
cancel_one(HpQueue *queue, const char *id, gint64 until, guint *ret_n, GError **error)
{
    return hp_queue_cancel(queue, id, ret_n, error);
}

/* The whole ids, each once: all of them are known before anything is changed. */
static GPtrArray *
resolve(HpQueue *queue, char *const *ids, GError **error)
{
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);

    for (; *ids != NULL; ids++) {
        char *id = hp_queue_resolve(queue, *ids, error);

        if (id == NULL)
            return NULL;
        if (g_ptr_array_find_with_equal_func(whole, id, g_str_equal, NULL))
            g_free(id);
        else
            g_ptr_array_add(whole, id);
    }
    return g_steal_pointer(&whole);
}

/* A message could not be changed. The second line of an error is the command to type. */
static GVariant *
fail_one(const char *id, GError *cause, GError **error)
{
    GError *whole = cause;

    if (g_error_matches(cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_HELD)) {
        whole = g_error_new(cause->domain, cause->code, "%s\nhauspost queue release %s",
                            cause->message, id);
        g_error_free(cause);
    }
    return hp_control_fail(whole, error);
}

/* One of several could not be changed: which, why, and that others were. */
static GVariant *
fail_some(const char *id, guint n_done, GError *cause, GError **error)
{
    if (n_done == 0)
        g_prefix_error(&cause, "%s: ", id);
    else
        g_prefix_error(&cause,
                       ngettext("%u other message was changed, but not %s: ",
                                "%u other messages were changed, but not %s: ", n_done),
                       n_done, id);
    return fail_one(id, cause, error);
}

/* Those that can be changed are changed; the first that cannot be is the error. */
static GVariant *
change_each(HpBusCall *call, char *const *ids, ChangeOne change, gint64 until,
            GError **error)
{
    HpParts *parts = call->context;
    GError *cause = NULL;
    g_autoptr(GPtrArray) whole = resolve(parts->queue, ids, &cause);
    const char *refused = NULL;
    guint n_done = 0;
    guint sum = 0;

    if (whole == NULL)
        return hp_control_fail(cause, error);
    for (guint i = 0; i < whole->len; i++) {
        const char *id = g_ptr_array_index(whole, i);
        guint n = 0;

        if (change(parts->queue, id, until, &n, refused == NULL ? &cause : NULL))
            n_done++;
        else if (refused == NULL)
            refused = id;
        sum += n;
    }
    if (refused == NULL)
        return g_variant_new("(u)", sum);
    return whole->len == 1 ? fail_one(refused, cause, error)
                           : fail_some(refused, n_done, cause, error);
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
        return change_each(call, ids, retry_one, 0, error);
    if (!hp_queue_retry_all(parts->queue, to, &n, &cause))
        return hp_control_fail(cause, error);
    return g_variant_new("(u)", n);
}

GVariant *
hp_control_hold(HpBusCall *call, GError **error)
{
    g_autofree char **ids = NULL;
    gint64 until;

    g_variant_get(call->args, "(^a&sx)", &ids, &until);
    return change_each(call, ids, hp_queue_hold, end_of(until), error);
}

GVariant *
hp_control_release(HpBusCall *call, GError **error)
{
    g_autofree char **ids = NULL;

    g_variant_get(call->args, "(^a&s)", &ids);
    return change_each(call, ids, release_one, 0, error);
}

GVariant *
hp_control_cancel(HpBusCall *call, GError **error)
{
    g_autofree char **ids = NULL;

    g_variant_get(call->args, "(^a&s)", &ids);
    return change_each(call, ids, cancel_one, 0, error);
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
