/* hp-services: which servers listen where; each connection gets the policy of its moment.
 *
 * Threads: main; the servers run on connection threads.
 */
#pragma once

#include "hp-listener.h"
#include "hp-policy.h"

#define HP_SERVICES_SUBMIT_SOCKET "submit" /* in the runtime folder */

/**
 * hp_services_add:
 * @listener: not started yet
 * @policies: outlives the listener; the ports are those of the policy now
 * @dirs: the runtime folder gets the submit socket, the file of settings is for messages
 * @error: #G_IO_ERROR: a port is taken; the message names it, and by whom; or
 *    #HP_SETTINGS_ERROR_INVALID "file:line: …": this user may not have that port
 *
 * Opens all ports of the settings and the submit socket.
 */
gboolean hp_services_add(HpListener *listener, HpPolicies *policies, const HpDirs *dirs,
                         GError **error);

/* The uids of [listen] allow-users, names looked up: (transfer full) (element-type
 * guint). A name that nobody has is a line in the log. Before other threads ask for
 * names. */
GArray *hp_services_allowed_uids(const HpSettings *settings);
