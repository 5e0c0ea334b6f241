/* A client that says anything, before login and after it: the session must end, delete
 * nothing without QUIT, and leave the maildrop to the next one. */
#include "../unit/pop3-fixture.h"

#include "hp-log.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 30000 /* what a socket pair holds without a reader */

static const HpService plain = { .name = "pop3" };

static gboolean
says_quit(HpSlice input)
{
    for (size_t i = 0; i + 4 <= input.len; i++)
        if (g_ascii_strncasecmp(input.data + i, "QUIT", 4) == 0)
            return TRUE;
    return FALSE;
}

static guint
count(Pop3Fixture *f)
{
    g_autoptr(HpStoreSnapshot) drop =
        hp_store_snapshot(f->options.store, HP_STORE_INBOX, NULL);

    return drop->entries->len;
}

static void
converse(Pop3Fixture *f, HpSlice login, HpSlice input)
{
    HpPeer peer = { .address = "127.0.0.1:1" };
    int size = 1 << 20; /* answers must not wait for a reader: there is none yet */
    g_autoptr(HpConnection) connection = NULL;
    int fds[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    g_assert(send(fds[1], login.data, login.len, 0) == (ssize_t)login.len);
    g_assert(send(fds[1], input.data, input.len, 0) == (ssize_t)input.len);
    shutdown(fds[1], SHUT_WR);
    connection = hp_connection_new(hp_channel_new(fds[0]), &peer, &plain);
    hp_pop3_serve(connection, &f->options);
    close(fds[1]);
}

static Pop3Fixture shared; /* nocheck: opening a database for each input is slow */

static void
clean_up(void)
{
    pop3_tear_down(&shared);
}

static Pop3Fixture *
fixture(void)
{
    if (shared.folder == NULL) {
        hp_log_init(FALSE);
        pop3_set_up(&shared);
        pop3_fill(&shared);
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
        if (g_ascii_strncasecmp(input.data + i, "PASS", 4) == 0 ||
            g_ascii_strncasecmp(input.data + i, "AUTH", 4) == 0)
            return TRUE;
    return FALSE;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pop3Fixture *f = fixture();
    HpSlice input = { (const char *)data, MIN(size, INPUT_MAX) };
    g_autofree char *login =
        g_strdup_printf("USER " POP3_USER "\r\nPASS %s\r\n", f->password);
    guint before = count(f);

    if (size == 0)
        return 0;
    if (!has_login(input))
        converse(f, HP_SLICE_LITERAL("CAPA\r\n"), input);
    g_assert(count(f) == before);
    converse(f, hp_slice_of(login), input);
    g_assert(says_quit(input) || count(f) == before);
    /* The lock is free, and the next input has messages to work on. */
    g_assert(hp_store_lock_maildrop(f->options.store, 0));
    hp_store_unlock_maildrop(f->options.store);
    if (count(f) < 3) {
        g_autofree char *origin =
            g_strdup_printf("%" G_GINT64_FORMAT "-%u", g_get_monotonic_time(), count(f));

        pop3_deliver(f, origin, HP_SLICE_LITERAL("Subject: \xC3\xA4\r\n\r\n.x\r\n"));
    }
    return 0;
}
