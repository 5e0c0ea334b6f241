#include "smtp-fixture.h"

#include "hp-fs.h"
#include "hp-thread.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    char *dir;              /* (owned) */
    HpDb *db;               /* (owned) */
    HpPasswords *passwords; /* (owned) */
    char *password;         /* (owned) */
    char *auth;             /* (owned): "AUTH PLAIN …\r\n", right */
    SmtpMemory memory;
    HpSmtpServerOptions options;
    HpSmtpCaller caller;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    static const char *const migrations[] = { "CREATE TABLE other (id INTEGER)", NULL };
    g_autoptr(GString) response = g_string_new_len("\0anna@example.org\0", 18);
    g_autofree char *base64 = NULL;
    g_autofree char *path = NULL;
    HpDbSpec spec = { NULL, 0x48504157, migrations, "test-writer" };

    f->dir = g_dir_make_tmp("hauspost-test-XXXXXX", NULL);
    path = g_build_filename(f->dir, "queue.db", NULL);
    spec.path = path;
    f->db = hp_db_open(&spec, NULL);
    f->passwords = hp_passwords_open(f->db, &hp_clock_system, NULL);
    f->password = hp_passwords_new(f->passwords, "thunderbird", NULL);
    g_string_append(response, f->password);
    base64 = g_base64_encode((const guchar *)response->str, response->len);
    f->auth = g_strdup_printf("AUTH PLAIN %s\r\n", base64);
    f->options = smtp_options(smtp_memory_open(&f->memory), f->passwords);
    f->caller = (HpSmtpCaller){ .id = "7E5T00", .login = smtp_login_always };
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "queue.db", "queue.db-wal", "queue.db-shm" };

    g_assert_cmpuint(f->memory.drafts, ==, 0); /* nothing is left behind, ever */
    hp_passwords_close(f->passwords);
    hp_db_close(f->db);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(f->dir, files[i], NULL);

        g_unlink(path);
    }
    g_rmdir(f->dir);
    hp_identities_unref(f->options.identities);
    smtp_memory_close(&f->memory);
    g_free(f->dir);
    g_free(f->password);
    g_free(f->auth);
}

typedef struct {
    int fd;
    HpSlice bytes;
} Writer;

/* The session may end before it has read all: that is no failure of the test. */
static void
write_out(gpointer data)
{
    const Writer *writer = data;
    size_t sent = 0;

    while (sent < writer->bytes.len) {
        gssize n = send(writer->fd, writer->bytes.data + sent, writer->bytes.len - sent,
                        MSG_NOSIGNAL);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    shutdown(writer->fd, SHUT_WR);
}

static char *
read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[4096];
    gssize n = 0;

    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        g_string_append_len(text, buffer, n);
    return g_string_free(text, FALSE);
}

/* A whole session: everything is sent at once, all that comes back is returned. */
static char *
talk(Fixture *f, HpSlice input)
{
    int fds[2];
    Writer writer = { -1, input };
    HpThread *thread = NULL;
    char *output = NULL;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    writer.fd = fds[1];
    thread = hp_thread_start("writer", write_out, &writer, NULL);
    {
        g_autoptr(HpChannel) channel = hp_channel_new(fds[0]);

        hp_smtp_converse(channel, &f->options, &f->caller);
    }
    hp_thread_join(thread);
    output = read_all(fds[1]);
    close(fds[1]);
    return output;
}

/* The codes of the replies, "220 250 …": the last line of each. */
static char *
codes(const char *output)
{
    g_auto(GStrv) lines = g_strsplit(output, "\r\n", -1);
    GString *text = g_string_new(NULL);

    for (char **line = lines; *line != NULL; line++) {
        if (strlen(*line) < 4 || (*line)[3] == '-')
            continue;
        g_string_append_printf(text, "%s%.3s", text->len > 0 ? " " : "", *line);
    }
    return g_string_free(text, FALSE);
}

static void
expect(Fixture *f, const char *input, const char *want)
{
    g_autofree char *output = talk(f, hp_slice_of(input));
    g_autofree char *got = codes(output);

    g_test_message("%s", output);
    g_assert_cmpstr(got, ==, want);
}

