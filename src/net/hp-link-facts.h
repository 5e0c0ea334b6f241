/* hp-link-facts: from evidence and time to the state of the line; no I/O, no clock.
 *
 * Threads: values; the caller locks.
 */
#pragma once

#include "hp-link.h"

#define HP_LINK_SIGHTINGS 8 /* remembered of each kind */

typedef struct {
    char site[64];    /* what the destination belongs to: "example.org" */
    char address[46]; /* numeric, or "" */
    gint64 usec;      /* 0: none */
} HpLinkSighting;

typedef struct {
    gboolean routes;     /* a route leads out */
    gboolean private_ok; /* mail may stay on this computer: routes are not needed */
    gboolean portal;     /* GNetworkMonitor says PORTAL, and no greeting since */
    gboolean captive;    /* foreign answers or lies about unrelated destinations */
    gboolean no_25;
    gboolean no_dns;
    HpLinkSighting greeted[HP_LINK_SIGHTINGS]; /* in this network */
    HpLinkSighting failed[HP_LINK_SIGHTINGS];  /* since the last greeting */
    HpLinkSighting foreign[HP_LINK_SIGHTINGS]; /* foreign banners and lies */
} HpLinkFacts;

/**
 * hp_link_facts_note:
 * @destination: as for hp_link_note()
 * @now_usec: not 0, and never before that of an earlier call
 *
 * A greeting wipes out everything that spoke against the line. Two failures, or two
 * foreign answers, within a minute count if they are about unrelated destinations: other
 * domains, at other addresses. Where a mail server has greeted, failures must be of three
 * such destinations, or one of the two must have greeted: two domains with a slip of the
 * pen in them are not the network's fault.
 */
void hp_link_facts_note(HpLinkFacts *self, HpLinkEvidence evidence,
                        const char *destination, gint64 now_usec);

/* Another network: only routes, private_ok and portal stay. */
void hp_link_facts_forget(HpLinkFacts *self);

/* Offline before captive before no-DNS before no-25. */
HpLinkState hp_link_facts_state(const HpLinkFacts *self);
