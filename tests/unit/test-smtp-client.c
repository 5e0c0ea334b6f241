#include "fake-mx.h"
#include "hp-smtp-client.h"
#include "hp-thread.h"
#include "hp-waker.h"

static const HpSmtpTimeouts timeouts = { 300 * G_TIME_SPAN_MILLISECOND,
                                         300 * G_TIME_SPAN_MILLISECOND,
                                         300 * G_TIME_SPAN_MILLISECOND,
                                         300 * G_TIME_SPAN_MILLISECOND,
                                         300 * G_TIME_SPAN_MILLISECOND };

static HpSmtpClient *
client_with(const FakeMx *mx, const HpSmtpTimeouts *its_timeouts, int abort_fd)
{
    HpSmtpClientOptions options = { "laptop.example.net", "mx.example.org", its_timeouts,
                                    abort_fd };
    g_autoptr(GError) error = NULL;
    HpChannel *channel = hp_channel_connect("127.0.0.1", mx->port, 5000, -1, &error);

    g_assert_no_error(error);
    return hp_smtp_client_new(channel, &options);
}

static HpSmtpClient *
client_for(const FakeMx *mx)
{
    return client_with(mx, &timeouts, -1);
}

static void
learns_what_the_server_offers(void)
{
    static const char *const script[] = { "S: 220-mx.example.org ESMTP",
                                          "S: 220 no spam",
                                          "C: EHLO laptop.example.net",
                                          "S: 250-mx.example.org DSN is not here",
                                          "S: 250-size 1000",
                                          "S: 250-Pipelining",
                                          "S: 250-AUTH=LOGIN PLAIN",
                                          "S: 250-X-THING",
                                          "S: 250 SMTPUTF8",
                                          "C: QUIT",
                                          "EOF",
                                          NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpSmtpClient *client = client_for(mx);
    const HpSmtpCaps *caps = hp_smtp_client_caps(client);

    g_assert_cmpint(hp_smtp_client_greet(client), ==, HP_SMTP_GO);
    g_assert_cmpstr(hp_smtp_client_greeted_as(client), ==, "mx.example.org");
    g_assert_cmpint(hp_smtp_client_hello(client), ==, HP_SMTP_GO);
    g_assert_true(caps->size);
    g_assert_cmpuint(caps->max_size, ==, 1000);
    g_assert_true(caps->pipelining);
    g_assert_true(caps->smtputf8);
    g_assert_false(caps->dsn);
    g_assert_false(caps->starttls);
    g_assert_false(caps->eight_bit_mime);
    hp_smtp_client_quit(client);
    hp_smtp_client_free(client);
    fake_mx_free(mx);
}

static void
says_helo_where_ehlo_is_unknown(void)
{
    static const char *const script[] = { "S: 220 mx",    "C: EHLO *",
                                          "S: 500 what?", "C: HELO laptop.example.net",
                                          "S: 250 mx",    NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    g_autoptr(HpSmtpClient) client = client_for(mx);

    g_assert_cmpint(hp_smtp_client_greet(client), ==, HP_SMTP_GO);
    g_assert_cmpint(hp_smtp_client_hello(client), ==, HP_SMTP_GO);
    g_assert_false(hp_smtp_client_caps(client)->pipelining);
    fake_mx_free(mx);
}

static void
forgets_the_offer_after_starttls(void)
{
    g_autofree char *path = g_dir_make_tmp("mx-XXXXXX", NULL);
    g_autofree char *certificate = g_build_filename(path, "certificate.pem", NULL);
    g_autofree char *key = g_build_filename(path, "key.pem", NULL);
    hp_autofd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(HpTlsIdentity) identity = hp_tls_identity_ensure(fd, NULL);
    g_autoptr(HpTlsTrust) trust = hp_tls_trust_new(NULL, NULL);
    static const char *const script[] = {
        "S: 220 mx",       "C: EHLO *",   "S: 250-mx",   "S: 250-DSN",
        "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go",   "TLS",
        "C: EHLO *",       "S: 250-mx",   "S: 250 SIZE", NULL
    };
    FakeMx *mx = fake_mx_new(script, identity, "127.0.0.1", 0);
    g_autoptr(HpSmtpClient) client = client_for(mx);
    HpTlsVerdict *verdict = NULL;

    g_assert_cmpint(hp_smtp_client_greet(client), ==, HP_SMTP_GO);
    g_assert_cmpint(hp_smtp_client_hello(client), ==, HP_SMTP_GO);
    g_assert_true(hp_smtp_client_caps(client)->dsn);
    g_assert_cmpint(hp_smtp_client_start_tls(client, trust, &verdict), ==, HP_SMTP_GO);
    g_assert_nonnull(verdict);
    hp_tls_verdict_free(verdict);
    g_assert_false(hp_smtp_client_caps(client)->dsn);
    g_assert_true(hp_smtp_client_caps(client)->size);
    g_assert_cmpuint(hp_smtp_client_caps(client)->max_size, ==, 0);
    fake_mx_free(mx);
    g_unlink(certificate);
    g_unlink(key);
    g_rmdir(path);
}

/* What the greeting alone leads to. */
static void
expect_greeting(const char *const *script, HpSmtpResult want)
{
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    HpSmtpClient *client = client_for(mx);
    HpSmtpResult got = hp_smtp_client_greet(client);
    const HpReply *last = hp_smtp_client_last(client);

    g_assert_cmpint(got, ==, want);
    g_assert_cmpint(last->stage, ==, HP_STAGE_GREETING);
    /* Our own words, unless the server said something that counts. */
    g_assert_true((last->host != NULL) == (want == HP_SMTP_NO || last->code == 421));
    g_assert_nonnull(last->text);
    hp_smtp_client_free(client);
    fake_mx_free(mx);
}

static void
tells_what_became_of_a_reply(void)
{
    static const char *const refused[] = { "S: 554 no", NULL };
    static const char *const busy[] = { "S: 421 later", NULL };
    static const char *const closed[] = { "CLOSE", NULL };
    static const char *const silent[] = { "EOF", NULL };
    static const char *const http[] = { "S: HTTP/1.0 400", "EOF", NULL };
    static const char *const odd[] = { "S: 250 ok", "EOF", NULL };
    static const char *const half[] = { "S< 220-mx\r\n22", "EOF", NULL };

    expect_greeting(refused, HP_SMTP_NO);
    expect_greeting(busy, HP_SMTP_LOST);
    expect_greeting(closed, HP_SMTP_LOST);
    expect_greeting(silent, HP_SMTP_TIMEOUT);
    expect_greeting(http, HP_SMTP_NONSENSE);
    expect_greeting(odd, HP_SMTP_NONSENSE);
    expect_greeting(half, HP_SMTP_TIMEOUT);
}

static void
a_server_may_not_talk_without_end(void)
{
    g_autofree char *filling = g_strnfill(1900, 'x');
    g_autofree char *long_line = g_strdup_printf("S< 220 %s%s", filling, filling);
    g_autofree char *text = g_strdup_printf("S: 220-%s", filling);
    const char *endless[120];
    const char *one_line[] = { long_line, "EOF", NULL };

    for (guint i = 0; i < 118; i++)
        endless[i] = text;
    endless[118] = "EOF";
    endless[119] = NULL;
    expect_greeting(endless, HP_SMTP_NONSENSE);
    expect_greeting(one_line, HP_SMTP_NONSENSE);
}

/* The bell rings once the server has begun its line. */
static void
ring_later(gpointer waker)
{
    g_usleep(50 * 1000);
    hp_waker_ring(waker);
}

static void
a_line_that_trickles_does_not_keep_it_from_ending(void)
{
    static const char *const script[] = { "S< 220 mx.exa", "EOF", NULL };
    FakeMx *mx = fake_mx_new(script, NULL, "127.0.0.1", 0);
    g_autoptr(HpWaker) waker = hp_waker_new(NULL);
    HpSmtpClient *client = client_with(mx, NULL, hp_waker_fd(waker));
    HpThread *ringer = hp_thread_start("ringer", ring_later, waker, NULL);

    g_assert_cmpint(hp_smtp_client_greet(client), ==, HP_SMTP_ABORTED);
    hp_thread_join(ringer);
    hp_smtp_client_free(client);
    fake_mx_free(mx);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp-client/learns-what-the-server-offers",
                    learns_what_the_server_offers);
    g_test_add_func("/smtp-client/says-helo-where-ehlo-is-unknown",
                    says_helo_where_ehlo_is_unknown);
    g_test_add_func("/smtp-client/forgets-the-offer-after-starttls",
                    forgets_the_offer_after_starttls);
    g_test_add_func("/smtp-client/tells-what-became-of-a-reply",
                    tells_what_became_of_a_reply);
    g_test_add_func("/smtp-client/a-line-that-trickles-does-not-keep-it-from-ending",
                    a_line_that_trickles_does_not_keep_it_from_ending);
    g_test_add_func("/smtp-client/a-server-may-not-talk-without-end",
                    a_server_may_not_talk_without_end);
    return g_test_run();
}
