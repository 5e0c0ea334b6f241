/* hp-summary: what IMAP tells about a message without its bytes: ENVELOPE, BODYSTRUCTURE,
 * where the parts are, sort keys, thread references, preview. Computed once on arrival
 * from hostile bytes, kept beside the content, read back for each FETCH.
 *
 * Threads: any; a summary is immutable once it is made.
 */
#pragma once

#include "hp-slice.h"

/* A newer program's summary is richer: one that was kept with a lower number is computed
 * again when it is asked for. */
#define HP_SUMMARY_VERSION 1

#define HP_SUMMARY_MAX_PREVIEW 200 /* characters, RFC 8970 §3.2 */

/* RFC 3501 §6.4.5, section-part: where the parts are in the message. In order (each
 * number is at least the one before it), but a summary does not know how long the content
 * is that it is read with: who cuts must look. */
typedef struct {
    guint64 mime_start; /* the MIME header of the part */
    guint64 body_start; /* behind its empty line */
    guint64 body_end;
    guint encoding;           /* HpMimeEncoding */
    gboolean is_message;      /* message/rfc822 (global): has HEADER and TEXT */
    guint64 inner_start;      /* of the message in it, if it has one */
    guint64 inner_text_start; /* behind that message's header */
} HpSummaryPart;

typedef struct _HpSummary HpSummary;

/* Never fails: whatever it is, it is a message. Bounds: design's and those of hp-mime. */
HpSummary *hp_summary_new(HpSlice message);
void hp_summary_free(HpSummary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpSummary, hp_summary_free)

/* As bytes to be kept, and back: (transfer full) (nullable): %NULL if @kept is of another
 * version or not what hp_summary_pack() made. */
GBytes *hp_summary_pack(const HpSummary *self);
HpSummary *hp_summary_unpack(HpSlice kept);

/* Octets of the header with its empty line. */
guint64 hp_summary_header_len(const HpSummary *self);

/* Appends the value of ENVELOPE (RFC 3501 §7.4.2). @utf8: the client has said ENABLE
 * UTF8=ACCEPT or IMAP4rev2, else header text that is not ASCII is written as encoded
 * words (RFC 2047) and addresses by RFC 6857 §3; never raw 8-bit bytes. */
void hp_summary_append_envelope(const HpSummary *self, gboolean utf8, GString *out);

/* Appends the value of BODYSTRUCTURE, or of BODY (without @extended data). */
void hp_summary_append_structure(const HpSummary *self, gboolean extended, gboolean utf8,
                                 GString *out);

/* The part of that number: {1, 2} is "1.2" (RFC 3501 §6.4.5; of a message that is no
 * multipart, 1 is its text). %FALSE if there is none. */
gboolean hp_summary_find_part(const HpSummary *self, const guint *path, guint depth,
                              HpSummaryPart *ret_part);

/* All parts in order, for searching (their MIME headers, the headers of messages in them,
 * their texts): @index from 0, which is the message itself; %FALSE at the end.
 * @ret_charset: (transfer none) (nullable): %NULL if the part is no text, "" if it does
 * not say. */
gboolean hp_summary_nth_part(const HpSummary *self, guint index, HpSummaryPart *ret_part,
                             const char **ret_charset);

/* Sort keys (RFC 5256 §2, RFC 5957); UTF-8, (transfer none), never %NULL. */
const char *hp_summary_base_subject(const HpSummary *self);
gboolean hp_summary_is_reply(const HpSummary *self); /* subject is a reply or forward */
typedef enum { HP_SUMMARY_FROM, HP_SUMMARY_TO, HP_SUMMARY_CC } HpSummaryAddress;
const char *hp_summary_mailbox(const HpSummary *self, HpSummaryAddress of);
const char *hp_summary_display(const HpSummary *self, HpSummaryAddress of);

/* Seconds since 1970, of the Date field in UTC; %FALSE if it has none that can be read.
 * @ret_day: (out): the day as written, without its zone (RFC 3501, SENTON), in days since
 * 1970. */
gboolean hp_summary_sent(const HpSummary *self, gint64 *ret_sec, gint64 *ret_day);

/* Threading (RFC 5256 §3): normalised message ids without <>; "" if there is none. The
 * references, else In-Reply-To's first, separated by newlines, oldest first. */
const char *hp_summary_message_id(const HpSummary *self);
const char *hp_summary_references(const HpSummary *self);

/* RFC 8970: UTF-8, one line, at most %HP_SUMMARY_MAX_PREVIEW characters. */
const char *hp_summary_preview(const HpSummary *self);
