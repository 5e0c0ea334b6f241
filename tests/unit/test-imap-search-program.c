/* Tests of hp-imap-search-program: one case for each sentence of its header. */
#include "hp-imap-search-program.h"

#include "hp-store.h"

#include <string.h>

static const HpSearchScope ten = { .last_seq = 10, .last_uid = 110 };

static HpSearchProgram *
parse_in(const char *text, const char *charset, const HpSearchScope *scope)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    gboolean bad_charset = TRUE;
    HpSearchProgram *program =
        hp_search_program_parse(&args, charset, scope, &bad_charset);

    g_assert_false(program != NULL && (bad_charset || args.wanted != NULL));
    g_assert_true(program != NULL || bad_charset || args.wanted != NULL);
    return program;
}

/* The program in the order of its keys: "AND(SEEN ...". Kinds as numbers are enough. */
static void
assert_kinds(const char *text, const char *expected)
{
    static const char names[] = "AON.SUFKLMboswyqBOSETbosHXY";
    g_autoptr(HpSearchProgram) program = parse_in(text, NULL, &ten);
    g_autoptr(GString) kinds = g_string_new(NULL);

    g_assert_nonnull(program);
    for (guint i = 0; i < program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(program, i);

        if (i > 0)
            g_assert_cmpuint(key->parent, <, i);
        g_string_append_printf(kinds, "%s%c%u", key->inverted ? "-" : "",
                               names[key->kind], key->parent);
    }
    g_assert_cmpstr(kinds->str, ==, expected);
}

static void
assert_bad(const char *text)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    gboolean bad_charset = TRUE;

    g_assert_null(hp_search_program_parse(&args, NULL, &ten, &bad_charset));
    g_assert_false(bad_charset);
    g_assert_nonnull(args.wanted);
}

/* RFC 9586 §3: with uids alone, a set of message numbers is wrong wherever it stands. */
static void
test_takes_no_numbers_if_so_said(void)
{
    const char *const bad[] = {
        "1", "*", "1:3 SEEN", "NOT 2", "(SEEN (1))", "OR 1 SEEN"
    };
    const char *const good[] = { "ALL", "UID 1:3", "$", "LARGER 1" };
    HpSearchScope scope = ten;
    gboolean bad_charset;

    scope.uid_only = TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        HpImapArgs args = hp_imap_args(hp_slice_of(bad[i]));

        g_assert_null(hp_search_program_parse(&args, NULL, &scope, &bad_charset));
        g_assert_true(args.uid_required);
    }
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        hp_search_program_free(parse_in(good[i], NULL, &scope));
}

static void
test_reads_all_keys(void)
{
    static const char *const keys[] = {
        "ALL",
        "ANSWERED",
        "BCC x",
        "BEFORE 1-Feb-1994",
        "BODY x",
        "CC x",
        "DELETED",
        "DRAFT",
        "EMAILID M1",
        "FLAGGED",
        "FROM x",
        "HEADER X-y \"\"",
        "KEYWORD $Junk",
        "LARGER 5",
        "MODSEQ 5",
        "MODSEQ \"/flags/\\\\draft\" all 620162338",
        "MODSEQ \"/flags/\\\\draft\" priv 0",
        "NEW",
        "NOT SEEN",
        "OLD",
        "OLDER 5",
        "ON 1-Feb-1994",
        "OR SEEN SEEN",
        "RECENT",
        "SAVEDATESUPPORTED",
        "SAVEDBEFORE 1-Feb-1994",
        "SAVEDON 1-Feb-1994",
        "SAVEDSINCE 1-Feb-1994",
        "SEEN",
        "SENTBEFORE 1-Feb-1994",
        "SENTON 1-Feb-1994",
        "SENTSINCE \"1-Feb-1994\"",
        "SINCE 1-Feb-1994",
        "SMALLER 5000000000",
        "SUBJECT x",
        "TEXT {1}\r\nx",
        "THREADID T1",
        "TO x",
        "UID 1:*",
        "UID $",
        "UNANSWERED",
        "UNDELETED",
        "UNDRAFT",
        "UNFLAGGED",
        "UNKEYWORD x",
        "UNSEEN",
        "YOUNGER 5",
        "1,3:5,*",
        "$",
        "(SEEN)",
        "seen",
    };

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(HpSearchProgram) program = parse_in(keys[i], NULL, &ten);

        if (program == NULL)
            g_test_message("not read: %s", keys[i]);
        g_assert_nonnull(program);
    }
}

