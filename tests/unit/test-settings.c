#include "hp-settings.h"

#include <string.h>

enum { ADDRESS, LANGUAGE, SMTP, PLAIN, SERVERS, GRACE, SIZE, KEEP, ID_ADDRESS, ID_RELAY };

static const char *
check_address(HpSlice value)
{
    return memchr(value.data, '@', value.len) == NULL ? "must be an address" : NULL;
}

static const HpSettingSpec specs[] = {
    [ADDRESS] = { "account", "address", HP_SETTING_TEXT, "", .check = check_address },
    [LANGUAGE] = { "account", "language", HP_SETTING_CHOICE, "en", .choices = "en|de" },
    [SMTP] = { "listen", "smtp", HP_SETTING_NUMBER, "10587", 0, 65535 },
    [PLAIN] = { "listen", "plaintext", HP_SETTING_YES_NO, "yes" },
    [SERVERS] = { "dns", "servers", HP_SETTING_LIST, "" },
    [GRACE] = { "delivery", "grace", HP_SETTING_DURATION, "0s", 0, 3600 },
    [SIZE] = { "mail", "max-message-size", HP_SETTING_SIZE, "50M" },
    [KEEP] = { "mail", "pop3-retention", HP_SETTING_DURATION, "" },
    [ID_ADDRESS] = { "identity", "address", HP_SETTING_TEXT, "", .check = check_address,
                     .named = TRUE },
    [ID_RELAY] = { "identity", "relay", HP_SETTING_TEXT, "auto", .named = TRUE },
};
static const HpSettingTable table = { specs, G_N_ELEMENTS(specs) };

static HpSettings *
parse(const char *text, GError **error)
{
    /* Exactly as long as it is, so that a byte too many is seen. */
    g_autofree char *exact = g_memdup2(text, strlen(text));

    return hp_settings_parse(table, "f.conf", (HpSlice){ exact, strlen(text) }, error);
}

static void
has_defaults_for_what_is_not_set(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) s = parse("", &error);
    g_auto(GStrv) servers = NULL;

    g_assert_no_error(error);
    servers = hp_settings_list(s, SERVERS, NULL);
    g_assert_cmpint(hp_settings_number(s, SMTP, NULL), ==, 10587);
    g_assert_cmpint(hp_settings_number(s, SIZE, NULL), ==, 50 << 20);
    g_assert_cmpint(hp_settings_number(s, KEEP, NULL), ==, 0);
    g_assert_true(hp_settings_yes(s, PLAIN, NULL));
    g_assert_cmpstr(hp_settings_text(s, ADDRESS, NULL), ==, "");
    g_assert_cmpuint(hp_settings_line(s, SMTP, NULL), ==, 0);
    g_assert_cmpuint(g_strv_length(servers), ==, 0);
}

static void
reads_every_kind_of_value(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) s = parse("\xEF\xBB\xBF# hello\r\n[account]\r\n"
                                    " address = anna@example.org \r\nlanguage=DE\n\n"
                                    "[listen]\nsmtp=0\nplaintext=off\n"
                                    "[dns]\nservers=127.0.0.1, [::1]:53;ns.example\n"
                                    "[delivery]\ngrace=5m\n"
                                    "[mail]\nmax-message-size=1G\npop3-retention=",
                                    &error);
    g_auto(GStrv) servers = NULL;

    g_assert_no_error(error);
    servers = hp_settings_list(s, SERVERS, NULL);
    g_assert_cmpstr(hp_settings_text(s, ADDRESS, NULL), ==, "anna@example.org");
    g_assert_cmpuint(hp_settings_line(s, ADDRESS, NULL), ==, 3);
    g_assert_cmpstr(hp_settings_text(s, LANGUAGE, NULL), ==, "DE");
    g_assert_cmpint(hp_settings_number(s, SMTP, NULL), ==, 0);
    g_assert_false(hp_settings_yes(s, PLAIN, NULL));
    g_assert_cmpint(hp_settings_number(s, GRACE, NULL), ==, 300);
    g_assert_cmpint(hp_settings_number(s, SIZE, NULL), ==, 1 << 30);
    g_assert_cmpint(hp_settings_number(s, KEEP, NULL), ==, 0);
    g_assert_cmpuint(g_strv_length(servers), ==, 3);
    g_assert_cmpstr(servers[1], ==, "[::1]:53");
}

