#include "hp-summary-private.h"

char *
hp_summary_find_preview(const HpMime *mime)
{
    (void)mime;
    return g_strdup("");
}
