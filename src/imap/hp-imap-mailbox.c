/* CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3, RFC 6154 §3). */
#include "hp-imap-notify-private.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_USES 10

gboolean
hp_imap_take_mailbox(HpImapSession *s, HpImapArgs *args, char **ret_name)
{
    return hp_imap_take_mailbox_name(args, s->utf8, ret_name);
}

static void
refuse_name(HpImapSession *s)
{
    hp_imap_no(s, "CANNOT", _("A mailbox cannot have this name."));
}

HpStoreMailbox *
hp_imap_find_mailbox(HpImapSession *s, const char *name, const char *code)
{
    g_autoptr(GError) error = NULL;
    HpStoreMailbox *mailbox;

    if (name == NULL) {
        refuse_name(s);
        return NULL;
    }
    mailbox = hp_store_find(s->options->store, name, &error);
    if (mailbox != NULL)
        return mailbox;
    if (code != NULL && g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND))
        hp_imap_no(s, code, _("There is no such mailbox; create it first."));
    else
        hp_imap_fail(s, error);
    return NULL;
}

/* --- CREATE --------------------------------------------------------------------------
 */

/* create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")". Several are one text, which
 * no mailbox can have as its use. */
static gboolean
take_use(HpImapArgs *args, char **ret_use)
{
    g_autoptr(GString) uses = g_string_new(NULL);
    HpSlice use;

    if (!hp_imap_skip_word(args, "USE"))
        return hp_imap_want(args, "USE");
    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '('))
        return FALSE;
    for (guint i = 0; !hp_imap_skip(args, ')'); i++) {
        if (i == MAX_USES)
            return hp_imap_want(args, _("fewer uses"));
        if ((i > 0 && !hp_imap_take_space(args)) || !hp_imap_skip(args, '\\') ||
            !hp_imap_take_atom(args, &use))
            return hp_imap_want(args, _("a special use such as \\Sent"));
        g_string_append_printf(uses, "%s\\%.*s", i > 0 ? " " : "", (int)use.len,
                               use.data);
    }
    if (uses->len > 0)
        *ret_use = g_string_free(g_steal_pointer(&uses), FALSE);
    return TRUE;
}

static void
create(HpImapSession *s, const char *name, const char *use)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *code = NULL;
    gint64 id = 0;

    if (!hp_store_create(s->options->store, name, use, &id, &error)) {
        hp_imap_fail(s, error);
        return;
    }
    hp_imap_notify_own_name(s, name);
    code = g_strdup_printf("MAILBOXID (F%" G_GINT64_FORMAT ")", id);
    hp_imap_ok(s, code, _("The mailbox is there."));
}

/* create = "CREATE" SP mailbox [SP "(" create-param ")"] */
gboolean
hp_imap_cmd_create(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *name = NULL;
    g_autofree char *use = NULL;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name))
        return FALSE;
    if (hp_imap_skip(args, ' ') &&
        (!hp_imap_take_char(args, '(') || !take_use(args, &use) ||
         !hp_imap_take_char(args, ')')))
        return FALSE;
    if (!hp_imap_take_end(args))
        return FALSE;
    if (name == NULL)
        refuse_name(s);
    else if (use != NULL && hp_store_known_use(use) == NULL)
        hp_imap_no(s, "USEATTR", _("Hauspost knows no such use of a mailbox."));
    else
        create(s, name, use != NULL ? hp_store_known_use(use) : NULL);
    return TRUE;
}

/* --- the others ----------------------------------------------------------------------
 */

static void
answer(HpImapSession *s, gboolean done, const GError *error, const char *text)
{
    if (done)
        hp_imap_ok(s, NULL, text);
    else
        hp_imap_fail(s, error);
}

gboolean
hp_imap_cmd_delete(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;
    g_autoptr(GError) error = NULL;
    gboolean done;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_end(args))
        return FALSE;
    mailbox = hp_imap_find_mailbox(s, name, NULL);
    if (mailbox == NULL)
        return TRUE;
    done = hp_store_delete(s->options->store, name, &error);
    if (done)
        hp_imap_notify_own_name(s, name);
    /* Other sessions that have it open are told so and end; this one knows. */
    if (done && s->view != NULL && hp_view_mailbox(s->view) == mailbox->id)
        hp_imap_deselect(s);
    answer(s, done, error, _("The mailbox is gone."));
    return TRUE;
}

static void
note_renamed(HpImapSession *s, const char *name, const char *new_name)
{
    hp_imap_notify_own_name(s, name);
    hp_imap_notify_own_name(s, new_name);
    if (strcmp(name, "INBOX") == 0) /* which stays, and loses its mail */
        hp_imap_notify_own_change(s, HP_STORE_INBOX, NULL);
}

gboolean
hp_imap_cmd_rename(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *name = NULL;
    g_autofree char *new_name = NULL;
    g_autoptr(GError) error = NULL;
    gboolean done;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &new_name) ||
        !hp_imap_take_end(args))
        return FALSE;
    if (name == NULL || new_name == NULL) {
        refuse_name(s);
        return TRUE;
    }
    done = hp_store_rename(s->options->store, name, new_name, &error);
    if (done)
        note_renamed(s, name, new_name);
    answer(s, done, error, _("The mailbox has its new name."));
    return TRUE;
}

static gboolean
subscribe(HpImapSession *s, HpImapArgs *args, gboolean subscribed)
{
    g_autofree char *name = NULL;
    g_autoptr(GError) error = NULL;
    gboolean done;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_end(args))
        return FALSE;
    if (name == NULL) {
        refuse_name(s);
        return TRUE;
    }
    done = hp_store_set_subscribed(s->options->store, name, subscribed, &error);
    if (done)
        hp_imap_notify_own_name(s, name);
    answer(s, done, error, subscribed ? _("Subscribed.") : _("No longer subscribed."));
    return TRUE;
}

gboolean
hp_imap_cmd_subscribe(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return subscribe(s, args, TRUE);
}

gboolean
hp_imap_cmd_unsubscribe(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    return subscribe(s, args, FALSE);
}
