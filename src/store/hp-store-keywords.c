/* Keywords (RFC 3501 §2.3.2): any number of them, ASCII case ignored, in the spelling
 * that was there first. A set of them is kept as text and known in memory by a number. */
#include "hp-store-private.h"

#include <string.h>

/* A set of keywords. */
typedef struct {
    char *text; /* (owned) */
    guint32 number;
} Known;

struct _HpKeywords {
    HpLock lock;
    GPtrArray *known;      /* (owned): Known of number i + 1, guarded by lock */
    GHashTable *by_text;   /* (owned): Known, guarded by lock */
    GHashTable *spellings; /* (owned): of a name in lower case, guarded by lock */
};

static void
free_known(gpointer data)
{
    Known *known = data;

    g_free(known->text);
    g_free(known);
}

HpKeywords *
hp_keywords_new(void)
{
    HpKeywords *self = g_new0(HpKeywords, 1);

    hp_lock_init(&self->lock);
    self->known = g_ptr_array_new_with_free_func(free_known);
    self->by_text = g_hash_table_new(g_str_hash, g_str_equal);
    self->spellings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
hp_keywords_free(HpKeywords *self)
{
    g_hash_table_unref(self->spellings);
    g_hash_table_unref(self->by_text);
    g_ptr_array_unref(self->known);
    hp_lock_clear(&self->lock);
    g_free(self);
}

/* Called with the lock held. */
static void
learn_spellings(HpKeywords *self, const char *text)
{
    g_auto(GStrv) names = g_strsplit(text, " ", -1);

    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *key = g_ascii_strdown(names[i], -1);

        if (!g_hash_table_contains(self->spellings, key))
            g_hash_table_insert(self->spellings, g_steal_pointer(&key),
                                g_strdup(names[i]));
    }
}

guint32
hp_keywords_number(HpKeywords *self, const char *text)
{
    HP_LOCKED(&self->lock);
    Known *known;

    if (text == NULL || *text == '\0')
        return 0;
    known = g_hash_table_lookup(self->by_text, text);
    if (known != NULL)
        return known->number;
    known = g_new0(Known, 1);
    known->text = g_strdup(text);
    known->number = self->known->len + 1;
    g_ptr_array_add(self->known, known);
    g_hash_table_insert(self->by_text, known->text, known);
    learn_spellings(self, text);
    return known->number;
}

const char *
hp_keywords_text(HpKeywords *self, guint32 number)
{
    HP_LOCKED(&self->lock);

    if (number == 0 || number > self->known->len)
        return "";
    return ((const Known *)self->known->pdata[number - 1])->text;
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts @names (char *, unowned) and joins them, each once. */
static char *
join_sorted(GPtrArray *names)
{
    GString *text = g_string_new(NULL);

    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        if (i > 0 && compare_names(&names->pdata[i - 1], &names->pdata[i]) == 0)
            continue;
        if (text->len > 0)
            g_string_append_c(text, ' ');
        g_string_append(text, names->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

char *
hp_keywords_join(HpKeywords *self, const char *const *names)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    HP_LOCKED(&self->lock);

    for (guint i = 0; names[i] != NULL; i++) {
        g_autofree char *key = g_ascii_strdown(names[i], -1);
        char *spelling = g_hash_table_lookup(self->spellings, key);

        if (names[i][0] == '\0' || strchr(names[i], ' ') != NULL)
            continue;
        if (spelling == NULL) {
            spelling = g_strdup(names[i]);
            g_hash_table_insert(self->spellings, g_steal_pointer(&key), spelling);
        }
        g_ptr_array_add(known, spelling);
    }
    return join_sorted(known);
}

/* Each name under its lower case, so that it takes one look to know it again. */
static void
add_names(GHashTable *names, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word != NULL; word++) {
        g_autofree char *key = g_ascii_strdown(*word, -1);

        if (**word != '\0' && !g_hash_table_contains(names, key))
            g_hash_table_insert(names, g_steal_pointer(&key), g_strdup(*word));
    }
}

GStrv
hp_keywords_names(HpKeywords *self, GHashTable *numbers)
{
    g_autoptr(GHashTable) names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GHashTableIter iter;
    gpointer item;

    g_hash_table_iter_init(&iter, numbers);
    while (g_hash_table_iter_next(&iter, &item, NULL))
        add_names(names, hp_keywords_text(self, *(const guint32 *)item));
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, NULL, &item))
        g_ptr_array_add(sorted, item);
    g_ptr_array_sort(sorted, compare_names);
    g_ptr_array_add(sorted, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&sorted), FALSE);
}

guint
hp_keywords_count(const char *text)
{
    guint n = *text != '\0';

    for (; *text != '\0'; text++)
        n += *text == ' ';
    return n;
}

static gboolean
has_name(char *const *names, const char *name)
{
    for (guint i = 0; names[i] != NULL; i++)
        if (g_ascii_strcasecmp(names[i], name) == 0)
            return TRUE;
    return FALSE;
}

char *
hp_keywords_change(const char *text, const char *change, gboolean add)
{
    g_auto(GStrv) had = g_strsplit(text, " ", -1);
    g_auto(GStrv) given = g_strsplit(change, " ", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; had[i] != NULL; i++)
        if (*had[i] != '\0' && (add || !has_name(given, had[i])))
            g_ptr_array_add(names, had[i]);
    for (guint i = 0; add && given[i] != NULL; i++)
        if (*given[i] != '\0' && !has_name(had, given[i]))
            g_ptr_array_add(names, given[i]);
    return join_sorted(names);
}
