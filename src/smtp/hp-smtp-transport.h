/* hp-smtp-transport: carries mail straight to the mail servers of its destination: the
 * HpTransport of the road "direct".
 *
 * One connection for all that is due for the destination; the next server where one
 * fails; never silently less protected than the destination was before.
 *
 * Threads: carry() on any number of delivery threads at once; the rest on main.
 */
#pragma once

#include "hp-mx.h"
#include "hp-smtp-client.h"
#include "hp-tls.h"

typedef struct {
    HpResolver *resolver; /* (unowned) */
    HpTlsTrust *trust;    /* (unowned): counted by the transport */
    const char *hostname; /* (unowned): for EHLO; copied */
    guint16 port;         /* 0 for 25 */
    gboolean allow_private;
    HpMxIpv6 ipv6;
    guint32 seed;                     /* of the order of equal servers; 0: random */
    const char *const *own_addresses; /* (unowned) (nullable): see HpMxOptions; copied */
    const HpSmtpTimeouts *timeouts;   /* (unowned) (nullable): copied */
    int connect_ms;                   /* for one TCP handshake; 0 for 30,000 */

    /* Evidence about the line (hp_link_note()), on a delivery thread; nullable. */
    void (*note)(HpLinkEvidence evidence, const char *destination, gpointer data);
    gpointer note_data; /* (unowned) (nullable) */
    /* The state of the line, with that evidence; nullable: always ok. While it is not ok,
     * a destination that cannot be reached is the network's fault. */
    HpLinkState (*link_state)(gpointer data);
    gpointer link_data; /* (unowned) (nullable) */
} HpSmtpTransportOptions;

typedef struct _HpSmtpTransport HpSmtpTransport;

HpSmtpTransport *hp_smtp_transport_new(const HpSmtpTransportOptions *options);

/* Other options (all of them) for what is carried from now on; a carry that is under way
 * ends with those it began with. Any thread. */
void hp_smtp_transport_configure(HpSmtpTransport *self,
                                 const HpSmtpTransportOptions *options);

/* No carry may be under way. */
void hp_smtp_transport_free(HpSmtpTransport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSmtpTransport, hp_smtp_transport_free)

/* The table for the queue; good as long as @self lives. */
HpTransport hp_smtp_transport_table(HpSmtpTransport *self);
