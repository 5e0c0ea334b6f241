#include "hp-queue-put.h"

#include "hp-clock.h"
#include "hp-text.h"

#define LONGEST_TEXT 2000 /* characters of what came from outside */

void
hp_queue_put_text(GVariantBuilder *b, const char *key, const char *text)
{
    if (text != NULL)
        g_variant_builder_add(b, "{sv}", key, g_variant_new_string(text));
}

void
hp_queue_put_printable(GVariantBuilder *b, const char *key, const char *text)
{
    g_autofree char *clean = NULL;

    if (text == NULL)
        return;
    clean = hp_text_printable(hp_slice_of(text), LONGEST_TEXT);
    hp_queue_put_text(b, key, clean);
}

void
hp_queue_put_time(GVariantBuilder *b, const char *key, gint64 wall_usec)
{
    g_autofree char *text = hp_clock_format_rfc3339(wall_usec);

    hp_queue_put_text(b, key, text);
}

void
hp_queue_put_number(GVariantBuilder *b, const char *key, gint64 number)
{
    g_variant_builder_add(b, "{sv}", key, g_variant_new_uint32((guint32)number));
}

void
hp_queue_put_octets(GVariantBuilder *b, const char *key, gint64 octets)
{
    g_variant_builder_add(b, "{sv}", key, g_variant_new_uint64((guint64)octets));
}
