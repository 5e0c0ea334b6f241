#include "hp-peer-internal.h"

#include "hp-fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static gboolean
deny(GError **error, const char *why)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, why);
    return FALSE;
}

typedef struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
} Question;

/* The addresses of @id, the peer as its own socket sees them. */
static gboolean
fill_id(const HpPeerTuple *tuple, struct inet_diag_sockid *ret_id)
{
    const struct sockaddr_storage *peer = &tuple->peer;
    const struct sockaddr_storage *own = &tuple->own;

    memset(ret_id, 0, sizeof *ret_id);
    ret_id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    ret_id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *from = (const struct sockaddr_in *)peer;
        const struct sockaddr_in *to = (const struct sockaddr_in *)own;

        ret_id->idiag_sport = from->sin_port;
        ret_id->idiag_dport = to->sin_port;
        memcpy(ret_id->idiag_src, &from->sin_addr, sizeof from->sin_addr);
        memcpy(ret_id->idiag_dst, &to->sin_addr, sizeof to->sin_addr);
        return TRUE;
    }
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)peer;
        const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)own;

        ret_id->idiag_sport = from->sin6_port;
        ret_id->idiag_dport = to->sin6_port;
        memcpy(ret_id->idiag_src, &from->sin6_addr, sizeof from->sin6_addr);
        memcpy(ret_id->idiag_dst, &to->sin6_addr, sizeof to->sin6_addr);
        return TRUE;
    }
    return FALSE;
}

static int
open_netlink(void)
{
    struct timeval patience = { .tv_sec = 2 };
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* sock_diag(7): one socket by its exact 4-tuple, no dump. */
HpPeerAnswer
hp_peer_ask_netlink(const HpPeerTuple *tuple, guint32 *ret_uid)
{
    Question q = { .header = { .nlmsg_len = sizeof q,
                               .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                               .nlmsg_flags = NLM_F_REQUEST },
                   .request = { .sdiag_family = (guint8)tuple->peer.ss_family,
                                .sdiag_protocol = IPPROTO_TCP,
                                .idiag_states = G_MAXUINT32 } };
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } reply;
    struct inet_diag_msg found;
    hp_autofd fd = open_netlink();
    ssize_t n;

    if (fd < 0 || !fill_id(tuple, &q.request.id) ||
        send(fd, &q, sizeof q, 0) != (ssize_t)sizeof q)
        return HP_PEER_CANNOT_TELL;
    n = recv(fd, &reply, sizeof reply, 0);
    if (n < (ssize_t)sizeof(struct nlmsghdr) || !NLMSG_OK(&reply.header, (guint32)n))
        return HP_PEER_CANNOT_TELL;
    if (reply.header.nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *problem = NLMSG_DATA(&reply.header);

        return problem->error == -ENOENT ? HP_PEER_GONE : HP_PEER_CANNOT_TELL;
    }
    if (reply.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        reply.header.nlmsg_len < NLMSG_LENGTH(sizeof found))
        return HP_PEER_CANNOT_TELL;
    memcpy(&found, NLMSG_DATA(&reply.header), sizeof found);
    /* A socket that is closing has no owner any more and would be reported as root's. */
    if (found.idiag_state != TCP_ESTABLISHED || found.idiag_inode == 0)
        return HP_PEER_GONE;
    *ret_uid = found.idiag_uid;
    return HP_PEER_FOUND;
}

static gboolean
tuple_of(int fd, HpPeerTuple *ret_tuple)
{
    socklen_t peer_size = sizeof ret_tuple->peer;
    socklen_t own_size = sizeof ret_tuple->own;

    memset(ret_tuple, 0, sizeof *ret_tuple);
    return getpeername(fd, (struct sockaddr *)&ret_tuple->peer, &peer_size) == 0 &&
           getsockname(fd, (struct sockaddr *)&ret_tuple->own, &own_size) == 0;
}

static void
describe(const struct sockaddr_storage *peer, HpPeer *ret_peer)
{
    char text[INET6_ADDRSTRLEN] = "?";

    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)peer;

        inet_ntop(AF_INET, &in4->sin_addr, text, sizeof text);
        g_snprintf(ret_peer->address, sizeof ret_peer->address, "%s:%u", text,
                   ntohs(in4->sin_port));
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;

        inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
        g_snprintf(ret_peer->address, sizeof ret_peer->address, "[%s]:%u", text,
                   ntohs(in6->sin6_port));
    }
}

static gboolean
identify_unix(int fd, HpPeer *ret_peer, GError **error)
{
    struct ucred who;
    socklen_t size = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return deny(error, "the caller on the socket cannot be identified");
    *ret_peer =
        (HpPeer){ .local_socket = TRUE, .uid = who.uid, .pid = (guint32)MAX(who.pid, 0) };
    g_strlcpy(ret_peer->address, "socket", sizeof ret_peer->address);
    return TRUE;
}

gboolean
hp_peer_identify(int fd, HpPeer *ret_peer, GError **error)
{
    HpPeerTuple tuple;
    HpPeerAnswer answer;
    HpPeer peer = { 0 };

    if (!tuple_of(fd, &tuple))
        return deny(error, "the caller is gone");
    if (tuple.own.ss_family == AF_UNIX)
        return identify_unix(fd, ret_peer, error);
    answer = hp_peer_ask_netlink(&tuple, &peer.uid);
    if (answer == HP_PEER_CANNOT_TELL)
        answer = hp_peer_ask_proc(&tuple, &peer.uid);
    if (answer == HP_PEER_GONE)
        return deny(error, "the caller is gone");
    if (answer == HP_PEER_CANNOT_TELL)
        return deny(error, "the caller cannot be identified");
    describe(&tuple.peer, &peer);
    *ret_peer = peer;
    return TRUE;
}

/* A listening socket of our own on a port that the kernel chooses. */
static int
listen_anywhere(struct sockaddr_in *ret_address)
{
    hp_autofd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *ret_address;

    *ret_address = (struct sockaddr_in){ .sin_family = AF_INET,
                                         .sin_addr = { htonl(INADDR_LOOPBACK) } };
    if (fd < 0 || bind(fd, (struct sockaddr *)ret_address, size) != 0 ||
        listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)ret_address, &size) != 0)
        return -1;
    return g_steal_fd(&fd);
}

gboolean
hp_peer_is_supported(void)
{
    struct sockaddr_in address;
    hp_autofd listening = listen_anywhere(&address);
    hp_autofd caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    hp_autofd accepted = -1;
    HpPeer peer;

    if (listening < 0 || caller < 0 ||
        connect(caller, (struct sockaddr *)&address, sizeof address) != 0)
        return FALSE;
    accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    return accepted >= 0 && hp_peer_identify(accepted, &peer, NULL) &&
           peer.uid == geteuid();
}
