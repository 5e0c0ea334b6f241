/* APPEND, also of several messages at once (RFC 9051 §6.3.12, RFC 3502, RFC 6855 §4),
 * of binary content (RFC 3516 §4.4), and REPLACE (RFC 8508). */
#include "hp-imap-notify-private.h"

#include "hp-log.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_MESSAGES 100 /* of one command: small ones wait in memory for the last */

typedef struct {
    HpImapSession *s;        /* (unowned) */
    HpStoreMailbox *mailbox; /* (owned) */
    GArray *appends;         /* (owned): HpStoreAppend */
    GError *error;           /* (owned) (nullable): what went wrong with the disk */
    gboolean utf8;           /* this message came as "UTF8 (...)" */
    gboolean binary;         /* and as a literal8 ... */
    gboolean has_nul;        /* ... that holds what no literal can give back */
    guint32 replaced;        /* uid of the message that REPLACE removes; 0: APPEND */
} Append;

static void
append_free_one(gpointer append)
{
    HpStoreAppend *self = append;

    g_clear_pointer(&self->draft, hp_content_draft_free);
    g_clear_pointer(&self->keywords, g_strfreev);
}

static void
append_clear(Append *self)
{
    g_clear_pointer(&self->mailbox, hp_store_mailbox_free);
    g_clear_pointer(&self->appends, g_array_unref);
    g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Append, append_clear)

/* "{" number ["+"] "}" at the end of what has been read. */
static gboolean
take_announcement(Append *self, HpImapArgs *args)
{
    guint64 octets;

    self->utf8 = hp_imap_skip_word(args, "UTF8");
    if (self->utf8 && (!hp_imap_take_space(args) || !hp_imap_take_char(args, '(')))
        return FALSE;
    self->binary = hp_imap_skip(args, '~');
    if (!self->s->literal.pending || !hp_imap_skip(args, '{'))
        return hp_imap_want(args, _("the message as a literal"));
    hp_imap_skip(args, '-');
    if (!hp_cursor_take_number(&args->c, G_MAXUINT64, &octets))
        hp_cursor_take_until(&args->c, '}'); /* more than can be counted */
    hp_imap_skip(args, '+');
    return hp_imap_take_char(args, '}') && hp_imap_take_end(args);
}

/* append-message = [SP flag-list] [SP date-time] SP literal, behind its first space */
static gboolean
take_message(Append *self, HpImapArgs *args, HpStoreAppend *ret_append)
{
    g_auto(HpImapFlags) flags = { 0 };

    if (hp_imap_peek(args) == '(' &&
        (!hp_imap_take_flags(args, &flags) || !hp_imap_take_space(args)))
        return FALSE;
    ret_append->is_dated = hp_imap_peek(args) == '"';
    if (ret_append->is_dated &&
        (!hp_imap_take_date_time(args, &ret_append->internal_usec, &ret_append->zone) ||
         !hp_imap_take_space(args)))
        return FALSE;
    if (!take_announcement(self, args))
        return FALSE;
    ret_append->flags = flags.flags;
    ret_append->keywords = g_steal_pointer(&flags.keywords);
    return TRUE;
}

/* Before a single octet of the message is asked for. %FALSE: it has been answered. */
static gboolean
check_size(Append *self)
{
    HpImapSession *s = self->s;
    guint64 octets = s->literal.octets;

    if (octets > s->options->max_message_size)
        hp_imap_no(s, "TOOBIG",
                   _("This message is larger than the largest that is taken "
                     "here: see max-message-size in the settings."));
    else if (octets == 0)
        hp_imap_no(s, NULL, _("A message without a single octet is none."));
    else if (self->appends->len == MAX_MESSAGES)
        hp_imap_no(s, "LIMIT", _("These are too many messages at once."));
    else if (!hp_store_has_room(s->options->store, octets))
        hp_imap_no(s, "OVERQUOTA",
                   _("The disk is full. Please make room and try again."));
    else
        return TRUE;
    return FALSE;
}

