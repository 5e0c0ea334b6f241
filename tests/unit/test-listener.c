#include "hp-fs.h"
#include "hp-lines.h"
#include "hp-listener.h"
#include "hp-log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/* Greets, then does what each line says. */
static void
serve(HpConnection *connection, gpointer data)
{
    HpChannel *channel = hp_connection_channel(connection);
    HpSlice line;

    hp_channel_printf(channel, NULL, "hello %s\r\n",
                      hp_connection_service(connection)->name);
    while (hp_lines_read(channel, 100, &line, NULL) == HP_LINE_OK) {
        HpCursor c = hp_cursor_over(line);
        gboolean login = hp_cursor_skip_word(&c, "login ");
        g_autofree char *name = hp_slice_dup(hp_cursor_rest(&c));
        gboolean welcome = login && hp_connection_login(connection, name);

        if (welcome)
            hp_connection_introduce(connection, "Program 1");
        hp_channel_printf(channel, NULL, welcome ? "welcome\r\n" : "no\r\n");
    }
    hp_channel_write(channel, HP_SLICE_LITERAL("bye\r\n"), NULL);
}

static void
refuse(HpChannel *channel, gpointer data)
{
    hp_channel_write(channel, HP_SLICE_LITERAL("full\r\n"), NULL);
}

static const HpService service = { .name = "test", .serve = serve, .refuse = refuse };

static HpListener *
listener_on_port(guint16 *ret_port)
{
    g_autoptr(GError) error = NULL;
    HpListener *listener = hp_listener_new(NULL, 0, &error);

    g_assert_no_error(error);
    hp_listener_add_port(listener, &service, 0, &error);
    g_assert_no_error(error);
    *ret_port = hp_listener_port(listener, "test", FALSE);
    g_assert_cmpuint(*ret_port, !=, 0);
    hp_listener_start(listener, &error);
    g_assert_no_error(error);
    return listener;
}

static HpChannel *
dial(const char *address, guint16 port)
{
    HpChannel *channel = hp_channel_connect(address, port, PATIENCE_MS, -1, NULL);

    g_assert_nonnull(channel);
    hp_channel_set_timeout(channel, PATIENCE_MS * 1000);
    return channel;
}

static void
expect(HpChannel *channel, const char *want)
{
    HpSlice line = { NULL, 0 };

    g_assert_cmpint(hp_lines_read(channel, 100, &line, NULL), ==, HP_LINE_OK);
    g_assert_cmpmem(line.data, (int)line.len, want, (int)strlen(want));
}

static void
expect_end(HpChannel *channel)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_channel_fill(channel, &error));
    g_assert_error(error, HP_NET_ERROR, HP_NET_ERROR_CLOSED);
}

static void
log_in(HpChannel *channel, const char *name, const char *answer)
{
    g_assert_true(hp_channel_printf(channel, NULL, "login %s\r\n", name));
    expect(channel, answer);
}

static void
serves_both_families(void)
{
    guint16 port;
    HpListener *listener = listener_on_port(&port);
    g_autoptr(HpChannel) four = dial("127.0.0.1", port);
    g_autoptr(HpChannel) six = hp_channel_connect("::1", port, PATIENCE_MS, -1, NULL);

    expect(four, "hello test");
    if (six != NULL)
        expect(six, "hello test");
    g_assert_true(hp_listener_stop(listener)); /* the sessions end at once */
    g_assert_true(hp_listener_stop(listener));
    hp_listener_free(listener);
}

static void
note_connection(HpConnection *connection, const char *credential, gpointer data)
{
    const char *const wanted[] = { "thunderbird", NULL };
    guint *n = data;

    g_assert_cmpuint(strlen(hp_connection_id(connection)), ==, 6);
    g_assert_cmpuint(hp_connection_peer(connection)->uid, ==, geteuid());
    g_assert_true(
        g_str_has_prefix(hp_connection_peer(connection)->address, "127.0.0.1:"));
    g_assert_cmpuint(*n, <, G_N_ELEMENTS(wanted));
    g_assert_cmpstr(credential, ==, wanted[(*n)++]);
    g_assert_cmpstr(hp_connection_program(connection), ==,
                    credential != NULL ? "Program 1" : NULL);
}