/* The same after EHLO and login, which answer 220 250 235. */
static void
expect_in(Fixture *f, const char *input, const char *want)
{
    g_autofree char *all = g_strconcat("EHLO x\r\n", f->auth, input, NULL);
    g_autofree char *wanted = g_strconcat("220 250 235 ", want, NULL);

    expect(f, all, wanted);
}

#define ENVELOPE "MAIL FROM:<anna@example.org>\r\nRCPT TO:<bert@example.net>\r\n"
#define HEADER                                                                           \
    "From: anna@example.org\r\nTo: bert@example.net\r\nSubject: Hello\r\n"               \
    "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"

static void
takes_a_message(Fixture *f, gconstpointer data)
{
    const char *bytes = NULL;

    expect_in(f, ENVELOPE "DATA\r\n" HEADER "\r\n..dot\r\nbody\r\n.\r\nQUIT\r\n",
              "250 250 354 250 221");
    g_assert_cmpuint(f->memory.committed, ==, 1);
    bytes = f->memory.bytes->str;
    g_assert_true(g_str_has_prefix(bytes, "Received: "));
    g_assert_nonnull(strstr(bytes, HEADER "\r\n.dot\r\nbody\r\n"));
    g_assert_cmpstr(f->memory.sender, ==, "anna@example.org");
    g_assert_cmpstr(f->memory.recipients->str, ==, "bert@example.net\n");
    g_assert_cmpstr(f->memory.client, ==, "thunderbird");
    g_assert_cmpstr(f->memory.subject, ==, "Hello");
}

static void
names_the_message(Fixture *f, gconstpointer data)
{
    g_autofree char *input = g_strconcat(
        "EHLO x\r\n", f->auth, ENVELOPE "DATA\r\n" HEADER "\r\nx\r\n.\r\n", NULL);
    g_autofree char *output = talk(f, hp_slice_of(input));

    g_assert_nonnull(strstr(output, "\r\n250 2.0.0 7Q2KXM "));
}

static void
keeps_what_dsn_wants(Fixture *f, gconstpointer data)
{
    expect_in(f,
              "MAIL FROM:<anna@example.org> RET=HDRS ENVID=a+2Bb BODY=8BITMIME\r\n"
              "RCPT TO:<bert@example.net> NOTIFY=DELAY,FAILURE ORCPT=rfc822;b@c\r\n"
              "DATA\r\n" HEADER "\r\n\xc3\xa4\r\n.\r\n",
              "250 250 354 250");
    g_assert_cmpint(f->memory.ret, ==, HP_RET_HDRS);
    g_assert_cmpstr(f->memory.envid, ==, "a+b");
    g_assert_cmpstr(f->memory.orcpt, ==, "rfc822;b@c");
    g_assert_cmpuint(f->memory.notify, ==, HP_NOTIFY_DELAY | HP_NOTIFY_FAILURE);
    g_assert_true(f->memory.eight_bit);
}

static void
completes_addresses(Fixture *f, gconstpointer data)
{
    expect_in(f,
              "MAIL FROM:<anna>\r\nRCPT TO:<root>\r\nRCPT TO:<anna@localhost>\r\n"
              "RCPT TO:<x@LAPTOP.example>\r\nRCPT TO:<root@nas.lan>\r\n"
              "RCPT TO:<anna@example.org>\r\nRCPT TO:<root>\r\n"
              "DATA\r\n" HEADER "\r\n.\r\n",
              "250 250 250 250 250 250 250 354 250");
    g_assert_cmpstr(f->memory.sender, ==, "anna@example.org");
    g_assert_cmpstr(f->memory.recipients->str, ==,
                    "root@laptop.example local\nanna@localhost local\n"
                    "x@LAPTOP.example local\nroot@nas.lan local\nanna@example.org\n");
}

