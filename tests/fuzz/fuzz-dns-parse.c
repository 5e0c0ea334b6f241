/* Any packet, for each type of question: never out of bounds, never endless, and what
 * comes out can be written. The first byte chooses the type, the rest is the packet. */
#include "hp-dns-parse.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const HpDnsType types[] = { HP_DNS_A,  HP_DNS_CNAME, HP_DNS_SOA,
                                       HP_DNS_MX, HP_DNS_TXT,   HP_DNS_AAAA };
    g_auto(HpDnsParsed) parsed = { .rcode = 0 };

    if (size < 1)
        return 0;
    if (!hp_dns_parse((HpSlice){ (const char *)data + 1, size - 1 }, "a.b",
                      types[data[0] % G_N_ELEMENTS(types)], &parsed))
        return 0;
    g_assert_nonnull(parsed.canonical);
    g_assert_cmpuint(strlen(parsed.canonical), <=, 255);
    g_assert_cmpuint(parsed.records->len, <=, 20);
    g_assert_cmpuint(parsed.hops, <=, 8);
    for (guint i = 0; i < parsed.records->len; i++)
        g_assert_nonnull(((HpDnsRecord *)parsed.records->pdata[i])->text);
    return 0;
}
