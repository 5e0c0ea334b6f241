#include "hp-mime-params.h"

#include "hp-charset.h"
#include "hp-header.h"
#include "hp-mime.h"
#include "hp-text.h"

#include <string.h>

#define MOST_SECTIONS 999 /* of a continued value; three digits */

/* One parameter as it stands in the field: name ["*" section] ["*"] "=" value */
typedef struct {
    HpSlice name;  /* without the stars */
    char *value;   /* (owned) */
    size_t len;    /* of it; any byte may be in it */
    guint section; /* of a continuation, RFC 2231 §3 */
    gboolean continued;
    gboolean extended; /* percent-encoded, RFC 2231 §4 */
    gboolean done;     /* given with the first one of its name */
} Param;

static void
clear_param(gpointer data)
{
    Param *param = data;

    g_free(param->value);
}

static gboolean
is_not_star(unsigned char byte)
{
    return byte != '*';
}

/* A name that is not of that form is its own name. */
static void
split_name(HpSlice attribute, Param *param)
{
    HpCursor c = hp_cursor_over(attribute);
    HpSlice name = hp_cursor_take(&c, is_not_star);
    guint64 section = 0;

    param->name = attribute;
    if (name.len == 0 || !hp_cursor_skip(&c, '*'))
        return;
    if (hp_cursor_at_end(&c)) {
        param->extended = TRUE;
    } else {
        if (!hp_cursor_take_number(&c, MOST_SECTIONS, &section))
            return;
        param->extended = hp_cursor_skip(&c, '*');
        if (!hp_cursor_at_end(&c)) {
            param->extended = FALSE;
            return;
        }
        param->continued = TRUE;
        param->section = (guint)section;
    }
    param->name = name;
}

static gboolean
is_file_name(HpSlice attribute)
{
    return hp_slice_equal_nocase(attribute, "filename") ||
           hp_slice_equal_nocase(attribute, "name");
}

/* A file name with spaces in it that nobody has quoted goes on up to the ";". */
static void
take_rest_of_name(HpCursor *cursor, GString *text)
{
    HpCursor c = *cursor;
    HpSlice rest = hp_slice_trim(hp_cursor_take_until(&c, ';'));

    if (rest.len == 0 || text->len == 0 || cursor->at[-1] == '"' ||
        memchr(rest.data, '"', rest.len) != NULL || rest.data[0] == '(')
        return;
    g_string_append_c(text, ' ');
    hp_header_unfold(rest, text);
    *cursor = c;
}

static GArray *
read_params(HpSlice value)
{
    GArray *params = g_array_new(FALSE, FALSE, sizeof(Param));
    g_autoptr(GString) text = g_string_new(NULL);
    HpCursor c = hp_cursor_over(value);
    HpSlice attribute;

    g_array_set_clear_func(params, clear_param);
    for (guint i = 0; i < HP_MIME_MAX_PARAMS; i++) {
        Param param = { .done = FALSE };

        if (!hp_mime_next_param(&c, &attribute, text))
            break;
        if (attribute.len == 0)
            continue;
        if (is_file_name(attribute))
            take_rest_of_name(&c, text);
        split_name(attribute, &param);
        param.value = hp_slice_dup(hp_slice_of_string(text));
        param.len = text->len;
        g_array_append_val(params, param);
    }
    return params;
}

static gboolean
is_same_name(const Param *a, const Param *b)
{
    return a->name.len == b->name.len &&
           g_ascii_strncasecmp(a->name.data, b->name.data, a->name.len) == 0;
}

/* ext-octet = "%" 2HEXDIG; anything else stands for itself */
static void
append_percent_decoded(GString *out, HpSlice text)
{
    for (size_t i = 0; i < text.len; i++) {
        int octet = text.data[i] == '%' ? hp_text_unhex(text, i + 1) : -1;

        if (octet >= 0) {
            g_string_append_c(out, (char)octet);
            i += 2;
        } else {
            g_string_append_c(out, text.data[i]);
        }
    }
}

/* [charset] "'" [language] "'" before the first extended value; both may be missing */
static HpSlice
take_charset(HpSlice *text)
{
    HpCursor c = hp_cursor_over(*text);
    HpSlice charset = hp_cursor_take_until(&c, '\'');

    if (!hp_cursor_skip(&c, '\''))
        return (HpSlice){ NULL, 0 };
    hp_cursor_take_until(&c, '\'');
    if (!hp_cursor_skip(&c, '\''))
        return (HpSlice){ NULL, 0 };
    *text = hp_cursor_rest(&c);
    return charset;
}

/* The section of that number of the parameter, or NULL. */
static Param *
find_section(GArray *params, const Param *first, guint section)
{
    for (guint i = 0; i < params->len; i++) {
        Param *param = &g_array_index(params, Param, i);

        if (param->continued && param->section == section && !param->done &&
            is_same_name(param, first))
            return param;
    }
    return NULL;
}

/* All sections of the parameter in their order, up to a gap; what is behind a gap is
 * dropped (it could not be put anywhere). */
static void
join_sections(GArray *params, const Param *first, GString *bytes, HpSlice *ret_charset,
              gboolean *ret_extended)
{
    Param *param;

    for (guint section = 0; (param = find_section(params, first, section)) != NULL;
         section++) {
        HpSlice text = { param->value, param->len };

        param->done = TRUE;
        if (section == 0 && param->extended)
            *ret_charset = take_charset(&text);
        if (param->extended)
            append_percent_decoded(bytes, text);
        else
            g_string_append_len(bytes, text.data, (gssize)text.len);
        *ret_extended = *ret_extended || param->extended;
    }
    for (guint i = 0; i < params->len; i++) {
        Param *rest = &g_array_index(params, Param, i);

        if (rest->continued && is_same_name(rest, first))
            rest->done = TRUE;
    }
}

static void
give(const Param *param, GArray *params, HpMimeParamEach each, gpointer data)
{
    g_autoptr(GString) bytes = g_string_new(NULL);
    g_autofree char *utf8 = NULL;
    HpSlice text = { param->value, param->len };
    HpSlice charset = { NULL, 0 };
    gboolean extended = param->extended;
    HpMimeParam given = { .name = param->name };

    if (param->continued) {
        join_sections(params, param, bytes, &charset, &extended);
    } else if (extended) {
        charset = take_charset(&text);
        append_percent_decoded(bytes, text);
    } else {
        g_string_append_len(bytes, text.data, (gssize)text.len);
    }
    given.value = hp_slice_of_string(bytes);
    if (extended) {
        utf8 = hp_charset_to_utf8(given.value, charset);
        given.value = hp_slice_of(utf8);
        given.form = HP_MIME_PARAM_DECODED;
    } else if (param->continued) {
        given.form = HP_MIME_PARAM_JOINED;
    }
    each(&given, data);
}

void
hp_mime_each_param(HpSlice value, HpMimeParamEach each, gpointer data)
{
    g_autoptr(GArray) params = read_params(value);

    for (guint i = 0; i < params->len; i++) {
        const Param *param = &g_array_index(params, Param, i);

        if (!param->done)
            give(param, params, each, data);
    }
}
