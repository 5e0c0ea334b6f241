/* hp-endpoint: the numeric address of a server, with or without a port: "192.0.2.1",
 * "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53".
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#include <netinet/in.h>

typedef struct {
    int family; /* AF_INET or AF_INET6: which of the next two holds */
    union {
        struct in_addr four;
        struct in6_addr six;
    } ip;
    guint16 port;
} HpEndpoint;

/**
 * hp_endpoint_parse:
 * @text: all of it; names of hosts and zones of IPv6 addresses do not count
 * @default_port: where @text names none
 * @ret_endpoint: (out)
 *
 * Returns: %FALSE if it is none
 */
gboolean hp_endpoint_parse(HpSlice text, guint16 default_port, HpEndpoint *ret_endpoint);
