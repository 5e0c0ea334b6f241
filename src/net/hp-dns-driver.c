#include "hp-dns-driver.h"

#include "hp-endpoint.h"
#include "hp-lock.h"
#include "hp-log.h"
#include "hp-thread.h"
#include "hp-waker.h"

#include <ares.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define RESOLV_CONF      "/etc/resolv.conf"
#define DNS_PORT         53
#define TRIES            3    /* a server; each waits twice as long as the one before */
#define FIRST_TIMEOUT_MS 2500 /* 17.5 s in all with one server */
#define EDNS_OCTETS      1232 /* fits every path without fragments; DNS flag day 2020 */
#define MAX_SERVERS      8    /* ares_getsock() knows 16 sockets: UDP and TCP of each */
#define FLAGS_AD         0x20 /* in the fourth octet of the header */
#define CLASS_IN         1

/* One question in flight. The asker and the thread hold it; the lock guards the result
 * and the count. */
typedef struct {
    HpDnsDriver *driver; /* (unowned) */
    char *name;          /* (owned) */
    int type;
    gboolean edns;
    gint id;
    guint refs;
    gboolean done;
    HpDnsRaw result;
    GByteArray *packet; /* (owned) (nullable) */
} Question;

/* What tells one resolv.conf from the next. */
typedef struct {
    gboolean exists;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
} FileStamp;

struct _HpDnsDriver {
    HpLock lock;
    HpCond answered;
    GPtrArray *incoming; /* (owned): Question; guarded by lock */
    FileStamp stamp;     /* guarded by lock */
    gboolean reset;      /* guarded by lock */
    gboolean aborted;    /* guarded by lock */
    gboolean stopping;   /* guarded by lock */
    gboolean local;      /* guarded by lock */
    HpWaker *waker;      /* (owned) */
    HpThread *thread;    /* (owned) (nullable) */

    /* Constant once made. */
    struct ares_addr_port_node *servers; /* (owned) (nullable): an array, linked */
    char *resolv_conf;                   /* (owned) */
    guint16 port;
    int timeout_ms;

    /* The thread's alone. */
    ares_channel channel;
    gboolean remaking;
    GPtrArray *again; /* (owned): Question: to be started on the next channel */
    GHashTable *ids;  /* (owned): ids in flight, in their questions */
    guint in_flight;
};

/* Drops one reference; the lock is held. */
static void
question_unref(Question *q)
{
    if (--q->refs > 0)
        return;
    g_clear_pointer(&q->packet, g_byte_array_unref);
    g_free(q->name);
    g_free(q);
}

/* The thread is done with it: hands the result to the asker, if there is one still. */
static void
finish(Question *q, HpDnsRaw result)
{
    HpDnsDriver *self = q->driver;
    HP_LOCKED(&self->lock);

    q->result = result;
    q->done = TRUE;
    hp_cond_broadcast(&self->answered);
    question_unref(q);
}

static HpDnsRaw
result_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return HP_DNS_RAW_ANSWER;
    case ARES_ETIMEOUT:
        return HP_DNS_RAW_TIMEOUT;
    case ARES_ECONNREFUSED:
        return HP_DNS_RAW_UNREACHABLE;
    case ARES_ENOTFOUND:
        return HP_DNS_RAW_IMPOSSIBLE;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return HP_DNS_RAW_ABORTED;
    default:
        return HP_DNS_RAW_UNUSABLE;
    }
}

/* c-ares calls this on the thread, with no lock held. */
static void
on_answer(void *data, int status, int timeouts, unsigned char *packet, int len)
{
    Question *q = data;
    HpDnsDriver *self = q->driver;

    (void)timeouts;
    self->in_flight--;
    g_hash_table_remove(self->ids, &q->id);
    if (status == ARES_EDESTRUCTION && self->remaking) {
        g_ptr_array_add(self->again, q);
        return;
    }
    if (status == ARES_SUCCESS && packet != NULL && len > 0) {
        q->packet = g_byte_array_sized_new((guint)len);
        g_byte_array_append(q->packet, packet, (guint)len);
    } else if (status == ARES_SUCCESS) {
        status = ARES_EBADRESP;
    }
    finish(q, result_of(status));
}

