/* hp-parts: the parts of the running daemon, for those that join them.
 *
 * Threads: the struct is filled by main before other threads start and emptied after they
 * have ended; each part says itself who may use it.
 */
#pragma once

#include "hp-bus.h"
#include "hp-config.h"
#include "hp-dirs.h"
#include "hp-explain.h"
#include "hp-link.h"
#include "hp-listener.h"
#include "hp-outbox-mirror.h"
#include "hp-passwords.h"
#include "hp-policy.h"
#include "hp-queue.h"
#include "hp-resolver.h"
#include "hp-smtp-transport.h"
#include "hp-store.h"
#include "hp-tls.h"
#include "hp-upkeep.h"

typedef struct {
    const HpClock *clock;        /* (unowned) */
    HpDirs *dirs;                /* (owned) */
    HpExplain *explain;          /* (owned) */
    HpTlsIdentity *tls_identity; /* (owned) */
    HpStore *store;              /* (owned) */
    HpResolver *resolver;        /* (owned) */
    HpLink *link;                /* (owned) */
    HpSmtpTransport *transport;  /* (owned) */
    HpQueue *queue;              /* (owned) */
    HpPasswords *passwords;      /* (owned) */
    HpPolicies *policies;        /* (owned): the settings in force */
    HpListener *listener;        /* (owned) */
    HpUpkeep *upkeep;            /* (owned) */
    HpOutboxMirror *outbox;      /* (owned) */
    gint64 started_usec;         /* wall */
    HpBus *bus;                  /* (owned) */
} HpParts;
