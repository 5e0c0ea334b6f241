#include "hp-listener-internal.h"

#include "hp-fs.h"
#include "hp-log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG         128
#define FIRST_FD        3  /* SD_LISTEN_FDS_START, sd_listen_fds(3) */
#define ADOPT_MAX       64 /* inherited descriptors looked at */
#define STOP_USEC       (8 * (gint64)G_USEC_PER_SEC) /* sessions get to finish something */
#define FREE_PORT_TRIES 8

/* Nobody can come in any more; those who are inside may still read the name on it. */
static void
shut_door(HpDoor *self)
{
    if (self->fd < 0)
        return;
    close(self->fd);
    self->fd = -1;
    if (self->path != NULL)
        unlink(self->path);
}

static void
free_door(gpointer door)
{
    HpDoor *self = door;

    shut_door(self);
    g_free(self->path);
    g_free(self->service_name);
    g_free(self);
}

static void
close_adopted(HpListener *self)
{
    for (guint i = 0; i < self->adopted->len; i++)
        close(g_array_index(self->adopted, int, i));
    g_array_set_size(self->adopted, 0);
}

HpListener *
hp_listener_new(const guint *allowed_uids, guint n_allowed, GError **error)
{
    HpWaker *waker;
    HpListener *self;

    if (!hp_peer_is_supported()) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
            _("this system does not tell which user is calling (neither "
              "NETLINK_SOCK_DIAG "
              "nor /proc/net/tcp works), so no port can be opened safely"));
        return NULL;
    }
    waker = hp_waker_new(error);
    if (waker == NULL)
        return NULL;
    self = g_new0(HpListener, 1);
    self->waker = waker;
    self->doors = g_ptr_array_new_with_free_func(free_door);
    self->adopted = g_array_new(FALSE, FALSE, sizeof(int));
    self->uids = g_array_new(FALSE, FALSE, sizeof(guint));
    if (n_allowed > 0)
        g_array_append_vals(self->uids, allowed_uids, n_allowed);
    self->shunned = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    self->open = g_ptr_array_new();
    self->finished = g_ptr_array_new();
    hp_lock_init(&self->lock);
    hp_cond_init(&self->ended);
    return self;
}

/* The whole of variable @name as a number of at most @max. */
static gboolean
environment_number(const char *name, guint64 max, guint64 *ret_number)
{
    HpCursor c = hp_cursor_over(hp_slice_of(g_getenv(name)));

    return hp_cursor_take_number(&c, max, ret_number) && hp_cursor_at_end(&c);
}

