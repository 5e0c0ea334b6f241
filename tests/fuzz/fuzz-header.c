/* Fields are views that follow each other without a gap; encoded words always give UTF-8,
 * and what is encoded is read back. */
#include "hp-charset.h"
#include "hp-header.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(HpSlice body)
{
    g_autofree char *text = hp_header_text(body, 200);
    g_autofree char *encoded = hp_charset_encode_words(text, 9);
    g_autoptr(GString) unfolded = g_string_new(NULL);
    g_autofree char *back = NULL;

    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_strstrip(text);
    hp_header_unfold(hp_slice_of(encoded), unfolded);
    back = hp_charset_decode_words(hp_slice_of_string(unfolded));
    g_strstrip(back);
    g_assert_cmpstr(back, ==, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HpSlice input = { (const char *)data, size };
    HpCursor c = hp_cursor_over(input);
    HpHeaderField field;
    size_t seen = 0;

    while (hp_header_next(&c, &field)) {
        g_assert_true(field.raw.data == input.data + seen);
        g_assert_cmpuint(field.raw.len, >, 0);
        seen += field.raw.len;
        check_words(field.body);
    }
    g_assert_cmpuint(hp_header_split(input), >=, seen);
    g_assert_cmpuint(hp_header_split(input), <=, seen + 2);
    return 0;
}
