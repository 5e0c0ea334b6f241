/* The mailbox that shows the queue, as a session behaves to it: with a queue that only
 * writes down what it is asked. */
#include "imap-fixture.h"
#include "imap-grammar.h"

#include "hp-log.h"

#include <gio/gio.h>
#include <sys/socket.h>

static const HpService plain = { .name = "imap" };

typedef struct {
    ImapFixture imap;
    GString *asked;   /* (owned): "cancel 1 2; retry 3; " */
    gboolean refuses; /* whatever it is asked */
} Fixture;

static gboolean
note(Fixture *f, const char *what, const guint32 *uids, guint n, GError **error)
{
    g_string_append(f->asked, what);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(f->asked, " %u", uids[i]);
    g_string_append(f->asked, "; ");
    if (f->refuses)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "it is on its way");
    return !f->refuses;
}

static gboolean
cancel(gpointer self, const guint32 *uids, guint n, GError **error)
{
    return note(self, "cancel", uids, n, error);
}

static gboolean
retry(gpointer self, const guint32 *uids, guint n, GError **error)
{
    return note(self, "retry", uids, n, error);
}

/* Two messages under way. */
static void
set_up(Fixture *f, gconstpointer unused)
{
    gint64 id = 0;

    imap_set_up(&f->imap);
    f->asked = g_string_new(NULL);
    f->refuses = FALSE;
    g_assert_true(
        hp_store_create(f->imap.options.store, "Outbox", HP_STORE_OUTBOX_USE, &id, NULL));
    f->imap.options.outbox = (HpOutbox){ f, id, cancel, retry };
    imap_append_to(&f->imap, id, HP_SLICE_LITERAL("Subject: one\r\n\r\n"), 0);
    imap_append_to(&f->imap, id, HP_SLICE_LITERAL("Subject: two\r\n\r\n"), 0);
    imap_append_to(&f->imap, HP_STORE_INBOX, HP_SLICE_LITERAL("Subject: mail\r\n\r\n"),
                   0);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    g_string_free(f->asked, TRUE);
    imap_tear_down(&f->imap);
}

/* All that a session answers to @lines, which end with CRLF each: (transfer full). */
static char *
talk(Fixture *f, const char *lines)
{
    g_autofree char *login =
        g_strdup_printf("l LOGIN " IMAP_USER " %s\r\n%s", f->imap.password, lines);
    HpPeer peer = { .address = "127.0.0.1:1" };
    HpConnection *connection;
    g_autoptr(GString) said = g_string_new(NULL);
    char buffer[4096];
    ssize_t n;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_cmpint(send(fds[1], login, strlen(login), 0), ==, (ssize_t)strlen(login));
    shutdown(fds[1], SHUT_WR);
    connection = hp_connection_new(hp_channel_new(fds[0]), &peer, &plain);
    hp_imap_serve(connection, &f->imap.options);
    hp_connection_free(connection); /* the last words */
    while ((n = recv(fds[1], buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        g_string_append_len(said, buffer, n);
    close(fds[1]);
    grammar_check(hp_slice_of_string(said), FALSE);
    return g_string_free(g_steal_pointer(&said), FALSE);
}

static void
check_said(const char *said, const char *words)
{
    if (strstr(said, words) == NULL)
        g_test_message("\"%s\" did not come; what came:\n%s", words, said);
    g_assert_nonnull(strstr(said, words));
}

static guint64
count(Fixture *f, const char *name)
{
    g_autoptr(HpStoreMailbox) mailbox = hp_store_find(f->imap.options.store, name, NULL);

    return mailbox->messages;
}

static void
takes_no_mail(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a APPEND Outbox {3+}\r\nabc\r\n"
                                    "b SELECT INBOX\r\n"
                                    "c COPY 1 Outbox\r\n"
                                    "d MOVE 1 Outbox\r\n");

    check_said(said, "a NO [CANNOT]");
    check_said(said, "c NO [CANNOT]");
    check_said(said, "d NO [CANNOT]");
    g_assert_cmpuint(count(f, "Outbox"), ==, 2);
    g_assert_cmpuint(count(f, "INBOX"), ==, 1);
    g_assert_cmpstr(f->asked->str, ==, "");
}

static void
cancels_what_is_expunged(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT Outbox\r\n"
                                    "b STORE 2 +FLAGS (\\Deleted)\r\n"
                                    "c EXPUNGE\r\n");

    check_said(said, "* 2 EXPUNGE\r\nc OK");
    g_assert_cmpstr(f->asked->str, ==, "cancel 2; ");
    g_assert_cmpuint(count(f, "Outbox"), ==, 1);
}

static void
keeps_what_cannot_be_cancelled(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = NULL;

    f->refuses = TRUE;
    said = talk(f, "a SELECT Outbox\r\n"
                   "b STORE 1:2 +FLAGS (\\Deleted)\r\n"
                   "c EXPUNGE\r\n"
                   "d MOVE 1 Trash\r\n");
    check_said(said, "c NO [CANNOT] It stays in the queue as it is: it is on its way.");
    check_said(said, "d NO [CANNOT]");
    g_assert_cmpuint(count(f, "Outbox"), ==, 2);
    g_assert_cmpuint(count(f, "Trash"), ==, 0); /* the copy is taken back */
}

static void
cancels_what_is_moved_out(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT Outbox\r\n"
                                    "b MOVE 1 Trash\r\n");

    check_said(said, "[COPYUID ");
    check_said(said, "b OK");
    g_assert_cmpstr(f->asked->str, ==, "cancel 1; ");
    g_assert_cmpuint(count(f, "Outbox"), ==, 1);
    g_assert_cmpuint(count(f, "Trash"), ==, 1);
}

