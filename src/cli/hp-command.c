#include "hp-command.h"

#include "hp-text.h"

#include <glib/gi18n.h>

#define NEAR_ENOUGH 3 /* edits between a typing mistake and what was meant */

/* Taken by every command; json, plain, yes and dry-run where they mean something. */
#define COMMON "quiet|q verbose|v no-pager help|h"

static const HpCommand *const families[] = {
    hp_cmd_status,  hp_cmd_queue,    hp_cmd_history,  hp_cmd_explain, hp_cmd_setup,
    hp_cmd_account, hp_cmd_identity, hp_cmd_password, hp_cmd_mailbox, hp_cmd_check,
    hp_cmd_config,  hp_cmd_log,      hp_cmd_help,     NULL,
};

const HpCommand *const *
hp_command_families(void)
{
    return families;
}

/* Does the noun stand in front of verbs? */
static gboolean
has_verbs(const char *noun)
{
    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (g_str_equal(c->noun, noun))
                return c->verb != NULL;
    return FALSE;
}

const HpCommand *
hp_command_find(const char *noun, const char *verb)
{
    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (g_str_equal(c->noun, noun) && g_strcmp0(c->verb, verb) == 0)
                return c;
    return NULL;
}

static gboolean
is_noun(const char *word)
{
    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (g_str_equal(c->noun, word))
                return TRUE;
    return FALSE;
}

/* What of @c could be meant by a word after @noun (nullable: by the first word)? */
static const char *
candidate_of(const HpCommand *c, const char *noun)
{
    if (c->flags & HP_COMMAND_HIDDEN)
        return NULL;
    if (noun == NULL)
        return c->noun;
    return g_str_equal(c->noun, noun) ? c->verb : NULL;
}

/* @noun: (nullable): look among its verbs, else among the nouns. */
static const char *
nearest(const char *noun, const char *word)
{
    /* To a short word everything is near. */
    guint best = MIN(NEAR_ENOUGH, (guint)g_utf8_strlen(word, -1) / 2) + 1;
    const char *near = NULL;

    for (guint f = 0; families[f] != NULL; f++) {
        for (const HpCommand *c = families[f]; c->noun != NULL; c++) {
            const char *candidate = candidate_of(c, noun);
            guint distance = candidate != NULL ? hp_text_distance(word, candidate) : best;

            near = distance < best ? candidate : near;
            best = MIN(best, distance);
        }
    }
    return near;
}

static char *
verbs_of(const char *noun)
{
    g_autoptr(GString) verbs = g_string_new(NULL);

    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (g_str_equal(c->noun, noun) && c->verb != NULL)
                g_string_append_printf(verbs, "%s%s", verbs->len > 0 ? ", " : "",
                                       c->verb);
    return g_strdup(verbs->str);
}

static HpExit
refuse_noun(HpCli *cli, const char *word)
{
    const char *near = nearest(NULL, word);

    if (near != NULL)
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost help",
                             _("there is no command %s; did you mean %s?"), word, near);
    return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost help", _("there is no command %s"),
                         word);
}

/* @verb: (nullable) */
static HpExit
refuse_verb(HpCli *cli, const char *noun, const char *verb)
{
    g_autofree char *verbs = verbs_of(noun);
    g_autofree char *next = g_strdup_printf("hauspost help %s", noun);
    const char *near = verb != NULL ? nearest(noun, verb) : NULL;

    if (near != NULL)
        return hp_cli_refuse(cli, HP_EXIT_USAGE, next,
                             _("there is no command %s %s; did you mean %s %s?"), noun,
                             verb, noun, near);
    return hp_cli_refuse(cli, HP_EXIT_USAGE, next,
                         _("%s needs one of these words after it: %s"), noun, verbs);
}

HpExit
hp_command_refuse(HpCli *cli, const char *noun, const char *verb)
{
    if (!is_noun(noun))
        return refuse_noun(cli, noun);
    if (has_verbs(noun))
        return refuse_verb(cli, noun, verb);
    return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost help",
                         _("there is no command %s %s"), noun, verb);
}

void
hp_command_print_usage(HpCli *cli, const HpCommand *command, FILE *out)
{
    fprintf(out, _("usage: hauspost %s%s%s%s%s\n"), command->noun,
            command->verb != NULL ? " " : "", command->verb != NULL ? command->verb : "",
            command->args[0] != '\0' ? " " : "", command->args);
}

