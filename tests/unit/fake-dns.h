/* fake-dns: a name server on loopback for tests: real packets, UDP and TCP.
 *
 * Names that begin with a word of the table below misbehave as it says.
 *
 * Threads: made and freed by the test's; it has one of its own.
 */
#pragma once

#include "hp-thread.h"
#include "hp-waker.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    const char *name;
    guint16 type;       /* 1 A, 5 CNAME, 6 SOA, 15 MX, 16 TXT, 28 AAAA */
    guint16 preference; /* MX */
    const char *data;   /* address, host or text */
} FakeRecord;

typedef struct {
    const FakeRecord *records; /* (unowned): ended by a row without a name */
    const char *zone;          /* (unowned) (nullable): owner of the SOA; NULL: none */
    HpThread *thread;
    HpWaker *waker;
    int udp;
    int tcp;
    guint16 port;
    int stopping; /* atomic */
    int asked;    /* atomic: questions by UDP */
    int by_tcp;   /* atomic */
    int liar;     /* atomic: every name exists, at 10.0.0.1 (1) or 127.0.0.1 (2) */
} FakeDns;

static inline void
fake_put16(GByteArray *out, guint value)
{
    guint8 bytes[2] = { (guint8)(value >> 8), (guint8)value };

    g_byte_array_append(out, bytes, 2);
}

static inline void
fake_put_name(GByteArray *out, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);

    for (guint i = 0; labels[i] != NULL; i++) {
        guint8 len = (guint8)strlen(labels[i]);

        if (len == 0)
            continue;
        g_byte_array_append(out, &len, 1);
        g_byte_array_append(out, (const guint8 *)labels[i], len);
    }
    g_byte_array_append(out, (const guint8 *)"", 1);
}

static inline void
fake_put_record(GByteArray *out, const char *owner, const FakeRecord *r)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    guint8 address[16];

    if (r->type == 1 || r->type == 28) {
        g_assert_cmpint(inet_pton(r->type == 1 ? AF_INET : AF_INET6, r->data, address),
                        ==, 1);
        g_byte_array_append(data, address, r->type == 1 ? 4 : 16);
    } else if (r->type == 16) {
        guint8 len = (guint8)strlen(r->data);

        g_byte_array_append(data, &len, 1);
        g_byte_array_append(data, (const guint8 *)r->data, len);
    } else {
        if (r->type == 15)
            fake_put16(data, r->preference);
        fake_put_name(data, r->data);
        if (r->type == 6) {
            fake_put_name(data, "hostmaster");
            for (guint i = 0; i < 10; i++)
                fake_put16(data, 60);
        }
    }
    fake_put_name(out, owner);
    fake_put16(out, r->type);
    fake_put16(out, 1);
    fake_put16(out, 0);
    fake_put16(out, 300);
    fake_put16(out, data->len);
    g_byte_array_append(out, data->data, data->len);
}

static inline gboolean
fake_begins(const char *name, const char *word)
{
    return g_str_has_prefix(name, word);
}

/* The zone's records for the question, with the chain of CNAMEs before them. */
static inline guint
fake_put_answers(FakeDns *self, GByteArray *out, const char *name, guint type)
{
    g_autofree char *at = g_strdup(name);
    guint n = 0;

    for (guint hop = 0; hop < 20; hop++) {
        const char *next = NULL;

        for (const FakeRecord *r = self->records; r->name != NULL; r++) {
            if (g_ascii_strcasecmp(r->name, at) != 0 || (r->type != type && r->type != 5))
                continue;
            fake_put_record(out, r->name, r);
            n++;
            if (r->type == 5 && type != 5)
                next = r->data;
        }
        if (next == NULL || fake_begins(name, "step"))
            break;
        g_free(at);
        at = g_strdup(next);
    }
    return n;
}

