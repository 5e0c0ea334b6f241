/* The schema of mail.db. A script that was ever released is never changed again.
 *
 * An entry is clustered by (mailbox, uid), so that opening a mailbox is one walk through
 * neighbouring pages, and setting a flag writes one row. What is large or computed does
 * not belong into it.
 */
#include "hp-store-private.h"

static const char first[] = HP_CONTENT_SCHEMA
    /* name: UTF-8, "/" between levels. uidnext and highestmodseq only ever grow (RFC 3501
       §2.3.1.1, RFC 7162 §3.1). special_use: "\Sent" and so on (RFC 6154). */
    "CREATE TABLE mailbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 1 AND 4294967295),"
    " uidnext INTEGER NOT NULL DEFAULT 1,"
    " highestmodseq INTEGER NOT NULL DEFAULT 1,"
    " special_use TEXT,"
    " subscribed INTEGER NOT NULL DEFAULT 1);"
    /* flags: HpStoreFlag; keywords: separated by spaces, or NULL. internal_usec with
       internal_zone (minutes east) is INTERNALDATE, saved_usec SAVEDATE (RFC 8514).
       collected_usec: when POP3 first collected it, 0 if never. email and thread are the
       ids of RFC 8474. */
    "CREATE TABLE entry ("
    " mailbox INTEGER NOT NULL REFERENCES mailbox (id),"
    " uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),"
    " content INTEGER NOT NULL REFERENCES content (id),"
    " size INTEGER NOT NULL,"
    " flags INTEGER NOT NULL DEFAULT 0,"
    " collected_usec INTEGER NOT NULL DEFAULT 0,"
    " modseq INTEGER NOT NULL,"
    " internal_usec INTEGER NOT NULL,"
    " internal_zone INTEGER NOT NULL DEFAULT 0,"
    " saved_usec INTEGER NOT NULL,"
    " email INTEGER NOT NULL,"
    " thread INTEGER NOT NULL,"
    " keywords TEXT,"
    " PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;"
    "CREATE INDEX entry_content ON entry (content);"
    "CREATE INDEX entry_collected ON entry (collected_usec) WHERE collected_usec > 0;"
    /* Uids that are gone, for QRESYNC (RFC 7162 §3.2). */
    "CREATE TABLE expunged ("
    " mailbox INTEGER NOT NULL REFERENCES mailbox (id),"
    " modseq INTEGER NOT NULL,"
    " uid INTEGER NOT NULL,"
    " PRIMARY KEY (mailbox, modseq, uid)) WITHOUT ROWID;"
    /* What the queue has handed over. It outlives the entry: a hand-over that is replayed
       after the user has deleted the message must not bring it back. */
    "CREATE TABLE arrival ("
    " origin TEXT PRIMARY KEY,"
    " arrived_usec INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX arrival_time ON arrival (arrived_usec);";

const char *const hp_store_migrations[] = { first, NULL };
