/* Tests of SEARCH, SORT and THREAD as commands, over a real store. The session's writer
 * is a stand-in: what it would write is gathered in the session's buffer for commands. */
#include "hp-imap-search.h"

#include "store-fixture.h"

#include <string.h>

#define DAY ((gint64)24 * 3600 * G_USEC_PER_SEC)

typedef struct {
    StoreFixture store;
    HpImapOptions options;
    HpImapSession s;
} Fixture;

/* --- the stand-in --------------------------------------------------------------------
 */

void
hp_imap_write(HpImapSession *s, HpSlice bytes)
{
    g_string_append_len(s->command, bytes.data, (gssize)bytes.len);
}

void
hp_imap_ok(HpImapSession *s, const char *code, const char *text)
{
    g_string_append(s->command, "OK");
}

void
hp_imap_no(HpImapSession *s, const char *code, const char *text)
{
    g_string_append_printf(s->command, "NO [%s]", code);
}

void
hp_imap_fail(HpImapSession *s, const GError *error)
{
    g_string_append(s->command, "FAILED");
}

void
hp_imap_use_condstore(HpImapSession *s)
{
    s->condstore = TRUE;
}

gboolean
hp_imap_progress(HpImapSession *s, guint64 done, guint64 goal)
{
    g_assert_cmpuint(done, <=, goal);
    return s->state != HP_IMAP_ENDED;
}

/* --- fixture -------------------------------------------------------------------------
 */

static void
set_up(Fixture *f, gconstpointer unused)
{
    store_fixture_set_up(&f->store, NULL);
    f->options = (HpImapOptions){ .store = f->store.store, .clock = &f->store.clock };
    f->s = (HpImapSession){ .options = &f->options,
                            .state = HP_IMAP_SELECTED,
                            .command = g_string_new(NULL),
                            .tag = g_strdup("A1") };
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    g_clear_pointer(&f->s.view, hp_view_close);
    g_clear_pointer(&f->s.saved, g_array_unref);
    g_string_free(f->s.command, TRUE);
    g_free(f->s.tag);
    store_fixture_tear_down(&f->store, NULL);
}

static void
add(Fixture *f, const char *text, guint32 flags)
{
    store_append(&f->store, HP_STORE_INBOX, text, flags, NULL);
}

static void
open_view(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    f->s.view = hp_view_open(f->store.store, HP_STORE_INBOX, NULL, &error);
    g_assert_no_error(error);
}

/* Five messages with the uids 2 to 6; 2, 3 and 5 of them (seq 1, 2, 4) are flagged. */
static void
fill(Fixture *f)
{
    static const guint32 gone[] = { 1 };

    add(f, "\r\n", 0);
    add(f, "Subject: b\r\nFrom: x@y\r\nMessage-ID: <1@x>\r\n\r\nfirst\r\n",
        HP_STORE_FLAGGED);
    add(f, "Subject: a\r\nFrom: x@y\r\n\r\nsecond\r\n", HP_STORE_FLAGGED);
    add(f, "Subject: Re: b\r\nReferences: <1@x>\r\n\r\nthird\r\n", 0);
    add(f, "Subject: c\r\n\r\nfourth word\r\n", HP_STORE_FLAGGED);
    add(f, "Subject: re: a\r\n\r\nfifth word\r\n", 0);
    hp_store_expunge(f->store.store, HP_STORE_INBOX, gone, 1, NULL);
    open_view(f);
}

static gboolean
run(Fixture *f, HpImapRun command, const char *text, gboolean uid)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    gboolean good;

    g_string_truncate(f->s.command, 0);
    good = command(&f->s, &args, uid);
    g_assert_cmpint(good, ==, args.wanted == NULL);
    return good;
}

static void
assert_says(Fixture *f, HpImapRun command, const char *text, const char *expected)
{
    g_assert_true(run(f, command, text, FALSE));
    g_assert_cmpstr(f->s.command->str, ==, expected);
}

static void
assert_says_uids(Fixture *f, HpImapRun command, const char *text, const char *expected)
{
    g_assert_true(run(f, command, text, TRUE));
    g_assert_cmpstr(f->s.command->str, ==, expected);
}

