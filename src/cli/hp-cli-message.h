/* hp-cli-message: messages of the queue and the history in tables and as stories.
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli.h"

/* Which recipients a list is about, and which of them speaks for its message. */
typedef enum {
    HP_CLI_QUEUE,   /* those who need somebody come first: what comes next */
    HP_CLI_HISTORY, /* those who are done: what became of them */
} HpCliView;

/* A table of @messages (aa{sv}), or plain. @state: (nullable): what was asked for; a
 * recipient in this state is the one that is shown. */
void hp_cli_print_messages(HpCli *cli, GVariant *messages, HpCliView view,
                           const char *state);

/* The story of one message (a{sv}), line by line, and what can be done. */
void hp_cli_print_story(HpCli *cli, GVariant *message);

/* Every event with all that is known of it, for a bug report. */
void hp_cli_print_events(HpCli *cli, GVariant *message);

/* The word for a state in the user's language. */
const char *hp_cli_state_word(const char *state);

/* The recipient (a{sv}) that says most about the message: one in @state (nullable), then
 * what needs somebody first; for the history, who is done.
 * (transfer full) (nullable): none. */
GVariant *hp_cli_telling_recipient(GVariant *message, HpCliView view, const char *state,
                                   guint *ret_n);
