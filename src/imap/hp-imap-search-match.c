#include "hp-imap-search-match.h"

#include "hp-casemap.h"
#include "hp-charset.h"
#include "hp-header.h"
#include "hp-mime-params.h"

#include <string.h>

/* Of a byte of values: the verdict, and whether it matters. */
#define VERDICT  0x03
#define MATTERS  0x80
#define DAY_USEC (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

static HpSearchVerdict
verdict_of(const HpSearchMatch *self, guint index)
{
    return (HpSearchVerdict)(self->values[index] & VERDICT);
}

/* --- the tree ------------------------------------------------------------------------
 */

/* What @parent's value becomes by one of its keys. */
static void
combine(const HpSearchMatch *self, guint parent, HpSearchVerdict value)
{
    HpSearchVerdict so_far = verdict_of(self, parent);

    switch ((guint)hp_search_program_key(self->program, parent)->kind) {
    case HP_SEARCH_AND:
        self->values[parent] = (guint8)MIN(so_far, value);
        break;
    case HP_SEARCH_OR:
        self->values[parent] = (guint8)MAX(so_far, value);
        break;
    default: /* NOT */
        self->values[parent] = (guint8)(HP_SEARCH_TRUE - value);
        break;
    }
}

/* Keys stand behind the keys that they are in: from the end each one finds those that it
 * is made of settled, from the beginning those that it is in. */
HpSearchVerdict
hp_search_settle(const HpSearchMatch *self)
{
    guint n = self->program->keys->len;

    for (guint i = 0; i < n; i++) {
        HpSearchKind kind = hp_search_program_key(self->program, i)->kind;

        if (kind == HP_SEARCH_AND || kind == HP_SEARCH_OR)
            self->values[i] = kind == HP_SEARCH_AND ? HP_SEARCH_TRUE : HP_SEARCH_FALSE;
    }
    for (guint i = n; i-- > 1;)
        combine(self, hp_search_program_key(self->program, i)->parent,
                verdict_of(self, i));
    for (guint i = 0; i < n; i++) {
        guint parent = hp_search_program_key(self->program, i)->parent;
        gboolean matters = i == 0 || (self->values[parent] & MATTERS) != 0;

        self->values[i] &= VERDICT;
        if (matters && self->values[i] == HP_SEARCH_UNKNOWN)
            self->values[i] |= MATTERS;
    }
    return verdict_of(self, 0);
}

gboolean
hp_search_is_open(const HpSearchMatch *self, guint index)
{
    return self->values[index] == (HP_SEARCH_UNKNOWN | MATTERS);
}

void
hp_search_set(const HpSearchMatch *self, guint index, gboolean value)
{
    if (hp_search_program_key(self->program, index)->inverted)
        value = !value;
    self->values[index] = value ? HP_SEARCH_TRUE : HP_SEARCH_FALSE;
}

static HpSearchRound
round_of(HpSearchKind kind)
{
    if (kind == HP_SEARCH_BODY)
        return HP_SEARCH_CONTENT;
    if (kind >= HP_SEARCH_SENT_BEFORE)
        return HP_SEARCH_HEADERS;
    return kind >= HP_SEARCH_SAVED_BEFORE ? HP_SEARCH_DETAILS : HP_SEARCH_ENTRY;
}

gboolean
hp_search_match_needs(const HpSearchMatch *self, HpSearchRound round)
{
    for (guint i = 0; i < self->program->keys->len; i++) {
        HpSearchKind kind = hp_search_program_key(self->program, i)->kind;

        if (kind > HP_SEARCH_NOT && hp_search_is_open(self, i) &&
            (round_of(kind) == round ||
             (kind == HP_SEARCH_TEXT && round == HP_SEARCH_CONTENT)))
            return TRUE;
    }
    return FALSE;
}

gboolean
hp_search_match_needs_kind(const HpSearchMatch *self, HpSearchKind kind)
{
    for (guint i = 0; i < self->program->keys->len; i++)
        if (hp_search_program_key(self->program, i)->kind == kind &&
            hp_search_is_open(self, i))
            return TRUE;
    return FALSE;
}

/* --- the entry -----------------------------------------------------------------------
 */

/* Days since 1970, rounded down. */
static gint64
day_of(gint64 usec, gint zone_min)
{
    gint64 local = usec + (gint64)zone_min * 60 * G_USEC_PER_SEC;

    return local >= 0 ? local / DAY_USEC : -((DAY_USEC - 1 - local) / DAY_USEC);
}