static void
assert_saved(Fixture *f, const char *expected)
{
    g_autoptr(GString) saved = g_string_new(NULL);

    for (guint i = 0; f->s.saved != NULL && i < f->s.saved->len; i++)
        g_string_append_printf(saved, i > 0 ? " %u" : "%u",
                               g_array_index(f->s.saved, guint32, i));
    g_assert_cmpstr(saved->str, ==, expected);
}

/* --- SEARCH --------------------------------------------------------------------------
 */

static void
test_answers_with_numbers(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_search, " FLAGGED", "* SEARCH 1 2 4\r\nOK");
    assert_says_uids(f, hp_imap_cmd_search, " FLAGGED", "* SEARCH 2 3 5\r\nOK");
    assert_says(f, hp_imap_cmd_search, " BODY nothing", "* SEARCH\r\nOK");
    assert_says(f, hp_imap_cmd_search, " SUBJECT B", "* SEARCH 1 3\r\nOK");
    assert_says(f, hp_imap_cmd_search, " OR 5 OR BODY SECOND SUBJECT b",
                "* SEARCH 1 2 3 5\r\nOK");
}

static void
test_rev2_answers_esearch(Fixture *f, gconstpointer unused)
{
    fill(f);
    f->s.rev2 = TRUE;
    assert_says(f, hp_imap_cmd_search, " FLAGGED",
                "* ESEARCH (TAG \"A1\") ALL 1:2,4\r\nOK");
    assert_says_uids(f, hp_imap_cmd_search, " BODY nothing",
                     "* ESEARCH (TAG \"A1\") UID\r\nOK");
}

static void
test_returns_what_is_asked(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_search, " RETURN () FLAGGED",
                "* ESEARCH (TAG \"A1\") ALL 1:2,4\r\nOK");
    assert_says(f, hp_imap_cmd_search, " RETURN (MIN COUNT) FLAGGED",
                "* ESEARCH (TAG \"A1\") MIN 1 COUNT 3\r\nOK");
    assert_says_uids(f, hp_imap_cmd_search, " return (max min) flagged",
                     "* ESEARCH (TAG \"A1\") UID MIN 2 MAX 5\r\nOK");
    assert_says(f, hp_imap_cmd_search, " RETURN (MIN MAX COUNT ALL) DELETED",
                "* ESEARCH (TAG \"A1\") COUNT 0\r\nOK");
}

/* The table of RFC 9051 §6.4.4.1 */
static void
test_saves_what_the_table_says(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *command;
        const char *saved;
    } rows[] = {
        { " RETURN (SAVE) FLAGGED", "2 3 5" },
        { " RETURN (SAVE MIN) FLAGGED", "2" },
        { " RETURN (SAVE MAX) FLAGGED", "5" },
        { " RETURN (MAX SAVE MIN) FLAGGED", "2 5" },
        { " RETURN (MAX SAVE MIN) 2", "3" }, /* the same is one */
        { " RETURN (MAX SAVE MIN COUNT) FLAGGED", "2 3 5" },
        { " RETURN (ALL SAVE MIN) FLAGGED", "2 3 5" },
        { " RETURN (ALL) SEEN", "2 3 5" }, /* not SAVE: not changed */
        { " RETURN (SAVE) DELETED", "" },
    };

    fill(f);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(run(f, hp_imap_cmd_search, rows[i].command, FALSE));
        assert_saved(f, rows[i].saved);
    }
    assert_says(f, hp_imap_cmd_search, " RETURN (SAVE) FLAGGED", "OK");
}

static void
test_searches_in_what_was_saved(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_search, " RETURN (SAVE) FLAGGED", "OK");
    assert_says(f, hp_imap_cmd_search, " $ SUBJECT b", "* SEARCH 1\r\nOK");
    assert_says_uids(f, hp_imap_cmd_search, " UID $ BODY f", "* SEARCH 2 5\r\nOK");
    assert_says(f, hp_imap_cmd_search, " NOT $", "* SEARCH 3 5\r\nOK");
}

static void
test_unknown_charset_forgets_what_was_saved(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_search, " RETURN (SAVE) FLAGGED", "OK");
    assert_says(f, hp_imap_cmd_search, " CHARSET X-NONE BODY x",
                "NO [BADCHARSET (US-ASCII UTF-8)]");
    assert_saved(f, "2 3 5");
    assert_says(f, hp_imap_cmd_search, " RETURN (SAVE) CHARSET X-NONE (OR $ 1) BODY x",
                "NO [BADCHARSET (US-ASCII UTF-8)]");
    assert_saved(f, "");
}

