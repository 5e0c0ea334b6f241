#include "hp-imap-search-program.h"

#include "hp-casemap.h"
#include "hp-store.h"
#include "hp-text-stream.h"

#include <glib/gi18n.h>
#include <string.h>

/* What stands behind a key's name. */
typedef enum {
    NOTHING,
    DATE,
    OCTETS,    /* number64 */
    INTERVAL,  /* nz-number, seconds */
    TEXT,      /* astring */
    FIELD,     /* astring astring */
    FLAG_NAME, /* flag-keyword */
    UIDS,
    MODSEQ,
    OBJECT_ID,
} Argument;

static const struct {
    const char *name; /* (unowned) */
    HpSearchKind kind;
    Argument argument;
    gboolean inverted;
    guint32 flag;      /* of HP_SEARCH_FLAG */
    const char *field; /* (unowned) (nullable): of HP_SEARCH_HEADER */
} words[] = {
    { "ALL", HP_SEARCH_ALL, NOTHING, FALSE, 0, NULL },
    { "ANSWERED", HP_SEARCH_FLAG, NOTHING, FALSE, HP_STORE_ANSWERED, NULL },
    { "BCC", HP_SEARCH_HEADER, TEXT, FALSE, 0, "Bcc" },
    { "BEFORE", HP_SEARCH_BEFORE, DATE, FALSE, 0, NULL },
    { "BODY", HP_SEARCH_BODY, TEXT, FALSE, 0, NULL },
    { "CC", HP_SEARCH_HEADER, TEXT, FALSE, 0, "Cc" },
    { "DELETED", HP_SEARCH_FLAG, NOTHING, FALSE, HP_STORE_DELETED, NULL },
    { "DRAFT", HP_SEARCH_FLAG, NOTHING, FALSE, HP_STORE_DRAFT, NULL },
    { "EMAILID", HP_SEARCH_EMAIL_ID, OBJECT_ID, FALSE, 0, NULL },
    { "FLAGGED", HP_SEARCH_FLAG, NOTHING, FALSE, HP_STORE_FLAGGED, NULL },
    { "FROM", HP_SEARCH_HEADER, TEXT, FALSE, 0, "From" },
    { "HEADER", HP_SEARCH_HEADER, FIELD, FALSE, 0, NULL },
    { "KEYWORD", HP_SEARCH_KEYWORD, FLAG_NAME, FALSE, 0, NULL },
    { "LARGER", HP_SEARCH_LARGER, OCTETS, FALSE, 0, NULL },
    { "MODSEQ", HP_SEARCH_MODSEQ, MODSEQ, FALSE, 0, NULL },
    /* \Recent is not kept (RFC 9051 has no such flag): nothing is recent. */
    { "NEW", HP_SEARCH_ALL, NOTHING, TRUE, 0, NULL },
    { "OLD", HP_SEARCH_ALL, NOTHING, FALSE, 0, NULL },
    { "OLDER", HP_SEARCH_OLDER, INTERVAL, FALSE, 0, NULL },
    { "ON", HP_SEARCH_ON, DATE, FALSE, 0, NULL },
    { "RECENT", HP_SEARCH_ALL, NOTHING, TRUE, 0, NULL },
    { "SAVEDATESUPPORTED", HP_SEARCH_ALL, NOTHING, FALSE, 0, NULL },
    { "SAVEDBEFORE", HP_SEARCH_SAVED_BEFORE, DATE, FALSE, 0, NULL },
    { "SAVEDON", HP_SEARCH_SAVED_ON, DATE, FALSE, 0, NULL },
    { "SAVEDSINCE", HP_SEARCH_SAVED_SINCE, DATE, FALSE, 0, NULL },
    { "SEEN", HP_SEARCH_FLAG, NOTHING, FALSE, HP_STORE_SEEN, NULL },
    { "SENTBEFORE", HP_SEARCH_SENT_BEFORE, DATE, FALSE, 0, NULL },
    { "SENTON", HP_SEARCH_SENT_ON, DATE, FALSE, 0, NULL },
    { "SENTSINCE", HP_SEARCH_SENT_SINCE, DATE, FALSE, 0, NULL },
    { "SINCE", HP_SEARCH_SINCE, DATE, FALSE, 0, NULL },
    { "SMALLER", HP_SEARCH_SMALLER, OCTETS, FALSE, 0, NULL },
    { "SUBJECT", HP_SEARCH_HEADER, TEXT, FALSE, 0, "Subject" },
    { "TEXT", HP_SEARCH_TEXT, TEXT, FALSE, 0, NULL },
    { "THREADID", HP_SEARCH_THREAD_ID, OBJECT_ID, FALSE, 0, NULL },
    { "TO", HP_SEARCH_HEADER, TEXT, FALSE, 0, "To" },
    { "UID", HP_SEARCH_UID, UIDS, FALSE, 0, NULL },
    { "UNANSWERED", HP_SEARCH_FLAG, NOTHING, TRUE, HP_STORE_ANSWERED, NULL },
    { "UNDELETED", HP_SEARCH_FLAG, NOTHING, TRUE, HP_STORE_DELETED, NULL },
    { "UNDRAFT", HP_SEARCH_FLAG, NOTHING, TRUE, HP_STORE_DRAFT, NULL },
    { "UNFLAGGED", HP_SEARCH_FLAG, NOTHING, TRUE, HP_STORE_FLAGGED, NULL },
    { "UNKEYWORD", HP_SEARCH_KEYWORD, FLAG_NAME, TRUE, 0, NULL },
    { "UNSEEN", HP_SEARCH_FLAG, NOTHING, TRUE, HP_STORE_SEEN, NULL },
    { "YOUNGER", HP_SEARCH_YOUNGER, INTERVAL, FALSE, 0, NULL },
};

