/* The maildrop of a session: what is in it, what shall go, and the end (RFC 1939 §5, §6).
 */
#include "hp-pop3-session-private.h"

#include "hp-log.h"
#include "hp-pop3-command.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_DIGITS    20                       /* of a guint64 */
#define PATIENCE_USEC ((gint64)G_USEC_PER_SEC) /* with one that has broken off */

static const HpStoreEntry *
entry_at(const HpPop3Session *s, guint index)
{
    return &g_array_index(s->drop->entries, HpStoreEntry, index);
}

static void
count_all(HpPop3Session *s)
{
    s->left = s->drop->entries->len;
    s->left_octets = s->drop->octets;
}

/* --- opening and closing -------------------------------------------------------------
 */

static void
refuse_maildrop(HpPop3Session *s, const GError *error)
{
    hp_store_unlock_maildrop(s->options->store);
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING,
           "could not open INBOX: %s", error->message);
    if (g_error_matches(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED))
        hp_pop3_err(s, HP_POP3_SYS_PERM,
                    _("The mailbox is damaged. Type: hauspost status"));
    else
        hp_pop3_err(s, HP_POP3_SYS_TEMP,
                    _("The mailbox cannot be read now. Please try again later."));
}

void
hp_pop3_open_maildrop(HpPop3Session *s, const char *credential)
{
    g_autoptr(GError) error = NULL;
    HpStoreSnapshot *drop;

    if (!hp_store_lock_maildrop(s->options->store, PATIENCE_USEC)) {
        hp_pop3_err(s, HP_POP3_IN_USE,
                    _("Another mail program is collecting mail here right now. Please "
                      "try again in a moment."));
        return;
    }
    drop = hp_store_snapshot(s->options->store, HP_STORE_INBOX, &error);
    if (drop == NULL) {
        refuse_maildrop(s, error);
        return;
    }
    s->drop = drop;
    s->marks = g_malloc0(drop->entries->len);
    count_all(s);
    if (!hp_connection_login(s->connection, credential)) {
        hp_pop3_hang_up(s, HP_POP3_SYS_TEMP,
                        _("Too many mail programs are logged in. Close one, then try "
                          "again."));
        return;
    }
    s->errors = 0;
    s->state = HP_POP3_TRANSACTION;
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_INFO, "%s logged in",
           credential);
    hp_pop3_okf(
        s, ngettext("%u message (%lld octets).", "%u messages (%lld octets).", s->left),
        s->left, (long long)s->left_octets);
}

/* The uids of all messages that have the bit @mark and not the bit @without. */
static GArray *
uids_with(const HpPop3Session *s, guint mark, guint without)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint32));

    for (guint i = 0; i < s->drop->entries->len; i++)
        if ((s->marks[i] & mark) != 0 && (s->marks[i] & without) == 0)
            g_array_append_val(uids, entry_at(s, i)->uid);
    return uids;
}

/* What was delivered whole counts as collected even if the connection was lost then: the
 * retention begins, nothing else happens. */
static void
note_collected(HpPop3Session *s)
{
    g_autoptr(GArray) uids = uids_with(s, HP_POP3_COLLECTED, 0);
    g_autoptr(GError) error = NULL;

    if (uids->len > 0 && !hp_store_mark_collected(s->options->store, HP_STORE_INBOX,
                                                  (const guint32 *)(gpointer)uids->data,
                                                  uids->len, &error))
        hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING,
               "could not note what was collected: %s", error->message);
}

void
hp_pop3_close_maildrop(HpPop3Session *s)
{
    if (s->drop == NULL)
        return;
    note_collected(s);
    g_clear_pointer(&s->marks, g_free);
    g_clear_pointer(&s->drop, hp_store_snapshot_free);
    hp_store_unlock_maildrop(s->options->store);
}

/* The UPDATE state. %FALSE if messages that should go are still there. */
static gboolean
update(HpPop3Session *s)
{
    g_autoptr(GArray) uids = uids_with(s, HP_POP3_DELETED, 0);
    g_autoptr(GError) error = NULL;

    if (uids->len == 0 ||
        hp_store_expunge(s->options->store, HP_STORE_INBOX,
                         (const guint32 *)(gpointer)uids->data, uids->len, &error)) {
        /* What is gone needs no mark. */
        for (guint i = 0; i < s->drop->entries->len; i++)
            if ((s->marks[i] & HP_POP3_DELETED) != 0)
                s->marks[i] = 0;
        return TRUE;
    }
    hp_log("pop3", hp_connection_id(s->connection), G_LOG_LEVEL_WARNING,
           "could not delete what was collected: %s", error->message);
    return FALSE;
}

