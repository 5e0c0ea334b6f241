#include "fake-dns.h"
#include "hp-resolver.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

static const FakeRecord zone[] = {
    { "example.org", 6, 0, "ns" },
    { "example.org", 15, 10, "mx1.example.org" },
    { "example.org", 15, 20, "mx2.example.org" },
    { "mx1.example.org", 1, 0, "192.0.2.1" },
    { "mx1.example.org", 28, 0, "2001:db8::1" },
    { "text.example.org", 16, 0, "v=spf1 -all" },
    { "alias.example.org", 5, 0, "mx1.example.org" },
    { "step1.example.org", 5, 0, "step2.example.org" },
    { "step2.example.org", 5, 0, "mx1.example.org" },
    { "loop1.example.org", 5, 0, "loop2.example.org" },
    { "loop2.example.org", 5, 0, "loop1.example.org" },
    { "steploop1.example.org", 5, 0, "steploop2.example.org" },
    { "steploop2.example.org", 5, 0, "steploop1.example.org" },
    { "ad.example.org", 1, 0, "192.0.2.3" },
    { "tc.example.org", 1, 0, "192.0.2.4" },
    { NULL, 0, 0, NULL },
};

/* No zone at all: a resolver that says no to everything. */
static const FakeRecord nothing[] = { { NULL, 0, 0, NULL } };

static HpResolver *
resolver_for(const FakeDns *dns, int timeout_ms)
{
    g_autofree char *text = g_strdup("nameserver 127.0.0.1\n");
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("resolv-XXXXXX", &path, &error);
    HpResolver *resolver;

    g_assert_no_error(error);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    resolver = hp_resolver_new_for_file(path, dns->port, timeout_ms, &error);
    g_assert_no_error(error);
    /* The thread reads the file when it starts; an answer proves that it has. */
    hp_dns_answer_free(hp_resolver_ask(resolver, "mx2.example.org", HP_DNS_A, 5000));
    g_unlink(path);
    return resolver;
}

static void
expect(HpResolver *resolver, const char *name, HpDnsType type, HpDnsStatus want)
{
    g_autoptr(HpDnsAnswer) answer = hp_resolver_ask(resolver, name, type, 20000);

    g_test_message("%s: %s", name, answer->problem != NULL ? answer->problem : "ok");
    g_assert_cmpint(answer->status, ==, want);
    g_assert_true((answer->problem == NULL) == (want == HP_DNS_OK));
    g_assert_true((answer->records->len > 0) == (want == HP_DNS_OK));
}

static const char *
text_of(const HpDnsAnswer *answer, guint i)
{
    return ((const HpDnsRecord *)g_ptr_array_index(answer->records, i))->text;
}

static void
answers_with_records(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autoptr(HpDnsAnswer) mx = hp_resolver_ask(resolver, "Example.ORG", HP_DNS_MX, 5000);
    g_autoptr(HpDnsAnswer) a =
        hp_resolver_ask(resolver, "mx1.example.org", HP_DNS_A, 5000);
    g_autoptr(HpDnsAnswer) aaaa =
        hp_resolver_ask(resolver, "mx1.example.org", HP_DNS_AAAA, 5000);
    g_autoptr(HpDnsAnswer) txt =
        hp_resolver_ask(resolver, "text.example.org", HP_DNS_TXT, 5000);

    g_assert_cmpint(mx->status, ==, HP_DNS_OK);
    g_assert_cmpuint(mx->records->len, ==, 2);
    g_assert_cmpuint(((HpDnsRecord *)mx->records->pdata[1])->preference, ==, 20);
    g_assert_cmpstr(text_of(mx, 0), ==, "mx1.example.org");
    g_assert_cmpstr(mx->canonical, ==, "example.org");
    g_assert_cmpuint(mx->ttl_sec, ==, 300);
    g_assert_cmpstr(text_of(a, 0), ==, "192.0.2.1");
    g_assert_cmpstr(text_of(aaaa, 0), ==, "2001:db8::1");
    g_assert_cmpstr(text_of(txt, 0), ==, "v=spf1 -all");
    fake_dns_free(dns);
}

static void
follows_at_most_eight_aliases(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autoptr(HpDnsAnswer) in_packet =
        hp_resolver_ask(resolver, "alias.example.org", HP_DNS_A, 5000);
    g_autoptr(HpDnsAnswer) outside =
        hp_resolver_ask(resolver, "step1.example.org", HP_DNS_A, 5000);

    g_assert_cmpstr(in_packet->canonical, ==, "mx1.example.org");
    g_assert_cmpstr(text_of(in_packet, 0), ==, "192.0.2.1");
    g_assert_cmpstr(outside->canonical, ==, "mx1.example.org");
    g_assert_cmpstr(text_of(outside, 0), ==, "192.0.2.1");
    expect(resolver, "loop1.example.org", HP_DNS_A, HP_DNS_TEMPORARY);
    expect(resolver, "steploop1.example.org", HP_DNS_A, HP_DNS_TEMPORARY);
    fake_dns_free(dns);
}