static void
refuses_senders(Fixture *f, gconstpointer data)
{
    expect_in(
        f,
        "MAIL FROM:<bert@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\nRSET\r\n"
        "MAIL FROM:<x@anna.example>\r\nRCPT TO:<c@example.net>\r\n",
        "250 550 503 250 250 250");
    /* Anybody may write to local addresses. */
    expect_in(f,
              "MAIL FROM:<cron@nas.lan>\r\nRCPT TO:<c@example.net>\r\nRCPT TO:<root>\r\n"
              "DATA\r\nFrom: cron@nas.lan\r\n\r\nx\r\n.\r\n",
              "250 550 250 354 250");
    expect_in(f,
              ENVELOPE "DATA\r\nFrom: bert@example.net\r\n\r\nx\r\n.\r\n" ENVELOPE
                       "DATA\r\n" HEADER "\r\n.\r\n",
              "250 250 354 550 250 250 354 250");
    /* The null path needs a From that is an identity. */
    expect_in(f,
              "MAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\nDATA\r\n" HEADER "\r\n.\r\n"
              "MAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\n"
              "DATA\r\nFrom: b@c.example\r\n\r\n.\r\n",
              "250 250 354 250 250 250 354 550");
    g_assert_cmpuint(f->memory.committed, ==, 3);
}

static void
a_socket_is_logged_in(Fixture *f, gconstpointer data)
{
    f->caller.local_socket = TRUE;
    expect(f, "MAIL FROM:<>\r\nEHLO x\r\n" ENVELOPE "DATA\r\n" HEADER "\r\n.\r\n",
           "220 503 250 250 250 354 250");
    g_assert_cmpstr(f->memory.client, ==, "sendmail");
}

static void
resources_are_4xx(Fixture *f, gconstpointer data)
{
    f->memory.fault = SMTP_INTAKE_FULL_AT_BEGIN;
    expect_in(f, ENVELOPE "DATA\r\n", "250 250 452");
    f->memory.fault = SMTP_INTAKE_FULL_AT_APPEND;
    expect_in(f, ENVELOPE "DATA\r\n" HEADER "\r\nx\r\n.\r\nNOOP\r\n",
              "250 250 354 452 250");
    f->memory.fault = SMTP_INTAKE_BROKEN_AT_COMMIT;
    expect_in(f, ENVELOPE "DATA\r\n" HEADER "\r\nx\r\n.\r\nNOOP\r\n",
              "250 250 354 451 250");
    g_assert_cmpuint(f->memory.committed, ==, 0);
}

static void
bounds_recipients(Fixture *f, gconstpointer data)
{
    f->options.max_recipients = 2;
    expect_in(f, ENVELOPE "RCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nRCPT TO:<g@h>\r\n",
              "250 250 250 452 452");
}

static void
bounds_the_size(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_strnfill(998, 'x');
    g_autoptr(GString) input = g_string_new(ENVELOPE "DATA\r\n" HEADER "\r\n");

    f->options.max_message_size = 64 * 1024;
    for (int i = 0; i < 100; i++)
        g_string_append_printf(input, "%s\r\n", line);
    g_string_append(input, ".\r\nNOOP\r\nMAIL FROM:<anna@example.org> SIZE=65537\r\n"
                           "MAIL FROM:<anna@example.org> SIZE=65536\r\n");
    expect_in(f, input->str, "250 250 354 552 250 552 250");
    g_assert_cmpuint(f->memory.committed, ==, 0);
}

static void
bounds_the_header(Fixture *f, gconstpointer data)
{
    g_autofree char *line = g_strnfill(900, 'x');
    g_autoptr(GString) input = g_string_new(ENVELOPE "DATA\r\n" HEADER);

    for (int i = 0; i < 300; i++)
        g_string_append_printf(input, "X-Long: %s\r\n", line);
    g_string_append(input, "\r\nbody\r\n.\r\nNOOP\r\n");
    expect_in(f, input->str, "250 250 354 552 250");
}

static void
counts_hops(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) input = g_string_new(ENVELOPE "DATA\r\n");

    for (int i = 0; i < 51; i++)
        g_string_append(input,
                        "Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\r\n");
    g_string_append(input, HEADER "\r\n.\r\n");
    expect_in(f, input->str, "250 250 354 554");
}

