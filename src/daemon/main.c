/* hauspostd: options, and what must be true of the process before anything else. */
#include "hp-build.h"
#include "hp-daemon.h"
#include "hp-language.h"
#include "hp-log.h"
#include "hp-sqlite.h"

#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXIT_USAGE 2

typedef struct {
    gboolean check;
    gboolean init;
    gboolean repair;
    gboolean verbose;
    gboolean version;
} Options;

static gboolean
parse_options(int *argc, char ***argv, Options *ret_options)
{
    const GOptionEntry entries[] = {
        { "check", 0, 0, G_OPTION_ARG_NONE, &ret_options->check,
          N_("Check the settings and exit (0 or 7)"), NULL },
        { "init", 0, 0, G_OPTION_ARG_NONE, &ret_options->init,
          N_("Make certificate and databases if they are missing, and exit"), NULL },
        { "repair", 0, 0, G_OPTION_ARG_NONE, &ret_options->repair,
          N_("Make a damaged mail.db anew, and exit (0 or 7)"), NULL },
        { "verbose", 0, 0, G_OPTION_ARG_NONE, &ret_options->verbose,
          N_("Log more than what went wrong"), NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, &ret_options->version,
          N_("Print the version and exit"), NULL },
        { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context,
                                 _("The mail server for one person's own computer."));
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_option_context_parse(context, argc, argv, &error) && *argc == 1)
        return TRUE;
    fprintf(stderr, "hauspostd: %s\n",
            error != NULL ? error->message : _("there are no arguments, only options"));
    return FALSE;
}

/* Nobody else may read our files, our memory or a core of it; a closed socket or a full
 * disk is an error of the call, not the end. */
static void
harden(void)
{
    struct rlimit no_core = { 0, 0 };

    umask(077);
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int
main(int argc, char **argv)
{
    Options options = { 0 };

    hp_language_init(NULL); /* until the settings say which */
    harden();
    if (!parse_options(&argc, &argv, &options))
        return EXIT_USAGE;
    if (options.version) {
        printf("hauspostd %s\n", HP_VERSION);
        return 0;
    }
    hp_log_init(options.verbose);
    hp_db_prepare_process();
    if (options.check)
        return hp_daemon_check();
    if (options.repair)
        return hp_daemon_repair();
    return options.init ? hp_daemon_init() : hp_daemon_run();
}
