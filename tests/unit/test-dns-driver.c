#include "fake-dns.h"
#include "hp-dns-driver.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

static const FakeRecord zone[] = {
    { "a.example.org", 1, 0, "192.0.2.1" },
    { NULL, 0, 0, NULL },
};

static HpDnsRaw
ask(HpDnsDriver *driver, const char *name, gboolean edns)
{
    HpDnsQuestion question = { name, HP_DNS_A, edns,
                               g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND };
    g_autoptr(GByteArray) packet = NULL;
    HpDnsRaw raw = hp_dns_driver_ask(driver, &question, &packet);

    g_assert_true((packet != NULL) == (raw == HP_DNS_RAW_ANSWER));
    return raw;
}

static HpDnsDriver *
driver_for(const char *servers)
{
    HpDnsDriverOptions options = { .servers = servers, .timeout_ms = 50 };
    g_autoptr(GError) error = NULL;
    HpDnsDriver *driver = hp_dns_driver_new(&options, &error);

    g_assert_no_error(error);
    return driver;
}

static void
gives_what_the_server_said(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autoptr(HpDnsDriver) driver = driver_for(server);

    g_assert_cmpint(ask(driver, "a.example.org", TRUE), ==, HP_DNS_RAW_ANSWER);
    g_assert_cmpint(ask(driver, "a.example.org", FALSE), ==, HP_DNS_RAW_ANSWER);
    g_assert_cmpint(ask(driver, "nobody.example.org", TRUE), ==, HP_DNS_RAW_ANSWER);
    g_assert_cmpint(ask(driver, "silent.example.org", TRUE), ==, HP_DNS_RAW_TIMEOUT);
    g_assert_cmpint(ask(driver, "a.onion", TRUE), ==, HP_DNS_RAW_IMPOSSIBLE);
    fake_dns_free(dns);
    g_assert_cmpint(ask(driver, "a.example.org", TRUE), ==, HP_DNS_RAW_UNREACHABLE);
}

static void
the_second_server_helps(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *server = fake_dns_server(dns);
    g_autofree char *both = g_strdup_printf("127.0.0.1:1 %s", server);
    g_autoptr(HpDnsDriver) driver = driver_for(both);

    g_assert_cmpint(ask(driver, "a.example.org", TRUE), ==, HP_DNS_RAW_ANSWER);
    fake_dns_free(dns);
}

static void
knows_whether_all_servers_are_local(void)
{
    static const struct {
        const char *servers;
        gboolean local;
    } rows[] = {
        { "127.0.0.1:1", TRUE },
        { "[::1]:1", TRUE },
        { "127.0.0.53:1,[::1]:1", TRUE },
        { "127.0.0.1:1,192.0.2.1", FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpDnsDriver) driver = driver_for(rows[i].servers);

        ask(driver, "a.onion", TRUE); /* answered by the thread, so it has started */
        g_assert_true(hp_dns_driver_is_local(driver) == rows[i].local);
    }
}

static void
abort_is_for_ever(void)
{
    g_autoptr(HpDnsDriver) driver = driver_for("127.0.0.1:1");

    hp_dns_driver_abort(driver);
    g_assert_cmpint(ask(driver, "a.example.org", TRUE), ==, HP_DNS_RAW_ABORTED);
    hp_dns_driver_reset(driver);
    g_assert_cmpint(ask(driver, "a.example.org", TRUE), ==, HP_DNS_RAW_ABORTED);
}

/* The network changes while a question waits for a server of the old one. */
typedef struct {
    HpDnsDriver *driver; /* (unowned) */
    HpDnsRaw raw;
} Asking;

static void
ask_in_thread(gpointer data)
{
    Asking *asking = data;

    asking->raw = ask(asking->driver, "a.example.org", TRUE);
}

static int
silent_server(guint16 port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.0.0.2", &at.sin_addr);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof(at)), ==, 0);
    return fd;
}

static void
what_waits_goes_to_the_new_servers(void)
{
    FakeDns *dns = fake_dns_new(zone, "example.org");
    g_autofree char *folder = g_dir_make_tmp("dns-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "resolv.conf", NULL);
    HpDnsDriverOptions options = { NULL, path, dns->port, 300 };
    struct pollfd silent = { silent_server(dns->port), POLLIN, 0 };
    HpDnsDriver *driver;
    Asking asking;
    HpThread *thread;

    g_assert_true(g_file_set_contents(path, "nameserver 127.0.0.2\n", -1, NULL));
    driver = hp_dns_driver_new(&options, NULL);
    asking.driver = driver;
    thread = hp_thread_start("asking", ask_in_thread, &asking, NULL);
    g_assert_cmpint(poll(&silent, 1, 10000), ==, 1);
    g_assert_true(g_file_set_contents(path, "nameserver 127.0.0.1\n", -1, NULL));
    hp_thread_join(thread);
    g_assert_cmpint(asking.raw, ==, HP_DNS_RAW_ANSWER);
    hp_dns_driver_free(driver);
    close(silent.fd);
    fake_dns_free(dns);
    g_remove(path);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns-driver/gives-what-the-server-said", gives_what_the_server_said);
    g_test_add_func("/dns-driver/the-second-server-helps", the_second_server_helps);
    g_test_add_func("/dns-driver/knows-whether-all-servers-are-local",
                    knows_whether_all_servers_are_local);
    g_test_add_func("/dns-driver/what-waits-goes-to-the-new-servers",
                    what_waits_goes_to_the_new_servers);
    g_test_add_func("/dns-driver/abort-is-for-ever", abort_is_for_ever);
    return g_test_run();
}