static void
keeps_named_sections_apart(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HpSettings) s = parse("[identity work]\naddress=a@w.example\nrelay=direct\n"
                                    "[identity at home]\naddress=a@h.example\n",
                                    &error);
    g_autofree const char **names = NULL;
    g_autoptr(HpSettings) again = NULL;

    g_assert_no_error(error);
    names = hp_settings_names(s, "identity");
    again = hp_settings_ref(s);
    g_assert_cmpuint(hp_settings_section_line(s, "identity", "at home"), ==, 4);
    g_assert_cmpuint(hp_settings_section_line(s, "identity", "none"), ==, 0);
    g_assert_cmpuint(hp_settings_section_line(s, "listen", NULL), ==, 0);
    g_assert_cmpstr(names[0], ==, "work");
    g_assert_cmpstr(names[1], ==, "at home");
    g_assert_null(names[2]);
    g_assert_cmpstr(hp_settings_text(s, ID_ADDRESS, "at home"), ==, "a@h.example");
    g_assert_cmpstr(hp_settings_text(s, ID_RELAY, "work"), ==, "direct");
    g_assert_cmpstr(hp_settings_text(again, ID_RELAY, "at home"), ==, "auto");
}

static void
says_file_line_and_nearest_name(void)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        { "[lisetn]\nsmtp=1",
          "f.conf:1: there is no section [lisetn]; did you mean [listen]?" },
        { "[quite-other]", "f.conf:1: there is no section [quite-other]" },
        { "\n[listen]\nsmpt=1",
          "f.conf:3: there is no key smpt in [listen]; did you mean smtp?" },
        { "[listen]\nservers=1", "f.conf:2: there is no key servers in [listen]; did you "
                                 "mean servers in [dns]?" },
        { "[listen]\nelephants=1", "f.conf:2: there is no key elephants in [listen]" },
        { "[listen]\nsmtp=1\nsmtp=2", "f.conf:3: smtp is set already in line 2" },
        { "[listen]\n[dns]\n[listen]", "f.conf:3: this section began already in line 1" },
        { "[listen]\nsmtp=70000",
          "f.conf:2: smtp must be a number from 0 to 65535, not \"70000\"" },
        { "[listen]\nsmtp=", "f.conf:2: smtp has no value; it must be a number from 0 to "
                             "65535" },
        { "[listen]\nsmtp=25 # mine",
          "f.conf:2: smtp must be a number from 0 to 65535, not \"25 # mine\" (a comment "
          "needs a line of its own)" },
        { "[listen]\nplaintext=maybe",
          "f.conf:2: plaintext must be yes or no, not \"maybe\"" },
        { "[account]\nlanguage=fr",
          "f.conf:2: language must be one of: en, de, not \"fr\"" },
        { "[account]\naddress=anna", "f.conf:2: address must be an address: \"anna\"" },
        { "[delivery]\ngrace=5", "f.conf:2: grace must be a time such as 30s, 5m, 4h or "
                                 "30d; \"5\" is too small, "
                                 "too large or has the wrong unit" },
        { "[delivery]\ngrace=2h", "f.conf:2: grace must be a time such as 30s, 5m, 4h or "
                                  "30d; \"2h\" is too small, "
                                  "too large or has the wrong unit" },
        { "[mail]\nmax-message-size=big",
          "f.conf:2: max-message-size must be a size such as 500K, 50M or 2G, not "
          "\"big\"" },
        { "smtp=25", "f.conf:1: this stands before the first [section]" },
        { "[listen]\nsmtp 25",
          "f.conf:2: this is neither [section] nor key=value nor # comment" },
        { "[listen", "f.conf:1: this is neither [section] nor key=value nor # comment" },
        { "[identity]", "f.conf:1: [identity] needs a short name: [identity home]" },
        { "[listen here]", "f.conf:1: [listen] takes no name: write [listen]" },
        { "[listen]\nsmtp=\xFF", "f.conf:2: this line is too long or not UTF-8 text" },
        { "[listen]\nsmtp=x\nplaintext=x",
          "f.conf:2: smtp must be a number from 0 to 65535, not \"x\"\n"
          "f.conf:3: plaintext must be yes or no, not \"x\"" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HpSettings) s = parse(rows[i].text, &error);

        g_assert_null(s);
        g_assert_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, rows[i].message);
    }
}

