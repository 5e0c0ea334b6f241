/* hp-imap-filter: which mailboxes a command is about without naming them one by one:
 * filter-mailboxes of NOTIFY (RFC 5465 §6) and of ESEARCH (RFC 7377 §2.2).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-args.h"

#define HP_IMAP_MAX_FILTERS      100  /* of one command */
#define HP_IMAP_MAX_FILTER_NAMES 1000 /* of one filter */

typedef enum {
    HP_FILTER_SELECTED = 1 << 0,
    HP_FILTER_SELECTED_DELAYED = 1 << 1,
    HP_FILTER_INBOXES = 1 << 2,
    HP_FILTER_PERSONAL = 1 << 3,
    HP_FILTER_SUBSCRIBED = 1 << 4,
    HP_FILTER_SUBTREE = 1 << 5,     /* of @names: each with all below it */
    HP_FILTER_SUBTREE_ONE = 1 << 6, /* each with what is one level below it */
    HP_FILTER_MAILBOXES = 1 << 7,   /* @names themselves */
} HpImapFilterKind;

/* What both commands know. */
#define HP_FILTER_COMMON                                                                 \
    (HP_FILTER_SELECTED | HP_FILTER_INBOXES | HP_FILTER_PERSONAL |                       \
     HP_FILTER_SUBSCRIBED | HP_FILTER_SUBTREE | HP_FILTER_MAILBOXES)

typedef struct {
    HpImapFilterKind kind;
    GHashTable *names; /* (owned) (nullable): set of char (owned), as the store keeps
                          names; without those that nothing can have */
} HpImapFilter;

void hp_imap_filter_clear(HpImapFilter *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpImapFilter, hp_imap_filter_clear)

/**
 * hp_imap_take_filter:
 * @allowed: HpImapFilterKind bits: others are wrong
 * @utf8: names are UTF-8 instead of modified UTF-7
 * @ret_filter: initialised before; hp_imap_filter_clear() it in any case
 *
 * ABNF: filter-mailboxes.
 */
gboolean hp_imap_take_filter(HpImapArgs *args, guint allowed, gboolean utf8,
                             HpImapFilter *ret_filter);

/* Does it mean the mailbox @name, as the store keeps names? Never by being selected: that
 * is the caller's to know. The time is that of the levels of @name. */
gboolean hp_imap_filter_matches(const HpImapFilter *self, const char *name,
                                gboolean subscribed);
