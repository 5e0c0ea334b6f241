#include "hp-trace.h"

#include "hp-date.h"

#define LONGEST_VALUE 255 /* octets of a name or an id */

const char *
hp_trace_protocol(gboolean extended, gboolean tls, gboolean authenticated, gboolean utf8)
{
    static const char *const plain[] = { "ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA" };
    static const char *const wide[] = { "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS",
                                        "UTF8SMTPSA" };
    guint kind = (tls ? 2u : 0u) + (authenticated ? 1u : 0u);

    if (!extended)
        return "SMTP";
    return utf8 ? wide[kind] : plain[kind];
}

/* Names and ids are printable and without spaces; whatever else came in stays out. */
static void
append_value(GString *out, const char *value)
{
    for (size_t i = 0; i < LONGEST_VALUE && value[i] != '\0'; i++)
        if ((unsigned char)value[i] > ' ' && value[i] != 0x7F && value[i] != ';' &&
            value[i] != '(' && value[i] != ')')
            g_string_append_c(out, value[i]);
}

void
hp_trace_append(GString *out, const HpTrace *trace)
{
    g_string_append(out, "Received: from ");
    append_value(out, trace->from);
    g_string_append(out, " by ");
    append_value(out, trace->by);
    g_string_append(out, "\r\n\twith ");
    append_value(out, trace->protocol);
    if (trace->id != NULL) {
        g_string_append(out, " id ");
        append_value(out, trace->id);
    }
    g_string_append(out, "; ");
    hp_date_append_utc(out, trace->wall_usec);
    g_string_append(out, "\r\n");
}
