#include "hp-header.h"

#include <string.h>

static void
splits_at_the_empty_line(void)
{
    static const struct {
        const char *message;
        size_t want;
    } rows[] = {
        { "A: b\r\n\r\nbody", 8 },
        { "A: b\n\nbody", 6 },
        { "\r\nbody", 2 },
        { "A: b\r\nC: d", 10 },
        { "", 0 },
        { "A: b\r\n \r\nB: c\r\n\r\n", 17 },
        { "\r", 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(hp_header_split(hp_slice_of(rows[i].message)), ==, rows[i].want);
    g_assert_cmpuint(hp_header_split((HpSlice){ NULL, 0 }), ==, 0);
}

static void
fields_are_views(void)
{
    static const char block[] =
        "Subject: one\r\n two\r\nX :\tthree\nnot a field\r\n: x\r\n"
        "Last: y";
    static const struct {
        const char *name;
        const char *body;
        const char *raw;
    } rows[] = {
        { "Subject", " one\r\n two", "Subject: one\r\n two\r\n" },
        { "X", "\tthree", "X :\tthree\n" },
        { "", "", "not a field\r\n" },
        { "", "", ": x\r\n" },
        { "Last", " y", "Last: y" },
    };
    g_autofree char *exact = g_memdup2(block, strlen(block));
    HpCursor c = hp_cursor_over((HpSlice){ exact, strlen(block) });
    HpHeaderField field;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(hp_header_next(&c, &field));
        g_assert_true(hp_slice_equal(field.name, hp_slice_of(rows[i].name)));
        g_assert_true(hp_slice_equal(field.body, hp_slice_of(rows[i].body)));
        g_assert_true(hp_slice_equal(field.raw, hp_slice_of(rows[i].raw)));
    }
    g_assert_false(hp_header_next(&c, &field));
}

static void
ends_at_the_empty_line(void)
{
    HpCursor c = hp_cursor_over(HP_SLICE_LITERAL("A: b\r\n\r\nC: d\r\n"));
    HpHeaderField field;

    g_assert_true(hp_header_next(&c, &field));
    g_assert_false(hp_header_next(&c, &field));
    g_assert_cmpuint(hp_cursor_rest(&c).len, ==, 8);
}

static void
finds_the_first(void)
{
    HpSlice message = HP_SLICE_LITERAL("A: 1\r\na: 2\r\n\r\nB: 3\r\n");
    HpHeaderField field;

    g_assert_true(hp_header_find(message, "A", &field));
    g_assert_true(hp_slice_equal(field.body, HP_SLICE_LITERAL(" 1")));
    g_assert_false(hp_header_find(message, "B", &field));
    g_assert_false(hp_header_find((HpSlice){ NULL, 0 }, "B", &field));
}

static void
limits_hold(void)
{
    g_autoptr(GString) block = g_string_new("Big: ");
    HpHeaderField field;

    for (size_t i = 0; i < HP_HEADER_MAX_FIELD + 100; i++)
        g_string_append_c(block, 'x');
    g_string_append(block, "\r\n");
    g_assert_true(hp_header_find(hp_slice_of_string(block), "big", &field));
    g_assert_cmpuint(field.body.len, ==, HP_HEADER_MAX_FIELD);
    while (block->len < HP_HEADER_MAX_BLOCK)
        g_string_append(block, "X: y\r\n");
    g_string_append(block, "Late: y\r\n");
    g_assert_false(hp_header_find(hp_slice_of_string(block), "late", &field));
}

static void
unfolds(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    hp_header_unfold(HP_SLICE_LITERAL(" one\r\n\ttwo\n three \r\n"), out);
    g_assert_cmpstr(out->str, ==, "one\ttwo three");
}

static void
text_is_for_people(void)
{
    g_autofree char *text = hp_header_text(
        HP_SLICE_LITERAL(
            " =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?b?IGFuIGFsbGU=?= \x1B[31m"),
        50);
    g_autofree char *cut = hp_header_text(HP_SLICE_LITERAL("abcdef"), 3);

    g_assert_cmpstr(text, ==,
                    "Gr\xC3\xBC\xC3\x9F"
                    "e an alle [31m");
    g_assert_cmpstr(cut, ==, "abc\xE2\x80\xA6");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/header/splits-at-the-empty-line", splits_at_the_empty_line);
    g_test_add_func("/header/fields-are-views", fields_are_views);
    g_test_add_func("/header/ends-at-the-empty-line", ends_at_the_empty_line);
    g_test_add_func("/header/finds-the-first", finds_the_first);
    g_test_add_func("/header/limits-hold", limits_hold);
    g_test_add_func("/header/unfolds", unfolds);
    g_test_add_func("/header/text-is-for-people", text_is_for_people);
    return g_test_run();
}
