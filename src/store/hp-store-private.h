/* hp-store-private: what the files of hp-store share.
 *
 * Threads: as hp-store; functions with an HpDbConn run inside an HpDbWork.
 */
#pragma once

#include "hp-lock.h"
#include "hp-store-messages.h"

#define HP_STORE_APPLICATION_ID 0x48506d6c /* "HPml" */

#define HP_STORE_BIG_ROWS 256 /* entries changed at once from which a write is big */

typedef struct _HpKeywords HpKeywords;
typedef struct _HpViews HpViews;
typedef struct _HpAnnotationLog HpAnnotationLog;

typedef struct {
    const guint32 *uids; /* (unowned): ascending, each once */
    guint n;
} HpStoreUids;

struct _HpStore {
    char *data_path;            /* (owned) */
    HpDb *db;                   /* (owned) */
    HpContents *contents;       /* (owned) */
    HpKeywords *keywords;       /* (owned) */
    HpViews *views;             /* (owned) */
    HpAnnotationLog *annotated; /* (owned) */
    const HpClock *clock;       /* (unowned) */
    HpLock lock;
    gboolean maildrop_taken; /* guarded by lock */
    HpCond maildrop_left;
    gboolean orphans_counted; /* guarded by lock */
    GPtrArray *watchers;      /* (owned): HpWaker (unowned), guarded by lock */
    HpStoreChanged changed;   /* (nullable): guarded by lock */
    gpointer changed_data;    /* (unowned) (nullable): guarded by lock */
    guint telling;            /* calls of it that are under way; guarded by lock */
    HpCond told;              /* the last of them has ended */
};

/* PRAGMA user_version i to i + 1 is script i. */
extern const char *const hp_store_migrations[];

/* Turns what hp-sqlite or hp-content said into a #HP_STORE_ERROR; always %FALSE. @cause
 * is consumed. */
gboolean hp_store_fail(GError **error, GError *cause, const char *what);

/* What has happened in one mailbox, on its way into the views. */
typedef enum {
    HP_NEWS_ADDED,     /* entries are whole */
    HP_NEWS_CHANGED,   /* entries: uid, flags, keywords, modseq */
    HP_NEWS_GONE,      /* entries: uid */
    HP_NEWS_ENDED,     /* the mailbox is gone */
    HP_NEWS_ANNOTATED, /* not for views: texts are the names of entries */
} HpNewsKind;
typedef struct {
    HpNewsKind kind;
    gint64 mailbox;
    guint64 modseq;  /* of this change, higher than that of any before in the mailbox */
    GArray *entries; /* (owned): HpViewEntry, ascending; keywords is 1 + index in texts */
    GPtrArray *texts;     /* (owned): keywords */
    gconstpointer author; /* (unowned) (nullable): of annotations: who knows of it */
} HpNews;

/* A change of the database that views hear of. Structures of works begin with one. */
typedef struct {
    HpStore *store;  /* (unowned) */
    GPtrArray *news; /* (owned): HpNews, in order */
} HpStoreTask;

HpStoreTask hp_store_task(HpStore *store);
void hp_store_task_clear(HpStoreTask *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpStoreTask, hp_store_task_clear)

/* Adds news: (transfer none), to be filled. */
HpNews *hp_store_task_add(HpStoreTask *self, HpNewsKind kind, gint64 mailbox,
                          guint64 modseq);

/* @text: (nullable): keywords of the entry that is added. */
void hp_news_add(HpNews *news, HpViewEntry entry, const char *text);

/* hp_db_write(), or hp_db_write_big() for so many @rows, of a @work whose data is @task;
 * then publishes its news and tells who wants to know. */
gboolean hp_store_write(HpStoreTask *task, HpDbWork work, guint rows, GError **error);

/* Inside an HpDbWork: HP_STORE_ERROR_NOT_FOUND if @mailbox has been deleted. */
gboolean hp_store_need_mailbox(HpDbConn *conn, gint64 mailbox, GError **error);

/* Inside an HpDbWork: a new modification sequence for @mailbox (RFC 7162 §3.1). */
gboolean hp_store_next_modseq(HpDbConn *conn, gint64 mailbox, gint64 *ret_modseq,
                              GError **error);

