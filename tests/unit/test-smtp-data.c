#include "hp-smtp-data.h"

#include "smtp-fixture.h"

#include "hp-thread.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE                                                                          \
    "From: anna@example.org\r\nSubject: x\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"  \
    "Message-ID: <1@example.org>\r\n\r\nbody\r\n"

typedef struct {
    SmtpMemory memory;
    HpSmtpServerOptions options;
    HpEnvelope *envelope; /* (owned) */
    HpSmtpRefusal refusal;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->options = smtp_options(smtp_memory_open(&f->memory), NULL);
    f->envelope = hp_envelope_new();
    g_free(f->envelope->sender);
    f->envelope->sender = g_strdup("anna@example.org");
    hp_envelope_add(f->envelope, "bert@example.net");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(f->memory.drafts, ==, 0);
    hp_smtp_refusal_clear(&f->refusal);
    hp_envelope_free(f->envelope);
    hp_identities_unref(f->options.identities);
    smtp_memory_close(&f->memory);
}

typedef struct {
    int fd;
    HpSlice bytes;
    size_t step; /* octets a send */
} Writer;

static void
write_out(gpointer data)
{
    const Writer *writer = data;

    for (size_t at = 0; at < writer->bytes.len; at += writer->step) {
        size_t len = MIN(writer->step, writer->bytes.len - at);

        if (send(writer->fd, writer->bytes.data + at, len, MSG_NOSIGNAL) != (gssize)len)
            break;
        g_thread_yield(); /* so that the reader may see it alone */
    }
    shutdown(writer->fd, SHUT_WR);
}

/* %FALSE if the block had no end. */
static gboolean
receive(HpSmtpData *data, HpSlice bytes, size_t step)
{
    int fds[2];
    Writer writer = { -1, bytes, step };
    HpThread *thread = NULL;
    gboolean whole = FALSE;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    writer.fd = fds[1];
    thread = hp_thread_start("writer", write_out, &writer, NULL);
    {
        g_autoptr(HpChannel) channel = hp_channel_new(fds[0]);

        whole = hp_smtp_data_receive(data, channel, NULL);
    }
    hp_thread_join(thread);
    close(fds[1]);
    return whole;
}

static void
does_not_begin_without_room(Fixture *f, gconstpointer data)
{
    f->memory.fault = SMTP_INTAKE_FULL_AT_BEGIN;
    g_assert_null(hp_smtp_data_open(&f->options, f->envelope, 0, &f->refusal));
    g_assert_cmpuint(f->refusal.code, ==, 452);
    g_assert_cmpstr(f->refusal.enhanced, ==, "4.3.1");
    g_assert_nonnull(f->refusal.text);
}

static void
forgets_what_was_not_committed(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSmtpData) never = hp_smtp_data_open(&f->options, f->envelope, 0, NULL);
    g_autoptr(HpSmtpData) cut = hp_smtp_data_open(&f->options, f->envelope, 0, NULL);

    g_assert_false(receive(cut, HP_SLICE_LITERAL(MESSAGE), 1000));
    g_assert_cmpuint(f->memory.drafts, ==, 1);
    g_clear_pointer(&never, hp_smtp_data_free);
    g_assert_cmpuint(f->memory.drafts, ==, 0);
    g_assert_cmpuint(f->memory.committed, ==, 0);
}

/* Wherever the pieces end, header and body are told apart at the same place. */
static void
bears_any_pieces(Fixture *f, gconstpointer data)
{
    for (size_t step = 1; step < 12; step++) {
        g_autoptr(HpSmtpData) block =
            hp_smtp_data_open(&f->options, f->envelope, 0, &f->refusal);
        g_autofree char *id = NULL;

        hp_smtp_data_set_origin(block, "ESMTPSA", "7E5T00");
        g_assert_true(receive(block, HP_SLICE_LITERAL(MESSAGE ".\r\n"), step));
        g_assert_true(hp_smtp_data_commit(block, &id, &f->refusal));
        g_assert_cmpstr(id, ==, "7Q2KXM");
        g_assert_true(g_str_has_suffix(f->memory.bytes->str, "\r\n" MESSAGE));
        g_assert_nonnull(strstr(f->memory.bytes->str, "ESMTPSA"));
        g_clear_pointer(&f->envelope->subject, g_free);
        g_clear_pointer(&f->envelope->message_id, g_free);
    }
}

static void
says_the_cause_first(Fixture *f, gconstpointer data)
{
    g_autoptr(HpSmtpData) block = NULL;
    g_autofree char *id = NULL;

    f->options.max_message_size = 16;
    block = hp_smtp_data_open(&f->options, f->envelope, 0, &f->refusal);
    /* Too large, and with a bare LF: that is what cannot be mended by a smaller one. */
    g_assert_true(receive(block, HP_SLICE_LITERAL(MESSAGE "a\nb\r\n.\r\n"), 1000));
    g_assert_false(hp_smtp_data_commit(block, &id, &f->refusal));
    g_assert_cmpuint(f->refusal.code, ==, 550);
    g_assert_cmpstr(f->refusal.enhanced, ==, "5.5.2");
}

static void
megabytes_are_rounded_up(void)
{
    g_assert_cmpuint(hp_smtp_megabytes(0), ==, 0);
    g_assert_cmpuint(hp_smtp_megabytes(1), ==, 1);
    g_assert_cmpuint(hp_smtp_megabytes(1048576), ==, 1);
    g_assert_cmpuint(hp_smtp_megabytes(1048577), ==, 2);
    g_assert_cmpuint(hp_smtp_megabytes(G_MAXINT64), ==, G_MAXUINT);
}

#define ADD(path, run)                                                                   \
    g_test_add("/smtp-data/" path, Fixture, NULL, set_up, run, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("does-not-begin-without-room", does_not_begin_without_room);
    ADD("forgets-what-was-not-committed", forgets_what_was_not_committed);
    ADD("bears-any-pieces", bears_any_pieces);
    ADD("says-the-cause-first", says_the_cause_first);
    g_test_add_func("/smtp-data/megabytes-are-rounded-up", megabytes_are_rounded_up);
    return g_test_run();
}