static void
test_refuses_what_makes_no_sense(Fixture *f, gconstpointer unused)
{
    static const char *const bad[] = { "",
                                       " ",
                                       " RETURN",
                                       " RETURN (MIN)",
                                       " RETURN (MIN ALL",
                                       " RETURN MIN ALL",
                                       " RETURN (MIN  MAX) ALL",
                                       " RETURN (UPDATE) ALL",
                                       " RETURN (CONTEXT) ALL",
                                       "ALL",
                                       " ALL )" };

    fill(f);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(run(f, hp_imap_cmd_search, bad[i], FALSE));
        g_assert_cmpuint(f->s.command->len, ==, 0);
    }
    g_assert_false(run(f, hp_imap_cmd_sort, " SUBJECT UTF-8 ALL", FALSE));
    g_assert_false(run(f, hp_imap_cmd_sort, " (SUBJECT) ALL", FALSE));
    g_assert_false(run(f, hp_imap_cmd_thread, " JWZ UTF-8 ALL", FALSE));
    g_assert_false(run(f, hp_imap_cmd_thread, " REFERENCES ALL", FALSE));
}

/* RFC 7162 §3.1.5, RFC 4731 §3.2 */
static void
test_tells_modseq(Fixture *f, gconstpointer unused)
{
    static const guint32 changed[] = { 3 };
    HpStoreFlagChange change = { .mode = HP_FLAGS_ADD,
                                 .flags = HP_STORE_SEEN,
                                 .unchanged_since = G_MAXUINT64 };
    g_autofree char *plain = NULL;
    g_autofree char *least = NULL;
    HpViewEntry first, second;

    fill(f);
    hp_store_change_flags(f->store.store, HP_STORE_INBOX, changed, 1, &change, NULL);
    g_array_unref(hp_view_sync(f->s.view, TRUE));
    hp_view_get(f->s.view, 1, &first);
    hp_view_get(f->s.view, 2, &second);
    g_assert_cmpuint(second.modseq, >, first.modseq);
    plain = g_strdup_printf("* SEARCH 1 2 4 (MODSEQ %" G_GUINT64_FORMAT ")\r\nOK",
                            second.modseq);
    least = g_strdup_printf(
        "* ESEARCH (TAG \"A1\") MIN 1 MODSEQ %" G_GUINT64_FORMAT "\r\nOK", first.modseq);
    assert_says(f, hp_imap_cmd_search, " MODSEQ 1 FLAGGED", plain);
    g_assert_true(f->s.condstore);
    assert_says(f, hp_imap_cmd_search, " RETURN (MIN) MODSEQ 1 FLAGGED", least);
    assert_says(f, hp_imap_cmd_search, " OR NOT MODSEQ 1 LARGER 50000", "* SEARCH\r\nOK");
}

/* More than a batch, and keys that are cheap beside some that are not. */
static void
test_answers_in_order(Fixture *f, gconstpointer unused)
{
    g_autoptr(GString) expected = g_string_new("* SEARCH");

    store_fill(&f->store, HP_STORE_INBOX, 700);
    open_view(f);
    for (guint seq = 1; seq <= 700; seq++) {
        g_autofree char *number = g_strdup_printf("%u", seq - 1);

        if (strchr(number, '7') != NULL || seq % 100 == 0)
            g_string_append_printf(expected, " %u", seq);
    }
    g_string_append(expected, "\r\nOK");
    assert_says(f, hp_imap_cmd_search,
                " OR 100,200,300,400,500,600,700 OR BODY 7 SUBJECT 7", expected->str);
}

