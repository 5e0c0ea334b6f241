/* Tests of hp-imap-search-match: one case for each sentence of its header, and random
 * programs against their plain meaning. */
#include "hp-imap-search-match.h"

#include <string.h>

#define DAY   (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)
#define TURNS 5000

static const char message[] =
    "From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>\r\n"
    "To: anna@example.com,\r\n berta@example.com\r\n"
    "Subject: =?iso-8859-1?q?Gr=F6=DFe?=\r\n =?utf-8?q?_XL?=\r\n"
    "X-Empty:\r\n"
    "Content-Type: multipart/mixed; boundary=x\r\n"
    "\r\n"
    "preamble\r\n"
    "--x\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "X-Part: one\r\n"
    "\r\n"
    "R3LDvMOfZSBhdXMgQmVybGlu\r\n"
    "--x\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: the inner one\r\n"
    "\r\n"
    "inner text\r\n"
    "--x\r\n"
    "Content-Type: application/x-secret; name=hidden.bin\r\n"
    "Content-Disposition: attachment; filename*0*=utf-8''%C3%9Cber;\r\n"
    " filename*1=\"sicht 7.pdf\"\r\n"
    "\r\n"
    "binary words\r\n"
    "--x--\r\n";

typedef struct {
    HpSlice all;        /* the message */
    HpSummary *summary; /* (owned) */
    guint reads;
    gboolean may_go_on;
    HpSearchEntry entry;
    HpStoreDetails details;
    HpSearchHeader header;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->all = hp_slice_of(message);
    f->summary = hp_summary_new(f->all);
    f->may_go_on = TRUE;
    f->entry = (HpSearchEntry){
        .seq = 3,
        .entry = { .uid = 30,
                   .flags = HP_STORE_SEEN,
                   .zone = 120,
                   .size = 1000,
                   .modseq = 77,
                   /* 23:00 of day 99 in UTC is in day 100 two hours east */
                   .internal_usec = 100 * DAY - DAY / 24 },
        .keywords = "$Junk work",
        .now_usec = 101 * DAY - DAY / 24,
    };
    f->details = (HpStoreDetails){ .saved_usec = 200 * DAY, .email = 5, .thread = 6 };
    f->header = (HpSearchHeader){
        .block = { message, (size_t)hp_summary_header_len(f->summary) },
        .has_sent = TRUE,
        .sent_day = 90,
    };
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    hp_summary_free(f->summary);
}

static gssize
read_bit_by_bit(gpointer content, guint64 offset, char *buffer, size_t size,
                GError **error)
{
    Fixture *f = content;
    size_t n = MIN(MIN(size, 7), f->all.len - (size_t)offset);

    f->reads++;
    memcpy(buffer, f->all.data + offset, n);
    return (gssize)n;
}

static gssize
read_whole(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    Fixture *f = content;
    size_t n = MIN(size, f->all.len - (size_t)offset);

    f->reads++;
    memcpy(buffer, f->all.data + offset, n);
    return (gssize)n;
}

static gssize
read_nothing(gpointer content, guint64 offset, char *buffer, size_t size, GError **error)
{
    return -1;
}

static gboolean
nth_part(gpointer data, guint index, HpSummaryPart *ret_part, const char **ret_charset)
{
    const Fixture *f = data;

    return hp_summary_nth_part(f->summary, index, ret_part, ret_charset);
}

static gboolean
go_on(gpointer data)
{
    return ((Fixture *)data)->may_go_on;
}

static HpSearchVerdict
match_content(const HpSearchMatch *match, Fixture *f, HpCarryRead read)
{
    HpSearchContent content = { read, f, nth_part, f, go_on, f };

    return hp_search_match_content(match, &content);
}

static HpSearchProgram *
parse(const char *text)
{
    HpImapArgs args = hp_imap_args(hp_slice_of(text));
    const HpSearchScope scope = { .last_seq = 5, .last_uid = 50 };
    gboolean bad_charset;
    HpSearchProgram *program = hp_search_program_parse(&args, NULL, &scope, &bad_charset);

    if (program == NULL)
        g_test_message("not read: %s", text);
    g_assert_nonnull(program);
    return program;
}

