/* hp-cli: what every command of `hauspost` has at hand.
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli-args.h"
#include "hp-clock.h"
#include "hp-config.h"
#include "hp-control-bus.h"
#include "hp-control-error.h"

#include <stdio.h>

typedef struct {
    const HpClock *clock; /* (unowned) */
    FILE *in;             /* (unowned) */
    FILE *out;            /* (unowned): results */
    FILE *err;            /* (unowned): refusals, questions and hints */
    gboolean output_lost; /* the output failed, and that was said */
    HpDirs *dirs;         /* (owned) */
    HpCliArgs *args;      /* (owned) */
    HpHauspost1 *daemon;  /* (owned) (nullable): once connected */
    const char *noun;     /* (unowned): the command that runs */
    const char *verb;     /* (unowned) (nullable) */
    gboolean json;
    gboolean plain;
    gboolean quiet;
    gboolean verbose;
    gboolean yes;
    gboolean dry_run;
} HpCli;

/* The streams are the caller's; finds the folders of this environment. */
void hp_cli_init(HpCli *self, FILE *in, FILE *out, FILE *err);
void hp_cli_clear(HpCli *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HpCli, hp_cli_clear)

/* Wall time. */
gint64 hp_cli_now_usec(const HpCli *self);

/* May the output have colours? Only on a terminal and without $NO_COLOR. */
gboolean hp_cli_has_colour(const HpCli *self);

/* Columns of the terminal that is the output, 0 if it is none. */
guint hp_cli_width(const HpCli *self);

/**
 * hp_cli_refuse:
 * @next: (nullable): the next command to type
 *
 * Says "hauspost: SENTENCE", and "→ NEXT" in a line of its own.
 *
 * Returns: @exit
 */
HpExit hp_cli_refuse(HpCli *self, HpExit exit, const char *next, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Refuses with what @error says and its exit code. A second line of the message is the
 * next command; else @next is. */
HpExit hp_cli_fail(HpCli *self, const GError *error, const char *next);

/* Is everything that was printed out? Says so if not; only once, and not to one who
 * closed the pipe, as "head" does. */
gboolean hp_cli_flush(HpCli *self);

/* Refuses with what @error of the settings says, the exit code of its kind and
 * hp_config_next(). */
HpExit hp_cli_fail_settings(HpCli *self, const GError *error);

/* A line for the person at the terminal, not with --quiet. To stderr. */
void hp_cli_hint(HpCli *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Asks a question that "y" answers with yes; --yes does so at once. Returns OK,
 * HP_EXIT_FAILURE for no, HP_EXIT_NEEDS_ANSWER (and says so) without a terminal. */
HpExit hp_cli_confirm(HpCli *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A line that is typed after @prompt, (transfer full); %NULL at the end of input. */
char *hp_cli_ask(HpCli *self, const char *prompt, const char *fallback);

/**
 * hp_cli_connect:
 * @ret_exit: (out): the exit code; the refusal has been said
 *
 * Connects to the daemon. A daemon that is just starting is waited for.
 *
 * Returns: (transfer none) (nullable): self->daemon
 */
HpHauspost1 *hp_cli_connect(HpCli *self, HpExit *ret_exit);

/* The same at once and in silence; %NULL if it does not run. */
HpHauspost1 *hp_cli_try_connect(HpCli *self);

/* The settings; %NULL and an exit code after the refusal was said. */
HpSettings *hp_cli_settings(HpCli *self, HpExit *ret_exit);

/* Tells a running daemon that the settings have changed. */
HpExit hp_cli_reload(HpCli *self);

/* Prints @value (a floating reference is not taken) as JSON; see hp_json_write(). */
void hp_cli_print_json(HpCli *self, const char *schema, const char *member,
                       GVariant *value);