/* "hauspost queue --help": every command that begins so. */
static HpExit
help_noun(HpCli *cli, const char *noun)
{
    for (guint f = 0; families[f] != NULL; f++) {
        for (const HpCommand *c = families[f]; c->noun != NULL; c++) {
            if (!g_str_equal(c->noun, noun))
                continue;
            hp_command_print_usage(cli, c, cli->out);
            fprintf(cli->out, "    %s\n", _(c->about));
        }
    }
    return HP_EXIT_OK;
}

static char *
known_options(const HpCommand *command)
{
    return g_strconcat(COMMON, command->flags & HP_COMMAND_JSON ? " json" : "",
                       command->flags & HP_COMMAND_PLAIN ? " plain" : "",
                       command->flags & HP_COMMAND_ASKS ? " yes|y" : "",
                       command->flags & HP_COMMAND_DRY_RUN ? " dry-run|n" : "",
                       command->options[0] != '\0' ? " " : "", command->options, NULL);
}

static void
set_common(HpCli *cli)
{
    cli->json = hp_cli_args_has(cli->args, "json");
    cli->plain = hp_cli_args_has(cli->args, "plain");
    cli->quiet = hp_cli_args_has(cli->args, "quiet");
    cli->verbose = hp_cli_args_has(cli->args, "verbose");
    cli->yes = hp_cli_args_has(cli->args, "yes");
    cli->dry_run = hp_cli_args_has(cli->args, "dry-run");
}

static HpExit
run_command(HpCli *cli, const HpCommand *command, char *const *argv)
{
    g_autofree char *known = known_options(command);
    g_autofree char *next = g_strdup_printf("hauspost help %s%s%s", command->noun,
                                            command->verb != NULL ? " " : "",
                                            command->verb != NULL ? command->verb : "");
    g_autoptr(GError) error = NULL;

    cli->noun = command->noun;
    cli->verb = command->verb;
    cli->args =
        hp_cli_args_parse(command->flags & HP_COMMAND_RAW ? "" : known, argv, &error);
    if (cli->args == NULL)
        return hp_cli_refuse(cli, HP_EXIT_USAGE, next, "%s", error->message);
    set_common(cli);
    if (hp_cli_args_has(cli->args, "help")) {
        hp_command_print_usage(cli, command, cli->out);
        fprintf(cli->out, "\n%s\n", _(command->about));
        return HP_EXIT_OK;
    }
    if (cli->args->words->len >= command->min_words &&
        cli->args->words->len <= command->max_words)
        return command->run(cli);
    return hp_cli_refuse(cli, HP_EXIT_USAGE, next,
                         cli->args->words->len < command->min_words
                             ? _("something is missing: hauspost %s %s %s")
                             : _("there are too many words: hauspost %s %s %s"),
                         command->noun, command->verb != NULL ? command->verb : "",
                         command->args);
}

static HpExit
run(HpCli *cli, char *const *argv)
{
    static const char *const nothing[] = { "help", NULL };
    const char *noun = argv[1];
    const char *verb = noun != NULL ? argv[2] : NULL;
    const HpCommand *command;

    if (noun == NULL || g_str_equal(noun, "--help") || g_str_equal(noun, "-h"))
        noun = nothing[0];
    else if (g_str_equal(noun, "--version"))
        noun = "version";
    if (!is_noun(noun))
        return refuse_noun(cli, noun);
    if (!has_verbs(noun))
        return run_command(cli, hp_command_find(noun, NULL),
                           argv[1] != NULL ? argv + 2 : argv + 1);
    if (verb != NULL && (g_str_equal(verb, "--help") || g_str_equal(verb, "-h")))
        return help_noun(cli, noun);
    command = verb != NULL ? hp_command_find(noun, verb) : NULL;
    return command != NULL ? run_command(cli, command, argv + 3)
                           : refuse_verb(cli, noun, verb);
}

HpExit
hp_command_run(HpCli *cli, char *const *argv)
{
    HpExit exit = run(cli, argv);

    /* What nobody could read was not done, whatever the command thinks. */
    return hp_cli_flush(cli) || exit != HP_EXIT_OK ? exit : HP_EXIT_FAILURE;
}
