#include "imap-fixture.h"
#include "imap-grammar.h"

#include "hp-log.h"
#include "hp-thread.h"

#include <errno.h>
#include <gio/gio.h>
#include <glob.h>
#include <sqlite3.h>
#include <sys/socket.h>

static const HpService plain = { .name = "imap" };

/* A session on a thread of its own, and a client at the other end. */
typedef struct {
    HpConnection *connection; /* (unowned): of the thread */
    gboolean keeps;           /* the connection stays open when the session has ended */
    HpThread *thread;         /* (owned) */
    HpImapOptions options;
    int fd;
    GString *said; /* (owned): all that has come */
    size_t seen;   /* of it */
} Client;

static void
serve(gpointer client)
{
    Client *self = client;

    hp_imap_serve(self->connection, &self->options);
    if (!self->keeps)
        hp_connection_free(self->connection); /* the last words */
}

static void
client_start(Client *self, ImapFixture *f, gboolean keeps)
{
    HpPeer peer = { .address = "127.0.0.1:1" };
    g_autoptr(GError) error = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    *self = (Client){
        .options = f->options, .keeps = keeps, .fd = fds[1], .said = g_string_new(NULL)
    };
    self->connection = hp_connection_new(hp_channel_new(fds[0]), &peer, &plain);
    self->thread = hp_thread_start("imap-session", serve, self, &error);
    g_assert_no_error(error);
}

static void
client_open(Client *self, ImapFixture *f)
{
    client_start(self, f, FALSE);
}

