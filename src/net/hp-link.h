/* hp-link: are we online, and is it the real internet?
 *
 * A verdict from evidence only: routes, the resolver's answers, greetings of mail
 * servers, and what GNetworkMonitor knows of a portal. Nobody else is asked.
 *
 * Threads: hp_link_new/free and the callback on main; notes and reads from any thread.
 */
#pragma once

#include "hp-clock.h"
#include "hp-link-state.h"

typedef enum {
    HP_LINK_SAW_GREETING,     /* a mail server said 220: the line is good */
    HP_LINK_SAW_FOREIGN,      /* something that is no mail server answered on port 25 */
    HP_LINK_SAW_CONNECT_FAIL, /* TCP to port 25 timed out, was refused or unreachable */
    HP_LINK_SAW_DNS,          /* the resolver gave a positive answer */
    HP_LINK_SAW_NO_DNS,       /* no name server answers */
    HP_LINK_SAW_DNS_LIE,      /* a name that cannot exist exists, or every host is one */
    HP_LINK_SAW_PORTAL, /* no mail server, at an address that such a name has, too */
} HpLinkEvidence;

typedef struct _HpLink HpLink;

/* Called on main when the state changed, or the network became another one (@moved): once
 * for a burst of news from the kernel, as soon as it is quiet for a quarter of a second
 * (or after two seconds). */
typedef void (*HpLinkChanged)(HpLinkState state, gboolean moved, gpointer data);

HpLink *hp_link_new(const HpClock *clock, HpLinkChanged changed, gpointer data,
                    GError **error);
void hp_link_free(HpLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpLink, hp_link_free)

/**
 * hp_link_allow_private:
 * @allowed: the setting `[delivery] allow-private`
 *
 * Mail may then stay on this computer and its own network, so that a missing way out is
 * not "offline": each destination is judged by hp_link_has_route() alone. %FALSE at
 * first.
 */
void hp_link_allow_private(HpLink *self, gboolean allowed);

/* Offline: no route leads further than the networks that this computer is attached to.
 * The other states stay until a greeting, a DNS answer (for no-DNS) or another network
 * speaks against them; so somebody has to probe now and then. */
HpLinkState hp_link_state(HpLink *self);
gboolean hp_link_is_metered(HpLink *self);

/**
 * hp_link_note:
 * @destination: what it is about: "mx.example.org", "mx.example.org [192.0.2.1]" or
 *    "[192.0.2.1]"; the domain for DNS
 *
 * Adds evidence. Failures count as no-25, and foreign banners and lies as captive, only
 * when two unrelated destinations (another domain at another address) show them within a
 * minute; where mail servers have greeted, it takes a third, or one that has greeted, for
 * no-25. A portal that answers in the name of everybody is captive at once. Any greeting
 * means ok.
 */
void hp_link_note(HpLink *self, HpLinkEvidence evidence, const char *destination);

/* Is there a route of the kernel to @address (numeric)? Loopback always. */
gboolean hp_link_has_route(const char *address);
