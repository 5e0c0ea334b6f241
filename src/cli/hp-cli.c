#include "hp-cli.h"

#include "hp-cli-reach.h"
#include "hp-json.h"
#include "hp-text.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LONGEST_SENTENCE 2000 /* characters of a message of the daemon */

void
hp_cli_init(HpCli *self, FILE *in, FILE *out, FILE *err)
{
    *self = (HpCli){ .clock = &hp_clock_system, .in = in, .out = out, .err = err };
    self->dirs = hp_dirs_new();
}

void
hp_cli_clear(HpCli *self)
{
    g_clear_pointer(&self->dirs, hp_dirs_free);
    g_clear_pointer(&self->args, hp_cli_args_free);
    g_clear_object(&self->daemon);
}

gint64
hp_cli_now_usec(const HpCli *self)
{
    return hp_clock_now_usec(self->clock, HP_CLOCK_WALL);
}

gboolean
hp_cli_has_colour(const HpCli *self)
{
    const char *no = g_getenv("NO_COLOR");

    return (no == NULL || no[0] == '\0') && g_strcmp0(g_getenv("TERM"), "dumb") != 0 &&
           isatty(fileno(self->out)) == 1;
}

guint
hp_cli_width(const HpCli *self)
{
    struct winsize size;
    int fd = fileno(self->out);

    return fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void
say(HpCli *self, const char *sentence, const char *next)
{
    g_autofree char *shown = hp_text_printable(hp_slice_of(sentence), LONGEST_SENTENCE);

    fprintf(self->err, "hauspost: %s\n", shown);
    if (next != NULL)
        fprintf(self->err, "→ %s\n", next);
}

HpExit
hp_cli_refuse(HpCli *self, HpExit exit, const char *next, const char *format, ...)
{
    g_autofree char *sentence = NULL;
    va_list args;

    va_start(args, format);
    sentence = g_strdup_vprintf(format, args);
    va_end(args);
    say(self, sentence, next);
    return exit;
}

HpExit
hp_cli_fail(HpCli *self, const GError *error, const char *next)
{
    g_autoptr(GError) copy = g_error_copy(error);
    g_auto(GStrv) lines = NULL;
    HpExit exit = hp_control_error_exit(error);

    g_dbus_error_strip_remote_error(copy);
    lines = g_strsplit(copy->message, "\n", 2);
    if (exit == HP_EXIT_NO_DAEMON)
        next = hp_cli_start_command(self->dirs);
    else if (lines[0] != NULL && lines[1] != NULL)
        next = lines[1];
    say(self, lines[0] != NULL ? lines[0] : "", next);
    return exit;
}

gboolean
hp_cli_flush(HpCli *self)
{
    int problem = 0;

    if (self->output_lost)
        return FALSE;
    if (fflush(self->out) != 0)
        problem = errno;
    else if (ferror(self->out))
        problem = EIO;
    if (problem == 0)
        return TRUE;
    self->output_lost = TRUE;
    if (problem != EPIPE)
        hp_cli_refuse(self, HP_EXIT_FAILURE, NULL,
                      _("the output could not be written: %s"), g_strerror(problem));
    return FALSE;
}

HpExit
hp_cli_fail_settings(HpCli *self, const GError *error)
{
    const char *next = hp_config_next(error);

    if (next == NULL)
        return hp_cli_refuse(self, HP_EXIT_FAILURE, "hauspost config path", "%s",
                             error->message);
    if (error->code == HP_SETTINGS_ERROR_VALUE)
        return hp_cli_refuse(self, HP_EXIT_USAGE, next, "%s", error->message);
    if (error->code == HP_SETTINGS_ERROR_NOT_FOUND)
        return hp_cli_refuse(self, HP_EXIT_NOT_FOUND, next, "%s", error->message);
    /* Each line is "file:line: problem", as editors and people know it. */
    fprintf(self->err, "%s\n→ %s\n", error->message, next);
    return HP_EXIT_PROBLEMS;
}

void
hp_cli_hint(HpCli *self, const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list args;

    if (self->quiet)
        return;
    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(self->err, "%s\n", line);
}

char *
hp_cli_ask(HpCli *self, const char *prompt, const char *fallback)
{
    char line[1024];

    if (fallback != NULL && fallback[0] != '\0')
        fprintf(self->err, "%s [%s]: ", prompt, fallback);
    else
        fprintf(self->err, "%s: ", prompt);
    fflush(self->err);
    if (fgets(line, sizeof line, self->in) == NULL)
        return NULL;
    g_strstrip(line);
    return g_strdup(line[0] == '\0' && fallback != NULL ? fallback : line);
}

HpExit
hp_cli_confirm(HpCli *self, const char *format, ...)
{
    g_autofree char *question = NULL;
    g_autofree char *prompt = NULL;
    g_autofree char *answer = NULL;
    va_list args;

    if (self->yes)
        return HP_EXIT_OK;
    va_start(args, format);
    question = g_strdup_vprintf(format, args);
    va_end(args);
    if (isatty(fileno(self->in)) != 1) {
        g_autofree char *next = g_strdup_printf("hauspost %s %s --yes …", self->noun,
                                                self->verb != NULL ? self->verb : "");

        return hp_cli_refuse(self, HP_EXIT_NEEDS_ANSWER, next,
                             _("%s There is no terminal to answer on."), question);
    }
    /* TRANSLATORS: the letter that means yes is "y" in every language, and its own too */
    prompt = g_strdup_printf(_("%s [y/N]"), question);
    answer = hp_cli_ask(self, prompt, NULL);
    if (answer != NULL && (g_ascii_tolower(answer[0]) == 'y' ||
                           g_str_has_prefix(answer, C_("letter for yes", "y"))))
        return HP_EXIT_OK;
    hp_cli_hint(self, "%s", _("Nothing was changed."));
    return HP_EXIT_FAILURE;
}

HpHauspost1 *
hp_cli_try_connect(HpCli *self)
{
    if (self->daemon == NULL)
        self->daemon = hp_cli_reach(self->dirs, NULL);
    return self->daemon;
}

/* Says why nobody answers. */
static HpExit
refuse_unreached(HpCli *self, const GError *why)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(HpSettings) settings = hp_config_load(self->dirs, &fault);

    if (settings == NULL && fault->domain == HP_SETTINGS_ERROR) {
        fprintf(self->err, "hauspost: %s\n",
                _("the mail server is not running; it does not start with these "
                  "settings:"));
        hp_cli_fail_settings(self, fault);
        return HP_EXIT_NO_DAEMON;
    }
    if (settings != NULL && !hp_config_is_set_up(settings))
        return hp_cli_refuse(self, HP_EXIT_NO_DAEMON, "hauspost setup",
                             _("Hauspost has not been set up yet."));
    return hp_cli_refuse(self, HP_EXIT_NO_DAEMON, hp_cli_start_command(self->dirs), "%s",
                         why->message);
}

