#include "hp-log.h"
#include "hp-queue-private.h"
#include "hp-queue-put.h"

#include <glib/gi18n.h>

#define BATCH 64 /* messages read in one lease */
#define ALL   G_MAXUINT32
#define EXPORT_MAX                                                                       \
    ((size_t)512 * 1024 * 1024) /* a setting limits messages long before                 \
                                 */
#define FIRST_DOMAINS 20

/* What is shown depends on whether anything can go out. */
typedef struct {
    HpQueue *queue; /* (unowned) */
    HpLinkState link;
    gboolean paused;
} View;

static View
look(HpQueue *self)
{
    HP_LOCKED(&self->lock);

    return (View){ self, self->link, self->paused_until_usec != 0 };
}

static const char *
shown_state(const View *view, HpJobState state, gboolean remote)
{
    if (state == HP_JOB_WAITING && remote && view->link != HP_LINK_OK)
        return "offline";
    return hp_job_state_name(state);
}

/* Why a recipient that is shown as offline waits: whatever happened to it before, now it
 * is the line. */
static const char *
reason_of_line(HpLinkState link)
{
    switch (link) {
    case HP_LINK_OFFLINE:
        return HP_EXPLAIN_OFFLINE;
    case HP_LINK_CAPTIVE:
        return HP_EXPLAIN_CAPTIVE;
    case HP_LINK_NO_DNS:
        return HP_EXPLAIN_NO_DNS;
    case HP_LINK_NO_25:
        return HP_EXPLAIN_NO_25;
    case HP_LINK_OK:
    default:
        return NULL;
    }
}

/* One recipient */

#define RECIPIENT_COLUMNS                                                                \
    "address, destination, state, due, attempts, stage, code, enhanced, reply, host, "   \
    "road, CASE WHEN state >= 5 THEN " HP_ROWS_SETTLED_AT " END"

static void
put_due(GVariantBuilder *b, const View *view, HpJobState state, gint64 due_usec)
{
    if (state == HP_JOB_HELD)
        hp_queue_put_time(b, "held_until", due_usec);
    else if (view->link == HP_LINK_OK && !view->paused)
        hp_queue_put_time(b, "next_attempt", due_usec);
}

static void
put_reply(GVariantBuilder *b, const View *view, const char *reason, HpDbStmt *stmt)
{
    const char *enhanced = hp_db_text(stmt, 7);
    HpReply reply = { .stage = (HpStage)hp_db_int(stmt, 5),
                      .code = (guint)hp_db_int(stmt, 6),
                      .text = hp_db_dup_text(stmt, 8),
                      .host = hp_db_dup_text(stmt, 9) };
    g_autofree char *code = NULL;

    g_strlcpy(reply.enhanced, enhanced != NULL ? enhanced : "", sizeof reply.enhanced);
    if (reply.code != 0) {
        code = reply.enhanced[0] != '\0'
                   ? g_strdup_printf("%u %s", reply.code, reply.enhanced)
                   : g_strdup_printf("%u", reply.code);
        hp_queue_put_text(b, "code", code);
        hp_queue_put_printable(b, "reply", reply.text);
        hp_queue_put_printable(b, "host", reply.host);
    }
    if (reply.code != 0 || reason != NULL)
        hp_queue_put_explanation(b, view->queue, reason, &reply);
    hp_reply_clear(&reply);
}

/* What says more of a recipient than the last reply does, or stands in for it while there
 * is none; %NULL: the reply. */
static const char *
reason_of(const View *view, HpJobState state, gboolean remote, gboolean replied)
{
    switch (state) {
    case HP_JOB_HELD:
        return HP_EXPLAIN_HELD;
    case HP_JOB_CANCELLED:
        return HP_EXPLAIN_CANCELLED;
    case HP_JOB_WAITING:
        if (remote && view->link != HP_LINK_OK)
            return reason_of_line(view->link);
        if (replied)
            return NULL;
        return view->paused && remote ? HP_EXPLAIN_PAUSED : HP_EXPLAIN_NOT_TRIED;
    case HP_JOB_SENDING:
        return replied ? NULL : HP_EXPLAIN_UNDER_WAY;
    case HP_JOB_PACED:
    case HP_JOB_UNCERTAIN:
    case HP_JOB_DELIVERED:
    case HP_JOB_REFUSED:
    case HP_JOB_EXPIRED:
        break;
    }
    return NULL;
}

