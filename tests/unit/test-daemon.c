#include "hp-daemon.h"

#include "hp-fs.h"
#include "hp-listener.h"
#include "hp-log.h"
#include "hp-sqlite.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_SEC 20
#define NO_PORTS     "[listen]\nsmtp=0\nsmtp-tls=0\npop3=0\npop3-tls=0\nimap=0\nimap-tls=0\n"
#define ACCOUNT      "[account]\naddress=anna@home.example\n"
#define GOOD         ACCOUNT NO_PORTS

/* ---- in the child: this program again -------------------------------------------------
 */

#define EXIT_LEFT_OVER 99

/* What must not become more: descriptors and threads. */
static guint
count_entries(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

/* Twice, since libraries keep something of the first time. */
static int
run_twice(int (*run)(void))
{
    int status = run();
    guint files = count_entries("/proc/self/fd");
    guint threads = count_entries("/proc/self/task");

    if (run() == status && count_entries("/proc/self/fd") == files &&
        count_entries("/proc/self/task") == threads)
        return status;
    fprintf(stderr, "not everything was closed\n");
    return EXIT_LEFT_OVER;
}

static int
child(const char *mode)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hp_log_init(FALSE);
    hp_db_prepare_process();
    if (g_str_equal(mode, "--check"))
        return run_twice(hp_daemon_check);
    if (g_str_equal(mode, "--init"))
        return run_twice(hp_daemon_init);
    return g_str_equal(mode, "--run") ? hp_daemon_run() : run_twice(hp_daemon_run);
}

/* ---- in the parent --------------------------------------------------------------------
 */

typedef struct {
    char *home;        /* (owned) */
    char **environ;    /* (owned) */
    int manager;       /* (owned): the socket of the service manager */
    GSubprocess *main; /* (owned) (nullable): the daemon that runs */
} Fixture;

static char *
path_in(const Fixture *f, const char *name)
{
    return g_build_filename(f->home, name, NULL);
}

static void
write_settings(Fixture *f, const char *text)
{
    g_autofree char *folder = path_in(f, "config/hauspost");
    g_autofree char *path = path_in(f, "config/hauspost/hauspost.conf");

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
listen_as_manager(Fixture *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval patience = { PATIENCE_SEC, 0 };
    g_autofree char *path = path_in(f, "manager");

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(f->manager, (const struct sockaddr *)&address, sizeof address),
                    ==, 0);
    setsockopt(f->manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    f->environ = g_environ_setenv(f->environ, "NOTIFY_SOCKET", path, TRUE);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    static const char *const folders[][2] = {
        { "XDG_CONFIG_HOME", "config" }, { "XDG_DATA_HOME", "data" },
        { "XDG_STATE_HOME", "state" },   { "XDG_CACHE_HOME", "cache" },
        { "XDG_RUNTIME_DIR", "run" },
    };

    f->home = g_dir_make_tmp("daemon-XXXXXX", NULL);
    f->environ = g_get_environ();
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = path_in(f, folders[i][1]);

        f->environ = g_environ_setenv(f->environ, folders[i][0], path, TRUE);
    }
    f->environ = g_environ_setenv(f->environ, "DBUS_SESSION_BUS_ADDRESS",
                                  "unix:path=/nonexistent", TRUE);
    listen_as_manager(f);
    write_settings(f, GOOD);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    char rm[] = "rm", option[] = "-rf";
    char *argv[] = { rm, option, f->home, NULL };

    if (f->main != NULL) {
        g_subprocess_force_exit(f->main);
        g_subprocess_wait(f->main, NULL, NULL);
        g_object_unref(f->main);
    }
    close(f->manager);
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_strfreev(f->environ);
    g_free(f->home);
}

static GSubprocess *
spawn(Fixture *f, const char *mode, GSubprocessFlags flags)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(flags);
    g_autofree char *log = path_in(f, "log");
    g_autoptr(GError) error = NULL;
    GSubprocess *process;

    g_subprocess_launcher_set_environ(launcher, f->environ);
    if ((flags & G_SUBPROCESS_FLAGS_STDERR_PIPE) == 0)
        g_subprocess_launcher_set_stderr_file_path(launcher, log);
    process = g_subprocess_launcher_spawn(launcher, &error, "/proc/self/exe", mode, NULL);
    g_assert_no_error(error);
    return process;
}

/* The exit status of hp_daemon_..., called twice in a process of its own, that must say
 * @words (nullable). */
static int
run(Fixture *f, const char *mode, const char *words)
{
    g_autoptr(GSubprocess) process = spawn(f, mode, G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autofree char *said = NULL;

    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &said, NULL));
    g_test_message("%s: %s", mode, said);
    g_assert_true(g_subprocess_get_if_exited(process));
    g_assert_true(words == NULL || strstr(said, words) != NULL);
    g_assert_null(strstr(said, "Sanitizer")); /* its exit status is 1, too */
    return g_subprocess_get_exit_status(process);
}

static void
expect_news(Fixture *f, const char *want)
{
    char text[64] = "";

    g_assert_cmpint(recv(f->manager, text, sizeof text - 1, 0), >, 0);
    g_assert_cmpstr(text, ==, want);
}

