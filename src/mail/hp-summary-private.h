/* hp-summary-private: what the files of hp-summary share.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-header.h"
#include "hp-mime.h"
#include "hp-summary.h"

/* Octets of header fields that are read into one summary: hostile mail has a thousand
 * parts with 256 KiB of header each. What is beyond it is NIL. */
#define HP_SUMMARY_BUDGET ((size_t)512 * 1024)

#define HP_SUMMARY_MAX_TEXT      ((size_t)16 * 1024) /* octets of one field that is text */
#define HP_SUMMARY_MAX_ADDRESSES 1000                /* of one field; design §6 */

/* ---- texts with choices ----------------------------------------------------------- */

/* ENVELOPE and BODYSTRUCTURE are kept as what goes to the client, with choices in it. The
 * marks are bytes that hp_summary_write_quoted() never lets through. */
#define HP_SUMMARY_EXTENDED     '\001' /* only in BODYSTRUCTURE */
#define HP_SUMMARY_EXTENDED_END '\002'
#define HP_SUMMARY_ASCII        '\003' /* one for clients without UTF-8, */
#define HP_SUMMARY_UTF8         '\004' /* and one for those with it */
#define HP_SUMMARY_ALIKE        '\005'

/* Appends @text as the client gets it; never fails, whatever @text is. */
void hp_summary_choose(const char *text, gboolean extended, gboolean utf8, GString *out);

/* quoted, RFC 3501 §9. Everything is quoted and nothing a literal: control characters,
 * which would need one, become spaces, but for the tab. @utf8 must be valid. */
void hp_summary_write_quoted(GString *out, HpSlice utf8);

/* Text of a field, which people read: @raw is unfolded. Non-ASCII text as an encoded word
 * for those without UTF-8. */
void hp_summary_write_text(GString *out, HpSlice raw);

/* A token, which programs read: bytes that are not ASCII as "?" for those without UTF-8.
 */
void hp_summary_write_token(GString *out, HpSlice raw);

/* The same for the body of a field, folded. */
void hp_summary_write_text_field(GString *out, HpSlice body);
void hp_summary_write_token_field(GString *out, HpSlice body);

/* Header bytes as valid UTF-8: encoded words decoded, raw 8-bit bytes and raw ISO-2022-JP
 * understood (RFC 7103 §7.6, §7.7). (transfer full) */
char *hp_summary_decode(HpSlice raw);

/* ---- header fields ---------------------------------------------------------------- */

typedef enum {
    HP_SUMMARY_FIELD_DATE,
    HP_SUMMARY_FIELD_SUBJECT,
    HP_SUMMARY_FIELD_FROM,
    HP_SUMMARY_FIELD_SENDER,
    HP_SUMMARY_FIELD_REPLY_TO,
    HP_SUMMARY_FIELD_TO,
    HP_SUMMARY_FIELD_CC,
    HP_SUMMARY_FIELD_BCC,
    HP_SUMMARY_FIELD_IN_REPLY_TO,
    HP_SUMMARY_FIELD_MESSAGE_ID,
    HP_SUMMARY_FIELD_REFERENCES,
    HP_SUMMARY_FIELD_ID,
    HP_SUMMARY_FIELD_DESCRIPTION,
    HP_SUMMARY_FIELD_ENCODING,
    HP_SUMMARY_FIELD_DISPOSITION,
    HP_SUMMARY_FIELD_LANGUAGE,
    HP_SUMMARY_FIELD_LOCATION,
    HP_SUMMARY_FIELD_MD5,
    HP_SUMMARY_FIELD_COUNT,
} HpSummaryFieldName;

#define HP_SUMMARY_MAX_REPEATED 8 /* fields of one name, of those with addresses */
#define HP_SUMMARY_MAX_FIELDS   (HP_SUMMARY_FIELD_COUNT + 6 * (HP_SUMMARY_MAX_REPEATED - 1))

typedef struct {
    guint n;
    struct {
        HpSummaryFieldName name;
        HpSlice body; /* folded */
    } rows[HP_SUMMARY_MAX_FIELDS];
} HpSummaryFields;

/* The fields of @header that are of interest, in order; @budget loses what they have. */
void hp_summary_read_fields(HpSlice header, size_t *budget, HpSummaryFields *ret_fields);

/* The first one of that name. */
gboolean hp_summary_field(const HpSummaryFields *self, HpSummaryFieldName name,
                          HpSlice *ret_body);

/* ---- addresses -------------------------------------------------------------------- */

