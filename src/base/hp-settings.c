#include "hp-settings.h"

#include "hp-text.h"

#include <glib/gi18n.h>
#include <stdatomic.h>

#define MOST_PROBLEMS 20   /* more of them help nobody */
#define LONGEST_LINE  4096 /* bytes */
#define LONGEST_NAME  64   /* bytes, of a named section */
#define SHOWN_CHARS   60   /* of a wrong value, in a message */
#define NEAR_ENOUGH                                                                      \
    3 /* edits between a typing mistake and what was meant; less in                      \
         short words, where two edits make any other */

G_DEFINE_QUARK(hp - settings - error - quark, hp_settings_error)

typedef struct {
    guint key;
    guint section; /* index */
    guint line;
    char *text;    /* (owned) */
    gint64 number; /* value of YES_NO, NUMBER, DURATION, SIZE */
} Value;

typedef struct {
    const char *section; /* (unowned): the table's */
    char *name;          /* (owned) (nullable) */
    guint line;
} Section;

struct _HpSettings {
    atomic_int refs;
    HpSettingTable table;
    GArray *values;   /* (owned): Value */
    GArray *sections; /* (owned): Section */
};

static void
clear_value(gpointer value)
{
    g_free(((Value *)value)->text);
}

static void
clear_section(gpointer section)
{
    g_free(((Section *)section)->name);
}

static HpSettings *
new_settings(HpSettingTable table)
{
    HpSettings *self = g_new0(HpSettings, 1);

    atomic_init(&self->refs, 1);
    self->table = table;
    self->values = g_array_new(FALSE, FALSE, sizeof(Value));
    g_array_set_clear_func(self->values, clear_value);
    self->sections = g_array_new(FALSE, FALSE, sizeof(Section));
    g_array_set_clear_func(self->sections, clear_section);
    return self;
}

HpSettings *
hp_settings_ref(HpSettings *self)
{
    atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
    return self;
}

void
hp_settings_unref(HpSettings *self)
{
    if (atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) != 1)
        return;
    g_array_unref(self->values);
    g_array_unref(self->sections);
    g_free(self);
}

/* --- values --- */

/* yes, true, on, 1 and their opposites, as other key files have them. */
static gboolean
parse_yes_no(HpSlice text, gint64 *ret_yes)
{
    static const char *const words[] = { "no",  "yes", "false", "true",
                                         "off", "on",  "0",     "1" };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (hp_slice_equal_nocase(text, words[i])) {
            *ret_yes = (gint64)(i % 2);
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
is_choice(const char *choices, HpSlice text)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);

    for (guint i = 0; words[i] != NULL; i++)
        if (hp_slice_equal_nocase(text, words[i]))
            return TRUE;
    return FALSE;
}

static gboolean
parse_number(HpSlice text, gint64 *ret_number)
{
    HpCursor c = hp_cursor_over(text);
    guint64 number;

    if (!hp_cursor_take_number(&c, (guint64)G_MAXINT64, &number) || !hp_cursor_at_end(&c))
        return FALSE;
    *ret_number = (gint64)number;
    return TRUE;
}

static gboolean
is_word_byte(unsigned char byte)
{
    return byte != ',' && byte != ';' && byte != ' ' && byte != '\t';
}

static gboolean
is_separator(unsigned char byte)
{
    return !is_word_byte(byte);
}

/* The next word of a list; empty at the end. */
static HpSlice
take_word(HpCursor *c)
{
    hp_cursor_take(c, is_separator);
    return hp_cursor_take(c, is_word_byte);
}

