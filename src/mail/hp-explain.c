#include "hp-explain.h"

#include "hp-status.h"

#include <gio/gio.h>
#include <string.h>

#define LONGEST_FILE ((size_t)1024 * 1024) /* octets; ours has 70 KB */
#define LONGEST_TEXT 4096                  /* octets of a reply that are looked at */

/* Scores: how well a row fits. What a phrase says is nearer to the truth than any code; a
 * code that says "other" (".0.0") tells less than the plain reply code. */
#define SCORE_PHRASE   10000 /* and its length */
#define SCORE_ENHANCED 2000
#define SCORE_RANGE    1900
#define SCORE_SUBJECT  1000
#define SCORE_CODE     500
#define SCORE_OTHER    10
#define SCORE_CLASS    5

/* "5.7.606-649", "x.1.*": the details from low to high, of one class or any (0) */
typedef struct {
    guint severity;
    guint subject;
    guint low, high;
} EnhancedMatch;

typedef struct {
    char *id;          /* (owned) */
    char **phrases;    /* (owned) (nullable) */
    gboolean vague;    /* any phrase of another row says more */
    GArray *enhanced;  /* (owned) (nullable): EnhancedMatch */
    GArray *codes;     /* (owned) (nullable): guint; 4 and 5 mean the whole class */
    GHashTable *texts; /* (owned): "meaning[de]" → text */
} Row;

struct _HpExplain {
    GPtrArray *rows;     /* (owned): Row, in the order of the file */
    GHashTable *by_id;   /* (owned): id → Row; sides and classes too */
    const Row *fallback; /* (unowned) */
};

static void
free_row(gpointer data)
{
    Row *row = data;

    g_free(row->id);
    g_strfreev(row->phrases);
    g_clear_pointer(&row->enhanced, g_array_unref);
    g_clear_pointer(&row->codes, g_array_unref);
    g_hash_table_unref(row->texts);
    g_free(row);
}

static gboolean
fail(GError **error, const char *row, const char *what)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "explanation \"%s\": %s", row,
                what);
    return FALSE;
}

static gboolean
parse_enhanced(const char *text, EnhancedMatch *ret_match)
{
    HpCursor c = hp_cursor_over(hp_slice_of(text));
    guint64 severity = 0, subject, low = 0, high = 999;

    if ((!hp_cursor_skip(&c, 'x') && !hp_cursor_take_number(&c, 5, &severity)) ||
        !hp_cursor_skip(&c, '.') || !hp_cursor_take_number(&c, 999, &subject) ||
        !hp_cursor_skip(&c, '.'))
        return FALSE;
    if (!hp_cursor_skip(&c, '*')) {
        if (!hp_cursor_take_number(&c, 999, &low))
            return FALSE;
        high = low;
        if (hp_cursor_skip(&c, '-') && !hp_cursor_take_number(&c, 999, &high))
            return FALSE;
    }
    *ret_match =
        (EnhancedMatch){ (guint)severity, (guint)subject, (guint)low, (guint)high };
    return hp_cursor_at_end(&c);
}

static gboolean
parse_code(const char *text, guint *ret_code)
{
    HpCursor c = hp_cursor_over(hp_slice_of(text));
    guint64 code;

    if (!hp_cursor_take_number(&c, 599, &code))
        return FALSE;
    *ret_code = (guint)code;
    return hp_cursor_at_end(&c) || (code < 10 && hp_cursor_skip_word(&c, "xx"));
}

