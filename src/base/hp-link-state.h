/* hp-link-state: what is known of the line to the internet.
 *
 * Threads: any.
 */
#pragma once

typedef enum {
    HP_LINK_OK,
    HP_LINK_OFFLINE, /* no route */
    HP_LINK_CAPTIVE, /* a portal answers for everybody */
    HP_LINK_NO_DNS,  /* no name server answers truthfully */
    HP_LINK_NO_25,   /* connections to port 25 go nowhere or are intercepted */
} HpLinkState;

/* "ok", "offline", "captive", "no_dns", "no_25": the names in JSON and on the bus. */
const char *hp_link_state_name(HpLinkState state);
