#include "hp-control-error.h"

#include "hp-control-bus.h"

static void
has_an_exit_code_for_each_error(void)
{
    static const struct {
        HpControlError code;
        HpExit exit;
    } rows[] = {
        { HP_CONTROL_ERROR_NOT_FOUND, HP_EXIT_NOT_FOUND },
        { HP_CONTROL_ERROR_LIMIT, HP_EXIT_REFUSED },
        { HP_CONTROL_ERROR_OFFLINE, HP_EXIT_TEMPORARY },
        { HP_CONTROL_ERROR_INVALID, HP_EXIT_USAGE },
        { HP_CONTROL_ERROR_BUSY, HP_EXIT_TEMPORARY },
        { HP_CONTROL_ERROR_STATE, HP_EXIT_REFUSED },
        { HP_CONTROL_ERROR_FAILED, HP_EXIT_FAILURE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = g_error_new(HP_CONTROL_ERROR, rows[i].code, "no");

        g_assert_cmpint(hp_control_error_exit(error), ==, rows[i].exit);
    }
}

static void
calls_a_lost_connection_no_daemon(void)
{
    g_autoptr(GError) closed = g_error_new(G_IO_ERROR, G_IO_ERROR_CLOSED, "gone");
    g_autoptr(GError) other = g_error_new(G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full");

    g_assert_cmpint(hp_control_error_exit(closed), ==, HP_EXIT_NO_DAEMON);
    g_assert_cmpint(hp_control_error_exit(other), ==, HP_EXIT_FAILURE);
}

static void
travels_by_its_name(void)
{
    g_autoptr(GError) error =
        g_error_new(HP_CONTROL_ERROR, HP_CONTROL_ERROR_NOT_FOUND, "no message 7Q2KXM");
    g_autofree char *name = g_dbus_error_encode_gerror(error);
    g_autoptr(GError) back = NULL;

    g_assert_cmpstr(name, ==, "org.hauspost.Error.NotFound");
    back = g_dbus_error_new_for_dbus_error(name, "no message 7Q2KXM");
    g_assert_error(back, HP_CONTROL_ERROR, HP_CONTROL_ERROR_NOT_FOUND);
}

static void
describes_the_interface_that_is_generated(void)
{
    GDBusInterfaceInfo *info = hp_hauspost1_interface_info();

    g_assert_cmpstr(info->name, ==, HP_CONTROL_BUS_NAME);
    g_assert_nonnull(g_dbus_interface_info_lookup_method(info, "Queue"));
    g_assert_nonnull(g_dbus_interface_info_lookup_signal(info, "MessageChanged"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control-error/has-an-exit-code-for-each-error",
                    has_an_exit_code_for_each_error);
    g_test_add_func("/control-error/calls-a-lost-connection-no-daemon",
                    calls_a_lost_connection_no_daemon);
    g_test_add_func("/control-error/travels-by-its-name", travels_by_its_name);
    g_test_add_func("/control-error/describes-the-interface-that-is-generated",
                    describes_the_interface_that_is_generated);
    return g_test_run();
}
