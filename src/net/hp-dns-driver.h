/* hp-dns-driver: the thread that drives c-ares, and raw questions to it.
 *
 * Nothing wakes up while nothing is asked. c-ares is only ever touched by its thread, and
 * ares_cancel() is never called, ares_destroy() never from a callback: 1.18.1 frees twice
 * then.
 *
 * Threads: any may ask, reset and abort; it owns the thread for c-ares.
 */
#pragma once

#include "hp-resolver.h"

typedef struct _HpDnsDriver HpDnsDriver;

typedef struct {
    const char *servers;     /* (unowned) (nullable): as for hp_resolver_new() */
    const char *resolv_conf; /* (unowned) (nullable): %NULL for /etc/resolv.conf */
    guint16 port;            /* of servers named without one; 0 for 53 */
    int timeout_ms;          /* of a server's first try, doubled twice; 0 for 2,500 */
} HpDnsDriverOptions;

/**
 * HpDnsRaw:
 * @HP_DNS_RAW_ANSWER: a server answered; the packet says what
 * @HP_DNS_RAW_UNUSABLE: servers answered, with nonsense
 * @HP_DNS_RAW_TIMEOUT: no answer in time
 * @HP_DNS_RAW_UNREACHABLE: no server can be reached, none is configured, or all of them
 *    said SERVFAIL or REFUSED (c-ares 1.18 does not tell these apart)
 * @HP_DNS_RAW_IMPOSSIBLE: a name that must not be asked for (RFC 7686: .onion)
 * @HP_DNS_RAW_ABORTED: hp_dns_driver_abort() was called
 */
typedef enum {
    HP_DNS_RAW_ANSWER,
    HP_DNS_RAW_UNUSABLE,
    HP_DNS_RAW_TIMEOUT,
    HP_DNS_RAW_UNREACHABLE,
    HP_DNS_RAW_IMPOSSIBLE,
    HP_DNS_RAW_ABORTED,
} HpDnsRaw;

typedef struct {
    const char *name; /* (unowned): ASCII without final dot, "" for the root */
    HpDnsType type;
    gboolean edns;        /* allow answers of 1,232 octets over UDP (RFC 6891) */
    gint64 deadline_usec; /* monotonic */
} HpDnsQuestion;

/* @error: #G_IO_ERROR; %G_IO_ERROR_INVALID_ARGUMENT for a server that is no numeric
 * address with an optional port. */
HpDnsDriver *hp_dns_driver_new(const HpDnsDriverOptions *options, GError **error);
void hp_dns_driver_free(HpDnsDriver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpDnsDriver, hp_dns_driver_free)

/**
 * hp_dns_driver_ask:
 * @ret_packet: (out) (transfer full): the answer, for %HP_DNS_RAW_ANSWER only; free with
 *    g_byte_array_unref()
 *
 * Blocks until there is an answer or the deadline has passed. When resolv.conf changes
 * meanwhile, the question goes to the new servers as soon as an old one is overdue. A
 * truncated answer was asked for again over TCP. The AD bit is asked for (RFC 6840 §5.7).
 */
HpDnsRaw hp_dns_driver_ask(HpDnsDriver *self, const HpDnsQuestion *question,
                           GByteArray **ret_packet);

/* New sockets, and /etc/resolv.conf is read again; open questions are asked again. */
void hp_dns_driver_reset(HpDnsDriver *self);

/* Ends all questions with ABORTED, now and later. */
void hp_dns_driver_abort(HpDnsDriver *self);

/* %TRUE if every server is on loopback: only then may the AD bit be believed. */
gboolean hp_dns_driver_is_local(HpDnsDriver *self);
