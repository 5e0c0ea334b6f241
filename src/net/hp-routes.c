#include "hp-routes.h"

#include "hp-fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_OCTETS  ((size_t)32 * 1024) /* what the kernel fills at most at once */
#define PROBE_PORT    25
/* A route without a gateway to less than that is no network but a way out: a tunnel
 * splits the default route into 0.0.0.0/1 and 128.0.0.0/1, or takes 2000::/3. */
#define ATTACHED_BITS 8

/* What is read of one route. */
typedef struct {
    const guint8 *gateway; /* (unowned) (nullable) */
    gsize gateway_len;
    gboolean multipath;
    guint interface;
} Route;

typedef struct {
    guint loopback; /* index of lo */
    gboolean out;
    guint defaults_v4; /* order-independent sums of hashes */
    guint defaults_v6;
    guint others;
} Tally;

static void
read_attributes(struct nlmsghdr *message, Route *ret_route)
{
    struct rtmsg *route = NLMSG_DATA(message);
    int left = (int)RTM_PAYLOAD(message);

    *ret_route = (Route){ .interface = 0 };
    for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        const guint8 *data = RTA_DATA(at);
        gsize len = RTA_PAYLOAD(at);

        if (at->rta_type == RTA_MULTIPATH)
            ret_route->multipath = TRUE;
        if (at->rta_type == RTA_OIF && len == sizeof(ret_route->interface))
            memcpy(&ret_route->interface, data, len);
        if (at->rta_type == RTA_GATEWAY || at->rta_type == RTA_VIA) {
            ret_route->gateway = data;
            ret_route->gateway_len = len;
        }
    }
}

static guint
hash_of(const Route *route)
{
    guint hash = 2166136261u ^ route->interface;

    for (gsize i = 0; i < route->gateway_len; i++)
        hash = (hash ^ route->gateway[i]) * 16777619u;
    return hash | 1u;
}

static void
count(Tally *tally, struct nlmsghdr *message)
{
    const struct rtmsg *header = NLMSG_DATA(message);
    gboolean by_default = header->rtm_dst_len == 0;
    Route route;

    if (header->rtm_type != RTN_UNICAST || header->rtm_table == RT_TABLE_LOCAL ||
        (header->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0)
        return;
    read_attributes(message, &route);
    if (!by_default && route.interface == tally->loopback)
        return;
    /* A network that is attached directly ends where it ends, also one with public
     * addresses, as every home has in IPv6. */
    if (header->rtm_dst_len >= ATTACHED_BITS && route.gateway == NULL && !route.multipath)
        return;
    tally->out = TRUE;
    if (by_default && header->rtm_family == AF_INET)
        tally->defaults_v4 += hash_of(&route);
    else if (by_default)
        tally->defaults_v6 += hash_of(&route);
    else
        tally->others += hash_of(&route);
}

static gboolean
fail(GError **error, int number)
{
    g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(number),
                "could not read the routes: %s", g_strerror(number));
    return FALSE;
}

static gboolean
ask_for_routes(int fd)
{
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
    } question = { .head = { .nlmsg_len = sizeof(question),
                             .nlmsg_type = RTM_GETROUTE,
                             .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                             .nlmsg_seq = 1 },
                   .route = { .rtm_family = AF_UNSPEC } };

    return send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

/* Reads one packet of the dump. Returns 1 at its end, 0 to go on, or -errno. */
static int
read_packet(int fd, char *buffer, Tally *tally)
{
    ssize_t n = recv(fd, buffer, REPLY_OCTETS, 0);
    guint left = n > 0 ? (guint)n : 0;

    if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
    for (struct nlmsghdr *m = (struct nlmsghdr *)(gpointer)buffer; NLMSG_OK(m, left);
         m = NLMSG_NEXT(m, left)) {
        if (m->nlmsg_type == NLMSG_DONE)
            return 1;
        if (m->nlmsg_type == NLMSG_ERROR)
            return -EIO;
        if (m->nlmsg_type == RTM_NEWROUTE)
            count(tally, m);
    }
    return 0;
}

gboolean
hp_routes_read(HpRoutes *ret_routes, GError **error)
{
    hp_autofd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    _Alignas(struct nlmsghdr) char buffer[REPLY_OCTETS];
    struct timeval patience = { .tv_sec = 2 };
    Tally tally = { .loopback = if_nametoindex("lo") };
    int result = 0;

    if (fd < 0)
        return fail(error, errno);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (!ask_for_routes(fd))
        return fail(error, errno);
    while (result == 0)
        result = read_packet(fd, buffer, &tally);
    if (result < 0)
        return fail(error, -result);
    ret_routes->out = tally.out;
    /* Only one family, because the routes of the other one come seconds later. */
    if (tally.defaults_v4 != 0)
        ret_routes->identity = tally.defaults_v4;
    else
        ret_routes->identity = tally.defaults_v6 != 0 ? tally.defaults_v6 : tally.others;
    return TRUE;
}

int
hp_routes_watch(GError **error)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                                   .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
    hp_autofd fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail(error, errno);
        return -1;
    }
    return g_steal_fd(&fd);
}

/* Wireless scans report links in which nothing has changed, every few seconds. A cable
 * that is pulled shows in no change of flags either, so it is the attribute that tells.
 */
static gboolean
is_scan(struct nlmsghdr *message)
{
    struct ifinfomsg *link = NLMSG_DATA(message);
    int left = (int)IFLA_PAYLOAD(message);

    if (message->nlmsg_type != RTM_NEWLINK || link->ifi_change != 0)
        return FALSE;
    for (struct rtattr *at = IFLA_RTA(link); RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type == IFLA_WIRELESS)
            return TRUE;
    return FALSE;
}

gboolean
hp_routes_have_changed(int watch_fd)
{
    _Alignas(struct nlmsghdr) char buffer[REPLY_OCTETS];
    gboolean changed = FALSE;
    ssize_t n;

    while ((n = recv(watch_fd, buffer, sizeof(buffer), 0)) > 0 || errno == ENOBUFS) {
        guint left = n > 0 ? (guint)n : 0;

        /* Too much at once: something did change. */
        changed = changed || n < 0;
        for (struct nlmsghdr *m = (struct nlmsghdr *)(gpointer)buffer; NLMSG_OK(m, left);
             m = NLMSG_NEXT(m, left))
            changed = changed || !is_scan(m);
        errno = 0;
    }
    return changed;
}

gboolean
hp_routes_reach(const char *address)
{
    struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(PROBE_PORT) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(PROBE_PORT) };
    gboolean ipv4 = inet_pton(AF_INET, address, &in4.sin_addr) == 1;
    hp_autofd fd = -1;

    if (!ipv4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
        return FALSE;
    fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return FALSE;
    return ipv4 ? connect(fd, (struct sockaddr *)&in4, sizeof(in4)) == 0
                : connect(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
}
