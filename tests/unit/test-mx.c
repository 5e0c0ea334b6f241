#include "fake-dns.h"
#include "hp-mx.h"

static const FakeRecord zone[] = {
    { "example.org", 6, 0, "ns" },
    { "example.org", 15, 20, "b.example.org" },
    { "example.org", 15, 10, "a.example.org" },
    { "a.example.org", 1, 0, "127.0.0.1" },
    { "a.example.org", 28, 0, "::1" },
    { "b.example.org", 1, 0, "127.0.0.2" },
    { "xn--bcher-kva.example.org", 15, 10, "a.example.org" },
    { "alias.example.org", 5, 0, "implicit.example.org" },
    { "implicit.example.org", 1, 0, "127.0.0.3" },
    { "null.example.org", 15, 0, "" },
    { "textonly.example.org", 16, 0, "nothing else" },
    { "nohost.example.org", 15, 10, "nobody.example.org" },
    { "own.example.org", 15, 10, "a.example.org" },
    { "own.example.org", 15, 20, "me.example.org" },
    { "own.example.org", 15, 30, "b.example.org" },
    { "onlyme.example.org", 15, 20, "ME.example.org" },
    { "ownip.example.org", 15, 10, "myip.example.org" },
    { "myip.example.org", 1, 0, "127.0.0.9" },
    { "private.example.org", 15, 10, "ten.example.org" },
    { "ten.example.org", 1, 0, "10.0.0.1" },
    { "equal.example.org", 15, 10, "a.example.org" },
    { "equal.example.org", 15, 10, "b.example.org" },
    { "equal.example.org", 15, 10, "implicit.example.org" },
    { "large.example.org", 15, 10, "six.example.org" },
    { "six.example.org", 1, 0, "127.0.0.11" },
    { "six.example.org", 1, 0, "127.0.0.12" },
    { "six.example.org", 1, 0, "127.0.0.13" },
    { "six.example.org", 1, 0, "127.0.0.14" },
    { "six.example.org", 1, 0, "127.0.0.15" },
    { "six.example.org", 1, 0, "127.0.0.16" },
    { "six.example.org", 28, 0, "::1" },
    { "broken.example.org", 15, 10, "servfail.example.org" },
    { NULL, 0, 0, NULL },
};

static const char *const own[] = { "127.0.0.9", NULL };

typedef struct {
    FakeDns *dns;
    HpResolver *resolver;
    HpMxOptions options;
    HpRouteMemory memory;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autofree char *server = NULL;

    (void)data;
    f->dns = fake_dns_new(zone, "example.org");
    server = fake_dns_server(f->dns);
    f->resolver = hp_resolver_new(server, NULL);
    f->options = (HpMxOptions){ .resolver = f->resolver,
                                .hostname = "me.example.org",
                                .own_addresses = own,
                                .allow_private = TRUE,
                                .seed = 1 };
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    hp_resolver_free(f->resolver);
    fake_dns_free(f->dns);
}

/* "host=address host=address", or "outcome code enhanced", and "local" for what no name
 * server is to blame for. */
static char *
find(Fixture *f, const char *domain)
{
    g_autoptr(HpMxRoute) route = hp_mx_find(&f->options, domain, &f->memory);
    g_autoptr(GString) text = g_string_new(NULL);

    if (route->outcome != HP_OUTCOME_UNTRIED) {
        g_assert_cmpuint(strlen(route->reply.text), >, 10);
        g_assert_null(route->reply.host);
        g_assert_true(route->reply.stage == HP_STAGE_DNS ||
                      route->reply.stage == HP_STAGE_LOCAL);
        g_assert_cmpuint(route->targets->len, ==, 0);
        return g_strdup_printf("%d %u %s%s", (int)route->outcome, route->reply.code,
                               route->reply.enhanced,
                               route->reply.stage == HP_STAGE_LOCAL ? " local" : "");
    }
    for (guint i = 0; i < route->targets->len; i++) {
        const HpMxTarget *target = g_ptr_array_index(route->targets, i);

        g_string_append_printf(text, "%s%s=%s", i > 0 ? " " : "", target->host,
                               target->address);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

#define EXPECT(f, domain, want)                                                          \
    G_STMT_START                                                                         \
    {                                                                                    \
        g_autofree char *got = find(f, domain);                                          \
        g_assert_cmpstr(got, ==, want);                                                  \
    }                                                                                    \
    G_STMT_END

/* A message may have recipients at many domains. */
static void
says_which_domain_is_meant(Fixture *f, gconstpointer data)
{
    static const char *const domains[] = { "nobody.example.org", "null.example.org",
                                           "textonly.example.org" };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autoptr(HpMxRoute) route = hp_mx_find(&f->options, domains[i], &f->memory);

        g_assert_nonnull(strstr(route->reply.text, domains[i]));
    }
}

#define REFUSED  "2 "
#define DEFERRED "3 "
#define NETWORK  "4 "

static void
goes_by_preference(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "example.org",
           "a.example.org=127.0.0.1 a.example.org=::1 b.example.org=127.0.0.2");
    EXPECT(f, "B\303\274cher.example.org", "a.example.org=127.0.0.1 a.example.org=::1");
}

static void
without_mx_the_address_counts(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "implicit.example.org", "implicit.example.org=127.0.0.3");
    EXPECT(f, "alias.example.org", "alias.example.org=127.0.0.3");
    EXPECT(f, "textonly.example.org", REFUSED "550 5.1.2");
}

