#include "hp-peer-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    int listening; /* (owned) */
    int caller;    /* (owned) */
    int accepted;  /* (owned) */
    guint16 port;
} Call;

typedef union {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
} Address;

static int
listen_at(int family, Address *address, socklen_t *size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        address->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        address->in6.sin6_addr = in6addr_loopback;
    *size = family == AF_INET ? sizeof address->in4 : sizeof address->in6;
    if (fd < 0 || bind(fd, &address->any, *size) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, &address->any, size) != 0)
        return -1;
    return fd;
}

/* %FALSE if there is no such family here. */
static gboolean
call(int family, Call *ret_call)
{
    Address address;
    socklen_t size;

    ret_call->listening = listen_at(family, &address, &size);
    if (ret_call->listening < 0)
        return FALSE;
    ret_call->port = ntohs(address.in4.sin_port); /* at the same place in both */
    ret_call->caller = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(ret_call->caller, &address.any, size), ==, 0);
    ret_call->accepted = accept(ret_call->listening, NULL, NULL);
    return TRUE;
}

static void
hang_up(Call *self)
{
    close(self->listening);
    close(self->caller);
    close(self->accepted);
}

static HpPeerTuple
tuple_of(int fd)
{
    HpPeerTuple tuple = { 0 };
    socklen_t peer_size = sizeof tuple.peer;
    socklen_t own_size = sizeof tuple.own;

    getpeername(fd, (struct sockaddr *)&tuple.peer, &peer_size);
    getsockname(fd, (struct sockaddr *)&tuple.own, &own_size);
    return tuple;
}

static void
names_the_user_at_the_other_end(void)
{
    const int families[] = { AF_INET, AF_INET6 };
    const char *const prefixes[] = { "127.0.0.1:", "[::1]:" };

    for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
        Call c;
        HpPeer peer;

        if (!call(families[i], &c))
            continue;
        g_assert_true(hp_peer_identify(c.accepted, &peer, NULL));
        g_assert_cmpuint(peer.uid, ==, geteuid());
        g_assert_false(peer.local_socket);
        g_assert_true(g_str_has_prefix(peer.address, prefixes[i]));
        hang_up(&c);
    }
}

static void
learns_the_same_by_netlink_and_by_proc(void)
{
    const int families[] = { AF_INET, AF_INET6 };

    for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
        guint32 uid = G_MAXUINT32;
        HpPeerTuple tuple;
        Call c;

        if (!call(families[i], &c))
            continue;
        tuple = tuple_of(c.accepted);
        g_assert_cmpint(hp_peer_ask_proc(&tuple, &uid), ==, HP_PEER_FOUND);
        g_assert_cmpuint(uid, ==, geteuid());
        g_assert_cmpint(hp_peer_ask_netlink(&tuple, &uid), !=, HP_PEER_GONE);
        g_assert_cmpuint(uid, ==, geteuid());
        hang_up(&c);
    }
}

/* A socket that is closing is reported as owned by uid 0. */
static void
takes_nobody_who_has_hung_up(void)
{
    g_autoptr(GError) error = NULL;
    HpPeerTuple tuple;
    guint32 uid = G_MAXUINT32;
    HpPeer peer;
    Call c;

    g_assert_true(call(AF_INET, &c));
    tuple = tuple_of(c.accepted);
    close(c.caller);
    g_assert_false(hp_peer_identify(c.accepted, &peer, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
    g_assert_cmpint(hp_peer_ask_proc(&tuple, &uid), ==, HP_PEER_GONE);
    g_assert_cmpuint(uid, ==, G_MAXUINT32);
    close(c.accepted);
    close(c.listening);
}

static void
recognises_an_ipv4_connection_of_an_ipv6_socket(void)
{
    Address to;
    socklen_t size;
    int listening = listen_at(AF_INET, &to, &size);
    struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
                                   .sin6_port = to.in4.sin_port };
    int caller = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HpPeerTuple tuple;
    guint32 uid;
    HpPeer peer;
    int accepted;

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    if (caller < 0 || connect(caller, (struct sockaddr *)&mapped, sizeof mapped) != 0) {
        g_test_skip("no IPv6");
        close(listening);
        return;
    }
    accepted = accept(listening, NULL, NULL);
    tuple = tuple_of(accepted);
    g_assert_true(hp_peer_identify(accepted, &peer, NULL));
    g_assert_cmpint(hp_peer_ask_proc(&tuple, &uid), ==, HP_PEER_FOUND);
    close(accepted);
    close(caller);
    close(listening);
}

static void
sees_another_user(void)
{
    Address address;
    socklen_t size;
    int listening;
    int accepted;
    HpPeer peer;
    pid_t child;

    if (geteuid() != 0) {
        g_test_skip("only root can become somebody else");
        return;
    }
    listening = listen_at(AF_INET, &address, &size);
    child = fork();
    if (child == 0) {
        int fd;
        char byte;

        if (setuid(65534) != 0)
            _exit(1);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, &address.any, size) != 0)
            _exit(2);
        _exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 3);
    }
    accepted = accept(listening, NULL, NULL);
    g_assert_true(hp_peer_identify(accepted, &peer, NULL));
    g_assert_cmpuint(peer.uid, ==, 65534);
    close(accepted);
    waitpid(child, NULL, 0);
    close(listening);
}

