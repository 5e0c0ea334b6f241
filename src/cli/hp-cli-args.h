/* hp-cli-args: the words and options that follow a command.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    GHashTable *options; /* (owned): long name → value ("" for a switch) */
    GPtrArray *words;    /* (owned): char *, what is not an option */
} HpCliArgs;

/**
 * hp_cli_args_parse:
 * @known: the options, separated by blanks: "json" a switch, "follow|f" one with a short
 *    form, "state=" one with a value
 * @argv: %NULL-terminated, without the command itself
 * @error: #G_OPTION_ERROR, a sentence with the nearest option
 *
 * Options may stand anywhere; "--" ends them; "--name value" and "--name=value" are the
 * same; a lone "-" is a word.
 */
HpCliArgs *hp_cli_args_parse(const char *known, char *const *argv, GError **error);
void hp_cli_args_free(HpCliArgs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpCliArgs, hp_cli_args_free)

/* Was --@name given? */
gboolean hp_cli_args_has(const HpCliArgs *self, const char *name);

/* The value of --@name, %NULL if it was not given. */
const char *hp_cli_args_get(const HpCliArgs *self, const char *name);

/* The word at @i, %NULL if there are fewer. */
const char *hp_cli_args_word(const HpCliArgs *self, guint i);
