/* hp-store-view: a selected mailbox as one session sees it: sequence numbers that change
 * only when the session says so, over entries in memory that all sessions share.
 *
 * What is committed goes into the shared entries and a change log at once; each view
 * moves forward in that log by hp_view_sync(), where the protocol allows it.
 *
 * Threads: a view belongs to its session's thread; the store's other calls may run on
 * any.
 */
#pragma once

#include "hp-store-mailboxes.h"
#include "hp-waker.h"

typedef struct _HpView HpView;

typedef struct {
    guint32 uid;
    guint16 flags;    /* HpStoreFlag bits */
    gint16 zone;      /* minutes east, of the internal date */
    guint32 keywords; /* for hp_view_keywords(); 0: none */
    guint32 size;     /* octets */
    guint64 modseq;
    gint64 content;
    gint64 internal_usec;
} HpViewEntry;

/* One thing that has happened, in the order in which it is to be told. */
typedef enum {
    HP_VIEW_EXPUNGED, /* @seq: at that moment */
    HP_VIEW_CHANGED,  /* flags or keywords of @seq */
    HP_VIEW_GROWN,    /* @seq: how many messages there are now */
} HpViewKind;
typedef struct {
    HpViewKind kind;
    guint32 seq;
    guint32 uid;
    guint64 modseq;
} HpViewNews;

/* @waker: (unowned) (nullable): rung when there is news. */
HpView *hp_view_open(HpStore *store, gint64 mailbox, HpWaker *waker, GError **error);
void hp_view_close(HpView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpView, hp_view_close)

gint64 hp_view_mailbox(const HpView *self);
guint32 hp_view_uidvalidity(const HpView *self);
guint32 hp_view_uidnext(HpView *self);
/* Of what this view has been told; it stays where it is while an expunge is held back. */
guint64 hp_view_highestmodseq(HpView *self);
/* Up to which changes of flags have been told; held back expunges do not matter. */
guint64 hp_view_changes_modseq(const HpView *self);
gboolean hp_view_ended(HpView *self); /* the mailbox was deleted */

guint32 hp_view_len(const HpView *self);              /* messages: seq 1 to this */
guint32 hp_view_uid(const HpView *self, guint32 seq); /* of a seq that is there */
guint32 hp_view_seq(const HpView *self, guint32 uid); /* 0 if it is not there */
/* The smallest seq whose uid is at least @uid; len + 1 if none. */
guint32 hp_view_seq_from(const HpView *self, guint32 uid);

/* %FALSE if it was expunged meanwhile and the session has not been told. */
gboolean hp_view_get(HpView *self, guint32 seq, HpViewEntry *ret_entry);

/* Keywords separated by spaces, in the order of their names; "" for 0. The same keywords
 * have the same number in all mailboxes. Valid as long as the store. */
const char *hp_view_keywords(HpView *self, guint32 keywords);
/* All keywords in use in this mailbox: (transfer full), sorted. */
GStrv hp_view_all_keywords(HpView *self);

/* From now on no GROWN is told, and the view keeps the length that it has, or both again
 * as ever. */
void hp_view_hold_growth(HpView *self, gboolean hold);

/* Is there anything to tell? With @may_expunge %FALSE expunges wait, and so do not count.
 */
gboolean hp_view_has_news(HpView *self, gboolean may_expunge);

/* Moves forward: (element-type HpViewNews) (transfer full). First what was expunged, by
 * ascending uid, then at most one GROWN, then what has changed, by ascending uid; @seq is
 * right when they are told in this order. A session's own changes are among them, with
 * the modseq that its call has returned. */
GArray *hp_view_sync(HpView *self, gboolean may_expunge);
