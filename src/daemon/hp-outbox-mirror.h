/* hp-outbox-mirror: the queue as a mailbox: each message that is under way is an entry of
 * "Outbox" with its state as keywords and a header block that tells the story.
 *
 * The bytes of a uid never change (RFC 3501 §2.3.1.1): when the state changes, the entry
 * goes and one with a new uid comes. What changes often (number of tries, next try)
 * stands only in `hauspost queue show`. What is shown is read back from the entries at
 * the start, so a crash at any point leaves at most an entry that the next look corrects.
 *
 * Threads: made and freed by main; hp_outbox_mirror_poke() and the HpOutbox from any.
 */
#pragma once

#include "hp-outbox.h"
#include "hp-queue.h"
#include "hp-store.h"

#define HP_OUTBOX_MAX 1000 /* messages that are shown, the oldest first */

typedef struct _HpOutboxMirror HpOutboxMirror;

/* @queue and @store outlive it. Makes the mailbox if it is not there, and
 * subscribes to it. @error:
 * #HP_STORE_ERROR, #G_THREAD_ERROR */
HpOutboxMirror *hp_outbox_mirror_new(HpQueue *queue, HpStore *store, GError **error);
/* Waits for the step that is being done. */
void hp_outbox_mirror_free(HpOutboxMirror *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpOutboxMirror, hp_outbox_mirror_free)

/* The queue has changed: look again a moment later. Does not block. */
void hp_outbox_mirror_poke(HpOutboxMirror *self);

/* For the IMAP server; valid as long as @self. */
HpOutbox hp_outbox_mirror_table(HpOutboxMirror *self);