/* Inside an HpDbWork: @n new uids; @ret_first is the first of them. */
gboolean hp_store_take_uids(HpDbConn *conn, gint64 mailbox, guint n, gint64 *ret_first,
                            GError **error);

/* Inside an HpDbWork: how the counts in the mailbox's row change. */
typedef struct {
    gint64 messages;
    gint64 unseen;
    gint64 deleted;
    gint64 octets;
} HpCounts;
void hp_counts_add(HpCounts *self, gint64 messages, guint32 flags, gint64 octets);
gboolean hp_store_count(HpDbConn *conn, gint64 mailbox, const HpCounts *delta,
                        GError **error);

/* SQL: what the mailbox's row should say. */
#define HP_STORE_TRUE_COUNTS                                                             \
    "(SELECT count(*), ifnull(sum((e.flags & 1) = 0), 0),"                               \
    " ifnull(sum((e.flags & 8) <> 0), 0), ifnull(sum(e.size), 0)"                        \
    " FROM entry e WHERE e.mailbox = mailbox.id)"
#define HP_STORE_FIX_COUNTS                                                              \
    "UPDATE mailbox SET (messages, unseen, deleted, octets) = " HP_STORE_TRUE_COUNTS
#define HP_STORE_FIX_UIDNEXT                                                             \
    "UPDATE mailbox SET uidnext = max(uidnext, 1 + (SELECT ifnull(max(e.uid), 0)"        \
    " FROM entry e WHERE e.mailbox = mailbox.id))"

/* The columns of entry that hp_store_read_entry() reads, in its order; the first after
 * them is %HP_ENTRY_NEXT. Column %HP_ENTRY_KEYWORDS is text. */
#define HP_ENTRY_COLUMNS                                                                 \
    "uid, flags, internal_zone, size, modseq, content, internal_usec, keywords"
#define HP_ENTRY_KEYWORDS 7
#define HP_ENTRY_NEXT     8
HpViewEntry hp_store_read_entry(HpDbStmt *stmt);

/* Inside an HpDbWork: each entry of @uids that is there. @keywords: (nullable). */
typedef void (*HpStoreRow)(const HpViewEntry *entry, const char *keywords,
                           gint64 collected_usec, gpointer data);
typedef struct {
    HpStoreRow each;
    gpointer data; /* (unowned) (nullable) */
} HpStoreWalker;
gboolean hp_store_walk(HpDbConn *conn, gint64 mailbox, HpStoreUids uids,
                       const HpStoreWalker *walker, GError **error);
gboolean hp_store_walk_all(HpDbConn *conn, gint64 mailbox, const HpStoreWalker *walker,
                           GError **error);

/* Length of the run at @from of entries whose uids follow one another and for which
 * @is_alike (nullable) says so. */
guint hp_store_run(const GArray *entries, guint from,
                   gboolean (*is_alike)(const HpViewEntry *a, const HpViewEntry *b));

/* Inside an HpDbWork: expunges @entries (HpViewEntry, ascending). @keep_contents: they
 * have gone elsewhere. */
typedef struct {
    gint64 mailbox;
    const GArray *entries; /* (unowned) */
    gboolean keep_contents;
} HpStoreRemoval;
gboolean hp_store_remove_entries(HpDbConn *conn, HpStoreTask *task,
                                 const HpStoreRemoval *removal, GError **error);

/* Inside an HpDbWork: copies all of @entries to @to. */
typedef struct {
    gint64 from;
    gint64 to;
    const GArray *entries;  /* (unowned): HpViewEntry, ascending */
    const GPtrArray *texts; /* (unowned): their keywords, as in HpNews */
    gint64 now_usec;
    gint64 ret_modseq; /* out: of the copies */
    gint64 ret_first;  /* out: uid of the first copy, the others follow */
} HpStoreCopy;
gboolean hp_store_copy_entries(HpDbConn *conn, HpStoreTask *task, HpStoreCopy *copy,
                               GError **error);

