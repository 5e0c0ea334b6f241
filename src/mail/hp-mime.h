/* hp-mime: the parts of a MIME message as offsets (RFC 2045, RFC 2046), found by a
 * bounded, iterative walk.
 *
 * Threads: any; pure functions.
 */
#pragma once

#include "hp-slice.h"

#define HP_MIME_MAX_DEPTH  50   /* parts inside each other */
#define HP_MIME_MAX_PARTS  1000 /* of a message */
#define HP_MIME_MAX_PARAMS 100  /* of a field */

/* Content-Transfer-Encoding, RFC 2045 §6 */
typedef enum {
    HP_MIME_7BIT, /* also when the field is missing */
    HP_MIME_8BIT,
    HP_MIME_BINARY,
    HP_MIME_QUOTED_PRINTABLE,
    HP_MIME_BASE64,
    HP_MIME_UNKNOWN_ENCODING,
} HpMimeEncoding;

/* What a part may contain. */
typedef enum {
    HP_MIME_LEAF,
    HP_MIME_MULTIPART, /* its parts follow it */
    HP_MIME_MESSAGE,   /* the message in it follows it as one part */
} HpMimeKind;

typedef struct {
    guint parent; /* index; the root has its own: 0 */
    guint depth;  /* 0 for the root */
    HpMimeKind kind;
    size_t header_start;  /* offsets into the message */
    size_t body_start;    /* behind the empty line */
    size_t body_end;      /* before the line end that belongs to the next boundary */
    HpSlice type;         /* "text" as written, or the default */
    HpSlice subtype;      /* "plain" */
    HpSlice content_type; /* the folded body of the field, empty if there is none */
    HpMimeEncoding encoding;
} HpMimePart;

typedef struct {
    HpSlice message; /* as given; must outlive this */
    GArray *parts;   /* (owned): HpMimePart, in the order of the message */
    gboolean
        truncated; /* a limit was met: what is beyond it belongs to the part it is in */
} HpMime;

/* Walks @message. Never fails: whatever it is, the root is a part. */
HpMime *hp_mime_new(HpSlice message);
void hp_mime_free(HpMime *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpMime, hp_mime_free)

/* The part of that number, below parts->len. (transfer none) */
const HpMimePart *hp_mime_part(const HpMime *self, guint index);

/**
 * hp_mime_parse_type:
 * @content_type: the body of a Content-Type field
 * @ret_type: (out): "text"
 * @ret_subtype: (out): "plain"
 *
 * Returns: %FALSE if it is not type "/" subtype (RFC 2045 §5.1)
 */
gboolean hp_mime_parse_type(HpSlice content_type, HpSlice *ret_type,
                            HpSlice *ret_subtype);

/**
 * hp_mime_param:
 * @value: the body of a Content-Type or Content-Disposition field
 * @name: "charset", any case
 *
 * Finds a parameter among the first %HP_MIME_MAX_PARAMS; comments are skipped.
 *
 * Returns: (transfer full) (nullable): its value, unquoted; a NUL inside ends it
 */
char *hp_mime_param(HpSlice value, const char *name);

/**
 * hp_mime_next_param:
 * @c: cursor over the body of such a field, before a ";"; moves behind the parameter
 * @ret_name: (out): the attribute as written; empty if there is no "="
 * @ret_value: is set to the value, unquoted; may hold any byte
 *
 * Returns: %FALSE if there are no more
 */
gboolean hp_mime_next_param(HpCursor *c, HpSlice *ret_name, GString *ret_value);

/* The first token of a field, behind comments: "attachment"; may be empty. */
HpSlice hp_mime_token(HpSlice value);
