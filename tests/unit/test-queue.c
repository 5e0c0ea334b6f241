#include "queue-fixture.h"

#include <string.h>
#include <unistd.h>

#define MINUTE G_TIME_SPAN_MINUTE
#define HOUR   G_TIME_SPAN_HOUR
#define DAY    G_TIME_SPAN_DAY
#define ANNA   "anna@example.org"

static GVariant *
show(Fixture *f, const char *id)
{
    g_autoptr(GError) error = NULL;
    GVariant *message = hp_queue_show(f->queue, id, &error);

    g_assert_no_error(error);
    return g_variant_ref_sink(message);
}

static guint
count(GVariant *list)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(list);

    return (guint)g_variant_n_children(held);
}

/* Messages that the views show. */
static guint
open_messages(Fixture *f, const char *key, const char *value)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    if (key != NULL)
        g_variant_builder_add(&b, "{sv}", key, g_variant_new_string(value));
    return count(hp_queue_list(f->queue, g_variant_builder_end(&b), NULL));
}

static guint
finished_messages(Fixture *f, const char *result)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&b, "{sv}", "result", g_variant_new_string(result));
    return count(hp_queue_history(f->queue, g_variant_builder_end(&b), NULL));
}

/* Nothing comes although there is time for it: give it a chance, then look. */
static void
assert_still_carried(guint n)
{
    g_usleep(50 * 1000);
    g_assert_cmpuint(fixture_carried(), ==, n);
}

static void
test_delivers(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "ok@example.net", 0);
    g_autofree char *code = NULL;
    g_autoptr(GError) error = NULL;

    fixture_wait_state(f, id, 0, "delivered");
    fixture_wait_carried(1);
    code = fixture_field(f, id, 0, "code");
    g_assert_cmpstr(code, ==, "250 2.0.0");
    g_assert_cmpuint(fixture_attempts(f, id, 0), ==, 1);
    g_assert_cmpuint(open_messages(f, NULL, NULL), ==, 0);
    g_assert_cmpuint(finished_messages(f, "delivered"), ==, 1);
    g_assert_cmpuint(finished_messages(f, "refused"), ==, 0);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
    g_assert_null(hp_queue_export(f->queue, id, &error)); /* its content is given up */
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE);
}

static void
test_story(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GVariant) story = NULL;
    g_autoptr(GVariant) line = NULL;
    const char *kind = NULL;
    const char *host = NULL;

    fixture_wait_state(f, id, 0, "waiting");
    fixture_wait_carried(1);
    while (fixture_attempts(f, id, 0) == 0)
        g_usleep(1000);
    message = show(f, id);
    story = g_variant_lookup_value(message, "story", G_VARIANT_TYPE("aa{sv}"));
    g_assert_cmpuint(g_variant_n_children(story), ==, 2);
    line = g_variant_get_child_value(story, 1);
    g_assert_true(g_variant_lookup(line, "kind", "&s", &kind));
    g_assert_true(g_variant_lookup(line, "host", "&s", &host));
    g_assert_cmpstr(kind, ==, "connected");
    g_assert_cmpstr(host, ==, "mx.example");
    g_assert_false(g_variant_lookup(line, "recipient", "&s", &host));
}

static void
test_story_names_recipient(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "ok.named@example.net", 0);
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GVariant) story = NULL;
    g_autoptr(GVariant) line = NULL;
    const char *recipient = NULL;

    fixture_wait_state(f, id, 0, "delivered");
    message = show(f, id);
    story = g_variant_lookup_value(message, "story", G_VARIANT_TYPE("aa{sv}"));
    line = g_variant_get_child_value(story, 1);
    g_assert_true(g_variant_lookup(line, "recipient", "&s", &recipient));
    g_assert_cmpstr(recipient, ==, "ok.named@example.net");
}

static void
test_groups_by_destination(Fixture *f, gconstpointer data)
{
    g_autofree char *id =
        fixture_submit(f, ANNA, "ok1@example.net,ok2@EXAMPLE.net,ok3@example.com", 0);
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;

    for (guint i = 0; i < 3; i++)
        fixture_wait_state(f, id, i, "delivered");
    fixture_wait_carried(2);
    a = fixture_transaction(0);
    b = fixture_transaction(1);
    g_assert_true(strchr(a, ',') != NULL || strchr(b, ',') != NULL);
    g_assert_true(strchr(a, ',') == NULL || strchr(b, ',') == NULL);
}

