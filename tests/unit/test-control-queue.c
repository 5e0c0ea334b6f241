#include "control-fixture.h"

/* ---- pausing --------------------------------------------------------------------------
 */

static void
check_pause(Fixture *f, gint64 until, const char *want)
{
    g_autoptr(GVariant) status = NULL;

    g_assert_null(ask(f, "Pause", g_variant_new("(x)", until)));
    status = ask(f, "Status", NULL);
    g_assert_cmpstr(text_in(status, "state"), ==, "paused");
    g_assert_cmpstr(text_in(status, "paused_until"), ==, want);
}

static void
pauses_until_a_time_or_until_resumed(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) status = NULL;

    check_pause(f, FAR_USEC, FAR_FUTURE);
    check_pause(f, 0, "");
    check_pause(f, -1, "");
    check_pause(f, G_MININT64, "");
    check_pause(f, YEAR_10000, "");
    check_pause(f, G_MAXINT64 - 1, "");
    g_assert_null(ask(f, "Resume", NULL));
    status = ask(f, "Status", NULL);
    g_assert_cmpstr(text_in(status, "state"), ==, "running");
    g_assert_null(text_in(status, "paused_until"));
}

/* ---- the queue ------------------------------------------------------------------------
 */

static void
lists_what_the_filter_lets_through(Fixture *f, gconstpointer data)
{
    g_autofree char *bob = fixture_submit(f, "bob@far.example");
    g_autoptr(GVariant) all = NULL;
    g_autoptr(GVariant) first = NULL;
    g_autoptr(GVariant) recipient = NULL;
    GVariantDict odd;

    submit(f, "eva@near.example");
    all = ask(f, "Queue", filter(NULL, NULL));
    first = g_variant_get_child_value(all, 0);
    recipient = row_in(first, "recipients", 0);
    g_assert_cmpuint(g_variant_n_children(all), ==, 2);
    g_assert_cmpstr(text_in(first, "id"), ==, bob);
    g_assert_cmpstr(text_in(first, "from"), ==, "anna@home.example");
    g_assert_cmpstr(text_in(first, "subject"), ==, "test");
    g_assert_cmpuint(octets_in(first, "size"), ==, 25);
    g_assert_cmpstr(text_in(first, "submitted"), ==, "2024-10-04T00:00:00Z");
    g_assert_cmpstr(text_in(recipient, "address"), ==, "bob@far.example");
    g_assert_cmpstr(text_in(recipient, "state"), ==, "waiting");
    g_assert_cmpuint(number_in(recipient, "attempts"), ==, 0);

    g_assert_cmpuint(count_of(f, "Queue", filter("to", "near.example")), ==, 1);
    g_assert_cmpuint(count_of(f, "Queue", filter("to", "eva@near.example")), ==, 1);
    g_assert_cmpuint(count_of(f, "Queue", filter("to", "nowhere.example")), ==, 0);
    g_assert_cmpuint(count_of(f, "Queue", filter("state", "waiting")), ==, 2);
    g_assert_cmpuint(count_of(f, "Queue", filter("state", "held")), ==, 0);
    check_error(f, "Queue", filter("state", "no such state"), "Invalid");
    /* Members that are unknown, or of another type, say nothing. */
    g_variant_dict_init(&odd, NULL);
    g_variant_dict_insert(&odd, "to", "u", 7);
    g_variant_dict_insert(&odd, "colour", "s", "red");
    g_variant_dict_insert(&odd, "limit", "u", 1);
    g_assert_cmpuint(
        count_of(f, "Queue", g_variant_new("(@a{sv})", g_variant_dict_end(&odd))), ==, 1);
}

static void
shows_one_message_by_any_unique_beginning(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autofree char *lower = g_ascii_strdown(id, 3);
    g_autoptr(GVariant) message = ask(f, "Message", g_variant_new("(s)", lower));
    g_autoptr(GVariant) story = row_in(message, "story", 0);

    g_assert_cmpstr(text_in(message, "id"), ==, id);
    g_assert_cmpstr(text_in(story, "kind"), ==, "accepted");

    submit(f, "eva@near.example");
    check_error(f, "Message", g_variant_new("(s)", ""), "NotFound"); /* fits both */
}

