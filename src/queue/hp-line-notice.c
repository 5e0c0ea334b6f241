#include "hp-address.h"
#include "hp-charset.h"
#include "hp-date.h"
#include "hp-id.h"
#include "hp-log.h"
#include "hp-queue-private.h"

#include <glib/gi18n.h>

#define TELL_AFTER_USEC (15 * G_TIME_SPAN_MINUTE)
/* Destinations that fail, before which a closed port 25 is a guess: two may be dead. */
#define SURE            3
#define AWAKE_USEC      G_TIME_SPAN_DAY /* as giving up: both clocks must agree */
#define RETURN_BATCH    64
#define LOOK_AGAIN_USEC G_TIME_SPAN_HOUR
#define RETURNABLE                                                                       \
    ((1u << HP_JOB_WAITING) | (1u << HP_JOB_PACED) | (1u << HP_JOB_UNCERTAIN))

static gboolean
is_closed(HpLinkState link)
{
    return link == HP_LINK_NO_25 || link == HP_LINK_CAPTIVE;
}

/* The notice */

/* Whole days, the last one begun, for people. */
static guint
days_of(gint64 sec)
{
    gint64 day = G_TIME_SPAN_DAY / G_TIME_SPAN_SECOND;

    return (guint)MAX((sec + day - 1) / day, 1);
}

static char *
explain_no_25(guint days)
{
    g_autofree char *end = g_strdup_printf(
        ngettext("If nothing changes, the mail is returned to you after %u day.",
                 "If nothing changes, the mail is returned to you after %u days.", days),
        days);

    return g_strconcat(
        _("This network does not let this computer talk to other mail servers: "
          "connections to port 25 go nowhere. Many internet providers block it for "
          "homes, hotels and mobile phones. Your mail waits on this computer; nothing is "
          "lost, and it is tried again from time to time.\n"
          "\n"
          "What you can do:\n"
          "- use another network; the mail then goes out by itself,\n"
          "- ask your internet provider to open port 25, or\n"
          "- send through your mail provider's server instead.\n"),
        "\n", end, NULL);
}

static char *
explanation_of(HpLinkState link, guint days)
{
    if (link == HP_LINK_CAPTIVE)
        return g_strdup(
            _("This network asks you to log in on a web page before it lets anything "
              "through. Until then your mail waits on this computer; nothing is lost.\n"
              "\n"
              "What you can do: open a web browser, log in, and the mail goes out by "
              "itself."));
    return explain_no_25(days);
}

static void
add_notice_header(GString *out, HpQueue *self, const char *subject, gint64 now_usec)
{
    g_autofree char *words = hp_charset_encode_words(subject, 9);
    g_autofree char *unique = hp_id_new();
    HP_LOCKED(&self->lock);

    g_string_append_printf(out, "From: Hauspost <postmaster@%s>\r\nTo: <%s>\r\n",
                           self->bounce_from_domain, self->user_address);
    g_string_append_printf(out, "Subject: %s\r\nDate: ", words);
    hp_date_append(out, now_usec);
    g_string_append_printf(out,
                           "\r\nMessage-ID: <notice.%" G_GINT64_FORMAT ".%s@%s>\r\n"
                           "Auto-Submitted: auto-generated\r\n"
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: 8bit\r\n\r\n",
                           now_usec, unique, self->bounce_from_domain);
}

static HpContentDraft *
write_notice(HpQueue *self, HpLinkState link, guint days, GError **error)
{
    g_autoptr(HpContentDraft) draft = hp_content_draft_new(self->contents);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *explanation = explanation_of(link, days);
    g_auto(GStrv) lines = g_strsplit(explanation, "\n", -1);

    add_notice_header(text, self,
                      link == HP_LINK_CAPTIVE
                          ? _("Your mail waits: this network wants you to log in")
                          : _("Your mail waits: this network blocks mail servers"),
                      hp_clock_now_usec(self->clock, HP_CLOCK_WALL));
    for (char **line = lines; *line != NULL; line++)
        g_string_append_printf(text, "%s\r\n", *line);
    if (!hp_content_draft_append(draft, hp_slice_of_string(text), error) ||
        !hp_content_draft_finish(draft, error))
        return NULL;
    return g_steal_pointer(&draft);
}

static gboolean
notice_work(HpDbConn *conn, gpointer data, GError **error)
{
    HpContentDraft *draft = data;
    HpRowsHandover handover = { HP_ROWS_REPORT, 0, 0, "" };

    return hp_content_insert(conn, draft, &handover.content, error) &&
           hp_rows_add_handover(conn, &handover, error) &&
           hp_db_run(conn, error, "UPDATE meta SET line_told = 1", "");
}

