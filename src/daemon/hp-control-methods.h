/* hp-control-methods: the methods of org.hauspost.Hauspost1, by subject; hp-control puts
 * them into its table. What each takes and gives is written in data/
 * org.hauspost.Hauspost1.xml.
 *
 * Threads: the control thread.
 */
#pragma once

#include "hp-bus.h"
#include "hp-parts.h"

/* hp-control-status.c */
GVariant *hp_control_status(HpBusCall *call, GError **error);
GVariant *hp_control_account(HpBusCall *call, GError **error);
GVariant *hp_control_certificate(HpBusCall *call, GError **error);
GVariant *hp_control_identities(HpBusCall *call, GError **error);
/* "running", "paused" or "read_only"; (transfer none). */
const char *hp_control_state(HpParts *parts);

/* hp-control-queue.c */
GVariant *hp_control_pause(HpBusCall *call, GError **error);
GVariant *hp_control_resume(HpBusCall *call, GError **error);
GVariant *hp_control_queue(HpBusCall *call, GError **error);
GVariant *hp_control_message(HpBusCall *call, GError **error);
GVariant *hp_control_summary(HpBusCall *call, GError **error);
GVariant *hp_control_retry(HpBusCall *call, GError **error);
GVariant *hp_control_hold(HpBusCall *call, GError **error);
GVariant *hp_control_release(HpBusCall *call, GError **error);
GVariant *hp_control_cancel(HpBusCall *call, GError **error);
GVariant *hp_control_export(HpBusCall *call, GError **error);
GVariant *hp_control_history(HpBusCall *call, GError **error);
GVariant *hp_control_history_stats(HpBusCall *call, GError **error);

/* hp-control-explain.c */
GVariant *hp_control_explain(HpBusCall *call, GError **error);

/* hp-control-mail.c: passwords */
GVariant *hp_control_passwords(HpBusCall *call, GError **error);
GVariant *hp_control_new_password(HpBusCall *call, GError **error);
GVariant *hp_control_rotate_password(HpBusCall *call, GError **error);
GVariant *hp_control_revoke_password(HpBusCall *call, GError **error);

/* hp-control-mailbox.c */
GVariant *hp_control_mailboxes(HpBusCall *call, GError **error);
GVariant *hp_control_mailbox_create(HpBusCall *call, GError **error);
GVariant *hp_control_mailbox_rename(HpBusCall *call, GError **error);
GVariant *hp_control_mailbox_delete(HpBusCall *call, GError **error);
GVariant *hp_control_mailbox_cleanup(HpBusCall *call, GError **error);
GVariant *hp_control_check(HpBusCall *call, GError **error);
GVariant *hp_control_repair(HpBusCall *call, GError **error);

/* hp-control-answer.c: helpers of all */

/* A descriptor from which @bytes can be read to their end, added to the answer; the tuple
 * "(h)" for it. The bytes are in memory only. */
GVariant *hp_control_answer_fd(HpBusCall *call, HpSlice bytes, GError **error);

/* Makes what a module gave the error that the caller shall see; always %NULL. */
GVariant *hp_control_fail(GError *cause, GError **error);

/* Adds a time as RFC 3339 text, unless it is 0 or for ever. */
void hp_control_add_time(GVariantDict *dict, const char *key, gint64 wall_usec);