static void
asks_a_unix_socket_for_its_owner(void)
{
    int fds[2];
    HpPeer peer;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_true(hp_peer_identify(fds[0], &peer, NULL));
    g_assert_true(peer.local_socket);
    g_assert_cmpuint(peer.uid, ==, geteuid());
    g_assert_cmpuint(peer.pid, ==, (guint32)getpid());
    g_assert_cmpstr(peer.address, ==, "socket");
    close(fds[0]);
    close(fds[1]);
}

static void
knows_whether_it_works_here(void)
{
    g_assert_true(hp_peer_is_supported());
}

/* Listens in a process of its own and says on which port; ends with @ret_pid's death. */
static guint16
listen_elsewhere(pid_t *ret_pid)
{
    int pipes[2];
    guint16 port = 0;

    g_assert_cmpint(pipe(pipes), ==, 0);
    *ret_pid = fork();
    if (*ret_pid == 0) {
        Call c;

        if (call(AF_INET, &c) && write(pipes[1], &c.port, sizeof c.port) > 0)
            pause();
        _exit(1);
    }
    g_assert_cmpint(read(pipes[0], &port, sizeof port), ==, sizeof port);
    close(pipes[0]);
    close(pipes[1]);
    return port;
}

static void
names_the_program_that_listens(void)
{
    pid_t pid;
    guint16 port = listen_elsewhere(&pid);
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    g_autofree char *name = hp_peer_find_listener(port);

    g_assert_nonnull(name);
    g_assert_nonnull(strstr(name, "test-peer"));
    g_assert_nonnull(strstr(name, number));
    g_clear_pointer(&name, g_free);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    name = hp_peer_find_listener(port);
    g_assert_null(name);
}

/* We hold the port at one address, somebody else at the other: we are not to blame. */
static void
never_names_ourselves(void)
{
    g_autofree char *name = NULL;
    Call c;

    g_assert_true(call(AF_INET, &c));
    name = hp_peer_find_listener(c.port);
    g_assert_null(name);
    hang_up(&c);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/peer/names-the-user-at-the-other-end",
                    names_the_user_at_the_other_end);
    g_test_add_func("/peer/learns-the-same-by-netlink-and-by-proc",
                    learns_the_same_by_netlink_and_by_proc);
    g_test_add_func("/peer/takes-nobody-who-has-hung-up", takes_nobody_who_has_hung_up);
    g_test_add_func("/peer/recognises-an-ipv4-connection-of-an-ipv6-socket",
                    recognises_an_ipv4_connection_of_an_ipv6_socket);
    g_test_add_func("/peer/sees-another-user", sees_another_user);
    g_test_add_func("/peer/asks-a-unix-socket-for-its-owner",
                    asks_a_unix_socket_for_its_owner);
    g_test_add_func("/peer/knows-whether-it-works-here", knows_whether_it_works_here);
    g_test_add_func("/peer/never-names-ourselves", never_names_ourselves);
    g_test_add_func("/peer/names-the-program-that-listens",
                    names_the_program_that_listens);
    return g_test_run();
}
