#include "hp-cli-line.h"

#include "hp-cli-dict.h"

#include <glib/gi18n.h>

static const struct {
    const char *state;
    const char *sentence;
    const char *command; /* (nullable) */
} obstacles[] = {
    { "offline", N_("This computer is offline; mail goes out as soon as it is online."),
      NULL },
    { "captive", N_("This network wants you to sign in first; mail goes out after that."),
      "hauspost explain captive" },
    { "no_dns", N_("No name server answers; mail goes out as soon as one does."), NULL },
    { "no_25", N_("This network lets no mail out (port 25 is closed); mail waits."),
      "hauspost explain no-25" },
};

const char *
hp_cli_line_obstacle(GVariant *status, const char **ret_command)
{
    g_autoptr(GVariant) network = hp_dict_dict(status, "network");
    const char *state = hp_dict_text(network, "state");

    if (g_strcmp0(hp_dict_text(status, "state"), "paused") == 0) {
        *ret_command = "hauspost resume";
        return _("Sending is paused; nothing goes out until you resume it.");
    }
    for (gsize i = 0; i < G_N_ELEMENTS(obstacles); i++) {
        if (g_strcmp0(obstacles[i].state, state) != 0)
            continue;
        *ret_command = obstacles[i].command;
        return _(obstacles[i].sentence);
    }
    return NULL;
}

void
hp_cli_hint_obstacle(HpCli *cli)
{
    g_autoptr(GVariant) status = NULL;
    const char *command = NULL;
    const char *sentence;

    if (!hp_hauspost1_call_status_sync(cli->daemon, &status, NULL, NULL))
        return;
    sentence = hp_cli_line_obstacle(status, &command);
    if (sentence != NULL)
        hp_cli_hint(cli, "%s%s%s", sentence, command != NULL ? "\n→ " : "",
                    command != NULL ? command : "");
}