/* Inside an HpDbWork: all of @from goes to @to, which is empty. */
gboolean hp_store_move_all(HpDbConn *conn, HpStoreTask *task, gint64 from, gint64 to,
                           GError **error);

/* All bytes, at most what a message may have: (transfer full) (nullable). */
GBytes *hp_store_load_content(HpStore *self, gint64 content, GError **error);

/* hp_store_expunge(), and how many of them were there. */
gboolean hp_store_remove(HpStore *self, gint64 mailbox, HpStoreUids uids,
                         guint *ret_removed, GError **error);

#define HP_STORE_KEPT_VANISHED 50000 /* uids of a mailbox that are kept at least */

/* Shortens expunge logs that have become long. */
void hp_store_prune_vanished(HpStore *self);

/* Erases the contents that have lost their last entry: rows, and names onto the erase
 * list. */
gboolean hp_store_drop_contents(HpStore *self, GError **error);

/* Forgets message ids of conversations of which no message is left. */
void hp_store_prune_threads(HpStore *self);

/* Copies the database once a day, and keeps the last copies. */
void hp_store_take_snapshot(HpStore *self);
/* Is that of today missing, and is there room for it? */
gboolean hp_store_wants_snapshot(HpStore *self);
/* The path of the newest: (transfer full) (nullable). */
char *hp_store_last_snapshot(const char *data_path);

/* A new mail.db that hp_store_rebuild() has made takes the place of the damaged one, if
 * that was not done before it ended. */
gboolean hp_store_finish_rebuild(int data_fd, GError **error);

/* Inside an HpDbWork: inserts mailbox @name with a new uidvalidity. */
gboolean hp_store_insert_mailbox(HpDbConn *conn, const char *name,
                                 const char *special_use, gint64 now_usec,
                                 GError **error);

/* Inside an HpDbWork: is it INBOX or Outbox, the program's own? */
gboolean hp_store_is_own(HpDbConn *conn, gint64 mailbox);
/* Inside an HpDbWork: the mailbox with this special use, if there is one, loses it. */
gboolean hp_store_take_use(HpDbConn *conn, HpStoreTask *task, const char *use,
                           GError **error);

/* Inside an HpDbWork: HP_STORE_ERROR_TOO_MANY if there are too many annotations now. */
gboolean hp_store_annotations_fit(HpDbConn *conn, gint64 mailbox, GError **error);

/* Which annotations have changed. */
HpAnnotationLog *hp_annotation_log_new(void);
void hp_annotation_log_free(HpAnnotationLog *self);
void hp_annotation_log_publish(HpAnnotationLog *self, const HpNews *news);

/* Keywords in use, each set of them under a number. */
HpKeywords *hp_keywords_new(void);
void hp_keywords_free(HpKeywords *self);
guint32 hp_keywords_number(HpKeywords *self, const char *text);
const char *hp_keywords_text(HpKeywords *self, guint32 number);
/* @names in the spelling in which they are known, sorted, each once: (transfer full). */
char *hp_keywords_join(HpKeywords *self, const char *const *names);
/* The names in the sets @numbers (set of guint32), each once, sorted: (transfer full). */
GStrv hp_keywords_names(HpKeywords *self, GHashTable *numbers);
guint hp_keywords_count(const char *text); /* names in it */
/* @text with or without those of @change: (transfer full). Pure. */
char *hp_keywords_change(const char *text, const char *change, gboolean add);

/* The shared entries of the mailboxes that are selected. */
HpViews *hp_views_new(void);
void hp_views_free(HpViews *self);
void hp_views_publish(HpViews *self, HpKeywords *keywords, const HpNews *news);
/* Forgets what is kept for a next selection. */
void hp_views_rest(HpViews *self);

/* Of all bytes of a message: (transfer full). @ret_header: (transfer full) */
HpSummary *hp_store_summarise(GBytes *message, GBytes **ret_header);
/* (transfer full) (nullable): if it is kept, of whatever version. */
GBytes *hp_store_kept_header(HpStore *self, gint64 content);
/* Inside an HpDbWork. */
gboolean hp_store_keep_summary(HpDbConn *conn, gint64 content, GBytes *packed,
                               GBytes *header, GError **error);
