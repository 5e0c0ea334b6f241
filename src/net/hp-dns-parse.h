/* hp-dns-parse: the answer of a name server (RFC 1035 §4), read with exact bounds.
 *
 * Own code instead of ares_parse_*, which lose the AD bit and the SOA.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-resolver.h"

/* What one packet says to one question. */
typedef struct {
    guint rcode;        /* 0 to 15: 0 no error, 3 NXDOMAIN */
    gboolean authentic; /* AD */
    gboolean truncated; /* TC */
    gboolean endless;   /* the CNAME chain loops or is longer than 8 */
    char *canonical;    /* (owned): name at the end of the chain, lower case */
    guint hops;         /* CNAMEs on the way there, at most 8 */
    char *soa;          /* (owned) (nullable): owner of the authority section's SOA, lower
                           case; "" is the root */
    guint32 ttl_sec;    /* smallest of the chain and its records; 0 without any */
    GPtrArray *records; /* (owned): HpDnsRecord of the type asked for */
} HpDnsParsed;

void hp_dns_parsed_clear(HpDnsParsed *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpDnsParsed, hp_dns_parsed_clear)

void hp_dns_record_free(HpDnsRecord *self);

/**
 * hp_dns_parse:
 * @packet: one DNS message, without the length of TCP
 * @name: the name that was asked for, ASCII without final dot, "" for the root
 * @type: the type that was asked for
 * @ret_parsed: (out caller-allocates): to be cleared by hp_dns_parsed_clear()
 *
 * Follows CNAMEs inside the packet, in whatever order they stand. At most 20 MX, 16
 * addresses and 16 TXT records are kept. Compression pointers may only point backwards
 * and are followed at most 32 times a name. Records whose data does not fill its length
 * exactly, or whose host name holds bytes that no host name has, are left out.
 *
 * Returns: %FALSE if it is not a whole answer to exactly this question
 */
gboolean hp_dns_parse(HpSlice packet, const char *name, HpDnsType type,
                      HpDnsParsed *ret_parsed);
