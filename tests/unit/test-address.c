#include "hp-address.h"

#include <string.h>

/* A view at the end of an exact allocation, so that a byte too many is seen. */
static HpSlice
exact(const char *text, char **ret_owned)
{
    *ret_owned = g_memdup2(text, strlen(text));
    return (HpSlice){ *ret_owned, strlen(text) };
}

static void
reads_paths(void)
{
    static const struct {
        const char *text;
        const char *want; /* hp_address_write(); NULL: refused; "" the null path */
    } rows[] = {
        { "<>", "" },
        { "<anna@example.org>", "anna@example.org" },
        { "<Anna.B+c@Example.ORG>", "Anna.B+c@Example.ORG" },
        { "<postmaster>", "postmaster" },
        { "<@a.example,@b.example:anna@example.org>", "anna@example.org" },
        { "<\"anna b\"@example.org>", "\"anna b\"@example.org" },
        { "<\"anna\"@example.org>", "anna@example.org" },
        { "<\"a\\\"b\\\\c\"@example.org>", "\"a\\\"b\\\\c\"@example.org" },
        { "<\"\"@example.org>", "\"\"@example.org" },
        { "<a@[192.0.2.7]>", "a@[192.0.2.7]" },
        { "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]" },
        { "<a..b@example.org>", "\"a..b\"@example.org" },
        { "<a.@example.org>", "\"a.\"@example.org" },
        { "<j\xC3\xB6rg@b\xC3\xBC"
          "cher.example>",
          "j\xC3\xB6rg@b\xC3\xBC"
          "cher.example" },
        { "<a@x_y.example>", "a@x_y.example" },
        { "anna@example.org", NULL },
        { "<anna@example.org", NULL },
        { "<anna@>", NULL },
        { "<@example.org>", NULL },
        { "<a@example.org.>", NULL },
        { "<a@-example.org>", NULL },
        { "<a@example-.org>", NULL },
        { "<a@ex ample.org>", NULL },
        { "<a b@example.org>", NULL },
        { "<a@[192.0.2]>", NULL },
        { "<a@[192.0.2.7>", NULL },
        { "<a@[x:abc]>", NULL },
        { "<a@b@c>", NULL },
        { "<\"a\n\"@example.org>", NULL },
        { "<\"a\\\r\"@example.org>", NULL },
        { "<\xFF@example.org>", NULL },
        { "<a\xC2\x85@example.org>", NULL },
        { "<\"abc@example.org>", NULL },
        { "<\"abc\\", NULL },
        { "<", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *owned = NULL;
        HpCursor c = hp_cursor_over(exact(rows[i].text, &owned));
        const char *before = c.at;
        g_autoptr(HpAddress) address = NULL;
        g_autofree char *written = NULL;

        g_test_message("row %zu", i);
        if (rows[i].want == NULL) {
            g_assert_false(hp_address_parse_path(&c, &address));
            g_assert_true(c.at == before);
            continue;
        }
        g_assert_true(hp_address_parse_path(&c, &address));
        g_assert_true(hp_cursor_at_end(&c));
        written = address != NULL ? hp_address_write(address) : g_strdup("");
        g_assert_cmpstr(written, ==, rows[i].want);
    }
}

static void
path_ends_after_its_bracket(void)
{
    HpCursor c = hp_cursor_over(HP_SLICE_LITERAL("<a@b.example> SIZE=1"));
    g_autoptr(HpAddress) address = NULL;

    g_assert_true(hp_address_parse_path(&c, &address));
    g_assert_cmpint(hp_cursor_peek(&c), ==, ' ');
}

static void
lengths_have_limits(void)
{
    g_autofree char *local = g_strnfill(64, 'a');
    g_autofree char *label = g_strnfill(63, 'b');
    g_autofree char *fits = g_strdup_printf("%s@%s.example", local, label);
    g_autofree char *long_local = g_strdup_printf("a%s@%s.example", local, label);
    g_autofree char *long_label = g_strdup_printf("%s@c%s.example", local, label);
    g_autofree char *long_path =
        g_strdup_printf("%s@%s.%s.%s.example", local, label, label, label);
    g_autoptr(HpAddress) good = hp_address_parse(hp_slice_of(fits));

    g_assert_nonnull(good);
    g_assert_null(hp_address_parse(hp_slice_of(long_local)));
    g_assert_null(hp_address_parse(hp_slice_of(long_label)));
    g_assert_null(hp_address_parse(hp_slice_of(long_path)));
}

static void
bare_address_is_the_whole_text(void)
{
    g_autoptr(HpAddress) address = hp_address_parse(HP_SLICE_LITERAL("a@b.example"));

    g_assert_nonnull(address);
    g_assert_null(hp_address_parse(HP_SLICE_LITERAL("a@b.example ")));
    g_assert_null(hp_address_parse(HP_SLICE_LITERAL(" a@b.example")));
    g_assert_null(hp_address_parse((HpSlice){ NULL, 0 }));
}

static void
equal_ignores_case_and_labels(void)
{
    static const struct {
        const char *a;
        const char *b;
        gboolean equal;
    } rows[] = {
        { "Anna@Example.org", "anna@eXample.ORG", TRUE },
        { "anna", "ANNA", TRUE },
        { "anna", "anna@example.org", FALSE },
        { "anna@example.org", "anne@example.org", FALSE },
        { "a@b\xC3\xBC"
          "cher.example",
          "a@xn--bcher-kva.example", TRUE },
        { "a@B\xC3\x9C"
          "CHER.example",
          "a@b\xC3\xBC"
          "cher.example",
          TRUE },
        { "\"anna\"@example.org", "anna@example.org", TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpAddress) a = hp_address_parse(hp_slice_of(rows[i].a));
        g_autoptr(HpAddress) b = hp_address_parse(hp_slice_of(rows[i].b));

        g_test_message("row %zu", i);
        g_assert_cmpint(hp_address_equal(a, b), ==, rows[i].equal);
    }
}

static char *
list_of(const char *field, gboolean *ret_whole)
{
    g_autofree char *owned = NULL;
    g_autoptr(GArray) places = hp_address_scan(exact(field, &owned), 1000, ret_whole);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < places->len; i++) {
        HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);
        g_autofree char *written = hp_address_write(place->address);

        g_string_append_printf(out, "%s%s", out->len > 0 ? " | " : "", written);
        if (place->address->name != NULL)
            g_string_append_printf(out, " (%s)", place->address->name);
    }
    return g_string_free(out, FALSE);
}

