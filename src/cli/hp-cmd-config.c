/* config: the settings. Works without a daemon. */
#include "hp-cli-reach.h"
#include "hp-cli-table.h"
#include "hp-command.h"
#include "hp-fs.h"
#include "hp-settings-edit.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define LIST "hauspost config list"

/* "listen", "identity work" */
static char *
section_words(const HpSettingSpec *spec, const char *name)
{
    return name != NULL ? g_strdup_printf("%s %s", spec->section, name)
                        : g_strdup(spec->section);
}

/* @name: (nullable): is there such a section, for those that have a name? */
static gboolean
has_section(const HpSettings *settings, guint key, const char *name)
{
    return name == NULL || hp_settings_section_line(
                               settings, hp_config_table().specs[key].section, name) > 0;
}

static HpExit
print_value(HpCli *cli, const char *text)
{
    if (cli->json) {
        g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_string(text));

        hp_cli_print_json(cli, "hauspost.setting/1", "value", value);
    } else {
        fprintf(cli->out, "%s\n", text);
    }
    return HP_EXIT_OK;
}

static HpExit
cmd_get(HpCli *cli)
{
    const char *path = hp_cli_args_word(cli->args, 0);
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    guint key = 0;

    if (!hp_settings_find(hp_config_table(), path, &key, &name, &error))
        return hp_cli_fail_settings(cli, error);
    settings = hp_cli_settings(cli, &exit);
    if (settings == NULL)
        return exit;
    if (!has_section(settings, key, name)) {
        g_autofree char *section = section_words(hp_config_table().specs + key, name);

        return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, LIST, _("there is no section [%s]"),
                             section);
    }
    return print_value(cli, hp_settings_text(settings, key, name));
}

typedef struct {
    const char *path;  /* (unowned) */
    const char *value; /* (unowned) (nullable): unset */
} Change;

static char *
edit(HpSlice text, gpointer data, GError **error)
{
    const Change *change = data;
    g_autofree char *name = NULL;
    g_autofree char *section = NULL;
    const HpSettingSpec *spec;
    guint key = 0;

    if (!hp_settings_find(hp_config_table(), change->path, &key, &name, error))
        return NULL;
    spec = hp_config_table().specs + key;
    section = section_words(spec, name);
    if (change->value == NULL)
        return hp_settings_edit_unset(text, section, spec->key, NULL);
    if (!hp_settings_check(spec, hp_slice_of(change->value), error))
        return NULL;
    return hp_settings_edit_set(text, section, spec->key, change->value);
}

/* Says so if nothing obeys the setting yet, or a running daemon not before it is started
 * again. */
static void
hint_effect(HpCli *cli, const char *path)
{
    const HpSettingSpec *spec = hp_config_table().specs;
    g_autofree char *name = NULL;
    guint key = 0;

    if (!hp_settings_find(hp_config_table(), path, &key, &name, NULL))
        return;
    spec += key;
    if (spec->later)
        hp_cli_hint(cli, _("%s is written down, but nothing acts on it yet."), path);
    else if (spec->at_start && cli->daemon != NULL)
        hp_cli_hint(cli, "%s%s", _("The mail server takes this at its next start."),
                    hp_cli_has_user_manager() ? "\n→ systemctl --user restart hauspost"
                                              : "");
}

static HpExit
change_setting(HpCli *cli, const char *value)
{
    Change change = { hp_cli_args_word(cli->args, 0), value };
    g_autoptr(GError) error = NULL;
    HpExit exit;

    if (!hp_config_change(cli->dirs, edit, &change, &error))
        return hp_cli_fail_settings(cli, error);
    exit = hp_cli_reload(cli);
    if (exit == HP_EXIT_OK)
        hint_effect(cli, change.path);
    return exit;
}

static HpExit
cmd_set(HpCli *cli)
{
    return change_setting(cli, hp_cli_args_word(cli->args, 1));
}

static HpExit
cmd_unset(HpCli *cli)
{
    return change_setting(cli, NULL);
}

typedef struct {
    HpCli *cli;           /* (unowned) */
    HpSettings *settings; /* (unowned) */
    HpCliTable *table;    /* (unowned) */
    GVariantBuilder list;
} Lister;

