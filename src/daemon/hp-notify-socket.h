/* hp-notify-socket: tells a service manager how we are (sd_notify(3), without
 * libsystemd).
 *
 * Threads: main.
 */
#pragma once

#include <glib.h>

/**
 * hp_notify_socket_send:
 * @state: "READY=1", "STOPPING=1", "STATUS=…", several separated by newlines
 *
 * Sends @state to $NOTIFY_SOCKET, a path or "@name" in the abstract namespace.
 *
 * Returns: %FALSE if there is no such socket or it took nothing; nobody need care
 */
gboolean hp_notify_socket_send(const char *state);
