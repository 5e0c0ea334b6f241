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

/* What IMAP needs. Fills the new columns from what is there; uids, uidvalidity and
 * modseqs stay as they are, so that no client notices. */
static const char second[] =
    /* Counts of the entries, kept in the transaction that changes them, so that STATUS
       asks one row. vanished_from: the expunge log knows all that vanished after this
       modseq. */
    "ALTER TABLE mailbox ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN octets INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE mailbox ADD COLUMN vanished_from INTEGER NOT NULL DEFAULT 0;"
    "UPDATE mailbox SET (messages, unseen, deleted, octets) ="
    " (SELECT count(*), ifnull(sum((e.flags & 1) = 0), 0),"
    " ifnull(sum((e.flags & 8) <> 0), 0), ifnull(sum(e.size), 0)"
    " FROM entry e WHERE e.mailbox = mailbox.id);"
    /* Names, not mailboxes: a subscription outlives its mailbox (RFC 3501 §6.3.6). */
    "CREATE TABLE subscription (name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "INSERT INTO subscription SELECT name FROM mailbox WHERE subscribed;"
    "ALTER TABLE mailbox DROP COLUMN subscribed;"
    /* Where there is an INBOX already the others come with the upgrade. */
    "INSERT INTO mailbox (name, uidvalidity, special_use)"
    " SELECT u.column1, (SELECT max(uidvalidity) FROM mailbox) + u.column2,"
    " '\\' || u.column1 FROM (VALUES ('Sent', 1), ('Drafts', 2), ('Trash', 3),"
    " ('Junk', 4), ('Archive', 5)) u WHERE EXISTS (SELECT 1 FROM mailbox WHERE id = 1);"
    "INSERT OR IGNORE INTO subscription SELECT name FROM mailbox"
    " WHERE special_use IS NOT NULL;"
    /* last_uidvalidity: none given since was smaller; also of mailboxes that are gone. */
    "CREATE TABLE store ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " last_uidvalidity INTEGER NOT NULL);"
    "INSERT INTO store SELECT 1, ifnull(max(uidvalidity), 0) FROM mailbox;"
    /* What is kept of a content so that FETCH need not read it: header: with its empty
       line; packed: hp_summary_pack() of that version. A row may be missing or old: it is
       computed again when it is asked for. */
    "CREATE TABLE summary ("
    " content INTEGER PRIMARY KEY,"
    " version INTEGER NOT NULL,"
    " header BLOB NOT NULL,"
    " packed BLOB NOT NULL);"
    /* Which thread (RFC 8474 §5.2) a message belongs to that has or mentions this id;
       hash: 64 bits of the SHA-256 of the message id. */
    "CREATE TABLE message_id ("
    " hash INTEGER PRIMARY KEY,"
    " thread INTEGER NOT NULL);"
    /* Contents that have lost an entry; upkeep erases those that have lost their last. */
    "CREATE TABLE dropped (content INTEGER PRIMARY KEY);"
    /* The same bytes are stored once. */
    HP_CONTENT_DIGEST_INDEX;

/* Annotations (RFC 5464). */
static const char third[] =
    /* mailbox: 0 is the server as a whole. entry: the same in any case. */
    "CREATE TABLE annotation ("
    " mailbox INTEGER NOT NULL,"
    " entry TEXT NOT NULL COLLATE NOCASE,"
    " value BLOB NOT NULL,"
    " PRIMARY KEY (mailbox, entry));"
    /* When it got its special use, if that was later than itself: retention does not
       count from earlier. */
    "ALTER TABLE mailbox ADD COLUMN special_usec INTEGER NOT NULL DEFAULT 0;";

const char *const hp_store_migrations[] = { first, second, third, NULL };
