#include "hp-imap-fetch-args.h"

#include <string.h>

static gboolean
parse(const char *text, HpImapFetch *fetch, HpImapArgs *args)
{
    *args = hp_imap_args(hp_slice_of(text));
    return hp_imap_take_fetch(args, fetch);
}

static void
assert_items(const char *text, guint items)
{
    g_auto(HpImapFetch) fetch = { 0 };
    HpImapArgs args;

    g_assert_true(parse(text, &fetch, &args));
    g_assert_cmpuint(fetch.items, ==, items);
    g_assert_null(fetch.sections);
    g_assert_false(fetch.marks_seen);
}

static void
test_items(void)
{
    assert_items("UID", HP_FETCH_UID);
    assert_items("(uid flags)", HP_FETCH_UID | HP_FETCH_FLAGS);
    assert_items("FAST", HP_FETCH_FLAGS | HP_FETCH_INTERNALDATE | HP_FETCH_SIZE);
    assert_items("BODY", HP_FETCH_BODY);
    assert_items("(BODY BODYSTRUCTURE)", HP_FETCH_BODY | HP_FETCH_BODYSTRUCTURE);
    assert_items("(PREVIEW UID)", HP_FETCH_PREVIEW | HP_FETCH_UID);
    assert_items("(PREVIEW (LAZY) UID)", HP_FETCH_PREVIEW | HP_FETCH_UID);
    assert_items("PREVIEW (LAZY)", HP_FETCH_PREVIEW);
    assert_items("(EMAILID THREADID SAVEDATE MODSEQ)",
                 HP_FETCH_EMAILID | HP_FETCH_THREADID | HP_FETCH_SAVEDATE |
                     HP_FETCH_MODSEQ);
}

static void
assert_section(const char *text, HpSectionKind kind, const char *label, gboolean seen)
{
    g_auto(HpImapFetch) fetch = { 0 };
    const HpImapSection *section;
    HpImapArgs args;

    g_assert_true(parse(text, &fetch, &args));
    g_assert_cmpuint(fetch.sections->len, ==, 1);
    section = &g_array_index(fetch.sections, HpImapSection, 0);
    g_assert_cmpint(section->kind, ==, kind);
    g_assert_cmpstr(section->label, ==, label);
    g_assert_cmpint(fetch.marks_seen, ==, seen);
}

static void
test_sections(void)
{
    assert_section("BODY[]", HP_SECTION_ALL, "BODY[]", TRUE);
    assert_section("(body.peek[])", HP_SECTION_ALL, "BODY[]", FALSE);
    assert_section("BODY.PEEK[TEXT]<0.2048>", HP_SECTION_TEXT, "BODY[TEXT]<0>", FALSE);
    assert_section("BODY[1.2.MIME]", HP_SECTION_MIME, "BODY[1.2.MIME]", TRUE);
    assert_section("BODY[3]", HP_SECTION_ALL, "BODY[3]", TRUE);
    assert_section("BODY[2.HEADER]", HP_SECTION_HEADER, "BODY[2.HEADER]", TRUE);
    assert_section("BODY.PEEK[HEADER.FIELDS (From \"To\" {2}\r\nCc)]", HP_SECTION_FIELDS,
                   "BODY[HEADER.FIELDS (From To Cc)]", FALSE);
    assert_section("BODY.PEEK[1.HEADER.FIELDS.NOT (\"a b\")]", HP_SECTION_FIELDS_NOT,
                   "BODY[1.HEADER.FIELDS.NOT (\"a b\")]", FALSE);
    assert_section("RFC822", HP_SECTION_ALL, "RFC822", TRUE);
    assert_section("RFC822.HEADER", HP_SECTION_HEADER, "RFC822.HEADER", FALSE);
    assert_section("RFC822.TEXT", HP_SECTION_TEXT, "RFC822.TEXT", TRUE);
}

static void
test_partial(void)
{
    g_auto(HpImapFetch) fetch = { 0 };
    const HpImapSection *section;
    guint64 offset = 100;
    guint64 octets = 50;
    HpImapArgs args;

    g_assert_true(parse("BODY.PEEK[]<10.20>", &fetch, &args));
    section = &g_array_index(fetch.sections, HpImapSection, 0);
    hp_imap_section_cut(section, &offset, &octets);
    g_assert_cmpuint(offset, ==, 110);
    g_assert_cmpuint(octets, ==, 20);
    octets = 5; /* it ends before that begins */
    hp_imap_section_cut(section, &offset, &octets);
    g_assert_cmpuint(octets, ==, 0);
}

