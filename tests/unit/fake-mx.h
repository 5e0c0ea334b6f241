/* fake-mx: a mail server for tests that follows a script, connection by connection.
 *
 *   "S: text"   sends the line          "S< bytes"  sends exactly these
 *   "C: text"   the next line is this; a final * matches any ending
 *   "DATA"      reads a message; "CUT" reads 64 KiB of it and closes
 *   "TLS"       shakes hands             "EOF"       the other side must close
 *   "CLOSE"     closes                   "NEW"       waits for the next connection
 *
 * Threads: made and freed by the test's; it has one of its own.
 */
#pragma once

#include "hp-dots.h"
#include "hp-fs.h"
#include "hp-lines.h"
#include "hp-thread.h"
#include "hp-tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    const char *const *script; /* (unowned): ended by NULL */
    HpTlsIdentity *identity;   /* (unowned) (nullable) */
    HpThread *thread;
    int listener;
    guint16 port;
    char *problem;    /* (owned) (nullable): where it went off the script */
    GString *content; /* (owned): what DATA read, all of them */
    guint connections;
} FakeMx;

static inline gboolean
fake_mx_keep(HpSlice piece, gpointer data)
{
    g_string_append_len(data, piece.data, (gssize)piece.len);
    return TRUE;
}

static inline HpChannel *
fake_mx_accept(FakeMx *self)
{
    int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
    HpChannel *channel;

    if (fd < 0)
        return NULL;
    self->connections++;
    channel = hp_channel_new(fd);
    hp_channel_set_timeout(channel, 20 * G_USEC_PER_SEC);
    return channel;
}

static inline char *
fake_mx_expect(HpChannel *channel, const char *want)
{
    g_autoptr(GError) error = NULL;
    HpSlice line;
    gsize len = strlen(want);

    if (hp_lines_read(channel, 8192, &line, &error) != HP_LINE_OK)
        return g_strdup_printf("wanted %s, got %s", want,
                               error != NULL ? error->message : "a bad line");
    if (len > 0 && want[len - 1] == '*' && line.len >= len - 1 &&
        memcmp(line.data, want, len - 1) == 0)
        return NULL;
    if (hp_slice_equal(line, hp_slice_of(want)))
        return NULL;
    return g_strdup_printf("wanted %s, got %.*s", want, (int)line.len, line.data);
}

static inline char *
fake_mx_step(FakeMx *self, HpChannel **channel, const char *step)
{
    g_autoptr(GError) error = NULL;
    HpDotsSummary sum;

    if (g_str_has_prefix(step, "S: "))
        hp_channel_printf(*channel, NULL, "%s\r\n", step + 3);
    else if (g_str_has_prefix(step, "S< "))
        hp_channel_write(*channel, hp_slice_of(step + 3), NULL);
    else if (g_str_has_prefix(step, "C: "))
        return fake_mx_expect(*channel, step + 3);
    else if (strcmp(step, "DATA") == 0 &&
             !hp_dots_read(*channel, fake_mx_keep, self->content, &sum, &error))
        return g_strdup(error->message);
    else if (strcmp(step, "CUT") == 0)
        hp_channel_fill(*channel, NULL);
    else if (strcmp(step, "TLS") == 0) {
        hp_channel_flush(*channel, NULL);
        if (!hp_channel_start_tls_server(*channel, self->identity, NULL, &error))
            return g_strdup(error->message);
    } else if (strcmp(step, "EOF") == 0) {
        hp_channel_flush(*channel, NULL);
        if (hp_channel_fill(*channel, NULL))
            return g_strdup("wanted the end");
    } else if (strcmp(step, "CLOSE") == 0 || strcmp(step, "NEW") == 0) {
        hp_channel_flush(*channel, NULL);
        g_clear_pointer(channel, hp_channel_free);
        if (strcmp(step, "NEW") == 0)
            *channel = fake_mx_accept(self);
    }
    return NULL;
}

static inline void
fake_mx_run(gpointer data)
{
    FakeMx *self = data;
    HpChannel *channel = fake_mx_accept(self);

    for (guint i = 0; self->script[i] != NULL && self->problem == NULL; i++) {
        if (channel == NULL) {
            if (strcmp(self->script[i], "NEW") == 0)
                channel = fake_mx_accept(self);
            if (channel == NULL)
                self->problem =
                    g_strdup_printf("no connection at \"%s\"", self->script[i]);
            continue;
        }
        self->problem = fake_mx_step(self, &channel, self->script[i]);
    }
    if (channel != NULL) {
        hp_channel_flush(channel, NULL);
        hp_channel_free(channel);
    }
}

/* @port: 0 for a free one. */
static inline FakeMx *
fake_mx_new(const char *const *script, HpTlsIdentity *identity, const char *address,
            guint16 port)
{
    FakeMx *self = g_new0(FakeMx, 1);
    struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t len = sizeof(in4);
    int on = 1;

    self->script = script;
    self->identity = identity;
    self->content = g_string_new(NULL);
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(self->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    g_assert_cmpint(inet_pton(AF_INET, address, &in4.sin_addr), ==, 1);
    g_assert_cmpint(bind(self->listener, (struct sockaddr *)&in4, len), ==, 0);
    g_assert_cmpint(listen(self->listener, 5), ==, 0);
    g_assert_cmpint(getsockname(self->listener, (struct sockaddr *)&in4, &len), ==, 0);
    self->port = ntohs(in4.sin_port);
    self->thread = hp_thread_start("fake-mx", fake_mx_run, self, NULL);
    return self;
}

/* Waits for the end of the script; what it read may be looked at then. */
static inline void
fake_mx_wait(FakeMx *self)
{
    shutdown(self->listener, SHUT_RDWR); /* wakes an accept that nobody answers */
    if (self->thread != NULL)
        hp_thread_join(g_steal_pointer(&self->thread));
}

/* Fails the test where it went off the script. */
static inline void
fake_mx_free(FakeMx *self)
{
    fake_mx_wait(self);
    close(self->listener);
    if (self->problem != NULL)
        g_error("fake-mx: %s", self->problem); /* nocheck: ends the test */
    g_string_free(self->content, TRUE);
    g_free(self);
}
