#include "hp-imap-filter.h"

#include <string.h>

#define ALL (HP_FILTER_COMMON | HP_FILTER_SELECTED_DELAYED | HP_FILTER_SUBTREE_ONE)

static gboolean
take(const char *text, guint allowed, gboolean utf8, HpImapFilter *filter)
{
    /* At the end of an exact allocation, so that ASan sees one octet too many. */
    g_autofree char *exact = g_memdup2(text, strlen(text));
    HpImapArgs args = hp_imap_args((HpSlice){ exact, strlen(text) });
    gboolean good = hp_imap_take_filter(&args, allowed, utf8, filter);

    g_assert_true(good == (args.wanted == NULL));
    return good && hp_imap_take_end(&args);
}

static gboolean
matches(const char *text, const char *name, gboolean subscribed)
{
    g_auto(HpImapFilter) filter = { 0, NULL };

    g_assert_true(take(text, ALL, FALSE, &filter));
    return hp_imap_filter_matches(&filter, name, subscribed);
}

static void
takes_each_kind(void)
{
    static const struct {
        const char *text; /* (unowned) */
        HpImapFilterKind kind;
    } cases[] = {
        { "selected", HP_FILTER_SELECTED },
        { "Selected-Delayed", HP_FILTER_SELECTED_DELAYED },
        { "INBOXES", HP_FILTER_INBOXES },
        { "personal", HP_FILTER_PERSONAL },
        { "subscribed", HP_FILTER_SUBSCRIBED },
        { "subtree a", HP_FILTER_SUBTREE },
        { "subtree-one (a)", HP_FILTER_SUBTREE_ONE },
        { "mailboxes (a \"b c\" {1}\r\nd)", HP_FILTER_MAILBOXES },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(HpImapFilter) filter = { 0, NULL };

        g_assert_true(take(cases[i].text, ALL, FALSE, &filter));
        g_assert_cmpint(filter.kind, ==, cases[i].kind);
        g_assert_false(take(cases[i].text, ALL & ~(guint)cases[i].kind, FALSE, &filter));
    }
}

static void
refuses_what_is_none(void)
{
    static const char *const cases[] = {
        "",           "all",          "selectedx",    "subtree",       "subtree ",
        "mailboxes(", "mailboxes ()", "mailboxes (a", "mailboxes (a )"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(HpImapFilter) filter = { 0, NULL };

        g_assert_false(take(cases[i], ALL, FALSE, &filter));
    }
}

static void
bounds_the_names(void)
{
    for (guint n = HP_IMAP_MAX_FILTER_NAMES; n <= HP_IMAP_MAX_FILTER_NAMES + 1; n++) {
        g_auto(HpImapFilter) filter = { 0, NULL };
        g_autoptr(GString) text = g_string_new("mailboxes (");

        for (guint i = 0; i < n; i++)
            g_string_append_printf(text, "%sbox%u", i > 0 ? " " : "", i);
        g_string_append_c(text, ')');
        g_assert_true(take(text->str, ALL, FALSE, &filter) ==
                      (n == HP_IMAP_MAX_FILTER_NAMES));
    }
}

static void
reads_names_as_the_store_keeps_them(void)
{
    g_auto(HpImapFilter) filter = { 0, NULL };

    g_assert_true(matches("mailboxes inbox", "INBOX", FALSE));
    g_assert_true(matches("mailboxes &APw-ber", "über", FALSE));
    g_assert_false(matches("mailboxes &APw-ber", "&APw-ber", FALSE));
    g_assert_true(take("mailboxes \"über\"", ALL, TRUE, &filter));
    g_assert_true(hp_imap_filter_matches(&filter, "über", FALSE));
}

static void
leaves_out_what_cannot_be_a_name(void)
{
    g_auto(HpImapFilter) filter = { 0, NULL };

    g_assert_true(take("mailboxes (a \"b//c\" \"\")", ALL, FALSE, &filter));
    g_assert_cmpuint(g_hash_table_size(filter.names), ==, 1);
}

static void
matches_by_its_kind(void)
{
    g_assert_true(matches("personal", "a/b", FALSE));
    g_assert_true(matches("inboxes", "a/b", FALSE));
    g_assert_true(matches("subscribed", "a", TRUE));
    g_assert_false(matches("subscribed", "a", FALSE));
    g_assert_true(matches("mailboxes (x a/b)", "a/b", FALSE));
    g_assert_false(matches("mailboxes (x a/b)", "a/b/c", FALSE));
    g_assert_false(matches("mailboxes \"*\"", "a", FALSE));
}

static void
matches_subtrees(void)
{
    g_assert_true(matches("subtree a", "a", FALSE));
    g_assert_true(matches("subtree a", "a/b/c/d", FALSE));
    g_assert_false(matches("subtree a", "ab", FALSE));
    g_assert_false(matches("subtree a/b", "a", FALSE));
    g_assert_true(matches("subtree-one a", "a", FALSE));
    g_assert_true(matches("subtree-one a", "a/b", FALSE));
    g_assert_false(matches("subtree-one a", "a/b/c", FALSE));
    g_assert_true(matches("subtree-one (x a/b)", "a/b/c", FALSE));
}

static void
never_matches_by_selection(void)
{
    g_assert_false(matches("selected", "INBOX", TRUE));
    g_assert_false(matches("selected-delayed", "INBOX", TRUE));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-filter/takes-each-kind", takes_each_kind);
    g_test_add_func("/imap-filter/refuses-what-is-none", refuses_what_is_none);
    g_test_add_func("/imap-filter/bounds-the-names", bounds_the_names);
    g_test_add_func("/imap-filter/reads-names-as-the-store-keeps-them",
                    reads_names_as_the_store_keeps_them);
    g_test_add_func("/imap-filter/leaves-out-what-cannot-be-a-name",
                    leaves_out_what_cannot_be_a_name);
    g_test_add_func("/imap-filter/matches-by-its-kind", matches_by_its_kind);
    g_test_add_func("/imap-filter/matches-subtrees", matches_subtrees);
    g_test_add_func("/imap-filter/never-matches-by-selection",
                    never_matches_by_selection);
    return g_test_run();
}
