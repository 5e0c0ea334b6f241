#include "hp-ip.h"
#include "hp-link-facts.h"
#include "hp-routes.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gint64 now_usec;

static gint64
fake_now(gpointer data, HpClockKind kind)
{
    (void)data;
    (void)kind;
    return now_usec;
}

static const HpClock fake_clock = { fake_now, NULL };

/* One line of evidence: seconds since the line before, what, about whom. */
typedef struct {
    gint64 after_sec;
    HpLinkEvidence evidence;
    const char *destination;
} Seen;

#define FAIL  HP_LINK_SAW_CONNECT_FAIL
#define OTHER HP_LINK_SAW_FOREIGN
#define LIE   HP_LINK_SAW_DNS_LIE
#define HELLO HP_LINK_SAW_GREETING

static HpLinkState
state_after(HpLinkFacts facts, const Seen *seen)
{
    gint64 usec = G_USEC_PER_SEC;

    for (; seen->destination != NULL; seen++) {
        usec += seen->after_sec * G_USEC_PER_SEC;
        hp_link_facts_note(&facts, seen->evidence, seen->destination, usec);
    }
    return hp_link_facts_state(&facts);
}

static const struct {
    Seen seen[6];
    HpLinkState want;
} rows[] = {
    { { { 0 } }, HP_LINK_OK },
    /* One dead destination is that destination's fault. */
    { { { 0, FAIL, "mx.a.org" } }, HP_LINK_OK },
    { { { 0, FAIL, "mx.a.org" }, { 1, FAIL, "mx2.a.org" } }, HP_LINK_OK },
    { { { 0, FAIL, "mx.a.co.uk" }, { 1, FAIL, "mx.b.co.uk" } }, HP_LINK_NO_25 },
    { { { 0, FAIL, "mx.a.org" }, { 60, FAIL, "mx.b.org" } }, HP_LINK_NO_25 },
    { { { 0, FAIL, "mx.a.org" }, { 61, FAIL, "mx.b.org" } }, HP_LINK_OK },
    { { { 0, FAIL, "MX.A.org" }, { 1, FAIL, "mx.a.ORG" } }, HP_LINK_OK },
    /* Two names of one host that is down. */
    { { { 0, FAIL, "mx.a.org [192.0.2.1]" }, { 1, FAIL, "mx.b.org [192.0.2.1]" } },
      HP_LINK_OK },
    { { { 0, FAIL, "mx.a.org [192.0.2.1]" }, { 1, FAIL, "mx.b.org [192.0.2.2]" } },
      HP_LINK_NO_25 },
    { { { 0, FAIL, "[192.0.2.1]" }, { 1, FAIL, "[192.0.2.2]" } }, HP_LINK_NO_25 },
    /* Greeted in between, or since. */
    { { { 0, FAIL, "a.org" }, { 1, HELLO, "c.org" }, { 1, FAIL, "b.org" } }, HP_LINK_OK },
    { { { 0, FAIL, "a.org" }, { 1, FAIL, "b.org" }, { 1, HELLO, "c.org" } }, HP_LINK_OK },
    /* Where somebody has greeted, two may be dead: it takes three, or a known one. */
    { { { 0, HELLO, "c.org" }, { 1, FAIL, "a.org" }, { 1, FAIL, "b.org" } }, HP_LINK_OK },
    { { { 0, HELLO, "c.org" },
        { 1, FAIL, "a.org" },
        { 1, FAIL, "b.org" },
        { 1, FAIL, "mx.b.org" },
        { 1, FAIL, "a.org" } },
      HP_LINK_OK },
    { { { 0, HELLO, "c.org" },
        { 1, FAIL, "a.org" },
        { 1, FAIL, "b.org" },
        { 1, FAIL, "d.org" } },
      HP_LINK_NO_25 },
    { { { 0, HELLO, "c.org" },
        { 1, FAIL, "a.org" },
        { 40, FAIL, "b.org" },
        { 40, FAIL, "d.org" } },
      HP_LINK_OK },
    { { { 0, HELLO, "mx.c.org" }, { 9999, FAIL, "a.org" }, { 1, FAIL, "mx2.C.org" } },
      HP_LINK_NO_25 },
    { { { 0, HELLO, "c.org" }, { 1, FAIL, "c.org" }, { 1, FAIL, "a.org" } },
      HP_LINK_NO_25 },
    /* Time alone changes nothing. */
    { { { 0, FAIL, "a.org" }, { 1, FAIL, "b.org" }, { 9999, FAIL, "b.org" } },
      HP_LINK_NO_25 },
    { { { 0, OTHER, "a.org" } }, HP_LINK_OK },
    { { { 0, OTHER, "a.org" }, { 5, OTHER, "b.org" } }, HP_LINK_CAPTIVE },
    { { { 0, OTHER, "a.org" }, { 5, LIE, "b.org" } }, HP_LINK_CAPTIVE },
    { { { 0, LIE, "a.org" }, { 5, LIE, "a.org" } }, HP_LINK_OK },
    { { { 0, LIE, "a.org" }, { 5, LIE, "b.org" }, { 1, HELLO, "c.org" } }, HP_LINK_OK },
    { { { 0, HP_LINK_SAW_PORTAL, "a.org" } }, HP_LINK_CAPTIVE },
    { { { 0, HP_LINK_SAW_PORTAL, "a.org" }, { 1, HELLO, "a.org" } }, HP_LINK_OK },
    { { { 0, HP_LINK_SAW_NO_DNS, "a.org" } }, HP_LINK_NO_DNS },
    { { { 0, HP_LINK_SAW_NO_DNS, "a.org" }, { 1, HP_LINK_SAW_DNS, "a.org" } },
      HP_LINK_OK },
    { { { 0, HP_LINK_SAW_NO_DNS, "a.org" }, { 1, HELLO, "a.org" } }, HP_LINK_OK },
    /* DNS says nothing about port 25. */
    { { { 0, FAIL, "a.org" }, { 1, FAIL, "b.org" }, { 1, HP_LINK_SAW_DNS, "b.org" } },
      HP_LINK_NO_25 },
    /* What is worse wins. */
    { { { 0, FAIL, "a.org" }, { 1, FAIL, "b.org" }, { 1, HP_LINK_SAW_NO_DNS, "b.org" } },
      HP_LINK_NO_DNS },
    { { { 0, HP_LINK_SAW_NO_DNS, "b.org" },
        { 1, OTHER, "a.org" },
        { 1, OTHER, "b.org" } },
      HP_LINK_CAPTIVE },
};

