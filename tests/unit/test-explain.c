#include "hp-explain.h"

#include "hp-status.h"

#include <gio/gio.h>
#include <string.h>

static GKeyFile *rows; /* nocheck: the table of this test, read once before it runs */

static HpExplain *
catalogue(void)
{
    g_autoptr(GError) error = NULL;
    HpExplain *self = hp_explain_load(g_getenv("HP_EXPLANATIONS"), &error);

    g_assert_no_error(error);
    return self;
}

/* "550 5.1.1 text" → its parts, as the SMTP client reads a reply. */
static HpExplanation
explain_reply(const HpExplain *self, const char *reply, const char *language)
{
    HpCursor c = hp_cursor_over(hp_slice_of(reply));
    char enhanced[HP_STATUS_SIZE] = "";
    guint64 code;
    HpStatus status;

    g_assert_true(hp_cursor_take_number(&c, 599, &code));
    hp_cursor_skip(&c, ' ');
    if (hp_status_parse(&c, &status))
        hp_status_write(&status, enhanced);
    hp_cursor_skip(&c, ' ');
    return hp_explain(self, (guint)code, enhanced, c.at, language);
}

/* Whatever our own words are, they are no server's. */
static void
what_is_decided_here_has_its_own_rows(void)
{
    static const struct {
        HpStage stage;
        const char *enhanced;
        const char *id;
    } rows_of_ours[] = {
        { HP_STAGE_DNS, "4.4.3", HP_EXPLAIN_DNS_TROUBLE },
        { HP_STAGE_DNS, "5.1.2", HP_EXPLAIN_NO_DOMAIN },
        { HP_STAGE_DNS, "5.1.10", HP_EXPLAIN_NULL_MX },
        { HP_STAGE_DNS, "5.4.6", HP_EXPLAIN_PRIVATE_MX },
        { HP_STAGE_DNS, "4.4.1", HP_EXPLAIN_NO_ROUTE },
        { HP_STAGE_DNS, "4.4.4", "status-4-4" },
        { HP_STAGE_CONNECT, "4.4.1", HP_EXPLAIN_NO_CONNECTION },
        { HP_STAGE_CONNECT, "5.4.1", HP_EXPLAIN_NO_25 },
        { HP_STAGE_GREETING, "4.4.2", "status-4-2" },
        { HP_STAGE_GREETING, "4.5.0", HP_EXPLAIN_NO_SERVER },
        { HP_STAGE_EHLO, "4.5.0", "status-5-0" },
        { HP_STAGE_STARTTLS, "4.7.5", "status-7-5" },
        { HP_STAGE_DOT, "4.4.2", HP_EXPLAIN_UNCERTAIN },
        { HP_STAGE_LOCAL, "5.3.4", HP_EXPLAIN_TOO_LARGE },
        { HP_STAGE_LOCAL, "5.4.6", HP_EXPLAIN_LOOP },
        { HP_STAGE_LOCAL, "5.6.3", HP_EXPLAIN_NO_EIGHT_BIT },
        { HP_STAGE_LOCAL, "5.6.7", HP_EXPLAIN_NO_UTF8 },
        { HP_STAGE_LOCAL, "4.3.0", HP_EXPLAIN_UNREADABLE },
        { HP_STAGE_LOCAL, "2.1.5", HP_EXPLAIN_AT_HOME },
    };
    g_autoptr(HpExplain) self = catalogue();
    HpReply reply = { .code = 451 };

    for (guint i = 0; i < G_N_ELEMENTS(rows_of_ours); i++) {
        reply.stage = rows_of_ours[i].stage;
        g_strlcpy(reply.enhanced, rows_of_ours[i].enhanced, sizeof reply.enhanced);
        reply.text = g_strdup("the name does not exist; no such user, mailbox full");
        g_test_message("%s", reply.enhanced);
        g_assert_cmpstr(hp_explain_reply(self, &reply, "en").id, ==, rows_of_ours[i].id);
        /* The same from a server is searched for phrases. */
        reply.host = g_strdup("mx.example.org");
        g_assert_cmpstr(hp_explain_reply(self, &reply, "en").id, ==, "no-such-user");
        hp_reply_clear(&reply);
        reply.code = 451;
    }
}