/* Ids come from outside: each method that takes one says NotFound to all of these. */
static void
knows_no_message_by_a_wrong_id(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autofree char *long_id = g_strnfill(100000, 'Z');
    g_autofree char *longer = g_strconcat(id, "0", NULL);
    const char *const wrong[] = {
        "ZZZZZZ", longer, "%s%n",        "a\nb", "'; --",           "\303\274",
        long_id,  "*",    "../queue.db", "?",    "\360\237\230\200"
    };

    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        check_error(f, "Message", g_variant_new("(s)", wrong[i]), "NotFound");
        check_error(f, "Export", g_variant_new("(s)", wrong[i]), "NotFound");
        check_error(f, "Explain", g_variant_new("(s)", wrong[i]), "NotFound");
        check_error(f, "Hold", one_id_until(wrong[i], 0), "NotFound");
        check_error(f, "Release", one_id(wrong[i]), "NotFound");
        check_error(f, "Cancel", one_id(wrong[i]), "NotFound");
        check_error(f, "Retry",
                    g_variant_new("(^as@a{sv})", (const char *const[]){ wrong[i], NULL },
                                  g_variant_new("a{sv}", NULL)),
                    "NotFound");
    }
    check_state(f, id, "waiting");
}

static void
sums_the_queue_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) summary = NULL;
    g_autoptr(GVariant) destination = NULL;

    submit(f, "bob@far.example");
    submit(f, "eva@far.example");
    summary = ask(f, "Summary", NULL);
    destination = row_in(summary, "destinations", 0);
    g_assert_cmpuint(number_in(summary, "messages"), ==, 2);
    g_assert_cmpuint(number_in(summary, "recipients"), ==, 2);
    g_assert_cmpuint(octets_in(summary, "size"), ==, 50);
    g_assert_cmpuint(number_in(summary, "waiting"), ==, 2);
    g_assert_cmpuint(number_in(summary, "held"), ==, 0);
    g_assert_cmpstr(text_in(summary, "oldest"), ==, "2024-10-04T00:00:00Z");
    g_assert_cmpstr(text_in(destination, "domain"), ==, "far.example");
    g_assert_cmpuint(number_in(destination, "recipients"), ==, 2);
}

static void
says_of_a_destination_that_it_waits_for_the_line(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) summary = NULL;
    g_autoptr(GVariant) destination = NULL;
    g_autoptr(GVariant) row = ask(f, "Explain", g_variant_new("(s)", "offline"));

    submit(f, "bob@far.example");
    hp_queue_set_link(f->parts.queue, HP_LINK_OFFLINE, FALSE);
    g_assert_null(ask(f, "Pause", g_variant_new("(x)", (gint64)0)));
    summary = ask(f, "Summary", NULL);
    destination = row_in(summary, "destinations", 0);
    g_assert_cmpstr(text_in(destination, "state"), ==, "offline");
    g_assert_cmpstr(text_in(destination, "explanation"), ==, text_in(row, "meaning"));
    g_assert_null(text_in(destination, "next_attempt"));
}

static void
holds_releases_and_cancels(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autoptr(GVariant) message = NULL;
    g_autoptr(GVariant) recipient = NULL;

    check_error(f, "Release", one_id(id), "State");
    g_assert_cmpuint(ask_number(f, "Hold", one_id_until(id, FAR_USEC)), ==, 1);
    message = ask(f, "Message", g_variant_new("(s)", id));
    recipient = row_in(message, "recipients", 0);
    g_assert_cmpstr(text_in(recipient, "state"), ==, "held");
    g_assert_cmpstr(text_in(recipient, "held_until"), ==, FAR_FUTURE);
    g_assert_cmpuint(ask_number(f, "Release", one_id(id)), ==, 1);
    check_state(f, id, "waiting");
    g_assert_cmpuint(ask_number(f, "Cancel", one_id(id)), ==, 1);
    check_error(f, "Cancel", one_id(id), "State");
    check_error(f, "Hold", one_id_until(id, 0), "State");
}

static void
holds_for_good_what_is_held_without_an_end(Fixture *f, gconstpointer data)
{
    static const gint64 untils[] = { 0, -1, YEAR_10000, G_MAXINT64 };

    for (guint i = 0; i < G_N_ELEMENTS(untils); i++) {
        g_autofree char *id = fixture_submit(f, "bob@far.example");
        g_autoptr(GVariant) message = NULL;
        g_autoptr(GVariant) recipient = NULL;

        g_assert_cmpuint(ask_number(f, "Hold", one_id_until(id, untils[i])), ==, 1);
        message = ask(f, "Message", g_variant_new("(s)", id));
        recipient = row_in(message, "recipients", 0);
        g_assert_cmpstr(text_in(recipient, "state"), ==, "held");
        g_assert_null(text_in(recipient, "held_until"));
    }
}

