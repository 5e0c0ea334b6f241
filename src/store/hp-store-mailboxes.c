/* Mailboxes: their names, what is known of them, subscriptions. */
#include "hp-store-private.h"

#include <glib/gi18n.h>
#include <string.h>

void
hp_store_mailbox_free(HpStoreMailbox *self)
{
    g_free(self->special_use);
    g_free(self->name);
    g_free(self);
}

static void
free_mailbox(gpointer mailbox)
{
    hp_store_mailbox_free(mailbox);
}

/* No control characters and no line ends of any kind: a name is shown on one line. */
static gboolean
is_clean(const char *text)
{
    for (const char *p = text; *p != '\0'; p += g_utf8_skip[(guchar)*p]) {
        gunichar c = g_utf8_get_char(p);

        if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029)
            return FALSE;
    }
    return TRUE;
}

/* What other programs, to which mail is exported, would take for a place elsewhere. */
static gboolean
means_a_path(const char *level)
{
    return strcmp(level, ".") == 0 || strcmp(level, "..") == 0 || strcmp(level, "~") == 0;
}

static gboolean
has_good_levels(GStrv levels)
{
    for (guint i = 0; levels[i] != NULL; i++)
        if (*levels[i] == '\0' || means_a_path(levels[i]))
            return FALSE;
    return g_strv_length(levels) <= HP_STORE_MAX_LEVELS;
}

char *
hp_store_normal_name(const char *name)
{
    size_t len = strlen(name);
    g_autofree char *normal = NULL;
    g_auto(GStrv) levels = NULL;

    if (len > HP_STORE_MAX_NAME || !g_utf8_validate(name, (gssize)len, NULL) ||
        !is_clean(name))
        return NULL;
    normal = g_utf8_normalize(name, (gssize)len, G_NORMALIZE_NFC);
    if (normal == NULL || strlen(normal) > HP_STORE_MAX_NAME)
        return NULL;
    if (g_str_has_suffix(normal, "/")) /* "made to have others in it", RFC 3501 §6.3.3 */
        normal[strlen(normal) - 1] = '\0';
    levels = g_strsplit(normal, "/", -1);
    if (levels[0] == NULL || !has_good_levels(levels))
        return NULL;
    if (g_ascii_strcasecmp(levels[0], "INBOX") == 0) {
        g_free(levels[0]);
        levels[0] = g_strdup("INBOX");
    }
    return g_strjoinv("/", levels);
}

const char *
hp_store_known_use(const char *use)
{
    static const char *const uses[] = { HP_STORE_SPECIAL_USES };

    for (size_t i = 0; i < G_N_ELEMENTS(uses); i++)
        if (g_ascii_strcasecmp(uses[i], use) == 0)
            return uses[i];
    return NULL;
}

#define MAILBOX_QUERY(subscribed, oldest)                                                \
    "SELECT m.id, m.name, m.special_use, " subscribed ","                                \
    " m.uidvalidity, m.uidnext, m.highestmodseq, m.messages, m.unseen, m.deleted,"       \
    " m.octets, " oldest " FROM mailbox m"

#define WHOLE_QUERY                                                                      \
    MAILBOX_QUERY("EXISTS (SELECT 1 FROM subscription s WHERE s.name = m.name)",         \
                  "(SELECT e.saved_usec FROM entry e WHERE e.mailbox = m.id"             \
                  " ORDER BY e.uid LIMIT 1)")

/* Of a damaged database: from the table of mailboxes alone, and from none of its indexes
 * (hence "+"). As if subscribed, so that nothing is hidden. */
#define BARE_QUERY MAILBOX_QUERY("1", "0")

/* Uids are given in the order of arrival, so the first is the oldest. */
static HpStoreMailbox *
read_mailbox(HpDbStmt *stmt)
{
    HpStoreMailbox *mailbox = g_new0(HpStoreMailbox, 1);

    mailbox->id = hp_db_int(stmt, 0);
    mailbox->name = hp_db_dup_text(stmt, 1);
    mailbox->special_use = hp_db_dup_text(stmt, 2);
    mailbox->subscribed = hp_db_int(stmt, 3) != 0;
    mailbox->uidvalidity = (guint32)hp_db_int(stmt, 4);
    mailbox->uidnext = (guint32)hp_db_int(stmt, 5);
    mailbox->highestmodseq = (guint64)hp_db_int(stmt, 6);
    mailbox->messages = (guint64)hp_db_int(stmt, 7);
    mailbox->unseen = (guint64)hp_db_int(stmt, 8);
    mailbox->deleted = (guint64)hp_db_int(stmt, 9);
    mailbox->octets = (guint64)hp_db_int(stmt, 10);
    mailbox->oldest_usec = hp_db_int(stmt, 11);
    return mailbox;
}

