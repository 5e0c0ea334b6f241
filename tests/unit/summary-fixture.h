/* summary-fixture: a message and what its summary says of it, held against IMAP's
 * grammar.
 *
 * Threads: any.
 */
#pragma once

#include "../imap-grammar.h"
#include "hp-summary.h"

#include <string.h>

static inline HpSummary *
summarize(const char *message)
{
    g_autofree char *exact = g_memdup2(message, strlen(message));

    return hp_summary_new((HpSlice){ exact, strlen(message) });
}

static inline char *
envelope_of(const char *message, gboolean utf8)
{
    g_autoptr(HpSummary) summary = summarize(message);
    g_autoptr(GString) out = g_string_new(NULL);

    hp_summary_append_envelope(summary, utf8, out);
    g_assert_true(imap_is_envelope(hp_slice_of_string(out), utf8));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static inline char *
structure_of(const char *message, gboolean extended, gboolean utf8)
{
    g_autoptr(HpSummary) summary = summarize(message);
    g_autoptr(GString) out = g_string_new(NULL);

    hp_summary_append_structure(summary, extended, utf8, out);
    g_test_message("%s", out->str);
    g_assert_true(imap_is_structure(hp_slice_of_string(out), extended, utf8));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

#define MIXED "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"

#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"
#define TEXT "Content-Type: text/plain; charset="
