/* help, version, and what the shells ask for completion. */
#include "hp-build.h"
#include "hp-cli-dict.h"
#include "hp-command.h"

#include <glib/gi18n.h>

static void
print_command(HpCli *cli, const HpCommand *c)
{
    g_autofree char *left = g_strdup_printf("%s%s%s", c->noun, c->verb != NULL ? " " : "",
                                            c->verb != NULL ? c->verb : "");

    fprintf(cli->out, "  %-18s %s\n", left, _(c->about));
}

static HpExit
help_all(HpCli *cli)
{
    const HpCommand *const *families = hp_command_families();

    fprintf(cli->out, "%s\n\n",
            _("hauspost: a mail server for one person's own computer\n"
              "usage: hauspost COMMAND [OPTIONS]"));
    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (!(c->flags & HP_COMMAND_HIDDEN))
                print_command(cli, c);
    fprintf(cli->out, "  %-18s %s\n", "sendmail, mailq",
            _("Work as the classic programs do."));
    fprintf(cli->out, "\n%s\n",
            _("Most commands that show something take --json and --plain; -q is quiet.\n"
              "More: hauspost help COMMAND, man hauspost"));
    return HP_EXIT_OK;
}

/* Programs of their own: hauspost.c runs them before any table is read. */
static const HpCommand classic[] = {
    { "sendmail", NULL, "[-t] [-i] [-f ADDRESS] [-F NAME] [ADDRESS…]", "", 0, 0, 0,
      N_("Takes a message from its input, as the classic program does."), NULL },
    { "mailq", NULL, "", "", 0, 0, 0,
      N_("Lists what is under way, as the classic program does."), NULL },
    { NULL },
};

/* Those of @table that begin so. @verb: (nullable) */
static gboolean
help_of(HpCli *cli, const HpCommand *table, const char *noun, const char *verb)
{
    gboolean found = FALSE;

    for (const HpCommand *c = table; c->noun != NULL; c++) {
        if (!g_str_equal(c->noun, noun) ||
            (verb != NULL && g_strcmp0(c->verb, verb) != 0))
            continue;
        hp_command_print_usage(cli, c, cli->out);
        fprintf(cli->out, "    %s\n", _(c->about));
        found = TRUE;
    }
    return found;
}

static HpExit
help_noun(HpCli *cli, const char *noun, const char *verb)
{
    const HpCommand *const *families = hp_command_families();
    gboolean found = help_of(cli, classic, noun, NULL);

    for (guint f = 0; families[f] != NULL; f++)
        found = help_of(cli, families[f], noun, verb) || found;
    return found ? HP_EXIT_OK : hp_command_refuse(cli, noun, verb);
}

static HpExit
cmd_help(HpCli *cli)
{
    const char *noun = hp_cli_args_word(cli->args, 0);

    return noun == NULL ? help_all(cli)
                        : help_noun(cli, noun, hp_cli_args_word(cli->args, 1));
}

static HpExit
cmd_version(HpCli *cli)
{
    g_autoptr(GVariant) version = g_variant_ref_sink(g_variant_new_string(HP_VERSION));

    if (cli->json)
        hp_cli_print_json(cli, "hauspost.version/1", "version", version);
    else
        fprintf(cli->out, "hauspost %s\n", HP_VERSION);
    return HP_EXIT_OK;
}

/* --- completion: one candidate a line, filtered by the shell --- */

static void
complete_nouns(HpCli *cli)
{
    const HpCommand *const *families = hp_command_families();
    const char *last = "";

    for (guint f = 0; families[f] != NULL; f++) {
        for (const HpCommand *c = families[f]; c->noun != NULL; c++) {
            if (!(c->flags & HP_COMMAND_HIDDEN) && !g_str_equal(last, c->noun))
                fprintf(cli->out, "%s\n", c->noun);
            last = c->noun;
        }
    }
}

static void
complete_verbs(HpCli *cli, const char *noun)
{
    const HpCommand *const *families = hp_command_families();

    for (guint f = 0; families[f] != NULL; f++)
        for (const HpCommand *c = families[f]; c->noun != NULL; c++)
            if (g_str_equal(c->noun, noun) && c->verb != NULL)
                fprintf(cli->out, "%s\n", c->verb);
}

static void
complete_keys(HpCli *cli)
{
    HpSettingTable table = hp_config_table();

    for (guint i = 0; i < table.n_specs; i++)
        if (!table.specs[i].named)
            fprintf(cli->out, "%s.%s\n", table.specs[i].section, table.specs[i].key);
}

static void
print_members(HpCli *cli, GVariant *list, const char *key)
{
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(list, i);
        const char *value = hp_dict_text(row, key);

        if (value != NULL)
            fprintf(cli->out, "%s\n", value);
    }
}

/* Ids and names that are there right now. */
static void
complete_live(HpCli *cli, const char *noun)
{
    HpHauspost1 *daemon = hp_cli_try_connect(cli);
    g_autoptr(GVariant) list = NULL;

    if (daemon == NULL)
        return;
    if (g_str_equal(noun, "queue") || g_str_equal(noun, "explain")) {
        hp_hauspost1_call_queue_sync(daemon, g_variant_new("a{sv}", NULL), &list, NULL,
                                     NULL);
        if (list != NULL)
            print_members(cli, list, "id");
    } else if (g_str_equal(noun, "password")) {
        hp_hauspost1_call_passwords_sync(daemon, &list, NULL, NULL);
        if (list != NULL)
            print_members(cli, list, "name");
    }
}

/* The words so far, without the one that is being typed. */
static HpExit
cmd_complete(HpCli *cli)
{
    const char *noun = hp_cli_args_word(cli->args, 0);
    const char *verb = hp_cli_args_word(cli->args, 1);

    if (noun == NULL || (g_str_equal(noun, "help") && verb == NULL))
        complete_nouns(cli);
    else if (g_str_equal(noun, "config") && verb != NULL)
        complete_keys(cli);
    else if (verb == NULL && hp_command_find(noun, NULL) == NULL)
        complete_verbs(cli, noun);
    else
        complete_live(cli, noun);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_help[] = {
    { "version", NULL, "[--json]", "", 0, 0, HP_COMMAND_JSON, N_("Shows the version."),
      cmd_version },
    { "help", NULL, "[COMMAND]", "", 0, 2, 0,
      N_("Lists the commands, or says more about one."), cmd_help },
    { "__complete", NULL, "", "", 0, HP_COMMAND_ANY_WORDS,
      HP_COMMAND_HIDDEN | HP_COMMAND_RAW, N_("For the shells."), cmd_complete },
    { NULL },
};