static void
list_key(Lister *l, guint key, const char *name)
{
    const HpSettingSpec *spec = hp_config_table().specs + key;
    const char *value = hp_settings_text(l->settings, key, name);
    guint line = hp_settings_line(l->settings, key, name);
    g_autofree char *path =
        g_strdup_printf("%s%s%s.%s", spec->section, name != NULL ? "." : "",
                        name != NULL ? name : "", spec->key);
    g_autofree char *origin =
        line > 0 ? g_strdup_printf(_("line %u"), line) : g_strdup(_("default"));
    GVariantDict dict;

    hp_cli_table_add(l->table, path, NULL);
    hp_cli_table_add(l->table, value, NULL);
    hp_cli_table_add(l->table, origin, NULL);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "key", "s", path);
    g_variant_dict_insert(&dict, "value", "s", value);
    g_variant_dict_insert(&dict, "default", "s", spec->fallback);
    g_variant_dict_insert(&dict, "line", "u", line);
    g_variant_builder_add_value(&l->list, g_variant_dict_end(&dict));
}

static void
list_all(Lister *l)
{
    HpSettingTable table = hp_config_table();

    for (guint key = 0; key < table.n_specs; key++) {
        g_autofree const char **names =
            hp_settings_names(l->settings, table.specs[key].section);

        if (!table.specs[key].named)
            list_key(l, key, NULL);
        else
            for (guint i = 0; names[i] != NULL; i++)
                list_key(l, key, names[i]);
    }
}

static HpExit
cmd_list(HpCli *cli)
{
    const char *const titles[] = { _("KEY"), _("VALUE"), _("FROM"), NULL };
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autoptr(GVariant) list = NULL;
    Lister l = { cli, settings, table };

    if (settings == NULL)
        return exit;
    g_variant_builder_init(&l.list, (const GVariantType *)"aa{sv}");
    list_all(&l);
    list = g_variant_ref_sink(g_variant_builder_end(&l.list));
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.settings/1", "settings", list);
    else if (cli->plain)
        hp_cli_table_print_plain(table, cli->out);
    else
        hp_cli_table_print(table, cli->out, hp_cli_width(cli));
    return HP_EXIT_OK;
}

/* @problems: (nullable): lines, "file:line: problem" */
static void
print_verdict(HpCli *cli, const char *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems != NULL ? problems : "", "\n", -1);
    g_autoptr(GVariant) verdict = NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "valid", "b", problems == NULL);
    g_variant_dict_insert(&dict, "problems", "^as", lines);
    verdict = g_variant_ref_sink(g_variant_dict_end(&dict));
    hp_cli_print_json(cli, "hauspost.validation/1", NULL, verdict);
}

/* What the mail server would start with. @path: (nullable): another file than the one in
 * use */
static HpSettings *
load(HpCli *cli, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(HpSettings) settings = NULL;
    gsize len = 0;

    if (path == NULL)
        return hp_config_load_set_up(cli->dirs, error);
    if (!g_file_get_contents(path, &text, &len, error))
        return NULL;
    settings = hp_config_parse(path, (HpSlice){ text, len }, error);
    if (settings == NULL || !hp_config_require_set_up(settings, path, error))
        return NULL;
    return g_steal_pointer(&settings);
}

static HpExit
validate(HpCli *cli, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) settings = load(cli, path, &error);

    if (cli->json && (settings != NULL || error->domain == HP_SETTINGS_ERROR))
        print_verdict(cli, settings != NULL ? NULL : error->message);
    if (settings == NULL)
        return hp_cli_fail_settings(cli, error);
    if (!cli->json)
        hp_cli_hint(cli, "%s", _("The settings are fine."));
    return HP_EXIT_OK;
}

static HpExit
cmd_validate(HpCli *cli)
{
    return validate(cli, hp_cli_args_word(cli->args, 0));
}

static HpExit
cmd_edit(HpCli *cli)
{
    const char *visual = g_getenv("VISUAL");
    const char *editor = visual != NULL ? visual : g_getenv("EDITOR");
    g_autofree char *path = hp_config_path(cli->dirs);
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *line =
        g_strdup_printf("%s %s", editor != NULL ? editor : "editor", quoted);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) error = NULL;
    HpExit exit;

    if (isatty(fileno(cli->in)) != 1 || isatty(fileno(cli->out)) != 1)
        return hp_cli_refuse(cli, HP_EXIT_NEEDS_ANSWER, "hauspost config set KEY VALUE",
                             _("an editor needs a terminal"));
    if (!g_shell_parse_argv(line, NULL, &argv, &error) ||
        !g_spawn_sync(NULL, argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL,
                      NULL, NULL, NULL, &error))
        return hp_cli_refuse(cli, HP_EXIT_FAILURE, "EDITOR=nano hauspost config edit",
                             _("the editor could not be started: %s"), error->message);
    exit = validate(cli, NULL);
    return exit == HP_EXIT_OK ? hp_cli_reload(cli) : exit;
}