/* A key that is not complete: it waits for its operands. */
typedef struct {
    guint index;
    guint operands; /* that are still missing; of a list: 0 */
} Open;

typedef struct {
    HpImapArgs *args;           /* (unowned) */
    const HpSearchScope *scope; /* (unowned) */
    const char *charset;        /* (unowned): of texts */
    HpSearchProgram *program;   /* (owned): stolen in the end */
    GArray *open;               /* (owned): Open, outermost first */
    GArray *saved; /* (owned) (nullable): ranges of "$", shared by its keys */
} Parser;

static void
clear_key(gpointer data)
{
    HpSearchKey *key = data;

    g_free(key->name);
    g_free(key->needle);
    g_clear_pointer(&key->ranges, g_array_unref);
}

static void
parser_clear(Parser *self)
{
    hp_search_program_free(self->program);
    g_array_unref(self->open);
    g_clear_pointer(&self->saved, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parser, parser_clear)

void
hp_search_program_free(HpSearchProgram *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->keys);
    g_free(self);
}

const HpSearchKey *
hp_search_program_key(const HpSearchProgram *self, guint index)
{
    return &g_array_index(self->keys, HpSearchKey, index);
}

/* Adds a key below the innermost open one; %NULL if there is no room for it. */
static HpSearchKey *
add_key(Parser *p, HpSearchKind kind)
{
    HpSearchKey key = { .kind = kind };

    if (p->program->keys->len == HP_SEARCH_MAX_KEYS) {
        hp_imap_want(p->args, _("fewer search keys"));
        return NULL;
    }
    if (p->open->len > 0)
        key.parent = g_array_index(p->open, Open, p->open->len - 1).index;
    g_array_append_val(p->program->keys, key);
    return &g_array_index(p->program->keys, HpSearchKey, p->program->keys->len - 1);
}

static gboolean
open_key(Parser *p, HpSearchKind kind, guint operands)
{
    Open open = { p->program->keys->len, operands };

    if (p->open->len == HP_SEARCH_MAX_DEPTH)
        return hp_imap_want(p->args, _("search keys that are less nested"));
    if (add_key(p, kind) == NULL)
        return FALSE;
    g_array_append_val(p->open, open);
    return TRUE;
}

/* --- arguments of keys ---------------------------------------------------------------
 */

static gboolean
take_needle(Parser *p, HpSearchKey *key)
{
    g_autofree char *text = NULL;
    g_autofree char *utf8 = NULL;

    if (!hp_imap_take_astring(p->args, &text))
        return FALSE;
    if (strlen(text) > HP_SEARCH_MAX_NEEDLE)
        return hp_imap_want(p->args, _("a shorter text to search for"));
    if (p->charset != NULL) {
        utf8 = hp_text_stream_convert(hp_slice_of(text), p->charset);
        if (utf8 == NULL) {
            p->program->bad_charset = TRUE;
            return FALSE;
        }
    }
    key->needle = hp_casemap_key(utf8 != NULL ? utf8 : text);
    /* Everything holds the empty text; of a field it asks whether it is there. */
    if (key->needle[0] == '\0' && key->kind != HP_SEARCH_HEADER)
        key->kind = HP_SEARCH_ALL;
    return TRUE;
}

