/* identity: the addresses that the user may send as. Works without a daemon. */
#include "hp-cli-table.h"
#include "hp-command.h"
#include "hp-settings-edit.h"

#include <glib/gi18n.h>
#include <string.h>

#define LIST "hauspost identity list"

/* The section [identity NAME] of that name or with that address, %NULL if there is none.
 */
static const char *
find_section(const HpSettings *settings, const char *address)
{
    g_autofree const char **names = hp_settings_names(settings, "identity");

    for (guint i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], address) == 0 ||
            g_ascii_strcasecmp(
                hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, names[i]),
                address) == 0)
            return names[i];
    return NULL;
}

static gboolean
is_default(const HpSettings *settings, const char *address)
{
    return g_ascii_strcasecmp(hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
                              address) == 0;
}

typedef struct {
    HpCliTable *table; /* (unowned) */
    GVariantBuilder list;
} Lister;

/* @section: (nullable): the account itself */
static void
list_one(Lister *l, const HpSettings *settings, const char *section)
{
    gboolean account = section == NULL;
    const char *address = hp_settings_text(
        settings, account ? HP_CONFIG_ACCOUNT_ADDRESS : HP_CONFIG_IDENTITY_ADDRESS,
        section);
    const char *name = hp_settings_text(
        settings, account ? HP_CONFIG_ACCOUNT_NAME : HP_CONFIG_IDENTITY_NAME, section);
    GVariantDict dict;

    hp_cli_table_add(l->table, address, NULL);
    hp_cli_table_add(l->table, name, NULL);
    hp_cli_table_add(l->table, account ? C_("address", "default") : section,
                     account ? "default" : section);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "address", "s", address);
    g_variant_dict_insert(&dict, "name", "s", name);
    g_variant_dict_insert(&dict, "section", "s", account ? "" : section);
    g_variant_dict_insert(&dict, "default", "b", account);
    g_variant_builder_add_value(&l->list, g_variant_dict_end(&dict));
}

static HpExit
cmd_list(HpCli *cli)
{
    const char *const titles[] = { _("ADDRESS"), _("NAME"), _("SECTION"), NULL };
    g_autoptr(HpCliTable) table = hp_cli_table_new(titles);
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autofree const char **names = NULL;
    g_autoptr(GVariant) list = NULL;
    Lister l = { table };

    if (settings == NULL)
        return exit;
    names = hp_settings_names(settings, "identity");
    g_variant_builder_init(&l.list, (const GVariantType *)"aa{sv}");
    if (hp_config_is_set_up(settings))
        list_one(&l, settings, NULL);
    for (guint i = 0; names[i] != NULL; i++)
        list_one(&l, settings, names[i]);
    list = g_variant_ref_sink(g_variant_builder_end(&l.list));
    if (cli->json)
        hp_cli_print_json(cli, "hauspost.identities/1", "identities", list);
    else if (cli->plain)
        hp_cli_table_print_plain(table, cli->out);
    else
        hp_cli_table_print(table, cli->out, hp_cli_width(cli));
    return HP_EXIT_OK;
}

/* "anna@example.org" → "anna", "anna2", … */
static char *
new_section(const HpSettings *settings, const char *address)
{
    const char *at = strchr(address, '@');
    g_autofree char *local = g_strndup(address, at != NULL ? (gsize)(at - address) : 40);
    g_autofree const char **names = hp_settings_names(settings, "identity");
    g_autofree char *name = NULL;

    g_strcanon(local, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
               '-');
    if (strlen(local) > 40)
        local[40] = '\0';
    name = g_strdup(strcmp(local, "-") == 0 ? "all" : local);
    for (guint i = 2; g_strv_contains((const char *const *)names, name); i++) {
        g_free(name);
        name = g_strdup_printf("%s%u", local, i);
    }
    return g_steal_pointer(&name);
}

typedef struct {
    const char *address; /* (unowned): or the name of the section */
    const char *name;    /* (unowned) (nullable) */
    const char *section; /* (unowned) (nullable): for a new one */
    gboolean found;
} Change;

static char *
set_two(HpSlice text, const char *section, const char *address, const char *name)
{
    g_autofree char *first = hp_settings_edit_set(text, section, "address", address);

    return name != NULL && name[0] != '\0'
               ? hp_settings_edit_set(hp_slice_of(first), section, "name", name)
               : g_steal_pointer(&first);
}

static char *
edit_add(HpSlice text, gpointer data, GError **error)
{
    Change *change = data;
    g_autoptr(HpSettings) settings = hp_config_parse(HP_CONFIG_FILE, text, error);
    g_autofree char *name = NULL;
    g_autofree char *section = NULL;

    if (settings == NULL)
        return NULL;
    change->found = is_default(settings, change->address) ||
                    find_section(settings, change->address) != NULL;
    if (change->found)
        return hp_slice_dup(text);
    name = new_section(settings,
                       change->section != NULL ? change->section : change->address);
    section = g_strconcat("identity ", name, NULL);
    return set_two(text, section, change->address, change->name);
}

/* The account and the section change places. */
static char *
edit_default(HpSlice text, gpointer data, GError **error)
{
    Change *change = data;
    g_autoptr(HpSettings) settings = hp_config_parse(HP_CONFIG_FILE, text, error);
    const char *name = settings != NULL ? find_section(settings, change->address) : NULL;
    g_autofree char *section = g_strconcat("identity ", name, NULL);
    g_autofree char *first = NULL;
    const char *address;

    if (settings == NULL)
        return NULL;
    address =
        name != NULL ? hp_settings_text(settings, HP_CONFIG_IDENTITY_ADDRESS, name) : "*";
    change->found = address[0] != '*';
    if (!change->found)
        return hp_slice_dup(text);
    first = set_two(text, "account", address,
                    hp_settings_text(settings, HP_CONFIG_IDENTITY_NAME, name));
    return set_two(hp_slice_of(first), section,
                   hp_settings_text(settings, HP_CONFIG_ACCOUNT_ADDRESS, NULL),
                   hp_settings_text(settings, HP_CONFIG_ACCOUNT_NAME, NULL));
}

