#include "pop3-fixture.h"

#include "hp-lines.h"
#include "hp-log.h"
#include "hp-text.h"
#include "hp-thread.h"

#include <glib/gstdio.h>
#include <sys/socket.h>

/* A session on a thread of its own, and the client's end. */
typedef struct {
    HpConnection *connection; /* (owned): its thread's until joined */
    HpPop3Options *options;   /* (unowned) */
    HpThread *thread;         /* (owned) */
    HpChannel *client;        /* (owned) */
} Call;

static const HpService plain = { .name = "pop3" };

static void
serve(gpointer data)
{
    Call *call = data;

    hp_pop3_serve(call->connection, call->options);
    g_clear_pointer(&call->connection, hp_connection_free);
}

static void
dial(Pop3Fixture *f, Call *call)
{
    HpPeer peer = { .address = "127.0.0.1:1" };
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    call->connection = hp_connection_new(hp_channel_new(fds[0]), &peer, &plain);
    call->options = &f->options;
    call->client = hp_channel_new(fds[1]);
    call->thread = hp_thread_start("pop3", serve, call, NULL);
}

static void
hang_up(Call *call)
{
    g_clear_pointer(&call->client, hp_channel_free);
    hp_thread_join(call->thread);
}

static char *
next_line(Call *call)
{
    HpSlice line = { NULL, 0 };

    if (hp_lines_read(call->client, 4096, &line, NULL) != HP_LINE_OK)
        return g_strdup("(end)");
    return hp_slice_dup(line);
}

/* Every line of a reply is ASCII, whatever the language. */
static void
expect(Call *call, const char *start)
{
    g_autofree char *line = next_line(call);

    g_assert_true(hp_text_is_ascii(hp_slice_of(line)));
    if (!g_str_has_prefix(line, start))
        g_test_message("expected \"%s\", got \"%s\"", start, line);
    g_assert_true(g_str_has_prefix(line, start));
}

static void
say(Call *call, const char *line, const char *answer)
{
    g_assert_true(hp_channel_printf(call->client, NULL, "%s\r\n", line));
    expect(call, answer);
}

static void
log_in(Pop3Fixture *f, Call *call)
{
    g_autofree char *pass = g_strdup_printf("PASS %s", f->password);

    dial(f, call);
    expect(call, "+OK");
    say(call, "USER " POP3_USER, "+OK");
    say(call, pass, "+OK");
}

static void
set_up(Pop3Fixture *f, gconstpointer data)
{
    pop3_set_up(f);
    pop3_fill(f);
}

static void
tear_down(Pop3Fixture *f, gconstpointer data)
{
    pop3_tear_down(f);
}

static guint
count(Pop3Fixture *f)
{
    g_autoptr(HpStoreSnapshot) drop =
        hp_store_snapshot(f->options.store, HP_STORE_INBOX, NULL);

    return drop->entries->len;
}

/* How many of the entries POP3 has collected. */
static guint
count_collected(Pop3Fixture *f)
{
    g_autoptr(HpStoreSnapshot) drop =
        hp_store_snapshot(f->options.store, HP_STORE_INBOX, NULL);
    guint n = 0;

    for (guint i = 0; i < drop->entries->len; i++)
        n += g_array_index(drop->entries, HpStoreEntry, i).collected_usec != 0;
    return n;
}

static void
skip_message(Call *call)
{
    for (;;) {
        g_autofree char *line = next_line(call);

        g_assert_cmpstr(line, !=, "(end)");
        if (g_str_equal(line, "."))
            return;
    }
}

static void
deletes_at_quit_and_not_before(Pop3Fixture *f, gconstpointer data)
{
    Call call;

    log_in(f, &call);
    say(&call, "DELE 2", "+OK");
    g_assert_cmpuint(count(f), ==, 3);
    say(&call, "QUIT", "+OK");
    expect(&call, "(end)");
    g_assert_cmpuint(count(f), ==, 2);
    hang_up(&call);
}

static void
deletes_nothing_when_the_connection_is_lost(Pop3Fixture *f, gconstpointer data)
{
    Call call;

    log_in(f, &call);
    say(&call, "DELE 1", "+OK");
    say(&call, "DELE 2", "+OK");
    hang_up(&call);
    g_assert_cmpuint(count(f), ==, 3);
}

static void
marks_what_was_collected_also_when_the_connection_is_lost(Pop3Fixture *f,
                                                          gconstpointer data)
{
    Call call;

    log_in(f, &call);
    say(&call, "RETR 1", "+OK");
    skip_message(&call);
    say(&call, "TOP 3 0", "+OK");
    skip_message(&call);
    g_assert_cmpuint(count_collected(f), ==, 0);
    hang_up(&call);
    g_assert_cmpuint(count_collected(f), ==, 1);
}

