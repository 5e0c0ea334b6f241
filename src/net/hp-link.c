#include "hp-link.h"

#include "hp-fs.h"
#include "hp-handoff.h"
#include "hp-ip.h"
#include "hp-link-facts.h"
#include "hp-lock.h"
#include "hp-log.h"
#include "hp-routes.h"

#include <gio/gio.h>
#include <glib-unix.h>

#define QUIET_MS   250                      /* without news: a burst of them is over */
#define BURST_USEC (2 * G_TIME_SPAN_SECOND) /* the longest that is waited for its end */

struct _HpLink {
    const HpClock *clock;     /* (unowned) */
    HpLinkChanged changed;    /* main */
    gpointer data;            /* (unowned) (nullable) */
    GNetworkMonitor *monitor; /* (unowned): GIO's own */
    HpHandoff *bell;          /* (owned): wakes main to announce */
    int watch_fd;             /* netlink: links, addresses, routes; -1 for none */
    guint watch;              /* main: its source; 0 for none */
    guint settling;           /* main: source that ends a burst of news; 0 for none */
    gint64 burst_usec;        /* main: when it began; g_get_monotonic_time() */
    HpLinkState announced;    /* main */
    guint identity;           /* main: of the network we are in; 0: none */

    HpLock lock;
    HpLinkFacts facts;  /* guarded by lock */
    gboolean metered;   /* guarded by lock */
    gboolean has_moved; /* guarded by lock: to be announced */
};

/* Main: says what changed since it was said last. */
static void
announce(HpLink *self)
{
    HpLinkState state;
    gboolean moved;

    {
        HP_LOCKED(&self->lock);
        state = hp_link_facts_state(&self->facts);
        moved = self->has_moved;
        self->has_moved = FALSE;
    }
    if (state == self->announced && !moved)
        return;
    self->announced = state;
    hp_log("link", NULL, G_LOG_LEVEL_INFO, "the line is now: %s%s",
           hp_link_state_name(state), moved ? ", on another network" : "");
    if (self->changed != NULL)
        self->changed(state, moved, self->data);
}

static void
hear_bell(gpointer item, gpointer data)
{
    (void)item;
    announce(data);
}

/* Main: looks at the routes and at what GNetworkMonitor knows. */
static void
look(HpLink *self)
{
    gboolean portal = g_network_monitor_get_connectivity(self->monitor) ==
                      G_NETWORK_CONNECTIVITY_PORTAL;
    HpRoutes routes = { .out = FALSE };
    g_autoptr(GError) error = NULL;
    gboolean moved;

    if (!hp_routes_read(&routes, &error)) {
        hp_log("link", NULL, G_LOG_LEVEL_WARNING, "%s", error->message);
        routes.out = g_network_monitor_get_network_available(self->monitor);
        routes.identity = routes.out ? 1 : 0;
    }
    /* The way out is back, or is another one. */
    moved = routes.out && routes.identity != self->identity;
    self->identity = routes.out ? routes.identity : 0;

    HP_LOCKED(&self->lock);
    if (moved) {
        hp_link_facts_forget(&self->facts);
        self->has_moved = TRUE;
    }
    self->facts.routes = routes.out;
    self->facts.portal = portal;
    self->metered = g_network_monitor_get_network_metered(self->monitor);
}

static gboolean
end_burst(gpointer data)
{
    HpLink *self = data;

    self->settling = 0;
    look(self);
    announce(self);
    return G_SOURCE_REMOVE;
}

/* Main: a link that comes up brings its addresses and routes one after the other. Seen
 * half-way they would be one new network after the other, so they are looked at when it
 * is quiet again. */
static void
hear_news(HpLink *self)
{
    gint64 now = g_get_monotonic_time();

    if (self->settling == 0)
        self->burst_usec = now;
    else if (now - self->burst_usec >= BURST_USEC)
        return;
    else
        g_source_remove(self->settling);
    self->settling = g_timeout_add(QUIET_MS, end_burst, self);
}

