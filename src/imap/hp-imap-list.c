/* LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9, RFC 5258, RFC 5819, RFC 6154). */
#include "hp-imap-session-private.h"

#include "hp-imap-name.h"
#include "hp-imap-pattern.h"
#include "hp-imap-tree.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_PATTERNS 50
#define MAX_PATTERN  ((size_t)2 * HP_STORE_MAX_NAME)

typedef struct {
    gboolean extended;        /* in the form of RFC 5258 */
    gboolean only_subscribed; /* selection options */
    gboolean only_special;
    gboolean recursive; /* RECURSIVEMATCH */
    gboolean
        subscribed;     /* return options; \HasChildren and the special use always come */
    guint status;       /* items of STATUS, 0: none */
    GPtrArray *entries; /* (owned) (nullable): annotations that are asked for */
    GPtrArray *patterns; /* (owned) */
} ListArgs;

static void
list_args_clear(ListArgs *self)
{
    g_clear_pointer(&self->patterns, g_ptr_array_unref);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListArgs, list_args_clear)

/* --- arguments -----------------------------------------------------------------------
 */

/* list-select-opts; RECURSIVEMATCH needs another one beside it (RFC 5258 §3.1). */
static gboolean
take_selection(HpImapArgs *args, ListArgs *list)
{
    HpCursor before = args->c;

    list->extended = TRUE;
    for (gboolean first = TRUE; !hp_imap_skip(args, ')'); first = FALSE) {
        if (!first && !hp_imap_take_space(args))
            return FALSE;
        if (hp_imap_skip_word(args, "SUBSCRIBED"))
            list->only_subscribed = TRUE;
        else if (hp_imap_skip_word(args, "SPECIAL-USE"))
            list->only_special = TRUE;
        else if (hp_imap_skip_word(args, "RECURSIVEMATCH"))
            list->recursive = TRUE;
        else if (!hp_imap_skip_word(args, "REMOTE"))
            return hp_imap_want(args, _("a selection option of LIST"));
    }
    if (list->recursive && !list->only_subscribed && !list->only_special) {
        args->c = before;
        return hp_imap_want(args, _("SUBSCRIBED beside RECURSIVEMATCH"));
    }
    return TRUE;
}

/* "METADATA" SP "(" entry *(SP entry) ")"; RFC 9590 §5 */
static gboolean
take_entries(HpImapArgs *args, ListArgs *list)
{
    if (list->entries == NULL)
        list->entries = g_ptr_array_new_with_free_func(g_free);
    return hp_imap_peek(args) == '(' ? hp_imap_take_entries(args, list->entries)
                                     : hp_imap_take_char(args, '(');
}

/* return-option */
static gboolean
take_return_option(HpImapArgs *args, ListArgs *list)
{
    if (hp_imap_skip_word(args, "SUBSCRIBED")) {
        list->subscribed = TRUE;
        return TRUE;
    }
    if (hp_imap_skip_word(args, "CHILDREN") || hp_imap_skip_word(args, "SPECIAL-USE"))
        return TRUE;
    if (hp_imap_skip_word(args, "STATUS"))
        return hp_imap_take_space(args) && hp_imap_take_status_items(args, &list->status);
    if (hp_imap_skip_word(args, "METADATA"))
        return hp_imap_take_space(args) && take_entries(args, list);
    return hp_imap_want(args, _("a return option of LIST"));
}

static gboolean
take_return(HpImapArgs *args, ListArgs *list)
{
    list->extended = TRUE;
    if (!hp_imap_skip_word(args, "RETURN"))
        return hp_imap_want(args, "RETURN");
    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '('))
        return FALSE;
    for (gboolean first = TRUE; !hp_imap_skip(args, ')'); first = FALSE)
        if ((!first && !hp_imap_take_space(args)) || !take_return_option(args, list))
            return FALSE;
    return TRUE;
}