static gboolean
take_field(Parser *p, HpSearchKey *key)
{
    return hp_imap_take_astring(p->args, &key->name) && hp_imap_take_space(p->args) &&
           take_needle(p, key);
}

static gboolean
take_keyword(Parser *p, HpSearchKey *key)
{
    HpSlice keyword;

    if (!hp_imap_take_atom(p->args, &keyword))
        return FALSE;
    key->name = hp_slice_dup(keyword);
    return TRUE;
}

static gboolean
take_date(Parser *p, HpSearchKey *key)
{
    gint64 day;

    if (!hp_imap_take_date(p->args, &day))
        return FALSE;
    key->number = (guint64)day; /* back by the same cast */
    return TRUE;
}

static GArray *
ranges_of_uids(const GArray *uids)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(HpImapRange));

    for (guint i = 0; uids != NULL && i < uids->len; i++) {
        guint32 uid = g_array_index(uids, guint32, i);
        HpImapRange range = { uid, uid };
        HpImapRange *last =
            ranges->len > 0 ? &g_array_index(ranges, HpImapRange, ranges->len - 1) : NULL;

        if (last != NULL && last->to + 1 == uid)
            last->to = uid;
        else
            g_array_append_val(ranges, range);
    }
    return ranges;
}

/* "$" stands for uids wherever it stands (RFC 5182 §2.1). */
static gboolean
take_set(Parser *p, HpSearchKey *key)
{
    g_auto(HpImapSet) set = { NULL, FALSE };
    HpImapArgs before = *p->args;

    if (!hp_imap_take_set(p->args, &set))
        return FALSE;
    if (key->kind == HP_SEARCH_SEQ && p->scope->uid_only && !set.saved) {
        *p->args = before;
        return hp_imap_want_uid(p->args);
    }
    if (set.saved) {
        key->kind = HP_SEARCH_UID;
        if (p->saved == NULL)
            p->saved = ranges_of_uids(p->scope->saved);
        key->ranges = g_array_ref(p->saved);
    } else {
        key->ranges = hp_imap_set_sort(
            &set, key->kind == HP_SEARCH_UID ? p->scope->last_uid : p->scope->last_seq);
    }
    return TRUE;
}

/* entry-type-req */
static gboolean
skip_entry_type(HpImapArgs *args)
{
    return hp_imap_skip_word(args, "priv") || hp_imap_skip_word(args, "shared") ||
           hp_imap_skip_word(args, "all") || hp_imap_want(args, _("priv, shared or all"));
}

/* [entry-name SP entry-type-req SP] mod-sequence-valzer; there is one mod-sequence for
 * all metadata of a message, so the entry is ignored, as RFC 7162 §3.1.5 says. */
static gboolean
take_modseq(Parser *p, HpSearchKey *key)
{
    g_autofree char *entry = NULL;

    p->program->has_modseq = TRUE;
    if (hp_imap_peek(p->args) == '"' &&
        (!hp_imap_take_string(p->args, &entry) || !hp_imap_take_space(p->args) ||
         !skip_entry_type(p->args) || !hp_imap_take_space(p->args)))
        return FALSE;
    return hp_imap_take_number(p->args, HP_IMAP_MAX_MODSEQ, &key->number);
}

static gboolean
take_object_id(Parser *p, HpSearchKey *key)
{
    return hp_imap_take_astring(p->args, &key->name);
}

static gboolean
take_octets(Parser *p, HpSearchKey *key)
{
    return hp_imap_take_number(p->args, G_MAXINT64, &key->number);
}

static gboolean
take_interval(Parser *p, HpSearchKey *key)
{
    return hp_imap_take_nz_number(p->args, HP_IMAP_MAX_NUMBER, &key->number);
}

static gboolean
take_argument(Parser *p, HpSearchKey *key, Argument argument)
{
    static gboolean (*const takes[])(Parser *, HpSearchKey *) = {
        [DATE] = take_date,   [OCTETS] = take_octets, [INTERVAL] = take_interval,
        [TEXT] = take_needle, [FIELD] = take_field,   [FLAG_NAME] = take_keyword,
        [UIDS] = take_set,    [MODSEQ] = take_modseq, [OBJECT_ID] = take_object_id,
    };

    if (argument == NOTHING)
        return TRUE;
    return hp_imap_take_space(p->args) && takes[argument](p, key);
}

/* --- keys ----------------------------------------------------------------------------
 */

