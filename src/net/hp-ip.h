/* hp-ip: what kind of place a numeric address is.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include <glib.h>

/* An address as 16 octets, IPv4 as ::ffff:a.b.c.d. */
typedef struct {
    guint8 octets[16];
    gboolean ipv4;
} HpIp;

/* @text: numeric, IPv6 without brackets and scope. IPv4 inside IPv6 (::ffff:0:0/96 and
 * the NAT64 prefix 64:ff9b::/96) counts as what it stands for. */
gboolean hp_ip_parse(const char *text, HpIp *ret_ip);

gboolean hp_ip_is_loopback(const HpIp *self);

/* Loopback, link-local, RFC 1918, unique local, unspecified, multicast and reserved: no
 * place for a public mail server. The documentation ranges are not private. */
gboolean hp_ip_is_private(const HpIp *self);