/* @keywords: separated by spaces; RFC 9051 §2.3.2: case is ignored */
static gboolean
has_keyword(const char *keywords, const char *keyword)
{
    HpCursor c = hp_cursor_over(hp_slice_of(keywords));

    while (!hp_cursor_at_end(&c)) {
        HpSlice word = hp_cursor_take_until(&c, ' ');

        hp_cursor_skip(&c, ' ');
        if (hp_slice_equal_nocase(word, keyword))
            return TRUE;
    }
    return FALSE;
}

/* RFC 5032 §3: what is exactly that old is both. */
static gboolean
is_older(const HpSearchEntry *of, guint64 seconds)
{
    return of->entry.internal_usec <= of->now_usec - (gint64)seconds * G_USEC_PER_SEC;
}

static gboolean
is_younger(const HpSearchEntry *of, guint64 seconds)
{
    return of->entry.internal_usec >= of->now_usec - (gint64)seconds * G_USEC_PER_SEC;
}

static gboolean
matches_day(HpSearchKind kind, gint64 day, guint64 number)
{
    switch ((guint)kind) {
    case HP_SEARCH_BEFORE:
    case HP_SEARCH_SAVED_BEFORE:
    case HP_SEARCH_SENT_BEFORE:
        return day < (gint64)number;
    case HP_SEARCH_ON:
    case HP_SEARCH_SAVED_ON:
    case HP_SEARCH_SENT_ON:
        return day == (gint64)number;
    default: /* SINCE */
        return day >= (gint64)number;
    }
}

static gboolean
matches_entry(const HpSearchKey *key, const HpSearchEntry *of)
{
    switch ((guint)key->kind) {
    case HP_SEARCH_SEQ:
        return hp_imap_ranges_have(key->ranges, of->seq);
    case HP_SEARCH_UID:
        return hp_imap_ranges_have(key->ranges, of->entry.uid);
    case HP_SEARCH_FLAG:
        return (of->entry.flags & key->number) != 0;
    case HP_SEARCH_KEYWORD:
        return has_keyword(of->keywords, key->name);
    case HP_SEARCH_LARGER:
        return of->entry.size > key->number;
    case HP_SEARCH_SMALLER:
        return of->entry.size < key->number;
    case HP_SEARCH_OLDER:
        return is_older(of, key->number);
    case HP_SEARCH_YOUNGER:
        return is_younger(of, key->number);
    case HP_SEARCH_MODSEQ:
        return of->entry.modseq >= key->number;
    case HP_SEARCH_ALL:
        return TRUE;
    default: /* BEFORE, ON, SINCE */
        return matches_day(key->kind, day_of(of->entry.internal_usec, of->entry.zone),
                           key->number);
    }
}

HpSearchVerdict
hp_search_match_entry(const HpSearchMatch *self, const HpSearchEntry *entry)
{
    for (guint i = 0; i < self->program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(self->program, i);

        self->values[i] = HP_SEARCH_UNKNOWN;
        if (key->kind > HP_SEARCH_NOT && round_of(key->kind) == HP_SEARCH_ENTRY)
            hp_search_set(self, i, matches_entry(key, entry));
    }
    return hp_search_settle(self);
}

/* --- the details ---------------------------------------------------------------------
 */

static gboolean
matches_details(const HpSearchKey *key, const HpStoreDetails *details)
{
    g_autofree char *email = g_strdup_printf(HP_IMAP_EMAIL_ID, details->email);
    g_autofree char *thread = g_strdup_printf(HP_IMAP_THREAD_ID, details->thread);

    switch ((guint)key->kind) {
    case HP_SEARCH_EMAIL_ID:
        return details->email != 0 && strcmp(key->name, email) == 0;
    case HP_SEARCH_THREAD_ID:
        return details->thread != 0 && strcmp(key->name, thread) == 0;
    default: /* SAVEDBEFORE, SAVEDON, SAVEDSINCE */
        return matches_day(key->kind, day_of(details->saved_usec, 0), key->number);
    }
}

HpSearchVerdict
hp_search_match_details(const HpSearchMatch *self, const HpStoreDetails *details)
{
    for (guint i = 0; i < self->program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(self->program, i);

        if (key->kind > HP_SEARCH_NOT && round_of(key->kind) == HP_SEARCH_DETAILS)
            hp_search_set(self, i, matches_details(key, details));
    }
    return hp_search_settle(self);
}