static void
changes_several_messages_at_once(Fixture *f, gconstpointer data)
{
    g_autofree char *bob = fixture_submit(f, "bob@far.example");
    g_autofree char *eva = fixture_submit(f, "eva@far.example");
    const char *const ids[] = { bob, eva, NULL };
    const char *const none[] = { NULL };

    g_assert_cmpuint(ask_number(f, "Hold", g_variant_new("(^asx)", ids, (gint64)0)), ==,
                     2);
    check_state(f, bob, "held");
    check_state(f, eva, "held");
    g_assert_cmpuint(ask_number(f, "Release", g_variant_new("(^as)", ids)), ==, 2);
    g_assert_cmpuint(ask_number(f, "Cancel", g_variant_new("(^as)", none)), ==, 0);
    g_assert_cmpuint(ask_number(f, "Cancel", g_variant_new("(^as)", ids)), ==, 2);
}

/* A person who reads "there is no message" must not have lost another one. */
static void
changes_nothing_if_one_id_is_unknown(Fixture *f, gconstpointer data)
{
    g_autofree char *bob = fixture_submit(f, "bob@far.example");
    const char *const ids[] = { bob, "ZZZZZZ", NULL };

    check_error(f, "Cancel", g_variant_new("(^as)", ids), "NotFound");
    check_error(f, "Hold", g_variant_new("(^asx)", ids, (gint64)0), "NotFound");
    check_state(f, bob, "waiting");
}

static void
changes_the_others_if_one_cannot_be(Fixture *f, gconstpointer data)
{
    g_autofree char *bob = fixture_submit(f, "bob@far.example");
    g_autofree char *eva = fixture_submit(f, "eva@far.example");
    g_autofree char *prefix = g_strndup(eva, 5);
    const char *const ids[] = { bob, eva, NULL };
    const char *const twice[] = { eva, prefix, NULL };
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(ask_number(f, "Cancel", one_id(bob)), ==, 1);
    g_assert_null(
        fixture_call(f, "Hold", g_variant_new("(^asx)", ids, (gint64)0), &error));
    g_assert_nonnull(strstr(error->message, bob));
    check_state(f, bob, "cancelled");
    check_state(f, eva, "held");
    g_assert_cmpuint(ask_number(f, "Cancel", g_variant_new("(^as)", twice)), ==, 1);
}

static guint
retry(Fixture *f, const char *id, const char *option, GVariant *value)
{
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    if (option != NULL)
        g_variant_dict_insert_value(&options, option, value);
    return ask_number(f, "Retry",
                      g_variant_new("(^as@a{sv})", (const char *const[]){ id, NULL },
                                    g_variant_dict_end(&options)));
}

static void
makes_messages_due_now(Fixture *f, gconstpointer data)
{
    g_autofree char *bob = fixture_submit(f, "bob@far.example");
    g_autofree char *want =
        g_strdup_printf("this message is held back\nhauspost queue release %s", bob);
    g_autoptr(GError) error = NULL;

    submit(f, "eva@near.example");
    g_assert_cmpuint(retry(f, bob, NULL, NULL), ==, 1);
    g_assert_cmpuint(retry(f, NULL, NULL, NULL), ==, 0);
    g_assert_cmpuint(retry(f, NULL, "all", g_variant_new_boolean(TRUE)), ==, 2);
    g_assert_cmpuint(retry(f, NULL, "all", g_variant_new_boolean(FALSE)), ==, 0);
    g_assert_cmpuint(retry(f, NULL, "to", g_variant_new_string("near.example")), ==, 1);
    g_assert_cmpuint(retry(f, NULL, "to", g_variant_new_string("no.example")), ==, 0);
    g_assert_cmpuint(retry(f, NULL, "to", g_variant_new_uint32(7)), ==, 0);
    g_assert_cmpuint(ask_number(f, "Hold", one_id_until(bob, 0)), ==, 1);
    g_assert_null(
        fixture_call(f, "Retry",
                     g_variant_new("(^as@a{sv})", (const char *const[]){ bob, NULL },
                                   g_variant_new("a{sv}", NULL)),
                     &error));
    g_assert_error(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE);
    g_dbus_error_strip_remote_error(error);
    g_assert_cmpstr(error->message, ==, want);
}