static gboolean
is_listening(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

guint
hp_listener_adopt_fds(HpListener *self)
{
    guint64 pid;
    guint64 n;
    gboolean ours = environment_number("LISTEN_PID", G_MAXINT32, &pid) &&
                    environment_number("LISTEN_FDS", ADOPT_MAX, &n) &&
                    pid == (guint64)getpid();

    /* Whatever we start must not take them for its own. */
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    for (int fd = FIRST_FD; ours && fd < FIRST_FD + (int)n; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (is_listening(fd))
            g_array_append_val(self->adopted, fd);
    }
    return self->adopted->len;
}

typedef union {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
} Address;

static socklen_t
loopback(int family, guint16 port, Address *ret_address)
{
    memset(ret_address, 0, sizeof *ret_address);
    if (family == AF_INET) {
        ret_address->in4.sin_family = AF_INET;
        ret_address->in4.sin_port = htons(port);
        ret_address->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof ret_address->in4;
    }
    ret_address->in6.sin6_family = AF_INET6;
    ret_address->in6.sin6_port = htons(port);
    ret_address->in6.sin6_addr = in6addr_loopback;
    return sizeof ret_address->in6;
}

static gboolean
same_address(const Address *a, const Address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return FALSE;
    if (a->any.sa_family == AF_INET)
        return a->in4.sin_port == b->in4.sin_port &&
               a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    if (a->any.sa_family == AF_INET6)
        return a->in6.sin6_port == b->in6.sin6_port &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
    return strncmp(a->local.sun_path, b->local.sun_path, sizeof a->local.sun_path) == 0;
}

/* The adopted socket at @address, made ours, or -1. */
static int
claim_adopted(HpListener *self, const Address *address)
{
    for (guint i = 0; i < self->adopted->len; i++) {
        int fd = g_array_index(self->adopted, int, i);
        Address own = { 0 };
        socklen_t size = sizeof own;

        if (getsockname(fd, &own.any, &size) == 0 && same_address(&own, address)) {
            g_array_remove_index(self->adopted, i);
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            return fd;
        }
    }
    return -1;
}

/* Returns a listening socket, or -1 with errno. */
static int
open_tcp(int family, guint16 port)
{
    Address address;
    socklen_t size = loopback(family, port, &address);
    hp_autofd fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    /* Connections of an earlier run that linger must not keep us from starting; another
     * listener still does. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &address.any, size) != 0 || listen(fd, BACKLOG) != 0)
        return -1;
    return g_steal_fd(&fd);
}

static guint16
port_of(int fd)
{
    Address own = { 0 };
    socklen_t size = sizeof own;

    if (getsockname(fd, &own.any, &size) != 0)
        return 0;
    return ntohs(own.any.sa_family == AF_INET ? own.in4.sin_port : own.in6.sin6_port);
}

static gboolean
fail_port(GError **error, int number, const char *address, guint16 port)
{
    g_autofree char *culprit = number == EADDRINUSE ? hp_peer_find_listener(port) : NULL;

    if (culprit != NULL)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                    _("port %u at %s is in use by %s"), port, address, culprit);
    else
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
                    _("port %u at %s could not be opened: %s"), port, address,
                    g_strerror(number));
    return FALSE;
}

static void
add_door(HpListener *self, const HpService *service, int fd, const char *path)
{
    HpDoor *door = g_new0(HpDoor, 1);

    door->fd = fd;
    door->service = *service;
    door->service_name = g_strdup(service->name);
    door->service.name = door->service_name;
    door->path = g_strdup(path);
    door->port = path == NULL ? port_of(fd) : 0;
    g_ptr_array_add(self->doors, door);
}

static gboolean
has_no_ipv6(int number)
{
    return number == EAFNOSUPPORT || number == EADDRNOTAVAIL;
}

/* The adopted socket, or a new one; -1 with errno. */
static int
obtain_tcp(HpListener *self, int family, guint16 port)
{
    Address address;
    int fd;

    loopback(family, port, &address);
    fd = port != 0 ? claim_adopted(self, &address) : -1;
    return fd >= 0 ? fd : open_tcp(family, port);
}

gboolean
hp_listener_add_port(HpListener *self, const HpService *service, guint16 port,
                     GError **error)
{
    guint tries = port == 0 ? FREE_PORT_TRIES : 1;

    for (;;) {
        hp_autofd four = obtain_tcp(self, AF_INET, port);
        guint16 chosen = port;
        hp_autofd six = -1;

        if (four < 0)
            return fail_port(error, errno, "127.0.0.1", port);
        if (port == 0)
            chosen = port_of(four);
        six = obtain_tcp(self, AF_INET6, chosen);
        if (six >= 0 || has_no_ipv6(errno)) {
            add_door(self, service, g_steal_fd(&four), NULL);
            if (six >= 0)
                add_door(self, service, g_steal_fd(&six), NULL);
            return TRUE;
        }
        if (--tries == 0)
            return fail_port(error, errno, "::1", chosen);
    }
}

/* A socket file that nobody listens at is left over from a crash. */
static gboolean
remove_stale(const Address *address, socklen_t size, const char *path, GError **error)
{
    hp_autofd probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat info;

    if (lstat(path, &info) != 0)
        return TRUE;
    if (!S_ISSOCK(info.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    _("%s is in the way: it is not a socket"), path);
        return FALSE;
    }
    if (probe >= 0 && (connect(probe, &address->any, size) == 0 || errno == EAGAIN)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
                    _("another program listens at %s"), path);
        return FALSE;
    }
    unlink(path);
    return TRUE;
}

/* Returns a listening socket, or -1 with errno. */
static int
open_local(const Address *address, socklen_t size, const char *path)
{
    hp_autofd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* The mode before bind() keeps the file private from its first moment (unix(7)); the
     * one after it mends what an odd umask took away from us. */
    if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        bind(fd, &address->any, size) != 0)
        return -1;
    if (chmod(path, S_IRUSR | S_IWUSR) != 0 || listen(fd, BACKLOG) != 0)
        return -1;
    return g_steal_fd(&fd);
}

