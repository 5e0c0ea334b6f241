/* STATUS (RFC 9051 §6.3.11 and what extends it), GETQUOTA and GETQUOTAROOT (RFC 9208). */
#include "hp-imap-session-private.h"

#include <glib/gi18n.h>

#define KIB ((guint64)1024)

static const struct {
    const char *name; /* (unowned) */
    guint item;
} items_by_name[] = {
    { "MESSAGES", HP_STATUS_MESSAGES },
    { "RECENT", HP_STATUS_RECENT },
    { "UIDNEXT", HP_STATUS_UIDNEXT },
    { "UIDVALIDITY", HP_STATUS_UIDVALIDITY },
    { "UNSEEN", HP_STATUS_UNSEEN },
    { "DELETED", HP_STATUS_DELETED },
    { "SIZE", HP_STATUS_SIZE },
    { "HIGHESTMODSEQ", HP_STATUS_HIGHESTMODSEQ },
    { "APPENDLIMIT", HP_STATUS_APPENDLIMIT },
    { "MAILBOXID", HP_STATUS_MAILBOXID },
    { "DELETED-STORAGE", HP_STATUS_DELETED_STORAGE },
};

static gboolean
take_item(HpImapArgs *args, guint *ret_items)
{
    for (size_t i = 0; i < G_N_ELEMENTS(items_by_name); i++)
        if (hp_imap_skip_word(args, items_by_name[i].name)) {
            *ret_items |= items_by_name[i].item;
            return TRUE;
        }
    return hp_imap_want(args, _("an item of STATUS"));
}

/* "(" status-att *(SP status-att) ")" */
gboolean
hp_imap_take_status_items(HpImapArgs *args, guint *ret_items)
{
    *ret_items = 0;
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (!take_item(args, ret_items))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* Octets of the messages that are marked as deleted; seldom asked for, so not counted
 * all the time. */
static guint64
deleted_octets(HpImapSession *s, gint64 mailbox)
{
    g_autoptr(HpView) view = hp_view_open(s->options->store, mailbox, NULL, NULL);
    guint64 octets = 0;
    HpViewEntry entry;

    for (guint32 seq = 1; view != NULL && seq <= hp_view_len(view); seq++)
        if (hp_view_get(view, seq, &entry) && (entry.flags & HP_STORE_DELETED) != 0)
            octets += entry.size;
    return octets;
}

static void
add_number(GString *line, const char *name, guint64 number)
{
    g_string_append_printf(line, "%s %" G_GUINT64_FORMAT " ", name, number);
}

void
hp_imap_tell_status(HpImapSession *s, const HpStoreMailbox *mailbox, guint items)
{
    g_autoptr(GString) line = g_string_new("* STATUS ");
    const guint64 numbers[] = {
        mailbox->messages,
        0,
        mailbox->uidnext,
        mailbox->uidvalidity,
        mailbox->unseen,
        mailbox->deleted,
        mailbox->octets,
        mailbox->highestmodseq,
        s->options->max_message_size,
    }; /* in the order of HpImapStatusItem */

    hp_imap_out_mailbox(line, mailbox->name, s->utf8);
    g_string_append(line, " (");
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if ((items & (1u << i)) != 0)
            add_number(line, items_by_name[i].name, numbers[i]);
    if ((items & HP_STATUS_MAILBOXID) != 0)
        g_string_append_printf(line, "MAILBOXID (F%" G_GINT64_FORMAT ") ", mailbox->id);
    if ((items & HP_STATUS_DELETED_STORAGE) != 0)
        add_number(line, "DELETED-STORAGE", deleted_octets(s, mailbox->id));
    g_string_truncate(line, line->len - 1); /* the last space */
    g_string_append(line, ")\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
}

/* status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
gboolean
hp_imap_cmd_status(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;
    guint items;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_space(args) || !hp_imap_take_status_items(args, &items) ||
        !hp_imap_take_end(args))
        return FALSE;
    mailbox = hp_imap_find_mailbox(s, name, NULL);
    if (mailbox == NULL)
        return TRUE;
    if ((items & HP_STATUS_HIGHESTMODSEQ) != 0)
        hp_imap_use_condstore(s);
    hp_imap_tell_status(s, mailbox, items);
    hp_imap_ok(s, NULL, _("That is how it stands."));
    return TRUE;
}

/* --- quota: there is no limit but the disk's -----------------------------------------
 */

/* KiB that still fit. The store says only whether so and so much does. */
static guint64
room_kib(HpStore *store)
{
    guint64 fits = 0;

    for (guint64 step = (guint64)1 << 42; step > 0; step >>= 1)
        if (hp_store_has_room(store, (fits + step) * KIB))
            fits += step;
    return fits;
}

static gboolean
tell_quota(HpImapSession *s)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) mailboxes = hp_store_list(s->options->store, &error);
    guint64 octets = 0;

    if (mailboxes == NULL) {
        hp_imap_fail(s, error);
        return FALSE;
    }
    for (guint i = 0; i < mailboxes->len; i++)
        octets += ((const HpStoreMailbox *)g_ptr_array_index(mailboxes, i))->octets;
    octets = (octets + KIB - 1) / KIB;
    hp_imap_untagged(s,
                     "QUOTA \"\" (STORAGE %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT ")",
                     octets, octets + room_kib(s->options->store));
    return TRUE;
}

gboolean
hp_imap_cmd_getquota(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *root = NULL;

    if (!hp_imap_take_space(args) || !hp_imap_take_astring(args, &root) ||
        !hp_imap_take_end(args))
        return FALSE;
    if (*root != '\0')
        hp_imap_no(s, "NONEXISTENT",
                   _("There is one quota root, and its name is empty."));
    else if (tell_quota(s))
        hp_imap_ok(s, NULL, _("That is what the disk has room for."));
    return TRUE;
}

gboolean
hp_imap_cmd_getquotaroot(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_autofree char *name = NULL;
    g_autoptr(HpStoreMailbox) mailbox = NULL;
    g_autoptr(GString) line = g_string_new("* QUOTAROOT ");

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &name) ||
        !hp_imap_take_end(args))
        return FALSE;
    mailbox = hp_imap_find_mailbox(s, name, NULL);
    if (mailbox == NULL)
        return TRUE;
    hp_imap_out_mailbox(line, mailbox->name, s->utf8);
    g_string_append(line, " \"\"\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
    if (tell_quota(s))
        hp_imap_ok(s, NULL, _("That is what the disk has room for."));
    return TRUE;
}