/* What to type, where one command helps. @name: the message's id */
static void
put_command(GVariantBuilder *b, const char *reason, const char *name)
{
    g_autofree char *release = NULL;

    if (g_strcmp0(reason, HP_EXPLAIN_HELD) == 0) {
        release = g_strdup_printf("hauspost queue release %s", name);
        hp_queue_put_text(b, "command", release);
    } else if (g_strcmp0(reason, HP_EXPLAIN_PAUSED) == 0) {
        hp_queue_put_text(b, "command", "hauspost resume");
    }
}

static GVariant *
recipient_of(const View *view, const char *name, HpDbStmt *stmt)
{
    HpJobState state = hp_job_state_of_number(hp_db_int(stmt, 2));
    gboolean remote = !hp_db_is_null(stmt, 1);
    const char *reason = reason_of(view, state, remote, hp_db_int(stmt, 6) != 0);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    hp_queue_put_printable(&b, "address", hp_db_text(stmt, 0));
    hp_queue_put_text(&b, "state", shown_state(view, state, remote));
    hp_queue_put_number(&b, "attempts", hp_db_int(stmt, 4));
    if (!hp_db_is_null(stmt, 3))
        put_due(&b, view, state, hp_db_int(stmt, 3));
    if (!hp_db_is_null(stmt, 11))
        hp_queue_put_time(&b, "finished", hp_db_int(stmt, 11));
    put_reply(&b, view, reason, stmt);
    put_command(&b, reason, name);
    if (hp_db_int(stmt, 4) > 0 && remote)
        hp_queue_put_text(&b, "road",
                          hp_db_is_null(stmt, 10) ? "direct" : hp_db_text(stmt, 10));
    return g_variant_builder_end(&b);
}

static GVariant *
recipients_of(const View *view, HpDbConn *conn, gint64 row, const char *name)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT " RECIPIENT_COLUMNS " FROM recipient r"
                                 " JOIN message m ON m.id = r.message"
                                 " WHERE message = ?1 ORDER BY r.id",
                                 "i", row);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    while (hp_db_step(stmt, NULL))
        g_variant_builder_add_value(&b, recipient_of(view, name, stmt));
    return g_variant_builder_end(&b);
}

/* One message */

static gboolean
put_message(GVariantBuilder *b, const View *view, HpDbConn *conn, gint64 row)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT name, sender, subject, size, submitted, client,"
                                 " finished, message_id FROM message WHERE id = ?1",
                                 "i", row);
    g_autofree char *name = NULL;

    if (!hp_db_step(stmt, NULL))
        return FALSE;
    name = hp_db_dup_text(stmt, 0);
    hp_queue_put_text(b, "id", name);
    hp_queue_put_printable(b, "from", hp_db_text(stmt, 1));
    hp_queue_put_printable(b, "subject", hp_db_text(stmt, 2));
    hp_queue_put_octets(b, "size", hp_db_int(stmt, 3));
    hp_queue_put_time(b, "submitted", hp_db_int(stmt, 4));
    hp_queue_put_printable(b, "client", hp_db_text(stmt, 5));
    if (!hp_db_is_null(stmt, 6))
        hp_queue_put_time(b, "finished", hp_db_int(stmt, 6));
    hp_queue_put_printable(b, "message_id", hp_db_text(stmt, 7));
    hp_db_reset(stmt);
    g_variant_builder_add(b, "{sv}", "recipients", recipients_of(view, conn, row, name));
    return TRUE;
}

/* The story */

static const char *const stage_names[] = {
    [HP_STAGE_DNS] = "dns",           [HP_STAGE_CONNECT] = "connect",
    [HP_STAGE_GREETING] = "greeting", [HP_STAGE_EHLO] = "ehlo",
    [HP_STAGE_STARTTLS] = "starttls", [HP_STAGE_MAIL] = "mail",
    [HP_STAGE_RCPT] = "rcpt",         [HP_STAGE_DATA] = "data",
    [HP_STAGE_DOT] = "dot",           [HP_STAGE_LOCAL] = "local",
};

/* A sentence for a line of the story; TRANSLATORS: %1$s is a host, %2$s what it is about.
 */