/* A pattern behind its reference, which is no more than what it begins with. */
static gboolean
take_pattern(HpImapSession *s, HpImapArgs *args, const char *reference, ListArgs *list)
{
    g_autofree char *pattern = NULL;
    g_autofree char *wire = NULL;
    char *utf8;

    if (list->patterns->len == MAX_PATTERNS)
        return hp_imap_want(args, _("fewer patterns"));
    if (!hp_imap_take_pattern(args, &pattern))
        return FALSE;
    if (*pattern == '\0' && !list->extended) {
        g_ptr_array_add(list->patterns, g_strdup(""));
        return TRUE;
    }
    wire = g_strconcat(reference, pattern, NULL);
    if (strlen(wire) > MAX_PATTERN)
        return hp_imap_want(args, _("a shorter pattern"));
    utf8 = s->utf8 ? g_strdup(wire) : hp_imap_name_decode(wire);
    if (utf8 != NULL) /* else no name is like that */
        g_ptr_array_add(list->patterns, utf8);
    return TRUE;
}

static gboolean
take_patterns(HpImapSession *s, HpImapArgs *args, ListArgs *list)
{
    g_autofree char *reference = NULL;

    list->patterns = g_ptr_array_new_with_free_func(g_free);
    if (!hp_imap_take_astring(args, &reference) || !hp_imap_take_space(args))
        return FALSE;
    if (!hp_imap_skip(args, '('))
        return take_pattern(s, args, reference, list);
    list->extended = TRUE;
    do {
        if (!take_pattern(s, args, reference, list))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* list = "LIST" [SP "(" selection ")"] SP reference SP patterns [SP RETURN "(" ... ")"]
 */
static gboolean
take_list(HpImapSession *s, HpImapArgs *args, ListArgs *list)
{
    if (!hp_imap_take_space(args))
        return FALSE;
    if (hp_imap_skip(args, '(') &&
        (!take_selection(args, list) || !hp_imap_take_space(args)))
        return FALSE;
    if (!take_patterns(s, args, list))
        return FALSE;
    if (hp_imap_skip(args, ' ') && !take_return(args, list))
        return FALSE;
    return hp_imap_take_end(args);
}

/* --- answers -------------------------------------------------------------------------
 */

static gboolean
matches(const ListArgs *list, const char *name)
{
    for (guint i = 0; i < list->patterns->len; i++)
        if (hp_imap_pattern_matches(g_ptr_array_index(list->patterns, i), name))
            return TRUE;
    return FALSE;
}

static gboolean
is_selected(const HpImapNode *node, gconstpointer data)
{
    const ListArgs *list = data;
    gboolean special = node->mailbox != NULL && node->mailbox->special_use != NULL;

    if (list->only_subscribed && !node->subscribed)
        return FALSE;
    if (list->only_special && !special)
        return FALSE;
    /* A name that is subscribed and no more is of use to nobody else. */
    return list->only_subscribed || node->mailbox != NULL || node->has_children;
}

static gboolean
is_hidden(const HpImapNode *node, gconstpointer data)
{
    const ListArgs *list = data;

    return is_selected(node, list) && !matches(list, node->name);
}

/* What is above something that was selected: that is worth knowing (CHILDINFO), and a
 * reason to be told without being selected itself if nothing else tells of that (RFC 5258
 * §3.3, §3.5; of LSUB RFC 3501 §6.3.9). */
typedef struct {
    GHashTable *selected; /* (owned): set of names above what was selected, */
    GHashTable *hidden;   /* (owned): and above what the patterns keep out of that */
} Levels;

static void
levels_clear(Levels *self)
{
    g_clear_pointer(&self->selected, g_hash_table_unref);
    g_clear_pointer(&self->hidden, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Levels, levels_clear)

static Levels
find_levels(const ListArgs *list, const HpImapTree *tree)
{
    if (!list->recursive)
        return (Levels){ g_hash_table_new(NULL, NULL), g_hash_table_new(NULL, NULL) };
    return (Levels){ hp_imap_tree_above(tree, is_selected, list),
                     hp_imap_tree_above(tree, is_hidden, list) };
}

static gboolean
is_told(const ListArgs *list, const Levels *levels, const HpImapNode *node)
{
    return matches(list, node->name) &&
           (is_selected(node, list) || g_hash_table_contains(levels->hidden, node->name));
}

static void
add_attributes(const ListArgs *list, const HpImapNode *node, GString *line)
{
    hp_imap_node_attributes(node, list->extended ? "\\NonExistent" : "\\Noselect",
                            list->subscribed || list->only_subscribed, line);
}

/* @below: something below it was selected. */
static void
tell_node(HpImapSession *s, const ListArgs *list, const HpImapNode *node, gboolean below)
{
    gboolean selected = is_selected(node, list);
    g_autoptr(GString) line = g_string_new("* LIST (");

    add_attributes(list, node, line);
    g_string_append(line, ") \"/\" ");
    hp_imap_out_mailbox(line, node->name, s->utf8);
    if (below)
        g_string_append_printf(line, " (\"CHILDINFO\" (\"%s\"))",
                               list->only_subscribed ? "SUBSCRIBED" : "SPECIAL-USE");
    g_string_append(line, "\r\n");
    hp_imap_write(s, hp_slice_of_string(line));
    if (list->status != 0 && selected && node->mailbox != NULL)
        hp_imap_tell_status(s, node->mailbox, list->status);
    /* What cannot be read is left out (RFC 9590 §3). */
    if (list->entries != NULL && selected && node->mailbox != NULL)
        hp_imap_tell_entries(s, node->mailbox, list->entries, NULL);
}

/* An empty pattern asks for the separator (RFC 3501 §6.3.8). */
static gboolean
asks_for_separator(const ListArgs *list)
{
    return !list->extended && list->patterns->len == 1 &&
           *(const char *)g_ptr_array_index(list->patterns, 0) == '\0';
}

static void
tell_tree(HpImapSession *s, const ListArgs *list, const HpImapTree *tree)
{
    g_auto(Levels) levels = find_levels(list, tree);

    for (guint i = 0; i < tree->nodes->len; i++) {
        const HpImapNode *node = g_ptr_array_index(tree->nodes, i);

        if (is_told(list, &levels, node))
            tell_node(s, list, node, g_hash_table_contains(levels.selected, node->name));
    }
}

gboolean
hp_imap_cmd_list(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(ListArgs) list = { 0 };
    g_autoptr(HpImapTree) tree = NULL;
    g_autoptr(GError) error = NULL;

    if (!take_list(s, args, &list))
        return FALSE;
    if (asks_for_separator(&list)) {
        hp_imap_untagged(s, "LIST (\\Noselect) \"/\" \"\"");
        hp_imap_ok(s, NULL, _("That is what stands between levels."));
        return TRUE;
    }
    tree = hp_imap_tree_new(s->options->store, &error);
    if (tree == NULL) {
        hp_imap_fail(s, error);
        return TRUE;
    }
    tell_tree(s, &list, tree);
    hp_imap_ok(s, NULL, _("These are the mailboxes."));
    return TRUE;
}

static void
tell_subscribed(HpImapSession *s, const ListArgs *list, const HpImapTree *tree)
{
    g_auto(Levels) levels = find_levels(list, tree);

    for (guint i = 0; i < tree->nodes->len; i++) {
        const HpImapNode *node = g_ptr_array_index(tree->nodes, i);
        g_autoptr(GString) line = NULL;

        if (!is_told(list, &levels, node))
            continue;
        line = g_string_new(node->subscribed ? "* LSUB () \"/\" "
                                             : "* LSUB (\\Noselect) \"/\" ");
        hp_imap_out_mailbox(line, node->name, s->utf8);
        g_string_append(line, "\r\n");
        hp_imap_write(s, hp_slice_of_string(line));
    }
}

/* RFC 3501 §6.3.9: a level above a subscribed name is told as \Noselect if the pattern
 * means it and ends before that name. */
gboolean
hp_imap_cmd_lsub(HpImapSession *s, HpImapArgs *args, gboolean uid)
{
    g_auto(ListArgs) list = { .only_subscribed = TRUE, .recursive = TRUE };
    g_autoptr(HpImapTree) tree = NULL;
    g_autoptr(GError) error = NULL;

    if (!hp_imap_take_space(args) || !take_patterns(s, args, &list) ||
        !hp_imap_take_end(args))
        return FALSE;
    tree = hp_imap_tree_new(s->options->store, &error);
    if (tree == NULL) {
        hp_imap_fail(s, error);
        return TRUE;
    }
    tell_subscribed(s, &list, tree);
    hp_imap_ok(s, NULL, _("These are the subscribed mailboxes."));
    return TRUE;
}