gboolean
hp_listener_add_socket(HpListener *self, const HpService *service, const char *path,
                       GError **error)
{
    Address address = { .local = { .sun_family = AF_UNIX } };
    socklen_t size = sizeof address.local;
    int fd;

    if (strlen(path) >= sizeof address.local.sun_path) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG,
                    _("the path %s is too long for a socket"), path);
        return FALSE;
    }
    g_strlcpy(address.local.sun_path, path, sizeof address.local.sun_path);
    fd = claim_adopted(self, &address);
    if (fd >= 0) {
        add_door(self, service, fd, path);
        return TRUE;
    }
    if (!remove_stale(&address, size, path, error))
        return FALSE;
    fd = open_local(&address, size, path);
    if (fd < 0) {
        int saved = errno;

        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
                    _("the socket %s could not be opened: %s"), path, g_strerror(saved));
        return FALSE;
    }
    add_door(self, service, fd, path);
    return TRUE;
}

guint16
hp_listener_port(const HpListener *self, const char *service, gboolean implicit_tls)
{
    for (guint i = 0; i < self->doors->len; i++) {
        const HpDoor *door = g_ptr_array_index(self->doors, i);

        if (door->port != 0 && door->service.implicit_tls == implicit_tls &&
            g_str_equal(door->service_name, service))
            return door->port;
    }
    return 0;
}

gboolean
hp_listener_start(HpListener *self, GError **error)
{
    if (self->adopted->len > 0)
        hp_log("net", NULL, G_LOG_LEVEL_WARNING,
               "%u sockets of the service manager fit no setting in [listen] and were "
               "closed",
               self->adopted->len);
    close_adopted(self);
    self->thread = hp_thread_start("accept", hp_listener_run, self, error);
    return self->thread != NULL;
}

/* @deadline_usec: monotonic, -1: none. %FALSE if some session does not come to its end.
 */
static gboolean
stop_sessions(HpListener *self, gint64 deadline_usec)
{
    HP_LOCKED(&self->lock);
    for (guint i = 0; i < self->open->len; i++) {
        HpConnection *connection = g_ptr_array_index(self->open, i);

        hp_channel_abort(connection->channel);
    }
    while (self->running > 0 &&
           hp_cond_wait_until(&self->ended, &self->lock, deadline_usec))
        ;
    return self->running == 0;
}

static void
stop_accepting(HpListener *self)
{
    if (self->thread != NULL) {
        {
            HP_LOCKED(&self->lock);
            self->stopping = TRUE;
        }
        hp_waker_ring(self->waker);
        g_clear_pointer(&self->thread, hp_thread_join);
    }
    for (guint i = 0; i < self->doors->len; i++)
        shut_door(g_ptr_array_index(self->doors, i));
    close_adopted(self);
}

gboolean
hp_listener_stop(HpListener *self)
{
    stop_accepting(self);
    return stop_sessions(self, g_get_monotonic_time() + STOP_USEC);
}

void
hp_listener_free(HpListener *self)
{
    stop_accepting(self);
    stop_sessions(self, -1);
    hp_listener_reap(self);
    g_ptr_array_unref(self->doors);
    g_array_unref(self->adopted);
    g_array_unref(self->uids);
    g_hash_table_unref(self->shunned);
    g_ptr_array_unref(self->open);
    g_ptr_array_unref(self->finished);
    hp_waker_free(self->waker);
    hp_cond_clear(&self->ended);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_listener_foreach(HpListener *self, HpListenerEach each, gpointer data)
{
    HP_LOCKED(&self->lock);
    for (guint i = 0; i < self->open->len; i++) {
        HpConnection *connection = g_ptr_array_index(self->open, i);

        each(connection, connection->credential, data);
    }
}

void
hp_listener_abort_credential(HpListener *self, const char *credential)
{
    HP_LOCKED(&self->lock);
    for (guint i = 0; i < self->open->len; i++) {
        HpConnection *connection = g_ptr_array_index(self->open, i);

        if (g_strcmp0(connection->credential, credential) == 0)
            hp_channel_abort(connection->channel);
    }
}
