/* What happens when nobody asks: retention, moving contents out, tidying. */
#include "hp-log.h"
#include "hp-store-private.h"

#define KEEP_STAGED       1024 /* newest contents that stay in the database */
#define ARRIVAL_KEPT_USEC ((gint64)90 * 24 * 3600 * G_USEC_PER_SEC)

/* What falls due of one mailbox. */
typedef struct {
    gint64 mailbox;
    gint64 sec;         /* 0: nothing */
    gboolean collected; /* by the time of its collection, not of its arrival */
} Rule;

#define RULES 3

static gint64
find_special(HpDbConn *conn, const char *use)
{
    HpDbStmt *stmt =
        hp_db_query(conn, "SELECT id FROM mailbox WHERE special_use = ?1", "s", use);
    gint64 id = hp_db_step(stmt, NULL) ? hp_db_int(stmt, 0) : 0;

    hp_db_reset(stmt);
    return id;
}

static void
make_rules(HpStore *self, const HpStoreRetention *retention, Rule rules[RULES])
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

    rules[0] = (Rule){ HP_STORE_INBOX, retention->pop3_sec, TRUE };
    rules[1] = (Rule){ find_special(conn, "\\Trash"), retention->trash_sec, FALSE };
    rules[2] = (Rule){ find_special(conn, "\\Junk"), retention->junk_sec, FALSE };
}

#define IS_DUE                                                                           \
    " FROM entry WHERE mailbox = ?1 AND"                                                 \
    " iif(?2, collected_usec > 0 AND collected_usec <= ?3, saved_usec <= ?3 AND"         \
    " (SELECT special_usec FROM mailbox m WHERE m.id = ?1) <= ?3)"

static HpDbStmt *
query_due(HpDbConn *conn, const char *sql, const Rule *rule, gint64 now_usec)
{
    return hp_db_query(conn, sql, "iii", rule->mailbox, (gint64)rule->collected,
                       now_usec - rule->sec * G_USEC_PER_SEC);
}

/* Entries that are due, up to 1,000: what goes into one transaction. */
static gboolean
find_due(HpStore *self, const Rule *rule, gint64 now_usec, GArray *uids, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        query_due(conn, "SELECT uid" IS_DUE " ORDER BY uid LIMIT 1000", rule, now_usec);

    while (hp_db_step(stmt, &failure)) {
        guint32 uid = (guint32)hp_db_int(stmt, 0);

        g_array_append_val(uids, uid);
    }
    return failure == NULL || hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
}

static gboolean
count_due(HpStore *self, const Rule *rule, gint64 now_usec, HpStoreCleanup *cleanup,
          GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    g_autoptr(GError) failure = NULL;
    HpDbStmt *stmt =
        query_due(conn, "SELECT count(*), ifnull(sum(size), 0)" IS_DUE, rule, now_usec);

    if (!hp_db_step(stmt, &failure))
        return hp_store_fail(error, g_steal_pointer(&failure), "mail.db");
    cleanup->ret_messages += (guint64)hp_db_int(stmt, 0);
    cleanup->ret_octets += (guint64)hp_db_int(stmt, 1);
    return TRUE;
}

/* Of what was deleted. What cannot be removed now stays on the erase list. */
static void
erase_files(HpStore *self)
{
    g_autoptr(GError) error = NULL;

    if (!hp_store_drop_contents(self, &error) ||
        !hp_contents_erase(self->contents, &error))
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "the files of deleted messages stay for now: %s", error->message);
}

static gboolean
remove_due(HpStore *self, const Rule *rule, gint64 now_usec, GError **error)
{
    for (;;) {
        g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
        HpStoreUids due = { NULL, 0 };
        guint removed;

        if (!find_due(self, rule, now_usec, uids, error))
            return FALSE;
        if (uids->len == 0)
            return TRUE;
        due = (HpStoreUids){ (const guint32 *)(void *)uids->data, uids->len };
        if (!hp_store_remove(self, rule->mailbox, due, &removed, error))
            return FALSE;
        if (removed == 0) { /* an index names what is not there */
            g_set_error(error, HP_STORE_ERROR, HP_STORE_ERROR_DAMAGED,
                        "mail.db is damaged");
            return FALSE;
        }
    }
}

