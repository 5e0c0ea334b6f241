/* hp-mx: which servers take mail for a domain, and in which order they are tried (RFC
 * 5321 §5.1, 7505).
 *
 * Threads: any; every call asks the resolver and blocks, for 30 s at most.
 */
#pragma once

#include "hp-link.h"
#include "hp-resolver.h"
#include "hp-transport.h"

#define HP_MX_TARGETS 5 /* addresses that are tried at most */

typedef enum {
    HP_MX_IPV6_AUTO, /* where a route leads there */
    HP_MX_IPV6_NO,
    HP_MX_IPV6_YES, /* before IPv4 */
} HpMxIpv6;

typedef struct {
    HpResolver *resolver; /* (unowned) */
    const char *hostname; /* (unowned): our own name: an MX of that name is ourselves */
    const char *const *own_addresses; /* (unowned) (nullable): numeric; %NULL asks the
                                         system, loopback left out */
    gboolean allow_private;
    HpMxIpv6 ipv6;
    guint32 seed; /* for shuffling; 0 takes a random one */
} HpMxOptions;

typedef struct {
    char *host;    /* (owned): for TLS and for people */
    char *address; /* (owned): numeric */
    gboolean ipv6;
    guint preference;
} HpMxTarget;

typedef struct {
    HpOutcome outcome;       /* UNTRIED: there are targets; else what that means for every
                                recipient */
    HpReply reply;           /* our own words, unless UNTRIED */
    GPtrArray *targets;      /* (owned): HpMxTarget, in the order in which to try them */
    char *hosts;             /* (owned): "mx1.example.org, mx2.example.org" */
    gboolean has_evidence;   /* this look-up says something about the line: */
    HpLinkEvidence evidence; /* DNS, NO_DNS, DNS_LIE or PORTAL */
} HpMxRoute;

void hp_mx_route_free(HpMxRoute *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpMxRoute, hp_mx_route_free)

/**
 * hp_mx_find:
 * @domain: U- or A-labels, or an address literal "[192.0.2.1]", "[IPv6:2001:db8::1]"
 * @memory: the family that was refused lately is tried last
 *
 * By preference, equal ones shuffled; IPv4 before IPv6 unless told otherwise, at most 5
 * addresses of both families. Without MX the domain's own address counts. Refused for
 * good are: a null MX (556 5.1.10), a domain that does not exist or has neither MX nor
 * address (5.1.2), servers that are ourselves (5.4.6), and private addresses (5.4.6)
 * unless allowed; but if the resolver also gives an address to a name that cannot exist,
 * the network lies, and it is that network's fault. Only the MX of a lower preference
 * than our own are used (RFC 5321 §5.1).
 *
 * Returns: (transfer full)
 */
HpMxRoute *hp_mx_find(const HpMxOptions *options, const char *domain,
                      const HpRouteMemory *memory);

/* Does the resolver give @address (%NULL: any address) to a name that cannot exist? Then
 * the network answers in the name of everybody. Asks, for at most 5 s. */
gboolean hp_mx_is_lie(HpResolver *resolver, const char *address);
