#include "hp-endpoint.h"

#include <arpa/inet.h>
#include <string.h>

/* Exactly as long as it is, so that a byte too many is seen. */
static gboolean
parse(const char *text, HpEndpoint *ret_endpoint)
{
    g_autofree char *exact = g_memdup2(text, strlen(text));

    return hp_endpoint_parse((HpSlice){ exact, strlen(text) }, 53, ret_endpoint);
}

static void
reads_addresses_with_and_without_a_port(void)
{
    static const struct {
        const char *text;
        const char *ip;
        guint port;
    } rows[] = {
        { "192.0.2.1", "192.0.2.1", 53 },
        { "192.0.2.1:5353", "192.0.2.1", 5353 },
        { "::1", "::1", 53 },
        { "2001:db8::1", "2001:db8::1", 53 },
        { "[2001:db8::1]", "2001:db8::1", 53 },
        { "[::1]:65535", "::1", 65535 },
        { "::ffff:192.0.2.1", "::ffff:192.0.2.1", 53 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpEndpoint endpoint = { 0 };
        char ip[INET6_ADDRSTRLEN];

        g_test_message("%s", rows[i].text);
        g_assert_true(parse(rows[i].text, &endpoint));
        g_assert_nonnull(inet_ntop(endpoint.family, &endpoint.ip, ip, sizeof ip));
        g_assert_cmpstr(ip, ==, rows[i].ip);
        g_assert_cmpuint(endpoint.port, ==, rows[i].port);
    }
}

static void
refuses_everything_else(void)
{
    static const char *const texts[] = {
        "",           "ns.example.org", "192.0.2.1:",  "192.0.2.1:0", "192.0.2.1:65536",
        "192.0.2",    "[::1",           "[192.0.2.1]", "[::1]5",      "[::1]:x",
        "fe80::1%lo", ":::::",          "192.0.2.1 ",  "foo:bar:1",   "[]:53",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        HpEndpoint endpoint = { .port = 7 };

        g_test_message("%s", texts[i]);
        g_assert_false(parse(texts[i], &endpoint));
        g_assert_cmpuint(endpoint.port, ==, 7);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/endpoint/reads-addresses-with-and-without-a-port",
                    reads_addresses_with_and_without_a_port);
    g_test_add_func("/endpoint/refuses-everything-else", refuses_everything_else);
    return g_test_run();
}
