/* GETMETADATA, SETMETADATA and what is told of annotations unasked (RFC 5464). */
#include "hp-imap-session-private.h"

#include "hp-store-annotations.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_ENTRIES HP_STORE_MAX_ANNOTATIONS /* of one command */
#define ADMIN_ENTRY "/shared/admin"          /* RFC 5464 §3.2.1.1: of the server */

/* --- arguments -----------------------------------------------------------------------
 */

/* A mailbox, or "": the server. */
typedef struct {
    gboolean server;
    char *name; /* (owned) (nullable): as hp_imap_take_mailbox() gives it */
} Place;

static void
place_clear(Place *self)
{
    g_free(self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static gboolean
take_place(HpImapSession *s, HpImapArgs *args, Place *place)
{
    HpImapArgs again = *args;
    g_autofree char *text = NULL;

    if (!hp_imap_take_space(args) || !hp_imap_take_mailbox(s, args, &place->name))
        return FALSE;
    place->server = hp_imap_take_space(&again) && hp_imap_take_astring(&again, &text) &&
                    *text == '\0';
    return TRUE;
}

/* entry = astring; @is_good says which of them can be one. */
static gboolean
take_entry(HpImapArgs *args, gboolean (*is_good)(const char *name), char **ret_entry)
{
    g_autofree char *entry = NULL;
    HpCursor before = args->c;

    if (!hp_imap_take_astring(args, &entry))
        return FALSE;
    if (!is_good(entry)) {
        args->c = before;
        return hp_imap_want(args,
                            _("the name of an annotation such as /private/comment"));
    }
    *ret_entry = g_steal_pointer(&entry);
    return TRUE;
}

gboolean
hp_imap_take_entries(HpImapArgs *args, GPtrArray *entries)
{
    gboolean listed = hp_imap_skip(args, '(');

    do {
        char *entry = NULL;

        if (entries->len == MAX_ENTRIES)
            return hp_imap_want(args, _("fewer annotations"));
        if (!take_entry(args, hp_store_is_entry_root, &entry))
            return FALSE;
        g_ptr_array_add(entries, entry);
        /* RFC 5464 §4.4.1 shows two without parentheses, against its grammar. */
    } while (hp_imap_skip(args, ' '));
    return !listed || hp_imap_take_char(args, ')');
}

typedef enum { DEPTH_0, DEPTH_1, DEPTH_INFINITY } Depth;

typedef struct {
    guint64 max_size; /* octets */
    Depth depth;
    GPtrArray *entries; /* (owned): char */
} Wanted;

static void
wanted_clear(Wanted *self)
{
    g_ptr_array_unref(self->entries);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

static gboolean
take_depth(HpImapArgs *args, Depth *ret_depth)
{
    if (hp_imap_skip_word(args, "0"))
        *ret_depth = DEPTH_0;
    else if (hp_imap_skip_word(args, "1"))
        *ret_depth = DEPTH_1;
    else if (hp_imap_skip_word(args, "infinity"))
        *ret_depth = DEPTH_INFINITY;
    else
        return hp_imap_want(args, _("0, 1 or infinity"));
    return TRUE;
}

/* getmetadata-options = "(" option *(SP option) ")" */
static gboolean
take_options(HpImapArgs *args, Wanted *wanted)
{
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (hp_imap_skip_word(args, "MAXSIZE")) {
            if (!hp_imap_take_space(args) ||
                !hp_imap_take_number(args, HP_IMAP_MAX_NUMBER, &wanted->max_size))
                return FALSE;
        } else if (hp_imap_skip_word(args, "DEPTH")) {
            if (!hp_imap_take_space(args) || !take_depth(args, &wanted->depth))
                return FALSE;
        } else {
            return hp_imap_want(args, _("MAXSIZE or DEPTH"));
        }
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* Is this "(MAXSIZE" or "(DEPTH", rather than a list of entries? */
static gboolean
at_options(const HpImapArgs *args)
{
    HpImapArgs ahead = *args;

    return hp_imap_skip(&ahead, '(') && g_ascii_isalpha(hp_imap_peek(&ahead));
}

/* getmetadata = "GETMETADATA" [SP options] SP mailbox SP entries; in all examples of the
 * RFC the options stand behind the mailbox, and there clients send them, too. */
static gboolean
take_get(HpImapSession *s, HpImapArgs *args, Place *place, Wanted *wanted)
{
    HpImapArgs ahead = *args;
    gboolean first = hp_imap_skip(&ahead, ' ') && at_options(&ahead);

    if (first && (!hp_imap_take_space(args) || !take_options(args, wanted)))
        return FALSE;
    if (!take_place(s, args, place) || !hp_imap_take_space(args))
        return FALSE;
    if (!first && at_options(args) &&
        (!take_options(args, wanted) || !hp_imap_take_space(args)))
        return FALSE;
    return hp_imap_take_entries(args, wanted->entries) && hp_imap_take_end(args);
}

/* literal8 = "~" literal, with NUL in it (RFC 4466 §6) */
static gboolean
take_literal8(HpImapArgs *args, GBytes **ret_value)
{
    guint64 octets;
    HpSlice rest;

    if (!hp_imap_take_char(args, '~') || !hp_imap_take_literal_size(args, &octets))
        return FALSE;
    rest = hp_cursor_rest(&args->c);
    if (octets > rest.len)
        return hp_imap_want(args, _("the octets of a literal"));
    *ret_value = g_bytes_new(rest.data, (gsize)octets);
    args->c.at += octets;
    return TRUE;
}

/* value = nstring / literal8 */
static gboolean
take_value(HpImapArgs *args, GBytes **ret_value)
{
    g_autofree char *text = NULL;

    if (hp_imap_peek(args) == '~')
        return take_literal8(args, ret_value);
    if (!hp_imap_take_nstring(args, &text))
        return FALSE;
    if (text != NULL)
        *ret_value = g_bytes_new(text, strlen(text));
    return TRUE;
}

/* entry-values = "(" entry SP value *(SP entry SP value) ")" */
static gboolean
take_entry_values(HpImapArgs *args, GPtrArray *annotations)
{
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        g_autofree char *entry = NULL;
        g_autoptr(GBytes) value = NULL;

        if (annotations->len == MAX_ENTRIES)
            return hp_imap_want(args, _("fewer annotations"));
        if (!take_entry(args, hp_store_is_entry, &entry) || !hp_imap_take_space(args) ||
            !take_value(args, &value))
            return FALSE;
        g_ptr_array_add(annotations, hp_store_annotation_new(entry, value));
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* Which mailbox it is, or it is answered. */
static gboolean
find_place(HpImapSession *s, const Place *place, gint64 *ret_id)
{
    g_autoptr(HpStoreMailbox) mailbox = NULL;

    *ret_id = HP_STORE_SERVER;
    if (place->server)
        return TRUE;
    mailbox = hp_imap_find_mailbox(s, place->name, NULL);
    if (mailbox != NULL)
        *ret_id = mailbox->id;
    return mailbox != NULL;
}

/* --- answers -------------------------------------------------------------------------
 */

static GString *
begin_response(HpImapSession *s, const char *mailbox)
{
    GString *line = g_string_new("* METADATA ");

    hp_imap_out_mailbox(line, mailbox, s->utf8);
    g_string_append(line, " (");
    return line;
}

static void
end_response(HpImapSession *s, GString *line, gboolean any)
{
    g_string_truncate(line, line->len - 1); /* the last space */
    g_string_append(line, ")\r\n");
    if (any)
        hp_imap_write(s, hp_slice_of_string(line));
}

/* Is @entry the one that is asked for, or so far below it? */
static gboolean
is_asked_for(const char *entry, const char *asked, Depth depth)
{
    size_t len = strlen(asked);

    if (g_ascii_strncasecmp(entry, asked, len) != 0)
        return FALSE;
    if (entry[len] == '\0' || depth == DEPTH_0)
        return entry[len] == '\0';
    return entry[len] == '/' &&
           (depth == DEPTH_INFINITY || strchr(entry + len + 1, '/') == NULL);
}

/* Annotations on their way to the client. */
typedef struct {
    HpImapSession *s;     /* (unowned) */
    const Wanted *wanted; /* (unowned) */
    const GPtrArray *all; /* (unowned): HpStoreAnnotation: that the place has */
    GHashTable *told;     /* (owned): of @all, by address */
    GString *line;        /* (owned) */
    gboolean any;         /* something stands in it */
    gsize longest;        /* of what was too long, 0: nothing was */
} Telling;

static void
tell_one(Telling *self, const HpStoreAnnotation *annotation)
{
    gsize len;
    const char *data = g_bytes_get_data(annotation->value, &len);

    if (!g_hash_table_add(self->told, (gpointer)annotation->entry))
        return;
    if (len > self->wanted->max_size) {
        self->longest = MAX(self->longest, len);
        return;
    }
    hp_imap_out_entry(self->line, annotation->entry);
    g_string_append_c(self->line, ' ');
    hp_imap_out_string8(self->line, (HpSlice){ data, len }, self->s->utf8);
    g_string_append_c(self->line, ' ');
    self->any = TRUE;
}

/* A response is required (RFC 5464 §4.2): what is not there is NIL, if it was named. */
static void
tell_asked(Telling *self, const char *asked)
{
    gboolean found = self->wanted->depth != DEPTH_0;

    for (guint i = 0; i < self->all->len; i++) {
        const HpStoreAnnotation *annotation = g_ptr_array_index(self->all, i);

        if (is_asked_for(annotation->entry, asked, self->wanted->depth)) {
            tell_one(self, annotation);
            found = TRUE;
        }
    }
    if (found)
        return;
    hp_imap_out_entry(self->line, asked);
    g_string_append(self->line, " NIL ");
    self->any = TRUE;
}

/* Returns the octets of the longest value that was too long, 0 if none was. */
static gsize
tell_annotations(HpImapSession *s, const char *mailbox, const Wanted *wanted,
                 const GPtrArray *all)
{
    g_autoptr(GHashTable) told = g_hash_table_new(NULL, NULL);
    g_autoptr(GString) line = begin_response(s, mailbox);
    Telling telling = { s, wanted, all, told, line, FALSE, 0 };

    for (guint i = 0; i < wanted->entries->len; i++)
        tell_asked(&telling, g_ptr_array_index(wanted->entries, i));
    end_response(s, line, telling.any);
    return telling.longest;
}

gboolean
hp_imap_tell_entries(HpImapSession *s, const HpStoreMailbox *mailbox, GPtrArray *entries,
                     GError **error)
{
    g_autoptr(GPtrArray) all =
        hp_store_annotations(s->options->store, mailbox->id, error);
    Wanted wanted = { G_MAXUINT64, DEPTH_0, entries };

    if (all == NULL)
        return FALSE;
    tell_annotations(s, mailbox->name, &wanted, all);
    return TRUE;
}

/* --- commands ------------------------------------------------------------------------
 */

/* Whom to ask about this server: its only user. */
static void
add_admin(HpImapSession *s, GPtrArray *all)
{
    const char *admin = s->options->admin;
    g_autoptr(GBytes) value =
        admin != NULL ? g_bytes_new_static(admin, strlen(admin)) : NULL;

    if (value != NULL)
        g_ptr_array_add(all, hp_store_annotation_new(ADMIN_ENTRY, value));
}

static void
get(HpImapSession *s, const Place *place, const Wanted *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autofree char *code = NULL;
    gint64 id;
    gsize longest;

    if (!find_place(s, place, &id))
        return;
    all = hp_store_annotations(s->options->store, id, &error);
    if (all == NULL) {
        hp_imap_fail(s, error);
        return;
    }
    if (place->server)
        add_admin(s, all);
    longest = tell_annotations(s, place->server ? "" : place->name, wanted, all);
    if (longest > 0)
        code = g_strdup_printf("METADATA LONGENTRIES %" G_GSIZE_FORMAT, longest);
    hp_imap_ok(s, code, _("These are the annotations."));
}

gboolean
hp_imap_cmd_getmetadata(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Place) place = { 0 };
    g_auto(Wanted)
        wanted = { G_MAXUINT64, DEPTH_0, g_ptr_array_new_with_free_func(g_free) };

    if (!take_get(s, args, &place, &wanted))
        return FALSE;
    get(s, &place, &wanted);
    return TRUE;
}

void
hp_imap_refuse_value(HpImapSession *s)
{
    g_autofree char *code =
        g_strdup_printf("METADATA MAXSIZE %" G_GSIZE_FORMAT, HP_STORE_MAX_ANNOTATION);

    hp_imap_no(s, code, _("This is too long for an annotation."));
}

static gboolean
is_admin(const HpStoreAnnotation *annotation)
{
    return g_ascii_strcasecmp(annotation->entry, ADMIN_ENTRY) == 0;
}

static gboolean
is_too_long(const HpStoreAnnotation *annotation)
{
    return annotation->value != NULL &&
           g_bytes_get_size(annotation->value) > HP_STORE_MAX_ANNOTATION;
}

static gboolean
has_any(const GPtrArray *annotations, gboolean (*is_one)(const HpStoreAnnotation *one))
{
    for (guint i = 0; i < annotations->len; i++)
        if (is_one(g_ptr_array_index(annotations, i)))
            return TRUE;
    return FALSE;
}

static void
set(HpImapSession *s, const Place *place, const GPtrArray *annotations)
{
    g_autoptr(GError) error = NULL;
    gint64 id;

    if (!find_place(s, place, &id))
        return;
    if (has_any(annotations, is_too_long))
        hp_imap_refuse_value(s);
    else if (place->server && has_any(annotations, is_admin))
        hp_imap_no(s, "CANNOT", _("Clients cannot change this annotation."));
    else if (hp_store_annotate(s->options->store, id, annotations, s, &error))
        hp_imap_ok(s, NULL, _("The annotations are kept."));
    else
        hp_imap_fail(s, error);
}

/* setmetadata = "SETMETADATA" SP mailbox SP entry-values */
gboolean
hp_imap_cmd_setmetadata(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(Place) place = { 0 };
    g_autoptr(GPtrArray) annotations =
        g_ptr_array_new_with_free_func(hp_store_annotation_free);

    if (!take_place(s, args, &place) || !hp_imap_take_space(args) ||
        !take_entry_values(args, annotations) || !hp_imap_take_end(args))
        return FALSE;
    set(s, &place, annotations);
    return TRUE;
}
