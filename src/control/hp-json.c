#include "hp-json.h"

#include <json-glib/json-glib.h>

static void
copy_member(JsonObject *from, const char *name, JsonNode *node, gpointer to)
{
    json_object_set_member(to, name, json_node_copy(node));
}

char *
hp_json_write(const char *schema, const char *member, GVariant *value)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    g_autoptr(JsonNode) inner = json_gvariant_serialize(value);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "schema", schema);
    if (member != NULL)
        json_object_set_member(object, member, g_steal_pointer(&inner));
    else if (JSON_NODE_HOLDS_OBJECT(inner))
        json_object_foreach_member(json_node_get_object(inner), copy_member, object);
    json_node_take_object(root, object);
    return json_to_string(root, FALSE);
}