static char *
edit_remove(HpSlice text, gpointer data, GError **error)
{
    Change *change = data;
    g_autoptr(HpSettings) settings = hp_config_parse(HP_CONFIG_FILE, text, error);
    const char *name = settings != NULL ? find_section(settings, change->address) : NULL;
    g_autofree char *section = g_strconcat("identity ", name, NULL);

    if (settings == NULL)
        return NULL;
    return name != NULL ? hp_settings_edit_remove(text, section, &change->found)
                        : hp_slice_dup(text);
}

static HpExit
cmd_add(HpCli *cli)
{
    const char *word = hp_cli_args_word(cli->args, 0);
    const char *address = hp_cli_args_get(cli->args, "address");
    Change change = { .address = address != NULL ? address : word,
                      .name = hp_cli_args_get(cli->args, "name"),
                      .section = address != NULL ? word : NULL };
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (settings == NULL)
        return exit;
    if (!hp_config_fits(HP_CONFIG_IDENTITY_ADDRESS, change.address, &error) ||
        !hp_config_fits(HP_CONFIG_IDENTITY_NAME, change.name, &error))
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost identity add anna@example.org",
                             "%s", error->message);
    if (!hp_config_change(cli->dirs, edit_add, &change, &error))
        return hp_cli_fail_settings(cli, error);
    exit = hp_cli_reload(cli);
    if (exit == HP_EXIT_OK)
        hp_cli_hint(cli, change.found ? _("%s is yours already.") : _("%s is yours now."),
                    change.address);
    return exit;
}

static HpExit
cmd_default(HpCli *cli)
{
    Change change = { hp_cli_args_word(cli->args, 0) };
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (settings == NULL)
        return exit;
    if (is_default(settings, change.address))
        return HP_EXIT_OK;
    if (!hp_config_change(cli->dirs, edit_default, &change, &error))
        return hp_cli_fail_settings(cli, error);
    if (!change.found)
        return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, LIST,
                             _("%s is not one of your addresses"), change.address);
    return hp_cli_reload(cli);
}

static HpExit
cmd_remove(HpCli *cli)
{
    Change change = { hp_cli_args_word(cli->args, 0) };
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);
    g_autoptr(GError) error = NULL;

    if (settings == NULL)
        return exit;
    if (is_default(settings, change.address))
        return hp_cli_refuse(cli, HP_EXIT_REFUSED, "hauspost identity default OTHER",
                             _("%s is the default address; make another one the default "
                               "first"),
                             change.address);
    if (!hp_config_change(cli->dirs, edit_remove, &change, &error))
        return hp_cli_fail_settings(cli, error);
    if (!change.found)
        return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, LIST,
                             _("%s is not one of your addresses"), change.address);
    return hp_cli_reload(cli);
}

/* "*@example.org" */
static gboolean
is_covered(const HpSettings *settings, const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *all = at != NULL ? g_strconcat("*", at, NULL) : NULL;

    return is_default(settings, address) || find_section(settings, address) != NULL ||
           (all != NULL && find_section(settings, all) != NULL);
}

static void
print_verdict(HpCli *cli, const char *address, gboolean taken)
{
    g_autoptr(GVariant) verdict = NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "address", "s", address);
    g_variant_dict_insert(&dict, "taken", "b", taken);
    verdict = g_variant_ref_sink(g_variant_dict_end(&dict));
    hp_cli_print_json(cli, "hauspost.sender/1", NULL, verdict);
}

static HpExit
cmd_check(HpCli *cli)
{
    const char *address = hp_cli_args_word(cli->args, 0);
    g_autofree char *next = g_strdup_printf("hauspost identity add %s", address);
    HpExit exit = HP_EXIT_OK;
    g_autoptr(HpSettings) settings = hp_cli_settings(cli, &exit);

    if (settings == NULL)
        return exit;
    if (cli->json)
        print_verdict(cli, address, is_covered(settings, address));
    if (!is_covered(settings, address))
        return hp_cli_refuse(cli, HP_EXIT_NOT_FOUND, next,
                             _("mail from %s would be refused: it is not one of your "
                               "addresses"),
                             address);
    if (!cli->json)
        hp_cli_hint(cli, _("Mail from %s is taken."), address);
    return HP_EXIT_OK;
}

const HpCommand hp_cmd_identity[] = {
    { "identity", "list", "[--json|--plain]", "", 0, 0,
      HP_COMMAND_JSON | HP_COMMAND_PLAIN, N_("Shows the addresses you may send as."),
      cmd_list },
    { "identity", "add", "(ADDRESS|SECTION --address ADDRESS) [--name NAME]",
      "name= address=", 1, 1, 0,
      N_("Adds an address; *@example.org is every address there."), cmd_add },
    { "identity", "default", "ADDRESS", "", 1, 1, 0,
      N_("Makes one of your addresses the default."), cmd_default },
    { "identity", "remove", "ADDRESS|SECTION", "yes|y", 1, 1, 0,
      N_("Removes an address."), cmd_remove },
    { "identity", "check", "ADDRESS [--json]", "", 1, 1, HP_COMMAND_JSON,
      N_("Says whether mail from an address would be taken."), cmd_check },
    { NULL },
};
