#include "hp-imap-notify-args.h"

#include <string.h>

#define BOTH (HP_NOTIFY_MESSAGE_NEW | HP_NOTIFY_MESSAGE_EXPUNGE)

static gboolean
take(const char *text, HpNotifyWish *wish)
{
    g_autofree char *exact = g_memdup2(text, strlen(text));
    HpImapArgs args = hp_imap_args((HpSlice){ exact, strlen(text) });
    gboolean good = hp_notify_take_wish(&args, FALSE, wish);

    g_assert_true(good || wish->unknown || args.wanted != NULL);
    return good;
}

static void
none_is_nothing(void)
{
    g_auto(HpNotifyWish) wish = { 0 };

    g_assert_true(take("none", &wish));
    g_assert_cmpuint(wish.selected, ==, 0);
    g_assert_cmpuint(hp_notify_wish_events(&wish, "INBOX", TRUE), ==, 0);
}

static void
knows_what_is_wanted_of_the_selected_one(void)
{
    g_auto(HpNotifyWish) wish = { 0 };
    g_auto(HpNotifyWish) delayed = { 0 };

    g_assert_true(take("SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (FROM)]) "
                       "MessageExpunge FlagChange))",
                       &wish));
    g_assert_cmpuint(wish.selected, ==, HP_NOTIFY_OF_MESSAGES);
    g_assert_false(wish.delayed);
    g_assert_false(wish.status);
    g_assert_cmpuint(wish.fetch.items, ==, HP_FETCH_UID);
    g_assert_cmpuint(wish.fetch.sections->len, ==, 1);
    g_assert_cmpuint(wish.groups->len, ==, 0);
    g_assert_true(
        take("SET STATUS (selected-delayed (MessageNew MessageExpunge))", &delayed));
    g_assert_true(delayed.delayed);
    g_assert_true(delayed.status);
    g_assert_cmpuint(delayed.selected, ==, BOTH);
    g_assert_cmpuint(delayed.fetch.items, ==, 0);
}

static void
knows_what_is_wanted_of_others(void)
{
    g_auto(HpNotifyWish) wish = { 0 };

    g_assert_true(take("SET (mailboxes INBOX (MessageNew MessageExpunge)) "
                       "(personal (SubscriptionChange)) (subtree a (MailboxName)) "
                       "(mailboxes b NONE)",
                       &wish));
    g_assert_cmpuint(wish.selected, ==, 0);
    g_assert_cmpuint(hp_notify_wish_events(&wish, "INBOX", FALSE), ==,
                     BOTH | HP_NOTIFY_SUBSCRIPTION_CHANGE);
    g_assert_true(hp_notify_wish_has(&wish, HP_NOTIFY_MAILBOX_NAME));
    g_assert_false(hp_notify_wish_has(&wish, HP_NOTIFY_MAILBOX_METADATA));
    g_assert_cmpuint(hp_notify_wish_events(&wish, "a/b", FALSE), ==,
                     HP_NOTIFY_MAILBOX_NAME | HP_NOTIFY_SUBSCRIPTION_CHANGE);
    g_assert_cmpuint(hp_notify_wish_events(&wish, "b", FALSE), ==,
                     HP_NOTIFY_SUBSCRIPTION_CHANGE);
}

/* RFC 5465 §3.1 */
static void
takes_the_example_of_the_rfc(void)
{
    g_auto(HpNotifyWish) wish = { 0 };

    g_assert_true(take("set status (selected MessageNew (uid "
                       "body.peek[header.fields (from to subject)]) MessageExpunge) "
                       "(subtree Lists MessageNew MessageExpunge)",
                       &wish));
    g_assert_cmpuint(wish.selected, ==, BOTH);
    g_assert_cmpuint(hp_notify_wish_events(&wish, "Lists/x", FALSE), ==, BOTH);
}

static void
refuses_what_is_wrong(void)
{
    static const char *const cases[] = {
        "",
        "SET",
        "SET ",
        "SET STATUS",
        "NONE ",
        "SET (personal)",
        "SET (personal ())",
        "SET (personal (MailboxName)",
        "SET (personal (MailboxName))(inboxes (MailboxName))",
        "SET (subtree-one a (MailboxName))",
        /* §5: "both events MUST be specified" */
        "SET (personal (MessageNew))",
        "SET (personal (MessageExpunge))",
        "SET (personal (FlagChange))",
        "SET (personal (MessageNew FlagChange))",
        /* §6.1: "It is an error to specify other types of events", "only one" */
        "SET (selected (MailboxName))",
        "SET (selected (MessageNew MessageExpunge SubscriptionChange))",
        "SET (selected NONE) (selected-delayed NONE)",
        /* §8: "may only be present for the SELECTED" */
        "SET (personal (MessageNew (UID) MessageExpunge))",
        "SET (selected (MessageNew () MessageExpunge))",
        "SET (selected (MessageNew (UID FOO) MessageExpunge))",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(HpNotifyWish) wish = { 0 };

        g_assert_false(take(cases[i], &wish));
        g_assert_false(wish.unknown);
    }
}

static void
tells_unknown_events_apart(void)
{
    static const char *const cases[] = {
        "SET (personal (AnnotationChange))",
        "SET (selected (MessageNew MessageExpunge AnnotationChange))",
        "SET (personal (MessageNew MessageExpunge)) (inboxes (Fireworks))",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(HpNotifyWish) wish = { 0 };

        g_assert_false(take(cases[i], &wish));
        g_assert_true(wish.unknown);
    }
}

static void
bounds_the_groups(void)
{
    for (guint n = HP_IMAP_MAX_FILTERS; n <= HP_IMAP_MAX_FILTERS + 1; n++) {
        g_auto(HpNotifyWish) wish = { 0 };
        g_autoptr(GString) text = g_string_new("SET");

        for (guint i = 0; i < n; i++)
            g_string_append(text, " (personal (MailboxName))");
        g_assert_true(take(text->str, &wish) == (n == HP_IMAP_MAX_FILTERS));
    }
}

static void
names_all_that_it_knows(void)
{
    g_autoptr(GString) all = g_string_new("SET (personal (");
    g_auto(HpNotifyWish) wish = { 0 };

    hp_notify_out_events(all);
    g_string_append(all, "))");
    g_assert_true(take(all->str, &wish));
    g_assert_cmpuint(hp_notify_wish_events(&wish, "a", FALSE), ==,
                     HP_NOTIFY_OF_MESSAGES | HP_NOTIFY_MAILBOX_NAME |
                         HP_NOTIFY_SUBSCRIPTION_CHANGE | HP_NOTIFY_MAILBOX_METADATA |
                         HP_NOTIFY_SERVER_METADATA);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-notify-args/none-is-nothing", none_is_nothing);
    g_test_add_func("/imap-notify-args/knows-what-is-wanted-of-the-selected-one",
                    knows_what_is_wanted_of_the_selected_one);
    g_test_add_func("/imap-notify-args/knows-what-is-wanted-of-others",
                    knows_what_is_wanted_of_others);
    g_test_add_func("/imap-notify-args/takes-the-example-of-the-rfc",
                    takes_the_example_of_the_rfc);
    g_test_add_func("/imap-notify-args/refuses-what-is-wrong", refuses_what_is_wrong);
    g_test_add_func("/imap-notify-args/tells-unknown-events-apart",
                    tells_unknown_events_apart);
    g_test_add_func("/imap-notify-args/bounds-the-groups", bounds_the_groups);
    g_test_add_func("/imap-notify-args/names-all-that-it-knows", names_all_that_it_knows);
    return g_test_run();
}