void
hp_pop3_cmd_quit(HpPop3Session *s, HpSlice args)
{
    gboolean done = s->drop == NULL || update(s);

    /* The lock is free when the answer arrives: the next check may follow at once. */
    hp_pop3_close_maildrop(s);
    if (done)
        hp_pop3_ok(s, _("Goodbye."));
    else
        hp_pop3_err(s, HP_POP3_SYS_TEMP,
                    _("The messages could not be deleted. They are still here."));
    s->state = HP_POP3_ENDED;
}

/* --- looking -------------------------------------------------------------------------
 */

/* Says why there is no such message, for one that cannot be had. */
static gboolean
check_there(HpPop3Session *s, guint index)
{
    if ((s->marks[index] & HP_POP3_DELETED) == 0)
        return TRUE;
    hp_pop3_err(s, NULL, _("This message is marked as deleted."));
    return FALSE;
}

const HpStoreEntry *
hp_pop3_find_entry(HpPop3Session *s, HpSlice args, guint *ret_index)
{
    guint number;

    if (!hp_pop3_parse_number(args, s->drop->entries->len, &number)) {
        hp_pop3_err(s, NULL, _("There is no such message."));
        return NULL;
    }
    if (!check_there(s, number - 1))
        return NULL;
    *ret_index = number - 1;
    return entry_at(s, number - 1);
}

void
hp_pop3_cmd_stat(HpPop3Session *s, HpSlice args)
{
    if (!hp_channel_printf(s->channel, NULL, "+OK %u %" G_GUINT64_FORMAT "\r\n", s->left,
                           s->left_octets))
        s->state = HP_POP3_ENDED;
}

/* Decimal digits of @number, ending before @end. Listings have a line for each of perhaps
 * 100,000 messages, where printf is what takes the time. */
static char *
put_number(char *end, guint64 number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

static char *
put_text(char *end, HpSlice text)
{
    return memcpy(end - text.len, text.data, text.len);
}

/* "number size" and "number uidvalidity.uid" are written from behind. */
static char *
put_size(const HpPop3Session *s, guint index, char *end)
{
    return put_number(end, entry_at(s, index)->size);
}

static char *
put_uid(const HpPop3Session *s, guint index, char *end)
{
    end = put_number(end, entry_at(s, index)->uid);
    *--end = '.';
    return put_number(end, s->drop->uidvalidity);
}

typedef char *(*PutField)(const HpPop3Session *s, guint index, char *end);

static void
write_row(HpPop3Session *s, HpSlice status, guint index, PutField put)
{
    char line[sizeof "+OK " + (size_t)4 * MAX_DIGITS];
    char *end = line + sizeof line;
    char *at = put(s, index, put_text(end, HP_SLICE_LITERAL("\r\n")));

    *--at = ' ';
    at = put_text(put_number(at, index + 1), status);
    hp_pop3_write(s, (HpSlice){ at, (size_t)(end - at) });
}

static void
list(HpPop3Session *s, HpSlice args, PutField put)
{
    guint index;

    if (args.len > 0) {
        if (hp_pop3_find_entry(s, args, &index) != NULL)
            write_row(s, HP_SLICE_LITERAL("+OK "), index, put);
        return;
    }
    hp_pop3_ok(s, _("Here they are."));
    for (guint i = 0; i < s->drop->entries->len && s->state != HP_POP3_ENDED; i++)
        if ((s->marks[i] & HP_POP3_DELETED) == 0)
            write_row(s, HP_SLICE_LITERAL(""), i, put);
    hp_pop3_write(s, HP_SLICE_LITERAL(".\r\n"));
}

void
hp_pop3_cmd_list(HpPop3Session *s, HpSlice args)
{
    list(s, hp_slice_trim(args), put_size);
}

void
hp_pop3_cmd_uidl(HpPop3Session *s, HpSlice args)
{
    list(s, hp_slice_trim(args), put_uid);
}

/* --- marking -------------------------------------------------------------------------
 */

void
hp_pop3_cmd_dele(HpPop3Session *s, HpSlice args)
{
    guint index;
    const HpStoreEntry *entry = hp_pop3_find_entry(s, args, &index);

    if (entry == NULL)
        return;
    s->marks[index] |= HP_POP3_DELETED;
    s->left--;
    s->left_octets -= entry->size;
    hp_pop3_ok(s, _("It will be deleted at the end."));
}

void
hp_pop3_cmd_rset(HpPop3Session *s, HpSlice args)
{
    for (guint i = 0; i < s->drop->entries->len; i++)
        s->marks[i] &= (guint8)~HP_POP3_DELETED;
    count_all(s);
    hp_pop3_ok(s, _("Nothing will be deleted."));
}