static void
cancels_nothing_by_a_copy(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT Outbox\r\n"
                                    "b COPY 1:2 Archive\r\n");

    check_said(said, "b OK");
    g_assert_cmpstr(f->asked->str, ==, "");
    g_assert_cmpuint(count(f, "Outbox"), ==, 2);
}

static void
cancels_nothing_of_another_mailbox(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT INBOX\r\n"
                                    "b STORE 1 +FLAGS (\\Deleted $retry)\r\n"
                                    "c EXPUNGE\r\n");

    check_said(said, "c OK");
    g_assert_cmpstr(f->asked->str, ==, "");
}

static void
tries_again_when_asked_by_a_keyword(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT Outbox\r\n"
                                    "b STORE 1 +FLAGS ($RETRY)\r\n"
                                    "c STORE 1 -FLAGS ($retry)\r\n"
                                    "d STORE 2 +FLAGS ($other)\r\n");

    check_said(said, "b OK");
    check_said(said, "c OK");
    check_said(said, "d OK");
    g_assert_cmpstr(f->asked->str, ==, "retry 1; ");
}

static void
says_why_it_does_not_try(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = NULL;

    f->refuses = TRUE;
    said = talk(f, "a SELECT Outbox\r\n"
                   "b STORE 1 +FLAGS ($retry)\r\n");
    check_said(said, "b NO [CANNOT] It stays in the queue as it is: it is on its way.");
}

static void
replaces_nothing(Fixture *f, gconstpointer unused)
{
    g_autofree char *said = talk(f, "a SELECT Outbox\r\n"
                                    "b REPLACE 1 Drafts {3+}\r\nabc\r\n"
                                    "c NOOP\r\n");

    check_said(said, "b NO [CANNOT]");
    check_said(said, "c OK");
    g_assert_cmpstr(f->asked->str, ==, "");
    g_assert_cmpuint(count(f, "Outbox"), ==, 2);
}

#define CASE(path, name)                                                                 \
    g_test_add("/imap-outbox/" path, Fixture, NULL, set_up, name, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    hp_log_init(FALSE);
    CASE("takes-no-mail", takes_no_mail);
    CASE("cancels-what-is-expunged", cancels_what_is_expunged);
    CASE("keeps-what-cannot-be-cancelled", keeps_what_cannot_be_cancelled);
    CASE("cancels-what-is-moved-out", cancels_what_is_moved_out);
    CASE("cancels-nothing-by-a-copy", cancels_nothing_by_a_copy);
    CASE("cancels-nothing-of-another-mailbox", cancels_nothing_of_another_mailbox);
    CASE("tries-again-when-asked-by-a-keyword", tries_again_when_asked_by_a_keyword);
    CASE("says-why-it-does-not-try", says_why_it_does_not_try);
    CASE("replaces-nothing", replaces_nothing);
    return g_test_run();
}
