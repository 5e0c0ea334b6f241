/* explain: what a reply code or the state of a message means. */
#include "hp-build.h"
#include "hp-cli-dict.h"
#include "hp-command.h"
#include "hp-control-error.h"
#include "hp-explain.h"
#include "hp-status.h"
#include "hp-text.h"

#include <glib/gi18n.h>

static void
print_sentence(HpCli *cli, const char *label, GVariant *dict, const char *key)
{
    const char *text = hp_dict_text(dict, key);
    g_autofree char *shown =
        text != NULL ? hp_text_printable(hp_slice_of(text), 1000) : NULL;

    if (shown != NULL && shown[0] != '\0')
        fprintf(cli->out, "%s%s\n", label, shown);
}

static HpExit
print_answer(HpCli *cli, GVariant *answer)
{
    if (cli->json) {
        hp_cli_print_json(cli, "hauspost.explanation/1", NULL, answer);
        return HP_EXIT_OK;
    }
    print_sentence(cli, "", answer, "recipient");
    print_sentence(cli, "", answer, "code");
    print_sentence(cli, _("What it means     "), answer, "meaning");
    print_sentence(cli, _("Whose side        "), answer, "side");
    print_sentence(cli, _("What you can do → "), answer, "advice");
    print_sentence(cli, "→ ", answer, "command");
    return HP_EXIT_OK;
}

typedef struct {
    guint code; /* 0 if none was given */
    char enhanced[HP_STATUS_SIZE];
    const char *text; /* (unowned): the rest */
} Reply;

static gboolean
is_blank_or_hyphen(unsigned char byte)
{
    return byte == ' ' || byte == '-';
}

/* [ code ] [ enhanced ] [ text ], at least one of the codes; a lone word with a letter
 * among its first characters is an id. */
static gboolean
parse_reply(const char *what, Reply *ret_reply)
{
    HpCursor c = hp_cursor_over(hp_slice_trim(hp_slice_of(what)));
    HpCursor before = c;
    Reply reply = { 0 };
    guint64 code = 0;
    HpStatus status;
    gboolean coded =
        hp_cursor_take_number(&c, 599, &code) && code >= 200 &&
        (hp_cursor_at_end(&c) || hp_cursor_take(&c, is_blank_or_hyphen).len > 0);

    if (coded)
        reply.code = (guint)code;
    else
        c = before;
    if (hp_status_parse(&c, &status))
        hp_status_write(&status, reply.enhanced);
    else if (!coded)
        return FALSE;
    hp_cursor_take(&c, is_blank_or_hyphen);
    reply.text = c.at;
    *ret_reply = reply;
    return TRUE;
}

static HpExplain *
load_catalogue(void)
{
    const char *datadir = g_getenv("HAUSPOST_DATADIR"); /* an uninstalled tree */
    g_autofree char *path = g_build_filename(datadir != NULL ? datadir : HP_DATADIR,
                                             "explanations.ini", NULL);

    return hp_explain_load(path, NULL);
}

/* A reply code, or the name of a row, out of the catalogue that is installed; %NULL if it
 * is neither, or there is no catalogue. */
static GVariant *
look_up(const char *what)
{
    const char *language = g_get_language_names()[0];
    g_autoptr(HpExplain) catalogue = load_catalogue();
    HpExplanation found;
    GVariantDict dict;
    Reply reply;

    if (catalogue == NULL)
        return NULL;
    found = hp_explain_by_id(catalogue, what, language);
    if (parse_reply(what, &reply))
        found = hp_explain(catalogue, reply.code, reply.enhanced, reply.text, language);
    else if (!g_str_equal(found.id, what))
        return NULL;
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "code", "s", what);
    g_variant_dict_insert(&dict, "meaning", "s", found.meaning);
    g_variant_dict_insert(&dict, "side", "s", found.side_text);
    g_variant_dict_insert(&dict, "advice", "s", found.advice);
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

static HpExit
cmd_explain(HpCli *cli)
{
    g_autofree char *what = NULL;
    g_autofree char *next = NULL;
    g_autoptr(GVariant) answer = NULL;
    g_autoptr(GError) error = NULL;
    HpExit exit = HP_EXIT_OK;
    HpHauspost1 *daemon;

    /* "explain 550 5.7.1" needs no quotes. */
    g_ptr_array_add(cli->args->words, NULL);
    what = g_strjoinv(" ", (char **)cli->args->words->pdata);
    if (!g_utf8_validate(what, -1, NULL))
        return hp_cli_refuse(cli, HP_EXIT_USAGE, "hauspost explain 550",
                             _("this is not UTF-8 text"));
    answer = look_up(what);
    if (answer != NULL)
        return print_answer(cli, answer);
    daemon = hp_cli_connect(cli, &exit);
    if (daemon == NULL)
        return exit;
    if (hp_hauspost1_call_explain_sync(daemon, what, &answer, NULL, &error))
        return print_answer(cli, answer);
    next = g_error_matches(error, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE)
               ? g_strdup_printf("hauspost queue show %s", what)
               : g_strdup("hauspost explain 550");
    return hp_cli_fail(cli, error, next);
}

const HpCommand hp_cmd_explain[] = {
    { "explain", NULL, "(CODE [TEXT]|ID|NAME) [--json]", "", 1, HP_COMMAND_ANY_WORDS,
      HP_COMMAND_JSON, N_("Says what a reply code or the state of a message means."),
      cmd_explain },
    { NULL },
};