static void
test_retries_when_due(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    fixture_wait_state(f, id, 0, "waiting");
    fixture_pass(f, 4 * MINUTE);
    assert_still_carried(1);
    fixture_pass(f, 2 * MINUTE);
    fixture_wait_carried(2);
}

static void
test_refusals_make_one_report(Fixture *f, gconstpointer data)
{
    g_autofree char *id =
        fixture_submit(f, ANNA, "no1@example.net,no2@example.net,ok@example.net", 0);
    g_autofree char *text = NULL;

    fixture_wait_state(f, id, 1, "refused");
    fixture_wait_inbox(1);
    text = fixture_inbox_text(0);
    g_assert_nonnull(strstr(text, "no1@example.net"));
    g_assert_nonnull(strstr(text, "no2@example.net"));
    g_assert_null(strstr(text, "ok@example.net"));
    g_assert_nonnull(strstr(text, "Hello.")); /* whole */
}

static void
test_reports_only_who_wants(Fixture *f, gconstpointer data)
{
    g_autofree char *null_sender = fixture_submit(f, "", "no@example.net", 0);
    g_autofree char *never = fixture_submit(f, ANNA, "no@example.net", HP_NOTIFY_NEVER);
    g_autofree char *other = fixture_submit(f, ANNA, "no@example.net", HP_NOTIFY_SUCCESS);
    g_autofree char *dsn_peer =
        fixture_submit(f, ANNA, "ok.x@example.net", HP_NOTIFY_SUCCESS);
    g_autofree char *relayed = NULL;

    fixture_wait_state(f, null_sender, 0, "refused");
    fixture_wait_state(f, never, 0, "refused");
    fixture_wait_state(f, other, 0, "refused");
    fixture_wait_state(f, dsn_peer, 0, "delivered");
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
    relayed = fixture_submit(f, ANNA, "ok.nodsn@example.net", HP_NOTIFY_SUCCESS);
    fixture_wait_state(f, relayed, 0, "delivered");
    fixture_wait_inbox(1);
}

static void
test_delay_notice_once(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    fixture_wait_carried(1);
    for (guint n = 2; n <= 4; n++) {
        while (fixture_attempts(f, id, 0) < n - 1)
            g_usleep(1000);
        fixture_pass(f, 5 * HOUR);
        fixture_wait_carried(n);
    }
    fixture_wait_inbox(1);
}

static void
test_gives_up(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);

    for (guint n = 1; n <= 6; n++) {
        fixture_wait_carried(n);
        while (fixture_attempts(f, id, 0) < n)
            g_usleep(1000);
        fixture_pass(f, DAY);
    }
    fixture_wait_state(f, id, 0, "expired");
    fixture_wait_inbox(2); /* the delay and the end */
    g_assert_cmpuint(finished_messages(f, "expired"), ==, 1);
}