static gboolean
check_keywords(const Append *self, const HpStoreAppend *append)
{
    g_autoptr(HpView) view =
        append->keywords != NULL
            ? hp_view_open(self->s->options->store, self->mailbox->id, NULL, NULL)
            : NULL;

    return hp_imap_check_keywords(self->s, view, append->keywords);
}

static void
take_piece(HpSlice piece, gpointer append)
{
    Append *self = append;
    const HpStoreAppend *last =
        &g_array_index(self->appends, HpStoreAppend, self->appends->len - 1);

    self->has_nul =
        self->has_nul || (self->binary && memchr(piece.data, '\0', piece.len) != NULL);
    /* After a failure the rest is read and forgotten. */
    if (self->error == NULL)
        hp_content_draft_append(last->draft, piece, &self->error);
}

/* Reads a message and what stands behind it, into s->command. %FALSE: it has been
 * answered, or there is nobody to answer. */
static gboolean
receive(Append *self, HpStoreAppend *append)
{
    HpImapSession *s = self->s;

    append->draft = hp_store_draft(s->options->store);
    g_array_append_val(self->appends, *append);
    if (!hp_imap_read_literal(s, take_piece, self))
        return FALSE;
    if (self->error == NULL)
        hp_content_draft_finish(append->draft, &self->error);
    if (!hp_imap_read_more(s))
        return FALSE;
    if (self->error != NULL)
        hp_imap_fail(s, self->error);
    else if (self->has_nul)
        hp_imap_no(s, "UNKNOWN-CTE",
                   _("A message with NUL octets in it cannot be given back as it is. "
                     "Please encode that part, for example as base64."));
    else
        return TRUE;
    return FALSE;
}

/* RFC 8508 §4.3: the new uid is told before the old message vanishes. */
static void
answer(Append *self, const GArray *uids)
{
    HpImapSession *s = self->s;
    g_autoptr(GString) code = g_string_new(NULL);

    hp_imap_notify_own_change(s, self->mailbox->id, uids);
    g_string_printf(code, "APPENDUID %u ", self->mailbox->uidvalidity);
    hp_imap_out_set(code, (const guint32 *)(gconstpointer)uids->data, uids->len);
    if (self->replaced == 0) {
        hp_imap_ok(s, code->str, _("The message is kept."));
        return;
    }
    hp_imap_say(s, "OK", code->str, _("The new message is kept."));
    hp_imap_finish_expunge(s, _("The message is replaced."));
}

static void
commit(Append *self)
{
    HpStore *store = self->s->options->store;
    HpStoreAppend *appends = (HpStoreAppend *)(gpointer)self->appends->data;
    g_autoptr(GArray) uids = NULL;
    g_autoptr(GError) error = NULL;

    if (!hp_store_append(store, self->mailbox->id, appends, self->appends->len, &uids,
                         &error))
        hp_imap_fail(self->s, error);
    else
        answer(self, uids);
}

static void
say_replaced_is_gone(HpImapSession *s)
{
    hp_imap_no(s, "EXPUNGEISSUED",
               _("The message to be replaced is not there (any more). Nothing was "
                 "changed."));
}

static void
commit_replacement(Append *self)
{
    HpImapSession *s = self->s;
    HpStoreReplacing what = { hp_view_mailbox(s->view), self->replaced,
                              self->mailbox->id };
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GError) error = NULL;
    HpViewEntry entry;
    guint32 uid;

    if (hp_store_replace(s->options->store, &what,
                         (HpStoreAppend *)(gpointer)self->appends->data, &uid, &error)) {
        g_array_append_val(uids, uid);
        answer(self, uids);
    } else if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND) &&
               !hp_view_get(s->view, hp_view_seq(s->view, self->replaced), &entry)) {
        say_replaced_is_gone(s);
    } else {
        hp_imap_fail(s, error);
    }
}

