/* A date that was read is written and read again as the same. */
#include "hp-date.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gint64 sec, back;
    gint offset;

    if (!hp_date_parse((HpSlice){ (const char *)data, size }, &sec, &offset))
        return 0;
    g_assert_cmpint(ABS(offset), <, 100 * 60);
    hp_date_append_utc(out, sec * G_USEC_PER_SEC);
    /* A zone may carry the last day of 9999 or the first one of 1900 over the edge. */
    if (hp_date_parse(hp_slice_of_string(out), &back, NULL))
        g_assert_cmpint(back, ==, sec);
    return 0;
}