static void
print_description(HpCli *cli, const HpSettingSpec *spec)
{
    g_autofree char *type = hp_settings_describe_type(spec);

    fprintf(cli->out, "%s%s.%s\n    %s\n", spec->section, spec->named ? ".NAME" : "",
            spec->key, _(spec->about));
    fprintf(cli->out, _("    Value: %s. Default: %s.%s\n"), type,
            spec->fallback[0] != '\0' ? spec->fallback : _("none"),
            spec->later      ? _(" Known, but not in use yet.")
            : spec->at_start ? _(" Taken at the next start.")
                             : "");
}

/* As in "config list", NAME stands for the name of a section that has one. */
static GVariant *
description(const HpSettingSpec *spec)
{
    g_autofree char *type = hp_settings_describe_type(spec);
    g_autofree char *path =
        g_strdup_printf("%s%s.%s", spec->section, spec->named ? ".NAME" : "", spec->key);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "key", "s", path);
    g_variant_dict_insert(&dict, "about", "s", _(spec->about));
    g_variant_dict_insert(&dict, "value", "s", type);
    g_variant_dict_insert(&dict, "default", "s", spec->fallback);
    g_variant_dict_insert(&dict, "in_use", "b", !spec->later);
    g_variant_dict_insert(&dict, "at_start", "b", spec->at_start);
    return g_variant_dict_end(&dict);
}

static void
describe(HpCli *cli, const HpSettingSpec *const *specs, guint n)
{
    g_autoptr(GVariant) list = NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < n; i++) {
        if (cli->json)
            g_variant_builder_add_value(&builder, description(specs[i]));
        else
            print_description(cli, specs[i]);
    }
    list = g_variant_ref_sink(g_variant_builder_end(&builder));
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.descriptions/1", "settings", list);
}

/* Whole sections too: "config describe listen". */
static HpExit
cmd_describe(HpCli *cli)
{
    const char *path = hp_cli_args_word(cli->args, 0);
    HpSettingTable table = hp_config_table();
    g_autofree const HpSettingSpec **specs = g_new(const HpSettingSpec *, table.n_specs);
    guint n = 0, key = 0;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;

    for (guint i = 0; i < table.n_specs; i++)
        if (path == NULL || g_str_equal(path, table.specs[i].section))
            specs[n++] = &table.specs[i];
    if (n == 0 && !hp_settings_find(table, path, &key, &name, &error))
        return hp_cli_fail_settings(cli, error);
    if (n == 0)
        specs[n++] = &table.specs[key];
    describe(cli, specs, n);
    return HP_EXIT_OK;
}

static HpExit
cmd_path(HpCli *cli)
{
    g_autofree char *path = hp_config_path(cli->dirs);

    if (cli->json) {
        g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_string(path));

        hp_cli_print_json(cli, "hauspost.path/1", "path", value);
    } else {
        fprintf(cli->out, "%s\n", path);
    }
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_config[] = {
    { "config", "get", "KEY [--json]", "", 1, 1, HP_COMMAND_JSON, N_("Shows a setting."),
      cmd_get },
    { "config", "set", "KEY VALUE", "", 2, 2, 0, N_("Changes a setting."), cmd_set },
    { "config", "unset", "KEY", "", 1, 1, 0, N_("Goes back to the default of a setting."),
      cmd_unset },
    { "config", "list", "[--json|--plain]", "origin", 0, 0,
      HP_COMMAND_JSON | HP_COMMAND_PLAIN,
      N_("Shows all settings and where they are from."), cmd_list },
    { "config", "edit", "", "", 0, 0, 0, N_("Opens the settings in an editor."),
      cmd_edit },
    { "config", "validate", "[FILE] [--json]", "", 0, 1, HP_COMMAND_JSON,
      N_("Checks the settings."), cmd_validate },
    { "config", "describe", "[KEY|SECTION] [--json]", "", 0, 1, HP_COMMAND_JSON,
      N_("Says what settings mean."), cmd_describe },
    { "config", "path", "[--json]", "", 0, 0, HP_COMMAND_JSON,
      N_("Prints where the settings file is."), cmd_path },
    { NULL },
};