static void
start(Fixture *f)
{
    f->main = spawn(f, "--run", G_SUBPROCESS_FLAGS_NONE);
    expect_news(f, "READY=1");
}

/* Ends it with @signal, which it must obey without a fault. */
static void
stop(Fixture *f, int signal)
{
    g_subprocess_send_signal(f->main, signal);
    expect_news(f, "STOPPING=1");
    g_assert_true(g_subprocess_wait(f->main, NULL, NULL));
    g_assert_true(g_subprocess_get_if_exited(f->main));
    g_assert_cmpint(g_subprocess_get_exit_status(f->main), ==, 0);
    g_clear_object(&f->main);
}

static void
wait_for_log(Fixture *f, const char *words)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_SEC * G_USEC_PER_SEC;
    g_autofree char *path = path_in(f, "log");

    for (;;) {
        g_autofree char *log = NULL;

        g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
        if (strstr(log, words) != NULL)
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
}

static gboolean
exists(Fixture *f, const char *name)
{
    g_autofree char *path = path_in(f, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* ---- hp_daemon_check() ----------------------------------------------------------------
 */

static void
checks_the_settings(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(run(f, "--check", NULL), ==, 0);
    write_settings(f, "");
    g_assert_cmpint(run(f, "--check", "hauspost setup"), ==, 7);
    write_settings(f, GOOD "[delivry]\n");
    g_assert_cmpint(run(f, "--check", "hauspost.conf:10: "), ==, 7);
    write_settings(f, GOOD "[identity odd]\naddress=a@b@\\c\n");
    g_assert_cmpint(run(f, "--check", "hauspost.conf:11: address must be"), ==, 7);
    write_settings(f, ACCOUNT "[listen]\nsmtp=25\npop3=25\n");
    g_assert_cmpint(run(f, "--check", "→ hauspost config edit"), ==, 7);
    g_assert_false(exists(f, "state"));
    g_assert_false(exists(f, "data"));
}

/* ---- hp_daemon_init() -----------------------------------------------------------------
 */

static void
makes_what_is_missing_and_no_more(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "state/hauspost/certificate.pem",
                                         "state/hauspost/key.pem",
                                         "state/hauspost/queue.db",
                                         "data/hauspost/mail.db" };
    g_autofree char *certificate = path_in(f, files[0]);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    g_assert_cmpint(run(f, "--init", NULL), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        g_assert_true(exists(f, files[i]));
    g_assert_false(exists(f, "run/hauspost/control"));
    g_assert_true(g_file_get_contents(certificate, &before, NULL, NULL));
    g_assert_cmpint(run(f, "--init", NULL), ==, 0);
    g_assert_true(g_file_get_contents(certificate, &after, NULL, NULL));
    g_assert_cmpstr(before, ==, after);
}

/* ---- when a step of opening fails -----------------------------------------------------
 */

/* A folder where the file @name should be. */
static void
put_in_the_way(Fixture *f, const char *name)
{
    g_autofree char *path = path_in(f, name);

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void
clear_the_way(Fixture *f, const char *name)
{
    g_autofree char *path = path_in(f, name);

    g_assert_cmpint(g_rmdir(path), ==, 0);
}

/* Each step on top of the ones before; what these have opened is closed (see child()),
 * and when the obstacle is gone, all is as if nothing had been. */
static void
closes_what_was_opened_when_a_file_is_bad(Fixture *f, gconstpointer data)
{
    static const char *const obstacles[] = { "state/hauspost/key.pem",
                                             "data/hauspost/mail.db",
                                             "state/hauspost/queue.db" };

    for (guint i = 0; i < G_N_ELEMENTS(obstacles); i++) {
        const char *name = strrchr(obstacles[i], '/') + 1;

        put_in_the_way(f, obstacles[i]);
        g_assert_cmpint(run(f, "--init", name), ==, 1);
        g_assert_cmpint(run(f, "--run-twice", name), ==, 1);
        clear_the_way(f, obstacles[i]);
    }
    put_in_the_way(f, "run/hauspost/control");
    g_assert_cmpint(run(f, "--run-twice", "control"), ==, 1);
    clear_the_way(f, "run/hauspost/control");
    g_assert_cmpint(run(f, "--init", NULL), ==, 0);
}

static void
closes_what_was_opened_when_a_setting_is_bad(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text;
        const char *words;
    } settings[] = {
        { "", "→ hauspost setup" },
        { "[account]\nname=Anna\n", "hauspost.conf:1: " },
        { GOOD "[nonsense]\n", "hauspost.conf:10: " },
        { GOOD "[dns]\nservers=foo:bar:1\n", "hauspost.conf:11: " },
        { GOOD "[delivery]\nca-file=/nonexistent/ca.pem\n", "hauspost.conf:11: " },
        { GOOD "[identity odd]\naddress=a@b@\\c\n", "hauspost.conf:11: " },
        { GOOD "[identity odd]\nrelay=auto\n", "hauspost.conf:10: " },
        { GOOD "[mail]\nlocal-addresses=@@\n", "hauspost.conf:11: " },
        { ACCOUNT "[listen]\nsmtp=25\npop3=25\n", "hauspost.conf:5: " },
    };

    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        write_settings(f, settings[i].text);
        /* Do not try again (RestartPreventExitStatus in the unit). */
        g_assert_cmpint(run(f, "--run-twice", settings[i].words), ==, 7);
    }
}

static void
closes_what_was_opened_when_the_catalogue_is_missing(Fixture *f, gconstpointer data)
{
    f->environ = g_environ_setenv(f->environ, "HAUSPOST_DATADIR", "/nonexistent", TRUE);
    g_assert_cmpint(run(f, "--init", "explanations.ini"), ==, 1);
    g_assert_cmpint(run(f, "--run-twice", "explanations.ini"), ==, 1);
}

static void
ignore_connection(HpConnection *connection, gpointer data)
{
}

static void
does_not_start_when_a_port_is_taken(Fixture *f, gconstpointer data)
{
    HpService service = { .name = "other", .serve = ignore_connection };
    g_autoptr(HpListener) other = hp_listener_new(NULL, 0, NULL);
    g_autofree char *settings = NULL;
    g_autofree char *port = NULL;

    g_assert_true(hp_listener_add_port(other, &service, 0, NULL));
    port = g_strdup_printf("%u", hp_listener_port(other, "other", FALSE));
    settings = g_strdup_printf(
        ACCOUNT "[listen]\nsmtp=0\nsmtp-tls=0\npop3=%s\npop3-tls=0\nimap=0\nimap-tls=0\n",
        port);
    write_settings(f, settings);
    g_assert_cmpint(run(f, "--run-twice", port), ==, 1);
    g_assert_cmpint(run(f, "--init", NULL), ==, 0); /* needs no port */
}

static void
refuses_folders_that_others_can_write_to(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "state/hauspost");

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    g_assert_cmpint(chmod(path, 0777), ==, 0);
    g_assert_cmpint(run(f, "--init", path), ==, 1);
    g_assert_cmpint(run(f, "--run-twice", path), ==, 1);
}

