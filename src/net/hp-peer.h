/* hp-peer: which user of this computer is calling.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean local_socket; /* a Unix socket */
    guint32 uid;
    guint32 pid;      /* 0 if unknown (TCP) */
    char address[64]; /* "127.0.0.1:41234", "[::1]:41234" or "socket" */
} HpPeer;

/**
 * hp_peer_identify:
 * @fd: an accepted TCP or Unix socket
 * @ret_peer: (out): who it is
 * @error: #G_IO_ERROR_PERMISSION_DENIED if the caller is gone or cannot be identified
 *
 * For TCP the kernel is asked for the socket at the other end by its exact 4-tuple
 * (NETLINK_SOCK_DIAG; else /proc/net/tcp and tcp6); only an established one with an inode
 * counts. For a Unix socket SO_PEERCRED.
 */
gboolean hp_peer_identify(int fd, HpPeer *ret_peer, GError **error);

/* %FALSE if neither way works here: then no port may be opened. */
gboolean hp_peer_is_supported(void);

/* Name of the other program that listens on loopback @port, if /proc lets us see it. */
char *hp_peer_find_listener(guint16 port) G_GNUC_WARN_UNUSED_RESULT;