static void
test_numbers_do_not_move(Fixture *f, gconstpointer unused)
{
    static const guint32 gone[] = { 3 };

    fill(f);
    hp_store_expunge(f->store.store, HP_STORE_INBOX, gone, 1, NULL);
    add(f, "Subject: new\r\n\r\n", HP_STORE_FLAGGED);
    assert_says(f, hp_imap_cmd_search, " FLAGGED", "* SEARCH 1 4\r\nOK");
    assert_says(f, hp_imap_cmd_search, " SUBJECT a", "* SEARCH 5\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " (SUBJECT) UTF-8 ALL", "* SORT 5 1 3 4\r\nOK");
}

static void
test_gives_up_when_the_session_ends(Fixture *f, gconstpointer unused)
{
    fill(f);
    f->s.state = HP_IMAP_ENDED;
    assert_says(f, hp_imap_cmd_search, " BODY x", "");
    assert_says(f, hp_imap_cmd_sort, " (SUBJECT) UTF-8 BODY x", "");
    assert_says(f, hp_imap_cmd_thread, " REFERENCES UTF-8 BODY x", "");
}

static void
test_empty_mailbox(Fixture *f, gconstpointer unused)
{
    open_view(f);
    assert_says(f, hp_imap_cmd_search, " 1:*", "* SEARCH\r\nOK");
    assert_says(f, hp_imap_cmd_search, " RETURN (MIN COUNT SAVE) UID *:4",
                "* ESEARCH (TAG \"A1\") COUNT 0\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " (DATE) UTF-8 ALL", "* SORT\r\nOK");
    assert_says(f, hp_imap_cmd_thread, " REFERENCES UTF-8 ALL", "* THREAD\r\nOK");
}

/* By the clock of the session, and by the dates of the store. */
static void
test_dates_and_object_ids(Fixture *f, gconstpointer unused)
{
    g_autofree char *email = NULL;
    g_autofree char *wrong = NULL;
    HpStoreDetails details;

    add(f, "Subject: old\r\nDate: Sat, 1 Jan 2000 23:00:00 -0500\r\n\r\n", 0);
    f->store.now_usec += 10 * DAY;
    add(f, "Subject: new\r\n\r\n", 0);
    open_view(f);
    f->store.now_usec += DAY;
    assert_says(f, hp_imap_cmd_search, " YOUNGER 172800", "* SEARCH 2\r\nOK");
    assert_says(f, hp_imap_cmd_search, " OLDER 172800", "* SEARCH 1\r\nOK");
    assert_says(f, hp_imap_cmd_search, " SENTON 1-Jan-2000", "* SEARCH 1\r\nOK");
    assert_says(f, hp_imap_cmd_search, " SAVEDON 24-Nov-2023", "* SEARCH 2\r\nOK");
    hp_store_details(f->store.store, HP_STORE_INBOX, 2, &details, NULL);
    email = g_strdup_printf(" EMAILID M%" G_GINT64_FORMAT, details.email);
    wrong = g_strdup_printf(" EMAILID T%" G_GINT64_FORMAT, details.email);
    assert_says(f, hp_imap_cmd_search, email, "* SEARCH 2\r\nOK");
    assert_says(f, hp_imap_cmd_search, wrong, "* SEARCH\r\nOK");
}

/* --- ESEARCH -------------------------------------------------------------------------
 */

static gint64
create(Fixture *f, const char *name)
{
    gint64 id = 0;

    g_assert_true(hp_store_create(f->store.store, name, NULL, &id, NULL));
    return id;
}

/* INBOX as fill() says; "a": two messages; "a/b": one, which is flagged. */
static void
fill_many(Fixture *f)
{
    gint64 a = create(f, "a"), b = create(f, "a/b");

    fill(f);
    store_append(&f->store, a, "Subject: one\r\n\r\nword\r\n", 0, NULL);
    store_append(&f->store, a, "Subject: two\r\n\r\n", 0, NULL);
    store_append(&f->store, b, "Subject: three\r\n\r\nword\r\n", HP_STORE_FLAGGED, NULL);
}

/* "NAME text" for each line that is expected. */
static void
assert_many(Fixture *f, const char *command, const char *const *expected)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; expected[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(expected[i], " ", 2);
        g_autoptr(HpStoreMailbox) mailbox = hp_store_find(f->store.store, words[0], NULL);

        g_string_append_printf(
            all, "* ESEARCH (TAG \"A1\" MAILBOX \"%s\" UIDVALIDITY %u) UID %s\r\n",
            words[0], mailbox->uidvalidity, words[1]);
    }
    g_string_append(all, "OK");
    assert_says(f, hp_imap_cmd_esearch, command, all->str);
}

static void
test_many_answers_uids_of_each(Fixture *f, gconstpointer unused)
{
    fill_many(f);
    assert_many(f, " IN (personal) BODY word",
                (const char *[]){ "INBOX ALL 5:6", "a ALL 1", "a/b ALL 1", NULL });
    assert_many(f, " IN (subtree a mailboxes (INBOX a)) RETURN (MIN MAX COUNT) 1:*",
                (const char *[]){ "INBOX MIN 2 MAX 6 COUNT 5", "a MIN 1 MAX 2 COUNT 2",
                                  "a/b MIN 1 MAX 1 COUNT 1", NULL });
    assert_many(f, " IN (subtree a) *", (const char *[]){ "a ALL 2", "a/b ALL 1", NULL });
    assert_many(f, " IN (selected) FLAGGED", (const char *[]){ "INBOX ALL 2:3,5", NULL });
    assert_many(f, " FLAGGED", (const char *[]){ "INBOX ALL 2:3,5", NULL });
}

static void
test_many_tells_only_what_is_found(Fixture *f, gconstpointer unused)
{
    fill_many(f);
    assert_many(f, " IN (personal) RETURN (COUNT) SUBJECT three",
                (const char *[]){ "a/b COUNT 1", NULL });
    assert_many(f, " IN (personal) RETURN (COUNT) DELETED", (const char *[]){ NULL });
    assert_many(f, " IN (mailboxes nowhere) ALL", (const char *[]){ NULL });
}

static void
test_many_leaves_what_is_selected(Fixture *f, gconstpointer unused)
{
    HpView *view;

    fill_many(f);
    view = f->s.view;
    assert_says(f, hp_imap_cmd_esearch, " RETURN (SAVE) 2", "OK");
    assert_saved(f, "3");
    assert_many(f, " IN (personal) $", (const char *[]){ "INBOX ALL 3", NULL });
    g_assert_true(f->s.view == view);
    assert_saved(f, "3");
}

static void
test_many_tells_modseq(Fixture *f, gconstpointer unused)
{
    g_autoptr(HpStoreMailbox) a = NULL;
    g_autofree char *line = NULL;

    fill_many(f);
    a = hp_store_find(f->store.store, "a", NULL);
    line = g_strdup_printf("a ALL 1:2 MODSEQ %" G_GUINT64_FORMAT, a->highestmodseq);
    assert_many(f, " IN (mailboxes a) MODSEQ 1", (const char *[]){ line, NULL });
}

static void
test_many_needs_a_selected_one(Fixture *f, gconstpointer unused)
{
    fill_many(f);
    g_clear_pointer(&f->s.view, hp_view_close);
    f->s.state = HP_IMAP_LOGGED_IN;
    g_assert_false(run(f, hp_imap_cmd_esearch, " ALL", FALSE));
    g_assert_false(run(f, hp_imap_cmd_esearch, " IN (selected) ALL", FALSE));
    g_assert_false(run(f, hp_imap_cmd_esearch, " IN (personal selected) ALL", FALSE));
    assert_many(f, " IN (mailboxes a) 1", (const char *[]){ "a ALL 1", NULL });
}

static void
test_many_refuses_what_is_wrong(Fixture *f, gconstpointer unused)
{
    static const char *const bad[] = {
        "",
        " IN (personal)",
        " IN () ALL",
        " IN personal ALL",
        " IN (personal ALL",
        " IN (selected-delayed) ALL",
        " IN (personal) RETURN (SAVE) ALL",
        " IN (selected personal) RETURN (SAVE) ALL",
        " IN (personal) RETURN (NONE) ALL",
        " RETURN (COUNT) IN (personal) ALL",
        " IN (personal) NOSUCHKEY",
    };
    g_autoptr(GString) long_one = g_string_new(" IN (personal");

    fill_many(f);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(run(f, hp_imap_cmd_esearch, bad[i], FALSE));
        g_assert_cmpstr(f->s.command->str, ==, "");
    }
    for (guint i = 0; i < 100; i++) /* HP_IMAP_MAX_FILTERS */
        g_string_append(long_one, " personal");
    g_string_append(long_one, ") ALL");
    g_assert_false(run(f, hp_imap_cmd_esearch, long_one->str, FALSE));
    assert_says(f, hp_imap_cmd_esearch, " IN (personal) CHARSET X-NONE TEXT a",
                "NO [BADCHARSET (US-ASCII UTF-8)]");
}