static char *
sentence(const char *kind, const char *host, const char *recipient, const char *text)
{
    if (g_str_equal(kind, "looked_up"))
        return g_strdup_printf(_("looked up who takes mail: %s"), text);
    if (g_str_equal(kind, "connected"))
        return g_strdup_printf(_("connected to %s (%s)"), host, text);
    if (g_str_equal(kind, "secured"))
        return g_strdup_printf(_("encrypted with %s: %s"), host, text);
    if (g_str_equal(kind, "said") && recipient[0] != '\0')
        return g_strdup_printf(_("%s said about %s: %s"), host, recipient, text);
    if (g_str_equal(kind, "said"))
        return g_strdup_printf(_("%s said: %s"), host, text);
    if (g_str_equal(kind, "held"))
        return g_strdup(_("you held it back"));
    if (g_str_equal(kind, "released"))
        return g_strdup(_("you let it go again"));
    if (g_str_equal(kind, "retried"))
        return g_strdup(_("you asked to try it now"));
    if (g_str_equal(kind, "cancelled"))
        return g_strdup(_("you cancelled it"));
    if (g_str_equal(kind, HP_ROWS_SETTLED))
        return g_strdup_printf(_("done with %s"), recipient);
    if (g_str_equal(kind, "returned"))
        return g_strdup_printf(_("returned to your INBOX: %s"), text);
    return host[0] != '\0' ? g_strdup_printf("%s: %s", host, text) : g_strdup(text);
}

static GVariant *
event_of(HpDbStmt *stmt)
{
    const char *kind = hp_db_text(stmt, 1);
    const char *host = hp_db_text(stmt, 3);
    const char *recipient = hp_db_text(stmt, 4);
    const char *text = hp_db_text(stmt, 5);
    g_autofree char *line =
        sentence(kind, host != NULL ? host : "", recipient != NULL ? recipient : "",
                 text != NULL ? text : "");
    gint64 stage = hp_db_is_null(stmt, 2) ? -1 : hp_db_int(stmt, 2);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    hp_queue_put_time(&b, "time", hp_db_int(stmt, 0));
    hp_queue_put_text(&b, "kind", kind);
    if (stage >= 0 && stage < (gint64)G_N_ELEMENTS(stage_names))
        hp_queue_put_text(&b, "stage", stage_names[stage]);
    hp_queue_put_printable(&b, "host", host);
    hp_queue_put_printable(&b, "recipient", recipient);
    hp_queue_put_printable(&b, "text", text);
    hp_queue_put_printable(&b, "line", line);
    return g_variant_builder_end(&b);
}

static GVariant *
acceptance(HpDbConn *conn, gint64 row)
{
    HpDbStmt *stmt = hp_db_query(
        conn, "SELECT submitted, client FROM message WHERE id = ?1", "i", row);
    g_autofree char *line = NULL;
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    if (hp_db_step(stmt, NULL)) {
        line = g_strdup_printf(_("taken from %s"), hp_db_text(stmt, 1));
        hp_queue_put_time(&b, "time", hp_db_int(stmt, 0));
        hp_queue_put_text(&b, "kind", "accepted");
        hp_queue_put_printable(&b, "text", hp_db_text(stmt, 1));
        hp_queue_put_printable(&b, "line", line);
    }
    hp_db_reset(stmt);
    return g_variant_builder_end(&b);
}

static GVariant *
story_of(HpDbConn *conn, gint64 row)
{
    HpDbStmt *stmt;
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_add_value(&b, acceptance(conn, row));
    stmt = hp_db_query(conn,
                       "SELECT at, kind, stage, host, recipient, text FROM event"
                       " WHERE message = ?1 ORDER BY id LIMIT 1000",
                       "i", row);
    while (hp_db_step(stmt, NULL))
        g_variant_builder_add_value(&b, event_of(stmt));
    return g_variant_builder_end(&b);
}

GVariant *
hp_queue_show(HpQueue *self, const char *id, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    View view = look(self);
    GVariantBuilder b;
    gint64 row;

    if (!hp_db_begin_snapshot(conn, error))
        return NULL;
    row = hp_queue_find(conn, id, error);
    if (row == 0)
        return NULL;
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    put_message(&b, &view, conn, row);
    g_variant_builder_add(&b, "{sv}", "story", story_of(conn, row));
    return g_variant_builder_end(&b);
}

/* Lists */

typedef struct {
    char *to;  /* (owned) (nullable): address or domain, lower case */
    int state; /* -1: any; -2: matches nothing */
    gint64 since_usec;
    guint32 limit;
} Filter;