static gboolean
is_damage(const GError *error)
{
    return g_error_matches(error, HP_DB_ERROR, HP_DB_ERROR_DAMAGED);
}

/* The mailboxes that @stmt gives: (transfer full) (nullable). */
static GPtrArray *
read_mailboxes(HpDbStmt *stmt, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_mailbox);
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure))
        g_ptr_array_add(list, read_mailbox(stmt));
    hp_db_reset(stmt);
    if (failure == NULL)
        return g_steal_pointer(&list);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

GPtrArray *
hp_store_list(HpStore *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    GPtrArray *list =
        read_mailboxes(hp_db_query(conn, WHOLE_QUERY " ORDER BY m.id <> ?1, m.name", "i",
                                   (gint64)HP_STORE_INBOX),
                       &failure);

    if (is_damage(failure)) {
        g_clear_error(&failure);
        list =
            read_mailboxes(hp_db_query(conn, BARE_QUERY " ORDER BY m.id <> ?1, +m.name",
                                       "i", (gint64)HP_STORE_INBOX),
                           &failure);
    }
    if (failure != NULL)
        hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return list;
}

HpStoreMailbox *
hp_store_find(HpStore *self, const char *name, GError **error)
{
    g_autofree char *normal = hp_store_normal_name(name);
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) found = read_mailboxes(
        hp_db_query(conn, WHOLE_QUERY " WHERE m.name = ?1", "s", normal), &failure);

    if (is_damage(failure)) {
        g_clear_error(&failure);
        found = read_mailboxes(
            hp_db_query(conn, BARE_QUERY " WHERE +m.name = ?1", "s", normal), &failure);
    }
    if (found != NULL && found->len > 0)
        return g_ptr_array_steal_index(found, 0);
    if (failure == NULL)
        g_set_error(&failure, HP_STORE_ERROR, HP_STORE_ERROR_NOT_FOUND,
                    _("there is no mailbox of that name"));
    hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return NULL;
}

/* The names that @stmt gives: (transfer full) (nullable). */
static GStrv
read_names(HpDbStmt *stmt, GError **error)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure))
        g_strv_builder_add(names, hp_db_text(stmt, 0));
    if (failure == NULL)
        return g_strv_builder_end(names);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

GStrv
hp_store_subscriptions(HpStore *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    GStrv names = read_names(
        hp_db_query(conn, "SELECT name FROM subscription ORDER BY name", ""), &failure);

    if (is_damage(failure)) { /* as in BARE_QUERY */
        g_clear_error(&failure);
        names = read_names(
            hp_db_query(conn, "SELECT name FROM mailbox ORDER BY +name", ""), &failure);
    }
    if (failure != NULL)
        hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    return names;
}

typedef struct {
    HpStoreTask task;
    const char *name; /* (unowned) */
    gboolean subscribed;
} Subscribing;

static gboolean
subscribe(HpDbConn *conn, gpointer data, GError **error)
{
    const Subscribing *self = data;

    return self->subscribed
               ? hp_db_run(conn, error,
                           "INSERT OR IGNORE INTO subscription (name) VALUES (?1)", "s",
                           self->name)
               : hp_db_run(conn, error, "DELETE FROM subscription WHERE name = ?1", "s",
                           self->name);
}

gboolean
hp_store_set_subscribed(HpStore *self, const char *name, gboolean subscribed,
                        GError **error)
{
    g_autofree char *normal = hp_store_normal_name(name);
    g_auto(HpStoreTask) task = hp_store_task(self);
    Subscribing work = { task, normal, subscribed };

    if (normal == NULL) {
        g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_NOT_PERMITTED,
                    _("a mailbox cannot have that name"));
        return FALSE;
    }
    return hp_store_write(&work.task, subscribe, 1, error);
}

void
hp_store_watch(HpStore *self, HpWaker *waker)
{
    HP_LOCKED(&self->lock);

    g_ptr_array_add(self->watchers, waker);
}

void
hp_store_unwatch(HpStore *self, HpWaker *waker)
{
    HP_LOCKED(&self->lock);

    g_ptr_array_remove_fast(self->watchers, waker);
}