static void
on_network_changed(GNetworkMonitor *monitor, gboolean available, gpointer data)
{
    (void)monitor;
    (void)available;
    hear_news(data);
}

/* NetworkManager's back end changes properties without emitting network-changed. */
static void
on_notify(GObject *monitor, GParamSpec *property, gpointer data)
{
    (void)monitor;
    (void)property;
    hear_news(data);
}

/* The kernel drops IPv4 routes without a word when their link goes down, so GIO's netlink
 * back end does not hear of it; the link's own message says it. */
static gboolean
on_routes(int fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    if (hp_routes_have_changed(fd))
        hear_news(data);
    return G_SOURCE_CONTINUE;
}

static void
watch_routes(HpLink *self)
{
    g_autoptr(GError) error = NULL;

    self->watch_fd = hp_routes_watch(&error);
    if (self->watch_fd < 0)
        hp_log("link", NULL, G_LOG_LEVEL_WARNING, "%s", error->message);
    else
        self->watch = g_unix_fd_add(self->watch_fd, G_IO_IN, on_routes, self);
}

HpLink *
hp_link_new(const HpClock *clock, HpLinkChanged changed, gpointer data, GError **error)
{
    static const char *const signals[] = { "notify::network-available",
                                           "notify::connectivity",
                                           "notify::network-metered" };
    g_autoptr(HpLink) self = g_new0(HpLink, 1);

    self->clock = clock;
    self->changed = changed;
    self->data = data;
    self->watch_fd = -1;
    hp_lock_init(&self->lock);
    self->bell = hp_handoff_new(NULL, error);
    if (self->bell == NULL)
        return NULL;
    hp_handoff_attach(self->bell, NULL, hear_bell, self);
    self->monitor = g_network_monitor_get_default();
    g_signal_connect(self->monitor, "network-changed", G_CALLBACK(on_network_changed),
                     self);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        g_signal_connect(self->monitor, signals[i], G_CALLBACK(on_notify), self);
    watch_routes(self);
    look(self);
    /* The state at the start is asked for, not announced. */
    self->has_moved = FALSE;
    self->announced = hp_link_facts_state(&self->facts);
    return g_steal_pointer(&self);
}

void
hp_link_free(HpLink *self)
{
    if (self == NULL)
        return;
    if (self->monitor != NULL)
        g_signal_handlers_disconnect_by_data(self->monitor, self);
    if (self->watch != 0)
        g_source_remove(self->watch);
    if (self->settling != 0)
        g_source_remove(self->settling);
    hp_close_fd(&self->watch_fd);
    g_clear_pointer(&self->bell, hp_handoff_free);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_link_allow_private(HpLink *self, gboolean allowed)
{
    {
        HP_LOCKED(&self->lock);
        self->facts.private_ok = allowed;
    }
    hp_handoff_give(self->bell, self);
}

HpLinkState
hp_link_state(HpLink *self)
{
    HP_LOCKED(&self->lock);
    return hp_link_facts_state(&self->facts);
}

gboolean
hp_link_is_metered(HpLink *self)
{
    HP_LOCKED(&self->lock);
    return self->metered;
}

void
hp_link_note(HpLink *self, HpLinkEvidence evidence, const char *destination)
{
    gint64 now_usec = hp_clock_now_usec(self->clock, HP_CLOCK_BOOT);
    HpLinkState before;
    HpLinkState after;

    {
        HP_LOCKED(&self->lock);
        before = hp_link_facts_state(&self->facts);
        hp_link_facts_note(&self->facts, evidence, destination, now_usec);
        after = hp_link_facts_state(&self->facts);
    }
    if (after != before)
        hp_handoff_give(self->bell, self);
}

gboolean
hp_link_has_route(const char *address)
{
    HpIp ip;

    if (!hp_ip_parse(address, &ip))
        return FALSE;
    return hp_ip_is_loopback(&ip) || hp_routes_reach(address);
}
