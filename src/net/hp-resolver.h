/* hp-resolver: c-ares as one blocking call.
 *
 * Raw answers are parsed here, because the AD bit and TLSA records are read from them
 * later. Bounds: at most 20 MX, 16 addresses, 16 TXT records, 8 CNAMEs are used; one
 * question takes at most 30 s in all.
 *
 * Threads: any may ask; one thread of its own drives c-ares.
 */
#pragma once

#include "hp-clock.h"
#include "hp-slice.h"

/**
 * HpDnsStatus:
 * @HP_DNS_OK: there are records of the type
 * @HP_DNS_NO_DATA: the name exists, without such a record
 * @HP_DNS_NOT_FOUND: NXDOMAIN with an SOA, from a resolver that may be believed: it has
 *    given a positive answer since hp_resolver_network_changed(), or the SOA it names was
 *    found to exist
 * @HP_DNS_DOUBTFUL: NXDOMAIN that may not be believed (no SOA, or no proof that this
 *    resolver answers truthfully): treat as a fault of the network
 * @HP_DNS_TEMPORARY: SERVFAIL, timeout, nonsense
 * @HP_DNS_NO_RESOLVER: no name server answered at all, or none is configured
 */
typedef enum {
    HP_DNS_OK,
    HP_DNS_NO_DATA,
    HP_DNS_NOT_FOUND,
    HP_DNS_DOUBTFUL,
    HP_DNS_TEMPORARY,
    HP_DNS_NO_RESOLVER,
} HpDnsStatus;

typedef enum {
    HP_DNS_A = 1,
    HP_DNS_CNAME = 5,
    HP_DNS_SOA = 6,
    HP_DNS_MX = 15,
    HP_DNS_TXT = 16,
    HP_DNS_AAAA = 28,
} HpDnsType;

typedef struct {
    guint16 preference; /* MX only */
    char *text;         /* (owned): host name without final dot ("" is the root), numeric
                           address, or the joined strings of a TXT record */
} HpDnsRecord;

typedef struct {
    HpDnsStatus status;
    gboolean authentic; /* AD bit, and the resolver may be trusted with it */
    char *canonical;    /* (owned): name at the end of the CNAME chain */
    guint32 ttl_sec;    /* smallest of the answer */
    GPtrArray *records; /* (owned): HpDnsRecord, in the order of the answer */
    char *problem;      /* (owned) (nullable): one sentence when status is not OK */
} HpDnsAnswer;

void hp_dns_answer_free(HpDnsAnswer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDnsAnswer, hp_dns_answer_free)

typedef struct _HpResolver HpResolver;

/**
 * hp_resolver_new:
 * @servers: (nullable): comma-separated list of what hp_endpoint_parse() reads; %NULL or
 *    "" for /etc/resolv.conf, which is read again when it changes
 * @error: #G_IO_ERROR
 */
HpResolver *hp_resolver_new(const char *servers, GError **error);

/* The same with another file than /etc/resolv.conf, another port than 53 and the time a
 * server's first try may take (0 for both defaults); for tests. */
HpResolver *hp_resolver_new_for_file(const char *resolv_conf, guint16 port,
                                     int timeout_ms, GError **error);

void hp_resolver_free(HpResolver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpResolver, hp_resolver_free)

/**
 * hp_resolver_ask:
 * @name: ASCII host name, without final dot; one that cannot exist is NOT_FOUND
 * @timeout_ms: at most that long (capped at 30,000)
 *
 * Returns: (transfer full): never %NULL
 */
HpDnsAnswer *hp_resolver_ask(HpResolver *self, const char *name, HpDnsType type,
                             int timeout_ms);

/* Another network: nothing learned about the resolvers counts any more. */
void hp_resolver_network_changed(HpResolver *self);

/* Ends all questions with TEMPORARY, now and later; for shutting down. */
void hp_resolver_abort(HpResolver *self);
