#include "hp-imap-pattern.h"

#include <string.h>

#define INBOX_LEN 5

/* All positions of the pattern at which a match may stand are followed at once, so there
 * is no way back to be tried. */
typedef struct {
    const char *pattern; /* (unowned) */
    size_t len;
    gboolean *at;   /* (owned): len + 1 of them */
    gboolean *next; /* (owned) */
} Matcher;

static gboolean
is_wild(char c)
{
    return c == '*' || c == '%';
}

/* A wildcard may stand for nothing. */
static void
enter(const Matcher *self, gboolean *positions, size_t i)
{
    while (i < self->len && is_wild(self->pattern[i]) && !positions[i]) {
        positions[i] = TRUE;
        i++;
    }
    positions[i] = TRUE;
}

static gboolean
equals(char a, char b, gboolean fold)
{
    return a == b || (fold && g_ascii_toupper(a) == g_ascii_toupper(b));
}

static void
step(Matcher *self, char c, gboolean fold)
{
    gboolean *before = self->at;

    memset(self->next, 0, (self->len + 1) * sizeof(gboolean));
    for (size_t i = 0; i < self->len; i++) {
        char wanted = self->pattern[i];

        if (!before[i])
            continue;
        if (is_wild(wanted)) {
            if (wanted == '*' || c != '/')
                enter(self, self->next, i);
        } else if (equals(wanted, c, fold)) {
            enter(self, self->next, i + 1);
        }
    }
    self->at = self->next;
    self->next = before;
}

static size_t
len_of_inbox(const char *name)
{
    gboolean is = g_str_has_prefix(name, "INBOX") &&
                  (name[INBOX_LEN] == '\0' || name[INBOX_LEN] == '/');

    return is ? INBOX_LEN : 0;
}

gboolean
hp_imap_pattern_matches(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);
    size_t folded = len_of_inbox(name);
    g_autofree gboolean *one = g_new0(gboolean, len + 1);
    g_autofree gboolean *other = g_new0(gboolean, len + 1);
    Matcher matcher = { pattern, len, one, other };

    enter(&matcher, matcher.at, 0);
    for (size_t i = 0; name[i] != '\0'; i++)
        step(&matcher, name[i], i < folded);
    return matcher.at[len];
}