static void
believes_nxdomain_only_with_proof(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    FakeDns *liar = fake_dns_new(nothing, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autofree char *lies = fake_dns_server(liar);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autoptr(HpResolver) fooled = hp_resolver_new(lies, NULL);

    /* The SOA that it names is asked for, and is there: two questions. */
    expect(resolver, "nobody.example.org", HP_DNS_MX, HP_DNS_NOT_FOUND);
    g_assert_cmpint(g_atomic_int_get(&dns->asked), ==, 2);
    expect(resolver, "other.example.org", HP_DNS_MX, HP_DNS_NOT_FOUND);
    g_assert_cmpint(g_atomic_int_get(&dns->asked), ==, 3);
    expect(resolver, "nosoa.example.org", HP_DNS_MX, HP_DNS_DOUBTFUL);
    expect(resolver, "elsewhere.example.net", HP_DNS_MX, HP_DNS_DOUBTFUL);
    /* Another network: nothing counts any more. */
    hp_resolver_network_changed(resolver);
    expect(resolver, "third.example.org", HP_DNS_MX, HP_DNS_NOT_FOUND);
    g_assert_cmpint(g_atomic_int_get(&dns->asked), ==, 7);
    /* One that says no to everything, also to the zone. */
    expect(fooled, "nobody.example.org", HP_DNS_MX, HP_DNS_DOUBTFUL);
    expect(fooled, "nobody.example.org", HP_DNS_MX, HP_DNS_DOUBTFUL);
    fake_dns_free(dns);
    fake_dns_free(liar);
}

static void
a_positive_answer_is_proof(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);

    expect(resolver, "mx1.example.org", HP_DNS_A, HP_DNS_OK);
    expect(resolver, "nobody.example.org", HP_DNS_MX, HP_DNS_NOT_FOUND);
    g_assert_cmpint(g_atomic_int_get(&dns->asked), ==, 2);
    fake_dns_free(dns);
}