gboolean
hp_store_cleanup(HpStore *self, HpStoreCleanup *cleanup, gboolean dry_run, GError **error)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
    Rule rules[RULES];

    cleanup->ret_messages = 0;
    cleanup->ret_octets = 0;
    make_rules(self, &cleanup->retention, rules);
    for (guint i = 0; i < RULES; i++) {
        guint64 before = cleanup->ret_messages;

        if (rules[i].mailbox == 0 || rules[i].sec <= 0)
            continue;
        if (!count_due(self, &rules[i], now, cleanup, error))
            return FALSE;
        if (!dry_run && cleanup->ret_messages > before &&
            !remove_due(self, &rules[i], now, error))
            return FALSE;
    }
    if (!dry_run && cleanup->ret_messages > 0)
        erase_files(self);
    return TRUE;
}

/* The time from which the oldest entry counts, 0 if there is none. What comes first has
 * the lowest uid. */
static gint64
oldest_usec(HpStore *self, const Rule *rule)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt =
        rule->collected
            ? hp_db_query(conn,
                          "SELECT collected_usec FROM entry WHERE collected_usec > 0"
                          " AND mailbox = ?1 ORDER BY collected_usec LIMIT 1",
                          "i", rule->mailbox)
            : hp_db_query(conn,
                          "SELECT max(e.saved_usec, m.special_usec) FROM entry e,"
                          " mailbox m WHERE e.mailbox = ?1 AND m.id = ?1"
                          " ORDER BY e.uid LIMIT 1",
                          "i", rule->mailbox);

    return hp_db_step(stmt, NULL) ? hp_db_int(stmt, 0) : 0;
}

gint64
hp_store_next_cleanup_usec(HpStore *self, const HpStoreRetention *retention)
{
    gint64 next = G_MAXINT64;
    Rule rules[RULES];

    make_rules(self, retention, rules);
    for (guint i = 0; i < RULES; i++) {
        gint64 oldest =
            rules[i].mailbox != 0 && rules[i].sec > 0 ? oldest_usec(self, &rules[i]) : 0;

        if (oldest > 0)
            next = MIN(next, oldest + rules[i].sec * G_USEC_PER_SEC);
    }
    return next;
}

static gboolean
forget_arrivals(HpDbConn *conn, gpointer data, GError **error)
{
    return hp_db_run(conn, error, "DELETE FROM arrival WHERE arrived_usec < ?1", "i",
                     *(const gint64 *)data);
}

/* Hand-overs are finished within seconds; only the names of old ones go. */
static void
prune_arrivals(HpStore *self)
{
    gint64 before = hp_clock_now_usec(self->clock, HP_CLOCK_WALL) - ARRIVAL_KEPT_USEC;
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT 1 FROM arrival WHERE arrived_usec < ?1 LIMIT 1", "i", before);

    if (hp_db_step(stmt, NULL))
        hp_db_write(self->db, forget_arrivals, &before, NULL);
}

/* A step; %TRUE if there may be more. */
static gboolean
unstage(HpStore *self)
{
    g_autoptr(GError) error = NULL;
    guint moved = 0;

    if (!hp_contents_unstage(self->contents, KEEP_STAGED, &moved, &error))
        hp_log("store", NULL, G_LOG_LEVEL_WARNING,
               "could not move messages out of the database: %s", error->message);
    return moved == HP_CONTENT_UNSTAGE_MAX;
}

static gboolean
take_orphan_count(HpStore *self)
{
    HP_LOCKED(&self->lock);
    gboolean first = !self->orphans_counted;

    self->orphans_counted = TRUE;
    return first;
}

gboolean
hp_store_upkeep(HpStore *self)
{
    guint orphans;

    if (!hp_db_is_writable(self->db))
        return FALSE;
    hp_views_rest(self->views);
    erase_files(self);
    if (unstage(self))
        return TRUE;
    prune_arrivals(self);
    hp_store_prune_vanished(self);
    if (take_orphan_count(self))
        hp_contents_count_orphans(self->contents, &orphans, NULL);
    if (hp_store_wants_snapshot(self)) {
        hp_store_prune_threads(self);
        hp_store_take_snapshot(self);
    }
    return hp_db_tidy(self->db);
}
