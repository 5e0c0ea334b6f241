#include "hp-imap-fetch-args.h"

#include "hp-header.h"
#include "hp-imap-write.h"

#include <glib/gi18n.h>

static void
section_clear(gpointer section)
{
    HpImapSection *self = section;

    g_clear_pointer(&self->fields, g_strfreev);
    g_clear_pointer(&self->label, g_free);
}

void
hp_imap_fetch_clear(HpImapFetch *self)
{
    g_clear_pointer(&self->sections, g_array_unref);
}

/* --- sections ------------------------------------------------------------------------
 */

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static gboolean
take_fields(HpImapArgs *args, HpImapSection *section, GString *label)
{
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);

    if (!hp_imap_take_space(args) || !hp_imap_take_char(args, '('))
        return FALSE;
    g_string_append(label, " (");
    do {
        char *name;

        if (fields->len == HP_IMAP_MAX_FIELDS)
            return hp_imap_want(args, _("fewer fields"));
        if (!hp_imap_take_astring(args, &name))
            return FALSE;
        g_string_append(label, fields->len > 0 ? " " : "");
        hp_imap_out_astring(label, hp_slice_of(name));
        g_ptr_array_add(fields, name);
    } while (hp_imap_skip(args, ' '));
    g_string_append_c(label, ')');
    g_ptr_array_add(fields, NULL);
    section->fields = (GStrv)g_ptr_array_free(g_steal_pointer(&fields), FALSE);
    return hp_imap_take_char(args, ')');
}

/* section-text = "HEADER" / "HEADER.FIELDS" ... / "TEXT"; "MIME" only behind numbers */
static gboolean
take_section_text(HpImapArgs *args, HpImapSection *section, GString *label)
{
    if (hp_imap_skip_word(args, "HEADER.FIELDS.NOT")) {
        section->kind = HP_SECTION_FIELDS_NOT;
        g_string_append(label, "HEADER.FIELDS.NOT");
        return take_fields(args, section, label);
    }
    if (hp_imap_skip_word(args, "HEADER.FIELDS")) {
        section->kind = HP_SECTION_FIELDS;
        g_string_append(label, "HEADER.FIELDS");
        return take_fields(args, section, label);
    }
    if (hp_imap_skip_word(args, "HEADER"))
        section->kind = HP_SECTION_HEADER;
    else if (hp_imap_skip_word(args, "TEXT"))
        section->kind = HP_SECTION_TEXT;
    else if (section->depth > 0 && hp_imap_skip_word(args, "MIME"))
        section->kind = HP_SECTION_MIME;
    else
        return hp_imap_want(args, _("a section such as HEADER or 1.2"));
    g_string_append(label, section->kind == HP_SECTION_HEADER ? "HEADER"
                           : section->kind == HP_SECTION_TEXT ? "TEXT"
                                                              : "MIME");
    return TRUE;
}

/* section-spec = section-msgtext / (section-part ["." section-text]) */
static gboolean
take_spec(HpImapArgs *args, HpImapSection *section, GString *label)
{
    while (g_ascii_isdigit(hp_imap_peek(args))) {
        guint64 number = 0;

        if (section->depth == HP_IMAP_MAX_DEPTH)
            return hp_imap_want(args, _("fewer numbers"));
        if (!hp_imap_take_nz_number(args, G_MAXINT32, &number))
            return FALSE;
        section->path[section->depth++] = (guint)number;
        g_string_append_printf(label, "%u", (guint)number);
        if (!hp_imap_skip(args, '.'))
            return TRUE;
        g_string_append_c(label, '.');
    }
    return take_section_text(args, section, label);
}

/* partial = "<" number "." nz-number ">" */
static gboolean
take_partial(HpImapArgs *args, HpImapSection *section, GString *label)
{
    if (!hp_imap_skip(args, '<'))
        return TRUE;
    section->partial = TRUE;
    if (!hp_imap_take_number(args, HP_IMAP_MAX_MODSEQ, &section->first) ||
        !hp_imap_take_char(args, '.') ||
        !hp_imap_take_nz_number(args, HP_IMAP_MAX_MODSEQ, &section->max))
        return FALSE;
    g_string_append_printf(label, "<%" G_GUINT64_FORMAT ">", section->first);
    return hp_imap_take_char(args, '>');
}

static gboolean
add_section(HpImapArgs *args, HpImapFetch *fetch, HpImapSection *section)
{
    if (fetch->sections == NULL) {
        fetch->sections = g_array_new(FALSE, TRUE, sizeof(HpImapSection));
        g_array_set_clear_func(fetch->sections, section_clear);
    }
    if (fetch->sections->len == HP_IMAP_MAX_SECTIONS) {
        section_clear(section);
        return hp_imap_want(args, _("fewer sections"));
    }
    g_array_append_val(fetch->sections, *section);
    return TRUE;
}

