/* What is converted is ASCII, has the same structure, and needs no second conversion. */
#include "hp-mime.h"
#include "hp-sevenbit.h"
#include "hp-text.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice message = { (const char *)data, size };
    g_autoptr(GString) once = hp_sevenbit_convert(message, NULL);
    g_autoptr(GString) twice = NULL;
    g_autoptr(HpMime) before = NULL;
    g_autoptr(HpMime) after = NULL;

    if (once == NULL)
        return 0;
    g_assert_true(hp_text_is_ascii(hp_slice_of_string(once)));
    twice = hp_sevenbit_convert(hp_slice_of_string(once), NULL);
    g_assert_nonnull(twice);
    g_assert_cmpmem(once->str, (int)once->len, twice->str, (int)twice->len);
    before = hp_mime_new(message);
    after = hp_mime_new(hp_slice_of_string(once));
    g_assert_cmpuint(before->parts->len, ==, after->parts->len);
    for (guint i = 0; i < before->parts->len; i++)
        g_assert_cmpint(hp_mime_part(before, i)->depth, ==,
                        hp_mime_part(after, i)->depth);
    return 0;
}