static void
stops_complaining_after_twenty(void)
{
    g_autoptr(GString) text = g_string_new("[listen]\n");
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) lines = NULL;

    for (guint i = 0; i < 100; i++)
        g_string_append(text, "what=1\n");
    g_assert_null(parse(text->str, &error));
    lines = g_strsplit(error->message, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 20);
}

static void
refuses_more_than_a_megabyte(void)
{
    g_autofree char *big = g_malloc((1 << 20) + 2);
    g_autoptr(GError) error = NULL;

    memset(big, '\n', (1 << 20) + 1);
    big[(1 << 20) + 1] = '\0';
    g_assert_null(parse(big, &error));
    g_assert_cmpstr(error->message, ==, "f.conf:0: the file is larger than 1 MiB");
}

static void
finds_a_key_by_its_path(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    char *none = NULL;
    guint key = 0;

    g_assert_true(hp_settings_find(table, "listen.smtp", &key, &none, &error));
    g_assert_cmpuint(key, ==, SMTP);
    g_assert_null(none);
    g_assert_true(hp_settings_find(table, "identity.a.b.relay", &key, &name, &error));
    g_assert_cmpuint(key, ==, ID_RELAY);
    g_assert_cmpstr(name, ==, "a.b");
    g_assert_false(hp_settings_find(table, "listen.smpt", &key, &none, &error));
    g_assert_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_NOT_FOUND);
    g_assert_cmpstr(error->message, ==,
                    "there is no setting listen.smpt; did you mean listen.smtp?");
    g_assert_false(hp_settings_find(table, "identity.address", &key, &none, NULL));
    g_assert_false(hp_settings_find(table, "listen.x.smtp", &key, &none, NULL));
    g_assert_false(hp_settings_find(table, "", &key, &none, NULL));
    g_assert_false(hp_settings_find(table, ".", &key, &none, NULL));
}

static void
checks_a_value_alone(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(hp_settings_check(&specs[SMTP], hp_slice_of("25"), &error));
    g_assert_false(hp_settings_check(&specs[SMTP], hp_slice_of("-1"), &error));
    g_assert_error(error, HP_SETTINGS_ERROR, HP_SETTINGS_ERROR_VALUE);
    g_assert_false(hp_settings_check(&specs[ID_RELAY], hp_slice_of("a\nb"), NULL));
    g_assert_false(hp_settings_check(&specs[ID_RELAY], hp_slice_of("\xC3"), NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/has-defaults-for-what-is-not-set",
                    has_defaults_for_what_is_not_set);
    g_test_add_func("/settings/reads-every-kind-of-value", reads_every_kind_of_value);
    g_test_add_func("/settings/keeps-named-sections-apart", keeps_named_sections_apart);
    g_test_add_func("/settings/says-file-line-and-nearest-name",
                    says_file_line_and_nearest_name);
    g_test_add_func("/settings/stops-complaining-after-twenty",
                    stops_complaining_after_twenty);
    g_test_add_func("/settings/refuses-more-than-a-megabyte",
                    refuses_more_than_a_megabyte);
    g_test_add_func("/settings/finds-a-key-by-its-path", finds_a_key_by_its_path);
    g_test_add_func("/settings/checks-a-value-alone", checks_a_value_alone);
    return g_test_run();
}
