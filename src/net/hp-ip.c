#include "hp-ip.h"

#include <arpa/inet.h>
#include <string.h>

static const guint8 v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
static const guint8 nat64[12] = { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 };

gboolean
hp_ip_parse(const char *text, HpIp *ret_ip)
{
    HpIp ip = { .ipv4 = FALSE };

    if (inet_pton(AF_INET, text, ip.octets + 12) == 1) {
        memcpy(ip.octets, v4_mapped, sizeof(v4_mapped));
        ip.ipv4 = TRUE;
    } else if (inet_pton(AF_INET6, text, ip.octets) != 1) {
        return FALSE;
    }
    *ret_ip = ip;
    return TRUE;
}

/* The IPv4 address that it is or stands for. */
static gboolean
embedded_ipv4(const HpIp *self, guint32 *ret_address)
{
    if (memcmp(self->octets, v4_mapped, sizeof(v4_mapped)) != 0 &&
        memcmp(self->octets, nat64, sizeof(nat64)) != 0)
        return FALSE;
    *ret_address = (guint32)self->octets[12] << 24 | (guint32)self->octets[13] << 16 |
                   (guint32)self->octets[14] << 8 | self->octets[15];
    return TRUE;
}

gboolean
hp_ip_is_loopback(const HpIp *self)
{
    guint32 v4;

    if (embedded_ipv4(self, &v4))
        return v4 >> 24 == 127;
    return memcmp(self->octets, &in6addr_loopback, sizeof(self->octets)) == 0;
}

static gboolean
is_private_ipv4(guint32 address)
{
    static const struct {
        guint32 network;
        guint bits;
    } rows[] = {
        { 0x00000000, 8 },  /* 0.0.0.0/8: this network, RFC 1122 §3.2.1.3 */
        { 0x0a000000, 8 },  /* 10.0.0.0/8, RFC 1918 */
        { 0x7f000000, 8 },  /* 127.0.0.0/8 */
        { 0xa9fe0000, 16 }, /* 169.254.0.0/16, RFC 3927 */
        { 0xac100000, 12 }, /* 172.16.0.0/12, RFC 1918 */
        { 0xc0a80000, 16 }, /* 192.168.0.0/16, RFC 1918 */
        { 0xe0000000, 3 },  /* 224.0.0.0/3: multicast and reserved */
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (address >> (32 - rows[i].bits) == rows[i].network >> (32 - rows[i].bits))
            return TRUE;
    }
    return FALSE;
}

gboolean
hp_ip_is_private(const HpIp *self)
{
    guint first = (guint)self->octets[0] << 8 | self->octets[1];
    guint32 v4;

    if (embedded_ipv4(self, &v4))
        return is_private_ipv4(v4);
    if (memcmp(self->octets, &in6addr_any, 15) == 0)
        return self->octets[15] <= 1;    /* :: and ::1 */
    return (first & 0xfe00) == 0xfc00 || /* fc00::/7, RFC 4193 */
           (first & 0xffc0) == 0xfe80 || /* fe80::/10 */
           (first & 0xffc0) == 0xfec0 || /* fec0::/10, RFC 3879 */
           (first & 0xff00) == 0xff00;   /* multicast */
}