/* An id that nobody can guess and that no other question in flight has. */
static gint
choose_id(HpDnsDriver *self)
{
    guint16 random;
    gint id;

    do {
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            random = (guint16)g_random_int_range(0, 65536);
        id = random;
    } while (g_hash_table_contains(self->ids, &id));
    return id;
}

static void
start(HpDnsDriver *self, Question *q)
{
    unsigned char *packet = NULL;
    int len = 0;
    int status;

    if (self->channel == NULL) {
        finish(q, HP_DNS_RAW_UNREACHABLE);
        return;
    }
    q->id = choose_id(self);
    status =
        ares_create_query(q->name[0] != '\0' ? q->name : ".", CLASS_IN, q->type,
                          (guint16)q->id, 1, &packet, &len, q->edns ? EDNS_OCTETS : 0);
    if (status != ARES_SUCCESS) {
        finish(q, result_of(status));
        return;
    }
    packet[3] |= FLAGS_AD;
    g_hash_table_add(self->ids, &q->id);
    self->in_flight++;
    /* The answer may come before this returns, if nothing can be sent at all. */
    ares_send(self->channel, packet, len, on_answer, q);
    ares_free_string(packet);
}

static FileStamp
stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return (FileStamp){ .exists = FALSE };
    return (FileStamp){ TRUE, st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static gboolean
stamp_equal(const FileStamp *a, const FileStamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

/* The lock is held. */
static void
notice_new_file(HpDnsDriver *self, const FileStamp *now)
{
    if (self->servers != NULL || stamp_equal(now, &self->stamp))
        return;
    self->stamp = *now;
    self->reset = TRUE;
}

/* Nothing came for a while: are these still the servers to be asked? %TRUE if the channel
 * must be remade. */
static gboolean
has_new_servers(HpDnsDriver *self)
{
    FileStamp now;

    if (self->servers != NULL)
        return FALSE;
    now = stamp_of(self->resolv_conf);

    HP_LOCKED(&self->lock);
    notice_new_file(self, &now);
    return self->reset;
}

static gboolean
is_loopback(const struct ares_addr_port_node *server)
{
    if (server->family == AF_INET)
        return (ntohl(server->addr.addr4.s_addr) >> 24) == 127;
    return memcmp(&server->addr.addr6, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

/* Cuts the list to what ares_getsock() can tell us about, and says if all are local. */
static void
look_at_servers(HpDnsDriver *self)
{
    struct ares_addr_port_node *servers = NULL;
    gboolean local = TRUE;
    guint n = 0;

    if (ares_get_servers_ports(self->channel, &servers) != ARES_SUCCESS)
        return;
    for (struct ares_addr_port_node *at = servers; at != NULL; at = at->next) {
        local = local && is_loopback(at);
        if (++n < MAX_SERVERS || at->next == NULL)
            continue;
        struct ares_addr_port_node *rest = at->next;

        at->next = NULL;
        ares_set_servers_ports(self->channel, servers);
        at->next = rest;
        break;
    }
    if (servers != NULL)
        ares_free_data(servers);

    HP_LOCKED(&self->lock);
    self->local = local && n > 0;
}

static void
make_channel(HpDnsDriver *self)
{
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS,
        .timeout = self->timeout_ms,
        .tries = TRIES,
        .udp_port = self->port,
        .tcp_port = self->port,
        .ednspsz = EDNS_OCTETS,
        .resolvconf_path = self->resolv_conf,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_UDP_PORT |
               ARES_OPT_TCP_PORT | ARES_OPT_EDNSPSZ | ARES_OPT_RESOLVCONF |
               ARES_OPT_NOROTATE;
    int status = ares_init_options(&self->channel, &options, mask);

    if (status == ARES_SUCCESS && self->servers != NULL)
        status = ares_set_servers_ports(self->channel, self->servers);
    if (status != ARES_SUCCESS) {
        hp_log("dns", NULL, G_LOG_LEVEL_WARNING, "could not set up the resolver: %s",
               ares_strerror(status));
        g_clear_pointer(&self->channel, ares_destroy);
        return;
    }
    look_at_servers(self);
}

/* Replaces the channel; what was in flight starts again on the new one. */
static void
remake_channel(HpDnsDriver *self)
{
    g_autoptr(GPtrArray) again = NULL;

    self->remaking = TRUE;
    g_clear_pointer(&self->channel, ares_destroy);
    self->remaking = FALSE;
    make_channel(self);
    again = g_steal_pointer(&self->again);
    self->again = g_ptr_array_new();
    for (guint i = 0; i < again->len; i++)
        start(self, g_ptr_array_index(again, i));
}

/* Takes the orders of other threads. Returns %FALSE when the thread shall end. */
static gboolean
take_orders(HpDnsDriver *self)
{
    g_autoptr(GPtrArray) incoming = NULL;
    gboolean reset;
    gboolean stopping;

    {
        HP_LOCKED(&self->lock);
        incoming = g_steal_pointer(&self->incoming);
        self->incoming = g_ptr_array_new();
        reset = self->reset;
        self->reset = FALSE;
        stopping = self->stopping;
    }
    if (reset && !stopping)
        remake_channel(self);
    for (guint i = 0; i < incoming->len; i++)
        start(self, g_ptr_array_index(incoming, i));
    return !stopping;
}

/* Fills @polled from c-ares; returns how many descriptors that are. */
static nfds_t
list_sockets(HpDnsDriver *self, struct pollfd *polled)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    nfds_t n = 0;
    guint bits;

    if (self->channel == NULL || self->in_flight == 0)
        return 0;
    bits = (guint)ares_getsock(self->channel, sockets, ARES_GETSOCK_MAXNUM);
    for (guint i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = 0;

        if ((bits & (1u << i)) != 0)
            events |= POLLIN;
        if ((bits & (1u << (i + ARES_GETSOCK_MAXNUM))) != 0)
            events |= POLLOUT;
        if (events == 0)
            break;
        polled[n++] = (struct pollfd){ .fd = sockets[i], .events = events };
    }
    return n;
}

/* For poll(): -1, for ever, while nothing is asked. */
static int
wait_ms(HpDnsDriver *self)
{
    struct timeval left = { 0 };

    if (self->channel == NULL || self->in_flight == 0 ||
        ares_timeout(self->channel, NULL, &left) == NULL)
        return -1;
    return (int)MIN(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000, 60000);
}

static void
process(HpDnsDriver *self, const struct pollfd *polled, nfds_t n)
{
    for (nfds_t i = 0; i < n; i++) {
        short got = polled[i].revents;
        gboolean in = (got & (POLLIN | POLLERR | POLLHUP)) != 0;
        gboolean out = (got & POLLOUT) != 0;

        if (in || out)
            ares_process_fd(self->channel, in ? polled[i].fd : ARES_SOCKET_BAD,
                            out ? polled[i].fd : ARES_SOCKET_BAD);
    }
    /* Time-outs also pass while other sockets are busy. */
    ares_process_fd(self->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void
drive(gpointer data)
{
    HpDnsDriver *self = data;
    struct pollfd polled[1 + ARES_GETSOCK_MAXNUM];

    make_channel(self);
    while (take_orders(self)) {
        nfds_t n = list_sockets(self, polled + 1);
        int ready;

        polled[0] = (struct pollfd){ .fd = hp_waker_fd(self->waker), .events = POLLIN };
        ready = poll(polled, n + 1, wait_ms(self));
        if (ready < 0) {
            if (errno != EINTR)
                hp_log("dns", NULL, G_LOG_LEVEL_CRITICAL, "could not wait: %s",
                       g_strerror(errno));
            continue;
        }
        if (polled[0].revents != 0)
            hp_waker_clear(self->waker);
        if (ready == 0 && has_new_servers(self))
            continue;
        if (self->channel != NULL && self->in_flight > 0)
            process(self, polled + 1, n);
    }
    g_clear_pointer(&self->channel, ares_destroy);
}

static gboolean
parse_server(HpSlice text, guint16 default_port, struct ares_addr_port_node *ret_server)
{
    HpEndpoint endpoint;

    if (!hp_endpoint_parse(text, default_port, &endpoint))
        return FALSE;
    *ret_server = (struct ares_addr_port_node){ .family = endpoint.family,
                                                .udp_port = endpoint.port,
                                                .tcp_port = endpoint.port };
    if (endpoint.family == AF_INET)
        ret_server->addr.addr4 = endpoint.ip.four;
    else
        memcpy(&ret_server->addr.addr6, &endpoint.ip.six, sizeof endpoint.ip.six);
    return TRUE;
}

/* Commas, spaces or semicolons between them, as people write lists. */
static gboolean
parse_servers(HpDnsDriver *self, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(text != NULL ? text : "", ",; \t", -1);
    guint n = 0;

    self->servers = g_new0(struct ares_addr_port_node, MAX_SERVERS);
    for (guint i = 0; words[i] != NULL && n < MAX_SERVERS; i++) {
        if (words[i][0] == '\0')
            continue;
        if (!parse_server(hp_slice_of(words[i]), self->port, &self->servers[n])) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        _("\"%s\" is not the numeric address of a name server"),
                        words[i]);
            return FALSE;
        }
        if (n > 0)
            self->servers[n - 1].next = &self->servers[n];
        n++;
    }
    if (n == 0)
        g_clear_pointer(&self->servers, g_free);
    return TRUE;
}

HpDnsDriver *
hp_dns_driver_new(const HpDnsDriverOptions *options, GError **error)
{
    g_autoptr(HpDnsDriver) self = g_new0(HpDnsDriver, 1);

    hp_lock_init(&self->lock);
    hp_cond_init(&self->answered);
    self->incoming = g_ptr_array_new();
    self->again = g_ptr_array_new();
    self->ids = g_hash_table_new(g_int_hash, g_int_equal);
    self->port = options->port != 0 ? options->port : DNS_PORT;
    self->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : FIRST_TIMEOUT_MS;
    self->resolv_conf =
        g_strdup(options->resolv_conf != NULL ? options->resolv_conf : RESOLV_CONF);
    self->stamp = stamp_of(self->resolv_conf);
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "could not initialise the resolver");
        return NULL;
    }
    if (!parse_servers(self, options->servers, error))
        return NULL;
    self->waker = hp_waker_new(error);
    if (self->waker == NULL)
        return NULL;
    self->thread = hp_thread_start("resolver", drive, self, error);
    return self->thread != NULL ? g_steal_pointer(&self) : NULL;
}

void
hp_dns_driver_free(HpDnsDriver *self)
{
    if (self == NULL)
        return;
    hp_dns_driver_abort(self);
    {
        HP_LOCKED(&self->lock);
        self->stopping = TRUE;
    }
    if (self->thread != NULL) {
        hp_waker_ring(self->waker);
        hp_thread_join(self->thread);
    }
    g_clear_pointer(&self->waker, hp_waker_free);
    g_ptr_array_unref(self->incoming);
    g_ptr_array_unref(self->again);
    g_hash_table_unref(self->ids);
    g_free(self->servers);
    g_free(self->resolv_conf);
    hp_cond_clear(&self->answered);
    hp_lock_clear(&self->lock);
    ares_library_cleanup();
    g_free(self);
}

HpDnsRaw
hp_dns_driver_ask(HpDnsDriver *self, const HpDnsQuestion *question,
                  GByteArray **ret_packet)
{
    FileStamp now = self->servers == NULL ? stamp_of(self->resolv_conf) : self->stamp;
    HpDnsRaw result = HP_DNS_RAW_TIMEOUT;
    Question *q = g_new0(Question, 1);

    q->driver = self;
    q->name = g_strdup(question->name);
    q->type = (int)question->type;
    q->edns = question->edns;
    q->refs = 2;

    HP_LOCKED(&self->lock);
    if (self->aborted) {
        question_unref(q);
        question_unref(q);
        return HP_DNS_RAW_ABORTED;
    }
    notice_new_file(self, &now);
    g_ptr_array_add(self->incoming, q);
    hp_waker_ring(self->waker);
    while (!q->done && !self->aborted) {
        if (!hp_cond_wait_until(&self->answered, &self->lock, question->deadline_usec))
            break;
    }
    if (q->done)
        result = q->result;
    else if (self->aborted)
        result = HP_DNS_RAW_ABORTED;
    if (result == HP_DNS_RAW_ANSWER)
        *ret_packet = g_steal_pointer(&q->packet);
    question_unref(q);
    return result;
}

void
hp_dns_driver_reset(HpDnsDriver *self)
{
    HP_LOCKED(&self->lock);
    self->reset = TRUE;
    hp_waker_ring(self->waker);
}

void
hp_dns_driver_abort(HpDnsDriver *self)
{
    HP_LOCKED(&self->lock);
    self->aborted = TRUE;
    hp_cond_broadcast(&self->answered);
}

gboolean
hp_dns_driver_is_local(HpDnsDriver *self)
{
    HP_LOCKED(&self->lock);
    return self->local;
}
