/* hp-imap-fetch-args: what a FETCH asks for (RFC 9051 §6.4.5, §9; RFC 3501; RFC 7162,
 * 8474, 8514, 8970, 9394).
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-imap-partial.h"

#define HP_IMAP_MAX_SECTIONS 50  /* BODY[...] of one FETCH */
#define HP_IMAP_MAX_FIELDS   100 /* names of one HEADER.FIELDS */
#define HP_IMAP_MAX_DEPTH    50  /* numbers of a section */

typedef enum {
    HP_FETCH_UID = 1 << 0,
    HP_FETCH_FLAGS = 1 << 1,
    HP_FETCH_INTERNALDATE = 1 << 2,
    HP_FETCH_SIZE = 1 << 3, /* RFC822.SIZE */
    HP_FETCH_MODSEQ = 1 << 4,
    HP_FETCH_EMAILID = 1 << 5,
    HP_FETCH_THREADID = 1 << 6,
    HP_FETCH_SAVEDATE = 1 << 7,
    HP_FETCH_ENVELOPE = 1 << 8,
    HP_FETCH_BODYSTRUCTURE = 1 << 9,
    HP_FETCH_BODY = 1 << 10, /* BODY without a section */
    HP_FETCH_PREVIEW = 1 << 11,
} HpFetchItem;

typedef enum {
    HP_SECTION_ALL,        /* [] or [1.2] */
    HP_SECTION_HEADER,     /* of the message or of the one in a part */
    HP_SECTION_FIELDS,     /* HEADER.FIELDS */
    HP_SECTION_FIELDS_NOT, /* HEADER.FIELDS.NOT */
    HP_SECTION_TEXT,
    HP_SECTION_MIME,
} HpSectionKind;

typedef struct {
    HpSectionKind kind;
    guint depth; /* 0: the whole message */
    guint path[HP_IMAP_MAX_DEPTH];
    GStrv fields;     /* (owned) (nullable) */
    gboolean binary;  /* without its transfer encoding (RFC 9051 §6.4.5, BINARY) */
    gboolean size;    /* and no more than how long that is: BINARY.SIZE */
    char *label;      /* (owned): as the answer names it, "BODY[TEXT]<0>" */
    gboolean partial; /* <first.max> */
    guint64 first;
    guint64 max;
} HpImapSection;

typedef struct _HpImapFetch {
    guint items;         /* HpFetchItem bits */
    GArray *sections;    /* (owned) (nullable): HpImapSection */
    gboolean marks_seen; /* a section without PEEK */
    gboolean changed;    /* CHANGEDSINCE */
    guint64 changed_since;
    gboolean vanished;     /* VANISHED (RFC 7162 §3.2.6) */
    HpImapPartial partial; /* PARTIAL (RFC 9394 §3.3): of the messages of the set */
} HpImapFetch;

void hp_imap_fetch_clear(HpImapFetch *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpImapFetch, hp_imap_fetch_clear)

/* fetch-att in parentheses, one, or a macro. @fetch: hp_imap_fetch_clear() it in any
 * case. */
gboolean hp_imap_take_fetch_items(HpImapArgs *args, HpImapFetch *fetch);

/* What stands behind the set: items and modifiers, up to the end of the command. */
gboolean hp_imap_take_fetch(HpImapArgs *args, HpImapFetch *ret_fetch);

/* %TRUE if the section needs no more than the message's header. */
gboolean hp_imap_section_is_header(const HpImapSection *self);

/* Appends the fields of @header that a section of %HP_SECTION_FIELDS or
 * %HP_SECTION_FIELDS_NOT names, and an empty line. */
void hp_imap_section_fields(const HpImapSection *self, HpSlice header, GString *out);

/* The octets of @whole that a section asks for: @offset and @octets are made smaller. */
void hp_imap_section_cut(const HpImapSection *self, guint64 *offset, guint64 *octets);
