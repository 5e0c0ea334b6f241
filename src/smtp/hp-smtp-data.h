/* hp-smtp-data: takes the block of DATA, completes its header and puts it into the
 * intake.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-channel.h"
#include "hp-envelope.h"
#include "hp-smtp-session.h"

typedef struct _HpSmtpData HpSmtpData;

/* What to answer when a message is not taken. */
typedef struct {
    guint code;
    const char *enhanced; /* (unowned) */
    char *text;           /* (owned): a sentence that says what to do */
} HpSmtpRefusal;

void hp_smtp_refusal_clear(HpSmtpRefusal *self);

/* Octets for people: mebibytes (as in the settings), rounded up. */
guint hp_smtp_megabytes(guint64 octets);

/**
 * hp_smtp_data_open:
 * @options: (unowned)
 * @envelope: (unowned): sender and recipients; hp_smtp_data_commit() completes it
 * @size_hint: octets that SIZE announced, or 0
 * @ret_refusal: (out): set on failure: no room, or the disk fails
 *
 * Begins a message, before the client is told to go ahead.
 */
HpSmtpData *hp_smtp_data_open(const HpSmtpServerOptions *options, HpEnvelope *envelope,
                              guint64 size_hint, HpSmtpRefusal *ret_refusal);

/* Forgets what was not committed. */
void hp_smtp_data_free(HpSmtpData *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSmtpData, hp_smtp_data_free)

/* For the Received field: how the message came (RFC 3848: "ESMTPSA"; RFC 6531 §4.3) and
 * the session's id; both outlive it. */
void hp_smtp_data_set_origin(HpSmtpData *self, const char *protocol, const char *id);

/**
 * hp_smtp_data_receive:
 * @error: #HP_NET_ERROR: the connection failed; nothing is left behind
 *
 * Reads the block to its true end, whatever is wrong with it. At least 500 octets a
 * second must come, after the first three minutes.
 */
gboolean hp_smtp_data_receive(HpSmtpData *self, HpChannel *channel, GError **error);

/**
 * hp_smtp_data_commit:
 * @ret_id: (out) (transfer full): name of the message
 * @ret_refusal: (out): set on failure
 *
 * Makes the message durable.
 *
 * Returns: %TRUE if it may be acknowledged
 */
gboolean hp_smtp_data_commit(HpSmtpData *self, char **ret_id, HpSmtpRefusal *ret_refusal);
