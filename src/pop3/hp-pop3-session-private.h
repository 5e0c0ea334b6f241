/* hp-pop3-session-private: what the families of commands share.
 *
 * Threads: that of the session.
 */
#pragma once

#include "hp-pop3-session.h"

/* RFC 1939 §3; the UPDATE state is the end of QUIT's handler. */
typedef enum {
    HP_POP3_FRESH = 1 << 0,       /* AUTHORIZATION */
    HP_POP3_NAMED = 1 << 1,       /* the same after USER: PASS may follow */
    HP_POP3_TRANSACTION = 1 << 2, /* logged in, the maildrop is ours */
    HP_POP3_ENDED = 1 << 3,
} HpPop3State;

/* What a session remembers of a message beside its entry. */
typedef enum {
    HP_POP3_DELETED = 1 << 0,   /* DELE */
    HP_POP3_COLLECTED = 1 << 1, /* RETR brought all of it */
} HpPop3Mark;

typedef struct {
    HpConnection *connection;     /* (unowned) */
    HpChannel *channel;           /* (unowned) */
    const HpPop3Options *options; /* (unowned) */
    HpPop3State state;
    gboolean utf8; /* RFC 6856: headers may go out as UTF-8 */
    char *user;    /* (owned) (nullable): of the last USER */
    HpAuthDelay delay;
    guint failures; /* logins that failed */
    guint errors;   /* commands that made no sense */
    gint64 login_by_usec;
    HpStoreSnapshot
        *drop;     /* (owned) (nullable): set while in TRANSACTION; its lock too */
    guint8 *marks; /* (owned) (nullable): HpPop3Mark bits of each entry */
    guint left;    /* messages without DELE */
    guint64 left_octets;
} HpPop3Session;

/* Codes of RFC 2449 §8 and RFC 3206; %NULL for none. */
#define HP_POP3_IN_USE   "IN-USE"
#define HP_POP3_AUTH     "AUTH"
#define HP_POP3_SYS_TEMP "SYS/TEMP"
#define HP_POP3_SYS_PERM "SYS/PERM"

/* "+OK text", "-ERR [code] text"; the text is made ASCII. @code: (nullable). */
void hp_pop3_ok(HpPop3Session *s, const char *text);
void hp_pop3_okf(HpPop3Session *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
void hp_pop3_err(HpPop3Session *s, const char *code, const char *text);

/* The same for what a client should not have said: too many of them end the session. */
void hp_pop3_error(HpPop3Session *s, const char *text);

/* The last words. */
void hp_pop3_hang_up(HpPop3Session *s, const char *code, const char *text);

/* Bytes as they are; a failure ends the session. */
void hp_pop3_write(HpPop3Session *s, HpSlice bytes);

/* %TRUE if a password may be sent over this connection. */
gboolean hp_pop3_may_login(const HpPop3Session *s);

/* Sets the deadline: @usec from now, before login not beyond the time for that. */
void hp_pop3_set_timeout(HpPop3Session *s, gint64 usec);

/* hp-pop3-login.c */
void hp_pop3_cmd_stls(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_user(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_pass(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_auth(HpPop3Session *s, HpSlice args);

/* hp-pop3-maildrop.c */
void hp_pop3_cmd_stat(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_list(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_uidl(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_dele(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_rset(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_quit(HpPop3Session *s, HpSlice args);

/* Takes lock and snapshot, and answers with +OK or -ERR. */
void hp_pop3_open_maildrop(HpPop3Session *s, const char *credential);

/* Marks what was collected and gives the lock back; deletes nothing. */
void hp_pop3_close_maildrop(HpPop3Session *s);

/* The entry that "msg" names; else it has been answered. @args: all of it must be that
 * number. */
const HpStoreEntry *hp_pop3_find_entry(HpPop3Session *s, HpSlice args, guint *ret_index);

/* hp-pop3-retrieve.c */
void hp_pop3_cmd_retr(HpPop3Session *s, HpSlice args);
void hp_pop3_cmd_top(HpPop3Session *s, HpSlice args);
