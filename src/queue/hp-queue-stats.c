#include "hp-queue-private.h"
#include "hp-queue-put.h"

#define TOP_DOMAINS 50

/* Recipients that were done since ?1 (wall µs; 0: all) as a table: first of messages that
 * are finished, then of those that others still wait for. Each half finds its messages by
 * an index; CROSS JOIN keeps SQLite from beginning with all recipients of 90 days. */
#define DONE_OF                                                                          \
    "SELECT m.id, r.state, r.destination FROM message m CROSS JOIN recipient r"          \
    " ON r.message = m.id WHERE r.state >= 5"                                            \
    " AND (?1 <= 0 OR " HP_ROWS_SETTLED_AT " >= ?1)"
#define WITH_DONE                                                                        \
    "WITH done (message, state, destination) AS"                                         \
    " (" DONE_OF " AND m.finished >= ?1 UNION ALL " DONE_OF " AND m.finished IS NULL) "

static void
put_results(GVariantBuilder *b, HpDbConn *conn, gint64 since_usec)
{
    HpDbStmt *stmt =
        hp_db_query(conn, WITH_DONE "SELECT state, count(*) FROM done GROUP BY state",
                    "i", since_usec);
    gint64 counts[HP_JOB_N_STATES] = { 0 };
    gint64 all = 0;

    while (hp_db_step(stmt, NULL)) {
        counts[hp_job_state_of_number(hp_db_int(stmt, 0))] += hp_db_int(stmt, 1);
        all += hp_db_int(stmt, 1);
    }
    hp_queue_put_number(b, "recipients", all);
    for (int i = HP_JOB_DELIVERED; i < HP_JOB_N_STATES; i++)
        hp_queue_put_number(b, hp_job_state_name((HpJobState)i), counts[i]);
}

static void
put_messages(GVariantBuilder *b, HpDbConn *conn, gint64 since_usec)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 WITH_DONE "SELECT count(*), sum(size) FROM message"
                                           " WHERE id IN (SELECT message FROM done)",
                                 "i", since_usec);

    if (hp_db_step(stmt, NULL)) {
        hp_queue_put_number(b, "messages", hp_db_int(stmt, 0));
        hp_queue_put_octets(b, "size", hp_db_int(stmt, 1));
    }
    hp_db_reset(stmt);
}

static void
put_domains(GVariantBuilder *b, HpDbConn *conn, gint64 since_usec)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        WITH_DONE "SELECT destination, sum(state = 5), sum(state = 6), sum(state = 7),"
                  " sum(state = 8) FROM done WHERE destination IS NOT NULL"
                  " GROUP BY destination ORDER BY count(*) DESC LIMIT ?2",
        "ii", since_usec, (gint64)TOP_DOMAINS);
    GVariantBuilder domains;

    g_variant_builder_init(&domains, G_VARIANT_TYPE("aa{sv}"));
    while (hp_db_step(stmt, NULL)) {
        GVariantBuilder one;

        g_variant_builder_init(&one, G_VARIANT_TYPE_VARDICT);
        hp_queue_put_printable(&one, "domain", hp_db_text(stmt, 0));
        hp_queue_put_number(&one, "delivered", hp_db_int(stmt, 1));
        hp_queue_put_number(&one, "refused", hp_db_int(stmt, 2));
        hp_queue_put_number(&one, "expired", hp_db_int(stmt, 3));
        hp_queue_put_number(&one, "cancelled", hp_db_int(stmt, 4));
        g_variant_builder_add_value(&domains, g_variant_builder_end(&one));
    }
    g_variant_builder_add(b, "{sv}", "domains", g_variant_builder_end(&domains));
}

GVariant *
hp_queue_stats(HpQueue *self, gint64 since_wall_usec, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    GVariantBuilder b;

    if (!hp_db_begin_snapshot(conn, error))
        return NULL;
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    if (since_wall_usec > 0)
        hp_queue_put_time(&b, "since", since_wall_usec);
    put_results(&b, conn, since_wall_usec);
    put_messages(&b, conn, since_wall_usec);
    put_domains(&b, conn, since_wall_usec);
    return g_variant_builder_end(&b);
}