static gboolean
read_matches(GKeyFile *file, Row *row, GError **error)
{
    g_auto(GStrv) enhanced =
        g_key_file_get_string_list(file, row->id, "enhanced", NULL, NULL);
    g_auto(GStrv) codes = g_key_file_get_string_list(file, row->id, "code", NULL, NULL);

    row->phrases = g_key_file_get_string_list(file, row->id, "phrase", NULL, NULL);
    row->vague = g_key_file_get_boolean(file, row->id, "vague", NULL);
    for (guint i = 0; enhanced != NULL && enhanced[i] != NULL; i++) {
        EnhancedMatch match;

        if (!parse_enhanced(enhanced[i], &match))
            return fail(error, row->id, "not an enhanced code");
        if (row->enhanced == NULL)
            row->enhanced = g_array_new(FALSE, FALSE, sizeof match);
        g_array_append_val(row->enhanced, match);
    }
    for (guint i = 0; codes != NULL && codes[i] != NULL; i++) {
        guint code;

        if (!parse_code(codes[i], &code))
            return fail(error, row->id, "not a reply code");
        if (row->codes == NULL)
            row->codes = g_array_new(FALSE, FALSE, sizeof code);
        g_array_append_val(row->codes, code);
    }
    return TRUE;
}

static gboolean
read_row(HpExplain *self, GKeyFile *file, const char *id, GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(file, id, NULL, error);
    Row *row;
    gboolean good;

    if (keys == NULL)
        return FALSE;
    row = g_new0(Row, 1);
    row->id = g_strdup(id);
    row->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(self->by_id, row->id, row);
    for (guint i = 0; keys[i] != NULL; i++)
        g_hash_table_insert(row->texts, g_strdup(keys[i]),
                            g_key_file_get_string(file, id, keys[i], NULL));
    good = read_matches(file, row, error);
    if (!g_str_has_prefix(id, "side ") && !g_str_has_prefix(id, "class "))
        g_ptr_array_add(self->rows, row);
    return good;
}

static const char *
text_of(const Row *row, const char *key)
{
    return g_hash_table_lookup(row->texts, key);
}

static const Row *
related(const HpExplain *self, const Row *row, const char *key)
{
    const char *name = text_of(row, key);
    g_autofree char *id = name != NULL ? g_strconcat(key, " ", name, NULL) : NULL;

    return id != NULL ? g_hash_table_lookup(self->by_id, id) : NULL;
}

/* What hp_explain() promises: never NULL. */
static gboolean
check_row(const HpExplain *self, const Row *row, GError **error)
{
    const Row *class = related(self, row, "class");
    const Row *side = related(self, row, "side");

    if (text_of(row, "meaning") == NULL)
        return fail(error, row->id, "no meaning");
    if (side == NULL || text_of(side, "text") == NULL)
        return fail(error, row->id, "no such side");
    if (class == NULL || text_of(class, "advice") == NULL)
        return fail(error, row->id, "no such class");
    if (text_of(row, "action") == NULL)
        return fail(error, row->id, "no action");
    return TRUE;
}

static gboolean
fill(HpExplain *self, HpSlice ini, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GStrv) groups = NULL;

    if (!g_key_file_load_from_data(file, ini.data != NULL ? ini.data : "",
                                   MIN(ini.len, LONGEST_FILE),
                                   G_KEY_FILE_KEEP_TRANSLATIONS, error))
        return FALSE;
    groups = g_key_file_get_groups(file, NULL);
    for (guint i = 0; groups[i] != NULL; i++)
        if (!read_row(self, file, groups[i], error))
            return FALSE;
    for (guint i = 0; i < self->rows->len; i++)
        if (!check_row(self, g_ptr_array_index(self->rows, i), error))
            return FALSE;
    self->fallback = g_hash_table_lookup(self->by_id, "unknown");
    return self->fallback != NULL || fail(error, "unknown", "this row must be there");
}

HpExplain *
hp_explain_new(HpSlice ini, GError **error)
{
    HpExplain *self = g_new0(HpExplain, 1);

    self->rows = g_ptr_array_new();
    self->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_row);
    if (fill(self, ini, error))
        return self;
    hp_explain_free(self);
    return NULL;
}

HpExplain *
hp_explain_load(const char *path, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize len;

    if (!g_file_get_contents(path, &bytes, &len, error))
        return NULL;
    return hp_explain_new((HpSlice){ bytes, len }, error);
}

void
hp_explain_free(HpExplain *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->rows);
    g_hash_table_unref(self->by_id);
    g_free(self);
}

