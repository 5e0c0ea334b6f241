/* hp-imap-session-private: what the families of commands share.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-imap-args.h"
#include "hp-imap-session.h"
#include "hp-imap-set.h"
#include "hp-imap-write.h"
#include "hp-store-messages.h"

/* RFC 9051 §3 */
typedef enum {
    HP_IMAP_FRESH = 1 << 0,     /* not authenticated */
    HP_IMAP_LOGGED_IN = 1 << 1, /* authenticated */
    HP_IMAP_SELECTED = 1 << 2,
    HP_IMAP_ENDED = 1 << 3, /* logout */
} HpImapState;

/* A literal that has been announced and not read: the message of an APPEND. */
typedef struct {
    gboolean pending;
    gboolean waits; /* the client waits for "+" before it sends it */
    guint64 octets;
} HpImapLiteral;

typedef struct _HpImapNotify HpImapNotify; /* hp-imap-notify-private.h */

typedef struct {
    HpConnection *connection;     /* (unowned) */
    HpChannel *channel;           /* (unowned) */
    const HpImapOptions *options; /* (unowned) */
    HpWaker *waker;               /* (owned): rung by the view */
    HpImapState state;
    gint64 login_by_usec;
    HpAuthDelay delay;
    guint failures; /* logins that failed */
    guint errors;   /* commands that made no sense */

    GString *command;      /* (owned): as read, literals in place */
    HpImapLiteral literal; /* at the end of @command */
    char *tag;             /* (owned): of this command; "*" until it is known */
    gboolean may_expunge;  /* this command may be answered with EXPUNGE */

    gboolean utf8;      /* ENABLE UTF8=ACCEPT or IMAP4rev2: UTF-8 in quoted strings */
    gboolean rev2;      /* ENABLE IMAP4rev2 */
    gboolean condstore; /* RFC 7162: MODSEQ in each FETCH response about flags */
    gboolean qresync;   /* VANISHED instead of EXPUNGE */
    gboolean uidonly;   /* RFC 9586: the same, UIDFETCH, and no message numbers */
    gboolean metadata;  /* ENABLE METADATA: told of annotations that others change */
    guint64 annotation_mark; /* the last change of annotations that was told */

    HpView *view;       /* (owned) (nullable): set while SELECTED */
    gboolean read_only; /* EXAMINE */
    GStrv keywords;     /* (owned) (nullable): that FLAGS has told */
    GHashTable *sets;   /* (owned) (nullable): guint32 numbers of sets of them */
    GArray *saved;      /* (owned) (nullable): "$" (RFC 5182): guint32 uids, ascending */
    gint64 progress_usec; /* when something was last said while a command works */
    HpImapNotify
        *notify; /* (owned) (nullable): until NOTIFY is used for the first time */
} HpImapSession;

/**
 * HpImapRun:
 * @args: right behind the command's name
 * @uid: the command began with UID
 *
 * Carries out a command, and answers it with hp_imap_ok(), hp_imap_no() or
 * hp_imap_fail().
 *
 * Returns: %FALSE if @args are wrong: it is not answered then, the caller says BAD with
 *    what @args wanted and where
 */