static void
lets_one_session_in_at_a_time(Pop3Fixture *f, gconstpointer data)
{
    g_autofree char *pass = g_strdup_printf("PASS %s", f->password);
    Call first;
    Call second;

    log_in(f, &first);
    dial(f, &second);
    expect(&second, "+OK");
    say(&second, "USER " POP3_USER, "+OK");
    say(&second, pass, "-ERR [IN-USE]");
    say(&first, "QUIT", "+OK");
    say(&second, "USER " POP3_USER, "+OK");
    say(&second, pass, "+OK");
    hang_up(&first);
    hang_up(&second);
}

static void
numbers_messages_for_ever(Pop3Fixture *f, gconstpointer data)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    Call call;

    log_in(f, &call);
    hp_channel_printf(call.client, NULL, "UIDL 3\r\n");
    before = next_line(&call);
    say(&call, "DELE 1", "+OK");
    say(&call, "QUIT", "+OK");
    hang_up(&call);
    log_in(f, &call);
    hp_channel_printf(call.client, NULL, "UIDL 2\r\n");
    after = next_line(&call);
    g_assert_cmpstr(before + strlen("+OK 3"), ==, after + strlen("+OK 2"));
    hang_up(&call);
}

static void
says_when_a_message_is_gone_and_goes_on(Pop3Fixture *f, gconstpointer data)
{
    g_autoptr(HpStoreSnapshot) drop =
        hp_store_snapshot(f->options.store, HP_STORE_INBOX, NULL);
    guint32 uid = g_array_index(drop->entries, HpStoreEntry, 0).uid;
    Call call;

    log_in(f, &call);
    g_assert_true(hp_store_expunge(f->options.store, HP_STORE_INBOX, &uid, 1, NULL));
    say(&call, "RETR 1", "-ERR");
    say(&call, "RETR 3", "+OK");
    skip_message(&call);
    say(&call, "DELE 1", "+OK");
    say(&call, "QUIT", "+OK");
    hang_up(&call);
    g_assert_cmpuint(count(f), ==, 2);
}

/* As when its password is revoked; a listener has the lock that this needs. */
static void
ends_when_it_is_aborted_and_keeps_all(Pop3Fixture *f, gconstpointer data)
{
    g_autofree char *pass = g_strdup_printf("PASS %s", f->password);
    HpService service = { .name = "pop3", .serve = hp_pop3_serve, .data = &f->options };
    HpListener *listener = hp_listener_new(NULL, 0, NULL);
    Call call = { 0 };

    g_assert_true(hp_listener_add_port(listener, &service, 0, NULL));
    g_assert_true(hp_listener_start(listener, NULL));
    call.client = hp_channel_connect(
        "127.0.0.1", hp_listener_port(listener, "pop3", FALSE), 20000, -1, NULL);
    expect(&call, "+OK");
    say(&call, "USER " POP3_USER, "+OK");
    say(&call, pass, "+OK");
    say(&call, "DELE 1", "+OK");
    hp_listener_abort_credential(listener, "thunderbird");
    expect(&call, "-ERR [SYS/TEMP]");
    expect(&call, "(end)");
    hp_channel_free(call.client);
    hp_listener_free(listener);
    g_assert_cmpuint(count(f), ==, 3);
    g_assert_true(hp_store_lock_maildrop(f->options.store, 0));
    hp_store_unlock_maildrop(f->options.store);
}

static void
takes_one_password_in_three_ways_for_one_failure(Pop3Fixture *f, gconstpointer data)
{
    static const char nul_separated[] = "\0" POP3_USER "\0wrong";
    g_autofree char *plain_response =
        g_base64_encode((const guchar *)nul_separated, sizeof nul_separated - 1);
    g_autofree char *user = g_base64_encode((const guchar *)POP3_USER, strlen(POP3_USER));
    Call call;

    dial(f, &call);
    expect(&call, "+OK");
    for (guint i = 0; i < 4; i++) { /* 12 refusals, 1 wrong password */
        say(&call, "AUTH PLAIN", "+ ");
        say(&call, plain_response, "-ERR [AUTH]");
        say(&call, "AUTH LOGIN", "+ ");
        say(&call, user, "+ ");
        say(&call, "d3Jvbmc=", "-ERR [AUTH]");
        say(&call, "USER " POP3_USER, "+OK");
        say(&call, "PASS wrong", "-ERR [AUTH]");
    }
    expect(&call, "(end)");
    hang_up(&call);
}