static void
some_domains_take_no_mail(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "null.example.org", REFUSED "556 5.1.10");
    EXPECT(f, "nobody.example.org", REFUSED "550 5.1.2");
    EXPECT(f, "nosoa.example.org", NETWORK "451 4.4.3");
    EXPECT(f, "servfail.example.org", DEFERRED "451 4.4.3");
    EXPECT(f, "broken.example.org", DEFERRED "451 4.4.3");
    EXPECT(f, "nohost.example.org", DEFERRED "451 4.4.4");
    EXPECT(f, "not a domain", REFUSED "550 5.1.2");
}

static void
never_to_ourselves(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "own.example.org", "a.example.org=127.0.0.1 a.example.org=::1");
    EXPECT(f, "onlyme.example.org", REFUSED "554 5.4.6 local");
    EXPECT(f, "ownip.example.org", REFUSED "554 5.4.6 local");
    EXPECT(f, "[127.0.0.9]", REFUSED "554 5.4.6 local");
}

static void
private_addresses_only_if_allowed(Fixture *f, gconstpointer data)
{
    (void)data;
    f->options.allow_private = FALSE;
    EXPECT(f, "private.example.org", REFUSED "554 5.4.6");
    EXPECT(f, "[127.0.0.1]", REFUSED "554 5.4.6");
    /* A network that gives every name an address is at fault itself. */
    g_atomic_int_set(&f->dns->liar, 1);
    {
        g_autoptr(HpMxRoute) route =
            hp_mx_find(&f->options, "implicit.example.org", &f->memory);

        g_assert_cmpint(route->outcome, ==, HP_OUTCOME_NETWORK);
        g_assert_true(route->has_evidence);
        g_assert_cmpint(route->evidence, ==, HP_LINK_SAW_PORTAL);
    }
    /* It has another address for what it invents than for this one. */
    {
        g_autoptr(HpMxRoute) route = hp_mx_find(&f->options, "[127.0.0.1]", &f->memory);

        g_assert_cmpint(route->outcome, ==, HP_OUTCOME_NETWORK);
        g_assert_cmpint(route->evidence, ==, HP_LINK_SAW_DNS_LIE);
    }
}

static void
literals_need_no_look_up(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "[127.0.0.1]", "127.0.0.1=127.0.0.1");
    EXPECT(f, "[IPv6:::1]", "::1=::1");
    EXPECT(f, "[1.2.3]", REFUSED "550 5.1.2");
    g_assert_cmpint(g_atomic_int_get(&f->dns->asked), ==, 0);
}

static void
five_addresses_of_both_families(Fixture *f, gconstpointer data)
{
    (void)data;
    EXPECT(f, "large.example.org",
           "six.example.org=127.0.0.11 six.example.org=127.0.0.12 "
           "six.example.org=127.0.0.13 six.example.org=127.0.0.14 six.example.org=::1");
    f->options.ipv6 = HP_MX_IPV6_NO;
    EXPECT(f, "large.example.org",
           "six.example.org=127.0.0.11 six.example.org=127.0.0.12 "
           "six.example.org=127.0.0.13 six.example.org=127.0.0.14 "
           "six.example.org=127.0.0.15");
}

static void
the_refused_family_comes_last(Fixture *f, gconstpointer data)
{
    (void)data;
    f->memory.refused_ipv4 = TRUE;
    EXPECT(f, "example.org",
           "a.example.org=::1 a.example.org=127.0.0.1 b.example.org=127.0.0.2");
    f->memory.refused_ipv6 = TRUE;
    EXPECT(f, "example.org",
           "a.example.org=127.0.0.1 a.example.org=::1 b.example.org=127.0.0.2");
    f->memory.refused_ipv4 = FALSE;
    EXPECT(f, "example.org",
           "a.example.org=127.0.0.1 b.example.org=127.0.0.2 a.example.org=::1");
}

static void
equal_ones_are_shuffled(Fixture *f, gconstpointer data)
{
    g_autoptr(GHashTable) orders =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *first = find(f, "equal.example.org");
    g_autofree char *again = find(f, "equal.example.org");

    (void)data;
    g_assert_cmpstr(first, ==, again); /* the seed decides */
    for (guint seed = 1; seed <= 50; seed++) {
        f->options.seed = seed;
        g_hash_table_add(orders, find(f, "equal.example.org"));
    }
    g_assert_cmpuint(g_hash_table_size(orders), ==, 6);
}

static void
says_when_nobody_answers(Fixture *f, gconstpointer data)
{
    g_autoptr(HpResolver) none = hp_resolver_new("127.0.0.1:1", NULL);
    g_autoptr(HpMxRoute) route = NULL;

    (void)data;
    f->options.resolver = none;
    route = hp_mx_find(&f->options, "example.org", &f->memory);
    g_assert_cmpint(route->outcome, ==, HP_OUTCOME_NETWORK);
    g_assert_cmpint(route->evidence, ==, HP_LINK_SAW_NO_DNS);
}

#define ADD(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/mx/says-which-domain-is-meant", says_which_domain_is_meant);
    ADD("/mx/goes-by-preference", goes_by_preference);
    ADD("/mx/without-mx-the-address-counts", without_mx_the_address_counts);
    ADD("/mx/some-domains-take-no-mail", some_domains_take_no_mail);
    ADD("/mx/never-to-ourselves", never_to_ourselves);
    ADD("/mx/private-addresses-only-if-allowed", private_addresses_only_if_allowed);
    ADD("/mx/literals-need-no-look-up", literals_need_no_look_up);
    ADD("/mx/five-addresses-of-both-families", five_addresses_of_both_families);
    ADD("/mx/the-refused-family-comes-last", the_refused_family_comes_last);
    ADD("/mx/equal-ones-are-shuffled", equal_ones_are_shuffled);
    ADD("/mx/says-when-nobody-answers", says_when_nobody_answers);
    return g_test_run();
}
