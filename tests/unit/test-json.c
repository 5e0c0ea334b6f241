#include "hp-json.h"

static void
puts_the_schema_before_the_members(void)
{
    GVariantDict dict;
    g_autoptr(GVariant) value = NULL;
    g_autofree char *text = NULL;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "size", "t", (guint64)5000000000);
    value = g_variant_ref_sink(g_variant_dict_end(&dict));
    text = hp_json_write("hauspost.status/1", NULL, value);
    g_assert_cmpstr(text, ==, "{\"schema\":\"hauspost.status/1\",\"size\":5000000000}");
}

static void
puts_a_list_into_its_member(void)
{
    g_autoptr(GVariant) value = g_variant_ref_sink(
        g_variant_new_parsed("[{'id': <'7Q2K'>, 'to': <['a', 'b']>, 'n': <uint32 2>, "
                             "'yes': <true>, 'in': <[{'x': <'ü\"'>}]>}]"));
    g_autofree char *text = hp_json_write("hauspost.queue/1", "messages", value);
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new("aa{sv}", NULL));
    g_autofree char *empty = hp_json_write("hauspost.queue/1", "messages", none);

    g_assert_cmpstr(
        text, ==,
        "{\"schema\":\"hauspost.queue/1\",\"messages\":[{\"id\":\"7Q2K\","
        "\"to\":[\"a\",\"b\"],\"n\":2,\"yes\":true,\"in\":[{\"x\":\"ü\\\"\"}]}]}");
    g_assert_cmpstr(empty, ==, "{\"schema\":\"hauspost.queue/1\",\"messages\":[]}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/puts-the-schema-before-the-members",
                    puts_the_schema_before_the_members);
    g_test_add_func("/json/puts-a-list-into-its-member", puts_a_list_into_its_member);
    return g_test_run();
}
