#include "hp-cli-dict.h"

const char *
hp_dict_text(GVariant *dict, const char *key)
{
    const char *text = NULL;

    return g_variant_lookup(dict, key, "&s", &text) ? text : NULL;
}

gint64
hp_dict_number(GVariant *dict, const char *key, gint64 fallback)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(dict, key, NULL);

    if (value == NULL)
        return fallback;
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BYTE:
        return g_variant_get_byte(value);
    case G_VARIANT_CLASS_INT16:
        return g_variant_get_int16(value);
    case G_VARIANT_CLASS_UINT16:
        return g_variant_get_uint16(value);
    case G_VARIANT_CLASS_INT32:
        return g_variant_get_int32(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT64:
        return g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT64:
        return (gint64)MIN(g_variant_get_uint64(value), (guint64)G_MAXINT64);
    case G_VARIANT_CLASS_BOOLEAN:
    case G_VARIANT_CLASS_HANDLE:
    case G_VARIANT_CLASS_DOUBLE:
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
    case G_VARIANT_CLASS_VARIANT:
    case G_VARIANT_CLASS_MAYBE:
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        break;
    }
    return fallback;
}

gboolean
hp_dict_yes(GVariant *dict, const char *key)
{
    gboolean yes = FALSE;

    return g_variant_lookup(dict, key, "b", &yes) && yes;
}

static GVariant *
lookup_or_empty(GVariant *dict, const char *key, const char *type)
{
    GVariant *value = g_variant_lookup_value(dict, key, (const GVariantType *)type);

    return value != NULL ? value : g_variant_ref_sink(g_variant_new(type, NULL));
}

GVariant *
hp_dict_dict(GVariant *dict, const char *key)
{
    return lookup_or_empty(dict, key, "a{sv}");
}

GVariant *
hp_dict_list(GVariant *dict, const char *key)
{
    return lookup_or_empty(dict, key, "aa{sv}");
}

char *
hp_dict_words(GVariant *dict, const char *key)
{
    g_auto(GStrv) words = NULL;

    return g_variant_lookup(dict, key, "^as", &words) ? g_strjoinv(", ", words)
                                                      : g_strdup("");
}