static void
test_modifiers(void)
{
    g_auto(HpImapFetch) fetch = { 0 };
    HpImapArgs args;

    g_assert_true(parse("(FLAGS) (CHANGEDSINCE 12345 VANISHED)", &fetch, &args));
    g_assert_true(fetch.changed);
    g_assert_true(fetch.vanished);
    g_assert_cmpuint(fetch.changed_since, ==, 12345);
    g_assert_cmpuint(fetch.items, ==, HP_FETCH_FLAGS | HP_FETCH_MODSEQ);
}

static void
test_fields(void)
{
    g_auto(HpImapFetch) fetch = { 0 };
    g_autoptr(GString) some = g_string_new(NULL);
    g_autoptr(GString) others = g_string_new(NULL);
    HpSlice header = HP_SLICE_LITERAL("From: a\r\nSubject: b\r\n c\r\nFROM : d\r\n\r\n");
    HpImapArgs args;

    g_assert_true(parse("(BODY.PEEK[HEADER.FIELDS (from x)] "
                        "BODY.PEEK[HEADER.FIELDS.NOT (from)])",
                        &fetch, &args));
    hp_imap_section_fields(&g_array_index(fetch.sections, HpImapSection, 0), header,
                           some);
    hp_imap_section_fields(&g_array_index(fetch.sections, HpImapSection, 1), header,
                           others);
    g_assert_cmpstr(some->str, ==, "From: a\r\nFROM : d\r\n\r\n");
    g_assert_cmpstr(others->str, ==, "Subject: b\r\n c\r\n\r\n");
}

static void
test_refuses(void)
{
    static const char *const bad[] = {
        "",
        "()",
        "(UID",
        "(UID  FLAGS)",
        "UID FLAGS",
        "FOO",
        "(FAST)",
        "BODY[",
        "BODY[0]",
        "BODY[MIME]",
        "BODY[1.]",
        "BODY[1.FOO]",
        "BODY[HEADER.FIELDS]",
        "BODY[HEADER.FIELDS ()]",
        "BODY[TEXT]<0>",
        "BODY[TEXT]<0.0>",
        "BODY[TEXT]<-1.5>",
        "BODY[99999999999]",
        "BODY.PEEK",
        "RFC822.FOO",
        "FLAGS (VANISHED)",
        "FLAGS (CHANGEDSINCE)",
        "FLAGS (CHANGEDSINCE 18446744073709551615)",
        "FLAGS ()",
        "BODYSTRUCTUREX",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(HpImapFetch) fetch = { 0 };
        HpImapArgs args;

        g_test_message("%s", bad[i]);
        g_assert_false(parse(bad[i], &fetch, &args));
        g_assert_nonnull(args.wanted);
    }
}

static void
test_bounds(void)
{
    g_autoptr(GString) deep = g_string_new("BODY[1");
    g_autoptr(GString) many = g_string_new("(UID");
    g_autoptr(GString) fields = g_string_new("BODY[HEADER.FIELDS (a");
    const GString *const all[] = { deep, many, fields };

    for (guint i = 0; i < HP_IMAP_MAX_DEPTH; i++)
        g_string_append(deep, ".1");
    for (guint i = 0; i <= HP_IMAP_MAX_SECTIONS; i++)
        g_string_append(many, " BODY[TEXT]");
    for (guint i = 0; i < HP_IMAP_MAX_FIELDS; i++)
        g_string_append(fields, " b");
    g_string_append_c(deep, ']');
    g_string_append_c(many, ')');
    g_string_append(fields, ")]");
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_auto(HpImapFetch) fetch = { 0 };
        HpImapArgs args;

        g_assert_false(parse(all[i]->str, &fetch, &args));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-fetch-args/items-and-macros", test_items);
    g_test_add_func("/imap-fetch-args/sections-and-their-labels", test_sections);
    g_test_add_func("/imap-fetch-args/partial-cuts", test_partial);
    g_test_add_func("/imap-fetch-args/modifiers", test_modifiers);
    g_test_add_func("/imap-fetch-args/fields-and-all-others", test_fields);
    g_test_add_func("/imap-fetch-args/refuses-what-is-none", test_refuses);
    g_test_add_func("/imap-fetch-args/has-bounds", test_bounds);
    return g_test_run();
}
