/* hp-store-messages: what IMAP does with entries: append, flags, copy and move, what
 * changed since, and what is known of their contents.
 *
 * Each call is one transaction, durable when it returns; sessions that wait together
 * share one COMMIT. Views see it before the call returns.
 *
 * Uids are passed in ascending order, each once.
 *
 * Threads: any but an HpDbWork.
 */
#pragma once

#include "hp-store-view.h"
#include "hp-summary.h"

typedef struct {
    HpContentDraft *draft; /* (owned): finished; from hp_store_draft() */
    guint32 flags;
    GStrv keywords;       /* (owned) (nullable) */
    gboolean is_dated;    /* else its date is now, and these two do not count */
    gint64 internal_usec; /* may be 0 or before 1970 */
    gint zone;            /* minutes east of that date */
} HpStoreAppend;

/* (transfer full): to be filled and finished. */
HpContentDraft *hp_store_draft(HpStore *self);

/* Before so many octets are taken: does the disk have room for them? */
gboolean hp_store_has_room(HpStore *self, guint64 octets);

/* All or none (RFC 3502). The drafts stay the caller's. Bytes that are stored already are
 * not stored again. @ret_uids: (out) (transfer full) (element-type guint32). */
gboolean hp_store_append(HpStore *self, gint64 mailbox, HpStoreAppend *appends, guint n,
                         GArray **ret_uids, GError **error);

/* A message that takes the place of another (RFC 8508), perhaps in another mailbox. */
typedef struct {
    gint64 mailbox; /* of the one that goes ... */
    guint32 uid;
    gint64 to; /* ... and of the one that comes */
} HpStoreReplacing;

/* Appends and expunges in one transaction: after a crash there is either the old one or
 * the new one. %HP_STORE_ERROR_NOT_FOUND if there is nothing to replace (any more);
 * nothing is appended then. */
gboolean hp_store_replace(HpStore *self, const HpStoreReplacing *what,
                          HpStoreAppend *append, guint32 *ret_uid, GError **error);

#define HP_STORE_MAX_KEYWORDS 200 /* of a message, by changes of its flags */

typedef enum { HP_FLAGS_REPLACE, HP_FLAGS_ADD, HP_FLAGS_REMOVE } HpFlagsMode;
typedef struct {
    HpFlagsMode mode;
    guint32 flags;
    GStrv keywords;          /* (unowned) (nullable) */
    guint64 unchanged_since; /* %G_MAXUINT64: whatever (RFC 7162 §3.1.3) */
    GArray *ret_modified;    /* (out) (owned) (nullable): uids that had changed since */
    guint64 ret_modseq;      /* out: that of the change, 0 if nothing was changed */
    guint64 told_modseq;     /* up to which the caller knows of changes; 0: do not ask */
    GArray *ret_untold;      /* (out) (owned) (nullable): uids of those it does not know,
                                in messages that are changed now */
} HpStoreFlagChange;

/* All or none. Unknown uids are skipped; an entry that has these flags already keeps its
 * modseq. */
gboolean hp_store_change_flags(HpStore *self, gint64 mailbox, const guint32 *uids,
                               guint n, HpStoreFlagChange *change, GError **error);

typedef struct {
    guint32 from;
    guint32 to;
} HpStoreCopied;

/* Into another mailbox or the same; bytes are not touched. @move: and expunge here, in
 * the same transaction (RFC 6851). @ret: (out) (transfer full) (element-type
 * HpStoreCopied). */
gboolean hp_store_copy(HpStore *self, gint64 from, const guint32 *uids, guint n,
                       gint64 to, gboolean move, GArray **ret, GError **error);

/* Uids that vanished after @modseq, ascending (RFC 7162 §3.2.5.2): (transfer full)
 * (element-type guint32). May name more than were there if the log does not reach back.
 */
GArray *hp_store_vanished(HpStore *self, gint64 mailbox, guint64 modseq, GError **error);

typedef struct {
    gint64 saved_usec; /* RFC 8514 */
    gint64 email;      /* RFC 8474; of the content */
    gint64 thread;
} HpStoreDetails;
gboolean hp_store_details(HpStore *self, gint64 mailbox, guint32 uid,
                          HpStoreDetails *ret_details, GError **error);

/* What is kept of a content, computed now if it is not: (transfer full). */
HpSummary *hp_store_summary(HpStore *self, gint64 content, GError **error);

/* For many: one read of the database for each batch of at most 256. @each gets them in
 * the order of @contents; it must not block nor call the store. @summary is %NULL with
 * header_only, which saves unpacking; of a content that cannot be read both are empty.
 * With %FALSE @each ends it, for instance to send what it has gathered. */
typedef gboolean (*HpStoreEach)(guint index, const HpSummary *summary, HpSlice header,
                                gpointer data);
typedef struct {
    const gint64 *contents; /* (unowned) */
    guint n;
    gboolean header_only;
    HpStoreEach each;
    gpointer data; /* (unowned) (nullable) */
} HpStoreSummaries;
/* Returns: how many @each was given */
guint hp_store_each_summary(HpStore *self, const HpStoreSummaries *wanted);

/* hp_store_open_content(); but of a message whose bytes are lost, one that says so, with
 * the fields that are still known. @ret_summary: (out) (transfer full): that of this
 * message; else left alone. */
HpContent *hp_store_open_shown(HpStore *self, const HpStoreEntry *entry,
                               HpSummary **ret_summary, GError **error);

/* The header with its empty line, without opening a file: (transfer full). */
GBytes *hp_store_header(HpStore *self, gint64 content, GError **error);