static void
clear_filter(Filter *filter)
{
    g_free(filter->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, clear_filter)

static int
state_of_filter(const View *view, const char *name)
{
    gboolean offline = g_str_equal(name, "offline");
    int state = hp_job_state_of_name(offline ? "waiting" : name);

    if (state == HP_JOB_WAITING && offline != (view->link != HP_LINK_OK))
        return -2;
    return state < 0 ? -2 : state;
}

static void
parse_filter(const View *view, GVariant *dictionary, const char *state_key, Filter *ret)
{
    g_autoptr(GVariant) held = dictionary != NULL ? g_variant_ref_sink(dictionary) : NULL;
    const char *text;

    *ret = (Filter){ NULL, -1, 0, ALL };
    if (held == NULL)
        return;
    if (g_variant_lookup(held, "to", "&s", &text) && text[0] != '\0')
        ret->to = g_utf8_strdown(text[0] == '@' ? text + 1 : text, -1);
    if (g_variant_lookup(held, state_key, "&s", &text) && text[0] != '\0')
        ret->state = state_of_filter(view, text);
    g_variant_lookup(held, "since", "x", &ret->since_usec);
    if (!g_variant_lookup(held, "limit", "u", &ret->limit) || ret->limit == 0)
        ret->limit = ALL;
}

static gboolean
take_rows(HpDbStmt *stmt, GArray *rows, GError **error)
{
    g_autoptr(GError) failure = NULL;

    while (hp_db_step(stmt, &failure)) {
        gint64 row = hp_db_int(stmt, 0);

        g_array_append_val(rows, row);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Rows of the next batch after @last; fills @rows. */
static gboolean
read_open(HpDbConn *conn, const Filter *filter, gint64 *last, GArray *rows,
          GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT id FROM message m WHERE finished IS NULL AND id > ?1"
        " AND (?2 IS NULL OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
        "  AND (r.destination = ?2 OR lower(r.address) = ?2)))"
        " AND (?3 < 0 OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
        "  AND r.state = ?3)) ORDER BY id LIMIT ?4",
        "isii", *last, filter->to, (gint64)filter->state, (gint64)BATCH);

    if (!take_rows(stmt, rows, error))
        return FALSE;
    if (rows->len > 0)
        *last = g_array_index(rows, gint64, rows->len - 1);
    return TRUE;
}

/* Messages of which some recipients are done and others are not; newest first, before
 * @last. */
static gboolean
read_half_done(HpDbConn *conn, const Filter *filter, gint64 *last, GArray *rows,
               GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT id FROM message m WHERE finished IS NULL AND (?4 = 0 OR id < ?4)"
        " AND (?2 IS NULL OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
        "  AND (r.destination = ?2 OR lower(r.address) = ?2)))"
        " AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state >= 5"
        "  AND (?3 < 0 OR r.state = ?3) AND " HP_ROWS_SETTLED_AT " >= ?1)"
        " ORDER BY id DESC LIMIT ?5",
        "isiii", filter->since_usec, filter->to, (gint64)filter->state, *last,
        (gint64)BATCH);

    if (!take_rows(stmt, rows, error))
        return FALSE;
    if (rows->len > 0)
        *last = g_array_index(rows, gint64, rows->len - 1);
    return TRUE;
}

/* Newest first; @last: how many to skip. */
static gboolean
read_finished(HpDbConn *conn, const Filter *filter, gint64 *last, GArray *rows,
              GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT id FROM message m WHERE finished IS NOT NULL AND finished >= ?1"
        " AND (?2 IS NULL OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
        "  AND (r.destination = ?2 OR lower(r.address) = ?2)))"
        " AND (?3 < 0 OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id"
        "  AND r.state = ?3 AND " HP_ROWS_SETTLED_AT " >= ?1))"
        " ORDER BY finished DESC, id DESC LIMIT ?4 OFFSET ?5",
        "isiii", filter->since_usec, filter->to, (gint64)filter->state, (gint64)BATCH,
        *last);

    if (!take_rows(stmt, rows, error))
        return FALSE;
    *last += rows->len;
    return TRUE;
}

typedef gboolean (*ReadRows)(HpDbConn *conn, const Filter *filter, gint64 *last,
                             GArray *rows, GError **error);

typedef struct {
    const View *view;     /* (unowned) */
    const Filter *filter; /* (unowned) */
    ReadRows read_rows;
    gint64 last; /* where to go on */
} Walk;

/* One batch into @b, but no more than @max; returns how many messages there were, -1 on
 * failure. */