/* ---- hp_daemon_run() ------------------------------------------------------------------
 */

static void
runs_until_a_signal_ends_it(Fixture *f, gconstpointer data)
{
    static const int signals[] = { SIGTERM, SIGINT };

    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        start(f);
        g_assert_true(exists(f, "run/hauspost/control"));
        g_assert_true(exists(f, "run/hauspost/submit"));
        stop(f, signals[i]);
        g_assert_false(exists(f, "run/hauspost/control"));
        g_assert_false(exists(f, "run/hauspost/submit"));
    }
}

static void
lets_no_second_one_in(Fixture *f, gconstpointer data)
{
    g_autofree char *path = path_in(f, "data/hauspost");

    start(f);
    g_assert_cmpint(run(f, "--run-twice", path), ==, 1);
    g_assert_cmpint(run(f, "--init", path), ==, 1);
    g_assert_cmpint(run(f, "--check", NULL), ==, 0);
    g_assert_true(exists(f, "run/hauspost/control")); /* the first one's, still */
    stop(f, SIGTERM);
    g_assert_cmpint(run(f, "--init", NULL), ==, 0);
}

static void
reads_the_settings_again_when_asked(Fixture *f, gconstpointer data)
{
    start(f);
    write_settings(f, GOOD "[nonsense]\n");
    g_subprocess_send_signal(f->main, SIGHUP);
    wait_for_log(f, "the old settings stay");
    write_settings(f, GOOD);
    g_subprocess_send_signal(f->main, SIGHUP);
    wait_for_log(f, "settings read again");
    stop(f, SIGTERM);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && (g_str_has_prefix(argv[1], "--run") ||
                      g_str_equal(argv[1], "--init") || g_str_equal(argv[1], "--check")))
        return child(argv[1]);
    g_test_init(&argc, &argv, NULL);
#define CASE(name, test)                                                                 \
    g_test_add("/daemon/" name, Fixture, NULL, set_up, test, tear_down)
    CASE("checks-the-settings", checks_the_settings);
    CASE("makes-what-is-missing-and-no-more", makes_what_is_missing_and_no_more);
    CASE("closes-what-was-opened-when-a-file-is-bad",
         closes_what_was_opened_when_a_file_is_bad);
    CASE("closes-what-was-opened-when-a-setting-is-bad",
         closes_what_was_opened_when_a_setting_is_bad);
    CASE("closes-what-was-opened-when-the-catalogue-is-missing",
         closes_what_was_opened_when_the_catalogue_is_missing);
    CASE("does-not-start-when-a-port-is-taken", does_not_start_when_a_port_is_taken);
    CASE("refuses-folders-that-others-can-write-to",
         refuses_folders_that_others_can_write_to);
    CASE("runs-until-a-signal-ends-it", runs_until_a_signal_ends_it);
    CASE("lets-no-second-one-in", lets_no_second_one_in);
    CASE("reads-the-settings-again-when-asked", reads_the_settings_again_when_asked);
    return g_test_run();
}
