#include "hp-imap-args.h"
#include "hp-store.h"

#include <string.h>

/* At the end of an exact allocation, so that ASan sees one octet too many. */
typedef struct {
    char *bytes; /* (owned) */
    HpImapArgs args;
} Given;

static Given
give(const char *text, size_t len)
{
    Given given = { g_memdup2(text, len), { { NULL, NULL }, NULL, NULL, 0 } };

    given.args = hp_imap_args((HpSlice){ given.bytes, len });
    return given;
}

#define GIVEN(text) give("" text, sizeof(text) - 1)

typedef gboolean (*TakeText)(HpImapArgs *args, char **ret_text);

static void
assert_text(TakeText take, Given given, const char *expected, const char *rest)
{
    g_autofree char *text = NULL;
    g_autofree char *left = NULL;

    g_assert_true(take(&given.args, &text));
    g_assert_cmpstr(text, ==, expected);
    left = hp_slice_dup(hp_cursor_rest(&given.args.c));
    g_assert_cmpstr(left, ==, rest);
    g_assert_null(given.args.wanted);
    g_free(given.bytes);
}

static void
assert_no_text(TakeText take, Given given, size_t where)
{
    g_autofree char *text = NULL;

    g_assert_false(take(&given.args, &text));
    g_assert_nonnull(given.args.wanted);
    g_assert_cmpuint(given.args.where, ==, where);
    g_free(given.bytes);
}

static void
test_strings(void)
{
    assert_text(hp_imap_take_string, GIVEN("\"a b\" c"), "a b", " c");
    assert_text(hp_imap_take_string, GIVEN("\"\""), "", "");
    assert_text(hp_imap_take_string, GIVEN("\"a\\\"\\\\b\""), "a\"\\b", "");
    assert_text(hp_imap_take_string, GIVEN("{5}\r\nhello x"), "hello", " x");
    assert_text(hp_imap_take_string, GIVEN("{2+}\r\n\r\n)"), "\r\n", ")");
    assert_text(hp_imap_take_string, GIVEN("{0}\r\n"), "", "");
    assert_no_text(hp_imap_take_string, GIVEN("word"), 1);
    assert_no_text(hp_imap_take_string, GIVEN("\"no end"), 8);
    assert_no_text(hp_imap_take_string, GIVEN("\"a\\bc\""), 4);
    assert_no_text(hp_imap_take_string, GIVEN("\"a\rb\""), 3);
    assert_no_text(hp_imap_take_string, GIVEN("\"a\0b\""), 3);
}

static void
test_bad_literals(void)
{
    assert_no_text(hp_imap_take_string, GIVEN("{5}\r\nfour"), 6);
    assert_no_text(hp_imap_take_string, GIVEN("{-1}\r\nx"), 1);
    assert_no_text(hp_imap_take_string, GIVEN("{1 }\r\nx"), 1);
    assert_no_text(hp_imap_take_string, GIVEN("{}\r\nx"), 1);
    assert_no_text(hp_imap_take_string, GIVEN("{18446744073709551616}\r\nx"), 1);
    assert_no_text(hp_imap_take_string, GIVEN("{3}\r\na\0b"), 6);
    assert_no_text(hp_imap_take_string, GIVEN("{3}\na b"), 1);
}

static void
test_astring_and_nstring(void)
{
    assert_text(hp_imap_take_astring, GIVEN("INBOX x"), "INBOX", " x");
    assert_text(hp_imap_take_astring, GIVEN("a]b)"), "a]b", ")");
    assert_text(hp_imap_take_astring, GIVEN("NIL"), "NIL", "");
    assert_no_text(hp_imap_take_astring, GIVEN("*"), 1);
    assert_no_text(hp_imap_take_astring, GIVEN("\xC3\xA4"), 1);
    assert_no_text(hp_imap_take_astring, GIVEN(""), 1);
    assert_text(hp_imap_take_nstring, GIVEN("nil)"), NULL, ")");
    assert_text(hp_imap_take_nstring, GIVEN("\"NIL\""), "NIL", "");
    assert_text(hp_imap_take_pattern, GIVEN("a/%/* x"), "a/%/*", " x");
}

static void
test_words_are_whole(void)
{
    Given given = GIVEN("FLAGSX body[] Body");

    g_assert_false(hp_imap_skip_word(&given.args, "FLAGS"));
    g_assert_true(hp_imap_skip_word(&given.args, "flagsx"));
    g_assert_true(hp_imap_take_space(&given.args));
    g_assert_true(hp_imap_skip_word(&given.args, "BODY"));
    g_assert_true(hp_imap_skip(&given.args, '['));
    g_assert_true(hp_imap_take_char(&given.args, ']'));
    g_assert_true(hp_imap_take_space(&given.args));
    g_assert_true(hp_imap_skip_word(&given.args, "BODY"));
    g_assert_true(hp_imap_take_end(&given.args));
    g_free(given.bytes);
}

static void
test_numbers(void)
{
    Given given = GIVEN("0 4294967295 4294967296");
    guint64 number;

    g_assert_false(hp_imap_take_nz_number(&given.args, HP_IMAP_MAX_NUMBER, &number));
    g_assert_cmpuint(given.args.where, ==, 1);
    g_assert_true(hp_imap_take_number(&given.args, HP_IMAP_MAX_NUMBER, &number));
    g_assert_true(hp_imap_skip(&given.args, ' '));
    g_assert_true(hp_imap_take_nz_number(&given.args, HP_IMAP_MAX_NUMBER, &number));
    g_assert_cmpuint(number, ==, G_MAXUINT32);
    g_assert_true(hp_imap_skip(&given.args, ' '));
    g_assert_false(hp_imap_take_number(&given.args, HP_IMAP_MAX_NUMBER, &number));
    /* The first thing that was wrong is what is said. */
    g_assert_cmpuint(given.args.where, ==, 1);
    g_free(given.bytes);
}