static void
test_uncertain(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "lost@example.net", 0);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    fixture_wait_state(f, id, 0, "uncertain");
    g_assert_false(hp_queue_retry(f->queue, id, &n, &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE);
    hp_queue_set_link(f->queue, HP_LINK_OK, TRUE);
    fixture_pass(f, 29 * MINUTE);
    assert_still_carried(1);
    fixture_pass(f, 2 * MINUTE);
    fixture_wait_carried(2);
    fixture_wait_state(f, id, 0, "uncertain");
    g_assert_true(hp_queue_cancel(f->queue, id, &n, NULL)); /* treat as sent */
    g_clear_error(&error);
    g_assert_false(hp_queue_retry(f->queue, id, &n, &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE);
    g_assert_cmpstr(error->message, ==, "this message is finished");
}

static void
test_hold_and_release(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    g_autofree char *until = NULL;
    g_autoptr(GError) error = NULL;
    guint n = 0;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    g_assert_true(hp_queue_hold(f->queue, id, 0, &n, NULL));
    g_assert_cmpuint(n, ==, 1);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    assert_still_carried(0);
    fixture_wait_state(f, id, 0, "held");
    g_assert_false(hp_queue_retry(f->queue, id, &n, &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_HELD);
    g_assert_true(hp_queue_hold(f->queue, id, 20000 * DAY + 10 * DAY, &n, NULL));
    until = fixture_field(f, id, 0, "held_until");
    g_assert_nonnull(until);
    fixture_pass(f, 9 * DAY);
    assert_still_carried(0);
    g_assert_true(hp_queue_release(f->queue, id, &n, NULL));
    fixture_wait_state(f, id, 0, "delivered");
}

static void
test_held_until(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    guint n = 0;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    g_assert_true(hp_queue_hold(f->queue, id, 20000 * DAY + HOUR, &n, NULL));
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    assert_still_carried(0);
    fixture_pass(f, HOUR);
    fixture_wait_state(f, id, 0, "delivered");
}

static void
test_cancel(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;
    guint n = 0;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    id = fixture_submit(f, ANNA, "ok1@example.net,ok2@example.com", 0);
    g_assert_true(hp_queue_cancel(f->queue, id, &n, NULL));
    g_assert_cmpuint(n, ==, 2);
    hp_queue_set_link(f->queue, HP_LINK_OK, FALSE);
    assert_still_carried(0);
    g_assert_cmpuint(finished_messages(f, "cancelled"), ==, 1);
    g_assert_cmpuint(fixture_inbox_len(), ==, 0);
}

static void
test_cancel_before_dot(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "wait@example.net", 0);
    guint n = 0;

    fixture_wait_for_dot();
    fixture_wait_state(f, id, 0, "sending");
    g_assert_true(hp_queue_cancel(f->queue, id, &n, NULL));
    g_assert_false(fixture_let_dot_begin());
    fixture_wait_state(f, id, 0, "cancelled");
    assert_still_carried(1);
    fixture_wait_state(f, id, 0, "cancelled");
}

static void
test_cancel_after_dot(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "wait@example.net", 0);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    fixture_wait_for_dot();
    g_assert_true(fixture_let_dot_begin());
    g_assert_false(hp_queue_cancel(f->queue, id, &n, &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_STATE);
    fixture_let_dot_end();
    fixture_wait_state(f, id, 0, "delivered");
}

static void
test_retry(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);
    guint n = 0;

    fixture_wait_carried(1);
    while (fixture_attempts(f, id, 0) < 1)
        g_usleep(1000);
    g_assert_true(hp_queue_retry(f->queue, id, &n, NULL));
    g_assert_cmpuint(n, ==, 1);
    fixture_wait_carried(2);
    while (fixture_attempts(f, id, 0) < 2)
        g_usleep(1000);
    g_assert_true(hp_queue_retry_all(f->queue, "EXAMPLE.net", &n, NULL));
    g_assert_cmpuint(n, ==, 1);
    fixture_wait_carried(3);
    g_assert_true(hp_queue_retry_all(f->queue, "example.com", &n, NULL));
    g_assert_cmpuint(n, ==, 0);
}

static void
test_orphans(Fixture *f, gconstpointer data)
{
    g_autofree char *orphan = g_build_filename(f->folder, "spool", "cd",
                                               "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd", NULL);

    g_assert_true(g_file_set_contents(orphan, "x", 1, NULL));
    fixture_close(f);
    fixture_open(f);
    g_assert_false(g_file_test(orphan, G_FILE_TEST_EXISTS));
}

static void
test_pause_survives(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    g_assert_true(hp_queue_pause(f->queue, G_MAXINT64, NULL));
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    assert_still_carried(0);
    fixture_close(f);
    fixture_open(f);
    fixture_start(f);
    g_assert_cmpint(hp_queue_paused_until(f->queue), ==, G_MAXINT64);
    assert_still_carried(0);
    g_assert_true(hp_queue_pause(f->queue, 0, NULL));
    fixture_wait_state(f, id, 0, "delivered");
}

static void
test_pause_ends(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    g_assert_true(hp_queue_pause(f->queue, 20000 * DAY + HOUR, NULL));
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    assert_still_carried(0);
    fixture_pass(f, HOUR);
    fixture_wait_state(f, id, 0, "delivered");
    g_assert_cmpint(hp_queue_paused_until(f->queue), ==, 0);
}

static void
test_local(Fixture *f, gconstpointer data)
{
    g_autofree char *id =
        fixture_submit(f, ANNA, "me@localhost,me.too,ok@example.net", 0);
    g_autofree char *text = NULL;

    for (guint i = 0; i < 3; i++)
        fixture_wait_state(f, id, i, "delivered");
    fixture_wait_inbox(1); /* one INBOX, one copy */
    text = fixture_inbox_text(0);
    g_assert_true(g_str_has_prefix(text, "Return-Path: <anna@example.org>\r\nSubject:"));
}

