/* hp-imap-thread-tree: the threading algorithms of RFC 5256 §3 over what is known of
 * messages, without a mailbox: REFERENCES and ORDEREDSUBJECT.
 *
 * What is said of other messages comes from outside, and all of it may be made up: ids
 * are told apart by their whole text, loops cannot arise, and the work grows with the
 * number of messages and references, not with how they are arranged.
 *
 * Threads: one owner.
 */
#pragma once

#include "hp-slice.h"

/* Octets of all different ids and subjects of one THREAD; of messages beyond that only
 * the nearest reference counts, so that a mailbox full of long References fields cannot
 * fill the memory. 100,000 usual messages have a tenth of it. */
#define HP_THREAD_MAX_OCTETS ((size_t)64 * 1024 * 1024)

typedef struct {
    guint32 number;         /* what is answered: sequence number or uid */
    gint64 sent_usec;       /* §2.2 */
    const char *message_id; /* (unowned): normalised; "" if there is none */
    const char *references; /* (unowned): by newlines, oldest first */
    const char *subject;    /* (unowned): base subject */
    gboolean is_reply;      /* reply or forward */
} HpThreadMessage;

typedef struct _HpThreads HpThreads;

HpThreads *hp_threads_new(void);
void hp_threads_free(HpThreads *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpThreads, hp_threads_free)

/* In the order of the mailbox: by ascending sequence number. */
void hp_threads_add(HpThreads *self, const HpThreadMessage *message);

/* Each ends it: appends "(1)(2 3)", the threads of what was added, once. */
void hp_threads_by_references(HpThreads *self, GString *out);
void hp_threads_by_subject(HpThreads *self, GString *out);

/* Steps that were done since the beginning: what tests hold against a bound. */
guint64 hp_threads_steps(const HpThreads *self);