static void
decides_by_the_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        HpLinkFacts online = { .routes = TRUE };
        HpLinkFacts offline = { .routes = FALSE };
        HpLinkFacts local = { .routes = FALSE, .private_ok = TRUE };

        g_test_message("row %u", i);
        g_assert_cmpint(state_after(online, rows[i].seen), ==, rows[i].want);
        g_assert_cmpint(state_after(offline, rows[i].seen), ==, HP_LINK_OFFLINE);
        g_assert_cmpint(state_after(local, rows[i].seen), ==, rows[i].want);
    }
}

static void
a_portal_is_captive_until_a_greeting(void)
{
    HpLinkFacts facts = { .routes = TRUE, .portal = TRUE };

    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_CAPTIVE);
    hp_link_facts_note(&facts, HP_LINK_SAW_DNS, "a.org", 1);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_CAPTIVE);
    hp_link_facts_note(&facts, HELLO, "a.org", 2);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_OK);
}

static void
another_network_forgets(void)
{
    HpLinkFacts facts = {
        .routes = TRUE, .no_25 = TRUE, .captive = TRUE, .no_dns = TRUE
    };

    hp_link_facts_note(&facts, FAIL, "a.org", 1);
    hp_link_facts_forget(&facts);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_OK);
    hp_link_facts_note(&facts, FAIL, "b.org", 2);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_OK);
    /* Who greeted in the old one proves nothing of the new one. */
    hp_link_facts_note(&facts, HELLO, "c.org", 3);
    hp_link_facts_forget(&facts);
    hp_link_facts_note(&facts, FAIL, "a.org", 4);
    hp_link_facts_note(&facts, FAIL, "b.org", 5);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_NO_25);
}

static void
remembers_eight_destinations(void)
{
    HpLinkFacts facts = { .routes = TRUE };

    for (guint i = 0; i < 20; i++)
        hp_link_facts_note(&facts, FAIL, "mx.a.org", 1000 + i);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_OK);
    hp_link_facts_note(&facts, FAIL, "mx.b.org", 2000);
    g_assert_cmpint(hp_link_facts_state(&facts), ==, HP_LINK_NO_25);
}

typedef struct {
    guint calls;
    HpLinkState state;
    gboolean moved;
} Heard;

static void
on_change(HpLinkState state, gboolean moved, gpointer data)
{
    Heard *heard = data;

    heard->calls++;
    heard->state = state;
    heard->moved = moved;
}

