/* hp-outbox: what IMAP may ask of the mailbox that shows the queue. The daemon implements
 * it, and keeps that mailbox like the queue; mail cannot be put there.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define HP_OUTBOX_RETRY "$retry" /* the keyword by which a client asks for a try now */

typedef struct {
    gpointer self;  /* (unowned) (nullable) */
    gint64 mailbox; /* its id in the store, 0 if there is none */

    /**
     * cancel:
     * @uids: of entries of that mailbox; what the queue has no more is skipped
     * @error: nothing more is cancelled: the entries must stay. Also for an entry in
     *    whose place there is another by now
     *
     * Gives up what was not delivered yet; durable when it returns. To be called before
     * the entries are expunged.
     */
    gboolean (*cancel)(gpointer self, const guint32 *uids, guint n, GError **error);

    /* Tries these now, and takes the keyword away again. */
    gboolean (*retry)(gpointer self, const guint32 *uids, guint n, GError **error);
} HpOutbox;
