/* The real SMTP session on a loopback port, with an intake in memory, for the
 * transcripts.
 *
 * smtp-transcript-server DIR [plaintext] [notls] [full] [append] [broken] [socket]:
 * prints "PORT PASSWORD" and serves until its standard input ends. */
#include "smtp-fixture.h"

#include "hp-fs.h"
#include "hp-thread.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SESSIONS 256

typedef struct {
    HpSmtpServerOptions options;
    SmtpMemory memory;
    HpSmtpCaller caller;
    HpThread *threads[MAX_SESSIONS]; /* (owned) */
    guint n_threads;
} Server;

typedef struct {
    Server *server; /* (unowned) */
    int fd;
} Session;

static void
serve(gpointer data)
{
    Session *session = data;
    g_autoptr(HpChannel) channel = hp_channel_new(session->fd);

    hp_smtp_converse(channel, &session->server->options, &session->server->caller);
    g_free(session);
}

static int
listen_somewhere(guint16 *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, len), ==, 0);
    g_assert_cmpint(listen(fd, 16), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &len), ==, 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
accept_until_eof(Server *server, int listener)
{
    for (;;) {
        struct pollfd fds[] = { { listener, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
        Session *session = NULL;

        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
            return;
        g_assert_cmpuint(server->n_threads, <, MAX_SESSIONS);
        session = g_new0(Session, 1);
        session->server = server;
        session->fd = accept(listener, NULL, NULL);
        server->threads[server->n_threads++] =
            hp_thread_start("smtp-session", serve, session, NULL);
    }
}

static void
apply(Server *server, const char *word)
{
    if (g_str_equal(word, "noplaintext"))
        server->options.plaintext_allowed = FALSE;
    else if (g_str_equal(word, "notls"))
        g_clear_pointer(&server->options.tls, hp_tls_identity_free);
    else if (g_str_equal(word, "full"))
        server->memory.fault = SMTP_INTAKE_FULL_AT_BEGIN;
    else if (g_str_equal(word, "append"))
        server->memory.fault = SMTP_INTAKE_FULL_AT_APPEND;
    else if (g_str_equal(word, "broken"))
        server->memory.fault = SMTP_INTAKE_BROKEN_AT_COMMIT;
    else if (g_str_equal(word, "few"))
        server->options.max_recipients = 2;
    else if (g_str_equal(word, "small"))
        server->options.max_message_size = 64;
    else if (g_str_equal(word, "socket"))
        server->caller.local_socket = TRUE;
    else
        g_assert_not_reached();
}

static HpDb *
open_db(const char *dir)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    g_autofree char *path = g_build_filename(dir, "queue.db", NULL);
    HpDbSpec spec = { path, 0x48504157, migrations, "test-writer" };

    return hp_db_open(&spec, NULL);
}

/* GLib's caches are filled before there are threads: ThreadSanitizer does not see the
 * locks that guard them. */
static void
fill_caches(void)
{
    hp_net_error_quark();
    hp_tls_error_quark();
    hp_intake_error_quark();
    hp_auth_error_quark();
    for (int code = 1; code < 134; code++)
        g_assert_nonnull(strchr(g_strerror(code), '\0')); /* unused it is not called */
}

int
main(int argc, char **argv)
{
    Server server = { .caller = { .id = "7E5T00", .login = smtp_login_always } };
    hp_autofd dir_fd = hp_fs_open_private_dir(argv[1], NULL);
    g_autoptr(HpDb) db = open_db(argv[1]);
    g_autoptr(HpPasswords) passwords = hp_passwords_open(db, &hp_clock_system, NULL);
    g_autofree char *password = hp_passwords_new(passwords, "thunderbird", NULL);
    guint16 port = 0;
    hp_autofd listener = listen_somewhere(&port);

    fill_caches();
    server.options = smtp_options(smtp_memory_open(&server.memory), passwords);
    server.options.tls = hp_tls_identity_ensure(dir_fd, NULL);
    for (int i = 2; i < argc; i++)
        apply(&server, argv[i]);
    printf("%u %s\n", port, password);
    fflush(stdout);
    accept_until_eof(&server, listener);
    for (guint i = 0; i < server.n_threads; i++)
        hp_thread_join(server.threads[i]);
    g_assert_cmpuint(server.memory.drafts, ==, 0);
    g_clear_pointer(&server.options.tls, hp_tls_identity_free);
    hp_identities_unref(server.options.identities);
    smtp_memory_close(&server.memory);
    return 0;
}