char **
hp_explain_ids(const HpExplain *self)
{
    char **ids = g_new0(char *, self->rows->len + 1);

    for (guint i = 0; i < self->rows->len; i++)
        ids[i] = g_strdup(((const Row *)g_ptr_array_index(self->rows, i))->id);
    return ids;
}

/* "de_DE.UTF-8@euro" → "de_DE", then "de", then no language at all. */
static const char *
translated(const Row *row, const char *key, const char *language)
{
    g_autofree char *name = g_strndup(language, strcspn(language, ".@:"));
    const char *text = NULL;

    while (text == NULL && *name != '\0') {
        g_autofree char *full = g_strdup_printf("%s[%s]", key, name);
        char *end = strpbrk(name, "_-");

        text = text_of(row, full);
        *(end != NULL ? end : name) = '\0';
    }
    return text != NULL ? text : text_of(row, key);
}

static HpExplanation
explanation_of(const HpExplain *self, const Row *row, const char *language)
{
    const char *lang = language != NULL ? language : "";
    const Row *class = related(self, row, "class");
    /* Advice is one text in all its languages: of the row, or of its class. */
    const Row *advising = text_of(row, "advice") != NULL ? row : class;

    return (HpExplanation){
        .id = row->id,
        .meaning = translated(row, "meaning", lang),
        .side = text_of(row, "side"),
        .side_text = translated(related(self, row, "side"), "text", lang),
        .advice = translated(advising, "advice", lang),
        .class_ = text_of(row, "class"),
        .action = text_of(row, "action"),
    };
}

static guint
score_phrases(const Row *row, HpSlice lower)
{
    size_t longest = 0;

    for (guint i = 0; row->phrases[i] != NULL; i++) {
        size_t len = strlen(row->phrases[i]);

        if (len > longest && len <= lower.len &&
            memmem(lower.data, lower.len, row->phrases[i], len) != NULL)
            longest = len;
    }
    if (longest == 0)
        return 0;
    return row->vague ? SCORE_PHRASE : SCORE_PHRASE + (guint)longest;
}

static guint
score_enhanced(const Row *row, const HpStatus *status)
{
    guint best = 0;

    for (guint i = 0; i < row->enhanced->len; i++) {
        const EnhancedMatch *match = &g_array_index(row->enhanced, EnhancedMatch, i);
        guint score = SCORE_RANGE;

        if ((match->severity != 0 && match->severity != status->severity) ||
            match->subject != status->subject || status->detail < match->low ||
            status->detail > match->high)
            continue;
        if (match->low == match->high)
            score = status->subject == 0 ? SCORE_OTHER : SCORE_ENHANCED;
        else if (match->high == 999)
            score = SCORE_SUBJECT;
        best = MAX(best, score);
    }
    return best;
}

static guint
score_code(const Row *row, guint code)
{
    guint best = 0;

    for (guint i = 0; i < row->codes->len; i++) {
        guint match = g_array_index(row->codes, guint, i);

        if (match == code)
            best = SCORE_CODE;
        else if (match == code / 100)
            best = MAX(best, SCORE_CLASS);
    }
    return best;
}

typedef struct {
    guint code;
    gboolean has_status;
    HpStatus status;
    HpSlice lower;
} Question;

/* All that a row names must fit; the best of it counts. What was a success is not looked
 * up among the troubles. */
static guint
score_row(const Row *row, const Question *question)
{
    guint best = 0;

    if (question->code / 100 == 2 && row->codes == NULL)
        return 0;
    if (row->phrases != NULL) {
        best = score_phrases(row, question->lower);
        if (best == 0)
            return 0;
    }
    if (row->enhanced != NULL) {
        guint score = question->has_status ? score_enhanced(row, &question->status) : 0;

        if (score == 0)
            return 0;
        best = MAX(best, score);
    }
    if (row->codes != NULL) {
        guint score = score_code(row, question->code);

        if (score == 0)
            return 0;
        best = MAX(best, score);
    }
    return best;
}

