/* A client that says anything, in each of four states: before login, after it, with a
 * mailbox open, and open for reading with QRESYNC and UTF-8. The session must end, and
 * all that it says be IMAP. */
#include "../unit/imap-fixture.h"
#include "../unit/imap-grammar.h"

#include "hp-log.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 30000 /* what a socket pair holds without a reader */
#define SAID_MAX  150000

static const HpService plain = { .name = "imap" };

static gboolean
asks_for_utf8(HpSlice input)
{
    for (size_t i = 0; i + 4 <= input.len; i++)
        if (g_ascii_strncasecmp(input.data + i, "UTF8", 4) == 0 ||
            g_ascii_strncasecmp(input.data + i, "rev2", 4) == 0)
            return TRUE;
    return FALSE;
}

static void
check_answers(int fd, gboolean utf8)
{
    g_autoptr(GString) said = g_string_new(NULL);
    char buffer[4096];
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        g_string_append_len(said, buffer, n);
    if (said->len < SAID_MAX) /* else the end of it may not have fitted */
        grammar_check(hp_slice_of_string(said), utf8);
}

static void
converse(ImapFixture *f, const char *prelude, HpSlice input)
{
    HpPeer peer = { .address = "127.0.0.1:1" };
    int size = 1 << 20; /* answers must not wait for a reader: there is none yet */
    HpConnection *connection;
    int fds[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    g_assert(send(fds[1], prelude, strlen(prelude), 0) == (ssize_t)strlen(prelude));
    g_assert(send(fds[1], input.data, input.len, 0) == (ssize_t)input.len);
    shutdown(fds[1], SHUT_WR);
    connection = hp_connection_new(hp_channel_new(fds[0]), &peer, &plain);
    hp_imap_serve(connection, &f->options);
    hp_connection_free(connection); /* only now all is said */
    check_answers(fds[1], asks_for_utf8(hp_slice_of(prelude)) || asks_for_utf8(input));
    close(fds[1]);
}

static ImapFixture shared; /* nocheck: opening a database for each input is slow */

static void
clean_up(void)
{
    imap_tear_down(&shared);
}

static ImapFixture *
fixture(void)
{
    if (shared.folder == NULL) {
        hp_log_init(FALSE);
        imap_set_up(&shared);
        imap_fill(&shared);
        atexit(clean_up);
    }
    return &shared;
}

/* Wrong passwords make a session wait; a second one costs a second. The transcripts have
 * them. */
static gboolean
has_login(HpSlice input)
{
    for (size_t i = 0; i + 4 <= input.len; i++)
        if (g_ascii_strncasecmp(input.data + i, "LOGI", 4) == 0 ||
            g_ascii_strncasecmp(input.data + i, "AUTH", 4) == 0)
            return TRUE;
    return FALSE;
}

/* So that what LIST says still fits into the socket. */
static void
thin_out(ImapFixture *f)
{
    g_autoptr(GPtrArray) all = hp_store_list(f->options.store, NULL);

    for (guint i = 0; all->len > 50 && i < all->len; i++) {
        const HpStoreMailbox *mailbox = g_ptr_array_index(all, i);

        hp_store_delete(f->options.store, mailbox->name, NULL); /* INBOX refuses */
        hp_store_set_subscribed(f->options.store, mailbox->name, FALSE, NULL);
    }
}

/* The next input has messages to work on, in a mailbox that is not too full. */
static void
refill(ImapFixture *f)
{
    g_autoptr(HpStoreSnapshot) inbox =
        hp_store_snapshot(f->options.store, HP_STORE_INBOX, NULL);
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));

    thin_out(f);
    if (inbox->entries->len >= 3 && inbox->entries->len < 20)
        return;
    for (guint i = 0; i < inbox->entries->len; i++)
        g_array_append_val(uids, g_array_index(inbox->entries, HpStoreEntry, i).uid);
    hp_store_expunge(f->options.store, HP_STORE_INBOX,
                     (const guint32 *)(gconstpointer)uids->data, uids->len, NULL);
    imap_fill(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ImapFixture *f = fixture();
    HpSlice input = { (const char *)data, MIN(size, INPUT_MAX) };
    g_autofree char *inside =
        g_strdup_printf("l LOGIN " IMAP_USER " %s\r\n", f->password);
    g_autofree char *open = g_strconcat(inside, "s SELECT INBOX\r\n", NULL);
    g_autofree char *reading =
        g_strconcat(inside, "e ENABLE QRESYNC UTF8=ACCEPT\r\ns EXAMINE INBOX\r\n", NULL);

    if (size == 0)
        return 0;
    if (!has_login(input))
        converse(f, "a CAPABILITY\r\n", input);
    refill(f);
    converse(f, reading, input);
    converse(f, open, input);
    refill(f);
    converse(f, inside, input);
    return 0;
}