/* C8: whatever stands around a dot, it is one message or none. */
static void
cannot_be_smuggled_into(Fixture *f, gconstpointer data)
{
    static const char *const ends[] = {
        "\n.\n", "\n.\r\n", "\r\n.\n",     "\r.\r",       "\r\n.\r",
        "\n.\r", "\r.\r\n", "\r\n\r.\r\n", "\r\n.\r\r\n", "\n\n.\r\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *input =
            g_strconcat(ENVELOPE "DATA\r\n" HEADER "\r\nx", ends[i],
                        ENVELOPE "DATA\r\n" HEADER "\r\nsmuggled\r\n.\r\nNOOP\r\n", NULL);

        expect_in(f, input, "250 250 354 550 250");
    }
    g_assert_cmpuint(f->memory.committed, ==, 0);
}

static void
nul_in_data_is_refused(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) input = g_string_new("EHLO x\r\n");
    g_autofree char *output = NULL;
    g_autofree char *got = NULL;

    g_string_append(input, f->auth);
    g_string_append(input, ENVELOPE "DATA\r\n" HEADER "\r\na");
    g_string_append_len(input, "\0b\r\n.\r\nNO\0OP\r\n", 14);
    output = talk(f, hp_slice_of_string(input));
    got = codes(output);
    g_assert_cmpstr(got, ==, "220 250 235 250 250 354 550 500");
}

static void
broken_off_is_not_kept(Fixture *f, gconstpointer data)
{
    expect_in(f, ENVELOPE "DATA\r\n" HEADER "\r\nhalf a mess", "250 250 354");
    expect_in(f, ENVELOPE "DATA\r\n" HEADER "\r\nx\r\n.\r", "250 250 354");
    g_assert_cmpuint(f->memory.committed, ==, 0);
}

static void
odd_messages_are_taken(Fixture *f, gconstpointer data)
{
    static const char *const rows[] = { "", "\r\n", "\r\nbody\r\n", "Subject: x\r\n",
                                        "From: anna@example.org\r\n" };

    f->caller.local_socket = TRUE; /* adds From */
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *input =
            g_strconcat("EHLO x\r\n" ENVELOPE "DATA\r\n", rows[i], ".\r\n", NULL);

        expect(f, input, "220 250 250 250 354 250");
        g_assert_nonnull(strstr(f->memory.bytes->str, "\r\nDate: "));
        g_assert_nonnull(strstr(f->memory.bytes->str, "\r\nMessage-ID: "));
    }
}

static void
bcc_is_removed(Fixture *f, gconstpointer data)
{
    expect_in(f, ENVELOPE "DATA\r\nBcc: secret@example.net\r\n" HEADER "\r\nx\r\n.\r\n",
              "250 250 354 250");
    g_assert_null(strstr(f->memory.bytes->str, "secret"));
}

static void
http_is_cut_off(Fixture *f, gconstpointer data)
{
    static const char *const rows[] = { "POST /secretpath HTTP/1.1\r\nHost: a\r\n\r\n",
                                        "GET /secretpath\nX\r\n",
                                        "X-Secretpath: 1\r\nEHLO x\r\n" };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *output = talk(f, hp_slice_of(rows[i]));
        g_autofree char *lower = g_ascii_strdown(output, -1);
        g_autofree char *got = codes(output);

        g_assert_cmpstr(got, ==, "220 421");
        g_assert_null(strstr(lower, "secretpath"));
    }
}

static void
a_tls_hello_is_cut_off(Fixture *f, gconstpointer data)
{
    expect(f, "\x16\x03\x01\x02", "220");
}

static void
patience_is_limited(Fixture *f, gconstpointer data)
{
    g_autoptr(GString) input = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);

    expect(f, "X\r\nX\r\nX\r\nX\r\nNOOP\r\n", "220 500 500 500 421");
    for (int i = 0; i < 25; i++)
        g_string_append(input, "X\r\n");
    for (int i = 0; i < 20; i++)
        g_string_append(want, "500 ");
    g_string_append(want, "421");
    expect_in(f, input->str, want->str);
}