static void
test_local_waits_for_inbox(Fixture *f, gconstpointer data)
{
    g_autofree char *id = NULL;

    fixture_refuse_inbox(TRUE);
    id = fixture_submit(f, ANNA, "me@localhost", 0);
    g_usleep(50 * 1000);
    fixture_wait_state(f, id, 0, "waiting");
    fixture_close(f);
    fixture_refuse_inbox(FALSE);
    fixture_open(f);
    fixture_start(f);
    fixture_wait_state(f, id, 0, "delivered");
    fixture_wait_inbox(1);
}

/* While the index is there, no second recipient can have the same reply. */
static gboolean
run_sql(HpDbConn *conn, gpointer breaks, GError **error)
{
    return *(gboolean *)breaks
               ? hp_db_run(conn, error, "CREATE UNIQUE INDEX broken ON recipient (code)",
                           "")
               : hp_db_run(conn, error, "DROP INDEX broken", "");
}

static void
break_results(Fixture *f, gboolean breaks)
{
    g_autoptr(GError) error = NULL;

    hp_db_write(hp_queue_db(f->queue), run_sql, &breaks, &error);
    g_assert_no_error(error);
}

static void
test_result_is_not_lost(Fixture *f, gconstpointer data)
{
    g_autofree char *before = fixture_submit(f, ANNA, "ok@example.com", 0);
    g_autofree char *id = NULL;

    fixture_wait_state(f, before, 0, "delivered");
    break_results(f, TRUE);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    fixture_wait_carried(2);
    fixture_pass(f, HOUR);
    assert_still_carried(2);
    fixture_wait_state(f, id, 0, "sending");
    break_results(f, FALSE);
    fixture_wait_state(f, id, 0, "delivered");
    assert_still_carried(2);
}

static void
test_many(Fixture *f, gconstpointer data)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < 300; i++) {
        g_autofree char *to = g_strdup_printf("ok%u@example%u.net", i, i % 7);

        g_free(fixture_submit(f, ANNA, to, 0));
    }
    fixture_wait_carried(300);
    for (guint i = 0; i < 300; i++)
        g_assert_true(g_hash_table_add(seen, fixture_transaction(i)));
    while (open_messages(f, NULL, NULL) > 0)
        g_usleep(1000);
}

