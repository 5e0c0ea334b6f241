/* fake-daemon: a daemon for tests of the command line: a process that answers on the
 * control socket with what is written here.
 *
 * Threads: main, before others start (it forks).
 */
#pragma once

#include "hp-command.h"
#include "hp-control-bus.h"
#include "hp-control-error.h"

#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_MESSAGE                                                                     \
    "{'id': <'7Q2KXM'>, 'from': <'anna@example.org'>, 'subject': <'Invoice'>, "          \
    "'size': <uint64 12288>, 'submitted': <'2020-01-02T12:00:00Z'>, 'recipients': "      \
    "<[{'address': <'bob@example.com'>, 'state': <'waiting'>, 'attempts': <uint32 2>, "  \
    "'next_attempt': <'2020-01-02T13:00:00Z'>, 'code': <'451 4.7.1'>, 'reply': "         \
    "<'Greylisted'>, 'explanation': <'Normal, will be accepted later.'>, 'side': "       \
    "<'Nobody is at fault.'>, 'advice': <'Wait.'>}, {'address': <'eva@example.net'>, "   \
    "'state': <'delivered'>}]>, 'story': <[{'time': <'2020-01-02T12:00:01Z'>, 'kind': "  \
    "<'said'>, 'stage': <'rcpt'>, 'host': <'mx1.example.com'>, 'text': <'451 4.7.1 "     \
    "Greylisted'>}]>}"

#define FAKE_STATUS                                                                      \
    "{'version': <'9.9'>, 'state': <'running'>, 'account': <'anna@example.org'>, "       \
    "'identities': <uint32 3>, 'network': <{'state': <'ok'>}>, 'queue': <{'waiting': "   \
    "<uint32 1>, 'held': <uint32 2>}>, 'clients': <[{'protocol': <'imap'>, 'name': "     \
    "<'laptop'>, 'program': "                                                            \
    "<'Thunderbird 140.0'>, 'connections': <uint32 5>}, {'protocol': <'pop3'>, 'name': " \
    "<'fetch'>}]>, 'listeners': <[{'protocol': <'smtp'>, 'address': <'127.0.0.1'>, "     \
    "'port': <uint32 10587>}, {'protocol': <'pop3'>, 'address': <'127.0.0.1'>, "         \
    "'port': <uint32 10110>}]>, 'attention': <[{'kind': <'refused'>, 'text': <'1 "       \
    "message was refused'>, 'command': <'hauspost queue show 7Q2K'>}]>}"

static inline GVariant *
fake_value(const char *text)
{
    return g_variant_new_parsed(text);
}

static inline gboolean
fake_status(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_status(o, i, fake_value(FAKE_STATUS));
    return TRUE;
}

static inline gboolean
fake_queue(HpHauspost1 *o, GDBusMethodInvocation *i, GVariant *filter)
{
    const char *to = NULL;

    hp_hauspost1_complete_queue(o, i,
                                g_variant_lookup(filter, "to", "&s", &to)
                                    ? g_variant_new("aa{sv}", NULL)
                                    : fake_value("[" FAKE_MESSAGE "]"));
    return TRUE;
}

static inline gboolean
fake_summary(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_summary(
        o, i,
        fake_value("{'messages': <uint32 2>, 'recipients': <uint32 3>, 'size': <uint64 "
                   "2048>, 'offline': <uint32 2>, 'held': <uint32 1>, 'destinations': "
                   "<[{'domain': <'a.example'>, 'recipients': <uint32 2>, 'state': "
                   "<'offline'>, 'explanation': <'No connection.'>}, {'domain': "
                   "<'b.example'>, 'recipients': <uint32 1>}]>}"));
    return TRUE;
}

static inline gboolean
fake_message(HpHauspost1 *o, GDBusMethodInvocation *i, const char *id)
{
    if (g_str_has_prefix("7Q2KXM", id))
        hp_hauspost1_complete_message(o, i, fake_value(FAKE_MESSAGE));
    else
        g_dbus_method_invocation_return_error(i, HP_CONTROL_ERROR,
                                              HP_CONTROL_ERROR_NOT_FOUND,
                                              "there is no message %s", id);
    return TRUE;
}

static inline gboolean
fake_retry(HpHauspost1 *o, GDBusMethodInvocation *i, const char *const *ids,
           GVariant *opts)
{
    if (ids[0] != NULL)
        g_dbus_method_invocation_return_error(i, HP_CONTROL_ERROR, HP_CONTROL_ERROR_STATE,
                                              "%s is held\nhauspost queue release %s",
                                              ids[0], ids[0]);
    else
        hp_hauspost1_complete_retry(o, i, 3);
    return TRUE;
}

static inline gboolean
fake_cancel(HpHauspost1 *o, GDBusMethodInvocation *i, const char *const *ids)
{
    guint n = 0;

    while (ids[n] != NULL)
        n++;
    hp_hauspost1_complete_cancel(o, i, n);
    return TRUE;
}