static void
test_many_has_a_limit(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < 110; i++) { /* 46 at once, for speed: 5060 */
        g_autoptr(GString) name = g_string_new(NULL);

        g_string_append_printf(name, "d%u", i);
        for (guint level = 1; level < 46; level++)
            g_string_append_printf(name, "/%u", level);
        create(f, name->str);
    }
    assert_says(f, hp_imap_cmd_esearch, " IN (personal) ALL", "NO [LIMIT]");
    assert_says(f, hp_imap_cmd_esearch, " IN (subtree d1) ALL", "OK");
}

/* --- SORT and THREAD -----------------------------------------------------------------
 */

static void
test_sorts(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_sort, " (SUBJECT) UTF-8 ALL", "* SORT 2 5 1 3 4\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " (REVERSE SUBJECT) US-ASCII FLAGGED",
                "* SORT 4 1 2\r\nOK");
    assert_says_uids(f, hp_imap_cmd_sort, " (SUBJECT) UTF-8 ALL",
                     "* SORT 3 6 2 4 5\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " (SIZE) UTF-8 BODY nothing", "* SORT\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " (SIZE) X-NONE ALL",
                "NO [BADCHARSET (US-ASCII UTF-8)]");
}

/* RFC 5267 §3 */
static void
test_sort_returns_what_is_asked(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_sort, " RETURN (MIN MAX COUNT ALL) (SUBJECT) UTF-8 ALL",
                "* ESEARCH (TAG \"A1\") MIN 2 MAX 4 COUNT 5 ALL 2,5,1,3:4\r\nOK");
    assert_says(f, hp_imap_cmd_sort, " RETURN (SAVE) (SUBJECT) UTF-8 ALL", "OK");
    assert_saved(f, "2 3 4 5 6");
    f->s.rev2 = TRUE; /* ESEARCH is for SORT only when it is asked for */
    assert_says(f, hp_imap_cmd_sort, " (SUBJECT) UTF-8 2", "* SORT 2\r\nOK");
}