static void
login_can_fail(Fixture *f, gconstpointer data)
{
    /* The same wrong password by PLAIN and LOGIN, as Thunderbird does, then the right
     * one: no delay, no end. "anna@example.org", "wrong". */
    g_autofree char *input =
        g_strconcat("EHLO x\r\nAUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAd3Jvbmc=\r\n"
                    "AUTH LOGIN\r\nYW5uYUBleGFtcGxlLm9yZw==\r\nd3Jvbmc=\r\n",
                    f->auth, "NOOP\r\n", NULL);

    expect(f, input, "220 250 535 334 334 535 235 250");
    expect(f, "EHLO x\r\nAUTH PLAIN\r\n*\r\nAUTH CRAM-MD5\r\nNOOP\r\n",
           "220 250 334 501 504 250");
    expect(f, "EHLO x\r\nAUTH PLAIN !\r\nAUTH PLAIN =\r\nNOOP\r\n",
           "220 250 501 501 250");
}

static gboolean
login_never(gpointer data, const char *credential)
{
    return FALSE;
}

static void
too_many_sessions_is_421(Fixture *f, gconstpointer data)
{
    g_autofree char *input = g_strconcat("EHLO x\r\n", f->auth, "NOOP\r\n", NULL);

    f->caller.login = login_never;
    expect(f, input, "220 250 421");
    f->caller.local_socket = TRUE;
    expect(f, "EHLO x\r\n", "421");
}

static void
no_login_in_plain_text(Fixture *f, gconstpointer data)
{
    g_autofree char *input = g_strconcat("EHLO x\r\n", f->auth, "MAIL FROM:<>\r\n", NULL);
    g_autofree char *output = NULL;

    f->options.plaintext_allowed = FALSE;
    expect(f, input, "220 250 538 530");
    output = talk(f, hp_slice_of(input));
    g_assert_null(strstr(output, "250-AUTH"));
}

static void
smtputf8_needs_its_parameter(Fixture *f, gconstpointer data)
{
    expect_in(f,
              "MAIL FROM:<\xc3\xa4@anna.example>\r\nMAIL FROM:<anna@example.org>\r\n"
              "RCPT TO:<b\xc3\xbc@example.net>\r\nRSET\r\n"
              "MAIL FROM:<\xc3\xa4@anna.example> SMTPUTF8\r\n"
              "RCPT TO:<b\xc3\xbc@example.net>\r\nDATA\r\n" HEADER "\r\n.\r\n",
              "550 250 553 250 250 250 354 250");
    g_assert_true(f->memory.smtputf8);
}

/* --- every command after every other, C16 ----------------------------------------------
 */

typedef enum {
    FRESH,
    GREETED,
    READY,
    OPEN,
    ADDRESSED,
    ENDED,
} ModelState;

typedef struct {
    const char *send;
    struct {
        guint code;
        int next; /* ModelState, or -1: the same */
    } by_state[5];
} ModelCommand;

#define SAME -1
#define ALL(code)                                                                        \
    {                                                                                    \
        { code, SAME }, { code, SAME }, { code, SAME }, { code, SAME },                  \
        {                                                                                \
            code, SAME                                                                   \
        }                                                                                \
    }

static const ModelCommand model[] = {
    { "EHLO x\r\n",
      { { 250, GREETED },
        { 250, SAME },
        { 250, SAME },
        { 250, READY },
        { 250, READY } } },
    { "HELO x\r\n",
      { { 250, GREETED },
        { 250, SAME },
        { 250, SAME },
        { 250, READY },
        { 250, READY } } },
    { "MAIL FROM:<anna@example.org>\r\n",
      { { 503, SAME }, { 530, SAME }, { 250, OPEN }, { 503, SAME }, { 503, SAME } } },
    { "RCPT TO:<bert@example.net>\r\n",
      { { 503, SAME },
        { 530, SAME },
        { 503, SAME },
        { 250, ADDRESSED },
        { 250, SAME } } },
    { "RCPT TO:<>\r\n",
      { { 503, SAME }, { 530, SAME }, { 503, SAME }, { 501, SAME }, { 501, SAME } } },
    { "DATA\r\n",
      { { 503, SAME }, { 530, SAME }, { 503, SAME }, { 503, SAME }, { 354, READY } } },
    { "RSET\r\n",
      { { 250, SAME }, { 250, SAME }, { 250, SAME }, { 250, READY }, { 250, READY } } },
    { "NOOP\r\n", ALL(250) },
    { "HELP\r\n", ALL(214) },
    { "VRFY anna\r\n", ALL(252) },
    { "EXPN anna\r\n", ALL(502) },
    { "STARTTLS\r\n", ALL(503) }, /* none in this test: no certificate */
    { "RSET x\r\n", ALL(501) },
    { "EHLO\r\n", ALL(501) },
    { "XYZZY\r\n", ALL(500) },
    { "AUTH PLAIN",
      { { 503, SAME }, { 235, READY }, { 503, SAME }, { 503, SAME }, { 503, SAME } } },
    { "QUIT\r\n",
      { { 221, ENDED },
        { 221, ENDED },
        { 221, ENDED },
        { 221, ENDED },
        { 221, ENDED } } },
};