static void
client_send(Client *self, HpSlice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(self->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        if (n < 0)
            return; /* it has hung up */
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
}

static gboolean
client_more(Client *self)
{
    char buffer[4096];
    ssize_t n = recv(self->fd, buffer, sizeof buffer, 0);

    if (n > 0)
        g_string_append_len(self->said, buffer, n);
    return n > 0;
}

/* Reads until @words have come, behind those that were waited for before. */
static void
client_expect(Client *self, const char *words)
{
    for (;;) {
        size_t before = self->said->len;
        const char *at = g_strstr_len(self->said->str + self->seen,
                                      (gssize)(self->said->len - self->seen), words);

        if (at != NULL) {
            self->seen = (size_t)(at - self->said->str) + strlen(words);
            return;
        }
        if (!client_more(self))
            g_test_message("\"%s\" did not come; what came:\n%s", words, self->said->str);
        g_assert_cmpuint(self->said->len, >, before);
    }
}

static void
client_say(Client *self, const char *line, const char *words)
{
    client_send(self, hp_slice_of(line));
    client_send(self, HP_SLICE_LITERAL("\r\n"));
    client_expect(self, words);
}

static void
client_log_in(Client *self, ImapFixture *f)
{
    g_autofree char *login = g_strdup_printf("l LOGIN " IMAP_USER " %s", f->password);

    client_say(self, login, "l OK ");
}

/* To the end of what the server says. */
static void
client_drain(Client *self)
{
    shutdown(self->fd, SHUT_WR);
    while (client_more(self))
        ;
}

static void
client_close(Client *self)
{
    client_drain(self);
    hp_thread_join(self->thread);
    close(self->fd);
    g_string_free(self->said, TRUE);
}

/* --- cases ---------------------------------------------------------------------------
 */

typedef struct {
    ImapFixture f;
    Client one;
    Client two;
} Case;

static void
set_up(Case *c, gconstpointer data)
{
    imap_set_up(&c->f);
    imap_fill(&c->f);
    client_open(&c->one, &c->f);
}

static void
tear_down(Case *c, gconstpointer data)
{
    client_close(&c->one);
    imap_tear_down(&c->f);
}

/* Mail that has in it whatever makes writers stumble. */
static void
add_odd_mail(ImapFixture *f)
{
    imap_append(
        f,
        HP_SLICE_LITERAL("From: \"J\xC3\xBCrgen \\\"x\\\"\" <j\xC3\xBC@example.com>\r\n"
                         "Subject: Gr\xC3\xBC\xC3\x9F"
                         "e \"\\\" \xFF\r\n"
                         "To: a group: b@example.com, c@example.com;\r\n"
                         "Message-ID: <\"(\"@example.com>\r\n"
                         "Content-Type: text/plain; charset=\"u\xC3\xBC\\\"\"; "
                         "name*=utf-8''%C3%A4%22\r\n"
                         "Content-Disposition: attachment; filename=\"\xC3\xA4\"\r\n"
                         "Content-Language: de, (\r\n"
                         "\r\n"
                         "\xC3\xA4\"\\(\r\n"),
        0);
    imap_append(f, HP_SLICE_LITERAL("no header at all \xE4\xF6 \"( {3}"), 0);
    imap_append(f, HP_SLICE_LITERAL("\r\n"), 0);
    imap_append(
        f,
        HP_SLICE_LITERAL("Content-Type: multipart/mixed; boundary=\"(\\\"\"\r\n\r\n"
                         "--(\"\r\nContent-Type: message/rfc822\r\n\r\n"
                         "Subject: \xFF\"\r\n\r\nx\r\n--(\"--\r\n"),
        0);
}

#define EVERYTHING                                                                       \
    "a LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT MAILBOXID))\r\n"                 \
    "b CREATE \"&AOQ-\\\"\"\r\n"                                                         \
    "c LSUB \"\" \"*\"\r\n"                                                              \
    "d SELECT INBOX\r\n"                                                                 \
    "e FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID THREADID SAVEDATE "  \
    "ENVELOPE BODYSTRUCTURE BODY PREVIEW)\r\n"                                           \
    "f FETCH 1:* (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT]<1.3> BODY.PEEK[1] "      \
    "BODY.PEEK[1.MIME] BODY.PEEK[9] BINARY.SIZE[1] BINARY.PEEK[1] "                      \
    "BODY.PEEK[HEADER.FIELDS (\"a\\\"b\" From)])\r\n"                                    \
    "g STORE 1:* +FLAGS ($odd \\Flagged)\r\n"                                            \
    "h COPY 1:* \"&AOQ-\\\"\"\r\n"                                                       \
    "i LIST \"\" \"*\"\r\n"                                                              \
    "j GETQUOTAROOT \"&AOQ-\\\"\"\r\n"                                                   \
    "k MOVE 1:2 \"&AOQ-\\\"\"\r\n"                                                       \
    "m SEARCH RETURN (ALL) ALL\r\n"                                                      \
    "n SORT (SUBJECT) UTF-8 ALL\r\n"                                                     \
    "o THREAD REFERENCES UTF-8 ALL\r\n"                                                  \
    "p FOO\r\n"                                                                          \
    "q STATUS \"&AOQ-\\\"\" (MESSAGES)\r\n"                                              \
    "r ID NIL\r\n"                                                                       \
    "s LOGOUT\r\n"

static void
writes_what_can_be_read_again(Case *c, gconstpointer enable)
{
    const char *words = enable;

    add_odd_mail(&c->f);
    client_log_in(&c->one, &c->f);
    if (*words != '\0')
        client_say(&c->one, words, "x OK ");
    client_send(&c->one, HP_SLICE_LITERAL(EVERYTHING));
    client_expect(&c->one, "s OK ");
    client_drain(&c->one);
    grammar_check(hp_slice_of_string(c->one.said), strstr(words, "UTF8") != NULL);
    for (const char *tag = "abcdefghijkmnoqr"; *tag != '\0'; tag++) {
        char done[] = { '\r', '\n', *tag, ' ', 'O', 'K', ' ', '\0' };

        if (strstr(words, "UTF8") == NULL) /* names are other ones then */
            g_assert_nonnull(
                g_strstr_len(c->one.said->str, (gssize)c->one.said->len, done));
    }
}

static void
pushes_while_idle(Case *c, gconstpointer data)
{
    client_open(&c->two, &c->f);
    client_log_in(&c->one, &c->f);
    client_log_in(&c->two, &c->f);
    client_say(&c->one, "a SELECT INBOX", "a OK ");
    client_say(&c->one, "b IDLE", "+ ");
    client_say(&c->two, "a SELECT INBOX", "a OK ");
    client_say(&c->two, "b STORE 2 +FLAGS (\\Deleted)", "b OK ");
    client_expect(&c->one, "* 2 FETCH (UID 2 FLAGS (\\Seen \\Deleted))\r\n");
    client_say(&c->two, "c EXPUNGE", "c OK ");
    client_expect(&c->one, "* 2 EXPUNGE\r\n");
    imap_append(&c->f, HP_SLICE_LITERAL("Subject: new\r\n\r\n"), 0);
    client_expect(&c->one, "* 3 EXISTS\r\n");
    client_say(&c->one, "DONE", "b OK ");
    client_close(&c->two);
}

/* RFC 9586: to a session that has asked for uids alone, beside one that has not. */
static void
pushes_uids_alone(Case *c, gconstpointer data)
{
    client_open(&c->two, &c->f);
    client_log_in(&c->one, &c->f);
    client_log_in(&c->two, &c->f);
    client_say(&c->one, "x ENABLE UIDONLY", "x OK ");
    client_say(&c->one, "a SELECT INBOX", "a OK ");
    client_say(&c->one, "b IDLE", "+ ");
    client_say(&c->two, "a SELECT INBOX", "a OK ");
    client_say(&c->two, "b STORE 1 +FLAGS.SILENT (\\Deleted)", "b OK ");
    client_say(&c->two, "c EXPUNGE", "c OK ");
    client_expect(&c->one, "* VANISHED 1\r\n");
    client_say(&c->two, "d STORE 1 +FLAGS (\\Flagged)", "d OK ");
    client_expect(&c->one, "* 2 UIDFETCH (FLAGS (\\Seen \\Flagged))\r\n");
    client_say(&c->one, "DONE", "b OK ");
    g_assert_null(strstr(c->one.said->str, " EXPUNGE"));
    g_assert_null(strstr(c->one.said->str, " FETCH ("));
    client_close(&c->two);
}

/* NOTIFY: without a command, and with all that clients have to know of. */
static void
pushes_between_commands(Case *c, gconstpointer data)
{
    gint64 id;

    client_open(&c->two, &c->f);
    client_log_in(&c->one, &c->f);
    client_log_in(&c->two, &c->f);
    client_say(&c->one, "x ENABLE QRESYNC", "x OK ");
    client_say(&c->one, "a SELECT INBOX", "a OK ");
    client_say(&c->one,
               "b NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange)) "
               "(personal (MessageNew MessageExpunge FlagChange MailboxName))",
               "b OK ");
    client_say(&c->two, "a SELECT INBOX", "a OK ");
    client_say(&c->two, "b STORE 2 +FLAGS (\\Deleted)", "b OK ");
    client_expect(&c->one, "* 2 FETCH (UID 2 FLAGS (\\Seen \\Deleted) MODSEQ (");
    client_say(&c->two, "c EXPUNGE", "c OK ");
    client_expect(&c->one, "* VANISHED 2\r\n");
    imap_append(&c->f, HP_SLICE_LITERAL("Subject: new\r\n\r\n"), 0);
    client_expect(&c->one, "* 3 EXISTS\r\n* 3 FETCH (UID 4 FLAGS () MODSEQ (");
    /* Names that need a literal, in a response that nobody has asked for. */
    g_assert_true(hp_store_create(c->f.options.store, "a\"\\ü", NULL, &id, NULL));
    client_expect(&c->one, "* LIST (\\HasNoChildren) \"/\" ");
    client_say(&c->two, "d COPY 1 Trash", "d OK ");
    client_expect(&c->one, "* STATUS \"Trash\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ");
    client_expect(&c->one, "HIGHESTMODSEQ ");
    client_drain(&c->one);
    grammar_check(hp_slice_of_string(c->one.said), FALSE);
    client_close(&c->two);
}

static void
create_thousands(HpStore *store)
{
    for (guint i = 0; i < 110; i++) { /* 46 at once, for speed */
        g_autoptr(GString) name = g_string_new(NULL);
        gint64 id;

        g_string_append_printf(name, "d%u", i);
        for (guint level = 1; level < 46; level++)
            g_string_append_printf(name, "/%u", level);
        g_assert_true(hp_store_create(store, name->str, NULL, &id, NULL));
    }
}

/* RFC 5465 §3.1, §5.8 */
static void
watches_no_more_than_it_can(Case *c, gconstpointer data)
{
    client_log_in(&c->one, &c->f);
    client_say(&c->one, "a NOTIFY SET (subtree d0 (MailboxName))", "a OK ");
    client_say(&c->one, "b NOTIFY SET (personal (SubscriptionChange))", "b OK ");
    create_thousands(c->f.options.store);
    client_expect(&c->one, "* OK [NOTIFICATIONOVERFLOW] ");
    client_say(&c->one, "c NOTIFY SET (personal (SubscriptionChange))",
               "c NO [NOTIFICATIONOVERFLOW] ");
    g_assert_true(hp_store_set_subscribed(c->f.options.store, "d1", TRUE, NULL));
    client_say(&c->one, "d NOOP", "d OK ");
    g_assert_null(strstr(c->one.said->str, "* LIST"));
    client_say(&c->one, "e NOTIFY SET (subtree d1 (SubscriptionChange))", "e OK ");
    g_assert_true(hp_store_set_subscribed(c->f.options.store, "d1", FALSE, NULL));
    client_expect(&c->one, "* LIST (\\HasChildren) \"/\" \"d1\"\r\n");
}

/* The listener frees no connection while it may still be told to end. */
static void
ends_when_the_daemon_stops(Case *c, gconstpointer last)
{
    Client *two = &c->two;

    client_start(two, &c->f, TRUE);
    client_log_in(two, &c->f);
    client_say(two, "a SELECT INBOX", "a OK ");
    client_say(two, last, strstr(last, "IDLE") != NULL ? "+ " : "b OK ");
    hp_channel_abort(hp_connection_channel(two->connection));
    hp_thread_join(two->thread);
    hp_connection_free(two->connection); /* the last words */
    while (client_more(two))
        ;
    g_assert_nonnull(strstr(two->said->str, "* BYE "));
    close(two->fd);
    g_string_free(two->said, TRUE);
}

/* Ten megabytes without a line end, before the login: the budget ends it. */
static void
takes_no_flood_before_login(Case *c, gconstpointer data)
{
    g_autofree char *flood = g_strnfill(100000, '(');

    for (guint i = 0; i < 100; i++)
        client_send(&c->one, (HpSlice){ flood, 100000 });
    client_drain(&c->one);
    g_assert_nonnull(strstr(c->one.said->str, "* BYE "));
}

static void
takes_no_flood_of_literals(Case *c, gconstpointer data)
{
    client_send(&c->one, HP_SLICE_LITERAL("a LOGIN"));
    for (guint i = 0; i < 10000; i++)
        client_send(&c->one, HP_SLICE_LITERAL(" {1+}\r\nx"));
    client_send(&c->one, HP_SLICE_LITERAL("\r\n"));
    client_drain(&c->one);
    g_assert_nonnull(strstr(c->one.said->str, "* BYE "));
}

/* However the bytes come, the answers are the same. */
static void
reads_byte_by_byte(Case *c, gconstpointer data)
{
    static const char talk[] = "a APPEND INBOX {3+}\r\nabc {2+}\r\nde\r\n"
                               "b STATUS {5+}\r\nINBOX (MESSAGES)\r\n";

    client_log_in(&c->one, &c->f);
    for (size_t i = 0; i < sizeof talk - 1; i++)
        client_send(&c->one, (HpSlice){ talk + i, 1 });
    client_expect(&c->one, "a OK [APPENDUID ");
    client_expect(&c->one, "* STATUS \"INBOX\" (MESSAGES 5)\r\nb OK ");
}

/* A client that goes away in the middle of a message leaves none. */
static void
keeps_no_half_message(Case *c, gconstpointer data)
{
    g_autoptr(HpStoreSnapshot) inbox = NULL;

    client_log_in(&c->one, &c->f);
    client_send(&c->one, HP_SLICE_LITERAL("a APPEND INBOX {10}\r\n"));
    client_expect(&c->one, "+ ");
    client_send(&c->one, HP_SLICE_LITERAL("12345"));
    client_drain(&c->one);
    inbox = hp_store_snapshot(c->f.options.store, HP_STORE_INBOX, NULL);
    g_assert_cmpuint(inbox->entries->len, ==, 3);
}

static void
change_database(ImapFixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->folder, "mail.db", NULL);
    sqlite3 *db = NULL;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

/* A client that took OK for all would keep what is gone for ever (RFC 7162 §3.2.5.1). */
static void
opens_nothing_if_it_cannot_tell_what_is_gone(Case *c, gconstpointer data)
{
    change_database(&c->f, "UPDATE mailbox SET uidvalidity = 1");
    client_log_in(&c->one, &c->f);
    client_say(&c->one, "a ENABLE QRESYNC", "a OK ");
    client_say(&c->one, "b SELECT INBOX (QRESYNC (1 1))", "b OK ");
    change_database(&c->f, "ALTER TABLE expunged RENAME TO lost");
    client_say(&c->one, "c UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)", "c NO ");
    client_say(&c->one, "d SELECT INBOX (QRESYNC (1 1))", "d NO ");
    client_say(&c->one, "e FETCH 1 FLAGS", "e BAD ");
    change_database(&c->f, "ALTER TABLE lost RENAME TO expunged");
    client_say(&c->one, "f SELECT INBOX (QRESYNC (1 1))", "f OK ");
}

/* The file that a large message is kept in loses its last @octets. */
static void
cut_file(ImapFixture *f, gint64 octets)
{
    g_autofree char *pattern = g_strconcat(f->folder, "/messages/*/*", NULL);
    struct stat info;
    glob_t found = { 0 };

    g_assert_cmpint(glob(pattern, 0, NULL, &found), ==, 0);
    g_assert_cmpuint(found.gl_pathc, ==, 1);
    g_assert_cmpint(stat(found.gl_pathv[0], &info), ==, 0);
    g_assert_cmpint(truncate(found.gl_pathv[0], info.st_size - octets), ==, 0);
    globfree(&found);
}

#define LONG_BODY 4000000 /* octets: more than waits on the way to a client */
#define LAST_PART                                                                        \
    "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n\r\n--b--\r\n"

/* What cannot be read to its end looks like nothing that is whole. While the first part
 * waits for the client, the header of the second is lost. */
static void
answers_with_nothing_that_is_cut(Case *c, gconstpointer data)
{
    g_autoptr(GString) mail =
        g_string_new("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    g_autofree char *body = g_strnfill(LONG_BODY, 'x');

    g_string_append(mail, body);
    g_string_append(mail, LAST_PART);
    imap_append(&c->f, hp_slice_of_string(mail), 0);
    client_log_in(&c->one, &c->f);
    client_say(&c->one, "a SELECT INBOX", "a OK ");
    client_say(&c->one,
               "b FETCH 4 (BODY.PEEK[1] BODY.PEEK[2.HEADER.FIELDS (Subject)] FLAGS)",
               " BODY[1] {4000000}\r\n");
    cut_file(&c->f, (gint64)strlen(LAST_PART) - 4);
    client_drain(&c->one);
    g_assert_true(g_str_has_suffix(c->one.said->str, "xxx"));
}

/* "tag STORE seq +FLAGS (kN ...)" of 100 keywords that nobody has used yet. */
static void
add_keywords(Client *client, guint seq, guint from, const char *words)
{
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_printf(line, "k%u STORE %u +FLAGS.SILENT (", from, seq);
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(line, "%sk%u", i > 0 ? " " : "", from + i);
    g_string_append(line, ")");
    client_say(client, line->str, words);
}

static void
takes_no_flood_of_keywords(Case *c, gconstpointer data)
{
    client_log_in(&c->one, &c->f);
    client_say(&c->one, "a SELECT INBOX", "a OK ");
    imap_append(&c->f, HP_SLICE_LITERAL("Subject: four\r\n\r\n"), 0);
    imap_append(&c->f, HP_SLICE_LITERAL("Subject: five\r\n\r\n"), 0);
    client_say(&c->one, "b NOOP", "b OK ");
    add_keywords(&c->one, 1, 0, "k0 OK ");
    add_keywords(&c->one, 1, 100, "k100 OK ");
    add_keywords(&c->one, 1, 200, "k200 NO [LIMIT] A message ");
    for (guint i = 2; i < 10; i++)
        add_keywords(&c->one, 1 + i / 2, i * 100, " OK ");
    client_say(&c->one, "c NOOP", "c OK ");
    client_say(&c->one, "d STORE 2 +FLAGS (one)", "d NO [LIMIT] A mailbox ");
    client_say(&c->one, "e STORE 2 -FLAGS (k200 one)", "e OK ");
    client_say(&c->one, "f STORE 2 +FLAGS (one K300)", "f OK ");
    client_say(&c->one, "g APPEND INBOX (two) {1+}\r\nx", "g NO [LIMIT] A mailbox ");
    client_say(&c->one, "h APPEND INBOX (one) {1+}\r\nx", "h OK ");
    client_say(&c->one, "i APPEND Trash (two) {1+}\r\nx", "i OK ");
}

static void
needs_tls_for_passwords_if_so_set(Case *c, gconstpointer data)
{
    Client strict;

    c->f.options.plaintext_allowed = FALSE;
    client_open(&strict, &c->f);
    client_expect(&strict, " STARTTLS LOGINDISABLED]");
    client_say(&strict, "a LOGIN x y", "a NO [PRIVACYREQUIRED] ");
    client_say(&strict, "b AUTHENTICATE PLAIN", "b NO [PRIVACYREQUIRED] ");
    client_close(&strict);
}

/* --- the Outbox: INBOX plays it here -------------------------------------------------
 */

typedef struct {
    GString *calls; /* (owned) */
    gboolean fails;
} Queue;

static gboolean
note_call(gpointer data, const char *name, const guint32 *uids, guint n, GError **error)
{
    Queue *queue = data;

    g_string_append(queue->calls, name);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(queue->calls, " %u", uids[i]);
    g_string_append_c(queue->calls, ';');
    if (queue->fails)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no");
    return !queue->fails;
}

static gboolean
cancel(gpointer data, const guint32 *uids, guint n, GError **error)
{
    return note_call(data, "cancel", uids, n, error);
}

static gboolean
retry(gpointer data, const guint32 *uids, guint n, GError **error)
{
    return note_call(data, "retry", uids, n, error);
}

static void
asks_the_queue_for_what_is_in_its_mailbox(Case *c, gconstpointer data)
{
    Queue queue = { g_string_new(NULL), FALSE };

    client_close(&c->one);
    c->f.options.outbox = (HpOutbox){ &queue, HP_STORE_INBOX, cancel, retry };
    client_open(&c->one, &c->f);
    client_log_in(&c->one, &c->f);
    client_say(&c->one, "a APPEND INBOX {3+}\r\nabc", "a NO [CANNOT] ");
    client_say(&c->one, "b SELECT INBOX", "b OK ");
    client_say(&c->one, "c COPY 1 INBOX", "c NO [CANNOT] ");
    client_say(&c->one, "cc REPLACE 1 INBOX {3+}\r\nabc", "cc NO [CANNOT] ");
    client_say(&c->one, "cd REPLACE 1 Trash {3+}\r\nabc", "cd NO [CANNOT] ");
    client_say(&c->one, "d STORE 1:2 +FLAGS ($Retry)", "d OK ");
    client_say(&c->one, "e STORE 1:2 +FLAGS (\\Seen)", "e OK ");
    client_say(&c->one, "f STORE 1:2 -FLAGS ($retry)", "f OK ");
    client_say(&c->one, "g STORE 3 +FLAGS (\\Deleted)", "g OK ");
    client_say(&c->one, "h EXPUNGE", "h OK ");
    client_say(&c->one, "i MOVE 1 Trash", "i OK ");
    client_say(&c->one, "j STATUS Trash (MESSAGES)", "(MESSAGES 1)");
    client_say(&c->one, "k COPY 1 Archive", "k OK ");
    g_assert_cmpstr(queue.calls->str, ==, "retry 1 2;cancel 3;cancel 1;");
    queue.fails = TRUE;
    client_say(&c->one, "m STORE 1 +FLAGS (\\Deleted)", "m OK ");
    client_say(&c->one, "n EXPUNGE", "n NO ");
    client_say(&c->one, "o FETCH 1 UID", "* 1 FETCH (UID 2)");
    client_drain(&c->one);
    g_string_free(queue.calls, TRUE);
}

static void
refuses_in_one_line(void)
{
    g_autoptr(GString) said = g_string_new(NULL);
    char buffer[1000];
    HpChannel *channel;
    int fds[2];
    ssize_t n;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    channel = hp_channel_new(fds[0]);
    hp_imap_refuse(channel, NULL);
    hp_channel_free(channel);
    n = recv(fds[1], buffer, sizeof buffer, 0);
    g_assert_cmpint(n, >, 0);
    g_string_append_len(said, buffer, n);
    grammar_check(hp_slice_of_string(said), FALSE);
    g_assert_true(g_str_has_prefix(said->str, "* BYE "));
    close(fds[1]);
}

static void
add(const char *path, void (*run)(Case *c, gconstpointer data), gconstpointer data)
{
    g_test_add(path, Case, data, set_up, run, tear_down);
}

/* What the client has told in its @commands; looked at when its session is over. */
static char *
program_after(ImapFixture *f, const char *commands)
{
    Client two;
    char *program;

    client_start(&two, f, TRUE);
    client_log_in(&two, f);
    client_send(&two, hp_slice_of(commands));
    client_say(&two, "z LOGOUT", "z OK ");
    hp_thread_join(two.thread);
    program = g_strdup(hp_connection_program(two.connection));
    hp_connection_free(two.connection);
    close(two.fd);
    g_string_free(two.said, TRUE);
    return program;
}

/* RFC 2971: for whoever asks who is there, and for nothing else. */
static void
keeps_what_a_client_says_it_is(Case *c, gconstpointer data)
{
    g_autofree char *nameless =
        program_after(&c->f, "a ID (\"name\" NIL \"os\" \"x\")\r\n");
    g_autofree char *named = program_after(
        &c->f, "b ID (\"Name\" \"Thun\tderbird\" \"version\" \"140.0\")\r\nc ID NIL\r\n");

    g_assert_null(nameless);
    g_assert_cmpstr(named, ==, "Thun derbird 140.0");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    hp_log_init(FALSE);
    /* GLib makes these once, under locks that ThreadSanitizer cannot see. */
    (void)hp_net_error_quark();
    for (int error = 1; error <= EHWPOISON; error++)
        g_assert_nonnull(g_strerror(error)); /* or the compiler would drop it */
    add("/imap-session/writes-what-can-be-read-again/plain",
        writes_what_can_be_read_again, "");
    add("/imap-session/writes-what-can-be-read-again/qresync",
        writes_what_can_be_read_again, "x ENABLE QRESYNC");
    add("/imap-session/writes-what-can-be-read-again/utf8", writes_what_can_be_read_again,
        "x ENABLE UTF8=ACCEPT IMAP4rev2");
    add("/imap-session/keeps-what-a-client-says-it-is", keeps_what_a_client_says_it_is,
        NULL);
    add("/imap-session/pushes-uids-alone", pushes_uids_alone, NULL);
    add("/imap-session/pushes-while-idle", pushes_while_idle, NULL);
    add("/imap-session/pushes-between-commands", pushes_between_commands, NULL);
    add("/imap-session/watches-no-more-than-it-can", watches_no_more_than_it_can, NULL);
    add("/imap-session/ends-when-the-daemon-stops/idle", ends_when_the_daemon_stops,
        "b IDLE");
    add("/imap-session/ends-when-the-daemon-stops/notify", ends_when_the_daemon_stops,
        "b NOTIFY SET (personal (MailboxName))");
    add("/imap-session/takes-no-flood-before-login", takes_no_flood_before_login, NULL);
    add("/imap-session/takes-no-flood-of-literals", takes_no_flood_of_literals, NULL);
    add("/imap-session/takes-no-flood-of-keywords", takes_no_flood_of_keywords, NULL);
    add("/imap-session/reads-byte-by-byte", reads_byte_by_byte, NULL);
    add("/imap-session/keeps-no-half-message", keeps_no_half_message, NULL);
    add("/imap-session/opens-nothing-if-it-cannot-tell-what-is-gone",
        opens_nothing_if_it_cannot_tell_what_is_gone, NULL);
    add("/imap-session/answers-with-nothing-that-is-cut",
        answers_with_nothing_that_is_cut, NULL);
    add("/imap-session/needs-tls-for-passwords-if-so-set",
        needs_tls_for_passwords_if_so_set, NULL);
    add("/imap-session/asks-the-queue-for-what-is-in-its-mailbox",
        asks_the_queue_for_what_is_in_its_mailbox, NULL);
    g_test_add_func("/imap-session/refuses-in-one-line", refuses_in_one_line);
    return g_test_run();
}
