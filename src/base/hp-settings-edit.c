#include "hp-settings-edit.h"

#include <string.h>

typedef enum {
    LINE_OTHER, /* blank, comment, anything else */
    LINE_HEADER,
    LINE_SETTING,
    LINE_SHOWN_DEFAULT, /* "#key=value" */
} LineKind;

typedef struct {
    HpSlice whole; /* with its line end */
    HpSlice word;  /* header: inside the brackets; setting: the key */
    LineKind kind;
    gboolean inside; /* in the section that is looked for (its header too) */
} Line;

/* [ "#" ] key "=" value */
static LineKind
take_setting(HpCursor c, HpSlice *ret_key)
{
    gboolean comment = hp_cursor_skip(&c, '#');
    HpSlice key = hp_slice_trim(hp_cursor_take_until(&c, '='));

    if (hp_cursor_at_end(&c) || key.len == 0)
        return LINE_OTHER;
    *ret_key = key;
    return comment ? LINE_SHOWN_DEFAULT : LINE_SETTING;
}

/* A byte order mark belongs to the first line but not to its text. */
static Line
take_line(HpCursor *c, gboolean first)
{
    const char *start = c->at;
    Line line = { .kind = LINE_OTHER };
    HpSlice text;

    if (first)
        hp_cursor_skip_word(c, "\xEF\xBB\xBF");
    text = hp_slice_trim(hp_cursor_take_until(c, '\n'));

    hp_cursor_skip(c, '\n');
    line.whole = (HpSlice){ start, (size_t)(c->at - start) };
    if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']') {
        line.kind = LINE_HEADER;
        line.word = hp_slice_trim((HpSlice){ text.data + 1, text.len - 2 });
    } else {
        line.kind = take_setting(hp_cursor_over(text), &line.word);
    }
    return line;
}

/* [identity  work] is [identity work]. */
static gboolean
is_header(HpSlice inside, const char *section)
{
    HpCursor c = hp_cursor_over(inside);
    HpCursor s = hp_cursor_over(hp_slice_of(section));

    return hp_slice_equal(hp_cursor_take_until(&c, ' '), hp_cursor_take_until(&s, ' ')) &&
           hp_slice_equal(hp_slice_trim(hp_cursor_rest(&c)),
                          hp_slice_trim(hp_cursor_rest(&s)));
}

static GArray *
split(HpSlice text, const char *section)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
    HpCursor c = hp_cursor_over(text);
    gboolean inside = FALSE;

    while (!hp_cursor_at_end(&c)) {
        Line line = take_line(&c, lines->len == 0);

        if (line.kind == LINE_HEADER)
            inside = is_header(line.word, section);
        line.inside = inside;
        g_array_append_val(lines, line);
    }
    return lines;
}

static const Line *
line_at(const GArray *lines, guint i)
{
    return &g_array_index(lines, Line, i);
}

/* The last line in the section with that key, %TRUE and its index, if there is one. */
static gboolean
find_line(const GArray *lines, LineKind kind, const char *key, guint *ret_at)
{
    gboolean found = FALSE;

    for (guint i = 0; i < lines->len; i++) {
        const Line *line = line_at(lines, i);

        if (line->inside && line->kind == kind &&
            hp_slice_equal(line->word, hp_slice_of(key))) {
            *ret_at = i;
            found = TRUE;
        }
    }
    return found;
}

/* The last line of the section that is not blank and not a comment. */
static gboolean
find_end(const GArray *lines, guint *ret_at)
{
    gboolean found = FALSE;

    for (guint i = 0; i < lines->len; i++) {
        const Line *line = line_at(lines, i);

        if (line->inside && (line->kind != LINE_OTHER)) {
            *ret_at = i;
            found = TRUE;
        }
    }
    return found;
}

static void
append(GString *out, HpSlice bytes)
{
    g_string_append_len(out, bytes.data, (gssize)bytes.len);
}

/* The file's own line end. */
static const char *
line_end(HpSlice text)
{
    const char *lf = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;

    return lf != NULL && lf > text.data && lf[-1] == '\r' ? "\r\n" : "\n";
}

static void
end_line(GString *out, const char *eol)
{
    if (out->len > 0 && out->str[out->len - 1] != '\n')
        g_string_append(out, eol);
}

char *
hp_settings_edit_set(HpSlice text, const char *section, const char *key,
                     const char *value)
{
    g_autoptr(GArray) lines = split(text, section);
    GString *out = g_string_sized_new(text.len + 128);
    const char *eol = line_end(text);
    guint at = 0;
    gboolean replace = find_line(lines, LINE_SETTING, key, &at);
    gboolean found =
        replace || find_line(lines, LINE_SHOWN_DEFAULT, key, &at) || find_end(lines, &at);

    for (guint i = 0; i < lines->len; i++) {
        if (!replace || i != at)
            append(out, line_at(lines, i)->whole);
        if (found && i == at) {
            end_line(out, eol);
            g_string_append_printf(out, "%s=%s%s", key, value, eol);
        }
    }
    if (!found) {
        end_line(out, eol);
        g_string_append_printf(out, "%s[%s]%s%s=%s%s", out->len > 0 ? eol : "", section,
                               eol, key, value, eol);
    }
    return g_string_free(out, FALSE);
}

char *
hp_settings_edit_unset(HpSlice text, const char *section, const char *key,
                       gboolean *ret_found)
{
    g_autoptr(GArray) lines = split(text, section);
    GString *out = g_string_sized_new(text.len + 1);
    gboolean found = FALSE;

    for (guint i = 0; i < lines->len; i++) {
        const Line *line = line_at(lines, i);

        if (line->inside && line->kind == LINE_SETTING &&
            hp_slice_equal(line->word, hp_slice_of(key)))
            found = TRUE;
        else
            append(out, line->whole);
    }
    if (ret_found != NULL)
        *ret_found = found;
    return g_string_free(out, FALSE);
}

char *
hp_settings_edit_remove(HpSlice text, const char *section, gboolean *ret_found)
{
    g_autoptr(GArray) lines = split(text, section);
    GString *out = g_string_sized_new(text.len + 1);
    guint end = 0;
    gboolean found = find_end(lines, &end);

    for (guint i = 0; i < lines->len; i++)
        if (!line_at(lines, i)->inside || i > end)
            append(out, line_at(lines, i)->whole);
    if (ret_found != NULL)
        *ret_found = found;
    return g_string_free(out, FALSE);
}
