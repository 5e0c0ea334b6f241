/* hp-routes: what the kernel's routing tables say about the way out.
 *
 * Threads: any; each call asks the kernel.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean out;   /* a route leads off this computer: over a gateway, by default, or to
                       a network that is not private */
    guint identity; /* stands for the default routes; another one is another network */
} HpRoutes;

/* Asks by netlink; @error: #G_IO_ERROR. */
gboolean hp_routes_read(HpRoutes *ret_routes, GError **error);

/* Is there a route to the numeric address? No packet is sent. */
gboolean hp_routes_reach(const char *address);