static gboolean
tell_owner(HpQueue *self, HpLinkState link, guint days)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpContentDraft) draft = write_notice(self, link, days, &error);

    if (draft == NULL || !hp_db_write(self->db, notice_work, draft, &error)) {
        hp_log("queue", NULL, G_LOG_LEVEL_WARNING, "could not tell about the line: %s",
               error->message);
        return FALSE;
    }
    hp_content_draft_committed(draft);
    hp_handover_wake(self->handover);
    return TRUE;
}

static gint64
tell_at_usec(HpQueue *self)
{
    if (!is_closed(self->link) || self->line_told ||
        g_hash_table_size(self->destinations) == 0)
        return G_MAXINT64;
    if (self->link == HP_LINK_NO_25 && hp_probe_count_failed(self) < SURE)
        return self->link_since_usec +
               MAX(self->delay_notice_sec * G_USEC_PER_SEC, TELL_AFTER_USEC);
    return self->link_since_usec + TELL_AFTER_USEC;
}

static void
check_notice(HpQueue *self)
{
    HpLinkState link;
    guint days;

    {
        HP_LOCKED(&self->lock);
        if (tell_at_usec(self) > hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC))
            return;
        link = self->link;
        days = days_of(self->give_up_sec);
    }
    if (!tell_owner(self, link, days)) {
        hp_dispatcher_back_off(self);
        return;
    }
    HP_LOCKED(&self->lock);
    self->line_told = TRUE;
}

/* How long port 25 has been closed, over restarts and other networks that are no better
 */

typedef struct {
    HpLinkState link;
    gint64 noted_usec; /* monotonic: of the last look; -1: none */
    gint64 look_usec;  /* monotonic: of this one */
    gint64 now_usec;
    gint64 awake_usec; /* since the last look */
    gint64 give_up_sec;
    GArray *rows; /* (owned): messages to be returned, out */
} Ledger;

static gboolean
find_returnable(HpDbConn *conn, Ledger *ledger, GError **error)
{
    HpDbStmt *stmt = hp_db_query(
        conn,
        "SELECT DISTINCT m.id FROM meta, recipient r JOIN message m ON m.id = r.message"
        " WHERE meta.line_since > 0 AND meta.line_since <= ?1"
        " AND meta.line_awake_usec >= ?2 AND m.submitted <= ?1"
        " AND r.state IN (0, 2, 4) AND r.destination IS NOT NULL LIMIT ?3",
        "iii", ledger->now_usec - ledger->give_up_sec * G_USEC_PER_SEC,
        MIN(AWAKE_USEC, ledger->give_up_sec * G_USEC_PER_SEC), (gint64)RETURN_BATCH);
    g_autoptr(GError) failure = NULL;

    g_array_set_size(ledger->rows, 0);
    while (hp_db_step(stmt, &failure)) {
        gint64 row = hp_db_int(stmt, 0);

        g_array_append_val(ledger->rows, row);
    }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
ledger_work(HpDbConn *conn, gpointer data, GError **error)
{
    Ledger *ledger = data;

    if (ledger->link == HP_LINK_OK)
        return hp_db_run(conn, error,
                         "UPDATE meta SET line_since = 0, line_awake_usec = 0,"
                         " line_told = 0",
                         "");
    /* A clock that was set back starts the count anew rather than blocking it. */
    return hp_db_run(conn, error,
                     "UPDATE meta SET line_awake_usec = line_awake_usec + ?2,"
                     " line_since = CASE WHEN line_since = 0 OR line_since > ?1 THEN ?1"
                     " ELSE line_since END",
                     "ii", ledger->now_usec, ledger->awake_usec) &&
           find_returnable(conn, ledger, error);
}

/* Returning */

typedef struct {
    HpQueueItem *item;  /* (unowned) */
    HpReports *reports; /* (unowned) */
    gint64 now_usec;
} Return;

static gboolean
return_work(HpDbConn *conn, gpointer data, GError **error)
{
    Return *back = data;

    return hp_rows_save(conn, back->item, RETURNABLE, back->now_usec, error) &&
           (back->item->changed == 0 ||
            hp_reports_insert(conn, back->item->row, back->reports, error));
}

static void
set_reason(HpQueueItem *item, guint i, guint days)
{
    HpCarryRecipient *recipient = item->carry.recipients->pdata[i];

    hp_reply_clear(&recipient->reply);
    recipient->outcome = HP_OUTCOME_REFUSED;
    recipient->reply.stage = HP_STAGE_CONNECT;
    recipient->reply.code = 554;
    g_strlcpy(recipient->reply.enhanced, "5.4.1", sizeof recipient->reply.enhanced);
    recipient->reply.text = g_strdup_printf(
        ngettext("for %u day this network has let no connection to other mail servers "
                 "(port 25) through",
                 "for %u days this network has let no connection to other mail servers "
                 "(port 25) through",
                 days),
        days);
}

static HpQueueItem *
load_returnable(HpQueue *self, gint64 row, GError **error)
{
    g_autoptr(HpDbConn) conn = hp_db_lease(self->db);

    return hp_rows_load(conn, row, HP_ROWS_REMOTE, RETURNABLE, error);
}

static gboolean
return_item(HpQueue *self, HpQueueItem *item, GError **error)
{
    g_auto(HpReports) reports = { NULL };
    g_autofree HpJobTell *tells = g_new0(HpJobTell, item->jobs->len);
    HpJobNow now = hp_queue_now(self);
    HpRowsEvent event = { .at_usec = now.wall_usec, .kind = "returned", .stage = -1 };
    Return back = { item, &reports, now.wall_usec };

    for (guint i = 0; i < item->jobs->len; i++) {
        hp_job_next(&g_array_index(item->jobs, HpJob, i), HP_JOB_RETURN, &now, &tells[i]);
        set_reason(item, i, days_of(now.give_up_sec));
    }
    event.text = ((HpCarryRecipient *)item->carry.recipients->pdata[0])->reply.text;
    hp_queue_item_tell(item, &event);
    item->reason = HP_EXPLAIN_NO_25;
    item->carry.ret = HP_RET_FULL; /* the owner gets it back whole */
    if (!hp_reports_write(self, item, tells, &reports, error) ||
        !hp_db_write(self->db, return_work, &back, error))
        return FALSE;
    hp_reports_committed(self, &reports);
    hp_queue_announce_item(self, item);
    return TRUE;
}

/* %FALSE if that failed: it stays, to be returned with the next look. */
static gboolean
return_message(HpQueue *self, gint64 row)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpQueueItem) item = load_returnable(self, row, &error);

    if (item != NULL)
        return_item(self, item, &error);
    if (error == NULL)
        return TRUE;
    hp_log("queue", item != NULL ? item->carry.id : NULL, G_LOG_LEVEL_WARNING,
           "could not return a message: %s", error->message);
    return FALSE;
}

