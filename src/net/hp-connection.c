#include "hp-listener-internal.h"

#include "hp-log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AUTHENTICATED_MAX   64   /* in all */
#define UNAUTHENTICATED_MAX 8    /* per service */
#define ACCEPT_AT_ONCE      16   /* per door, before the others get their turn */
#define PAUSE_MS            1000 /* while there are no descriptors to be had */
#define FULL_LOG_USEC       (60 * (gint64)G_USEC_PER_SEC)
#define SHUN_LOG_USEC       ((gint64)3600 * G_USEC_PER_SEC)
#define SHUNNED_MAX         64 /* uids remembered */

HpConnection *
hp_connection_new(HpChannel *channel, const HpPeer *peer, const HpService *service)
{
    HpConnection *self = g_new0(HpConnection, 1);
    g_autofree char *id = hp_id_new();

    self->channel = channel;
    self->peer = *peer;
    self->service = service;
    g_strlcpy(self->id, id, sizeof self->id);
    return self;
}

void
hp_connection_free(HpConnection *self)
{
    g_clear_pointer(&self->thread, hp_thread_join);
    g_clear_pointer(&self->channel, hp_channel_free);
    g_free(self->credential);
    g_free(self->program);
    g_free(self);
}

HpChannel *
hp_connection_channel(HpConnection *self)
{
    return self->channel;
}

const HpPeer *
hp_connection_peer(const HpConnection *self)
{
    return &self->peer;
}

const HpService *
hp_connection_service(const HpConnection *self)
{
    return self->service;
}

const char *
hp_connection_id(const HpConnection *self)
{
    return self->id;
}

/* Under the listener's lock, or without one. */
static gboolean
log_in(HpConnection *self, guint *authenticated, const char *credential)
{
    if (self->credential == NULL) {
        if (*authenticated >= AUTHENTICATED_MAX)
            return FALSE;
        (*authenticated)++;
    }
    g_free(self->credential);
    self->credential = g_strdup(credential);
    return TRUE;
}

gboolean
hp_connection_login(HpConnection *self, const char *credential)
{
    HpListener *listener = self->listener;
    guint alone = 0;

    if (listener == NULL)
        return log_in(self, &alone, credential);
    HP_LOCKED(&listener->lock);
    return log_in(self, &listener->authenticated, credential);
}

/* Under the listener's lock, or without one. */
static void
set_program(HpConnection *self, const char *program)
{
    g_free(self->program);
    self->program = g_strdup(program);
}

void
hp_connection_introduce(HpConnection *self, const char *program)
{
    HpListener *listener = self->listener;

    if (listener == NULL) {
        set_program(self, program);
        return;
    }
    HP_LOCKED(&listener->lock);
    set_program(self, program);
}

const char *
hp_connection_program(const HpConnection *self)
{
    return self->program;
}

/* No longer to be seen, and so no longer to be aborted by others. */
static void
leave(HpConnection *self)
{
    HpListener *listener = self->listener;

    HP_LOCKED(&listener->lock);
    g_ptr_array_remove(listener->open, self);
    if (self->credential != NULL)
        listener->authenticated--;
}

static void
finish(HpConnection *self)
{
    HpListener *listener = self->listener;

    HP_LOCKED(&listener->lock);
    listener->running--;
    g_ptr_array_add(listener->finished, self);
    hp_cond_signal(&listener->ended);
    /* Under the lock: once it is free, the listener may be gone, were it not for the join
     * of this thread, which needs the ring to happen only while the waker lives. */
    hp_waker_ring(listener->waker);
}

static void
run_connection(gpointer connection)
{
    HpConnection *self = connection;

    self->service->serve(self, self->service->data);
    leave(self);
    g_clear_pointer(&self->channel, hp_channel_free);
    finish(self);
}

void
hp_listener_reap(HpListener *self)
{
    g_autoptr(GPtrArray) finished = g_ptr_array_new();

    {
        HP_LOCKED(&self->lock);
        g_ptr_array_extend_and_steal(finished, self->finished);
        self->finished = g_ptr_array_new();
    }
    for (guint i = 0; i < finished->len; i++)
        hp_connection_free(g_ptr_array_index(finished, i));
}

/* Under the lock: tells the oldest session before login to go when there are too many, so
 * that idle sockets never lock the user out. */
static void
make_room(HpListener *self, const HpService *service)
{
    HpConnection *oldest = NULL;
    guint n = 0;

    for (guint i = 0; i < self->open->len; i++) {
        HpConnection *other = g_ptr_array_index(self->open, i);

        if (other->credential != NULL || other->evicted ||
            !g_str_equal(other->service->name, service->name))
            continue;
        n++;
        if (oldest == NULL)
            oldest = other;
    }
    if (n < UNAUTHENTICATED_MAX || oldest == NULL)
        return;
    oldest->evicted = TRUE;
    hp_channel_abort(oldest->channel);
}

/* Under the lock: sessions that were told to go but have not gone yet count, so that a
 * flood of them cannot make threads without end. */
static gboolean
has_room(const HpListener *self)
{
    return self->authenticated < AUTHENTICATED_MAX &&
           self->running < AUTHENTICATED_MAX + 16 * UNAUTHENTICATED_MAX;
}

