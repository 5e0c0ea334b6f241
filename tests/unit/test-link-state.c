#include "hp-link-state.h"

#include <glib.h>

static void
has_a_name_for_every_state(void)
{
    g_assert_cmpstr(hp_link_state_name(HP_LINK_OK), ==, "ok");
    g_assert_cmpstr(hp_link_state_name(HP_LINK_OFFLINE), ==, "offline");
    g_assert_cmpstr(hp_link_state_name(HP_LINK_CAPTIVE), ==, "captive");
    g_assert_cmpstr(hp_link_state_name(HP_LINK_NO_DNS), ==, "no_dns");
    g_assert_cmpstr(hp_link_state_name(HP_LINK_NO_25), ==, "no_25");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link-state/has-a-name-for-every-state", has_a_name_for_every_state);
    return g_test_run();
}