static void
test_threads(Fixture *f, gconstpointer unused)
{
    fill(f);
    assert_says(f, hp_imap_cmd_thread, " REFERENCES UTF-8 ALL",
                "* THREAD (1 3)(2 5)(4)\r\nOK");
    assert_says_uids(f, hp_imap_cmd_thread, " REFERENCES UTF-8 NOT UID 3",
                     "* THREAD (2 4)(5)(6)\r\nOK");
    assert_says(f, hp_imap_cmd_thread, " ORDEREDSUBJECT US-ASCII ALL",
                "* THREAD (1 3)(2 5)(4)\r\nOK");
    assert_says(f, hp_imap_cmd_thread, " ORDEREDSUBJECT US-ASCII TEXT gewp",
                "* THREAD\r\nOK");
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        { "answers-with-numbers", test_answers_with_numbers },
        { "rev2-answers-esearch", test_rev2_answers_esearch },
        { "returns-what-is-asked", test_returns_what_is_asked },
        { "saves-what-the-table-says", test_saves_what_the_table_says },
        { "searches-in-what-was-saved", test_searches_in_what_was_saved },
        { "unknown-charset-forgets-what-was-saved",
          test_unknown_charset_forgets_what_was_saved },
        { "refuses-what-makes-no-sense", test_refuses_what_makes_no_sense },
        { "tells-modseq", test_tells_modseq },
        { "many-answers-uids-of-each", test_many_answers_uids_of_each },
        { "many-tells-only-what-is-found", test_many_tells_only_what_is_found },
        { "many-leaves-what-is-selected", test_many_leaves_what_is_selected },
        { "many-tells-modseq", test_many_tells_modseq },
        { "many-needs-a-selected-one", test_many_needs_a_selected_one },
        { "many-refuses-what-is-wrong", test_many_refuses_what_is_wrong },
        { "many-has-a-limit", test_many_has_a_limit },
        { "answers-in-order", test_answers_in_order },
        { "numbers-do-not-move", test_numbers_do_not_move },
        { "gives-up-when-the-session-ends", test_gives_up_when_the_session_ends },
        { "empty-mailbox", test_empty_mailbox },
        { "dates-and-object-ids", test_dates_and_object_ids },
        { "sorts", test_sorts },
        { "sort-returns-what-is-asked", test_sort_returns_what_is_asked },
        { "threads", test_threads },
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/imap-search/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, tests[i].test, tear_down);
    }
    return g_test_run();
}