static void
test_builds_the_tree(void)
{
    assert_kinds("SEEN", "A0F0");
    assert_kinds("UNSEEN NOT DELETED", "A0-F0N0F2");
    assert_kinds("OR SEEN NOT DRAFT ALL", "A0O0F1N1F3.0");
    assert_kinds("(OR (SEEN DRAFT) OR ALL FLAGGED) BODY x", "A0A0O1A2F3F3O2.6F6Y0");
    assert_kinds("NOT NOT (NOT ALL)", "A0N0N1A2N3.4");
    assert_kinds("NEW TEXT \"\" SUBJECT \"\"", "A0-.0.0H0");
}

static void
test_refuses_what_is_no_program(void)
{
    static const char *const bad[] = {
        "",
        "(",
        ")",
        "()",
        "(SEEN",
        "SEEN)",
        "NOT",
        "NOT ",
        "OR SEEN",
        "OR SEEN ",

        "SEENX",
        "BODY",
        "BODY ",
        "BEFORE 32-Feb-1994",
        "BEFORE x",
        "LARGER -1",
        "LARGER x",
        "OLDER 0",
        "UID",
        "UID x",
        "UID 0",
        "0",
        "1:",
        "MODSEQ",
        "MODSEQ \"/flags/x\" 5",
        "MODSEQ \"/flags/x\" some 5",
        "MODSEQ 9223372036854775808",
        "HEADER x",
        "KEYWORD \"x\"",
        "KEYWORD \\Seen",
        "CHARSET",
        "CHARSET UTF-8",
        "CHARSET UTF-8 ",
        "FUZZY SEEN",
        "BODY {5}\r\nabc",
        "SEEN\r\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_bad(bad[i]);
}

/* Lenient, as other servers are. */
static void
test_takes_more_spaces_for_one(void)
{
    assert_kinds("SEEN  NOT   DELETED", "A0F0N0F2");
    assert_kinds("OR  SEEN  ALL ", "A0O0F1.1");
    assert_kinds("(SEEN  ALL)  ", "A0A0F1.1");
}

static void
test_is_bounded(void)
{
    g_autoptr(GString) many = g_string_new("ALL");
    g_autoptr(GString) deep = g_string_new(NULL);
    g_autoptr(GString) nots = g_string_new(NULL);
    g_autofree char *long_text = g_strnfill(HP_SEARCH_MAX_NEEDLE + 1, 'x');
    g_autofree char *body = g_strconcat("BODY ", long_text, NULL);
    g_autoptr(HpSearchProgram) most = NULL;

    for (guint i = 2; i < HP_SEARCH_MAX_KEYS; i++)
        g_string_append(many, " ALL");
    most = parse_in(many->str, NULL, &ten);
    g_assert_nonnull(most);
    g_string_append(many, " ALL");
    assert_bad(many->str);
    for (guint i = 0; i < 1000000; i++)
        g_string_append_c(deep, '(');
    assert_bad(deep->str);
    for (guint i = 0; i < HP_SEARCH_MAX_DEPTH; i++)
        g_string_append(nots, "NOT ");
    g_string_append(nots, "ALL");
    assert_bad(nots->str);
    assert_bad(body);
}

static void
test_star_is_the_last(void)
{
    g_autoptr(HpSearchProgram) program = parse_in("9:* UID *:200", NULL, &ten);
    const HpSearchScope none = { 0 };
    g_autoptr(HpSearchProgram) empty = parse_in("*", NULL, &none);
    const GArray *seqs = hp_search_program_key(program, 1)->ranges;
    const GArray *uids = hp_search_program_key(program, 2)->ranges;

    g_assert_true(hp_imap_ranges_have(seqs, 10));
    g_assert_false(hp_imap_ranges_have(seqs, 11));
    g_assert_true(hp_imap_ranges_have(uids, 110));
    g_assert_false(hp_imap_ranges_have(uids, 109));
    g_assert_cmpuint(hp_search_program_key(empty, 1)->ranges->len, ==, 0);
}

static void
test_dollar_is_what_was_saved(void)
{
    static const guint32 uids[] = { 3, 4, 5, 9 };
    g_autoptr(GArray) saved = g_array_new(FALSE, FALSE, sizeof(guint32));
    HpSearchScope scope = ten;
    g_autoptr(HpSearchProgram) program = NULL;
    g_autoptr(HpSearchProgram) nothing = parse_in("$", NULL, &ten);

    g_array_append_vals(saved, uids, G_N_ELEMENTS(uids));
    scope.saved = saved;
    program = parse_in("OR $ UID $", NULL, &scope);
    for (guint i = 2; i <= 3; i++) {
        const HpSearchKey *key = hp_search_program_key(program, i);

        g_assert_cmpint(key->kind, ==, HP_SEARCH_UID);
        g_assert_cmpuint(key->ranges->len, ==, 2);
        g_assert_true(hp_imap_ranges_have(key->ranges, 4));
        g_assert_false(hp_imap_ranges_have(key->ranges, 8));
    }
    /* However often it stands there, it is kept once. */
    g_assert_true(hp_search_program_key(program, 2)->ranges ==
                  hp_search_program_key(program, 3)->ranges);
    g_assert_cmpuint(hp_search_program_key(nothing, 1)->ranges->len, ==, 0);
}

static void
test_texts_are_in_the_charset(void)
{
    g_autoptr(HpSearchProgram) koi8 =
        parse_in("CHARSET KOI8-R SUBJECT {3}\r\n\xCD\xC9\xD2", NULL, &ten);
    g_autoptr(HpSearchProgram) before =
        parse_in("BODY {3}\r\n\xCD\xC9\xD2", "koi8-r", &ten);
    g_autoptr(HpSearchProgram) utf8 = parse_in("SUBJECT {2}\r\n\xC3\xB6", NULL, &ten);
    g_autoptr(HpSearchProgram) ascii =
        parse_in("CHARSET us-ascii SUBJECT {2}\r\n\xC3\xB6", NULL, &ten);

    g_assert_cmpstr(hp_search_program_key(koi8, 1)->needle, ==,
                    "\xD0\x9C\xD0\x98\xD0\xA0");
    g_assert_cmpstr(hp_search_program_key(before, 1)->needle, ==,
                    "\xD0\x9C\xD0\x98\xD0\xA0");
    g_assert_cmpstr(hp_search_program_key(utf8, 1)->needle, ==, "O\xCC\x88");
    g_assert_cmpstr(hp_search_program_key(ascii, 1)->needle, ==, "O\xCC\x88");
}

static void
assert_bad_charset(const char *text)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    gboolean bad_charset = FALSE;

    g_assert_null(hp_search_program_parse(&args, NULL, &ten, &bad_charset));
    g_assert_true(bad_charset);
}

