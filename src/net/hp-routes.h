/* hp-routes: what the kernel's routing tables say about the way out.
 *
 * Threads: any; each call asks the kernel.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean out;   /* a route leads beyond the attached networks: over a gateway, by
                       default, or into a tunnel for much of the internet */
    guint identity; /* stands for the default routes; another one is another network */
} HpRoutes;

/* Asks by netlink; @error: #G_IO_ERROR. */
gboolean hp_routes_read(HpRoutes *ret_routes, GError **error);

/* A netlink socket that can be read when links, addresses or routes change; closed by the
 * caller. -1 with @error set, #G_IO_ERROR, if there is none to be had. */
int hp_routes_watch(GError **error);

/* Reads all that has come. %TRUE if the routes may be others now. */
gboolean hp_routes_have_changed(int watch_fd);

/* Is there a route to the numeric address? No packet is sent. */
gboolean hp_routes_reach(const char *address);