static void
assert_date(const char *text, gint64 expected)
{
    Given given = give(text, strlen(text));
    gint64 day;

    g_assert_true(hp_imap_take_date(&given.args, &day));
    g_assert_cmpint(day, ==, expected);
    g_free(given.bytes);
}

static void
assert_no_date(const char *text)
{
    Given given = give(text, strlen(text));
    gint64 number;
    gint zone;

    g_assert_false(hp_imap_take_date(&given.args, &number));
    g_assert_false(hp_imap_take_date_time(&given.args, &number, &zone));
    g_free(given.bytes);
}

static void
test_dates(void)
{
    assert_date("1-Jan-1970", 0);
    assert_date("\"02-jan-1970\"", 1);
    assert_date("29-Feb-2024", 19782);
    assert_no_date("29-Feb-2023");
    assert_no_date("0-Jan-2023");
    assert_no_date("1-Foo-2023");
    assert_no_date("1-Jan-23");
    assert_no_date("\"1-Jan-2023");
    assert_no_date("\"1-Jan-2023 25:00:00 +0000\"");
    assert_no_date("\"1-Jan-2023 20:00:00 +9999\"");
    assert_no_date("\"1-Jan-2023 20:00:00\"");
}

static void
assert_moment(const char *text, gint64 expected_sec, gint expected_zone)
{
    Given given = give(text, strlen(text));
    gint64 usec;
    gint zone;

    g_assert_true(hp_imap_take_date_time(&given.args, &usec, &zone));
    g_assert_cmpint(usec, ==, expected_sec * G_USEC_PER_SEC);
    g_assert_cmpint(zone, ==, expected_zone);
    g_free(given.bytes);
}

static void
test_moments(void)
{
    assert_moment("\" 1-Jan-1970 00:00:00 +0000\"", 0, 0);
    assert_moment("\"01-Jan-1970 01:00:00 +0130\"", -1800, 90);
    assert_moment("\"17-Jul-1996 02:44:25 -0700\"", 837596665, -420);
    assert_moment("\"31-Dec-2016 23:59:60 +0000\"", 1483228799, 0);
}

static void
test_flags(void)
{
    Given given = GIVEN("(\\Seen $label1 \\recent NonJunk \\DELETED)");
    g_auto(HpImapFlags) flags = { 0 };
    g_autofree char *joined = NULL;

    g_assert_true(hp_imap_take_flags(&given.args, &flags));
    g_assert_cmpuint(flags.flags, ==, HP_STORE_SEEN | HP_STORE_DELETED);
    joined = g_strjoinv(" ", flags.keywords);
    g_assert_cmpstr(joined, ==, "$label1 NonJunk");
    g_free(given.bytes);
}

static void
test_flags_without_parentheses(void)
{
    Given given = GIVEN("\\Seen \\Draft");
    Given empty = GIVEN("()");
    g_auto(HpImapFlags) flags = { 0 };

    g_assert_true(hp_imap_take_flags(&given.args, &flags));
    g_assert_cmpuint(flags.flags, ==, HP_STORE_SEEN | HP_STORE_DRAFT);
    g_assert_null(flags.keywords);
    g_assert_true(hp_imap_take_flags(&empty.args, &flags));
    g_assert_cmpuint(flags.flags, ==, 0);
    g_free(given.bytes);
    g_free(empty.bytes);
}

static void
assert_no_flags(const char *text, size_t where)
{
    Given given = give(text, strlen(text));
    g_auto(HpImapFlags) flags = { 0 };

    g_assert_false(hp_imap_take_flags(&given.args, &flags));
    g_assert_null(flags.keywords);
    g_assert_cmpuint(given.args.where, ==, where);
    g_free(given.bytes);
}

static void
test_bad_flags(void)
{
    g_autofree char *many = NULL;
    g_autofree char *longest = g_strnfill(HP_IMAP_MAX_KEYWORD + 1, 'k');
    GString *words = g_string_new("(");

    assert_no_flags("(\\Foo)", 3);
    assert_no_flags("(\\Seen", 7);
    assert_no_flags("(\\Seen  x)", 8);
    assert_no_flags("", 1);
    assert_no_flags(longest, 1);
    for (guint i = 0; i <= HP_IMAP_MAX_KEYWORDS; i++)
        g_string_append_printf(words, "%sk%u", i > 0 ? " " : "", i);
    many = g_string_free(words, FALSE);
    assert_no_flags(many, strlen(many) + 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-args/strings-are-quoted-or-literals", test_strings);
    g_test_add_func("/imap-args/bad-literals-are-refused", test_bad_literals);
    g_test_add_func("/imap-args/astring-and-nstring", test_astring_and_nstring);
    g_test_add_func("/imap-args/words-are-whole", test_words_are_whole);
    g_test_add_func("/imap-args/numbers-have-bounds", test_numbers);
    g_test_add_func("/imap-args/dates", test_dates);
    g_test_add_func("/imap-args/moments-with-zones", test_moments);
    g_test_add_func("/imap-args/flags", test_flags);
    g_test_add_func("/imap-args/flags-without-parentheses",
                    test_flags_without_parentheses);
    g_test_add_func("/imap-args/bad-flags-are-refused", test_bad_flags);
    return g_test_run();
}
