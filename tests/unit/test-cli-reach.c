#include "hp-cli-reach.h"

#include "fake-daemon.h"

#include <fcntl.h>
#include <sys/file.h>

static void
connects_at_once_or_not_at_all(void)
{
    FakeHome home = fake_home();
    HpDirs *dirs = hp_dirs_new();
    HpHauspost1 *daemon = hp_cli_reach(dirs, NULL);

    g_assert_null(daemon);
    fake_start(&home);
    daemon = hp_cli_reach(dirs, NULL);
    g_assert_nonnull(daemon);
    g_object_unref(daemon);
    hp_dirs_free(dirs);
    fake_end(&home);
}

/* Holds the lock now and listens only after a while. */
static pid_t
start_slowly(const char *state)
{
    pid_t pid = fork();

    if (pid == 0) {
        FakeHome home = { NULL, 0 };
        int fd = open(state, O_RDONLY | O_DIRECTORY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fd < 0 || flock(fd, LOCK_EX) != 0)
            _exit(1);
        g_usleep(1500 *
                 G_TIME_SPAN_MILLISECOND); /* longer than the grace without a lock */
        fake_start(&home);
        pause();
    }
    return pid;
}

static gboolean
is_taken(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    gboolean taken = flock(fd, LOCK_SH | LOCK_NB) != 0;

    close(fd);
    return taken;
}

static void
waits_for_a_daemon_that_has_its_lock(void)
{
    FakeHome home = fake_home();
    HpDirs *dirs = hp_dirs_new();
    g_autofree char *settings = g_build_filename(dirs->config, "hauspost.conf", NULL);
    g_autoptr(GError) error = NULL;
    HpHauspost1 *daemon;
    pid_t pid;

    g_mkdir_with_parents(dirs->config, 0700);
    g_mkdir_with_parents(dirs->state, 0700);
    g_assert_true(g_file_set_contents(settings, "", 0, NULL));
    pid = start_slowly(dirs->state);
    while (!is_taken(dirs->state))
        g_usleep(1000);
    daemon = hp_cli_reach_starting(dirs, &error);
    g_assert_no_error(error);
    g_assert_nonnull(daemon);
    g_object_unref(daemon);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    hp_dirs_free(dirs);
    fake_end(&home);
}

static void
knows_how_the_daemon_is_started(void)
{
    FakeHome home = fake_home();
    HpDirs *dirs = hp_dirs_new();
    g_autofree char *manager =
        g_build_filename(g_getenv("XDG_RUNTIME_DIR"), "systemd", NULL);
    g_autofree char *socket = g_build_filename(manager, "private", NULL);

    g_assert_false(hp_cli_has_user_manager());
    g_assert_cmpstr(hp_cli_start_command(dirs), ==, "hauspostd &");
    g_mkdir_with_parents(manager, 0700);
    g_assert_true(g_file_set_contents(socket, "", 0, NULL));
    g_assert_cmpstr(hp_cli_start_command(dirs), ==, "systemctl --user start hauspost");
    hp_dirs_free(dirs);
    fake_end(&home);
}

int
main(int argc, char **argv)
{
    fake_main(argc, argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-reach/waits-for-a-daemon-that-has-its-lock",
                    waits_for_a_daemon_that_has_its_lock);
    g_test_add_func("/cli-reach/connects-at-once-or-not-at-all",
                    connects_at_once_or_not_at_all);
    g_test_add_func("/cli-reach/knows-how-the-daemon-is-started",
                    knows_how_the_daemon_is_started);
    return g_test_run();
}