/* All rounds that are needed; once settled a verdict stays. */
static HpSearchVerdict
match_rounds(const HpSearchMatch *match, Fixture *f, HpCarryRead read)
{
    HpSearchVerdict verdict = hp_search_match_entry(match, &f->entry);

    if (hp_search_match_needs(match, HP_SEARCH_DETAILS)) {
        g_assert_cmpint(verdict, ==, HP_SEARCH_UNKNOWN);
        verdict = hp_search_match_details(match, &f->details);
    }
    if (hp_search_match_needs(match, HP_SEARCH_HEADERS)) {
        g_assert_cmpint(verdict, ==, HP_SEARCH_UNKNOWN);
        verdict = hp_search_match_header(match, &f->header);
    }
    if (hp_search_match_needs(match, HP_SEARCH_CONTENT)) {
        g_assert_cmpint(verdict, ==, HP_SEARCH_UNKNOWN);
        verdict = match_content(match, f, read);
    }
    return verdict;
}

static HpSearchVerdict
ask_with(Fixture *f, const char *text, HpCarryRead read)
{
    g_autoptr(HpSearchProgram) program = parse(text);
    g_autofree guint8 *values = g_malloc(program->keys->len);
    HpSearchMatch match = { program, values };

    return match_rounds(&match, f, read);
}

static void
assert_matches(Fixture *f, const char *text, gboolean expected)
{
    HpSearchVerdict verdict = ask_with(f, text, read_whole);

    if (verdict != (expected ? HP_SEARCH_TRUE : HP_SEARCH_FALSE))
        g_test_message("%s", text);
    g_assert_cmpint(verdict, ==, expected ? HP_SEARCH_TRUE : HP_SEARCH_FALSE);
}

typedef struct {
    const char *key;
    gboolean expected;
} Leaf;