static gboolean
enter(HpListener *self, HpConnection *connection)
{
    HP_LOCKED(&self->lock);
    if (self->stopping || !has_room(self))
        return FALSE;
    make_room(self, connection->service);
    /* The thread takes this lock before it ends, so it cannot be joined before the field
     * is set. */
    connection->thread =
        hp_thread_start(connection->service->name, run_connection, connection, NULL);
    if (connection->thread == NULL)
        return FALSE;
    g_ptr_array_add(self->open, connection);
    self->running++;
    return TRUE;
}

/* In the protocol's words where that needs no handshake first; sent without waiting. */
static void
turn_away(HpConnection *connection)
{
    const HpService *service = connection->service;

    if (service->refuse != NULL && !service->implicit_tls)
        service->refuse(connection->channel, service->data);
    hp_log("net", connection->id, G_LOG_LEVEL_MESSAGE,
           "no room for another connection to %s", service->name);
    hp_connection_free(connection);
}

static gboolean
is_welcome(const HpListener *self, const HpPeer *peer)
{
    if (peer->uid == (guint32)geteuid())
        return TRUE;
    for (guint i = 0; !peer->local_socket && i < self->uids->len; i++)
        if (g_array_index(self->uids, guint, i) == peer->uid)
            return TRUE;
    return FALSE;
}

/* One line an hour for each user: enough to notice, too little to fill the journal. */
static void
log_stranger(HpListener *self, const HpDoor *door, guint32 uid)
{
    gint64 key = uid;
    gint64 *last = g_hash_table_lookup(self->shunned, &key);
    gint64 now = g_get_monotonic_time();

    if (last != NULL && now - *last < SHUN_LOG_USEC)
        return;
    if (last == NULL && g_hash_table_size(self->shunned) >= SHUNNED_MAX)
        return;
    g_hash_table_replace(self->shunned, g_memdup2(&key, sizeof key),
                         g_memdup2(&now, sizeof now));
    hp_log("net", NULL, G_LOG_LEVEL_WARNING,
           "the user number %u of this computer tried to connect to %s and was turned "
           "away",
           uid, door->service_name);
}

/* Not one byte is sent before it is clear who is calling. */
static void
receive(HpListener *self, const HpDoor *door, int fd)
{
    HpConnection *connection;
    HpPeer peer;

    if (!hp_peer_identify(fd, &peer, NULL)) {
        close(fd);
        return;
    }
    if (!is_welcome(self, &peer)) {
        log_stranger(self, door, peer.uid);
        close(fd);
        return;
    }
    connection = hp_connection_new(hp_channel_new(fd), &peer, &door->service);
    connection->listener = self;
    if (!enter(self, connection))
        turn_away(connection);
}

static void
log_full(HpListener *self, int number)
{
    gint64 now = g_get_monotonic_time();

    if (self->full_logged_usec != 0 && now - self->full_logged_usec < FULL_LOG_USEC)
        return;
    self->full_logged_usec = now;
    hp_log("net", NULL, G_LOG_LEVEL_WARNING, "no connection can be accepted now: %s",
           g_strerror(number));
}

/* Returns %FALSE if the system has no descriptor or memory to give: waiting helps, trying
 * again at once does not. */
static gboolean
accept_some(HpListener *self, const HpDoor *door)
{
    for (guint i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0)
            receive(self, door, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                 errno == ENOMEM) {
            log_full(self, errno);
            return FALSE;
        } else if (errno == EAGAIN)
            return TRUE;
        /* Anything else (ECONNABORTED, EINTR, …) is about that one connection. */
    }
    return TRUE;
}

static gboolean
is_stopping(HpListener *self)
{
    HP_LOCKED(&self->lock);
    return self->stopping;
}

/* One round: everything whose door is knocked at. Returns %FALSE if there was a lack of
 * descriptors. */
static gboolean
answer_doors(HpListener *self, const struct pollfd *fds)
{
    gboolean fine = TRUE;

    for (guint i = 0; i < self->doors->len; i++)
        if (fds[i].revents != 0 && !accept_some(self, g_ptr_array_index(self->doors, i)))
            fine = FALSE;
    return fine;
}

/* The bell first, then the doors. */
static struct pollfd *
list_descriptors(const HpListener *self)
{
    struct pollfd *fds = g_new0(struct pollfd, self->doors->len + 1);

    fds[0] = (struct pollfd){ hp_waker_fd(self->waker), POLLIN, 0 };
    for (guint i = 0; i < self->doors->len; i++) {
        const HpDoor *door = g_ptr_array_index(self->doors, i);

        fds[i + 1] = (struct pollfd){ door->fd, POLLIN, 0 };
    }
    return fds;
}

void
hp_listener_run(gpointer listener)
{
    HpListener *self = listener;
    struct pollfd *fds = list_descriptors(self);
    gboolean pause = FALSE;

    while (!is_stopping(self)) {
        /* While it pauses, only the end of a session or a second's time wakes it. */
        nfds_t n = pause ? 1 : self->doors->len + 1;
        int ready = poll(fds, n, pause ? PAUSE_MS : -1);

        hp_waker_clear(self->waker);
        hp_listener_reap(self);
        pause = !pause && ready > 0 && !answer_doors(self, fds + 1);
    }
    g_free(fds);
}
