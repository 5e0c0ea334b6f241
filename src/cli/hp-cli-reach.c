#include "hp-cli-reach.h"

#include "hp-control-error.h"
#include "hp-slice.h"

#include <glib/gi18n.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CALL_TIMEOUT_MS 120000 /* clean-up of a large mailbox takes its time */
#define STARTING_USEC   (5 * G_TIME_SPAN_SECOND)
#define MOMENT_USEC     (800 * G_TIME_SPAN_MILLISECOND) /* from fork to lock, with room */
#define POLL_USEC       (20 * G_TIME_SPAN_MILLISECOND)

gboolean
hp_cli_has_user_manager(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *manager =
        runtime != NULL ? g_build_filename(runtime, "systemd", "private", NULL) : NULL;

    return manager != NULL && g_file_test(manager, G_FILE_TEST_EXISTS);
}

const char *
hp_cli_start_command(const HpDirs *dirs)
{
    return hp_cli_has_user_manager() ? "systemctl --user start hauspost" : "hauspostd &";
}

HpHauspost1 *
hp_cli_reach(const HpDirs *dirs, GError **error)
{
    g_autofree char *runtime = hp_dirs_find_runtime(dirs);
    g_autofree char *path = g_build_filename(runtime, HP_CONTROL_SOCKET, NULL);
    g_autofree char *escaped = g_dbus_address_escape_value(path);
    g_autofree char *address = g_strconcat("unix:path=", escaped, NULL);
    g_autoptr(GDBusConnection) connection = NULL;
    HpHauspost1 *daemon;

    (void)HP_CONTROL_ERROR; /* registers the names of its errors */
    connection = g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, error);
    if (connection == NULL)
        return NULL;
    daemon =
        hp_hauspost1_proxy_new_sync(connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES,
                                    NULL, HP_CONTROL_OBJECT_PATH, NULL, error);
    if (daemon != NULL)
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(daemon), CALL_TIMEOUT_MS);
    return daemon;
}

/* Does anybody hold flock() on the state folder? Asked of /proc/locks, since trying the
 * lock ourselves could make a daemon that starts right now believe in another one. */
static gboolean
is_locked(const HpDirs *dirs)
{
    struct stat info;
    g_autofree char *locks = NULL;
    g_autofree char *inode = NULL;
    g_auto(GStrv) lines = NULL;

    if (stat(dirs->state, &info) != 0 ||
        !g_file_get_contents("/proc/locks", &locks, NULL, NULL))
        return FALSE;
    /* "1: FLOCK ADVISORY WRITE 1234 fe:01:5678 0 EOF"; the device is not compared: some
     * file systems show another one there than stat() does. */
    inode = g_strdup_printf(":%" G_GUINT64_FORMAT " ", (guint64)info.st_ino);
    lines = g_strsplit(locks, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        if (g_strrstr(lines[i], "FLOCK") != NULL && g_strrstr(lines[i], inode) != NULL)
            return TRUE;
    return FALSE;
}

HpHauspost1 *
hp_cli_reach_starting(const HpDirs *dirs, GError **error)
{
    g_autofree char *settings = g_build_filename(dirs->config, "hauspost.conf", NULL);
    gint64 started = g_get_monotonic_time();
    gboolean set_up = g_file_test(settings, G_FILE_TEST_EXISTS);
    HpHauspost1 *daemon = hp_cli_reach(dirs, NULL);

    while (daemon == NULL && set_up) {
        gint64 waited = g_get_monotonic_time() - started;

        if (waited > (is_locked(dirs) ? STARTING_USEC : MOMENT_USEC))
            break;
        g_usleep(POLL_USEC);
        daemon = hp_cli_reach(dirs, NULL);
    }
    if (daemon == NULL)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s",
                    is_locked(dirs) ? _("the mail server runs but does not answer")
                                    : _("the mail server is not running"));
    return daemon;
}