static void
test_tells_what_charset_is_unknown(void)
{
    assert_bad_charset("CHARSET x-none ALL");
    assert_bad_charset("CHARSET \"UTF-8//IGNORE\" BODY x");
    assert_bad_charset("CHARSET EUC-JP BODY {1}\r\n\xFF");
}

static void
test_knows_of_modseq(void)
{
    g_autoptr(HpSearchProgram) with = parse_in("NOT MODSEQ 720162338", NULL, &ten);
    g_autoptr(HpSearchProgram) without = parse_in("ALL", NULL, &ten);

    g_assert_true(with->has_modseq);
    g_assert_false(without->has_modseq);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-search-program/reads-all-keys", test_reads_all_keys);
    g_test_add_func("/imap-search-program/takes-no-numbers-if-so-said",
                    test_takes_no_numbers_if_so_said);
    g_test_add_func("/imap-search-program/builds-the-tree", test_builds_the_tree);
    g_test_add_func("/imap-search-program/refuses-what-is-no-program",
                    test_refuses_what_is_no_program);
    g_test_add_func("/imap-search-program/takes-more-spaces-for-one",
                    test_takes_more_spaces_for_one);
    g_test_add_func("/imap-search-program/is-bounded", test_is_bounded);
    g_test_add_func("/imap-search-program/star-is-the-last", test_star_is_the_last);
    g_test_add_func("/imap-search-program/dollar-is-what-was-saved",
                    test_dollar_is_what_was_saved);
    g_test_add_func("/imap-search-program/texts-are-in-the-charset",
                    test_texts_are_in_the_charset);
    g_test_add_func("/imap-search-program/tells-what-charset-is-unknown",
                    test_tells_what_charset_is_unknown);
    g_test_add_func("/imap-search-program/knows-of-modseq", test_knows_of_modseq);
    return g_test_run();
}
