/* hp-imap-notify-private: what NOTIFY (RFC 5465) has arranged in a session: which events
 * of the selected mailbox are told, and what of the others has been told already.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-imap-notify-args.h"
#include "hp-imap-session-private.h"
#include "hp-imap-tree.h"

struct _HpImapNotify {
    HpNotifyWish wish;
    HpImapTree *tree; /* (owned) (nullable): mailboxes as the client was told; %NULL if
                         nothing of them is wanted */
    gboolean is_watching; /* the store rings */
    gboolean has_rung;    /* something may have happened to mailboxes */
    gint64 look_usec;     /* monotonic: not before, so that looking costs little */

    /* What this client has done itself since the last look, and need not be told of. */
    GHashTable *own_names;   /* (owned): set of char (owned) */
    GHashTable *own_changes; /* (owned): gint64 of a mailbox to how many, both in place */
    GHashTable *own_uids;    /* (owned): set of uids: new messages in the selected one */

    GHashTable *unsaid; /* (owned): set of uids of the selected one: their flags have
                           changed, and the client did not want to know */
};

/* --- hp-imap-notify.c: the selected mailbox ------------------------------------------
 */

void hp_imap_notify_free(HpImapNotify *self, HpImapSession *s);

/* HpNotifyEvent bits that are told of the selected mailbox. */
guint hp_imap_notify_selected(const HpImapSession *s);
/* May EXPUNGE be told while no command is carried out? */
gboolean hp_imap_notify_expunges_at_once(const HpImapSession *s);
/* The flags of @uid have changed, and are told only when somebody wants to know. */
void hp_imap_notify_put_off(HpImapSession *s, guint32 uid);
/* EXISTS was told: tells what is wanted of the messages from @first_seq on. */
void hp_imap_notify_arrivals(HpImapSession *s, guint32 first_seq);

/* This client has changed a mailbox. @uids: (nullable): of messages that it has put
 * there. */
void hp_imap_notify_own_change(HpImapSession *s, gint64 mailbox, const GArray *uids);
/* This client has made, renamed, deleted or subscribed @name. */
void hp_imap_notify_own_name(HpImapSession *s, const char *name);
/* To be called before s->view is closed: from now on it is one among the others. */
void hp_imap_notify_deselect(HpImapSession *s);

/* --- hp-imap-notify-look.c: the other mailboxes --------------------------------------
 */

/* Clears the waker; something may have happened. */
void hp_imap_notify_hear(HpImapSession *s);
/* Monotonic time at which hp_imap_notify_look() has something to do; %G_MAXINT64: when
 * the waker rings. */
gint64 hp_imap_notify_due_usec(const HpImapSession *s);
/* If it is time for it, tells what has happened to other mailboxes. */
void hp_imap_notify_look(HpImapSession *s);
/* The same, whether or not it is time for it. */
void hp_imap_notify_look_now(HpImapSession *s);
/* Before NOTIFY SET is answered: STATUS of all that is watched. */
void hp_imap_notify_tell_all(HpImapSession *s);
/* Are these more mailboxes than one session may watch? */
gboolean hp_imap_notify_is_too_much(const HpNotifyWish *wish, const HpImapTree *tree);
/* From now on nothing is told, as after NOTIFY NONE. */
void hp_imap_notify_stop(HpImapSession *s);
