#include "hp-cli-line.h"

static void
check(const char *status, const char *sentence, const char *command)
{
    g_autoptr(GVariant) dict = g_variant_ref_sink(g_variant_new_parsed(status));
    const char *told = NULL;

    g_assert_cmpstr(hp_cli_line_obstacle(dict, &told), ==, sentence);
    g_assert_cmpstr(told, ==, command);
}

static void
names_what_is_in_the_way(void)
{
    check("{'state': <'running'>, 'network': <{'state': <'offline'>}>}",
          "This computer is offline; mail goes out as soon as it is online.", NULL);
    check("{'state': <'running'>, 'network': <{'state': <'no_25'>}>}",
          "This network lets no mail out (port 25 is closed); mail waits.",
          "hauspost explain no-25");
    check("{'state': <'paused'>, 'network': <{'state': <'offline'>}>}",
          "Sending is paused; nothing goes out until you resume it.", "hauspost resume");
}

static void
says_nothing_where_nothing_is(void)
{
    check("{'state': <'running'>, 'network': <{'state': <'ok'>}>}", NULL, NULL);
    check("{'state': <'running'>, 'network': <{'state': <'what is new'>}>}", NULL, NULL);
    check("@a{sv} {}", NULL, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-line/names-what-is-in-the-way", names_what_is_in_the_way);
    g_test_add_func("/cli-line/says-nothing-where-nothing-is",
                    says_nothing_where_nothing_is);
    return g_test_run();
}