static void
shows_the_open_connections(void)
{
    guint16 port;
    g_autoptr(HpListener) listener = listener_on_port(&port);
    g_autoptr(HpChannel) a = dial("127.0.0.1", port);
    g_autoptr(HpChannel) b = dial("127.0.0.1", port);
    guint n = 0;

    expect(a, "hello test");
    expect(b, "hello test");
    log_in(a, "thunderbird", "welcome");
    hp_listener_foreach(listener, note_connection, &n);
    g_assert_cmpuint(n, ==, 2);
}

static void
closes_the_oldest_of_nine_before_login(void)
{
    guint16 port;
    HpListener *listener = listener_on_port(&port);
    g_autoptr(GPtrArray) calls =
        g_ptr_array_new_with_free_func((GDestroyNotify)hp_channel_free);

    /* One that has logged in is the oldest, and stays. */
    g_ptr_array_add(calls, dial("127.0.0.1", port));
    expect(calls->pdata[0], "hello test");
    log_in(calls->pdata[0], "thunderbird", "welcome");
    for (guint i = 1; i <= 9; i++) {
        g_ptr_array_add(calls, dial("127.0.0.1", port));
        expect(calls->pdata[i], "hello test");
    }
    expect(calls->pdata[1], "bye");
    expect_end(calls->pdata[1]);
    for (guint i = 2; i <= 9; i++)
        log_in(calls->pdata[i], "mutt", "welcome");
    log_in(calls->pdata[0], "thunderbird", "welcome");
    hp_listener_free(listener);
}

static void
has_room_for_64_authenticated_sessions(void)
{
    guint16 port;
    HpListener *listener = listener_on_port(&port);
    g_autoptr(GPtrArray) calls =
        g_ptr_array_new_with_free_func((GDestroyNotify)hp_channel_free);
    g_autoptr(HpChannel) late = NULL;
    g_autoptr(HpChannel) again = NULL;

    for (guint i = 0; i < 63; i++) {
        g_ptr_array_add(calls, dial("127.0.0.1", port));
        expect(calls->pdata[i], "hello test");
        log_in(calls->pdata[i], "mutt", "welcome");
    }
    g_ptr_array_add(calls, dial("127.0.0.1", port));
    late = dial("127.0.0.1", port);
    expect(calls->pdata[63], "hello test");
    expect(late, "hello test");
    log_in(calls->pdata[63], "mutt", "welcome");
    log_in(late, "mutt", "no");
    /* Whoever comes now hears it in the protocol's words. */
    again = dial("127.0.0.1", port);
    expect(again, "full");
    expect_end(again);
    hp_listener_free(listener);
}

static void
ends_the_sessions_of_a_revoked_password(void)
{
    guint16 port;
    g_autoptr(HpListener) listener = listener_on_port(&port);
    g_autoptr(HpChannel) a = dial("127.0.0.1", port);
    g_autoptr(HpChannel) b = dial("127.0.0.1", port);

    expect(a, "hello test");
    expect(b, "hello test");
    log_in(a, "thunderbird", "welcome");
    log_in(b, "mutt", "welcome");
    hp_listener_abort_credential(listener, "thunderbird");
    expect(a, "bye");
    expect_end(a);
    log_in(b, "mutt", "welcome");
}

static void
ends_all_sessions_when_it_is_freed(void)
{
    guint16 port;
    HpListener *listener = listener_on_port(&port);
    g_autoptr(HpChannel) a = dial("127.0.0.1", port);

    expect(a, "hello test");
    hp_listener_free(listener);
    expect(a, "bye");
    expect_end(a);
    g_assert_null(hp_channel_connect("127.0.0.1", port, PATIENCE_MS, -1, NULL));
}

/* Another process that has a port; it ends when it is killed. */
static guint16
port_of_another_process(pid_t *ret_pid)
{
    int ends[2];
    guint16 port = 0;

    g_assert_cmpint(pipe(ends), ==, 0);
    *ret_pid = fork();
    if (*ret_pid == 0) {
        struct sockaddr_in address = { .sin_family = AF_INET };
        socklen_t len = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, 1) == 0 &&
            getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
            port = ntohs(address.sin_port);
            if (write(ends[1], &port, sizeof port) > 0)
                pause();
        }
        _exit(1);
    }
    g_assert_cmpint(read(ends[0], &port, sizeof port), ==, sizeof port);
    close(ends[0]);
    close(ends[1]);
    return port;
}