/* "[" [section-spec] "]" [partial] */
static gboolean
take_section(HpImapArgs *args, HpImapFetch *fetch)
{
    g_autoptr(GString) label = g_string_new("BODY[");
    HpImapSection section = { .kind = HP_SECTION_ALL };
    gboolean good = hp_imap_take_char(args, '[');

    if (good && hp_imap_peek(args) != ']')
        good = take_spec(args, &section, label);
    g_string_append_c(label, ']');
    good = good && hp_imap_take_char(args, ']') && take_partial(args, &section, label);
    if (!good) {
        section_clear(&section);
        return FALSE;
    }
    section.label = g_string_free(g_steal_pointer(&label), FALSE);
    return add_section(args, fetch, &section);
}

/* section-binary = "[" [section-part] "]" */
static gboolean
take_numbers(HpImapArgs *args, HpImapSection *section, GString *label)
{
    if (hp_imap_peek(args) == ']')
        return TRUE;
    do {
        guint64 number = 0;

        if (section->depth == HP_IMAP_MAX_DEPTH)
            return hp_imap_want(args, _("fewer numbers"));
        if (!hp_imap_take_nz_number(args, G_MAXINT32, &number))
            return FALSE;
        g_string_append_printf(label, "%s%u", section->depth > 0 ? "." : "",
                               (guint)number);
        section->path[section->depth++] = (guint)number;
    } while (hp_imap_skip(args, '.'));
    return TRUE;
}

/* "BINARY" [".PEEK"] section-binary [partial], "BINARY.SIZE" section-binary */
static gboolean
take_binary(HpImapArgs *args, HpImapFetch *fetch, gboolean size)
{
    g_autoptr(GString) label = g_string_new(size ? "BINARY.SIZE[" : "BINARY[");
    HpImapSection section = { .kind = HP_SECTION_ALL, .binary = TRUE, .size = size };

    if (!hp_imap_take_char(args, '[') || !take_numbers(args, &section, label) ||
        !hp_imap_take_char(args, ']'))
        return FALSE;
    g_string_append_c(label, ']');
    if (!size && !take_partial(args, &section, label))
        return FALSE;
    section.label = g_string_free(g_steal_pointer(&label), FALSE);
    return add_section(args, fetch, &section);
}

/* RFC 3501's older names. */
static gboolean
add_named(HpImapArgs *args, HpImapFetch *fetch, HpSectionKind kind, const char *label)
{
    HpImapSection section = { .kind = kind, .label = g_strdup(label) };

    return add_section(args, fetch, &section);
}

/* --- items ---------------------------------------------------------------------------
 */

static const struct {
    const char *name; /* (unowned) */
    guint items;
} words[] = {
    { "UID", HP_FETCH_UID },
    { "FLAGS", HP_FETCH_FLAGS },
    { "INTERNALDATE", HP_FETCH_INTERNALDATE },
    { "RFC822.SIZE", HP_FETCH_SIZE },
    { "MODSEQ", HP_FETCH_MODSEQ },
    { "EMAILID", HP_FETCH_EMAILID },
    { "THREADID", HP_FETCH_THREADID },
    { "SAVEDATE", HP_FETCH_SAVEDATE },
    { "ENVELOPE", HP_FETCH_ENVELOPE },
    { "BODYSTRUCTURE", HP_FETCH_BODYSTRUCTURE },
};

static const struct {
    const char *name; /* (unowned) */
    guint items;
} macros[] = {
    { "FAST", HP_FETCH_FLAGS | HP_FETCH_INTERNALDATE | HP_FETCH_SIZE },
    { "ALL", HP_FETCH_FLAGS | HP_FETCH_INTERNALDATE | HP_FETCH_SIZE | HP_FETCH_ENVELOPE },
    { "FULL", HP_FETCH_FLAGS | HP_FETCH_INTERNALDATE | HP_FETCH_SIZE | HP_FETCH_ENVELOPE |
                  HP_FETCH_BODY },
};

/* "PREVIEW" [SP "(" "LAZY" ")"]; RFC 8970 §3. Previews are there already, so LAZY changes
 * nothing. */
static gboolean
take_preview(HpImapArgs *args, HpImapFetch *fetch)
{
    HpCursor before = args->c;

    fetch->items |= HP_FETCH_PREVIEW;
    if (!hp_imap_skip(args, ' '))
        return TRUE;
    if (!hp_imap_skip(args, '(')) {
        args->c = before;
        return TRUE;
    }
    if (hp_imap_skip_word(args, "LAZY"))
        return hp_imap_take_char(args, ')');
    args->c = before; /* modifiers of the whole FETCH */
    return TRUE;
}

static gboolean
take_body(HpImapArgs *args, HpImapFetch *fetch)
{
    if (hp_imap_peek(args) != '[') {
        fetch->items |= HP_FETCH_BODY;
        return TRUE;
    }
    fetch->marks_seen = TRUE;
    return take_section(args, fetch);
}