/* --- the header ----------------------------------------------------------------------
 */

static gboolean
is_asked(const HpSearchMatch *self, guint index, const HpHeaderField *field, guint places)
{
    const HpSearchKey *key = hp_search_program_key(self->program, index);

    if (!hp_search_is_open(self, index))
        return FALSE;
    switch ((guint)key->kind) {
    case HP_SEARCH_HEADER:
        return (places & HP_SEARCH_IN_HEADER) != 0 &&
               hp_slice_equal_nocase(field->name, key->name);
    case HP_SEARCH_TEXT:
        return (places & HP_SEARCH_IN_TEXT) != 0;
    case HP_SEARCH_BODY:
        return (places & HP_SEARCH_IN_BODY) != 0;
    default:
        return FALSE;
    }
}

static gboolean
anyone_asks(const HpSearchMatch *self, const HpHeaderField *field, guint places)
{
    for (guint i = 0; i < self->program->keys->len; i++)
        if (is_asked(self, i, field, places))
            return TRUE;
    return FALSE;
}

/* On a line of its own: what is sought has no line ends. */
static void
append_param(const HpMimeParam *param, gpointer line)
{
    g_autofree char *text = NULL;

    if (param->form == HP_MIME_PARAM_PLAIN)
        return; /* stands there already */
    text = hp_charset_to_utf8(param->value, (HpSlice){ NULL, 0 });
    g_string_append_c(line, '\n');
    hp_casemap_append(line, param->name);
    g_string_append_c(line, '=');
    hp_casemap_append(line, hp_slice_of(text));
}

static gboolean
has_params(HpSlice name)
{
    return hp_slice_equal_nocase(name, "Content-Type") ||
           hp_slice_equal_nocase(name, "Content-Disposition");
}

/* "NAME: text", prepared for comparing. Returns where the text begins. */
static size_t
prepare_field(const HpHeaderField *field, GString *line)
{
    g_autoptr(GString) unfolded = g_string_sized_new(256);
    g_autofree char *text = NULL;
    size_t start;

    g_string_truncate(line, 0);
    hp_casemap_append(line, field->name);
    if (field->name.len > 0)
        g_string_append(line, ": ");
    start = line->len;
    hp_header_unfold(field->name.len > 0 ? field->body : field->raw, unfolded);
    text = hp_charset_decode_words(hp_slice_of_string(unfolded));
    hp_casemap_append(line, hp_slice_of(text));
    if (has_params(field->name))
        hp_mime_each_param(field->body, append_param, line);
    return start;
}

static void
test_field(const HpSearchMatch *self, const HpHeaderField *field, guint places,
           GString *line)
{
    size_t start;

    if (!anyone_asks(self, field, places))
        return;
    start = prepare_field(field, line);
    for (guint i = 0; i < self->program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(self->program, i);
        const char *from = line->str + (key->kind == HP_SEARCH_HEADER ? start : 0);

        /* Both are C strings: hp-charset lets no NUL through. */
        if (is_asked(self, i, field, places) && strstr(from, key->needle) != NULL)
            hp_search_set(self, i, TRUE);
    }
}

void
hp_search_fields(const HpSearchMatch *self, HpSlice block, guint places)
{
    g_autoptr(GString) line = g_string_sized_new(256);
    HpHeaderField field;
    HpCursor c;

    block.len = MIN(block.len, HP_HEADER_MAX_BLOCK);
    c = hp_cursor_over(block);
    while (hp_header_next(&c, &field))
        test_field(self, &field, places, line);
}

HpSearchVerdict
hp_search_match_header(const HpSearchMatch *self, const HpSearchHeader *header)
{
    hp_search_fields(self, header->block, HP_SEARCH_IN_HEADER | HP_SEARCH_IN_TEXT);
    for (guint i = 0; i < self->program->keys->len; i++) {
        const HpSearchKey *key = hp_search_program_key(self->program, i);

        if (!hp_search_is_open(self, i))
            continue;
        if (key->kind == HP_SEARCH_HEADER)
            hp_search_set(self, i, FALSE); /* no field has it */
        else if (key->kind >= HP_SEARCH_SENT_BEFORE && key->kind <= HP_SEARCH_SENT_SINCE)
            hp_search_set(self, i,
                          header->has_sent &&
                              matches_day(key->kind, header->sent_day, key->number));
    }
    return hp_search_settle(self);
}