static const Leaf leaves[] = {
    { "ALL", TRUE },
    { "SEEN", TRUE },
    { "UNSEEN", FALSE },
    { "FLAGGED", FALSE },
    { "UNDRAFT", TRUE },
    { "KEYWORD $junk", TRUE },
    { "KEYWORD $jun", FALSE },
    { "UNKEYWORD WORK", FALSE },
    { "UNKEYWORD wor", TRUE },
    { "2:4", TRUE },
    { "1,2,4:*", FALSE },
    { "UID 30", TRUE },
    { "UID 3", FALSE },
    { "LARGER 999", TRUE },
    { "LARGER 1000", FALSE },
    { "SMALLER 1001", TRUE },
    { "SMALLER 1000", FALSE },
    { "ON 11-Apr-1970", TRUE }, /* day 100 */
    { "ON 10-Apr-1970", FALSE },
    { "BEFORE 12-Apr-1970", TRUE },
    { "BEFORE 11-Apr-1970", FALSE },
    { "SINCE 11-Apr-1970", TRUE },
    { "SINCE 12-Apr-1970", FALSE },
    { "OLDER 86400", TRUE }, /* RFC 5032 §3: exactly that old is both */
    { "YOUNGER 86400", TRUE },
    { "OLDER 86401", FALSE },
    { "YOUNGER 86399", FALSE },
    { "MODSEQ 77", TRUE },
    { "MODSEQ 78", FALSE },
    { "NEW", FALSE },
    { "OLD", TRUE },
    { "RECENT", FALSE },
    { "SAVEDATESUPPORTED", TRUE },
    { "SAVEDON 20-Jul-1970", TRUE }, /* day 200 */
    { "SAVEDBEFORE 20-Jul-1970", FALSE },
    { "SAVEDSINCE 20-Jul-1970", TRUE },
    { "EMAILID M5", TRUE },
    { "EMAILID M6", FALSE },
    { "EMAILID T6", FALSE },
    { "THREADID T6", TRUE },
    { "SENTON 1-Apr-1970", TRUE }, /* day 90 */
    { "SENTBEFORE 1-Apr-1970", FALSE },
    { "SENTBEFORE 2-Apr-1970", TRUE },
    { "SENTSINCE 2-Apr-1970", FALSE },
    { "FROM {9}\r\nj\xC3\xB6rg m\xC3\xBC", TRUE }, /* decoded, any case */
    { "FROM {4}\r\nJ\xC3\x96r", TRUE },
    { "FROM EXAMPLE", TRUE }, /* inside a word */
    { "FROM anna", FALSE },
    { "TO \"anna@example.com, BERTA\"", TRUE }, /* unfolded */
    { "CC \"\"", FALSE },
    { "TO \"\"", TRUE },
    { "BCC anna", FALSE },
    { "SUBJECT {6}\r\ngr\xC3\xB6\xC3\x9F", TRUE },
    { "SUBJECT {10}\r\nGR\xC3\x96\xC3\x9F"
      "e XL",
      TRUE }, /* RFC 2047 §6.2 */
    { "SUBJECT {8}\r\ngro\xCC\x88\xC3\x9F"
      "e",
      TRUE }, /* decomposed */
    { "SUBJECT iso-8859", FALSE },
    { "SUBJECT inner", FALSE },
    { "HEADER X-Empty \"\"", TRUE },
    { "HEADER x-EMPTY x", FALSE },
    { "HEADER X-None \"\"", FALSE },
    { "HEADER Content-Type multipart", TRUE },
    { "HEADER Subject Subject:", FALSE }, /* what comes after the colon */
    { "TEXT \"Subject: gr\"", TRUE },
    { "TEXT x-part", TRUE }, /* "including MIME header fields" */
    { "BODY x-part", FALSE },
    { "TEXT hidden.bin", TRUE },
    { "TEXT {14}\r\n\xC3\xBC"
      "bersicht 7.p",
      TRUE },                       /* RFC 2231 */
    { "TEXT \"%C3%9Cber\"", TRUE }, /* as it stands there, too */
    { "BODY \"sicht 7\"", FALSE },
    { "BODY {6}\r\nGR\xC3\xBC\xC3\x9F", TRUE }, /* out of base64 */
    { "BODY \"AUS berl\"", TRUE },
    { "BODY R3LDv", FALSE },
    { "BODY multipart", FALSE },
    { "BODY \"the inner\"", TRUE }, /* a header in the body */
    { "BODY \"INNER text\"", TRUE },
    { "BODY \"binary words\"", FALSE }, /* no text */
    { "BODY \"berlin inner\"", FALSE }, /* not across parts */
    { "TEXT \"nothing like it\"", FALSE },
    { "BODY \"\"", TRUE },
    { "TEXT \"\"", TRUE },
};

static void
test_knows_each_key(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(leaves); i++) {
        g_autofree char *not = g_strconcat("NOT ", leaves[i].key, NULL);

        assert_matches(f, leaves[i].key, leaves[i].expected);
        assert_matches(f, not, !leaves[i].expected);
    }
}

/* Writes a random program and returns what it means. */
static gboolean
write_random(GString *out, guint depth)
{
    gint kind = g_test_rand_int_range(0, depth > 0 ? 5 : 2);
    gboolean value;

    if (kind < 2) {
        const Leaf *leaf = &leaves[g_test_rand_int_range(0, G_N_ELEMENTS(leaves))];

        g_string_append(out, leaf->key);
        return leaf->expected;
    }
    if (kind == 2) {
        g_string_append(out, "NOT ");
        return !write_random(out, depth - 1);
    }
    if (kind == 3) {
        g_string_append(out, "OR ");
        value = write_random(out, depth - 1);
        g_string_append_c(out, ' ');
        return write_random(out, depth - 1) || value;
    }
    g_string_append_c(out, '(');
    value = write_random(out, depth - 1);
    for (gint n = g_test_rand_int_range(0, 3); n > 0; n--) {
        g_string_append_c(out, ' ');
        value = write_random(out, depth - 1) && value;
    }
    g_string_append_c(out, ')');
    return value;
}

static void
test_means_what_it_says(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < TURNS; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        gboolean expected = write_random(text, 5);

        assert_matches(f, text->str, expected);
    }
}

