#include "daemon-fixture.h"

#include "hp-lines.h"
#include "hp-services.h"

#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/* A port that this user may not have, 0 if there is none. */
static guint16 port_of_root;

/* For the module in place of the C library's function. */
int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
    const struct sockaddr_in *in = (gconstpointer)address;

    if (address->sa_family == AF_INET && port_of_root != 0 &&
        in->sin_port == htons(port_of_root)) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address, size);
}

enum { SMTP, SMTP_TLS, POP3, POP3_TLS, IMAP, IMAP_TLS, N_PORTS };

/* Ports for the keys of section [listen], in the order above; 0 leaves a key at 0. */
static void
use_ports(Fixture *f, const guint16 ports[N_PORTS], const char *hostname)
{
    g_autofree char *text =
        g_strdup_printf("[account]\naddress=anna@home.example\n[delivery]\nhostname=%s\n"
                        "[listen]\nsmtp=%u\nsmtp-tls=%u\npop3=%u\npop3-tls=%u\n"
                        "imap=%u\nimap-tls=%u\n",
                        hostname, ports[SMTP], ports[SMTP_TLS], ports[POP3],
                        ports[POP3_TLS], ports[IMAP], ports[IMAP_TLS]);

    fixture_set(f, text);
}

static void
add_services(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    hp_services_add(f->parts.listener, f->parts.policies, f->parts.dirs, &error);
    g_assert_no_error(error);
    hp_listener_start(f->parts.listener, &error);
    g_assert_no_error(error);
}

static HpChannel *
dial(guint16 port)
{
    g_autoptr(GError) error = NULL;
    HpChannel *channel = hp_channel_connect("127.0.0.1", port, PATIENCE_MS, -1, &error);

    g_assert_no_error(error);
    hp_channel_set_timeout(channel, (gint64)PATIENCE_MS * 1000);
    return channel;
}

static void
expect(HpChannel *channel, const char *beginning)
{
    HpSlice line = { NULL, 0 };

    g_assert_cmpint(hp_lines_read(channel, 1000, &line, NULL), ==, HP_LINE_OK);
    g_assert_cmpuint(line.len, >=, strlen(beginning));
    g_assert_cmpmem(line.data, (int)strlen(beginning), beginning, (int)strlen(beginning));
}

static void
start_tls(Fixture *f, HpChannel *channel)
{
    g_autofree char *path =
        g_build_filename(f->parts.dirs->state, "certificate.pem", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(path, &error);

    g_assert_no_error(error);
    hp_channel_start_tls_client(channel, trust, "localhost", NULL, &error);
    g_assert_no_error(error);
}

static void
serves_what_the_settings_name(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS];
    g_autoptr(HpChannel) smtp = NULL;
    g_autoptr(HpChannel) smtp_tls = NULL;
    g_autoptr(HpChannel) pop3 = NULL;
    g_autoptr(HpChannel) pop3_tls = NULL;
    g_autoptr(HpChannel) imap = NULL;
    g_autoptr(HpChannel) imap_tls = NULL;

    fixture_find_ports(ports, N_PORTS);
    use_ports(f, ports, "first.example");
    add_services(f);
    smtp = dial(ports[SMTP]);
    expect(smtp, "220 first.example ");
    smtp_tls = dial(ports[SMTP_TLS]);
    start_tls(f, smtp_tls);
    expect(smtp_tls, "220 first.example ");
    pop3 = dial(ports[POP3]);
    expect(pop3, "+OK ");
    pop3_tls = dial(ports[POP3_TLS]);
    start_tls(f, pop3_tls);
    expect(pop3_tls, "+OK ");
    imap = dial(ports[IMAP]);
    expect(imap, "* OK ");
    imap_tls = dial(ports[IMAP_TLS]);
    start_tls(f, imap_tls);
    expect(imap_tls, "* OK ");
}

static void
opens_no_port_that_is_off(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS] = { 0 };

    fixture_find_ports(&ports[POP3], 1);
    use_ports(f, ports, "first.example");
    add_services(f);
    g_assert_cmpuint(hp_listener_port(f->parts.listener, "pop3", FALSE), ==, ports[POP3]);
    g_assert_cmpuint(hp_listener_port(f->parts.listener, "pop3", TRUE), ==, 0);
    g_assert_cmpuint(hp_listener_port(f->parts.listener, "smtp", FALSE), ==, 0);
    g_assert_cmpuint(hp_listener_port(f->parts.listener, "smtp", TRUE), ==, 0);
}

static void
gives_each_connection_the_policy_of_its_moment(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS] = { 0 };
    g_autoptr(HpChannel) before = NULL;
    g_autoptr(HpChannel) after = NULL;

    fixture_find_ports(ports, 1);
    use_ports(f, ports, "first.example");
    add_services(f);
    before = dial(ports[SMTP]);
    expect(before, "220 first.example ");
    use_ports(f, ports, "second.example");
    after = dial(ports[SMTP]);
    expect(after, "220 second.example ");
    hp_channel_printf(before, NULL, "HELO x\r\n");
    hp_channel_flush(before, NULL);
    expect(before, "250 first.example");
}

