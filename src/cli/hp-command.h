/* hp-command: the tables of commands, and running one of them.
 *
 * Threads: main.
 */
#pragma once

#include "hp-cli.h"

/* Which of the common options a command takes. */
typedef enum {
    HP_COMMAND_JSON = 1 << 0,    /* --json */
    HP_COMMAND_PLAIN = 1 << 1,   /* --plain */
    HP_COMMAND_ASKS = 1 << 2,    /* -y */
    HP_COMMAND_DRY_RUN = 1 << 3, /* -n */
    HP_COMMAND_HIDDEN = 1 << 4,  /* not in help */
    HP_COMMAND_RAW = 1 << 5,     /* the words are not parsed */
} HpCommandFlags;

typedef struct {
    const char *noun;    /* (unowned) */
    const char *verb;    /* (unowned) (nullable) */
    const char *args;    /* (unowned): for help: "[--to DOMAIN] ID…" */
    const char *options; /* (unowned): as hp_cli_args_parse() wants them */
    guint min_words, max_words;
    guint flags;       /* HpCommandFlags */
    const char *about; /* (unowned): N_() one sentence */
    HpExit (*run)(HpCli *cli);
} HpCommand;

#define HP_COMMAND_ANY_WORDS G_MAXUINT

/* One table for each family, ended by a row without a noun. */
extern const HpCommand hp_cmd_setup[];
extern const HpCommand hp_cmd_status[];
extern const HpCommand hp_cmd_queue[];
extern const HpCommand hp_cmd_history[];
extern const HpCommand hp_cmd_explain[];
extern const HpCommand hp_cmd_identity[];
extern const HpCommand hp_cmd_account[];
extern const HpCommand hp_cmd_password[];
extern const HpCommand hp_cmd_config[];
extern const HpCommand hp_cmd_mailbox[];
extern const HpCommand hp_cmd_check[];
extern const HpCommand hp_cmd_log[];
extern const HpCommand hp_cmd_help[];

/* All of them, in the order of help; ended by %NULL. */
const HpCommand *const *hp_command_families(void);

/* The command "NOUN VERB", %NULL if there is none. @verb: (nullable). */
const HpCommand *hp_command_find(const char *noun, const char *verb);

/* Runs what @argv (%NULL-terminated, [0] is the program) says. It fails if its output
 * cannot be written. */
HpExit hp_command_run(HpCli *cli, char *const *argv);

/* Says that there is no such command, and which may be meant. @verb: (nullable) */
HpExit hp_command_refuse(HpCli *cli, const char *noun, const char *verb);

/* "usage: hauspost queue list …" */
void hp_command_print_usage(HpCli *cli, const HpCommand *command, FILE *out);
