#include "hp-cli-args.h"

#include "hp-text.h"

#include <glib/gi18n.h>

#define NEAR_ENOUGH 3 /* edits between a typing mistake and what was meant */

typedef struct {
    char **known;   /* (owned): "follow|f", "state=" */
    HpCliArgs *out; /* (unowned) */
} Parser;

void
hp_cli_args_free(HpCliArgs *self)
{
    g_hash_table_unref(self->options);
    g_ptr_array_unref(self->words);
    g_free(self);
}

gboolean
hp_cli_args_has(const HpCliArgs *self, const char *name)
{
    return g_hash_table_contains(self->options, name);
}

const char *
hp_cli_args_get(const HpCliArgs *self, const char *name)
{
    return g_hash_table_lookup(self->options, name);
}

const char *
hp_cli_args_word(const HpCliArgs *self, guint i)
{
    return i < self->words->len ? g_ptr_array_index(self->words, i) : NULL;
}

static gboolean
is_name_byte(unsigned char byte)
{
    return byte != '|' && byte != '=';
}

/* The long name of "follow|f" or "state=". */
static char *
long_name(const char *known)
{
    HpCursor c = hp_cursor_over(hp_slice_of(known));

    return hp_slice_dup(hp_cursor_take(&c, is_name_byte));
}

/* "state=": needs a value. */
static gboolean
wants_value(const char *known)
{
    return g_str_has_suffix(known, "=");
}

static gboolean
fail_unknown(const Parser *p, const char *name, GError **error)
{
    guint best = NEAR_ENOUGH + 1;
    g_autofree char *near = NULL;

    for (guint i = 0; p->known[i] != NULL; i++) {
        g_autofree char *candidate = long_name(p->known[i]);
        guint distance = hp_text_distance(name, candidate);

        if (candidate[0] != '\0' && distance < best) {
            best = distance;
            g_free(near);
            near = g_steal_pointer(&candidate);
        }
    }
    if (near == NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                    _("there is no option --%s here"), name);
        return FALSE;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                _("there is no option --%s here; did you mean --%s?"), name, near);
    return FALSE;
}

/* Stores the option @known; its value is @given, or else the next word. */
static gboolean
store(const Parser *p, const char *known, const char *given, char *const **argv,
      GError **error)
{
    g_autofree char *name = long_name(known);

    if (!wants_value(known) && given != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("--%s takes no value"), name);
        return FALSE;
    }
    if (wants_value(known) && given == NULL) {
        given = **argv;
        if (given == NULL) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        _("--%s needs a value"), name);
            return FALSE;
        }
        (*argv)++;
    }
    g_hash_table_insert(p->out->options, g_steal_pointer(&name),
                        g_strdup(given != NULL ? given : ""));
    return TRUE;
}

/* "name" or "name=value" */
static gboolean
take_long(const Parser *p, const char *text, char *const **argv, GError **error)
{
    HpCursor c = hp_cursor_over(hp_slice_of(text));
    HpSlice bytes = hp_cursor_take_until(&c, '=');
    g_autofree char *name = hp_slice_dup(bytes);
    const char *value = hp_cursor_skip(&c, '=') ? c.at : NULL;

    for (guint i = 0; p->known[i] != NULL; i++) {
        g_autofree char *candidate = long_name(p->known[i]);

        if (g_str_equal(candidate, name))
            return store(p, p->known[i], value, argv, error);
    }
    return fail_unknown(p, name, error);
}

/* "fq": each letter a switch */
static gboolean
take_short(const Parser *p, const char *letters, char *const **argv, GError **error)
{
    for (; *letters != '\0'; letters++) {
        const char suffix[] = { '|', *letters, '\0' };
        guint i = 0;

        while (p->known[i] != NULL && !g_str_has_suffix(p->known[i], suffix))
            i++;
        if (p->known[i] == NULL) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                        _("there is no option -%c here"), *letters);
            return FALSE;
        }
        if (!store(p, p->known[i], NULL, argv, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
take_all(const Parser *p, char *const *argv, GError **error)
{
    gboolean options = TRUE;

    while (*argv != NULL) {
        const char *word = *argv++;

        if (options && g_str_equal(word, "--")) {
            options = FALSE;
        } else if (options && g_str_has_prefix(word, "--")) {
            if (!take_long(p, word + 2, &argv, error))
                return FALSE;
        } else if (options && word[0] == '-' && word[1] != '\0') {
            if (!take_short(p, word + 1, &argv, error))
                return FALSE;
        } else {
            g_ptr_array_add(p->out->words, g_strdup(word));
        }
    }
    return TRUE;
}

HpCliArgs *
hp_cli_args_parse(const char *known, char *const *argv, GError **error)
{
    g_autoptr(HpCliArgs) self = g_new0(HpCliArgs, 1);
    g_auto(GStrv) options = g_strsplit(known, " ", -1);
    Parser parser = { options, self };

    self->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->words = g_ptr_array_new_with_free_func(g_free);
    return take_all(&parser, argv, error) ? g_steal_pointer(&self) : NULL;
}
