/* hp-cli-message: messages of the queue and the history in tables and as stories.
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli.h"

/* A table of @messages (aa{sv}), or plain; queue: what comes next, else what became of
 * them. */
void hp_cli_print_messages(HpCli *cli, GVariant *messages, gboolean queue);

/* The story of one message (a{sv}), line by line, and what can be done. */
void hp_cli_print_story(HpCli *cli, GVariant *message);

/* Every event with all that is known of it, for a bug report. */
void hp_cli_print_events(HpCli *cli, GVariant *message);

/* The word for a state in the user's language. */
const char *hp_cli_state_word(const char *state);

/* The recipient (a{sv}) that says most about the message: what needs somebody first.
 * (transfer full) (nullable): none. */
GVariant *hp_cli_telling_recipient(GVariant *message, guint *ret_n);
