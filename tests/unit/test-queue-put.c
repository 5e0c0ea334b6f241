#include "hp-queue-put.h"

#include <string.h>

static GVariant *
put_all(void)
{
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    hp_queue_put_text(&b, "text", "as it is");
    hp_queue_put_text(&b, "no_text", NULL);
    hp_queue_put_printable(&b, "printable", "a\nb\033[31m");
    hp_queue_put_printable(&b, "not_printable", NULL);
    hp_queue_put_time(&b, "time", G_USEC_PER_SEC);
    hp_queue_put_number(&b, "number", 7);
    hp_queue_put_octets(&b, "octets", (gint64)5 * G_MAXUINT32);
    return g_variant_ref_sink(g_variant_builder_end(&b));
}

static const char *
text_in(GVariant *dict, const char *key)
{
    const char *text = NULL;

    g_variant_lookup(dict, key, "&s", &text);
    return text;
}

static void
puts_members_of_each_kind(void)
{
    g_autoptr(GVariant) dict = put_all();
    guint32 number = 0;
    guint64 octets = 0;

    g_assert_cmpuint(g_variant_n_children(dict), ==, 5);
    g_assert_cmpstr(text_in(dict, "text"), ==, "as it is");
    g_assert_cmpstr(text_in(dict, "time"), ==, "1970-01-01T00:00:01Z");
    g_assert_true(g_variant_lookup(dict, "number", "u", &number));
    g_assert_true(g_variant_lookup(dict, "octets", "t", &octets));
    g_assert_cmpuint(number, ==, 7);
    g_assert_cmpuint(octets, ==, (guint64)5 * G_MAXUINT32);
}

static void
makes_printable_what_came_from_outside(void)
{
    g_autoptr(GVariant) dict = put_all();
    const char *text = text_in(dict, "printable");

    g_assert_null(strchr(text, '\n'));
    g_assert_null(strchr(text, '\033'));
    g_assert_true(g_str_has_prefix(text, "a"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue-put/puts-members-of-each-kind", puts_members_of_each_kind);
    g_test_add_func("/queue-put/makes-printable-what-came-from-outside",
                    makes_printable_what_came_from_outside);
    return g_test_run();
}
