/* hp-store-annotations: named values that clients keep beside a mailbox, or beside the
 * server as a whole (RFC 5464). They go where their mailbox goes, and end with it.
 *
 * Threads: any but an HpDbWork.
 */
#pragma once

#include "hp-store.h"

#define HP_STORE_SERVER ((gint64)0) /* stands for the id of a mailbox */

/* RFC 5464 §4.1 wants at least 1,024 octets and 10 entries. */
#define HP_STORE_MAX_ANNOTATION  ((size_t)64 * 1024) /* octets of a value */
#define HP_STORE_MAX_ANNOTATIONS 100                 /* of a mailbox, or of the server */
#define HP_STORE_MAX_ANNOTATED   ((size_t)1024 * 1024) /* octets of all those values */
#define HP_STORE_MAX_ENTRY       255                   /* octets of a name */
#define HP_STORE_MAX_ENTRY_PARTS 20                    /* between slashes */

/* What is in all mailboxes and the server together. */
#define HP_STORE_MAX_ALL_ANNOTATIONS 10000
#define HP_STORE_MAX_ALL_ANNOTATED   ((size_t)16 * 1024 * 1024) /* octets */

/* The special use of a mailbox as an annotation (RFC 6154 §4). */
#define HP_STORE_USE_ENTRY "/private/specialuse"

/* Can an annotation have this name (RFC 5464 §3.2)? Pure. Names are the same in any case.
 */
gboolean hp_store_is_entry(const char *name);
/* Or can at least names below it? */
gboolean hp_store_is_entry_root(const char *name);

typedef struct {
    char *entry;   /* (owned) */
    GBytes *value; /* (owned) (nullable): %NULL removes the annotation */
} HpStoreAnnotation;
HpStoreAnnotation *hp_store_annotation_new(const char *entry, GBytes *value);
void hp_store_annotation_free(gpointer annotation);

/* Of a mailbox or of %HP_STORE_SERVER, by name: (transfer full) (element-type
 * HpStoreAnnotation). %HP_STORE_USE_ENTRY is among them if the mailbox has a use. */
GPtrArray *hp_store_annotations(HpStore *self, gint64 mailbox, GError **error);

/**
 * hp_store_annotate:
 * @annotations: (element-type HpStoreAnnotation): good names and values of at most
 *    %HP_STORE_MAX_ANNOTATION octets
 * @author: (nullable): whoever need not be told of it
 *
 * Sets or removes all of them, or none. %HP_STORE_USE_ENTRY changes the special use: the
 * mailbox that had it loses it, and retention counts from now.
 *
 * HP_STORE_ERROR_NOT_FOUND: no such mailbox; HP_STORE_ERROR_TOO_MANY: beyond one of the
 * limits above; HP_STORE_ERROR_BAD_USE: no such use, or not of this mailbox.
 */
gboolean hp_store_annotate(HpStore *self, gint64 mailbox, const GPtrArray *annotations,
                           gconstpointer author, GError **error);

typedef struct {
    gint64 mailbox;
    char *entry; /* (owned) */
} HpStoreAnnotated;

/* The number of the last change. */
guint64 hp_store_annotation_mark(HpStore *self);
/* What others than @author changed after @mark, which moves on to the last change:
 * (transfer full) (element-type HpStoreAnnotated): each once. Whoever is more than 1,024
 * of them behind is told of all that there are. hp_store_watch() tells when to ask. */
GPtrArray *hp_store_annotation_news(HpStore *self, guint64 *mark, gconstpointer author);