/* "250 2.0.0" has nothing to do with "5.0.0", nor its words with those of refusals. */
static void
success_is_no_trouble(void)
{
    static const char *const replies[] = { "250 2.0.0 queued", "250 Ok",
                                           "250 2.1.5 no such user, mailbox full",
                                           "251 2.1.5 will forward" };
    g_autoptr(HpExplain) self = catalogue();

    for (guint i = 0; i < G_N_ELEMENTS(replies); i++)
        g_assert_cmpstr(explain_reply(self, replies[i], "en").id, ==, "code-2xx");
    g_assert_cmpstr(hp_explain(self, 0, "2.6.0", "", "en").id, ==, "code-2xx");
}

static void
vague_phrases_yield_to_others(void)
{
    g_autoptr(HpExplain) self = catalogue();

    g_assert_cmpstr(
        explain_reply(self, "451 4.7.1 Greylisted, please try again later", "en").id, ==,
        "greylisted");
    g_assert_cmpstr(
        explain_reply(self, "421 4.7.0 Rate limit, please try again later", "en").id, ==,
        "rate-limited");
    g_assert_cmpstr(explain_reply(self, "451 4.7.1 Please try again later", "en").id, ==,
                    "server-busy");
}

static void
is_a_sentence(const char *text)
{
    g_assert_nonnull(text);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_cmpuint(strlen(text), >, 10);
    g_assert_true(g_str_has_suffix(text, "."));
    g_assert_null(strchr(text, '\n'));
}

/* Hauspost knows no relays yet and logs in nowhere: no advice may need that. */
static void
can_be_followed_today(const char *text)
{
    g_autofree char *lower = g_utf8_strdown(text, -1);

    g_assert_null(strstr(lower, "relay"));
}

/* One case a row: its example leads to it, and both languages are there. */
static void
row_holds(gconstpointer data)
{
    const char *id = data;
    g_autoptr(HpExplain) self = catalogue();
    g_autofree char *example = g_key_file_get_string(rows, id, "example", NULL);
    HpExplanation english = hp_explain_by_id(self, id, "en_US.UTF-8");
    HpExplanation german = hp_explain_by_id(self, id, "de_DE.UTF-8");

    g_assert_cmpstr(english.id, ==, id);
    is_a_sentence(english.meaning);
    is_a_sentence(english.advice);
    is_a_sentence(english.side_text);
    is_a_sentence(german.meaning);
    is_a_sentence(german.advice);
    is_a_sentence(german.side_text);
    g_assert_cmpstr(german.meaning, !=, english.meaning);
    g_assert_cmpstr(german.advice, !=, english.advice);
    g_assert_cmpstr(german.side_text, !=, english.side_text);
    can_be_followed_today(english.advice);
    can_be_followed_today(german.advice);
    if (g_key_file_has_key(rows, id, "phrase", NULL) ||
        g_key_file_has_key(rows, id, "enhanced", NULL) ||
        g_key_file_has_key(rows, id, "code", NULL)) {
        g_assert_nonnull(example);
        g_assert_cmpstr(explain_reply(self, example, "en").id, ==, id);
    }
}

/* Every phrase is lower case and leads to its row when it stands alone. */
static void
phrases_lead_to_their_row(void)
{
    g_autoptr(HpExplain) self = catalogue();
    g_auto(GStrv) ids = hp_explain_ids(self);

    for (guint i = 0; ids[i] != NULL; i++) {
        g_auto(GStrv) phrases =
            g_key_file_get_string_list(rows, ids[i], "phrase", NULL, NULL);

        for (guint n = 0; phrases != NULL && phrases[n] != NULL; n++) {
            g_autofree char *lower = g_ascii_strdown(phrases[n], -1);

            g_assert_cmpstr(phrases[n], ==, lower);
            g_assert_cmpstr(hp_explain(self, 599, "", phrases[n], "en").id, ==, ids[i]);
        }
    }
}

static void
every_code_of_rfc_3463_is_there(void)
{
    static const guint details[] = { 0, 8, 4, 5, 7, 5, 5, 7 }; /* of subject 0 to 7 */
    g_autoptr(HpExplain) self = catalogue();

    for (guint subject = 0; subject < G_N_ELEMENTS(details); subject++) {
        for (guint detail = 0; detail <= details[subject]; detail++) {
            g_autofree char *id = g_strdup_printf("status-%u-%u", subject, detail);
            g_autofree char *code = g_strdup_printf("5.%u.%u", subject, detail);

            g_assert_cmpstr(hp_explain(self, 599, code, "", "en").id, ==, id);
        }
    }
}

