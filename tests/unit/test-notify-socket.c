#include "hp-notify-socket.h"

#include "hp-fs.h"

#include <gio/gio.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket as a service manager has it; @name begins with '/' or '@'. */
static int
listen_on(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, len), ==, 0);
    return fd;
}

static void
check_arrives(const char *name)
{
    hp_autofd fd = listen_on(name);
    char buffer[64] = "";

    g_setenv("NOTIFY_SOCKET", name, TRUE);
    g_assert_true(hp_notify_socket_send("READY=1"));
    g_assert_cmpint(recv(fd, buffer, sizeof buffer - 1, MSG_DONTWAIT), ==, 7);
    g_assert_cmpstr(buffer, ==, "READY=1");
}

static void
reaches_a_path_and_an_abstract_name(void)
{
    g_autofree char *dir = g_dir_make_tmp("notify-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "socket", NULL);
    g_autofree char *abstract = g_strdup_printf("@hauspost-test-%d", getpid());

    check_arrives(path);
    check_arrives(abstract);
    unlink(path);
    rmdir(dir);
}

static void
says_nothing_where_nobody_listens(void)
{
    g_autofree char *endless = g_strnfill(200, '/');

    g_unsetenv("NOTIFY_SOCKET");
    g_assert_false(hp_notify_socket_send("READY=1"));
    g_setenv("NOTIFY_SOCKET", "/nowhere/at/all", TRUE);
    g_assert_false(hp_notify_socket_send("READY=1"));
    g_setenv("NOTIFY_SOCKET", "relative", TRUE);
    g_assert_false(hp_notify_socket_send("READY=1"));
    g_setenv("NOTIFY_SOCKET", endless, TRUE);
    g_assert_false(hp_notify_socket_send("READY=1"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notify-socket/reaches-a-path-and-an-abstract-name",
                    reaches_a_path_and_an_abstract_name);
    g_test_add_func("/notify-socket/says-nothing-where-nobody-listens",
                    says_nothing_where_nobody_listens);
    return g_test_run();
}