static void
reads_lists_leniently(void)
{
    static const struct {
        const char *field;
        const char *want;
        gboolean whole;
    } rows[] = {
        { " anna@example.org", "anna@example.org", TRUE },
        { "Anna B. <anna@example.org>, Bob <bob@example.net>",
          "anna@example.org (Anna B.) | bob@example.net (Bob)", TRUE },
        { "\"B, Anna\" <anna@example.org>", "anna@example.org (B, Anna)", TRUE },
        { "anna@example.org (Anna (B) C)", "anna@example.org (Anna (B) C)", TRUE },
        { "=?UTF-8?Q?J=C3=B6rg?= =?UTF-8?Q?_X?= <j@example.org>",
          "j@example.org (J\xC3\xB6rg X)", TRUE },
        { "Friends: a@example.org, B <b@example.org>;, c@example.org",
          "a@example.org | b@example.org (B) | c@example.org", TRUE },
        { "undisclosed-recipients:;", "", TRUE },
        { "g:g:g:a@example.org;;;", "a@example.org", TRUE },
        { "anna @ example . org", "anna@example.org", TRUE },
        { "anna@example.org\r\n ,\r\n bob@example.org",
          "anna@example.org | bob@example.org", TRUE },
        { "<@x.example:anna@example.org>", "anna@example.org", TRUE },
        { "\"a b\"@example.org", "\"a b\"@example.org", TRUE },
        { "root", "root", TRUE },
        { "root (Cron Daemon)", "root (Cron Daemon)", TRUE },
        { "", "", TRUE },
        { ",,,", "", TRUE },
        { "Boss boss@bank.example", "", FALSE },
        { "anna@example.org, Boss boss@bank.example", "anna@example.org", FALSE },
        { "Anna <anna@example.org> boss@bank.example", "", FALSE },
        { "<a@example.org><b@example.org>", "", FALSE },
        { "Anna <anna@example.org", "", FALSE },
        { "Anna <>", "", FALSE },
        { "\"Anna <anna@example.org>", "", FALSE },
        { "a@b@c", "", FALSE },
        { "(open comment a@example.org", "", TRUE },
        { "comment ends in backslash <a@example.org> (x\\",
          "a@example.org (comment ends in "
          "backslash)",
          TRUE },
        { "\xFF@example.org", "", FALSE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean whole;
        g_autofree char *got = list_of(rows[i].field, &whole);

        g_test_message("row %zu", i);
        g_assert_cmpstr(got, ==, rows[i].want);
        g_assert_cmpint(whole, ==, rows[i].whole);
    }
}

static void
places_point_into_the_field(void)
{
    static const char field[] = "Anna <anna> , root (x)";
    gboolean whole;
    g_autoptr(GArray) places = hp_address_scan(hp_slice_of(field), 10, &whole);

    g_assert_cmpuint(places->len, ==, 2);
    g_assert_true(g_array_index(places, HpAddressPlace, 0).spec.data == field + 6);
    g_assert_cmpuint(g_array_index(places, HpAddressPlace, 0).spec.len, ==, 4);
    g_assert_true(g_array_index(places, HpAddressPlace, 1).spec.data == field + 14);
    g_assert_cmpuint(g_array_index(places, HpAddressPlace, 1).spec.len, ==, 4);
}

static void
lists_stop_at_their_limit(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GPtrArray) some = NULL;
    g_autoptr(GArray) places = NULL;
    gboolean whole = TRUE;

    for (guint i = 0; i < 40000; i++)
        g_string_append(many, "g:a@b.example,");
    some = hp_address_parse_list(hp_slice_of_string(many), 1000);
    g_assert_cmpuint(some->len, ==, 1000);
    places = hp_address_scan(hp_slice_of_string(many), 100000, &whole);
    g_assert_cmpuint(places->len, <, 5000);
    g_assert_false(whole);
}

