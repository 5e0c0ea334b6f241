/* hp-imap-fetch-private: what the files of FETCH share.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-imap-fetch-args.h"
#include "hp-imap-session-private.h"

typedef struct {
    guint32 seq;
    HpViewEntry entry;
} HpImapFetched;

typedef struct {
    HpImapSession *s;         /* (unowned) */
    const HpImapFetch *fetch; /* (unowned) */
    GString *out;             /* (owned): of the answer, not sent yet */
    char *buffer;             /* (owned) (nullable): %HP_IMAP_PIECE octets */
    guint expunged;           /* messages that are gone and were not told so yet */
    guint damaged;            /* that cannot be read */
    guint unknown;            /* parts whose transfer encoding nobody knows */
    HpImapOwn own;            /* that messages are marked as seen */
} HpImapFetching;

#define HP_IMAP_PIECE ((size_t)64 * 1024) /* octets read at once */

/* --- hp-imap-fetch-items.c: an answer's pieces ---------------------------------------
 */

/* Appends the name of an item and a space behind it, and before it unless it is the
 * first; returns where its value goes. */
GString *hp_imap_fetch_item(HpImapFetching *self, const char *name);
/* "* 1 FETCH (UID 3 FLAGS ()": UID first; all that comes from the view. */
void hp_imap_fetch_begin(HpImapFetching *self, const HpImapFetched *message);
/* What comes from the summary (nullable). */
void hp_imap_fetch_summary(HpImapFetching *self, const HpSummary *summary);
/* Sections that are made of the header alone. */
void hp_imap_fetch_headers(HpImapFetching *self, HpSlice header);
/* Appends the name of a section and the octets it has, without them. */
void hp_imap_fetch_announce(HpImapFetching *self, const HpImapSection *section,
                            guint64 octets);
/* Sends what was gathered, unless the session has ended: it may not be whole. */
void hp_imap_fetch_send(HpImapFetching *self);

/* --- hp-imap-fetch-body.c ------------------------------------------------------------
 */

/* One message with all its sections, streamed. */
void hp_imap_fetch_whole(HpImapFetching *self, const HpImapFetched *message);

typedef struct {
    guint64 offset;
    guint64 octets;
} HpImapSpan;
/* A piece of a content into self->buffer; 0: it cannot be read, and the session has
 * ended, for only a closed connection can tell that an answer is not whole. */
size_t hp_imap_fetch_read(HpImapFetching *self, HpContent *content, HpImapSpan what);

/* --- hp-imap-fetch-binary.c ----------------------------------------------------------
 */

/* The item of a binary section, decoded from what is at @what. */
void hp_imap_fetch_binary(HpImapFetching *self, const HpImapSection *section,
                          HpContent *content, HpImapSpan what, guint encoding);
