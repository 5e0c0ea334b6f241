#include "hp-config-check.h"

#include "hp-config.h"

#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>

static void
check_values(HpSettingCheck check, const char *const *right, const char *const *wrong)
{
    for (; *right != NULL; right++) {
        g_test_message("%s", *right);
        g_assert_null(check(hp_slice_of(*right)));
    }
    for (; *wrong != NULL; wrong++) {
        const char *sentence = check(hp_slice_of(*wrong));

        g_test_message("%s", *wrong);
        g_assert_nonnull(sentence);
        g_assert_true(g_str_has_prefix(sentence, "must be "));
    }
}

static void
takes_addresses_that_the_server_takes(void)
{
    static const char *const one[] = { "anna@example.org",
                                       "j\303\274rgen@m\303\274ller.example", "anna@x",
                                       NULL };
    static const char *const no_one[] = { "anna",          "anna@",   "@b.c",
                                          "<a@b.c>",       "anna@@x", "a@b@\\c",
                                          "*@example.org", "a b@c.d", NULL };
    static const char *const all[] = { "anna@example.org", "*@example.org", NULL };
    static const char *const not_all[] = { "anna", "foo@@bar", "*", "*@", NULL };
    static const char *const local[] = { "root", "anna@home.example", "*@home.example",
                                         NULL };
    static const char *const not_local[] = { "@@", "a@b@\\c", "@", NULL };

    check_values(hp_config_check_account, one, no_one);
    check_values(hp_config_check_identity, all, not_all);
    check_values(hp_config_check_local, local, not_local);
}

static void
takes_servers_hosts_and_words(void)
{
    static const char *const server[] = { "127.0.0.53", "[::1]:5353", "::1", NULL };
    static const char *const no_server[] = { "foo:bar:1", "ns.example.org", "a/b",
                                             "fe80::1%eth0", NULL };
    static const char *const host[] = { "mail.example.org", NULL };
    static const char *const no_host[] = { "my_host", "a b", NULL };
    static const char *const word[] = { "auto", NULL };
    static const char *const no_word[] = { "a b", NULL };

    check_values(hp_config_check_server, server, no_server);
    check_values(hp_config_check_hostname, host, no_host);
    check_values(hp_config_check_word, word, no_word);
}

static void
takes_languages_that_are_spoken(void)
{
    static const char *const right[] = { "en", "de", "de_AT", "en_GB", NULL };
    static const char *const wrong[] = { "fr",     "German", "d",     "de_de", "DE",
                                         "de_AUT", "de_",    "pt_BR", NULL };
    g_autofree char *path =
        g_build_filename(g_getenv("HAUSPOST_DATADIR"), "..", "po", "LINGUAS", NULL);
    g_autofree char *spoken = NULL;
    g_auto(GStrv) languages = NULL;

    check_values(hp_config_check_language, right, wrong);
    g_assert_true(g_file_get_contents(path, &spoken, NULL, NULL));
    languages = g_strsplit_set(spoken, " \n", -1);
    for (guint i = 0; languages[i] != NULL; i++)
        if (languages[i][0] != '\0')
            g_assert_null(hp_config_check_language(hp_slice_of(languages[i])));
}

static char *
make_certificate(void)
{
    gnutls_datum_t pem = { NULL, 0 };
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    char *text;

    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, 0);
    gnutls_x509_crt_set_expiration_time(crt, G_MAXINT32);
    gnutls_x509_crt_set_key(crt, key);
    g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), ==, 0);
    g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
    text = g_strndup((const char *)pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return text;
}

static void
takes_files_of_certificates(void)
{
    g_autofree char *folder = g_dir_make_tmp("config-check-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "ca.pem", NULL);
    g_autofree char *certificate = make_certificate();
    g_autofree char *two = g_strconcat(certificate, certificate, NULL);
    const char *const relative[] = { "ca.pem", NULL }, *const named[] = { path, NULL },
                      *const none[] = { NULL };

    check_values(hp_config_check_ca_file, none, named); /* it is not there yet */
    g_assert_true(g_file_set_contents(path, two, -1, NULL));
    check_values(hp_config_check_ca_file, named, relative);
    g_assert_true(g_file_set_contents(path, "no certificate\n", -1, NULL));
    check_values(hp_config_check_ca_file, none, named);
    g_unlink(path);
    g_rmdir(folder);
}

static void
finds_what_no_line_can_say_for_itself(void)
{
    static const struct {
        const char *text;
        const char *problems; /* "line sentence", joined by "; " */
    } rows[] = {
        { "", "" },
        { "[identity x]\naddress=a@b.c\n[listen]\nsmtp=0\nsmtp-tls=0\n", "" },
        { "[account]\nname=x\n[identity x]\nname=q\n",
          "3 [identity x] needs an address" },
        { "[identity x]\naddress=\n", "1 [identity x] needs an address" },
        { "[listen]\nsmtp=25\nimap=25\n", "3 smtp and imap cannot both have port 25" },
        { "[listen]\nimap=25\nsmtp=25\n", "3 smtp and imap cannot both have port 25" },
        { "[listen]\nsmtp-tls=10110\n",
          "2 smtp-tls and pop3 cannot both have port 10110" },
        { "[listen]\nsmtp=1\nimap=1\n[identity x]\n",
          "3 smtp and imap cannot both have port 1; 4 [identity x] needs an address" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HpSettings) settings =
            hp_settings_parse(hp_config_table(), "f", hp_slice_of(rows[i].text), NULL);
        g_autoptr(GArray) problems = hp_config_check(settings);
        g_autoptr(GString) got = g_string_new(NULL);

        for (guint n = 0; n < problems->len; n++) {
            const HpConfigProblem *p = &g_array_index(problems, HpConfigProblem, n);

            g_string_append_printf(got, "%s%u %s", n > 0 ? "; " : "", p->line, p->text);
        }
        g_assert_cmpstr(got->str, ==, rows[i].problems);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config-check/takes-addresses-that-the-server-takes",
                    takes_addresses_that_the_server_takes);
    g_test_add_func("/config-check/takes-servers-hosts-and-words",
                    takes_servers_hosts_and_words);
    g_test_add_func("/config-check/takes-languages-that-are-spoken",
                    takes_languages_that_are_spoken);
    g_test_add_func("/config-check/takes-files-of-certificates",
                    takes_files_of_certificates);
    g_test_add_func("/config-check/finds-what-no-line-can-say-for-itself",
                    finds_what_no_line_can_say_for_itself);
    return g_test_run();
}
