/* hp-cli-line: what keeps mail from going out although somebody has just asked for it.
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli.h"

/* The obstacle that the daemon's @status (a{sv}) tells of, as a sentence, and the command
 * that helps (nullable); %NULL if there is none. */
const char *hp_cli_line_obstacle(GVariant *status, const char **ret_command);

/* Asks the daemon, and adds a hint if mail has to wait all the same. */
void hp_cli_hint_obstacle(HpCli *cli);
