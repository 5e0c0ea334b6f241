/* hp-cmd-sendmail: sendmail(1) for programs that hand their mail over by a pipe: a client
 * of the daemon's private socket `submit`, where the caller's uid is the login.
 *
 * Threads: main.
 */
#pragma once

#include "hp-slice.h"

typedef struct {
    gboolean from_header; /* -t: recipients are in To, Cc and Bcc */
    gboolean ignore_dots; /* -i, -oi: a dot alone does not end the message */
    const char *sender;   /* (unowned) (nullable): -f, -r */
    const char *name;     /* (unowned) (nullable): -F */
    GPtrArray *addresses; /* (owned) (element-type utf8): not owned themselves */
} HpSendmailArgs;

/**
 * hp_sendmail_parse_args:
 * @argv: (unowned): argv[0] is the program; read on while @ret_args is used
 * @ret_args: (out): free with hp_sendmail_args_clear() in any case
 * @error: #G_OPTION_ERROR; a sentence about the option
 *
 * Options: -t -i -f ADDR -r ADDR -F NAME -bm -B TYPE --, and those that mean nothing here
 * but are given by programs: -o…, -m, -n, -v, -U, -G, -L TAG, -e…, -N …, -R …, -V ….
 */
gboolean hp_sendmail_parse_args(int argc, char *const *argv, HpSendmailArgs *ret_args,
                                GError **error);
void hp_sendmail_args_clear(HpSendmailArgs *self);

/* The exit code (sysexits.h) for a refusal: what the calling program may do about it. */
int hp_sendmail_exit_code(guint code);

/**
 * hp_cmd_sendmail:
 * @argv: argv[0] is the program, options and addresses follow
 *
 * Sends what is on standard input. A refusal is printed to standard error, in the
 * server's words.
 *
 * Returns: 0 accepted, 64 usage, 65 refused for what it is, 69 the daemon does not run,
 *    74 standard input cannot be read, 75 try again later, 77 not allowed
 */
int hp_cmd_sendmail(int argc, char **argv);
