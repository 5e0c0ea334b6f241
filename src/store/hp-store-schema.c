#include "hp-store-schema.h"

#include "hp-content.h"

#include <stddef.h>

/* The names of special_use are those of RFC 6154 without the backslash. UIDVALIDITY of
 * INBOX is the second in which it was made: never 0, and another one if mail.db is lost
 * and made anew (RFC 9051 §2.3.1.1). */
static const char first[] = HP_CONTENT_SCHEMA
    "CREATE TABLE mailbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE," /* UTF-8, hierarchy by '/' */
    " uidvalidity INTEGER NOT NULL CHECK (uidvalidity > 0),"
    " uidnext INTEGER NOT NULL DEFAULT 1,"
    " highestmodseq INTEGER NOT NULL DEFAULT 1,"
    " special_use TEXT,"
    " subscribed INTEGER NOT NULL DEFAULT 1);"
    "CREATE TABLE entry ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " mailbox INTEGER NOT NULL REFERENCES mailbox (id),"
    " uid INTEGER NOT NULL,"
    " content INTEGER NOT NULL REFERENCES content (id),"
    " size INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " flags INTEGER NOT NULL DEFAULT 0,"
    " keywords TEXT NOT NULL DEFAULT '',"
    " internal_date INTEGER NOT NULL,"           /* wall microseconds */
    " internal_zone INTEGER NOT NULL DEFAULT 0," /* minutes ahead of UTC */
    " save_date INTEGER NOT NULL,"
    " email_id TEXT,"
    " thread_id TEXT,"
    " origin TEXT UNIQUE," /* of a hand-over: once, however often it is repeated */
    " collected INTEGER NOT NULL DEFAULT 0," /* wall microseconds; by POP3 */
    " UNIQUE (mailbox, uid));"
    /* Opening a mailbox reads this index alone. */
    "CREATE INDEX entry_view"
    " ON entry (mailbox, uid, size, content, flags, collected);"
    "CREATE INDEX entry_content ON entry (content);"
    "CREATE INDEX entry_collected ON entry (collected) WHERE collected > 0;"
    "CREATE TABLE expunged ("
    " mailbox INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;"
    "CREATE INDEX expunged_modseq ON expunged (mailbox, modseq);"
    /* An origin outlives its entry: a hand-over that is repeated after the user deleted
     * the message must not bring it back. */
    "CREATE TABLE seen_origin (origin TEXT PRIMARY KEY, time INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "INSERT INTO mailbox (id, name, uidvalidity)"
    " VALUES (1, 'INBOX', max(1, CAST(strftime('%s', 'now') AS INTEGER)));";

const char *const hp_store_migrations[] = { first, NULL };