static void
exports_what_is_still_there(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        fixture_call_for_text(f, "Export", g_variant_new("(s)", id), &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "Subject: test\r\n\r\nHello.\r\n");
    g_assert_cmpuint(ask_number(f, "Cancel", one_id(id)), ==, 1);
    check_error(f, "Export", g_variant_new("(s)", id), "State");
}

static void
remembers_what_is_finished(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autoptr(GVariant) stats = NULL;
    g_autoptr(GVariant) domain = NULL;
    GVariantDict since;

    g_assert_cmpuint(count_of(f, "History", filter(NULL, NULL)), ==, 0);
    g_assert_cmpuint(ask_number(f, "Cancel", one_id(id)), ==, 1);
    g_assert_cmpuint(count_of(f, "Queue", filter(NULL, NULL)), ==, 0);
    g_assert_cmpuint(count_of(f, "History", filter(NULL, NULL)), ==, 1);
    g_assert_cmpuint(count_of(f, "History", filter("result", "cancelled")), ==, 1);
    g_assert_cmpuint(count_of(f, "History", filter("result", "delivered")), ==, 0);
    check_error(f, "History", filter("result", "waiting"), "Invalid");
    g_variant_dict_init(&since, NULL);
    g_variant_dict_insert(&since, "since", "x", FAR_USEC);
    g_assert_cmpuint(
        count_of(f, "History", g_variant_new("(@a{sv})", g_variant_dict_end(&since))), ==,
        0);

    stats = ask(f, "HistoryStats", g_variant_new("(x)", (gint64)0));
    domain = row_in(stats, "domains", 0);
    g_assert_cmpuint(number_in(stats, "messages"), ==, 1);
    g_assert_cmpuint(number_in(stats, "cancelled"), ==, 1);
    g_assert_cmpuint(number_in(stats, "delivered"), ==, 0);
    g_assert_null(text_in(stats, "since"));
    g_assert_cmpstr(text_in(domain, "domain"), ==, "far.example");
    g_variant_unref(g_steal_pointer(&stats));
    stats = ask(f, "HistoryStats", g_variant_new("(x)", FAR_USEC));
    g_assert_cmpuint(number_in(stats, "messages"), ==, 0);
    g_assert_cmpstr(text_in(stats, "since"), ==, FAR_FUTURE);
}

/* ---- explaining -----------------------------------------------------------------------
 */

static void
check_explained(Fixture *f, const char *what)
{
    g_autoptr(GVariant) answer = ask(f, "Explain", g_variant_new("(s)", what));

    g_assert_cmpstr(text_in(answer, "code"), ==, what);
    g_assert_cmpuint(strlen(text_in(answer, "meaning")), >, 0);
    g_assert_cmpuint(strlen(text_in(answer, "side")), >, 0);
    g_assert_cmpuint(strlen(text_in(answer, "advice")), >, 0);
}

static void
explains_replies_and_states_by_name(Fixture *f, gconstpointer data)
{
    g_autoptr(GVariant) full = NULL;
    g_autoptr(GVariant) spam = NULL;

    check_explained(f, "550");
    check_explained(f, "5.1.1");
    check_explained(f, "550 5.1.1");
    check_explained(f, "no-25");
    check_explained(f, " 5.7.1 go away");
    check_explained(f, "550-5.7.1 go away");
    full = ask(f, "Explain", g_variant_new("(s)", "452 4.2.2"));
    spam = ask(f, "Explain", g_variant_new("(s)", "550 5.1.1"));
    g_assert_cmpstr(text_in(full, "meaning"), !=, text_in(spam, "meaning"));
}

static void
check_explained_id(Fixture *f, const char *what, const char *id)
{
    g_autoptr(GVariant) answer = ask(f, "Explain", g_variant_new("(s)", what));

    g_assert_cmpstr(text_in(answer, "id"), ==, id);
    g_assert_null(text_in(answer, "code"));
    g_assert_cmpuint(strlen(text_in(answer, "meaning")), >, 0);
    g_assert_cmpuint(strlen(text_in(answer, "advice")), >, 0);
}

