/* hp-submission: what a submission server does to the header of a message (RFC 6409 §8):
 * judges the sender, adds what is missing, removes what is nobody's business.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-identities.h"

/**
 * HpSubmissionVerdict: whether the message may be sent
 * @HP_SUBMISSION_FINE: it may
 * @HP_SUBMISSION_WRONG_SENDER: the envelope sender is not one of the user's addresses
 * @HP_SUBMISSION_WRONG_FROM: an address in From (in Resent-From where there is one) is
 * not
 * @HP_SUBMISSION_UNREADABLE_FROM: that field has no address, or something in it that
 * other programs might read as one
 */
typedef enum {
    HP_SUBMISSION_FINE,
    HP_SUBMISSION_WRONG_SENDER,
    HP_SUBMISSION_WRONG_FROM,
    HP_SUBMISSION_UNREADABLE_FROM,
} HpSubmissionVerdict;

typedef struct {
    const HpIdentities *identities; /* (unowned) */
    const char *hostname;           /* (unowned): for Received; also a local domain */
    const char *user_name;   /* (unowned) (nullable): display name for a missing From */
    const HpAddress *sender; /* (unowned) (nullable): the reverse path; %NULL for "<>" */
    gboolean only_local;     /* every recipient is local: any sender may write */
    const char *protocol;    /* (unowned): from hp_trace_protocol() */
    const char *id;          /* (unowned): of the session or the message */
    gint64 now_wall_usec;
} HpSubmissionRequest;

typedef struct {
    HpSubmissionVerdict verdict;
    char *culprit;    /* (owned) (nullable): the address or field that is wrong,
                         printable, at most 200 characters */
    GString *header;  /* (owned) (nullable): the new header with its empty line; %NULL if
                         the verdict is not FINE */
    char *subject;    /* (owned) (nullable): decoded, printable, at most 200 characters */
    char *message_id; /* (owned) (nullable): with its angle brackets */
    guint32 hops;     /* Received fields that were there */
    gboolean eight_bit; /* the new header has bytes ≥ 128 */
} HpSubmission;

/* %TRUE if the envelope sender alone is acceptable; known before any header is. */
gboolean hp_submission_allows_sender(const HpSubmissionRequest *request);

/**
 * hp_submission_new:
 * @header: the first bytes of the message: all of its header with the empty line. Lines
 * end in CRLF
 *
 * The new header is: one Received line that tells neither the client's name nor its
 * address; then the old header byte for byte, without Bcc, Resent-Bcc and Return-Path
 * and without an empty Date or Message-ID; then Date, Message-ID and From where they are
 * missing. Addresses without a domain, at localhost or at @hostname become the account's
 * address in From, Sender, Reply-To, To, Cc and their Resent- forms, unless all
 * recipients are local. A line that is no header field ends the header: an empty line is
 * put in front of it. An mbox "From " line on top is dropped.
 *
 * Returns: (transfer full)
 */
HpSubmission *hp_submission_new(HpSlice header, const HpSubmissionRequest *request);
void hp_submission_free(HpSubmission *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSubmission, hp_submission_free)
