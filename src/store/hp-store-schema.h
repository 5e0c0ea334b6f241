/* hp-store-schema: the tables of mail.db.
 *
 * Threads: any; constants.
 */
#pragma once

#define HP_STORE_APPLICATION_ID 0x48504d4c /* "HPML" */

/* Scripts for HpDbSpec.migrations, ended by %NULL. */
extern const char *const hp_store_migrations[];