/* The state of @id is explained by row @row, with a command to type or none. */
static void
check_explained_by(Fixture *f, const char *id, const char *row, const char *command)
{
    g_autoptr(GVariant) answer = ask(f, "Explain", g_variant_new("(s)", id));
    g_autoptr(GVariant) by_row = ask(f, "Explain", g_variant_new("(s)", row));
    g_autoptr(GVariant) message = ask(f, "Message", g_variant_new("(s)", id));
    g_autoptr(GVariant) recipient = row_in(message, "recipients", 0);

    g_assert_cmpstr(text_in(answer, "meaning"), ==, text_in(by_row, "meaning"));
    g_assert_cmpstr(text_in(answer, "command"), ==, command);
    g_assert_cmpstr(text_in(recipient, "explanation"), ==, text_in(by_row, "meaning"));
    g_assert_cmpstr(text_in(recipient, "command"), ==, command);
}

/* Nobody has said anything about these, but there is something to say. */
static void
explains_states_without_a_reply(Fixture *f, gconstpointer data)
{
    g_autofree char *id = fixture_submit(f, "bob@far.example");
    g_autofree char *release = g_strdup_printf("hauspost queue release %s", id);

    check_explained_by(f, id, "not-tried", NULL);
    g_assert_null(ask(f, "Pause", g_variant_new("(x)", (gint64)0)));
    check_explained_by(f, id, "paused", "hauspost resume");
    g_assert_null(ask(f, "Resume", NULL));
    g_assert_cmpuint(ask_number(f, "Hold", one_id_until(id, 0)), ==, 1);
    check_explained_by(f, id, "held", release);
    g_assert_cmpuint(ask_number(f, "Cancel", one_id(id)), ==, 1);
    check_explained_by(f, id, "cancelled", NULL);
}

/* An id has a letter among its first four characters, but three digits may come first. */
static void
takes_no_id_for_a_reply(Fixture *f, gconstpointer data)
{
    fixture_submit_as(f, "550KXM", "bob@far.example");
    fixture_submit_as(f, "4217QZ", "bob@far.example");
    check_explained_id(f, "550KXM", "550KXM");
    check_explained_id(f, "550kx", "550KXM");
    check_explained_id(f, "4217QZ", "4217QZ");
    check_explained_id(f, "4217", "4217QZ");
    check_error(f, "Explain", g_variant_new("(s)", "551KXM"), "NotFound");
    check_error(f, "Explain", g_variant_new("(s)", "999"), "NotFound");
    check_explained(f, "550");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, run)                                                                  \
    g_test_add("/control-queue/" name, Fixture, NULL, fixture_set_up, run,               \
               fixture_tear_down)
    CASE("pauses-until-a-time-or-until-resumed", pauses_until_a_time_or_until_resumed);
    CASE("lists-what-the-filter-lets-through", lists_what_the_filter_lets_through);
    CASE("shows-one-message-by-any-unique-beginning",
         shows_one_message_by_any_unique_beginning);
    CASE("knows-no-message-by-a-wrong-id", knows_no_message_by_a_wrong_id);
    CASE("sums-the-queue-up", sums_the_queue_up);
    CASE("says-of-a-destination-that-it-waits-for-the-line",
         says_of_a_destination_that_it_waits_for_the_line);
    CASE("holds-releases-and-cancels", holds_releases_and_cancels);
    CASE("holds-for-good-what-is-held-without-an-end",
         holds_for_good_what_is_held_without_an_end);
    CASE("changes-several-messages-at-once", changes_several_messages_at_once);
    CASE("changes-nothing-if-one-id-is-unknown", changes_nothing_if_one_id_is_unknown);
    CASE("changes-the-others-if-one-cannot-be", changes_the_others_if_one_cannot_be);
    CASE("makes-messages-due-now", makes_messages_due_now);
    CASE("exports-what-is-still-there", exports_what_is_still_there);
    CASE("remembers-what-is-finished", remembers_what_is_finished);
    CASE("explains-replies-and-states-by-name", explains_replies_and_states_by_name);
    CASE("explains-states-without-a-reply", explains_states_without_a_reply);
    CASE("takes-no-id-for-a-reply", takes_no_id_for_a_reply);
    return g_test_run();
}