static void
takes_mail_on_a_private_socket(Fixture *f, gconstpointer data)
{
    g_autofree char *path =
        g_build_filename(f->parts.dirs->runtime, HP_SERVICES_SUBMIT_SOCKET, NULL);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_DEFAULT, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(HpChannel) channel = NULL;
    struct stat info;

    add_services(f);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
    g_socket_connect(socket, address, NULL, &error);
    g_assert_no_error(error);
    channel = hp_channel_new(dup(g_socket_get_fd(socket)));
    hp_channel_set_timeout(channel, (gint64)PATIENCE_MS * 1000);
    expect(channel, "220 ");
    hp_channel_printf(channel, NULL, "HELO x\r\nMAIL FROM:<anna@home.example>\r\n");
    hp_channel_flush(channel, NULL);
    expect(channel, "250 ");
    expect(channel, "250 2.1.0"); /* the caller's uid has logged it in */
}

static void
names_the_port_that_is_taken(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS] = { 0 };
    HpService service = { .name = "other" };
    g_autoptr(HpListener) other = hp_listener_new(NULL, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *number = NULL;

    g_assert_true(hp_listener_add_port(other, &service, 0, NULL));
    ports[POP3] = hp_listener_port(other, "other", FALSE);
    use_ports(f, ports, "first.example");
    g_assert_false(
        hp_services_add(f->parts.listener, f->parts.policies, f->parts.dirs, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    number = g_strdup_printf("%u", ports[POP3]);
    g_assert_nonnull(strstr(error->message, number));
}

static void
blames_the_setting_for_a_port_of_root(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS] = { [POP3] = 110 };
    g_autoptr(GError) error = NULL;

    port_of_root = 110;
    use_ports(f, ports, "first.example");
    g_assert_false(
        hp_services_add(f->parts.listener, f->parts.policies, f->parts.dirs, &error));
    g_assert_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "hauspost.conf:8: port 110 at 127.0.0.1"));
    port_of_root = 0;
}

static void
refuses_in_the_words_of_the_protocol(Fixture *f, gconstpointer data)
{
    guint16 ports[N_PORTS] = { 0 };
    g_autoptr(GPtrArray) guests =
        g_ptr_array_new_with_free_func((GDestroyNotify)hp_channel_free);
    g_autofree char *path =
        g_build_filename(f->parts.dirs->runtime, HP_SERVICES_SUBMIT_SOCKET, NULL);
    g_autoptr(HpChannel) smtp = NULL;
    g_autoptr(HpChannel) pop3 = NULL;
    g_autoptr(HpChannel) imap = NULL;

    fixture_find_ports(ports, N_PORTS);
    use_ports(f, ports, "first.example");
    add_services(f);
    for (guint i = 0; i < 64; i++) { /* who comes by the socket is logged in */
        g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
        g_autoptr(GSocket) socket = g_socket_new(
            G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

        g_assert_true(g_socket_connect(socket, address, NULL, NULL));
        g_ptr_array_add(guests, hp_channel_new(dup(g_socket_get_fd(socket))));
        hp_channel_set_timeout(guests->pdata[i], (gint64)PATIENCE_MS * 1000);
        expect(guests->pdata[i], "220 ");
    }
    smtp = dial(ports[SMTP]);
    expect(smtp, "421 ");
    pop3 = dial(ports[POP3]);
    expect(pop3, "-ERR ");
    imap = dial(ports[IMAP]);
    expect(imap, "* BYE ");
}

static void
looks_up_the_users_who_may_connect(void)
{
    const char *text = "[listen]\nallow-users=root 4711 nosuchuserhere 4294967295 0x10\n";
    g_autoptr(HpSettings) settings =
        hp_config_parse("test.conf", hp_slice_of(text), NULL);
    g_autoptr(GArray) uids = hp_services_allowed_uids(settings);

    g_assert_cmpuint(uids->len, ==, 2);
    g_assert_cmpuint(g_array_index(uids, guint, 0), ==, 0);
    g_assert_cmpuint(g_array_index(uids, guint, 1), ==, 4711);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#define CASE(name, run)                                                                  \
    g_test_add("/services/" name, Fixture, NULL, fixture_set_up, run, fixture_tear_down)
    CASE("serves-what-the-settings-name", serves_what_the_settings_name);
    CASE("opens-no-port-that-is-off", opens_no_port_that_is_off);
    CASE("gives-each-connection-the-policy-of-its-moment",
         gives_each_connection_the_policy_of_its_moment);
    CASE("takes-mail-on-a-private-socket", takes_mail_on_a_private_socket);
    CASE("names-the-port-that-is-taken", names_the_port_that_is_taken);
    CASE("blames-the-setting-for-a-port-of-root", blames_the_setting_for_a_port_of_root);
    CASE("refuses-in-the-words-of-the-protocol", refuses_in_the_words_of_the_protocol);
    g_test_add_func("/services/looks-up-the-users-who-may-connect",
                    looks_up_the_users_who_may_connect);
    return g_test_run();
}