static gboolean
take_older_item(HpImapArgs *args, HpImapFetch *fetch)
{
    if (hp_imap_skip_word(args, "RFC822.HEADER"))
        return add_named(args, fetch, HP_SECTION_HEADER, "RFC822.HEADER");
    if (hp_imap_skip_word(args, "RFC822.TEXT")) {
        fetch->marks_seen = TRUE;
        return add_named(args, fetch, HP_SECTION_TEXT, "RFC822.TEXT");
    }
    if (hp_imap_skip_word(args, "RFC822")) {
        fetch->marks_seen = TRUE;
        return add_named(args, fetch, HP_SECTION_ALL, "RFC822");
    }
    return hp_imap_want(args, _("an item of FETCH"));
}

/* fetch-att */
static gboolean
take_item(HpImapArgs *args, HpImapFetch *fetch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (hp_imap_skip_word(args, words[i].name)) {
            fetch->items |= words[i].items;
            return TRUE;
        }
    if (hp_imap_skip_word(args, "PREVIEW"))
        return take_preview(args, fetch);
    if (hp_imap_skip_word(args, "BODY.PEEK"))
        return take_section(args, fetch);
    if (hp_imap_skip_word(args, "BODY"))
        return take_body(args, fetch);
    if (hp_imap_skip_word(args, "BINARY.SIZE"))
        return take_binary(args, fetch, TRUE);
    if (hp_imap_skip_word(args, "BINARY.PEEK"))
        return take_binary(args, fetch, FALSE);
    if (hp_imap_skip_word(args, "BINARY")) {
        fetch->marks_seen = TRUE;
        return take_binary(args, fetch, FALSE);
    }
    return take_older_item(args, fetch);
}

gboolean
hp_imap_take_fetch_items(HpImapArgs *args, HpImapFetch *fetch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(macros); i++)
        if (hp_imap_skip_word(args, macros[i].name)) {
            fetch->items |= macros[i].items;
            return TRUE;
        }
    if (!hp_imap_skip(args, '('))
        return take_item(args, fetch);
    do {
        if (!take_item(args, fetch))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    return hp_imap_take_char(args, ')');
}

/* "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / "PARTIAL" SP partial-range */
static gboolean
take_modifier(HpImapArgs *args, HpImapFetch *fetch)
{
    if (hp_imap_skip_word(args, "VANISHED")) {
        fetch->vanished = TRUE;
        return TRUE;
    }
    if (hp_imap_skip_word(args, "CHANGEDSINCE")) {
        fetch->changed = TRUE;
        fetch->items |= HP_FETCH_MODSEQ; /* RFC 7162 §3.1.4.1 */
        return hp_imap_take_space(args) &&
               hp_imap_take_number(args, HP_IMAP_MAX_MODSEQ, &fetch->changed_since);
    }
    if (!fetch->partial.given && hp_imap_skip_word(args, "PARTIAL"))
        return hp_imap_take_space(args) &&
               hp_imap_take_partial_range(args, &fetch->partial);
    return hp_imap_want(args, _("CHANGEDSINCE or PARTIAL"));
}

/* fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"; RFC 4466 §2.4 */
static gboolean
take_modifiers(HpImapArgs *args, HpImapFetch *fetch)
{
    if (!hp_imap_take_char(args, '('))
        return FALSE;
    do {
        if (!take_modifier(args, fetch))
            return FALSE;
    } while (hp_imap_skip(args, ' '));
    if (fetch->vanished && !fetch->changed)
        return hp_imap_want(args, "CHANGEDSINCE");
    return hp_imap_take_char(args, ')');
}

gboolean
hp_imap_take_fetch(HpImapArgs *args, HpImapFetch *ret_fetch)
{
    return hp_imap_take_fetch_items(args, ret_fetch) &&
           (!hp_imap_skip(args, ' ') || take_modifiers(args, ret_fetch)) &&
           hp_imap_take_end(args);
}

/* --- what sections mean --------------------------------------------------------------
 */

gboolean
hp_imap_section_is_header(const HpImapSection *self)
{
    return self->depth == 0 &&
           (self->kind == HP_SECTION_HEADER || self->kind == HP_SECTION_FIELDS ||
            self->kind == HP_SECTION_FIELDS_NOT);
}

static gboolean
names(const HpImapSection *self, HpSlice field)
{
    for (char **name = self->fields; name != NULL && *name != NULL; name++)
        if (hp_slice_equal_nocase(field, *name))
            return TRUE;
    return FALSE;
}

void
hp_imap_section_fields(const HpImapSection *self, HpSlice header, GString *out)
{
    HpCursor c = hp_cursor_over(header);
    HpHeaderField field;

    while (hp_header_next(&c, &field))
        if (names(self, field.name) == (self->kind == HP_SECTION_FIELDS))
            g_string_append_len(out, field.raw.data, (gssize)field.raw.len);
    g_string_append(out, "\r\n");
}

void
hp_imap_section_cut(const HpImapSection *self, guint64 *offset, guint64 *octets)
{
    guint64 first = self->partial ? MIN(self->first, *octets) : 0;

    *offset += first;
    *octets -= first;
    if (self->partial)
        *octets = MIN(*octets, self->max);
}
