/* Parts lie inside each other and inside the message, whatever it is. */
#include "hp-mime.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(HpMime) mime = hp_mime_new((HpSlice){ (const char *)data, size });

    g_assert_cmpuint(mime->parts->len, >=, 1);
    g_assert_cmpuint(mime->parts->len, <=, HP_MIME_MAX_PARTS);
    for (guint i = 0; i < mime->parts->len; i++) {
        const HpMimePart *part = hp_mime_part(mime, i);
        const HpMimePart *parent = hp_mime_part(mime, part->parent);

        g_assert_cmpuint(part->header_start, <=, part->body_start);
        g_assert_cmpuint(part->body_start, <=, part->body_end);
        g_assert_cmpuint(part->body_end, <=, size);
        g_assert_cmpuint(part->depth, <=, HP_MIME_MAX_DEPTH);
        g_free(hp_mime_param(part->content_type, "charset"));
        if (i == 0)
            continue;
        g_assert_cmpuint(part->parent, <, i);
        g_assert_cmpuint(part->depth, ==, parent->depth + 1);
        g_assert_cmpuint(part->header_start, >=, parent->body_start);
        g_assert_cmpuint(part->body_end, <=, parent->body_end);
        g_assert_cmpuint(part->header_start, >=, hp_mime_part(mime, i - 1)->body_start);
    }
    return 0;
}
