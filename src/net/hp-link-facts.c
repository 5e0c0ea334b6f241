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

/* In the place of the oldest. */
static void
remember(HpLinkSighting *sightings, const HpLinkSighting *new_one)
{
    guint oldest = 0;

    for (guint i = 0; i < HP_LINK_SIGHTINGS; i++)
        if (sightings[i].usec < sightings[oldest].usec)
            oldest = i;
    sightings[oldest] = *new_one;
}

/* Within a minute before @now_usec. */
static gboolean
is_fresh(const HpLinkSighting *sighting, gint64 now_usec)
{
    return sighting->usec != 0 && now_usec - sighting->usec <= TOGETHER_USEC;
}

/* Is there a fresh one that is related neither to @one nor to @other (nullable)? */
static gboolean
has_unrelated(const HpLinkSighting *sightings, const HpLinkSighting *one,
              const HpLinkSighting *other)
{
    for (guint i = 0; i < HP_LINK_SIGHTINGS; i++)
        if (is_fresh(&sightings[i], one->usec) && is_unrelated(&sightings[i], one) &&
            (other == NULL || is_unrelated(&sightings[i], other)))
            return TRUE;
    return FALSE;
}

static gboolean
has_greeted(const HpLinkFacts *self, const HpLinkSighting *sighting)
{
    for (guint i = 0; i < HP_LINK_SIGHTINGS; i++)
        if (self->greeted[i].usec != 0 &&
            g_ascii_strcasecmp(self->greeted[i].site, sighting->site) == 0)
            return TRUE;
    return FALSE;
}

/* Two unrelated ones that failed are enough if nobody has greeted here so far, or if one
 * of the two has. Otherwise it takes three. */
static gboolean
is_closed(const HpLinkFacts *self, const HpLinkSighting *last)
{
    gboolean proven = self->greeted[0].usec != 0;

    for (guint i = 0; i < HP_LINK_SIGHTINGS; i++) {
        const HpLinkSighting *other = &self->failed[i];

        if (!is_fresh(other, last->usec) || !is_unrelated(other, last))
            continue;
        if (!proven || has_greeted(self, last) || has_greeted(self, other) ||
            has_unrelated(self->failed, last, other))
            return TRUE;
    }
    return FALSE;
}

/* A site has one place among those that have greeted, however often it does. */
static void
note_greeting(HpLinkFacts *self, const HpLinkSighting *sighting)
{
    HpLinkSighting greeted[HP_LINK_SIGHTINGS];

    if (!has_greeted(self, sighting))
        remember(self->greeted, sighting);
    memcpy(greeted, self->greeted, sizeof greeted);
    self->portal = FALSE;
    hp_link_facts_forget(self);
    memcpy(self->greeted, greeted, sizeof greeted);
}

void
hp_link_facts_note(HpLinkFacts *self, HpLinkEvidence evidence, const char *destination,
                   gint64 now_usec)
{
    HpLinkSighting sighting = sighting_of(destination, now_usec);

    switch (evidence) {
    case HP_LINK_SAW_GREETING:
        note_greeting(self, &sighting);
        break;
    case HP_LINK_SAW_FOREIGN:
    case HP_LINK_SAW_DNS_LIE:
        remember(self->foreign, &sighting);
        if (has_unrelated(self->foreign, &sighting, NULL))
            self->captive = TRUE;
        break;
    case HP_LINK_SAW_PORTAL:
        self->captive = TRUE;
        break;
    case HP_LINK_SAW_CONNECT_FAIL:
        remember(self->failed, &sighting);
        if (is_closed(self, &sighting))
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
