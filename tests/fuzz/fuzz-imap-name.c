/* Names in modified UTF-7: what can be decoded is UTF-8 and, if it came in the one form
 * that it has, is encoded to the same again. */
#include "hp-imap-name.h"

#include "hp-slice.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *wire = g_strndup((const char *)data, size);
    g_autofree char *utf8 = hp_imap_name_decode(wire);
    g_autofree char *again = NULL;
    g_autofree char *back = NULL;

    if (utf8 == NULL)
        return 0;
    g_assert(g_utf8_validate(utf8, -1, NULL));
    again = hp_imap_name_encode(utf8);
    for (const char *c = again; *c != '\0'; c++)
        g_assert(*c >= 0x20 && *c < 0x7f);
    back = hp_imap_name_decode(again);
    g_assert_cmpstr(back, ==, utf8);
    return 0;
}