static void
test_opens_nothing_that_cannot_change_the_answer(Fixture *f, gconstpointer data)
{
    assert_matches(f, "UNSEEN BODY x", FALSE);
    assert_matches(f, "OR SEEN BODY x", TRUE);
    assert_matches(f, "NOT (SUBJECT nothing BODY x)", TRUE);
    assert_matches(f, "TEXT anna@example", TRUE); /* the header has it */
    g_assert_cmpuint(f->reads, ==, 0);
    assert_matches(f, "OR BODY berlin BODY inner", TRUE);
    g_assert_cmpuint(f->reads, ==, 1);
}

static void
test_reads_on_where_little_was_read(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ask_with(f, "BODY \"aus Berlin\"", read_bit_by_bit), ==,
                    HP_SEARCH_TRUE);
    g_assert_cmpint(ask_with(f, "BODY \"the inner\"", read_bit_by_bit), ==,
                    HP_SEARCH_TRUE);
    g_assert_cmpuint(f->reads, >, 3);
}

/* A needle at each place around the end of a piece of 64 KiB, one of its characters in
 * two octets. */
static void
test_finds_across_pieces(Fixture *f, gconstpointer data)
{
    static const char header[] = "Content-Type: text/plain; charset=utf-8\r\n\r\n";

    for (guint before = 65536 - 8; before < 65536 + 2; before++) {
        g_autoptr(GString) text = g_string_new(header);

        for (guint i = 0; i < before; i++)
            g_string_append_c(text, 'x');
        g_string_append(text, "gr\xC3\xB6ssere");
        f->all = hp_slice_of_string(text);
        hp_summary_free(f->summary);
        f->summary = hp_summary_new(f->all);
        f->header.block = HP_SLICE_LITERAL("\r\n");
        assert_matches(f, "BODY {8}\r\nGR\xC3\xB6SSER", TRUE);
        assert_matches(f, "BODY {8}\r\nGR\xC3\xB6SSEN", FALSE);
    }
}

static void
test_what_cannot_be_read_does_not_match(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ask_with(f, "BODY berlin", read_nothing), ==, HP_SEARCH_FALSE);
    g_assert_cmpint(ask_with(f, "NOT BODY berlin", read_nothing), ==, HP_SEARCH_TRUE);
}

static void
test_stops_when_told(Fixture *f, gconstpointer data)
{
    f->may_go_on = FALSE;
    g_assert_cmpint(ask_with(f, "BODY nothing", read_whole), ==, HP_SEARCH_UNKNOWN);
    g_assert_cmpuint(f->reads, ==, 0);
}

static void
test_days_before_1970(Fixture *f, gconstpointer data)
{
    f->entry.entry.zone = 0;
    f->entry.entry.internal_usec = -1;
    assert_matches(f, "ON 31-Dec-1969", TRUE);
    f->entry.entry.internal_usec = -DAY;
    assert_matches(f, "ON 31-Dec-1969", TRUE);
    f->entry.entry.internal_usec = -DAY - 1;
    assert_matches(f, "ON 30-Dec-1969", TRUE);
    assert_matches(f, "BEFORE 1-Jan-1970", TRUE);
}

static void
test_without_a_date_nothing_was_sent(Fixture *f, gconstpointer data)
{
    f->header.has_sent = FALSE;
    assert_matches(f, "SENTSINCE 1-Jan-1970", FALSE);
    assert_matches(f, "SENTBEFORE 1-Jan-2030", FALSE);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        { "knows-each-key", test_knows_each_key },
        { "means-what-it-says", test_means_what_it_says },
        { "opens-nothing-that-cannot-change-the-answer",
          test_opens_nothing_that_cannot_change_the_answer },
        { "reads-on-where-little-was-read", test_reads_on_where_little_was_read },
        { "finds-across-pieces", test_finds_across_pieces },
        { "what-cannot-be-read-does-not-match", test_what_cannot_be_read_does_not_match },
        { "stops-when-told", test_stops_when_told },
        { "days-before-1970", test_days_before_1970 },
        { "without-a-date-nothing-was-sent", test_without_a_date_nothing_was_sent },
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/imap-search-match/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, tests[i].test, tear_down);
    }
    return g_test_run();
}