HpExplanation
hp_explain(const HpExplain *self, guint code, const char *enhanced, const char *text,
           const char *language)
{
    HpCursor c = hp_cursor_over(hp_slice_of(enhanced));
    g_autofree char *lower =
        g_ascii_strdown(text != NULL ? text : "", text != NULL ? -1 : 0);
    Question question = { .code = code, .lower = hp_slice_of(lower) };
    const Row *best = self->fallback;
    guint best_score = 0;

    question.lower.len = MIN(question.lower.len, LONGEST_TEXT);
    question.has_status = hp_status_parse(&c, &question.status);
    if (code == 0 && question.has_status && question.status.severity == 2)
        question.code = 200;
    for (guint i = 0; i < self->rows->len; i++) {
        const Row *row = g_ptr_array_index(self->rows, i);
        guint score = score_row(row, &question);

        if (score > best_score) {
            best = row;
            best_score = score;
        }
    }
    return explanation_of(self, best, language);
}

HpExplanation
hp_explain_by_id(const HpExplain *self, const char *id, const char *language)
{
    const Row *row = g_hash_table_lookup(self->by_id, id);

    if (row == NULL || text_of(row, "meaning") == NULL)
        row = self->fallback;
    return explanation_of(self, row, language);
}

/* The rows for what is decided here. */
static const struct {
    HpStage stage;
    const char *status; /* subject and detail; NULL: any */
    const char *id;
} own_rows[] = {
    { HP_STAGE_DNS, "1.2", HP_EXPLAIN_NO_DOMAIN },
    { HP_STAGE_DNS, "1.10", HP_EXPLAIN_NULL_MX },
    { HP_STAGE_DNS, "4.1", HP_EXPLAIN_NO_ROUTE },
    { HP_STAGE_DNS, "4.3", HP_EXPLAIN_DNS_TROUBLE },
    { HP_STAGE_DNS, "4.6", HP_EXPLAIN_PRIVATE_MX },
    { HP_STAGE_CONNECT, "4.1", HP_EXPLAIN_NO_CONNECTION },
    { HP_STAGE_GREETING, "5.0", HP_EXPLAIN_NO_SERVER },
    { HP_STAGE_DOT, NULL, HP_EXPLAIN_UNCERTAIN },
    { HP_STAGE_LOCAL, "1.5", HP_EXPLAIN_AT_HOME },
    { HP_STAGE_LOCAL, "3.0", HP_EXPLAIN_UNREADABLE },
    { HP_STAGE_LOCAL, "3.4", HP_EXPLAIN_TOO_LARGE },
    { HP_STAGE_LOCAL, "4.6", HP_EXPLAIN_LOOP },
    { HP_STAGE_LOCAL, "6.3", HP_EXPLAIN_NO_EIGHT_BIT },
    { HP_STAGE_LOCAL, "6.7", HP_EXPLAIN_NO_UTF8 },
};

static const char *
own_row(const HpReply *reply)
{
    HpCursor c = hp_cursor_over(hp_slice_of(reply->enhanced));
    HpSlice class = hp_cursor_take_until(&c, '.');

    hp_cursor_skip(&c, '.');
    /* Given back because of the network; merely waiting is CONNECT without an answer. */
    if (reply->stage == HP_STAGE_CONNECT && hp_slice_equal(class, HP_SLICE_LITERAL("5")))
        return HP_EXPLAIN_NO_25;
    for (guint i = 0; i < G_N_ELEMENTS(own_rows); i++)
        if (own_rows[i].stage == reply->stage &&
            (own_rows[i].status == NULL ||
             hp_slice_equal(hp_cursor_rest(&c), hp_slice_of(own_rows[i].status))))
            return own_rows[i].id;
    return NULL;
}

HpExplanation
hp_explain_reply(const HpExplain *self, const HpReply *reply, const char *language)
{
    const char *id = reply->host == NULL ? own_row(reply) : NULL;

    if (id != NULL)
        return hp_explain_by_id(self, id, language);
    return hp_explain(self, reply->code, reply->enhanced,
                      reply->host != NULL ? reply->text : NULL, language);
}