static const char *
check_words(const HpSettingSpec *spec, HpSlice text)
{
    HpCursor c = hp_cursor_over(text);

    for (HpSlice word = take_word(&c); word.len > 0; word = take_word(&c)) {
        const char *wrong = spec->check(word);

        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static gboolean
is_in_range(const HpSettingSpec *spec, gint64 number)
{
    return (spec->min == 0 && spec->max == 0) ||
           (number >= spec->min && number <= spec->max);
}

/* Does @text have the form that the type wants? */
static gboolean
parse_value(const HpSettingSpec *spec, HpSlice text, gint64 *ret_number)
{
    switch (spec->type) {
    case HP_SETTING_YES_NO:
        return parse_yes_no(text, ret_number);
    case HP_SETTING_NUMBER:
        return parse_number(text, ret_number) && is_in_range(spec, *ret_number);
    case HP_SETTING_DURATION:
        return hp_text_parse_duration(text, ret_number) && is_in_range(spec, *ret_number);
    case HP_SETTING_SIZE:
        return hp_text_parse_size(text, ret_number) && is_in_range(spec, *ret_number);
    case HP_SETTING_CHOICE:
        return is_choice(spec->choices, text);
    case HP_SETTING_TEXT:
    case HP_SETTING_LIST:
        break;
    }
    return TRUE;
}

/* The bounds of a number, as far as there are any. */
static char *
describe_number(const HpSettingSpec *spec)
{
    if (spec->min == 0 && spec->max == 0)
        return g_strdup(_("a number"));
    return g_strdup_printf(_("a number from %lld to %lld"), (long long)spec->min,
                           (long long)spec->max);
}

static char *
describe_choices(const HpSettingSpec *spec)
{
    g_auto(GStrv) words = g_strsplit(spec->choices, "|", -1);
    g_autofree char *joined = g_strjoinv(", ", words);

    return g_strdup_printf(_("one of: %s"), joined);
}

char *
hp_settings_describe_type(const HpSettingSpec *spec)
{
    switch (spec->type) {
    case HP_SETTING_YES_NO:
        return g_strdup(_("yes or no"));
    case HP_SETTING_NUMBER:
        return describe_number(spec);
    case HP_SETTING_DURATION:
        return g_strdup(_("a time such as 30s, 5m, 4h or 30d"));
    case HP_SETTING_SIZE:
        return g_strdup(_("a size such as 500K, 50M or 2G"));
    case HP_SETTING_CHOICE:
        return describe_choices(spec);
    case HP_SETTING_LIST:
        return g_strdup(_("words, separated by commas"));
    case HP_SETTING_TEXT:
        break;
    }
    return g_strdup(_("text"));
}

/* "must be a number from 0 to 65535" and why it may have gone wrong. */
static char *
describe_problem(const HpSettingSpec *spec, HpSlice value)
{
    g_autofree char *shown = hp_text_printable(value, SHOWN_CHARS);
    g_autofree char *type = hp_settings_describe_type(spec);
    gboolean comment = memchr(value.data, '#', value.len) != NULL;
    gboolean form = spec->type == HP_SETTING_DURATION || spec->type == HP_SETTING_SIZE;
    gint64 number;

    if (value.len == 0)
        return g_strdup_printf(_("%s has no value; it must be %s"), spec->key, type);
    if (comment)
        return g_strdup_printf(
            _("%s must be %s, not \"%s\" (a comment needs a line of its own)"), spec->key,
            type, shown);
    if (form &&
        (hp_text_parse_duration(value, &number) || hp_text_parse_size(value, &number)))
        return g_strdup_printf(
            _("%s must be %s; \"%s\" is too small, too large or has the "
              "wrong unit"),
            spec->key, type, shown);
    return g_strdup_printf(_("%s must be %s, not \"%s\""), spec->key, type, shown);
}

/* %NULL if @value will do, else the sentence that says what is wrong. */
static char *
judge(const HpSettingSpec *spec, HpSlice value, gint64 *ret_number)
{
    gint64 number = 0;
    const char *wrong = NULL;

    *ret_number = 0;
    if (value.len == 0 && spec->fallback[0] == '\0')
        return NULL;
    if ((value.len == 0 && spec->type != HP_SETTING_TEXT &&
         spec->type != HP_SETTING_LIST) ||
        !parse_value(spec, value, &number))
        return describe_problem(spec, value);
    if (spec->check != NULL)
        wrong =
            spec->type == HP_SETTING_LIST ? check_words(spec, value) : spec->check(value);
    if (wrong != NULL) {
        g_autofree char *shown = hp_text_printable(value, SHOWN_CHARS);

        return g_strdup_printf("%s %s: \"%s\"", spec->key, _(wrong), shown);
    }
    *ret_number = number;
    return NULL;
}

gboolean
hp_settings_check(const HpSettingSpec *spec, HpSlice value, GError **error)
{
    gint64 number;
    g_autofree char *wrong =
        !g_utf8_validate(value.len > 0 ? value.data : "", (gssize)value.len, NULL) ||
                memchr(value.len > 0 ? value.data : "", '\n', value.len) != NULL
            ? g_strdup(_("a value is UTF-8 text of one line"))
            : judge(spec, value, &number);

    if (wrong == NULL)
        return TRUE;
    g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_VALUE, wrong);
    return FALSE;
}

/* --- the nearest valid name --- */

/* The distance at which a word is no longer a mistyped @word. */
static guint
too_far(const char *word)
{
    return MIN(NEAR_ENOUGH, (guint)strlen(word) / 2) + 1;
}

static void
offer(const char *word, const char *candidate, const char **best, guint *distance)
{
    guint d = hp_text_distance(word, candidate);

    if (d < *distance) {
        *distance = d;
        *best = candidate;
    }
}

static const char *
nearest_section(HpSettingTable table, const char *word)
{
    const char *best = NULL;
    guint distance = too_far(word);

    for (guint i = 0; i < table.n_specs; i++)
        offer(word, table.specs[i].section, &best, &distance);
    return best;
}

/* @section: (nullable): look in all of them. */
static const HpSettingSpec *
nearest_key(HpSettingTable table, const char *section, const char *word)
{
    const HpSettingSpec *found = NULL;
    const char *best = NULL;
    guint distance = too_far(word);

    for (guint i = 0; i < table.n_specs; i++) {
        guint before = distance;

        if (section != NULL && strcmp(table.specs[i].section, section) != 0)
            continue;
        offer(word, table.specs[i].key, &best, &distance);
        if (distance < before)
            found = &table.specs[i];
    }
    return found;
}

static gboolean
find_key(HpSettingTable table, const char *section, HpSlice key, guint *ret_key)
{
    for (guint i = 0; i < table.n_specs; i++) {
        if (strcmp(table.specs[i].section, section) == 0 &&
            hp_slice_equal(hp_slice_of(table.specs[i].key), key)) {
            *ret_key = i;
            return TRUE;
        }
    }
    return FALSE;
}

static const HpSettingSpec *
find_section(HpSettingTable table, HpSlice section)
{
    for (guint i = 0; i < table.n_specs; i++)
        if (hp_slice_equal(hp_slice_of(table.specs[i].section), section))
            return table.specs + i;
    return NULL;
}

/* --- reading a file --- */

typedef struct {
    HpSettings *settings; /* (owned) */
    const char *file;     /* (unowned) (nullable) */
    guint line;
    gboolean in_section; /* a known header was seen; its settings are judged */
    gboolean any_header;
    GString *problems; /* (owned) */
    guint n_problems;
} Reader;

static void complain(Reader *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
complain(Reader *r, const char *format, ...)
{
    va_list args;

    if (r->n_problems++ >= MOST_PROBLEMS)
        return;
    if (r->problems->len > 0)
        g_string_append_c(r->problems, '\n');
    if (r->file != NULL)
        g_string_append_printf(r->problems, "%s:%u: ", r->file, r->line);
    va_start(args, format);
    g_string_append_vprintf(r->problems, format, args);
    va_end(args);
}

static void
complain_section(Reader *r, HpSlice header)
{
    g_autofree char *shown = hp_text_printable(header, SHOWN_CHARS);
    const char *near = nearest_section(r->settings->table, shown);

    if (near != NULL)
        complain(r, _("there is no section [%s]; did you mean [%s]?"), shown, near);
    else
        complain(r, _("there is no section [%s]"), shown);
}

static const Section *
current_section(const Reader *r)
{
    return &g_array_index(r->settings->sections, Section, r->settings->sections->len - 1);
}

static void
complain_key(Reader *r, HpSlice key)
{
    HpSettingTable table = r->settings->table;
    const char *section = current_section(r)->section;
    g_autofree char *shown = hp_text_printable(key, SHOWN_CHARS);
    const HpSettingSpec *near = nearest_key(table, section, shown);

    if (near != NULL) {
        complain(r, _("there is no key %s in [%s]; did you mean %s?"), shown, section,
                 near->key);
        return;
    }
    near = nearest_key(table, NULL, shown);
    if (near != NULL)
        complain(r, _("there is no key %s in [%s]; did you mean %s in [%s]?"), shown,
                 section, near->key, near->section);
    else
        complain(r, _("there is no key %s in [%s]"), shown, section);
}

static const Section *
find_header(const HpSettings *self, const char *section, const char *name)
{
    for (guint i = 0; i < self->sections->len; i++) {
        const Section *s = &g_array_index(self->sections, Section, i);

        if (strcmp(s->section, section) == 0 && g_strcmp0(s->name, name) == 0)
            return s;
    }
    return NULL;
}

/* "[" section [ " " name ] "]" */
static void
read_header(Reader *r, HpSlice inside)
{
    HpCursor c = hp_cursor_over(inside);
    HpSlice word = hp_cursor_take_until(&c, ' ');
    HpSlice name = hp_slice_trim(hp_cursor_rest(&c));
    const HpSettingSpec *spec = find_section(r->settings->table, word);
    Section section = { NULL, NULL, r->line };
    const Section *before;

    r->any_header = TRUE;
    r->in_section = FALSE;
    if (spec == NULL) {
        complain_section(r, word);
        return;
    }
    if (spec->named != (name.len > 0) || name.len > LONGEST_NAME) {
        complain(r,
                 spec->named ? _("[%s] needs a short name: [%s home]")
                             : _("[%s] takes no name: write [%s]"),
                 spec->section, spec->section);
        return;
    }
    section.section = spec->section;
    section.name = name.len > 0 ? hp_slice_dup(name) : NULL;
    before = find_header(r->settings, section.section, section.name);
    if (before != NULL)
        complain(r, _("this section began already in line %u"), before->line);
    r->in_section = TRUE;
    g_array_append_val(r->settings->sections, section);
}

static const Value *
find_value(const HpSettings *self, guint key, const char *name)
{
    for (guint i = 0; i < self->values->len; i++) {
        const Value *v = &g_array_index(self->values, Value, i);
        const Section *s = &g_array_index(self->sections, Section, v->section);

        if (v->key == key && g_strcmp0(s->name, name) == 0)
            return v;
    }
    return NULL;
}

static void
read_setting(Reader *r, HpSlice key, HpSlice text)
{
    HpSettings *settings = r->settings;
    Value value = { .section = settings->sections->len - 1, .line = r->line };
    const Value *before;
    g_autofree char *wrong = NULL;

    if (!find_key(settings->table, current_section(r)->section, key, &value.key)) {
        complain_key(r, key);
        return;
    }
    before = find_value(settings, value.key, current_section(r)->name);
    if (before != NULL) {
        complain(r, _("%s is set already in line %u"),
                 settings->table.specs[value.key].key, before->line);
        return;
    }
    wrong = judge(&settings->table.specs[value.key], text, &value.number);
    if (wrong != NULL)
        complain(r, "%s", wrong);
    value.text = hp_slice_dup(text);
    g_array_append_val(settings->values, value);
}

static void
read_line(Reader *r, HpSlice line)
{
    HpCursor c = hp_cursor_over(line);
    HpSlice key;

    if (line.len > LONGEST_LINE || !g_utf8_validate(line.data, (gssize)line.len, NULL)) {
        complain(r, _("this line is too long or not UTF-8 text"));
        return;
    }
    if (hp_cursor_skip(&c, '[') && line.data[line.len - 1] == ']') {
        read_header(r, hp_slice_trim((HpSlice){ c.at, line.len - 2 }));
        return;
    }
    key = hp_slice_trim(hp_cursor_take_until(&c, '='));
    if (line.data[0] == '[' || key.len == 0 || !hp_cursor_skip(&c, '='))
        complain(r, _("this is neither [section] nor key=value nor # comment"));
    else if (!r->any_header)
        complain(r, _("this stands before the first [section]"));
    else if (r->in_section)
        read_setting(r, key, hp_slice_trim(hp_cursor_rest(&c)));
}

static void
read_file(Reader *r, HpSlice text)
{
    HpCursor c = hp_cursor_over(text);

    /* Some editors begin a UTF-8 file with a byte order mark. */
    hp_cursor_skip_word(&c, "\xEF\xBB\xBF");
    while (!hp_cursor_at_end(&c)) {
        HpSlice line = hp_slice_trim(hp_cursor_take_until(&c, '\n'));

        hp_cursor_skip(&c, '\n');
        r->line++;
        /* A NUL even in a comment: the editor's result is a C string. */
        if (memchr(line.data, '\0', line.len) != NULL)
            complain(r, _("this line is too long or not UTF-8 text"));
        else if (line.len > 0 && line.data[0] != '#')
            read_line(r, line);
    }
}

HpSettings *
hp_settings_parse(HpSettingTable table, const char *file, HpSlice text, GError **error)
{
    g_autoptr(HpSettings) settings = new_settings(table);
    g_autoptr(GString) problems = g_string_new(NULL);
    Reader r = { .settings = settings, .file = file, .problems = problems };

    if (text.len > HP_SETTINGS_MAX_BYTES)
        complain(&r, _("the file is larger than 1 MiB"));
    else
        read_file(&r, text);
    if (r.n_problems == 0)
        return g_steal_pointer(&settings);
    g_set_error_literal(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID,
                        problems->str);
    return NULL;
}

/* --- asking --- */

const char *
hp_settings_text(const HpSettings *self, guint key, const char *name)
{
    const Value *value = find_value(self, key, name);

    g_assert(key < self->table.n_specs);
    return value != NULL ? value->text : self->table.specs[key].fallback;
}

static gint64
number_of(const HpSettings *self, guint key, const char *name)
{
    const HpSettingSpec *spec = &self->table.specs[key];
    const Value *value = find_value(self, key, name);
    gint64 number = 0;

    if (value != NULL)
        return value->number;
    if (spec->fallback[0] != '\0' &&
        !parse_value(spec, hp_slice_of(spec->fallback), &number))
        g_assert_not_reached();
    return number;
}

gboolean
hp_settings_yes(const HpSettings *self, guint key, const char *name)
{
    g_assert(key < self->table.n_specs);
    g_assert(self->table.specs[key].type == HP_SETTING_YES_NO);
    return number_of(self, key, name) != 0;
}

gint64
hp_settings_number(const HpSettings *self, guint key, const char *name)
{
    g_assert(key < self->table.n_specs);
    g_assert(self->table.specs[key].type == HP_SETTING_NUMBER ||
             self->table.specs[key].type == HP_SETTING_DURATION ||
             self->table.specs[key].type == HP_SETTING_SIZE);
    return number_of(self, key, name);
}

char **
hp_settings_list(const HpSettings *self, guint key, const char *name)
{
    HpCursor c = hp_cursor_over(hp_slice_of(hp_settings_text(self, key, name)));
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    for (HpSlice word = take_word(&c); word.len > 0; word = take_word(&c)) {
        g_autofree char *copy = hp_slice_dup(word);

        g_strv_builder_add(words, copy);
    }
    return g_strv_builder_end(words);
}

guint
hp_settings_line(const HpSettings *self, guint key, const char *name)
{
    const Value *value = find_value(self, key, name);

    return value != NULL ? value->line : 0;
}

guint
hp_settings_section_line(const HpSettings *self, const char *section, const char *name)
{
    const Section *found = find_header(self, section, name);

    return found != NULL ? found->line : 0;
}

const char **
hp_settings_names(const HpSettings *self, const char *section)
{
    const char **names = g_new0(const char *, self->sections->len + 1);
    guint n = 0;

    for (guint i = 0; i < self->sections->len; i++) {
        const Section *s = &g_array_index(self->sections, Section, i);

        if (s->name != NULL && strcmp(s->section, section) == 0)
            names[n++] = s->name;
    }
    return names;
}

/* --- "section.NAME.key" --- */

static gboolean
fail_path(HpSettingTable table, const char *path, GError **error)
{
    const char *dot = strrchr(path, '.');
    const HpSettingSpec *near = nearest_key(table, NULL, dot != NULL ? dot + 1 : path);

    if (near == NULL) {
        g_set_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_NOT_FOUND,
                    _("there is no setting %s"), path);
        return FALSE;
    }
    g_set_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_NOT_FOUND,
                _("there is no setting %s; did you mean %s%s.%s?"), path, near->section,
                near->named ? ".NAME" : "", near->key);
    return FALSE;
}

gboolean
hp_settings_find(HpSettingTable table, const char *path, guint *ret_key, char **ret_name,
                 GError **error)
{
    const char *first = strchr(path, '.');
    const char *last = strrchr(path, '.');
    const HpSettingSpec *spec;
    guint key;

    if (first == NULL)
        return fail_path(table, path, error);
    spec = find_section(table, (HpSlice){ path, (gsize)(first - path) });
    if (spec == NULL || spec->named != (last > first + 1) ||
        !find_key(table, spec->section, hp_slice_of(last + 1), &key))
        return fail_path(table, path, error);
    *ret_key = key;
    *ret_name = last > first ? g_strndup(first + 1, (gsize)(last - first - 1)) : NULL;
    return TRUE;
}
