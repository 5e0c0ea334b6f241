/* hp-imap-notify-args: what a client wants to be told of unasked (RFC 5465).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-fetch-args.h"
#include "hp-imap-filter.h"

/* RFC 5465 §5 */
typedef enum {
    HP_NOTIFY_MESSAGE_NEW = 1 << 0,
    HP_NOTIFY_MESSAGE_EXPUNGE = 1 << 1,
    HP_NOTIFY_FLAG_CHANGE = 1 << 2,
    HP_NOTIFY_MAILBOX_NAME = 1 << 3,
    HP_NOTIFY_SUBSCRIPTION_CHANGE = 1 << 4,
    HP_NOTIFY_MAILBOX_METADATA = 1 << 5,
    HP_NOTIFY_SERVER_METADATA = 1 << 6, /* whatever mailboxes its group means */
} HpNotifyEvent;

/* RFC 5465 §8, message-event */
#define HP_NOTIFY_OF_MESSAGES                                                            \
    (HP_NOTIFY_MESSAGE_NEW | HP_NOTIFY_MESSAGE_EXPUNGE | HP_NOTIFY_FLAG_CHANGE)

/* Of mailboxes that are not selected. */
typedef struct {
    HpImapFilter filter;
    guint events; /* HpNotifyEvent bits */
} HpNotifyGroup;

/* With nothing in it: NOTIFY NONE. */
typedef struct {
    gboolean status;   /* STATUS of what is watched is wanted now */
    guint selected;    /* HpNotifyEvent bits: of messages in the selected mailbox */
    gboolean delayed;  /* EXPUNGE there only in commands that allow it */
    HpImapFetch fetch; /* of new messages there; without items and sections: nothing */
    GArray *groups;    /* (owned) (nullable): HpNotifyGroup */
    gboolean unknown;  /* why parsing failed: not BAD, but NO with BADEVENT */
} HpNotifyWish;

void hp_notify_wish_clear(HpNotifyWish *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpNotifyWish, hp_notify_wish_clear)

/**
 * hp_notify_take_wish:
 * @utf8: names are UTF-8 instead of modified UTF-7
 * @ret_wish: empty before; hp_notify_wish_clear() it in any case
 *
 * What stands behind "NOTIFY" SP, up to the end of the command: "SET" with groups of
 * events, or "NONE".
 *
 * Returns: %FALSE if @args are wrong, or with @ret_wish->unknown set if an event is named
 *    that nobody here knows
 */
gboolean hp_notify_take_wish(HpImapArgs *args, gboolean utf8, HpNotifyWish *ret_wish);

/* HpNotifyEvent bits that are wanted of the mailbox @name while it is not selected: those
 * of all groups that mean it. */
guint hp_notify_wish_events(const HpNotifyWish *self, const char *name,
                            gboolean subscribed);

/* Is one of @events (HpNotifyEvent bits) wanted of any mailbox that is not selected? */
gboolean hp_notify_wish_has(const HpNotifyWish *self, guint events);

/* All events that are known, for BADEVENT: "MessageNew MessageExpunge". */
void hp_notify_out_events(GString *out);
