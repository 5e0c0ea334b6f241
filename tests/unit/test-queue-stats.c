#include "queue-fixture.h"

#define HOUR G_TIME_SPAN_HOUR
#define ANNA "anna@example.org"

/* The fixture's clock when a test begins. */
#define START (20000 * G_TIME_SPAN_DAY)

static GVariant *
stats_since(Fixture *f, gint64 since_usec)
{
    g_autoptr(GError) error = NULL;
    GVariant *stats = hp_queue_stats(f->queue, since_usec, &error);

    g_assert_no_error(error);
    return g_variant_ref_sink(stats);
}

static guint
number(GVariant *dict, const char *key)
{
    guint32 n = G_MAXUINT32;

    g_assert_true(g_variant_lookup(dict, key, "u", &n));
    return n;
}

static guint
count_since(Fixture *f, gint64 since_usec, const char *key)
{
    g_autoptr(GVariant) stats = stats_since(f, since_usec);

    return number(stats, key);
}

/* Messages in the history; @result: (nullable) */
static guint
history_since(Fixture *f, gint64 since_usec, const char *result)
{
    g_autoptr(GVariant) messages = NULL;
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&b, "{sv}", "since", g_variant_new_int64(since_usec));
    if (result != NULL)
        g_variant_builder_add(&b, "{sv}", "result", g_variant_new_string(result));
    messages =
        g_variant_ref_sink(hp_queue_history(f->queue, g_variant_builder_end(&b), NULL));
    return (guint)g_variant_n_children(messages);
}

/* To one who is refused at once, and one whose server puts it off for days. */
static char *
submit_half(Fixture *f)
{
    char *id = fixture_submit(f, ANNA, "no@example.net,later@example.com", 0);

    fixture_wait_state(f, id, 0, "refused");
    while (fixture_attempts(f, id, 1) < 1)
        g_usleep(1000);
    return id;
}

static void
counts_who_is_done_while_others_wait(Fixture *f, gconstpointer data)
{
    g_autofree char *id = submit_half(f);
    g_autofree char *finished = fixture_field(f, id, 0, "finished");
    g_autofree char *waiting = fixture_field(f, id, 1, "finished");

    g_assert_cmpstr(finished, ==, "2024-10-04T00:00:00Z");
    g_assert_null(waiting);
    g_assert_cmpuint(count_since(f, 0, "refused"), ==, 1);
    g_assert_cmpuint(count_since(f, START, "refused"), ==, 1);
    g_assert_cmpuint(count_since(f, START, "recipients"), ==, 1);
    g_assert_cmpuint(count_since(f, START, "messages"), ==, 1);
    g_assert_cmpuint(count_since(f, START + 1, "refused"), ==, 0);
    g_assert_cmpuint(history_since(f, 0, NULL), ==, 1);
    g_assert_cmpuint(history_since(f, START, "refused"), ==, 1);
    g_assert_cmpuint(history_since(f, START, "delivered"), ==, 0);
    g_assert_cmpuint(history_since(f, START + 1, "refused"), ==, 0);
}

/* What was refused today must not be told again when the last recipient is done. */
static void
counts_each_recipient_once(Fixture *f, gconstpointer data)
{
    g_autofree char *id = submit_half(f);
    guint n = 0;

    fixture_set_clock(f, 2 * HOUR);
    g_assert_true(hp_queue_cancel(f->queue, id, &n, NULL));
    g_assert_cmpuint(count_since(f, START + HOUR, "refused"), ==, 0);
    g_assert_cmpuint(count_since(f, START + HOUR, "cancelled"), ==, 1);
    g_assert_cmpuint(count_since(f, START, "refused"), ==, 1);
    g_assert_cmpuint(count_since(f, START, "recipients"), ==, 2);
    g_assert_cmpuint(count_since(f, START, "messages"), ==, 1);
    g_assert_cmpuint(history_since(f, START + HOUR, "refused"), ==, 0);
    g_assert_cmpuint(history_since(f, START + HOUR, "cancelled"), ==, 1);
    g_assert_cmpuint(history_since(f, START, "refused"), ==, 1);
    g_assert_cmpuint(history_since(f, START, NULL), ==, 1);
}

/* Without its line, as an older version left it, the last attempt tells the time. */
static gboolean
forget_lines(HpDbConn *conn, gpointer unused, GError **error)
{
    return hp_db_run(conn, error, "DELETE FROM event", "");
}

static void
knows_about_when_an_older_version_settled(Fixture *f, gconstpointer data)
{
    g_free(submit_half(f));
    g_assert_true(hp_db_write(hp_queue_db(f->queue), forget_lines, NULL, NULL));
    g_assert_cmpuint(count_since(f, START, "refused"), ==, 1);
    g_assert_cmpuint(count_since(f, START + 1, "refused"), ==, 0);
}

static void
adds_up(Fixture *f, gconstpointer data)
{
    g_autofree char *sent =
        fixture_submit(f, ANNA, "ok@example.net,no@example.net,me", 0);
    g_autofree char *held = NULL;
    g_autoptr(GVariant) stats = NULL;
    g_autoptr(GVariant) domains = NULL;
    g_autoptr(GVariant) domain = NULL;
    guint n = 0;

    for (guint i = 0; i < 3; i++)
        fixture_wait_state(f, sent, i, i == 1 ? "refused" : "delivered");
    hp_queue_set_link(f->queue, HP_LINK_OFFLINE, FALSE);
    held = fixture_submit(f, ANNA, "ok@example.net,ok@example.net", 0);
    g_assert_true(hp_queue_cancel(f->queue, held, &n, NULL));
    stats = stats_since(f, 0);
    g_assert_cmpuint(number(stats, "messages"), ==, 2);
    g_assert_cmpuint(number(stats, "recipients"), ==, 5);
    g_assert_cmpuint(number(stats, "delivered"), ==, 2);
    g_assert_cmpuint(number(stats, "refused"), ==, 1);
    g_assert_cmpuint(number(stats, "expired"), ==, 0);
    g_assert_cmpuint(number(stats, "cancelled"), ==, 2);
    domains = g_variant_lookup_value(stats, "domains", G_VARIANT_TYPE("aa{sv}"));
    g_assert_cmpuint(g_variant_n_children(domains), ==, 1);
    domain = g_variant_get_child_value(domains, 0);
    g_assert_cmpuint(number(domain, "delivered"), ==, 1);
    g_assert_cmpuint(number(domain, "refused"), ==, 1);
    g_assert_cmpuint(number(domain, "cancelled"), ==, 2);
}

#define CASE(name, test)                                                                 \
    g_test_add("/queue-stats/" name, Fixture, NULL, fixture_set_up, test,                \
               fixture_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("counts-who-is-done-while-others-wait", counts_who_is_done_while_others_wait);
    CASE("counts-each-recipient-once", counts_each_recipient_once);
    CASE("knows-about-when-an-older-version-settled",
         knows_about_when_an_older_version_settled);
    CASE("adds-up", adds_up);
    return g_test_run();
}