static inline gboolean
fake_password(HpHauspost1 *o, GDBusMethodInvocation *i, GUnixFDList *in, const char *name)
{
    static const char secret[] = "abcd-efgh-1234";
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int pair[2];

    if (!g_str_equal(name, "thunderbird")) {
        g_dbus_method_invocation_return_dbus_error(i, "org.hauspost.Error.Invalid",
                                                   "this name cannot be taken");
        return TRUE;
    }
    if (pipe(pair) != 0 || write(pair[1], secret, strlen(secret)) < 0)
        abort();
    close(pair[1]);
    g_unix_fd_list_append(fds, pair[0], NULL);
    close(pair[0]);
    hp_hauspost1_complete_new_password(o, i, fds, g_variant_new_handle(0));
    return TRUE;
}

/* From then on there is no password. */
static inline gboolean
fake_revoke(HpHauspost1 *o, GDBusMethodInvocation *i, const char *name)
{
    g_object_set_data_full(G_OBJECT(o), "revoked", g_strdup(name), g_free);
    hp_hauspost1_complete_revoke_password(o, i);
    return TRUE;
}

static inline gboolean
fake_rotate(HpHauspost1 *o, GDBusMethodInvocation *i, GUnixFDList *in, const char *name)
{
    return fake_password(o, i, in, name);
}

static inline gboolean
fake_passwords(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_passwords(
        o, i,
        fake_value(g_object_get_data(G_OBJECT(o), "revoked") == NULL
                       ? "[{'name': <'thunderbird'>}]"
                       : "@aa{sv} []"));
    return TRUE;
}

static inline gboolean
fake_account(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_account(
        o, i,
        fake_value("{'address': <'anna@example.org'>, 'services': <[{'protocol': "
                   "<'smtp'>, 'port': <uint32 20587>}, {'protocol': <'smtp'>, 'port': "
                   "<uint32 20465>}, {'protocol': <'imap'>, 'port': <uint32 20143>}]>}"));
    return TRUE;
}

static inline gboolean
fake_mailboxes(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_mailboxes(o, i,
                                    fake_value("[{'name': <'INBOX'>}, {'name': "
                                               "<'Work'>}]"));
    return TRUE;
}

static inline gboolean
fake_rename(HpHauspost1 *o, GDBusMethodInvocation *i, const char *name, const char *to)
{
    hp_hauspost1_complete_mailbox_rename(o, i);
    return TRUE;
}

static inline gboolean
fake_delete(HpHauspost1 *o, GDBusMethodInvocation *i, const char *name)
{
    hp_hauspost1_complete_mailbox_delete(o, i);
    return TRUE;
}

static inline gboolean
fake_reload(HpHauspost1 *o, GDBusMethodInvocation *i)
{
    hp_hauspost1_complete_reload(o, i);
    return TRUE;
}

static inline gboolean
fake_pause(HpHauspost1 *o, GDBusMethodInvocation *i, gint64 until)
{
    g_dbus_method_invocation_return_error(i, HP_CONTROL_ERROR, HP_CONTROL_ERROR_OFFLINE,
                                          "until %d", until == 0 ? 0 : 1);
    return TRUE;
}

static inline gboolean
fake_connected(GDBusServer *server, GDBusConnection *connection, gpointer skeleton)
{
    g_object_ref(connection);
    return g_dbus_interface_skeleton_export(skeleton, connection, HP_CONTROL_OBJECT_PATH,
                                            NULL);
}

/* The child: answers until its parent ends. @ready: closed when it listens. */
static inline void
fake_serve(const char *socket, int ready)
{
    g_autofree char *address = g_strconcat("unix:path=", socket, NULL);
    g_autofree char *guid = g_dbus_generate_guid();
    HpHauspost1 *o = hp_hauspost1_skeleton_new();
    GDBusServer *server;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)HP_CONTROL_ERROR;
    g_signal_connect(o, "handle-status", G_CALLBACK(fake_status), NULL);
    g_signal_connect(o, "handle-queue", G_CALLBACK(fake_queue), NULL);
    g_signal_connect(o, "handle-summary", G_CALLBACK(fake_summary), NULL);
    g_signal_connect(o, "handle-message", G_CALLBACK(fake_message), NULL);
    g_signal_connect(o, "handle-retry", G_CALLBACK(fake_retry), NULL);
    g_signal_connect(o, "handle-cancel", G_CALLBACK(fake_cancel), NULL);
    g_signal_connect(o, "handle-new-password", G_CALLBACK(fake_password), NULL);
    g_signal_connect(o, "handle-revoke-password", G_CALLBACK(fake_revoke), NULL);
    g_signal_connect(o, "handle-rotate-password", G_CALLBACK(fake_rotate), NULL);
    g_signal_connect(o, "handle-passwords", G_CALLBACK(fake_passwords), NULL);
    g_signal_connect(o, "handle-account", G_CALLBACK(fake_account), NULL);
    g_signal_connect(o, "handle-mailboxes", G_CALLBACK(fake_mailboxes), NULL);
    g_signal_connect(o, "handle-mailbox-rename", G_CALLBACK(fake_rename), NULL);
    g_signal_connect(o, "handle-mailbox-delete", G_CALLBACK(fake_delete), NULL);
    g_signal_connect(o, "handle-reload", G_CALLBACK(fake_reload), NULL);
    g_signal_connect(o, "handle-pause", G_CALLBACK(fake_pause), NULL);
    server =
        g_dbus_server_new_sync(address, G_DBUS_SERVER_FLAGS_NONE, guid, NULL, NULL, NULL);
    g_assert_nonnull(server);
    g_signal_connect(server, "new-connection", G_CALLBACK(fake_connected), o);
    g_dbus_server_start(server);
    close(ready);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
}

