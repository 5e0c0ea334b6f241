#include "hp-imap-pattern.h"

#include <string.h>

static const struct {
    const char *pattern; /* (unowned) */
    const char *name;    /* (unowned) */
    gboolean matches;
} rows[] = {
    { "*", "INBOX", TRUE },
    { "*", "a/b/c", TRUE },
    { "*", "", TRUE },
    { "%", "a", TRUE },
    { "%", "a/b", FALSE },
    { "%/%", "a/b", TRUE },
    { "%/%", "a/b/c", FALSE },
    { "a/*", "a/b/c", TRUE },
    { "a/*", "a", FALSE },
    { "a*", "a", TRUE },
    { "a%c*e", "abcdde", TRUE },
    { "a%c*e", "ab/cdde", FALSE },
    { "*b", "a/b", TRUE },
    { "%b*%", "ab", TRUE },
    { "**", "a/b", TRUE },
    { "a", "b", FALSE },
    { "a", "A", FALSE },
    { "inbox", "INBOX", TRUE },
    { "InB%", "INBOX", TRUE },
    { "inbox/a", "INBOX/a", TRUE },
    { "inbox/A", "INBOX/a", FALSE },
    { "inboxen", "INBOXEN", FALSE },
    { "", "", TRUE },
    { "", "a", FALSE },
    { "Entw\xC3\xBCrfe", "Entw\xC3\xBCrfe", TRUE },
};

static void
test_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s against %s", rows[i].pattern, rows[i].name);
        g_assert_cmpint(hp_imap_pattern_matches(rows[i].pattern, rows[i].name), ==,
                        rows[i].matches);
    }
}

/* What makes a matcher that tries again and again work for ever. */
static void
test_no_explosion(void)
{
    g_autofree char *name = g_strnfill(1000, 'a');
    GString *pattern = g_string_new(NULL);

    for (guint i = 0; i < 300; i++)
        g_string_append(pattern, i % 2 == 0 ? "*a" : "%a");
    g_string_append_c(pattern, 'b');
    g_assert_false(hp_imap_pattern_matches(pattern->str, name));
    g_string_truncate(pattern, pattern->len - 1);
    g_assert_true(hp_imap_pattern_matches(pattern->str, name));
    g_string_free(pattern, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap-pattern/matches", test_rows);
    g_test_add_func("/imap-pattern/does-not-explode", test_no_explosion);
    return g_test_run();
}