typedef gboolean (*HpImapRun)(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* --- hp-imap-reply.c: a failure to write ends the session ----------------------------
 */

/* Bytes as they are. */
void hp_imap_write(HpImapSession *s, HpSlice bytes);
/* "* " and a line end around it. */
void hp_imap_untagged(HpImapSession *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "* OK [code] text"; @code: (nullable). */
void hp_imap_say(HpImapSession *s, const char *condition, const char *code,
                 const char *text);

/* The end of a command: tells what is new in the mailbox, then "tag OK [code] text".
 * @code: (nullable). */
void hp_imap_ok(HpImapSession *s, const char *code, const char *text);
void hp_imap_no(HpImapSession *s, const char *code, const char *text);
/* What a client should not have said: too many of them end the session. */
void hp_imap_bad(HpImapSession *s, const char *text);
/* The same with a @code (nullable). */
void hp_imap_bad_code(HpImapSession *s, const char *code, const char *text);
/* NO for what the store or the system says; unknown things go to the log too. */
void hp_imap_fail(HpImapSession *s, const GError *error);
/* The last words. */
void hp_imap_bye(HpImapSession *s, const char *code, const char *text);

/* RFC 9585: while a command works on its @done-th of @goal things (0: unknown) says so
 * every ten seconds. %FALSE if the session has ended meanwhile: give up. */
gboolean hp_imap_progress(HpImapSession *s, guint64 done, guint64 goal);

/* --- hp-imap-news.c ------------------------------------------------------------------
 */

/* What a command has done itself, and so is no news to the client. */
typedef struct {
    gboolean expunged; /* what is gone is told, whatever NOTIFY says */
    guint64 modseq;    /* of its change of flags, which have been told ... */
    gboolean silent;   /* ... or, after .SILENT, are not to be told */
    GArray *untold;    /* (unowned) (nullable): guint32 uids, ascending, whose flags
                          somebody else had changed before: they are told even so */
} HpImapOwn;
/* Tells EXISTS, changed flags and, if allowed, EXPUNGE or VANISHED. @own: (nullable). */
void hp_imap_tell_news(HpImapSession *s, gboolean may_expunge, const HpImapOwn *own);
/* Appends "* seq FETCH (", or "* uid UIDFETCH (" (RFC 9586 §3.3). */
void hp_imap_begin_fetch(const HpImapSession *s, guint32 seq, guint32 uid, GString *out);
/* "* seq FETCH (UID u FLAGS (...))" with MODSEQ if the client knows of it. */
void hp_imap_tell_flags(HpImapSession *s, guint32 seq, const HpViewEntry *entry);
/* "* VANISHED (EARLIER) 1:3": of @uids (guint32, ascending) those in @known (nullable:
 * all), never what the view still has, which is told when that goes. */
void hp_imap_tell_vanished_earlier(HpImapSession *s, const GArray *uids,
                                   const GArray *known);
/* From now on the client knows of MODSEQ; tells HIGHESTMODSEQ if that is new (RFC 7162
 * §3.1.2). */
void hp_imap_use_condstore(HpImapSession *s);

/**
 * hp_imap_resolve:
 * @uid: the set is one of uids
 * @ret_seqs: (out) (transfer full) (element-type HpImapRange): sequence numbers that are
 *    there, ascending
 *
 * Returns: %FALSE if it names sequence numbers that are not there
 */
gboolean hp_imap_resolve(HpImapSession *s, const HpImapSet *set, gboolean uid,
                         GArray **ret_seqs);
/* The same and the set before it; wrong numbers are @args' fault. */
gboolean hp_imap_take_messages(HpImapSession *s, HpImapArgs *args, gboolean uid,
                               GArray **ret_seqs);
/* (transfer full) (element-type guint32): their uids. */
GArray *hp_imap_uids_of(HpImapSession *s, const GArray *seqs);

/* --- hp-imap-keywords.c --------------------------------------------------------------
 */

/* Tells FLAGS again before a keyword of that set (HpViewEntry) is told for the first time
 * (RFC 9051 §7.3.5). */
void hp_imap_know_keywords(HpImapSession *s, guint32 set);
/* "* FLAGS (...)"; returns the keywords with a space before each: (transfer full). */
char *hp_imap_tell_flags_in_use(HpImapSession *s);
/* Has the mailbox of @view (nullable) room for @keywords (nullable)? %FALSE: no, which is
 * answered (RFC 9051 §7.1, LIMIT). */
gboolean hp_imap_check_keywords(HpImapSession *s, HpView *view, char *const *keywords);

/* --- hp-imap-read.c ------------------------------------------------------------------
 */

/* Reads a command into s->command; of an APPEND only up to the message. %FALSE if there
 * is none to carry out: it was answered, or the session has ended. */
gboolean hp_imap_read_command(HpImapSession *s);
/* What stands behind a literal that the caller has read: into s->command, which loses
 * what it held. */
gboolean hp_imap_read_more(HpImapSession *s);
/* Reads the literal that is pending, having asked for it if the client waits for that;
 * %FALSE: the session has ended. */
typedef void (*HpImapSink)(HpSlice piece, gpointer data);
gboolean hp_imap_read_literal(HpImapSession *s, HpImapSink sink, gpointer data);
/* Reads and forgets a literal, and the rest of the command, if they come uninvited. */
void hp_imap_drop_literal(HpImapSession *s);
/* Sets the deadline: @usec from now, before login not beyond the time for that. */
void hp_imap_set_timeout(HpImapSession *s, gint64 usec);
/* Last words, if the error leaves room for some; the session has ended. */
void hp_imap_give_up(HpImapSession *s, const GError *error);

/* --- hp-imap-session.c ---------------------------------------------------------------
 */

/* The capabilities that hold now, separated by spaces: (transfer full). */
char *hp_imap_capabilities(const HpImapSession *s);
gboolean hp_imap_may_login(const HpImapSession *s);

/* --- commands ------------------------------------------------------------------------
 */

/* hp-imap-login.c */
gboolean hp_imap_cmd_starttls(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_login(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_authenticate(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-list.c */
gboolean hp_imap_cmd_list(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_lsub(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-mailbox.c */
/* @ret_name: (out) (transfer full): as it is kept; %NULL for one that cannot be. */
gboolean hp_imap_take_mailbox(HpImapSession *s, HpImapArgs *args, char **ret_name);
/* The mailbox of that name (nullable), or it is answered; @code: (nullable): of the
 * answer if it might be created. */
HpStoreMailbox *hp_imap_find_mailbox(HpImapSession *s, const char *name,
                                     const char *code);
gboolean hp_imap_cmd_create(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_delete(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_rename(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_subscribe(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_unsubscribe(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-status.c */
typedef enum {
    HP_STATUS_MESSAGES = 1 << 0,
    HP_STATUS_RECENT = 1 << 1,
    HP_STATUS_UIDNEXT = 1 << 2,
    HP_STATUS_UIDVALIDITY = 1 << 3,
    HP_STATUS_UNSEEN = 1 << 4,
    HP_STATUS_DELETED = 1 << 5,
    HP_STATUS_SIZE = 1 << 6,            /* RFC 8438 */
    HP_STATUS_HIGHESTMODSEQ = 1 << 7,   /* RFC 7162 */
    HP_STATUS_APPENDLIMIT = 1 << 8,     /* RFC 7889 */
    HP_STATUS_MAILBOXID = 1 << 9,       /* RFC 8474 */
    HP_STATUS_DELETED_STORAGE = 1 << 10 /* RFC 9208 */
} HpImapStatusItem;
/* @ret_items: HpImapStatusItem bits */
gboolean hp_imap_take_status_items(HpImapArgs *args, guint *ret_items);
/* "* STATUS name (...)" */
void hp_imap_tell_status(HpImapSession *s, const HpStoreMailbox *mailbox, guint items);
gboolean hp_imap_cmd_status(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_getquota(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_getquotaroot(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-select.c */
gboolean hp_imap_cmd_select(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_examine(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_close(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_unselect(HpImapSession *s, HpImapArgs *args, gboolean uid);
void hp_imap_deselect(HpImapSession *s);

/* hp-imap-append.c */
gboolean hp_imap_cmd_append(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_replace(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-fetch.c */
typedef struct _HpImapFetch HpImapFetch; /* hp-imap-fetch-args.h */
/* FETCH responses of @seqs that nobody has asked for with a command. */
void hp_imap_fetch_tell(HpImapSession *s, const HpImapFetch *fetch, const GArray *seqs);
gboolean hp_imap_cmd_fetch(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-change.c */
/* Erases what is marked as deleted, of @seqs (nullable: of all). Tells nothing. */
gboolean hp_imap_expunge(HpImapSession *s, const GArray *seqs, GError **error);
/* %FALSE: the mailbox is open for reading only, which is answered. */
gboolean hp_imap_check_writable(HpImapSession *s);
/* Tells what is gone, and ends the command that has expunged it. */
void hp_imap_finish_expunge(HpImapSession *s, const char *text);
gboolean hp_imap_cmd_store(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_expunge(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_copy(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_move(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-outbox.c: the mailbox that shows the queue */
GQuark hp_imap_outbox_error_quark(void); /* its texts say why, to the user */
gboolean hp_imap_outbox_selected(const HpImapSession *s);
/* %TRUE: nothing can be put into @to, which is answered. */
gboolean hp_imap_outbox_keeps_out(HpImapSession *s, const HpStoreMailbox *to);
/* %TRUE: it is selected, and what is under way cannot be replaced, which is answered. */
gboolean hp_imap_outbox_keeps_its_own(HpImapSession *s);
/* If it is selected: gives up the messages @uids, which are about to be expunged. */
gboolean hp_imap_outbox_cancel(HpImapSession *s, const GArray *uids, GError **error);
/* If it is selected and @change sets $retry: tries @uids now. */
gboolean hp_imap_outbox_retry(HpImapSession *s, const GArray *uids,
                              const HpStoreFlagChange *change, GError **error);
/* It is selected: copies to @to, gives up, expunges. As hp_store_copy(). */
gboolean hp_imap_outbox_move(HpImapSession *s, const GArray *uids,
                             const HpStoreMailbox *to, GArray **ret, GError **error);

/* hp-imap-notify.c */
gboolean hp_imap_cmd_notify(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-metadata.c */
/* entries = entry / "(" entry *(SP entry) ")" */
gboolean hp_imap_take_entries(HpImapArgs *args, GPtrArray *entries);
/* "* METADATA name (...)" with each of @entries, NIL for those that are not there. */
gboolean hp_imap_tell_entries(HpImapSession *s, const HpStoreMailbox *mailbox,
                              GPtrArray *entries, GError **error);
/* NO, saying how long a value may be. */
void hp_imap_refuse_value(HpImapSession *s);
gboolean hp_imap_cmd_getmetadata(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_setmetadata(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-metadata-news.c */
void hp_imap_use_metadata(HpImapSession *s); /* ENABLE METADATA */
void hp_imap_forget_metadata(HpImapSession *s);
/* Before it is wanted, perhaps for the first time: what is older is not told. */
void hp_imap_begin_metadata(HpImapSession *s);
/* "* METADATA name entry ..." of what others have changed. */
void hp_imap_tell_metadata(HpImapSession *s);

/* hp-imap-idle.c */
/* Between commands, for those who have used NOTIFY: waits until the client says
 * something, and tells what happens meanwhile. %FALSE: the session has ended. */
gboolean hp_imap_await_command(HpImapSession *s);
gboolean hp_imap_cmd_idle(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-search-many.c */
gboolean hp_imap_cmd_esearch(HpImapSession *s, HpImapArgs *args, gboolean uid);

/* hp-imap-search.c, hp-imap-sort.c, hp-imap-thread.c */
gboolean hp_imap_cmd_search(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_sort(HpImapSession *s, HpImapArgs *args, gboolean uid);
gboolean hp_imap_cmd_thread(HpImapSession *s, HpImapArgs *args, gboolean uid);