static void
add_command(Fixture *f, const ModelCommand *command, ModelState *state, GString *input,
            GString *want)
{
    guint code = 0;

    if (*state == ENDED)
        return;
    code = command->by_state[*state].code;
    g_string_append(input,
                    g_str_equal(command->send, "AUTH PLAIN") ? f->auth : command->send);
    g_string_append_printf(want, " %u", code);
    if (code == 354) {
        g_string_append(input, HEADER "\r\nx\r\n.\r\n");
        g_string_append(want, " 250");
    }
    if (command->by_state[*state].next != SAME)
        *state = (ModelState)command->by_state[*state].next;
}

static void
every_pair_from(Fixture *f, const char *begin, const char *replies, ModelState state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(model); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(model); j++) {
            ModelState now = state;
            g_autoptr(GString) input = g_string_new(begin);
            g_autoptr(GString) want = g_string_new(replies);

            add_command(f, &model[i], &now, input, want);
            add_command(f, &model[j], &now, input, want);
            expect(f, input->str, want->str);
        }
    }
}

static void
every_pair_of_commands(Fixture *f, gconstpointer data)
{
    g_autofree char *ready = g_strconcat("EHLO x\r\n", f->auth, NULL);
    g_autofree char *open = g_strconcat(ready, "MAIL FROM:<anna@example.org>\r\n", NULL);
    g_autofree char *addressed = g_strconcat(ready, ENVELOPE, NULL);

    every_pair_from(f, "", "220", FRESH);
    every_pair_from(f, "EHLO x\r\n", "220 250", GREETED);
    every_pair_from(f, ready, "220 250 235", READY);
    every_pair_from(f, open, "220 250 235 250", OPEN);
    every_pair_from(f, addressed, "220 250 235 250 250", ADDRESSED);
}

#define ADD(path, run)                                                                   \
    g_test_add("/smtp-session/" path, Fixture, NULL, set_up, run, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("takes-a-message", takes_a_message);
    ADD("names-the-message", names_the_message);
    ADD("keeps-what-dsn-wants", keeps_what_dsn_wants);
    ADD("completes-addresses", completes_addresses);
    ADD("refuses-senders", refuses_senders);
    ADD("a-socket-is-logged-in", a_socket_is_logged_in);
    ADD("resources-are-4xx", resources_are_4xx);
    ADD("bounds-recipients", bounds_recipients);
    ADD("bounds-the-size", bounds_the_size);
    ADD("bounds-the-header", bounds_the_header);
    ADD("counts-hops", counts_hops);
    ADD("cannot-be-smuggled-into", cannot_be_smuggled_into);
    ADD("nul-in-data-is-refused", nul_in_data_is_refused);
    ADD("broken-off-is-not-kept", broken_off_is_not_kept);
    ADD("odd-messages-are-taken", odd_messages_are_taken);
    ADD("bcc-is-removed", bcc_is_removed);
    ADD("http-is-cut-off", http_is_cut_off);
    ADD("a-tls-hello-is-cut-off", a_tls_hello_is_cut_off);
    ADD("patience-is-limited", patience_is_limited);
    ADD("login-can-fail", login_can_fail);
    ADD("too-many-sessions-is-421", too_many_sessions_is_421);
    ADD("no-login-in-plain-text", no_login_in_plain_text);
    ADD("smtputf8-needs-its-parameter", smtputf8_needs_its_parameter);
    ADD("every-pair-of-commands", every_pair_of_commands);
    return g_test_run();
}
