/* hp-cli-reach: finding the daemon's control socket and connecting to it.
 *
 * Threads: main; blocks.
 */
#pragma once

#include "hp-control-bus.h"
#include "hp-dirs.h"

/* Connects at once or not at all: (transfer full) (nullable). */
HpHauspost1 *hp_cli_reach(const HpDirs *dirs, GError **error);

/* Waits up to 5 s while a daemon is starting (it has its lock but no socket yet), and for
 * a moment where one may just have been started. */
HpHauspost1 *hp_cli_reach_starting(const HpDirs *dirs, GError **error);

/* What a person types to start the daemon: with systemd's user manager or without. */
const char *hp_cli_start_command(const HpDirs *dirs);

/* Does systemd look after this user's services? */
gboolean hp_cli_has_user_manager(void);