static void
wants_tls_for_a_login_unless_plain_text_is_allowed(Pop3Fixture *f, gconstpointer data)
{
    Call call;

    f->options.plaintext_allowed = FALSE;
    dial(f, &call);
    expect(&call, "+OK");
    say(&call, "USER " POP3_USER, "-ERR [SYS/PERM]");
    say(&call, "AUTH PLAIN", "-ERR [SYS/PERM]");
    hp_channel_printf(call.client, NULL, "CAPA\r\n");
    for (;;) {
        g_autofree char *line = next_line(&call);

        g_assert_false(g_str_has_prefix(line, "SASL"));
        g_assert_cmpstr(line, !=, "USER");
        if (g_str_equal(line, "."))
            break;
    }
    hang_up(&call);
}

static void
tells_the_truth_about_the_retention(Pop3Fixture *f, gconstpointer data)
{
    static const struct {
        gint64 sec;
        const char *line;
    } rows[] = { { 0, "EXPIRE NEVER" },
                 { 30 * 24 * 3600, "EXPIRE 30" },
                 { 47 * 3600, "EXPIRE 1" },
                 { 3600, "EXPIRE 0" } };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        gboolean found = FALSE;
        Call call;

        f->options.retention_sec = rows[i].sec;
        dial(f, &call);
        expect(&call, "+OK");
        say(&call, "CAPA", "+OK");
        for (;;) {
            g_autofree char *line = next_line(&call);

            found = found || g_str_equal(line, rows[i].line);
            if (g_str_equal(line, "."))
                break;
        }
        g_assert_true(found);
        hang_up(&call);
    }
}

static void
closes_at_the_first_line_of_http(Pop3Fixture *f, gconstpointer data)
{
    g_autofree char *answer = NULL;
    Call call;

    dial(f, &call);
    expect(&call, "+OK");
    hp_channel_printf(call.client, NULL,
                      "POST /canary HTTP/1.1\r\nHost: canary\r\n\r\nUSER x\r\n");
    answer = next_line(&call);
    g_assert_true(g_str_has_prefix(answer, "-ERR"));
    g_assert_null(strstr(answer, "canary"));
    expect(&call, "(end)");
    hang_up(&call);
}

static void
lists_every_message_once(Pop3Fixture *f, gconstpointer data)
{
    g_autofree char *line = NULL;
    Call call;

    for (guint i = 0; i < 300; i++) {
        g_autofree char *origin = g_strdup_printf("n%u", i);

        pop3_deliver(f, origin, HP_SLICE_LITERAL("Subject: x\r\n\r\n"));
    }
    log_in(f, &call);
    say(&call, "STAT", "+OK 303 ");
    say(&call, "LIST", "+OK");
    for (guint i = 1; i <= 303; i++) {
        g_autofree char *row = next_line(&call);
        g_autofree char *want = g_strdup_printf("%u ", i);

        g_assert_true(g_str_has_prefix(row, want));
    }
    line = next_line(&call);
    g_assert_cmpstr(line, ==, ".");
    hang_up(&call);
}

static void
is_refused_in_words_when_there_is_no_room(Pop3Fixture *f, gconstpointer data)
{
    int fds[2];
    char words[256];
    HpChannel *channel;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    channel = hp_channel_new(fds[0]);
    hp_pop3_refuse(channel, &f->options);
    hp_channel_free(channel);
    g_assert_cmpint(recv(fds[1], words, sizeof words, 0), >, 16);
    g_assert_cmpmem(words, 15, "-ERR [SYS/TEMP]", 15);
    close(fds[1]);
}

#define ADD(path, test)                                                                  \
    g_test_add("/pop3-session/" path, Pop3Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    hp_log_init(FALSE);
    ADD("deletes-at-quit-and-not-before", deletes_at_quit_and_not_before);
    ADD("deletes-nothing-when-the-connection-is-lost",
        deletes_nothing_when_the_connection_is_lost);
    ADD("marks-what-was-collected-also-when-the-connection-is-lost",
        marks_what_was_collected_also_when_the_connection_is_lost);
    ADD("lets-one-session-in-at-a-time", lets_one_session_in_at_a_time);
    ADD("numbers-messages-for-ever", numbers_messages_for_ever);
    ADD("says-when-a-message-is-gone-and-goes-on",
        says_when_a_message_is_gone_and_goes_on);
    ADD("ends-when-it-is-aborted-and-keeps-all", ends_when_it_is_aborted_and_keeps_all);
    ADD("takes-one-password-in-three-ways-for-one-failure",
        takes_one_password_in_three_ways_for_one_failure);
    ADD("wants-tls-for-a-login-unless-plain-text-is-allowed",
        wants_tls_for_a_login_unless_plain_text_is_allowed);
    ADD("tells-the-truth-about-the-retention", tells_the_truth_about_the_retention);
    ADD("closes-at-the-first-line-of-http", closes_at_the_first_line_of_http);
    ADD("lists-every-message-once", lists_every_message_once);
    ADD("is-refused-in-words-when-there-is-no-room",
        is_refused_in_words_when_there_is_no_room);
    return g_test_run();
}
