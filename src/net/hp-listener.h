/* hp-listener: accepts connections on loopback and sockets, each on a thread of its own.
 *
 * Caps: 64 authenticated sessions in all; 8 unauthenticated per service, then the oldest
 * of them is closed. EMFILE pauses accepting instead of spinning. Before the first byte
 * the caller's uid is checked (hp-peer).
 *
 * Threads: made, started and stopped by main; serve runs on a connection thread.
 */
#pragma once

#include "hp-channel.h"
#include "hp-peer.h"

typedef struct _HpListener HpListener;
typedef struct _HpConnection HpConnection;

typedef struct {
    const char *name;      /* (unowned): service for caps and logs: "smtp", "pop3" */
    gboolean implicit_tls; /* the session starts TLS first */
    gboolean full_reply;   /* unused by the listener; passed on */
    /* Serves one connection to its end, on its own thread. */
    void (*serve)(HpConnection *connection, gpointer data);
    /* Says in the protocol's words that there is no room (421, -ERR, BYE), nullable. */
    void (*refuse)(HpChannel *channel, gpointer data);
    gpointer data; /* (unowned) (nullable) */
} HpService;

/* @allowed_uids: further uids than our own that may connect to the ports. @error:
 * #G_IO_ERROR; also when callers cannot be identified here, for then no port may open. */
HpListener *hp_listener_new(const guint *allowed_uids, guint n_allowed, GError **error);

/* Takes over the listening sockets that the service manager opened for us (LISTEN_PID,
 * LISTEN_FDS, sd_listen_fds(3)); the two add functions below then use the one with their
 * address instead of opening it. Once, before the first of them and before other threads,
 * since it takes the variables out of the environment. Returns how many. */
guint hp_listener_adopt_fds(HpListener *self);

/**
 * hp_listener_add_port:
 * @service: copied
 * @port: on 127.0.0.1 and on ::1 (the latter only if the system has IPv6); 0 for a free
 *    one, the same for both
 * @error: #G_IO_ERROR; %G_IO_ERROR_ADDRESS_IN_USE names the program that has the port
 *    when it can be found out
 */
gboolean hp_listener_add_port(HpListener *self, const HpService *service, guint16 port,
                              GError **error);

/* A Unix socket @path (0600, replaces a stale one); the peer's uid must be ours. */
gboolean hp_listener_add_socket(HpListener *self, const HpService *service,
                                const char *path, GError **error);

/* The port that the service of that name and kind got first, 0 if none. */
guint16 hp_listener_port(const HpListener *self, const char *service,
                         gboolean implicit_tls);

/* Begins to accept. Adopted sockets that nothing uses are closed. */
gboolean hp_listener_start(HpListener *self, GError **error);

/* Stops accepting, aborts all sessions and waits for their threads, at most 8 s.
 * Returns: %FALSE if a session has not come to its end: what it uses may not be freed */
gboolean hp_listener_stop(HpListener *self);

/* Stops it if that was not done, and waits for its sessions without end. */
void hp_listener_free(HpListener *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpListener, hp_listener_free)

/* @credential: (nullable): the name that it logged in with, "" by a socket; good during
 * the call */
typedef void (*HpListenerEach)(HpConnection *connection, const char *credential,
                               gpointer data);

/* Calls @each for every open connection, under the listener's lock: it must neither block
 * nor call the listener. */
void hp_listener_foreach(HpListener *self, HpListenerEach each, gpointer data);

/* A connection without a listener, for tests and fuzzing: no caps, the caller serves it.
 * @channel: (transfer full), @service: (unowned). */
HpConnection *hp_connection_new(HpChannel *channel, const HpPeer *peer,
                                const HpService *service);
void hp_connection_free(HpConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpConnection, hp_connection_free)

HpChannel *hp_connection_channel(HpConnection *self);
const HpPeer *hp_connection_peer(const HpConnection *self);
const HpService *hp_connection_service(const HpConnection *self);
const char *hp_connection_id(const HpConnection *self); /* 6 characters, for logs */

/**
 * hp_connection_login:
 * @credential: name of the password that was used ("thunderbird"), or "" for a socket
 *
 * Counts the connection among the authenticated ones.
 *
 * Returns: %FALSE if there are 64 already: say so and close
 */
gboolean hp_connection_login(HpConnection *self, const char *credential);

/* @program: what the client says it is ("Thunderbird 140.0"), printable. */
void hp_connection_introduce(HpConnection *self, const char *program);

/* The same, (nullable); to be called by an #HpListenerEach only. */
const char *hp_connection_program(const HpConnection *self);

/* Aborts every session that logged in with @credential (a password was revoked). */
void hp_listener_abort_credential(HpListener *self, const char *credential);
