#include "hp-link-facts.h"

#include "hp-slice.h"

#include <string.h>

#define TOGETHER_USEC (60 * G_TIME_SPAN_SECOND) /* so near they are one trouble */
#define SHORT_LABEL   3                         /* "co" of "co.uk", "com" of "com.au" */

/* Where the @n-th label from the end begins. */
static const char *
label_from_end(const char *host, guint n)
{
    const char *at = host + strlen(host);

    while (at > host) {
        if (at[-1] == '.' && --n == 0)
            return at;
        at--;
    }
    return host;
}

/* The registered domain, roughly: two labels, three where the second is short and stands
 * under a country. A public suffix list would be exact, but both errors are harmless. */
static const char *
site_of(const char *host)
{
    const char *last = label_from_end(host, 1);
    const char *two = label_from_end(host, 2);

    if (last > two && strlen(last) == 2 && last - two - 1 <= SHORT_LABEL)
        return label_from_end(host, 3);
    return two;
}

/* "host", "host [address]" or "[address]" */
static HpLinkSighting
sighting_of(const char *destination, gint64 now_usec)
{
    HpCursor c = hp_cursor_over(hp_slice_of(destination));
    g_autofree char *host = hp_slice_dup(hp_slice_trim(hp_cursor_take_until(&c, '[')));
    HpLinkSighting sighting = { .usec = now_usec };

    if (hp_cursor_skip(&c, '[')) {
        g_autofree char *address = hp_slice_dup(hp_cursor_take_until(&c, ']'));

        g_strlcpy(sighting.address, address, sizeof(sighting.address));
    }
    g_strlcpy(sighting.site, host[0] != '\0' ? site_of(host) : sighting.address,
              sizeof(sighting.site));
    return sighting;
}

static gboolean
is_unrelated(const HpLinkSighting *a, const HpLinkSighting *b)
{
    return g_ascii_strcasecmp(a->site, b->site) != 0 &&
           (a->address[0] == '\0' || strcmp(a->address, b->address) != 0);
}

/* Remembers it in the place of the oldest; %TRUE if it stands with an unrelated one. */
static gboolean
remember(HpLinkSighting *sightings, const HpLinkSighting *new_one)
{
    gboolean together = FALSE;
    guint oldest = 0;

    for (guint i = 0; i < HP_LINK_SIGHTINGS; i++) {
        const HpLinkSighting *old = &sightings[i];

        if (old->usec != 0 && new_one->usec - old->usec <= TOGETHER_USEC &&
            is_unrelated(old, new_one))
            together = TRUE;
        if (old->usec < sightings[oldest].usec)
            oldest = i;
    }
    sightings[oldest] = *new_one;
    return together;
}

void
hp_link_facts_note(HpLinkFacts *self, HpLinkEvidence evidence, const char *destination,
                   gint64 now_usec)
{
    HpLinkSighting sighting = sighting_of(destination, now_usec);

    switch (evidence) {
    case HP_LINK_SAW_GREETING:
        self->portal = FALSE;
        hp_link_facts_forget(self);
        break;
    case HP_LINK_SAW_FOREIGN:
    case HP_LINK_SAW_DNS_LIE:
        if (remember(self->foreign, &sighting))
            self->captive = TRUE;
        break;
    case HP_LINK_SAW_PORTAL:
        self->captive = TRUE;
        break;
    case HP_LINK_SAW_CONNECT_FAIL:
        if (remember(self->failed, &sighting))
            self->no_25 = TRUE;
        break;
    case HP_LINK_SAW_DNS:
        self->no_dns = FALSE;
        break;
    case HP_LINK_SAW_NO_DNS:
        self->no_dns = TRUE;
        break;
    default:
        g_assert_not_reached();
    }
}

void
hp_link_facts_forget(HpLinkFacts *self)
{
    HpLinkFacts kept = { .routes = self->routes,
                         .private_ok = self->private_ok,
                         .portal = self->portal };

    *self = kept;
}

HpLinkState
hp_link_facts_state(const HpLinkFacts *self)
{
    if (!self->routes && !self->private_ok)
        return HP_LINK_OFFLINE;
    if (self->portal || self->captive)
        return HP_LINK_CAPTIVE;
    if (self->no_dns)
        return HP_LINK_NO_DNS;
    return self->no_25 ? HP_LINK_NO_25 : HP_LINK_OK;
}
