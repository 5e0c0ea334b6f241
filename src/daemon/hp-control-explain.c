#include "hp-control-error.h"
#include "hp-control-methods.h"
#include "hp-id.h"
#include "hp-status.h"

#include <glib/gi18n.h>
#include <string.h>

static void
insert(GVariantDict *answer, const char *what, const HpExplanation *found)
{
    g_variant_dict_insert(answer, "code", "s", what);
    g_variant_dict_insert(answer, "meaning", "s", found->meaning);
    g_variant_dict_insert(answer, "side", "s", found->side_text);
    g_variant_dict_insert(answer, "advice", "s", found->advice);
}

/* The name of a row: "no-25" */
static gboolean
explain_name(const HpExplain *catalogue, const char *what, GVariantDict *answer)
{
    HpExplanation found = hp_explain_by_id(catalogue, what, g_get_language_names()[0]);

    if (!g_str_equal(found.id, what))
        return FALSE;
    insert(answer, what, &found);
    return TRUE;
}

/* Three digits may also be the beginning of an id, then a letter or a digit follows. */
static gboolean
take_code(HpCursor *c, guint64 *ret_code)
{
    HpCursor ahead = *c;
    guint64 code;

    if (!hp_cursor_take_number(&ahead, 599, &code) || code < 200 ||
        g_ascii_isalnum((char)MAX(hp_cursor_peek(&ahead), 0)))
        return FALSE;
    *ret_code = code;
    *c = ahead;
    return TRUE;
}

/* [ code ] [ enhanced ] [ text ]: %FALSE if @what is no reply, so that it is an id. */
static gboolean
explain_reply(const HpExplain *catalogue, const char *what, GVariantDict *answer)
{
    HpCursor c = hp_cursor_over(hp_slice_of(what));
    char enhanced[HP_STATUS_SIZE] = "";
    guint64 code = 0;
    HpStatus status;
    HpExplanation found;

    if (take_code(&c, &code))
        hp_cursor_skip(&c, '-');
    hp_cursor_skip(&c, ' ');
    if (hp_status_parse(&c, &status))
        hp_status_write(&status, enhanced);
    else if (code == 0)
        return FALSE;
    found = hp_explain(catalogue, (guint)code, enhanced, c.at, g_get_language_names()[0]);
    insert(answer, what, &found);
    return TRUE;
}

static void
copy_text(GVariant *from, const char *key, const char *new_key, GVariantDict *to)
{
    const char *text = NULL;

    if (g_variant_lookup(from, key, "&s", &text))
        g_variant_dict_insert(to, new_key, "s", text);
}

/* Who needs somebody first, as in the list of the queue. */
static guint
rank(GVariant *recipient)
{
    static const char *const states[] = { "refused",   "expired", "held",
                                          "uncertain", "sending", "paced",
                                          "waiting",   "offline", "cancelled" };
    const char *state = "";
    guint i = 0;

    g_variant_lookup(recipient, "state", "&s", &state);
    while (i < G_N_ELEMENTS(states) && !g_str_equal(states[i], state))
        i++;
    return g_variant_lookup(recipient, "explanation", "&s", NULL) ? i : G_MAXUINT;
}

/* (transfer full) (nullable) */
static GVariant *
most_telling(GVariant *recipients)
{
    GVariant *best = NULL;

    for (gsize i = 0; i < g_variant_n_children(recipients); i++) {
        g_autoptr(GVariant) recipient = g_variant_get_child_value(recipients, i);

        if (rank(recipient) == G_MAXUINT ||
            (best != NULL && rank(recipient) >= rank(best)))
            continue;
        g_clear_pointer(&best, g_variant_unref);
        best = g_variant_ref(recipient);
    }
    return best;
}

/* The state of one recipient; of several it must be said which. */
static gboolean
explain_message(GVariant *message, GVariantDict *answer)
{
    g_autoptr(GVariant) recipients =
        g_variant_lookup_value(message, "recipients", G_VARIANT_TYPE("aa{sv}"));
    g_autoptr(GVariant) telling = recipients != NULL ? most_telling(recipients) : NULL;

    if (telling == NULL)
        return FALSE;
    copy_text(message, "id", "id", answer);
    if (g_variant_n_children(recipients) > 1)
        copy_text(telling, "address", "recipient", answer);
    copy_text(telling, "state", "state", answer);
    copy_text(telling, "code", "code", answer);
    copy_text(telling, "reply", "reply", answer);
    copy_text(telling, "explanation", "meaning", answer);
    copy_text(telling, "side", "side", answer);
    copy_text(telling, "advice", "advice", answer);
    copy_text(telling, "command", "command", answer);
    return TRUE;
}

/* Three digits that are neither were meant as a reply code. */
static GVariant *
fail(const char *what, GError *cause, GError **error)
{
    if (g_error_matches(cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND) &&
        hp_id_is_prefix(hp_slice_of(what)) &&
        strspn(what, "0123456789") == strlen(what)) {
        g_clear_error(&cause);
        g_set_error(&cause, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND,
                    _("“%s” is neither a reply code nor the id of a message"), what);
    }
    return hp_control_fail(cause, error);
}

GVariant *
hp_control_explain(HpBusCall *call, GError **error)
{
    HpParts *parts = call->context;
    const char *what;
    GError *cause = NULL;
    g_autoptr(GVariant) message = NULL;
    g_auto(GVariantDict) answer;

    g_variant_dict_init(&answer, NULL);
    g_variant_get(call->args, "(&s)", &what);
    if (explain_reply(parts->explain, what, &answer) ||
        explain_name(parts->explain, what, &answer))
        return g_variant_new("(@a{sv})", g_variant_dict_end(&answer));
    message = hp_queue_show(parts->queue, what, &cause);
    if (message == NULL)
        return fail(what, cause, error);
    g_variant_ref_sink(message);
    if (explain_message(message, &answer))
        return g_variant_new("(@a{sv})", g_variant_dict_end(&answer));
    g_set_error_literal(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE,
                        _("no mail server has said anything about this message yet"));
    return NULL;
}
