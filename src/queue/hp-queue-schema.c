#include "hp-queue-schema.h"

#include "hp-content.h"

/* Times are wall microseconds since 1970. A NULL `due` is "by itself never": only what
 * can become due is in the index that the dispatcher asks, so finished mail costs it
 * nothing.
 *
 * message: `open` recipients are not finished; with the last of them `finished` is set
 * and `content` given up. `name` is the id that people see; `retired` keeps the names of
 *    pruned ones, so that none comes twice. `online_at`: the queue's online time then.
 * recipient: `state` is an HpJobState; `stage` to `host` are the last reply. `doubt`:
 *    when an attempt ended that may have been the line's fault, 0 if there is none;
 *    `doubt_day`: what `last_day` was before it.
 * attempt: begun before connecting; recipients in state "sending" point to theirs.
 * event: the story of a message.
 * destination: what must be remembered of a domain. refused_*: until when.
 * handover: contents on their way into INBOX: `prefix` (header lines to go before it),
 *    then `content`. kind 0 is a message to local recipients, 1 a report.
 * meta: one row. `uid` names this database in hand-overs. `line_*`: since when, and how
 * long awake, port 25 was closed. */
static const char first[] = HP_CONTENT_SCHEMA
    "CREATE TABLE meta ("
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " paused_until INTEGER NOT NULL DEFAULT 0,"
    " online_usec INTEGER NOT NULL DEFAULT 0,"
    " line_since INTEGER NOT NULL DEFAULT 0,"
    " line_awake_usec INTEGER NOT NULL DEFAULT 0,"
    " line_told INTEGER NOT NULL DEFAULT 0,"
    " uid TEXT NOT NULL);"
    "INSERT INTO meta (id, uid) VALUES (1, lower(hex(randomblob(8))));"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL UNIQUE,"
    " content INTEGER,"
    " size INTEGER NOT NULL,"
    " sender TEXT NOT NULL,"
    " ret INTEGER NOT NULL,"
    " envid TEXT,"
    " smtputf8 INTEGER NOT NULL,"
    " eight_bit INTEGER NOT NULL,"
    " hops INTEGER NOT NULL,"
    " client TEXT NOT NULL,"
    " subject TEXT,"
    " message_id TEXT,"
    " submitted INTEGER NOT NULL,"
    " online_at INTEGER NOT NULL,"
    " open INTEGER NOT NULL,"
    " finished INTEGER);"
    "CREATE INDEX message_open ON message (id) WHERE finished IS NULL;"
    "CREATE INDEX message_finished ON message (finished) WHERE finished IS NOT NULL;"
    "CREATE TABLE retired (name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE recipient ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " message INTEGER NOT NULL,"
    " address TEXT NOT NULL,"
    " destination TEXT,"
    " orcpt TEXT,"
    " notify INTEGER NOT NULL,"
    " state INTEGER NOT NULL,"
    " due INTEGER,"
    " attempt INTEGER,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " days INTEGER NOT NULL DEFAULT 0,"
    " last_day INTEGER NOT NULL DEFAULT 0,"
    " delay_told INTEGER NOT NULL DEFAULT 0,"
    " doubt INTEGER NOT NULL DEFAULT 0,"
    " doubt_day INTEGER NOT NULL DEFAULT 0,"
    " stage INTEGER NOT NULL DEFAULT 0,"
    " code INTEGER NOT NULL DEFAULT 0,"
    " enhanced TEXT,"
    " reply TEXT,"
    " host TEXT,"
    " road TEXT);"
    "CREATE INDEX recipient_message ON recipient (message);"
    "CREATE INDEX recipient_due ON recipient (destination, due) WHERE due IS NOT NULL;"
    "CREATE INDEX recipient_sending ON recipient (attempt) WHERE state = 1;"
    "CREATE INDEX recipient_active ON recipient (state) WHERE state < 5;"
    "CREATE TABLE attempt ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " message INTEGER NOT NULL,"
    " destination TEXT NOT NULL,"
    " started INTEGER NOT NULL);"
    "CREATE INDEX attempt_message ON attempt (message);"
    "CREATE TABLE event ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " message INTEGER NOT NULL,"
    " at INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " stage INTEGER,"
    " host TEXT,"
    " recipient TEXT,"
    " text TEXT);"
    "CREATE INDEX event_message ON event (message);"
    "CREATE TABLE destination ("
    " name TEXT PRIMARY KEY,"
    " seen_tls INTEGER NOT NULL,"
    " seen_trusted INTEGER NOT NULL,"
    " refused_ipv4 INTEGER NOT NULL,"
    " refused_ipv6 INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE handover ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL,"
    " message INTEGER,"
    " content INTEGER NOT NULL,"
    " prefix TEXT NOT NULL);";

const char *const hp_queue_migrations[] = { first, NULL };