#define FAKE_OPTION "--fake-daemon"

/* First in main(): becomes the daemon if that is what it was started for. */
static inline void
fake_main(int argc, char **argv)
{
    if (argc == 4 && g_str_equal(argv[1], FAKE_OPTION))
        fake_serve(argv[2], (int)g_ascii_strtoll(argv[3], NULL, 10));
}

typedef struct {
    char *home; /* (owned): everything is in it */
    pid_t pid;  /* of the child, 0 if there is none */
} FakeHome;

/* A home of its own; nothing in it yet. */
static inline FakeHome
fake_home(void)
{
    static const char *const variables[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME",
                                             "XDG_DATA_HOME", "XDG_CACHE_HOME",
                                             "XDG_RUNTIME_DIR" };
    FakeHome home = { g_dir_make_tmp("hp-cli-XXXXXX", NULL), 0 };

    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++) {
        g_autofree char *path = g_build_filename(home.home, variables[i], NULL);

        g_setenv(variables[i], path, TRUE);
    }
    return home;
}

static inline void
fake_start(FakeHome *home)
{
    g_autofree char *dir =
        g_build_filename(g_getenv("XDG_RUNTIME_DIR"), "hauspost", NULL);
    g_autofree char *socket = g_build_filename(dir, HP_CONTROL_SOCKET, NULL);
    g_autofree char *fd = NULL;
    int ready[2];
    char byte;

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_cmpint(pipe(ready), ==, 0);
    fd = g_strdup_printf("%d", ready[1]);
    home->pid = fork();
    if (home->pid == 0) {
        /* A program of its own: a fork alone would lack the threads of GDBus. */
        close(ready[0]);
        execl("/proc/self/exe", "fake-daemon", FAKE_OPTION, socket, fd, NULL);
        _exit(1);
    }
    close(ready[1]);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 0);
    close(ready[0]);
}

static inline void
fake_end(FakeHome *home)
{
    char *argv[] = { g_strdup("rm"), g_strdup("-rf"), home->home, NULL };

    if (home->pid > 0) {
        kill(home->pid, SIGKILL);
        waitpid(home->pid, NULL, 0);
    }
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(argv[0]);
    g_free(argv[1]);
    g_free(home->home);
}

typedef struct {
    HpExit exit;
    char *out; /* (owned) */
    char *err; /* (owned) */
} FakeResult;

static inline void
fake_result_clear(FakeResult *r)
{
    g_free(r->out);
    g_free(r->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FakeResult, fake_result_clear)

static inline char *
fake_read_back(FILE *file)
{
    char *text = g_malloc0(65536);

    rewind(file);
    g_assert_cmpuint(fread(text, 1, 65535, file), <, 65535);
    fclose(file);
    return text;
}

/* Runs "hauspost LINE" with @in, which it closes, and @out, which it does not. */
static inline FakeResult
fake_run_with(FILE *in, const char *line, FILE *out)
{
    g_auto(GStrv) argv = NULL;
    g_autofree char *whole = g_strconcat("hauspost ", line, NULL);
    FILE *err = tmpfile();
    FakeResult result = { 0 };
    HpCli cli;

    g_assert_true(g_shell_parse_argv(whole, NULL, &argv, NULL));
    hp_cli_init(&cli, in, out, err);
    result.exit = hp_command_run(&cli, argv);
    hp_cli_clear(&cli);
    fclose(in);
    result.err = fake_read_back(err);
    return result;
}

static inline FakeResult
fake_run_from(FILE *in, const char *line)
{
    FILE *out = tmpfile();
    FakeResult result = fake_run_with(in, line, out);

    result.out = fake_read_back(out);
    return result;
}

/* The same with nothing on its input. */
static inline FakeResult
fake_run(const char *line)
{
    return fake_run_from(fopen("/dev/null", "r"), line);
}

/* The same on a full disk. */
static inline FakeResult
fake_run_full(const char *line)
{
    FILE *out = fopen("/dev/full", "w");
    FakeResult result = fake_run_with(fopen("/dev/null", "r"), line, out);

    fclose(out);
    return result;
}
