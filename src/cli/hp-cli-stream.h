/* hp-cli-stream: what the daemon gives to read by a descriptor: contents and passwords.
 *
 * Threads: main; blocks.
 */
#pragma once

#include "hp-cli.h"

#include <gio/gunixfdlist.h>

/* Copies what can be read to the new file @path, or to the output if that is %NULL.
 * @handle: the "h" of the answer. */
gboolean hp_cli_save_stream(HpCli *cli, GVariant *handle, GUnixFDList *fds,
                            const char *path, GError **error);

/* (transfer full) (nullable): a short text (a password), at most 1,000 bytes. */
char *hp_cli_read_secret(GVariant *handle, GUnixFDList *fds, GError **error);