static void
says_on_main_what_changed(void)
{
    Heard heard = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(HpLink) link = hp_link_new(&fake_clock, on_change, &heard, &error);

    g_assert_no_error(error);
    hp_link_allow_private(link, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    heard.calls = 0;
    g_assert_cmpint(hp_link_state(link), ==, HP_LINK_OK);
    now_usec = G_USEC_PER_SEC;
    hp_link_note(link, FAIL, "mx.a.org");
    hp_link_note(link, FAIL, "mx.b.org");
    g_assert_cmpint(hp_link_state(link), ==, HP_LINK_NO_25);
    g_assert_cmpuint(heard.calls, ==, 0);
    while (heard.calls == 0)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(heard.state, ==, HP_LINK_NO_25);
    g_assert_false(heard.moved);
    hp_link_note(link, HELLO, "mx.a.org");
    while (heard.calls == 1)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(heard.state, ==, HP_LINK_OK);
}

static void
there_is_always_a_route_to_loopback(void)
{
    g_assert_true(hp_link_has_route("127.0.0.1"));
    g_assert_true(hp_link_has_route("127.8.9.10"));
    g_assert_true(hp_link_has_route("::1"));
    g_assert_true(hp_link_has_route("::ffff:127.0.0.1"));
    g_assert_false(hp_link_has_route("example.org"));
    g_assert_false(hp_link_has_route(""));
}

static void
the_kernel_tells_its_routes(void)
{
    HpRoutes routes;
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_routes_read(&routes, &error));
    g_assert_no_error(error);
    g_assert_true(!routes.out || routes.identity != 0);
    g_assert_true(hp_routes_reach("127.0.0.1"));
}

static void
private_is_what_no_public_server_has(void)
{
    static const char *const private[] = { "127.0.0.1",
                                           "10.1.2.3",
                                           "172.16.0.1",
                                           "172.31.255.255",
                                           "192.168.1.1",
                                           "169.254.1.1",
                                           "0.0.0.0",
                                           "224.0.0.1",
                                           "255.255.255.255",
                                           "::1",
                                           "::",
                                           "fe80::1",
                                           "fd00::1",
                                           "ff02::1",
                                           "::ffff:10.0.0.1",
                                           "64:ff9b::7f00:1" };
    static const char *const public[] = { "192.0.2.1",        "198.51.100.1",
                                          "203.0.113.9",      "172.32.0.1",
                                          "11.0.0.1",         "2001:db8::1",
                                          "64:ff9b::c000:201" };
    HpIp ip;

    for (guint i = 0; i < G_N_ELEMENTS(private); i++) {
        g_assert_true(hp_ip_parse(private[i], &ip));
        g_assert_true(hp_ip_is_private(&ip));
    }
    for (guint i = 0; i < G_N_ELEMENTS(public); i++) {
        g_assert_true(hp_ip_parse(public[i], &ip));
        g_assert_false(hp_ip_is_private(&ip));
        g_assert_false(hp_ip_is_loopback(&ip));
    }
    g_assert_false(hp_ip_parse("1.2.3", &ip));
}

/* Runs a program; its words are separated by one space. */
static gboolean
run(const char *line)
{
    g_auto(GStrv) argv = g_strsplit(line, " ", -1);
    int status = -1;

    return g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                        &status, NULL) &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static gboolean
ip(const char *words)
{
    g_autofree char *line = g_strconcat("ip ", words, NULL);

    return run(line);
}

