#include "hp-intake.h"

static void
failures_have_a_domain_of_their_own(void)
{
    g_autoptr(GError) error =
        g_error_new_literal(HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL, "no room");

    g_assert_error(error, HP_INTAKE_ERROR, HP_INTAKE_ERROR_FULL);
    g_assert_cmpstr(g_quark_to_string(HP_INTAKE_ERROR), ==, "hp_intake_error");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/intake/failures-have-a-domain-of-their-own",
                    failures_have_a_domain_of_their_own);
    return g_test_run();
}