static void
domains_become_ascii(void)
{
    static const struct {
        const char *domain;
        const char *want;
    } rows[] = {
        { "Example.ORG", "example.org" },
        { "b\xC3\xBC"
          "cher.example",
          "xn--bcher-kva.example" },
        { "B\xC3\x9C"
          "CHER.example",
          "xn--bcher-kva.example" },
        { "stra\xC3\x9F"
          "e.example",
          "xn--strae-oqa.example" },
        { "[192.0.2.1]", "[192.0.2.1]" },
        { "[IPv6:::1]", "[IPv6:::1]" },
        { "[bad", NULL },
        { "", NULL },
        { "a..b", NULL },
        { ".a", NULL },
        { "a b", NULL },
        { "\xFF.example", NULL },
    };
    g_autofree char *label = g_strnfill(64, 'a');

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = hp_address_domain_to_ascii(rows[i].domain);

        g_test_message("row %zu", i);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
    g_assert_null(hp_address_domain_to_ascii(label));
}

static void
utf8_local_parts_need_smtputf8(void)
{
    g_autoptr(HpAddress) plain =
        hp_address_parse(HP_SLICE_LITERAL("a@b\xC3\xBC.example"));
    g_autoptr(HpAddress) wide = hp_address_parse(HP_SLICE_LITERAL("\xC3\xBC@b.example"));

    g_assert_false(hp_address_needs_smtputf8(plain));
    g_assert_true(hp_address_needs_smtputf8(wide));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/reads-paths", reads_paths);
    g_test_add_func("/address/path-ends-after-its-bracket", path_ends_after_its_bracket);
    g_test_add_func("/address/lengths-have-limits", lengths_have_limits);
    g_test_add_func("/address/bare-address-is-the-whole-text",
                    bare_address_is_the_whole_text);
    g_test_add_func("/address/equal-ignores-case-and-labels",
                    equal_ignores_case_and_labels);
    g_test_add_func("/address/reads-lists-leniently", reads_lists_leniently);
    g_test_add_func("/address/places-point-into-the-field", places_point_into_the_field);
    g_test_add_func("/address/lists-stop-at-their-limit", lists_stop_at_their_limit);
    g_test_add_func("/address/domains-become-ascii", domains_become_ascii);
    g_test_add_func("/address/utf8-local-parts-need-smtputf8",
                    utf8_local_parts_need_smtputf8);
    return g_test_run();
}
