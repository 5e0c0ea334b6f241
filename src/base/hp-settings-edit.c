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
    gboolean blank;
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
    line.blank = text.len == 0;
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

/* From the header to the last setting; comments below it belong to the next section. */
static gboolean
find_section(const GArray *lines, guint *ret_from, guint *ret_to)
{
    guint from = 0;

    while (from < lines->len && !line_at(lines, from)->inside)
        from++;
    if (from == lines->len)
        return FALSE;
    *ret_from = *ret_to = from;
    for (guint i = from; i < lines->len && line_at(lines, i)->inside; i++)
        if (line_at(lines, i)->kind != LINE_OTHER)
            *ret_to = i;
    return TRUE;
}

/* All but the lines @from to @to, and but the blank ones that then would stand together
 * or at an end of the file. */
static char *
leave_out(const GArray *lines, guint from, guint to)
{
    GString *out = g_string_new(NULL);
    guint next = to + 1;

    while (next < lines->len && line_at(lines, next)->blank)
        next++;
    while (next == lines->len && from > 0 && line_at(lines, from - 1)->blank)
        from--;
    if (next < lines->len && from > 0 && !line_at(lines, from - 1)->blank)
        next = to + 1;
    for (guint i = 0; i < lines->len; i++)
        if (i < from || i >= next)
            append(out, line_at(lines, i)->whole);
    return g_string_free(out, FALSE);
}

static gboolean
is_setting(const Line *line, const char *key)
{
    return line->inside && line->kind == LINE_SETTING &&
           hp_slice_equal(line->word, hp_slice_of(key));
}

/* Has the section nothing but this key? */
static gboolean
is_alone(const GArray *lines, const char *key, guint from, guint to)
{
    for (guint i = from + 1; i <= to; i++)
        if (!line_at(lines, i)->blank && !is_setting(line_at(lines, i), key))
            return FALSE;
    return TRUE;
}

char *
hp_settings_edit_unset(HpSlice text, const char *section, const char *key,
                       gboolean *ret_found)
{
    g_autoptr(GArray) lines = split(text, section);
    GString *out;
    guint from = 0, to = 0, at = 0;
    gboolean found = find_line(lines, LINE_SETTING, key, &at);

    if (ret_found != NULL)
        *ret_found = found;
    if (found && find_section(lines, &from, &to) && is_alone(lines, key, from, to))
        return leave_out(lines, from, to);
    out = g_string_sized_new(text.len + 1);
    for (guint i = 0; i < lines->len; i++)
        if (!is_setting(line_at(lines, i), key))
            append(out, line_at(lines, i)->whole);
    return g_string_free(out, FALSE);
}

char *
hp_settings_edit_remove(HpSlice text, const char *section, gboolean *ret_found)
{
    g_autoptr(GArray) lines = split(text, section);
    guint from = 0, to = 0;
    gboolean found = find_section(lines, &from, &to);

    if (ret_found != NULL)
        *ret_found = found;
    return found ? leave_out(lines, from, to) : hp_slice_dup(text);
}