static int
add_batch(GVariantBuilder *b, Walk *walk, guint32 max, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(walk->view->queue->db);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(gint64));

    if (!walk->read_rows(conn, walk->filter, &walk->last, rows, error))
        return -1;
    for (guint i = 0; i < MIN(rows->len, max); i++) {
        GVariantBuilder one;

        g_variant_builder_init(&one, G_VARIANT_TYPE_VARDICT);
        put_message(&one, walk->view, conn, g_array_index(rows, gint64, i));
        g_variant_builder_add_value(b, g_variant_builder_end(&one));
    }
    return (int)rows->len;
}

/* Adds at most *@left messages, and takes them off. */
static gboolean
add_all(GVariantBuilder *b, Walk *walk, guint32 *left, GError **error)
{
    int n = BATCH;

    while (n == BATCH && *left > 0 && walk->filter->state != -2) {
        n = add_batch(b, walk, *left, error);
        if (n < 0)
            return FALSE;
        *left -= MIN(*left, (guint32)n);
    }
    return TRUE;
}

GVariant *
hp_queue_list(HpQueue *self, GVariant *filter, GError **error)
{
    g_auto(GVariantBuilder) b = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    View view = look(self);
    g_auto(Filter) wanted = { 0 };
    Walk walk = { &view, &wanted, read_open, 0 };

    parse_filter(&view, filter, "state", &wanted);
    if (!add_all(&b, &walk, &wanted.limit, error))
        return NULL;
    return g_variant_builder_end(&b);
}

GVariant *
hp_queue_history(HpQueue *self, GVariant *filter, GError **error)
{
    g_auto(GVariantBuilder) b = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
    View view = look(self);
    g_auto(Filter) wanted = { 0 };
    Walk half_done = { &view, &wanted, read_half_done, 0 };
    Walk finished = { &view, &wanted, read_finished, 0 };

    parse_filter(&view, filter, "result", &wanted);
    if (!add_all(&b, &half_done, &wanted.limit, error) ||
        !add_all(&b, &finished, &wanted.limit, error))
        return NULL;
    return g_variant_builder_end(&b);
}

/* Numbers */

static void
put_counts(GVariantBuilder *b, const View *view, HpDbConn *conn)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT state, count(*), sum(destination IS NOT NULL)"
                                 " FROM recipient WHERE state < 5 GROUP BY state",
                                 "");
    gint64 counts[HP_JOB_N_STATES] = { 0 };
    gint64 remote = 0;
    gint64 all = 0;

    while (hp_db_step(stmt, NULL)) {
        counts[hp_job_state_of_number(hp_db_int(stmt, 0))] += hp_db_int(stmt, 1);
        all += hp_db_int(stmt, 1);
        if (hp_db_int(stmt, 0) == HP_JOB_WAITING)
            remote = hp_db_int(stmt, 2);
    }
    hp_queue_put_number(b, "recipients", all);
    if (view->link == HP_LINK_OK)
        remote = 0;
    hp_queue_put_number(b, "offline", remote);
    counts[HP_JOB_WAITING] -= remote;
    for (int i = 0; i < HP_JOB_DELIVERED; i++)
        hp_queue_put_number(b, hp_job_state_name((HpJobState)i), counts[i]);
}

/* Recipients that are finished although their message is not. */
static void
put_finished_counts(GVariantBuilder *b, HpDbConn *conn)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT r.state, count(*) FROM message m JOIN recipient r ON r.message = m.id"
        " WHERE m.finished IS NULL AND r.state >= 5 GROUP BY r.state",
        "");
    gint64 counts[HP_JOB_N_STATES] = { 0 };

    while (hp_db_step(stmt, NULL))
        counts[hp_job_state_of_number(hp_db_int(stmt, 0))] += hp_db_int(stmt, 1);
    for (int i = HP_JOB_DELIVERED; i < HP_JOB_N_STATES; i++)
        hp_queue_put_number(b, hp_job_state_name((HpJobState)i), counts[i]);
}

static void
put_totals(GVariantBuilder *b, HpDbConn *conn)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT count(*), sum(size), min(submitted) FROM message"
                                 " WHERE finished IS NULL",
                                 "");

    if (hp_db_step(stmt, NULL)) {
        hp_queue_put_number(b, "messages", hp_db_int(stmt, 0));
        hp_queue_put_octets(b, "size", hp_db_int(stmt, 1));
        if (!hp_db_is_null(stmt, 2))
            hp_queue_put_time(b, "oldest", hp_db_int(stmt, 2));
    }
    hp_db_reset(stmt);
}