/* Messages one after the other. %FALSE: @args are wrong; else all is answered. */
static gboolean
take_messages(Append *self, HpImapArgs *args)
{
    for (;;) {
        HpStoreAppend append = { 0 };

        if (!take_message(self, args, &append)) {
            append_free_one(&append);
            return FALSE;
        }
        if (!check_size(self) || !check_keywords(self, &append)) {
            append_free_one(&append);
            return TRUE;
        }
        if (!receive(self, &append))
            return TRUE;
        *args = hp_imap_args(hp_slice_of_string(self->s->command));
        if (self->utf8 && !hp_imap_take_char(args, ')'))
            return FALSE;
        /* REPLACE takes one message (RFC 8508 §4.7). */
        if (self->replaced != 0 || !hp_imap_skip(args, ' '))
            break;
    }
    if (!hp_imap_take_end(args))
        return FALSE;
    if (self->replaced != 0)
        commit_replacement(self);
    else
        commit(self);
    return TRUE;
}

/* SP mailbox, up to the space before the first message. @ret_mailbox: (out) (transfer
 * full) (nullable): %NULL if it was answered that nothing can be put there. */
static gboolean
take_target(HpImapSession *s, HpImapArgs *args, HpStoreMailbox **ret_mailbox)
{
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_space(args))
        return FALSE;
    mailbox = hp_imap_find_mailbox(s, name, "TRYCREATE");
    if (mailbox != NULL && !hp_imap_outbox_keeps_out(s, mailbox))
        *ret_mailbox = g_steal_pointer(&mailbox);
    return TRUE;
}

static gboolean
append(Append *self, HpImapArgs *args)
{
    self->appends = g_array_new(FALSE, FALSE, sizeof(HpStoreAppend));
    g_array_set_clear_func(self->appends, append_free_one);
    return take_messages(self, args);
}

/* append = "APPEND" SP mailbox 1*append-message */
gboolean
hp_imap_cmd_append(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Append) self = { .s = s };

    if (!take_target(s, args, &self.mailbox))
        return FALSE;
    return self.mailbox == NULL || append(&self, args);
}

/* seq-number; @ret_uid: 0 if that message is not there */
static gboolean
take_replaced(HpImapSession *s, HpImapArgs *args, gboolean uid, guint32 *ret_uid)
{
    g_autoptr(GArray) seqs = NULL;
    HpImapArgs ahead = *args;
    HpViewEntry entry;
    guint32 seq;

    if (!hp_imap_skip(&ahead, '*') &&
        !hp_imap_take_nz_number(&ahead, HP_IMAP_MAX_NUMBER, &(guint64){ 0 }))
        return hp_imap_want(args, _("the number of one message"));
    if (!hp_imap_take_messages(s, args, uid, &seqs))
        return FALSE;
    if (args->c.at != ahead.c.at)
        return hp_imap_want(args, _("the number of one message"));
    seq = seqs->len > 0 ? g_array_index(seqs, HpImapRange, 0).from : 0;
    *ret_uid = seq != 0 && hp_view_get(s->view, seq, &entry) ? entry.uid : 0;
    return TRUE;
}

/* replace = "REPLACE" SP seq-number SP mailbox append-message; RFC 8508 §5. Whatever is
 * wrong is said before the message is asked for. */
gboolean
hp_imap_cmd_replace(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Append) self = { .s = s };

    if (!hp_imap_take_space(args) || !take_replaced(s, args, uid, &self.replaced))
        return FALSE;
    if (!take_target(s, args, &self.mailbox))
        return FALSE;
    if (self.mailbox == NULL || !hp_imap_check_writable(s) ||
        hp_imap_outbox_keeps_its_own(s))
        return TRUE;
    if (self.replaced != 0)
        return append(&self, args);
    say_replaced_is_gone(s);
    return TRUE;
}
