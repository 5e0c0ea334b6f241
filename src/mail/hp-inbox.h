/* hp-inbox: how the queue hands a message over to the user's own mailbox. The store
 * implements it.
 *
 * Threads: the queue's hand-over thread.
 */
#pragma once

#include "hp-transport.h"

typedef struct {
    gpointer self; /* (unowned) */

    /**
     * deliver:
     * @origin: unique name of this hand-over; the same one again is a success that
     *    changes nothing
     * @size: octets
     * @content: passed to @read
     * @error: the message stays with the queue and is handed over again later
     *
     * Returns: %TRUE once it is durable in INBOX
     */
    gboolean (*deliver)(gpointer self, const char *origin, guint64 size, gpointer content,
                        HpCarryRead read, GError **error);
} HpInbox;