static void
phrase_beats_enhanced_beats_code(void)
{
    g_autoptr(HpExplain) self = catalogue();

    g_assert_cmpstr(hp_explain(self, 550, "5.7.1", "User unknown", "en").id, ==,
                    "no-such-user");
    g_assert_cmpstr(hp_explain(self, 550, "5.7.1", "no", "en").id, ==, "status-7-1");
    g_assert_cmpstr(hp_explain(self, 550, "5.0.0", "no", "en").id, ==, "code-550");
    g_assert_cmpstr(hp_explain(self, 550, "", "no", "en").id, ==, "code-550");
    g_assert_cmpstr(hp_explain(self, 550, "5.1.99", "no", "en").id, ==, "status-1-0");
    g_assert_cmpstr(hp_explain(self, 0, NULL, NULL, NULL).id, ==, "unknown");
    g_assert_cmpstr(hp_explain_by_id(self, "no such row", "de").id, ==, "unknown");
    g_assert_cmpstr(hp_explain_by_id(self, "side you", "de").id, ==, "unknown");
}

/* Whoever is told to look at what they typed must not read that others are the cause. */
static void
a_domain_that_does_not_exist_is_ones_own_to_check(void)
{
    g_autoptr(HpExplain) self = catalogue();

    g_assert_cmpstr(hp_explain_by_id(self, HP_EXPLAIN_NO_DOMAIN, "en").side, ==, "you");
    g_assert_cmpstr(hp_explain(self, 550, "5.1.2", "no", "en").side, ==, "you");
}

static void
language_falls_back_to_english(void)
{
    g_autoptr(HpExplain) self = catalogue();
    HpExplanation french = hp_explain_by_id(self, "null-mx", "fr_FR.UTF-8");
    HpExplanation english = hp_explain_by_id(self, "null-mx", "en");
    HpExplanation german = hp_explain_by_id(self, "null-mx", "de_AT");

    g_assert_cmpstr(french.meaning, ==, english.meaning);
    g_assert_cmpstr(german.meaning, !=, english.meaning);
}

static void
faulty_catalogues_are_named(void)
{
    static const char *const texts[] = {
        "[x]\nside=you\n",
        "[side you]\ntext=a.\n[class a]\nadvice=b.\n[x]\nmeaning=c.\nside=me\n",
        "[side you]\ntext=a.\n[class a]\nadvice=b.\n[x]\nmeaning=c.\nside=you\nclass=a\n",
        ("[side you]\ntext=a.\n[class a]\nadvice=b.\n[x]\nmeaning=c.\nside=you\nclass=a\n"
         "action=none\n"),
        "[x]\nenhanced=5.1;\n",
        "[x]\ncode=6xx;\n",
        "no ini",
        "",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(hp_explain_new(hp_slice_of(texts[i]), &error));
        g_assert_nonnull(error);
    }
}

int
main(int argc, char **argv)
{
    g_auto(GStrv) groups = NULL;
    int result;

    g_test_init(&argc, &argv, NULL);
    rows = g_key_file_new();
    g_assert_true(g_key_file_load_from_file(rows, g_getenv("HP_EXPLANATIONS"),
                                            G_KEY_FILE_KEEP_TRANSLATIONS, NULL));
    groups = g_key_file_get_groups(rows, NULL);
    for (guint i = 0; groups[i] != NULL; i++) {
        g_autofree char *path = g_strconcat("/explain/row/", groups[i], NULL);

        if (!g_str_has_prefix(groups[i], "side ") &&
            !g_str_has_prefix(groups[i], "class "))
            g_test_add_data_func(path, groups[i], row_holds);
    }
    g_test_add_func("/explain/phrases-lead-to-their-row", phrases_lead_to_their_row);
    g_test_add_func("/explain/what-is-decided-here-has-its-own-rows",
                    what_is_decided_here_has_its_own_rows);
    g_test_add_func("/explain/every-code-of-rfc-3463-is-there",
                    every_code_of_rfc_3463_is_there);
    g_test_add_func("/explain/phrase-beats-enhanced-beats-code",
                    phrase_beats_enhanced_beats_code);
    g_test_add_func("/explain/success-is-no-trouble", success_is_no_trouble);
    g_test_add_func("/explain/vague-phrases-yield-to-others",
                    vague_phrases_yield_to_others);
    g_test_add_func("/explain/a-domain-that-does-not-exist-is-ones-own-to-check",
                    a_domain_that_does_not_exist_is_ones_own_to_check);
    g_test_add_func("/explain/language-falls-back-to-english",
                    language_falls_back_to_english);
    g_test_add_func("/explain/faulty-catalogues-are-named", faulty_catalogues_are_named);
    result = g_test_run();
    g_key_file_free(rows);
    return result;
}
