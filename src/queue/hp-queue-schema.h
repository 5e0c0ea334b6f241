/* hp-queue-schema: the tables of queue.db.
 *
 * Threads: any; constants.
 */
#pragma once

#include "hp-sqlite.h"

#define HP_QUEUE_APPLICATION_ID 0x48707175u /* "Hpqu" */

/* For HpDbSpec. */
extern const char *const hp_queue_migrations[];
