#include "hp-log.h"

#include "hp-text.h"

#include <stdio.h>
#include <unistd.h>

static gboolean show_debug; /* nocheck: set once before threads start */

static const char *
field(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++)
        if (g_str_equal(fields[i].key, key))
            return fields[i].value;
    return NULL;
}

/* What libraries have to say (it has no topic) is for us only when something is wrong. */
static gboolean
is_wanted(GLogLevelFlags level, const char *topic)
{
    const GLogLevelFlags trouble =
        G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR;

    if ((level & trouble) != 0)
        return TRUE;
    return topic != NULL && ((level & G_LOG_LEVEL_MESSAGE) != 0 || show_debug);
}

/* One line, one write, so that lines of several threads never mix. */
static GLogWriterOutput
write_line(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    /* Bits 2 to 7 of GLogLevelFlags. */
    static const char *const names[] = { "error",  "critical", "warning",
                                         "notice", "info",     "debug" };
    guint rank = (guint)g_bit_nth_lsf(level & G_LOG_LEVEL_MASK, -1) - 2;
    const char *topic = field(fields, n, "HP_TOPIC");
    const char *subject = field(fields, n, "HP_SUBJECT");
    const char *message = field(fields, n, "MESSAGE");
    g_autofree char *line = NULL;

    if (!is_wanted(level, topic))
        return G_LOG_WRITER_HANDLED;
    if (g_log_writer_is_journald(STDERR_FILENO) &&
        g_log_writer_journald(level, fields, n, data) == G_LOG_WRITER_HANDLED)
        return G_LOG_WRITER_HANDLED;
    line = g_strdup_printf("hauspostd: %s: %s%s%s%s%s\n",
                           names[MIN(rank, G_N_ELEMENTS(names) - 1)],
                           topic != NULL ? topic : "", topic != NULL ? ": " : "",
                           subject != NULL ? subject : "", subject != NULL ? ": " : "",
                           message != NULL ? message : "");
    fputs(line, stderr);
    return G_LOG_WRITER_HANDLED;
}

void
hp_log_init(gboolean verbose)
{
    show_debug = verbose;
    g_log_set_writer_func(write_line, NULL, NULL);
}

static const char *
priority(GLogLevelFlags level)
{
    if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
        return "3";
    if ((level & G_LOG_LEVEL_WARNING) != 0)
        return "4";
    if ((level & G_LOG_LEVEL_MESSAGE) != 0)
        return "5";
    return (level & G_LOG_LEVEL_INFO) != 0 ? "6" : "7";
}

void
hp_log(const char *topic, const char *subject, GLogLevelFlags level, const char *format,
       ...)
{
    g_autofree char *raw = NULL;
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    raw = g_strdup_vprintf(format, args);
    va_end(args);
    text = hp_text_printable((HpSlice){ raw, strlen(raw) }, 1000);

    GLogField fields[] = {
        { "MESSAGE", text, -1 },
        { "PRIORITY", priority(level), -1 },
        { "SYSLOG_IDENTIFIER", "hauspostd", -1 },
        { "HP_TOPIC", topic, -1 },
        { "HP_SUBJECT", subject, -1 },
    };
    g_log_structured_array(level, fields, G_N_ELEMENTS(fields) - (subject == NULL));
}