HpHauspost1 *
hp_cli_connect(HpCli *self, HpExit *ret_exit)
{
    g_autoptr(GError) error = NULL;

    if (self->daemon == NULL)
        self->daemon = hp_cli_reach_starting(self->dirs, &error);
    if (self->daemon == NULL)
        *ret_exit = refuse_unreached(self, error);
    return self->daemon;
}

HpSettings *
hp_cli_settings(HpCli *self, HpExit *ret_exit)
{
    g_autoptr(GError) error = NULL;
    HpSettings *settings = hp_config_load(self->dirs, &error);

    if (settings == NULL)
        *ret_exit = hp_cli_fail_settings(self, error);
    return settings;
}

HpExit
hp_cli_reload(HpCli *self)
{
    g_autoptr(GError) error = NULL;
    HpHauspost1 *daemon = hp_cli_try_connect(self);

    if (daemon == NULL)
        return HP_EXIT_OK; /* it reads them when it starts */
    if (hp_hauspost1_call_reload_sync(daemon, NULL, &error))
        return HP_EXIT_OK;
    return hp_cli_fail(self, error, "hauspost config validate");
}

void
hp_cli_print_json(HpCli *self, const char *schema, const char *member, GVariant *value)
{
    g_autofree char *text = hp_json_write(schema, member, value);

    fprintf(self->out, "%s\n", text);
}