/* What was said at a destination last, or why nothing was. */
static void
put_last_word(GVariantBuilder *b, const View *view, HpDbConn *conn, const char *domain)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT " RECIPIENT_COLUMNS " FROM recipient r"
                                 " JOIN message m ON m.id = r.message"
                                 " WHERE destination = ?1 AND due IS NOT NULL"
                                 " ORDER BY due DESC LIMIT 1",
                                 "s", domain);

    if (hp_db_step(stmt, NULL)) {
        const char *line = reason_of_line(view->link);

        put_reply(b, view,
                  line != NULL
                      ? line
                      : reason_of(view, hp_job_state_of_number(hp_db_int(stmt, 2)), TRUE,
                                  hp_db_int(stmt, 6) != 0),
                  stmt);
    }
    hp_db_reset(stmt);
}

static GVariant *
destination_of(const View *view, HpDbConn *conn, HpDbStmt *stmt)
{
    const char *domain = hp_db_text(stmt, 0);
    gboolean any_due = !hp_db_is_null(stmt, 2);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    hp_queue_put_printable(&b, "domain", domain);
    hp_queue_put_number(&b, "recipients", hp_db_int(stmt, 1));
    if (any_due)
        put_due(&b, view, HP_JOB_WAITING, hp_db_int(stmt, 2));
    if (any_due && view->link != HP_LINK_OK)
        hp_queue_put_text(&b, "state", "offline");
    put_last_word(&b, view, conn, domain);
    return g_variant_builder_end(&b);
}

static void
put_destinations(GVariantBuilder *b, const View *view, HpDbConn *conn)
{
    HpDbStmt *stmt = hp_db_query(conn,
                                 "SELECT destination, count(*), min(due) FROM recipient"
                                 " WHERE state < 5 AND destination IS NOT NULL"
                                 " GROUP BY destination ORDER BY 2 DESC LIMIT ?1",
                                 "i", (gint64)FIRST_DOMAINS);
    GVariantBuilder list_b;

    g_variant_builder_init(&list_b, G_VARIANT_TYPE("aa{sv}"));
    while (hp_db_step(stmt, NULL))
        g_variant_builder_add_value(&list_b, destination_of(view, conn, stmt));
    g_variant_builder_add(b, "{sv}", "destinations", g_variant_builder_end(&list_b));
}

static void
put_next(GVariantBuilder *b, const View *view)
{
    HpQueue *queue = view->queue;
    g_autofree char *name = NULL;
    gint64 due = G_MAXINT64;

    {
        HP_LOCKED(&queue->lock);
        HpDueEntry *first = hp_due_heap_first(queue->heap);

        if (first != NULL) {
            due = first->due_usec;
            name = g_strdup(((HpDestination *)first)->name);
        }
    }
    if (name == NULL || view->paused || view->link != HP_LINK_OK)
        return;
    hp_queue_put_time(b, "next_attempt", due);
    hp_queue_put_printable(b, "next_destination", name);
}

GVariant *
hp_queue_summary(HpQueue *self, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
    View view = look(self);
    GVariantBuilder b;

    if (!hp_db_begin_snapshot(conn, error))
        return NULL;
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    put_totals(&b, conn);
    put_counts(&b, &view, conn);
    put_finished_counts(&b, conn);
    put_next(&b, &view);
    put_destinations(&b, &view, conn);
    return g_variant_builder_end(&b);
}

GBytes *
hp_queue_export(HpQueue *self, const char *id, GError **error)
{
    g_autoptr(HpContent) content = NULL;
    gint64 number = 0;

    {
        g_autoptr(HpDbConn) conn = hp_db_lease(self->db);
        gint64 row = hp_queue_find(conn, id, error);
        HpDbStmt *stmt;

        if (row == 0)
            return NULL;
        stmt = hp_db_query(conn, "SELECT content FROM message WHERE id = ?1", "i", row);
        if (hp_db_step(stmt, NULL))
            number = hp_db_int(stmt, 0);
        hp_db_reset(stmt);
    }
    if (number == 0) {
        g_set_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE,
                    _("this message is finished, and its text is not kept"));
        return NULL;
    }
    content = hp_content_open(self->contents, number, error);
    return content != NULL ? hp_content_load(content, EXPORT_MAX, error) : NULL;
}