static gboolean
take_word(Parser *p)
{
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        HpSearchKey *key;

        if (!hp_imap_skip_word(p->args, words[i].name))
            continue;
        key = add_key(p, words[i].kind);
        if (key == NULL)
            return FALSE;
        key->inverted = words[i].inverted;
        key->number = words[i].flag;
        key->name = g_strdup(words[i].field);
        return take_argument(p, key, words[i].argument);
    }
    return hp_imap_want(p->args, _("a search key"));
}

/* SP; lenient: more of them are taken for one, as other servers do. */
static gboolean
take_spaces(Parser *p)
{
    if (!hp_imap_take_space(p->args))
        return FALSE;
    while (hp_imap_skip(p->args, ' '))
        ;
    return TRUE;
}

/* search-key; @ret_complete: %FALSE if it waits for its operands, which follow here. */
static gboolean
take_key(Parser *p, gboolean *ret_complete)
{
    HpSearchKey *key;

    *ret_complete = FALSE;
    if (hp_imap_skip(p->args, '('))
        return open_key(p, HP_SEARCH_AND, 0);
    if (hp_imap_skip_word(p->args, "NOT"))
        return take_spaces(p) && open_key(p, HP_SEARCH_NOT, 1);
    if (hp_imap_skip_word(p->args, "OR"))
        return take_spaces(p) && open_key(p, HP_SEARCH_OR, 2);
    *ret_complete = TRUE;
    if (!hp_imap_at_set(p->args))
        return take_word(p);
    key = add_key(p, HP_SEARCH_SEQ);
    return key != NULL && take_set(p, key);
}

/* A key is complete: so are, perhaps, those that it is in. The whole is left open. */
static void
close_keys(Parser *p)
{
    while (p->open->len > 1) {
        Open *open = &g_array_index(p->open, Open, p->open->len - 1);

        if (open->operands > 0 ? --open->operands > 0 : !hp_imap_skip(p->args, ')'))
            return;
        g_array_set_size(p->open, p->open->len - 1);
    }
}

/* Iterative, so that depth costs no stack. */
static gboolean
take_keys(Parser *p)
{
    if (!open_key(p, HP_SEARCH_AND, 0))
        return FALSE;
    for (;;) {
        gboolean complete;

        if (!take_key(p, &complete))
            return FALSE;
        if (!complete)
            continue;
        close_keys(p);
        if (p->open->len == 1 && hp_imap_peek(p->args) < 0)
            return TRUE;
        if (!take_spaces(p))
            return FALSE;
        if (p->open->len == 1 && hp_imap_peek(p->args) < 0)
            return TRUE; /* lenient: spaces at the end */
    }
}

/* UTF-8 needs no converting; neither does what is said to be ASCII: it is a part of it.
 */
static const char *
foreign(const char *charset)
{
    if (charset == NULL || g_ascii_strcasecmp(charset, "UTF-8") == 0 ||
        g_ascii_strcasecmp(charset, "US-ASCII") == 0)
        return NULL;
    return charset;
}

static gboolean
is_known(const char *charset)
{
    g_autofree char *nothing = NULL;

    if (charset == NULL)
        return TRUE;
    nothing = hp_text_stream_convert(HP_SLICE_LITERAL(""), charset);
    return nothing != NULL;
}

static gboolean
take_charset(Parser *p, char **ret_charset)
{
    if (!hp_imap_skip_word(p->args, "CHARSET"))
        return TRUE;
    return hp_imap_take_space(p->args) && hp_imap_take_astring(p->args, ret_charset) &&
           hp_imap_take_space(p->args);
}

HpSearchProgram *
hp_search_program_parse(HpImapArgs *args, const char *charset, const HpSearchScope *scope,
                        gboolean *ret_bad_charset)
{
    g_auto(Parser) p = { .args = args, .scope = scope };
    g_autofree char *own_charset = NULL;

    p.program = g_new0(HpSearchProgram, 1);
    p.program->keys = g_array_new(FALSE, FALSE, sizeof(HpSearchKey));
    g_array_set_clear_func(p.program->keys, clear_key);
    p.open = g_array_new(FALSE, FALSE, sizeof(Open));
    *ret_bad_charset = FALSE;
    if (charset == NULL && !take_charset(&p, &own_charset))
        return NULL;
    p.charset = foreign(charset != NULL ? charset : own_charset);
    p.program->bad_charset = !is_known(p.charset);
    if (p.program->bad_charset || !take_keys(&p)) {
        *ret_bad_charset = p.program->bad_charset;
        return NULL;
    }
    return g_steal_pointer(&p.program);
}
