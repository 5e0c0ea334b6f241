#include "hp-imap-sort-order.h"

#include "hp-casemap.h"

#include <glib/gi18n.h>
#include <string.h>

typedef union {
    gint64 number;
    const char *text; /* (unowned): in the chunk */
} Value;

struct _HpSorter {
    const HpSortCriteria *criteria; /* (unowned) */
    GArray *seqs;                   /* (owned): guint32 */
    GArray *values;                 /* (owned): Value, criteria->n of each message */
    GStringChunk *chunk;            /* (owned) */
    GString *scratch;               /* (owned) */
};

static gboolean
is_text(HpSortKey key)
{
    return key >= HP_SORT_CC;
}

/* sort-key */
static gboolean
take_key(HpImapArgs *args, HpSortKey *ret_key)
{
    static const char *const names[] = {
        [HP_SORT_ARRIVAL] = "ARRIVAL",
        [HP_SORT_DATE] = "DATE",
        [HP_SORT_SIZE] = "SIZE",
        [HP_SORT_CC] = "CC",
        [HP_SORT_DISPLAY_FROM] = "DISPLAYFROM",
        [HP_SORT_DISPLAY_TO] = "DISPLAYTO",
        [HP_SORT_FROM] = "FROM",
        [HP_SORT_SUBJECT] = "SUBJECT",
        [HP_SORT_TO] = "TO",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (hp_imap_skip_word(args, names[i])) {
            *ret_key = (HpSortKey)i;
            return TRUE;
        }
    return hp_imap_want(args, _("a sort key"));
}

/* sort-criterion = ["REVERSE" SP] sort-key */
static gboolean
take_criterion(HpImapArgs *args, HpSortCriteria *criteria)
{
    gboolean reverse = hp_imap_skip_word(args, "REVERSE");
    HpSortKey key = HP_SORT_ARRIVAL;

    if ((reverse && !hp_imap_take_space(args)) || !take_key(args, &key))
        return FALSE;
    for (guint i = 0; i < criteria->n; i++)
        if (criteria->keys[i] == key)
            return TRUE;
    criteria->keys[criteria->n] = key;
    criteria->reverse[criteria->n] = reverse;
    criteria->n++;
    return TRUE;
}

/* sort-criteria = "(" sort-criterion *(SP sort-criterion) ")" */
gboolean
hp_sort_take_criteria(HpImapArgs *args, HpSortCriteria *ret_criteria)
{
    ret_criteria->n = 0;
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (!take_criterion(args, ret_criteria))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

gboolean
hp_sort_needs_summary(const HpSortCriteria *criteria)
{
    for (guint i = 0; i < criteria->n; i++)
        if (criteria->keys[i] == HP_SORT_DATE || is_text(criteria->keys[i]))
            return TRUE;
    return FALSE;
}

HpSorter *
hp_sorter_new(const HpSortCriteria *criteria)
{
    HpSorter *self = g_new0(HpSorter, 1);

    self->criteria = criteria;
    self->seqs = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->values = g_array_new(FALSE, FALSE, sizeof(Value));
    self->chunk = g_string_chunk_new((gsize)16 * 1024);
    self->scratch = g_string_new(NULL);
    return self;
}

void
hp_sorter_free(HpSorter *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->seqs);
    g_array_unref(self->values);
    g_string_chunk_free(self->chunk);
    g_string_free(self->scratch, TRUE);
    g_free(self);
}

void
hp_sort_facts(HpSortFacts *facts, const HpSummary *summary)
{
    gint64 sec, day;

    facts->numbers[HP_SORT_DATE] = facts->numbers[HP_SORT_ARRIVAL];
    if (summary == NULL)
        return;
    if (hp_summary_sent(summary, &sec, &day))
        facts->numbers[HP_SORT_DATE] = sec * G_USEC_PER_SEC;
    facts->texts[HP_SORT_CC] = hp_summary_mailbox(summary, HP_SUMMARY_CC);
    facts->texts[HP_SORT_FROM] = hp_summary_mailbox(summary, HP_SUMMARY_FROM);
    facts->texts[HP_SORT_TO] = hp_summary_mailbox(summary, HP_SUMMARY_TO);
    facts->texts[HP_SORT_DISPLAY_FROM] = hp_summary_display(summary, HP_SUMMARY_FROM);
    facts->texts[HP_SORT_DISPLAY_TO] = hp_summary_display(summary, HP_SUMMARY_TO);
    facts->texts[HP_SORT_SUBJECT] = hp_summary_base_subject(summary);
}

/* RFC 5256 §7: under i;unicode-casemap */
static const char *
prepare(HpSorter *self, const char *text)
{
    HpSlice bytes = hp_slice_of(text);

    bytes.len = MIN(bytes.len, HP_SORT_MAX_TEXT);
    g_string_truncate(self->scratch, 0);
    hp_casemap_append(self->scratch, bytes);
    return g_string_chunk_insert(self->chunk, self->scratch->str);
}

void
hp_sorter_add(HpSorter *self, guint32 seq, const HpSortFacts *facts)
{
    g_array_append_val(self->seqs, seq);
    for (guint i = 0; i < self->criteria->n; i++) {
        HpSortKey key = self->criteria->keys[i];
        Value value = { 0 };

        if (is_text(key))
            value.text = prepare(self, facts->texts[key]);
        else
            value.number = facts->numbers[key];
        g_array_append_val(self->values, value);
    }
}

static gint
compare_values(HpSortKey key, const Value *left, const Value *right)
{
    if (is_text(key))
        return strcmp(left->text, right->text); /* the empty text comes first */
    return (left->number > right->number) - (left->number < right->number);
}

/* @a, @b: indices in the order of the mailbox, which decides where nothing else does. */
static gint
compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const HpSorter *self = data;
    const HpSortCriteria *criteria = self->criteria;
    guint left = *(const guint *)a, right = *(const guint *)b;

    for (guint i = 0; i < criteria->n; i++) {
        const Value *values = &g_array_index(self->values, Value, 0);
        gint order = compare_values(criteria->keys[i], &values[left * criteria->n + i],
                                    &values[right * criteria->n + i]);

        if (order != 0)
            return criteria->reverse[i] ? -order : order;
    }
    return left < right ? -1 : left > right;
}

GArray *
hp_sorter_finish(HpSorter *self)
{
    GArray *sorted = g_array_sized_new(FALSE, FALSE, sizeof(guint32), self->seqs->len);

    for (guint i = 0; i < self->seqs->len; i++)
        g_array_append_val(sorted, i);
    g_array_sort_with_data(sorted, compare, self);
    for (guint i = 0; i < sorted->len; i++) {
        guint32 *index = &g_array_index(sorted, guint32, i);

        *index = g_array_index(self->seqs, guint32, *index);
    }
    return sorted;
}
