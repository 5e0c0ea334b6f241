/* Tests of hp-imap-search-candidates: one case for each sentence of its header. */
#include "hp-imap-search-candidates.h"

#include "store-fixture.h"

/* Ten messages, of which 2 and 4 have gone: uids 1, 3, 5, 6, 7, 8, 9, 10. */
static HpView *
open_view(StoreFixture *f)
{
    static const guint32 gone[] = { 2, 4 };
    g_autoptr(GError) error = NULL;
    HpView *view;

    store_fill(f, HP_STORE_INBOX, 10);
    hp_store_expunge(f->store, HP_STORE_INBOX, gone, G_N_ELEMENTS(gone), &error);
    g_assert_no_error(error);
    view = hp_view_open(f->store, HP_STORE_INBOX, NULL, &error);
    g_assert_no_error(error);
    return view;
}

static void
assert_candidates(HpView *view, const char *text, const char *expected)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    guint32 n = hp_view_len(view), seq;
    HpSearchScope scope = { n, hp_view_uid(view, n), NULL };
    gboolean bad_charset;
    g_autoptr(HpSearchProgram) program =
        hp_search_program_parse(&args, NULL, &scope, &bad_charset);
    HpSearchCandidates candidates;
    g_autoptr(GString) seqs = g_string_new(NULL);

    g_assert_nonnull(program);
    candidates = hp_search_candidates(program, view);
    for (guint32 left = hp_search_candidates_left(&candidates);
         hp_search_candidates_next(&candidates, &seq); left--) {
        g_assert_cmpuint(left, >, 0);
        g_string_append_printf(seqs, seqs->len > 0 ? " %u" : "%u", seq);
    }
    g_assert_cmpuint(hp_search_candidates_left(&candidates), ==, 0);
    g_assert_cmpstr(seqs->str, ==, expected);
}

static void
test_all_that_can_match(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = open_view(f);

    assert_candidates(view, "ALL", "1 2 3 4 5 6 7 8");
    assert_candidates(view, "OR 1 SEEN", "1 2 3 4 5 6 7 8");
    assert_candidates(view, "NOT 1", "1 2 3 4 5 6 7 8");
}

static void
test_within_the_sets_of_the_program(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = open_view(f);

    assert_candidates(view, "3:5 SEEN", "3 4 5");
    assert_candidates(view, "3,6", "3 4 5 6");
    assert_candidates(view, "SEEN UID 4:6", "3 4");
    assert_candidates(view, "UID 2", "");
    assert_candidates(view, "UID 10:*", "8");
    assert_candidates(view, "UID 900:*", "8");
    assert_candidates(view, "UID 900:4294967295", "");
    assert_candidates(view, "2:7 UID 1:5", "2 3");
    assert_candidates(view, "2 4", "");
    assert_candidates(view, "100", "");
    assert_candidates(view, "$", "");
}

static void
test_nothing_in_an_empty_mailbox(StoreFixture *f, gconstpointer unused)
{
    g_autoptr(HpView) view = hp_view_open(f->store, HP_STORE_INBOX, NULL, NULL);
    HpImapArgs args = hp_imap_args(HP_SLICE_LITERAL("1:*"));
    const HpSearchScope scope = { 0, 0, NULL };
    gboolean bad_charset;
    g_autoptr(HpSearchProgram) program =
        hp_search_program_parse(&args, NULL, &scope, &bad_charset);
    HpSearchCandidates candidates = hp_search_candidates(program, view);
    guint32 seq;

    g_assert_false(hp_search_candidates_next(&candidates, &seq));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/imap-search-candidates/all-that-can-match", StoreFixture, NULL,
               store_fixture_set_up, test_all_that_can_match, store_fixture_tear_down);
    g_test_add("/imap-search-candidates/within-the-sets-of-the-program", StoreFixture,
               NULL, store_fixture_set_up, test_within_the_sets_of_the_program,
               store_fixture_tear_down);
    g_test_add("/imap-search-candidates/nothing-in-an-empty-mailbox", StoreFixture, NULL,
               store_fixture_set_up, test_nothing_in_an_empty_mailbox,
               store_fixture_tear_down);
    return g_test_run();
}