static void
tells_no_data_from_faults(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autoptr(HpResolver) resolver = resolver_for(dns, 50);

    expect(resolver, "mx1.example.org", HP_DNS_MX, HP_DNS_NO_DATA);
    expect(resolver, "servfail.example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    expect(resolver, "silent.example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    expect(resolver, "garbage.example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    expect(resolver, "wrongid.example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    expect(resolver, "empty.example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    fake_dns_free(dns);
}

static void
names_that_cannot_exist_are_not_asked_for(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autofree char *long_label = g_strnfill(64, 'a');

    expect(resolver, "", HP_DNS_A, HP_DNS_NOT_FOUND);
    expect(resolver, "a..example.org", HP_DNS_A, HP_DNS_NOT_FOUND);
    expect(resolver, "a b.example.org", HP_DNS_A, HP_DNS_NOT_FOUND);
    expect(resolver, "a\\.example.org", HP_DNS_A, HP_DNS_NOT_FOUND);
    expect(resolver, long_label, HP_DNS_A, HP_DNS_NOT_FOUND);
    g_assert_cmpint(g_atomic_int_get(&dns->asked), ==, 0);
    fake_dns_free(dns);
}

static void
asks_again_by_tcp_and_uses_twenty_mx(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autoptr(HpDnsAnswer) many =
        hp_resolver_ask(resolver, "many.example.org", HP_DNS_MX, 10000);
    g_autoptr(HpDnsAnswer) cut =
        hp_resolver_ask(resolver, "tc.example.org", HP_DNS_A, 10000);

    g_assert_cmpint(many->status, ==, HP_DNS_OK);
    g_assert_cmpuint(many->records->len, ==, 20);
    g_assert_cmpstr(text_of(cut, 0), ==, "192.0.2.4");
    g_assert_cmpint(g_atomic_int_get(&dns->by_tcp), ==, 2);
    fake_dns_free(dns);
}

static void
no_resolver_means_no_answer_at_all(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);

    fake_dns_free(dns);
    expect(resolver, "example.org", HP_DNS_MX, HP_DNS_NO_RESOLVER);
}

static void
the_ad_bit_counts_from_loopback(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autofree char *both = g_strdup_printf("%s, 192.0.2.53", server);
    g_autoptr(HpResolver) local = hp_resolver_new(server, NULL);
    g_autoptr(HpResolver) mixed = hp_resolver_new(both, NULL);
    g_autoptr(HpDnsAnswer) yes = hp_resolver_ask(local, "ad.example.org", HP_DNS_A, 5000);
    g_autoptr(HpDnsAnswer) no = hp_resolver_ask(mixed, "ad.example.org", HP_DNS_A, 5000);
    g_autoptr(HpDnsAnswer) plain =
        hp_resolver_ask(local, "mx1.example.org", HP_DNS_A, 5000);

    g_assert_true(yes->authentic);
    g_assert_cmpint(no->status, ==, HP_DNS_OK);
    g_assert_false(no->authentic);
    g_assert_false(plain->authentic);
    fake_dns_free(dns);
}

static void
servers_are_numeric_addresses(void)
{
    static const char *const good[] = { "127.0.0.1", "127.0.0.1:5353", "::1",
                                        "[::1]:53",  "[2001:db8::1]",  "127.0.0.1,::1" };
    static const char *const bad[] = {
        "dns.example.org", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:5x", "[::1",
        "[127.0.0.1]",     "[::1]5"
    };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HpResolver) resolver = hp_resolver_new(good[i], &error);

        g_assert_no_error(error);
        g_assert_nonnull(resolver);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HpResolver) resolver = hp_resolver_new(bad[i], &error);

        g_assert_null(resolver);
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void
the_file_is_read_again_when_it_changes(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *dir = g_dir_make_tmp("resolv-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "resolv.conf", NULL);
    g_autoptr(HpResolver) resolver = NULL;

    /* Nobody listens on 127.9.9.9. */
    g_assert_true(g_file_set_contents(path, "nameserver 127.9.9.9\n", -1, NULL));
    resolver = hp_resolver_new_for_file(path, dns->port, 50, NULL);
    expect(resolver, "example.org", HP_DNS_MX, HP_DNS_NO_RESOLVER);
    g_assert_true(g_file_set_contents(path, "nameserver 127.0.0.1\n", -1, NULL));
    expect(resolver, "example.org", HP_DNS_MX, HP_DNS_OK);
    g_unlink(path);
    g_rmdir(dir);
    fake_dns_free(dns);
}

typedef struct {
    HpResolver *resolver;
    HpDnsStatus status;
} Asker;

static void
ask_silent(gpointer data)
{
    Asker *asker = data;
    g_autoptr(HpDnsAnswer) answer =
        hp_resolver_ask(asker->resolver, "silent.example.org", HP_DNS_A, 30000);

    asker->status = answer->status;
}

static void
abort_ends_all_questions(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    Asker askers[4];
    HpThread *threads[4];

    for (guint i = 0; i < 4; i++) {
        askers[i] = (Asker){ resolver, HP_DNS_OK };
        threads[i] = hp_thread_start("asker", ask_silent, &askers[i], NULL);
    }
    while (g_atomic_int_get(&dns->asked) < 4)
        g_usleep(1000);
    hp_resolver_network_changed(resolver); /* asks all of them again */
    while (g_atomic_int_get(&dns->asked) < 8)
        g_usleep(1000);
    hp_resolver_abort(resolver);
    for (guint i = 0; i < 4; i++) {
        hp_thread_join(threads[i]);
        g_assert_cmpint(askers[i].status, ==, HP_DNS_TEMPORARY);
    }
    expect(resolver, "example.org", HP_DNS_MX, HP_DNS_TEMPORARY);
    fake_dns_free(dns);
}

static void
a_deadline_ends_a_question(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpResolver) resolver = hp_resolver_new(server, NULL);
    g_autoptr(HpDnsAnswer) answer =
        hp_resolver_ask(resolver, "silent.example.org", HP_DNS_A, 50);

    g_assert_cmpint(answer->status, ==, HP_DNS_TEMPORARY);
    fake_dns_free(dns);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resolver/answers-with-records", answers_with_records);
    g_test_add_func("/resolver/follows-at-most-eight-aliases",
                    follows_at_most_eight_aliases);
    g_test_add_func("/resolver/believes-nxdomain-only-with-proof",
                    believes_nxdomain_only_with_proof);
    g_test_add_func("/resolver/a-positive-answer-is-proof", a_positive_answer_is_proof);
    g_test_add_func("/resolver/tells-no-data-from-faults", tells_no_data_from_faults);
    g_test_add_func("/resolver/names-that-cannot-exist-are-not-asked-for",
                    names_that_cannot_exist_are_not_asked_for);
    g_test_add_func("/resolver/asks-again-by-tcp-and-uses-twenty-mx",
                    asks_again_by_tcp_and_uses_twenty_mx);
    g_test_add_func("/resolver/no-resolver-means-no-answer-at-all",
                    no_resolver_means_no_answer_at_all);
    g_test_add_func("/resolver/the-ad-bit-counts-from-loopback",
                    the_ad_bit_counts_from_loopback);
    g_test_add_func("/resolver/servers-are-numeric-addresses",
                    servers_are_numeric_addresses);
    g_test_add_func("/resolver/the-file-is-read-again-when-it-changes",
                    the_file_is_read_again_when_it_changes);
    g_test_add_func("/resolver/abort-ends-all-questions", abort_ends_all_questions);
    g_test_add_func("/resolver/a-deadline-ends-a-question", a_deadline_ends_a_question);
    return g_test_run();
}