static inline gboolean
fake_exists(FakeDns *self, const char *name)
{
    for (const FakeRecord *r = self->records; r->name != NULL; r++) {
        if (g_ascii_strcasecmp(r->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

static inline void
fake_set16(GByteArray *out, guint at, guint value)
{
    out->data[at] = (guint8)(value >> 8);
    out->data[at + 1] = (guint8)value;
}

/* Many MX, more than fit in a UDP packet. */
static inline guint
fake_put_many(GByteArray *out, const char *name, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *host = g_strdup_printf("mx%u.example.org", i);
        FakeRecord r = { name, 15, (guint16)i, host };

        fake_put_record(out, name, &r);
    }
    return n;
}

/* Turns a query into the reply that its name asks for; %NULL: says nothing. */
static inline GByteArray *
fake_reply(FakeDns *self, const guint8 *query, gsize len, gboolean tcp)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GString) name = g_string_new(NULL);
    gsize at = 12;
    guint type;
    guint answers = 0;
    guint flags = 0x8180;
    guint authority = 0;
    FakeRecord soa = { NULL, 6, 0, "ns" };

    g_assert_cmpuint(len, >, 16);
    while (query[at] != 0) {
        if (name->len > 0)
            g_string_append_c(name, '.');
        g_string_append_len(name, (const char *)query + at + 1, query[at]);
        at += 1u + query[at];
    }
    type = (guint)query[at + 1] << 8 | query[at + 2];
    at += 5;
    g_byte_array_append(out, query, (guint)at);
    if (fake_begins(name->str, "silent")) {
        g_byte_array_unref(out);
        return NULL;
    }
    if (fake_begins(name->str, "many"))
        answers = fake_put_many(out, name->str, tcp ? 1000 : 10);
    else if (g_atomic_int_get(&self->liar) != 0 && type == 1)
        fake_put_record(out, name->str,
                        &(FakeRecord){ name->str, 1, 0,
                                       g_atomic_int_get(&self->liar) == 1
                                           ? "10.0.0.1"
                                           : "127.0.0.1" }),
            answers = 1;
    else
        answers = fake_put_answers(self, out, name->str, type);
    if (fake_begins(name->str, "ad."))
        flags |= query[3] & 0x20;
    if (fake_begins(name->str, "servfail"))
        flags |= 2;
    else if (answers == 0 && !fake_exists(self, name->str))
        flags |= 3;
    if (!tcp && (fake_begins(name->str, "many") || fake_begins(name->str, "tc.")))
        flags |= 0x200;
    if (answers == 0 && self->zone != NULL && !fake_begins(name->str, "nosoa")) {
        soa.name = self->zone;
        fake_put_record(out, self->zone, &soa);
        authority = 1;
    }
    if (fake_begins(name->str, "garbage"))
        memset(out->data + at, 0xff, out->len - at);
    if (fake_begins(name->str, "wrongid"))
        out->data[0] ^= 0xff;
    fake_set16(out, 2, flags);
    fake_set16(out, 6, answers);
    fake_set16(out, 8, authority);
    fake_set16(out, 10, 0);
    if (fake_begins(name->str, "empty"))
        g_byte_array_set_size(out, 0);
    return out;
}

static inline void
fake_serve_udp(FakeDns *self)
{
    guint8 query[1500];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t n =
        recvfrom(self->udp, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
    g_autoptr(GByteArray) reply = NULL;

    if (n <= 0)
        return;
    g_atomic_int_inc(&self->asked);
    reply = fake_reply(self, query, (gsize)n, FALSE);
    if (reply != NULL)
        (void)!sendto(self->udp, reply->data, reply->len, 0, (struct sockaddr *)&from,
                      from_len);
}

static inline void
fake_serve_tcp(FakeDns *self)
{
    guint8 query[2 + 1500];
    gsize have = 0;
    int fd = accept(self->tcp, NULL, NULL);
    g_autoptr(GByteArray) reply = NULL;
    guint8 head[2];

    g_atomic_int_inc(&self->by_tcp);
    while (have < 2 || have < 2u + ((gsize)query[0] << 8 | query[1])) {
        ssize_t n = read(fd, query + have, sizeof(query) - have);

        if (n <= 0)
            break;
        have += (gsize)n;
    }
    if (have > 18)
        reply = fake_reply(self, query + 2, have - 2, TRUE);
    if (reply != NULL) {
        head[0] = (guint8)(reply->len >> 8);
        head[1] = (guint8)reply->len;
        (void)!send(fd, head, 2, MSG_NOSIGNAL | MSG_MORE);
        (void)!send(fd, reply->data, reply->len, MSG_NOSIGNAL);
    }
    close(fd);
}

static inline void
fake_dns_run(gpointer data)
{
    FakeDns *self = data;

    while (g_atomic_int_get(&self->stopping) == 0) {
        struct pollfd fds[3] = { { hp_waker_fd(self->waker), POLLIN, 0 },
                                 { self->udp, POLLIN, 0 },
                                 { self->tcp, POLLIN, 0 } };

        poll(fds, 3, -1);
        if (fds[0].revents != 0)
            hp_waker_clear(self->waker);
        if (fds[1].revents != 0)
            fake_serve_udp(self);
        if (fds[2].revents != 0)
            fake_serve_tcp(self);
    }
}

static inline FakeDns *
fake_dns_new(const FakeRecord *records, const char *zone)
{
    FakeDns *self = g_new0(FakeDns, 1);
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);

    self->records = records;
    self->zone = zone;
    self->waker = hp_waker_new(NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* The same port by TCP may be taken: then another one. */
    do {
        if (self->port != 0) {
            close(self->udp);
            close(self->tcp);
        }
        address.sin_port = 0;
        self->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        self->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_assert_cmpint(bind(self->udp, (struct sockaddr *)&address, len), ==, 0);
        g_assert_cmpint(getsockname(self->udp, (struct sockaddr *)&address, &len), ==, 0);
        self->port = ntohs(address.sin_port);
    } while (bind(self->tcp, (struct sockaddr *)&address, len) != 0);
    g_assert_cmpint(listen(self->tcp, 5), ==, 0);
    self->thread = hp_thread_start("fake-dns", fake_dns_run, self, NULL);
    g_assert_nonnull(self->thread);
    return self;
}

static inline void
fake_dns_free(FakeDns *self)
{
    g_atomic_int_set(&self->stopping, 1);
    hp_waker_ring(self->waker);
    hp_thread_join(self->thread);
    hp_waker_free(self->waker);
    close(self->udp);
    close(self->tcp);
    g_free(self);
}

static inline char *
fake_dns_server(const FakeDns *self)
{
    return g_strdup_printf("127.0.0.1:%u", self->port);
}
