/* Paths and lists: what was read is written and read again as the same. */
#include "hp-address.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(HpSlice input)
{
    HpCursor c = hp_cursor_over(input);
    g_autoptr(HpAddress) address = NULL;
    g_autoptr(HpAddress) again = NULL;
    g_autofree char *written = NULL;

    if (!hp_address_parse_path(&c, &address) || address == NULL)
        return;
    written = hp_address_write(address);
    again = hp_address_parse(hp_slice_of(written));
    g_assert_nonnull(again);
    g_assert_cmpstr(again->local, ==, address->local);
    g_assert_cmpstr(again->domain, ==, address->domain);
    g_assert_true(hp_address_equal(again, address));
    if (address->domain != NULL)
        g_free(hp_address_domain_to_ascii(address->domain));
}

static void
check_list(HpSlice input)
{
    gboolean whole;
    g_autoptr(GArray) places = hp_address_scan(input, 100, &whole);

    for (guint i = 0; i < places->len; i++) {
        HpAddressPlace *place = &g_array_index(places, HpAddressPlace, i);

        g_assert_true(g_utf8_validate(place->address->local, -1, NULL));
        g_assert_true(place->address->name == NULL ||
                      g_utf8_validate(place->address->name, -1, NULL));
        g_assert_true(place->spec.data >= input.data &&
                      place->spec.data + place->spec.len <= input.data + input.len);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice input = { (const char *)data, size };

    check_path(input);
    check_list(input);
    return 0;
}
