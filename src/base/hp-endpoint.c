#include "hp-endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#define LONGEST (INET6_ADDRSTRLEN + (sizeof "[]:65535" - 1)) /* bytes */

static gboolean
parse_ip(HpSlice host, int family, HpEndpoint *ret_endpoint)
{
    g_autofree char *text = hp_slice_dup(host);

    ret_endpoint->family = family;
    return strlen(text) == host.len && inet_pton(family, text, &ret_endpoint->ip) == 1;
}

/* [ ":" port ] */
static gboolean
parse_port(HpCursor c, guint16 *ret_port)
{
    guint64 port = *ret_port;

    if (hp_cursor_skip(&c, ':') &&
        (!hp_cursor_take_number(&c, 65535, &port) || port == 0))
        return FALSE;
    *ret_port = (guint16)port;
    return hp_cursor_at_end(&c);
}

/* IPv6 / ( IPv4 / "[" IPv6 "]" ) [ ":" port ] */
gboolean
hp_endpoint_parse(HpSlice text, guint16 default_port, HpEndpoint *ret_endpoint)
{
    HpEndpoint found = { .port = default_port };
    HpCursor c = hp_cursor_over(text);
    gboolean bracket = hp_cursor_skip(&c, '[');
    HpSlice host;

    if (text.len == 0 || text.len > LONGEST)
        return FALSE;
    if (!bracket && parse_ip(text, AF_INET6, &found)) {
        *ret_endpoint = found;
        return TRUE;
    }
    host = hp_cursor_take_until(&c, bracket ? ']' : ':');
    if (!parse_ip(host, bracket ? AF_INET6 : AF_INET, &found) ||
        (bracket && !hp_cursor_skip(&c, ']')) || !parse_port(c, &found.port))
        return FALSE;
    *ret_endpoint = found;
    return TRUE;
}
