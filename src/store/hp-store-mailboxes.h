/* hp-store-mailboxes: the tree of mailboxes: names, special use, subscriptions, counts.
 *
 * Names are UTF-8 in NFC with "/" between levels; INBOX in any case is INBOX.
 * Subscriptions are names, not mailboxes (RFC 3501 §6.3.6): they outlive deletion.
 *
 * Threads: any.
 */
#pragma once

#include "hp-store.h"
#include "hp-waker.h"

#define HP_STORE_MAX_NAME   1000 /* octets of a name */
#define HP_STORE_MAX_LEVELS 50

/* What RFC 6154 calls these; with those names made and subscribed at set-up. */
#define HP_STORE_SPECIAL_USES "\\Sent", "\\Drafts", "\\Trash", "\\Junk", "\\Archive"

/* The use as it is spelt there, %NULL if it is none of them; in any case. */
const char *hp_store_known_use(const char *use);

/* The mailbox that shows the queue: can be neither renamed nor deleted. For clients it is
 * an unknown use (RFC 6154 §6, use-attr-ext). */
#define HP_STORE_OUTBOX_USE "\\Hauspost.Outbox"

/* (transfer full) (nullable): the name as it is kept (NFC, INBOX in capitals, without a
 * "/" at its end); %NULL if it cannot be one: not UTF-8, control characters, levels
 * that are empty or called ".", ".." or "~", too long. The calls below take names in any
 * form. */
char *hp_store_normal_name(const char *name);

/* (transfer full): by name. HP_STORE_ERROR_NOT_FOUND. */
HpStoreMailbox *hp_store_find(HpStore *self, const char *name, GError **error);

/* Missing levels above are made too. @special_use: (nullable): "\\Sent"; the mailbox that
 * had it loses it. HP_STORE_ERROR_EXISTS. */
gboolean hp_store_create(HpStore *self, const char *name, const char *special_use,
                         gint64 *ret_id, GError **error);

/* With all below it; INBOX instead leaves an empty INBOX and moves its mail (RFC 3501
 * §6.3.5). Uids and uidvalidity go with the mailbox. */
gboolean hp_store_rename(HpStore *self, const char *name, const char *new_name,
                         GError **error);

/* Its mail is erased; mailboxes below it stay. Not INBOX, not what holds a special use of
 * the program itself (Outbox): HP_STORE_ERROR_NOT_PERMITTED. Sessions that have it
 * selected see their view end. */
gboolean hp_store_delete(HpStore *self, const char *name, GError **error);

/* Whether or not there is a mailbox of that name. HP_STORE_ERROR_NOT_PERMITTED. */
gboolean hp_store_set_subscribed(HpStore *self, const char *name, gboolean subscribed,
                                 GError **error);

/* Names, sorted; also of mailboxes that are not there (any more): (transfer full). */
GStrv hp_store_subscriptions(HpStore *self, GError **error);

/* Rung after any change of the tree or of a mailbox's counts; a session or the daemon
 * listens. Remove before the waker is freed. */
void hp_store_watch(HpStore *self, HpWaker *waker);
void hp_store_unwatch(HpStore *self, HpWaker *waker);
