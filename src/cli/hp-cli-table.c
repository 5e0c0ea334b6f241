#include "hp-cli-table.h"

#include "hp-text.h"

#define LONGEST_CELL 1000 /* characters */
#define GAP          2    /* columns between cells */
#define LEAST_ROOM   30 /* columns in which the beginning of a sentence says something */

struct _HpCliTable {
    char **titles; /* (owned) */
    guint n_columns;
    GPtrArray *shown; /* (owned): char *, row by row */
    GPtrArray *plain; /* (owned): char * */
};

HpCliTable *
hp_cli_table_new(const char *const *titles)
{
    HpCliTable *self = g_new0(HpCliTable, 1);
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();

    for (; titles[self->n_columns] != NULL; self->n_columns++)
        g_strv_builder_add(copy, titles[self->n_columns]);
    self->titles = g_strv_builder_end(copy);
    self->shown = g_ptr_array_new_with_free_func(g_free);
    self->plain = g_ptr_array_new_with_free_func(g_free);
    return self;
}

void
hp_cli_table_free(HpCliTable *self)
{
    g_strfreev(self->titles);
    g_ptr_array_unref(self->shown);
    g_ptr_array_unref(self->plain);
    g_free(self);
}

void
hp_cli_table_add(HpCliTable *self, const char *shown, const char *plain)
{
    const char *raw = plain != NULL ? plain : shown;

    g_ptr_array_add(self->shown, hp_text_printable(hp_slice_of(shown), LONGEST_CELL));
    g_ptr_array_add(self->plain, hp_text_printable(hp_slice_of(raw), LONGEST_CELL));
}

static guint
char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint
hp_cli_text_width(const char *utf8)
{
    guint width = 0;

    for (const char *p = utf8; *p != '\0'; p = g_utf8_find_next_char(p, NULL))
        width += char_width(g_utf8_get_char(p));
    return width;
}

/* As much of @text as fits into @width, with an ellipsis if that is not all. */
static char *
cut(const char *text, guint width)
{
    GString *out = g_string_new(NULL);
    guint used = 0;

    if (hp_cli_text_width(text) <= width)
        return g_string_free(g_string_append(out, text), FALSE);
    for (const char *p = text; *p != '\0'; p = g_utf8_find_next_char(p, NULL)) {
        used += char_width(g_utf8_get_char(p));
        if (used + 1 > width)
            break;
        g_string_append_unichar(out, g_utf8_get_char(p));
    }
    return g_string_free(g_string_append(out, "…"), FALSE);
}

static gboolean
is_right(const HpCliTable *self, guint column)
{
    return self->titles[column][0] == '>';
}

static const char *
title(const HpCliTable *self, guint column)
{
    return self->titles[column] + (is_right(self, column) ? 1 : 0);
}

static const char *
cell(const HpCliTable *self, guint row, guint column)
{
    return g_ptr_array_index(self->shown, row * self->n_columns + column);
}

static guint *
measure(const HpCliTable *self)
{
    guint *widths = g_new0(guint, self->n_columns);

    for (guint i = 0; i < self->n_columns; i++)
        widths[i] = hp_cli_text_width(title(self, i));
    for (guint i = 0; i < self->shown->len; i++) {
        guint width = hp_cli_text_width(g_ptr_array_index(self->shown, i));

        widths[i % self->n_columns] = MAX(widths[i % self->n_columns], width);
    }
    return widths;
}

static void
append_padded(GString *line, const char *text, guint width, gboolean right)
{
    guint padding = width - MIN(width, hp_cli_text_width(text));

    g_string_append_printf(line, "%*s%s%*s", right ? (int)padding : 0, "", text,
                           right ? 0 : (int)padding, "");
}

/* How the table fits into the terminal. */
typedef struct {
    guint *widths; /* (owned): of the columns */
    guint width;   /* of the terminal; 0: no limit */
    guint before;  /* columns of the terminal before the last cell */
    gboolean below;
} Layout;

static void
clear_layout(Layout *layout)
{
    g_free(layout->widths);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Layout, clear_layout)

/* A sentence of which a few words are seen says nothing: then it gets a line of its own,
 * under the second column. */
static Layout
lay_out(const HpCliTable *self, guint width)
{
    Layout layout = { .widths = measure(self), .width = width };
    guint last = self->n_columns - 1;

    for (guint i = 0; i < last; i++)
        layout.before += layout.widths[i] + GAP;
    layout.below = width > 0 && last > 0 && width < layout.before + LEAST_ROOM &&
                   width < layout.before + layout.widths[last];
    if (layout.below)
        layout.before = layout.widths[0] + GAP;
    return layout;
}

static void
append_last(GString *line, const HpCliTable *self, const Layout *layout, const char *text)
{
    guint last = self->n_columns - 1;
    g_autofree char *fitting = layout->width > layout->before
                                   ? cut(text, layout->width - layout->before)
                                   : g_strdup(text);

    append_padded(line, fitting, layout->widths[last], is_right(self, last));
}

static const char *
text_of(const HpCliTable *self, gint64 row, guint column)
{
    return row < 0 ? title(self, column) : cell(self, (guint)row, column);
}

/* @row: index, or -1 for the titles */
static void
print_row(const HpCliTable *self, FILE *out, gint64 row, const Layout *layout)
{
    g_autoptr(GString) line = g_string_new(NULL);
    guint last = self->n_columns - 1;
    const char *end = text_of(self, row, last);

    for (guint i = 0; i < last; i++) {
        append_padded(line, text_of(self, row, i), layout->widths[i], is_right(self, i));
        g_string_append_printf(line, "%*s", GAP, "");
    }
    if (!layout->below)
        append_last(line, self, layout, end);
    fprintf(out, "%s\n", g_strchomp(line->str));
    if (!layout->below || end[0] == '\0' || row < 0)
        return;
    g_string_printf(line, "%*s", (int)layout->before, "");
    append_last(line, self, layout, end);
    fprintf(out, "%s\n", g_strchomp(line->str));
}

void
hp_cli_table_print(const HpCliTable *self, FILE *out, guint width)
{
    g_auto(Layout) layout = lay_out(self, width);

    print_row(self, out, -1, &layout);
    for (guint row = 0; row < self->shown->len / self->n_columns; row++)
        print_row(self, out, row, &layout);
}

void
hp_cli_table_print_plain(const HpCliTable *self, FILE *out)
{
    for (guint i = 0; i < self->plain->len; i++) {
        gboolean last = (i + 1) % self->n_columns == 0;

        fprintf(out, "%s%c", (const char *)g_ptr_array_index(self->plain, i),
                last ? '\n' : '\t');
    }
}
