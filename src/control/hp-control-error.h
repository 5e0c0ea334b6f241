/* hp-control-error: how the daemon says no on D-Bus, and the exit code that it becomes.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

#define HP_CONTROL_BUS_NAME    "org.hauspost.Hauspost1"
#define HP_CONTROL_OBJECT_PATH "/org/hauspost/Hauspost1"
#define HP_CONTROL_SOCKET      "control" /* in the runtime folder */

/* Registered with GDBus on first use: an error of this domain that the daemon returns
 * from a method arrives at the client as the same domain and code. The client must call
 * the quark function (or name the macro) before its first call. */
#define HP_CONTROL_ERROR (hp_control_error_quark())
GQuark hp_control_error_quark(void);

/**
 * HpControlError: "org.hauspost.Error." and the name
 * @HP_CONTROL_ERROR_NOT_FOUND: no such message, password, key; or the prefix fits several
 * @HP_CONTROL_ERROR_LIMIT: a limit or a rule says no
 * @HP_CONTROL_ERROR_OFFLINE: not now, the line is down
 * @HP_CONTROL_ERROR_INVALID: an argument or a setting is wrong
 * @HP_CONTROL_ERROR_BUSY: not now, something else is being done
 * @HP_CONTROL_ERROR_STATE: not possible in the state in which it is
 * @HP_CONTROL_ERROR_FAILED: anything else
 */
typedef enum {
    HP_CONTROL_ERROR_NOT_FOUND,
    HP_CONTROL_ERROR_LIMIT,
    HP_CONTROL_ERROR_OFFLINE,
    HP_CONTROL_ERROR_INVALID,
    HP_CONTROL_ERROR_BUSY,
    HP_CONTROL_ERROR_STATE,
    HP_CONTROL_ERROR_FAILED,
} HpControlError;

/* What `hauspost` exits with; fixed, scripts rely on it. */
typedef enum {
    HP_EXIT_OK = 0,
    HP_EXIT_FAILURE = 1,
    HP_EXIT_USAGE = 2,
    HP_EXIT_NOT_FOUND = 3,
    HP_EXIT_NO_DAEMON = 4,
    HP_EXIT_REFUSED = 5,
    HP_EXIT_TEMPORARY = 6,
    HP_EXIT_PROBLEMS = 7,
    HP_EXIT_NEEDS_ANSWER = 8,
    HP_EXIT_INTERRUPTED = 130,
} HpExit;

/* The exit code that belongs to @error: one for each HpControlError, the connection's
 * own errors are NO_DAEMON, everything else FAILURE. */
HpExit hp_control_error_exit(const GError *error);