static void
names_the_program_that_has_the_port(void)
{
    pid_t pid;
    guint16 port = port_of_another_process(&pid);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    g_autoptr(HpListener) second = hp_listener_new(NULL, 0, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(hp_listener_add_port(second, &service, port, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    g_assert_nonnull(strstr(error->message, "test-listener"));
    g_assert_nonnull(strstr(error->message, number));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static HpChannel *
dial_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return hp_channel_new(fd);
}

static void
listens_on_a_private_socket(void)
{
    g_autofree char *folder = g_dir_make_tmp("hauspost-listener-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "submit", NULL);
    mode_t before = umask(0);
    g_autoptr(GError) error = NULL;
    struct stat info;

    for (guint round = 0; round < 2; round++) {
        HpListener *listener = hp_listener_new(NULL, 0, NULL);
        HpListener *other = hp_listener_new(NULL, 0, NULL);
        HpChannel *call;

        hp_listener_add_socket(listener, &service, path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(stat(path, &info), ==, 0);
        g_assert_cmpint(info.st_mode & 0777, ==, 0600);
        hp_listener_start(listener, &error);
        g_assert_no_error(error);
        g_assert_false(hp_listener_add_socket(other, &service, path, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
        g_clear_error(&error);
        call = dial_socket(path);
        expect(call, "hello test");
        hp_channel_free(call);
        hp_listener_free(other);
        hp_listener_free(listener);
        g_assert_cmpint(stat(path, &info), !=, 0);
        /* What a crash leaves behind is replaced in the second round. */
        if (round == 0) {
            struct sockaddr_un address = { .sun_family = AF_UNIX };
            int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

            g_strlcpy(address.sun_path, path, sizeof address.sun_path);
            bind(stale, (struct sockaddr *)&address, sizeof address);
            close(stale);
        }
    }
    umask(before);
    g_rmdir(folder);
}

static void
does_not_remove_a_file_that_is_no_socket(void)
{
    g_autofree char *folder = g_dir_make_tmp("hauspost-listener-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "submit", NULL);
    g_autoptr(HpListener) listener = hp_listener_new(NULL, 0, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
    g_assert_false(hp_listener_add_socket(listener, &service, path, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_rmdir(folder);
}

/* Before any thread: connects as nobody to the port it reads from @order, and exits with
 * 0 if it was closed without a byte. */
static pid_t
start_stranger(int order)
{
    pid_t child = fork();
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    char byte;
    int fd;

    if (child != 0)
        return child;
    if (setuid(65534) != 0 ||
        read(order, &to.sin_port, sizeof to.sin_port) != (ssize_t)sizeof to.sin_port)
        _exit(1);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        _exit(2);
    _exit(recv(fd, &byte, 1, 0) <= 0 ? 0 : 3);
}

static void
turns_another_user_away_without_a_byte(void)
{
    int order[2];
    g_autoptr(HpListener) listener = NULL;
    guint16 port;
    guint16 wire;
    pid_t child;
    int status = 0;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    g_assert_cmpint(pipe2(order, O_CLOEXEC), ==, 0);
    child = start_stranger(order[0]);
    listener = listener_on_port(&port);
    wire = htons(port);
    g_assert_cmpint(write(order[1], &wire, sizeof wire), ==, sizeof wire);
    waitpid(child, &status, 0);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    close(order[0]);
    close(order[1]);
}

static void
lets_an_allowed_user_in(void)
{
    const guint allowed[] = { 65534 };
    HpListener *listener;
    guint16 port;
    guint16 wire;
    pid_t child;
    int order[2];
    int status = 0;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    g_assert_cmpint(pipe2(order, O_CLOEXEC), ==, 0);
    child = start_stranger(order[0]);
    listener = hp_listener_new(allowed, 1, NULL);
    g_assert_true(hp_listener_add_port(listener, &service, 0, NULL));
    g_assert_true(hp_listener_start(listener, NULL));
    port = hp_listener_port(listener, "test", FALSE);
    wire = htons(port);
    g_assert_cmpint(write(order[1], &wire, sizeof wire), ==, sizeof wire);
    waitpid(child, &status, 0);
    g_assert_cmpint(WEXITSTATUS(status), ==, 3);
    hp_listener_free(listener);
    close(order[0]);
    close(order[1]);
}

/* Runs in a process of its own, which has few descriptors. */
static void
survives_a_lack_of_descriptors(void)
{
    g_autoptr(GPtrArray) hogs = g_ptr_array_new();
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct pollfd waiting = { -1, POLLIN, 0 };
    struct rlimit limit;
    guint16 port;
    HpListener *listener;
    HpChannel *call;
    int fd;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDOUT);
        g_test_trap_assert_passed();
        /* The back-off says so once. */
        g_test_trap_assert_stderr("*no connection can be accepted now*");
        g_test_trap_assert_stderr_unmatched(
            "*no connection can be accepted now*no connection can be accepted now*");
        return;
    }
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    limit.rlim_cur = 40;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    listener = listener_on_port(&port);
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        g_ptr_array_add(hogs, GINT_TO_POINTER(fd));
    /* Room for our end, none for the server's. */
    close(GPOINTER_TO_INT(g_ptr_array_remove_index_fast(hogs, 0)));
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons(port);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
    waiting.fd = fd;
    g_assert_cmpint(poll(&waiting, 1, 1500), ==, 0); /* some rounds of its pause */
    for (guint i = 0; i < 8; i++)
        close(GPOINTER_TO_INT(g_ptr_array_remove_index_fast(hogs, 0)));
    call = hp_channel_new(fd);
    expect(call, "hello test");
    hp_channel_free(call);
    hp_listener_free(listener);
}

/* Runs in a process of its own, where descriptor 3 can be what the manager gives. */
static void
adopts_the_sockets_of_the_service_manager(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autoptr(GError) error = NULL;
    HpListener *listener;
    HpChannel *call;
    int fd;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, 0);
        g_test_trap_assert_passed();
        return;
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
    g_assert_cmpint(listen(fd, 8), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
    if (fd != 3) {
        g_assert_cmpint(dup2(fd, 3), ==, 3);
        close(fd);
    }
    g_setenv("LISTEN_PID", pid, TRUE);
    g_setenv("LISTEN_FDS", "1", TRUE);
    listener = hp_listener_new(NULL, 0, NULL);
    g_assert_cmpuint(hp_listener_adopt_fds(listener), ==, 1);
    g_assert_null(g_getenv("LISTEN_FDS"));
    hp_listener_add_port(listener, &service, ntohs(address.sin_port), &error);
    g_assert_no_error(error);
    g_assert_true(hp_listener_start(listener, NULL));
    call = dial("127.0.0.1", ntohs(address.sin_port));
    expect(call, "hello test");
    hp_channel_free(call);
    hp_listener_free(listener);
}

static void
leaves_the_sockets_of_another_process_alone(void)
{
    g_autoptr(HpListener) listener = hp_listener_new(NULL, 0, NULL);

    g_setenv("LISTEN_PID", "1", TRUE);
    g_setenv("LISTEN_FDS", "1", TRUE);
    g_assert_cmpuint(hp_listener_adopt_fds(listener), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    hp_log_init(FALSE); /* warnings are what some tests are about */
    g_test_add_func("/listener/turns-another-user-away-without-a-byte",
                    turns_another_user_away_without_a_byte);
    g_test_add_func("/listener/lets-an-allowed-user-in", lets_an_allowed_user_in);
    g_test_add_func("/listener/serves-both-families", serves_both_families);
    g_test_add_func("/listener/shows-the-open-connections", shows_the_open_connections);
    g_test_add_func("/listener/closes-the-oldest-of-nine-before-login",
                    closes_the_oldest_of_nine_before_login);
    g_test_add_func("/listener/has-room-for-64-authenticated-sessions",
                    has_room_for_64_authenticated_sessions);
    g_test_add_func("/listener/ends-the-sessions-of-a-revoked-password",
                    ends_the_sessions_of_a_revoked_password);
    g_test_add_func("/listener/ends-all-sessions-when-it-is-freed",
                    ends_all_sessions_when_it_is_freed);
    g_test_add_func("/listener/names-the-program-that-has-the-port",
                    names_the_program_that_has_the_port);
    g_test_add_func("/listener/listens-on-a-private-socket", listens_on_a_private_socket);
    g_test_add_func("/listener/does-not-remove-a-file-that-is-no-socket",
                    does_not_remove_a_file_that_is_no_socket);
    g_test_add_func("/listener/survives-a-lack-of-descriptors",
                    survives_a_lack_of_descriptors);
    g_test_add_func("/listener/adopts-the-sockets-of-the-service-manager",
                    adopts_the_sockets_of_the_service_manager);
    g_test_add_func("/listener/leaves-the-sockets-of-another-process-alone",
                    leaves_the_sockets_of_another_process_alone);
    return g_test_run();
}