/* Root of a network of its own, also where we are an ordinary user. */
static gboolean
enter_own_network(void)
{
    g_autofree char *map = g_strdup_printf("0 %u 1", getuid());

    if (unshare(CLONE_NEWNET) == 0)
        return TRUE;
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
           g_file_set_contents_full("/proc/self/uid_map", map, -1,
                                    G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static gboolean
set_true(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Waits until the state is @want, which must have been announced. */
static void
await_state(HpLink *link, const Heard *heard, HpLinkState want)
{
    gboolean too_late = FALSE;
    guint timer = g_timeout_add_seconds(10, set_true, &too_late);

    while (!too_late && (heard->calls == 0 || heard->state != want))
        g_main_context_iteration(NULL, TRUE);
    if (!too_late)
        g_source_remove(timer);
    g_assert_cmpint(hp_link_state(link), ==, want);
    g_assert_cmpint(heard->state, ==, want);
}

/* Longer than any burst is waited for. */
static void
await_quiet(void)
{
    gboolean over = FALSE;

    g_timeout_add(2500, set_true, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

/* One step after the other, as when a link comes up: that is one change. */
static void
come_up_in_a_burst(Heard *heard)
{
    static const char *const steps[] = { "link set v0 up",
                                         "route add default via 192.168.7.1",
                                         "route replace default via 192.168.7.2",
                                         "route add 198.51.100.0/24 via 192.168.7.1",
                                         "route replace default via 192.168.7.1" };

    heard->calls = 0;
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_assert_true(ip(steps[i]));
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
    await_quiet();
    g_assert_cmpuint(heard->calls, ==, 1);
    g_assert_cmpint(heard->state, ==, HP_LINK_OK);
    g_assert_true(heard->moved);
}

/* In a network of its own: routes come and go. */
static void
follow_routes(void)
{
    Heard heard = { 0 };
    g_autoptr(HpLink) link = hp_link_new(&hp_clock_system, on_change, &heard, NULL);

    g_assert_cmpint(hp_link_state(link), ==, HP_LINK_OFFLINE);
    g_assert_true(ip("route add default via 192.168.7.1"));
    await_state(link, &heard, HP_LINK_OK);
    g_assert_true(heard.moved);
    hp_link_note(link, FAIL, "mx.a.org");
    hp_link_note(link, FAIL, "mx.b.org");
    await_state(link, &heard, HP_LINK_NO_25);
    /* Another gateway is another network: what was learned is forgotten. */
    g_assert_true(ip("route replace default via 192.168.7.2"));
    await_state(link, &heard, HP_LINK_OK);
    g_assert_true(heard.moved);
    g_assert_true(ip("route del default"));
    await_state(link, &heard, HP_LINK_OFFLINE);
    g_assert_false(hp_link_has_route("192.0.2.1"));
    g_assert_true(hp_link_has_route("127.0.0.1"));
    /* Not a network that is attached directly, though its addresses are public. */
    g_assert_true(ip("addr add 203.0.113.9/24 dev v0"));
    await_quiet();
    g_assert_cmpint(hp_link_state(link), ==, HP_LINK_OFFLINE);
    /* A tunnel's half of the internet needs no gateway. */
    g_assert_true(ip("route add 0.0.0.0/1 dev v0"));
    await_state(link, &heard, HP_LINK_OK);
    g_assert_true(ip("route del 0.0.0.0/1"));
    await_state(link, &heard, HP_LINK_OFFLINE);
    /* Without a default route: a way to somewhere is enough. */
    g_assert_true(ip("route add 192.0.2.0/24 via 192.168.7.1"));
    await_state(link, &heard, HP_LINK_OK);
    g_assert_true(hp_link_has_route("192.0.2.1"));
    g_assert_true(ip("link set v0 down"));
    await_state(link, &heard, HP_LINK_OFFLINE);
    come_up_in_a_burst(&heard);
    g_assert_true(ip("link set v0 down"));
    await_state(link, &heard, HP_LINK_OFFLINE);
    /* With allow-private a missing way out is no reason to wait. */
    hp_link_allow_private(link, TRUE);
    await_state(link, &heard, HP_LINK_OK);
}

static void
follows_the_routes_of_its_network(void)
{
    if (!g_test_subprocess()) {
        if (!run("unshare --map-root-user --net ip link set lo up")) {
            g_test_skip("no network of its own is to be had here");
            return;
        }
        g_test_trap_subprocess(NULL, 60 * G_TIME_SPAN_SECOND, G_TEST_SUBPROCESS_DEFAULT);
        g_test_trap_assert_passed();
        return;
    }
    g_setenv("GIO_USE_NETWORK_MONITOR", "netlink", TRUE);
    g_assert_true(enter_own_network());
    /* Without IPv6, whose messages would hide that IPv4 says nothing. */
    g_file_set_contents_full("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1", -1,
                             G_FILE_SET_CONTENTS_NONE, 0600, NULL);
    g_assert_true(ip("link set lo up"));
    g_assert_true(ip("link add v0 type veth peer name v1"));
    g_assert_true(ip("link set v1 up"));
    g_assert_true(ip("link set v0 up"));
    g_assert_true(ip("addr add 192.168.7.9/24 dev v0"));
    follow_routes();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/decides-by-the-table", decides_by_the_table);
    g_test_add_func("/link/a-portal-is-captive-until-a-greeting",
                    a_portal_is_captive_until_a_greeting);
    g_test_add_func("/link/another-network-forgets", another_network_forgets);
    g_test_add_func("/link/remembers-eight-destinations", remembers_eight_destinations);
    g_test_add_func("/link/says-on-main-what-changed", says_on_main_what_changed);
    g_test_add_func("/link/there-is-always-a-route-to-loopback",
                    there_is_always_a_route_to_loopback);
    g_test_add_func("/link/the-kernel-tells-its-routes", the_kernel_tells_its_routes);
    g_test_add_func("/link/private-is-what-no-public-server-has",
                    private_is_what_no_public_server_has);
    g_test_add_func("/link/follows-the-routes-of-its-network",
                    follows_the_routes_of_its_network);
    return g_test_run();
}