/* Returned mail is due no more. %FALSE if one of @rows could not be returned. */
static gboolean
return_all(HpQueue *self, const GArray *rows)
{
    gboolean all = TRUE;

    for (guint i = 0; i < rows->len; i++)
        all = return_message(self, g_array_index(rows, gint64, i)) && all;
    if (rows->len > 0)
        hp_dispatcher_reload(self);
    return all;
}

/* %FALSE if it is too early for the next look. */
static gboolean
read_ledger(HpQueue *self, Ledger *ret_ledger)
{
    gint64 now = hp_clock_now_usec(self->clock, HP_CLOCK_MONOTONIC);
    HP_LOCKED(&self->lock);
    gint64 noted = self->line_counts_usec;

    if (self->link == HP_LINK_OK ? !self->line_noted : self->link != HP_LINK_NO_25)
        return FALSE;
    if (self->link == HP_LINK_NO_25 && noted >= 0 && now - noted < LOOK_AGAIN_USEC)
        return FALSE;
    ret_ledger->link = self->link;
    ret_ledger->noted_usec = noted;
    ret_ledger->look_usec = now;
    ret_ledger->awake_usec = noted < 0 ? 0 : now - noted;
    ret_ledger->give_up_sec = self->give_up_sec;
    return TRUE;
}

/* What the database knows now; unless the line has changed meanwhile it counts from
 * here. */
static void
note_ledger(HpQueue *self, const Ledger *ledger)
{
    HP_LOCKED(&self->lock);

    if (self->line_counts_usec == ledger->noted_usec)
        self->line_counts_usec = ledger->look_usec;
    self->line_noted = ledger->link == HP_LINK_NO_25;
    if (ledger->link == HP_LINK_OK)
        self->line_told = FALSE;
}

static void
check_ledger(HpQueue *self)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GError) error = NULL;
    Ledger ledger = { .rows = rows };

    if (!read_ledger(self, &ledger))
        return;
    do {
        ledger.now_usec = hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
        if (!hp_db_write(self->db, ledger_work, &ledger, &error)) {
            hp_log("queue", NULL, G_LOG_LEVEL_WARNING,
                   "could not note the state of the line: %s", error->message);
            hp_dispatcher_back_off(self);
            return;
        }
        note_ledger(self, &ledger);
        ledger.awake_usec = 0;
        /* What cannot be returned now would only be found again. */
    } while (return_all(self, rows) && rows->len == RETURN_BATCH);
}

void
hp_line_notice_check(HpQueue *self)
{
    check_notice(self);
    check_ledger(self);
}

gint64
hp_line_notice_next_usec(HpQueue *self)
{
    gint64 look = G_MAXINT64;

    if (self->link == HP_LINK_NO_25 && g_hash_table_size(self->destinations) > 0)
        look = (self->line_counts_usec < 0 ? self->link_since_usec
                                           : self->line_counts_usec) +
               LOOK_AGAIN_USEC;
    return MIN(tell_at_usec(self), look);
}