typedef enum {
    HP_SUMMARY_ADDRESS_MAILBOX,
    HP_SUMMARY_ADDRESS_GROUP,     /* its name is @local */
    HP_SUMMARY_ADDRESS_GROUP_END, /* nothing is set */
} HpSummaryAddressKind;

/* Raw bytes, unquoted. */
typedef struct {
    HpSummaryAddressKind kind;
    gboolean in_group;
    HpSlice name;  /* empty if there is none */
    HpSlice route; /* "@a,@b", or empty */
    HpSlice local;
    HpSlice domain; /* empty if there is none */
} HpSummaryMailbox;

typedef void (*HpSummaryEachMailbox)(const HpSummaryMailbox *mailbox, gpointer data);

/* Reads an address-list (RFC 5322 §3.4) as a person would: unlike hp_address_scan() it
 * drops nothing that could be shown. @body may be folded. */
void hp_summary_each_mailbox(HpSlice body, guint max, HpSummaryEachMailbox each,
                             gpointer data);

/* ---- the parts of a summary ------------------------------------------------------- */

/* RFC 3501 §7.4.2. */
void hp_summary_write_envelope(GString *out, const HpSummaryFields *fields);

/* The parameters of @value (behind its first token) as a parenthesized list, RFC 2231
 * decoded; NIL if there are none. */
void hp_summary_write_params(GString *out, HpSlice value);

/* %TRUE if what is in the part follows it. */
gboolean hp_summary_is_open(const HpMime *mime, guint index);

/* What a part is called that is not open; %FALSE if that is not what its header says. */
gboolean hp_summary_leaf_type(const HpMime *mime, guint index, HpSlice *ret_type,
                              HpSlice *ret_subtype);

/* The whole structure of @mime. */
void hp_summary_write_structure(GString *out, const HpMime *mime, size_t *budget);

/* (transfer full): RFC 5256 §2.1. @subject: folded. */
char *hp_summary_find_base_subject(HpSlice subject, gboolean *ret_reply);

/* (transfer full): of the first address of those fields */
char *hp_summary_find_mailbox(const HpSummaryFields *fields, HpSummaryFieldName name);
char *hp_summary_find_display(const HpSummaryFields *fields, HpSummaryFieldName name);

/* (transfer full): RFC 5256 §3 */
char *hp_summary_find_message_id(const HpSummaryFields *fields);
char *hp_summary_find_references(const HpSummaryFields *fields);

/* As hp_summary_sent() says it. */
gboolean hp_summary_find_date(const HpSummaryFields *fields, gint64 *ret_sec,
                              gint64 *ret_day);

/* (transfer full) */
char *hp_summary_find_preview(const HpMime *mime);

/* Appends what a person would read in @html, UTF-8, at least @enough octets of it if
 * there are so many; line ends and tags that break lines are white space. */
void hp_summary_read_html(HpSlice html, size_t enough, GString *out);

/* ---- kept ------------------------------------------------------------------------- */

typedef enum {
    HP_SUMMARY_TEXT_ENVELOPE,
    HP_SUMMARY_TEXT_STRUCTURE,
    HP_SUMMARY_TEXT_BASE_SUBJECT,
    HP_SUMMARY_TEXT_MAILBOX, /* of From, To, Cc */
    HP_SUMMARY_TEXT_DISPLAY = HP_SUMMARY_TEXT_MAILBOX + 3,
    HP_SUMMARY_TEXT_MESSAGE_ID = HP_SUMMARY_TEXT_DISPLAY + 3,
    HP_SUMMARY_TEXT_REFERENCES,
    HP_SUMMARY_TEXT_PREVIEW,
    HP_SUMMARY_TEXT_COUNT,
} HpSummaryText;

typedef struct {
    guint parent;
    HpMimeKind kind;
    HpMimeEncoding encoding;
    gboolean is_text;
    guint64 mime_start;
    guint64 body_start;
    guint64 body_end;
    const char *charset; /* (unowned): of a text, never NULL */
} HpSummaryKeptPart;

struct _HpSummary {
    char *kept; /* (owned): what hp_summary_pack() gives away; the texts point into it */
    size_t kept_len;
    gboolean is_reply;
    gboolean is_dated;
    gint64 sent_sec;
    gint64 sent_day;
    const char *texts[HP_SUMMARY_TEXT_COUNT]; /* (unowned) */
    guint n_parts;
    HpSummaryKeptPart *parts; /* (owned) */
};

/* A summary that owns nothing, as bytes. */
GString *hp_summary_write_kept(const HpSummary *self);

/* What a kept summary says of itself: without it hp_summary_unpack() refuses it. */
void hp_summary_seal(GString *kept);