static void
test_prefixes(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);
    g_autofree char *lower = g_ascii_strdown(id, -1);
    g_autofree char *prefix = g_strndup(lower, 5);
    g_autoptr(GVariant) message = show(f, prefix);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(message);
    g_assert_null(hp_queue_show(f->queue, "not an id", &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    lower[0] = lower[0] == 'z' ? 'y' : 'z';
    g_assert_null(hp_queue_show(f->queue, lower, &error));
    g_assert_error(error, HP_QUEUE_ERROR, HP_QUEUE_ERROR_NOT_FOUND);
}

static void
test_summary(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net,ok@example.com", 0);
    g_autoptr(GVariant) summary = NULL;
    g_autoptr(GVariant) stats = NULL;
    guint32 n = 0;

    fixture_wait_state(f, id, 1, "delivered");
    while (fixture_attempts(f, id, 0) < 1)
        g_usleep(1000);
    summary = g_variant_ref_sink(hp_queue_summary(f->queue, NULL));
    g_assert_true(g_variant_lookup(summary, "messages", "u", &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(g_variant_lookup(summary, "waiting", "u", &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(g_variant_lookup(summary, "delivered", "u", &n));
    g_assert_cmpuint(n, ==, 1);
    stats = g_variant_ref_sink(hp_queue_stats(f->queue, 0, NULL));
    g_assert_true(g_variant_lookup(stats, "messages", "u", &n));
    g_assert_cmpuint(n, ==, 1); /* one of its recipients is done */
    g_assert_true(g_variant_lookup(stats, "recipients", "u", &n));
    g_assert_cmpuint(n, ==, 1);
}

static void
test_limit(Fixture *f, gconstpointer data)
{
    GVariantBuilder b;

    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    for (guint i = 0; i < 70; i++)
        g_free(fixture_submit(f, ANNA, "ok@example.net", 0));
    g_assert_cmpuint(open_messages(f, NULL, NULL), ==, 70);
    g_assert_cmpuint(open_messages(f, "to", "example.net"), ==, 70);
    g_assert_cmpuint(open_messages(f, "to", "example.com"), ==, 0);
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&b, "{sv}", "limit", g_variant_new_uint32(66));
    g_assert_cmpuint(count(hp_queue_list(f->queue, g_variant_builder_end(&b), NULL)), ==,
                     66);
}

static void
test_export(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "later@example.net", 0);
    g_autoptr(GBytes) bytes = hp_queue_export(f->queue, id, NULL);

    g_assert_nonnull(bytes);
    g_assert_true(g_str_has_prefix(g_bytes_get_data(bytes, NULL), "Subject: test\r\n"));
}

static void
test_history_ends(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, ANNA, "ok@example.net", 0);

    fixture_wait_state(f, id, 0, "delivered");
    fixture_pass(f, 89 * DAY);
    hp_queue_upkeep(f->queue);
    g_assert_cmpuint(finished_messages(f, "delivered"), ==, 1);
    fixture_pass(f, 2 * DAY);
    hp_queue_upkeep(f->queue);
    g_assert_cmpuint(finished_messages(f, "delivered"), ==, 0);
}

/* The one who is told, and takes his time. */
typedef struct {
    gint entered; /* atomic */
    gint left;    /* atomic */
} Listener;

static void
listen_slowly(const char *id, const char *state, gpointer data)
{
    Listener *listener = data;

    if (!g_str_equal(state, "delivered"))
        return;
    g_atomic_int_set(&listener->entered, TRUE);
    g_usleep(100 * 1000);
    g_atomic_int_set(&listener->left, TRUE);
}

/* Whoever is told no more may be freed. */
static void
test_tells_nobody_afterwards(Fixture *f, gconstpointer data)
{
    Listener listener = { FALSE, FALSE };
    g_autofree char *id = NULL;

    hp_queue_set_changed(f->queue, listen_slowly, &listener);
    id = fixture_submit(f, ANNA, "ok@example.net", 0);
    while (!g_atomic_int_get(&listener.entered))
        g_usleep(1000);
    hp_queue_set_changed(f->queue, NULL, NULL);
    g_assert_true(g_atomic_int_get(&listener.left));
}

#define CASE(name, test)                                                                 \
    g_test_add("/queue/" name, Fixture, NULL, fixture_set_up, test, fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* some cases provoke warnings */
    CASE("delivers-and-keeps-only-the-history", test_delivers);
    CASE("tells-the-story", test_story);
    CASE("names-the-recipient-that-a-line-is-about", test_story_names_recipient);
    CASE("one-transaction-for-one-destination", test_groups_by_destination);
    CASE("retries-when-due-not-before", test_retries_when_due);
    CASE("refusals-at-once-make-one-report", test_refusals_make_one_report);
    CASE("reports-only-to-whom-wants-them", test_reports_only_who_wants);
    CASE("tells-of-a-delay-once", test_delay_notice_once);
    CASE("gives-up-in-the-end", test_gives_up);
    CASE("uncertain-is-not-hurried", test_uncertain);
    CASE("holds-and-releases", test_hold_and_release);
    CASE("holds-until-a-time", test_held_until);
    CASE("cancels", test_cancel);
    CASE("cancels-under-way-before-the-dot", test_cancel_before_dot);
    CASE("cannot-cancel-after-the-dot", test_cancel_after_dot);
    CASE("retry-is-at-once", test_retry);
    CASE("removes-files-that-no-message-names", test_orphans);
    CASE("pause-survives-a-restart", test_pause_survives);
    CASE("pause-ends-by-itself", test_pause_ends);
    CASE("local-recipients-share-one-copy", test_local);
    CASE("local-mail-waits-for-the-inbox", test_local_waits_for_inbox);
    CASE("a-result-that-cannot-be-recorded-is-kept", test_result_is_not_lost);
    CASE("carries-many-once-each", test_many);
    CASE("understands-prefixes", test_prefixes);
    CASE("sums-up", test_summary);
    CASE("lists-what-the-filter-names", test_limit);
    CASE("exports-the-bytes", test_export);
    CASE("forgets-after-90-days", test_history_ends);
    CASE("tells-nobody-afterwards", test_tells_nobody_afterwards);
    return g_test_run();
}
