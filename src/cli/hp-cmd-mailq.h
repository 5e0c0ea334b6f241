/* hp-cmd-mailq: the queue in the classic shape, for programs that know mailq(1).
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli.h"

/* Returns an exit code of <sysexits.h>. */
int hp_cmd_mailq(HpCli *cli);
