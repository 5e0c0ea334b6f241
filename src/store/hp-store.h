/* hp-store: the user's mailboxes in mail.db: entries with uid, modseq and flags over
 * immutable contents.
 *
 * Threads: any; each call is one batch.
 */
#pragma once

#include "hp-clock.h"
#include "hp-content.h"
#include "hp-inbox.h"

#define HP_STORE_ERROR (hp_store_error_quark())
GQuark hp_store_error_quark(void);
typedef enum {
    HP_STORE_ERROR_NOT_FOUND, /* no such mailbox or entry (any more) */
    HP_STORE_ERROR_DAMAGED, /* a content is missing; or the database is damaged, and takes
                               no changes */
    HP_STORE_ERROR_EXISTS,  /* there is a mailbox of that name */
    HP_STORE_ERROR_NOT_PERMITTED, /* not with this mailbox, or not under that name */
    HP_STORE_ERROR_FULL,          /* the disk is full; deleting still works */
    HP_STORE_ERROR_TOO_MANY,      /* annotations */
    HP_STORE_ERROR_KEYWORDS,      /* more than HP_STORE_MAX_KEYWORDS */
    HP_STORE_ERROR_BAD_USE,       /* no such special use, or not of this mailbox */
    HP_STORE_ERROR_FAILED,
} HpStoreError;

typedef struct _HpStore HpStore;

/* @data_fd: the private data folder (path @data_path); @clock outlives the store. A
 * damaged mail.db opens for reading if mailboxes and entries can be read. @error:
 * #HP_STORE_ERROR, #HP_DB_ERROR or #G_FILE_ERROR. */
HpStore *hp_store_open(const char *data_path, int data_fd, const HpClock *clock,
                       GError **error);
void hp_store_close(HpStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpStore, hp_store_close)

gboolean hp_store_is_writable(HpStore *self);

/* Called after each change that was committed, on the thread that made it; must not block
 * nor call the store. The daemon rings its upkeep thread. Setting another one waits for
 * calls that are under way: then the former @data is used no more. */
typedef void (*HpStoreChanged)(gpointer data);
void hp_store_set_changed(HpStore *self, HpStoreChanged changed, gpointer data);

/* The store as the queue's inbox. */
HpInbox hp_store_inbox(HpStore *self);

#define HP_STORE_INBOX 1 /* mailbox id of INBOX, made with the schema */

typedef struct {
    guint32 uid;           /* never 0, never reused */
    guint64 size;          /* octets */
    gint64 content;        /* id for hp_store_open_content() */
    guint32 flags;         /* HpStoreFlag bits */
    gint64 collected_usec; /* wall time when POP3 first collected it, 0 if never */
} HpStoreEntry;

typedef enum {
    HP_STORE_SEEN = 1 << 0,
    HP_STORE_ANSWERED = 1 << 1,
    HP_STORE_FLAGGED = 1 << 2,
    HP_STORE_DELETED = 1 << 3,
    HP_STORE_DRAFT = 1 << 4,
} HpStoreFlag;

/* The entries of a mailbox at one moment, by ascending uid. */
typedef struct {
    guint32 uidvalidity;
    guint64 octets;  /* sum of the sizes */
    GArray *entries; /* (owned): HpStoreEntry */
} HpStoreSnapshot;
void hp_store_snapshot_free(HpStoreSnapshot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpStoreSnapshot, hp_store_snapshot_free)

/* 100,000 entries in well under 50 ms. */
HpStoreSnapshot *hp_store_snapshot(HpStore *self, gint64 mailbox, GError **error);

/* HP_STORE_ERROR_NOT_FOUND if it was expunged meanwhile. */
HpContent *hp_store_open_content(HpStore *self, const HpStoreEntry *entry,
                                 GError **error);

/* Remembers that POP3 collected these uids now (first time counts) and marks them seen.
 */
gboolean hp_store_mark_collected(HpStore *self, gint64 mailbox, const guint32 *uids,
                                 guint n_uids, GError **error);

/* Removes entries for good: row, expunge log, content reference; the order of
 * docs/architecture.md. Unknown uids are skipped. */
gboolean hp_store_expunge(HpStore *self, gint64 mailbox, const guint32 *uids,
                          guint n_uids, GError **error);

typedef struct {
    gint64 id;         /* never reused: MAILBOXID (RFC 8474) */
    char *name;        /* (owned): UTF-8, "INBOX" */
    char *special_use; /* (owned) (nullable): "\\Sent" (RFC 6154) */
    gboolean subscribed;
    guint32 uidvalidity;
    guint32 uidnext;
    guint64 highestmodseq;
    guint64 messages;
    guint64 unseen;
    guint64 deleted; /* with HP_STORE_DELETED */
    guint64 octets;
    gint64 oldest_usec; /* arrival of the oldest entry, 0 if empty */
} HpStoreMailbox;
void hp_store_mailbox_free(HpStoreMailbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpStoreMailbox, hp_store_mailbox_free)
/* INBOX first, then by name; asks one row each. Of a damaged database all of them as if
 * subscribed, if that is not known any more: (transfer full) (element-type
 * HpStoreMailbox) */
GPtrArray *hp_store_list(HpStore *self, GError **error);

/* How long mail stays, in seconds; 0: for ever. */
typedef struct {
    gint64 pop3_sec;  /* in INBOX after POP3 collected it */
    gint64 trash_sec; /* in the mailbox with the special use \\Trash */
    gint64 junk_sec;  /* in that with \\Junk */
} HpStoreRetention;

typedef struct {
    HpStoreRetention retention;
    guint64 ret_messages; /* out: removed, or that would be */
    guint64 ret_octets;   /* out */
} HpStoreCleanup;

/* Removes what has lain longer than the retention. @dry_run only counts. */
gboolean hp_store_cleanup(HpStore *self, HpStoreCleanup *cleanup, gboolean dry_run,
                          GError **error);

/* Wall time at which the next entry falls due under that retention, %G_MAXINT64 if none.
 */
gint64 hp_store_next_cleanup_usec(HpStore *self, const HpStoreRetention *retention);

/* A step of unstaging contents, erasing files, tidying the database; %TRUE if there is
 * more to do, which the next call does. Blocks. To be called some time after a change
 * (hp_store_set_changed()), and once after the start. */
gboolean hp_store_upkeep(HpStore *self);

/* One POP3 session at a time (RFC 1939 §3): %FALSE if another has it, and still has it
 * @patience_usec later: a connection that broke off leaves it after a moment. */
gboolean hp_store_lock_maildrop(HpStore *self, gint64 patience_usec);
void hp_store_unlock_maildrop(HpStore *self);
