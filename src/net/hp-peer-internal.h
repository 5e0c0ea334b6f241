/* hp-peer-internal: the two ways to learn who owns the socket at the other end.
 *
 * Threads: any.
 */
#pragma once

#include "hp-peer.h"

#include <sys/socket.h>

/* A connection, as our end has it. */
typedef struct {
    struct sockaddr_storage peer;
    struct sockaddr_storage own;
} HpPeerTuple;

typedef enum {
    HP_PEER_FOUND,
    HP_PEER_GONE,        /* closed, or closing: nobody's any more */
    HP_PEER_CANNOT_TELL, /* this way does not work here */
} HpPeerAnswer;

/* NETLINK_SOCK_DIAG: one question, one answer. */
HpPeerAnswer hp_peer_ask_netlink(const HpPeerTuple *tuple, guint32 *ret_uid);

/* Slower: reads /proc/net/tcp and tcp6. */
HpPeerAnswer hp_peer_ask_proc(const HpPeerTuple *tuple, guint32 *ret_uid);
